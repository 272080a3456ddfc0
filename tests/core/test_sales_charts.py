import itertools
import json
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date, timedelta
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from opskit.sales.charts import Chart, colours, echarts, figures, glyphs, pareto, png, products, regions, svg, trend
from opskit.sales.charts.canvas import WIDTH
from opskit.sales.charts.chart import CALM, line
from opskit.sales.charts.kinds import MOST_BARS, MOST_DAYS, MOST_FORECAST_DAYS, MOST_RANKS
from opskit.sales.charts.plot import spread
from opskit.wording import Locale

ROOT = Path(__file__).resolve().parents[2]
FIRST = date(2026, 10, 1)
HOSTILE = [
    "<script>alert(1)</script>&amp;]]>",
    '"quoted" \\back\\slash\\',
    "```\n```echarts\n{",
    "{{#env.SECRET#}} $$x$$ \\(y\\) <think>",
    "一\x00二\x07三\u202e四\ufeff\u200b五",
    "half \ud83d emoji 😀👍🏽 กข עברית 한국어 e\u0301 z\u0308",
    "",
    " \t\r\n ",
    "很长的名称" * 60,
    "W" * 500,
    "\uffff\U0010ffff",
]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def month(count: int = 31) -> list[tuple[date, Decimal]]:
    return [(day(number), Decimal(100_000 + 7919 * number % 30_011) / 7) for number in range(count)]


def week_ahead(last: date) -> list[tuple[date, Decimal, Decimal, Decimal]]:
    return [(last + timedelta(days=n), Decimal(15_000), Decimal(9_000), Decimal(20_000)) for n in range(1, 8)]


def option(chart: Chart) -> dict[str, Any]:
    opening, text, closing = echarts(chart).split("\n")
    assert (opening, closing) == ("```echarts", "```")
    found: dict[str, Any] = json.loads(text)
    return found


def texts(chart: Chart) -> list[tuple[float, float, float, float, str]]:
    """Left, right, top, bottom and words of every text of the picture, where its ink may be."""
    found = []
    for element in ET.fromstring(svg(chart)).iter("{http://www.w3.org/2000/svg}text"):  # noqa: S314 - our own
        words, size = element.text or "", float(element.attrib["font-size"])
        x, y, wide = float(element.attrib["x"]), float(element.attrib["y"]), glyphs.width(words, size)
        left = x - wide * {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor", "start")]
        found.append((left, left + wide, y - 0.75 * size, y + 0.2 * size, words))
    return found


def assert_legible(chart: Chart) -> None:
    """Every text lies on the sheet, and none on another."""
    height = float(ET.fromstring(svg(chart)).attrib["height"])  # noqa: S314 - our own
    boxes = sorted(set(texts(chart)))  # a text with a halo is there twice
    for left, right, top, bottom, words in boxes:
        assert left >= 0, words
        assert right <= WIDTH + 0.01, words
        assert 0 <= top < bottom <= height, words
    for one, other in itertools.combinations(boxes, 2):
        apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
        assert apart or not one[4].strip() or not other[4].strip(), (one, other)


# The font


def test_the_font_is_ours_to_give_away_and_small_enough() -> None:
    names = TTFont(glyphs.FILE)["name"]
    assert names.getDebugName(1) == glyphs.FAMILY
    assert "SIL Open Font License" in names.getDebugName(13)
    assert glyphs.FILE.stat().st_size <= 2_500_000
    licence = (glyphs.FILE.parent / "OFL.txt").read_text(encoding="utf-8")
    assert names.getDebugName(0).removeprefix("© ").removesuffix(".") in licence
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


def test_the_font_is_read_as_it_is() -> None:
    font = TTFont(glyphs.FILE)
    assert glyphs.glyphs().em == font["head"].unitsPerEm
    assert glyphs.glyphs().widths == {point: font["hmtx"][name][0] for point, name in font.getBestCmap().items()}


@pytest.mark.parametrize(("codec", "leads"), [("gb2312", range(0xB0, 0xF8)), ("big5", range(0xA4, 0xC7))])
def test_the_font_has_the_characters_in_common_use(codec: str, leads: range) -> None:
    codes = (bytes(pair) for pair in itertools.product(leads, range(0x40, 0xFF)))
    known = {character for code in codes for character in code.decode(codec, "ignore") if character >= "\u4e00"}
    assert len(known) > 5000
    assert {character for character in known if ord(character) not in glyphs.glyphs().widths} <= set("兀嗀\ue000")


def test_what_the_font_lacks_is_a_box_and_marks_are_left_out() -> None:
    assert glyphs.shown("a😀👍🏽ก\u0e31b e\u0301 z\u0308\u200b") == "a□□□b é z"


@given(st.text(max_size=60), st.floats(40, 700))
def test_a_text_is_made_to_fit(text: str, room: float) -> None:
    shown = glyphs.shown(text)
    fitted = glyphs.fitted(shown, 26, room)
    assert glyphs.width(fitted, 26) <= room
    assert fitted == shown or "…" in fitted


def test_a_long_name_keeps_its_end() -> None:
    fitted = glyphs.fitted("加厚保暖防风防水户外登山冲锋衣 黑色", 20, 200)
    assert fitted == "加厚保暖防风…黑色"
    assert glyphs.fitted("WW", 20, 21) == "…"


# Numbers


@pytest.mark.parametrize(
    ("value", "chinese", "english"),
    [
        ("0", "0", "0"),
        ("-0.00", "0", "0"),
        ("0.5", "0.5", "0.5"),
        ("19.994", "19.99", "19.99"),
        ("999.95", "1,000", "1K"),
        ("9876.54", "9,877", "9.88K"),
        ("9999.95", "1万", "10K"),
        ("123456.78", "12.35万", "123.5K"),
        ("-45000", "-4.5万", "-45K"),
        ("42860", "4.29万", "42.86K"),
        ("99999999", "1亿", "100M"),
        ("123456789", "1.23亿", "123.5M"),
        ("1e12", "1万亿", "1T"),
        ("1e15", "1,000万亿", "1,000T"),
        ("1e17", "1E+17", "1E+17"),
        ("0.0000123456", "0.00001235", "0.00001235"),
        ("1.23456e-9", "1.235E-9", "1.235E-9"),
    ],
)
def test_amounts_are_short(value: str, chinese: str, english: str) -> None:
    assert (figures.short(Decimal(value), "zh_Hans"), figures.short(Decimal(value), "en_US")) == (chinese, english)


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [("1", "3", "33.3%"), ("0.0005", "1", "0.1%"), ("-1", "9999", "0.0%"), ("1", "0", ""), ("1", "-5", "")],
)
def test_shares_have_one_place(part: str, whole: str, share: str) -> None:
    assert figures.percent(Decimal(part), Decimal(whole)) == share


numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)


@given(numbers, numbers, st.integers(2, 8))
def test_steps_are_equal_round_and_reach(one: Decimal, other: Decimal, gaps: int) -> None:
    low, high = sorted([one, other])
    with localcontext(CALM):
        ticks = figures.ticks(low, high, gaps)
        assert ticks[0] <= low
        assert ticks[-1] >= high
        assert 0 in ticks
        assert 2 <= len(ticks) <= gaps + 3
        steps = {after - before for before, after in itertools.pairwise(ticks)}
    assert len(steps) == 1
    assert "".join(map(str, steps.pop().normalize().as_tuple().digits)) in {"1", "2", "25", "5"}


@given(st.integers(1, 500), st.integers(1, 600))
def test_labels_keep_their_distance(count: int, apart: int) -> None:
    places = spread(count, apart)
    assert all(after - before >= apart for before, after in itertools.pairwise(places))
    assert 0 <= min(places) <= max(places) < count


# The descriptions


def test_a_day_without_sales_in_the_file_has_no_value() -> None:
    chart = trend([(day(4), Decimal(5)), (day(0), Decimal(1)), (day(1), Decimal("NaN"))], locale="en_US", note="CNY")
    assert chart.labels == ("2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04", "2026-10-05")
    assert chart.series[0].values == (Decimal(1), None, None, None, Decimal(5))
    assert chart.note == "CNY | 2026-10-01 to 2026-10-05"


def test_a_trend_shows_the_latest_days_and_the_near_future() -> None:
    last = day(999)
    near = Decimal(5), Decimal(9), Decimal(1)  # the ends of the band stand the wrong way round
    ahead = [(last + timedelta(days=n), *near) for n in (-1, 0, 1, 3, MOST_FORECAST_DAYS, 99)]
    odd = (last + timedelta(days=2), Decimal(1), Decimal(1), Decimal("inf"))
    chart = trend(month(1000), locale="zh_Hans", forecast=[*ahead, odd], unusual=[day(3), last, day(5000)])
    assert chart.labels[0] == (last - timedelta(days=MOST_DAYS - 1)).isoformat()
    assert len(chart.labels) == MOST_DAYS + MOST_FORECAST_DAYS
    assert chart.marks == (MOST_DAYS - 1,)
    assert chart.band is not None
    expected = {MOST_DAYS: 5, MOST_DAYS + 2: 5, MOST_DAYS + MOST_FORECAST_DAYS - 1: 5}
    assert chart.series[1].known == expected
    assert chart.band.low.known == dict.fromkeys(expected, 1)
    assert chart.band.high.known == dict.fromkeys(expected, 9)


def test_products_are_ranked_and_limited() -> None:
    sales = [(f"p{number:02}", Decimal(number // 2)) for number in range(30)]
    chart = products(sales, locale="en_US", total=Decimal(1000), note="2026-10-01")
    assert chart.labels[:4] == ("p28", "p29", "p26", "p27")
    assert (len(chart.labels), chart.title) == (MOST_BARS, "Top products by sales (12)")
    assert chart.shares[0] == "1.4%"


def test_regions_beyond_the_limit_are_added_up() -> None:
    sales = [(f"r{number}", Decimal(f"{number}.01")) for number in range(1, 31)]
    chart = regions([*sales, ("odd", Decimal("inf"))], locale="zh_Hans")
    assert chart.labels[0] == "r30"
    assert chart.labels[-1] == "其余 19 个"
    assert chart.series[0].values[-1] == sum(amount for _, amount in sales[:19])
    assert chart.shades == ("plain",) * 11 + ("rest",)
    assert sum(value for value in chart.series[0].values if value) == sum(amount for _, amount in sales)
    assert option(chart)["series"][0]["data"][-1]["label"] == {"formatter": "190.2  40.9%"}
    assert svg(chart).count(f'fill="{colours.TRACK}"') == 11, "a bar of the rest would dwarf the others"
    assert_legible(chart)


def test_a_region_without_name_and_one_with_refunds() -> None:
    chart = regions([("", Decimal(-5)), ("East", Decimal(20))], locale="en_US")
    assert (chart.labels, chart.shades, chart.shares) == (("East", "(blank)"), ("plain", "below"), ("133.3%", "-33.3%"))


def test_pareto_with_a_bar_for_each_product() -> None:
    sales = [("a", Decimal(70)), ("b", Decimal(20)), ("c", Decimal(10)), ("x", Decimal(0)), ("y", Decimal(-3))]
    classes = [("A", 1, Decimal("70.00")), ("B", 1, Decimal(20)), ("C", 1, None)]
    chart = pareto(sales, locale="en_US", classes=classes, note="October")
    assert chart.labels == ("a", "b", "c")
    assert [list(series.known.values()) for series in chart.series] == [[70, 20, 10], [70, 90, 100]]
    assert chart.shades == ("a", "b", "c")
    assert chart.key[0] == ("a", "A: 70.00% (products: 1)")
    assert chart.key[2][1].startswith("C: – ")
    assert chart.note == "October | Products by rank: 3"


def test_pareto_with_many_products_in_each_bar() -> None:
    sales = [(f"p{number}", Decimal(10_000 - number)) for number in range(1001)]
    chart = pareto(sales, locale="zh_Hans", classes=[("A", 51, Decimal(80)), ("B", 100, Decimal(15))])
    assert (chart.size, len(chart.labels)) == (51, MOST_RANKS)
    assert chart.labels[:2] == ("1–51", "52–102")
    assert chart.labels[-1] == "970–1001"
    assert chart.shades == ("a", "b", "b", *["rest"] * 17)
    assert chart.series[1].values[-1] == 100
    assert sum(value for value in chart.series[0].values if value) == sum(amount for _, amount in sales)


def test_pareto_without_classes() -> None:
    chart = pareto([("a", Decimal(1))], locale="zh_Hans")
    assert (chart.shades, chart.key) == (("plain",), ())
    assert [series["name"] for series in option(chart)["series"]] == ["销售额", "累计占比"]


@pytest.mark.parametrize("chart", [trend([], locale="zh_Hans"), products([], locale="zh_Hans", note="十月")])
def test_nothing_to_draw_is_said(chart: Chart) -> None:
    assert chart.empty
    assert chart.note.endswith("没有可画的数据")
    assert "series" not in option(chart)
    assert_legible(chart)


def test_empty_regions_and_products_without_sales() -> None:
    assert regions([], locale="en_US").empty
    assert pareto([("a", Decimal(0))], locale="en_US").empty


def test_a_name_is_one_line_with_both_its_ends() -> None:
    assert line(" a\n b\u202e\x00 c ") == "a b c"
    long = line("x" * 70 + "y" * 70)
    assert (len(long), long[:2], long[-2:]) == (80, "xx", "yy")
    assert line("👨\u200d👩") == "👨\u200d👩"


def test_numbers_no_double_holds_are_cut_off() -> None:
    chart = products([("a", Decimal("9e5000")), ("b", Decimal("-9e5000")), ("c", Decimal("1e-5000"))], locale="en_US")
    assert chart.series[0].values == (Decimal("1e300"), Decimal(0), Decimal("-1e300"))
    assert [bar["value"] for bar in option(chart)["series"][0]["data"]] == [1e300, 0, -1e300]
    assert_legible(chart)


# Dify's block

KINDS = {
    "trend": lambda name: trend(month(), locale="zh_Hans", forecast=week_ahead(day(30)), unusual=[day(3)], note=name),
    "products": lambda name: products([(name, Decimal(5)), ("b", Decimal(-3))], locale="zh_Hans", note=name),
    "regions": lambda name: regions([(name, Decimal(5)), ("b", Decimal(3))], locale="en_US", note=name),
    "pareto": lambda name: pareto(
        [(name, Decimal(5)), ("b", Decimal(3))], locale="en_US", classes=[(name, 2, Decimal(100))], note=name
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_text_wherever_it_stands(kind: str, name: str) -> None:
    chart = KINDS[kind](name)
    text = echarts(chart)
    assert re.search(r"[<>&`$]|[^`]```", text.removeprefix("```echarts\n").removesuffix("\n```")) is None
    assert text.count("{") == text.count("}")
    assert '"' not in re.sub(r'"[^"\\]*(?:\\u[0-9a-f]{4}[^"\\]*)*"', "", text)
    read = json.dumps(option(chart), ensure_ascii=False)
    assert json.dumps(line(name), ensure_ascii=False)[1:-1] in read
    assert_legible(chart)


def test_braces_are_balanced_though_a_name_has_one() -> None:
    text = echarts(products([("{", Decimal(1))], locale="en_US"))
    assert r"\u007b" in text
    assert text.count("{") == text.count("}")


def test_the_band_is_a_height_above_its_low_end() -> None:
    chart = trend(month(), locale="zh_Hans", forecast=week_ahead(day(30)), unusual=[day(3)])
    series = {entry["name"]: entry for entry in option(chart)["series"]}
    assert list(series) == ["销售额", "预测", "下限", "预测区间", "上限", "异常日"]
    assert series["预测区间"]["data"][-1] == 11_000
    assert series["预测区间"]["data"][0] is None
    assert series["异常日"]["data"] == [["2026-10-04", series["销售额"]["data"][3]]]
    assert all(entry["connectNulls"] for entry in series.values() if entry["type"] == "line")


def test_numbers_in_the_block_show_cents() -> None:
    amounts = [Decimal(text) for text in ("1234.5678", "3.00", "0.0123456", "1e20")]
    chart = trend([(day(place), amount) for place, amount in enumerate(amounts)], locale="en_US")
    assert '"data":[1234.57,3,0.01235,1e+20]' in echarts(chart)


def test_one_day_is_shown_as_a_point() -> None:
    assert option(trend(month(1), locale="en_US"))["series"][0]["showSymbol"]
    assert not option(trend(month(2), locale="en_US"))["series"][0]["showSymbol"]


def test_a_long_name_keeps_its_end_on_the_axis_and_is_whole_in_the_tooltip() -> None:
    name = "加厚保暖防风防水户外登山冲锋衣三合一 黑色"
    shown = option(products([(name, Decimal(2)), ("ก" * 40, Decimal(1))], locale="zh_Hans"))
    assert shown["yAxis"]["data"] == ["加厚保暖防风…一 黑色", "ก" * 40]
    assert shown["series"][0]["data"][0]["name"] == name


# The picture


@pytest.mark.parametrize("locale", ["zh_Hans", "en_US"])
@pytest.mark.parametrize("count", [1, 2, 5, 31, 45, 46, 120, 400])
def test_a_trend_is_legible(count: int, locale: Locale) -> None:
    days = month(count)
    assert_legible(trend(days, locale=locale))
    assert_legible(trend(days, locale=locale, forecast=week_ahead(days[-1][0]), unusual=[days[-1][0]], note="元"))


amounts = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**15), max_value=10**15)
names = st.text(max_size=40)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900).map(day), amounts), min_size=1, max_size=60), amounts)
def test_any_trend_is_legible(days: list[tuple[date, Decimal]], ahead: Decimal) -> None:
    last = max(when for when, _ in days)
    forecast = [(last + timedelta(days=1), ahead, ahead - 5, ahead + 5)]
    assert_legible(trend(days, locale="zh_Hans", forecast=forecast, unusual=[days[0][0]]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(names, amounts), max_size=40), st.sampled_from(["zh_Hans", "en_US"]))
def test_any_bars_are_legible(sales: list[tuple[str, Decimal]], locale: Locale) -> None:
    assert_legible(products(sales, locale=locale, total=Decimal(10**6), note="2026-10-31"))
    assert_legible(regions(sales, locale=locale))
    assert_legible(pareto(sales, locale=locale, classes=[("A", 4, Decimal("79.99")), ("B", 5, Decimal(15))]))


def test_pareto_of_ten_thousand_products_is_legible() -> None:
    sales = [(f"p{number}", Decimal(1_000_000) / (number + 1)) for number in range(10_000)]
    classes = [("A", 812, Decimal("79.99")), ("B", 2_100, Decimal("15.01")), ("C", 7_088, Decimal(5))]
    chart = pareto(sales, locale="zh_Hans", classes=classes)
    assert_legible(chart)
    assert len(echarts(chart)) < 5_000


def test_bars_of_short_names_stand_beside_them_and_of_long_names_below() -> None:
    beside = texts(products([("灯", Decimal(2)), ("书", Decimal(1))], locale="zh_Hans"))
    below = texts(products([("灯" * 20, Decimal(2)), ("书", Decimal(1))], locale="zh_Hans"))
    assert beside[-1][3] < below[-1][3]


def test_a_refund_stands_left_of_a_line() -> None:
    assert "<path" not in svg(products([("a", Decimal(2))], locale="en_US"))
    assert "<path" in svg(products([("a", Decimal(2)), ("b", Decimal(-1))], locale="en_US"))


@pytest.mark.parametrize(("before", "latest", "below"), [(5, "7", False), (7, "5", True), (7, "0.01", False)])
def test_the_latest_value_avoids_the_line_before_it(before: int, latest: str, below: bool) -> None:  # noqa: FBT001
    drawn = svg(trend([(day(0), Decimal(before)), (day(1), Decimal(latest))], locale="en_US"))
    dot = re.findall(r'cy="([\d.]+)" r="8"', drawn)[0]
    label = re.findall(rf'y="([\d.]+)" font-size="23" text-anchor="middle" [^>]*stroke[^>]*>{latest}<', drawn)[0]
    assert (float(label) > float(dot)) == below


def test_the_callers_arithmetic_changes_nothing() -> None:
    def drawn() -> list[str]:
        charts = [KINDS[kind]("灯") for kind in KINDS]
        return [paint(chart) for chart in charts for paint in (svg, echarts)]

    expected = drawn()
    with localcontext(Context(prec=150)):
        assert drawn() == expected


def test_a_picture_is_the_same_each_time_and_as_wide_as_a_phone() -> None:
    chart = KINDS["products"]("扫地机器人")
    picture = png(chart)
    assert picture == png(chart)
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">I", picture[16:20]) == (900,)


def test_text_is_visible_in_any_script() -> None:
    chart = products([("a", Decimal(1))], locale="en_US")
    assert len({png(replace(chart, labels=(name,))) for name in ("灯", "กข", "a", " ")}) == 4


def test_the_renderer_is_imported_when_a_picture_is_made() -> None:
    code = "import opskit.sales.charts, sys; sys.exit('resvg_py' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
