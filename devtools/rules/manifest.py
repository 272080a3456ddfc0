"""Rules for manifest.yaml: identity, memory, combinations, runner, what the marketplace adds."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from packaging.version import InvalidVersion, Version

from devtools.rules.documents import Extensions
from devtools.rules.plugin import MANIFEST, Plugin
from devtools.rules.rulebook import Finding, marketplace_rule, rule

_VERSION = r"\d{1,4}(\.\d{1,4}){2}(-\w{1,16})?"
_RFC_3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
_EMAIL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
_REPOSITORY = (
    r"https?://(www\.)?(github\.com|gitlab\.com|bitbucket\.org|gitee\.com|codeberg\.org|git\.sr\.ht)/[^\s)>\"]+"
)
_COPIED_MEMORY = 1048576
_LONGEST_RUNNER_VERSION, _LONGEST_ENTRYPOINT = 128, 256

# The SDK's tags of a provider, and the two that only a manifest may carry.
PROVIDER_TAGS = frozenset(
    {
        "search",
        "image",
        "videos",
        "weather",
        "finance",
        "design",
        "travel",
        "social",
        "news",
        "medical",
        "productivity",
        "education",
        "business",
        "entertainment",
        "utilities",
        "other",
        "rag",
    }
)
MANIFEST_TAGS = PROVIDER_TAGS | {"agent", "trigger"}


def is_pep_440(version: str) -> bool:
    """Whether Python's packaging world can read this version."""
    try:
        Version(version)
    except InvalidVersion:
        return False
    return True


@rule
def version_form(plugin: Plugin) -> Iterator[Finding]:
    """The daemon's pattern: three numbers and at most one word. `0.1` and `0.1.0-beta.1` fail."""
    if plugin.manifest and not re.fullmatch(_VERSION, plugin.manifest.version):
        yield MANIFEST, f"version {plugin.manifest.version!r} is not x.y.z or x.y.z-word"


@rule
def version_pep_440(plugin: Plugin) -> Iterator[Finding]:
    """The SDK parses the version as PEP 440 when the plugin starts."""
    if plugin.manifest and not is_pep_440(plugin.manifest.version):
        yield MANIFEST, f"version {plugin.manifest.version!r} is not a PEP 440 version"


@rule
def plugin_type(plugin: Plugin) -> Iterator[Finding]:
    """The only type there is."""
    if plugin.manifest and plugin.manifest.type != "plugin":
        yield MANIFEST, f"type is {plugin.manifest.type!r}, not 'plugin'"


@rule
def author_form(plugin: Plugin) -> Iterator[Finding]:
    """The SDK lets upper case pass; the daemon refuses it at upload."""
    if plugin.manifest and not re.fullmatch(r"[a-z0-9_-]{1,64}", plugin.manifest.author):
        yield MANIFEST, f"author {plugin.manifest.author!r} is not 1 to 64 of a-z 0-9 _ -"


@rule
def author_uuid(plugin: Plugin) -> Iterator[Finding]:
    """An author that reads as a UUID means remote debugging to the daemon, which refuses the upload."""
    if plugin.manifest is None:
        return
    try:
        UUID(plugin.manifest.author)
    except ValueError:
        return
    yield MANIFEST, "author is a UUID"


@rule
def author_reserved(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace keeps these names for Dify's makers."""
    for word in ("langgenius", "dify"):
        if plugin.manifest and word in plugin.manifest.author.lower():
            yield MANIFEST, f"author contains {word!r}"


@rule
def plugin_name(plugin: Plugin) -> Iterator[Finding]:
    """The daemon's and the SDK's pattern."""
    if plugin.manifest and not re.fullmatch(r"[a-z0-9_-]{1,128}", plugin.manifest.name):
        yield MANIFEST, f"name {plugin.manifest.name!r} is not 1 to 128 of a-z 0-9 _ -"


@rule
def memory_positive(plugin: Plugin) -> Iterator[Finding]:
    """Memory is required, in bytes; to Go a zero is a missing value."""
    if plugin.manifest and plugin.manifest.resource.memory <= 0:
        yield MANIFEST, "resource.memory is not a positive number of bytes"


@rule
def memory_copied(plugin: Plugin) -> Iterator[Finding]:
    """1 MiB is what gets copied from plugin to plugin; no Python process fits into it."""
    if plugin.manifest and plugin.manifest.resource.memory == _COPIED_MEMORY:
        yield MANIFEST, f"resource.memory is the {_COPIED_MEMORY} of the templates"


def _kinds(extensions: Extensions) -> list[str]:
    return [name for name in Extensions.model_fields if getattr(extensions, name)]


@rule
def plugin_combination(plugin: Plugin) -> Iterator[Finding]:
    """Only tools and endpoints may share a plugin; the daemon refuses any other pair, and none at all."""
    if plugin.manifest:
        kinds = _kinds(plugin.manifest.plugins)
        if not kinds:
            yield MANIFEST, "plugins names no extension"
        elif len(kinds) > 1 and set(kinds) != {"tools", "endpoints"}:
            yield MANIFEST, f"{' and '.join(kinds)} may not share a plugin"


@rule
def one_tool_provider(plugin: Plugin) -> Iterator[Finding]:
    """The daemon keeps the last tool provider and forgets the others without a word."""
    if plugin.manifest and len(plugin.manifest.plugins.tools) > 1:
        yield (
            MANIFEST,
            f"{len(plugin.manifest.plugins.tools)} tool providers, of which only the last would be kept",
        )


@rule
def meta_version(plugin: Plugin) -> Iterator[Finding]:
    """The same pattern as the plugin's own version."""
    if plugin.manifest and not re.fullmatch(_VERSION, plugin.manifest.meta.version):
        yield MANIFEST, f"meta.version {plugin.manifest.meta.version!r} is not x.y.z"


@rule
def meta_arch(plugin: Plugin) -> Iterator[Finding]:
    """There are two architectures, and pure Python runs on both."""
    if plugin.manifest and sorted(plugin.manifest.meta.arch) != ["amd64", "arm64"]:
        yield MANIFEST, f"meta.arch is {plugin.manifest.meta.arch}, not amd64 and arm64"


@rule
def runner_language(plugin: Plugin) -> Iterator[Finding]:
    """The only language there is."""
    if plugin.manifest and plugin.manifest.meta.runner.language != "python":
        yield MANIFEST, f"meta.runner.language is {plugin.manifest.meta.runner.language!r}, not 'python'"


@rule
def runner_length(plugin: Plugin) -> Iterator[Finding]:
    """The daemon's limits for two texts that it only passes on."""
    if plugin.manifest:
        runner = plugin.manifest.meta.runner
        if len(runner.version) > _LONGEST_RUNNER_VERSION:
            yield MANIFEST, f"meta.runner.version has more than {_LONGEST_RUNNER_VERSION} characters"
        if len(runner.entrypoint) > _LONGEST_ENTRYPOINT:
            yield MANIFEST, f"meta.runner.entrypoint has more than {_LONGEST_ENTRYPOINT} characters"


@rule
def entrypoint_exists(plugin: Plugin) -> Iterator[Finding]:
    """Dify runs `python -m <entrypoint>`."""
    if plugin.manifest:
        entrypoint = plugin.manifest.meta.runner.entrypoint
        module = entrypoint.replace(".", "/")
        if len(entrypoint) <= _LONGEST_ENTRYPOINT and not (
            plugin.has(f"{module}.py") or plugin.has(f"{module}/__main__.py")
        ):
            yield MANIFEST, f"meta.runner.entrypoint {entrypoint} is not a module of the package"


@rule
def minimum_dify_version(plugin: Plugin) -> Iterator[Finding]:
    """The API and the SDK parse it as PEP 440; the daemon does not look."""
    if plugin.manifest:
        minimum = plugin.manifest.meta.minimum_dify_version
        if minimum is not None and not is_pep_440(minimum):
            yield MANIFEST, f"meta.minimum_dify_version {minimum!r} is not a PEP 440 version"


@rule
def manifest_tags(plugin: Plugin) -> Iterator[Finding]:
    """The daemon's list of tags."""
    if plugin.manifest:
        for tag in plugin.manifest.tags:
            if tag not in MANIFEST_TAGS:
                yield MANIFEST, f"{tag!r} is not a tag"


@rule
def created_at_form(plugin: Plugin) -> Iterator[Finding]:
    """Go reads the time as RFC 3339, which has a time zone."""
    if plugin.manifest and not _time(plugin.manifest.created_at):
        yield MANIFEST, f"created_at {plugin.manifest.created_at!r} is not an RFC 3339 time"


@rule
def created_at_past(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace refuses a plugin from the future."""
    if plugin.manifest:
        created_at = _time(plugin.manifest.created_at)
        if created_at is not None and created_at > datetime.now(UTC):
            yield MANIFEST, f"created_at {plugin.manifest.created_at} is in the future"


def _time(text: str) -> datetime | None:
    if not re.fullmatch(_RFC_3339, text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


@rule
def privacy_exists(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace follows `privacy` to a URL or into the package."""
    if plugin.manifest:
        privacy = plugin.manifest.privacy
        if not privacy.startswith(("http://", "https://")) and not plugin.has(privacy.removeprefix("./")):
            yield MANIFEST, f"privacy: {privacy} is neither a URL nor a file of the package"


@rule
def repo_host(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace accepts repositories on six hosts."""
    if plugin.manifest and plugin.manifest.repo and not re.fullmatch(_REPOSITORY, plugin.manifest.repo):
        yield MANIFEST, f"repo {plugin.manifest.repo} is not a repository that the marketplace accepts"


@rule
def contact_email(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace writes to this address."""
    if plugin.manifest and plugin.manifest.contact and not re.fullmatch(_EMAIL, plugin.manifest.contact):
        yield MANIFEST, f"contact {plugin.manifest.contact} is not an e-mail address"


@marketplace_rule
def repo_given(plugin: Plugin) -> Iterator[Finding]:
    """Required by the marketplace's validator."""
    if plugin.manifest and plugin.manifest.repo is None:
        yield MANIFEST, "repo is missing"


@marketplace_rule
def contact_given(plugin: Plugin) -> Iterator[Finding]:
    """Required by the marketplace's validator."""
    if plugin.manifest and plugin.manifest.contact is None:
        yield MANIFEST, "contact is missing"


@marketplace_rule
def minimum_dify_version_given(plugin: Plugin) -> Iterator[Finding]:
    """Recommended by the marketplace's validator: without it everybody may install, and some will fail."""
    if plugin.manifest and plugin.manifest.meta.minimum_dify_version is None:
        yield MANIFEST, "meta.minimum_dify_version is missing"


@marketplace_rule
def repo_in_readme(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace wants the repository's URL in README.md."""
    if plugin.has("README.md") and not re.search(_REPOSITORY, plugin.text("README.md")):
        yield "README.md", "does not name the source repository's URL"
