"""One cell's text: read right, or not at all."""

import random
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opskit.sales.cells import (
    Column,
    Number,
    Order,
    column_of,
    currency_of,
    day,
    decimal_comma,
    excel_error,
    factor,
    is_ambiguous,
    is_note,
    is_total,
    match,
    null,
    number,
    order_of,
    said,
)

often = settings(deadline=None, max_examples=200, derandomize=True)
THE_DAY = date(2026, 3, 1)


def listed(block: str) -> list[str]:
    """What stands between bars; a line of a block begins with one."""
    return re.sub(r"\n\s*\|", "|", block).strip("\n ").split("|")


# Neither a number nor a day, in no kind of column.
HOSTILE = """
    N/A|n/a|NULL|null|None|nan|NaN|inf|-inf|Infinity|-|--|---|—|——|/|\\|.|,|..|,,|.,|,.|'|"|=|=""|+|-+|()|( )
    |(-)|¥|$|€|元|万|%|12%|12.5 %|１２％|99‰|5pct|#REF!|#N/A|#DIV/0!|#VALUE!|####|Err:502|=A1+B1|=SUM(A1:A9)
    |=1+2|=cmd|@SUM(1)|1,23,4.5|1,2,3|1234,567.8|1,2345,678|1,234,56|,,1|1,,234|1..2|1.2.3.4|1.234,56.7
    |1,234.567,8|1,234'567|1 23|12 345 67|1 2 3|12 .50|12. 50|0 123|0,123,456|.,5|5.,|12,-|12.-|12.–|12,–|+-5
    |-+5|--5|++5|-(5)|(-5)|(+5)|(5|5)|((5))|()5|5()|(5)-|-5-|5--|[5]|{5}|<5>|≤5|>5|~5|≈5|约5|5+|5±1|±5|5-8|5~8
    |5–8|5至8|1/2|½|1½|²|10²|①|⑴|Ⅳ|٣|१२|1_000|0x1F|1e|e5|1e5e5|1e+|1e999|1e99|1e-99|1E400|1.5e3.2|1e3,5|12E5E
    |1O0|l0|O|10O|12:30|12:30:45|12：30|3 pm|10am|3点|3:00 PM|1st|2nd|3rd|5th|No.5|#5|第5|第5名|5号|5月|5日|5年
    |2026年|3月1日|五|十二|一百|壹佰元整|二〇二六|三月|Mar|March 2026|2026-03|2026/3|03/2026|1/3|3-1|Q1 2026
    |2026Q1|2026W10|2026-W10-1|2026-060|2026-13-01|2026-00-10|2026-02-29|2026-02-30|2026-04-31|2026/03-01
    |2026-03/01|2026-03-011|2026-03-01-02|2026--03--01|-2026-03-01|2026-03-01 2026-03-02|2026-03-01 - 2026-03-07
    |2026-03-01~07|2026-03-01至2026-03-07|2026-03-01 25:00|2026-03-01 10:60|2026-03-01 abc|2026-03-01x
    |x2026-03-01|2026-3-|2026-3-1-|1989-12-31|2101-01-01|0001-01-01|9999-12-31|1900-01-01|1970-01-01|30/02/2026
    |31/04/2026|00/01/2026|32/01/2026|13/13/2026|0/0/0|00/00/0000|0000-00-00|29/02/2025|1/1/1|1/1/75|99/99/99
    |31-Feb-2026|Feb 30, 2026|Foo 1, 2026|1 Marchy 2026|Mar 32 2026|20260301T99|1.2.3|二〇二六年十三月一日
    |二〇二六年三月三十二日|二〇二六年十十月一日|二〇二六年三月二十五六日|115/03/01|R8.3.1
    |昭和60年3月1日|138-0013-8000|010-12345678|+86 138 0013 8000|(010) 1234-5678|400-800-8888|192.168.0.1|::1
    |A-12|SKU-001|A1B2C3|B2-4|华为手机|iPhone 15|12Pro Max|Note 20|3M胶带|5S店|7-11|5号电池|小米13|100多|近100
    |百|千克|kg|台|3折|8成|半箱|两台|3台5箱|合计|Total|备注|日期|Price|华东|说明|true|FALSE|是|否|Y|x|?|!|*|5*
    |*5|5x5|5×5|5*3|1;2|1|2|a|b|<b>5</b>|&nbsp;5|5&nbsp;|`5`|$(5|{{5}}|${5}|\\x35|\\u0035|5\\n|5;DROP|' OR 1=1
    |--5;|5/*x*/|%35|5%00|$12€|$12元|¥5$|€5£|USD5EUR|12 €£|XYZ 12|5CR|5 DR|5 lakh|5 crore|5 mio|5bn|5M|5B|5T|5w
    |5mm|5Mio|12元起|12元多|12元5角|5角|5分|3万2|1万2千|1亿2000万|3兆|5仟|3百米|12/件|12元/5件|12元/千件
    |元12元元元|12.50元/|/12|12/|12\\|12。50。3|1、234|1，23，4|1；2|12，34，5|¥|￥ |RMB|¥-|-¥|(¥)|¥()|CNY CNY
    |¥¥¥¥5|5 5|5\t5|5\n5|\x005|5\x00|5\x075
"""
NOT_HOSTILE = {"1", "2"}  # what "1|2" falls apart into
HOSTILES = [text for text in listed(HOSTILE) if text not in NOT_HOSTILE]


def value(text: str, *, comma: bool = False, units: bool = False) -> str:
    """The value as text with its currency behind, "" where there is none."""
    found = number(text, comma=comma, units=units)
    return f"{found.value} {found.currency}".strip() if found else ""


def test_nothing_hostile_is_a_number_or_a_day() -> None:
    assert len(HOSTILES) >= 200
    for text in HOSTILES:
        assert number(text) is None, text
        assert [day(text, order=order) for order in Order] == [None, None, None], text
        assert not is_ambiguous(text), text

    assert [text for text in HOSTILES if number(text, comma=True) or number(text, units=True)] == []


@given(st.text(st.characters(exclude_categories=["Nd", "No", "Nl"]), max_size=30))
@often
def test_text_without_a_digit_is_no_number(text: str) -> None:
    assert number(text) is None
    assert number(text, comma=True, units=True) is None


@given(st.text("0123456789.,'- /()eE+%万元¥$kg年月日:T", max_size=16))
@often
def test_both_decimal_marks_read_a_text_alike_unless_it_is_one_mark_and_three_digits(text: str) -> None:
    point, comma = number(text, units=True), number(text, comma=True, units=True)
    if point and comma and point != comma:
        assert sum(map(text.count, ".,")) == 1, text
        assert decimal_comma([text]) is None
    found = {day(text, order=order) for order in Order} - {None}
    assert all(date(1990, 1, 1) <= found_day <= date(2100, 12, 31) for found_day in found if found_day)
    assert len(found) == 1 or is_ambiguous(text) == bool(found)


NUMBERS = {
    "12": "12", "12.50": "12.50", "-12.5": "-12.5", "+12": "12", "-0": "0", "0.00": "0.00", "007": "7", ".5": "0.5",
    "5.": "5", "  12.5\t": "12.5", "\u300012.5\u00a0": "12.5", "12\u200b.5": "12.5", "\ufeff12": "12",
    "1,234.50": "1234.50", "1,234,567": "1234567", "1'234'567.5": "1234567.5", "1’234.5": "1234.5",
    "1 234 567.50": "1234567.50", "1\u202f234,": "", "1\u00a0234.5": "1234.5", "12,34,567.89": "1234567.89",
    "１２，３４５．６７": "12345.67", "12。5": "12.5", "−5": "-5", "–5": "-5", "－5": "-5", "—5": "-5", "5-": "-5",
    "2842.48-": "-2842.48", "2842.48 -": "-2842.48", "(1,285.64)": "-1285.64", "（8）": "-8", "( 8 )": "-8",
    "¥1,234.5": "1234.5 CNY", "￥ 12": "12 CNY", "-¥12": "-12 CNY", "¥-12": "-12 CNY", "¥ - 12": "-12 CNY",
    "(¥12)": "-12 CNY", "¥(12)": "-12 CNY", "(12)元": "-12 CNY", "(12元)": "-12 CNY", "12元-": "-12 CNY",
    "¥12-": "-12 CNY", "RMB12": "12 CNY", "12 RMB": "12 CNY", "CNY 12": "12 CNY", "人民币12元整": "12 CNY",
    "12块": "12 CNY",
    "12圆": "12 CNY", "12圓": "12 CNY", "¥12元": "12 CNY", "RMB ¥12": "12 CNY", "$12": "12 USD", "US$ 12.5": "12.5 USD",
    "12usd": "12 USD", "12美元": "12 USD", "€12.5": "12.5 EUR", "12.5 €": "12.5 EUR", "12EUR": "12 EUR", "£3": "3 GBP",
    "3円": "3 JPY", "¥12 JPY": "12 JPY", "HK$12": "12 HKD", "HKD $12": "12 HKD", "NT$300元": "300 TWD", "₩5": "5 KRW",
    "12KRW": "12 KRW",
    "＄12": "12 USD", "12元/件": "12 CNY", "¥12/kg": "12 CNY", "1.2万": "12000", "1.2 万元": "12000 CNY",
    "3亿": "300000000",
    "2千": "2000", "3百万": "3000000", "1.5萬": "15000", "5万美元": "50000 USD", "3k": "3000", "3K元": "3000 CNY",
    "1e3": "1000",
    "1.5E+05": "150000", "1E-3": "0.001", "1.2e1万": "120000", '="12.50"': "12.50", "=12.50": "12.50",
    '"12.50"': "12.50",
    '=""12.50""': "12.50", "'12.50": "12.50", "'12.50'": "12.50", "’12": "12", '="-12"': "-12", '="12': "",
    "1" * 30: "1" * 30, "1" * 31: "", "0." + "1" * 30: "0." + "1" * 30, "0." + "1" * 31: "", "1e30": "", "1e-31": "",
    "3台": "", "3kg": "", "12,5": "", "1.234.567": "", " " * 200 + "12" + " " * 200: "12", "12" + "x" * 300: "",
    "1" + "\u200b" * 150: "1", "1,000" + ",000" * 40: "",
}  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers(text: str) -> None:
    assert value(text) == NUMBERS[text]


def test_numbers_with_a_decimal_comma() -> None:
    read = {
        "12": "12", "12,50": "12.50", "1.234": "1234", "1.234,5": "1234.5", "1 234,5": "1234.5", "1'234,5": "1234.5",
        ",5": "0.5", "€ 1.234,50": "1234.50 EUR", "(1.234,50)": "-1234.50", "1,5万": "15000", "1,2E+03": "1200",
        "１２，５": "12.5", "12.5": "", "1,234,567": "", "12,": "", "1.23": "", "1.234,567,8": "", "0.123": "",
    }  # fmt: skip
    assert {text: value(text, comma=True) for text in read} == read


def test_a_backslash_is_the_yen_of_japanese_encodings() -> None:
    assert value("\\1,200") == "1200 JPY"
    assert value("-\\1,200") == "-1200 JPY"
    assert value("1\\2") == ""


def test_units_are_read_where_a_unit_may_stand() -> None:
    for text in listed(
        "3台|3 台|3pcs|3 pcs.|3 KG|3千克|3公斤|3件套|3㎡|3m²|3m2|3 pc(s)|3人次|3块|3ea|3箱|３台|3L|3 шт|3平方米"
    ):
        assert value(text, units=True) == "3", text
        assert value(text) in ("", "3 CNY")
    assert value("(5台)", units=True) == "-5"
    assert value("5台-", units=True) == "-5"
    assert value("1.5万件", units=True) == "15000"
    assert value("2k件", units=True) == "2000"
    assert value("3万pcs", units=True) == "30000"
    assert value("3万公斤", units=True) == "30000"
    assert value("3元", units=True) == "3 CNY"
    for text in listed("3万用表|3m|3k pcs|3kpcs8|3号电池|3AA电池|3 sq m|3abcdefg|3一二三四五|3千百|3月|5分"):
        assert value(text, units=True) == "", text


@given(st.decimals("-1e12", "1e12", places=4, allow_nan=False, allow_infinity=False))
@often
def test_a_number_written_any_way_is_read_back(amount: Decimal) -> None:
    plain, grouped = f"{amount:f}", f"{amount:,f}"
    continental = grouped.translate(str.maketrans(",.", ".,"))
    size = f"{abs(amount):,f}"
    minus = "-" if amount < 0 else ""
    written = {
        plain: "", grouped: "", grouped.replace(",", "'"): "", grouped.replace(",", " "): "", f"¥{grouped}": "CNY",
        f"{grouped}元": "CNY", f"{minus}${size}": "USD", f"{amount:e}": "", f'="{plain}"': "", f"'{grouped}": "",
        size + minus: "", (f"({size})" if minus else size): "", grouped.replace("-", "−"): "",
        "".join(chr(ord(sign) + 0xFEE0) for sign in grouped): "", f"{amount / 10000:f}万": "",
        f"\u00a0{plain}\u200b": "",
    }  # fmt: skip
    for text, currency in written.items():
        assert number(text) == (amount, currency), text
    for text in (continental, continental.replace(".", " "), f"{continental} €"):
        found = number(text, comma=True)
        assert found, text
        assert found.value == amount
    assert number(f"{grouped} 台", units=True) == Number(amount, "")


def test_the_decimal_mark_of_a_column() -> None:
    assert decimal_comma(["12,50", "3", "abc", "1.234,5"]) is True
    assert decimal_comma(["0,5"]) is True
    assert decimal_comma(["1.234.567"]) is True
    assert decimal_comma(["12.50"]) is False
    assert decimal_comma(["1,234,567"]) is False
    assert decimal_comma(["3", "1,234", "1.234", "2026.03.01", "a,b"]) is None
    assert decimal_comma([]) is None
    assert decimal_comma(["12,50", "12.50"]) is None
    assert decimal_comma(["12,50"] * 9 + ["12.50"]) is None
    assert decimal_comma(["12,50"] * 10 + ["12.50"]) is True
    assert decimal_comma(["12,50"] + ["12.50"] * 10) is False
    assert decimal_comma(["３，５"]) is True
    assert decimal_comma(["4.975", "1.234", "6.100", "12,50"]) is None
    assert decimal_comma(["4.975", "1.234", "12,50"]) is True
    assert decimal_comma(["1.200", "1.400", "6.100", "5", "1,5"]) is True


def test_currencies() -> None:
    read = {
        "元": "CNY", "¥": "CNY", "￥": "CNY", "rmb": "CNY", "US$": "USD", "usd": "USD", "港幣": "HKD", "欧元": "EUR",
        "$ HKD": "HKD", "¥ JPY": "JPY", "": "", "台": "", "$€": "", "CUP": "", "元/件": "", "€ HKD": "", "$ EUR": "",
        "日元": "JPY", "¥¥¥": "",
    }  # fmt: skip
    assert {text: currency_of(text) for text in read} == read


def test_a_shared_sign_stands_for_the_currency_of_the_table() -> None:
    read = {
        ("$5", "AUD"): "AUD",
        ("US$5", "AUD"): "USD",
        ("¥5", "JPY"): "JPY",
        ("5元", "TWD"): "TWD",
        ("5元", "USD"): "CNY",
        ("$5", ""): "USD",
    }
    read |= {("$5", "EUR"): "USD", ("5", "AUD"): "", ("$5 HKD", "AUD"): "HKD", ("$5", "XXX"): "USD"}
    assert {(text, home): found.currency for text, home in read if (found := number(text, home=home))} == read


DAYS = """
    2026-03-01|2026/3/1|2026.03.01|2026. 3. 1.|2026 03 01|20260301|20260301.0|２０２６－０３－０１|2026‐03‐01
    |'2026-03-01|="2026-03-01"|2026-03-01T12:00:00Z|2026-03-01T23:30:00-08:00|2026-03-01T00:00:00.000+0000
    |2026-03-01T10:30+08|2026-03-01 23:59:59.999|2026-03-01 00:00:00+00:00|2026-03-01 10:30:00 UTC
    |2026-03-01 10:30 PM|2026/3/1 0:00|2026/03/01 AM 10:30|2026-03-01 星期日|2026-03-01 周日|2026-03-01(日)
    |2026-03-01（周日）|周日 2026/3/1|2026-03-01 Sun|2026-03-01 上午|2026年3月1日|2026年03月01日
    |2026 年 3 月 1 日|2026年3月1号|2026年3月1|26年3月1日|2026年3月1日 星期日 上午10:30
    |2026年3月1日(星期日)10:30|2026年03月01日上午10时30分|2026年3月1日下午3点半|2026年3月1日 10点30分15秒
    |二〇二六年三月一日|二零二六年三月一日|二○二六年三月一号|20260301103000|202603011030|20260301T103000Z
    |20260301 10:30|46082|46082.5|46082.0|1772337600|1772337600000|1772337600.5|1-Mar-26|01-Mar-2026|01MAR2026
    |1 March 2026|1st of March 2026|March 1, 2026|Mar. 1st, 2026|MAR-01-2026|2026-Mar-01|2026 March 1
    |Sunday, March 1, 2026|Sunday, March 1, 2026 3:00 PM|Sun, 01 Mar 2026 10:00:00 +0800
    |Sun Mar 01 00:00:00 CST 2026|Sun Mar  1 10:00:00 2026|Sun Mar 01 2026 00:00:00 GMT+0800 (中国标准时间)
    |01-MAR-26 10.05.33.000000 AM|2026-03-01 10:05 GMT+8|2026-03-01 10:05:33 +0800 CST
    |令和8年3月1日|令和 8 年 3 月 1 日|民國115年3月1日|2026년 3월 1일|2026년 03월 01일 (일) 오후 3:05
    |01-3月 -26|1-三月-2026|26/3/1|1/03/2026 0:00\u200b
"""


def test_days() -> None:
    for text in listed(DAYS):
        assert day(text, order=Order.DMY) == THE_DAY, text
    assert day("二〇二六年十二月三十一日", order=Order.YMD) == date(2026, 12, 31)
    assert day("二〇二六年十月二十日", order=Order.YMD) == date(2026, 10, 20)
    assert day("令和元年5月1日", order=Order.YMD) == date(2019, 5, 1)
    assert day("1-十一月-2026", order=Order.YMD) == date(2026, 11, 1)
    assert day("44620", order=Order.DMY, epoch1904=True) == THE_DAY
    assert day("44620", order=Order.DMY) == date(2022, 2, 28)
    assert day("1772380799", order=Order.DMY) == THE_DAY  # a second before midnight in China
    assert day("1772380800", order=Order.DMY) == date(2026, 3, 2)
    assert day("99999", order=Order.DMY) is None
    assert day("9999999999", order=Order.DMY) is None


def test_the_order_decides_only_what_the_text_leaves_open() -> None:
    def read(text: str) -> list[str]:
        return [str(day(text, order=order)) for order in Order]

    assert read("03/04/2026") == ["2026-04-03", "2026-03-04", "None"]
    assert read("3.4.2026 10:30") == ["2026-04-03", "2026-03-04", "None"]
    assert read("25/03/2026") == ["2026-03-25"] * 3
    assert read("03/25/2026") == ["2026-03-25"] * 3
    assert read("03-03-2026") == ["2026-03-03"] * 3
    assert read("11/12/13") == ["2013-12-11", "2013-11-12", "2011-12-13"]
    assert read("25/03/26") == ["2026-03-25", "2026-03-25", "2025-03-26"]
    assert read("03/04/05") == ["2005-04-03", "2005-03-04", "2003-04-05"]
    assert read("03/25/26") == ["2026-03-25"] * 3
    assert read("1/3/99") == ["1999-03-01", "1999-01-03", "None"]
    # Three pairs that are an old day in one order and a recent one in another are too doubtful for the first.
    assert read("26-03-01") == ["None", "None", "2026-03-01"]
    assert read("01/03/26") == ["2026-03-01", "2026-01-03", "None"]


def test_ambiguous_days() -> None:
    assert [text for text in ("03/04/2026", "3.4.26", "26-03-01", "25/03/26") if not is_ambiguous(text)] == []
    clear = ("2026-03-04", "03/03/2026", "25/03/2026", "3-Apr-26", "46082", "abc", "", "26/3/1")
    assert [text for text in clear if is_ambiguous(text)] == []


def test_the_order_of_a_column() -> None:
    assert order_of([]) is None
    assert order_of(["2026-03-01", "abc", "01/04/2026", "03/03/2026"]) is None
    assert order_of(["25/03/2026", "01/02/2026"]) is Order.DMY
    assert order_of(["03/25/2026", "01/02/2026"]) is Order.MDY
    assert order_of(["25/03/2026", "03/25/2026"]) is None
    assert order_of(["25/03/2026"] * 10 + ["03/25/2026"]) is Order.DMY
    assert order_of(["3/1/26", "3/25/26"]) is Order.MDY
    assert order_of(["26/3/1"]) is Order.YMD
    assert order_of(["26-03-01", "26-03-15"]) is Order.YMD
    assert order_of(["01/03/26", "25/03/26"]) is Order.DMY
    assert order_of(["01/03/26", "03/25/26"]) is Order.MDY
    assert order_of(["01/03/26", "02/03/26"]) is None  # the year is clear, day and month are not
    assert order_of(["26-03-01", "01/03/26"]) is None
    assert order_of([f"26-03-{number}" for number in range(11, 20)]) is Order.YMD
    assert order_of([f"{number}/03/26" for number in range(13, 20)]) is Order.DMY
    assert order_of(["26-03-15"]) is None
    assert order_of(["11/12/13"]) is None


DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y%m%d%H%M%S", "%d %B %Y", "%d-%b-%Y", "%B %d, %Y", "%b %d %Y %I:%M %p", "%A, %d %B %Y", "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S %z", "%Y年%m月%d日 %H时%M分%S秒",
)  # fmt: skip


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
@often
def test_a_day_written_any_way_is_read_back(moment: datetime) -> None:
    for form in DATE_FORMATS:
        for order in Order:
            assert day(moment.strftime(form), order=order) == moment.date(), form
    for gap in "/-. ":
        day_first, month_first = moment.strftime(f"%d{gap}%m{gap}%Y"), moment.strftime(f"%m{gap}%d{gap}%Y %H:%M")
        assert day(day_first, order=Order.DMY) == day(month_first, order=Order.MDY) == moment.date()
        assert is_ambiguous(day_first) == (moment.day <= 12 and moment.day != moment.month)
    serial = (moment.date() - date(1899, 12, 30)).days
    assert day(f"{serial}.75", order=Order.YMD) == moment.date()
    assert day(str(serial - 1462).zfill(5), order=Order.YMD, epoch1904=True) == moment.date()
    if moment.timestamp() >= 1e9:
        in_china = (moment + timedelta(hours=8)).date()
        assert day(f"{int(moment.timestamp())}", order=Order.YMD) == in_china
        assert day(f"{int(moment.timestamp() * 1000)}", order=Order.YMD) == in_china


@given(st.lists(st.dates(date(2015, 1, 1), date(2028, 12, 31)), min_size=1, max_size=40))
@often
def test_an_order_that_is_found_is_the_order(days: list[date]) -> None:
    forms = {Order.DMY: ("%d/%m/%Y", "%d.%m.%y"), Order.MDY: ("%m/%d/%Y", "%m-%d-%y"), Order.YMD: ("%y-%m-%d",)}
    for order, written in forms.items():
        for form in written:
            texts = [one.strftime(form) for one in days]
            found = order_of(texts)
            if found and len({one.year for one in days}) == 1 and len(days) >= 20:
                assert found == order
            if found == order:
                assert {day(text, order=found) for text in texts} <= {*days, None}


def test_null_markers_and_errors_of_spreadsheets() -> None:
    nulls = (
        '|  |\u3000|N/A|n/a|NULL|None|nan|#N/A|-|--|——|/|\\|\\N|无|空|暂无|(空白)|???|……|.|\u200b| \u00a0|\'|=""|缺失'
    )
    assert [text for text in nulls.split("|") if not null(text)] == []
    values = "0|-1|无锡|空调|无线耳机|No|nano|x|N/A灯|未知|Other|" + "-" * 300
    assert [text for text in listed(values) if null(text)] == []
    assert null(" " * 1000)
    errors = "#REF!|#N/A|#n/a|#DIV/0!|#VALUE!|#NAME?|#NUM!|#NULL!|#SPILL!|####|##|Err:502|＃ＲＥＦ！| #REF! "
    assert [text for text in errors.split("|") if not excel_error(text)] == []
    assert [text for text in listed("#|#1|REF!|#abc||#REF!#REF!|N/A") if excel_error(text)] == []


def test_totals() -> None:
    totals = """
    合计|总计|小计|本页小计|本页小计：|累计|共计|合计：12,345.00|合计 123.45|共计24件|总计(元)|【合计】
    |（合计）|合  计|*合计*|华东小计|华东 汇总|汇总|数据汇总|2026-03-01 合计|第3页小计|总金额：1234|总数|合計
    |總計|小計：|合计:¥12,345元|本日合计|Total|TOTAL|Totals|Subtotal|Sub-Total|Sub Total:|GRAND TOTAL
    |Grand Total: 1,234|Total 1,234.50|Total: 1234|Total (CNY)|Sum|Sum:|SUM TOTAL|Σ|Page Total|March Total
    |2026-03-01 Total|Q1 Total|Total Amount|Sales Total|Total USD 5.00|합계|\u200b合计\u3000|=合计|合计金额
    |平均|平均值：|日均|最大值|Average|Avg.|平 均
"""
    assert [text for text in listed(totals) if not is_total(text)] == []
    assert is_total("华东\n小计")
    assert not is_total("第一行\r\n\r\n合计")  # a message
    names = """
    总计算器|小计算器|合计算尺|累计积分卡|统计|华东|共享单车|总裁椅|汇总打印机|Total Gym|Colgate Total|Total 90
    |Total90|Total War|Totally|Summer|Sumo|sum41|Sumsung||-|2026-03-01|12.5|合计划生育用品|总计 A|合计：张三
    |Total: N/A|=SUM(A1:A9)|=SUBTOTAL(9,A1)|平均主义T恤|Average Joe Tee|均|均码|超值套餐
"""
    assert [text for text in listed(names) if is_total(text)] == []
    assert not is_total("合计" * 100)


def test_notes() -> None:
    notes = """
    备注：以上数据不含线上渠道|备注|备 注：x|说明|说明：|注：含税|注1：x|* 注: abc|制表人：张三|制表人 张三
    |制表日期：2026-03-06|审核：李四|審核：李四|打印时间 2026-03-06|打印时间：2026|导出时间：2026-03-06 10:00
    |导出人：admin|数据来源：ERP|以上数据不含线上|单位：元|部门：销售一部|第1页|第 1 页 共 3 页|共24条记录
    |共 24 条|截止2026年3月|截至 3月5日|统计时间：|联系电话：123|仅供内部参考|—— 以下空白 ——|*** END ***
    |# comment|#备注|// x|-- end --|/* x */|Note: x|Notes|Remarks: y|Prepared by: A|Printed on 2026
    |Generated by X|Page 1 of 3|End of report|Source: ERP|As of 2026-03-05|Report date: 2026
    |All prices are in CNY|（备注）|报表日期：2026-03-06
"""
    assert [text for text in listed(notes) if not is_note(text)] == []
    names = """
    说明书打印机|注射器|打印纸|打印机A4|备注贴|Note 20|Notebook|#1 Pencil|#REF!|####|#N/A|华为手机|审核灯
    |导出线|统计学原理|公司|地址签|共享充电宝|第一页书签|Source code book|Endoscope|http://x.cn|//cdn.x.cn|单位
    |2026-03-01|-5|--5|page turner|财务软件|结束语|完美日记|会计凭证|部门||-|Printed T-shirt|合计
"""
    assert [text for text in listed(names) if is_note(text)] == []


HEADINGS = {
    Column.DATE: """
        日期|Date| date |ORDERDATE|orderDate|order_date|下单时间|订单日期|交易日期|日期/时间|日期 Date|riqi
        |rìqī|日付|1.日期|日期.1|日期*|【日期】|Time|Order Date (UTC)|created_at|发货日期|我的下单日期|日\n期
        |日期\u200b|*日期|Sale-Date|売上日|판매일자|Verkaufsdatum|Fecha de venta|📅 Date
    """,
    Column.PRODUCT: """
        产品|商品|品名|商品名称|PRODUCT\u200b|Product Name|productName|item|产品/Product|品名/规格/型号|产品ID
        |商品编号|PRODUCTLINE|產品|商品名|shangpin|宝贝标题|货品名称|SKU|Name|Customer Product
        |상품명|Produit|Désignation
    """,
    Column.PRICE: """
        单价|单价\n(元)|单价/元|单价元|單價|単価|Price\xa0|Unit\nPrice|unit_price|UnitPrice|PRICEEACH|售价
        |dan jia|Unit price (incl. tax)|实际销售单价|retail unit price|成交价|含税单价|Price (USD)|原价
        |不含税售价|商品优惠后价格|Einzelpreis|Prix unitaire|Preço unitário|판매가|💰 Price
    """,
    Column.AMOUNT: """
        数量|数量\n(件)|數量|件数|销量|Qty.|QTY|Quantity|QUANTITYORDERED|Units Sold|Amount|  Amount
        |Amount (pcs)|Amount (万件)|shuliang|Sales Qty|销售数量(件)|数量/件|下单件数|Anzahl
        |Quantity (- Refund)|Number of Units Sold|Quantité|판매수량
    """,
    Column.REGION: """
        地区|\tregion|区域|省份|大区|地區|Sales Region|Customer Region|City|diqu|门店|收货省份|所属区域
        |地区 Region|縣市|region_name|Ship To State|Région
    """,
    Column.TOTAL: """
        金额|销售额|小计|合计|总价|SALES|Line Total|total_price|Amount (USD)|amount/元|金额(万元)|实付金额
        |含税销售额|Total incl. tax|Revenue|jine|Order Amount|Total (tax 5%)|商品总价|Sale Total Amount
        |Shop amount|Gesamtpreis|Montant TTC|Valor total|売上金額
    """,
    Column.CURRENCY: """
        币种|Currency|币别|bizhong|currency code
    """,
}


def test_headings() -> None:
    for column, headings in HEADINGS.items():
        for heading in listed(headings):
            assert column_of(heading) is column, heading
    others = """
    ||备注|订单编号|Order ID|Row ID|客户名称|Customer Name|Category|商品类别|成本单价|Discount Amount|Tax
    |出生日期|birth date|数量(赠品)|金额(退款)|Quantity (Refunded)
    |库存数量|sales rep|客单价|Unnamed: 3|华为手机|2026-03-01|12.5
    |Ship Mode|折扣|毛利|3月1日|2026年3月1日|Postal Code|Price Range|()|*|单位
"""
    assert [text for text in listed(others) if column_of(text)] == []
    assert column_of("日期" * 100) is None


def test_headings_that_mean_two_columns_say_so_with_scores() -> None:
    assert match("Amount") == [(Column.AMOUNT, 70), (Column.TOTAL, 60)]
    assert match("Amount (含税)") == [(Column.AMOUNT, 70), (Column.TOTAL, 60)]
    assert match("Amount (pcs)") == [(Column.AMOUNT, 90)]
    assert match("Amount (USD)") == [(Column.TOTAL, 90)]
    assert match("数量/金额") == [(Column.AMOUNT, 50), (Column.TOTAL, 50)]
    assert match("实际购买数量/件") == [(Column.AMOUNT, 50)]
    assert match("销售 数量") == [(Column.AMOUNT, 100)]
    assert match("Purchase amount") == [(Column.TOTAL, 50), (Column.AMOUNT, 40)]
    assert match("单价(元)") == [(Column.PRICE, 95)]
    assert match("日期.1") == [(Column.DATE, 90)]
    assert match("Name") == [(Column.PRODUCT, 60)]
    assert match("客户品名") == [(Column.PRODUCT, 50)]


def test_of_several_columns_of_a_kind_the_one_that_a_manager_calls_the_sales_is_named_most_surely() -> None:
    best_first = {
        Column.DATE: "下单时间|订单创建时间|Order Date > 付款时间|订单付款时间 > 创建时间|Created at > Paid at|完成时间"
                     " > 发货时间|Ship Date",
        Column.PRODUCT: "商品名称|宝贝标题|存货名称|Lineitem name > 商品|Product > 物料描述|Material Description"
                        " > SKU|型号 > 商品编号|Product ID|物料编码",
        Column.PRICE: "折后价|实付单价|成交价|含税单价|Price Paid > 单价|售价|Unit Price > 促销价|Net Price"
                      " > 无税单价|批发价 > 原价|商品原价|吊牌价|List Price",
        Column.AMOUNT: "数量|购买数量|Quantity Ordered > 实发数量|Billed Quantity > 总数量",
        Column.REGION: "地区|省份 > 收货省份|Shipping Province|ship-state > 城市|City > 国家|Billing Province > 门店",
        Column.TOTAL: "实付金额|实收|买家实际支付金额|价税合计|Net Sales > 金额|小计|Total > Net Value"
                      " > 应收金额|Gross Sales > 订单金额|订单总额|Order Total",
    }  # fmt: skip
    for column, tiers in best_first.items():
        scores = [[dict(match(heading))[column] for heading in listed(tier)] for tier in tiers.split(" > ")]
        assert all(min(better) > max(worse) for better, worse in pairwise(scores)), (column, scores)
    others = (
        "Lineitem compare at price|优惠金额|优惠前金额|Item list price|Quantity Shipped|商品规格|ship-service-level|Tip"
    )
    assert [text for text in listed(others) if column_of(text)] == []


def test_headings_that_count_in_ten_thousands() -> None:
    read = {
        "销售额(万元)": 10_000, "金额(亿)": 100_000_000, "金额/千元": 1000, "销售额万元": 10_000,
        "Sales (k USD)": 1000, "销量/万件": 10_000,
        "金额": 1, "单价(元)": 1, "单价元": 1, "重量(千克)": 1, "数量(kg)": 1, "销售额(百货)": 1, "金额(千分位)": 1,
        "": 1, "(万元)": 1, "Sales ($K)": 1000, "Sales (000s)": 1000, "Revenue ('000)": 1000, "Qty (thousands)": 1000,
        "Revenue (USD mn)": 10**6, "Sales ($ in thousands)": 1000, "Sales (₹ Cr)": 10**7, "売上(百万円)": 10**6,
        "Price (cents)": Decimal("0.01"), "单价(分)": Decimal("0.01"), "amount_in_cents": Decimal("0.01"),
        "Length (m)": 1, "Revenue (k)": 1000, "Price (loyalty cents)": 1,
    }  # fmt: skip
    assert {heading: factor(heading) for heading in read} == read
    lines = {
        "单位：万元": 10_000, "2026年销售表（单位：千元）": 1000, "単位：百万円": 10**6, "单位：万元，数量：台": 10_000,
        "(in thousands of USD)": 1000, "Amounts in millions": 10**6, "US$ '000": 1000,
        "单位：某公司": 1, "单位：元": 1, "Sales in March": 1, "000": 1, "": 1, "单位：万元" + " " * 100 + "x": 1,
    }  # fmt: skip
    assert {line: said(line) for line in lines} == lines


def test_any_text_is_answered() -> None:
    pick = random.Random(5)  # noqa: S311 - no secret
    letters = "0123456789.,'\"=()-+%/\\#:;¥$€元万千kgTZ年月日星期一上午合计备注TotalNote 　\u200b\n\t½²①٣abc"
    for _ in range(3000):
        text = "".join(pick.choices(letters, k=pick.randrange(1, 25)))
        for answer in (null, excel_error, is_total, is_note, is_ambiguous, match, column_of, factor, currency_of):
            answer(text)
        number(text, units=True)
        order_of([text])
        decimal_comma([text])
        for order in Order:
            day(text, order=order)
