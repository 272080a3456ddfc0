"""A table before it is a file: true sales, how they are written, and what must become of every row."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from random import Random

TODAY = date(2026, 11, 21)
ROLES = ("date", "product", "price", "amount", "region")
JUNK = frozenset({"blank", "total_row", "repeated_header", "note"})
ANY = JUNK | {"field_count", "bad_date", "future_date", "bad_price", "bad_amount", "currency_mismatch"}


@dataclass(frozen=True, slots=True)
class Sale:
    """What truly happened. ``discount`` is what the file's own line total lies below price × amount."""

    day: date
    product: str
    price: Decimal
    amount: Decimal
    region: str
    discount: Decimal = Decimal(0)
    currency: str = ""

    @property
    def sales(self) -> Decimal:
        """Price × amount, exact."""
        return self.price * self.amount

    @property
    def total(self) -> Decimal:
        """What the file's column of line totals says."""
        return self.sales - self.discount


@dataclass(slots=True)
class Row:
    """One line below the header.

    ``reasons`` why it must be rejected, none for a good row; ``free``: it may as well be accepted as ``sale`` says.
    ``line``: its cells, where it does not follow the columns. ``surplus``: cells behind the last column. ``cut``:
    cells missing at the end. ``bare``: nothing is quoted, whatever it holds. ``optional``: need not be counted.
    """

    sale: Sale | None = None
    cells: dict[str, str] = field(default_factory=dict)
    reasons: frozenset[str] = frozenset()
    free: bool = False
    line: list[str] | None = None
    surplus: list[str] = field(default_factory=list)
    cut: int = 0
    bare: bool = False
    optional: bool = False

    def resell(self, **changes: object) -> None:
        """Another sale than the one it was."""
        self.sale = replace(self.sale, **changes) if self.sale else None  # type: ignore[arg-type]

    @property
    def good(self) -> bool:
        """Whether it is a sale, written so that it must be read."""
        return self.sale is not None and not self.reasons


@dataclass(slots=True)
class Table:
    """The rows, and how they will be written.

    ``needs`` what the reader must be warned of; ``excused`` warnings under which figures may differ; ``refusals``
    codes with which the file may, or ``hopeless`` must, be refused.
    """

    language: str = "zh"
    columns: list[str] = field(default_factory=lambda: list(ROLES))
    names: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    above: list[list[str]] = field(default_factory=list)
    header: bool = True
    by_total: bool = False  # there is no price, so that sales are the line totals
    no_amount: bool = False
    params: dict[str, str] = field(default_factory=dict)
    mapping: dict[str, str] = field(default_factory=dict)
    needs: set[str] = field(default_factory=set)
    excused: set[str] = field(default_factory=set)
    refusals: set[str] = field(default_factory=set)
    hopeless: bool = False
    decimal_comma: bool = False
    scaled: bool = False  # the heading of the price says that it is in tens of thousands
    damaged: bool = False  # names hold bytes that fit nothing
    # the file
    container: str = "text"
    typed: bool = False  # a workbook's numbers and days are numbers and days
    epoch1904: bool = False
    delimiter: str = ","
    quoting: str = "minimal"
    newline: str = "\n"
    encoding: str = "utf-8"
    bom: bool = False
    sep: bool = False
    trailing: str = ""  # where lines end with a delimiter: in "all", only in "rows", or only in "header"
    spaced: bool = False  # a space behind every delimiter
    ending: str = "newline"
    nul: bool = False
    wrapper: str = ""
    suffix: str = ".csv"
    sheets: tuple[str, ...] = ()  # before the table's sheet: a "cover", a "hidden" table, a visible "other" one
    inline: bool = False  # a workbook's texts stand where they are used
    digits17: bool = False  # a workbook's numbers are results of formulas with 17 digits
    clock: bool = False  # a workbook's days have a time, and other formats
    spans: bool = False  # a page's days go over several rows
    override: bytes | None = None

    @property
    def bare_commas(self) -> bool:
        """Whether a comma that nothing quotes parts cells."""
        return self.container == "text" and self.delimiter == "," and self.quoting == "minimal" and not self.spaced

    @property
    def can_break(self) -> bool:
        """Whether a line break may stand in a cell."""
        return self.newline != "\r" and self.quoting != "wrapped"

    def good(self) -> list[Row]:
        """The rows that a defect of cells may still change."""
        return [row for row in self.rows if row.good]

    def some(self, dice: Random, most: int = 3) -> list[Row]:
        """The same without."""
        return [row for row, _ in self.some_sold(dice, most)]

    def sold(self, dice: Random | None = None, share: float = 1) -> list[tuple[Row, Sale]]:
        """The same with their sales; of them a share."""
        return [
            (row, row.sale)
            for row in self.rows
            if row.sale and not row.reasons and (dice is None or dice.random() < share)
        ]

    def some_sold(self, dice: Random, most: int = 3) -> list[tuple[Row, Sale]]:
        """A few good rows, never all of them, with their sales."""
        sold = self.sold()
        return dice.sample(sold, min(dice.randint(1, most), len(sold) - 1)) if len(sold) > 1 else []

    def drop(self, role: str) -> None:
        """Leave out a column of ours, and others that would stand in for it."""
        self.columns = [column for column in self.columns if column != role and not column.startswith(f"{role}?")]

    def lines(self) -> list[Row]:
        """All lines as rows, the header and what stands above it too."""
        above = [Row(line=list(line)) for line in self.above]
        header = [Row(line=[self.names[column] for column in self.columns])] if self.header else []
        return [*above, *header, *self.rows]

    def cells_of(self, row: Row) -> list[str]:
        """The cells of a row as they will be written."""
        if row.line is not None:
            return row.line
        cells = [row.cells.get(column, "") for column in self.columns] + row.surplus
        return cells[: len(cells) - row.cut] if row.cut else cells

    def insert(self, dice: Random, row: Row) -> None:
        """Put a row of junk anywhere but on top: what stands there may be taken for a part of the header."""
        self.rows.insert(dice.randint(1, len(self.rows)), row)

    def worth(self, sale: Sale) -> Decimal:
        """The sales that the file states."""
        return sale.total if self.by_total else sale.sales

    def amount(self, sale: Sale) -> Decimal:
        """The quantity that the file states, one a row where it states none."""
        return Decimal(1) if self.no_amount else sale.amount

    def reasons(self) -> Counter[frozenset[str]]:
        """How many rows must be rejected, by the reasons that are right."""
        return Counter(row.reasons for row in self.rows if row.reasons and not row.free)
