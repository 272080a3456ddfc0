"""Defects of the file around the table: container, delimiter, quotes, line ends, encoding, wrapper."""

import gzip
import zlib
from random import Random

from devtools.mixer.books import OTHER, zipped
from devtools.mixer.registry import Change, defect, named
from devtools.mixer.table import Table

_ENCODINGS = {
    "zh": ["gb18030", "gbk", "gb18030", "utf-16-le", "utf-16-be", "big5"],
    "en": ["cp1252", "cp1252", "utf-16-le", "utf-16-be"],
    "tw": ["big5", "big5", "gb18030", "utf-16-le", "utf-16-be"],
    "ja": ["shift_jis", "shift_jis", "utf-16-le", "utf-16-be"],
}


def _set(**options: object) -> Change:
    def change(table: Table, _: Random) -> bool:
        for name, value in options.items():
            setattr(table, name, dict(value) if isinstance(value, dict) else value)
        return True

    return change


_XLSX = {"container": "xlsx", "typed": True, "suffix": ".xlsx"}
for _name, _weight, _options in (
    ("xlsx", 2, _XLSX),
    ("xlsx_text", 1, _XLSX | {"typed": False}),
    ("xlsx_inline", 0.7, _XLSX | {"inline": True}),
    ("xlsx_1904", 0.5, _XLSX | {"epoch1904": True}),
    ("xlsx_digits17", 0.7, _XLSX | {"digits17": True}),
    ("xlsx_clock", 0.7, _XLSX | {"clock": True}),
    ("xlsx_cover", 0.7, _XLSX | {"sheets": ("cover", "hidden")}),
    ("xlsx_sheet_named", 0.7, _XLSX | {"sheets": ("other", "hidden"), "params": {"sheet": " 日报"}}),
    ("xlsx_sheet_numbered", 0.5, _XLSX | {"sheets": ("cover", "other"), "params": {"sheet": "3"}}),
    ("xls", 1, {"container": "xls", "typed": True, "suffix": ".xls"}),
    ("xls_text", 0.5, {"container": "xls", "suffix": ".xls"}),
    ("xls_1904", 0.3, {"container": "xls", "typed": True, "epoch1904": True, "suffix": ".xls"}),
    ("ods", 1, {"container": "ods", "typed": True, "suffix": ".ods"}),
    ("ods_text", 0.5, {"container": "ods", "suffix": ".ods"}),
    ("html", 1.5, {"container": "html", "suffix": ".xls"}),
    ("html_spans", 0.7, {"container": "html", "suffix": ".xls", "spans": True, "params": {"fill_down": "true"}}),
    ("xml_2003", 0.7, {"container": "xml", "suffix": ".xls"}),
):
    named(_name, _set(**_options), "container", _weight)
for _name, _mark in {
    "semicolon": ";",
    "tab": "\t",
    "pipe": "|",
    "wide_comma": "，",
    "ctrl_a": "\x01",
    "caret": "^",
}.items():
    named(f"delimiter_{_name}", _set(delimiter=_mark), "delimiter")
named("quoted_all", _set(quoting="all"), "quoting")
named("quoted_lines", _set(quoting="wrapped"), "quoting")
named("quotes_backslash", _set(quoting="backslash"), "quoting", 0.5)
named("quotes_raw", _set(quoting="raw"), "quoting")
named("ends_crlf", _set(newline="\r\n"), "ends", 2)
named("ends_cr", _set(newline="\r"), "ends")
named("ends_mixed", _set(newline="mixed"), "ends")
named("no_last_end", _set(ending="none"), "end")
named("ctrl_z", _set(ending="ctrl-z"), "end")
named("blank_end", _set(ending="blank"), "end")
named("sep_line", _set(sep=True), "", 0.7)
named("trailing_delimiters", _set(trailing="all"), "trailing")
named("trailing_in_rows", _set(trailing="rows"), "trailing", 0.5)
named("trailing_in_header", _set(trailing="header"), "trailing", 0.3)
named("spaces_behind_delimiters", _set(spaced=True), "", 0.5)
named("nul_bytes", _set(nul=True), "", 0.4)
named("damaged_bytes", _set(damaged=True), "", 0.5)
for _name in ("gzip", "zip", "zip_folder", "zip_gzip"):
    named(_name, _set(wrapper=_name), "wrapper")


@defect("encoding", 5)
def other_encoding(table: Table, dice: Random) -> bool:
    """Any of the encodings of the language; one that cannot hold the text gives way to UTF-8."""
    table.encoding = dice.choice(_ENCODINGS[table.language])
    table.bom = table.encoding.startswith("utf-16") and dice.random() < 0.5
    return True


@defect("encoding")
def bom(table: Table, _: Random) -> bool:
    """UTF-8 with a byte order mark."""
    table.bom = True
    return True


@defect(weight=0.5)
def wrong_suffix(table: Table, dice: Random) -> bool:
    """A name that says something else."""
    table.suffix = dice.choice([".csv", ".xls", ".xlsx", ".txt", ".dat", ""])
    return True


def _hopeless(code: str, data: bytes) -> Change:
    def change(table: Table, _: Random) -> bool:
        table.override, table.hopeless = data, True
        table.refusals = {code}
        return True

    return change


_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + zlib.compress(bytes(range(256)) * 9)
_TABLE = "".join(",".join(row) + "\n" for row in OTHER).encode()
_PROSE = "这是一封信，没有表格。\n请查收，谢谢。\n此致\n敬礼\n".encode()
for _name, _code, _data in (
    ("empty", "empty_file", b""),
    ("only_spaces", "empty_file", b" \r\n\n  \n"),
    ("only_bom", "empty_file", b"\xef\xbb\xbf"),
    ("picture", "not_a_table", _PNG),
    ("pdf", "not_a_table", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\n"),
    ("prose", "not_a_table", _PROSE),
    ("two_tables", "not_a_table", zipped({"a.csv": _TABLE, "b.csv": _TABLE})),
    ("cut_gzip", "not_a_table", gzip.compress(_TABLE, mtime=0)[:-9]),
    ("document", "not_a_table", zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<x/>"})),
    ("page", "missing_columns", b"<html><table><tr><td>Menu<td>About us</tr><tr><td>1<td>2</tr></table></html>"),
    ("json", "missing_columns", b'{"date": "2026-03-01", "items": [1, 2, 3]}\n'),
    ("header_alone", "no_rows", "日期,产品,单价,数量,地区\n".encode()),
    ("header_and_total", "no_rows", "日期,产品,单价,数量,地区\n合计,,,12,\n".encode()),
    ("no_day", "no_valid_dates", "日期,产品,单价,数量,地区\n待定,电视,12.50,2,华东\n明天,冰箱,3,4,华北\n".encode()),
    ("no_date_column", "missing_columns", "产品,单价,数量,地区\n电视,12.50,2,华东\n冰箱,3,4,华北\n".encode()),
    ("no_money", "missing_columns", "日期,产品,地区\n2026-03-01,电视,华东\n2026-03-02,冰箱,华北\n".encode()),
):
    named(f"hopeless_{_name}", _hopeless(_code, _data), "hopeless")
