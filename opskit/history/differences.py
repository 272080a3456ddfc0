"""What differs between two JSON values, each difference at its smallest place.

Items of lists are matched by id or name (``places.shared_names``), so one that is put in front of the others is one
difference. Items without names are aligned by what they say. ``True`` is not 1 here.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from opskit.history.places import shared_names

type Op = Literal["added", "removed", "changed"]


class Missing:
    """Stands for a value that is not there; None is a value."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class Difference:
    """Two values at one place; the items of lists in the path are named as in ``places``."""

    path: tuple[str, ...]
    left: Any
    right: Any

    @property
    def op(self) -> Op:
        """Whether it is new, gone or another."""
        return "added" if self.left is MISSING else "removed" if self.right is MISSING else "changed"


def between(left: Any, right: Any, path: tuple[str, ...] = ()) -> Iterator[Difference]:
    """The differences, in the order of the names of fields and of the items on the right."""
    if isinstance(left, dict) and isinstance(right, dict):
        yield from _fields(left, right, path)
    elif isinstance(left, list) and isinstance(right, list) and _has_objects(left, right):
        yield from _items(left, right, path)
    elif not same(left, right):
        yield Difference(path, left, right)


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same, types and all."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and bool(left == right)


def _has_objects(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """A list of texts or numbers, such as a selector, is one value: half of it says nothing."""
    return any(isinstance(item, (dict, list)) for item in (*left, *right))


def _fields(left: Mapping[str, Any], right: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Difference]:
    for name in sorted(left.keys() | right.keys()):
        there = left.get(name, MISSING), right.get(name, MISSING)
        if MISSING in there:
            yield Difference((*path, name), *there)
        else:
            yield from between(*there, (*path, name))


def _items(left: Sequence[Any], right: Sequence[Any], path: tuple[str, ...]) -> Iterator[Difference]:
    names = shared_names(left, right)
    if names is None:
        yield from _aligned(left, right, path)
        return
    ours, theirs = dict(zip(names[0], left, strict=True)), dict(zip(names[1], right, strict=True))
    for name in [*theirs, *(name for name in ours if name not in theirs)]:
        if name in ours and name in theirs:
            yield from between(ours[name], theirs[name], (*path, name))
        else:
            yield Difference((*path, name), ours.get(name, MISSING), theirs.get(name, MISSING))
    orders = [name for name in ours if name in theirs], [name for name in theirs if name in ours]
    if orders[0] != orders[1]:
        yield Difference(path, *orders)


def _aligned(left: Sequence[Any], right: Sequence[Any], path: tuple[str, ...]) -> Iterator[Difference]:
    """Items without names: those that say the same stay, the others are compared in turn."""
    matcher = difflib.SequenceMatcher(a=list(map(_Key, left)), b=list(map(_Key, right)), autojunk=False)
    for op, l0, l1, r0, r1 in matcher.get_opcodes():
        if op == "equal":
            continue
        both = min(l1 - l0, r1 - r0)
        for place in range(both):
            yield from between(left[l0 + place], right[r0 + place], (*path, str(r0 + place)))
        for place in range(l0 + both, l1):
            yield Difference((*path, str(place)), left[place], MISSING)
        for place in range(r0 + both, r1):
            yield Difference((*path, str(place)), MISSING, right[place])


class _Key:
    """An item that can be looked up by what it says."""

    def __init__(self, item: Any) -> None:
        self._item = item

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and same(self._item, other._item)

    def __hash__(self) -> int:
        return hash(repr(self._item))
