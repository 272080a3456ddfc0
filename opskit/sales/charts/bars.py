"""Bars that lie, with names long or short: products and regions."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from opskit.sales.charts import colours, figures, glyphs
from opskit.sales.charts.canvas import BODY, MARGIN, SMALL, WIDTH, Canvas
from opskit.sales.charts.chart import Chart

_MOST_BESIDE = 190.0  # a name up to this wide stands left of its bar, a wider one above
_GAP = 18.0


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    value: Decimal
    colour: str
    figure: str
    share: str
    drawn: bool  # a bar of the rest would dwarf the others


def draw_bars(canvas: Canvas, chart: Chart, top: float) -> float:
    """Draw ``products`` or ``regions`` below ``top``; where they end."""
    rows = _rows(chart)
    figure_room = max(glyphs.width(row.figure, BODY) for row in rows)
    share_room = max(glyphs.width(row.share, SMALL) for row in rows)
    room = figure_room + (share_room + _GAP if share_room else 0)
    widest = max(glyphs.width(row.name, BODY) for row in rows)
    if widest <= _MOST_BESIDE:
        left, right, pitch, lower = MARGIN + widest + _GAP, WIDTH - MARGIN - room - _GAP, 60.0, 0.0
    else:
        left, right, pitch, lower = MARGIN, WIDTH - MARGIN, 92.0, 42.0
    scale = _Scale.over([row.value for row in rows if row.drawn], left, right)
    name_room = left - MARGIN - _GAP if not lower else right - MARGIN - room - _GAP
    names = glyphs.fitted_apart([row.name for row in rows], BODY, name_room + 1)
    for place, (row, name) in enumerate(zip(rows, names, strict=True)):
        y = top + 16 + place * pitch
        canvas.text((MARGIN, y + 31), name)
        canvas.text((WIDTH - MARGIN - room + figure_room, y + 31), row.figure, anchor="end", bold=True)
        canvas.text((WIDTH - MARGIN, y + 31), row.share, size=SMALL, colour=colours.FAINT_INK, anchor="end")
        if row.drawn:
            scale.draw(canvas, y + (lower or 8), 26 if lower else 28, row)
    bottom = top + 16 + len(rows) * pitch
    if scale.zero > left:
        canvas.path(
            [(scale.zero, top + 16), (scale.zero, bottom - (pitch - 26 - lower if lower else 20))], colours.AXIS
        )
    return bottom + 16


def _rows(chart: Chart) -> list[_Row]:
    values = chart.series[0].known.values()
    return [
        _Row(
            glyphs.shown(name),
            value,
            colours.BARS[shade],
            figures.short(value, chart.locale),
            share,
            drawn=shade != "rest",
        )
        for name, value, shade, share in zip(chart.labels, values, chart.shades, chart.shares, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where bars begin and how long they are."""

    left: float
    right: float
    zero: float
    longest: Decimal

    @classmethod
    def over(cls, values: Sequence[Decimal], left: float, right: float) -> "_Scale":
        low, high = min(*values, Decimal(0)), max(*values, Decimal(0))
        spread = high - low or Decimal(1)
        return cls(left, right, left + float(-low / spread) * (right - left), spread)

    def draw(self, canvas: Canvas, y: float, height: float, row: _Row) -> None:
        """The bar of a row on its track; a value that is not 0 is at least two units long."""
        canvas.box(self.left, y, self.right - self.left, height, colours.TRACK, round_by=4)
        if row.value:
            length = max(2.0, float(abs(row.value) / self.longest) * (self.right - self.left))
            canvas.box(self.zero if row.value > 0 else self.zero - length, y, length, height, row.colour, round_by=4)
