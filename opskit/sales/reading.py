"""From a table to rows that can be trusted; what cannot be read is counted, never guessed."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from opskit.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("date", "product", "price", "amount", "region")
_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})")
_DATE = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})([T ].*)?")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is not counted: its line in the file (from 1), and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that count, as a frame of date, product, price, amount, region and sales, and those that do not."""

    frame: "pd.DataFrame"
    rejected: list[Rejected]

    def examples(self) -> list[Rejected]:
        """The first few that were rejected."""
        return self.rejected[:_SHOWN]

    def reasons(self) -> dict[str, int]:
        """How many rows were rejected for each reason, most first."""
        return dict(Counter(row.reason for row in self.rejected).most_common())


def read(table: "Path | pd.DataFrame") -> Rows:
    """The rows of a clean UTF-8 CSV, or of a frame with the same columns, names in any case and order.

    InvalidInput: ``empty_file``, ``not_a_table``, ``missing_columns`` (with those found), ``no_valid_dates``.
    """
    import pandas as pd  # noqa: PLC0415 - loaded on first use, so that the plugin starts fast

    records = _records(table) if isinstance(table, Path) else _frame_records(table)
    first = next(records, None)
    if first is None:
        raise InvalidInput("empty_file")
    places = _places(first[1])
    rows: list[tuple[date, str, Decimal, Decimal, str, Decimal]] = []
    rejected: list[Rejected] = []
    for line, cells in records:
        row = _row(cells, places, width=len(first[1]))
        if isinstance(row, str):
            rejected.append(Rejected(line, row))
        else:
            rows.append(row)
    if not rows:
        dates_fail = any(row.reason == "bad_date" for row in rejected)
        raise InvalidInput(
            "no_valid_dates" if dates_fail else "no_rows", count=len(rejected), column=first[1][places[0]]
        )
    return Rows(pd.DataFrame(rows, columns=[*COLUMNS, "sales"], dtype=object), rejected)


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
        raise InvalidInput("missing_columns", missing=", ".join(missing), found=found[:500])
    return [names.index(column) for column in COLUMNS]


def _row(
    cells: Sequence[str], places: Sequence[int], *, width: int
) -> tuple[date, str, Decimal, Decimal, str, Decimal] | str:
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
    unit, quantity = Decimal(price), Decimal(amount)
    return parsed, product, unit, quantity, region, unit * quantity


def _day(text: str) -> date | None:
    """A day written year first; a time of day after it is ignored."""
    match = _DATE.fullmatch(text)
    if not match:
        return None
    try:
        return date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return None
