"""Defects of the columns: what there is, what it is called, and in which order."""

from dataclasses import replace
from decimal import Decimal
from random import Random

from devtools.mixer import exports, words
from devtools.mixer.registry import defect
from devtools.mixer.table import ROLES, Table


def headings(table: Table, dice: Random) -> None:
    """Name the columns; no defect, but needed."""
    table.names |= dict(zip(ROLES, dice.choice(words.HEADINGS[table.language]), strict=True))


@defect()
def line_total(table: Table, dice: Random) -> bool:
    """A column with price × amount."""
    if "total" in table.columns:
        return False
    table.names["total"] = dice.choice(words.TOTALS[table.language])
    table.columns.append("total")
    return True


@defect(weight=0.7)
def disagreeing_total(table: Table, dice: Random) -> bool:
    """The column of line totals holds a discount that the price does not."""
    line_total(table, dice)
    for row in dice.sample(table.rows, dice.randint(1, len(table.rows))):
        if row.sale and row.sale.sales > 1:
            row.sale = replace(row.sale, discount=Decimal(dice.randint(1, 90)) / 100)
            table.needs.add("differing")
    return True


@defect(weight=0.7)
def amount_is_the_total(table: Table, dice: Random) -> bool:
    """Beside a quantity, "Amount" is the line total."""
    if table.language != "en" or any(column.startswith(("?", "total?")) for column in table.columns):
        return False
    line_total(table, dice)
    table.names |= {"amount": dice.choice(["Quantity", "Qty", "Units"]), "total": "Amount"}
    return True


@defect("lacking", 0.6)
def no_price(table: Table, dice: Random) -> bool:
    """Only the line total is there, and the quantity."""
    line_total(table, dice)
    table.drop("price")
    table.by_total = True
    table.needs -= {"differing"}
    table.needs.add("no_price_column")
    if table.names["amount"] == "Amount":
        table.names["amount"] = "Quantity"
    return True


@defect("lacking", 0.5)
def only_total(table: Table, dice: Random) -> bool:
    """Neither price nor quantity."""
    no_price(table, dice)
    table.drop("amount")
    table.no_amount = True
    return True


@defect(weight=0.7)
def no_region(table: Table, _: Random) -> bool:
    """There is no region, and so it is ""."""
    if "region" not in table.columns:
        return False
    table.drop("region")
    for row in table.rows:
        if row.sale:
            row.sale = replace(row.sale, region="")
    return True


@defect(weight=2)
def other_columns(table: Table, dice: Random) -> bool:
    """Columns that are none of ours, though some sound like them."""
    others = words.OTHERS["zh" if table.language in {"zh", "tw"} else "en"]
    for heading, kind in dice.sample(others, dice.randint(1, 4)):
        if heading not in table.names.values():
            table.columns.insert(dice.randint(0, len(table.columns)), heading)
            exports.fill(table, heading, heading, kind, dice)
    return True


@defect(weight=0.7)
def blank_column(table: Table, dice: Random) -> bool:
    """The table begins in column B, or has the numbers that pandas writes in front."""
    table.columns.insert(0, "blank")
    table.names["blank"] = ""
    if dice.random() < 0.5:
        for place, row in enumerate(table.rows):
            row.cells["blank"] = f"{place}"
    return True


@defect(weight=2)
def shuffled_columns(table: Table, dice: Random) -> bool:
    """Any order."""
    dice.shuffle(table.columns)
    return True


@defect("heading", 0.6)
def mapped_columns(table: Table, dice: Random) -> bool:
    """Headings that mean nothing, and a mapping by name or number."""
    by_name = dice.random() < 0.5
    for place, column in enumerate(table.columns):
        if column in {*ROLES, "total"}:
            table.names[column] = f"f{place}x"
            table.mapping[column] = f"f{place}x" if by_name else f"{place + 1}"
    return True


@defect("heading")
def heading_noise(table: Table, dice: Random) -> bool:
    """Odd spaces, characters of no width, another case."""
    for column, name in table.names.items():
        noise = dice.choice([" {} ", "\u00a0{}", "{}\u200b", "\u3000{}", "\t{}", "{}:", "*{}", "{}", "{}"])
        table.names[column] = noise.format(dice.choice([name.upper(), name.lower(), name]))
    return True


@defect("heading")
def heading_units(table: Table, dice: Random) -> bool:
    """Units in brackets, perhaps behind a line break."""
    units = ("元", "件") if table.language != "en" else (dice.choice(["USD", "EUR"]), "pcs")
    form = dice.choice(["{}({})", "{}（{}）", "{} ({})", "{}/{}", "{}[{}]", *(["{}\n({})"] if table.can_break else [])])
    for column, unit in (("price", units[0]), ("amount", units[1]), ("total", units[0])):
        if column in table.names:
            table.names[column] = form.format(table.names[column], unit)
    return True


@defect("heading", 0.5)
def heading_breaks(table: Table, dice: Random) -> bool:
    """A line break in the middle of a name."""
    if not table.can_break:
        return False
    for column in ("date", "price", "amount"):
        name = table.names[column]
        middle = name.find(" ") if " " in name else len(name) // 2
        if not name.isascii() or " " in name:
            table.names[column] = name[:middle] + dice.choice(["\n", "\r\n"]) + name[middle:].strip()
    return True


@defect("heading", 0.5)
def duplicate_headings(table: Table, dice: Random) -> bool:
    """A blank column, or two, with the name of another one."""
    other = dice.choice([column for column in table.columns if column not in {*ROLES, "total", "blank"}] or ["x"])
    if other == "x":
        table.columns.append("x")
        table.names["x"] = dice.choice(["备注", "Notes"])
    table.columns.append("again")
    table.names["again"] = table.names[other]
    table.needs.add("duplicate_header")
    return True


@defect("heading", 0.6)
def heading_in_wan(table: Table, _: Random) -> bool:
    """The heading says that prices are in tens of thousands: read so, or said, or asked."""
    if table.language != "zh" or table.by_total or "total" in table.columns:
        return False
    table.names["price"] += "(万元)"
    table.scaled = True
    return True


@defect("heading", 0.5)
def second_price(table: Table, dice: Random) -> bool:
    """Two columns of one name with other figures: nobody knows which, so somebody must be told."""
    column = dice.choice([column for column in ("price", "amount") if column in table.columns] or ["total"])
    table.columns.append("again")
    table.names["again"] = table.names[column]
    for row in table.rows:
        row.cells["again"] = f"{dice.randrange(1, 99)}"
    table.needs.add("duplicate_header")
    table.excused.add("duplicate_header")
    return True


@defect("heading", 0.4)
def no_header(table: Table, _: Random) -> bool:
    """No header at all: the columns are guessed, which is told, or refused."""
    table.header = False
    table.refusals |= {"missing_columns", "not_a_table"}
    table.needs = {need for need in table.needs if need not in {"duplicate_header", "no_price_column"}} | {"no_header"}
    return True
