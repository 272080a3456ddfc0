"""The account of what was changed and what is wrong: with places, and in words."""

import json
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any

from opskit.errors import quoted
from opskit.jsonfix.edits import Edit
from opskit.jsonfix.fixes import COSTS
from opskit.jsonfix.mending import Mended, Problem
from opskit.jsonfix.nodes import Node, pointer, tree
from opskit.jsonfix.schema import Path
from opskit.jsonfix.text import Change, Trouble
from opskit.wording import Locale, say, sentences

_SHOWN = 300  # characters of what stood there


def changes(source: str, mended: Mended, locale: Locale, most: int | None) -> Iterator[Change]:
    """The changes with their places, ``most`` of them at the most."""
    listed = list(islice(mended.edits, most))
    shift = line = column = position = 0
    root = tree(mended.text, until=_reach(listed)) if listed else Node(0)
    for edit in listed:
        breaks = source.count("\n", position, edit.start)
        line += breaks
        column = edit.start - (source.rfind("\n", 0, edit.start) + 1)
        position = edit.start
        yield Change(
            kind="coercion" if edit.why in COSTS else "syntax",
            path=pointer(_path(root, edit.start + shift)),
            offset=edit.start,
            length=edit.end - edit.start,
            line=line + 1,
            column=column + 1,
            old=_shortened(source[edit.start : edit.end]),
            to=edit.to,
            why=say(locale, f"json_change.{edit.why}"),
        )
        shift += len(edit.to) - (edit.end - edit.start)


def _reach(edits: Sequence[Edit]) -> int:
    """Where in the output the last of the edits stands."""
    return edits[-1].end + sum(len(edit.to) - (edit.end - edit.start) for edit in edits)


def _path(root: Node, offset: int) -> Path:
    """The innermost place that an offset of the output lies in; a key belongs to its member."""
    path: list[str | int] = []
    node = root
    while node.items:
        if node.names:
            place = bisect_right(node.keys, (offset, sys.maxsize)) - 1
        else:
            place = bisect_right(node.items, offset, key=attrgetter("start")) - 1
        if place < 0 or place >= len(node.items) or offset > node.items[place].end:
            break
        path.append(node.names[place] if node.names else place)
        node = node.items[place]
    return tuple(path)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def troubles(problems: Sequence[Problem], locale: Locale) -> list[Trouble]:
    """The problems in words."""
    return [
        Trouble(code=code_of(problem), path=pointer(problem.path), message=worded(problem, locale))
        for problem in problems
    ]


def code_of(problem: Problem) -> str:
    """The keyword of the schema that is not met, or a code of our own."""
    return str(problem.finding.kind.name) if problem.code == "not_conforming" else problem.code


def worded(problem: Problem, locale: Locale) -> str:
    """A problem as a sentence that a workflow author understands."""
    place = pointer(problem.path) or say(locale, "json_problem.root")
    if problem.finding is None:
        return say(locale, f"json_problem.{problem.code}", place=place, **problem.blanks)
    kind = problem.finding.kind
    blanks: dict[str, Any] = {"place": place, "message": quoted(problem.finding.message, ())}
    for name in ("property", "types", "options", "unexpected", "expected_value", "format", "limit"):
        value = getattr(kind, name, "")
        blanks[name] = quoted(", ".join(map(str, value)) if isinstance(value, list) else value, ())
    blanks["found"] = _said(problem.finding.instance)
    code = code_of(problem)
    key = code if code in sentences(locale)["json_problem"] else "other"
    return say(locale, f"json_problem.{key}", **blanks)


def _said(value: object) -> str:
    """A value, shortened, as JSON shows it."""
    return quoted(json.dumps(value, ensure_ascii=False, default=str)[:200], ())
