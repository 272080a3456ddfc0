import base64
import hashlib
import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from opskit import wording
from opskit.sales.charts import png, trend
from opskit.sales.exports import Cell, Document, Figure, Heading, Kind, Table, book, page
from opskit.sales.exports.names import sheet_names
from opskit.sales.exports.showing import clean, number, width
from opskit.wording import Locale

ROOT = Path(__file__).resolve().parents[2]
BOOK = sys.modules["opskit.sales.exports.book"]
NAMESPACE = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
PICTURE = png(trend([(date(2026, 10, 1), Decimal(100)), (date(2026, 10, 2), Decimal(120))], locale="en_US"))
FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "＝1+1",
    "－1",
    "＠x",
    "＋1",
]
HOSTILE = [
    *FORMULAS,
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "](javascript:alert(1)) **bold** `code` | x |",
    "</style></title><!-- ]]> &lt; &#60;",
    "http://example.com/",
    "mailto:somebody@example.com",
    "internal:Sheet1!A1",
    "{=A1}",
    "<r><t>markup</t></r>",
    "x" * 5000,
    "长" * 40_000,
    "\U0001f600" * 20_000,
    "\u202eevil\u202d \u2066שלום\u2069 مرحبا",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e8\U0001f1f3",
    "nul\x00 bell\x07 delete\x7f next\x85 vertical\x0b",
    "half \ud83d pair",
    "_x0041_ _x000D_",
    "\ufffe\uffff\ufdd0\U0010ffff",
    "0012",
    "1e5",
    "two\r\nlines\rand a third",
    "",
    " \t\n ",
]


def table(*kinds: Kind, rows: Sequence[tuple[Cell, ...]], sheet: str = "Rows", title: str = "Title") -> Table:
    return Table(title, sheet, tuple(Heading(f"head {kind}", kind) for kind in kinds), rows)


def document(*tables: Table, locale: Locale = "en_US") -> Document:
    return Document(
        locale=locale,
        title="Sales of 31 October",
        lines=("Sales 1,000.00, +10.3 %.", "Towels raised them.", "Next week: 7,000.00."),
        figures=(Figure("Sales", "1,000.00", "+10.3%"), Figure("Orders", "12")),
        findings=("Towels sell best.", "The East leads."),
        pictures=(("Daily sales", PICTURE),),
        tables=tables,
        quality="12 rows, all counted.",
    )


def hostile() -> Document:
    """Every hostile text in every place that takes one."""
    texts = tuple(HOSTILE)
    plain = tuple(text for text in HOSTILE if len(text) < 6000)
    tables = tuple(
        Table(text, text, (Heading(text, "text"), Heading(text, "money")), [(text, Decimal(1))], note=text)
        for text in plain
    )
    everything = Table("All", "All", (Heading("Text", "text"),), [(text,) for text in texts])
    return Document(
        locale="en_US",
        title="".join(plain),
        lines=plain,
        figures=tuple(Figure(text, text, text) for text in plain),
        findings=plain,
        pictures=tuple((text, PICTURE) for text in plain),
        tables=(*tables, everything),
        quality="".join(plain),
    )


# The page


class Outline(HTMLParser):
    """What a browser would see: elements with attributes, and the text of each kind of element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), "an attribute is there twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "img", "br"}:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def outline(made: Document) -> Outline:
    return Outline(page(made).decode())


def cells(*rows: tuple[Cell, ...], kinds: tuple[Kind, ...]) -> list[tuple[str, str]]:
    """Look and text of the cells of a page's table."""
    found = re.findall(
        r'<(?:td|th scope="row") class="([^"]*)">([^<]*)<', page(document(table(*kinds, rows=rows))).decode()
    )
    return [(look, text) for look, text in found]


def test_a_page_says_everything_in_order() -> None:
    made = document(table("text", "money", rows=[("Towel", Decimal("1234.5"))]))
    seen = outline(made)
    assert not seen.open
    assert seen.texts["h1"] == seen.texts["title"] == [made.title]
    assert seen.texts["p"] == [*made.lines, made.quality]
    assert seen.texts["li"] == list(made.findings)
    assert seen.texts["dt"] == ["Sales", "Orders"]
    assert seen.texts["dd"] == ["1,000.00", "+10.3%", "12"]
    assert seen.texts["h2"] == ["Findings", "Title", "Data quality"]
    assert seen.texts["th"] == ["head text", "head money", "Towel"]
    assert seen.texts["td"] == ["1,234.50"]


@pytest.mark.parametrize(("locale", "language"), [("zh_Hans", "zh-Hans"), ("en_US", "en")])
def test_a_page_names_its_language(locale: Locale, language: str) -> None:
    text = page(document(locale=locale)).decode()
    assert text.startswith(f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">')
    assert wording.say(locale, "exports.findings") in text


def test_a_page_asks_nothing_of_anybody() -> None:
    text = page(hostile()).decode()
    seen = Outline(text)
    [policy] = [meta["content"] for meta in seen.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    [style] = seen.texts["style"]
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style
    assert "@import" not in style
    for tag, attributes in seen.elements:
        assert tag not in {"script", "iframe", "object", "embed", "base", "a", "form"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            assert name not in {"src", "href", "srcset"} or (value or "").startswith("data:")


def test_what_a_cell_says_is_never_markup() -> None:
    calm, wild = hostile(), hostile()
    harmless = tuple("x" for _ in calm.lines)
    calm = replace(
        calm,
        title="x",
        lines=harmless,
        findings=harmless,
        quality="x",
        figures=tuple(Figure("x", figure.value, "x" if figure.note else "") for figure in calm.figures),
        pictures=tuple(("x", PICTURE) for _ in calm.pictures),
    )
    names = [[tag for tag, _ in outline(made).elements] for made in (calm, wild)]
    assert names[0] == names[1]
    assert "<script" not in page(wild).decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page(wild).decode()


def test_a_page_holds_only_characters_that_html_lets_in() -> None:
    text = page(hostile()).decode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]", text)
    assert "half \ufffd pair" in text


def test_numbers_on_a_page_stand_right_with_thousands_and_signs() -> None:
    kinds: tuple[Kind, ...] = ("date", "money", "count", "quantity", "percent", "text")
    row = (date(2026, 3, 1), Decimal("-1234567.895"), 12345, Decimal("1234.5000"), Decimal("12.345"), Decimal("1.50"))
    assert cells(row, kinds=kinds) == [
        ("date", "2026-03-01"),
        ("number less", "-1,234,567.90"),
        ("number", "12,345"),
        ("number", "1,234.5"),
        ("number", "12.35%"),
        ("text", "1.5"),
    ]


def test_what_is_not_there_is_a_dash() -> None:
    assert cells(("", None), (" \x00 ", None), kinds=("text", "money")) == [
        ("text nothing", "–"),
        ("number nothing", "–"),
        ("text nothing", "–"),
        ("number nothing", "–"),
    ]


def test_a_long_name_is_cut_in_its_middle() -> None:
    [(look, text), *_] = cells(("begin " + "x" * 500 + " end",), kinds=("text",))
    assert look == "text wrapped"
    assert text.startswith("begin x")
    assert text.endswith("x end")
    assert width(text) <= 96
    [(_, text), *_] = cells(("长" * 5000 + "尾",), kinds=("text",))
    assert text == "长" * 35 + "…" + "长" * 11 + "尾"
    assert cells(("short",), kinds=("text",)) == [("text", "short")]
    assert cells(("y" * 96,), kinds=("text",)) == [("text wrapped", "y" * 96)]


def test_a_long_table_ends_on_a_page_and_says_so() -> None:
    made = document(replace(table("count", rows=[(place,) for place in range(1201)]), note="By number."))
    seen = outline(made)
    assert "The first 200 of 1,201 rows" in "".join(seen.texts["p"])
    assert "By number." in "".join(seen.texts["p"])
    assert len(seen.all("tr")) == 201


def test_an_empty_table_says_so() -> None:
    assert outline(document(table("text", "money", rows=[]))).texts["td"] == ["No rows"]


def test_a_page_of_nothing_is_still_a_page() -> None:
    seen = outline(Document("en_US", "Nothing"))
    assert [tag for tag, _ in seen.elements if tag in {"section", "dl", "ol", "figure", "footer"}] == []


def test_a_picture_is_inside_with_its_size() -> None:
    [image] = outline(document()).all("img")
    assert image["alt"] == "Daily sales"
    assert base64.b64decode((image["src"] or "").removeprefix("data:image/png;base64,")) == PICTURE
    assert (image["width"], image["height"]) == ("900", str(int.from_bytes(PICTURE[20:24])))


def test_a_picture_that_is_no_png_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="PNG"):
        page(replace(document(), pictures=(("x", b"<svg/>"),)))


@pytest.mark.parametrize(
    ("values", "looks"),
    [
        (["1"] * 4, "figures four"),
        (["1"] * 6, "figures"),
        (["1", "2", "3", "12,345,678,901.25"], "figures"),
    ],
)
def test_tiles_leave_no_gap(values: list[str], looks: str) -> None:
    made = replace(document(), figures=tuple(Figure("x", value) for value in values))
    seen = outline(made)
    assert [attributes["class"] for attributes in seen.all("dl")] == [looks]
    assert [attributes.get("class") for attributes in seen.all("div")].count("long") == (max(map(len, values)) > 11)


# The workbook


class Sheets:
    """A workbook as a reader and as a zip of XML sees it."""

    def __init__(self, made: Document) -> None:
        data = book(made)
        self.zip = zipfile.ZipFile(io.BytesIO(data))
        self.read = CalamineWorkbook.from_filelike(io.BytesIO(data))
        self.names = self.read.sheet_names

    def rows(self, place: int) -> list[list[Any]]:
        return self.read.get_sheet_by_index(place).to_python()

    def xml(self, name: str) -> ET.Element:
        return ET.fromstring(self.zip.read(name))  # noqa: S314 - our own

    def cells(self, place: int) -> dict[str, ET.Element]:
        return {
            cell.attrib["r"]: cell for cell in self.xml(f"xl/worksheets/sheet{place}.xml").iterfind(".//m:c", NAMESPACE)
        }

    def style(self, cell: ET.Element) -> dict[str, str]:
        """Attributes of a cell's format, and the code of its number format."""
        styles = self.xml("xl/styles.xml")
        form = styles.findall("m:cellXfs/m:xf", NAMESPACE)[int(cell.get("s", "0"))]
        codes = {
            each.attrib["numFmtId"]: each.attrib["formatCode"] for each in styles.iterfind(".//m:numFmt", NAMESPACE)
        }
        built_in = {"0": "General", "3": "#,##0", "4": "#,##0.00", "10": "0.00%"}
        return form.attrib | {"code": (codes | built_in)[form.attrib["numFmtId"]]}


def test_a_book_begins_with_the_summary() -> None:
    rows = table("text", "money", rows=[("Towel", Decimal(5))], sheet="Products", title="Top products")
    sheets = Sheets(document(rows, replace(rows, sheet="Days", note="Each day."), locale="en_US"))
    assert sheets.names == ["Summary", "Products", "Days"]
    assert [[cell for cell in row if cell] for row in sheets.rows(0) if any(row)] == [
        ["Sales of 31 October"],
        ["Sales 1,000.00, +10.3 %."],
        ["Towels raised them."],
        ["Next week: 7,000.00."],
        ["Key figures"],
        ["Sales", "1,000.00", "+10.3%"],
        ["Orders", "12"],
        ["Findings"],
        ["1. Towels sell best."],
        ["2. The East leads."],
        ["Data quality"],
        ["12 rows, all counted."],
        ["Sheets"],
        ["Products", "Rows: 1", "Top products"],
        ["Days", "Rows: 1", "Each day."],
    ]


def test_a_book_of_nothing_is_still_a_book() -> None:
    assert [row for row in Sheets(Document("zh_Hans", "无")).rows(0) if any(row)] == [["无"]]


def test_a_sheet_is_ready_to_sort_and_filter() -> None:
    sheet = Sheets(document(table("text", "money", rows=[("a", Decimal(1)), ("b", Decimal(2))]))).xml(
        "xl/worksheets/sheet2.xml"
    )
    assert sheet.find(".//m:pane", NAMESPACE).attrib["ySplit"] == "1"  # type: ignore[union-attr]
    assert sheet.find(".//m:pane", NAMESPACE).attrib["state"] == "frozen"  # type: ignore[union-attr]
    assert sheet.find("m:autoFilter", NAMESPACE).attrib["ref"] == "A1:B3"  # type: ignore[union-attr]


def test_cells_are_what_they_are() -> None:
    kinds: tuple[Kind, ...] = ("date", "money", "count", "quantity", "quantity", "percent", "text")
    row = (date(2026, 3, 1), Decimal("-1285.64"), 12, Decimal(3), Decimal("2.5"), Decimal("12.34"), Decimal("1.5"))
    sheets = Sheets(document(table(*kinds, rows=[row, (None,) * 7])))
    assert sheets.rows(1)[1] == [date(2026, 3, 1), -1285.64, 12, 3, 2.5, 0.1234, 1.5]
    codes = [sheets.style(cell)["code"] for name, cell in sheets.cells(2).items() if name.endswith("2")]
    assert codes == ["yyyy-mm-dd", "#,##0.00", "#,##0", "#,##0", "#,##0.0##", "0.00%", "General"]
    assert not [name for name in sheets.cells(2) if name.endswith("3")]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("1234567890123.45"), 1234567890123.45),
        (Decimal("1234567890123.456"), "1234567890123.456"),
        (Decimal("-9999999999999999.99"), "-9999999999999999.99"),
        (Decimal(12345678901234500000), 12345678901234500000.0),
        (Decimal("-0.00"), 0.0),
        (Decimal("0E-500"), 0.0),
        (Decimal("1E+300"), "1E+300"),
        (Decimal("1E-300"), "1E-300"),
        (Decimal("NaN"), "NaN"),
        (Decimal("Infinity"), "Infinity"),
    ],
)
def test_no_cent_is_lost(value: Decimal, shown: object) -> None:
    assert Sheets(document(table("money", rows=[(value,)]))).rows(1)[1] == [shown]


def test_a_day_that_excel_does_not_know_is_text() -> None:
    rows = [(date(1899, 12, 31),), (date(1900, 1, 1),)]
    assert Sheets(document(table("date", rows=rows))).rows(1)[1:] == [["1899-12-31"], [date(1900, 1, 1)]]


def test_text_stays_text() -> None:
    sheets = Sheets(hostile())
    for name in sheets.zip.namelist():
        if name.endswith(".xml"):
            sheets.xml(name)  # or it is no XML
        assert b"<f>" not in sheets.zip.read(name)
        assert b"hyperlink" not in sheets.zip.read(name) or name.startswith("xl/theme/")
    last = len(sheets.names) - 1
    longest = 32_767
    expected = [clean(text).encode("utf-16-le")[: 2 * longest].decode("utf-16-le", "ignore") for text in HOSTILE]
    read = [row[0] for row in sheets.rows(last)[1:]]
    assert [text.rstrip(" ") for text in read] == [text.rstrip(" ") for text in expected]
    assert max(len(text.encode("utf-16-le")) // 2 for text in read) == longest
    kinds = {cell.get("t") for name, cell in sheets.cells(last + 1).items()}
    assert kinds == {"s"}


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_has_an_apostrophe(text: str) -> None:
    sheets = Sheets(document(table("text", rows=[(text,), ("calm - text = here",)])))
    cells = sheets.cells(2)
    assert sheets.style(cells["A2"])["quotePrefix"] == "1"
    assert "quotePrefix" not in sheets.style(cells["A3"])


def test_a_rows_markup_is_no_markup_even_at_full_length() -> None:
    text = "<r>" + "x" * 40_000 + "</r>"
    fitting = "<r>" + "x" * (32_767 - 7) + "</r>"
    rows = Sheets(document(table("text", rows=[(text,), (fitting,), ("<r><t>x</t></r>",)]))).rows(1)
    assert rows[1] == [text[:32_767]]
    assert rows[2] == [fitting[:-1] + " "]
    assert rows[3] == ["<r><t>x</t></r> "]


def test_a_table_longer_than_a_sheet_is_cut_and_the_summary_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BOOK, "MOST_ROWS", 4)
    sheets = Sheets(document(table("count", rows=[(place,) for place in range(1200)])))
    assert sheets.rows(1) == [["head count"], [0], [1], [2]]
    assert "The first 3 of 1,200 rows" in sheets.rows(0)[-1]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["Products", "products", "PRODUCTS"], ["Products", "products 2", "PRODUCTS 3"]),
        (["a/b:c?*[d]\\", "''it's''", ""], ["a b c d", "it's", "3"]),
        (["History", "x" * 40, "x" * 50], ["History 2", "x" * 31, "x" * 29 + " 2"]),
        (["\U0001f600" * 20, "\x00\n\t", "ß", "ẞ"], ["\U0001f600" * 15, "2", "ß", "ẞ 2"]),
    ],
)
def test_sheets_have_names_that_excel_takes(wanted: list[str], names: list[str]) -> None:
    assert sheet_names(wanted) == names


def test_columns_are_as_wide_as_what_they_hold() -> None:
    rows: list[tuple[Cell, ...]] = [("长" * 10, "x" * 5000, Decimal("123456789.5"), date(2026, 1, 1), None)]
    sheet = Sheets(document(table("text", "text", "money", "date", "money", rows=rows))).xml("xl/worksheets/sheet2.xml")
    wide = [float(column.attrib["width"]) for column in sheet.iterfind("m:cols/m:col", NAMESPACE)]
    assert [round(each) for each in wide] == [22, 49, 16, 14, 15]


def test_long_sentences_have_room_in_the_summary() -> None:
    made = replace(document(), findings=("长" * 500, "short", "x" * 30_000))
    rows = Sheets(made).xml("xl/worksheets/sheet1.xml").findall(".//m:row", NAMESPACE)
    heights = {row.attrib["r"]: float(row.attrib["ht"]) for row in rows if "ht" in row.attrib}
    assert sorted(heights.values())[-2:] == [165.75, 399.75]


# Both


@pytest.mark.parametrize("make", [page, book])
def test_the_same_document_gives_the_same_bytes(make: Any) -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests/core'); import test_sales_exports as t, hashlib;"
        f"print(hashlib.sha256(t.{make.__name__}(t.hostile())).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert other.strip() == hashlib.sha256(make(hostile())).hexdigest()


@pytest.mark.parametrize("make", [page, book])
def test_a_row_of_another_width_is_a_mistake(make: Any) -> None:
    with pytest.raises((ValueError, IndexError)):
        make(document(table("text", "money", rows=[("alone",)])))


def test_the_library_for_workbooks_is_loaded_when_one_is_made() -> None:
    code = "import opskit.sales.exports, sys; print('xlsxwriter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True).stdout == b"False\n"


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60), st.decimals(allow_nan=True))
def test_any_text_and_any_number_can_be_exported(text: str, value: Decimal) -> None:
    made = Document(
        locale="zh_Hans",
        title=text,
        lines=(text,),
        figures=(Figure(text, text, text),),
        findings=(text,),
        tables=tuple(
            table("text", kind, rows=[(text, value)], sheet=text) for kind in ("money", "count", "quantity", "percent")
        ),
        quality=text,
    )
    seen = outline(made)
    assert not seen.open
    sheets = Sheets(made)
    [_, (read, _)] = sheets.rows(1)
    assert read.rstrip(" ") == clean(text).rstrip(" ")


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        ("1234.565", "money", "1,234.57"),
        ("-0.004", "money", "0.00"),
        ("0.5", "count", "1"),
        ("1000", "quantity", "1,000"),
        ("1000.10", "quantity", "1,000.1"),
        ("0.0004", "quantity", "0"),
        ("-33.333", "percent", "-33.33%"),
        ("NaN", "money", "NaN"),
        ("1E+300", "money", "1E+300"),
    ],
)
def test_a_number_is_shown_as_people_write_it(value: str, kind: Kind, shown: str) -> None:
    assert number(Decimal(value), kind) == shown
