"""Defects of numbers: how prices, quantities and line totals are written."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random

from devtools.mixer import forms
from devtools.mixer.registry import Change, defect, named
from devtools.mixer.table import Row, Table

_HALF = 0.5
_FEW = 0.2
_SOME_ROWS = 8  # rows of which one or two are a minority


def _each(table: Table, column: str, value: Callable[[Row], Decimal], form: Callable[[], forms.NumberForm]) -> bool:
    for row in table.good():
        row.cells[column] = form()(value(row))
    return True


def _price(row: Row) -> Decimal:
    return row.sale.price if row.sale else Decimal(0)


def _total(row: Row) -> Decimal:
    return row.sale.total if row.sale else Decimal(0)


def _amount(row: Row) -> Decimal:
    return row.sale.amount if row.sale else Decimal(0)


def _number_form(column: str, name: str) -> Change:
    value = {"price": _price, "amount": _amount, "total": _total}[column]

    def change(table: Table, _: Random) -> bool:
        return not table.decimal_comma and _each(table, column, value, lambda: forms.NUMBERS[name])

    return change


for _name in forms.NUMBERS:
    named(f"price_{_name}", _number_form("price", _name), "price", 0.5)
    named(f"amount_{_name}", _number_form("amount", _name), "amount", 0.5)
    named(f"total_{_name}", _number_form("total", _name), "total", 0.5)


@defect("price", 3)
def prices_mixed(table: Table, dice: Random) -> bool:
    """Any form that names no other currency than the yuan."""
    pool = [*forms.NUMBERS.values(), *(form for form, code in forms.MONEY.values() if code in {"", "CNY"})]
    table.params.setdefault("currency", "CNY?")
    return _each(table, "price", _price, lambda: dice.choice(pool))


def _money_form(name: str) -> Change:
    def change(table: Table, dice: Random) -> bool:
        form, code = forms.MONEY[name]
        if table.params.get("currency", code) != code and code:
            return False
        if code:
            table.params["currency"] = code
        if dice.random() < _HALF:
            _each(table, "total", _total, lambda: form)
        return _each(table, "price", _price, lambda: form)

    return change


for _name in forms.MONEY:
    named(f"price_{_name}", _money_form(_name), "price", 0.5)


@defect("price", 3)
def decimal_comma(table: Table, dice: Random) -> bool:
    """The European way, in all columns of numbers or only in that of prices."""
    sign = dice.choice(["{}", "{}", "{} €", "€{}"]) if "currency" not in table.params else "{}"
    if sign != "{}":
        table.params["currency"] = "EUR"
    table.decimal_comma = True
    mark = dice.choice([".", ".", ".", " ", "\u00a0", "'"])
    for row in table.good():
        price, total = _price(row), _total(row)
        grouped = dice.random() < _HALF
        text = forms.comma(price if price % 1 else price.quantize(forms.CENT))  # "1.234" alone would tell nothing
        row.cells["price"] = sign.format(text.replace(".", mark) if grouped else text.replace(".", ""))
        row.cells["total"] = forms.comma(total if total % 1 else total.quantize(forms.CENT))
        row.cells["amount"] = forms.comma(_amount(row))
    return True


@defect("price", 1.5)
def three_decimals(table: Table, dice: Random) -> bool:
    """Prices such as 1.234, that could be thousands elsewhere, and one or two that hold a decimal comma."""
    if "price" not in table.columns or table.by_total or len(table.good()) < _SOME_ROWS:
        return False
    strange = table.some(dice, 2)
    for row in table.good():
        if row.sale:
            row.sale = replace(row.sale, price=Decimal(dice.randrange(1001, 9999)) / 1000, discount=Decimal(0))
            row.cells |= {"price": f"{row.sale.price:.3f}", "total": forms.plain(row.sale.total)}
    for row in strange:
        if row.sale:
            row.sale = replace(row.sale, price=row.sale.price.quantize(forms.CENT))
            row.cells |= {"price": f"{row.sale.price:.2f}".replace(".", ","), "total": forms.plain(row.sale.total)}
            row.reasons, row.free = frozenset({"bad_price"}), True
    return True


@defect("amount", 1.5)
def large_amounts(table: Table, dice: Random) -> bool:
    """Quantities of thousands, grouped the way of the prices; in a European table "1.200" is no one and a fifth."""
    if "amount" not in table.columns:
        return False
    for row in table.good():
        if row.sale and dice.random() < _FEW:
            row.sale = replace(row.sale, amount=Decimal(dice.randint(11, 99) * 100), discount=Decimal(0))
            write = forms.comma if table.decimal_comma else forms.NUMBERS["thousands"]
            row.cells |= {"amount": write(row.sale.amount)}
            row.cells |= {"total": (forms.comma if table.decimal_comma else forms.plain)(row.sale.total)}
    return True


@defect("amount", 0.7)
def minority_comma_amounts(table: Table, dice: Random) -> bool:
    """Quantities of kilograms such as 1.234, and one "1,5"."""
    if "amount" not in table.columns or table.decimal_comma or len(table.good()) < _SOME_ROWS:
        return False
    strange = table.some(dice, 1)
    for row in table.good():
        if row.sale:
            row.sale = replace(row.sale, amount=Decimal(dice.randrange(1001, 9999)) / 1000, discount=Decimal(0))
            row.cells |= {"amount": f"{row.sale.amount:.3f}", "total": forms.plain(row.sale.total)}
    for row in strange:
        if row.sale:
            row.sale = replace(row.sale, amount=row.sale.amount.quantize(forms.CENT))
            row.cells |= {"amount": f"{row.sale.amount:.2f}".replace(".", ","), "total": forms.plain(row.sale.total)}
            row.reasons, row.free = frozenset({"bad_amount"}), True
    return True


@defect("amount", 0.7)
def amounts_in_wan(table: Table, dice: Random) -> bool:
    """Tens of thousands of pieces."""
    if "amount" not in table.columns or table.decimal_comma:
        return False
    for row in table.good():
        if row.sale and dice.random() < _HALF:
            row.sale = replace(row.sale, amount=Decimal(dice.randint(11, 99) * 1000), discount=Decimal(0))
            wan = f"{row.sale.amount / 10000:f}万{dice.choice(['', '件', '台'])}"
            row.cells |= {"amount": wan, "total": forms.plain(row.sale.total)}
    return True


@defect("amount", 3)
def units(table: Table, dice: Random) -> bool:
    """A unit behind the quantity, here and there."""
    unit = dice.choice(["台", "件", "个", "箱", " 件", "盒", "kg", " pcs", "pcs", " kg", "ea"])
    write = forms.comma if table.decimal_comma else forms.plain
    for row in table.good():
        if dice.random() < _HALF:
            row.cells["amount"] = write(_amount(row)) + unit
    return True


@defect(weight=2)
def refund_forms(table: Table, dice: Random) -> bool:
    """Minus signs, brackets, minus behind."""
    if table.decimal_comma or table.by_total:
        return False
    money = dice.random() < 0.3 and table.params.get("currency", "CNY?") in {"CNY", "CNY?"}
    for row in table.good():
        if row.sale and row.sale.price < 0:
            pool = [form for form, _ in forms.MONEY_MINUS.values()] if money else list(forms.MINUS.values())
            row.cells["price"] = dice.choice(pool)(-row.sale.price)
        elif row.sale and row.sale.amount < 0:
            row.cells["amount"] = dice.choice(list(forms.MINUS.values()))(-row.sale.amount)
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
        for row in table.good():
            row.cells["price"] = forms.MONEY["yen_sign"][0](_price(row))
        table.params["currency"] = main = "CNY"
    pool = [form for form, code in forms.MONEY.values() if code and code != main]
    for row in table.some(dice, 2):
        row.cells = row.cells | {"price": dice.choice(pool)(_price(row))}
        row.reasons = frozenset({"currency_mismatch"})
        table.needs.add("mixed_currency")
    return True


@defect(weight=0.7)
def unmarked_and_strange(table: Table, dice: Random) -> bool:
    """A few prices name a currency, the others none: it may be theirs or not, so somebody must be told."""
    plain_ones = "price" in table.columns and all(
        row.cells["price"] == forms.plain(_price(row)) for row in table.good()
    )
    if "currency" in table.columns or not plain_ones or not table.good():
        return False
    form = forms.MONEY["dollar"][0]
    for row in table.some(dice, 2):
        row.cells = row.cells | {"price": form(_price(row))}
        row.reasons, row.free = frozenset({"currency_mismatch"}), True
        table.needs.add("mixed_currency?")
    return True


@defect(weight=0.7)
def minority_comma(table: Table, dice: Random) -> bool:
    """A few prices with a decimal comma among many with a point."""
    if table.decimal_comma or "price" not in table.columns or len(table.good()) < _SOME_ROWS:
        return False
    for row in table.some(dice, 2):
        if _price(row) != round(_price(row), 2):
            continue
        row.cells = row.cells | {"price": f"{_price(row):.2f}".replace(".", ",")}
        row.reasons, row.free = frozenset({"bad_price"}), True
    return True
