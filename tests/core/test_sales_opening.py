"""Opening files of every kind: single defects one by one, then a seeded mixer that combines them at random."""

import codecs
import csv
import gzip
import io
import random
import re
import struct
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from html import escape
from pathlib import Path

import pytest

from opskit.errors import InvalidInput
from opskit.sales.cells import Column, Order, day, decimal_comma, number, order_of
from opskit.sales.opening import Layout, Limits, biff, opened
from opskit.sales.opening.dialect import Dialect, split
from opskit.sales.opening.sheets import reading, text_of
from opskit.sales.opening.text import BREAK

HEADERS = {
    "en": ["Date", "Product", "Price", "Amount", "Region"],
    "en2": ["Order Date", "Product Name", "Unit Price", "Quantity", "Area"],
    "zh": ["日期", "产品", "单价", "数量", "地区"],
    "zh2": ["下单时间", "商品名称", "售价", "件数", "省份"],
    "tw": ["日期", "產品名稱", "單價", "數量", "地區"],
    "ja": ["日付", "商品", "単価", "数量", "地域"],
    "pinyin": ["riqi", "chanpin", "danjia", "shuliang", "diqu"],
}
NAMES = {
    "en": (["Widget", "Café machine", "Crème brûlée", "Ground coffee", "Señor Taco"], ["North", "South", "São Paulo"]),
    "zh": (["华为手机", "小米电视", "海尔冰箱", "咖啡豆", "螺蛳粉", "珐琅锅"], ["华东", "华北", "西南", "内蒙古"]),
    "tw": (["華碩筆電", "鳳梨酥", "珍珠奶茶", "電視機", "腳踏車"], ["臺北市", "高雄市", "新竹縣"]),
    "ja": (["コーヒー豆", "テレビ", "冷蔵庫", "おにぎり", "ノート"], ["東京", "大阪", "北海道"]),
}
ENCODINGS = {
    "en": ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-16-le-bom", "utf-16-be-bom", "cp1252"],
    "zh": ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-16-le-bom", "utf-16-be-bom", "gb18030", "gbk"],
    "tw": ["utf-8", "utf-8-sig", "utf-16-le-bom", "utf-16-be", "big5"],
    "ja": ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be-bom", "shift_jis"],
}
TOLD = {"utf-8-sig": "utf-8", "gbk": "gb18030", "utf-16-le-bom": "utf-16-le", "utf-16-be-bom": "utf-16-be"}
BOMS = {"utf-16-le-bom": codecs.BOM_UTF16_LE, "utf-16-be-bom": codecs.BOM_UTF16_BE}

type Sale = tuple[date, str, Decimal, Decimal, str]


# --- reading a layout as the engine will, only slower -------------------------------------------------------------


def rows_of(layout: Layout) -> list[list[str]]:
    """Every data row, through the csv module."""
    with layout.path.open(encoding="utf-8", newline="") as file:
        for _ in range(layout.skip):
            file.readline()
        return list(csv.reader(file, delimiter=layout.delimiter, quotechar=layout.quote))


def sales_of(layout: Layout) -> tuple[list[Sale], int]:
    """The sales that can be read, and how many filled rows cannot."""
    rows = [row for row in rows_of(layout) if any(cell.strip() for cell in row)]

    def cell(row: list[str], column: Column) -> str:
        place = layout.columns.get(column, len(row))
        return row[place] if place < len(row) else ""

    order = order_of([cell(row, Column.DATE) for row in rows]) or Order.DMY
    commas = {column: bool(decimal_comma([cell(row, column) for row in rows])) for column in layout.columns}
    sales: list[Sale] = []
    for row in rows:
        when = day(cell(row, Column.DATE), order=order, epoch1904=layout.epoch1904)
        values = [
            number(cell(row, column), comma=commas.get(column, False), units=True)
            for column in (Column.PRICE, Column.AMOUNT)
        ]
        price, amount = values
        surplus = any(text.strip() for text in row[layout.width :])
        if when and price and amount and not surplus:
            name, region = (
                re.sub(r"\s+", " ", cell(row, column)).strip() for column in (Column.PRODUCT, Column.REGION)
            )
            sales.append((when, name, price.value, amount.value, region))
    return sales, len(rows) - len(sales)


# --- the mixer ----------------------------------------------------------------------------------------------------


@dataclass
class Mixed:
    """A file of random defects, and what it says."""

    data: bytes
    defects: list[str]
    encoding: str
    delimiter: str
    sales: list[Sale] = field(default_factory=list)
    broken: int = 0  # rows that say nothing that can be counted
    header_row: int | None = None
    may_refuse: bool = False
    ascii: bool = False


def mixed(seed: int) -> Mixed:  # noqa: C901, PLR0912, PLR0915 one long list of coins
    """The file of ``seed``."""
    dice = random.Random(seed)  # noqa: S311 no secret
    language = dice.choice(list(NAMES))
    tongue = {"en": ["en", "en2"], "zh": ["zh", "zh2", "en", "pinyin"], "tw": ["tw", "en"], "ja": ["ja", "en"]}[
        language
    ]
    heading = dice.choice(tongue)
    encoding = dice.choice(ENCODINGS[language])
    container = dice.choice(["text"] * 6 + ["xlsx", "ods", "html"])
    delimiter = dice.choice([",", ",", ",", ";", "\t", "|", "\x01"] + (["，"] if language == "zh" else []))
    quoting = dice.choice(["minimal", "minimal", "all", "wrapped", "apostrophe"])
    defects = [language, heading, encoding, container, repr(delimiter), quoting]
    chance: Callable[[float], bool] = lambda share: dice.random() < share  # noqa: E731 reads well below

    # the truth
    products, regions = NAMES[language]
    if encoding == "gb18030" and chance(0.3):
        products = [*products, "𠮷野家套餐", "㐂茶"]
    if chance(0.2):
        products = [*products, f"{products[0]}, {products[1]}", "a|b;c"]
        defects.append("delimiters in names")
    raw = quoting == "minimal" and chance(0.2)
    if raw:
        products = [*products, '27" TV', f'"{products[0]}', f'"{products[1]}" x', f'x "{products[2]}"']
        defects.append("raw quotes")
    elif quoting in {"minimal", "all"} and chance(0.1):
        products = [*products, f"{products[0]}\n{products[1]}", f'{products[2]}\n"x", y']
        defects.append("breaks in names")
    many = dice.choice([1, 2, 5, 5, 24, 60])
    first = date(2026, 3, 1)
    sales: list[Sale] = [
        (
            first + timedelta(days=dice.randrange(6)),
            dice.choice(products),
            Decimal(dice.randrange(100, 300_000)) / 100,
            Decimal(dice.randrange(1, 10)) * (-1 if chance(0.05) else 1),
            dice.choice(regions),
        )
        for _ in range(many)
    ]
    comma = delimiter != "," and container == "text" and chance(0.15)
    form = dice.choice(["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y"])
    if form == "%d/%m/%Y":
        sales = [(date(2026, 3, 13) + timedelta(days=when.day), *rest) for when, *rest in sales]  # type: ignore[misc]
    defects += [form, *(["decimal comma"] if comma else [])]

    # the table
    order = list(range(5))
    if chance(0.3):
        dice.shuffle(order)
        defects.append("order")
    names = list(HEADERS[heading])
    extra = [name for name in (["订单号", "备注"] if language == "zh" else ["Order ID", "Note"]) if chance(0.2)]
    defects += extra
    noise = dice.choice(["", "", "space", "unit", "break", "case"])
    if noise == "unit":
        names[2] += " (元)" if language == "zh" else " (EUR)" if language == "en" else ""
    elif noise == "break" and quoting in {"minimal", "all"}:
        names[2] += "\n(元)" if language == "zh" else ""
    elif noise == "space":
        names = [f" {name}\u3000" if language == "zh" else f"  {name} " for name in names]
    elif noise == "case":
        names = [name.upper() for name in names]
    defects.append(noise)
    table: list[list[str]] = []
    headless = not extra and chance(0.06) and many > 2 and language == "zh"
    if headless:
        order = list(range(5))
        defects.append("no header")
    else:
        table.append([names[place] for place in order] + extra)
    may_refuse = headless
    broken = 0
    for number_, (when, name, price, amount, region) in enumerate(sales):
        money = f"{price:,.2f}" if chance(0.1) and delimiter != "," and not comma else f"{price}"
        money = f"￥{money}" if chance(0.1) and language == "zh" else money
        cells = [when.strftime(form), name, money.replace(".", ",") if comma else money, f"{amount}", region]
        cells = [cells[place] for place in order]
        for column in extra:
            cells.append(f"A{number_:05d}" if column in {"订单号", "Order ID"} else dice.choice(["", "ok"]))
        table.append(cells)
        if chance(0.04):
            table.append([""] * len(cells))
            defects.append("blank row")
        if chance(0.02) and number_:
            table.append([*cells, "x", "y"])
            if container in {"xlsx", "ods"}:  # cells stand in columns there, so that a surplus shifts nothing
                sales = [*sales, (when, name, price, amount, region)]
            else:
                broken += 1
            defects.append("surplus")
        if chance(0.02) and number_:
            table.append([*cells, "", ""])
            sales = [*sales, (when, name, price, amount, region)]
            defects.append("empty surplus")
        if chance(0.02) and not headless:
            table.append(list(table[0]))
            broken += 1
            defects.append("repeated header")
    above: list[list[str]] = []
    if chance(0.25):
        above = [["某某公司销售日报" if language == "zh" else "Sales report"]]
        above += [["部门：销售一部"] if language == "zh" else ["Department: A"]] * dice.randrange(3)
        above += [[""] * 5] * dice.randrange(2)
        defects.append(f"{len(above)} title lines")
    below: list[list[str]] = []
    if chance(0.2):
        below = [["备注：以上数据不含线上渠道" if language == "zh" else "Note: no online sales"]]
        defects.append("note")
        broken += 1
    lines = [*above, *table, *below]
    result = Mixed(b"", defects, TOLD.get(encoding, encoding), delimiter, sales, broken, len(above), may_refuse)
    if headless:
        result.header_row = -1
    if container == "xlsx":
        result.data, result.encoding, result.delimiter = xlsx({"S": lines}), "", ""
    elif container == "ods":
        result.data, result.encoding, result.delimiter = ods(lines), "", ""
    elif container == "html":
        encoding = {"utf-16-le": "utf-8", "utf-16-be": "utf-8"}.get(encoding, encoding)
        result.encoding, result.delimiter = TOLD.get(encoding, encoding), ""
        result.data = encoded(html_page(lines), encoding)
    else:
        ends = dice.choice(["\n", "\r\n", "\r\n", "\r", "mixed"])
        defects.append(repr(ends))
        text = joined(lines, delimiter, "raw" if raw else quoting, ends, dice)
        if chance(0.1) and delimiter not in {"，", "\x01"}:
            text = f"sep={delimiter}" + ("\n" if ends == "mixed" else ends) + text
            result.header_row = result.header_row + 1 if result.header_row >= 0 else -1  # type: ignore[operator]
            defects.append("sep")
        if chance(0.15):
            text = text.rstrip("\r\n")
        elif chance(0.1):
            text += "\x1a"
            defects.append("ctrl-z")
        result.data = encoded(text, encoding)
        if chance(0.05) and not encoding.startswith("utf-16"):
            result.data = result.data.replace(b"2026", b"2026\0", 2)
            defects.append("nul")
        if "\n" in "".join(names) and not headless and not quoting.startswith("w"):
            result.header_row = result.header_row  # the header's first line
    result.ascii = result.data.isascii()
    wrapping = dice.choice([""] * 6 + ["gzip", "zip", "zip+gzip"])
    defects.append(wrapping)
    if "gzip" in wrapping:
        result.data = gzip.compress(result.data)
    if "zip" in wrapping.replace("gzip", ""):
        result.data = zipped({"../日报.csv": result.data, "__MACOSX/._x.csv": b"junk"})
    return result


def joined(lines: list[list[str]], delimiter: str, quoting: str, ends: str, dice: random.Random) -> str:
    """The lines as text."""
    parts = []
    breaks = any("\n" in cell for cells in lines for cell in cells)
    for cells in lines:
        if quoting == "apostrophe" and len(cells) > 1 and not any("'" in cell or "\n" in cell for cell in cells):
            line = delimiter.join(f"'{cell}'" for cell in cells)
        else:
            line = delimiter.join(
                '"' + cell.replace('"', '""') + '"'
                if (quoting == "all" and len(cells) > 1)
                or any(mark in cell for mark in (delimiter, "\n", '"' if quoting != "raw" else "\n"))
                else cell
                for cell in cells
            )
            if quoting == "wrapped" and delimiter in line:
                line = '"' + line.replace('"', '""') + '"'
        parts.append(line + (dice.choice(["\n", "\r\n", "\n" if breaks else "\r"]) if ends == "mixed" else ends))
    return "".join(parts)


def encoded(text: str, name: str) -> bytes:
    return BOMS.get(name, b"") + text.encode(name.removesuffix("-bom"), "replace")


def encrypted(archive: bytes) -> bytes:
    """The archive as one whose only file is said to be encrypted."""
    data = bytearray(archive)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    return bytes(data)


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def html_page(lines: list[list[str]]) -> str:
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>\r\n" for cells in lines)
    return f"<html><head><style>td {{x: 1}}</style></head><body><!-- <tr> --><table>{rows}</table></body></html>"


TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
)
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def xlsx(
    sheets: dict[str, list[list[str]]], *, more: str = "", raw: str = "", prolog: str = "", hide: str = ""
) -> bytes:
    """A workbook of text cells; ``raw`` replaces the first sheet's rows."""
    names = list(sheets)
    entries = "".join(
        f'<sheet name="{escape(name)}" sheetId="{place}" r:id="rId{place}"{hide if place == 1 else ""}/>'
        for place, name in enumerate(names, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{place}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{place}.xml"/>'
        for place in range(1, len(names) + 1)
    )
    files = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{more}<sheets>{entries}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}">{links}</Relationships>',
        "xl/media/picture.png": "x",
    }
    for place, name in enumerate(names, 1):
        body = "".join(
            f'<row r="{line}">'
            + "".join(
                f'<c r="{chr(65 + column)}{line}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
                for column, cell in enumerate(cells)
            )
            + "</row>"
            for line, cells in enumerate(sheets[name], 1)
        )
        body = raw if raw and place == 1 else body
        files[f"xl/worksheets/sheet{place}.xml"] = (
            f'{prolog}<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'
        )
    return zipped({name: text.encode() for name, text in files.items()})


def ods(lines: list[list[str]], *, raw: str = "", manifest: str = "", kind: str = "spreadsheet") -> bytes:
    rows = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(c)}</text:p></table:table-cell>'
            for c in cells
        )
        + "</table:table-row>"
        for cells in lines
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
    )
    content = (
        f'<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="T">{rows}{raw}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    space = 'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
    files = {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": content,
        "META-INF/manifest.xml": f"<manifest:manifest {space}>{manifest}</manifest:manifest>",
    }
    return zipped({name: text.encode() for name, text in files.items()}, zipfile.ZIP_STORED)


def verdict(seed: int, folder: Path) -> tuple[str, str]:
    """("right" | "refused" | "wrong", details) for the file of ``seed``."""
    case = mixed(seed)
    path = folder / "file.csv"
    path.write_bytes(case.data)
    words = " ".join(case.defects)
    try:
        layout = opened(path, folder)
    except InvalidInput as error:
        return "refused" if case.may_refuse else "wrong", f"{seed} {words}: {error}"
    sales, _ = sales_of(layout)
    expected = Counter((*sale[:1], re.sub(r"\s+", " ", sale[1]).strip(), *sale[2:]) for sale in case.sales)
    problems = []
    if Counter(sales) != expected:
        odd, lost = list(Counter(sales) - expected)[:2], list(expected - Counter(sales))[:2]
        problems.append(f"sales {len(sales)} of {len(case.sales)}: {odd} {lost}")
    if not case.ascii and layout.encoding != case.encoding and layout.format in {"csv", "html"}:
        problems.append(f"encoding {layout.encoding}")
    if layout.format == "csv" and layout.source_delimiter != case.delimiter:
        problems.append(f"delimiter {layout.source_delimiter!r}")
    if layout.header_row != case.header_row and "'mixed'" not in case.defects:  # where lines end is open there
        problems.append(f"header_row {layout.header_row} not {case.header_row}")
    return "wrong" if problems else "right", f"{seed} {words}: {problems}"


@pytest.fixture
def box(tmp_path: Path) -> Callable[..., Layout]:
    """Opens bytes, or text in UTF-8, as a file."""

    def put(data: bytes | str, name: str = "sales.csv", **options: object) -> Layout:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return opened(path, tmp_path, **options)  # type: ignore[arg-type]

    return put


type Box = Callable[..., Layout]
CLEAN = "Date,Product,Price,Amount,Region\n2026-03-01,TV,12.50,2,North\n2026-03-02,Radio,3,4,South\n"
PLACES = {Column.DATE: 0, Column.PRODUCT: 1, Column.PRICE: 2, Column.AMOUNT: 3, Column.REGION: 4}


def refusal(box: Box, data: bytes | str, **options: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        box(data, **options)
    return str(caught.value)


def codes(layout: Layout) -> list[str]:
    return [caution.code for caution in layout.warnings]


@pytest.mark.parametrize("block", range(15))
def test_no_mixture_of_defects_is_read_wrong(block: int) -> None:
    for seed in range(block * 25, block * 25 + 25):
        with tempfile.TemporaryDirectory() as folder:
            kind, details = verdict(seed, Path(folder))
            assert kind in {"right", "refused"}, details


def test_a_clean_file_stays_where_it_is(box: Box) -> None:
    layout = box(CLEAN)
    assert layout.path.name == "sales.csv"
    assert (layout.delimiter, layout.quote, layout.skip, layout.width, layout.first_line) == (",", '"', 1, 5, 2)
    assert layout.columns == PLACES
    assert (layout.encoding, layout.format, layout.header_row, layout.complete) == ("utf-8", "csv", 0, True)
    assert layout.header == ["Date", "Product", "Price", "Amount", "Region"]
    assert layout.sample == [["2026-03-01", "TV", "12.50", "2", "North"], ["2026-03-02", "Radio", "3", "4", "South"]]
    assert not layout.warnings
    assert box(CLEAN, thorough=True).path.name == "table.csv"


def test_only_the_head_of_a_long_file_is_looked_at(box: Box) -> None:
    limits = Limits(checked_bytes=100, head_bytes=1000)
    data = CLEAN + "2026-03-02,Radio,3,4,South\n" * 60_000 + '2026-03-02,"Radio'
    layout = box(data, limits=limits)
    assert (layout.path.name, layout.complete) == ("sales.csv", False)
    assert box(data, limits=limits, thorough=True).complete
    assert box(data).path.name == "table.csv"
    assert not box(data.encode()[:30_000] + "é".encode()[:1], limits=limits).complete


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("\n", "\r\n", 1),
        lambda text: text.replace("TV", "T\0V"),
        lambda text: text.replace("TV", 'T"V'),
        lambda text: text.replace("TV", "T\rV"),
        lambda text: text + "\x1a",
        lambda text: text.replace(",", "，"),
        lambda text: text.replace("TV", '"T\nV"'),
        lambda text: text.replace("12.50", '="12.50"'),
        lambda text: text.replace("Region", '"Region\n(area)"'),
    ],
)
def test_what_another_reader_might_misread_is_rewritten(box: Box, change: Callable[[str], str]) -> None:
    layout = box(change(CLEAN))
    assert layout.path.name == "table.csv"
    assert (layout.delimiter, layout.skip) == (",", 1)
    sales, lost = sales_of(layout)
    assert [sale[2:4] for sale in sales] == [(Decimal("12.50"), Decimal(2)), (Decimal(3), Decimal(4))]
    assert not lost
    assert codes(layout) == (["nul_bytes"] if "\0" in change(CLEAN) else [])


def test_cells_over_several_lines_do_not_blur_how_wide_a_record_is(box: Box) -> None:
    head = "No.,Buyer,Message,Address,Date,Product,Price,Amount\n"
    row = '{},Li,"Thanks,\nall good","1 Main St.\n\nLeeds",2026-03-01,TV,12.50,2\n'
    rows = rows_of(box(head + row.format(1) + row.format(2)))
    assert [(len(cells), cells[0], cells[4]) for cells in rows] == [(8, "1", "2026-03-01"), (8, "2", "2026-03-01")]


def test_blank_lines_do_not_blur_it_either(box: Box) -> None:
    data = 'Date,Product,"Price\n(CNY)","Amount\n(pcs)",Region\n2026-03-01,TV,12.50,2,North\n ,\n,,\n'
    assert box(data).columns == PLACES


def test_marks_behind_a_backslash(box: Box) -> None:
    data = CLEAN.replace("TV", '"TV, \\"big\\""')
    assert rows_of(box(data))[0][1] == 'TV, "big"'


def test_standard_quotation_needs_no_copy(box: Box) -> None:
    assert box(CLEAN.replace("TV", '"TV, ""big"""').replace("\n", "\r\n")).path.name == "sales.csv"


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["", " \n\n", "\ufeff", ",,,\n,,,\n", xlsx({"S": []}), gzip.compress(b"")])
def test_an_empty_file_is_told(box: Box, data: bytes | str) -> None:
    assert refusal(box, data).startswith("[empty_file]")


def wrapped(data: bytes, times: int) -> bytes:
    for _ in range(times):
        data = gzip.compress(data)
    return data


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG"),
        (b"BM\0\0", "BMP"),
        (b"%PDF-1.7", "PDF"),
        (bytes(range(256)) * 8, "binary"),
        (b"\0" * 50 + b"x", "binary"),
        ("Dear all,\n\nsales were good this week, thank you.\nMore will follow.\n", "text"),
        ("hello", "text"),
        ("BM,CD", "missing_columns"),
        ("x" * 3_000_000, "1 line"),
        (CLEAN + "x" * 3_000_000, "1 line"),
        (CLEAN + "2026-03-02,Radio,3,4,South\n" * 50_000 + "x" * 4_000_000, "1 line"),
        ("<html><table><caption>x</caption></table></html>", "HTML"),
        ("<table>" + "<td colspan=999>" * 2 + "</table>", "HTML"),
        (b"\x1f\x8b" + b"junk", "gzip"),
        (gzip.compress(CLEAN.encode())[:-9], "gzip"),
        (b"PK\x03\x04junk", "zip"),
        (wrapped(CLEAN.encode(), 4), "zip/zip"),
        (zipped({"a.csv": b"x", "b.csv": b"y"}), "2 files"),
        (zipped({"x/": b""}), "0 files"),
        (encrypted(zipped({"a.csv": CLEAN.encode()})), "password"),
        (zipped({"word/document.xml": b"x"}), "DOCX"),
        (ods([["x"]], kind="presentation"), "OpenDocument"),
        (zipped({"content.xml": b"x", "META-INF/manifest.xml": b""}), "ODS"),
        (zipped({"xl/workbook.xml": b"<x/>"}), "XLSX"),
        (xlsx({"S": [["x"]]}, more='<x uniqueCount="4000000000"/>'), "XML"),
        (xlsx({"S": [["x"]]}, prolog="<!DOCTYPE x [<!ENTITY a 'b'>]>"), "XML"),
        (ods([["x"]], manifest="<manifest:encryption-data/>"), "password"),
        (xlsx({"S": [["x"]]}), "not a table of sales: text"),
    ],
)
def test_what_is_no_table_is_refused(box: Box, data: bytes | str, problem: str) -> None:
    message = refusal(box, data)
    assert message.startswith(("[not_a_table]", "[missing_columns]"))
    assert problem in message


def test_a_readme_beside_a_table_in_a_zip_is_left_alone(box: Box) -> None:
    files = {"sales.csv": CLEAN.encode(), "readme.txt": b"x", "license.md": b"y", "index.html": b"z"}
    assert box(zipped(files)).columns == PLACES
    assert "2 files" in refusal(box, zipped({**files, "more.xlsx": b""}))


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        (gzip.compress(b"0" * 30_000_000), Limits()),
        (zipped({"a.csv": b"0" * 30_000_000}), Limits()),
        (gzip.compress(CLEAN.encode()), Limits(unpacked_bytes=10)),
        (zipped({"a.csv": b"", "b": b""}), Limits(entries=1)),
        (xlsx({"S": [["x"]]}), Limits(workbook_bytes=100)),
        (xlsx({"S": [["x"]], "T": [["y"]]}), Limits(sheets=1)),
        (xlsx({"S": [["x"]]}, raw='<row><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row>'), Limits()),
        (xlsx({"S": [["x"]]}, raw="<row><c><v>1</v></c></row>" * 20), Limits(cells=10)),
        (ods([], raw='<table:table-row table:number-rows-repeated="1048576"><table:table-cell office:value="1" '
             'table:number-columns-repeated="16384"/></table:table-row>'), Limits()),
        (ods([], raw='<table:table-row><table:table-cell table:number-columns-repeated="99999999999"/>'
             '<table:table-cell office:value="1"/></table:table-row>'), Limits()),
        ("<table>" + "<tr><td colspan=900>x</tr>" * 20, Limits(cells=10_000)),
    ],
)  # fmt: skip
def test_a_bomb_is_refused_before_it_is_parsed(box: Box, data: bytes | str, limits: Limits) -> None:
    assert "exceed the limit" in refusal(box, data, limits=limits)


def test_a_zip_that_lies_about_its_sizes_is_refused(box: Box) -> None:
    data = bytearray(zipped({"a.csv": CLEAN.encode() * 50}))
    place = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, place + 24, 10)
    assert refusal(box, bytes(data)).startswith("[not_a_table]")


@pytest.mark.parametrize(
    "data",
    ["Date,Product,Price,Amount,Region\n", "Title\nDate;Product;Price;Amount;Region\n;;;;\n\n",
     xlsx({"S": [["日期", "产品", "单价", "数量"]]}), "<table><tr><td>日期<td>产品<td>单价<td>数量</table>"],
)  # fmt: skip
def test_a_header_alone_has_no_rows(box: Box, data: bytes | str) -> None:
    assert refusal(box, data).startswith("[no_rows]")


def test_missing_columns_are_named_with_a_mapping_that_works(box: Box) -> None:
    data = "Date,Product,Kosten,Zahl,Region\n2026-03-01,TV,12.50,2,North\n2026-03-02,Radio,3.25,4,South\n"
    message = refusal(box, data)
    assert "lacks price, amount. It has: Date, Product, Kosten, Zahl, Region" in message
    assert message.endswith('set column_mapping to {"date": "Date", "product": "Product", "region": "Region", '
                            '"price": "?", "amount": "?"}')  # fmt: skip
    assert box(data, mapping={"price": "kosten ", "Amount": "4", "total": ""}).columns == PLACES


def test_an_unknown_header_is_proposed_never_guessed(box: Box) -> None:
    rows = "2026-03-01,TV,12.50,2,North\n2026-03-02,Radio,3.25,4,South\n"
    message = refusal(box, "Päivä,Tuote,Hinta,Hinta,Alue\n" + rows)
    assert '{"date": "Päivä", "product": "Tuote", "price": "3", "amount": "4", "region": "Alue"}' in message
    assert box("Päivä,Tuote,Hinta,Kappaletta,Alue\n" + rows, mapping={"date": "1", "product": "2"}).columns == PLACES


def test_a_mapping_of_what_is_not_there_is_refused(box: Box) -> None:
    assert "lacks date (Tag)" in refusal(box, CLEAN, mapping={"date": "Tag"})
    assert "lacks date (9)" in refusal(box, CLEAN, mapping={"date": "9"})
    assert refusal(box, CLEAN, mapping={"colour": "Tag"}).startswith("[not_an_option]")
    assert "gives date and price the same column (1)" in refusal(box, CLEAN, mapping={"date": "Date", "price": "1"})


def test_prices_with_a_decimal_comma_are_no_names(box: Box) -> None:
    data = "2026-03-01;TV;12,50 €;2;North\n2026-03-01;Radio;1.033,74 €;3;South\n2026-03-02;TV;7,20 €;1;South\n"
    layout = box(data)
    assert codes(layout) == ["no_header"]
    assert layout.columns == PLACES


def test_a_first_row_without_its_last_cell_is_a_row(box: Box) -> None:
    rows = "2026-03-01,TV,12.50,2\n2026-03-02,Radio,3.25,4,South\n2026-03-03,TV,7.20,1,South\n"
    assert (box(rows).first_line, box(f"Sales of 2026-03\n2026-03-31\n{rows}").first_line) == (1, 3)


# --- headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("upper", "lower", "places"),
    [
        ("日期,产品,销售情况,,地区", ",,单价,数量,", [0, 1, 2, 3, 4]),
        (",产品,销售情况,,", "日期,,单价,数量,地区", [0, 1, 2, 3, 4]),
        ("订单信息,,商品信息,,,地区", "订单号,日期,产品,单价,数量,", [1, 2, 3, 4, 5]),
        ("日期,产品,退货,,销售,,地区", ",,单价,数量,单价,数量,", [0, 1, 4, 5, 6]),
        ("Date,Item,Sold,,Region", ",,Unit Price,Qty", [0, 1, 2, 3, 4]),
    ],
)
def test_a_header_of_two_storeys(box: Box, upper: str, lower: str, places: list[int]) -> None:
    cells = ["x"] * len(upper.split(","))
    for place, text in zip(places, ["2026-03-01", "TV", "12.50", "2", "North"], strict=True):
        cells[place] = text
    layout = box(f"Title\n{upper}\n{lower}\n{','.join(cells)}\n")
    assert layout.columns == dict(zip(PLACES, places, strict=True))
    assert (layout.header_row, layout.first_line) == (1, 4)
    assert rows_of(layout) == [cells]


def test_a_price_before_discounts_is_no_sale_where_a_total_says_what_was_paid(box: Box) -> None:
    data = "Date,Product,List Price,Amount,Total\n2026-03-01,TV,12.50,2,20\n"
    assert Column.PRICE not in box(data).columns
    assert box(data, mapping={"price": "List Price"}).columns[Column.PRICE] == 2
    assert box(data.replace("Total", "x")).columns[Column.PRICE] == 2


def test_numbers_of_rows_are_no_quantities(box: Box) -> None:
    message = refusal(box, "0,2026-03-01,TV,12.50,North\n1,2026-03-01,TV,3,South\n2,2026-03-02,TV,7.20,South\n")
    assert message.startswith("[missing_columns]")


def test_notes_below_do_not_make_a_column_unfit(box: Box) -> None:
    data = "Created at,Product,Price,Amount,Paid at\n2026-03-01,TV,12.50,2,2026-03-04\n"
    notes = "Source: ERP\nPrepared by Lee\nPage 1 of 1,,,,\n"
    assert box(data + notes).columns[Column.DATE] == 0


def test_times_of_day_are_no_dates(box: Box) -> None:
    data = "{},Product,Price,Amount,Created at\n10:22:07,TV,12.50,2,2026-03-04\n9:07 PM,Radio,3,4,2026-03-04\n"
    assert box(data.format("Time")).columns[Column.DATE] == 4
    assert box(data.format("Time").replace("10:22:07", "x").replace("9:07 PM", "y")).columns[Column.DATE] == 0


def test_numbers_of_columns_make_no_header_of_a_total(box: Box) -> None:
    table = "a,b,c,d\n2026-03-01,TV,25,2\n2026-03-02,Radio,12,4\n"
    layout = box(table + ",合计,37,6\n", mapping={"date": "1", "product": "2", "total": "3"})
    assert (layout.header_row, layout.columns) == (0, {Column.DATE: 0, Column.PRODUCT: 1, Column.TOTAL: 2})
    assert codes(layout) == ["no_region_column", "no_price_column", "no_amount_column"]
    undated = box(table.replace("2026-03-01", "soon"), mapping={"date": "1", "product": "2", "total": "3"})
    assert (undated.header_row, undated.first_line) == (0, 2)
    ended = box(
        f"a,b,c,d\n{table[8:]}".replace("\n", ",\n").replace("d,", "d"),
        mapping={"date": "1", "product": "2", "total": "3"},
    )
    assert (ended.header_row, ended.first_line, ended.width) == (0, 2, 4)
    titled = box(
        f"Period,2026-03-01,to,2026-03-02\n,,,\n{table}".replace("c,d", "c,d,"),
        mapping={"date": "1", "product": "2", "total": "3"},
    )
    assert (titled.header_row, titled.header[:4]) == (2, ["a", "b", "c", "d"])
    guessed = box(table, mapping={"date": "1", "product": "2"})
    assert guessed.columns == {Column.DATE: 0, Column.PRODUCT: 1, Column.PRICE: 2, Column.AMOUNT: 3}
    assert codes(guessed) == ["no_header", "no_region_column"]


def test_a_table_that_begins_in_the_middle_of_a_sheet_has_the_numbers_that_the_user_sees(box: Box) -> None:
    rows = "".join(
        f'<row r="{line}">'
        + "".join(f'<c r="{column}{line}" t="inlineStr"><is><t>{text}</t></is></c>' for column, text in cells.items())
        + "</row>"
        for line, cells in {
            3: dict(zip("CDEF", "abcd", strict=True)),
            4: {"C": "2026-03-01", "D": "TV", "E": "12.50", "F": "2"},
        }.items()
    )
    layout = box(xlsx({"S": []}, raw=rows), mapping={"date": "3", "product": "4", "price": "5", "amount": "6"})
    assert layout.columns == {Column.DATE: 2, Column.PRODUCT: 3, Column.PRICE: 4, Column.AMOUNT: 5}
    assert (layout.header_row, layout.first_line) == (2, 4)


def test_line_ends_of_all_kinds_within_cells(box: Box) -> None:
    layout = box(xlsx({"S": [[*HEADERS["en"], "Note"], ["2026-03-01", "TV\r\nbig", "12.50", "2", "North", "a\rb"]]}))
    assert rows_of(layout) == [["2026-03-01", f"TV{BREAK}big", "12.50", "2", "North", f"a{BREAK}b"]]


def test_the_other_line_end_between_quotation_marks_belongs_to_the_cell(box: Box) -> None:
    layout = box('Date,"Product\n(all)",Price,Amount,Note\r2026-03-01,"TV\nbig",12.50,2,"a\nb"\r2026-03-02,X,1,1,\r')
    assert rows_of(layout) == [
        ["2026-03-01", f"TV{BREAK}big", "12.50", "2", f"a{BREAK}b"],
        ["2026-03-02", "X", "1", "1", ""],
    ]
    layout = box('Date,Product,Price,Amount\n2026-03-01,TV 5",12.50,2\r2026-03-02,"Y",1,1\n2026-03-03,X,1,1\n')
    assert [row[1] for row in rows_of(layout)] == ['TV 5"', "Y", "X"]


def test_line_totals_are_not_less_than_the_price_of_one(box: Box) -> None:
    data = "Date,Product,Price,Sales\n2026-03-01,TV,12.50,2\n2026-03-01,TV,12.50,1\n2026-03-01,TV,x\n"
    assert refusal(box, data).startswith("[missing_columns]")
    assert Column.TOTAL in box(data, mapping={"total": "Sales"}).columns


def test_a_price_that_may_be_another_one_gives_way_to_a_total_that_it_does_not_make(box: Box) -> None:
    data = "日期,产品,{},数量,金额\n2026-03-01,TV,{},2,20\n"
    assert Column.PRICE not in box(data.format("会员价", 8)).columns
    assert Column.PRICE in box(data.format("会员价", 10)).columns
    assert Column.PRICE in box(data.format("单价", 8)).columns
    assert Column.PRICE in box(data.format("会员价", 8), mapping={"price": "会员价"}).columns


def test_a_group_above_names_is_no_line_total(box: Box) -> None:
    data = "Date,Product,Sales,,Region\n,,Price,Quantity,\n2026-03-01,TV,12.50,2,N\n"
    assert {column.value: place for column, place in box(data).columns.items()} == {
        "date": 0,
        "product": 1,
        "price": 2,
        "amount": 3,
        "region": 4,
    }
    layout = box("Date,Product,Sales,,Region\n,,USD,,\n2026-03-01,TV,12.50,2,N\n")
    assert (layout.columns[Column.TOTAL], layout.header) == (2, ["Date", "Product", "Sales", "", "Region"])


@pytest.mark.parametrize("price", ["¥12.50", "12.50\xa0", "1\u202f200", "１２．５０", "12.50 €", "“12.50”"])
def test_gb18030_is_known_by_other_signs_than_hanzi(box: Box, price: str) -> None:
    layout = box(f"Date,Product,Price,Amount\n2026-03-01,TV,{price},2\n".encode("gb18030"))
    assert (layout.encoding, rows_of(layout)[0][2].strip()) == ("gb18030", price.strip())


def test_two_lines_are_one_header_only_where_that_names_more(box: Box) -> None:
    assert box("Date,Product,Price,Amount\n,,CNY,pcs\n2026-03-01,TV,12.50,2\n").header_row == 0
    assert box("Sales,,,\nDate,Product,Price,Amount\n2026-03-01,TV,12.50,2\n").header_row == 1
    titled = box("数量、金额明细,,,\n,日期,产品,金额\n7,2026-03-01,TV,12.50\n")
    assert (titled.header_row, Column.AMOUNT in titled.columns) == (1, False)
    assert refusal(box, "Date,Product,x\nPrice,Amount,y\n2026-03-01,TV,12.50\n").startswith("[missing_columns]")


@pytest.mark.parametrize(
    ("header", "row", "columns"),
    [
        ("日期,产品,单价,数量,金额,地区", "2026-03-01,TV,2,3,6,华东", "date product price amount total region"),
        (
            "Date,Product,Price,Quantity,Amount,Region",
            "2026-03-01,TV,2,3,6,N",
            "date product price amount total region",
        ),
        ("Date,Product,Amount,Region", "2026-03-01,TV,2,N", "date product total region"),
        ("Date,Product,Quantity,Amount", "2026-03-01,TV,2,8", "date product amount total"),
        ("Date,Product,Price,Amount,Total", "2026-03-01,TV,2,8,16", "date product price amount total"),
        ("Date,Product,Price,Quantity,Total,Amount", "2026-03-01,TV,2,8,16,9", "date product price amount total -"),
        ("Date,Product,Price,Price,Amount", "2026-03-01,TV,,8,16", "date product - price amount"),
        ("Date,Product,Amount,Converted Amount", "2026-03-01,TV,8,56", "date product total"),
        ("Date,Product,Paid Out Amount,Amount", "2026-03-01,TV,8,56", "date product - total"),
        ("Date,Product,Price,Booked Amount", "2026-03-01,TV,2,8", "date product price amount"),
        ("Date,Product,Price,Total,Region", "2026-03-01,TV,2,8,N", "date product - total region"),
        ("Date,Product,Price,Unit Price,Quantity", "2026-03-01,TV,6,2,3", "date product - price amount"),
    ],
)
def test_columns_find_their_meaning(box: Box, header: str, row: str, columns: str) -> None:
    layout = box(f"{header}\n{row}\n")
    expected = {Column(name): place for place, name in enumerate(columns.split()) if name != "-"}
    assert layout.columns == expected
    assert ("no_region_column" in codes(layout)) == (Column.REGION not in expected)
    assert ("no_price_column" in codes(layout)) == (Column.PRICE not in expected)
    assert ("no_amount_column" in codes(layout)) == (Column.AMOUNT not in expected)
    assert ("duplicate_header" in codes(layout)) == ("Price,Price" in header)


def test_a_table_without_header_is_read_by_its_content(box: Box) -> None:
    rows = "".join(f"20260{m}01,P{m},{m}.50,{m + 1},华{'东' if m % 2 else '北'}\n" for m in range(1, 7))
    layout = box("某公司日报\n" + rows)
    assert layout.columns == PLACES
    assert (layout.header_row, layout.header, layout.skip, layout.first_line) == (-1, [], 1, 2)
    assert codes(layout) == ["no_header"]
    totals = "".join(f"2026-01-{m + 10},{m}.50,P{m},{m + 1},{(m + 1) * (m * 10 + 5) / 10:.2f}\n" for m in range(1, 7))
    layout = box(totals + "合计,,,,9\n")
    assert set(codes(layout)) == {"no_header", "no_region_column"}
    assert layout.columns == {Column.DATE: 0, Column.PRICE: 1, Column.PRODUCT: 2, Column.AMOUNT: 3, Column.TOTAL: 4}
    assert box(rows, mapping={"product": "2"}).columns == PLACES
    for first in ("20260101,P0,0.50,1\n", "20260101,P0,0.50,1,华东,more\n"):  # a row too short or long is one, too
        assert box(f"日报,20260101,20260601\n,20260101,\n{first}{rows}").first_line == 3
    plain_names = rows.replace("华东", "x").replace("华北", "y")
    assert box(plain_names).columns == PLACES
    assert refusal(box, "2026-01-11,a,1.5,2,7,4\n2026-01-12,b,1.5,2,7,4\n").startswith("[missing_columns]")
    assert refusal(box, ("1," * 150 + "2026-01-01\n") * 3).startswith("[missing_columns]")


def test_a_header_may_be_too_wide_to_be_one(box: Box) -> None:
    assert refusal(box, ",".join(["Date", "Product", *["x"] * 600]) + "\n").startswith("[")
    assert box("x," * 600 + "\n" + CLEAN).header_row == 1


# --- dialects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "cells", "opened_"),
    [
        ('a,"b,c",d', ["a", "b,c", "d"], -1),
        ('a, "b" ,d', ["a", "b", "d"], -1),
        ('a,27" TV,d', ["a", '27" TV', "d"], -1),
        ('a,"b" c,d', ["a", '"b" c', "d"], -1),
        ('a,"b,d', ["a", '"b', "d"], 2),
        ('"55\\", black",d', ['55", black', "d"], -1),
        ('"C:\\","D:\\",d', ["C:\\", "D:\\", "d"], -1),
        ('="1,5",x', ['="1,5"', "x"], -1),
        ('"a",', ["a", ""], -1),
        ("", [""], -1),
    ],
)
def test_a_line_is_split_as_people_meant_it(line: str, cells: list[str], opened_: int) -> None:
    assert split(line, Dialect(",")) == (cells, opened_)


def test_a_quotation_mark_that_is_never_closed_swallows_nothing(box: Box) -> None:
    rows = [f"2026-03-01,TV{place},1,2,North" for place in range(40)]
    for broken in (3, 38, 39):
        lines = list(rows)
        lines[broken] = lines[broken].replace("TV", '"55 inch')
        sales, lost = sales_of(box("Date,Product,Price,Amount,Region\n" + "\n".join(lines)))
        assert (len(sales), lost) == (40, 0)
        assert sales[broken][1] == f'"55 inch{broken}'
    halves = ["Date,Product,Price,Amount,Region", '2026-03-01,"A', "b", '2026-03-01,"C', "d", "e", *rows]
    assert len(sales_of(box("\n".join(halves)))[0]) == 40
    note = '2026-03-01,"' + "\n".join(["note"] * 30) + '",1,2,North\n'
    assert len(sales_of(box("Date,Product,Price,Amount,Region\n" + note + "\n".join(rows)))[0]) == 40
    long = '2026-03-01,"' + "x" * 90_000 + "\n" + "x" * 90_000 + '",1,2,North\n'
    assert len(sales_of(box("Date,Product,Price,Amount,Region\n" + long + "\n".join(rows)))[0]) == 40


def test_two_halves_that_do_not_make_a_record_stay_apart(box: Box) -> None:
    lines = ["Date,Product,Price,Amount,Region", '2026-03-01,"TV', 'x,y",1,2,North,more', "2026-03-01,Radio,1,2,North"]
    assert len(sales_of(box("\n".join([*lines, lines[-1], lines[-1]])))[0]) == 3


def test_marks_without_end_are_not_looked_for_forever(box: Box) -> None:
    rows = '2026-03-01,"TV,1,2,North\n' * 20_100
    assert len(sales_of(box("Date,Product,Price,Amount,Region\n" + rows))[0]) == 20_100


def test_long_lines_make_a_short_head(box: Box) -> None:
    wide = f"2026-03-01,{'x' * 120_000},1,2,North\n"
    assert len(sales_of(box("Date,Product,Price,Amount,Region\n" + wide * 12))[0]) == 12


def test_cells_of_several_lines_are_one_record_each(box: Box) -> None:
    head = 'Date,Product,"Price\n(EUR)","Amount\n(pieces)",Region\n'
    rows = '2026-03-01,"TV\na ""big""\none",1,2,"No\nrth"\n' * 3 + "2026-03-01,TV,1,2,North\n" * 3
    sales, lost = sales_of(box(head + rows))
    assert (len(sales), lost) == (6, 0)
    assert sales[0][1] == 'TV a "big" one'
    halves = '2026-03-01,"TV\nx",y,"z\n2026-03-01,TV,1,2,North\n2026-03-01,"TV\nv,w,x,y,z"\n'
    assert len(sales_of(box(head + halves + rows))[0]) == 7


def test_the_told_delimiter_counts_only_where_it_is_used(box: Box) -> None:
    assert box("sep=;\n" + CLEAN).source_delimiter == ","
    assert box("sep=\t\n" + CLEAN.replace(",", "\t")).source_delimiter == "\t"
    assert box("sep=\\t\n" + CLEAN.replace(",", "\t")).header_row == 1


# --- encodings ----------------------------------------------------------------------------------------------------


def test_bytes_that_fit_nothing_are_a_warning(box: Box) -> None:
    text = CLEAN.replace("TV", "华为手机电视").encode()
    layout = box(text.replace("手".encode(), b"\xe6\xff"))
    assert (layout.encoding, codes(layout)[0]) == ("utf-8", "encoding_errors")
    assert layout.warnings[0].blanks == {"count": 2}
    layout = box(CLEAN.replace("TV", "华为手机电视").encode("gb18030").replace("为".encode("gb18030"), b"\xff\xff"))
    assert (layout.encoding, codes(layout)[0]) == ("gb18030", "encoding_errors")
    assert box(CLEAN.encode() + b"\xff\xfe\xfd,\n").encoding == "utf-8"
    assert codes(box(CLEAN.encode("utf-16-le") + b"x")) == ["encoding_errors"]
    assert codes(box(CLEAN.encode("utf-16-le") + b"\x00\xd8" + b"1\0" * 20)) == ["encoding_errors"]
    assert box(CLEAN.encode("utf-16")).encoding == "utf-16-le"
    assert codes(box("\ufeff".encode() + CLEAN.encode().replace(b"TV", b"T\xff"))) == ["encoding_errors"]
    assert codes(box(CLEAN.encode().replace(b"South\n", "é".encode()[:1]))) == []
    assert box(CLEAN.replace("TV", "12 €").encode("cp1252")).encoding == "cp1252"


def test_hanzi_across_the_border_of_two_chunks_are_utf8(box: Box) -> None:
    row = "2026-03-01,电视,1,2,华东\n"
    data = (CLEAN + row * 40_000).encode()
    assert box(data).path.name == "sales.csv"
    assert box(data + b"\xe7\n" + CLEAN.encode() * 30_000, thorough=True).encoding == "utf-8"


# --- pages and workbooks ------------------------------------------------------------------------------------------


def test_a_page_is_a_table(box: Box) -> None:
    page = """<html><head><meta charset=gbk><script>if (a < b) "<table>"</script><!-- <tr><td> --></head>
    <table><tr><td>menu</table><table border=1>
    <tr><th colspan=5>2026 &amp; more</tr>
    <tr><th>日期<th>产品<br>名称<th>单价<th>数量<th>地区
    <tr><td rowspan=2>2026-03-01<td>电视<td>1<td>2<td>华东
    <tr><td>冰箱</td><td>3<p></td><td>4</td><td>&lt;华北&gt;</td></tr><tr></tr>
    <tr><td>a < b<td/><td"""
    layout = box(page.encode("gbk"), name="x.xls")
    assert (layout.format, layout.encoding, layout.header_row) == ("html", "gb18030", 1)
    assert rows_of(layout) == [
        ["2026-03-01", "电视", "1", "2", "华东"],
        ["", "冰箱", "3", "4", "<华北>"],
        ["", "", "", "", ""],
        ["a < b", "", "", "", ""],
    ]
    many = page + "<!-- " + "x" * 600_000 + " -->" + "<tr><td>b<style>" + "y" * 300_000 + "</style><tr><td>c"
    assert [row[0] for row in rows_of(box(many.replace("gbk", "utf-8")))][-2:] == ["b", "c"]
    assert rows_of(box(page.replace("<td>a < b<td/><td", "<td>" + "x " * 300_000)))[-1][0].startswith("x x x")
    assert codes(box(page.replace("gbk", "nonsense").replace("电视", "电\0视"))) == ["nul_bytes"]
    assert codes(box(page.encode("gbk").replace("电".encode("gbk"), b"\xff")))[0] == "encoding_errors"
    two = page.replace("gbk", "utf-8") + "</table><table><tr><td>1" + "<tr><td>2" * 400 + "</table>"
    assert len(rows_of(box(two))) == 4
    sheets = page.count("<table")
    assert refusal(box, page, limits=Limits(sheets=sheets - 2)).startswith("[not_a_table]")


def test_excels_xml_is_a_table(box: Box) -> None:
    def row(cells: list[str]) -> str:
        return "<Row>" + "".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>' for cell in cells) + "</Row>"

    book = (
        '<?xml version="1.0"?><Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table>'
        + row(["日期", "产品", "单价", "数量", "地区"])
        + row(["2026-03-01T00:00:00.000", "电视", "1", "2", "华东"])
        + '<Row><Cell ss:Index="2"><Data>x</Data></Cell></Row></Table></Worksheet></Workbook>'
    )
    assert rows_of(box(book))[0][:3] == ["2026-03-01T00:00:00.000", "电视", "1"]
    assert rows_of(box(book))[1] == ["", "x", "", "", ""]


TABLE = [["日期", "产品", "单价", "数量", "地区"], ["2026-03-01", "电视", "1", "2", "华东"]]


def test_the_sheet_with_our_columns_is_taken(box: Box) -> None:
    sheets = {"Cover": [["Welcome"]], "Empty": [], "Only header": TABLE[:1], "Sales": [*TABLE], "Old": TABLE * 2}
    assert box(xlsx(sheets)).sheet == "Sales"
    assert box(xlsx(sheets), sheet=" old").sheet == "Old"
    assert box(xlsx(sheets), sheet="5").sheet == "Old"
    assert 'no sheet "9"' in refusal(box, xlsx(sheets), sheet="9")
    assert refusal(box, xlsx(sheets), sheet="Cover").startswith("[not_a_table]")
    assert box(xlsx({"A": TABLE, "B": TABLE}, hide=' state="hidden"')).sheet == "B"
    assert box(xlsx({"A": TABLE}, hide=' state="hidden"')).sheet == "A"
    assert "It has: Date, Product, x" in refusal(
        box, xlsx({"A": [["Date", "Product", "x"]] * 2, "B": [["y", "z"]] * 2})
    )


def test_further_sheets_with_sales_are_told(box: Box) -> None:
    table = [["Date", "Product", "Total"], ["2026-03-01", "TV", "3"]]
    empty: list[list[str]] = []
    layout = box(xlsx({"Notes": [["x"]], "March": table, "April": table, "Empty": empty, "Head": table[:1]}))
    assert [(one.code, one.blanks) for one in layout.warnings][-1] == (
        "other_sheets",
        {"read": "March", "others": "April"},
    )
    assert "other_sheets" not in codes(box(xlsx({"March": table, "April": table}), sheet="April"))
    page = "<table>" + "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in table) + "</table>"
    assert {"read": "1", "others": "2"} in [one.blanks for one in box(page * 2).warnings]


def test_values_of_cells_are_text_as_excel_shows_it(box: Box) -> None:
    raw = (
        '<row r="3">' + "".join(f'<c r="{c}3" t="str"><v>{name}</v></c>' for c, name in zip("BCDEFG", [*TABLE[0], "ok"],
        strict=True)) + '</row><row r="4"><c r="B4"><v>46082</v></c><c r="C4" t="str"><v>TV</v></c>'
        '<c r="D4"><v>0.30000000000000004</v></c><c r="E4"><v>3</v></c><c r="F4" t="e"><v>#REF!</v></c>'
        '<c r="G4" t="b"><v>1</v></c></row>'
    )  # fmt: skip
    layout = box(xlsx({"S": TABLE}, raw=raw, more='<workbookPr date1904="1"/>'))
    assert rows_of(layout) == [["", "46082", "TV", "0.3", "3", "", "TRUE"]]
    assert (layout.epoch1904, layout.header_row, layout.first_line, layout.format) == (True, 2, 4, "xlsx")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (False, "FALSE"), (12.0, "12"), (1e22, "10000000000000000000000"), (1.5e-7, "0.00000015"),
        (float("inf"), ""), (date(2026, 3, 1), "2026-03-01"), (datetime(2026, 3, 1), "2026-03-01"),  # noqa: DTZ001
        (datetime(2026, 3, 1, 9, 30), "2026-03-01 09:30:00"), (time(9, 30), "09:30:00"),  # noqa: DTZ001
        (timedelta(hours=1), "1:00:00"), (7, "7"), (None, ""),
    ],
)  # fmt: skip
def test_every_kind_of_value_has_a_text(value: object, text: str) -> None:
    assert text_of(value) == text


def test_a_parser_that_trips_is_not_our_bug(box: Box) -> None:
    broken = xlsx({"S": TABLE}).replace(b"xl/worksheets/sheet1.xml", b"xl/worksheets/sheet9.xml")
    assert refusal(box, broken).startswith("[not_a_table]")
    with pytest.raises(ZeroDivisionError), reading("xlsx"):
        raise ZeroDivisionError


def test_ods_repeats_are_counted_only_where_something_stands(box: Box) -> None:
    rest = (
        '<table:table-row table:number-rows-repeated="1048576">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    layout = box(ods(TABLE, raw=rest))
    assert (rows_of(layout), layout.sheet, layout.format) == ([TABLE[1]], "T", "ods")


# --- .xls: a compound file of our own -----------------------------------------------------------------------------


def record(number_: int, body: bytes) -> bytes:
    return struct.pack("<HH", number_, len(body)) + body


def xls(rows: list[list[str | float]], *, more: bytes = b"", pad: int = 4096, sheet: bytes = b"") -> bytes:
    """An Excel 97 workbook of one sheet."""
    body = record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            start = struct.pack("<HHH", row, column, 0)
            if isinstance(cell, float):
                body += record(0x203, start + struct.pack("<d", cell))
            else:
                body += record(0x204, start + struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le"))
    body += sheet + record(0x0A, b"")
    name = b"S"
    bound = struct.pack("<BBBB", 0, 0, len(name), 0) + name
    head = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0)) + more
    place = len(head) + 4 + 4 + len(bound) + 4
    stream = head + record(0x85, struct.pack("<I", place) + bound) + record(0x0A, b"") + body
    stream = stream.ljust(pad, b"\0")
    return biff.compound(stream) if pad > 4096 else compound({"Workbook": stream})


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file; a stream under 4096 bytes lies in 64-byte sectors as the format wants it."""
    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    entries, sectors, fat = [], b"", [0xFFFFFFFD, end]  # sector 0 is the FAT, 1 the directory
    mini = b""
    mini_fat: list[int] = []

    def store(data: bytes) -> int:
        nonlocal sectors
        first, count = len(fat), -(-len(data) // 512)
        sectors += data.ljust(count * 512, b"\0")
        fat.extend([*range(first + 1, first + count), end])
        return first

    def entry(name: str, kind: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<III", free, free, 1 if kind == 5 else free)
        return text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1) + links + bytes(36) + struct.pack(
            "<III", start, size, 0)  # fmt: skip

    for name, data in streams.items():
        if len(data) >= 4096:
            entries.append(entry(name, 2, store(data), len(data)))
        else:
            first, count = len(mini_fat), -(-len(data) // 64)
            entries.append(entry(name, 2, first, len(data)))
            mini += data.ljust(count * 64, b"\0")
            mini_fat += [*range(first + 1, first + count), end]
    root = store(mini) if mini else end
    table = store(struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(512, b"\xff")) if mini else end
    directory = entry("Root Entry", 5, root, len(mini)) + b"".join(entries)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<9I", 0, 1, 1, 0, 4096, table, int(bool(mini)), end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    return header + struct.pack(f"<{len(fat)}I", *fat).ljust(512, b"\xff") + directory.ljust(512, b"\0") + sectors


XLS: list[list[str | float]] = [["日期", "产品", "单价", "数量", "地区"], ["2026-03-01", "电视", 1.5, 2.0, "华东"]]


def test_an_old_workbook_is_read(box: Box) -> None:
    layout = box(xls(XLS), name="x.csv")
    assert (layout.format, layout.epoch1904, rows_of(layout)) == (
        "xls",
        False,
        [["2026-03-01", "电视", "1.5", "2", "华东"]],
    )
    assert box(xls(XLS, more=record(0x22, b"\x01\0"))).epoch1904
    assert rows_of(box(xls(XLS, pad=0)))[0][1] == "电视"
    looping = xls(XLS)[:68] + struct.pack("<II", 0, 1) + xls(XLS)[76:]  # its table of sectors goes round
    assert rows_of(box(looping))[0][1] == "电视"
    assert rows_of(box(looping[:1020] + bytes(4) + looping[1024:]))[0][1] == "电视"
    claims = record(
        0x200, struct.pack("<IIHHH", 0, 0xFFFFFFF0, 0, 256, 0)
    )  # a parser would reserve room for these rows
    assert rows_of(box(xls(XLS, sheet=claims)))[0][1] == "电视"
    assert rows_of(box(xls(XLS, pad=8_000_000)))[0][1] == "电视"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (xls(XLS, more=record(0x2F, b"\0" * 6)), "password"),
        (compound({"EncryptedPackage": b"x" * 5000}), "password"),
        (compound({"WordDocument": b"x" * 5000}), "OLE"),
        (xls(XLS, sheet=record(0x203, struct.pack("<HHHd", 65535, 255, 0, 1.0))), "exceed the limit"),
        (xls(XLS, sheet=record(0xBD, struct.pack("<HHHH", 65535, 0, 0, 255))), "exceed the limit"),
        (xls(XLS)[:600], "XLS"),
        (xls(XLS)[:30] + b"\x05\0" + xls(XLS)[32:], "XLS"),
        (xls(XLS)[:512] + struct.pack("<4I", 0xFFFFFFFD, 1, 2, 2) + xls(XLS)[528:], "XLS"),
    ],
)
def test_an_old_workbook_that_is_none_is_refused(box: Box, data: bytes, words: str) -> None:
    message = refusal(box, data)
    assert message.startswith("[not_a_table]")
    assert words in message


def test_a_delimiter_at_the_end_of_each_line_makes_no_column(box: Box) -> None:
    head, row = "日期,商品,单价,数量,地区,,", "2026-03-01,灯,10,1,华东,,"
    lines = f"{head}\n{row}\n{row}\n2026-03-01,灯,1,299,2,华东,"
    assert box(lines).width == 5
    assert box(f"{head}\n" + "2026-03-01,灯,10,1,华东,急,\n" * 2).width == 5
    assert box(f"{head}\n".replace(",", ";") + "2026-03-01;灯;10;1;华东;急;\n" * 2).width == 6
    numbered = box(lines, mapping={"region": "6"})
    assert (numbered.width, numbered.columns[Column.REGION]) == (6, 5)
