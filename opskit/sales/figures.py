"""The figures of one day. Sums are exact Decimals; means and shares are rounded half up to 2 places."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from opskit.sales.brief import PriceRangeSales, ProductSales, RegionSales, Summary
from opskit.sales.reading import Row

TOP = 5
_CENT = Decimal("0.01")
_ZERO = Decimal(0)
# Upper ends, included; the first range includes 0.
_RANGES = (("0-100", 100), ("100-500", 500), ("500-1000", 1000), ("1000-5000", 5000), ("5000+", None))


def rounded(value: Decimal) -> Decimal:
    """Half up to 2 places."""
    return value.quantize(_CENT, ROUND_HALF_UP)


@dataclass(slots=True)
class Sums:
    """What some rows add up to."""

    rows: int = 0
    sales: Decimal = _ZERO
    quantity: Decimal = _ZERO
    prices: Decimal = _ZERO

    def add(self, row: Row) -> None:
        """Count a row."""
        self.rows += 1
        self.sales += row.sales
        self.quantity += row.amount
        self.prices += row.price


@dataclass(slots=True)
class Day:
    """The sums of one day; what they take grows with the products and regions, not with the rows."""

    date: date
    total: Sums = field(default_factory=Sums)
    by_product: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    by_region: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    by_range: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))

    def add(self, row: Row) -> None:
        """Count a row of this day."""
        for sums in (self.total, self.by_product[row.product], self.by_region[row.region]):
            sums.add(row)
        if row.price >= 0:
            self.by_range[next(name for name, end in _RANGES if end is None or row.price <= end)].add(row)

    def summary(self) -> Summary:
        """The four figures of the day."""
        return Summary(
            total_sales=self.total.sales,
            total_orders=self.total.rows,
            total_quantity=self.total.quantity,
            average_order_value=rounded(self.total.sales / self.total.rows),
        )

    def top_products(self) -> list[ProductSales]:
        """The products with the highest sales; equal ones by name."""
        best = sorted(self.by_product.items(), key=lambda entry: (-entry[1].sales, entry[0]))[:TOP]
        return [
            ProductSales(
                product=name, sales=sums.sales, quantity=sums.quantity, avg_price=rounded(sums.prices / sums.rows)
            )
            for name, sums in best
        ]

    def regions(self) -> list[RegionSales]:
        """Every region, highest sales first; equal ones by name."""
        total = self.total.sales
        return [
            RegionSales(
                region=name,
                sales=sums.sales,
                quantity=sums.quantity,
                percentage=rounded(sums.sales * 100 / total) if total else None,
            )
            for name, sums in sorted(self.by_region.items(), key=lambda entry: (-entry[1].sales, entry[0]))
        ]

    def price_ranges(self) -> list[PriceRangeSales]:
        """Sales by unit price, lowest first; ranges without positive sales are left out."""
        return [
            PriceRangeSales(range=name, sales=self.by_range[name].sales, quantity=self.by_range[name].quantity)
            for name, _ in _RANGES
            if name in self.by_range and self.by_range[name].sales > 0
        ]
