"""The figures of one day. Sums are exact Decimals; means and shares are rounded half up to 2 places."""

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from opskit.sales.brief import PriceRangeSales, ProductSales, RegionSales, Summary

if TYPE_CHECKING:
    import pandas as pd

TOP = 5
_CENT = Decimal("0.01")
_ZERO = Decimal(0)
# Upper ends, included; the first range includes 0.
_RANGES = (("0-100", 100), ("100-500", 500), ("500-1000", 1000), ("1000-5000", 5000), ("5000+", None))


def rounded(value: Decimal) -> Decimal:
    """Half up to 2 places."""
    return value.quantize(_CENT, ROUND_HALF_UP)


def summary(day: "pd.DataFrame") -> Summary:
    """The four figures of the day."""
    total = sum(day["sales"], _ZERO)
    return Summary(
        total_sales=total,
        total_orders=len(day),
        total_quantity=sum(day["amount"], _ZERO),
        average_order_value=rounded(total / len(day)),
    )


def top_products(day: "pd.DataFrame") -> list[ProductSales]:
    """The products with the highest sales; equal ones by name."""
    products = [
        ProductSales(
            product=name,
            sales=sum(rows["sales"], _ZERO),
            quantity=sum(rows["amount"], _ZERO),
            avg_price=rounded(sum(rows["price"], _ZERO) / len(rows)),
        )
        for name, rows in day.groupby("product")
    ]
    return sorted(products, key=lambda product: (-product.sales, product.product))[:TOP]


def regions(day: "pd.DataFrame") -> list[RegionSales]:
    """Every region, highest sales first; equal ones by name."""
    total = sum(day["sales"], _ZERO)
    found = [
        RegionSales(
            region=name,
            sales=(sales := sum(rows["sales"], _ZERO)),
            quantity=sum(rows["amount"], _ZERO),
            percentage=rounded(sales * 100 / total) if total else None,
        )
        for name, rows in day.groupby("region")
    ]
    return sorted(found, key=lambda region: (-region.sales, region.region))


def price_ranges(day: "pd.DataFrame") -> list[PriceRangeSales]:
    """Sales by unit price, lowest first; ranges without positive sales are left out."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for price, amount, sales in zip(day["price"], day["amount"], day["sales"], strict=True):
        name = next((name for name, end in _RANGES if price >= 0 and (end is None or price <= end)), "")
        before = sums.get(name, (_ZERO, _ZERO))
        sums[name] = (before[0] + sales, before[1] + amount)
    return [
        PriceRangeSales(range=name, sales=sums[name][0], quantity=sums[name][1])
        for name, _ in _RANGES
        if name in sums and sums[name][0] > 0
    ]
