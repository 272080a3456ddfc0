"""The ground under the scanner: the text, the edits on it, and what may stand between two marks."""

import re
from typing import NamedTuple

from opskit.jsonfix import marks
from opskit.jsonfix.edits import Edit, edit
from opskit.jsonfix.frames import CLOSING, Frame

HIDDEN = 5  # ends of texts that a backslash hides: each costs a look at all that follows
_COMMENT = re.compile(r"//[^\n\r]*|/\*(?s:.)*?(?:\*/|\Z)|#[^\n\r]*|<!--(?s:.)*?(?:-->|\Z)")
_HASH = re.compile(r"#(?=[\s#!]|\w+ \w)")
_ELLIPSIS = re.compile(rf"{marks.ELLIPSIS}(?!\w)")
_COMMAS = re.compile(rf"[{marks.COMMAS}](?:{marks.SPACE}[{marks.COMMAS}])*+")


class Unclear(Exception):
    """The text cannot be read in one way: ``args`` are the code of the problem and its offset."""


class Found(NamedTuple):
    """An object or array in a text: where it is, what makes JSON of it, and whether it came to its end."""

    start: int
    end: int
    edits: list[Edit]
    complete: bool


class Ground:
    """A text that is being read from ``start`` on: what is open, and what must change."""

    def __init__(self, text: str, start: int, *, max_depth: int, hidden: int = HIDDEN) -> None:
        self.text = text
        self.start, self.size = start, len(text)
        self.max_depth = max_depth
        self.edits: list[Edit] = []
        self.stack: list[Frame] = []
        self.open = dict.fromkeys(CLOSING, 0)
        self.complete = True
        self.hidden = hidden
        self.trusting = True
        self.strays = 0  # brackets that were taken for one too many; -1: none is

    def _change(self, start: int, end: int, to: str, why: str) -> None:
        self.edits.append(edit((start, end, to, why)))

    def _gap(self, position: int, *, value: bool = False) -> int:
        """The next place that means something; comments go, and spaces that JSON does not know."""
        text = self.text
        mark = text[position : position + 1]
        if " " < mark < "\x7f" and mark not in "/#<`":
            return position
        while True:
            found = marks.BLANK.match(text, position)
            position = found.end() if found else position
            mark = text[position : position + 1]
            if " " < mark < "\x7f" and mark not in "/#<`":
                return position
            if mark == "`" and text.startswith("```", position):  # a fence ends what began inside it
                self.size = position
                return len(text)
            if odd := marks.ODD.match(text, position):
                self._change(position, odd.end(), " ", "space_changed")
                position = odd.end()
            elif (found := _COMMENT.match(text, position)) and not (
                mark == "#" and value and not _HASH.match(text, position)
            ):
                self._change(position, found.end(), "", "comment_removed")
                position = found.end()
            else:
                return position

    def _more_commas(self, position: int) -> int:
        """Go over commas and ellipses that nothing stands between."""
        while True:
            position = self._gap(position, value=True)
            mark = self.text[position : position + 1]
            if mark and mark in marks.COMMAS and (found := _COMMAS.match(self.text, position)):
                self._change(position, found.end(), "", "comma_removed")
                position = found.end()
            elif mark in (".", "…") and (dots := _ELLIPSIS.match(self.text, position)):
                self._change(position, dots.end(), "", "ellipsis_removed")
                position = dots.end()
            else:
                return position

    def _done(self, position: int) -> int:
        """A value has been read."""
        frame = self.stack[-1]
        frame.after, frame.pending = True, None
        frame.count += 1
        return position
