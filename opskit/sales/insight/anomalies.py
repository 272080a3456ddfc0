"""Days, products and regions that sold unlike themselves, each with what was usual and a reason.

A Sunday is measured against Sundays, so four of each weekday are needed before anything is called unusual.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import log
from typing import Literal

from pydantic import Field

from opskit.model import Item, Rounded
from opskit.sales.insight.calendars import Calendar, Period
from opskit.sales.insight.periods import Focus
from opskit.sales.insight.robust import Usual, scaled, scores, unscaled
from opskit.sales.insight.said import Said, said, worded
from opskit.sales.insight.sums import EXACT, NOTHING, ZERO
from opskit.wording import Locale

_HISTORY = 400  # days looked at
_RECENT = 28  # days in which an unusual one is still news
_UNUSUAL, _UNUSUAL_NAME = 3.5, 5.0  # scores; there are many names, and so more chances to be far out by chance
_LEAST_DISTANCE = 0.2  # share of what is usual
_LEAST_PART = 0.05  # a name's distance, as a share of what is usual for the whole day
_SOLD_SHARE = 0.75  # a name that sells on fewer days has no usual day
_RARE = 0.02  # share of other days without sales; where there are more, a sale more or less makes such a day

type What = Literal["total", "product", "region"]
type History = Mapping[date, Decimal]


class Anomaly(Item):
    """A day's sales, or those of one product or region, that are unlike what is usual."""

    what: str = Field(description="total, product:NAME or region:NAME, with the name as written in the file.")
    when: str = Field(description="The day, YYYY-MM-DD.")
    value: Rounded = Field(description="Its sales.")
    expected: Rounded = Field(description="What is usual for its weekday at that time, 2 places.")
    score: Rounded = Field(
        description="How unusual: robust standard deviations from usual, 2 places, -99 to 99; beyond ±3.5 is rare."
    )
    reason: str = Field(description="What makes it so, as far as the figures tell.")


@dataclass(frozen=True, slots=True)
class Odd:
    """An anomaly before it is worded."""

    what: What
    name: str
    day: date
    value: Decimal
    expected: Decimal
    score: Decimal
    reasons: tuple[Said, ...]

    def item(self, locale: Locale) -> Anomaly:
        """The anomaly as it is given out."""
        return Anomaly(
            what=f"{self.what}:{self.name}" if self.what != "total" else self.what,
            when=self.day.isoformat(),
            value=self.value,
            expected=self.expected,
            score=self.score,
            reason=worded(self.reasons, locale, str),
        )


def odd_days(focus: Focus, calendar: Calendar, refunded: Mapping[date, Decimal], *, top: int) -> list[Odd]:
    """Unusual days of the focus and of the 28 days up to its end: those of the focus first, then the most unusual.

    A day without rows that ought to have some is 0; it is not unusual where more than one other in 50 is so. A last
    day that is surely unfinished is left out, and a day that may be says so. ``refunded`` holds what each day's rows
    below 0 come to. None where fewer than 4 of a weekday are known or the file has rows on fewer than half its days.
    """
    days = _shop_days(focus.period.last, calendar)
    sums = [calendar.days.get(day, NOTHING) for day in days]
    values, unit = scaled([one.sales for one in sums])
    orders = [float(one.rows) for one in sums]
    usual, usual_orders = Usual(days, values).all(), Usual(days, orders).all()
    often_none = _often_none(values)
    recent = Period(min(focus.period.first, focus.period.last - timedelta(_RECENT - 1)), focus.period.last)
    found = []
    for day, value, normal, score, normal_orders in zip(
        days, values, usual, scores(values, usual), usual_orders, strict=True
    ):
        if normal is None or day not in recent or not _far(value, normal, score, _UNUSUAL):
            continue
        if often_none and not value:
            continue
        back = refunded.get(day, ZERO)
        reason = _reason(day, value / normal, normal_orders, calendar)
        if calendar.days.get(day, NOTHING).rows and not (back or value):
            reason = said("nothing_earned")
        elif calendar.days.get(day, NOTHING).rows and float(EXACT.divide(back, unit)) * 2 <= value - normal < 0:
            reason = said("refunds_that_day", sales=back.copy_negate())
        feast = calendar.feast(day)
        reasons = (said("on_feast", feast=said(f"feast_{feast}")), reason) if feast else (reason,)
        sales = calendar.days.get(day, NOTHING).sales
        found.append(Odd("total", "", day, sales, unscaled(normal, unit), _two_places(score), reasons))
    return sorted(found, key=lambda odd: (odd.day not in focus.period, -abs(odd.score), odd.day))[:top]


def odd_names(
    what: Literal["product", "region"], histories: Mapping[str, History], focus: Focus, calendar: Calendar, *, top: int
) -> list[Odd]:
    """Products or regions that were unusual on the day of the focus, the largest distance first.

    ``histories`` holds each name's sales on the days on which it sold; those that matter will do (a hundred names by
    sales over the last 400 days), they need not be all. Counted are names that sell on three days of four and whose
    distance is 5 % of a usual day or more; not sold at all is unusual only where that is rare. None for a focus of
    several days, or one that is or may be unfinished.
    """
    day = focus.period.last
    if focus.period.length > 1 or (calendar.unfinished and day == calendar.span.last):
        return []
    days = _shop_days(day, calendar)
    if not days or days[-1] != day:
        return []  # it is not a usual business day
    whole, unit = scaled([calendar.days.get(one, NOTHING).sales for one in days])
    scale, last = float(unit), len(days) - 1
    usual_day = Usual(days, whole).on(last)
    if usual_day is None:
        return []
    found = []
    for name in sorted(histories):
        sales = [histories[name].get(one, ZERO) for one in days]
        values = [float(value) / scale for value in sales]
        if sum(value != 0 for value in values) < _SOLD_SHARE * len(values):
            continue
        if not values[last] and _often_none(values):
            continue
        usual = Usual(days, values)
        normal = usual.on(last)
        if normal is None or abs(values[last] - normal) < _LEAST_PART * usual_day:
            continue
        score = scores(values, usual.all())[last]
        if not _far(values[last], normal, score, _UNUSUAL_NAME):
            continue
        reason = said(_name_reason(sales[-1], score, sold=day in histories[name]))
        found.append(Odd(what, name, day, sales[-1], unscaled(normal, unit), _two_places(score), (reason,)))
    return sorted(found, key=lambda odd: (-abs(odd.value - odd.expected), odd.name))[:top]


def history(last: date, calendar: Calendar) -> Period:
    """The days up to ``last`` that tell what is usual, 400 at the most."""
    return calendar.up_to(last, _HISTORY)


def _shop_days(last: date, calendar: Calendar) -> list[date]:
    """The days up to ``last`` that ought to have rows, without an unfinished one; none if few days have any."""
    if calendar.sparse:
        return []
    first = history(last, calendar).first
    over = calendar.span.last - timedelta(calendar.unfinished == "today")
    return [day for day in Period(first, min(last, over)) if calendar.expects(day)]


def _often_none(values: list[float]) -> bool:
    """Whether more than one day in 50, another one than that which is asked about, has no sales."""
    return values.count(0.0) - 1 > _RARE * len(values)


def _far(value: float, normal: float, score: float, unusual: float) -> bool:
    return abs(score) >= unusual and abs(value / normal - 1) >= _LEAST_DISTANCE


def _reason(day: date, ratio: float, usual_orders: float | None, calendar: Calendar) -> Said:
    """Why a day's sales are ``ratio`` times the usual: no rows, refunds, the number of orders or their size."""
    sums = calendar.days.get(day, NOTHING)
    if not sums.rows:
        return said("no_rows_that_day")
    if ratio < 1 and calendar.unfinished and day == calendar.span.last:
        return said("unfinished_perhaps", day=day, count=sums.rows)
    if ratio <= 0:
        return said("more_refunds_than_sales")
    if usual_orders is None:
        return said("above_usual" if ratio > 1 else "below_usual")
    by_orders = log(sums.rows / usual_orders) / log(ratio)
    usual = max(1, round(usual_orders))
    if by_orders * 2 >= 1:
        return said("many_orders" if ratio > 1 else "few_orders", count=sums.rows, usual=usual)
    return said("large_orders" if ratio > 1 else "small_orders", count=sums.rows, usual=usual)


def _name_reason(sales: Decimal, score: float, *, sold: bool) -> str:
    """What there is to say about a name's day; ``sold`` is whether it has rows, which may add up to nothing or less."""
    if sales > 0:
        return "above_usual" if score > 0 else "below_usual"
    if not sold:
        return "not_sold"
    return "more_refunds_than_sales" if sales else "nothing_earned"


def _two_places(score: float) -> Decimal:
    return Decimal(f"{score:.2f}")
