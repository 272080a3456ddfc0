"""Products that are sold for the first time, and those that are sold no more."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from pydantic import Field

from opskit.model import Item, Rounded
from opskit.sales.insight.calendars import WEEK, Calendar, Period
from opskit.sales.insight.periods import Focus
from opskit.sales.insight.sums import EXACT, rounded

_NEWS = 28  # days after its last sale in which a lost product is still news
_SALES_DAYS = 3  # a product sold on fewer days was never regular
_GAPS = 5  # so many times its usual gap: chance explains that in 1 of 150 cases (e^-5)


class Life(NamedTuple):
    """A product's days in the file up to the end of the focus: the first, the last, how many, and all its sales."""

    first: date
    last: date
    days: int
    sales: Decimal


class Newcomer(Item):
    """A product that had not been sold before."""

    product: str = Field(description="Name as written in the file.")
    since: str = Field(description="The day of its first sale, YYYY-MM-DD.")
    sales: Rounded = Field(description="Its sales since.")


class Lost(Item):
    """A product that used to be sold."""

    product: str = Field(description="Name as written in the file.")
    since: str = Field(description="The day of its last sale, YYYY-MM-DD.")
    sales_per_day: Rounded = Field(description="Its sales per business day while it was sold, 2 places.")


class NewAndLost(Item):
    """Who has come and who has gone."""

    new: list[Newcomer] = Field(description="Sold in the period for the first time in the file, highest sales first.")
    lost: list[Lost] = Field(description="Sold regularly, and not for unusually long, highest sales per day first.")
    new_count: int = Field(description="Number of all new products.")
    lost_count: int = Field(description="Number of all lost products.")


NOBODY = NewAndLost(new=[], lost=[], new_count=0, lost_count=0)


def new_and_lost(lives: Mapping[str, Life], focus: Focus, calendar: Calendar, *, top: int) -> NewAndLost:
    """The ``top`` new and lost products; ``lives`` holds every product of the file that sold up to the focus' end.

    A product is new if its first sale lies in the focus and the file begins a week or more before that. A product is
    lost if it sold on 3 days or more, and has not for a week of business days or more, for 5 times its usual gap or
    more, and since no earlier than 28 days ago.
    """
    if calendar.span.first > focus.period.first - timedelta(WEEK):
        return NOBODY
    end = min(focus.period.last, calendar.last_finished)
    order = {day: place for place, day in enumerate(sorted(calendar.days))}
    come = [(name, life) for name, life in lives.items() if life.first in focus.period]
    gone = []
    recent = Period(end - timedelta(_NEWS), end)
    upto = sum(day <= end for day in order)
    for name, life in lives.items():
        if life.days < _SALES_DAYS or life.last not in recent:
            continue
        silent = upto - 1 - order[life.last]
        lived = order[life.last] - order[life.first] + 1
        if silent >= WEEK and silent * life.days >= _GAPS * lived:
            gone.append((name, life, rounded(EXACT.divide(life.sales, Decimal(lived)))))
    come.sort(key=lambda entry: (-entry[1].sales, entry[0]))
    gone.sort(key=lambda entry: (-entry[2], entry[0]))
    return NewAndLost(
        new=[Newcomer(product=name, since=life.first.isoformat(), sales=life.sales) for name, life in come[:top]],
        lost=[Lost(product=name, since=life.last.isoformat(), sales_per_day=daily) for name, life, daily in gone[:top]],
        new_count=len(come),
        lost_count=len(gone),
    )
