"""The plugins that a DSL was exported with, and those that its nodes need."""

from collections.abc import Iterator, Mapping
from typing import Any

from opskit.history.dsl import Dsl

_IDENTIFIER = "plugin_unique_identifier"
# What in a node names a provider, as author/plugin/provider where that is of a plugin.
_PROVIDERS = ("provider", "provider_id", "provider_name", "agent_strategy_provider_name")
_PARTS = 3


def versions(dsl: Dsl) -> dict[str, str]:
    """``{author/name: version}`` of the plugins among the dependencies.

    An entry holds an identifier such as ``langgenius/openai:0.0.8@<hash>`` for the marketplace and for a package,
    and repository and version for GitHub (api/core/plugin/entities/plugin.py, PluginDependency).
    """
    return dict(found for entry in dsl.dependencies or () for found in _named(entry.get("value")))


def _named(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping):
        return
    if value.get("repo"):
        yield str(value["repo"]), str(value.get("version", ""))
        return
    for key in (f"marketplace_{_IDENTIFIER}", _IDENTIFIER):
        name, _, version = str(value.get(key) or "").partition("@")[0].rpartition(":")
        if name:
            yield name, version


def needed(dsl: Dsl) -> frozenset[str]:
    """``author/name`` of the plugins without which it cannot run: of its dependencies, and of models and tools."""
    listed = (identifier(entry).partition(":")[0] for entry in dsl.dependencies or ())
    return frozenset([*filter(None, listed), *(found for node in dsl.nodes for found in _needed(node["data"]))])


def identifier(dependency: Mapping[str, Any]) -> str:
    """The identifier of a plugin in a DSL: its name there depends on where the plugin came from."""
    value = dependency.get("value")
    pairs = value.items() if isinstance(value, Mapping) else ()
    return next((str(text) for name, text in pairs if str(name).endswith(_IDENTIFIER)), "")


def _needed(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, entry in value.items():
            if name in _PROVIDERS and isinstance(entry, str) and len(parts := entry.split("/")) == _PARTS:
                yield "/".join(parts[:2])
            yield from _needed(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _needed(entry)
