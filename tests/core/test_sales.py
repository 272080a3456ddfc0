import csv
import io
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opskit import sales
from opskit.errors import InvalidInput, OpskitError
from opskit.model import FileReference
from opskit.sales import Analysis, Brief, Options, Progress
from opskit.sales.plain import plain

HEADER = "Date,Product,Price,Amount,Region"
TWO_DAYS = f"""{HEADER}
2026-03-01,灯,10.00,1,华东
2026-03-02,灯,19.99,3,华东
2026-03-02,灯,20.01,1,华南
2026-03-02,书,100,2.5,华东
2026-03-02,椅,100.01,1,
"""


def analysed(text: str, tmp_path: Path, **options: Any) -> Analysis:
    path = tmp_path / "sales.csv"
    path.write_text(text, encoding="utf-8")
    return sales.analyze(path, Options.model_validate(options), today=date(2026, 11, 21))


def refused(text: str, tmp_path: Path) -> str:
    with pytest.raises(OpskitError) as error:
        analysed(text, tmp_path)
    return str(error.value)


@pytest.mark.parametrize(
    ("table", "total"),
    [
        ("单位：万元\n日期,产品,金额,数量\n2026-03-01,灯,1.5,2\n", 15_000),
        ("单位：万元\n日期,产品,金额(元),数量\n2026-03-01,灯,1.5,2\n", Decimal("1.5")),
        ("单位：万元\n日期,产品,单价,数量\n,,元,台\n2026-03-01,灯,1.5,2\n", 3),
        ("日期,产品,金额,数量\n,,万元,台\n2026-03-01,灯,1.5,2\n", 15_000),
        ("Date,Product,Price (cents),Amount\n2026-03-01,Lamp,150,2\n2026-03-01,Lamp,$1.5,0\n", 3),
    ],
)
def test_figures_are_multiplied_by_what_they_are_counted_in(tmp_path: Path, table: str, total: Decimal) -> None:
    values = analysed(table, tmp_path)
    assert values.summary.total_sales == total
    told = {"unit_above", "unit_in_header"} & {warning.code for warning in values.quality.warnings}
    assert bool(told) == (total not in {3, Decimal("1.5")} or "cents" in table)


def test_the_latest_day_in_figures(tmp_path: Path) -> None:
    values = analysed(TWO_DAYS, tmp_path).variables()
    assert values["analysis_date"] == "2026-03-02"
    assert values["summary"] == {
        "total_sales": 429.99,  # 59.97 + 20.01 + 250 + 100.01
        "total_orders": 4,
        "total_quantity": 7.5,
        "average_order_value": 107.5,  # 107.4975
    }
    assert values["top_products"] == [
        {"product": "书", "sales": 250, "quantity": 2.5, "avg_price": 100},
        {"product": "椅", "sales": 100.01, "quantity": 1, "avg_price": 100.01},
        {"product": "灯", "sales": 79.98, "quantity": 4, "avg_price": 20},
    ]
    assert values["region_analysis"] == [
        {"region": "华东", "sales": 309.97, "quantity": 5.5, "percentage": 72.09},
        {"region": "", "sales": 100.01, "quantity": 1, "percentage": 23.26},
        {"region": "华南", "sales": 20.01, "quantity": 1, "percentage": 4.65},
    ]
    assert values["price_range_analysis"] == [
        {"range": "0-100", "sales": 329.98, "quantity": 6.5},
        {"range": "100-500", "sales": 100.01, "quantity": 1},
    ]
    assert values["data_info"] == {
        "date_range": "2026-03-01 到 2026-03-02",
        "total_records": 5,
        "unique_products": 3,
        "unique_regions": 3,
    }


@pytest.mark.parametrize(
    ("price", "name"),
    [("0", "0-100"), ("100", "0-100"), ("100.01", "100-500"), ("500", "100-500"), ("1000", "500-1000"),
     ("5000", "1000-5000"), ("5000.01", "5000+"), ("99999", "5000+")],
)  # fmt: skip
def test_price_ranges_are_closed_on_the_right_and_the_first_includes_zero(
    price: str, name: str, tmp_path: Path
) -> None:
    # A free row sells nothing and is left out, so a second row at 1 stands beside the 0.
    analysis = analysed(f"{HEADER}\n2026-03-01,a,{price},1,x\n2026-03-01,a,1,1,x\n", tmp_path)
    ranges = {row.range: row.quantity for row in analysis.price_range_analysis}
    assert ranges == ({name: 2} if name == "0-100" else {"0-100": 1, name: 1})


def test_ranges_without_positive_sales_are_left_out(tmp_path: Path) -> None:
    rows = "2026-03-01,a,200,-1,x\n2026-03-01,a,0,5,x\n2026-03-01,a,-5,1,x\n2026-03-01,a,600,1,x\n"
    analysis = analysed(f"{HEADER}\n{rows}", tmp_path)
    assert [row.range for row in analysis.price_range_analysis] == ["500-1000"]


def test_five_products_at_most_and_equal_ones_by_name(tmp_path: Path) -> None:
    rows = "".join(f"2026-03-01,{name},10,1,x\n" for name in "fedcba")
    assert [row.product for row in analysed(f"{HEADER}\n{rows}", tmp_path).top_products] == list("abcde")


@pytest.mark.parametrize(
    ("price", "english", "chinese"),
    [
        ("50000", "not above 50,000", "未超过 50,000"),
        ("50000.01", "A good day", "表现良好"),
        ("100000", "A good day", "表现良好"),
        ("100000.01", "An excellent day", "表现优秀"),
    ],
)
def test_the_days_grade_changes_above_its_thresholds(price: str, english: str, chinese: str, tmp_path: Path) -> None:
    text = f"{HEADER}\n2026-03-01,a,{price},1,x\n"
    assert english in "".join(analysed(text, tmp_path, language="en_US").insights)
    assert chinese in "".join(analysed(text, tmp_path, language="zh_Hans").insights)


@pytest.mark.parametrize(("price", "words"), [("1000", "not above 1,000"), ("1000.01", "is above 1,000")])
def test_the_average_order_has_a_threshold_too(price: str, words: str, tmp_path: Path) -> None:
    assert words in analysed(f"{HEADER}\n2026-03-01,a,{price},1,x\n", tmp_path).insights[-1]


def test_one_day_is_named_alone_and_english_data_speaks_english(tmp_path: Path) -> None:
    analysis = analysed(f"{HEADER}\n2026-03-01,lamp,10,1,north\n", tmp_path)
    assert analysis.data_info.date_range == "2026-03-01"
    assert analysis.report.startswith("### Daily sales 2026-03-01")
    two = analysed(f"{HEADER}\n2026-03-01,lamp,10,1,north\n2026-03-04,lamp,10,1,north\n", tmp_path)
    assert two.data_info.date_range == "2026-03-01 to 2026-03-04"


def test_a_day_of_refunds_has_no_shares(tmp_path: Path) -> None:
    analysis = analysed(f"{HEADER}\n2026-03-01,a,10,1,x\n2026-03-01,a,10,-1,y\n", tmp_path)
    assert analysis.summary.total_sales == 0
    assert [row.percentage for row in analysis.region_analysis] == [None, None]
    assert [warning.code for warning in analysis.quality.warnings] == ["zero_total"]
    assert analysis.digest.splitlines()[-1] == "Sales of 0.00 are not above 50,000.00: worth a look."
    assert "(–)" in analysis.report


def test_the_report_is_made_for_a_phone(tmp_path: Path) -> None:
    report = analysed(TWO_DAYS, tmp_path).report
    assert "|" not in report
    assert "销售额 **429.99** · 4 单 · 7.5 件 · 客单价 107.50" in report
    assert "1. **书** 250.00（2.5 件）" in report
    assert "- **华东** 309.97（72.09%）" in report


def test_names_reach_the_report_as_text_never_as_markup(tmp_path: Path) -> None:
    name = "**x** [a](http://evil) <b> `c` # | @all"
    report = analysed(f'{HEADER}\n2026-03-01,"{name}",10,1,"# 1\n2"\n', tmp_path).report
    assert "](http" not in report
    assert "<b>" not in report
    assert "@all" not in report
    assert plain("# 1\n2") in report
    assert len(plain("长" * 100)) == 40


def test_an_average_price_is_that_of_the_rows_not_of_the_pieces(tmp_path: Path) -> None:
    [lamp] = analysed(f"{HEADER}\n2026-03-02,lamp,10,1,x\n2026-03-02,lamp,20,9,x\n", tmp_path).top_products
    assert lamp.model_dump(mode="json") == {"product": "lamp", "sales": 190, "quantity": 10, "avg_price": 15}


def test_the_whole_file_is_described_in_whatever_order_its_days_stand(tmp_path: Path) -> None:
    rows = ["02,a,1,1,x", "01,b,1,1,y", "03,c,1,1,x", "02,d,1,1,z", "03,c,2,1,x"]
    text = f"{HEADER}\n" + "".join(f"2026-03-{row}\n" for row in rows)
    analysis = analysed(text, tmp_path)
    assert analysis.data_info.model_dump() == {
        "date_range": "2026-03-01 to 2026-03-03",
        "total_records": 5,
        "unique_products": 4,
        "unique_regions": 3,
    }
    assert analysis.analysis_date == "2026-03-03"
    assert analysis.summary.total_sales == 3


def test_halves_are_rounded_up(tmp_path: Path) -> None:
    rows = ["10.005,1,x", "0,1,x", "0.015,1,y"]  # the mean of 10.005, 0 and 0.015 is 3.34; 5.01 the share of y in cents
    analysis = analysed(f"{HEADER}\n" + "".join(f"2026-03-02,a,{row}\n" for row in rows), tmp_path)
    assert analysis.top_products[0].avg_price == Decimal("3.34")
    two = analysed(f"{HEADER}\n2026-03-02,a,0.01,1,x\n2026-03-02,a,0.02,1,x\n", tmp_path)
    assert two.summary.average_order_value == two.top_products[0].avg_price == Decimal("0.02")  # 0.015
    share = analysed(f"{HEADER}\n2026-03-02,a,1,1,x\n2026-03-02,a,1,799,y\n", tmp_path)
    assert [region.percentage for region in share.region_analysis] == [Decimal("99.88"), Decimal("0.13")]  # 0.125


def test_sums_are_exact_to_fifteen_digits_and_rounded_beyond(tmp_path: Path) -> None:
    rows = [f"2026-03-02,a,1,{amount},x\n" for amount in ("99999999999", "0.000000001", "-99999999999")]
    assert analysed(f"{HEADER}\n" + "".join(rows), tmp_path).summary.total_sales == Decimal("1e-9")
    thirds = analysed(f"{HEADER}\n" + "2026-03-02,a,33333.333333333,3.5,x\n" * 9000, tmp_path)
    assert thirds.summary.total_sales == Decimal("1049999999.99999")  # …99.9999895
    assert "sums_rounded" in [warning.code for warning in thirds.quality.warnings]


def test_a_negative_price_lies_in_no_range(tmp_path: Path) -> None:
    ranges = analysed(f"{HEADER}\n2026-03-02,a,-5,-3,x\n2026-03-02,a,5,1,x\n", tmp_path).price_range_analysis
    assert [one.range for one in ranges] == ["0-100"]
    assert ranges[0].sales == 5


def test_equal_regions_stand_by_name(tmp_path: Path) -> None:
    text = f"{HEADER}\n" + "".join(f"2026-03-02,a,1,1,{region}\n" for region in "cab")
    assert [row.region for row in analysed(text, tmp_path).region_analysis] == ["a", "b", "c"]


def test_rows_that_cannot_be_read_are_counted_not_guessed(tmp_path: Path) -> None:
    text = (
        TWO_DAYS
        + "not a day,a,1,1,x\n2026-03-02,a,1.2.3,1,x\n2026-03-02,a,1,some,x\n"
        + "2026-03-02,a,1\n , ,,,\n2026-02-30,a,1,1,x\n"
    )
    analysis = analysed(text, tmp_path)
    assert analysis.summary == analysed(TWO_DAYS, tmp_path).summary
    reasons = "日期无法识别 2、数量无法识别 2、空行 1、单价无法识别 1"
    assert f"> 数据质量：计入 5 行 · 未计入 6 行（{reasons}；行号 7、8、9、10、11、12）" in analysis.report
    assert analysis.quality.rejected_by_reason == {"bad_amount": 2, "bad_date": 2, "bad_price": 1, "blank": 1}
    assert analysis.quality.examples[1].text == "2026-03-02, a, 1.2.3, 1, x"


@pytest.mark.parametrize(
    "day", ["2026-03-02", "2026/3/2", "2026.03.02", "2026-03-02 18:30:00", "2026-03-02T18:30:00+08:00"]
)
def test_days_are_read_year_first(day: str, tmp_path: Path) -> None:
    assert analysed(f"{HEADER}\n{day},a,1,1,x\n", tmp_path).analysis_date == "2026-03-02"


def test_columns_are_found_in_any_case_and_order_with_others_beside_them(tmp_path: Path) -> None:
    text = "\ufeffDATE, region ,AMOUNT,price,Note,Product\n2026-03-01,x,2,3,hello,a\n"
    assert analysed(text, tmp_path).summary.total_sales == 6


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "[empty_file]"),
        ("\n\n", "[empty_file]"),
        ("日期,商品\n", "[missing_columns] The table lacks price, amount. It has: 日期, 商品. Needed are a date"),
        (
            f"{HEADER}\n",
            (
                "[no_rows] No row of the table can be counted. Rows looked at: 0 (–). The first: –. Check prices, "
                "quantities and the number of columns. There is no row below the headings"
            ),
        ),
        (
            f"{HEADER}\n2026-03-01,a,x,1,y\n昨天,a,1,1,y\n",
            (
                "[no_rows] No row of the table can be counted. Rows looked at: 2 (bad_date 1, bad_price 1). "
                "The first: 2026-03-01, a, x, 1, y."
            ),
        ),
        (
            f"{HEADER}\n昨天,a,1,1,y\n",
            (
                "[no_valid_dates] No row has a date that can be read in the column Date "
                "(rows looked at: 1). The first: 昨天, a, 1, 1, y."
            ),
        ),
        ("nothing", "[not_a_table]"),
        (f"{HEADER}\n2026-03-01,a,123456789012,99999,y\n", "[too_many_digits]"),
    ],
)
def test_what_cannot_be_analysed_is_refused_by_name(text: str, start: str, tmp_path: Path) -> None:
    assert refused(text, tmp_path).startswith(start)


def test_other_encodings_and_formats_give_the_same_figures(tmp_path: Path) -> None:
    path = tmp_path / "gbk.csv"
    path.write_bytes(TWO_DAYS.encode("gbk"))
    found = sales.analyze(str(path))
    assert found.quality.encoding == "gb18030"
    assert found.summary == analysed(TWO_DAYS, tmp_path).summary


def test_a_frame_gives_what_its_file_gives(tmp_path: Path) -> None:
    frame = pd.read_csv(io.StringIO(TWO_DAYS), dtype=str)
    assert sales.analyze(frame) == analysed(TWO_DAYS, tmp_path)


# Sources


def test_text_and_files_are_read_alike(tmp_path: Path) -> None:
    with sales.source(Brief(csv_text=TWO_DAYS), Progress()) as fetch:
        path = fetch()
        assert sales.analyze(path) == analysed(TWO_DAYS, tmp_path)
    assert not path.parent.exists()


def test_the_temporary_folder_goes_even_when_the_analysis_fails() -> None:
    paths = []

    def failing() -> None:
        with sales.source(Brief(csv_text="nothing"), Progress()) as fetch:
            paths.append(fetch())
            sales.analyze(paths[0])

    with pytest.raises(InvalidInput):
        failing()
    assert not paths[0].parent.exists()


@pytest.mark.parametrize(
    ("given_", "key"),
    [
        ({}, "no_source"),
        ({"csv_text": "x", "file": FileReference(url="http://h/f")}, "several_sources"),
        ({"csv_text": "销" * 400_000}, "csv_text_too_large"),
    ],
)
def test_exactly_one_source_of_a_sensible_size(given_: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidInput, match=key):
        Brief.model_validate(given_)


def test_a_relative_file_address_names_the_setting_to_mend() -> None:
    brief = Brief(file=FileReference(url="/files/1?sign=x"))
    with pytest.raises(InvalidInput, match="FILES_URL"), sales.source(brief, Progress()) as fetch:
        fetch()


# Against an independent calculation

ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["灯", "书", "lamp", 'a "quoted", name', "x\ny"]),
        st.decimals(0, 10_000, places=2),
        st.decimals(-20, 500, places=1),
        st.sampled_from(["华东", "north", ""]),
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=30)
@given(ROWS)
def test_sums_are_exact_and_parts_add_up(rows: list[tuple[int, str, Decimal, Decimal, str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER.split(","))
    for offset, *rest in rows:
        writer.writerow([date(2026, 1, 1) + timedelta(offset), *rest])
    with sales.source(Brief(csv_text=text.getvalue()), Progress()) as fetch:
        analysis = sales.analyze(fetch())
    day = [row for row in rows if row[0] == max(row[0] for row in rows)]
    total = sum((price * amount for _, _, price, amount, _ in day), Decimal(0))
    by_region: dict[str, Decimal] = defaultdict(Decimal)
    for _, _, price, amount, region in day:
        by_region[region] += price * amount
    assert analysis.summary.total_sales == total
    assert analysis.summary.total_orders == len(day)
    assert {row.region: row.sales for row in analysis.region_analysis} == by_region
    assert sum(row.quantity for row in analysis.region_analysis) == analysis.summary.total_quantity
    average = (total / len(day)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert analysis.summary.average_order_value == average
