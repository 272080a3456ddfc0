"""From a table to the bytes of a file."""

import codecs
import gzip
import io
import re
import zipfile
from html import escape
from itertools import groupby
from random import Random

from devtools.mixer import forms
from devtools.mixer.table import Row, Table

_NUMERIC = re.compile(r"-?\d{1,12}(\.\d{1,4})?")
_BOMS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
_DAMAGE = "QZQZ"
_CAN_BE_DAMAGED = {"utf-8", "gb18030"}
_1904 = 1462


def data_of(table: Table, dice: Random) -> bytes:
    """The file."""
    if table.override is not None:
        return table.override
    data = _workbook(table) if table.container in {"xlsx", "ods"} else _text(table, dice)
    if table.wrapper in {"gzip", "zip_gzip"}:
        data = gzip.compress(data, mtime=0)
    if table.wrapper.startswith("zip"):
        name = {"zip": "日报.csv", "zip_folder": "导出/2026/日报.csv", "zip_gzip": "日报.csv.gz"}[table.wrapper]
        junk = {"__MACOSX/._日报.csv": b"junk", "导出/": b""} if table.wrapper == "zip_folder" else {}
        data = zipped({name: data, **junk})
    return data


def lines_of(table: Table) -> list[Row]:
    """All lines as rows, the header and what stands above too."""
    above = [Row(line=list(line)) for line in table.above]
    header = [Row(line=[table.names[column] for column in table.columns])] if table.header else []
    return [*above, *header, *table.rows]


# Text


def _text(table: Table, dice: Random) -> bytes:
    damage = table.damaged and table.container == "text" and table.encoding in _CAN_BE_DAMAGED
    if damage:
        row = dice.choice(table.good() or [Row()])
        row.cells["product"] = _DAMAGE + row.cells.get("product", "")
        damage = bool(row.sale)
    table.damaged = damage
    if damage:
        table.needs.add("encoding_errors")
    text = _page(table) if table.container == "html" else _joined(table, dice)
    try:
        data = text.encode(table.encoding)
    except UnicodeEncodeError:
        table.encoding = "utf-8"
        data = text.encode()
    if table.nul and not table.encoding.startswith("utf-16") and table.container == "text":
        data = data.replace(b"2026", b"2026\0", 2)
    if damage:
        data = data.replace(_DAMAGE.encode(), b"\xff")
    return (_BOMS.get(table.encoding, b"") if table.bom else b"") + data


def _joined(table: Table, dice: Random) -> str:
    ends = ["\n", "\r\n"] if table.newline == "mixed" else [table.newline]
    if table.ending != "newline":
        table.rows += [Row(line=[], reasons=frozenset({"blank"}), optional=True)] * 3
    parts = [f"sep={table.delimiter}", dice.choice(ends)] if table.sep and table.delimiter not in "，\x01" else []
    for row in lines_of(table):
        if row.line == []:
            continue  # counted or not, it stands for what the end of the file looks like
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
        if everything or cell.startswith('"') or any(sign in cell for sign in wanted)
        else cell
        for cell in cells
    )
    if table.trailing and len(cells) > 1:
        line += mark
    if table.quoting == "wrapped" and mark in line:
        line = '"' + line.replace('"', '""') + '"'
    return line


def _page(table: Table) -> str:
    lines = lines_of(table)
    spans = [_span(table, lines, place) for place in range(len(lines))]
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td rowspan={1 if column else span}>{escape(cell)}</td>"
            for column, cell in enumerate(table.cells_of(row))
            if span or column
        )
        + "</tr>\r\n"
        for row, span in zip(lines, spans, strict=True)
    )
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


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip; the same bytes every time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(_entry(name), data, compress_type=how)
    return out.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    """The entry ``name`` with a fixed date."""
    return zipfile.ZipInfo(name, (2026, 3, 6, 0, 0, 0))


# Workbooks

_OPEN = "http://schemas.openxmlformats.org"
_MAIN = f"{_OPEN}/spreadsheetml/2006/main"
_OFFICE = f"{_OPEN}/officeDocument/2006/relationships"
_PACKAGE = f"{_OPEN}/package/2006"
_TYPES = (
    f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/><Default '
    'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
)
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月'
    '&quot;d&quot;日&quot; hh:mm"/></numFmts><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="5"><xf/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="22" applyNumberFormat="1"/><xf numFmtId="31" applyNumberFormat="1"/><xf '
    'numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


def _workbook(table: Table) -> bytes:
    return _ods(table) if table.container == "ods" else _xlsx(table)


def _kind(table: Table, row: Row, column: int) -> str:
    """What a cell of a row is: text, number or day."""
    if not table.typed or row.line is not None or column >= len(table.columns):
        return "text"
    name, text = table.columns[column], row.cells.get(table.columns[column], "")
    if name == "date" and row.sale and text == f"{row.sale.day}":
        return "day"
    return "number" if name in {"price", "amount", "total"} and _NUMERIC.fullmatch(text) else "text"


def _xlsx_cell(table: Table, row: Row, line: int, column: int, text: str) -> str:
    place = f"{chr(65 + column)}{line}"
    kind = _kind(table, row, column)
    if kind == "day" and row.sale and table.clock:
        style, serial = 1 + line % 4, forms.serial(row.sale.day) - (_1904 if table.epoch1904 else 0)
        return f'<c r="{place}" s="{style}"><v>{serial}{[".5", ".999988", "", ".000011574"][line % 4]}</v></c>'
    if kind == "text" and text.startswith("#") and text[-1] in "!A" and table.typed:
        return f'<c r="{place}" t="e"><v>{escape(text)}</v></c>'
    if kind == "day" and row.sale:
        return f'<c r="{place}" s="1"><v>{forms.serial(row.sale.day) - (_1904 if table.epoch1904 else 0)}</v></c>'
    if kind == "number":
        return f'<c r="{place}"><v>{f"{float(text):.17g}" if table.digits17 else text}</v></c>'
    if not text and table.typed:
        return ""
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _xlsx(table: Table) -> bytes:
    body = "".join(
        f'<row r="{line}">'
        + "".join(_xlsx_cell(table, row, line, column, text) for column, text in enumerate(table.cells_of(row)))
        + "</row>"
        for line, row in enumerate(lines_of(table), 1)
    )
    cover = '<row r="1"><c r="A1" t="inlineStr"><is><t>封面</t></is></c></row>'
    bodies = [cover, body] if table.cover else [body]
    sheets = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId{n}"/>' for n in range(1, len(bodies) + 1))
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(bodies) + 1)
    )
    links += f'<Relationship Id="rId9" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    epoch = '<workbookPr date1904="1"/>' if table.epoch1904 else ""
    files = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{epoch}<sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
        "xl/styles.xml": _STYLES,
    }
    for number, rows in enumerate(bodies, 1):
        files[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        )
    return zipped({name: text.encode() for name, text in files.items()})


def _ods_cell(table: Table, row: Row, column: int, text: str) -> str:
    kind = _kind(table, row, column)
    value = {
        "day": f'office:value-type="date" office:date-value="{text}"',
        "number": f'office:value-type="float" office:value="{text}"',
        "text": 'office:value-type="string"',
    }[kind]
    if not text:
        return "<table:table-cell/>"
    parts = "".join(f"<text:p>{escape(part)}</text:p>" for part in text.replace("\r", "").split("\n"))
    return f"<table:table-cell {value}>{parts}</table:table-cell>"


_MANIFEST = 'xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'


def _ods(table: Table) -> bytes:
    bodies = [
        "".join(_ods_cell(table, row, column, text) for column, text in enumerate(table.cells_of(row)))
        for row in lines_of(table)
    ]
    runs = [(body, len(list(run))) for body, run in groupby(bodies)]
    rows = "".join(
        f'<table:table-row table:number-rows-repeated="{times}">{body}</table:table-row>' for body, times in runs
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
    )
    content = (
        f'<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="T">{rows}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    files = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": content,
        "META-INF/manifest.xml": f"<m:manifest {_MANIFEST}/>",
    }
    return zipped({name: text.encode() for name, text in files.items()}, zipfile.ZIP_STORED)
