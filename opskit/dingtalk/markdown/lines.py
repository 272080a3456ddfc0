"""What a text is made of: lines, and the fences and tables that some of them belong to."""

import re
from dataclasses import dataclass
from enum import IntEnum, auto

BREAK = r"[ \t]*+(?:[\r\n]|\Z)"  # the rest of a line that says no more
CODE_INDENT = 4  # so many columns make a line code, or a marker none

_CLOSER = re.compile(rf"([ \t]*+)(`++|~++){BREAK}")


class Kind(IntEnum):
    """What a line is."""

    BLANK = auto()
    TEXT = auto()
    HEADING = auto()
    UNDERLINE = auto()  # of a heading in the line above
    RULE = auto()
    OPENER = auto()  # a fence's first marker line
    CODE = auto()
    CLOSER = auto()
    HEAD = auto()  # a table's header row
    DELIMITER = auto()
    ROW = auto()


class Rank(IntEnum):
    """How good a place before a line is for a cut, the best first."""

    HEADING = auto()
    BLOCK = auto()
    ITEM = auto()
    NESTED = auto()
    ROW = auto()
    LINE = auto()
    GLUED = auto()  # parts a heading from what follows it
    SEALED = auto()  # breaks a block, or leaves one without content


@dataclass(slots=True)
class Fence:
    """A code fence from ``start`` to ``end``; ``lead`` is what stands before its marker, list marks blanked."""

    start: int
    end: int
    lead: str
    marker: str
    info: str
    quotes: int
    indent: int  # columns that its list item is indented by

    def closes(self, text: str, start: int, end: int) -> bool:
        """Whether ``text[start:end]`` is nothing but a marker that ends this fence."""
        match = _CLOSER.match(text, start, end)
        if not match or not match[2].startswith(self.marker):
            return False
        return columns(match[1]) < self.indent + CODE_INDENT


@dataclass(slots=True)
class Table:
    """A table from ``start`` to ``end``; ``top`` repeats its header and delimiter rows, list marks blanked."""

    start: int
    end: int
    top: str


@dataclass(slots=True)
class Line:
    """One line from ``start`` to ``end``, its line break included; ``content`` is where its own text begins."""

    start: int
    end: int
    content: int
    kind: Kind
    rank: Rank = Rank.LINE
    margin: int = 0  # columns of white space that it begins with
    quotes: int = 0  # how many quotes it stands in
    item: bool = False  # whether a list item begins here
    lazy: bool = False  # whether it belongs to a quote without saying so
    block: Fence | Table | None = None


def columns(lead: str) -> int:
    """The columns that ``lead`` takes; a tab goes on to the next multiple of four."""
    return len(lead.expandtabs(CODE_INDENT))
