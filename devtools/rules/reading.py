"""What keeps a file from being read at all."""

from collections.abc import Iterator

from devtools.rules.plugin import Plugin
from devtools.rules.rulebook import Finding, rule


def _faults(plugin: Plugin, name: str) -> Iterator[Finding]:
    for fault in plugin.faults:
        if fault.rule == name:
            yield fault.path, fault.message


@rule
def unreadable_yaml(plugin: Plugin) -> Iterator[Finding]:
    """A YAML file that does not parse, gives a key twice or is not a map stops the packager or the start."""
    return _faults(plugin, "unreadable_yaml")


@rule
def unknown_key(plugin: Plugin) -> Iterator[Finding]:
    """Dify ignores a key that it does not know: a slip of the pen that nobody would notice."""
    return _faults(plugin, "unknown_key")


@rule
def missing_key(plugin: Plugin) -> Iterator[Finding]:
    """A key that the daemon's validators or the SDK's models require."""
    return _faults(plugin, "missing_key")


@rule
def wrong_type(plugin: Plugin) -> Iterator[Finding]:
    """A value of another type than Go and the SDK expect, such as a map where `settings` is a list."""
    return _faults(plugin, "wrong_type")


@rule
def blank_text(plugin: Plugin) -> Iterator[Finding]:
    """For Go a required string that is empty is missing; this holds for `description.llm` too."""
    return _faults(plugin, "blank_text")


@rule
def unreadable_python(plugin: Plugin) -> Iterator[Finding]:
    """One file with a syntax error keeps the whole plugin from starting."""
    return _faults(plugin, "unreadable_python")


@rule
def listed_file_exists(plugin: Plugin) -> Iterator[Finding]:
    """A YAML file that the manifest, the provider or an endpoint group lists must be in the package."""
    return _faults(plugin, "listed_file_exists")


@rule
def listed_once(plugin: Plugin) -> Iterator[Finding]:
    """A file listed twice is loaded twice, and its second tool or route is never reached."""
    lists: dict[str, list[str]] = {path: provider.tools for path, provider in plugin.providers.items()}
    lists |= {path: group.endpoints for path, group in plugin.groups.items()}
    for listed_in, paths in lists.items():
        for path in sorted({path for path in paths if paths.count(path) > 1}):
            yield listed_in, f"{path} is listed twice"


@rule
def unlisted_file(plugin: Plugin) -> Iterator[Finding]:
    """A YAML file beside listed ones that nobody lists is a tool or an endpoint that Dify will never see."""
    # A list with a faulty entry says too little to call its neighbours unlisted.
    listed = {path for path, _ in plugin.documents()} | {fault.path for fault in plugin.faults}
    folders = {path.rpartition("/")[0] for path in listed} - {""}
    for path in plugin.files:
        if path.endswith((".yaml", ".yml")) and path.rpartition("/")[0] in folders and path not in listed:
            yield path, "is not listed by any manifest, provider or endpoint group"


@rule
def source_exists(plugin: Plugin) -> Iterator[Finding]:
    """The packager does not look for `extra.python.source`; without the file the plugin does not start."""
    for adapter in plugin.adapters():
        if not plugin.has(adapter.source):
            yield adapter.declared_in, f"extra.python.source: {adapter.source} does not exist"
