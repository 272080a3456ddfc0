"""What the columns of a table without names hold, told by their cells. It serves a guess that is always reported."""

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from opskit.sales.cells import Column, Order, day, is_region, is_total, number

_MOST = 0.8
_SEEN = 200
_WIDEST = 100  # columns of a table that is worth guessing at
_TEXTS = 2  # product and region
_SOME = 3  # rows that can be numbered
_NUMERIC = 8  # numeric columns that are compared with each other
_DATED = re.compile(r"\D*(?:(?:19|20)\d{6}|\d{10}|\d{13})\D*")  # compact days and Unix times look like numbers


def guessed(rows: Sequence[Sequence[str]], width: int) -> dict[Column, int]:
    """The columns that the cells give away; what stays open is left out. ``rows`` all have ``width`` cells."""
    if width > _WIDEST:
        return {}
    rows = [row for row in rows[:_SEEN] if not any(is_total(cell) for cell in row)]
    texts = [[row[place].strip() for row in rows if row[place].strip()] for place in range(width)]
    dates = [place for place in range(width) if _share(texts[place], _dated)]
    numeric = [
        place
        for place in range(width)
        if place not in dates and _share(texts[place], lambda text: _value(text) is not None)
    ]
    if dates and len(rows) >= _SOME:
        numeric = [place for place in numeric if place > dates[0] or not _is_count(texts[place])]
    words = [place for place in range(width) if texts[place] and place not in dates and place not in numeric]
    columns: dict[Column, int] = {}
    if dates:
        columns[Column.DATE] = dates[0]
    columns |= _money(rows, numeric)
    regions = [place for place in words if _share(texts[place], is_region)]
    names = [place for place in words if place not in regions]
    if len(regions) == 1:
        columns[Column.REGION] = regions[0]
    if len(names) == 1:
        columns[Column.PRODUCT] = names[0]
    elif len(names) == _TEXTS and not regions:  # the usual order
        columns[Column.PRODUCT], columns[Column.REGION] = names
    return columns


def _share(texts: Sequence[str], test: object) -> bool:
    good = sum(bool(test(text)) for text in texts) if callable(test) else 0
    return bool(texts) and good >= len(texts) * _MOST


def _dated(text: str) -> bool:
    if number(text) is not None and not _DATED.fullmatch(text):
        return False
    return any(day(text, order=order) is not None for order in (Order.DMY, Order.MDY))


def _is_count(texts: Sequence[str]) -> bool:
    """Whether the cells number the rows."""
    return all(one.isdecimal() and other == str(int(one) + 1) for one, other in pairwise(texts))


def _value(text: str) -> Decimal | None:
    read = number(text, units=True) or number(text, comma=True, units=True)
    return read.value if read else None


def _money(rows: Sequence[Sequence[str]], numeric: list[int]) -> dict[Column, int]:
    """Price and quantity of two numeric columns, the line total too of three where price × quantity gives it."""
    numeric = numeric[:_NUMERIC]
    values = {place: [_value(row[place]) for row in rows] for place in numeric}
    if len(numeric) == 2:  # noqa: PLR2004 two factors
        price, amount = sorted(numeric, key=lambda place: (not _fractions(values[place]), -_sum(values[place]), place))
        return {Column.PRICE: price, Column.AMOUNT: amount}
    for total in numeric:
        for one in numeric:
            for other in (place for place in numeric if one < place and total not in {one, place}):
                triples = zip(values[one], values[other], values[total], strict=True)
                known = [(a * b, c) for a, b, c in triples if a is not None and b is not None and c is not None]
                trivial = all(a == c for a, c in zip(values[one], values[total], strict=True))
                if not trivial and known and sum(product == c for product, c in known) >= len(known) * _MOST:
                    return {**_money(rows, [one, other]), Column.TOTAL: total}
    return {}


def _fractions(values: Sequence[Decimal | None]) -> bool:
    return any(value is not None and value % 1 for value in values)


def _sum(values: Sequence[Decimal | None]) -> Decimal:
    return sum((abs(value) for value in values if value is not None), Decimal(0))
