"""The first sheet: what there is to say, and what is on the others."""

from math import ceil
from typing import TYPE_CHECKING

from opskit.sales.exports.document import Document, Figure, Table
from opskit.sales.exports.pen import A4, HEAD, LINE, RIGHT, Look, Pen
from opskit.sales.exports.showing import clean, width
from opskit.wording import Locale, say

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

_COLUMNS = (30, 24, 62)  # widths in characters of the standard font
_LARGE = 16  # points; the standard is 11
_STANDARD = 11
_STRONG: Look = {"bold": True}
_SOFT: Look = {"font_color": "#5B6673"}
_MIDDLE: Look = {"valign": "vcenter"}
_WRAPPED: Look = {"text_wrap": True, "valign": "vcenter"}
_AIR = 6.0  # points above and below the lines of a row
_ROOMY = 1.05  # letters are not all as wide as the digits that a column is measured in
_HIGHEST = 400.0  # points; Excel's limit for a row is 409


def write_summary(pen: Pen, sheet: "Worksheet", document: Document, names: list[str], most: int) -> None:
    """Title, lines, figures, findings, quality, and the sheets by name, of whose rows at most ``most`` are there."""
    for column, wide in enumerate(_COLUMNS):
        sheet.set_column(column, column, wide)
    sheet.hide_gridlines(2)
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    row = _sentences(pen, sheet, 0, [document.title], size=_LARGE) + 1
    row = _sentences(pen, sheet, row, document.lines)
    locale = document.locale
    if document.figures:
        row = _figures(pen, sheet, _heading(pen, sheet, row, say(locale, "exports.figures")), document.figures)
    if document.findings:
        findings = [f"{place}. {finding}" for place, finding in enumerate(document.findings, 1)]
        row = _sentences(pen, sheet, _heading(pen, sheet, row, say(locale, "exports.findings")), findings)
    if document.quality:
        quality = [document.quality]
        row = _sentences(pen, sheet, _heading(pen, sheet, row, say(locale, "exports.quality")), quality)
    if document.tables:
        row = _heading(pen, sheet, row, say(locale, "exports.sheets"))
        for place, (table, name) in enumerate(zip(document.tables, names, strict=True)):
            words = (name, rows_shown(table, most, locale), table.note or table.title)
            _entry(pen, sheet, row + place, words)


def rows_shown(table: Table, most: int, locale: Locale) -> str:
    """How many rows a table has, and how many of them are there to see."""
    count = len(table.rows)
    if count > most:
        return say(locale, "exports.rows_shown", shown=f"{most:,}", count=f"{count:,}")
    return say(locale, "exports.rows", count=f"{count:,}")


def _heading(pen: Pen, sheet: "Worksheet", row: int, text: str) -> int:
    """A heading after an empty row; the row below it."""
    pen.text(sheet, row + 1, 0, text, HEAD)
    for column in range(1, len(_COLUMNS)):
        sheet.write_blank(row + 1, column, None, pen.format(HEAD))
    sheet.set_row(row + 1, LINE + _AIR)
    return row + 2


def _sentences(
    pen: Pen, sheet: "Worksheet", row: int, sentences: tuple[str, ...] | list[str], *, size: int = _STANDARD
) -> int:
    """Sentences across all columns, each in as many lines as it needs; the row below them."""
    look = _WRAPPED | ({"bold": True, "font_size": size} if size > _STANDARD else {})
    scale = size / _STANDARD
    for place, sentence in enumerate(sentences, row):
        sheet.merge_range(place, 0, place, len(_COLUMNS) - 1, "", pen.format(look))
        pen.text(sheet, place, 0, sentence, look)
        sheet.set_row(place, min(_height(sentence, sum(_COLUMNS) / scale) * scale, _HIGHEST))
    return row + len(sentences)


def _figures(pen: Pen, sheet: "Worksheet", row: int, figures: tuple[Figure, ...]) -> int:
    for place, figure in enumerate(figures, row):
        pen.text(sheet, place, 0, figure.label, _MIDDLE)
        pen.text(sheet, place, 1, figure.value, _STRONG | _MIDDLE | RIGHT)
        pen.text(sheet, place, 2, figure.note, _SOFT | _MIDDLE | {"indent": 1})
        sheet.set_row(place, LINE + _AIR)
    return row + len(figures)


def _entry(pen: Pen, sheet: "Worksheet", row: int, words: tuple[str, str, str]) -> None:
    """One line of the list of sheets: name, rows, and what it is about."""
    name, rows, about = words
    pen.text(sheet, row, 0, name, _MIDDLE)
    pen.text(sheet, row, 1, rows, _SOFT | _MIDDLE | RIGHT)
    pen.text(sheet, row, 2, about, _SOFT | _WRAPPED | {"indent": 1})
    sheet.set_row(row, _height(about, _COLUMNS[2] - 2))


def _height(text: str, room: float) -> float:
    """Points that a text takes in a column of so many characters: Excel measures no merged cell by itself."""
    lines = sum(max(1, ceil(width(line) * _ROOMY / room)) for line in clean(text).splitlines() or [""])
    return min(LINE * lines + _AIR, _HIGHEST)
