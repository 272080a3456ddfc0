"""The analysis in words, for a phone in a DingTalk group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from opskit.sales.analysis import PriceRangeSales, ProductSales, RegionSales, Summary
from opskit.sales.figures import told_share
from opskit.sales.insight import ForecastDay, Said, Study, against, findings
from opskit.sales.insight.calendars import Period
from opskit.sales.insight.drivers import Drivers
from opskit.sales.insight.periods import Kind
from opskit.sales.insight.sums import EXACT, ZERO, about, percent_text
from opskit.sales.plain import end_apart, money, number, plain, signed
from opskit.sales.quality import Quality
from opskit.wording import Locale, say

_MOST_FINDINGS, _MOST_REGIONS, _MOST_LINES = 12, 10, 12
_MANY_ALIKE = 20  # one row in so many repeats another
_SAID = ("forecast", "best_", "compared_")  # in a list of its own, or in the second line
_EVERY_DAYS = ("grade_low", "order_low")  # in a small shop, unless it has set its own thresholds


@dataclass(frozen=True)
class Report:
    """What there is to say about a period."""

    locale: Locale
    kind: Kind
    period: Period
    study: Study
    summary: Summary
    products: Sequence[ProductSales]
    regions: Sequence[RegionSales]
    ranges: Sequence[PriceRangeSales]
    forecast: Sequence[ForecastDay]
    quality: Quality
    asked_to_compare: bool
    own_thresholds: bool

    @cached_property
    def title(self) -> str:
        """What it is about."""
        return self._say(f"title_{self.kind}", first=self.period.first, last=self.period.last)

    @cached_property
    def insights(self) -> list[str]:
        """Every finding, most important first, each with its figures."""
        return [self._worded(finding) for finding in self._findings]

    @cached_property
    def digest(self) -> tuple[str, str, str]:
        """The three lines that a boss reads, Markdown: the figures, how they compare, and the news."""
        summary = self.summary
        headline = self._say(
            "headline",
            total=money(summary.total_sales, self.quality.currency),
            orders=f"{summary.total_orders:,}",
            quantity=number(summary.total_quantity),
            average=money(summary.average_order_value),
        )
        nothing = "nothing_before" if self.asked_to_compare else "not_compared"
        compared = self._say("between").join(self._compared()) or self._say(nothing)
        return headline, compared, self._worded(self._news)

    def markdown(self) -> str:
        """Title, the three lines, the tables as lists, and the quality of the data in one line."""
        lines = [f"### {self.title}", "", "\n\n".join(self.digest)]
        for heading, entries in self._lists():
            if entries:
                lines += ["", f"#### {heading}", "", *entries]
        return "\n".join([*lines, "", f"> {self.data()}"])

    def data(self) -> str:
        """The quality of the data in one line."""
        quality = self.quality
        parts = [self._say("counted", count=f"{quality.accepted_rows:,}")]
        if quality.rejected_rows:
            reasons = self._listed(
                f"{self._say(f'reason_{reason}')} {count:,}" for reason, count in quality.rejected_by_reason.items()
            )
            lines = self._listed(str(line) for line in sorted(one.line for one in quality.examples)[:_MOST_LINES])
            parts.append(self._say("not_counted", count=f"{quality.rejected_rows:,}", reasons=reasons, lines=lines))
        if quality.rejected_money:
            parts.append(self._say("money_not_counted", money=money(quality.rejected_money, quality.currency)))
        told = self._say("between").join(parts)
        # In a file without order numbers some rows are always alike.
        few = quality.duplicate_rows * _MANY_ALIKE < quality.accepted_rows
        warnings = [one for one in quality.warnings if not (few and one.code == "duplicate_rows")]
        return " ".join([told, *(f"⚠ {warning.message}" for warning in warnings)])

    # Parts

    @cached_property
    def _findings(self) -> list[Said]:
        return findings(self.study)

    @cached_property
    def _news(self) -> Said:
        """The finding that comes first to somebody who knows the figures."""
        explained = self.study.explained
        moved = "products_lowered" if explained and (explained.change or 0) < 0 else "products_raised"
        odd = {"odd_day", "odd_name"} if self.study.odd and self.study.odd[0].day in self.period else set()
        for keys in (
            {"unfinished_today", "unfinished_perhaps"},
            {"focus_missing"},
            {"refunds_only", "refunds_more"},
            odd,
            {moved},
            {"best_product", "best_product_alone", "best_product_tied"},
        ):
            for finding in self._findings:
                if finding.key in keys:
                    return finding
        return next(finding for finding in self._findings if finding.key.startswith("grade_"))

    def _compared(self) -> Iterator[str]:
        for one in self.study.compared:
            change, share = one.change, one.told_share
            if change is None:
                continue
            base = self._worded(against(one))
            if not change:
                told = self._say("compared_same", against=base)
            elif share is None:
                told = self._say("compared_unknown", change=signed(change), against=base)
            else:
                way = "up" if change > 0 else "down"
                told = self._say(
                    f"compared_{way}", change=money(abs(change)), share=percent_text(abs(share)), against=base
                )
            yield told + (self._say("in_part") if one.gaps else "")

    def _lists(self) -> Iterator[tuple[str, list[str]]]:
        silent = _SAID if self.own_thresholds else (*_SAID, *_EVERY_DAYS)
        told = [one for one in self._findings if one is not self._news and not one.key.startswith(silent)]
        yield self._say("findings"), [f"- {self._worded(finding)}" for finding in told[:_MOST_FINDINGS]]
        yield self._say("products"), [f"{place}. {self._product(one)}" for place, one in enumerate(self.products, 1)]
        if self.quality.columns.region:
            yield self._say("regions"), [f"- {line}" for line in self._regions()]
        yield (
            self._say("ranges"),
            [
                "- " + self._say("range_line", name=one.range, sales=money(one.sales), pieces=number(one.quantity))
                for one in self.ranges
            ],
        )
        for drivers in self.study.drivers:
            if self.study.explained and drivers.dimension == "product" and not self.study.half_a_day:
                base = self._worded(against(self.study.explained))
                yield self._say("drivers", against=base), [f"- {line}" for line in self._drivers(drivers)]
        yield self._say("ahead"), [f"- {self._day(day)}" for day in self.forecast]

    def _product(self, product: ProductSales) -> str:
        name, pieces = self._named(product.product), number(product.quantity)
        return self._say("product_line", name=name, sales=money(product.sales), pieces=pieces)

    def _regions(self) -> Iterator[str]:
        shown = self.regions if len(self.regions) <= _MOST_REGIONS else self.regions[: _MOST_REGIONS - 1]
        for region in shown:
            told = told_share(region, self.summary)
            share = "–" if told is None else f"{told}%"
            yield self._say("region_line", name=self._named(region.region), sales=money(region.sales), share=share)
        if others := self.regions[len(shown) :]:
            rest = ZERO
            for region in others:
                rest = EXACT.add(rest, region.sales)
            yield self._say("more_regions", count=len(others), sales=money(rest))

    def _drivers(self, drivers: Drivers) -> Iterator[str]:
        for one in drivers.items(self.locale):
            effects = {"price": one.price_effect, "volume": one.volume_effect, "mix": one.mix_effect}
            if not (one.contribution or any(effects.values())):
                continue  # others that did nothing
            words = {name: signed(value) for name, value in effects.items()}
            yield self._say("driver_line", name=self._named(one.name), change=signed(one.contribution), **words)

    def _day(self, day: ForecastDay) -> str:
        when = date.fromisoformat(day.date)
        if not (day.low or day.high):
            return self._say("forecast_closed", day=f"{when:%m-%d}")
        return self._say(
            "forecast_line", day=f"{when:%m-%d}", sales=about(day.sales), low=about(day.low), high=about(day.high)
        )

    def _worded(self, finding: Said) -> str:
        return finding.text(self.locale, self._named)

    @cached_property
    def _end(self) -> int:
        return end_apart(one.product for one in self.products)

    def _named(self, name: str) -> str:
        """A name from the file as harmless text."""
        return plain(name, self._end) if name.strip() else say(self.locale, "charts.blank")

    def _listed(self, words: Iterator[str]) -> str:
        return say(self.locale, "insight.comma").join(words)

    def _say(self, key: str, **blanks: object) -> str:
        return say(self.locale, f"sales.{key}", **blanks)
