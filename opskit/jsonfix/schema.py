"""JSON Schema: whether a value conforms, and where it does not.

The validator is jsonschema-rs. It is kept from what it does by itself: it fetches ``$ref`` over http and from files
unless it is offline, and a value nested 50,000 levels deep ends the process; both measured.
"""

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from opskit.errors import InvalidInput
from opskit.jsonfix.nodes import pointer

MAX_SCHEMA = 1_000_000  # characters
MAX_SCHEMA_DEPTH = 100  # levels; the validator refuses some 200

type Path = tuple[str | int, ...]
type Finding = Any  # jsonschema_rs.ValidationError, whose kinds have attributes of their own


class Schema:
    """A schema that values can be held against. InvalidInput ``bad_schema`` says where it is no schema."""

    def __init__(self, schema: object) -> None:
        import jsonschema_rs  # noqa: PLC0415 - takes its time, and only callers with a schema need it

        if not isinstance(schema, (dict, bool)):
            raise InvalidInput("bad_schema", place="#", problem="object / true / false")
        if depth(schema) > MAX_SCHEMA_DEPTH:
            raise InvalidInput("schema_too_deep", limit=MAX_SCHEMA_DEPTH)
        self.schema: dict[str, Any] | bool = schema
        try:
            self._validator = jsonschema_rs.validator_for(schema, offline=True, validate_formats=False)
        except ValueError as error:
            place = pointer(getattr(error, "instance_path", None) or ())
            raise InvalidInput("bad_schema", place=f"#{place}", problem=str(error).partition("\n")[0]) from None

    @cached_property
    def _text(self) -> str:
        return json.dumps(self.schema)

    @cached_property
    def _formats(self) -> Any:
        import jsonschema_rs  # noqa: PLC0415

        return jsonschema_rs.validator_for(self.schema, offline=True, validate_formats=True)

    def fits(self, value: object) -> bool:
        """Whether the value conforms."""
        return bool(self._validator.is_valid(value))

    def finding(self, value: object) -> Finding | None:
        """The first place where it does not."""
        try:
            self._validator.validate(value)
        except ValueError as error:
            return error
        return None

    def findings(self, value: object) -> Iterator[Finding]:
        """All places where it does not: the validator makes a list of them, of 1.4 kB each."""
        return self._validator.iter_errors(value)

    def odd_formats(self, value: object) -> list[Finding]:
        """Texts that are declared to be of a format, and are not. JSON Schema leaves them valid."""
        if '"format"' not in self._text:
            return []
        odd = (finding for finding in self._formats.iter_errors(value) if finding.kind.name == "format")
        return [finding for finding in odd if self.part(finding.schema_path[:-1]).get("type") == "string"]

    def part(self, path: Sequence[str | int]) -> dict[str, Any]:
        """The part of the schema at a path; {} where there is none, or where it is no object."""
        part: Any = self.schema
        for step in path:
            try:
                part = part[step]
            except (KeyError, IndexError, TypeError):
                return {}
        return part if isinstance(part, dict) else {}

    def resolved(self, part: object) -> dict[str, Any]:
        """The part that a local ``$ref`` means, some steps far; {} for one that is no object."""
        if not isinstance(part, dict):
            return {}
        for _ in range(8):
            reference = part.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#/"):
                break
            steps = [step.replace("~1", "/").replace("~0", "~") for step in reference[2:].split("/")]
            part = {**self.part(steps), **{name: part[name] for name in part if name != "$ref"}}
        return part


def depth(value: object) -> int:
    """How many levels a value has, found without recursion."""
    levels, level = 0, [value]
    while level:
        levels += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return levels


def parsed(text: str) -> object:
    """The JSON value of a schema's text. InvalidInput says what is wrong with it."""
    if len(text) > MAX_SCHEMA:
        raise InvalidInput("schema_too_large", limit=MAX_SCHEMA)
    try:
        return json.loads(text)
    except RecursionError:
        raise InvalidInput("schema_too_deep", limit=MAX_SCHEMA_DEPTH) from None
    except ValueError as error:
        raise InvalidInput("schema_not_json", problem=error) from None
