"""Which days are looked at, and which they are compared with."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from opskit.errors import InvalidInput
from opskit.sales.insight.calendars import WEEK, Calendar, Period

type Kind = Literal["day", "week", "month", "range"]
type Against = Literal["previous", "last_week", "last_month", "last_year"]
type CompareWith = Literal["none", "auto"] | Against

_YEAR_OF_WEEKS = 364
_MONTH_OF_WEEKS = 28
_MONTH = timedelta(31)


@dataclass(frozen=True, slots=True)
class Focus:
    """The days looked at. ``period`` ends with the file, ``whole`` where the week, month or range does."""

    kind: Kind
    period: Period
    whole: Period

    @property
    def over(self) -> bool:
        """Whether the file reaches to the end of the week, month or range."""
        return self.period.last == self.whole.last


@dataclass(frozen=True, slots=True)
class Base:
    """The days compared with."""

    against: Against
    period: Period


def focus(
    kind: Kind, calendar: Calendar, *, day: date | None = None, start: date | None = None, end: date | None = None
) -> Focus:
    """The days that are meant, as far as the file reaches.

    That is the one ``day`` (default: the file's last), or the week (Monday to Sunday, ISO 8601) or month that it lies
    in, or the range from ``start`` to ``end`` (default: the file's first and last day).
    InvalidInput: ``start_after_end``, or ``no_sales_in_period`` when not one row lies in it.
    """
    span = calendar.span
    day = day or span.last
    if kind == "range":
        whole = Period(start or span.first, end or span.last)
        if whole.first > whole.last:
            raise InvalidInput("start_after_end", start=whole.first, end=whole.last)
    elif kind == "day" or not span.first - _MONTH <= day <= span.last + _MONTH:
        whole = Period(day, day)
    elif kind == "week":
        monday = day - timedelta(day.weekday())
        whole = Period(monday, monday + timedelta(WEEK - 1))
    else:
        whole = Period(day.replace(day=1), _month_end(day))
    if not calendar.within(whole):
        raise InvalidInput("no_sales_in_period", first=whole.first, last=whole.last, start=span.first, end=span.last)
    first = max(whole.first, span.first) if kind == "range" else whole.first
    return Focus(kind, Period(first, min(whole.last, span.last)), whole)


def bases(focus: Focus, compare_with: CompareWith, calendar: Calendar) -> list[Base]:
    """What ``focus`` is compared with, the most obvious first; a base has as many days as the focus has so far.

    ``previous``: the day before (if it has no rows, the nearest one of the 7 days before that has), the week or
    month before, the equally many days before a range. ``last_week``: 7 days earlier. ``last_month``: the same day
    or days of the month before (4 weeks earlier for a week, so that weekdays meet). ``last_year``: the same dates
    (52 weeks earlier for a week). A base that would overlap the focus becomes ``previous``.
    ``auto``: for a day, previous and last_week; else previous, and last_year. Of these, only what the file reaches.
    """
    if compare_with == "none":
        return []
    if compare_with != "auto":
        return [_base(focus, compare_with, calendar)]
    wanted: tuple[Against, Against] = ("previous", "last_week" if focus.kind == "day" else "last_year")
    found: dict[Period, Base] = {}
    for against in wanted:
        base = _base(focus, against, calendar)
        if base.period.last >= calendar.span.first:
            found[base.period] = base  # the same day found twice is the same weekday
    return list(found.values())


def _base(focus: Focus, against: Against, calendar: Calendar) -> Base:
    if against != "previous":
        period = _earlier(focus, against)
        if period.last < focus.period.first:
            return Base(against, period)
    return Base("previous", _previous(focus, calendar))


def _previous(focus: Focus, calendar: Calendar) -> Period:
    period = focus.period
    match focus.kind:
        case "week":
            return period.shifted(-WEEK)
        case "month":
            return _months_earlier(focus, 1)
        case "range":
            return period.shifted(-period.length)
        case _:
            near = [period.shifted(-offset) for offset in range(1, WEEK + 1)]
            return next((day for day in near if day.first in calendar.days), near[0])


def _earlier(focus: Focus, against: Against) -> Period:
    period = focus.period
    if against == "last_week":
        return period.shifted(-WEEK)
    if focus.kind == "week":
        return period.shifted(-_MONTH_OF_WEEKS if against == "last_month" else -_YEAR_OF_WEEKS)
    return _months_earlier(focus, 1 if against == "last_month" else 12)


def _months_earlier(focus: Focus, months: int) -> Period:
    period = focus.period
    first, last = _back(period.first, months), _back(period.last, months)
    # A whole month is compared with a whole month, so 28 February with 31 January.
    return Period(first, _month_end(first) if focus.kind == "month" and focus.over else last)


def _back(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
