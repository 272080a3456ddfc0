"""Rows with a cell too many, because nothing quotes the comma of a thousand: 1,299.00."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

from opskit.sales.cells import Column, currency_of, number
from opskit.sales.ledger.texts import Days, Numbers

_LEFT = re.compile(r".*?(?<![0-9.])[0-9]{1,3}", re.DOTALL)
_RIGHT = re.compile(r"[0-9]{3}(?![0-9])")
_GROUPED = re.compile(r"[^0-9,]{0,6}[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?[^0-9,]{0,6}")
_WHOLE = re.compile(r"[^0-9]{0,6}[0-9]+")
_FRACTION = re.compile(r"(?:[0-9]{1,2}|[0-9]{4,})[^0-9.]{0,6}")  # three digits may be a thousand's
_MOST, _PLACES = 4, 12  # commas that part no cells in one row; places where they may be
_CENT = Decimal("0.01")


class Joined(NamedTuple):
    """A row whose cells have been joined."""

    day: date | None
    product: str
    region: str
    unit: Decimal | None
    quantity: Decimal
    sales: Decimal
    written: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Joiner:
    """Reads the rows of a table that has commas between its cells."""

    columns: Mapping[Column, int]
    width: int
    days: Days
    numbers: Mapping[Column, Numbers]
    numbered_regions: bool

    def readings(self, cells: Sequence[str], *, short: bool) -> list[Joined]:
        """Each way to join neighbours so that the row fits; ``short``: it may lack cells at its end."""
        cells = _filled(cells)
        surplus = len(cells) - self.width
        places = [
            place for place in range(len(cells) - 1) if _LEFT.fullmatch(cells[place]) and _RIGHT.match(cells[place + 1])
        ]
        counts = range(1, _MOST + 1) if short else [surplus]
        if not (short or 0 < surplus <= _MOST) or len(places) > _PLACES:
            return []
        ways = (_joined(cells, set(chosen)) for count in counts for chosen in combinations(places, count))
        return [row for way in ways if way for row in self._read(way + [""] * (self.width - len(way)))]

    def is_decimal(self, cells: Sequence[str]) -> bool:
        """Whether the row fits if the comma in its price or line total is that of a decimal: 12,50."""
        cells = _filled(cells)
        place = self.columns[Column.PRICE if Column.PRICE in self.columns else Column.TOTAL]
        if len(cells) != self.width + 1:
            return False
        whole, fraction = cells[place : place + 2]
        if not _WHOLE.fullmatch(whole) or not _FRACTION.fullmatch(fraction):
            return False
        return any(row.day for row in self._read([*cells[:place], f"{whole}.{fraction}", *cells[place + 2 :]]))

    def chosen(self, readings: Sequence[Joined]) -> Joined | None:
        """The one way there is, or the only one that the row's own total bears out.

        A figure for a region, where regions are none, shows that another comma should have been joined.
        """
        good = [row for row in readings if row.day and (self.numbered_regions or not is_figure(row.region))]
        if len(good) > 1:
            good = [row for row in good if row.written is not None and abs(row.sales - row.written) < _CENT]
        return good[0] if len(good) == 1 else None

    def _read(self, cells: list[str]) -> Iterator[Joined]:
        """The row, if its numbers are numbers."""
        found = {role: self.numbers[role].read(cells[self.columns[role]]) for role in self.numbers}
        values = {role: number.value for role, number in found.items()}
        quantity = values.get(Column.AMOUNT, Decimal(1))
        written = values.get(Column.TOTAL)
        sales = written if Column.PRICE not in values else _times(values[Column.PRICE], quantity)
        unit = values.get(Column.PRICE)
        lost = written is None and Column.TOTAL in values and cells[self.columns[Column.TOTAL]].strip()
        if sales is None or quantity is None or lost:
            return
        day = self.days.read(cells[self.columns[Column.DATE]])
        product = cells[self.columns[Column.PRODUCT]].strip()
        region = cells[self.columns[Column.REGION]].strip() if Column.REGION in self.columns else ""
        named = currency_of(cells[self.columns[Column.CURRENCY]]) if Column.CURRENCY in self.columns else ""
        codes = sorted({named, *(number.currency for number in found.values())})
        fits = day.day if day.kind == "day" else None
        yield Joined(fits, product, region, unit, quantity, sales, written, codes[-1])


def _filled(cells: Sequence[str]) -> list[str]:
    """The cells up to the last one that holds anything."""
    found = list(cells)
    while found and not found[-1].strip():
        found.pop()
    return found


def is_figure(text: str) -> bool:
    """Whether a name is nothing but a number."""
    return number(text, units=True) is not None


def _times(price: Decimal | None, quantity: Decimal | None) -> Decimal | None:
    return None if price is None or quantity is None else price * quantity


def _joined(cells: list[str], places: set[int]) -> list[str]:
    """The cells with a comma at ``places`` instead of a border; [] where what is joined is no number."""
    joined: list[str] = []
    for place, cell in enumerate(cells):
        if place - 1 in places:
            joined[-1] += f",{cell}"
        else:
            joined.append(cell)
    numbers = (cell for cell in joined if "," in cell and cell not in cells)
    return joined if all(map(_GROUPED.fullmatch, numbers)) else []
