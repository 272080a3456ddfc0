"""A chart as a PNG picture that needs no font of the machine."""

from opskit.sales.charts import glyphs
from opskit.sales.charts.canvas import WIDTH
from opskit.sales.charts.chart import Chart
from opskit.sales.charts.svg import svg

PIXELS = 900
"""The width of the picture: text stays sharp on a phone, and the time it takes grows with the area."""


def png(chart: Chart) -> bytes:
    """The picture, 900 pixels wide. The same chart gives the same bytes."""
    import resvg_py  # noqa: PLC0415 - a native library

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg(chart), zoom=PIXELS / WIDTH, font_files=[str(glyphs.FILE)], skip_system_fonts=True
        )
    )
