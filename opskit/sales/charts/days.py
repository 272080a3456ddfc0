"""The line of daily sales with what is expected next."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from opskit.sales.charts import colours, figures, glyphs
from opskit.sales.charts.canvas import MARGIN, SMALL, WIDTH, Canvas, Look, Point
from opskit.sales.charts.chart import Chart
from opskit.sales.charts.plot import Plot, plot
from opskit.wording import Locale, say

_HEIGHT = 430.0
_GAPS = 5
_MOST_DOTTED = 45  # days; the dots of more would be a worm
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def draw_days(canvas: Canvas, chart: Chart, top: float) -> float:
    """Draw a ``trend`` below ``top``; where it ends."""
    sales, count = chart.series[0].known, len(chart.labels)
    band = (chart.series[1].known, chart.band.low.known, chart.band.high.known) if chart.band else ()
    amounts = [amount for known in (sales, *band) for amount in known.values()]
    top = canvas.legend(top, _entries(chart)) + 44
    steps = figures.ticks(min(amounts), max(amounts), _GAPS)
    field = plot(canvas, steps, chart.locale, top=top, height=_HEIGHT, right=WIDTH - MARGIN)
    points = {place: (field.x(place, count), field.y(amount)) for place, amount in sales.items()}
    *_, last = points.values()
    if band:
        expected, lows, highs = (
            [last, *((field.x(place, count), field.y(amount)) for place, amount in known.items())] for known in band
        )
        canvas.area([*highs, *reversed(lows)], colours.BAND)
        canvas.path(expected, colours.EXPECTED, width=4, dashes="9 8")
    _draw_sales(canvas, field, list(points.values()))
    for place in chart.marks:
        canvas.ring(points[place], 12, colours.ODD)
    _draw_latest(canvas, field, list(points.values())[-2:], figures.short(list(sales.values())[-1], chart.locale))
    field.below(canvas, _day_labels(chart.labels, chart.locale), count=count)
    return field.bottom + 64


def _entries(chart: Chart) -> list[tuple[Look, str, str]]:
    """The legend; a line alone needs none."""
    entries: list[tuple[Look, str, str]] = [("line", colours.SALES, chart.series[0].name)]
    if chart.band:
        entries += [("dashes", colours.EXPECTED, chart.series[1].name), ("box", colours.BAND, chart.band.name)]
    if chart.marks:
        entries.append(("ring", colours.ODD, say(chart.locale, "charts.unusual")))
    return entries if len(entries) > 1 else []


def _draw_sales(canvas: Canvas, field: Plot, points: Sequence[Point]) -> None:
    zero = field.y(Decimal(0))
    canvas.area([(points[0][0], zero), *points, (points[-1][0], zero)], colours.SALES, opacity=0.08)
    canvas.path(points, colours.SALES, width=4 if len(points) <= 2 * _MOST_DOTTED else 3)
    if len(points) <= _MOST_DOTTED:
        for point in points:
            canvas.dot(point, 6, colours.SALES)


def _draw_latest(canvas: Canvas, field: Plot, points: Sequence[Point], text: str) -> None:
    """The last of ``points`` with its value above it, or below where the line comes from above and there is room."""
    x, y = points[-1]
    canvas.dot((x, y), 10, colours.PAPER)
    canvas.dot((x, y), 8, colours.SALES)
    falls = points[0][1] < y < field.bottom - 46
    x = min(x, WIDTH - glyphs.width(text, SMALL) / 2 - 12)
    at = (x, y + 38 if falls else y - 22)
    canvas.text(at, text, size=SMALL, colour=colours.SALES, anchor="middle", bold=True, halo=True)


def _day_labels(labels: Sequence[str], locale: Locale) -> list[str]:
    """Days as people write them; with the year only where there are several."""
    days = [date.fromisoformat(label) for label in labels]
    if days[0].year != days[-1].year:
        return list(labels)
    if locale == "zh_Hans":
        return [f"{day.month}月{day.day}日" for day in days]
    return [f"{_MONTHS[day.month - 1]} {day.day}" for day in days]
