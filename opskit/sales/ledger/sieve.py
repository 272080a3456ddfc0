"""From the cells of a table to its plain rows in sums, and all others judged one by one."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import chain, islice

from opskit.sales import cells
from opskit.sales.cells import Column, Order
from opskit.sales.insight import Period
from opskit.sales.ledger import asking, judging, sql
from opskit.sales.ledger.appended import cuts, verdict
from opskit.sales.ledger.asking import Asking
from opskit.sales.ledger.database import NotClean, missing, names
from opskit.sales.ledger.ends import last_texts
from opskit.sales.ledger.quality import Account
from opskit.sales.ledger.sql import Shape
from opskit.sales.ledger.strangers import Strangers
from opskit.sales.ledger.texts import (
    Days,
    DayText,
    Label,
    Numbers,
    NumberText,
    decimal_commas,
    heading_currency,
    is_chinese,
    is_day,
    likely,
    named_total,
    order_of,
)
from opskit.sales.opening import Layout

_EVIDENCE = 200_000  # texts that are looked at for the order of day and month, and for decimal commas
_TURNS = 3  # how often a table is sifted at most, until its odd rows say nothing new of all others
_LOOKED_UP = 5  # where a cast understands not even one of so many cells less, every text is read beforehand


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is to be read. ``order`` None: by the evidence in the column, d/m/y where there is none.

    ``range_ends``: the upper ends, included, of all price ranges but the last.
    ``periods``: told the days of the table's ends, the periods whose regions will be asked for product by product.
    ``progress`` is told what begins: ``checking``, ``adding_up``, ``odd_rows``.
    """

    today: date
    order: Order | None = None
    fill_down: bool = False
    range_ends: tuple[Decimal, ...] = ()
    periods: Callable[[set[date]], Iterable[Period]] = lambda _: ()
    progress: Callable[[str], None] = lambda _: None


class Sieve:
    """The tables ``cube`` (plain rows in sums), ``odd`` and ``judged`` (the others), and how they came to be."""

    def __init__(self, ask: Asking, layout: Layout, reading: Reading, surplus: int) -> None:
        """Sift the table. NotClean: it is not what its head looked like."""
        self._ask, self._layout, self._reading = ask, layout, reading
        self.account = Account()
        self.marks: dict[str, int] = {}  # how many rows of a looked up column name the currency ``main``
        self.some_odd = False  # whether rows were judged one by one
        self.main = ""  # the currency that plain rows are in, where they name one
        self._told = self.told_currency or (self._column_currency if Column.CURRENCY in layout.columns else "")
        reading.progress("checking")
        columns = tuple(names(layout, surplus))
        [(physical, self.rows, different, underscores, self._totals)] = ask.all(sql.count(columns))
        self.blank_lines = physical - self.rows
        self.repeated = self.rows - different + bool(self.blank_lines)  # which are one more hash
        for statement in sql.MACROS:
            ask.run(statement)
        self.shape = self._first(columns, underscores=bool(underscores))
        self.days = Days(Order.DMY, layout.epoch1904, self._layout.heading(Column.DATE), reading.today)
        self.passed_over = sorted(self._passed_over())
        turns = _TURNS
        while turns:
            self._sum_up()
            self._set_apart()
            turns -= 1
            shape = self._reconsidered() if turns else self.shape
            turns = turns if shape != self.shape else 0
            self.shape = shape

    def numbers(self, role: Column) -> Numbers:
        """How the numbers of a column are read."""
        return Numbers(
            role in self.shape.commas, role is not Column.TOTAL, self.shape.factors.get(role, Decimal(1)), self._told
        )

    @property
    def told_currency(self) -> str:
        """The currency that a heading names."""
        return heading_currency(map(self._layout.heading, sql.NUMBERS))

    @property
    def _column_currency(self) -> str:
        """The currency that most of the first rows name in a column of their own."""
        codes = Counter(code for text in self._layout.seen(Column.CURRENCY) if (code := cells.currency_of(text)))
        return max(codes, key=lambda code: (codes[code], code), default="")

    @property
    def home(self) -> str:
        """The currency of numbers without a mark, "" where nothing tells."""
        names = [self._layout.seen(role) for role in (Column.PRODUCT, Column.REGION) if role in self.shape.columns]
        return self.told_currency or ("CNY" if is_chinese(chain(self._layout.header, *names)) else "")

    # What kind of table it is

    def _first(self, columns: tuple[str, ...], *, underscores: bool) -> Shape:
        """What headings and first rows tell."""
        layout = self._layout
        shape = Shape(
            columns=frozenset(layout.columns),
            names=columns,
            absent=tuple(missing(layout)),
            factors=layout.factors,
            underscores=underscores,
            clocks=self._ask.all(sql.HAS_CLOCKS, [self._layout.seen(Column.DATE)])[0][0],
            fill_down=self._reading.fill_down,
            range_ends=self._reading.range_ends,
        )
        if shape.fill_down:
            self._ask.run("CREATE TABLE anchors (text VARCHAR)")
            days = ((text,) for (text,) in self._ask.each(sql.ANCHORS) if is_day(text))
            self._ask.append("anchors", ["VARCHAR"], days)
        commas = decimal_commas({role: self._layout.seen(role) for role in shape.numbers})
        return replace(shape, commas=commas, looked_up=frozenset(filter(self._is_odd, shape.numbers)))

    def _is_odd(self, role: Column) -> bool:
        """Whether a cast understands too few of a column's numbers."""
        [(filled, odd)] = self._ask.all(sql.NOT_PLAIN, [self._layout.seen(role)])
        return bool(odd * _LOOKED_UP > filled)

    def _reconsidered(self) -> Shape:
        """What the odd rows tell of all: decimal commas, and other tables among them."""
        texts = {
            role: self._layout.seen(role) + [text for (text,) in self._ask.all(judging.evidence(role), [_EVIDENCE])]
            for role in self.shape.numbers
        }
        shape = replace(self.shape, commas=decimal_commas(texts))
        if shape.cuts or not self.some_odd:
            return shape
        found = [
            (line, kind)
            for row, lines in self._ask.each(judging.headings(shape))
            if (kind := verdict(row, self._layout))
            for line in lines
        ]
        return replace(shape, cuts=cuts(found))

    # Plain rows

    def _sum_up(self) -> None:
        """Scan the table once, and read the different texts of its dates and names."""
        ask = self._ask
        self._reading.progress("adding_up")
        self.account = Account()
        for statement in (*sql.TABLES, *sql.views(self.shape)):
            ask.run(statement)
        self._look_up()
        ask.run(sql.cube(self.shape), [self.passed_over])
        [(rows, odd)] = ask.all(sql.ROWS)
        if rows + self.cut != self.rows:
            raise NotClean("count")
        bad_days = self._read_days()
        ask.run(sql.NAMES)
        self.strangers = Strangers(ask, self._layout, self.shape, self.rows)
        strange = [*self.strangers.labels(totals=self._totals), *self._other_currencies()]
        ask.append("strange", asking.LABELS, strange)
        self.shape = replace(self.shape, strange=frozenset(kind for _, kind in strange))
        self.some_odd = bool(odd or bad_days or strange)

    @property
    def cut(self) -> int:
        """How many rows are no part of the table."""
        return sum(min(last, self.rows) - first + 1 for first, last in self.shape.cuts)

    def _passed_over(self) -> set[str]:
        """The dates, as written, of days on which no region will be asked for product by product.

        They are those that the table's ends show, and what may lie between them, written in the same ways.
        """
        if Column.REGION not in self.shape.columns:
            return set()
        shown = [*self._layout.seen(Column.DATE), *last_texts(self._layout, Column.DATE)]
        texts = [text for (text,) in self._ask.all(sql.dates(self.shape), [shown])]
        days = replace(self.days, order=self._reading.order or order_of(texts) or Order.DMY)
        known = days.known(texts)
        asked = {day for period in self._reading.periods(set(known.values())) for day in period}
        known |= days.known(likely(known))
        return {text for text, day in known.items() if day not in asked}

    def _look_up(self) -> None:
        """Read every text of the columns that a cast does not understand."""
        self.marks, self.main = {}, ""
        marks, rows = Counter[str](), Counter[str]()
        for role in sorted(self.shape.looked_up):
            dated, held = Counter[str](), Counter[str]()
            self._ask.append(f"{role}_numbers", asking.NUMBERS, self._counted(role, dated, held))
            marks, rows = max((marks, rows), (dated, held), key=lambda pair: pair[0].total())
        unmarked = marks.pop("", 0)
        if marks and Column.CURRENCY not in self.shape.columns:
            main = min(marks, key=lambda code: (-marks[code], code))
            if self.home in {"", main} or marks[main] > unmarked:  # else rows with a mark are judged one by one
                self.main, self.marks = main, {main: rows[main]}
        for role in self.shape.looked_up:
            self._ask.run(sql.known(role), [self.main])

    def _counted(self, role: Column, dated: Counter[str], held: Counter[str]) -> Iterator[NumberText]:
        """What the texts of a column say; ``held`` counts the rows of each currency, ``dated`` those with a date."""
        read = self.numbers(role).read
        for text, rows, with_date in self._ask.each(sql.every(role)):
            number = read(text)
            if number.value is not None:
                held[number.currency] += rows
                dated[number.currency] += with_date
            yield number

    def _read_days(self) -> bool:
        """Read the different texts of dates; whether some are no days."""
        order = self._reading.order
        if order is None:
            order = order_of([text for (text,) in islice(self._ask.each(sql.DAY_TEXTS), _EVIDENCE)])
            if order is None:
                self.account.warn("ambiguous_dates")
        self.days = replace(self.days, order=order or Order.DMY)
        kinds: Counter[str] = Counter()
        self._ask.append("days", asking.DAYS, self._counted_days(kinds))
        return kinds.keys() != {"day"}

    def _counted_days(self, kinds: Counter[str]) -> Iterator[DayText]:
        for (text,) in self._ask.each(sql.DAY_TEXTS):
            read = self.days.read(text)
            kinds[read.kind] += 1
            yield read

    def _other_currencies(self) -> list[Label]:
        """What a column of currencies says where it does not say what most rows say."""
        if Column.CURRENCY not in self._layout.columns:
            return []
        texts = [text for (text,) in self._ask.all(sql.CURRENCY_TEXTS)]
        codes = [Label(text, code) for text in texts if (code := cells.currency_of(text))]
        if not codes:
            return []
        self._ask.append("currencies", asking.LABELS, codes)
        [(self.main, _), *_] = [*self._ask.all(sql.CUBE_CODES), ("", 0)]
        return [Label(label.text, Column.CURRENCY) for label in codes if label.kind != self.main]

    # All others

    def _set_apart(self) -> None:
        """Judge the rows that are not plain, or strange."""
        ask = self._ask
        if not self.some_odd:
            return
        self._reading.progress("odd_rows")
        ask.run(judging.odd(self.shape))
        ask.run(judging.odd_rows(self.shape))
        for role in self.shape.numbers:
            read = self.numbers(role).read
            numbers = (read(text) for (text,) in ask.each(judging.texts(role)))
            ask.append(f"{role}_numbers", asking.NUMBERS, numbers)
        ask.append("labels", asking.LABELS, self._labels())
        ask.run(judging.judged(self.shape))

    def _labels(self) -> Iterator[Label]:
        """The texts of odd rows that are labels of totals or open notes."""
        asked: list[tuple[str, str]] = []
        for (text,) in self._ask.each(judging.LABEL_TEXTS):
            if cells.is_total(text):
                yield Label(text, "total_row")
            elif cells.is_note(text):
                yield Label(text, "note")
            elif of := named_total(text):
                asked.append((text, of))
        known = self.strangers.known([of for _, of in asked])
        yield from (Label(text, "total_row") for text, of in asked if of in known)
