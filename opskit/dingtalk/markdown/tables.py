"""Tables as a phone can show them: as lists, or as code whose columns line up.

DingTalk's documentation knows no tables. Its desktop shows them, its phones show the source.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from opskit.dingtalk.markdown.blocks import continued, opens_fence, read
from opskit.dingtalk.markdown.graphemes import boundary_before, is_boundary
from opskit.dingtalk.markdown.lines import Kind, Line
from opskit.dingtalk.markdown.rows import cells, literal

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_BOLD_ALREADY = re.compile(r"\*\*|__|^[*_]|[*_\\]$")  # or not to be made bold without breaking what is there
_DOT = " · "
# Both keep what is written in proportion to what was read, whatever the table holds.
_LABEL = 40  # characters of a header that are repeated after its first mention
_WIDEST = 60  # columns that a cell is padded to


@dataclass(frozen=True, slots=True)
class _Grid:
    """A table's cells; rows may be shorter or longer than the header."""

    header: list[str]
    dashes: list[str]
    rows: list[list[str]]


def tables_to_lists(text: str) -> str:
    """``text`` with each table as a list: ``- **first cell** header: cell · header: cell``, an item for a row.

    Empty cells are left out. A table of one column, or without any header, gives its bare cells.
    """
    return _replaced(text, _items)


def tables_to_code(text: str) -> str:
    """``text`` with each table in a fence, its columns lined up; East Asian wide characters count double."""
    return _replaced(text, _code)


def _replaced(text: str, turned: Callable[[_Grid], Iterator[str]]) -> str:
    """``text`` with each of its tables turned into other lines, and all else as it is."""
    parts: list[str] = []
    table: list[Line] = []
    above = Line(0, 0, 0, Kind.BLANK)
    for line in read(text):
        if table and line.block is not table[0].block:
            parts.append(_block(text, above, table, turned))
            if line.kind is not Kind.BLANK:
                parts.append(_blank_line(text, table[0]))
            above, table = table[-1], []
        if line.kind is Kind.HEAD or table:
            table.append(line)
        else:
            parts.append(text[line.start : line.end])
            above = line
    if table:
        parts.append(_block(text, above, table, turned))
    return "".join(parts)


def _block(text: str, above: Line, table: list[Line], turned: Callable[[_Grid], Iterator[str]]) -> str:
    """One table turned, with the indentation, the quote marks and the line breaks of its place."""
    head, dashes, *rows = [text[line.content : line.end] for line in table]
    grid = _Grid(_literals(head), cells(dashes), [_literals(row) for row in rows])
    first = text[table[0].start : table[0].content]
    rest, newline = continued(first), _newline(text, table[0])
    lines = [(rest if number else first) + line + newline for number, line in enumerate(turned(grid))]
    if lines and text[table[-1].end - 1] not in "\r\n":
        lines[-1] = lines[-1].removesuffix(newline)
    touches = above.kind is Kind.TEXT and above.quotes == table[0].quotes and not table[0].item
    return "".join([_blank_line(text, table[0]) if touches else "", *lines])


def _literals(row: str) -> list[str]:
    return [literal(cell) for cell in cells(row)]


def _blank_line(text: str, head: Line) -> str:
    return continued(text[head.start : head.content]).rstrip() + _newline(text, head)


def _newline(text: str, head: Line) -> str:
    line = text[head.start : head.end]
    return line[len(line.rstrip("\r\n")) :]


def _items(grid: _Grid) -> Iterator[str]:
    """A list item for each row; a table without rows gives its header."""
    colon = "：" if any(_HAN.search(cell) for row in (grid.header, *grid.rows) for cell in row) else ": "
    labels = list(grid.header)
    for row in grid.rows or [grid.header]:
        bare = len(labels) == 1 or not any(labels) or not grid.rows
        item = _DOT.join(filter(None, row)) if bare else _labelled(labels, row, colon)
        if item:
            yield rf"- \{item}" if opens_fence(item) else f"- {item}"


def _labelled(labels: list[str], row: list[str], colon: str) -> str:
    """One row with the header of each cell but the first; a long label is cut after its first mention."""
    first, *others = row
    named: list[str] = []
    for column, cell in enumerate(others, 1):
        label = labels[column] if column < len(labels) else ""
        if cell:
            named.append(f"{label}{colon}{cell}" if label else cell)
        if cell and len(label) > _LABEL:
            labels[column] = f"{label[: boundary_before(label, _LABEL - 1)]}…"
    bold = first if not first or _BOLD_ALREADY.search(first) else f"**{first}**"
    return " ".join(filter(None, [bold, _DOT.join(named)]))


def _code(grid: _Grid) -> Iterator[str]:
    """The table drawn in characters, between the markers of a fence that no cell can close."""
    table = [grid.header, *grid.rows]
    widths: dict[int, int] = {}
    for row in table:
        for column, cell in enumerate(row):
            widths[column] = min(max(widths.get(column, 1), _width(cell)), _WIDEST)
    longest = max((len(run) for row in table for cell in row for run in re.findall("`+", cell)), default=0)
    marker = "`" * max(3, longest + 1)
    yield marker
    yield _drawn(grid.header, grid.dashes, widths)
    yield f"| {' | '.join('-' * widths[column] for column in range(len(grid.dashes)))} |"
    for row in grid.rows:
        yield _drawn(row, grid.dashes, widths)
    yield marker


def _drawn(row: list[str], dashes: list[str], widths: dict[int, int]) -> str:
    """A row with its cells padded to the sides that the dashes of their columns tell."""
    padded = []
    for column, cell in enumerate(row):
        side = dashes[column] if column < len(dashes) else ""
        space = max(0, widths[column] - _width(cell))
        left = 0
        if side.endswith(":"):
            left = space // 2 if side.startswith(":") else space
        padded.append(" " * left + cell + " " * (space - left))
    return f"| {' | '.join(padded)} |"


def _width(cell: str) -> int:
    """The columns that ``cell`` takes in a monospace font."""
    columns = start = 0
    for place, character in enumerate(cell):
        if place == 0 or is_boundary(cell, place, start):
            columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
            start = place
    return columns
