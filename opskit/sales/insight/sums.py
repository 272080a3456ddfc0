"""What rows add up to, and the arithmetic that keeps sums exact."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

# Room for the exact sum of a billion products of two 60-digit cells, and for a quotient to be rounded after that.
EXACT = Context(prec=150, Emax=MAX_EMAX, Emin=MIN_EMIN)
ZERO = Decimal(0)
_PLACES = 2
_WHOLE = 100
_LONGEST = 100  # digits; the rest is room for places


class Sums(NamedTuple):
    """Some rows: how many, their sales in the file's currency and their quantity, both exact and net of refunds."""

    rows: int = 0
    sales: Decimal = ZERO
    quantity: Decimal = ZERO


NOTHING = Sums()

type Days = Mapping[date, Sums]


def total(several: Iterable[Sums]) -> Sums:
    """All of them together."""
    rows, sales, quantity = 0, ZERO, ZERO
    for sums in several:
        rows += sums.rows
        sales = EXACT.add(sales, sums.sales)
        quantity = EXACT.add(quantity, sums.quantity)
    return Sums(rows, sales, quantity)


def rounded(value: Decimal, places: int = _PLACES) -> Decimal:
    """Half up to so many places; never a negative zero. A number too long to have places stays as it is."""
    if value.adjusted() > _LONGEST:
        return value
    return EXACT.plus(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACT))


def about(amount: Decimal) -> str:
    """An amount that nobody knows to the cent: whole, where it is not small."""
    return f"{rounded(amount, 0 if abs(amount) >= _WHOLE else _PLACES):,}"


def percent_text(share: Decimal) -> str:
    """A share in percent as people read it: one place, two where one would say 0."""
    return f"{rounded(share, 1) or rounded(share) or 0:,}%"


def share(part: Decimal, whole: Decimal) -> Decimal:
    """``part`` of ``whole`` in percent, to be rounded once: 54.545 is 54.55, and it is 54.5."""
    return EXACT.divide(EXACT.multiply(part, Decimal(100)), whole)


def percent(part: Decimal, whole: Decimal) -> Decimal:
    """``part`` of ``whole`` in percent, 2 places."""
    return rounded(share(part, whole))
