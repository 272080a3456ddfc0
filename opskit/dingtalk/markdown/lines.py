"""The lines of a Markdown text, each with the block that it belongs to.

The block rules are those of CommonMark and of GitHub's tables, as far as they matter for cutting: a fence, a
heading, a list item, a quote, a table. One pass, no recursion.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

_FENCE = re.compile(r"^([ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(`{3,}|~{3,})([^\r\n]*)")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_ITEM = re.compile(r"([ \t]*)(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_QUOTE = re.compile(r"(?:[ ]{0,3}>[ ]?){1,20}")
_PREFIX = re.compile(r"[ \t]*(?:>[ ]?)*[ \t]*")
_MAX_MARKER = 200  # characters
_RULE_CELL = re.compile(r"[ \t]*:?-+:?[ \t]*")


class Kind(Enum):
    """What a line is."""

    TEXT = auto()
    BLANK = auto()
    HEADING = auto()
    UNDERLINE = auto()
    ITEM = auto()
    FENCE_OPEN = auto()
    FENCED = auto()
    FENCE_CLOSE = auto()
    TABLE_HEAD = auto()
    TABLE_RULE = auto()
    TABLE_ROW = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line: where it stands (``end`` is behind its line break) and what block it belongs to.

    ``opening`` and ``closing`` reopen and close the block when the text is cut before or inside this line: the
    fence's first line and its marker, or the table's head. ``nested`` is true for an indented list item.
    """

    start: int
    end: int
    kind: Kind
    opening: str = ""
    closing: str = ""
    nested: bool = False


@dataclass(frozen=True, slots=True)
class _Fence:
    opening: str
    marker: str
    indent: str

    @property
    def closing(self) -> str:
        return f"{self.indent}{self.marker}"

    def closes(self, line: str) -> bool:
        text = line.strip()
        return len(text) >= len(self.marker) and not text.strip(self.marker[0])


def read(text: str) -> list[Line]:
    """Every line of ``text``, in order; their spans cover it without a gap."""
    lines: list[Line] = []
    spans = [(match.start(), match.end()) for match in re.finditer(r"[^\n]*\n|[^\n]+", text)]
    fence: _Fence | None = None
    head = ""
    for index, (start, end) in enumerate(spans):
        line = text[start:end]
        if fence:
            closes = fence.closes(line)
            lines.append(Line(start, end, Kind.FENCE_CLOSE if closes else Kind.FENCED, fence.opening, fence.closing))
            fence = None if closes else fence
            continue
        if lines and lines[-1].kind is Kind.TABLE_HEAD:
            lines.append(Line(start, end, Kind.TABLE_RULE))
            continue
        if lines and lines[-1].kind in {Kind.TABLE_RULE, Kind.TABLE_ROW} and "|" in line:
            lines.append(Line(start, end, Kind.TABLE_ROW, opening=head))
            continue
        if opened := _fence(line):
            fence = opened
            lines.append(Line(start, end, Kind.FENCE_OPEN, opened.opening, opened.closing))
            continue
        if index + 1 < len(spans) and is_table(line, text[slice(*spans[index + 1])]):
            head = text[start : spans[index + 1][1]]
            lines.append(Line(start, end, Kind.TABLE_HEAD))
            continue
        lines.append(_plain(start, end, line, lines))
    return lines


def read_plain(text: str) -> list[Line]:
    """The same for text without Markdown: lines are text or blank."""
    return [
        Line(match.start(), match.end(), Kind.TEXT if match[0].strip() else Kind.BLANK)
        for match in re.finditer(r"[^\n]*\n|[^\n]+", text)
    ]


def _plain(start: int, end: int, line: str, before: list[Line]) -> Line:
    if not line.strip():
        return Line(start, end, Kind.BLANK)
    if _HEADING.match(line):
        return Line(start, end, Kind.HEADING)
    if _UNDERLINE.match(line) and before and before[-1].kind is Kind.TEXT:
        return Line(start, end, Kind.UNDERLINE)
    if item := _ITEM.match(line):
        return Line(start, end, Kind.ITEM, nested=len(item[1].expandtabs(4)) > 1)
    quote = _QUOTE.match(line)
    return Line(start, end, Kind.TEXT, opening=quote[0] if quote else "")


def _fence(line: str) -> _Fence | None:
    """The fence that ``line`` opens; a fence of backticks has none in its info string.

    A marker too long to be repeated in every piece is taken for text.
    """
    match = _FENCE.match(line)
    if not match or (match[2][0] == "`" and "`" in match[3]) or len(match[0]) > _MAX_MARKER:
        return None
    indent = " " * len(match[1].expandtabs(4))
    return _Fence(f"{indent}{match[2]}{match[3].rstrip()}\n", match[2], indent)


def is_table(head: str, rule: str) -> bool:
    """Whether two lines begin a table: a row of cells and a row of dashes with as many."""
    if "|" not in head or "-" not in rule or "|" not in rule:
        return False
    dashes = cells(rule)
    return len(dashes) == len(cells(head)) and all(_RULE_CELL.fullmatch(cell) for cell in dashes)


def prefix(line: str) -> str:
    """The indentation and quote marks before a line's own text."""
    match = _PREFIX.match(line)
    return match[0] if match else ""


def cells(row: str) -> list[str]:
    """The cells of a row, stripped; a pipe behind a backslash belongs to its cell."""
    inner = row[len(prefix(row)) :].strip()
    inner = inner.removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip().replace("\\|", "|") for cell in _split_cells(inner)]


def _split_cells(inner: str) -> Iterator[str]:
    start = 0
    for match in re.finditer(r"\\.|\|", inner):
        if match[0] == "|":
            yield inner[start : match.start()]
            start = match.end()
    yield inner[start:]
