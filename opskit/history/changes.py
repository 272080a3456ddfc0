"""What a comparison tells: changes for programs, whole values for the report, and risks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ConfigDict, Field

from opskit.history.canonical import Canonical
from opskit.history.differences import MISSING, Difference, Op
from opskit.history.places import pointer
from opskit.model import Item
from opskit.wording import Locale, say

type Kind = Literal["node", "edge", "variable", "feature", "secret"]
type Level = Literal["high", "low"]

SHOWN_CHARS = 300
_BEFORE_CHARS = 100
KINDS: tuple[Kind, ...] = ("node", "edge", "variable", "secret", "feature")
# What can go wrong, the worst first. The names are interface: workflows branch on them.
RISKS: Mapping[str, Level] = {
    "mode_changed": "high",
    "reference_dangling": "high",
    "secret_exposed": "high",
    "secret_missing": "high",
    "secret_emptied": "high",
    "output_removed": "high",
    "output_renamed": "high",
    "input_removed": "high",
    "input_renamed": "high",
    "input_required": "high",
    "input_changed": "high",
    "error_branch_removed": "high",
    "model_swapped": "high",
    "plugin_changed": "high",
    "model_params": "low",
}


class Change(Item):
    """One difference between two versions, at its smallest place."""

    model_config = ConfigDict(serialize_by_alias=True)

    kind: Kind = Field(description="What changed: node, edge, variable, feature or secret.")
    op: Op = Field(description="added, removed or changed.")
    id: str = Field(description="Id of the node or variable, the ends of the edge, or the name of the feature.")
    title: str = Field(description="What people call it.")
    path: str = Field(
        description="JSON Pointer (RFC 6901) within the node, else within the workflow; items of lists are named by "
        "id or name where they have one. Empty: all of it."
    )
    old: str = Field(serialization_alias="from", description="The value on the left, 300 characters at the most.")
    to: str = Field(description="The value on the right, 300 characters at the most.")
    risk: str = Field(description="The code of the risk in it; empty where there is none.")


class Risk(Item):
    """A change that may break something."""

    code: str = Field(description="What may break, such as model_swapped or output_removed.")
    level: Level = Field(description="high or low.")
    id: str = Field(description="Id of the node or variable, the ends of the edge, or the name of the feature.")
    title: str = Field(description="What people call it.")
    path: str = Field(description="Where, as in the change.")
    message: str = Field(description="The risk as a sentence.")


@dataclass(frozen=True, slots=True)
class Peril:
    """A risk of one entry, and the names that its sentence mentions."""

    code: str
    names: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change with its whole values; ``type`` is that of a node, empty for all else."""

    kind: Kind
    id: str
    title: str
    type: str
    difference: Difference
    perils: tuple[Peril, ...] = ()

    @property
    def path(self) -> str:
        """The place, as a JSON Pointer."""
        return pointer(self.difference.path)

    @property
    def change(self) -> Change:
        """The change with its values shortened."""
        old, to = _excerpts(worded(self.difference.left), worded(self.difference.right))
        return Change(
            kind=self.kind,
            op=self.difference.op,
            id=self.id,
            title=self.title,
            path=self.path,
            old=old,
            to=to,
            risk=self.perils[0].code if self.perils else "",
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions of a workflow, and what changed from the left one to the right one."""

    left: Canonical
    right: Canonical
    entries: tuple[Entry, ...]

    @property
    def changes(self) -> list[Change]:
        """The changes: nodes, edges, variables, secrets, features."""
        return [entry.change for entry in self.entries]

    def risks(self, locale: Locale) -> list[Risk]:
        """The risks in words, the worst first."""
        found = [(entry, peril) for entry in self.entries for peril in entry.perils]
        order = list(RISKS)
        return [_risk(entry, peril, locale) for entry, peril in sorted(found, key=lambda it: order.index(it[1].code))]


def _risk(entry: Entry, peril: Peril, locale: Locale) -> Risk:
    sentence = f"risk_{peril.code}"
    return Risk(
        code=peril.code,
        level=RISKS[peril.code],
        id=entry.id,
        title=entry.title,
        path=entry.path,
        message=say(
            locale,
            f"history.{sentence}",
            title=entry.title,
            names=peril.names,
            old=shown(entry.difference.left),
            new=shown(entry.difference.right),
        ),
    )


def shown(value: Any, limit: int = SHOWN_CHARS) -> str:
    """A value as text, shortened: a text as it is, all else as JSON, what is not there as nothing."""
    return _cut(worded(value), limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _excerpts(left: str, right: str) -> tuple[str, str]:
    """Two texts, shortened to where they differ: a long prompt with one other word begins shortly before that."""
    start = _shared(left, right) - _BEFORE_CHARS
    if start > 0 and max(len(left), len(right)) > SHOWN_CHARS:
        left, right = (f"…{text[start:]}" for text in (left, right))
    return _cut(left, SHOWN_CHARS), _cut(right, SHOWN_CHARS)


def worded(value: Any) -> str:
    """A value as text."""
    if value is MISSING:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shared(left: str, right: str) -> int:
    """How many characters two texts begin with in common."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (old, new) in pairs if old != new), min(len(left), len(right)))
