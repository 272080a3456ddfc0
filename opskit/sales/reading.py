"""From a table to rows that can be trusted; what cannot be read is counted, never guessed."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from opskit.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("date", "product", "price", "amount", "region")
_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})")
_DATE = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})([T ].*)?")
_SHOWN = 5


class Row(NamedTuple):
    """A row that counts."""

    day: date
    product: str
    price: Decimal
    amount: Decimal
    region: str

    @property
    def sales(self) -> Decimal:
        """Price × quantity, exact."""
        return self.price * self.amount


class Reading:
    """The rows that count, one after the other, and a tally of those that do not.

    Going through it raises InvalidInput: ``empty_file``, ``not_a_table``, ``missing_columns`` (with those found),
    ``no_rows`` or ``no_valid_dates``.
    """

    def __init__(self, table: "Path | pd.DataFrame") -> None:
        self._table = table
        self.rejected: Counter[str] = Counter()  # rows by the reason why they do not count
        self.first_rejected: list[int] = []  # the lines of the first few, from 1
        self._first_text = ""

    def __iter__(self) -> Iterator[Row]:
        records = _records(self._table) if isinstance(self._table, Path) else _frame_records(self._table)
        first = next(records, None)
        if first is None:
            raise InvalidInput("empty_file")
        header = first[1]
        places = _places(header)
        accepted = 0
        for line, cells in records:
            row = _row(cells, places, width=len(header))
            if isinstance(row, Row):
                accepted += 1
                yield row
            else:
                self.rejected[row] += 1
                self._first_text = self._first_text or ", ".join(cells)
                self.first_rejected += [line] if len(self.first_rejected) < _SHOWN else []
        if not accepted:
            raise self._refusal(header[places[0]])

    def _refusal(self, column: str) -> InvalidInput:
        """Why no row counts, with the first of them."""
        count, text = self.rejected.total(), self._first_text
        if self.rejected.keys() - {"blank"} == {"bad_date"}:
            return InvalidInput("no_valid_dates", column=column, count=count, text=text)
        reasons = ", ".join(f"{reason} {number}" for reason, number in self.rejected.most_common())
        return InvalidInput("no_rows", count=count, reasons=reasons or "-", text=text or "-")


def _records(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """Line number and cells of every line of a CSV that is not empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
    except UnicodeDecodeError:
        raise InvalidInput("not_utf8") from None
    except csv.Error as error:
        raise InvalidInput("not_a_table", problem=error) from None


def _frame_records(frame: "pd.DataFrame") -> Iterator[tuple[int, Sequence[str]]]:
    """The same for a frame: its columns are line 1."""
    yield 1, [str(name) for name in frame.columns]
    text = frame.astype(object).where(frame.notna(), "").astype(str)
    yield from ((line, list(cells)) for line, cells in enumerate(text.itertuples(index=False), 2))


def _places(header: Sequence[str]) -> list[int]:
    """Where each of our columns stands in the header."""
    names = [name.strip().casefold() for name in header]
    missing = [column.title() for column in COLUMNS if column not in names]
    if missing:
        found = ", ".join(name.strip() for name in header)
        raise InvalidInput("missing_columns", missing=", ".join(missing), found=found)
    return [names.index(column) for column in COLUMNS]


def _row(cells: Sequence[str], places: Sequence[int], *, width: int) -> Row | str:
    """The row's values, or the reason why it does not count."""
    if not any(cell.strip() for cell in cells):
        return "blank"
    if len(cells) != width:
        return "field_count"
    day, product, price, amount, region = (cells[place].strip() for place in places)
    if not (parsed := _day(day)):
        return "bad_date"
    if not _NUMBER.fullmatch(price):
        return "bad_price"
    if not _NUMBER.fullmatch(amount):
        return "bad_amount"
    return Row(parsed, product, Decimal(price), Decimal(amount), region)


def _day(text: str) -> date | None:
    """A day written year first; a time of day after it is ignored."""
    match = _DATE.fullmatch(text)
    if not match:
        return None
    try:
        return date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return None
