"""A table's accepted rows in sums, and the questions that can be asked of them."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from opskit.sales.insight import Life, Period, Sums
from opskit.sales.ledger import questions, sql
from opskit.sales.ledger.asking import Asking
from opskit.sales.ledger.closing import closed
from opskit.sales.ledger.database import MOST, Stumbled, TooWide, database, widths
from opskit.sales.ledger.sieve import Reading, Sieve
from opskit.sales.opening import Layout

if TYPE_CHECKING:
    import duckdb


@contextmanager
def ledger(layout: Layout, folder: Path, reading: Reading) -> Iterator["Ledger"]:
    """The ledger of a table, for as long as the block lasts; what it needs on disk lies in ``folder``.

    InvalidInput: ``no_rows``, ``no_valid_dates``, ``too_many_groups``, ``too_many_digits``.
    NotClean: the layout was judged by the head of its file; open it ``thorough``, and read that.
    """
    with ExitStack() as stack:
        yield _opened(stack, layout, folder, reading)


def _opened(stack: ExitStack, layout: Layout, folder: Path, reading: Reading) -> "Ledger":
    """The ledger in a database that ``stack`` closes."""
    surplus, *wider = widths(layout)
    again = True
    while True:
        try:
            with ExitStack() as attempt:
                connection = attempt.enter_context(database(layout, folder, surplus=surplus))
                book = Ledger(connection, layout, reading, surplus)
                stack.push(attempt.pop_all())
                return book
        except TooWide:
            if not wider:
                raise
            surplus = wider.pop()
        except Stumbled:
            if not again:
                raise
            again = False


class Ledger:
    """The accepted rows of a table in sums; ``account`` says what became of each row."""

    def __init__(
        self, connection: "duckdb.DuckDBPyConnection", layout: Layout, reading: Reading, surplus: int = 1
    ) -> None:
        self._ask = Asking(connection, MOST)
        self._sieve = Sieve(self._ask, layout, reading, surplus)
        self.account = closed(self._ask, layout, self._sieve)
        self._days: dict[date, Sums] = {day: Sums(*sums) for day, *sums in self._ask.all(questions.BY_DAY)}

    def days(self) -> dict[date, Sums]:
        """The sums of each day."""
        return dict(self._days)

    def products(self, period: Period) -> dict[str, tuple[Sums, Decimal]]:
        """Each product's sums in a period, and the sum of its rows' unit prices."""
        rows = self._within(questions.BY_PRODUCT, period)
        return {name: (Sums(*sums), units) for name, *sums, units in rows}

    def regions(self, period: Period) -> dict[str, Sums]:
        """Each region's sums in a period."""
        return {name: Sums(*sums) for name, *sums in self._within(questions.BY_REGION, period)}

    def daily(
        self, label: Literal["product", "region"], period: Period, *, most: int
    ) -> dict[str, dict[date, Decimal]]:
        """The sales of the ``most`` best-selling products or regions on each day that has any."""
        found: dict[str, dict[date, Decimal]] = {}
        for name, day, sales in self._ask.all(questions.BY_DAY_AND[label], [period.first, period.last, most]):
            found.setdefault(name, {})[day] = sales
        return found

    def lives(self, until: date) -> dict[str, Life]:
        """The first and the last day of each product that was sold up to a day."""
        return {name: Life(*life) for name, *life in self._ask.all(questions.LIVES, [until])}

    def refunds(self, period: Period) -> dict[str, Sums]:
        """Each product's rows below 0 in a period."""
        return {name: Sums(*sums) for name, *sums in self._within(questions.REFUNDS, period)}

    def refunds_by_day(self) -> dict[date, Decimal]:
        """The sum of each day's rows below 0."""
        return dict(self._ask.all(questions.REFUNDS_BY_DAY))

    def uniques(self) -> tuple[int, int]:
        """How many different products and regions the whole table has."""
        [(products, regions)] = self._ask.all(questions.UNIQUES)
        return products, regions

    def regions_and_products(self, *periods: Period) -> list[dict[tuple[str, str], Sums]]:
        """The sums of each product in each region, in each of the periods.

        Where they are not ``at_hand``, the table is scanned for them, once for all periods.
        """
        query = questions.by_both(self._sieve.shape, summed=self.at_hand(*periods), judged=self._sieve.some_odd)
        found: list[dict[tuple[str, str], Sums]] = [{} for _ in periods]
        for span, region, product, *sums in self._ask.all(query, _spans(periods)):
            found[span][region, product] = Sums(*sums)
        return found

    def at_hand(self, *periods: Period) -> bool:
        """Whether the sums of each product in each region are known for all days of these periods."""
        [(known,)] = self._ask.all(sql.SUMMED, [*_spans(periods), self._sieve.passed_over])
        return bool(known)

    def price_ranges(self, period: Period) -> dict[int, tuple[Decimal, Decimal]]:
        """The sales and the quantity of a period by the place of the range that the unit price lies in.

        The ranges are those of ``Reading``; a price below 0 lies in none.
        """
        rows = self._within(questions.BY_PLACE, period)
        return {place: (sales, quantity) for place, sales, quantity in rows}

    def _within(self, query: str, period: Period) -> list[tuple[Any, ...]]:
        return self._ask.all(query, [period.first, period.last])


def _spans(periods: Sequence[Period]) -> list[list[date]]:
    """First and last days, as ``sql.SPANS`` takes them."""
    return [[period.first for period in periods], [period.last for period in periods]]
