r"""What made the change: the contribution of each product and region, and price, volume and mix in it.

A contribution is sales now minus sales before; those of all products add up to the change exactly. With s sales and
q quantity of a product, p = s/q its mean price, Q the quantity of all products, 0 before and 1 now:

    price  = (p1 − p0) · q1              the same pieces at another price
    volume = s0 · (Q1/Q0 − 1)            all quantities grown alike
    mix    = p0 · q1 − s0 · Q1/Q0        this product's quantity grown more or less than all

Their sum is s1 − s0. These are the sales-price, sales-quantity and sales-mix variances of cost accounting (Horngren,
Datar, Rajan: Cost Accounting, chapter 14). For one product, volume + mix is its own change in quantity at the old
price. Price and volume are rounded half up (2 places, or as many as the sales have); mix is the exact remainder, so
that the three add up to the contribution, too.

What has no price before or now has no price effect: a product that is new or lost, or one whose quantity is not
positive or sales are negative (net of refunds). A new product is mix. Where Q0 or Q1 is not positive, or one is more
than 100 times the other, growth means nothing: what is not price is volume, and mix is 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Literal

from pydantic import Field

from opskit.model import Exact, Item, Rounded
from opskit.sales.insight.said import said
from opskit.sales.insight.sums import EXACT, NOTHING, ZERO, Sums, rounded, total
from opskit.wording import Locale

_PLACES = 2
_WILD_GROWTH = 100

type Dimension = Literal["product", "region"]


class Driver(Item):
    """What one product or region has done to the change."""

    dimension: str = Field(description="product or region; those of one dimension add up to the whole change.")
    name: str = Field(description="Name as written in the file; the last one may stand for all others.")
    contribution: Exact = Field(description="Sales now minus sales before, exact.")
    price_effect: Rounded = Field(description="The part that comes from other prices.")
    volume_effect: Rounded = Field(description="The part there would be if all quantities had grown alike.")
    mix_effect: Rounded = Field(description="The rest: its quantity grew more or less than all. The three add up.")


@dataclass(frozen=True, slots=True)
class Effects:
    """A contribution and its parts, exact."""

    contribution: Decimal = ZERO
    price: Decimal = ZERO
    volume: Decimal = ZERO

    @property
    def mix(self) -> Decimal:
        """What is neither price nor volume."""
        return EXACT.subtract(EXACT.subtract(self.contribution, self.price), self.volume)

    def __add__(self, other: "Effects") -> "Effects":
        return Effects(
            EXACT.add(self.contribution, other.contribution),
            EXACT.add(self.price, other.price),
            EXACT.add(self.volume, other.volume),
        )


NO_EFFECTS = Effects()


@dataclass(frozen=True, slots=True)
class Drivers:
    """The names that moved most, and all others together."""

    dimension: Dimension
    named: tuple[tuple[str, Effects], ...]
    others: Effects
    other_count: int

    def total(self) -> Effects:
        """The whole change."""
        return sum((effects for _, effects in self.named), self.others)

    def items(self, locale: Locale) -> list[Driver]:
        """The drivers as they are given out: names raw, the others last and only where there are any."""
        rows = list(self.named)
        if self.other_count:
            others = said(f"others_{self.dimension}", count=self.other_count)
            rows.append((others.text(locale, str), self.others))
        return [
            Driver(
                dimension=self.dimension,
                name=name,
                contribution=effects.contribution,
                price_effect=effects.price,
                volume_effect=effects.volume,
                mix_effect=effects.mix,
            )
            for name, effects in rows
        ]

    def strongest(self, *, rising: bool, count: int) -> list[tuple[str, Effects]]:
        """The names that raised (or lowered) sales most."""
        sign = 1 if rising else -1
        return [(name, effects) for name, effects in self.named if effects.contribution * sign > 0][:count]


def product_drivers(before: Mapping[str, Sums], now: Mapping[str, Sums], *, top: int) -> Drivers:
    """The ``top`` products with the largest contributions, up or down; ``before`` and ``now`` hold all products.

    InvalidInput on ``items`` if a contribution has more than 15 significant digits.
    """
    return _drivers(
        "product",
        {(name, ""): sums for name, sums in before.items()},
        {(name, ""): sums for name, sums in now.items()},
        top,
    )


def region_drivers(before: Mapping[tuple[str, str], Sums], now: Mapping[tuple[str, str], Sums], *, top: int) -> Drivers:
    """The same for regions, from the sums of each (region, product): a price is that of a product in a region.

    (region, "") is understood, too: then a region's mean price stands for the prices in it.
    """
    return _drivers("region", before, now, top)


def _drivers(
    dimension: Dimension,
    before: Mapping[tuple[str, str], Sums],
    now: Mapping[tuple[str, str], Sums],
    top: int,
) -> Drivers:
    with localcontext(EXACT):
        growth = _growth(total(before.values()).quantity, total(now.values()).quantity)
        found: dict[str, Effects] = {}
        for key in sorted(before.keys() | now.keys()):
            effects = _effects(before.get(key, NOTHING), now.get(key, NOTHING), growth)
            found[key[0]] = found.get(key[0], NO_EFFECTS) + effects
        ranked = sorted(found.items(), key=lambda entry: (-abs(entry[1].contribution), entry[0]))
    # A name without a contribution drives nothing.
    named = tuple((name, effects) for name, effects in ranked[:top] if effects.contribution)
    others = sum((effects for _, effects in ranked[len(named) :]), NO_EFFECTS)
    return Drivers(dimension, named, others, len(ranked) - len(named))


def _growth(before: Decimal, now: Decimal) -> Decimal | None:
    """By how much all quantities have grown, as a share; None where that means nothing."""
    if before <= 0 or now <= 0 or max(before, now) > min(before, now) * _WILD_GROWTH:
        return None
    return now / before - 1


def _effects(before: Sums, now: Sums, growth: Decimal | None) -> Effects:
    contribution = now.sales - before.sales
    places = max(_PLACES, _decimals(before.sales), _decimals(now.sales))
    price = ZERO
    if _has_price(before) and _has_price(now):
        price = rounded(now.sales - before.sales * now.quantity / before.quantity, places)
    volume = contribution - price if growth is None else rounded(before.sales * growth, places)
    return Effects(contribution, price, volume)


def _has_price(sums: Sums) -> bool:
    return sums.quantity > 0 and sums.sales >= 0


def _decimals(value: Decimal) -> int:
    exponent = value.normalize(EXACT).as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
