import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opskit.errors import InvalidInput
from opskit.model import Result
from opskit.sales.insight import (
    Base,
    Calendar,
    CompareWith,
    Focus,
    Kind,
    Level,
    Life,
    Measure,
    Pareto,
    Period,
    Refunds,
    Study,
    Sums,
    Trend,
    bases,
    compare,
    fairest,
    findings,
    flaws,
    focus,
    forecast,
    new_and_lost,
    odd_days,
    odd_names,
    pareto,
    product_drivers,
    refunds,
    region_drivers,
    trend,
)
from opskit.sales.insight.feasts import feast
from opskit.sales.insight.movers import NOBODY
from opskit.sales.insight.robust import Usual, scores
from opskit.sales.insight.said import Signed, said
from opskit.sales.insight.sums import EXACT
from opskit.wording import LOCALES, Locale

D = Decimal
MONDAY = date(2026, 1, 5)
MEASURE = Measure(excellent=D(100), good=D(50), high_order=D(40))
# What a shop sells from Monday to Sunday: a quarter of it on Sundays.
WEEK = (100, 110, 105, 120, 150, 200, 30)


def on(offset: int) -> date:
    return MONDAY + timedelta(offset)


def filed(sales: Mapping[date, object], rows: int = 20) -> dict[date, Sums]:
    return {day: Sums(rows, D(str(value)), D(1)) for day, value in sales.items()}


def weekly(length: int, *, without: tuple[int, ...] = (), **changed: int) -> dict[date, Sums]:
    """So many days of a regular shop, each off by up to 3 %, ``d7=5`` setting the eighth day's sales to 5."""
    chance = random.Random(7)  # noqa: S311, seeded test data
    sales = {on(place): round(WEEK[place % 7] * 10 * chance.uniform(0.97, 1.03)) for place in range(length)}
    sales |= {on(int(name[1:])): value for name, value in changed.items()}
    return filed({day: value for day, value in sales.items() if day not in map(on, without)})


def calendar(days: dict[date, Sums], **options: Any) -> Calendar:
    return Calendar(days, **options)


def period(first: str, last: str = "") -> Period:
    return Period(date.fromisoformat(first), date.fromisoformat(last or first))


def keys(several: tuple[Any, ...] | list[Any]) -> list[str]:
    return [one.key for one in several]


# Days and periods.


def test_a_period_counts_its_days_and_weekends() -> None:
    week = Period(MONDAY, on(6))
    assert (week.length, week.weekend_days, len(list(week))) == (7, 2, 7)
    assert [Period(on(start), on(start + 9)).weekend_days for start in range(7)] == [2, 2, 2, 3, 4, 4, 3]
    assert str(week) == "2026-01-05/2026-01-11"
    assert str(period("2026-01-05")) == "2026-01-05"
    assert on(3) in week
    assert on(7) not in week


def test_a_weekday_without_rows_is_closed_and_nothing_is_missing_on_it() -> None:
    found = calendar(weekly(28, without=(6, 13, 20, 27, 9)))
    assert found.closed == {6}
    assert found.missing(Period(on(0), on(40))) == [on(9)]
    assert not found.expects(on(34))


def test_a_weekday_must_be_seen_three_times_before_it_is_called_closed() -> None:
    found = calendar(weekly(15, without=(6, 13)))
    assert found.closed == set()
    assert found.missing(found.span) == [on(6), on(13)]


def test_in_a_file_of_few_days_nothing_is_missing() -> None:
    for days in ((0, 3, 8), range(0, 300, 9)):
        found = calendar(filed({on(day): 1 for day in days}))
        assert found.sparse
        assert found.missing(found.span) == []


@pytest.mark.parametrize(
    ("rows", "history", "state"),
    [
        (9, [20] * 60, "perhaps"),
        (10, [20] * 60, ""),
        (9, [20] * 5, "perhaps"),
        (9, [20] * 4, ""),  # too few days to tell
        (3, [9] * 60, ""),  # so few rows are chance
        (9, [20] * 46 + [8] + [20] * 13, ""),  # the same weekday, two weeks ago, had fewer
    ],
)
def test_a_last_day_with_far_fewer_rows_than_usual_may_be_unfinished(rows: int, history: list[int], state: str) -> None:
    days = {on(place): Sums(count, D(1), D(1)) for place, count in enumerate([*history, rows])}
    found = calendar(days)
    assert found.unfinished == state
    assert found.last_finished == (on(len(history) - 1) if state else on(len(history)))


def test_today_is_never_over() -> None:
    assert calendar(weekly(3), today=on(2)).unfinished == "today"
    assert calendar(weekly(3), today=on(3)).unfinished == ""


@pytest.mark.parametrize(
    ("kind", "options", "first", "last", "over"),
    [
        ("day", {}, "2026-02-18", "2026-02-18", True),
        ("day", {"day": date(2026, 2, 3)}, "2026-02-03", "2026-02-03", True),
        ("week", {}, "2026-02-16", "2026-02-18", False),
        ("week", {"day": date(2026, 2, 3)}, "2026-02-02", "2026-02-08", True),
        ("month", {}, "2026-02-01", "2026-02-18", False),
        ("month", {"day": date(2026, 1, 9)}, "2026-01-01", "2026-01-31", True),
        ("range", {}, "2026-01-05", "2026-02-18", True),
        ("range", {"start": date(2025, 12, 1), "end": date(2026, 1, 9)}, "2026-01-05", "2026-01-09", True),
        ("range", {"start": date(2026, 2, 10), "end": date(2026, 3, 1)}, "2026-02-10", "2026-02-18", False),
    ],
)
def test_the_focus(kind: Kind, options: dict[str, date], first: str, last: str, *, over: bool) -> None:
    found = focus(kind, calendar(weekly(45)), **options)
    assert (found.period, found.over) == (period(first, last), over)


@pytest.mark.parametrize(
    ("kind", "options", "key"),
    [
        ("range", {"start": on(3), "end": on(2)}, "start_after_end"),
        ("range", {"start": on(30), "end": on(32)}, "no_sales_in_period"),
        ("day", {"day": date(2026, 1, 1)}, "no_sales_in_period"),
        ("week", {"day": date.max}, "no_sales_in_period"),
        ("month", {"day": date.min}, "no_sales_in_period"),
    ],
)
def test_a_focus_without_sales_is_refused(kind: Kind, options: dict[str, date], key: str) -> None:
    with pytest.raises(InvalidInput, match=key):
        focus(kind, calendar(weekly(14)), **options)


@pytest.mark.parametrize(
    ("kind", "options", "with_", "found"),
    [
        ("day", {}, "none", []),
        ("day", {}, "auto", ["previous 2028-03-14", "last_week 2028-03-08"]),
        ("day", {}, "previous", ["previous 2028-03-14"]),
        ("day", {"day": date(2028, 2, 29)}, "last_year", ["last_year 2027-02-28"]),
        ("day", {"day": date(2027, 3, 31)}, "last_month", ["last_month 2027-02-28"]),
        ("week", {}, "auto", ["previous 2028-03-06/2028-03-08", "last_year 2027-03-15/2027-03-17"]),
        ("week", {}, "last_week", ["last_week 2028-03-06/2028-03-08"]),
        ("week", {}, "last_month", ["last_month 2028-02-14/2028-02-16"]),
        ("month", {}, "auto", ["previous 2028-02-01/2028-02-15", "last_year 2027-03-01/2027-03-15"]),
        ("month", {}, "last_week", ["previous 2028-02-01/2028-02-15"]),  # seven days earlier would overlap
        ("month", {"day": date(2028, 2, 9)}, "last_month", ["last_month 2028-01-01/2028-01-31"]),
        ("range", {"start": date(2028, 3, 6)}, "auto",
         ["previous 2028-02-25/2028-03-05", "last_year 2027-03-06/2027-03-15"]),
        ("range", {"start": date(2028, 3, 6)}, "last_week", ["previous 2028-02-25/2028-03-05"]),
        ("range", {}, "auto", []),  # the whole file
    ],
)  # fmt: skip
def test_what_a_focus_is_compared_with(
    kind: Kind, options: dict[str, date], with_: CompareWith, found: list[str]
) -> None:
    long = calendar(weekly(801))  # until Wednesday, 2028-03-15
    looked_at = focus(kind, long, **options)
    assert [f"{base.against} {base.period}" for base in bases(looked_at, with_, long)] == found


def test_the_day_before_is_the_last_one_with_rows() -> None:
    found = calendar(weekly(8, without=(5, 6)))
    day = focus("day", found)
    assert bases(day, "auto", found)[0] == Base("previous", Period(on(4), on(4)))
    compared = compare(day, bases(day, "auto", found), found)
    assert keys(compared[0].notes) == ["day_skipped"]
    far = calendar(filed({on(0): 1, on(20): 2}))
    [base] = bases(focus("day", far), "previous", far)
    assert base.period.first == on(19)


def test_the_same_day_is_not_compared_with_twice() -> None:
    found = calendar(filed({on(7 * week): 5 for week in range(5)}))
    assert [base.against for base in bases(focus("day", found), "auto", found)] == ["last_week"]


# Comparisons.


def compared(days: dict[date, Sums], kind: Kind = "day", with_: CompareWith = "auto", **options: Any) -> list[Any]:
    asked = {name: options.pop(name) for name in ("day", "start", "end") if name in options}
    found = calendar(days, **options)
    looked_at = focus(kind, found, **asked)
    return compare(looked_at, bases(looked_at, with_, found), found)


def test_a_comparison_is_exact_and_says_what_it_is() -> None:
    [yesterday, week] = compared(filed({on(0): "0.1", on(6): 3, on(7): "0.30"}))
    assert week.item("en_US").model_dump(mode="json") == {
        "against": "last_week",
        "period": "2026-01-05",
        "sales": 0.1,
        "change": 0.2,
        "change_percent": 200,
        "complete": True,
        "note": "",
    }
    assert yesterday.change == D("-2.7")
    assert yesterday.change_percent == D(-90)
    assert yesterday.item("zh_Hans").note == "对比的两天中，只有 2026-01-11 是周末。"
    assert fairest([yesterday, week]) is week


@pytest.mark.parametrize("before", [0, -5])
def test_there_is_no_percentage_of_nothing_or_less(before: int) -> None:
    [found] = compared(filed({on(0): before, on(1): 10}))
    assert found.item("en_US").change == 10 - before
    assert found.item("en_US").change_percent is None


def test_a_base_that_the_file_does_not_hold_is_unknown_not_zero() -> None:
    [found] = compared(weekly(20), with_="last_year")
    item = found.item("en_US")
    assert (item.sales, item.change, item.change_percent, item.complete) == (None, None, None, False)
    assert item.note == "The file has no rows for 2025-01-24: no comparison with it."
    assert fairest([found]) is None


def test_a_week_that_is_not_over_is_compared_with_as_many_days() -> None:
    [found] = compared(weekly(24), "week")
    assert found.base.period == Period(on(14), on(16))
    assert keys(found.flaws) == ["to_date"]
    assert not found.complete


def test_missing_days_are_named() -> None:
    [found] = compared(weekly(42, without=(29, 31, 32, 33, 36)), "week")
    assert found.item("en_US").note == (
        "The period lacks days that usually have rows (1): 2026-02-10. "
        "The period compared with lacks days that usually have rows (4): 2026-02-03, 2026-02-05, 2026-02-06 and more."
    )


def test_a_base_that_begins_before_the_file_is_not_complete() -> None:
    [found] = compared(weekly(40), "month")
    assert keys(found.gaps) == ["base_before_file"]


def test_unequal_periods_say_so() -> None:
    [found] = compared(weekly(90), "month", "previous", day=date(2026, 3, 3))
    assert keys(found.notes) == ["uneven"]
    [found] = compared(weekly(90), "range", "previous", start=on(70), end=on(74))
    assert keys(found.notes) == ["weekend_days"]


def test_a_feast_in_one_of_two_periods_is_named() -> None:
    days = {date(2025, 11, day): Sums(20, D(10), D(1)) for day in range(1, 12)}
    assert keys(compared(days, feasts=True)[1].notes) == ["feast_in_one"]
    assert compared(days, feasts=False)[1].notes == ()
    assert compared({**days, date(2025, 11, 12): days[date(2025, 11, 1)]}, "range", "previous", feasts=True,
                    start=date(2025, 11, 11), end=date(2025, 11, 12))[0].item("zh_Hans").note == (
        "本期有 0 个周末日，对比期有 1 个。两个时段中只有一个含双十一（2025-11-11）。"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2026-02-16", "spring"), ("2026-02-23", "spring"), ("2026-02-24", None), ("2026-05-05", "labour"),
        ("2026-01-01", "new_year"), ("2026-06-18", "midyear"), ("2026-10-07", "national"), ("2026-12-12", "double12"),
    ],
)  # fmt: skip
def test_feasts(day: str, name: str | None) -> None:
    assert feast(date.fromisoformat(day)) == name


def test_an_unfinished_day_is_said_first() -> None:
    [yesterday, _] = compared(weekly(20), today=on(19))
    assert yesterday.item("en_US").note.startswith("2026-01-24 is not over yet (rows so far: 20)")
    assert not yesterday.complete


# Drivers.


def test_price_volume_and_mix() -> None:
    before = {"灯": Sums(1, D(100), D(10)), "书": Sums(1, D(100), D(5)), "旧": Sums(1, D(30), D(5))}
    now = {"灯": Sums(1, D(180), D(15)), "书": Sums(1, D(100), D(5)), "新": Sums(1, D(60), D(4))}
    found = product_drivers(before, now, top=2)  # 20 pieces before, 24 now: all grown alike, a fifth more
    assert [driver.model_dump(mode="json") for driver in found.items("zh_Hans")] == [
        {"dimension": "product", "name": "灯", "contribution": 80,
         "price_effect": 30, "volume_effect": 20, "mix_effect": 30},
        {"dimension": "product", "name": "新", "contribution": 60,
         "price_effect": 0, "volume_effect": 0, "mix_effect": 60},
        {"dimension": "product", "name": "其余 2 个商品", "contribution": -30,
         "price_effect": 0, "volume_effect": 26, "mix_effect": -56},
    ]  # fmt: skip
    assert found.total().contribution == 110
    assert found.strongest(rising=True, count=1)[0][0] == "灯"
    assert found.strongest(rising=False, count=1) == []


def test_without_quantities_that_compare_there_is_only_volume() -> None:
    for quantity in (D(0), D(-3), D(2000)):
        [driver] = product_drivers({"a": Sums(1, D(10), D(5))}, {"b": Sums(1, D(50), quantity)}, top=5).named[:1]
        assert driver[0] == "b"
        assert (driver[1].price, driver[1].volume, driver[1].mix) == (D(0), D(50), D(0))


def test_a_product_with_more_refunds_than_sales_has_no_price() -> None:
    [driver] = product_drivers({"a": Sums(2, D(-80), D(1))}, {"a": Sums(1, D(20), D(1))}, top=1).items("en_US")
    assert (driver.price_effect, driver.contribution) == (D(0), D(100))


def test_effects_have_as_many_places_as_the_sales() -> None:
    [driver] = product_drivers({"a": Sums(1, D("0.0010"), D(3))}, {"a": Sums(1, D("0.0040"), D(4))}, top=1).items(
        "en_US"
    )
    assert (driver.price_effect, driver.volume_effect, driver.mix_effect) == (D("0.003"), D(0), D(0))


def test_names_without_a_contribution_drive_nothing() -> None:
    same = {"a": Sums(1, D(5), D(1)), "b": Sums(1, D(5), D(1))}
    found = product_drivers(same, same, top=5)
    assert found.named == ()
    assert [driver.contribution for driver in found.items("en_US")] == [0]
    assert product_drivers({}, {}, top=5).items("en_US") == []


def test_infinite_sums_do_not_count_places() -> None:
    found = region_drivers({}, {("华东", ""): Sums(1, D("1E+3"), D(1))}, top=1)
    assert found.items("en_US")[0].contribution == 1000


MONEY = st.decimals(-(10**6), 10**6, places=4, allow_nan=False)
SUMS = st.builds(Sums, st.integers(1, 9), MONEY, st.decimals(-50, 50, places=1))
CELLS = st.dictionaries(st.tuples(st.sampled_from("东南西北中"), st.sampled_from("abcdefgh")), SUMS, max_size=12)


@given(CELLS, CELLS, st.integers(0, 6))
@settings(max_examples=100, deadline=None)
def test_contributions_and_their_parts_always_add_up_exactly(
    before: dict[tuple[str, str], Sums], now: dict[tuple[str, str], Sums], top: int
) -> None:
    change = sum((one.sales for one in now.values()), D(0)) - sum((one.sales for one in before.values()), D(0))
    found = region_drivers(before, now, top=top)
    rows = found.items("zh_Hans")
    assert sum((row.contribution for row in rows), D(0)) == change == found.total().contribution
    for row in rows:
        assert EXACT.add(EXACT.add(row.price_effect, row.volume_effect), row.mix_effect) == row.contribution
    shuffled = region_drivers(dict(reversed(before.items())), dict(reversed(now.items())), top=top)
    assert shuffled == found


# Anomalies.


def odd(days: dict[date, Sums], **options: Any) -> list[Any]:
    found = calendar(days, **options)
    return odd_days(focus("day", found), found, {}, top=5)


def test_a_sunday_is_no_anomaly() -> None:
    assert odd(weekly(42)) == []
    assert odd(weekly(70, without=(6, 13, 20, 27, 34, 41, 48, 55, 62, 69))) == []


def test_an_unusual_day_has_its_expectation_and_reason() -> None:
    days = weekly(42)
    days[on(41)] = Sums(60, D(930), D(1))
    days[on(38)] = Sums(20, D(9999), D(1))
    days[on(36)] = Sums(3, D(160), D(1))
    days[on(33)] = Sums(20, D(-4), D(1))
    days[on(30)] = Sums(21, D(100), D(1))
    found = odd(days)
    assert [(one.day, one.reasons[0].key) for one in found] == [
        (on(41), "many_orders"),  # the focus comes first
        (on(33), "more_refunds_than_sales"),
        (on(30), "small_orders"),
        (on(38), "large_orders"),
        (on(36), "few_orders"),
    ]
    item = found[0].item("en_US")
    assert (item.what, item.when, item.value) == ("total", "2026-02-15", 930)
    assert 280 < item.expected < 320
    assert item.score > 3.5
    assert item.reason == "Orders: 60, usually about 20."
    assert abs(found[1].score) <= 99


def test_a_day_without_rows_and_a_feast_are_reasons() -> None:
    days = weekly(49, without=(38,), d43=5000)  # 2026-02-12 and 2026-02-17, Chinese New Year
    found = odd(days, feasts=True)
    assert [keys(one.reasons) for one in found] == [["no_rows_that_day"], ["on_feast", "large_orders"]]
    assert found[1].item("zh_Hans").reason.startswith("当日为春节。")


def test_an_unfinished_day_is_not_called_weak() -> None:
    days = weekly(42)
    days[on(41)] = Sums(4, D(40), D(1))
    assert odd(days, today=on(41)) == []
    assert [one.reasons[0].key for one in odd(days)] == ["unfinished_perhaps"]


def test_orders_that_are_not_usual_themselves_explain_nothing() -> None:
    days = {day: Sums(1, sums.sales, D(1)) for day, sums in weekly(42, d40=9999, d39=100).items()}
    for place in range(0, 42, 7):
        for offset in (4, 5):  # Fridays and Saturdays with one row of many, as far as rows are known
            days[on(place + offset)] = days[on(place + offset)]._replace(rows=0 if place < 35 else 5)
    found = {one.day: one.reasons[0].key for one in odd(days)}
    assert found == {on(40): "above_usual", on(39): "below_usual"}


def test_few_points_have_no_anomaly() -> None:
    assert odd(weekly(20, d19=99999)) == []
    assert odd(filed({on(0): 1})) == []
    assert odd(filed({on(9 * place): 5 for place in range(30)} | {on(300): 1000})) == []
    assert odd(filed({on(place): 0 for place in range(60)})) == []


def test_what_happens_often_is_not_unusual() -> None:
    """A shop that sells on nine days of ten has days without rows, and a product that often goes unsold such days."""
    days = weekly(60, without=(3, 11, 25, 38, 46, 58))
    assert odd(days) == []
    assert [one.reasons[0].key for one in odd(days | {on(58): Sums(9, D(-400), D(1))})] == ["more_refunds_than_sales"]
    found = calendar(weekly(60))
    sold = {day: value for day, value in histories(weekly(60), 0.3).items() if day not in {on(9), on(30), on(59)}}
    assert odd_names("product", {"lamp": sold}, focus("day", found), found, top=5) == []
    rarely = sold | {on(9): D(90)}
    assert [one.name for one in odd_names("product", {"lamp": rarely}, focus("day", found), found, top=5)] == ["lamp"]


def histories(days: dict[date, Sums], share: float) -> dict[date, Decimal]:
    return {day: sums.sales * D(str(share)) for day, sums in days.items()}


def test_products_that_were_unlike_themselves_on_the_day() -> None:
    days = weekly(42)
    usual = histories(days, 0.3)
    found = calendar(days)
    day = focus("day", found)
    names: dict[str, dict[date, Decimal]] = {
        "usual": usual,
        "high": usual | {on(41): D(600)},
        "low": usual | {on(41): D(10)},
        "gone": {day: value for day, value in usual.items() if day != on(41)},
        "small": histories(days, 0.01) | {on(41): D(0)},
        "seldom": {day: value for day, value in usual.items() if day.day % 2},
    }
    odd_ones = odd_names("product", names, day, found, top=5)
    assert [(one.name, one.reasons[0].key) for one in odd_ones] == [
        ("high", "above_usual"),
        ("gone", "not_sold"),
        ("low", "below_usual"),
    ]
    assert odd_ones[0].item("en_US").what == "product:high"
    assert odd_names("product", names, focus("week", found), found, top=5) == []
    today = calendar(days, today=on(41))
    assert odd_names("region", names, focus("day", today), today, top=5) == []
    few = calendar(weekly(9))
    assert odd_names("region", names, focus("day", few), few, top=5) == []
    sparse = calendar(filed({on(9 * place): 5 for place in range(30)}))
    assert odd_names("region", names, focus("day", sparse), sparse, top=5) == []
    rare = calendar(weekly(42, without=(6, 13, 20, 27, 34)))  # a Sunday, where Sundays are closed
    assert odd_names("product", names, focus("day", rare), rare, top=5) == []


@pytest.mark.parametrize(
    ("sales", "reason"), [("0", "nothing_earned"), ("-9", "more_refunds_than_sales")]
)  # fmt: skip
def test_rows_that_add_up_to_nothing_are_neither_missing_nor_refunds(sales: str, reason: str) -> None:
    """Such as a day of gifts."""
    days = weekly(42) | {on(41): Sums(20, D(sales), D(20))}
    assert [one.reasons[0].key for one in odd(days)] == [reason]
    found, names = calendar(weekly(42)), {"lamp": histories(weekly(42), 0.3) | {on(41): D(sales)}}
    assert [one.reasons[0].key for one in odd_names("product", names, focus("day", found), found, top=5)] == [reason]


def test_a_weekday_on_which_nothing_is_usual_expects_nothing() -> None:
    days = [on(place) for place in range(42)]
    values = [0.0 if place % 7 == 6 else 1.0 for place in range(42)]
    assert [place % 7 for place, usual in enumerate(Usual(days, values).all()) if usual is None] == [6] * 6
    assert scores(values, [None] * 42) == [0.0] * 42


# Pareto, refunds, products come and gone.


def test_abc_classes() -> None:
    found = pareto([D(5), D(50), D(30), D(10), D(4), D(1), D(0), D(-7)])
    assert found.model_dump(mode="json") == {
        "classes": [
            {"class": "A", "products": 2, "sales_percent": 80},
            {"class": "B", "products": 2, "sales_percent": 15},
            {"class": "C", "products": 4, "sales_percent": 5},
        ],
        "top_share_percent": 80,
    }


def test_classes_keep_their_name_inside_a_result() -> None:
    class Report(Result):
        pareto: Pareto

    assert Report(report="", pareto=pareto([D(1)])).variables()["pareto"]["classes"][0]["class"] == "A"
    assert "class" in Pareto.model_json_schema(mode="serialization")["$defs"]["AbcClass"]["properties"]


@pytest.mark.parametrize("sales", [[], [D(0)], [D(-1), D(0)]])
def test_without_positive_sales_there_are_no_classes(sales: list[Decimal]) -> None:
    assert pareto(sales) == Pareto(classes=[], top_share_percent=None)


@given(st.lists(MONEY, min_size=1))
@settings(max_examples=100, deadline=None)
def test_classes_add_up_in_any_order(sales: list[Decimal]) -> None:
    found = pareto(sales)
    assert found == pareto(sorted(sales))
    if found.classes:
        assert sum(one.products for one in found.classes) == len(sales)
        assert sum(one.sales_percent for one in found.classes) == 100
        assert found.classes[0].products


def test_refunds() -> None:
    back = {"灯": Sums(2, D(-30), D(-3)), "书": Sums(1, D(-50), D(-1)), "椅": Sums(1, D(-1), D(-1))}
    found = refunds(back, D(719), earlier=(D(-20), D(980)), top=2)
    assert found.model_dump(mode="json") == {
        "rows": 4,
        "sales": -81,
        "share_percent": 10.13,  # of 800
        "usual_percent": 2,
        "products": [{"product": "书", "rows": 1, "sales": -50}, {"product": "灯", "rows": 2, "sales": -30}],
    }
    none = refunds({}, D(5), earlier=None, top=5)
    assert (none.sales, none.share_percent, none.usual_percent) == (D(0), D(0), None)
    assert refunds(back, D(-81), earlier=(D(0), D(0)), top=1).share_percent is None


def test_products_come_and_go() -> None:
    found = calendar(weekly(60))
    lives = {
        "neu": Life(on(59), on(59), 1, D(7)),
        "neuer": Life(on(59), on(59), 1, D(8)),
        "gone": Life(on(0), on(49), 50, D(100)),
        "dear": Life(on(0), on(49), 25, D(1000)),
        "slow": Life(on(0), on(49), 5, D(1000)),  # sells every ten days: ten without are nothing
        "twice": Life(on(1), on(49), 2, D(10)),
        "old": Life(on(0), on(20), 21, D(100)),
        "short": Life(on(0), on(53), 54, D(100)),
    }
    moved = new_and_lost(lives, focus("day", found), found, top=1)
    assert moved.model_dump(mode="json") == {
        "new": [{"product": "neuer", "since": "2026-03-05", "sales": 8}],
        "lost": [{"product": "dear", "since": "2026-02-23", "sales_per_day": 20}],
        "new_count": 2,
        "lost_count": 2,
    }
    assert new_and_lost(lives, focus("range", found), found, top=5) == NOBODY


# Trend.


def growing(length: int, step: int) -> Calendar:
    return calendar(filed({on(place): 1000 + WEEK[place % 7] + step * place for place in range(length)}))


@pytest.mark.parametrize(
    ("length", "step", "direction", "slope"),
    [(56, 3, "up", 3), (56, -3, "down", -3), (56, 0, "flat", 0), (14, 5, "up", 5), (13, 5, "unknown", None)],
)
def test_a_trend_is_seen_through_the_week(length: int, step: int, direction: str, slope: int | None) -> None:
    found = growing(length, step)
    seen = trend(found, found.span.last)
    assert (seen.direction, seen.slope_per_day, seen.days) == (direction, slope, length)


def test_one_large_day_is_no_trend() -> None:
    days = weekly(56, d55=99999)
    assert trend(calendar(days), on(55)).direction == "flat"


def test_averages_are_of_whole_weeks() -> None:
    found = trend(calendar(filed({on(place): place for place in range(28) if place != 27 - 3})), on(27))
    assert (found.average_7, found.average_7_before) == (D("20.57"), D("17.00"))
    assert found.average_28 == D("12.64")
    few = trend(calendar(filed({on(0): 5})), on(0))
    assert (few.average_7, few.average_7_before, few.average_28, few.direction) == (None, None, None, "unknown")


def test_fourteen_days_that_share_no_weekday_do_not_exist_but_few_weeks_do() -> None:
    assert trend(calendar(weekly(20), today=on(19)), on(19)).days == 19


# Forecast.


def test_a_forecast_goes_on_with_the_week() -> None:
    found = calendar(weekly(70))
    days = forecast(found, on(69)).days
    assert [day.date for day in days] == [on(place).isoformat() for place in range(70, 77)]
    for place, day in enumerate(days):
        assert abs(day.sales - WEEK[place] * 10) < WEEK[place]
        assert 0 <= day.low < day.sales < day.high
        assert day.high - day.low < 200


def test_an_unfinished_day_is_not_learned_from() -> None:
    days = weekly(70)
    days[on(69)] = Sums(1, D(1), D(1))
    whole, cut = calendar(weekly(69)), calendar(days, today=on(69))
    after = forecast(cut, on(69)).days
    assert after[0].date == on(70).isoformat()
    assert [day.sales for day in after[:6]] == [day.sales for day in forecast(whole, on(68)).days[1:]]


def test_what_has_grown_for_four_weeks_is_not_expected_to_fall_back() -> None:
    for sign in (1, -1):
        days = forecast(calendar(filed({on(place): 100 + sign * 2 * place for place in range(28)})), on(27)).days
        last = Decimal(100 + sign * 2 * 27)
        assert all((day.sales - last) * sign > 0 for day in days)


def test_an_odd_day_does_not_move_a_forecast_much() -> None:
    calm = forecast(calendar(weekly(70)), on(69)).days
    for changed in (weekly(70, d66=99999), weekly(70, without=(66, 65))):
        for one, other in zip(forecast(calendar(changed), on(69)).days, calm, strict=True):
            assert abs(one.sales - other.sales) < D("0.15") * other.sales + 10


def test_a_closed_weekday_brings_nothing() -> None:
    found = calendar(weekly(70, without=tuple(range(6, 70, 7))))
    days = forecast(found, on(69)).days
    assert [day.sales > 0 for day in days] == [True] * 6 + [False]
    assert (days[6].low, days[6].high) == (D(0), D(0))


def test_too_little_has_no_forecast_and_says_so() -> None:
    few = forecast(calendar(weekly(20)), on(19))
    assert (few.days, keys(few.notes)) == ((), ["forecast_few"])
    rare = forecast(calendar(filed({on(3 * place): 5 for place in range(40)} | {on(1): 1})), on(117))
    assert (rare.days, keys(rare.notes)) == ((), ["forecast_sparse"])
    early = forecast(calendar(weekly(60)), on(4))
    assert keys(early.notes) == ["forecast_few"]
    rarer = forecast(calendar(filed({on(9 * place): 5 for place in range(30)})), on(261))
    assert keys(rarer.notes) == ["forecast_sparse"]


def test_a_feast_ahead_is_said_once() -> None:
    found = forecast(calendar(weekly(40), feasts=True), on(39))
    assert [note.text("en_US", str) for note in found.notes] == [
        "The forecast does not know of the Spring Festival (2026-02-16)."
    ]


def test_what_was_negative_may_be_so_again() -> None:
    found = forecast(calendar(filed({on(place): (-50, 40, -60)[place % 3] for place in range(60)})), on(59))
    assert min(day.low for day in found.days) < 0


def test_a_weekday_that_is_hardly_known_is_nothing() -> None:
    # From Monday on; of the Sundays only the very last, which is asked about, is missing and there is no other.
    days = {on(place): Sums(1, D(10), D(1)) for place in range(182 + 12)}
    for place in range(12 + (6 - 12) % 7, 194, 7):
        del days[on(place)]
    days |= {on(-7 * week - 1): Sums(1, D(5), D(1)) for week in range(26)}
    found = forecast(calendar(days), on(193))
    assert len(found.days) == 7


@pytest.mark.parametrize("size", ["1E+300", "1E-300", "0", "-1E+60"])
def test_sizes_beyond_reason_end_nothing(size: str) -> None:
    days = {on(place): Sums(1, D(size) * (1 + place % 3), D(1)) for place in range(40)}
    found = calendar(days)
    assert len(forecast(found, on(39)).days) == 7
    assert trend(found, on(39)).direction == "flat"
    assert odd_days(focus("day", found), found, {}, top=5) == []


@given(st.lists(st.one_of(st.none(), MONEY), min_size=1, max_size=90).filter(any))
@settings(max_examples=60, deadline=None)
def test_any_series_gives_an_answer_and_always_the_same(values: list[Decimal | None]) -> None:
    days = filed({on(place): value for place, value in enumerate(values) if value is not None})
    one, other = calendar(days), calendar(dict(reversed(days.items())))
    kinds: tuple[Kind, ...] = ("day", "week", "month", "range")
    for kind in kinds:
        looked_at = focus(kind, one)
        found = compare(looked_at, bases(looked_at, "auto", one), one)
        assert found == compare(looked_at, bases(looked_at, "auto", other), other)
        assert all(row.change is None or row.before.sales + row.change == row.now.sales for row in found if row.before)
        assert odd_days(looked_at, one, {}, top=5) == odd_days(looked_at, other, {}, top=5)
    last = one.span.last
    assert forecast(one, last) == forecast(other, last)
    assert trend(one, last) == trend(other, last)
    for day in forecast(one, last).days:
        assert day.low <= day.sales <= day.high


def test_ten_thousand_products_are_no_matter() -> None:
    chance = random.Random(1)  # noqa: S311, seeded test data
    names = [f"p{place}" for place in range(10_000)]
    before = {name: Sums(1, D(chance.randrange(10**6)) / 100, D(chance.randrange(1, 9))) for name in names}
    now = {name: Sums(1, D(chance.randrange(10**6)) / 100, D(chance.randrange(1, 9))) for name in names[500:]}
    found = product_drivers(before, now, top=5)
    assert found.other_count == 9995
    whole = sum((one.sales for one in now.values()), D(0)) - sum((one.sales for one in before.values()), D(0))
    assert sum(driver.contribution for driver in found.items("en_US")) == whole
    assert sum(one.products for one in pareto([one.sales for one in now.values()]).classes) == 9500


# Sentences.

QUIET = Refunds(rows=0, sales=D(0), share_percent=D(0), usual_percent=None, products=[])
LEVEL = Trend(
    direction="flat", slope_per_day=D(0), days=30, average_7=None, average_7_before=None, average_28=None
)  # fmt: skip


def study(days: dict[date, Sums], kind: Kind = "day", with_: CompareWith = "auto", **changed: Any) -> Study:
    found = calendar(days, **{name: changed.pop(name) for name in ("today", "feasts") if name in changed})
    looked_at = focus(kind, found)
    rows = compare(looked_at, bases(looked_at, with_, found), found)
    values: dict[str, Any] = {
        "flaws": flaws(looked_at, found),
        "compared": rows,
        "explained": fairest(rows),
        "drivers": [],
        "odd": [],
        "refunds": QUIET,
        "trend": LEVEL,
        "movers": NOBODY,
        "pareto": pareto([]),
        "forecast": forecast(found, looked_at.period.last),
        "level": Level(Sums(2, D(80), D(4)), 1, {"灯": D(50), "书": D(30)}, {"东": D(50), "西": D(30)}, MEASURE),
    }
    return Study(**(values | changed))


def words(found: Study, locale: Locale, named: Callable[[str], str] = str) -> list[str]:
    return [sentence.text(locale, named) for sentence in findings(found)]


def a_drive() -> list[Any]:
    before, now = {"灯": Sums(1, D(100), D(10)), "*书*": Sums(1, D(80), D(4))}, {"灯": Sums(1, D(160), D(15))}
    cells: tuple[dict[tuple[str, str], Sums], ...] = (
        {("东", "灯"): before["灯"], ("西", "*书*"): before["*书*"]},
        {("东", "灯"): now["灯"]},
    )
    return [product_drivers(before, now, top=5), region_drivers(*cells, top=5)]


def test_everything_in_words() -> None:
    found = study(
        weekly(70, without=(40,), d60=5000),
        drivers=a_drive(),
        odd=odd(weekly(42, d41=9999)) + odd_names("product", {"灯": histories(weekly(42), 0.5) | {on(41): D(3)}},
                                                  focus("day", calendar(weekly(42))), calendar(weekly(42)), top=1),
        refunds=refunds({"灯": Sums(1, D(-30), D(1))}, D(970), earlier=(D(-1), D(99)), top=1),
        trend=LEVEL.model_copy(update={"direction": "down", "slope_per_day": D("-2.5")}),
        movers=new_and_lost({"neu": Life(on(69), on(69), 1, D(7)), "weg": Life(on(0), on(59), 60, D(7))},
                            focus("day", calendar(weekly(70))), calendar(weekly(70)), top=3),
        pareto=pareto([D(100), D(1), D(1)]),
    )  # fmt: skip
    said_in_english = words(found, "en_US", lambda name: name.replace("*", "＊"))
    assert keys(findings(found)) == [
        "compared_down_percent", "compared_down_percent", "products_raised", "products_lowered",
        "effects", "regions_raised", "regions_lowered", "odd_day", "odd_name", "grade_good_day", "best_product",
        "best_region", "refunds_risen", "trend_down", "products_new", "products_lost", "concentrated", "forecast",
        "order_low",
    ]  # fmt: skip
    text = "\n".join(said_in_english)
    assert "＊书＊ -80.00" in text
    assert "灯 +60.00" in text
    assert "Refunds of 30.00 (1) took back 3.0% of sales; before the period it was 1.0%." in said_in_english
    assert "Sales are falling by about 2.50 a day (30 days looked at)." in said_in_english
    assert "Sold for the first time in this file (1): neu." in said_in_english
    assert "Not sold for unusually long (1): weg (last on 2026-03-05)." in said_in_english
    assert "98.0% of sales come from 1 of 3 products." in said_in_english
    assert all("{" not in line for line in words(found, "zh_Hans"))


def test_a_region_that_is_alone_drives_nothing() -> None:
    alone = region_drivers({("东", "灯"): Sums(1, D(5), D(1))}, {("东", "灯"): Sums(1, D(9), D(1))}, top=5)
    assert "regions_raised" not in keys(findings(study(weekly(2), drivers=[alone])))


def test_what_is_not_worth_a_word() -> None:
    quiet = study(filed({on(0): 5, on(1): 5}), drivers=[product_drivers({}, {}, top=5)], pareto=pareto([D(1), D(1)]))
    assert words(quiet, "en_US") == [
        "Sales are the same as the day before (2026-01-05): 5.00.",
        "A good day: sales of 80.00 are above 50.00.",
        "灯 sells best: 50.00, 62.5% of sales.",
        "东 leads the regions: 50.00, 62.5% of sales.",
        "No forecast: it needs 21 days with rows (so far: 2).",
        "The average order of 40.00 is not above 40.00: bundles may raise it.",
    ]


@pytest.mark.parametrize(
    ("sales", "days", "said_of_it"),
    [
        ("100", 1, "grade_good_day"), ("100.01", 1, "grade_excellent_day"), ("50", 1, "grade_low_day"),
        ("200.02", 2, "grade_excellent_days"), ("200", 2, "grade_good_days"), ("100", 2, "grade_low_days"),
    ],
)  # fmt: skip
def test_a_period_is_graded_by_its_mean_day(sales: str, days: int, said_of_it: str) -> None:
    level = Level(Sums(1, D(sales), D(1)), days, {"a": D(sales)}, {"": D(sales)}, MEASURE)
    found = study(filed({on(0): 5, on(1): 5}), level=level)
    assert [key for key in keys(findings(found)) if key.startswith(("grade_", "best_", "order_"))] == [
        said_of_it,
        "best_product",  # one region leads nobody
        "order_high",
    ]


def test_where_nothing_is_left_after_refunds_nobody_leads() -> None:
    level = Level(Sums(2, D(0), D(0)), 1, {"a": D(5), "b": D(-5)}, {"x": D(5), "y": D(-5)}, MEASURE)
    said_keys = keys(findings(study(filed({on(0): 5, on(1): 5}), level=level)))
    assert not [key for key in said_keys if key.startswith("best_")]


def test_few_refunds_are_not_worth_a_word() -> None:
    few = refunds({"灯": Sums(1, D(-1), D(1))}, D(99), earlier=None, top=1)
    assert "refunds" not in " ".join(keys(findings(study(filed({on(0): 5}), refunds=few))))
    nothing = QUIET.model_copy(update={"share_percent": None})
    assert "refunds" not in " ".join(keys(findings(study(filed({on(0): 5}), refunds=nothing))))


def test_many_refunds_are_said_without_a_usual_share() -> None:
    many = refunds({"灯": Sums(1, D(-30), D(1))}, D(70), earlier=None, top=1)
    assert "refunds_many" in keys(findings(study(filed({on(0): 5}), refunds=many)))
    usual = refunds({"灯": Sums(1, D(-30), D(1))}, D(70), earlier=(D(-30), D(70)), top=1)
    assert "refunds_many" in keys(findings(study(filed({on(0): 5}), refunds=usual)))


def test_a_change_from_nothing_has_no_percentage() -> None:
    assert keys(findings(study(filed({on(0): 0, on(1): 5}))))[0] == "compared_up"
    assert keys(findings(study(filed({on(0): 0, on(1): -5}))))[0] == "compared_down"


def test_nothing_drives_a_day_that_is_not_over() -> None:
    found = study(weekly(30), today=on(29), drivers=a_drive())
    assert keys(findings(found))[0] == "unfinished_today"
    assert not any(key.startswith("products_") for key in keys(findings(found)))
    week = study(weekly(30), "week", today=on(29), drivers=a_drive())
    assert "products_raised" in keys(findings(week))
    assert "products_raised" not in keys(findings(study(weekly(30), with_="none", drivers=a_drive())))


@pytest.mark.parametrize("locale", LOCALES)
def test_each_comparison_has_its_words(locale: Locale) -> None:
    kinds: tuple[Kind, ...] = ("day", "week", "month")
    ways: tuple[CompareWith, ...] = ("previous", "last_week", "last_month", "last_year")
    for kind in kinds:
        for way in ways:
            assert words(study(weekly(801), kind, way), locale)
    ranged = Focus("range", Period(on(20), on(24)), Period(on(20), on(24)))
    found = calendar(weekly(30))
    rows = compare(ranged, bases(ranged, "previous", found), found)
    assert words(study(weekly(30), compared=rows, explained=None), locale)
    assert words(study(weekly(8, without=(6,))), locale)
    assert words(study(filed({on(place): 5 for place in range(0, 9, 4)}), with_="last_year"), locale)


def test_blanks_are_shown_by_what_they_are() -> None:
    blanks = {"price": Signed(D(0)), "volume": Signed(D("-1234.5")), "mix": 12, "against": on(0)}
    assert said("effects", **blanks).text("en_US", str) == (
        "Of the change against 2026-01-05, prices made 0.00, the total quantity -1,234.50, the product mix 12."
    )


def test_refunds_are_the_reason_where_they_explain_most_of_it() -> None:
    found = calendar(weekly(42, d41=5))
    looked_at = focus("day", found)
    for back, explained in ((D(-200), True), (D(-100), False)):
        odd, *_ = odd_days(looked_at, found, {on(41): back}, top=5)
        assert odd.day == on(41)
        assert (odd.reasons[-1].key == "refunds_that_day") is explained
