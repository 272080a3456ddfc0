"""From the cells of a table to sums of accepted rows, and an account of the others."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from opskit.errors import InvalidInput
from opskit.sales import cells
from opskit.sales.cells import Column, Order
from opskit.sales.insight import Life, Period, Sums
from opskit.sales.ledger import sql
from opskit.sales.ledger.database import columns, database
from opskit.sales.ledger.quality import Account, Example
from opskit.sales.ledger.texts import Days, Label, evidence, frames, number_of
from opskit.sales.opening import Layout

if TYPE_CHECKING:
    import duckdb

_EXAMPLES = 5  # of each reason
_TEXT_CHARS = 200
_BATCH = 50_000
_HASHES = 50  # batches of 2,048 rows


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is to be read. ``order`` None: by the evidence in the column, d/m/y where there is none."""

    today: date
    order: Order | None = None
    fill_down: bool = False
    progress: Callable[[str], None] = lambda _: None


@contextmanager
def ledger(layout: Layout, folder: Path, reading: Reading, *, careful: bool = False) -> Iterator["Ledger"]:
    """The ledger of a table, for as long as the block lasts; what it needs on disk lies in ``folder``.

    ``careful``: see ``database``. InvalidInput: ``no_rows``, ``no_valid_dates``.
    """
    with database(layout, folder, careful=careful) as connection:
        yield Ledger(connection, layout, reading)


class Ledger:
    """The accepted rows of a table in sums; ``account`` says what became of each row."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection", layout: Layout, reading: Reading) -> None:
        self._connection = connection
        self._layout = layout
        self._reading = reading
        self.account = Account()
        self._names = columns(layout)
        for statement in (*sql.SETUP, *(sql.FILL_DOWN if reading.fill_down else ())):
            self._run(statement)
        self._read_days()
        self._read_numbers()
        self._read_labels()
        self._sum_up()
        self._close_the_account()

    # What the texts say

    def _read_days(self) -> None:
        """Read every distinct text of the date column."""
        self._run(f"CREATE TABLE day_texts AS {sql.DAY_TEXTS}")
        order = self._reading.order
        if order is None:
            texts = evidence(self._run("SELECT text FROM day_texts"))
            order = cells.order_of(texts)
            if order is None and any(map(cells.is_ambiguous, texts)):
                self.account.cautions.append(("ambiguous_dates", {}))
        header = self._layout.header[self._layout.columns[Column.DATE]] if self._layout.header else ""
        days = Days(order or Order.DMY, self._layout.epoch1904, header, self._reading.today)
        self._append("days", map(days.read, self._texts("SELECT text FROM day_texts")))

    def _read_numbers(self) -> None:
        """Set the odd rows apart and read the distinct texts of their numbers."""
        known = [role for role in sql.NUMBERS if role in self._layout.columns]
        self._run(sql.is_odd(known, ()))
        self._run(sql.ODD)
        commas = {role for role in known if cells.decimal_comma(evidence(self._run(sql.texts(role))))}
        if commas:
            self._run(sql.is_odd(known, commas))
            self._run(sql.ODD)
        self._run(sql.odd_rows(self._names))
        for role in sql.NUMBERS:
            comma, units = role in commas, role is not Column.TOTAL
            numbers = (number_of(text, comma=comma, units=units) for text in self._texts(sql.texts(role)))
            self._append(f"{role}_numbers", numbers)

    def _read_labels(self) -> None:
        """Find the labels of totals and notes, and the codes of a column of currencies, in the odd rows."""
        kinds = (
            Label(text, "total_row" if cells.is_total(text) else "note")
            for text in self._texts(sql.LABELS)
            if cells.is_total(text) or cells.is_note(text)
        )
        self._append("labels", kinds)
        codes = (Label(text, cells.currency_of(text) or "") for text in self._texts(sql.CURRENCIES))
        self._append("currencies", codes)

    # What the rows say

    def _sum_up(self) -> None:
        known = self._layout.columns
        self._run(sql.judged(known))
        counts = Counter(dict(self._all(sql.CODES)))
        if counts:
            self.account.currency = min(counts, key=lambda code: (-counts[code], code))
            self._run(sql.REJECT_CODES, [self.account.currency])
        if len(counts) > 1:
            self.account.cautions.append(("mixed_currency", {"currencies": ", ".join(sorted(counts))}))
        for statement in (*sql.plain_rows(known, self._names), sql.ADD_JUDGED):
            self._run(statement)
        self._run("DELETE FROM labels")
        totals = [Label(name, "total_row") for name in self._texts(sql.NAMES) if cells.is_total(name)]
        if totals:
            self._append("labels", totals)
            for statement in sql.SET_APART:
                self._run(statement)

    def _close_the_account(self) -> None:
        account = self.account
        for reason, rows, money in self._all(sql.REJECTED):
            account.rejected[reason] = rows
            if reason not in {"blank", "total_row", "repeated_header", "note"}:
                account.money += money
        account.examples = [
            Example(self._layout.first_line - 1 + line, reason, text[:_TEXT_CHARS])
            for reason, line, text in self._all(sql.EXAMPLES, [_EXAMPLES])
        ]
        [(account.accepted, account.refunds, account.differing)] = self._all(sql.ACCEPTED)
        if not account.accepted:
            raise self._refusal()
        account.duplicates = self._duplicates()

    def _duplicates(self) -> int:
        """How many accepted rows repeat an earlier one, cell for cell: by a 64-bit hash, 8 bytes a row."""
        import numpy as np  # noqa: PLC0415 - loaded on first use, so that the plugin starts fast

        result = self._run(sql.HASHES)
        parts = []
        while len(frame := result.fetch_df_chunk(_HASHES)):
            parts.append(frame.iloc[:, 0].to_numpy())
        hashes = np.concatenate(parts)
        hashes.sort()
        return int((hashes[1:] == hashes[:-1]).sum())

    def _refusal(self) -> InvalidInput:
        rejected = self.account.rejected
        count = rejected.total()
        text = self.account.examples[0].text if self.account.examples else "-"
        if rejected["bad_date"] and not rejected.keys() & {"bad_price", "bad_amount", "field_count", "future_date"}:
            place = self._layout.columns[Column.DATE]
            column = self._layout.header[place] if self._layout.header else place + 1
            return InvalidInput("no_valid_dates", column=column, count=count, text=text)
        reasons = ", ".join(f"{reason} {number}" for reason, number in rejected.most_common())
        return InvalidInput("no_rows", count=count, reasons=reasons or "-", text=text)

    # Questions

    def days(self) -> dict[date, Sums]:
        """The sums of each day."""
        return {day: Sums(*sums) for day, *sums in self._all(sql.BY_DAY)}

    def products(self, period: Period) -> dict[str, tuple[Sums, Decimal]]:
        """Each product's sums in a period, and the sum of its rows' unit prices."""
        rows = self._all(sql.BY_PRODUCT, [period.first, period.last])
        return {name: (Sums(*sums), units) for name, *sums, units in rows}

    def regions(self, period: Period) -> dict[str, Sums]:
        """Each region's sums in a period."""
        return {name: Sums(*sums) for name, *sums in self._all(sql.BY_REGION, [period.first, period.last])}

    def regions_and_products(self, period: Period) -> dict[tuple[str, str], Sums]:
        """The sums of each product in each region."""
        rows = self._all(sql.BY_BOTH, [period.first, period.last])
        return {(region, product): Sums(*sums) for region, product, *sums in rows}

    def daily(
        self, label: Literal["product", "region"], period: Period, *, most: int
    ) -> dict[str, dict[date, Decimal]]:
        """The sales of the ``most`` best-selling products or regions on each day that has any."""
        found: dict[str, dict[date, Decimal]] = {}
        for name, day, sales in self._all(sql.BY_DAY_AND[label], [*[period.first, period.last] * 2, most]):
            found.setdefault(name, {})[day] = sales
        return found

    def price_ranges(self, period: Period, ends: Sequence[Decimal]) -> dict[int, tuple[Decimal, Decimal]]:
        """The sales and the quantity of a period by the place of the range that the unit price lies in.

        ``ends`` are the upper ends, included, of all ranges but the last; a price below 0 lies in none.
        """
        rows = self._all(sql.PRICE_RANGES, [list(ends), *[period.first, period.last] * 2])
        return {place: (sales, quantity) for place, sales, quantity in rows}

    def lives(self, until: date) -> dict[str, Life]:
        """The first and the last day of each product that was sold up to a day."""
        return {name: Life(*life) for name, *life in self._all(sql.LIVES, [until])}

    def refunds(self, period: Period) -> dict[str, Sums]:
        """Each product's rows below 0 in a period."""
        return {name: Sums(*sums) for name, *sums in self._all(sql.REFUNDS, [period.first, period.last])}

    def uniques(self) -> tuple[int, int]:
        """How many different products and regions the whole table has."""
        [(products, regions)] = self._all(sql.UNIQUES)
        return products, regions

    # The database

    def _run(self, query: str, values: Sequence[object] = ()) -> "duckdb.DuckDBPyConnection":
        return self._connection.execute(query, values or None)

    def _all(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._run(query, values).fetchall()

    def _texts(self, query: str) -> Iterator[str]:
        """The one column of a result, while other queries run."""
        with self._connection.cursor() as cursor:
            result = cursor.execute(query)
            while rows := result.fetchmany(_BATCH):
                yield from (str(text) for (text,) in rows)

    def _append(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        for frame in frames(rows):
            self._connection.append(table, frame)
