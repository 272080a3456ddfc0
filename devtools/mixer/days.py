"""Defects of days: how they are written. Where that asks for other days, the truth changes with them."""

from dataclasses import replace
from datetime import date
from random import Random

from devtools.mixer import forms
from devtools.mixer.registry import Change, defect, named
from devtools.mixer.table import Table

_EVIDENCE = 13  # the first day of a month that is no month
_HALF = 0.5


def written(table: Table) -> None:
    """Write every cell plainly; no defect, but needed."""
    for row in table.rows:
        if row.sale:
            row.cells |= {
                "date": f"{row.sale.day}", "product": row.sale.product, "price": forms.plain(row.sale.price),
                "amount": forms.plain(row.sale.amount), "region": row.sale.region, "total": forms.plain(row.sale.total),
            }  # fmt: skip
            if table.scaled:  # the price that is written is that of ten thousand pieces
                row.sale = replace(row.sale, price=row.sale.price * 10_000)


def _day_form(name: str) -> Change:
    def change(table: Table, dice: Random) -> bool:
        if table.epoch1904 and "serial" in name:
            return False
        for row in table.rows:
            if row.sale:
                row.cells["date"] = forms.DAYS[name](row.sale.day, dice)
        return True

    return change


for _name in forms.DAYS:
    if _name != "iso":
        named(f"day_{_name}", _day_form(_name), "days", 0.5)


@defect("days", 4)
def days_mixed(table: Table, dice: Random) -> bool:
    """Several forms in one column, each of which is clear by itself."""
    names = dice.sample([name for name in forms.DAYS if not (table.epoch1904 and "serial" in name)], 4)
    for row in table.rows:
        if row.sale:
            row.cells["date"] = forms.DAYS[dice.choice(names)](row.sale.day, dice)
    return True


def _moved(table: Table, days: list[date]) -> None:
    """Put the sales on other days, the first day of the table on the first of ``days`` and so on."""
    old = sorted({row.sale.day for row in table.rows if row.sale})
    new = dict(zip(old, days, strict=False))
    for row in table.rows:
        if row.sale:
            row.sale = replace(row.sale, day=new.get(row.sale.day, days[-1]))


def _ordered(name: str) -> Change:
    def change(table: Table, dice: Random) -> bool:
        days = [date(2026, dice.randint(1, 9), dice.randint(1, 28)) for _ in range(9)]
        days[0] = days[0].replace(day=dice.randint(_EVIDENCE, 28))
        _moved(table, days)
        order = name[:3]
        if dice.random() < _HALF:
            table.params["date_order"] = order
        if "date_order" not in table.params:
            table.excused.add("ambiguous_dates")
            table.refusals |= {"no_rows"} if order == "ymd" else set()  # read as d/m/y, 26/07/28 lies in the future
        for row in table.rows:
            if row.sale:
                row.cells["date"] = _clocked(row.sale.day, name, dice)
        return True

    return change


def _clocked(day: date, name: str, dice: Random) -> str:
    return day.strftime(forms.ORDERED[name].replace("%H:%M", f"{dice.randint(1, 12):02}:{dice.randrange(60):02}"))


for _name in forms.ORDERED:
    named(f"days_{_name}", _ordered(_name), "days")


@defect("days", 2)
def days_told(table: Table, dice: Random) -> bool:
    """No cell tells the order, but the user does."""
    name = dice.choice([name for name in forms.ORDERED if name != "ymd_short_dash"])
    _moved(table, [date(2026, dice.randint(1, 9), dice.randint(1, 9)) for _ in range(9)])
    table.params["date_order"] = name[:3]
    for row in table.rows:
        if row.sale:
            row.cells["date"] = _clocked(row.sale.day, name, dice)
    return True


@defect("days", 2)
def days_untold(table: Table, dice: Random) -> bool:
    """No cell tells the order: d/m/y, with a warning."""
    name = dice.choice(["dmy", "dmy_dash", "dmy_dot", "dmy_time"])
    _moved(table, [date(2026, dice.randint(1, 9), dice.randint(1, 9)) for _ in range(9)])
    if any(row.sale and row.sale.day.day != row.sale.day.month for row in table.rows):
        table.needs.add("ambiguous_dates")
    for row in table.rows:
        if row.sale:
            row.cells["date"] = _clocked(row.sale.day, name, dice)
    return True


@defect("days")
def days_contradicting(table: Table, dice: Random) -> bool:
    """d/m/y here and m/d/y there: whatever is read, the reader must hear of it."""
    _moved(table, [date(2026, dice.randint(1, 9), dice.randint(1, 28)) for _ in range(9)])
    table.excused.add("ambiguous_dates")
    table.refusals |= {"no_rows", "no_valid_dates"}  # where the few days become those of the future
    shown = set()
    for row in table.rows:
        if row.sale:
            name = dice.choice(["dmy", "mdy"])
            row.cells["date"] = _clocked(row.sale.day, name, dice)
            shown |= {name} if row.sale.day.day >= _EVIDENCE else set()
    if len(shown) == 1:  # nothing contradicts itself: all of them are of that order
        for row in table.rows:
            if row.sale:
                row.cells["date"] = _clocked(row.sale.day, min(shown), dice)
    return True


@defect("days")
def days_half_iso(table: Table, dice: Random) -> bool:
    """d/m/y or m/d/y with evidence beside ISO days."""
    name = dice.choice(["dmy", "mdy", "dmy_dot", "mdy_dash"])
    days = [date(2026, dice.randint(1, 9), dice.randint(1, 28)) for _ in range(9)]
    days[0] = days[0].replace(day=dice.randint(_EVIDENCE, 28))
    _moved(table, days)
    for row in table.rows:
        if row.sale:
            ordered = row.sale.day == days[0] or dice.random() < _HALF
            row.cells["date"] = _clocked(row.sale.day, name, dice) if ordered else f"{row.sale.day}"
    return True


@defect("days", 0.7)
def merged_days(table: Table, _: Random) -> bool:
    """The day stands in the first of its rows only, and the user says so."""
    table.rows.sort(key=lambda row: row.sale.day.toordinal() if row.sale else 0)
    before = None
    for row in table.rows:
        if row.sale and row.sale.day == before:
            row.cells = row.cells | {"date": ""}
        before = row.sale.day if row.sale else before
    table.params["fill_down"] = "true"
    return True
