"""The figures in words, for a phone in a DingTalk group."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from opskit.sales.brief import ProductSales, RegionSales, Summary
from opskit.sales.figures import rounded
from opskit.sales.reading import Reading
from opskit.wording import Locale, say

# The reference service's thresholds, in the file's currency.
_EXCELLENT_DAY, _GOOD_DAY, _HIGH_ORDER = Decimal(100_000), Decimal(50_000), Decimal(1_000)
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to say about a day."""

    locale: Locale
    day: date
    first_day: date
    summary: Summary
    products: list[ProductSales]
    regions: list[RegionSales]
    reading: Reading

    def date_range(self) -> str:
        """The days of the file: "A 到 B", "A to B", or the one day."""
        if self.first_day == self.day:
            return self.day.isoformat()
        return self._say("date_range", first=self.first_day, last=self.day)

    def insights(self) -> list[str]:
        """Findings, most important first, each with its figures."""
        total, average = self.summary.total_sales, self.summary.average_order_value
        grade = "excellent" if total > _EXCELLENT_DAY else "good" if total > _GOOD_DAY else "low"
        order = "high_order" if average > _HIGH_ORDER else "low_order"
        found = [
            self._say(f"insight_{grade}", total=money(total)),
            self._say(f"insight_{order}", average=money(average)),
        ]
        product, region = self.products[0], self.regions[0]
        if total > 0:
            share = rounded(product.sales * 100 / total)
            found.append(
                self._say("insight_product", product=plain(product.product), sales=money(product.sales), share=share)
            )
            found.append(self._say("insight_region", region=plain(region.region), share=region.percentage))
        return found

    def markdown(self) -> str:
        """Heading, three lines for the boss, then lists; the rows that were not counted close it."""
        summary = self.summary
        lines = [
            f"### {self._say('title', day=self.day)}",
            "",
            self._say(
                "headline",
                total=money(summary.total_sales),
                orders=summary.total_orders,
                quantity=number(summary.total_quantity),
                average=money(summary.average_order_value),
            ),
            "",
            *[f"- {insight}" for insight in self.insights()],
            "",
            f"#### {self._say('products')}",
            "",
            *[f"{place}. {self._product(product)}" for place, product in enumerate(self.products, 1)],
            "",
            f"#### {self._say('regions')}",
            "",
            *[f"- {self._region(region)}" for region in self.regions],
        ]
        if rejected := self.reading.rejected:
            text = ", ".join(f"{self._say(f'reason_{reason}')} {count}" for reason, count in rejected.most_common())
            numbers = ", ".join(map(str, self.reading.first_rejected))
            lines += ["", "> " + self._say("rejected", count=rejected.total(), reasons=text, lines=numbers)]
        return "\n".join(lines)

    def _product(self, product: ProductSales) -> str:
        name, pieces = plain(product.product), number(product.quantity)
        return self._say("product_line", name=name, sales=money(product.sales), pieces=pieces)

    def _region(self, region: RegionSales) -> str:
        share = "–" if region.percentage is None else f"{region.percentage}%"
        return self._say("region_line", name=plain(region.region), sales=money(region.sales), share=share)

    def _say(self, key: str, **blanks: object) -> str:
        return say(self.locale, f"sales.{key}", **blanks)


def money(amount: Decimal) -> str:
    """An amount as people write it: thousands separated, cents shown."""
    return f"{rounded(amount):,}"


def number(quantity: Decimal) -> str:
    """A quantity without needless zeros."""
    return f"{quantity.normalize():,f}"


def plain(name: str) -> str:
    """Text from a cell as text: one line, not too long, and nothing in it that Markdown or HTML would act on."""
    line = re.sub(r"\s+", " ", name).strip()
    line = line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"
    return re.sub(r"([\\`*_{}\[\]<>#|~!@])", lambda match: chr(ord(match[1]) + 0xFEE0), line) or "–"
