"""What a file really is, whatever its name says; gzip and zip with one table inside are unpacked."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from opskit.errors import InvalidInput
from opskit.sales.opening.layout import Limits, not_a_table, too_much

_CHUNK = 1 << 20
_ENCRYPTED = 1  # PKWARE APPNOTE 4.4.4, bit 0
_DEPTH = 3  # a gzip in a zip in a zip
_FREE_BYTES = 20_000_000  # so much may come out whatever the ratio: a small regular table packs very well
_MAGIC = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"RIFF": "RIFF",
    b"%PDF": "PDF",
    b"\x7fELF": "ELF",
    b"MZ": "EXE",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "RAR",
    b"PAR1": "Parquet",
    b"SQLite format 3": "SQLite",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"{\\rtf": "RTF",
}
_BINARY_NEEDED = {"BMP", "EXE", "RIFF", "bzip2"}  # whose magic could begin a text
_TABLES = (".csv", ".tsv", ".txt", ".tab", ".xlsx", ".xlsm", ".xls", ".ods", ".htm", ".html", ".gz", ".zip")
_NOTES = (".txt", ".htm", ".html")  # beside a table they are its readme
_OTHER_OFFICE = {"word/document.xml": "DOCX", "ppt/presentation.xml": "PPTX", "xl/workbook.bin": "XLSB"}


@dataclass(frozen=True, slots=True)
class Plain:
    """A file without wrapping, and what it is: text, xlsx, ods or xls."""

    path: Path
    kind: str


def unpacked(path: Path, folder: Path, limits: Limits) -> Plain:
    """``path`` without its wrapping, in ``folder`` where something had to be unpacked.

    InvalidInput: ``empty_file``; ``not_a_table`` for what is none, for a wrapping that is broken, holds no table
    or several, or would take more room than ``limits`` allow.
    """
    for depth in range(_DEPTH + 1):
        with path.open("rb") as file:
            head = file.read(512)
        if not head:
            raise InvalidInput("empty_file")
        if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
            return Plain(path, "xls")
        target = folder / f"unpacked{depth}"
        if head.startswith(b"\x1f\x8b"):
            _gunzip(path, target, limits)
        elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            kind = _from_zip(path, target, limits)
            if kind:
                return Plain(path, kind)
        else:
            _refuse_known(head)
            return Plain(path, "text")
        path = target
    raise not_a_table("zip/zip/zip/zip")


def _refuse_known(head: bytes) -> None:
    for magic, name in _MAGIC.items():
        if head.startswith(magic) and (name not in _BINARY_NEEDED or b"\0" in head):
            raise not_a_table(name)


def _gunzip(path: Path, target: Path, limits: Limits) -> None:
    try:
        with gzip.open(path) as file:
            _copy(cast("IO[bytes]", file), target, limits, path.stat().st_size)
    except (OSError, EOFError, zlib.error):
        raise not_a_table("gzip") from None


def _from_zip(path: Path, target: Path, limits: Limits) -> str:
    """The kind of workbook that the zip is, or "" after its only table has been put at ``target``."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > limits.entries:
                raise too_much("entries", limits.entries)
            names = {entry.filename for entry in entries}
            if "xl/workbook.xml" in names:
                return "xlsx"
            if "content.xml" in names and "META-INF/manifest.xml" in names:
                return _ods(archive)
            for name, kind in _OTHER_OFFICE.items():
                if name in names:
                    raise not_a_table(kind)
            entry = _only_table(entries)
            if entry.flag_bits & _ENCRYPTED:
                raise not_a_table("zip").also("password")
            with archive.open(entry) as file:
                _copy(file, target, limits, entry.compress_size)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError):
        raise not_a_table("zip") from None  # broken, or packed in a way that nobody uses
    return ""


def _ods(archive: zipfile.ZipFile) -> str:
    with archive.open("mimetype") if "mimetype" in archive.namelist() else archive.open("content.xml") as file:
        kind = file.read(100)
    if b"opendocument" in kind and b"spreadsheet" not in kind:
        raise not_a_table("OpenDocument")
    return "ods"


def _only_table(entries: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """The one file that can be a table. Its name is only looked at: nothing is ever written under it."""
    files = [
        entry
        for entry in entries
        if not entry.is_dir()
        and not entry.filename.startswith("__MACOSX/")
        and not entry.filename.replace("\\", "/").rpartition("/")[2].startswith((".", "~$", "Thumbs.db", "desktop.ini"))
    ]
    tables = [entry for entry in files if entry.filename.lower().endswith(_TABLES)]
    sure = [entry for entry in tables if not entry.filename.lower().endswith(_NOTES)]
    chosen = sure or tables or files
    if len(chosen) != 1:
        raise not_a_table("zip").also("not_one_table", count=len(chosen))
    return chosen[0]


def _copy(file: IO[bytes], target: Path, limits: Limits, packed: int) -> None:
    with target.open("wb") as out:
        for chunk in counted(file, limits.unpacked_bytes, limits.ratio * max(packed, 1)):
            out.write(chunk)


def counted(file: IO[bytes], limit: int, by_ratio: int) -> Iterator[bytes]:
    """The chunks of ``file``, refused as soon as they exceed ``limit`` bytes, or ``by_ratio`` and 20 MB."""
    limit = min(limit, max(by_ratio, _FREE_BYTES))
    count = 0
    while chunk := file.read(_CHUNK):
        count += len(chunk)
        if count > limit:
            raise too_much("bytes", limit)
        yield chunk
