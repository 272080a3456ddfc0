"""From decoded lines to records, forgiving where quoting went wrong, and the candidates for how a file is written.

A quotation mark that is never closed must not swallow the rows below it: a cell goes on in the next line only where
it is closed within a few lines, and none of these is a record by itself; else the mark is a plain character.
"""

import csv
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

from opskit.sales.opening.layout import Row

DELIMITERS = (",", ";", "\t", "|", "，", "\x01", "；", "^", "~", "\x1f")
_CONTINUED = 20  # lines that one cell may go on for
_PATIENCE = 20_000  # marks without an end, after which no more are looked for
_CELL = 100_000  # characters of a record that spans lines
_HALF, _NEARLY = 0.5, 0.8
_SEP = re.compile(r'"?sep=(\\t|[^"])"?["\s,;|]*', re.IGNORECASE)
_QUOTED_LINE = re.compile(r'\s*"(?:[^"]|"")*+"[,;\t|\s]*+')
_APOSTROPHES = re.compile(rf"'[^']*+'(?:[{re.escape(''.join(DELIMITERS))}]'[^']*+')++")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are parted: the delimiter, the quotation mark, and whether whole lines are wrapped in it."""

    delimiter: str
    quote: str = '"'
    wrapped: bool = False


def sep_of(line: str) -> str:
    r"""The delimiter that Excel's first line names (``sep=;``), or ""."""
    match = _SEP.fullmatch(line.rstrip("\r\n") if line.rstrip("\r\n").lower() != "sep=\t" else r"sep=\t")
    return (match[1] if match[1] != r"\t" else "\t") if match else ""


def candidates(lines: list[str], told: str) -> list[Dialect]:
    """The dialects that the first lines of a file may be written in, the usual ones first."""
    text = "\n".join(lines)
    found = [mark for mark in DELIMITERS if mark in text]
    parted = [line for line in lines if any(mark in line for mark in found)]
    found = [told, *(mark for mark in found if mark != told)] if told and told in text else found
    plain = [Dialect(mark) for mark in found]
    enough = max(len(parted) * _HALF, 1)
    if sum(bool(_QUOTED_LINE.fullmatch(line)) for line in parted) >= enough:
        plain += [Dialect(mark, wrapped=True) for mark in found]
    if sum(bool(_APOSTROPHES.fullmatch(line.strip(" \r"))) for line in parted) >= enough:
        plain = [Dialect(mark, quote="'") for mark in found] + plain
    return plain


def usual_width(lines: Sequence[str], dialect: Dialect) -> int:
    """How many cells most records have.

    Where strict quoting makes records of one width, it is theirs. Else that of most lines, left out those of one cell
    or with half a pair of quotation marks; else 1.
    """
    strict = Counter(_strict_widths(lines, dialect))
    strict.pop(1, None)
    best = max(strict, key=lambda width: strict[width], default=1)
    if strict[best] > strict.total() * _NEARLY:
        return best
    widths = Counter(len(split(line, dialect)[0]) for line in lines if line.count(dialect.quote) % 2 == 0)
    widths.pop(1, None)
    return max(widths, key=lambda width: (widths[width], width)) if widths else 1


def _strict_widths(lines: Sequence[str], dialect: Dialect) -> Iterator[int]:
    """The widths of the filled records that a strict reader makes of the lines, as far as it comes."""
    if dialect.wrapped or not any(line.count(dialect.quote) % 2 for line in lines):
        return
    reader = csv.reader(
        (f"{line}\n" for line in lines), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True
    )
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield len(cells)
    except csv.Error:  # a quotation mark that is none, or never closed; or the lines end within a cell
        return


def split(line: str, dialect: Dialect) -> tuple[list[str], int]:
    """The cells of one line, and where a quotation mark in it opens a cell that does not end here; else -1."""
    if dialect.wrapped:
        match = _QUOTED_LINE.fullmatch(line)
        if match and dialect.delimiter in line:
            inner = line.strip().rstrip(",;\t| ")[1:-1].replace('""', '"')
            line = inner if dialect.delimiter in inner else line
    mark, quote = dialect.delimiter, dialect.quote
    if quote not in line:
        return line.split(mark), -1
    patterns = _patterns(mark, quote)
    cells: list[str] = []
    place = 0
    while True:
        match = patterns.quoted.match(line, place)
        if match and match[1].endswith("\\") and patterns.escaped.match(line, place):
            match = None  # "55\", black" is one cell
        if match:
            cells.append(match[1].replace(quote * 2, quote))
            place = match.end()
        elif match := patterns.escaped.match(line, place):
            cells.append(match[1].replace("\\" + quote, quote))
            place = match.end()
        elif patterns.opened.match(line, place):
            cells += line[place:].split(mark)
            return cells, place
        else:
            match = patterns.literal.match(line, place)
            end = match.end() if match else len(line)
            cells.append(line[place:end])
            place = end
        if place >= len(line):
            return cells, -1
        place += len(mark)


@dataclass(frozen=True, slots=True)
class _Patterns:
    quoted: re.Pattern[str]
    escaped: re.Pattern[str]  # where a backslash stands before a mark within
    opened: re.Pattern[str]
    literal: re.Pattern[str]


@cache
def _patterns(mark: str, quote: str) -> _Patterns:
    d, q = re.escape(mark), re.escape(quote)
    end = rf"(?={d}|\Z)"
    return _Patterns(
        quoted=re.compile(rf"[ ]*{q}((?:[^{q}]|{q}{q})*+){q}[ ]*{end}"),
        escaped=re.compile(rf"[ ]*{q}((?:[^{q}\\]|\\.)*+){q}[ ]*{end}"),
        opened=re.compile(rf"[ ]*{q}(?:[^{q}]|{q}{q})*+\Z"),
        literal=re.compile(rf"={q}(?:[^{q}]|{q}{q})*+{q}{end}|[^{d}]*+"),
    )


def records(lines: Iterable[str], dialect: Dialect, width: int, other: str = "\r") -> Iterator[Row]:
    """The records of physical lines without line ends; ``width`` is how many cells a record should have.

    ``other`` is the line end that the file does not use: within a line it ends a record where one side is a record,
    and is a space elsewhere; between quotation marks it belongs to the cell.
    """
    source = enumerate(lines)
    queue: deque[tuple[int, str]] = deque()
    patience = _PATIENCE
    shift = 0  # lines that a carriage return has added
    while True:
        if not queue:
            queue.extend(islice(source, 1))
        if not queue:
            return
        number, line = queue.popleft()
        number += shift
        line = line.replace("\0", "").rstrip("\r\x1a")
        if other in line:
            pieces = pieces_of(line, dialect.quote, other)
            if width > 1 and len(pieces) > 1 and any(_is_record(piece, dialect, width) for piece in pieces):
                shift += len(pieces) - 1
                numbered = [(number + place - shift, piece) for place, piece in enumerate(pieces) if piece]
                queue.extendleft(reversed(numbered))
                continue
            line = line.replace(other, "\n" if len(pieces) == 1 else " ")
        cells, opened = split(line, dialect)
        if opened >= 0 and patience:
            joined = _continued(line, dialect, width, queue, source, start=opened)
            patience -= joined is None
            cells = joined or cells
        yield number, cells


def pieces_of(line: str, quote: str, other: str) -> list[str]:
    """A line parted at the line ends that stand outside quotation marks; at all of them where the marks do not pair."""
    pieces = line.split(other)
    if line.count(quote) % 2 or quote not in line:
        return pieces
    whole: list[str] = []
    within = False
    for piece in pieces:
        if within:
            whole[-1] += other + piece
        else:
            whole.append(piece)
        within ^= piece.count(quote) % 2 == 1
    return whole


def _is_record(line: str, dialect: Dialect, width: int) -> bool:
    return len(split(line, dialect)[0]) >= width


def _continued(
    line: str,
    dialect: Dialect,
    width: int,
    queue: deque[tuple[int, str]],
    source: Iterator[tuple[int, str]],
    *,
    start: int,
) -> list[str] | None:
    """The cells of ``line`` and the lines that it goes on in, which are taken; None where it goes on in none.

    A line that looks like a record may still be the rest of one: where it has the other half of a pair of quotation
    marks, ``line`` is no record without it, and they are one together. ``start`` is where the cell opens.
    """
    joined, size = [line], len(line)
    doubtful = False
    patterns = _patterns(dialect.delimiter, dialect.quote)
    whole = _is_record(line, dialect, width)
    for place in range(_CONTINUED):
        queue.extend(islice(source, max(place + 1 - len(queue), 0)))
        if place == len(queue):
            return None
        more = queue[place][1].replace("\0", "").rstrip("\r")
        joined.append(more)
        size += len(more)
        record = width > 1 and _is_record(more, dialect, width)
        if size > _CELL or (record and (whole or more.count(dialect.quote) % 2 == 0)):
            return None
        doubtful = doubtful or record
        text = "\n".join(joined) if dialect.quote in more else ""
        if not text or patterns.opened.match(text, start):
            continue
        cells, opened = split(text, dialect)
        if not patterns.quoted.match(text, start) or (doubtful and opened < 0 and len(cells) < width):
            return None
        if opened < 0:
            for _ in range(place + 1):
                queue.popleft()
            return cells
    return None
