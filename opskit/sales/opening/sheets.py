"""The sheets of a workbook as rows of text: dates as ISO text, numbers as Excel shows them at full precision."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from opskit.errors import InvalidInput
from opskit.sales.opening.biff import repacked_old
from opskit.sales.opening.containers import Plain
from opskit.sales.opening.layout import Grid, Limits, Row, not_a_table, too_much
from opskit.sales.opening.package import repacked

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_FAR = 100  # blank columns on the left that nobody makes


@contextmanager
def workbook(plain: Plain, folder: Path, sheet: str, limits: Limits) -> Iterator[tuple[list[Grid], bool]]:
    """The sheets to look at in their order, and whether serial dates count from 1904.

    ``sheet`` is a name or a 1-based number; "" means every visible one. InvalidInput: ``not_a_table`` for what is
    broken, encrypted or too large; ``unknown_sheet``.
    """
    if plain.kind == "xls":
        path, size = repacked_old(plain.path, folder)
        epoch1904 = size.epoch1904
        if size.cells > limits.cells or size.sheets > limits.sheets:
            raise too_much("cells", limits.cells)
    else:
        path, epoch1904 = repacked(plain.path, folder, plain.kind, limits)
    with reading(plain.kind):
        from python_calamine import CalamineWorkbook  # noqa: PLC0415

        with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as book:
            yield _grids(book, sheet, plain.kind, limits), epoch1904


@contextmanager
def reading(kind: str) -> Iterator[None]:
    """Whatever the parser trips over is the file's fault; a panic of Rust is no Exception."""
    try:
        yield
    except BaseException as error:
        if type(error).__module__ not in {"python_calamine", "python_calamine._python_calamine", "pyo3_runtime"}:
            raise
        raise not_a_table(kind.upper()) from None


def _grids(book: "CalamineWorkbook", sheet: str, kind: str, limits: Limits) -> list[Grid]:
    names = book.sheet_names
    wanted = sheet.strip()
    if wanted:
        same = [name for name in names if name.strip().casefold() == wanted.casefold()]
        if not same and wanted.isdecimal() and 0 < int(wanted) <= len(names):
            same = [names[int(wanted) - 1]]
        if not same:
            raise InvalidInput("unknown_sheet", sheet=sheet, found=", ".join(names))
        chosen = same[:1]
    else:
        visible = [entry.name for entry in book.sheets_metadata if str(entry.visible) == "SheetVisibleEnum.Visible"]
        chosen = visible or names
    pages = _Pages(book, kind)
    return [Grid(name, partial(pages.rows, name), partial(pages.head, name, limits.grid_rows)) for name in chosen]


class _Pages:
    """The rows of the sheets; the one looked at last is kept, so that the one that is read is parsed once."""

    def __init__(self, book: "CalamineWorkbook", kind: str) -> None:
        self._book, self._kind = book, kind
        self._last: tuple[str, CalamineSheet] | None = None

    def rows(self, name: str) -> Iterator[Row]:
        with reading(self._kind):
            if self._last is None or self._last[0] != name:
                self._last = None  # frees its memory before the next one is parsed
                self._last = name, self._book.get_sheet_by_name(name)
            sheet = self._last[1]
            if sheet.start is None:
                return
            left = sheet.start[1]
            before = [""] * (left if left < _FAR else 0)  # so that columns have the numbers that the user sees
            for line, values in enumerate(sheet.iter_rows()):
                yield line, [*before, *map(text_of, values)]

    def head(self, name: str, count: int) -> list[Row]:
        return list(islice(self.rows(name), count))


def text_of(value: object) -> str:
    """A cell's value as text. Numbers have the 15 digits that Excel keeps: what 0.1 + 0.2 leaves is noise."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if value.is_integer():
            return str(int(value))
        return f"{Decimal(f'{value:.15g}'):f}" if value - value == 0 else ""
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.time() != time() else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, str | int | timedelta) else ""
