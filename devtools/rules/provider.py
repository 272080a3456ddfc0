"""Rules for provider/<name>.yaml and for the Python file behind it."""

import ast
import re
from collections.abc import Iterator

from devtools.rules.manifest import PROVIDER_TAGS
from devtools.rules.plugin import Plugin, nodes
from devtools.rules.rulebook import Finding, rule


@rule
def provider_name(plugin: Plugin) -> Iterator[Finding]:
    """The daemon's pattern, which it checks only in remote debugging."""
    for path, provider in plugin.providers.items():
        if not re.fullmatch(r"[a-zA-Z0-9_-]+", provider.identity.name):
            yield path, f"identity.name {provider.identity.name!r} is not of a-z A-Z 0-9 _ -"


@rule
def provider_tags(plugin: Plugin) -> Iterator[Finding]:
    """The SDK's list for providers is smaller than the manifest's: `agent` and `trigger` stop the start."""
    for path, provider in plugin.providers.items():
        for tag in provider.identity.tags:
            if tag not in PROVIDER_TAGS:
                yield path, f"{tag!r} is not a tag of a provider"


@rule
def credentials_map(plugin: Plugin) -> Iterator[Finding]:
    """The SDK calls `.items()` on it; the daemon alone would take a list."""
    for path, provider in plugin.providers.items():
        if not isinstance(provider.credentials_for_provider, dict | None):
            yield path, "credentials_for_provider is not a map"


@rule
def no_credentials(plugin: Plugin) -> Iterator[Finding]:
    """One declared credential, even an optional one, and Dify refuses every tool until somebody saves it."""
    for path, provider in plugin.providers.items():
        declared = provider.credentials_for_provider
        if (isinstance(declared, dict) and declared) or provider.oauth_schema:
            yield path, "declares credentials, which blocks the tools that need none"


@rule
def provider_validates(plugin: Plugin) -> Iterator[Finding]:
    """A provider without credentials still needs `_validate_credentials`."""
    for provider in plugin.providers.values():
        path = provider.extra.python.source
        module = plugin.modules.get(path)
        if module is not None and not any(
            isinstance(node, ast.FunctionDef) and node.name == "_validate_credentials" for node in nodes(module)
        ):
            yield path, "defines no _validate_credentials"
