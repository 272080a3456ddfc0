"""Defects of what is sold: refunds, names, duplicates. The truth changes with them."""

from decimal import Decimal
from random import Random

from devtools.mixer import words
from devtools.mixer.registry import defect
from devtools.mixer.table import Table


@defect(weight=2)
def refunds(table: Table, dice: Random) -> bool:
    """A negative price or quantity; ``refund_forms`` writes it in one way or another."""
    for row, sale in table.some_sold(dice, 4):
        changed = {"price": -sale.price} if dice.random() < 0.3 else {"amount": -sale.amount}
        row.resell(**changed, discount=Decimal(0))
    return True


@defect(weight=0.7)
def zero_prices(table: Table, dice: Random) -> bool:
    """Gifts."""
    for row, _ in table.some_sold(dice):
        row.resell(price=Decimal(0), discount=Decimal(0))
    return True


@defect()
def fractions(table: Table, dice: Random) -> bool:
    """Quantities that are no integers."""
    for row, sale in table.sold(dice, 0.4):
        row.resell(amount=sale.amount + Decimal(dice.randrange(1, 100)) / 100)
    return True


@defect(weight=0.7)
def large_numbers(table: Table, dice: Random) -> bool:
    """Prices of millions."""
    for row, sale in table.sold(dice, 0.4):
        row.resell(price=sale.price * 1000 + dice.randrange(1000))
    return True


@defect(weight=0.7)
def long_fractions(table: Table, dice: Random) -> bool:
    """Prices of four decimal places."""
    for row, sale in table.sold(dice, 0.4):
        row.resell(price=sale.price + Decimal(dice.randrange(1, 10_000)) / 10_000)
    return True


@defect(weight=0.7)
def whole_prices(table: Table, _: Random) -> bool:
    """Prices without decimals, that look like quantities."""
    for row, sale in table.sold():
        row.resell(price=Decimal(int(sale.price)))
    return True


@defect(weight=0.7)
def blank_names(table: Table, dice: Random) -> bool:
    """No product, or no region."""
    for row, _ in table.some_sold(dice):
        row.resell(**{dice.choice(["product", "region"]): ""})
    return True


def _rename(table: Table, dice: Random, names: list[str], share: float = 0.3) -> bool:
    for row, _ in table.sold(dice, share):
        row.resell(product=dice.choice(names))
    return True


@defect()
def hostile_names(table: Table, dice: Random) -> bool:
    """Markup, formulas, braces, and names with delimiters or quotes."""
    return _rename(table, dice, dice.sample(words.HOSTILE, 4))


@defect()
def delimiters_in_names(table: Table, dice: Random) -> bool:
    """What must be quoted."""
    return _rename(table, dice, dice.sample(words.QUOTED, 4))


@defect()
def trap_names(table: Table, dice: Random) -> bool:
    """Names that look like totals, notes, numbers or dates."""
    names = words.TRAPS["zh" if table.language in {"zh", "tw"} else "en"]
    return _rename(table, dice, [name for name in dice.sample(names, 4) if name != "小计"] or ["总计算器"])


@defect(weight=0.5)
def breaks_in_names(table: Table, dice: Random) -> bool:
    """A line break within a cell."""
    return table.can_break and _rename(table, dice, ["红色\n大号", "A\nB, C", "多行\n\n名称"])


@defect(weight=0.7)
def numeric_names(table: Table, dice: Random) -> bool:
    """Products, or all regions, that are numbers."""
    if dice.random() < 0.5:
        return _rename(table, dice, ["3080", "911", "1.5", "20260301", "007"], 1)
    for row, sale in table.sold():
        row.resell(region=dice.choice(["1", "2", "3"]) if sale.region else "")
    return True


@defect()
def sorted_days(table: Table, dice: Random) -> bool:
    """From the first day on, or backwards."""
    back = dice.random() < 0.5
    table.rows.sort(key=lambda row: row.sale.day.toordinal() if row.sale else 0, reverse=back)
    return True
