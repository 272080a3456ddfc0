"""The four charts of a report, described from plain lists."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from itertools import accumulate

from opskit.sales.charts import figures
from opskit.sales.charts.chart import CALM, Band, Chart, Series, Shade, drawable, line
from opskit.wording import Locale, say

MOST_DAYS = 92  # a quarter: of more, a phone shows a comb
MOST_FORECAST_DAYS = 31
MOST_BARS = 12
MOST_RANKS = 20
_ZERO, _HUNDRED = Decimal(0), Decimal(100)
_CENT = Decimal("0.01")
_CLASS_SHADES: tuple[Shade, ...] = ("a", "b", "c")

type Day = tuple[date, Decimal]
"""A day and its sales."""
type Ahead = tuple[date, Decimal, Decimal, Decimal]
"""A day to come: expected sales, low, high."""
type Named = tuple[str, Decimal]
"""A product or region and its sales."""
type Class = tuple[str, int, Decimal | None]
"""A class of products: name, how many, and their share of the sales in percent."""


def trend(
    days: Sequence[Day],
    *,
    locale: Locale,
    forecast: Sequence[Ahead] = (),
    unusual: Collection[date] = (),
    note: str = "",
) -> Chart:
    """Sales by day with a forecast and its band; days in any order, each at most once.

    Shown are the calendar's last 92 days up to the last one of ``days`` (a day that is missing there has no value,
    the line goes past it) and of the forecast at most the 31 days after it. ``note`` stands before the days shown.
    """
    sales = {day: value for day, amount in days if (value := drawable(amount)) is not None}
    title = say(locale, "charts.trend")
    if not sales:
        return Chart("trend", locale, title, _empty(note, locale))
    last = max(sales)
    first = max(min(sales), last - timedelta(days=MOST_DAYS - 1))
    ahead = _ahead(forecast, last)
    shown = [first + timedelta(days=number) for number in range((max([last, *ahead]) - first).days + 1)]
    series = [Series(say(locale, "charts.sales"), tuple(map(sales.get, shown)))]
    band = None
    if ahead:
        columns = [tuple(ahead[day][place] if day in ahead else None for day in shown) for place in range(3)]
        series.append(Series(say(locale, "charts.forecast"), columns[0]))
        names = [say(locale, f"charts.{end}") for end in ("low", "high")]
        band = Band(say(locale, "charts.band"), Series(names[0], columns[1]), Series(names[1], columns[2]))
    period = say(locale, "charts.days", first=first, last=last) if last > first else str(first)
    return Chart(
        "trend",
        locale,
        title,
        _joined(note, period),
        labels=tuple(day.isoformat() for day in shown),
        series=tuple(series),
        band=band,
        marks=tuple(place for place, day in enumerate(shown) if day in unusual and day in sales),
    )


def _ahead(forecast: Sequence[Ahead], last: date) -> dict[date, tuple[Decimal, Decimal, Decimal]]:
    """The part of the forecast that is shown, its low never above its high."""
    found = {}
    for day, *amounts in forecast:
        expected, low, high = (drawable(amount) for amount in amounts)
        if expected is None or low is None or high is None or not 0 < (day - last).days <= MOST_FORECAST_DAYS:
            continue
        found[day] = (expected, min(low, high), max(low, high))
    return found


def products(sales: Sequence[Named], *, locale: Locale, total: Decimal = _ZERO, note: str = "") -> Chart:
    """The products with the highest sales, at most 12 of those given; shares are of ``total``, if that is above 0."""
    best = _ranked(sales)[:MOST_BARS]
    title = say(locale, "charts.products", count=len(best))
    return _bars(Chart("products", locale, title, note), [(_name(name, locale), value) for name, value in best], total)


def regions(sales: Sequence[Named], *, locale: Locale, note: str = "") -> Chart:
    """Every region, highest sales first; of more than 12 the last ones are added up in one bar."""
    ranked = _ranked(sales)
    bars = [(_name(name, locale), value) for name, value in ranked[:MOST_BARS]]
    rest = ranked[MOST_BARS - 1 :]
    gathered = len(ranked) > MOST_BARS
    with localcontext(CALM):
        total = sum((value for _, value in ranked), _ZERO)
        if gathered:
            bars[-1] = (say(locale, "charts.others", count=len(rest)), sum((value for _, value in rest), _ZERO))
    return _bars(Chart("regions", locale, say(locale, "charts.regions"), note), bars, total, gathered=gathered)


def _bars(chart: Chart, bars: list[Named], total: Decimal, *, gathered: bool = False) -> Chart:
    """``chart`` with its bars; ``gathered`` says that the last one stands for several."""
    if not bars:
        return replace(chart, note=_empty(chart.note, chart.locale))
    shades: list[Shade] = ["below" if value < 0 else "plain" for _, value in bars]
    if gathered:
        shades[-1] = "rest"
    with localcontext(CALM):
        shares = tuple(figures.percent(value, total) for _, value in bars)
    return replace(
        chart,
        note=line(chart.note),
        labels=tuple(name for name, _ in bars),
        series=(Series(say(chart.locale, "charts.sales"), tuple(value for _, value in bars)),),
        shades=tuple(shades),
        shares=shares,
    )


def pareto(sales: Sequence[Named], *, locale: Locale, classes: Sequence[Class] = (), note: str = "") -> Chart:
    """Products by rank and what they add up to; those without sales above 0 are left out.

    Up to 20 products have a bar each, more share 20 bars or fewer, equally many in each. A bar has the shade of the
    class of its first product; ``classes`` come best first, and there are at most three.
    """
    ranked = [(name, value) for name, value in _ranked(sales) if value > 0]
    title = say(locale, "charts.pareto")
    if not ranked:
        return Chart("pareto", locale, title, _empty(note, locale))
    size = -(-len(ranked) // MOST_RANKS)
    groups = [ranked[start : start + size] for start in range(0, len(ranked), size)]
    with localcontext(CALM):
        sums = [sum((value for _, value in group), _ZERO) for group in groups]
        reached = list(accumulate(sums))
        shares = [(part * _HUNDRED / reached[-1]).quantize(_CENT) for part in reached]
    if size == 1:
        labels = [_name(name, locale) for name, _ in ranked]
        about = say(locale, "charts.ranked", count=f"{len(ranked):,}")
    else:
        labels = [f"{start + 1}–{min(start + size, len(ranked))}" for start in range(0, len(ranked), size)]
        about = say(locale, "charts.groups", count=f"{len(ranked):,}", size=f"{size:,}")
    return Chart(
        "pareto",
        locale,
        title,
        _joined(note, about),
        labels=tuple(labels),
        series=(
            Series(say(locale, "charts.sales"), tuple(sums)),
            Series(say(locale, "charts.cumulative"), tuple(shares)),
        ),
        shades=_class_shades(range(0, len(ranked), size), classes),
        key=tuple(
            (shade, say(locale, "charts.class_line", name=line(name), count=f"{count:,}", share=_share(share)))
            for shade, (name, count, share) in zip(_CLASS_SHADES, classes, strict=False)
        ),
        size=size,
    )


def _class_shades(ranks: range, classes: Sequence[Class]) -> tuple[Shade, ...]:
    """The shade for each of some ranks, which count from 0."""
    ends = list(accumulate(count for _, count, _ in classes[: len(_CLASS_SHADES)]))
    return tuple(
        next(
            (shade for shade, end in zip(_CLASS_SHADES, ends, strict=False) if rank < end), "rest" if ends else "plain"
        )
        for rank in ranks
    )


def _share(share: Decimal | None) -> str:
    return "–" if share is None else f"{share}%"


def _ranked(sales: Sequence[Named]) -> list[Named]:
    """Highest first, equal ones by name."""
    known = [(name, value) for name, amount in sales if (value := drawable(amount)) is not None]
    return sorted(sorted(known), key=lambda entry: entry[1], reverse=True)


def _name(name: str, locale: Locale) -> str:
    return line(name) or say(locale, "charts.blank")


def _joined(*parts: str) -> str:
    return " | ".join(filter(None, map(line, parts)))


def _empty(note: str, locale: Locale) -> str:
    return _joined(note, say(locale, "charts.empty"))
