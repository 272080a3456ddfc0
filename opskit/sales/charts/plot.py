"""The field of a chart with axes: where a value lies in it, its grid and its labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from opskit.sales.charts import colours, figures, glyphs
from opskit.sales.charts.canvas import MARGIN, SMALL, WIDTH, Canvas
from opskit.wording import Locale

_LABEL_GAP = 12.0


@dataclass(frozen=True, slots=True)
class Plot:
    """A field between ``left`` and ``right``, ``top`` and ``bottom``, for values between the first and last tick."""

    left: float
    right: float
    top: float
    bottom: float
    ticks: Sequence[Decimal]

    def y(self, value: Decimal) -> float:
        """The height of a value."""
        low, high = self.ticks[0], self.ticks[-1]
        return self.bottom - float((value - low) / (high - low)) * (self.bottom - self.top)

    def x(self, place: int, count: int) -> float:
        """The middle of one of ``count`` equal columns."""
        return self.left + (place + 0.5) * (self.right - self.left) / count

    def grid(self, canvas: Canvas) -> None:
        """A line for each tick, a darker one for 0."""
        for tick in self.ticks:
            y = self.y(tick)
            canvas.path([(self.left, y), (self.right, y)], colours.GRID if tick else colours.AXIS, width=2)

    def below(self, canvas: Canvas, labels: Sequence[str], *, count: int) -> None:
        """As many of ``labels``, which belong to ``count`` columns, as fit below the field."""
        widest = max(glyphs.width(label, SMALL) for label in labels)
        step = (self.right - self.left) / count
        end = -WIDTH
        for place in spread(count, ceil((widest + 2 * _LABEL_GAP) / step)):
            half = glyphs.width(labels[place], SMALL) / 2
            x = min(max(self.x(place, count), half + _LABEL_GAP), WIDTH - half - _LABEL_GAP)
            if x - half - end >= _LABEL_GAP:  # at the edge of the sheet a label may have been moved towards another
                canvas.text((x, self.bottom + 36), labels[place], size=SMALL, colour=colours.FAINT_INK, anchor="middle")
                end = x + half


def spread(count: int, apart: int) -> list[int]:
    """Places from 0 to ``count - 1`` in equal steps of at least ``apart``, and the last one if it is as far away."""
    gaps = (count - 1) // apart
    if not gaps:
        return [count - 1]
    places = list(range(0, count, -(-(count - 1) // gaps)))
    return [*places, count - 1] if count - 1 - places[-1] >= apart else places


def plot(canvas: Canvas, ticks: Sequence[Decimal], locale: Locale, *, top: float, height: float, right: float) -> Plot:
    """A field below ``top`` with its grid, and what the ticks mean on its left."""
    texts = [figures.short(tick, locale) for tick in ticks]
    left = MARGIN + max(glyphs.width(text, SMALL) for text in texts) + _LABEL_GAP
    field = Plot(left, right, top, top + height, ticks)
    field.grid(canvas)
    for tick, text in zip(ticks, texts, strict=True):
        at = (left - _LABEL_GAP, field.y(tick) + 8)
        canvas.text(at, text, size=SMALL, colour=colours.FAINT_INK, anchor="end")
    return field
