"""Defects of numbers: how prices, quantities and line totals are written."""

from collections.abc import Callable
from decimal import Decimal
from random import Random

from devtools.mixer import forms
from devtools.mixer.registry import Change, defect, named
from devtools.mixer.table import Row, Sale, Table

_HALF = 0.5
_FEW = 0.2
_SOME_ROWS = 8  # rows of which one or two are a minority


_VALUES: dict[str, Callable[[Sale], Decimal]] = {
    "price": lambda sale: sale.price,
    "amount": lambda sale: sale.amount,
    "total": lambda sale: sale.total,
}


def _each(table: Table, column: str, form: Callable[[], forms.NumberForm]) -> bool:
    for row, sale in table.sold():
        row.cells[column] = form()(_VALUES[column](sale))
    return True


def _number_form(column: str, name: str) -> Change:
    return lambda table, _: not table.decimal_comma and _each(table, column, lambda: forms.NUMBERS[name])


def _rewritten(table: Table, row: Row, column: str, value: Decimal, text: str) -> None:
    """Another price or quantity, and the total that follows from it."""
    row.resell(**{column: value}, discount=Decimal(0))
    if row.sale:
        row.cells |= {column: text, "total": (forms.comma if table.decimal_comma else forms.plain)(row.sale.total)}


for _name in forms.NUMBERS:
    named(f"price_{_name}", _number_form("price", _name), "price", 0.5)
    named(f"amount_{_name}", _number_form("amount", _name), "amount", 0.5)
    named(f"total_{_name}", _number_form("total", _name), "total", 0.5)


@defect("price", 3)
def prices_mixed(table: Table, dice: Random) -> bool:
    """Any form that names no other currency than the yuan."""
    pool = [*forms.NUMBERS.values(), *(form for form, code in forms.MONEY.values() if code in {"", "CNY"})]
    table.params.setdefault("currency", "CNY?")
    return _each(table, "price", lambda: dice.choice(pool))


def _money_form(name: str) -> Change:
    def change(table: Table, dice: Random) -> bool:
        form, code = forms.MONEY[name]
        if table.params.get("currency", code) != code and code:
            return False
        both = dice.random() < _HALF
        if code and ("price" in table.columns or (both and "total" in table.columns)):
            table.params["currency"] = code
        if both:
            _each(table, "total", lambda: form)
        return _each(table, "price", lambda: form)

    return change


for _name in forms.MONEY:
    named(f"price_{_name}", _money_form(_name), "price", 0.5)


@defect("price", 3)
def decimal_comma(table: Table, dice: Random) -> bool:
    """The European way, in all columns of numbers or only in that of prices."""
    sign = dice.choice(["{}", "{}", "{} €", "€{}"]) if "currency" not in table.params else "{}"
    if sign != "{}" and "price" in table.columns:
        table.params["currency"] = "EUR"
    table.decimal_comma = True
    mark = dice.choice([".", ".", ".", " ", "\u00a0", "'"])
    for row, sale in table.sold():
        price, total = (
            forms.comma(value if value % 1 else value.quantize(forms.CENT))  # "1.234" alone would tell nothing
            for value in (sale.price, sale.total)
        )
        row.cells["price"] = sign.format(price.replace(".", mark if dice.random() < _HALF else ""))
        row.cells |= {"total": total, "amount": forms.comma(sale.amount)}
    return True


def _odd_decimals(table: Table, dice: Random, column: str, most: int) -> bool:
    if column not in table.columns or table.decimal_comma or len(table.good()) < _SOME_ROWS:
        return False
    strange = table.some(dice, most)
    for row in table.good():
        value = Decimal(dice.randrange(1001, 9999)) / 1000
        if row in strange:
            value = value.quantize(forms.CENT)
            _rewritten(table, row, column, value, f"{value:.2f}".replace(".", ","))
        else:
            _rewritten(table, row, column, value, f"{value:.3f}")
    for row in strange:
        row.reasons, row.free = frozenset({f"bad_{column}"}), True
    return True


@defect("price", 1.5)
def three_decimals(table: Table, dice: Random) -> bool:
    """Prices such as 1.234, that could be thousands elsewhere, and one or two that hold a decimal comma."""
    return _odd_decimals(table, dice, "price", 2)


@defect("amount", 0.7)
def minority_comma_amounts(table: Table, dice: Random) -> bool:
    """Quantities of kilograms such as 1.234, and one "1,50"."""
    return _odd_decimals(table, dice, "amount", 1)


@defect("amount", 1.5)
def large_amounts(table: Table, dice: Random) -> bool:
    """Quantities of thousands, grouped the way of the prices; in a European table "1.200" is no one and a fifth."""
    if "amount" not in table.columns:
        return False
    write = forms.comma if table.decimal_comma else forms.NUMBERS["thousands"]
    for row, _ in table.sold(dice, _FEW):
        amount = Decimal(dice.randint(11, 99) * 100)
        _rewritten(table, row, "amount", amount, write(amount))
    return True


@defect("amount", 0.7)
def amounts_in_wan(table: Table, dice: Random) -> bool:
    """Tens of thousands of pieces."""
    if "amount" not in table.columns or table.decimal_comma:
        return False
    for row, _ in table.sold(dice, _HALF):
        amount = Decimal(dice.randint(11, 99) * 1000)
        _rewritten(table, row, "amount", amount, f"{amount / 10000:f}万{dice.choice(['', '件', '台'])}")
    return True


@defect("amount", 3)
def units(table: Table, dice: Random) -> bool:
    """A unit behind the quantity, here and there."""
    unit = dice.choice(["台", "件", "个", "箱", " 件", "盒", "kg", " pcs", "pcs", " kg", "ea"])
    write = forms.comma if table.decimal_comma else forms.plain
    for row, sale in table.sold(dice, _HALF):
        row.cells["amount"] = write(sale.amount) + unit
    return True


@defect(weight=2)
def refund_forms(table: Table, dice: Random) -> bool:
    """Minus signs, brackets, minus behind."""
    if table.decimal_comma or table.by_total:
        return False
    money = dice.random() < 0.3 and table.params.get("currency", "CNY?") in {"CNY", "CNY?"}
    minus = list(forms.MINUS.values())
    for row, sale in table.sold():
        if sale.price < 0:
            row.cells["price"] = dice.choice([form for form, _ in forms.MONEY_MINUS.values()] if money else minus)(
                -sale.price
            )
        elif sale.amount < 0:
            row.cells["amount"] = dice.choice(minus)(-sale.amount)
    return True


@defect()
def strange_currency(table: Table, dice: Random) -> bool:
    """A few prices in another currency than the others."""
    main = table.params.get("currency", "")
    if (
        table.by_total
        or table.decimal_comma
        or len(table.good()) < _SOME_ROWS
        or not main
        or "currency" in table.columns
    ):
        return False
    if main == "CNY?":  # the others must name theirs, each of them
        _each(table, "price", lambda: forms.MONEY["yen_sign"][0])
        table.params["currency"] = main = "CNY"
    pool = [form for form, code in forms.MONEY.values() if code and code != main]
    for row, sale in table.some_sold(dice, 2):
        row.cells = row.cells | {"price": dice.choice(pool)(sale.price)}
        row.reasons = frozenset({"currency_mismatch"})
        table.needs.add("mixed_currency")
    return True


@defect(weight=0.7)
def unmarked_and_strange(table: Table, dice: Random) -> bool:
    """A few prices name a currency, the others none: it may be theirs or not, so somebody must be told."""
    plain_ones = "price" in table.columns and all(
        row.cells["price"] == forms.plain(sale.price) for row, sale in table.sold()
    )
    if "currency" in table.columns or not plain_ones or not table.good():
        return False
    form = forms.MONEY["dollar"][0]
    for row, sale in table.some_sold(dice, 2):
        row.cells = row.cells | {"price": form(sale.price)}
        row.reasons, row.free = frozenset({"currency_mismatch"}), True
        table.needs.add("mixed_currency?")
    return True


@defect(weight=0.7)
def minority_comma(table: Table, dice: Random) -> bool:
    """A few prices with a decimal comma among many with a point."""
    if table.decimal_comma or "price" not in table.columns or len(table.good()) < _SOME_ROWS:
        return False
    for row, sale in table.some_sold(dice, 2):
        if sale.price != round(sale.price, 2):
            continue
        row.cells = row.cells | {"price": f"{sale.price:.2f}".replace(".", ",")}
        row.reasons, row.free = frozenset({"bad_price"}), True
    return True
