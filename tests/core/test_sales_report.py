"""What is asked for, what is said about it, and the files."""

import http.server
import json
import re
import struct
import sys
import tempfile
import threading
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from opskit import sales
from opskit.errors import InvalidInput, Refused, Unavailable
from opskit.model import FileReference
from opskit.sales import Brief, Files, Options, Progress
from opskit.sales.insight.sums import about
from opskit.sales.opening import Limits
from opskit.sales.plain import money, number, plain, signed

HEADER = "Date,Product,Price,Amount,Region"
MONDAY = date(2026, 3, 2)
TODAY = date(2026, 11, 21)


def weeks(count: int = 5, **changed: Any) -> str:
    """Some weeks of two products in two regions; ``d3="lamp,9,1,north"`` adds a row to the fourth day."""
    lines = [HEADER]
    for offset in range(7 * count):
        day = MONDAY + timedelta(offset)
        lines += [f"{day},lamp,{100 + offset % 7 * 10},2,north", f"{day},book,20,{5 + offset % 3},south"]
        if row := changed.get(f"d{offset}"):
            lines.append(f"{day},{row}")
    return "\n".join(lines) + "\n"


def examined(text: str, folder: Path, **options: Any) -> Files:
    path = folder / "sales.csv"
    path.write_text(text, encoding="utf-8")
    return sales.examine(path, Options.model_validate(options), today=TODAY)


# What is asked for


@pytest.mark.parametrize(
    ("given_", "key"),
    [
        ({"date": "someday"}, "not_a_day"),
        ({"date": "03/04/2026"}, "not_a_day"),
        ({"period": "range", "start": "x"}, "not_a_day"),
        ({"start": "2026-03-01"}, "range_only"),
        ({"price_bins": "100, x"}, "not_price_bins"),
        ({"price_bins": "100, 50"}, "not_price_bins"),
        ({"price_bins": "-5, 50"}, "not_price_bins"),
        ({"exports": "html, pdf"}, "not_an_option"),
        ({"thresholds": '{"good": 7, "excellent": 6}'}, "not_thresholds"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(given_: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidInput, match=key):
        Options.model_validate(given_)


def test_what_is_asked_for_is_understood_as_people_write_it() -> None:
    asked = Options.model_validate(
        {"date": " 2026年3月1日 ", "price_bins": "0，100; 1.5万", "exports": "XLSX，html, none"}
    )
    assert asked.day == date(2026, 3, 1)
    assert asked.range_ends == (Decimal(100), Decimal(15_000))
    assert asked.exports == ("html", "xlsx")
    assert Options(date="最新").day is None
    assert Options.model_validate({"column_mapping": '{"date": 2, "region": null}'}).column_mapping == {"date": "2"}
    assert Options.model_validate({"thresholds": '{"good": 7}'}).thresholds.good == 7  # type: ignore[union-attr]


def test_price_ranges_can_be_chosen(tmp_path: Path) -> None:
    text = f"{HEADER}\n2026-03-01,a,5,1,x\n2026-03-01,a,50.5,1,x\n2026-03-01,a,51,1,x\n"
    ranges = examined(text, tmp_path, price_bins="0, 50.50").analysis.price_range_analysis
    assert [(one.range, one.sales) for one in ranges] == [("0-50.5", Decimal("55.5")), ("50.5+", 51)]


def test_a_week_a_month_and_a_range(tmp_path: Path) -> None:
    text = weeks()
    week = examined(text, tmp_path, period="week", date="2026-03-18").analysis
    assert week.analysis_period == "2026-03-16/2026-03-22"
    assert week.analysis_date == "2026-03-22"
    assert week.report.startswith("### Weekly sales 2026-03-16 to 2026-03-22")
    month = examined(text, tmp_path, period="month", date="2026-03-18").analysis
    assert month.analysis_period == "2026-03-01/2026-03-31"
    ranged = examined(text, tmp_path, period="range", start="2026-03-03", date="2026-03-05").analysis
    assert ranged.analysis_period == "2026-03-03/2026-03-05"
    assert ranged.summary.total_orders == 6
    whole = examined(text, tmp_path, period="range").analysis
    assert whole.analysis_period == "2026-03-02/2026-04-05"
    assert whole.comparison == []
    assert whole.drivers_period == ""


def test_a_day_without_sales_says_where_the_file_reaches(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"from 2026-03-02 to 2026-04-05"):
        examined(weeks(), tmp_path, date="2026-05-01")


def test_the_user_has_the_last_word_on_columns_dates_and_thresholds(tmp_path: Path) -> None:
    text = "when,what,a,b,where\n03/04/2026,lamp,10,2,x\n,lamp,10,2,x\n"
    mapping = json.dumps({"date": "when", "product": 2, "price": "a", "amount": "b", "region": "where"})
    found = examined(text, tmp_path, column_mapping=mapping, date_order="mdy", fill_down=True,
                     thresholds='{"excellent": 39}').analysis  # fmt: skip
    assert found.analysis_date == "2026-03-04"
    assert found.summary.total_sales == 40
    assert "An excellent day: sales of 40.00 are above 39.00." in found.insights
    assert found.quality.columns.model_dump() == {
        "date": "when", "product": "what", "price": "a", "amount": "b", "region": "where", "total": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("thresholds", "told"),
    [
        ('{"good": 140000}', "Sales of 120,000.00 are not above 140,000.00: worth a look."),  # not excellent at 100,000
        ('{"excellent": 110000}', "An excellent day: sales of 120,000.00 are above 110,000.00."),
        ('{"excellent": 40000}', "An excellent day: sales of 120,000.00 are above 40,000.00."),
        ('{"excellent": 130000, "good": 130000}', "Sales of 120,000.00 are not above 130,000.00: worth a look."),
    ],
)
def test_a_threshold_that_is_not_given_yields(thresholds: str, told: str) -> None:
    assert told in on_two_days("1", "lamp,120000,1,north", language="en_US", thresholds=thresholds).analysis.insights


# What is said


def test_three_lines_for_the_boss(tmp_path: Path) -> None:
    found = examined(weeks(d34="lamp,1000,3,north"), tmp_path).analysis
    figures, compared, news = found.digest.split("\n\n")
    assert figures == "Sales **3,440.00** · Orders 3 · Pieces 11 · Average order 1,146.67"
    assert compared == (
        "▲ 3,040.00 (+760.0%) against the day before · ▲ 3,020.00 (+719.0%) against the same weekday a week earlier"
    )
    assert news.startswith("2026-04-05 is unusual: 3,440.00, where")
    assert found.report.startswith(f"### Daily sales 2026-04-05\n\n{found.digest}\n\n#### Findings\n\n- ")
    assert "```" not in found.report
    assert "|" not in found.report


def test_the_third_line_is_news_and_said_once(tmp_path: Path) -> None:
    found = examined(weeks(d34="lamp,1000,3,north"), tmp_path).analysis
    assert found.report.count(found.digest.split("\n\n")[2]) == 1
    quiet = examined(weeks(d28="lamp,1000,3,north"), tmp_path).analysis
    assert any("2026-03-30 is unusual" in one for one in quiet.insights)
    assert "unusual" not in quiet.digest  # that was six days ago
    path = tmp_path / "sales.csv"
    path.write_text(weeks(d34="lamp,1000,3,north"), encoding="utf-8")
    assert "is not over yet" in sales.analyze(path, today=date(2026, 4, 5)).digest


def test_refunds_are_measured_against_those_before_the_period(tmp_path: Path) -> None:
    found = examined(weeks(1, d0="lamp,100,-1,north", d6="lamp,50,-1,north"), tmp_path).analysis.refunds
    before = sum((100 + day * 10) * 2 + 20 * (5 + day % 3) for day in range(6))
    assert found.sales == -50
    assert found.usual_percent == round(Decimal(10_000) / before, 2)


def test_a_mean_day_is_one_with_rows(tmp_path: Path) -> None:
    text = f"{HEADER}\n2026-03-01,a,10,1,x\n2026-03-04,a,30,1,x\n"
    found = examined(text, tmp_path, period="range").analysis
    assert "Mean daily sales of 20.00 are not above 50,000.00: worth a look." in found.insights


def test_a_fall_is_told_by_what_fell(tmp_path: Path) -> None:
    found = examined(weeks(1, d0="lamp,10,100,north"), tmp_path, date="2026-03-03", compare_with="previous").analysis
    assert found.digest.splitlines()[2].startswith("▼ 960.00 (-73.8%)")
    assert found.digest.splitlines()[4].startswith("Products that lowered sales most")


def test_no_change_and_no_percentage_have_words_too(tmp_path: Path) -> None:
    same = f"{HEADER}\n2026-03-01,a,5,1,x\n2026-03-02,a,5,1,x\n"
    assert "The same as the day before" in examined(same, tmp_path).analysis.digest
    refunded = f"{HEADER}\n2026-03-01,a,5,-1,x\n2026-03-02,a,5,1,x\n"
    assert "+10.00 against the day before" in examined(refunded, tmp_path).analysis.digest
    gone = f"{HEADER}\n2026-03-01,a,5,1,x\n2026-03-09,a,5,1,x\n"
    assert "Nothing in the file to compare with." in examined(gone, tmp_path, compare_with="last_week").analysis.digest


def test_who_asked_for_no_comparison_is_not_told_that_there_is_none(tmp_path: Path) -> None:
    found = examined(weeks(), tmp_path, compare_with="none").analysis
    assert found.digest.split("\n\n")[1] == "No comparison was asked for."


@pytest.mark.parametrize(("period", "words"), [("week", "days of the week"), ("month", "days of the month")])
def test_a_part_of_a_week_or_month_is_compared_with_such_a_part_by_name(
    period: str, words: str, tmp_path: Path
) -> None:
    found = examined(weeks(9) + "2026-05-04,lamp,9,1,north\n", tmp_path, period=period).analysis
    assert f"against the same {words} before" in found.digest
    whole = examined(weeks(9), tmp_path, period=period, date="2026-04-12").analysis
    assert f"against the {period} before" in whole.digest
    beyond = examined(weeks(9), tmp_path, period="range", start="2026-05-01", end="2026-05-09").analysis
    assert "against the equally long time before" in beyond.digest


def test_the_digest_alone_says_what_is_missing(tmp_path: Path) -> None:
    text = "".join(line for line in weeks().splitlines(keepends=True) if "2026-03-26" not in line)
    lacking = examined(text, tmp_path, period="week", date="2026-03-27").analysis.digest
    assert lacking.endswith("The period lacks days that usually have rows (1): 2026-03-26.")
    assert "(not all days known)" not in lacking
    after = examined(text, tmp_path, period="week").analysis.digest
    assert "against the week before (not all days known)" in after


def test_a_period_of_refunds_only_says_so(tmp_path: Path) -> None:
    found = examined(f"{HEADER}\n2026-03-01,a,5,-1,x\n2026-03-01,b,2,-2,x\n", tmp_path).analysis
    assert found.digest.endswith("Nothing was earned, there were only refunds: 9.00 (2).")
    free = examined(f"{HEADER}\n2026-03-01,a,0,1,x\n", tmp_path).analysis
    assert "refunds" not in free.report


def test_a_day_that_is_not_over_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(weeks(), encoding="utf-8")
    found = sales.analyze(path, today=date(2026, 4, 5))
    assert found.insights[0] == "2026-04-05 is not over yet (rows so far: 2): its figures will still grow."
    assert found.digest.endswith(found.insights[0])
    assert found.drivers
    assert "#### Change by product" not in found.report


def test_drivers_add_up_to_the_change(tmp_path: Path) -> None:
    found = examined(weeks(d34="chair,77.7,3,west"), tmp_path, top_n=1).analysis
    [change] = [one.change for one in found.comparison if one.period == found.drivers_period]
    for dimension in ("product", "region"):
        parts = [one for one in found.drivers if one.dimension == dimension]
        assert sum(one.contribution for one in parts) == change
        for one in parts:
            assert one.price_effect + one.volume_effect + one.mix_effect == one.contribution


def test_without_regions_nothing_is_said_of_them(tmp_path: Path) -> None:
    text = "Date,Product,Price,Amount\n2026-03-01,a,1,1\n2026-03-02,a,2,1\n"
    files = examined(text, tmp_path, exports="html")
    found = files.analysis
    assert files.charts[2].empty
    assert b">Regions<" not in [one.content() for one in files.attachments()][-1]
    assert {one.dimension for one in found.drivers} == {"product"}
    assert found.drivers_period == "2026-03-01"
    assert [warning.code for warning in found.quality.warnings] == ["no_region_column"]
    assert found.quality.columns.region == ""
    assert "#### Regions" not in found.report


def test_columns_without_headings_are_named_by_number(tmp_path: Path) -> None:
    text = "".join(f"2026-03-{day:02},lamp,10.50,{day},north\n" for day in range(1, 9))
    columns = examined(text, tmp_path).analysis.quality.columns
    assert (columns.date, columns.product) == ("1", "2")


def test_many_regions_are_gathered_in_the_report_but_not_in_the_figures(tmp_path: Path) -> None:
    text = f"{HEADER}\n" + "".join(f"2026-03-01,a,{price},1,r{price:02}\n" for price in range(1, 13))
    found = examined(text, tmp_path).analysis
    assert len(found.region_analysis) == 12
    assert "- Other regions (3): 6.00" in found.report


def test_the_quality_of_the_data_is_one_line(tmp_path: Path) -> None:
    text = "\n".join([HEADER, *["03/04/2026,a,1,1,x"] * 3, "nonsense,a,7,1,x", "Total,,,4,"]) + "\n"
    found = examined(text, tmp_path).analysis
    line = found.report.splitlines()[-1]
    assert line.startswith(
        "> Data: rows counted 3 · 2 not (totals 1, unreadable date 1; lines 5, 6) · these may hold 7.00 ⚠ Dates such"
    )
    assert found.quality.rejected_money == 7


def test_a_few_rows_that_are_alike_are_not_worth_a_word_in_the_report(tmp_path: Path) -> None:
    rows = "".join(f"2026-03-01,a,{price},1,x\n" for price in range(1, 41))
    few = examined(f"{HEADER}\n{rows}2026-03-01,a,1,1,x\n", tmp_path).analysis
    assert few.quality.duplicate_rows == 1
    assert [one.code for one in few.quality.warnings] == ["duplicate_rows"]
    assert "⚠" not in few.report
    three = examined(f"{HEADER}\n{rows}" + "2026-03-01,a,1,1,x\n" * 3, tmp_path).analysis
    assert "cell for cell, and were counted: 3." in three.report


def test_rows_without_a_currency_are_not_said_to_be_in_another_one(tmp_path: Path) -> None:
    rows = "2026-03-01,a,$1,1,x\n" + "2026-03-01,a,1,1,x\n" * 1500
    found = examined(f"{HEADER}\n{rows}", tmp_path, language="en_US").analysis.quality
    told = {one.code: one.message for one in found.warnings}
    assert told["mixed_currency"] == "Only some rows name a currency, USD; the others may be in another one."
    assert told["unmarked_currency"] == "Rows that name no currency, taken as USD, which others name: 1,500."


def test_what_a_heading_says_is_harmless_in_a_warning(tmp_path: Path) -> None:
    text = f"{HEADER},[x](http://evil),[x](http://evil)\n03/04/2026,a,1,1,x,,\n"
    found = examined(text, tmp_path).analysis
    assert [one.code for one in found.quality.warnings] == ["duplicate_header", "ambiguous_dates"]
    assert "](http" not in found.quality.warnings[0].message
    assert "](http" not in found.report
    assert "set date_order if" in found.report


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (examined(weeks(), tmp_path, charts="both", exports="html, xlsx, markdown") for _ in range(2))
    assert first.analysis.model_dump_json() == second.analysis.model_dump_json()
    assert [one.content() for one in first.attachments()] == [one.content() for one in second.attachments()]


HOSTILE = "=cmd()|'{{x}}' ```js [a](http://evil) <script>alert(1)</script> | # @all }"


def test_a_name_reaches_nothing_as_markup(tmp_path: Path) -> None:
    text = f'{HEADER}\n2026-03-01,"{HOSTILE}",10,1,"{HOSTILE}"\n2026-03-02,"{HOSTILE}",20,1,"{HOSTILE}"\n'
    found = examined(text, tmp_path, exports="html").analysis
    words = [found.report, found.digest, *found.insights]
    for text_ in words:
        for active in ("```", "<script", "](http", "@all", "{", "}", "|"):
            assert active not in text_
    assert found.chart_blocks.count("{") == found.chart_blocks.count("}")
    for block in re.findall(r"```echarts\n(.*)\n```", found.chart_blocks):
        json.loads(block)
        assert not re.search(r"[<`]", block)
    assert found.top_products[0].product == HOSTILE  # data stays what it was


# Charts and files


@pytest.mark.parametrize(
    ("charts", "blocks", "names"),
    [
        ("none", 0, []),
        ("echarts", 4, []),
        ("png", 0, ["trend.png", "products.png", "regions.png", "pareto.png"]),
        ("both", 4, ["trend.png", "products.png", "regions.png", "pareto.png"]),
    ],
)
def test_charts_come_as_asked_for(charts: str, blocks: int, names: list[str], tmp_path: Path) -> None:
    files = examined(weeks(), tmp_path, charts=charts)
    assert files.analysis.chart_blocks.count("```echarts\n") == blocks
    given_ = list(files.attachments())
    assert [one.filename for one in given_] == names
    for one in given_:
        content = one.content()
        assert content.startswith(b"\x89PNG")
        assert struct.unpack(">I", content[16:20]) == (900,)


def test_a_picture_shows_nothing_after_the_period(tmp_path: Path) -> None:
    files = examined(weeks(), tmp_path, date="2026-03-30", charts="none")
    trend = files.charts[0]
    assert trend.labels[0] == "2026-03-02"
    assert trend.labels[28] == "2026-03-30"
    assert len(trend.series[0].known) == 29


def test_exports_follow_the_pictures_in_a_fixed_order(tmp_path: Path) -> None:
    files = examined(weeks(d34="chair,1,1,west"), tmp_path, charts="png", exports="xlsx, html, markdown")
    made = {one.filename: one for one in files.attachments()}
    assert list(made)[4:] == ["report.md", "report.html", "report.xlsx"]
    assert made["report.md"].content().decode() == files.analysis.report
    page = made["report.html"].content().decode()
    assert "Daily sales 2026-04-05" in page
    assert page.count("data:image/png;base64,") == 4
    assert "Rows not counted" not in page  # there are none
    assert "**" not in page
    [short] = examined(weeks(), tmp_path, charts="none", exports="html", top_n=1).attachments()
    [listed] = re.findall(r"<h2[^>]*>Products</h2>.*?</table>", short.content().decode(), re.DOTALL)
    assert listed.count("<tr") == 2  # the heading and the best; the workbook holds them all
    book = tmp_path / "report.xlsx"
    book.write_bytes(made["report.xlsx"].content())
    sheets = pd.read_excel(book, sheet_name=None, engine="calamine")
    assert {"Products", "Regions", "Price ranges", "Days", "Forecast"} <= set(sheets)
    assert sheets["Products"]["Sales"].sum() == float(files.analysis.summary.total_sales)
    assert len(sheets["Days"]) == 35
    assert sheets["Days"]["Orders"].iloc[0] == 3  # the last day comes first: a page shows the first 200 rows only


def test_the_tables_of_an_export_speak_in_words(tmp_path: Path) -> None:
    text = weeks(d34="lamp,1000,3,north") + "nonsense,lamp,7,1,north\n"
    [book] = examined(text, tmp_path, charts="none", exports="xlsx").attachments()
    path = tmp_path / "report.xlsx"
    path.write_bytes(book.content())
    sheets = pd.read_excel(path, sheet_name=None, engine="calamine")
    assert list(sheets["Rows not counted"]["Reason"]) == ["unreadable date"]
    made = sheets["What made the change"]
    assert set(made["Of"]) == {"Product", "Region"}
    assert len(set(made.groupby("Of")["Change"].sum())) == 1
    assert list(made.columns) == ["Of", "Name", "Change", "Price effect", "Volume effect", "Mix effect"]
    expected = [one.volume_effect for one in examined(text, tmp_path).analysis.drivers]
    assert list(made["Volume effect"]) == [float(value) for value in expected]
    unusual = sheets["Unusual"]
    assert list(unusual.columns[:3]) == ["Day", "Of", "Name"]
    assert unusual["Of"].iloc[0] == "Sales"
    assert "lamp" in set(unusual["Name"])


def test_a_frame_may_hold_days_numbers_and_gaps() -> None:
    frame = pd.DataFrame(
        {
            "下单时间": [pd.Timestamp("2026-03-01 10:00"), pd.Timestamp("2026-03-02 23:59"), pd.NaT],
            "商品": ["灯", "书", "椅"],
            "单价": [0.1, Decimal("19.99"), 5],
            "数量": [3, None, 1],
        }
    )
    found = sales.analyze(frame, today=TODAY)
    assert found.analysis_date == "2026-03-01"
    assert found.summary.total_sales == Decimal("0.3")
    assert found.quality.rejected_by_reason == {"bad_date": 1, "bad_amount": 1}


# Words


def test_amounts_as_people_write_them() -> None:
    assert money(Decimal("-1234.505"), "CNY") == "-¥1,234.51"
    assert money(Decimal(5), "CHF") == "CHF 5.00"
    assert money(Decimal(5), "JPY") == "JPY 5.00"  # ¥ is the yuan here
    assert money(Decimal("-0.001")) == "0.00"
    assert signed(Decimal("12.5")) == "+12.50"
    assert signed(Decimal("0.001")) == "0.00"
    assert about(Decimal("1234.56")) == "1,235"
    assert about(Decimal("-99.999")) == "-100.00"
    assert number(Decimal("1200.500")) == "1,200.5"
    assert plain("a\n  b") == "a b"
    assert plain("") == "–"
    assert plain("x" * 40) == "x" * 40
    assert plain("x" * 26 + "y" * 15) == "x" * 24 + "…" + "y" * 15
    for active in "\\`*_{}[]<>#|~!@&$=":
        assert plain(f"a{active}b") == f"a{chr(ord(active) + 0xFEE0)}b"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("http://evil.com/x WWW.evil.com", "http：//evil.com/x WWW．evil.com"),
        ("1. lamp", "1． lamp"),
        ("365) lamp", "365） lamp"),
        ("- lamp", "－ lamp"),
        ("\u202e + lamp", "＋ lamp"),
        ("1.5L, -20%, 3: 2", "1.5L, -20%, 3: 2"),
        ("\u202elamp\u202c\x07\u2066", "lamp"),
    ],
)
def test_a_name_makes_neither_link_nor_list_and_turns_nothing(name: str, shown: str) -> None:
    assert plain(name) == shown


# Sources


def fetched(brief: Brief, progress: Progress | None = None) -> None:
    with sales.source(brief, progress or Progress()) as fetch:
        fetch()


def test_a_link_needs_a_full_address() -> None:
    with pytest.raises(InvalidInput, match="bad_address"):
        fetched(Brief(file_url="example.com/sales.csv"))


def test_a_private_link_needs_permission() -> None:
    with pytest.raises(Refused, match="allow_private"):
        fetched(Brief(file_url="http://127.0.0.1:9/sales.csv"))
    with pytest.raises(Unavailable, match=r"\[link_unavailable\]"):
        fetched(Brief(file_url="http://127.0.0.1:9/sales.csv", allow_private=True))
    with pytest.raises(Refused) as error:
        fetched(Brief(file_url="http://169.254.169.254/latest/meta-data", allow_private=True))
    assert "allow_private" not in str(error.value)


def test_a_long_download_is_told(tmp_path: Path) -> None:
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(51_000_000)
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    progress = Progress()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        fetched(Brief(file=FileReference(url=f"http://127.0.0.1:{server.server_port}/big.csv")), progress)
        with pytest.raises(InvalidInput, match="larger than 50 MB"):
            fetched(Brief(file_url=f"http://127.0.0.1:{server.server_port}/big.csv", allow_private=True, max_mb=50))
        server.shutdown()
    assert progress.text == "Fetched 25 MB\nFetched 50 MB\n"
    assert list(progress.untold) == ["Fetched 25 MB\n", "Fetched 50 MB\n"]


def test_a_file_that_is_not_clean_further_down_is_read_with_care(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = partial(Limits, checked_bytes=100, head_bytes=1000)  # as if it were too long to be looked at as a whole
    monkeypatch.setattr(sys.modules["opskit.sales.opening.opened"], "Limits", little)
    rows = "2026-03-01,a,1,1,x\n" * 60_000
    found = examined(f'{HEADER}\n{rows}2026-03-01,"a\nb",1,1,x\n', tmp_path).analysis
    assert found.summary.total_orders == 60_001
    assert "reading it with care" in found.progress


def test_a_day_on_which_the_shop_is_closed_is_forecast_so(tmp_path: Path) -> None:
    days = [MONDAY + timedelta(offset) for offset in range(41) if offset % 7 != 6]
    text = "\n".join([HEADER, *(f"{day},lamp,{100 + day.day},2,north" for day in days)]) + "\n"
    assert "- 04-12 closed" in examined(text, tmp_path).analysis.report


def test_one_of_something_is_said_as_well_as_many(tmp_path: Path) -> None:
    found = examined(f"{HEADER}\n2026-03-01,lamp,10,1,north\n", tmp_path)
    titles = [f"{one.title} {one.note} {one.key}" for one in found.charts]
    said = "\n".join([found.analysis.report, *found.analysis.insights, *titles])
    assert not re.search(r"\b1 (pcs|products|rows|days|regions|orders)\b|\bare 1\b", said)


def on_two_days(before: str, *now: str, **options: Any) -> Files:
    """One row of the lamp on the first day, and rows on the second."""
    rows = "".join(f"2026-03-04,{row}\n" for row in now)
    with tempfile.TemporaryDirectory() as folder:
        return examined(f"{HEADER}\n2026-03-03,lamp,{before},1,north\n{rows}", Path(folder), **options)


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("100000", "100010", "▲ 10.00 (+0.01%)"),
        ("100000", "99990", "▼ 10.00 (-0.01%)"),
        ("10000000", "10000010", "+10.00"),
        ("1000", "1010", "▲ 10.00 (+1.0%)"),
    ],
)
def test_a_tiny_change_is_not_said_to_be_none(before: str, now: str, told: str) -> None:
    found = on_two_days(before, f"lamp,{now},1,north", language="en_US").analysis
    assert found.digest.splitlines()[2] == f"{told} against the day before"
    assert not re.search(r"[-+]?\b0\.0%", "\n".join([found.report, *found.insights]))


def test_of_several_firsts_none_is_said_to_be_best() -> None:
    """Equal ones stand in the order of their names, whatever the order of the rows."""
    two = on_two_days("100", "book,10,1,south", "lamp,10,1,north", language="zh_Hans").analysis
    assert "2 个商品并列第一，销售额各 10.00：book、lamp。" in two.insights
    assert "2 个地区并列首位，销售额各 10.00：north、south。" in two.insights
    four = on_two_days("5", *(f"{name},10,1,north" for name in "dbca"), language="en_US", compare_with="none").analysis
    assert four.digest.splitlines()[-1] == "Best sellers with 10.00 each (4): a, b, c and more."


def test_a_share_is_told_only_where_it_says_something() -> None:
    more = on_two_days("100", "lamp,400,1,north", "book,100,-1,south", language="en_US").analysis
    assert "lamp sells best: 400.00." in more.insights
    assert "north leads the regions: 400.00." in more.insights
    less = on_two_days("100", "lamp,100,1,north", "book,300,-1,south", language="en_US", exports="html")
    assert [one.percentage for one in less.analysis.region_analysis] == [-50, 150]  # the figures are the reference's
    assert "- **north** 100.00 (–)" in less.analysis.report
    page = [one.content().decode() for one in less.attachments()][-1]
    assert "150.00%" not in page


def test_refunds_that_are_more_than_sales_are_said_so() -> None:
    found = on_two_days("100", "lamp,100,1,north", "book,300,-1,south", language="en_US").analysis
    assert found.digest.splitlines()[-1] == "Refunds of 300.00 (1) are higher than what was sold: 100.00."
    assert not any("bundles may raise it" in one for one in found.insights)
    assert "Other products (1) 0.00" not in found.report  # the lamp sold as before


def test_long_names_are_told_apart_where_they_differ() -> None:
    """Here that is neither the beginning nor the last fifteen characters."""
    models = [f"Professional wireless keyboard with backlight, model {number:02d} (space grey)" for number in range(5)]
    found = on_two_days("100", *(f'"{model}",{place},1,north' for place, model in enumerate(models, 10)))
    shown = [line.split("**")[1] for line in found.analysis.report.splitlines() if line[:1].isdecimal()]
    assert len(set(shown)) == 5
    assert max(map(len, shown)) <= 40
    names = json.loads(found.analysis.chart_blocks.split("```echarts")[2].split("```")[0])["yAxis"]["data"]
    assert len(set(names)) == 5


def test_the_line_of_the_forecast_goes_past_days_on_which_the_shop_is_closed(tmp_path: Path) -> None:
    open_days = "\n".join(one for one in weeks(8).splitlines() if not one[:1].isdecimal() or not sunday(one))
    found = examined(f"{open_days}\n", tmp_path)
    assert [one.sales for one in found.analysis.forecast].count(Decimal(0)) == 1
    sales_, ahead = found.charts[0].series
    assert len(ahead.known) == 6
    assert Decimal(0) not in [*sales_.known.values(), *ahead.known.values()]


def sunday(row: str) -> bool:
    return date.fromisoformat(row[:10]).weekday() == 6


def test_what_is_estimated_is_not_told_to_the_cent(tmp_path: Path) -> None:
    found = examined(weeks(8, d55="lamp,33.33,3,north"), tmp_path, language="en_US").analysis
    assert "#### Forecast for the 7 days after\n\n- 04-27 " in found.report  # nobody takes them for sales
    (ahead,) = [one for one in found.insights if "to be expected" in one]
    told = r"About [\d,]+ is to be expected in the 7 days that follow, most on 2026-05-\d\d \([\d,]+\)\."
    assert re.fullmatch(told, ahead)


def test_a_day_that_is_not_over_is_not_called_low(tmp_path: Path) -> None:
    text = f"{HEADER}\n2026-11-20,lamp,10,1,north\n{TODAY},lamp,10,1,north\n"
    assert not any("worth a look" in one for one in examined(text, tmp_path).analysis.insights)
    assert any("worth a look" in one for one in examined(text, tmp_path, date="2026-11-20").analysis.insights)


def test_sentence_and_picture_round_a_share_once() -> None:
    """1,200 of 2,200 are 54.545… percent, and the change is one of 20.0475…."""
    found = on_two_days("1832.61", "lamp,1200,1,north", "book,1000,1,south", language="en_US")
    assert "lamp sells best: 1,200.00, 54.5% of sales." in found.analysis.insights
    assert found.charts[1].shares[0] == "54.5%"
    assert found.analysis.comparison[0].change_percent == Decimal("20.05")
    assert "(+20.0%)" in found.analysis.digest


def test_a_day_that_may_not_be_over_is_said_so_once(tmp_path: Path) -> None:
    many = "".join(f"{MONDAY + timedelta(offset)},book,50,1,south\n" * 10 for offset in range(34))
    found = examined(weeks() + many, tmp_path, language="en_US").analysis
    assert [one.when for one in found.anomalies] == ["2026-04-05"]
    assert [one for one in found.insights if "may not be complete" in one] == [found.insights[0]]
