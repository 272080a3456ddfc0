"""The tables of an HTML page that is named .xls, and of Excel's XML of 2003. Nothing nests, recurses or goes back."""

import html
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from opskit.sales.opening.encoding import Encoding
from opskit.sales.opening.layout import Grid, Limits, Row, not_a_table, too_much

_CHUNK = 1 << 18
_LONGEST_TAG = 1 << 16
_MOST_COLUMNS = 1_000
_HEAD_CELLS = 400_000
_CELL_CHARS = 100_000
_BEGIN = re.compile(
    r"\s*<(?:!--|(?:!doctype|html|head|body|table|meta|style|div|\?xml|workbook|ss:workbook)\b)", re.IGNORECASE
)
_TABLE = re.compile(r"<(?:\w+:)?(?:table|row|tr)[\s>]", re.IGNORECASE)
_TOKEN = re.compile(r"<!--|<(/?)(?:\w{1,20}:)?([A-Za-z]\w{0,20}|!)([^<>]*+)>|([^<]++|<)")
_ATTRIBUTE = r"""(?:^|[\s:]){}\s*=\s*["']?(\d{{1,6}})"""
_SPAN = re.compile(_ATTRIBUTE.format("colspan"), re.IGNORECASE)
_DOWN = re.compile(_ATTRIBUTE.format("rowspan"), re.IGNORECASE)
_ACROSS = re.compile(_ATTRIBUTE.format("mergeacross"), re.IGNORECASE)
_INDEX = re.compile(_ATTRIBUTE.format("index"), re.IGNORECASE)
_CHARSET = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?([\w-]{3,20})", re.IGNORECASE)
_CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5",
    "shift_jis": "shift_jis",
    "sjis": "shift_jis",
    "iso-8859-1": "cp1252",
    "windows-1252": "cp1252",
}
_ENDS = {
    name: re.compile(end, re.IGNORECASE)
    for name, end in (("!--", "-->"), ("script", r"</script[^<>]{0,20}>"), ("style", r"</style[^<>]{0,20}>"))
}
_LONGEST_END = 32
_AS = {"row": "tr", "cell": "td", "th": "td", "worksheet": "table"}


def is_markup(head: str) -> bool:
    """Whether a file that begins like this is a page or an XML workbook with a table in it."""
    return bool(_BEGIN.match(head.lstrip("\ufeff"))) and bool(_TABLE.search(head))


def declared(head: bytes, encoding: Encoding) -> Encoding:
    """The encoding that the page names, where its bytes do not prove another one."""
    match = _CHARSET.search(head[:4096])
    name = _CHARSETS.get(match[1].decode().lower(), "") if match else ""
    if encoding.bom or not name or encoding.name.startswith("utf") or name == "utf-8":
        return encoding
    return Encoding(name, errors=encoding.errors, nul=encoding.nul)


def grids(path: Path, encoding: Encoding, limits: Limits) -> list[Grid]:
    """The tables of the page in their order, at most ``limits.sheets``, of which one pass keeps the first rows."""
    heads: dict[int, list[Row]] = {}
    room = _HEAD_CELLS
    for number, cells in _numbered(path, encoding, limits):
        head = heads.setdefault(number, []) if len(heads) < limits.sheets else heads.get(number, [])
        if len(head) < limits.grid_rows and room > 0:
            head.append((len(head), cells))
            room -= len(cells)
    if not heads:
        raise not_a_table("HTML")
    return [Grid("", partial(_rows, path, encoding, limits, number), head.copy) for number, head in heads.items()]


def _rows(path: Path, encoding: Encoding, limits: Limits, wanted: int) -> Iterator[Row]:
    line = 0
    for number, cells in _numbered(path, encoding, limits):
        if number > wanted:
            return
        if number == wanted:
            yield line, cells
            line += 1


def _numbered(path: Path, encoding: Encoding, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    """Each row of each table, with the 1-based number of its table."""
    table = count = 0
    fresh = True
    reader = _Rows()
    for closing, tag, rest, text in _tokens(path, encoding):
        if tag == "table":
            yield from ((table + fresh, cells) for cells in reader.ended())
            table += fresh and reader.count > 0
            fresh, reader = True, _Rows()
            continue
        row = reader.take(closing, tag, rest, text)
        if row is not None:
            count += len(row)
            if count > limits.cells:
                raise too_much("cells", limits.cells)
            table, fresh = table + fresh, False
            yield table, row
    for cells in reader.ended():
        yield table + fresh, cells


class _Rows:
    """Puts tags and text together to rows. Merged cells have their text once, as in a spreadsheet."""

    def __init__(self) -> None:
        self.count = 0
        self._cells: list[str] | None = None
        self._text: list[str] | None = None
        self._spans = 0  # blank cells after the current one
        self._covered: dict[int, int] = {}  # column: the first row that no cell above covers any more

    def take(self, closing: str, tag: str, rest: str, text: str) -> list[str] | None:
        """Take one token; the row that it ends, if it does."""
        if text:
            if self._text is not None:
                self._text.append(text)
        elif tag == "tr":
            row = self._end_row()
            if not closing:
                self._cells = []
            return row
        elif tag == "td":
            self._end_cell()
            if not closing:
                self._begin(rest)
        elif tag in {"br", "p", "div"} and self._text is not None:
            self._text.append(" ")
        return None

    def ended(self) -> Iterator[list[str]]:
        """The row that is still open at the end, if there is one."""
        row = self._end_row()
        if row is not None:
            yield row

    def _begin(self, rest: str) -> None:
        cells = self._cells = [] if self._cells is None else self._cells
        index = _number(_INDEX, rest)
        while len(cells) < min(index - 1, _MOST_COLUMNS):
            cells.append("")
        while self._covered.get(len(cells), 0) > self.count:
            cells.append("")
        self._spans = min(max(_number(_SPAN, rest) - 1, _number(_ACROSS, rest), 0), _MOST_COLUMNS)
        down = _number(_DOWN, rest) - 1
        if down > 0:
            self._covered |= dict.fromkeys(range(len(cells), len(cells) + self._spans + 1), self.count + 1 + down)
        self._text = []
        if rest.endswith("/"):
            self._end_cell()

    def _end_cell(self) -> None:
        if self._text is None or self._cells is None:
            return
        text = html.unescape("".join(self._text)[:_CELL_CHARS])
        self._cells.append(re.sub(r"\s+", " ", text).strip())
        if len(self._cells) + self._spans > _MOST_COLUMNS:
            raise not_a_table("HTML")
        self._cells += [""] * self._spans
        self._text, self._spans = None, 0

    def _end_row(self) -> list[str] | None:
        self._end_cell()
        row, self._cells = self._cells, None
        if row is None:
            return None
        self.count += 1
        return row


def _number(pattern: re.Pattern[str], rest: str) -> int:
    match = pattern.search(rest) if "=" in rest else None
    return int(match[1]) if match else 0


def _tokens(path: Path, encoding: Encoding) -> Iterator[tuple[str, str, str, str]]:
    """(slash, tag, attributes, text) of each piece; comments, scripts and styles are left out."""
    buffer, until = "", None  # what ends the comment, script or style that we are in
    with path.open(encoding=encoding.codec, errors="replace", newline="") as file:
        file.seek(encoding.bom)
        whole = False
        while not whole:
            chunk = file.read(_CHUNK)
            whole = not chunk
            buffer += chunk.replace("\0", "")
            place = 0
            while place < len(buffer):
                if until:
                    end = until.search(buffer, place)
                    place = end.end() if end else max(place, len(buffer) - _LONGEST_END)
                    if not end:
                        break
                    until = None
                match = _TOKEN.match(buffer, place)
                if match is None or (not whole and match.end() + _LONGEST_END > len(buffer) < place + _LONGEST_TAG):
                    break  # at the end of the buffer, or too near to it to know
                place = match.end()
                tag = (match[2] or "").lower()
                if match[0] == "<!--":
                    until = _ENDS["!--"]
                elif tag in _ENDS and not match[1]:
                    until = _ENDS[tag]
                else:
                    yield match[1] or "", _AS.get(tag, tag), match[3] or "", match[4] or ""
            buffer = buffer[place:]
