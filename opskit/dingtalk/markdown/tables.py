"""Tables as DingTalk's phones can show them: as lists, or as code whose columns line up."""

import re
import unicodedata
from collections.abc import Callable, Iterator

from opskit.dingtalk.markdown.lines import Kind, Line, cells, prefix, read

_HAN = re.compile(r"[\u3400-\u9fff]")
_STYLED = re.compile(r"\*\*|__|[`\[\]!<]")


def tables_to_lists(text: str) -> str:
    """``text`` with a list item for each row of a table: ``- **first cell** header: cell · header: cell``."""
    return _with_tables(text, _as_list)


def tables_to_code(text: str) -> str:
    """``text`` with each table in a fence, its columns padded for a font of even width (Chinese counts double)."""
    return _with_tables(text, _as_code)


def _with_tables(text: str, turn: Callable[[list[str], list[list[str]]], Iterator[str]]) -> str:
    """``text`` with its tables turned; all else stays byte for byte."""
    lines = read(text)
    parts: list[str] = []
    index = 0
    while index < len(lines):
        if lines[index].kind is not Kind.TABLE_HEAD:
            parts.append(text[lines[index].start : lines[index].end])
            index += 1
            continue
        end = index + 2
        while end < len(lines) and lines[end].kind is Kind.TABLE_ROW:
            end += 1
        before, behind = _touches(text, lines, index - 1), _touches(text, lines, end)
        parts.append(_turned(text, lines[index:end], turn, touched_before=before, touched_behind=behind))
        index = end
    return "".join(parts)


def _touches(text: str, lines: list[Line], index: int) -> bool:
    """Whether a line with words stands directly before or behind the table."""
    return 0 <= index < len(lines) and bool(text[lines[index].start : lines[index].end].strip(" \t\r\n>"))


def _turned(
    text: str,
    table: list[Line],
    turn: Callable[[list[str], list[list[str]]], Iterator[str]],
    *,
    touched_before: bool,
    touched_behind: bool,
) -> str:
    """One table, with the line breaks and the indentation of its place."""
    rows = [text[line.start : line.end] for line in table]
    before = prefix(rows[0])
    body = [before + line for line in turn(cells(rows[0]), [cells(row) for row in rows[2:]])]
    body = [before.rstrip(), *body] if touched_before else body
    body = [*body, before.rstrip()] if touched_behind else body
    ending = "\n" if rows[-1].endswith("\n") else ""
    return "\n".join(body) + ending


def _as_list(headers: list[str], rows: list[list[str]]) -> Iterator[str]:
    chinese = _HAN.search("".join([*headers, *(cell for row in rows for cell in row)]))
    for row in rows or [headers]:
        yield "- " + _item(headers if rows else [], row, "：" if chinese else ": ")


def _item(headers: list[str], row: list[str], colon: str) -> str:
    """One row: the first cell in bold, the others behind their headers; nothing is lost, empty cells are left out."""
    named = [(headers[place] if place < len(headers) else "", cell) for place, cell in enumerate(row)]
    labelled = [f"{header}{colon}{cell}" if header else cell for header, cell in named[1:] if cell]
    if not any(headers):
        return " · ".join(cell for cell in row if cell)
    if not row[0]:
        return " · ".join(labelled)
    first = row[0] if _STYLED.search(row[0]) or len(headers) == 1 else f"**{row[0]}**"
    return f"{first} {' · '.join(labelled)}".strip()


def _as_code(headers: list[str], rows: list[list[str]]) -> Iterator[str]:
    width = max(len(row) for row in [headers, *rows])
    table = [[*row, *[""] * (width - len(row))] for row in [headers, *rows]]
    widths = [max(_width(row[place]) for row in table) for place in range(width)]
    ticks = max((len(run) for row in table for cell in row for run in re.findall(r"`+", cell)), default=0)
    fence = "`" * max(3, ticks + 1)
    yield fence
    for row in table:
        padded = (cell + " " * (wide - _width(cell)) for cell, wide in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()
    yield fence


def _width(text: str) -> int:
    """Columns that ``text`` takes in a font of even width."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
