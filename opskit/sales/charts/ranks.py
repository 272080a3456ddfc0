"""Pareto's chart: products from the best down, and what they add up to."""

from decimal import Decimal

from opskit.sales.charts import colours, figures, glyphs
from opskit.sales.charts.canvas import MARGIN, SMALL, WIDTH, Canvas, Look
from opskit.sales.charts.chart import Chart
from opskit.sales.charts.plot import Plot, plot

_HEIGHT = 400.0
_GAPS = 5  # on both axes, so that one grid serves both
_LANDMARK = Decimal(80)


def draw_ranks(canvas: Canvas, chart: Chart, top: float) -> float:
    """Draw a ``pareto`` below ``top``; where it ends."""
    sales, shares = (list(series.known.values()) for series in chart.series)
    entries: list[tuple[Look, str, str]] = [("box", colours.BARS[shade], words) for shade, words in chart.key]
    top = canvas.legend(top, [*entries, ("line", colours.EXPECTED, chart.series[1].name)]) + 36
    right = WIDTH - MARGIN - glyphs.width("100%", SMALL) - 12
    ticks = figures.ticks(Decimal(0), max(sales), _GAPS)
    ticks = [ticks[1] * place for place in range(_GAPS + 1)]
    field = plot(canvas, ticks, chart.locale, top=top, height=_HEIGHT, right=right)
    percents = Plot(
        field.left, field.right, field.top, field.bottom, [Decimal(20 * place) for place in range(_GAPS + 1)]
    )
    for tick in percents.ticks:
        canvas.text((right + 12, percents.y(tick) + 8), f"{tick}%", size=SMALL, colour=colours.FAINT_INK)
    count = len(sales)
    wide = min(0.72 * (right - field.left) / count, 90.0)
    for place, (value, shade) in enumerate(zip(sales, chart.shades, strict=True)):
        height = max(2.0, field.bottom - field.y(value))
        canvas.box(field.x(place, count) - wide / 2, field.bottom - height, wide, height, colours.BARS[shade])
    landmark = percents.y(_LANDMARK)
    canvas.path([(field.left, landmark), (right, landmark)], colours.EXPECTED, width=2, dashes="4 8")
    points = [(percents.x(place, count), percents.y(share)) for place, share in enumerate(shares)]
    canvas.path(points, colours.EXPECTED, width=4)
    for point in points:
        canvas.dot(point, 6, colours.EXPECTED)
    ranked = chart.labels if chart.size > 1 else [str(place) for place in range(1, count + 1)]
    field.below(canvas, ranked, count=count)
    return field.bottom + 64
