"""From a table to the bytes of a file."""

import codecs
import gzip
from html import escape
from random import Random

from devtools.mixer import books
from devtools.mixer.table import Row, Table

_BOMS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
_DAMAGE = "QZQZ"
_MANY = 8
_CAN_BE_DAMAGED = {"utf-8", "gb18030"}
_END = Row(line=[], reasons=frozenset({"blank", "note"}), optional=True)  # the end of a file, counted or not
_BOOKS = {"xlsx": books.xlsx, "ods": books.ods, "xls": books.xls}


def data_of(table: Table, dice: Random) -> bytes:
    """The file."""
    if table.override is not None:
        return table.override
    data = _BOOKS[table.container](table) if table.container in _BOOKS else _text(table, dice)
    if table.wrapper in {"gzip", "zip_gzip"}:
        data = gzip.compress(data, mtime=0)
    if table.wrapper.startswith("zip"):
        name = {"zip": "日报.csv", "zip_folder": "导出/2026/日报.csv", "zip_gzip": "日报.csv.gz"}[table.wrapper]
        junk = {"__MACOSX/._日报.csv": b"junk", "导出/": b""} if table.wrapper == "zip_folder" else {}
        data = books.zipped({name: data, **junk})
    return data


def _text(table: Table, dice: Random) -> bytes:
    damage = table.damaged and table.container == "text" and table.encoding in _CAN_BE_DAMAGED
    damage = damage and len(table.rows) >= _MANY  # one good letter and one bad byte could be of any encoding
    if damage:
        row = dice.choice(table.good() or [Row()])
        row.cells["product"] = _DAMAGE + row.cells.get("product", "")
        damage = bool(row.sale)
    table.damaged = damage
    if damage:
        table.needs.add("encoding_errors")
    if table.encoding == "shift_jis" and any("¥" in cell for row in table.rows for cell in row.cells.values()):
        table.encoding = "utf-8"  # it has none, and what it has there means another currency
    try:
        (table.delimiter + "".join(cell for row in table.lines() for cell in table.cells_of(row))).encode(
            table.encoding
        )
    except UnicodeEncodeError:
        table.encoding = "utf-8"
    text = {"text": _joined, "html": _page, "xml": _xml}[table.container](table, dice)
    data = text.encode(table.encoding)
    if table.nul and not table.encoding.startswith("utf-16") and table.container == "text":
        data = data.replace(b"2026", b"2026\0", 2)
    if damage:
        data = data.replace(_DAMAGE.encode(), b"\xff")
    return (_BOMS.get(table.encoding, b"") if table.bom else b"") + data


def _joined(table: Table, dice: Random) -> str:
    ends = ["\n", "\r\n"] if table.newline == "mixed" else [table.newline]
    if table.ending != "newline":
        table.rows += [_END] * 3
    parts = [f"sep={table.delimiter}", dice.choice(ends)] if table.sep and table.delimiter not in "，\x01" else []
    for row in table.lines():
        if row is not _END:
            parts += [_line(table, row), dice.choice(ends)]
    if table.ending == "none":
        parts.pop()
    return "".join(parts) + {"ctrl-z": "\x1a", "blank": ends[0] * 3}.get(table.ending, "")


def _line(table: Table, row: Row) -> str:
    cells = table.cells_of(row)
    mark = table.delimiter
    between = f"{mark} " if table.spaced and mark in ",;|" else mark
    if row.bare:
        return mark.join(cells)
    everything = table.quoting == "all" and len(cells) > 1
    wanted = (mark, "\n", "\r") if table.quoting == "raw" else (mark, "\n", "\r", '"')
    twice = '\\"' if table.quoting == "backslash" else '""'
    line = between.join(
        '"' + cell.replace('"', twice) + '"'
        if everything or cell.lstrip().startswith('"') or any(sign in cell for sign in wanted)
        else cell
        for cell in cells
    )
    if len(cells) > 1 and table.trailing in {"all", "rows" if row.cells else "header"}:
        line += mark
    if table.quoting == "wrapped" and mark in line:
        line = '"' + line.replace('"', '""') + '"'
    return line


def _page(table: Table, _: Random) -> str:
    lines = table.lines()
    rows = ""
    for place, row in enumerate(lines):
        span = _span(table, lines, place)
        cells = [
            f"<td rowspan={1 if column else span}>{escape(cell)}</td>"
            for column, cell in enumerate(table.cells_of(row))
            if span or column
        ]
        rows += f"<tr>{''.join(cells)}</tr>\r\n"
    meta = "" if table.encoding.startswith("utf-16") else f'<meta charset="{table.encoding}">'
    return f"<html><head>{meta}<style>td {{x: 1}}</style></head><body><table border=1>{rows}</table></body></html>"


def _span(table: Table, lines: list[Row], place: int) -> int:
    """Over how many rows the first cell of one goes: 0 where one above does."""
    if not table.spans or table.columns[0] != "date":
        return 1

    def same(one: Row, other: Row) -> bool:
        both = one.sale is not None and other.sale is not None and not one.cut and not other.cut
        return both and one.cells.get("date", "") != "" and one.cells.get("date") == other.cells.get("date")

    if place and same(lines[place - 1], lines[place]):
        return 0
    end = place + 1
    while end < len(lines) and same(lines[place], lines[end]):
        end += 1
    return end - place


def _xml(table: Table, _: Random) -> str:
    """The XML of Excel 2003, which programs named .xls."""
    rows = "".join(
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{escape(text)}</Data></Cell>' for text in cells) + "</Row>"
        for cells in map(table.cells_of, table.lines())
    )
    name = "urn:schemas-microsoft-com:office:spreadsheet"
    sheet = f'<Worksheet ss:Name="S"><Table>{rows}</Table></Worksheet>'
    return f'<?xml version="1.0"?>\n<Workbook xmlns="{name}" xmlns:ss="{name}">{sheet}</Workbook>'
