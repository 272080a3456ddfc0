"""What stands below a heading: whether it can be what the heading says."""

import re
from collections.abc import Mapping, Sequence

from opskit.sales.cells import Column, Order, day, number

_HALF = 0.5
_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?")


def is_day(text: str) -> bool:
    """Whether ``text`` is a day in the order of any country."""
    return day(text, order=Order.DMY) is not None or day(text, order=Order.MDY) is not None


def holds_clocks(place: int, below: list[list[str]]) -> bool:
    """Whether a column holds times of day, whose day stands in another one."""
    texts = [cells[place].strip() for cells in below if place < len(cells) and cells[place].strip()]
    return bool(texts) and all(map(_CLOCK.fullmatch, texts))


def fits(column: Column, place: int, below: list[list[str]]) -> bool:
    """Whether at least half of what stands below can be read as what the column should hold."""
    texts = [cells[place] for cells in below if place < len(cells) and cells[place].strip()]
    if column is Column.DATE:
        good = sum(map(is_day, texts))
    elif column in {Column.PRICE, Column.AMOUNT, Column.TOTAL}:
        good = sum(
            number(text, units=True) is not None or number(text, comma=True, units=True) is not None for text in texts
        )
    else:
        good = len(texts)
    return bool(texts) and good >= len(texts) * _HALF


def is_smaller(columns: Mapping[Column, int], below: Sequence[Sequence[str]]) -> bool:
    """Whether most of what should be line totals is less than the price of one."""
    places = columns[Column.PRICE], columns[Column.TOTAL]
    pairs = [[number(row[place], units=True) for place in places] for row in below if max(places) < len(row)]
    known = [(abs(price.value), abs(total.value)) for price, total in pairs if price and total]
    return sum(total < price for price, total in known) * 2 > len(known)


def differs(columns: Mapping[Column, int], below: Sequence[Sequence[str]]) -> bool:
    """Whether price × quantity gives the line total in less than half of the rows that hold all three."""
    places = columns[Column.PRICE], columns[Column.AMOUNT], columns[Column.TOTAL]
    rows = [[number(row[place], units=True) for place in places] for row in below if max(places) < len(row)]
    known = [(price.value * count.value, total.value) for price, count, total in rows if price and count and total]
    return sum(product == total for product, total in known) * 2 < len(known)
