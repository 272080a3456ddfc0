"""Defects of cells that say nothing, or what cannot be: their rows must be rejected."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from devtools.mixer import forms
from devtools.mixer.registry import defect
from devtools.mixer.table import TODAY, Table


@defect()
def padded_names(table: Table, dice: Random) -> bool:
    """Spaces of all kinds around names: one product, not six."""
    for row in table.rows:
        for column in ("product", "region"):
            if row.sale and row.cells[column]:
                pad = dice.choice([" {}", "{} ", "\u3000{}", "{}\u00a0", "\t{}", "{}", "{}", "{}\u200b", "\ufeff{}"])
                row.cells[column] = pad.format(row.cells[column])
    return True


@defect(weight=0.7)
def tomorrow(table: Table, dice: Random) -> bool:
    """Tomorrow is no typo: a shop may lie east of here."""
    if any(row.cells.get("date") != f"{row.sale.day}" for row in table.good() if row.sale):
        return False
    for row in table.some(dice):
        if row.sale:
            row.sale = replace(row.sale, day=TODAY + timedelta(1))
            row.cells = row.cells | {"date": f"{row.sale.day}"}
    return True


@defect(weight=0.5)
def currency_column(table: Table, dice: Random) -> bool:
    """The currency of each row stands in a column; a few have another one."""
    if "currency" in table.params or not table.good() or table.mapping or "currency" in table.names.values():
        return False
    table.names["currency"] = "Currency" if table.language == "en" else "币种"
    table.columns.append("currency")
    main, other = dice.sample(["CNY", "USD", "EUR"], 2)
    strange = table.some(dice, 2) if len(table.rows) > 6 else []
    for row in table.rows:
        row.cells["currency"] = main
    for row in strange:
        row.cells["currency"] = other
        row.reasons = frozenset({"currency_mismatch"})
        table.needs.add("mixed_currency")
    table.params["currency"] = main
    return True


def _broken(table: Table, dice: Random, column: str, texts: tuple[str, ...], reason: str) -> bool:
    if column not in table.columns or (column == "date" and "fill_down" in table.params):
        return False
    for row in table.some(dice):
        row.cells = row.cells | {column: dice.choice(texts)}
        row.reasons = frozenset({reason})
    return True


@defect(weight=2)
def bad_prices(table: Table, dice: Random) -> bool:
    """Null markers, error values, percentages, words, broken numbers."""
    return _broken(table, dice, "total" if table.by_total else "price", forms.NO_NUMBERS, "bad_price")


@defect(weight=2)
def bad_amounts(table: Table, dice: Random) -> bool:
    """The same in quantities."""
    return _broken(table, dice, "amount", forms.NO_NUMBERS, "bad_amount")


@defect(weight=2)
def bad_days(table: Table, dice: Random) -> bool:
    """Days that do not exist, and what is no day."""
    return _broken(table, dice, "date", forms.NO_DAYS, "bad_date")


@defect(weight=2)
def future_days(table: Table, dice: Random) -> bool:
    """A typo must not become the latest day."""
    days = tuple(f"{TODAY + timedelta(dice.randint(2, 20_000))}" for _ in range(3))
    return _broken(table, dice, "date", days, "future_date")
