"""What opening a file gives, and how much it may take."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from opskit.errors import InvalidInput
from opskit.sales.cells import Column

type Row = tuple[int, list[str]]  # the 0-based line (or spreadsheet row) that a record begins on, and its cells


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps, checked before a parser sees the data. Bytes are decompressed bytes."""

    unpacked_bytes: int = 2_000_000_000
    workbook_bytes: int = 400_000_000
    ratio: int = 400  # decompressed by compressed bytes, once more than a few MB have come out
    entries: int = 2_000
    sheets: int = 100
    cells: int = 6_000_000  # of one sheet's smallest rectangle around its data
    checked_bytes: int = 32_000_000  # a longer plain UTF-8 CSV is judged by its head
    head_bytes: int = 1_000_000
    header_lines: int = 50
    sample_rows: int = 200
    grid_rows: int = 300  # of a sheet or page, looked at to find the header


@dataclass(frozen=True, slots=True)
class Caution:
    """Something the reader must know: a code (such as ``no_header``) and the blanks of its sentence."""

    code: str
    blanks: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """A table as UTF-8 CSV on disk, and which of its columns is what.

    ``path`` has no BOM, one kind of line end and standard quoting; it is the user's own file where that already
    is so. Each line after the first ``skip`` physical ones begins a record. In a rewritten file U+2028
    stands for a line break within a cell, rows are padded to ``width``, and surplus cells that are blank are gone.
    """

    path: Path
    delimiter: str  # of ``path``
    quote: str
    skip: int
    width: int
    columns: dict[Column, int]  # 0-based
    header: list[str]  # as written, trimmed; [] where there is none
    header_row: int  # 0-based line or spreadsheet row of the user's file; -1 where there is none
    encoding: str  # of the user's file: "utf-8", "gb18030", "utf-16-le" …; "" for spreadsheets
    format: str  # csv, html, xlsx, xls or ods
    source_delimiter: str  # of the user's file; "" where it has none
    first_line: int  # 1-based line or row of the first data row in the user's file
    epoch1904: bool
    complete: bool  # False: only the head has been looked at; open again with ``thorough`` if reading fails
    sheet: str  # the sheet read, "" where there are none
    warnings: list[Caution]
    sample: list[list[str]]  # the first data rows
    factors: Mapping[Column, Decimal] = field(default_factory=dict)  # what one stands for, where that is not 1

    def heading(self, column: Column) -> str:
        """What stands above a column, "" where there is nothing."""
        place = self.columns.get(column)
        return self.header[place] if self.header and place is not None else ""

    def seen(self, column: Column) -> list[str]:
        """The column's texts in the first rows."""
        place = self.columns[column]
        return [row[place].strip() for row in self.sample if place < len(row) and row[place].strip()]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table whose rows can be gone through again and again, and its first rows."""

    name: str
    rows: Callable[[], Iterator[Row]]
    head: Callable[[], list[Row]]


def not_a_table(problem: str) -> InvalidInput:
    """The refusal of something that is no table; ``problem`` is a name such as PNG, or a number, not a sentence."""
    return InvalidInput("not_a_table", problem=problem)


def too_much(what: str, limit: int) -> InvalidInput:
    """The refusal of a file that would take too much room once unpacked."""
    return InvalidInput("not_a_table", problem=what).also("too_much_inside", what=what, limit=f"{limit:,}")
