"""The next seven days, with a band that says how far such forecasts were off before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from statistics import median

from pydantic import Field

from opskit.model import Item, Rounded
from opskit.sales.insight.calendars import WEEK, Calendar, Period
from opskit.sales.insight.robust import Usual, scaled, scores, unscaled
from opskit.sales.insight.said import Said, said
from opskit.sales.insight.smoothing import Smoothing, best_weights, errors
from opskit.sales.insight.sums import NOTHING

DAYS = 7
_HISTORY = 182  # days: half a year, so that an old level does not weigh
_FEWEST_DAYS = 21  # three of each weekday
_OUTLIER = 3.5  # score
_COVERED = 0.8  # of past forecasts, whose errors fit into the band
_FEWEST_ERRORS = 20  # per step; with fewer, those of all steps are taken together
_NEAREST = 2  # known days of the same weekday, on each side, that stand in for a missing one


class ForecastDay(Item):
    """What one day is likely to bring."""

    date: str = Field(description="YYYY-MM-DD.")
    sales: Rounded = Field(description="Expected sales, 2 places.")
    low: Rounded = Field(description="Lower end: four of five such forecasts would have been off by no more.")
    high: Rounded = Field(description="Upper end of the same band.")


@dataclass(frozen=True, slots=True)
class Forecast:
    """The next seven days, or none; ``notes`` say why there are none, or what they cannot know."""

    days: tuple[ForecastDay, ...]
    notes: tuple[Said, ...]


def forecast(calendar: Calendar, until: date) -> Forecast:
    """The seven days after ``until``, from the half year of sales up to it, without a last day that is not over.

    A weekday without sales is 0; another day without rows is taken as the median of its neighbours of the same weekday
    (two on each side), for nothing is known of it. Unusual days count as usual ones. The band is the 80 % quantile of
    the errors of past forecasts so many days ahead. None with fewer than 21 days with rows, or rows on fewer than
    half the days.
    """
    end = min(until, calendar.last_finished)
    period = calendar.up_to(end, _HISTORY)
    known = len(calendar.within(period))
    if calendar.sparse:
        return Forecast((), (said("forecast_sparse", count=known, whole=period.length),))
    if known < _FEWEST_DAYS:
        return Forecast((), (said("forecast_few", count=known, needed=_FEWEST_DAYS),))
    return _forecast(calendar, period, until)


def _forecast(calendar: Calendar, period: Period, until: date) -> Forecast:
    days = list(period)
    values, unit = scaled([calendar.days.get(day, NOTHING).sales for day in days])
    seen = _filled(values, [day in calendar.days or not calendar.expects(day) for day in days])
    usual = Usual(days, seen).all()
    learned = [
        normal if normal is not None and abs(score) > _OUTLIER else value
        for value, normal, score in zip(seen, usual, scores(seen, usual), strict=True)
    ]
    weights = best_weights(learned)
    state = Smoothing(learned, weights)
    for value in learned:
        state.take(value)
    skipped = (until - period.last).days  # the day that is not over
    band = _band(errors(learned, seen, weights, DAYS + skipped))[skipped:]
    floor = 0.0 if min(values) >= 0 else float("-inf")
    found = []
    for step, (value, width) in enumerate(zip(state.ahead(DAYS + skipped)[skipped:], band, strict=True), 1):
        day = until + timedelta(step)
        closed = day.weekday() in calendar.closed
        low, middle, high = (0.0 if closed else max(end, floor) for end in (value - width, value, value + width))
        found.append(
            ForecastDay(
                date=day.isoformat(),
                sales=unscaled(middle, unit),
                low=unscaled(low, unit),
                high=unscaled(high, unit),
            )
        )
    return Forecast(tuple(found), _notes(calendar, Period(until + timedelta(1), until + timedelta(DAYS))))


def _notes(calendar: Calendar, ahead: Period) -> tuple[Said, ...]:
    feasts = {feast: day for day in reversed(list(ahead)) if (feast := calendar.feast(day))}
    return tuple(said("feast_ahead", feast=said(f"feast_{feast}"), day=feasts[feast]) for feast in sorted(feasts))


def _filled(values: Sequence[float], known: Sequence[bool]) -> list[float]:
    """The values, each unknown one the median of the nearest known ones of its weekday; 0 where there are none."""
    found = list(values)
    for weekday in range(WEEK):
        places = range(weekday, len(values), WEEK)
        at = [place for place in places if known[place]]
        after = 0
        for place in places:
            while after < len(at) and at[after] < place:
                after += 1
            if not known[place]:
                near = [values[other] for other in at[max(0, after - _NEAREST) : after + _NEAREST]]
                found[place] = median(near) if near else 0.0
    return found


def _band(errors: Sequence[Sequence[float]]) -> list[float]:
    """Half the width of the band for each step ahead; it never narrows."""
    together = [abs(error) for step in errors for error in step]
    widths: list[float] = []
    for step in errors:
        sizes = sorted(abs(error) for error in step) if len(step) >= _FEWEST_ERRORS else sorted(together)
        # The conformal quantile: one more than the errors seen is the one to come.
        width = sizes[min(ceil((len(sizes) + 1) * _COVERED), len(sizes)) - 1]
        widths.append(max([width, *widths[-1:]]))
    return widths
