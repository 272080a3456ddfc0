"""Regions by product are summed with everything else on the days that are asked about, and scanned for on others."""

import tempfile
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from opskit.sales import Options, analyze
from opskit.sales.cells import Column, Order
from opskit.sales.insight import Period, Sums
from opskit.sales.ledger import Ledger, NotClean, Reading, ledger
from opskit.sales.ledger.ends import last_texts
from opskit.sales.ledger.texts import Days, likely
from opskit.sales.opening import Limits, opened

TODAY = date(2026, 3, 10)
HEADER = "Date,Product,Price,Amount,Region"
FIRST, LAST = date(2026, 2, 1), date(2026, 3, 5)

type Periods = Callable[[set[date]], Iterable[Period]]


def asked_last(days: set[date]) -> list[Period]:
    return [Period(max(days), max(days))] if days else []


def scanned_for(table: str, folder: Path, period: Period, periods: Periods) -> tuple[dict[tuple[str, str], Sums], bool]:
    """The sums, and whether the table had to be scanned for them."""
    path = folder / "sales.csv"
    path.write_text(table, encoding="utf-8")
    room = Path(tempfile.mkdtemp(dir=folder))
    with ledger(opened(path, room), room, Reading(TODAY, periods=periods)) as book:
        [found] = book.regions_and_products(period)
        return found, not book.at_hand(period)


def a_table(*, written: tuple[str, ...], odd: str = "") -> str:
    """A row of two products in two regions a day, the ways to write a date in turn."""
    rows = []
    for offset in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(offset)
        text = day.strftime(written[offset % len(written)])
        rows += [f"{text},a,{offset + 1}.50,2,North", f"{text},b,10,1,South", f"{text},a,3,-1,South"]
    return "\n".join([HEADER, *rows, odd, ""])


@pytest.mark.parametrize(
    "written", [("%Y-%m-%d",), ("%d/%m/%Y",), ("%Y年%m月%d日", "%Y-%m-%d 18:30:05"), ("%b %d %Y",)]
)
@pytest.mark.parametrize(
    ("periods", "scanned"), [(asked_last, False), (lambda _: [], True), (lambda days: [Period(min(days), LAST)], False)]
)
def test_however_they_are_found_the_sums_of_regions_are_the_same(
    written: tuple[str, ...], periods: Periods, *, scanned: bool, tmp_path: Path
) -> None:
    odd = "2026-03-05,b,¥7,1,North\n2026-03-05,b,8,1,North,surplus\n2026-03-05,合计,9,1,North\nMar 5 2026,b,,1,North"
    sums, was = scanned_for(a_table(written=written, odd=odd), tmp_path, Period(LAST, LAST), periods)
    price = Decimal((LAST - FIRST).days + 1) + Decimal("0.5")
    assert sums == {
        ("North", "a"): Sums(1, price * 2, Decimal(2)),
        ("North", "b"): Sums(1, Decimal(7), Decimal(1)),
        ("South", "a"): Sums(1, Decimal(-3), Decimal(-1)),
        ("South", "b"): Sums(1, Decimal(10), Decimal(1)),
    }
    assert was is scanned


def test_a_day_between_the_ends_of_a_long_table_is_known_by_the_way_it_is_written(tmp_path: Path) -> None:
    rows = [
        f"{day:%Y/%m/%d},a,1,1,North\n" * 2000
        for day in (date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4))
    ]
    asked = Period(date(2026, 3, 3), date(2026, 3, 3))
    table = f"{HEADER}\n{''.join(rows)}"
    assert scanned_for(table, tmp_path, asked, lambda _: [asked]) == (
        {("North", "a"): Sums(2000, Decimal(2000), Decimal(2000))},
        False,
    )
    other = Period(date(2026, 3, 2), date(2026, 3, 2))
    assert scanned_for(table, tmp_path, other, lambda _: [asked]) == (
        {("North", "a"): Sums(2000, Decimal(2000), Decimal(2000))},
        True,
    )


def test_the_periods_asked_about_are_told_before_the_table_is_read(tmp_path: Path) -> None:
    told: list[set[date]] = []

    def periods(days: set[date]) -> list[Period]:
        told.append(days)
        return asked_last(days)

    scanned_for(a_table(written=("%Y-%m-%d",)), tmp_path, Period(LAST, LAST), periods)
    assert told == [{FIRST + timedelta(offset) for offset in range((LAST - FIRST).days + 1)}]


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(period="week"),
        Options(period="month"),
        Options(date="2026-02-20"),
        Options(period="range", start="2026-02-10", end="2026-02-12", compare_with="last_week"),
        Options(compare_with="none"),
    ],
)
def test_regions_add_up_to_the_change_whatever_is_asked(options: Options, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(a_table(written=("%Y-%m-%d",)), encoding="utf-8")
    found = analyze(path, options, today=TODAY)
    changes = {
        dimension: sum((one.contribution for one in found.drivers if one.dimension == dimension), Decimal(0))
        for dimension in ("product", "region")
    }
    explained = [one.change for one in found.comparison if one.period == found.drivers_period] or [Decimal(0)]
    assert changes == {"product": explained[0], "region": explained[0]}


def test_a_day_that_the_ends_do_not_show_is_analysed_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    rows = [f"{day}. March 2026,a,1,1,North\n" * 4000 for day in (1, 2, 3, 4)]
    path.write_text(f"{HEADER}\n{''.join(rows)}", encoding="utf-8")
    found = analyze(path, Options(date="2026-03-03", period="day"), today=TODAY)
    assert (found.summary.total_sales, found.drivers_period) == (Decimal(4000), "2026-03-02")


def test_the_ends_of_a_table_are_its_last_64_kilobytes(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    rows = "".join(f'{FIRST + timedelta(number // 400)},"a, ""b""",1,1,x\n' for number in range(8000))
    path.write_text(f"{HEADER}\n{rows}2026-02-28\n", encoding="utf-8")
    texts = last_texts(opened(path, tmp_path), Column.DATE)
    assert len(texts) == 65_536 // len('2026-02-01,"a, ""b""",1,1,x\n') + 1
    assert (texts[0], texts[-2:]) == ("2026-02-15", ["2026-02-20", "2026-02-28"])
    assert last_texts(opened(path, tmp_path), Column.REGION)[-1] == "x"


@pytest.mark.parametrize("periods", [lambda _: [], lambda days: [Period(min(days), LAST)]], ids=["scanned", "at hand"])
def test_several_periods_are_summed_at_once_also_where_they_overlap(periods: Periods, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(a_table(written=("%Y-%m-%d",), odd="2026-03-05,b,¥7,1,South"), encoding="utf-8")
    spans = [Period(FIRST, FIRST), Period(FIRST, LAST), Period(LAST, LAST), Period(LAST + timedelta(1), LAST)]
    with ledger(opened(path, tmp_path), tmp_path, Reading(TODAY, periods=periods)) as book:
        together = book.regions_and_products(*spans)
        assert together == [book.regions_and_products(span)[0] for span in spans]
    assert [found.get(("South", "b")) for found in together] == [
        Sums(1, Decimal(10), Decimal(1)),
        Sums(34, Decimal(337), Decimal(34)),
        Sums(2, Decimal(17), Decimal(2)),
        None,
    ]


def test_a_stray_line_end_at_the_end_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(f"{HEADER}\n".encode() + b"2026-02-01,a,1,1,x\n" * 4000 + b"2026-02-02,a\rb,1,1,x\r\n")
    layout = opened(path, tmp_path, limits=Limits(checked_bytes=100, head_bytes=1000))
    assert last_texts(layout, Column.DATE)[-1] == "2026-02-02"


def test_what_is_only_noticed_when_regions_are_scanned_for_is_mended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(a_table(written=("%Y-%m-%d",)), encoding="utf-8")
    first, failures = Ledger.regions_and_products, [NotClean("once")]

    def sometimes(book: Ledger, *periods: Period) -> list[dict[tuple[str, str], Sums]]:
        if failures:
            raise failures.pop()
        return first(book, *periods)

    monkeypatch.setattr(Ledger, "regions_and_products", sometimes)
    assert analyze(path, today=TODAY).drivers


def test_days_that_are_likely_are_written_as_the_known_ones() -> None:
    days = Days(Order.DMY, epoch1904=False, header="Date", today=TODAY)
    known = days.known(["2026-03-01", "03/03/2026", "5 March 2026", "2026-02-31", "2062-01-01", "note"])
    assert known == {"2026-03-01": date(2026, 3, 1), "03/03/2026": date(2026, 3, 3), "5 March 2026": date(2026, 3, 5)}
    written = list(likely(known))
    assert [text for text in written if "-" in text] == [f"2026-03-0{day}" for day in range(1, 6)]
    assert {"04/03/2026", "03/04/2026"} <= set(written)  # d/m/y or m/d/y: only a reading tells
    assert list(likely({})) == []
    century = {"1990-01-01": date(1990, 1, 1), "2026-03-01": date(2026, 3, 1)}
    assert len(list(likely(century))) == 1501
