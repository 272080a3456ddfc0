"""Replacements on a text: how they are applied, and how two lists of them become one."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple


class Edit(NamedTuple):
    """``text[start:end]`` becomes ``to``; ``why`` names the reason, a sentence of the locales."""

    start: int
    end: int
    to: str
    why: str


# The same as Edit(start, end, to, why) in half the time, for the innermost loops: a named tuple's own way leads
# through a function in Python.
edit: Callable[[tuple[int, int, str, str]], Edit] = partial(tuple.__new__, Edit)


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits, which are ascending and do not overlap."""
    parts: list[str] = []
    position = 0
    for start, end, to, _ in edits:
        parts += (text[position:start], to)
        position = end
    parts.append(text[position:])
    return "".join(parts)


def composed(first: Sequence[Edit], second: Iterable[Edit]) -> list[Edit]:
    """The edits that do at once what ``first`` does to a text, and ``second`` to the text that then is."""
    walk = _Walk(first)
    result: list[Edit] = []
    for start, end, to, why in second:
        walk.on(start, result.append, beyond=True)
        began = walk.before
        walk.on(end, _forgotten, beyond=False)
        result.append(Edit(began, walk.before, to, why))
    return result + walk.rest()


def _forgotten(_: Edit) -> None:
    pass


class _Walk:
    """A place in a text before some edits (``before``) and after them (``after``), which goes on and on."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self.before = self.after = 0
        self._left = list(reversed(edits))

    def on(self, after: int, passed: Callable[[Edit], None], *, beyond: bool) -> None:
        """Go to a later place; an edit that goes beyond it is split. ``beyond``: also over a deletion just there."""
        while self._left and self._left[-1].start - self.before <= after - self.after:
            edit = self._left[-1]
            room = after - self.after - (edit.start - self.before)
            if room == 0 and (edit.to or not beyond):
                break
            self._left.pop()
            passed(edit._replace(to=edit.to[:room]))
            self.before, self.after = edit.end, min(after, after - room + len(edit.to))
            if len(edit.to) > room:
                self._left.append(Edit(edit.end, edit.end, edit.to[room:], edit.why))
                return
        self.before, self.after = self.before + after - self.after, after

    def rest(self) -> list[Edit]:
        """The edits that lie ahead."""
        return self._left[::-1]
