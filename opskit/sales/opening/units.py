"""What the figures of a table are counted in: told by a heading, by a row of units below it, or by a line above it."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from opskit.sales.cells import Column, currency_of, factor, number, said, unit_of
from opskit.sales.opening.layout import Caution

_NUMBERS = (Column.PRICE, Column.AMOUNT, Column.TOTAL)
_PARTS = re.compile(r"[()（）\[\]【】/_\s]")


def units(
    header: Sequence[str], columns: Mapping[Column, int], above: Sequence[Sequence[str]], first: Sequence[str]
) -> tuple[dict[Column, Decimal], list[Caution]]:
    """What one stands for in the columns of numbers where it is not 1, and what must be said of it.

    ``above``: the lines above the header; what one of them says holds for money that has no unit of its own.
    ``first``: the row below the header.
    """
    factors: dict[Column, Decimal] = {}
    cautions: list[Caution] = []
    own: set[Column] = set()
    for role in (role for role in _NUMBERS if role in columns):
        place = columns[role]
        heading = header[place] if header else ""
        below = first[place] if place < len(first) else ""
        unit = "" if number(below, units=True) else below
        factors[role] = factor(heading) if factor(heading) != 1 else unit_of(unit)
        if factors[role] != 1:
            cautions.append(Caution("unit_in_header", {"column": heading, "factor": f"{factors[role]:f}"}))
        elif any(map(currency_of, [*_PARTS.split(heading), unit.strip("()（） ")])):
            own.add(role)
    told = next(((text, said(text)) for line in above for text in line if said(text) != 1), None)
    open_ = [role for role in (Column.PRICE, Column.TOTAL) if factors.get(role) == 1 and role not in own]
    if told and open_:
        factors |= dict.fromkeys(open_, told[1])
        names = ", ".join(header[columns[role]] for role in open_)
        cautions.append(Caution("unit_above", {"text": told[0].strip(), "columns": names, "factor": f"{told[1]:f}"}))
    return {role: found for role, found in factors.items() if found != 1}, cautions
