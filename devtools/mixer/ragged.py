"""Defects of single lines: cells that are missing, too many, or not parted as they were meant."""

from dataclasses import replace
from random import Random

from devtools.mixer import forms
from devtools.mixer.registry import defect
from devtools.mixer.table import ANY, Row, Table

_THOUSAND = 1000


def _may_be_bare(row: Row, parting: str = "") -> bool:
    """Whether a row is one row, and this one, without quotation marks around its cells."""
    return not any(mark in cell for cell in row.cells.values() for mark in f'{parting}"\n\r')


@defect(weight=0.5)
def far_surplus(table: Table, dice: Random) -> bool:
    """Many cells behind the last column."""
    for row in table.some(dice, 2):
        if not row.cut:
            row.surplus = [""] * dice.choice([5, 9, 14, 30]) + dice.choice([["x"], ["x", "y"], [""]])
            if any(row.surplus):
                row.reasons = frozenset({"field_count"})
                row.free = table.container != "text"
    return True


@defect(weight=0.5)
def open_quotes(table: Table, dice: Random) -> bool:
    """A quotation mark that is never closed."""
    if table.container != "text" or table.quoting != "minimal":
        return False
    for row in table.some(dice, 1):
        if row.sale and not any(table.delimiter in cell or "\n" in cell or '"' in cell for cell in row.cells.values()):
            row.sale = replace(row.sale, product='"' + row.sale.product)
            row.cells = row.cells | {"product": row.sale.product}
            row.bare, row.free, row.reasons = True, True, ANY
    return True


@defect(weight=0.5)
def bare_decimal_comma(table: Table, _: Random) -> bool:
    """12,50 that nothing quotes, in all rows of a file of commas."""
    good = table.good()
    plain = all(row.cells.get("price") == forms.plain(row.sale.price) for row in good if row.sale)
    if not table.bare_commas or "price" not in table.columns or not plain or table.scaled:
        return False
    for row in good:
        if row.sale and row.sale.price % 1 and _may_be_bare(row, ","):
            row.cells = row.cells | {"price": forms.plain(row.sale.price).replace(".", ",")}
            row.bare, row.free, row.reasons = True, True, ANY
    table.refusals |= {"missing_columns", "no_rows", "no_valid_dates", "not_a_table"}
    return True


@defect(weight=0.4)
def row_names(table: Table, _: Random) -> bool:
    """What R writes: every row has a name in front, for which the header has no column."""
    if table.container != "text" or not table.header:
        return False
    for place, row in enumerate(table.rows):
        if row.line is None:
            row.line = [f"{place + 1}", *table.cells_of(row)]
            row.reasons, row.free = row.reasons or ANY, row.free or not row.reasons
    table.refusals |= {"missing_columns", "no_rows", "no_valid_dates", "not_a_table"}
    return True


@defect()
def surplus_cells(table: Table, dice: Random) -> bool:
    """Cells behind the last column: nothing can be known of such a row."""
    for row in table.some(dice):
        row.surplus = ["备注", "x"][: dice.randint(1, 2)]
        row.reasons = frozenset({"field_count"})
        # Nothing is shifted by it in a workbook, or where the header has a cell for it and no comma parts numbers.
        row.free = table.container != "text" or table.trailing == "header"
        row.free = row.free or (table.trailing == "all" and table.delimiter != ",")
    return True


@defect()
def blank_surplus(table: Table, dice: Random) -> bool:
    """Blank cells behind the last column."""
    for row in table.some(dice):
        row.surplus = [""] * dice.randint(1, 3)
    return True


@defect()
def cut_rows(table: Table, dice: Random) -> bool:
    """Cells missing at the end: a region is "" then, and other columns do not count."""
    for row in table.some(dice):
        if row.surplus:
            continue
        row.cut = dice.randint(1, 2)
        lost = table.columns[-row.cut :]
        if "region" in lost and row.sale:
            _lose_region(row)
        reasons = {
            "date": "bad_date",
            "price": "bad_price",
            "amount": "bad_amount",
            "total": "bad_price" if table.by_total else "",
        }
        found = [reasons[column] for column in lost if reasons.get(column)]
        if "product" in lost and row.sale:
            row.reasons = frozenset({"field_count", "bad_date", "bad_price", "bad_amount"})
            row.free = True
            _lose_product(row)
        if found:
            row.reasons, row.free = frozenset(found), False
        if "currency" in lost:
            row.free = bool(row.reasons)
    return True


def _lose_region(row: Row) -> None:
    row.sale = replace(row.sale, region="") if row.sale else None


def _lose_product(row: Row) -> None:
    row.sale = replace(row.sale, product="") if row.sale else None


@defect(weight=2)
def bare_thousands(table: Table, dice: Random) -> bool:
    """Thousands separators that nothing quotes, in a file of commas: rows with a cell too many."""
    if table.decimal_comma or "price" not in table.columns or not table.bare_commas or table.scaled:
        return False
    for row in table.some(dice, 4):
        if row.sale and row.sale.price >= _THOUSAND and _may_be_bare(row):
            row.cells = row.cells | {"price": f"{row.sale.price:,f}"}
            row.bare = True
            row.reasons, row.free = frozenset({"field_count", "bad_amount", "bad_price"}), True
    return True


@defect(weight=0.7)
def bare_thousands_cut(table: Table, dice: Random) -> bool:
    """The same, and the row lacks its last cell, so that the count is right and all is shifted."""
    if table.decimal_comma or not table.bare_commas or table.columns[-1] != "region" or "price" not in table.columns:
        return False
    for row in table.some(dice, 1):
        plain = row.sale and row.cells["price"] == forms.plain(row.sale.price) and _may_be_bare(row)
        if row.sale and row.sale.price >= _THOUSAND and plain:
            row.cells = row.cells | {"price": f"{row.sale.price:,f}"}
            row.bare, row.cut = True, 1
            _lose_region(row)
            row.reasons, row.free = frozenset({"field_count", "bad_amount", "bad_price"}), True
    return True


@defect(weight=0.7)
def bare_names(table: Table, dice: Random) -> bool:
    """A comma in a name that nothing quotes."""
    if not table.bare_commas:
        return False
    for row in table.some(dice, 2):
        if row.sale and _may_be_bare(row, ","):
            row.cells = row.cells | {"product": "Large, red"}
            row.sale = replace(row.sale, product="Large, red")
            row.bare = row.free = True
            row.reasons = frozenset({"field_count", "bad_price", "bad_amount", "bad_date"})
    return True
