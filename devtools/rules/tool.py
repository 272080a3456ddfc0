"""Rules for tools/<name>.yaml: names and output schema."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from devtools.rules.plugin import Plugin
from devtools.rules.rulebook import Finding, rule

_OUTPUT_TYPES = ("string", "number", "integer", "boolean", "object", "array")
_OUTPUTS_OF_DIFY = ("text", "files", "json")


@rule
def tool_name(plugin: Plugin) -> Iterator[Finding]:
    """The daemon's pattern, which it checks only in remote debugging."""
    for path, tool in plugin.tools.items():
        if not re.fullmatch(r"[a-zA-Z0-9_-]+", tool.identity.name):
            yield path, f"identity.name {tool.identity.name!r} is not of a-z A-Z 0-9 _ -"


@rule
def one_stem(plugin: Plugin) -> Iterator[Finding]:
    """One stem for a tool's YAML, its Python and its name, so that each is found from the others."""
    for path, tool in plugin.tools.items():
        stems = {
            PurePosixPath(path).stem,
            PurePosixPath(tool.extra.python.source).stem,
            # A name that is not one at all has its own rule.
            *re.findall(r"^[a-zA-Z0-9_-]+$", tool.identity.name),
        }
        if len(stems) > 1:
            yield path, f"file, source and identity.name differ: {', '.join(sorted(stems))}"


@rule
def deprecated_key(plugin: Plugin) -> Iterator[Finding]:
    """The SDK still knows it and does not hand it on."""
    for path, tool in plugin.tools.items():
        if tool.has_runtime_parameters is not None:
            yield path, "has_runtime_parameters is deprecated"


@rule
def output_schema_given(plugin: Plugin) -> Iterator[Finding]:
    """Without a schema the editor offers none of a tool's outputs as variables."""
    for path, tool in plugin.tools.items():
        if tool.output_schema is None:
            yield path, "output_schema is missing"


@rule
def output_schema_root(plugin: Plugin) -> Iterator[Finding]:
    """The root is an object whose properties become variables."""
    for path, tool in plugin.tools.items():
        if tool.output_schema and tool.output_schema.type != "object":
            yield path, f"output_schema has type {tool.output_schema.type!r}, not 'object'"


@rule
def output_name(plugin: Plugin) -> Iterator[Finding]:
    """Every tool node already has outputs of these names."""
    for path, tool in plugin.tools.items():
        for name in tool.output_schema.properties if tool.output_schema else ():
            if name in _OUTPUTS_OF_DIFY:
                yield path, f"output {name!r} is Dify's own"


def _outputs(plugin: Plugin) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, tool in plugin.tools.items():
        if tool.output_schema:
            for name, schema in tool.output_schema.properties.items():
                yield from ((path, place, part) for place, part in _schemas(name, schema))


def _schemas(place: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A property's schema and those below it. An item of an array is `place[]`."""
    yield place, schema
    properties, items = schema.get("properties"), schema.get("items")
    if isinstance(properties, dict):
        for name, part in properties.items():
            if isinstance(part, dict):
                yield from _schemas(f"{place}.{name}", part)
    if isinstance(items, dict):
        yield from _schemas(f"{place}[]", items)


@rule
def output_type(plugin: Plugin) -> Iterator[Finding]:
    """The types that the editor makes variables of; it reads neither lists of types nor references."""
    for path, place, schema in _outputs(plugin):
        if schema.get("type") not in _OUTPUT_TYPES:
            yield (
                path,
                f"output {place}: type {schema.get('type')!r} is not one of {', '.join(_OUTPUT_TYPES)}",
            )


@rule
def output_items(plugin: Plugin) -> Iterator[Finding]:
    """Without `items` an array is an array of nothing to the editor."""
    for path, place, schema in _outputs(plugin):
        if schema.get("type") == "array" and not isinstance(schema.get("items"), dict):
            yield path, f"output {place}: an array without items"


@rule
def output_description(plugin: Plugin) -> Iterator[Finding]:
    """The description is what the editor shows beside a variable."""
    for path, place, schema in _outputs(plugin):
        if not place.endswith("[]") and not str(schema.get("description") or "").strip():
            yield path, f"output {place}: no description"
