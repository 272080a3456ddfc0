"""The zip of a workbook, gone through before a parser sees it, and handed on as a copy that holds what was counted.

The copy is stored without compression, so that no parser unpacks more than has been looked at here; pictures,
macros and the like stay behind. A document type declaration, which no spreadsheet program writes, is refused: it is
how XML entities grow. XLSX says where each cell stands, ODS repeats rows and cells by number.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.parsers import expat

from opskit.sales.opening.containers import counted
from opskit.sales.opening.layout import Limits, not_a_table, too_much

_NEEDED = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/(workbook|styles|sharedStrings)\.xml|xl/_rels/workbook\.xml\.rels|"
    r"xl/(worksheets|chartsheets|dialogsheets|macrosheets)/[^/]+\.xml|"
    r"mimetype|META-INF/manifest\.xml|(content|styles|settings)\.xml",
    re.IGNORECASE,
)
# A cell with content: an empty one closes itself. What stands before the reference is at most a few attributes.
_CELL = re.compile(rb'<(?:\w{1,20}:)?c\s(?:[^<>/]{0,200}\s)?r\s*=\s*["\']([A-Za-z]{1,3})([0-9]{1,7})["\'][^<>/]*>')
_CELLS = re.compile(rb"<(?:\w{1,20}:)?c[\s>]")
_ROWS = re.compile(rb"<(?:\w{1,20}:)?row[\s>]")
_OVERLAP = 512
# A count for which a parser would reserve room, of tens of millions and more, or written so as to be overlooked.
_CLAIM = re.compile(rb"[cC]ount(?:\s{50}|\s*=(?:\s{50}|\s*[\"']\s*(?:&|\+?\d{8})))")
_DATE1904 = re.compile(rb"date1904\s*=\s*[\"'](?:1|true|on)[\"']", re.IGNORECASE)
_TABLE_ROW, _TABLE_CELL = "table:table-row", {"table:table-cell", "table:covered-table-cell"}


def repacked(path: Path, folder: Path, kind: str, limits: Limits) -> tuple[Path, bool]:
    """A safe copy of the workbook ``path`` in ``folder``, and whether its serial dates count from 1904.

    InvalidInput: ``not_a_table`` when it is broken, encrypted, or would take more room than ``limits`` allow.
    """
    target = folder / f"workbook.{kind}"
    try:
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as copy:
            return target, _copied(source, copy, limits, path.stat().st_size)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, expat.ExpatError):
        raise not_a_table(kind.upper()) from None


def _copied(source: zipfile.ZipFile, copy: zipfile.ZipFile, limits: Limits, packed: int) -> bool:
    entries = {entry.filename: entry for entry in source.infolist() if _NEEDED.fullmatch(entry.filename)}
    if sum("sheets/" in name.lower() for name in entries) > limits.sheets:
        raise too_much("sheets", limits.sheets)
    left = min(limits.workbook_bytes, max(limits.ratio * packed, 20_000_000))
    epoch1904 = False
    for name, entry in entries.items():
        with source.open(entry) as file, copy.open(name, "w", force_zip64=True) as out:
            chunks = _sound(counted(file, left, left))
            if name == "content.xml":
                chunks = _ods_measured(chunks, limits)
            elif "sheets/" in name.lower():
                chunks = _xlsx_measured(chunks, limits)
            for chunk in chunks:
                left -= len(chunk)
                epoch1904 = epoch1904 or (name.lower() == "xl/workbook.xml" and bool(_DATE1904.search(chunk)))
                if name == "META-INF/manifest.xml" and b"encryption-data" in chunk:
                    raise not_a_table("ODS").also("password")
                _write(out, chunk)
    return epoch1904


def _write(out: IO[bytes], chunk: bytes) -> None:
    out.write(chunk)


def _sound(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, as long as they declare no document type and claim no absurd counts, not even across two of them."""
    tail = b""
    for chunk in chunks:
        joined = tail + chunk
        if b"<!DOCTYPE" in joined or b"<!ENTITY" in joined or b"\0" in joined or _CLAIM.search(joined):
            raise not_a_table("XML")
        tail = joined[-_OVERLAP:]
        yield chunk


def _xlsx_measured(chunks: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    rows = columns = count = lines = 0
    tail = b""
    for chunk in chunks:
        joined = tail + chunk
        for letters, number in set(_CELL.findall(joined)):
            rows, columns = max(rows, int(number)), max(columns, _column(letters))
        count += len(_CELLS.findall(chunk))
        lines += len(_ROWS.findall(chunk))
        if max(rows * columns, count, lines) > limits.cells:
            raise too_much("cells", limits.cells)
        tail = joined[-_OVERLAP:]
        yield chunk


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _ods_measured(chunks: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    measure = _Repeats()
    for chunk in chunks:
        measure.parser.Parse(chunk)
        if measure.cells > limits.cells:
            raise too_much("cells", limits.cells)
        yield chunk
    measure.parser.Parse(b"", True)


class _Repeats:
    """Counts the rectangle of the current ODS table; empty rows and cells count once something follows them."""

    def __init__(self) -> None:
        self.cells = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._rows = self._columns = self._widest = self._row = self._cell = 0
        self._filled = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self._rows = self._widest = 0
        elif name == _TABLE_ROW:
            self._row = _times(attributes, "table:number-rows-repeated")
            self._columns = self._filled = 0
        elif name in _TABLE_CELL:
            self._columns += _times(attributes, "table:number-columns-repeated")
            if any(key.startswith("office:") for key in attributes):
                self._filled = self._columns
        elif name == "text:p":
            self._filled = self._columns

    def _end(self, name: str) -> None:
        if name == _TABLE_ROW:
            self._rows += self._row
            self._widest = max(self._widest, self._filled)
            if self._filled:
                self.cells = max(self.cells, self._rows * self._widest)


def _times(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "1")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 10**9  # noqa: PLR2004 digits of a count
