"""What was given back."""

from collections.abc import Mapping
from decimal import Decimal

from pydantic import Field

from opskit.model import Exact, Item, Rounded
from opskit.sales.insight.sums import EXACT, Sums, percent, total


class RefundedProduct(Item):
    """The refunds of one product."""

    product: str = Field(description="Name as written in the file.")
    rows: int = Field(description="Number of refunds.")
    sales: Exact = Field(description="Their sum, exact; below 0.")


class Refunds(Item):
    """The rows whose sales are below 0."""

    rows: int = Field(description="Number of refunds.")
    sales: Exact = Field(description="Their sum, exact; 0 or below.")
    share_percent: Rounded | None = Field(
        description="Their sum in percent of what was sold before refunds, 2 places; null if nothing was sold."
    )
    usual_percent: Rounded | None = Field(
        description="The same for the days before the period, 2 places; null if the file has none."
    )
    products: list[RefundedProduct] = Field(description="The products with the highest refunds.")


def refunds(
    refunded: Mapping[str, Sums], sales: Decimal, *, earlier: tuple[Decimal, Decimal] | None, top: int
) -> Refunds:
    """The refunds of a period whose sales, net of them, are ``sales``.

    ``refunded`` holds the rows below 0, by product. ``earlier`` holds the (refunds, net sales) of the days before.
    InvalidInput if a sum has more than 15 significant digits.
    """
    whole = total(refunded.values())
    ranked = sorted(refunded.items(), key=lambda entry: (entry[1].sales, entry[0]))[:top]
    return Refunds(
        rows=whole.rows,
        sales=whole.sales,
        share_percent=_share(whole.sales, sales),
        usual_percent=_share(*earlier) if earlier else None,
        products=[RefundedProduct(product=name, rows=sums.rows, sales=sums.sales) for name, sums in ranked],
    )


def _share(refunded: Decimal, net: Decimal) -> Decimal | None:
    sold = EXACT.subtract(net, refunded)
    return percent(refunded.copy_negate(), sold) if sold > 0 else None
