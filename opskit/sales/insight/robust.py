"""What a day should have been by its weekday and the days around it, in medians: single odd days do not move them.

The values here are floats: expectations are estimates, and are rounded before anybody sees them. They are scaled by
their largest size first (``scaled``), so that no square of a large amount overflows.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from math import log
from statistics import median

from opskit.sales.insight.sums import EXACT, rounded

_NEAR, _AROUND = 7, 10  # days on each side
_SAME_WEEKDAYS = 4  # so often must a weekday be seen before it can be unusual
_LEAST_SHARE = 0.001  # stands for nothing at all, and for less than nothing, whose logarithm does not exist
_LEAST_SPREAD = 0.06  # a shop that sells the same each day within 6 % has no anomalies of 10 %
_NORMAL = 1.4826  # makes the median absolute deviation of normal values their standard deviation
_HIGHEST_SCORE = 99.0


def scaled(values: Sequence[Decimal]) -> tuple[list[float], Decimal]:
    """The values as shares of the largest size among them, and that size (1 where all are 0)."""
    unit = max((abs(value) for value in values), default=Decimal(0)) or Decimal(1)
    return [float(EXACT.divide(value, unit)) for value in values], unit


def unscaled(value: float, unit: Decimal) -> Decimal:
    """Such a share as an amount again, 2 places."""
    return rounded(EXACT.multiply(Decimal(value), unit))


class Usual:
    """What was to be expected of each day; the days are in order.

    It is the median of the 10 days on either side, each without its weekday's effect, times the effect of this weekday.
    A weekday's effect is the median of its days' ratios to the median of the 15 days around each.
    """

    def __init__(self, days: Sequence[date], values: Sequence[float]) -> None:
        self._weekdays = [day.weekday() for day in days]
        ratios: dict[int, list[float]] = defaultdict(list)
        for place, (weekday, value) in enumerate(zip(self._weekdays, values, strict=True)):
            level = median(values[max(0, place - _NEAR) : place + _NEAR + 1])
            if level > 0:
                ratios[weekday].append(value / level)
        self._effects = {weekday: median(found) for weekday, found in ratios.items() if len(found) >= _SAME_WEEKDAYS}
        self._plain = [
            value / effect if (effect := self._effects.get(weekday, 0.0)) > 0 else None
            for weekday, value in zip(self._weekdays, values, strict=True)
        ]

    def on(self, place: int) -> float | None:
        """What was to be expected of the day at ``place``, from 0.

        None where the weekday was seen fewer than 4 times, or where nothing or less is usual.
        """
        around = self._plain[max(0, place - _AROUND) : place] + self._plain[place + 1 : place + _AROUND + 1]
        known = [value for value in around if value is not None]
        level = median(known) if known else 0.0
        usual = level * self._effects.get(self._weekdays[place], 0.0)
        return usual if usual > 0 else None

    def all(self) -> list[float | None]:
        """The same of each day."""
        return list(map(self.on, range(len(self._weekdays))))


def scores(values: Sequence[float], usual: Sequence[float | None]) -> list[float]:
    """How unusual each value is: its distance from what is usual, in standard deviations, both robust; 0 if unknown.

    The modified z-score (Iglewicz, Hoaglin 1993) of the logarithm of value ÷ usual, for sales scatter in proportion.
    """
    logs = [
        log(max(value / normal, _LEAST_SHARE)) if normal is not None else None
        for value, normal in zip(values, usual, strict=True)
    ]
    known = [entry for entry in logs if entry is not None]
    if not known:
        return [0.0] * len(logs)
    middle = median(known)
    spread = max(_NORMAL * median(abs(entry - middle) for entry in known), _LEAST_SPREAD)
    limit = _HIGHEST_SCORE
    return [0.0 if entry is None else min(max((entry - middle) / spread, -limit), limit) for entry in logs]
