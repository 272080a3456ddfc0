"""From a table to the bytes of a workbook: .xlsx, .ods, .xls."""

import io
import re
import struct
import zipfile
from datetime import date, datetime
from decimal import Decimal
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from devtools.mixer import forms
from devtools.mixer.table import Row, Table

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

_NUMERIC = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,4})?")
_ERRORS = {"#DIV/0!", "#N/A", "#NAME?", "#NUM!", "#REF!", "#VALUE!"}
_1904 = 1462  # days between the two first days of Excel
_DAY_FORMATS = ("yyyy-mm-dd", "m/d/yy h:mm", 'yyyy"年"m"月"d"日"', "[$-409]d-mmm-yy;@")
_CLOCKS = (0.5, 0.999988, 0, 0.000011574)
OTHER = [["日期", "产品", "单价", "数量", "地区"], ["2024-01-01", "旧货", "1", "1", "旧区"]]  # a table not asked for


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip; the same bytes every time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 6, 0, 0, 0)), data, compress_type=how)
    return out.getvalue()


def _kind(table: Table, row: Row, column: int) -> str:
    """What a cell of a row is: text, number, error or day."""
    if not table.typed or row.line is not None or column >= len(table.columns):
        return "text"
    name, text = table.columns[column], row.cells.get(table.columns[column], "")
    if name == "date" and row.sale and text == f"{row.sale.day}":
        return "day"
    if text in _ERRORS:
        return "error"
    return "number" if name in {"price", "amount", "total"} and _NUMERIC.fullmatch(text) else "text"


def _serial(table: Table, day: date) -> int:
    return forms.serial(day) - (_1904 if table.epoch1904 else 0)


def xlsx(table: Table) -> bytes:
    """A workbook of today's Excel; before the sheet with the table may stand others."""
    import xlsxwriter  # type: ignore[import-untyped]  # noqa: PLC0415 - loaded on first use, as in the product

    out = io.BytesIO()
    options = {"in_memory": not table.inline, "constant_memory": table.inline, "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(out, {**options, "date_1904": table.epoch1904}) as book:
        book.set_properties({"created": datetime(2026, 3, 6)})  # noqa: DTZ001 - a workbook knows no zones
        styles = [book.add_format({"num_format": form}) for form in _DAY_FORMATS]
        for place, before in enumerate(table.sheets):
            other = book.add_worksheet(f"S{place}")
            for line, cells in enumerate([["封面"]] if before == "cover" else OTHER):
                other.write_row(line, 0, cells)
            if before == "hidden":
                other.hide()
        sheet = book.add_worksheet("日报")
        sheet.activate()
        sheet.set_first_sheet()
        for line, row in enumerate(table.lines()):
            for column, text in enumerate(table.cells_of(row)):
                kind = _kind(table, row, column)
                if kind == "day" and row.sale:
                    clock = _CLOCKS[line % 4] if table.clock else 0
                    style = styles[line % 4 if table.clock else 0]
                    sheet.write_number(line, column, _serial(table, row.sale.day) + clock, style)
                else:
                    _write(sheet, line, column, text, "formula" if table.digits17 and kind == "number" else kind)
    return out.getvalue()


def _write(sheet: "Worksheet", line: int, column: int, text: str, kind: str) -> None:
    if kind == "formula":  # its value has all the digits of a binary fraction
        sheet.write_formula(line, column, "=A1", None, Decimal(f"{float(text):.17g}"))
    elif kind == "error":
        sheet.write_formula(line, column, "=1/0", None, text)
    elif kind == "number":
        sheet.write_number(line, column, float(text))
    elif text:
        sheet.write_string(line, column, text)


def ods(table: Table) -> bytes:
    """A workbook of LibreOffice, with equal rows written once."""

    def cell(row: Row, column: int, text: str) -> str:
        kind = {
            "day": f'office:value-type="date" office:date-value="{text}"',
            "number": f'office:value-type="float" office:value="{text}"',
        }.get(_kind(table, row, column), 'office:value-type="string"')
        parts = "".join(f"<text:p>{escape(part)}</text:p>" for part in text.replace("\r", "").split("\n"))
        return f"<table:table-cell {kind}>{parts}</table:table-cell>" if text else "<table:table-cell/>"

    bodies = ["".join(cell(row, *one) for one in enumerate(table.cells_of(row))) for row in table.lines()]
    rows = "".join(
        f'<table:table-row table:number-rows-repeated="{len(list(run))}">{body}</table:table-row>'
        for body, run in groupby(bodies)
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
    )
    content = (
        f'<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="T">{rows}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    manifest = '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    files = {"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest}
    return zipped({name: text.encode() for name, text in files.items()}, zipfile.ZIP_STORED)


def _record(number: int, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack("<HH", number, len(data)) + data


def xls(table: Table) -> bytes:
    """A workbook of Excel 97 ([MS-XLS]): globals, and a sheet of numbers and labels."""
    begin = struct.Struct("<HHHHII")
    cells = b""
    for line, row in enumerate(table.lines()):
        for column, text in enumerate(table.cells_of(row)):
            kind = _kind(table, row, column)
            if kind == "day" and row.sale:
                number = float(_serial(table, row.sale.day))
                cells += _record(0x203, struct.pack("<HHHd", line, column, 1, number))
            elif kind == "number":
                cells += _record(0x203, struct.pack("<HHHd", line, column, 0, float(text)))
            elif text:
                data = text.encode("utf-16-le")
                cells += _record(0x204, struct.pack("<HHHHB", line, column, 0, len(data) // 2, 1), data)
    sheet = _record(0x809, begin.pack(0x600, 0x10, 0, 0, 0, 0)) + cells + _record(0x0A)
    styles = b"".join(_record(0xE0, struct.pack("<HH16x", 0, number)) for number in (0, 14))
    head = _record(0x809, begin.pack(0x600, 5, 0, 0, 0, 0)) + _record(0x22, struct.pack("<H", table.epoch1904)) + styles
    name = b"\0\0\1\0S"
    place = len(head) + 4 + 4 + len(name) + 4
    stream = head + _record(0x85, struct.pack("<I", place), name) + _record(0x0A) + sheet
    return _compound(stream)


def _compound(stream: bytes) -> bytes:
    """The file system around it ([MS-CFB]): a header, the table of sectors, the directory, the stream."""
    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    stream = stream.ljust(4096, b"\0")
    count = -(-len(stream) // 512)
    tables = -(-(count + 1) // 127)
    fat = [0xFFFFFFFD] * tables + [end, *range(tables + 2, tables + count + 1), end]

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = f"{name}\0".encode("utf-16-le")
        numbers = struct.pack("<HBBIII36xIII", len(text), kind, 1, free, free, child, start, size, 0)
        return text.ljust(64, b"\0") + numbers

    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + struct.pack("<16xHHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, tables, tables, 0, 4096, end, 0, end, 0)
    header += struct.pack("<109I", *range(tables), *[free] * (109 - tables))
    directory = entry("Root Entry", 5, 1, end, 0) + entry("Workbook", 2, free, tables + 1, len(stream))
    allocation = struct.pack(f"<{len(fat)}I", *fat).ljust(tables * 512, b"\xff")
    return header + allocation + directory.ljust(512, b"\0") + stream.ljust(count * 512, b"\0")
