"""Text files: their lines, whether they can stay as they are, and the clean copy of those that cannot."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from opskit.errors import InvalidInput
from opskit.sales.opening.dialect import Dialect, candidates, pieces_of, records, sep_of, usual_width
from opskit.sales.opening.encoding import Encoding
from opskit.sales.opening.layout import Row, not_a_table

_CHUNK = 1 << 20
_LONGEST_LINE = 1 << 20
_QUOTED = re.compile(r'"(?:[^"]|"")*+"')
_HEAD_LINES = 400
SURPLUS = 50  # cells behind the last column that a clean copy keeps apart
BREAK = "\u2028"  # stands in a clean copy for a line break within a cell: every line of it is a record
_BREAKS = re.compile(r"\r\n?|\n")
_HEAD_CHARS = 1 << 20


@dataclass(slots=True)
class Lines:
    """The physical lines of a text file without their line ends, NUL bytes and the mark of an old end of file."""

    path: Path
    encoding: Encoding
    newline: str

    @property
    def other(self) -> str:
        """The line end that parts no lines."""
        return "\r" if self.newline == "\n" else "\n"

    def __iter__(self) -> Iterator[str]:
        with self.path.open(encoding=self.encoding.codec, errors="replace", newline=self.newline) as file:
            file.seek(self.encoding.bom)
            first = True
            while line := file.readline(_LONGEST_LINE):
                if first:
                    line, first = line.lstrip("\ufeff") or "\n", False
                if len(line) == _LONGEST_LINE and line[-1] != self.newline:
                    raise not_a_table("1 line > 1 MB")
                yield line.removesuffix(self.newline)


def lines_of(path: Path, encoding: Encoding) -> Lines:
    """The lines of ``path``: parted by LF or CRLF, or by CR alone where its beginning has more of these than of LF.

    InvalidInput: ``empty_file`` when there is nothing but white space at its beginning, ``not_a_table`` for one
    endless line.
    """
    with path.open(encoding=encoding.codec, errors="replace", newline="") as file:
        file.seek(encoding.bom)
        head = file.read(_CHUNK)
    if not head.replace("\0", "").strip("\ufeff\x1a \t\r\n,;"):
        raise InvalidInput("empty_file")
    bare = _QUOTED.sub("", head)  # line breaks within cells part no lines
    alone = bare.count("\r") - bare.count("\r\n")
    return Lines(path, encoding, "\r" if alone > bare.count("\n") else "\n")


def head_of(lines: Iterable[str]) -> tuple[list[str], int, str]:
    """The first lines as they are, how many of them to skip for Excel's ``sep=`` line, and the delimiter it tells."""
    head: list[str] = []
    size = 0
    for line in islice(lines, _HEAD_LINES):
        head.append(line)
        size += len(line)
        if size > _HEAD_CHARS:
            break
    told = sep_of(head[0])
    return head, int(bool(told)), told


def readings(head: Sequence[str], skip: int, told: str, other: str) -> Iterator[tuple[Dialect, int, list[Row]]]:
    """Each way in which the first lines may be written: the dialect, the usual width, and the records it makes."""
    body = list(head[skip:])
    parted = [piece for line in body for piece in pieces_of(line, '"', other) if piece]
    for dialect in candidates(parted, told):
        width = usual_width(parted, dialect)
        yield dialect, width, [(line + skip, cells) for line, cells in records(body, dialect, width, other)]


def is_standard(path: Path, delimiter: str, *, whole: bool, head_bytes: int) -> bool:
    """Whether any reader understands the UTF-8 file alike.

    It has one kind of line end, and quotation marks only where they belong, around cells of one line. Unless
    ``whole``, only its first ``head_bytes`` are looked at.
    """
    mark = re.escape(delimiter.encode())
    clean = re.compile(
        rb'(?:(?:[^"\r\n' + mark + rb']*+|"(?:[^"\r\n]|"")*+")(?:' + mark + rb"|\r?\n|\Z))*+",
    )
    ends = crlf = 0
    with path.open("rb") as file:
        for chunk in _line_chunks(file, None if whole else head_bytes):
            if (len(chunk) > _LONGEST_LINE and b"\n" not in chunk) or b"\0" in chunk or b"\x1a" in chunk:
                return False
            returns, both = chunk.count(b"\r"), chunk.count(b"\r\n")
            ends, crlf = ends + chunk.count(b"\n"), crlf + both
            if returns != both or crlf not in {0, ends} or (b'"' in chunk and not clean.fullmatch(chunk)):
                return False
    return True


def _line_chunks(file: IO[bytes], limit: int | None) -> Iterator[bytes]:
    """The file in chunks that end with a line; of a limited reading the last, cut line is left out."""
    rest = b""
    count = 0
    while chunk := file.read(_CHUNK):
        count += len(chunk)
        rest += chunk
        end = rest.rfind(b"\n") + 1 or (len(rest) if len(rest) > _LONGEST_LINE else 0)
        yield rest[:end]
        rest = rest[end:]
        if limit is not None and count >= limit:
            return
    if rest:
        yield rest


@dataclass(slots=True)
class Written:
    """What the clean copy came to."""

    rows: int = 0
    damaged: int = 0  # U+FFFD in it


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> Written:
    """Write the clean copy: UTF-8, commas, LF, one line for each row.

    Short rows are padded to ``width``, blank surplus cells left out, more than ``SURPLUS`` others put into one.
    """
    written = Written()
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if header:
            writer.writerow(header)
        for row in rows:
            cells = _fitted(row, width)
            text = "".join(cells)
            if "\ufffd" in text:
                written.damaged += text.count("\ufffd")
            if "\n" in text or "\r" in text:
                cells = [_BREAKS.sub(BREAK, cell) for cell in cells]
            writer.writerow(cells)
            written.rows += 1
    return written


def _fitted(row: Sequence[str], width: int) -> list[str]:
    cells = ["\n".join(cell.splitlines()) if "\r" in cell else cell for cell in row]  # a writer does not quote a CR
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    most = width + SURPLUS
    if len(cells) > most:
        cells[most - 1 :] = [" ".join(cells[most - 1 :])]
    return cells + [""] * (width - len(cells))
