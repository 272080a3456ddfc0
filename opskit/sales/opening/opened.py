"""One function from any file to a layout."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from opskit.errors import InvalidInput
from opskit.sales.cells import Column
from opskit.sales.opening import markup
from opskit.sales.opening.containers import Plain, unpacked
from opskit.sales.opening.dialect import Dialect, records
from opskit.sales.opening.encoding import Encoding, encoding_of
from opskit.sales.opening.header import Head, checked, found, narrowed
from opskit.sales.opening.layout import Caution, Grid, Layout, Limits, Row, not_a_table
from opskit.sales.opening.sheets import workbook
from opskit.sales.opening.text import Lines, head_of, is_standard, lines_of, readings, write
from opskit.sales.opening.units import units

_MAPPABLE = tuple(column for column in Column if column is not Column.CURRENCY)
_AS_IT_IS = {",", ";", "\t", "|", "\x01", "^", "~", "\x1f"}  # delimiters that a copy is not made for
_TEXT_CHARS = 1 << 16
_TABLE_SHARE = 0.6  # of the lines must have the usual number of cells, else it is prose
_NARROW, _NARROW_SHARE = 2, 0.9  # one comma in a line says less


@dataclass(frozen=True, slots=True)
class _Choice:
    """One way to read the file's beginning."""

    dialect: Dialect
    width: int
    rows: list[Row]
    head: Head

    @property
    def rank(self) -> tuple[bool, int, bool, bool, float]:
        """The better of two readings has the higher rank."""
        complete = not self.head.missing and bool(self.head.weight)
        named = self.head.place >= 0
        special = self.dialect.wrapped or self.dialect.quote != '"'  # offered only where most lines look like it
        return complete and named, self.head.weight if named else 0, complete, special, self.even

    @property
    def even(self) -> float:
        """The share of filled lines that have the usual number of cells, if that is more than one."""
        filled = [cells for _, cells in self.rows if any(map(str.strip, cells))]
        return sum(len(cells) == self.width for cells in filled) / len(filled) if self.width > 1 and filled else 0.0


def opened(
    path: Path,
    folder: Path,
    *,
    sheet: str = "",
    mapping: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    thorough: bool = False,
) -> Layout:
    """The table in ``path``; what must be rewritten goes into ``folder``, which the caller removes.

    ``sheet``: a name or 1-based number of a workbook's sheet; "" is the first visible one that has our columns.
    ``mapping``: {date, product, price, amount, region, total} to a header's name or a column's 1-based number.
    ``thorough``: rewrite even what looks clean, for a file that could not be read to its end.
    InvalidInput: ``empty_file``, ``not_a_table``, ``missing_columns``, ``no_rows``, ``unknown_sheet``,
    ``not_an_option`` for a mapping of a column that does not exist.
    """
    limits = limits or Limits()
    wanted = _wanted(mapping or {})
    plain = unpacked(path, folder, limits)
    if plain.kind != "text":
        with workbook(plain, folder, sheet, limits) as (grids, epoch1904):
            layout = _from_grids(grids, folder, wanted, limits)
            return replace(layout, format=plain.kind, epoch1904=epoch1904)
    return _from_text(plain, folder, wanted, limits, thorough=thorough)


def _wanted(mapping: Mapping[str, str]) -> dict[Column, str]:
    options = {column.value: column for column in _MAPPABLE}
    wanted: dict[Column, str] = {}
    for key, name in mapping.items():
        if key.strip().casefold() not in options:
            raise InvalidInput("not_an_option", name="column_mapping", value=key, options=", ".join(options))
        if str(name).strip():
            wanted[options[key.strip().casefold()]] = str(name)
    return wanted


def _from_text(plain: Plain, folder: Path, wanted: dict[Column, str], limits: Limits, *, thorough: bool) -> Layout:
    whole = thorough or plain.path.stat().st_size <= limits.checked_bytes
    encoding = encoding_of(plain.path, limits, whole=whole)
    if encoding.binary:
        raise not_a_table("binary")
    with plain.path.open("rb") as file:
        head = file.read(_TEXT_CHARS)
    if markup.is_markup(head[encoding.bom :].decode(encoding.codec, "replace")):
        return _from_page(plain.path, head, encoding, folder, wanted=wanted, limits=limits)
    lines = lines_of(plain.path, encoding)
    first, skip, told = head_of(lines)
    choices = [
        _Choice(dialect, width, rows, found(rows, wanted, limits.header_lines))
        for dialect, width, rows in readings(first, skip, told, lines.other)
    ]
    if not choices:
        raise not_a_table("text")
    best = max(choices, key=lambda choice: choice.rank)
    if not best.head.weight and best.even < (_TABLE_SHARE if best.width > _NARROW else _NARROW_SHARE):
        raise not_a_table("text")
    head_found = checked(narrowed(best.head, best.rows, best.dialect.delimiter), wanted)
    layout = _layout(head_found, best.rows, limits)
    layout = replace(
        layout,
        encoding=encoding.name,
        source_delimiter=best.dialect.delimiter,
        delimiter=best.dialect.delimiter,
        warnings=[*layout.warnings, *([Caution("nul_bytes")] if encoding.nul else [])],
        complete=whole,
    )
    if not thorough and _stays(plain.path, lines, best.dialect, encoding, limits, whole=whole):
        return replace(layout, path=plain.path, skip=layout.first_line - 1)
    body = records(islice(lines, skip, None), best.dialect, best.width, lines.other)
    return _rewritten(layout, body, head_found, folder)


def _stays(path: Path, lines: Lines, dialect: Dialect, encoding: Encoding, limits: Limits, *, whole: bool) -> bool:
    if encoding.name != "utf-8" or encoding.bom or encoding.errors or encoding.nul or lines.newline == "\r":
        return False
    if dialect.delimiter not in _AS_IT_IS or dialect.quote != '"' or dialect.wrapped:
        return False
    return is_standard(path, dialect.delimiter, whole=whole, head_bytes=limits.head_bytes)


def _rewritten(layout: Layout, body: Iterable[Row], head: Head, folder: Path) -> Layout:
    """The layout of the clean copy of a text file."""
    rows = (cells for _, cells in islice(body, head.data, None))
    copy = folder / "table.csv"
    written = write(copy, layout.header, rows, layout.width)
    damaged = [Caution("encoding_errors", {"count": written.damaged})] if written.damaged else []
    return replace(
        layout,
        path=copy,
        delimiter=",",
        skip=int(bool(layout.header)),
        warnings=[*damaged, *layout.warnings],
        complete=True,
    )


def _from_page(
    path: Path, head: bytes, encoding: Encoding, folder: Path, *, wanted: dict[Column, str], limits: Limits
) -> Layout:
    encoding = markup.declared(head, encoding)
    layout = _from_grids(markup.grids(path, encoding, limits), folder, wanted, limits)
    cautions = [Caution("nul_bytes")] if encoding.nul else []
    return replace(layout, format="html", encoding=encoding.name, warnings=[*layout.warnings, *cautions])


def _from_grids(grids: Sequence[Grid], folder: Path, wanted: dict[Column, str], limits: Limits) -> Layout:
    """The layout of the first grid that has our columns; of several that lack some, the best is complained about."""
    best: tuple[tuple[bool, int, bool], Grid, list[Row], Head] | None = None
    for grid in grids:
        rows = grid.head()
        if not any(cell.strip() for _, cells in rows for cell in cells):
            continue
        head = found(rows, wanted, limits.header_lines)
        complete = not head.missing and bool(head.weight)
        rank = (_holds_sales(head, rows), head.weight if head.place >= 0 else 0, complete)
        if best is None or rank > best[0]:
            best = rank, grid, rows, head
        if rank[0]:
            break
    if best is None:
        raise InvalidInput("empty_file")
    rank, grid, rows, head = best
    if not head.weight and max(len(cells) for _, cells in rows) == 1:
        raise not_a_table("text")
    head = checked(head, wanted)
    layout = _layout(head, rows, limits)
    copy = folder / "table.csv"
    written = write(copy, layout.header, (cells for _, cells in islice(grid.rows(), head.data, None)), layout.width)
    damaged = [Caution("encoding_errors", {"count": written.damaged})] if written.damaged else []
    others = _others(grids, grid, wanted, limits) if rank[0] else []
    return replace(
        layout,
        path=copy,
        skip=int(bool(layout.header)),
        sheet=grid.name,
        warnings=[*damaged, *layout.warnings, *others],
    )


def _holds_sales(head: Head, rows: Sequence[Row]) -> bool:
    """Whether a grid has a header with our columns, and something below."""
    return bool(head.weight) and not head.missing and head.place >= 0 and len(rows) > head.data


def _others(grids: Sequence[Grid], chosen: Grid, wanted: dict[Column, str], limits: Limits) -> list[Caution]:
    """What is to be said of sheets that hold sales as well, such as those of other months: all stand behind ours."""
    names = []
    behind = grids.index(chosen) + 1
    for place, grid in enumerate(grids[behind:], behind + 1):
        rows = grid.head()
        if rows and _holds_sales(found(rows, wanted, limits.header_lines), rows):
            names.append(grid.name or str(place))
    return [Caution("other_sheets", {"read": chosen.name or "1", "others": ", ".join(names)})] if names else []


def _layout(head: Head, rows: Sequence[Row], limits: Limits) -> Layout:
    """What the head tells; paths and encodings are filled in by the caller. InvalidInput: ``no_rows``."""
    data = rows[head.data :]
    if not any(cell.strip() for _, cells in data for cell in cells):
        raise InvalidInput("no_rows", count=0, reasons="–", text="–").also("only_headings")
    header_row = rows[head.place][0] if head.place >= 0 else -1
    above = [cells for _, cells in rows[: max(head.place, 0)]]
    factors, told = units(head.cells, head.columns, above, data[0][1])
    return Layout(
        path=Path(os.devnull),
        delimiter=",",
        quote='"',
        skip=0,
        width=head.width,
        columns=head.columns,
        header=head.cells,
        header_row=header_row,
        encoding="",
        format="csv",
        source_delimiter="",
        first_line=data[0][0] + 1,
        epoch1904=False,
        complete=True,
        sheet="",
        warnings=[*head.cautions, *told],
        sample=[cells for _, cells in data[: limits.sample_rows]],
        factors=factors,
    )
