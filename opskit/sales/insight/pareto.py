"""How sales are spread over the products: ABC classes and concentration."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import ConfigDict, Field

from opskit.model import Item, Rounded
from opskit.sales.insight.sums import EXACT, ZERO, percent

_ENDS: tuple[tuple[Literal["A", "B", "C"], int], ...] = (("A", 80), ("B", 95), ("C", 100))
_TOP_SHARE = 5  # one product in five


class AbcClass(Item):
    """One class of products."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    name: Literal["A", "B", "C"] = Field(
        serialization_alias="class",
        description="A: the products that make the first 80 % of sales; B: to 95 %; C: rest.",
    )
    products: int = Field(description="Number of products; C holds those without positive sales, too.")
    sales_percent: Rounded = Field(
        description="Share of all positive sales in percent, 2 places; A, B, C add up to 100."
    )


class Pareto(Item):
    """How sales are spread over the products."""

    classes: list[AbcClass] = Field(description="A, B and C; empty if no product has positive sales.")
    top_share_percent: Rounded | None = Field(
        description="Share of the best-selling fifth of the products (rounded up) in percent, 2 places; null if empty."
    )


def pareto(sales: Iterable[Decimal]) -> Pareto:
    """The classes of products with these sales, one figure for each product, in any order.

    Products are taken from the highest sales down. A product stands in A if those before it make less than 80 % of
    all positive sales, in B if less than 95 %: so A is never empty, and holds the product that crosses the line.
    """
    ranked = sorted(sales, reverse=True)
    whole = _sum(value for value in ranked if value > 0)
    if not whole:
        return Pareto(classes=[], top_share_percent=None)
    counts = dict.fromkeys("ABC", 0)
    made = dict.fromkeys("ABC", ZERO)
    before = ZERO
    for value in ranked:
        reached = EXACT.multiply(before, Decimal(100))
        name = next((name for name, end in _ENDS if value > 0 and reached < EXACT.multiply(whole, Decimal(end))), "C")
        counts[name] += 1
        if value > 0:
            before = EXACT.add(before, value)
            made[name] = EXACT.add(made[name], value)
    upto_a, upto_b = percent(made["A"], whole), percent(EXACT.add(made["A"], made["B"]), whole)
    shares = {"A": upto_a, "B": upto_b - upto_a, "C": 100 - upto_b}  # so they add up
    best = ranked[: -(-len(ranked) // _TOP_SHARE)]
    return Pareto(
        classes=[AbcClass(name=name, products=counts[name], sales_percent=shares[name]) for name, _ in _ENDS],
        top_share_percent=percent(_sum(value for value in best if value > 0), whole),
    )


def _sum(values: Iterable[Decimal]) -> Decimal:
    found = ZERO
    for value in values:
        found = EXACT.add(found, value)
    return found
