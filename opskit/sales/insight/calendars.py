"""Which days a file holds, and which it ought to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from statistics import median
from typing import Literal

from opskit.sales.insight.feasts import Feast, feast
from opskit.sales.insight.sums import Days

WEEK = 7
SATURDAY = 5
_ENOUGH_WEEKDAYS = 3  # so many Sundays without a row: the shop is closed on Sundays
_CLOSED_SHARE = 4  # closed if fewer than one in four is open
_SAME_WEEKDAYS, _FEWEST_SAME, _OTHER_DAYS, _FEWEST_OTHERS = 8, 3, 14, 5
_TELLING_ROWS = 10  # below it, half as many rows as usual is chance (Poisson: 3 % of days)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(offset) for offset in range(self.length))

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}/{self.last}"

    @property
    def length(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    @property
    def weekend_days(self) -> int:
        """Number of Saturdays and Sundays."""
        weeks, rest = divmod(self.length, WEEK)
        start = self.first.weekday()
        return 2 * weeks + sum((start + offset) % WEEK >= SATURDAY for offset in range(rest))

    def shifted(self, days: int) -> "Period":
        """As many days, so much later."""
        return Period(self.first + timedelta(days), self.last + timedelta(days))


class Calendar:
    """The days of a file. ``days`` holds each day that has rows, and at least one.

    ``today`` is the day on which the file is read, if it is to be known: sales of today are never finished.
    ``feasts`` says whether China's feasts are to be reckoned with.
    """

    def __init__(self, days: Days, *, today: date | None = None, feasts: bool = False) -> None:
        self.days = days
        self.span = Period(min(days), max(days))
        self._today = today
        self._feasts = feasts

    def up_to(self, last: date, most: int) -> Period:
        """The days up to ``last``, as far back as the file reaches, ``most`` at the most."""
        return Period(max(self.span.first, last - timedelta(most - 1)), last)

    @cached_property
    def closed(self) -> frozenset[int]:
        """The weekdays (0 is Monday) on which the shop does not sell: seen 3 times or more, open less than 1 in 4."""
        weeks, rest = divmod(self.span.length, WEEK)
        start = self.span.first.weekday()
        opened = Counter(day.weekday() for day in self.days)
        seen = {weekday: weeks + ((weekday - start) % WEEK < rest) for weekday in range(WEEK)}
        return frozenset(
            weekday
            for weekday, count in seen.items()
            if count >= _ENOUGH_WEEKDAYS and opened[weekday] * _CLOSED_SHARE < count
        )

    @cached_property
    def sparse(self) -> bool:
        """Whether so few days have rows, fewer than half, that one without tells nothing."""
        expected = sum(day.weekday() not in self.closed for day in self.span)
        return sum(day.weekday() not in self.closed for day in self.days) * 2 < max(expected, 1)

    def expects(self, day: date) -> bool:
        """Whether the day ought to have rows: not on a weekday without sales, not in a file of few days."""
        return day.weekday() not in self.closed and not self.sparse

    def within(self, period: Period) -> list[date]:
        """The days of ``period`` that have rows, in order."""
        return [day for day in self._overlap(period) if day in self.days]

    def missing(self, period: Period) -> list[date]:
        """The days of ``period`` within the file's span that ought to have rows and have none."""
        return [day for day in self._overlap(period) if day not in self.days and self.expects(day)]

    def _overlap(self, period: Period) -> Period:
        return Period(max(period.first, self.span.first), min(period.last, self.span.last))

    @cached_property
    def unfinished(self) -> Literal["", "today", "perhaps"]:
        """Whether the last day is still going on: it is ``today``, or by its few rows ``perhaps``.

        By its rows: fewer than half the median and fewer than the least of the same weekday in the 8 weeks before
        (of the last 14 days where that weekday was seen fewer than 3 times; of 5 days or more), and 10 are usual.
        """
        last = self.span.last
        if self._today is not None and last >= self._today:
            return "today"
        before = [last - timedelta(WEEK * week) for week in range(1, _SAME_WEEKDAYS + 1)]
        usual = [self.days[day].rows for day in before if day in self.days]
        if len(usual) < _FEWEST_SAME:
            before = [last - timedelta(offset) for offset in range(1, _OTHER_DAYS + 1)]
            usual = [self.days[day].rows for day in before if day in self.days and day.weekday() not in self.closed]
            if len(usual) < _FEWEST_OTHERS:
                return ""
        rows, middle = self.days[last].rows, median(usual)
        return "perhaps" if middle >= _TELLING_ROWS and rows * 2 < middle and rows < min(usual) else ""

    @property
    def last_finished(self) -> date:
        """The last day that is over: the day before the last one, where that is not."""
        return self.span.last - timedelta(bool(self.unfinished))

    def feast(self, day: date) -> Feast | None:
        """The feast of a day, where feasts are reckoned with."""
        return feast(day) if self._feasts else None
