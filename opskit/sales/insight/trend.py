"""Where sales are going, if they go anywhere."""

from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from statistics import median
from typing import Literal

from pydantic import Field

from opskit.model import Item, Rounded
from opskit.sales.insight.calendars import WEEK, Calendar, Period
from opskit.sales.insight.robust import scaled, unscaled
from opskit.sales.insight.sums import EXACT, rounded, total

_WINDOW = 56  # days looked at
_FEWEST_DAYS = 14
_CERTAIN = 1.96  # two-sided 95 % of the normal distribution
_LONG = 28

type Direction = Literal["up", "down", "flat", "unknown"]


class Trend(Item):
    """The direction of the last weeks."""

    direction: Direction = Field(
        description="up or down if chance is an unlikely cause (5 %), else flat; unknown with fewer than 14 days."
    )
    slope_per_day: Rounded | None = Field(
        description="Change in daily sales from one day to the next, 2 places; null if unknown."
    )
    days: int = Field(description="Number of days with rows that were looked at, of the last 56.")
    average_7: Rounded | None = Field(description="Mean daily sales of the last 7 days; null if the file has fewer.")
    average_7_before: Rounded | None = Field(description="Mean daily sales of the 7 days before those, or null.")
    average_28: Rounded | None = Field(description="Mean daily sales of the last 28 days; null if the file has fewer.")


def trend(calendar: Calendar, until: date) -> Trend:
    """The trend of the 56 days up to ``until``, or up to the last day that is over.

    A weekday is compared with the same weekday only: the seasonal Kendall test and slope (Hirsch, Slack, Smith 1982),
    so that neither a weekend at the end nor a single large day makes a trend.
    """
    end = min(until, calendar.last_finished)
    window = Period(end - timedelta(_WINDOW - 1), end)
    days = calendar.within(window)
    values, unit = scaled([calendar.days[day].sales for day in days])
    slopes, signs, variance = [], 0, 0
    for weekday in range(WEEK):
        same = [(day, value) for day, value in zip(days, values, strict=True) if day.weekday() == weekday]
        count = len(same)
        variance += count * (count - 1) * (2 * count + 5)
        for place, (day, value) in enumerate(same):
            for earlier, before in same[:place]:
                slopes.append((value - before) / (day - earlier).days)
                signs += (value > before) - (value < before)
    known = len(days) >= _FEWEST_DAYS and bool(slopes)
    direction: Direction = "unknown"
    if known:
        certain = abs(signs) - 1 > _CERTAIN * sqrt(variance / 18)
        direction = "flat" if not certain else "up" if signs > 0 else "down"
    return Trend(
        direction=direction,
        slope_per_day=unscaled(median(slopes), unit) if known else None,
        days=len(days),
        average_7=_mean(calendar, end, WEEK),
        average_7_before=_mean(calendar, end - timedelta(WEEK), WEEK),
        average_28=_mean(calendar, end, _LONG),
    )


def _mean(calendar: Calendar, end: date, length: int) -> Decimal | None:
    """Mean daily sales, a day without rows counting 0; None where the period is not all in the file."""
    period = Period(end - timedelta(length - 1), end)
    if period.first < calendar.span.first:
        return None
    sales = total(calendar.days[day] for day in calendar.within(period)).sales
    return rounded(EXACT.divide(sales, Decimal(length)))
