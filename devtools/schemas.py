"""One truth for each fact: what Python knows is written into YAML, or compared with it.

``python -m devtools.schemas write`` writes each tool's ``output_schema`` from its result model and adds new names
to ``tools.lock``; ``check`` says what is stale, missing or contradicts.
"""

import copy
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from devtools.catalog import ROOT, ToolEntry, tools
from opskit.model import Params

LOCK = ROOT / "tools.lock"
_MARK = "output_schema:"
_YAML_FACTS = ("type", "required", "default", "min", "max", "options")


class _Indented(yaml.SafeDumper):
    """Lists indented below their key, as in the rest of the file."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002
        return super().increase_indent(flow, indentless=False)


def output_schema(tool: ToolEntry) -> dict[str, Any]:
    """The JSON Schema of the tool's variables, without references, as Dify's editor reads it.

    ``report`` is declared last: it is the node's text as well.
    """
    schema = tool.gives.model_json_schema(mode="serialization")
    properties = _resolved(schema, schema.get("$defs", {}))["properties"]
    report = properties.pop("report")
    return {"type": "object", "properties": properties | {"report": report}}


def _resolved(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with references replaced by what they mean, reduced to the words that Dify knows."""
    if isinstance(schema, list):
        return [_resolved(entry, definitions) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        meant = copy.deepcopy(definitions[schema["$ref"].rpartition("/")[2]])
        return _resolved(meant | {key: value for key, value in schema.items() if key != "$ref"}, definitions)
    if "anyOf" in schema:  # an optional value: what it is when it is there
        meant = next(option for option in schema["anyOf"] if option != {"type": "null"})
        return _resolved(meant | {key: value for key, value in schema.items() if key != "anyOf"}, definitions)
    known = {key: schema[key] for key in ("type", "description", "enum") if key in schema}
    if "properties" in schema:
        known["properties"] = {name: _resolved(field, definitions) for name, field in schema["properties"].items()}
    if "items" in schema:
        known["items"] = _resolved(schema["items"], definitions)
    return known


def parameter_facts(model: type[Params]) -> dict[str, dict[str, Any]]:
    """Type, required, default, bounds and options of each parameter, in the words of Dify's YAML."""
    schema = model.model_json_schema()
    return {
        name: _facts(_resolved_field(field, schema.get("$defs", {})), name in schema.get("required", []))
        for name, field in schema["properties"].items()
    }


def _resolved_field(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in field:
        field = next(option for option in field["anyOf"] if option != {"type": "null"}) | field
    if "$ref" in field:
        field = definitions[field["$ref"].rpartition("/")[2]] | field
    return field


def _facts(field: dict[str, Any], required: bool) -> dict[str, Any]:  # noqa: FBT001
    kind = field["type"]
    if "enum" in field:
        kind = "select"
    elif kind == "integer":
        kind = "number"
    default = field.get("default")
    facts = {
        "type": kind,
        "required": required,
        "default": None if default in ("", None, [], ()) else default,
        "min": field.get("minimum"),
        "max": field.get("maximum"),
        "options": field.get("enum"),
    }
    return {key: value for key, value in facts.items() if value is not None}


def declared_facts(parameter: dict[str, Any]) -> dict[str, Any]:
    """The same facts as they stand in a tool's YAML."""
    facts = {key: parameter[key] for key in _YAML_FACTS if key in parameter}
    facts["required"] = parameter.get("required", False)
    if "options" in facts:
        facts["options"] = [option["value"] for option in facts["options"]]
    return facts


def contradictions(tool: ToolEntry) -> Iterator[str]:
    """Where the tool's YAML and its model say different things."""
    known, declared = parameter_facts(tool.takes), tool.parameters
    for name in known.keys() - declared.keys():
        yield f"{tool.name}: {name} is in the model, but not in the YAML"
    for name in declared.keys() - known.keys():
        yield f"{tool.name}: {name} is in the YAML, but not in the model"
    for name in tool.takes.secret_names() & declared.keys():
        if declared[name]["form"] != "form":
            yield f"{tool.name}: {name} is a secret, and form: {declared[name]['form']} lets a model fill it"
    for name in known.keys() & declared.keys():
        facts = declared_facts(declared[name])
        if facts != known[name]:
            yield f"{tool.name}: {name} is {facts} in the YAML and {known[name]} in the model"
    if tool.declaration.get("output_schema") != output_schema(tool):
        yield f"{tool.name}: output_schema is stale, run `make schemas`"


def released(tool: ToolEntry) -> dict[str, list[str]]:
    """The names that users have built on, once released."""
    return {"parameters": sorted(tool.parameters), "outputs": sorted(tool.gives.model_fields)}


def disappeared(lock: dict[str, dict[str, list[str]]], entries: list[ToolEntry]) -> Iterator[str]:
    """What stands in ``tools.lock`` and is no longer there."""
    now = {tool.name: released(tool) for tool in entries}
    for name, kinds in lock.items():
        if name not in now:
            yield f"the tool {name} was released and has disappeared"
        for kind, words in kinds.items() if name in now else ():
            for word in sorted(set(words) - set(now[name][kind])):
                yield f"{name}: {word} was released in its {kind} and has disappeared"


def unlocked(lock: dict[str, dict[str, list[str]]], entries: list[ToolEntry]) -> Iterator[str]:
    """What exists and is not in ``tools.lock`` yet."""
    for tool in entries:
        for kind, words in released(tool).items():
            for word in sorted(set(words) - set(lock.get(tool.name, {}).get(kind, []))):
                yield f"{tool.name}: {word} is missing in tools.lock, run `make schemas`"


def read_lock(path: Path = LOCK) -> dict[str, dict[str, list[str]]]:
    """``{tool: {"parameters": […], "outputs": […]}}``; empty when there is no lock yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def problems() -> list[str]:
    """Everything that is not one truth."""
    entries, lock = tools(), read_lock()
    found = [problem for tool in entries for problem in contradictions(tool)]
    return [*found, *disappeared(lock, entries), *unlocked(lock, entries)]


def write() -> None:
    """Write what is generated; nothing is ever removed from ``tools.lock``."""
    lock = read_lock()
    for tool in tools():
        text = tool.path.read_text(encoding="utf-8")
        schema = yaml.dump(
            {"output_schema": output_schema(tool)}, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=10_000
        )
        words, mark, _ = text.partition(f"\n{_MARK}")
        tool.path.write_text(f"{words}\n{schema}" if mark else f"{text}{schema}", encoding="utf-8")
        before = lock.setdefault(tool.name, {})
        for kind, names in released(tool).items():
            before[kind] = sorted({*before.get(kind, []), *names})
    LOCK.write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        write()
    found = problems()
    print("\n".join(found) if found else "schemas: models, YAML and tools.lock say the same")
    sys.exit(bool(found))
