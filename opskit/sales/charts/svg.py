"""A chart as SVG, drawn for the width of a phone."""

from decimal import localcontext

from opskit.sales.charts.bars import draw_bars
from opskit.sales.charts.canvas import Canvas
from opskit.sales.charts.chart import CALM, Chart
from opskit.sales.charts.days import draw_days
from opskit.sales.charts.ranks import draw_ranks


def svg(chart: Chart) -> str:
    """The picture: 750 units wide, as high as it needs, its text in the bundled font.

    The same chart gives the same bytes.
    """
    canvas = Canvas()
    top = canvas.heading(chart.title, chart.note)
    if chart.empty:
        return canvas.svg(top + 20)
    with localcontext(CALM):
        match chart.kind:
            case "trend":
                bottom = draw_days(canvas, chart, top)
            case "pareto":
                bottom = draw_ranks(canvas, chart, top)
            case _:
                bottom = draw_bars(canvas, chart, top)
    return canvas.svg(bottom)
