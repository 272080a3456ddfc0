"""How high sales are, by the user's own measure, and who leads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from opskit.sales.insight.said import Percent, Said, said
from opskit.sales.insight.sums import EXACT, Sums, rounded, share

_NAMES = 3


@dataclass(frozen=True, slots=True)
class Measure:
    """Above what a day is good or excellent, and an average order high."""

    excellent: Decimal
    good: Decimal
    high_order: Decimal


@dataclass(frozen=True, slots=True)
class Level:
    """The sums of a period of so many ``days`` with rows, of its products and of its regions."""

    whole: Sums
    days: int
    products: Mapping[str, Decimal]
    regions: Mapping[str, Decimal]
    measure: Measure


def leaders(level: Level) -> Iterator[Said]:
    """The product and the region that sell best; none where a share of the sales says nothing."""
    whole = level.whole.sales
    if whole <= 0:
        return
    yield _leader("best_product", "best_product_alone", "best_product_tied", level.products, whole)
    if len(level.regions) > 1:
        yield _leader("best_region", "best_region_alone", "best_region_tied", level.regions, whole)


def grade(level: Level) -> Said:
    """Whether the day, or the mean one, is excellent or good."""
    mean = rounded(EXACT.divide(level.whole.sales, Decimal(level.days)))
    measure = level.measure
    name, threshold = ("low", measure.good)
    if mean > measure.excellent:
        name, threshold = ("excellent", measure.excellent)
    elif mean > measure.good:
        name = "good"
    return said(f"grade_{name}_{'day' if level.days == 1 else 'days'}", sales=mean, threshold=threshold)


def order(level: Level) -> Iterator[Said]:
    """Whether the average order is high; nothing where there is no order but only refunds, or nothing is left."""
    if level.whole.sales <= 0:
        return
    average = rounded(EXACT.divide(level.whole.sales, Decimal(level.whole.rows)))
    name = "order_high" if average > level.measure.high_order else "order_low"
    yield said(name, average=average, threshold=level.measure.high_order)


def _leader(key: str, alone: str, tied: str, names: Mapping[str, Decimal], whole: Decimal) -> Said:
    """The first of the names, with its share; ``alone`` where refunds of others make it more than the whole.

    ``tied`` where it is not the only first.
    """
    sales = max(names.values())
    first = sorted(name for name in names if names[name] == sales)
    if len(first) > 1:
        more = said("and_more") if len(first) > _NAMES else ()
        return said(tied, names=tuple(first[:_NAMES]), count=len(first), sales=sales, more=more)
    if sales > whole:
        return said(alone, name=first[0], sales=sales)
    return said(key, name=first[0], sales=sales, share=Percent(share(sales, whole)))
