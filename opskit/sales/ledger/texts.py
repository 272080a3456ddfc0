"""What the distinct texts of a column say; the rows find it there by a join."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from opskit.sales import cells
from opskit.sales.cells import Order

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_BATCH = 50_000
_SURE = 90  # the score of a header's name that can be nothing else
_EVIDENCE = 200_000  # texts that are looked at for the order of day and month, and for decimal commas
_PLACES = Decimal("1e-9")
_TOO_LARGE = Decimal(10**12)


class DayText(NamedTuple):
    """What a date's text says: the day, or the kind of thing it is instead."""

    text: str
    day: date | None
    kind: str  # day, future_date, blank, total_row, repeated_header, note or bad_date


class NumberText(NamedTuple):
    """What a number's text says: value and currency, or that it says nothing."""

    text: str
    value: Decimal | None
    currency: str


class Label(NamedTuple):
    """What another text says: a kind of row, or the code of a currency."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Days:
    """How the texts of a date column are read."""

    order: Order
    epoch1904: bool
    header: str
    today: date

    def read(self, text: str) -> DayText:
        """What ``text`` says. A day after tomorrow is a typo: it must not become the latest day."""
        found = cells.day(text, order=self.order, epoch1904=self.epoch1904)
        if found:
            return DayText(text, found, "future_date" if found > self.today + timedelta(1) else "day")
        return DayText(text, None, self._kind(text))

    def _kind(self, text: str) -> str:
        if not text.strip() or cells.null(text):
            return "blank"
        if cells.is_total(text):
            return "total_row"
        if self.header and text.strip() == self.header.strip():
            return "repeated_header"
        if cells.is_note(text):
            return "note"
        named = any(column is cells.Column.DATE and score >= _SURE for column, score in cells.match(text))
        return "repeated_header" if named else "bad_date"


def number_of(text: str, *, comma: bool, units: bool) -> NumberText:
    """What ``text`` says, to nine decimal places: more are the noise of a binary fraction, or no money."""
    found = cells.number(text, comma=comma, units=units)
    if found is None or abs(found.value) >= _TOO_LARGE:
        return NumberText(text, None, "")
    return NumberText(text, found.value.quantize(_PLACES), found.currency)


def frames(rows: Iterable[tuple[object, ...]]) -> Iterator["pd.DataFrame"]:
    """The rows in batches that a database takes."""
    import pandas as pd  # noqa: PLC0415 - loaded on first use, so that the plugin starts fast

    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        yield pd.DataFrame(batch)


def evidence(cursor: "duckdb.DuckDBPyConnection") -> list[str]:
    """The first texts of a result."""
    return [str(row[0]) for row in cursor.fetchmany(_EVIDENCE)]
