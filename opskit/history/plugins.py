"""The plugins that a DSL was exported with."""

from collections.abc import Iterator, Mapping
from typing import Any

from opskit.history.dsl import Dsl


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
    for key in ("marketplace_plugin_unique_identifier", "plugin_unique_identifier"):
        name, _, version = str(value.get(key) or "").partition("@")[0].rpartition(":")
        if name:
            yield name, version
