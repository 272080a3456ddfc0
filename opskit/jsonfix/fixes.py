"""What answers a finding of the validator: edits on the text, each kind of finding with its own."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from opskit.jsonfix import readings
from opskit.jsonfix.documents import survey
from opskit.jsonfix.edits import Edit, applied
from opskit.jsonfix.nodes import Node, tree
from opskit.jsonfix.schema import Finding, Path, Schema
from opskit.jsonfix.strict import load

_INNER_DEPTH = 100  # levels of JSON in a text
# What each fix costs, in doubt: the sum decides between alternatives.
COSTS = {
    "number_unquoted": 1,
    "truth_unquoted": 1,
    "number_quoted": 1,
    "option_case": 1,
    "key_case": 1,
    "json_unquoted": 1,
    "item_wrapped": 2,
    "item_unwrapped": 2,
    "default_added": 1,
    "null_set": 1,
    "null_removed": 1,
    "number_read": 2,
    "truth_read": 2,
    "date_read": 2,
    "option_read": 4,
    "key_read": 3,
    "member_wrapped": 5,
    "member_dropped": 6,
    "default_set": 8,
}


class Fix(NamedTuple):
    """Edits that belong together, and the span of the value that they change."""

    edits: tuple[Edit, ...]
    span: tuple[int, int]

    @property
    def cost(self) -> int:
        """How much doubt there is."""
        return max(COSTS[edit.why] for edit in self.edits)


def _apart(fixes: Sequence[Fix]) -> list[Fix]:
    """Those of the fixes whose places lie apart, in their order."""
    chosen: list[Fix] = []
    for fix in sorted(fixes, key=lambda fix: (fix.span[0], fix.span[1] - fix.span[0])):
        if not chosen or fix.span[0] >= chosen[-1].span[1]:
            chosen.append(fix)
    return chosen


class Round:
    """One look at a text, its value and what does not conform."""

    def __init__(self, text: str, value: object, schema: Schema, *, full: bool) -> None:
        self.text, self.value, self.schema, self.full = text, value, schema, full
        self.tree = tree(text)
        self._answers: dict[str, Callable[[Path, Any, Finding], Fix | None]] = {
            "type": self._typed,
            "enum": lambda path, kind, _: self._optioned(path, kind.options),
            "const": lambda path, kind, _: self._optioned(path, [kind.expected_value]),
            "required": self._required,
            "additionalProperties": self._unexpected,
            "unevaluatedProperties": self._unexpected,
            "anyOf": lambda _, kind, __: self._alternative(kind),
            "oneOf": lambda _, kind, __: self._alternative(kind),
            "format": lambda path, kind, _: self._moment(path, kind.format),
        }

    def fixes(self, findings: Sequence[Finding]) -> list[Fix]:
        """Fixes whose places lie apart, in their order."""
        found = [fix for finding in findings if (fix := self.fix(finding))]
        if not found and self.full:
            found = [fix for finding in findings if (fix := self._default_set(finding))]
        return _apart(found)

    def fix(self, finding: Finding) -> Fix | None:
        """What answers a finding, or nothing."""
        answer = self._answers.get(finding.kind.name)
        return answer(tuple(finding.instance_path), finding.kind, finding) if answer else None

    # Places

    def _at(self, path: Path) -> tuple[Node, Any]:
        value: Any = self.value
        for step in path:
            value = value[step]
        return self.tree.at(path), value

    def _replaced(self, node: Node, to: str, why: str) -> Fix:
        return Fix((Edit(node.start, node.end, to, why),), (node.start, node.end))

    def _dropped(self, path: Path, names: Sequence[str], why: str) -> Fix:
        """Members of the object at a path go, each with one of its commas."""
        holder = self.tree.at(path)
        gone = [place for place, name in enumerate(holder.names) if name in names]
        if len(gone) == len(holder.names):
            span = holder.start + 1, holder.end - 1
            return Fix((Edit(*span, "", why),), span)
        edits = []
        kept = False
        for place, name in enumerate(holder.names):
            if name not in names:
                kept = True
            elif kept:
                edits.append(Edit(holder.items[place - 1].end, holder.items[place].end, "", why))
            else:
                edits.append(Edit(holder.keys[place][0], holder.keys[place + 1][0], "", why))
        return Fix(tuple(edits), (edits[0].start, edits[-1].end))

    # Kinds of findings

    def _typed(self, path: Path, kind: Any, finding: Finding) -> Fix | None:
        """A value of another type."""
        types = kind.types
        node, value = self._at(path)
        source = self.text[node.start : node.end]
        if isinstance(value, str):
            return (
                self._from_text(node, value, types)
                or (self._from_sentence(node, value, types, whole=not path) if self.full else None)
                or self._emptied(path, value, finding)
                or self._wrapped(node, types, finding)
            )
        if value is None and self._is_optional(path, finding):
            return self._dropped(path[:-1], [str(path[-1])], "null_removed")
        if "string" in types and isinstance(value, (int, float)) and (self.full or not isinstance(value, bool)):
            return self._replaced(node, f'"{source}"', "number_quoted")
        if "boolean" in types and self.full and value in (0, 1) and isinstance(value, int):
            return self._replaced(node, "true" if value else "false", "truth_read")
        if isinstance(value, list) and "array" not in types and (fix := self._unlisted(path, node)):
            return fix
        return self._wrapped(node, types, finding) if value is not None else None

    def _unlisted(self, path: Path, node: Node) -> Fix | None:
        """The only item of an array that may be none; the array itself, where it is the only item of another."""
        if len(node.items) == 1:
            return self._unwrapped(node, node.items[0])
        holder = self.tree.at(path[:-1]) if path and isinstance(path[-1], int) else node
        return self._unwrapped(holder, node) if len(holder.items) == 1 else None

    def _unwrapped(self, holder: Node, item: Node) -> Fix:
        edits = (
            Edit(holder.start, item.start, "", "item_unwrapped"),
            Edit(item.end, holder.end, "", "item_unwrapped"),
        )
        return Fix(edits, (holder.start, holder.end))

    def _from_text(self, node: Node, value: str, types: Sequence[str]) -> Fix | None:
        """What a text says that should be something else."""
        if "number" in types or "integer" in types:
            plain = readings.number(value, whole="number" not in types, full=self.full)
            if plain is not None:
                return self._replaced(node, plain, "number_unquoted" if plain == value.strip() else "number_read")
        if "boolean" in types and (word := readings.truth(value, full=self.full)):
            return self._replaced(node, word, "truth_unquoted" if word == value.strip().lower() else "truth_read")
        if "null" in types and readings.is_nothing(value):
            return self._replaced(node, "null", "null_set")
        if ("object" in types or "array" in types) and (inner := _json_inside(value, types, full=self.full)):
            return self._replaced(node, inner, "json_unquoted")
        return None

    def _from_sentence(self, node: Node, value: str, types: Sequence[str], *, whole: bool) -> Fix | None:
        """The truth value that a sentence names; the number that it ends with, where it is all there is."""
        word = readings.named_truth(value) if "boolean" in types else None
        if not word and whole and ("number" in types or "integer" in types):
            word = readings.last_number(value, whole="number" not in types)
        return self._replaced(node, word, "option_read") if word else None

    def _emptied(self, path: Path, value: str, finding: Finding) -> Fix | None:
        if self.full and readings.is_nothing(value) and self._is_optional(path, finding):
            return self._dropped(path[:-1], [str(path[-1])], "null_removed")
        return None

    def _wrapped(self, node: Node, types: Sequence[str], finding: Finding) -> Fix | None:
        """The value as the only item of an array, or as the only member that an object may have."""
        if "array" in types and self.text[node.start : node.end] != '""':
            return self._around(node, "[", "]", "item_wrapped")
        part = self.schema.part(finding.schema_path[:-1])
        names = list(part.get("properties", ()))
        alone = len(names) == 1 and part.get("required") == names and not finding.instance_path
        mark = self.text[node.start]
        if mark == "[" and alone:  # a list is only of a member that is one
            alone = self.schema.resolved(part["properties"][names[0]]).get("type") == "array"
        if self.full and "object" in types and alone and mark != '"':
            return self._around(node, f"{{{json.dumps(names[0], ensure_ascii=False)}: ", "}", "member_wrapped")
        return None

    def _around(self, node: Node, before: str, after: str, why: str) -> Fix:
        edits = (Edit(node.start, node.start, before, why), Edit(node.end, node.end, after, why))
        return Fix(edits, (node.start, node.end))

    def _optioned(self, path: Path, options: Sequence[Any]) -> Fix | None:
        node, value = self._at(path)
        if isinstance(value, (dict, list)) or value is None:
            return None
        meant = readings.option(value, options, full=self.full)
        if meant is None:
            return None
        near = str(meant).casefold() != str(value).strip().casefold()
        return self._replaced(node, json.dumps(meant, ensure_ascii=False), "option_read" if near else "option_case")

    def _required(self, path: Path, kind: Any, finding: Finding) -> Fix | None:
        """A key that is missing: perhaps another means it, or it has a declared default."""
        name = kind.property
        node, value = self._at(path)
        part = self.schema.part(finding.schema_path[:-1])
        known = part.get("properties", {})
        missing = [one for one in known if one not in value]
        spare = [one for one in value if one not in known]
        if fix := self._renamed(node, spare, missing or [name], name):
            return fix
        default = self.schema.resolved(known.get(name))
        if "default" not in default:
            return self._wrapped_member(node, part, value)
        return self._added(node, name, default["default"])

    def _wrapped_member(self, node: Node, part: dict[str, Any], value: dict[str, Any]) -> Fix | None:
        """An object that stands where another should hold it as its only member."""
        names = list(part.get("properties", ()))
        if not self.full or len(names) != 1 or part.get("required") != names or names[0] in value or not value:
            return None
        inner = self.schema.resolved(part["properties"][names[0]])
        if not any(one in json.dumps(inner) for one in ("properties", "$ref")):
            return None
        return self._around(node, f"{{{json.dumps(names[0], ensure_ascii=False)}: ", "}", "member_wrapped")

    def _renamed(self, node: Node, spare: Sequence[str], missing: Sequence[str], wanted: str = "") -> Fix | None:
        """Keys of an object that mean others; none where no key means the ``wanted`` one."""
        meant: dict[str, str] = {}
        for other in spare:
            name = readings.key(other, [one for one in missing if one not in meant.values()], full=self.full)
            if name:
                meant[other] = name
        if not meant or (wanted and wanted not in meant.values()):
            return None
        edits = []
        for place, other in enumerate(node.names):
            if name := meant.get(other):
                why = "key_case" if other.casefold() == name.casefold() else "key_read"
                edits.append(Edit(*node.keys[place], json.dumps(name, ensure_ascii=False), why))
        return Fix(tuple(edits), (edits[0].start, edits[-1].end))

    def _added(self, node: Node, name: str, value: object) -> Fix:
        member = f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"
        place = node.items[-1].end if node.items else node.start + 1
        return Fix((Edit(place, place, f", {member}" if node.items else member, "default_added"),), (place, place))

    def _unexpected(self, path: Path, kind: Any, finding: Finding) -> Fix | None:
        """A key that may not be there: perhaps it means another; else it goes (``full``)."""
        names = kind.unexpected
        node, value = self._at(path)
        part = self.schema.part(finding.schema_path[:-1])
        missing = [one for one in part.get("properties", {}) if one not in value]
        if fix := self._renamed(node, names, missing):
            return fix
        if not self.full or (len(names) == len(value) and part.get("required")):
            return None
        return self._dropped(path, names, "member_dropped")

    def _alternative(self, kind: Any) -> Fix | None:
        """The fixes of the alternative that can be had at the least cost."""
        best: tuple[int, Fix] | None = None
        for findings in getattr(kind, "context", ()):
            fixes = [self.fix(finding) for finding in findings]
            if not fixes or None in fixes:
                continue
            apart = _apart([fix for fix in fixes if fix])
            cost = sum(fix.cost for fix in fixes if fix)
            if best is None or cost < best[0]:
                edits = tuple(edit for fix in apart for edit in fix.edits)
                best = cost, Fix(edits, (edits[0].start, edits[-1].end))
        return best[1] if best else None

    def _moment(self, path: Path, wanted: str) -> Fix | None:
        node, value = self._at(path)
        if wanted not in ("date", "date-time"):
            return None
        iso = readings.moment(value, clock=wanted == "date-time")
        return self._replaced(node, f'"{iso}"', "date_read") if iso and iso != value else None

    def _default_set(self, finding: Finding) -> Fix | None:
        """The declared default in place of an optional value that cannot be made to conform."""
        path = tuple(finding.instance_path)
        place = next((number for number, step in enumerate(finding.schema_path) if step == "properties"), None)
        if not path or place is None or not isinstance(path[-1], str):
            return None
        schema_path = list(finding.schema_path)
        last = len(schema_path) - 1 - schema_path[::-1].index("properties")
        part = self.schema.part(schema_path[: last + 2])
        holder = self.schema.part(schema_path[:last])
        if (
            schema_path[last + 1 : last + 2] != [path[-1]]
            or "default" not in part
            or path[-1] in holder.get("required", ())
        ):
            return None
        node, value = self._at(path)
        to = json.dumps(part["default"], ensure_ascii=False)
        return None if value == part["default"] else self._replaced(node, to, "default_set")

    def _is_optional(self, path: Path, finding: Finding) -> bool:
        """Whether the member at a path may be left out."""
        if not path or not isinstance(path[-1], str):
            return False
        schema_path = list(finding.schema_path)
        if "properties" not in schema_path:
            return False
        last = len(schema_path) - 1 - schema_path[::-1].index("properties")
        return path[-1] not in self.schema.part(schema_path[:last]).get("required", ())


def _json_inside(value: str, types: Sequence[str], *, full: bool) -> str | None:
    """The object or array that a text holds; ``full``: also one that needs repair."""
    plain = value.strip()
    if plain[:1] not in ("{", "["):
        return None
    try:
        inner = load(plain, max_depth=_INNER_DEPTH).value
    except ValueError:
        documents = survey(plain, max_depth=_INNER_DEPTH).documents if full else []
        if len(documents) != 1 or documents[0].end < len(plain) or not documents[0].complete:
            return None
        plain = applied(plain, documents[0].edits)
        inner = load(plain, max_depth=_INNER_DEPTH).value
    wanted = "object" if isinstance(inner, dict) else "array"
    return plain if wanted in types else None
