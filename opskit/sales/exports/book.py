"""The report as a workbook: a summary, then a sheet for each table, to sort, filter and reckon with."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING

from opskit.sales.exports.document import Document, Heading, Table
from opskit.sales.exports.names import sheet_names
from opskit.sales.exports.pen import A4, HEAD, LINE, RIGHT, Pen
from opskit.sales.exports.showing import clean, number, width
from opskit.sales.exports.summary import write_summary
from opskit.wording import say

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

MOST_ROWS = 1_048_576
"""Of a sheet, the header among them (Microsoft, "Excel specifications and limits")."""

_CREATED = datetime(2000, 1, 1, tzinfo=UTC)  # any moment will do, as long as it is always the same
_LONGEST_PROPERTY = 255  # characters
_NARROWEST, _WIDEST, _FILTER_BUTTON, _DATE = 9, 48, 4, 11  # widths in characters of the standard font
_LOOKED_AT = 500  # rows, for the width of a column


def book(document: Document) -> bytes:
    """An XLSX file. The same document gives the same bytes.

    Text from a user's file is always a string, never a formula, a link or markup. Money, counts, quantities and
    percents are real numbers (12.34 % is 0.1234, as Excel has it), days real dates. A number that a double cannot
    hold to the last digit is text: no cent is lost. So is a day before 1900. Texts and tables longer than a sheet
    holds are cut, and for tables the summary says so. The file is made in memory: some 0.5 KB for each cell.
    """
    from xlsxwriter import Workbook  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy

    file = BytesIO()
    harmless = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(file, {"in_memory": True, **harmless}) as workbook:
        workbook.set_properties({"title": clean(document.title)[:_LONGEST_PROPERTY], "created": _CREATED})
        pen = Pen(workbook)
        summary = say(document.locale, "exports.summary")
        first, *names = sheet_names([summary, *(table.sheet for table in document.tables)])
        write_summary(pen, workbook.add_worksheet(first), document, names, MOST_ROWS - 1)
        for table, name in zip(document.tables, names, strict=True):
            _write_table(pen, workbook.add_worksheet(name), table)
    return file.getvalue()


def _write_table(pen: Pen, sheet: "Worksheet", table: Table) -> None:
    """A table from the first cell on, as a pivot table wants it."""
    for column, heading in enumerate(table.headings):
        side = {} if heading.kind in ("text", "date") else RIGHT
        pen.text(sheet, 0, column, heading.text, HEAD | side)
        sheet.set_column(column, column, _column_width(table, column, heading))
    rows = islice(table.rows, MOST_ROWS - 1)
    for place, row in enumerate(rows, 1):
        for column, (heading, cell) in enumerate(zip(table.headings, row, strict=True)):
            pen.cell(sheet, place, column, cell, heading.kind)
    last = min(len(table.rows), MOST_ROWS - 1)
    sheet.set_row(0, LINE * 1.25)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, last, len(table.headings) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{last + 1}"})  # 0012 is a name: no green corner
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)


def _column_width(table: Table, column: int, heading: Heading) -> int:
    """Room for the heading with its button and for what stands in the first rows, within bounds."""
    wide = width(clean(heading.text)) + _FILTER_BUTTON
    for row in islice(table.rows, _LOOKED_AT):
        match row[column]:
            case None:
                needed = 0
            case str() as text:
                needed = width(clean(text[:_WIDEST])) + 1
            case date():
                needed = _DATE
            case value:
                needed = width(number(Decimal(value), heading.kind)) + 1
        wide = max(wide, needed)
    return min(max(wide, _NARROWEST), _WIDEST)
