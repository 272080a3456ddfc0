"""What there is to say about a period, most important first, each with its figures."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from opskit.sales.insight.anomalies import Odd
from opskit.sales.insight.comparison import Compared
from opskit.sales.insight.drivers import Dimension, Drivers
from opskit.sales.insight.forecast import Forecast
from opskit.sales.insight.level import Level, grade, leaders, order
from opskit.sales.insight.movers import NewAndLost
from opskit.sales.insight.pareto import Pareto
from opskit.sales.insight.refunds import Refunds
from opskit.sales.insight.said import About, Percent, Said, Sentences, Signed, said
from opskit.sales.insight.sums import EXACT, ZERO
from opskit.sales.insight.trend import Trend

_NAMES = 3
_SAID = "unfinished_perhaps"  # a reason that is a flaw already
_ALL, _MANY_REFUNDS, _WORTH_A_WORD, _RISE = Decimal(100), Decimal(5), Decimal(1), 2  # percent, and times the usual
_CONCENTRATED = 3  # a third of the products or fewer make 80 %
_WAYS: dict[Dimension, tuple[tuple[bool, str], ...]] = {
    "product": ((True, "products_raised"), (False, "products_lowered")),
    "region": ((True, "regions_raised"), (False, "regions_lowered")),
}


@dataclass(frozen=True, slots=True)
class Study:
    """All that was found out. ``explained`` is the comparison that ``drivers`` belong to."""

    level: Level
    flaws: tuple[Said, ...]
    compared: list[Compared]
    explained: Compared | None
    drivers: list[Drivers]
    odd: list[Odd]
    refunds: Refunds
    trend: Trend
    movers: NewAndLost
    pareto: Pareto
    forecast: Forecast

    @property
    def half_a_day(self) -> bool:
        """Whether the focus is a day that is not over: that, above all, is what is behind any change."""
        unfinished = any(flaw.key.startswith("unfinished") for flaw in self.flaws)
        return unfinished and self.explained is not None and self.explained.focus.period.length == 1


def findings(study: Study) -> list[Said]:
    """The sentences, most important first.

    What limits them all, the comparisons and what drove them, what is odd, how high sales are and who leads, refunds,
    trend, products come and gone, concentration, forecast, the average order.
    """
    return [
        *study.flaws,
        *(sentence for compared in study.compared for sentence in _comparison(compared)),
        *_drivers(study),
        *map(_odd, [odd for odd in study.odd if odd.reasons[-1].key != _SAID][:_NAMES]),
        *_grade(study),
        *leaders(study.level),
        *_refunds(study.refunds, study.level.whole.sales),
        *_trend(study.trend),
        *_movers(study.movers),
        *_pareto(study.pareto),
        *_forecast(study.forecast),
        *order(study.level),
    ]


def against(compared: Compared) -> Said:
    """What is compared with, in words, such as the same weekday a week earlier."""
    base, focus = compared.base, compared.focus
    if base.against == "previous" and focus.kind == "day" and base.period != focus.period.shifted(-1):
        return said("against_nearest")
    if base.against == "previous" and focus.kind in ("week", "month") and not focus.over:
        return said(f"against_previous_{focus.kind}_so_far")
    kind = focus.kind if base.against == "previous" or focus.kind == "day" else "period"
    return said(f"against_{base.against}_{kind}")


def _comparison(compared: Compared) -> Iterator[Said]:
    change, share, base = compared.change, compared.told_share, compared.base
    if compared.before is not None and change is not None:
        blanks: dict[str, object] = {"against": against(compared), "period": str(base.period)}
        blanks |= {"change": abs(change), "before": compared.before.sales}
        way = "up" if change > 0 else "down" if change else "same"
        if share is None:
            yield Said(f"compared_{way}", blanks)
        else:
            yield Said(f"compared_{way}_percent", {**blanks, "share": Percent(abs(share))})
    yield from compared.gaps
    yield from compared.notes


def _drivers(study: Study) -> Iterator[Said]:
    if study.explained is None or study.half_a_day:
        return
    base = against(study.explained)
    for drivers in study.drivers:
        if drivers.dimension == "region" and len(drivers.named) + drivers.other_count == 1:
            continue  # it made the whole change
        for rising, key in _WAYS[drivers.dimension]:
            if strongest := drivers.strongest(rising=rising, count=_NAMES):
                names = tuple(
                    said("name_and_change", name=name, change=Signed(effects.contribution))
                    for name, effects in strongest
                )
                yield said(key, against=base, names=names)
        if drivers.dimension == "product" and (whole := drivers.total()).contribution:
            yield said(
                "effects", price=Signed(whole.price), volume=Signed(whole.volume), mix=Signed(whole.mix), against=base
            )


def _odd(odd: Odd) -> Said:
    blanks = {"day": odd.day, "value": odd.value, "expected": About(odd.expected), "reasons": Sentences(odd.reasons)}
    if odd.what == "total":
        return Said("odd_day", blanks)
    return Said("odd_name", {**blanks, "name": odd.name})


def _grade(study: Study) -> Iterator[Said]:
    """How high sales are; a day that is not over is not called low."""
    found = grade(study.level)
    unfinished = any(flaw.key.startswith("unfinished") for flaw in study.flaws)
    if not (unfinished and found.key == "grade_low_day"):
        yield found


def _refunds(refunds: Refunds, net: Decimal) -> Iterator[Said]:
    share, usual = refunds.share_percent, refunds.usual_percent
    if share is None:
        if refunds.rows:
            yield said("refunds_only", count=refunds.rows, sales=-refunds.sales)
        return
    blanks: dict[str, object] = {"count": refunds.rows, "sales": -refunds.sales, "share": Percent(share)}
    if share > _ALL:
        yield said("refunds_more", count=refunds.rows, sales=-refunds.sales, sold=EXACT.subtract(net, refunds.sales))
    elif usual is not None and share >= _WORTH_A_WORD and share > usual * _RISE:
        yield Said("refunds_risen", {**blanks, "usual": Percent(usual)})
    elif share >= _MANY_REFUNDS:
        yield Said("refunds_many", blanks)


def _trend(trend: Trend) -> Iterator[Said]:
    if trend.slope_per_day is not None and trend.direction in ("up", "down"):
        yield said(f"trend_{trend.direction}", slope=About(abs(trend.slope_per_day)), days=trend.days)


def _movers(movers: NewAndLost) -> Iterator[Said]:
    if movers.new:
        names = tuple(one.product for one in movers.new[:_NAMES])
        yield said("products_new", count=movers.new_count, names=names)
    if movers.lost:
        gone = tuple(said("name_and_day", name=one.product, day=one.since) for one in movers.lost[:_NAMES])
        yield said("products_lost", count=movers.lost_count, names=gone)


def _pareto(pareto: Pareto) -> Iterator[Said]:
    count = sum(one.products for one in pareto.classes)
    best = pareto.classes[0] if pareto.classes else None
    if best and best.products * _CONCENTRATED <= count:
        yield said("concentrated", best=best.products, count=count, share=Percent(best.sales_percent))


def _forecast(forecast: Forecast) -> Iterator[Said]:
    if forecast.days:
        whole = ZERO
        for day in forecast.days:
            whole = EXACT.add(whole, day.sales)
        peak = max(forecast.days, key=lambda day: day.sales)  # the first of equals
        yield said(
            "forecast",
            sales=About(whole),
            peak=date.fromisoformat(peak.date),
            high=About(peak.sales),
            days=len(forecast.days),
        )
    yield from forecast.notes
