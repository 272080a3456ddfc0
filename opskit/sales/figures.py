"""The figures of a period. Sums are exact Decimals; means and shares are rounded half up to 2 places."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from opskit.model import MAX_DIGITS
from opskit.sales.analysis import PriceRangeSales, ProductSales, RegionSales, Summary
from opskit.sales.insight import Sums
from opskit.sales.insight.sums import EXACT, percent, rounded

type Priced = tuple[Sums, Decimal]
"""The sums of some rows, and the sum of their unit prices."""


def summary(whole: Sums) -> Summary:
    """The four figures of a period."""
    return Summary(
        total_sales=whole.sales,
        total_orders=whole.rows,
        total_quantity=whole.quantity,
        average_order_value=rounded(EXACT.divide(whole.sales, Decimal(whole.rows))),
    )


def by_product(products: Mapping[str, Priced]) -> list[ProductSales]:
    """Every product, highest sales first; equal ones by name."""
    best = sorted(products.items(), key=lambda entry: (-entry[1][0].sales, entry[0]))
    return [
        ProductSales(
            product=name,
            sales=sums.sales,
            quantity=sums.quantity,
            avg_price=rounded(EXACT.divide(prices, Decimal(sums.rows))),
        )
        for name, (sums, prices) in best
    ]


def by_region(regions: Mapping[str, Sums], whole: Decimal) -> list[RegionSales]:
    """Every region, highest sales first; equal ones by name."""
    return [
        RegionSales(
            region=name,
            sales=sums.sales,
            quantity=sums.quantity,
            percentage=percent(sums.sales, whole) if whole else None,
        )
        for name, sums in sorted(regions.items(), key=lambda entry: (-entry[1].sales, entry[0]))
    ]


def told_share(region: RegionSales, summary: Summary) -> Decimal | None:
    """A region's percentage for people, to whom a share of less than nothing says nothing."""
    return None if summary.total_sales < 0 else region.percentage


def price_ranges(found: Mapping[int, tuple[Decimal, Decimal]], ends: Sequence[Decimal]) -> list[PriceRangeSales]:
    """Sales and quantity by the place of the range; ranges without positive sales are left out."""
    lows = [Decimal(0), *ends]
    names = [*(f"{low:f}-{high:f}" for low, high in zip(lows, ends, strict=False)), f"{lows[-1]:f}+"]
    return [
        PriceRangeSales(range=names[place], sales=sales, quantity=quantity)
        for place, (sales, quantity) in sorted(found.items())
        if sales > 0
    ]


def too_long(values: Iterable[Decimal]) -> bool:
    """Whether a sum among them has more digits than a JSON number keeps."""
    return any(len(value.normalize(EXACT).as_tuple().digits) > MAX_DIGITS for value in values)
