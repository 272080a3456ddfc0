"""Writes the cells of a workbook: text stays text, numbers stay exact.

Limits: Microsoft, "Excel specifications and limits".
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from opskit.model import MAX_DIGITS, MAX_EXPONENT
from opskit.sales.exports.document import Cell, Kind
from opskit.sales.exports.showing import clean
from opskit.sales.insight.sums import EXACT

if TYPE_CHECKING:
    from xlsxwriter.format import Format  # type: ignore[import-untyped]
    from xlsxwriter.workbook import Workbook  # type: ignore[import-untyped]
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

type Look = dict[str, Any]

LINE = 16.0  # points
HEAD: Look = {"bold": True, "bg_color": "#EEF2F6", "bottom": 1, "bottom_color": "#9AA5B1", "valign": "vcenter"}
RIGHT: Look = {"align": "right"}
A4 = 9  # XlsxWriter's number for the paper

_MOST_CHARACTERS = 32_767  # of a cell, in UTF-16 units
_FIRST_YEAR = 1900  # Excel has no day before
_NUMBERS: dict[Kind, str] = {
    "money": "#,##0.00",
    "count": "#,##0",
    "percent": "0.00%",
    "date": "yyyy-mm-dd",
    "text": "General",
}
_PIECES, _PARTS = "#,##0", "#,##0.0##"  # a quantity's: one format for both would leave a point behind whole numbers
# What a spreadsheet takes for the beginning of a formula when it is typed, in either width; tab and line ends are
# stripped by some readers, and so bring what follows to the front.
_ACTIVE = tuple("=+-@\t\n＝＋－＠")


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes cells; a workbook wants each format made once."""

    workbook: "Workbook"
    formats: "dict[tuple[tuple[str, object], ...], Format]" = field(default_factory=dict)

    def format(self, look: Look) -> "Format":
        """The format of that look."""
        key = tuple(sorted(look.items()))
        if key not in self.formats:
            self.formats[key] = self.workbook.add_format(look)
        return self.formats[key]

    def text(self, sheet: "Worksheet", row: int, column: int, text: str, look: Look | None = None) -> None:
        """A string, whatever it looks like; cut where a cell ends."""
        shown = _cut(clean(text))
        if shown.startswith("<r>") and shown.endswith("</r>"):
            shown = f"{shown[: _MOST_CHARACTERS - 1]} "  # XlsxWriter takes it for its own markup and writes it as it is
        # The prefix is the apostrophe of the formula bar: whoever edits the cell gets no formula either.
        quoted = {"quote_prefix": True} if shown.lstrip(" ").startswith(_ACTIVE) else {}
        sheet.write_string(row, column, shown, self.format((look or {}) | quoted))

    def number(self, sheet: "Worksheet", row: int, column: int, value: Decimal, kind: Kind) -> None:
        """A number, or its digits as text where a double would lose some."""
        if not _fits(value):
            digits = f"{value:f}" if abs(value.adjusted()) < MAX_EXPONENT else str(value)
            self.text(sheet, row, column, digits, RIGHT)
            return
        if kind == "percent":
            value = EXACT.scaleb(value, -2)
        shape = _NUMBERS.get(kind) or (_PIECES if value == value.to_integral_value() else _PARTS)
        sheet.write_number(row, column, float(value) or 0.0, self.format({"num_format": shape}))  # there is a -0.0

    def cell(self, sheet: "Worksheet", row: int, column: int, cell: Cell, kind: Kind) -> None:
        """A cell of a table."""
        match cell:
            case None | "":
                pass
            case str():
                self.text(sheet, row, column, cell)
            case date() if cell.year < _FIRST_YEAR:
                self.text(sheet, row, column, cell.isoformat())
            case date():
                sheet.write_datetime(row, column, cell, self.format({"num_format": _NUMBERS["date"], "align": "left"}))
            case _:
                self.number(sheet, row, column, Decimal(cell), kind)


def _cut(text: str) -> str:
    """At most as many UTF-16 units as a cell holds; a pair stays whole."""
    return text.encode("utf-16-le")[: 2 * _MOST_CHARACTERS].decode("utf-16-le", "ignore")


def _fits(value: Decimal) -> bool:
    """Whether a double, and Excel, which keeps 15 digits, hold the number as it is."""
    if not value.is_finite():
        return False
    digits = "".join(map(str, value.as_tuple().digits)).rstrip("0")
    return len(digits) <= MAX_DIGITS and (not value or abs(value.adjusted()) < MAX_EXPONENT)
