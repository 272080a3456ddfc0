"""From a seed to a file: which defects, and the file with these or fewer of them."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

# The order of these imports is the order in which defects are applied: the file first, for the others ask what it is.
from devtools.mixer import outside  # isort: skip
from devtools.mixer import exports  # isort: skip
from devtools.mixer import columns  # isort: skip
from devtools.mixer import sales  # isort: skip
from devtools.mixer import days  # isort: skip
from devtools.mixer import numbers  # isort: skip
from devtools.mixer import broken  # isort: skip
from devtools.mixer import rows  # isort: skip
from devtools.mixer import ragged  # isort: skip
from devtools.mixer import words
from devtools.mixer.files import data_of
from devtools.mixer.registry import DEFECTS, dice_of
from devtools.mixer.table import Row, Sale, Table

_STAGES = [module.__name__ for module in (outside, exports, columns, sales, days, numbers, broken, rows, ragged)]
_CENT = Decimal("0.01")
_SHARE, _GROUP_SHARE, _MOST, _HOPELESS = 0.05, 0.25, 0.8, 0.01  # how often there is a defect


@dataclass(frozen=True, slots=True)
class Plan:
    """A file to be made."""

    seed: int
    defects: tuple[str, ...]
    count: int  # of true rows
    language: str = "zh"

    def without(self, name: str) -> "Plan":
        """The same file with a defect less."""
        return replace(self, defects=tuple(other for other in self.defects if other != name))


def plan_of(seed: int) -> Plan:
    """The plan of a seed: few defects or many."""
    dice = dice_of(seed, "plan")
    density = dice.choice([0.25, 0.5, 1, 2])
    alone = [defect for defect in DEFECTS.values() if not defect.group]
    chosen = {defect.name for defect in alone if dice.random() < _SHARE * density * defect.weight}
    for group in sorted({defect.group for defect in DEFECTS.values()} - {"", "hopeless"}):
        if dice.random() < min(_GROUP_SHARE * density, _MOST):
            members = [defect for defect in DEFECTS.values() if defect.group == group]
            chosen |= {dice.choices(members, [defect.weight for defect in members])[0].name}
    if dice.random() < _HOPELESS:
        chosen = {dice.choice([defect.name for defect in DEFECTS.values() if defect.group == "hopeless"])}
    language = dice.choices(["zh", "en", "tw", "ja"], [6, 3, 1, 1])[0]
    count = dice.choice([1, 2, 3, 5, 8, 12, 24, 24, 24, 40])
    return Plan(seed, tuple(name for name in DEFECTS if name in chosen), count, language)


def table_of(plan: Plan) -> tuple[Table, bytes]:
    """The table of a plan, and the file."""
    table = _true(plan)
    columns.headings(table, dice_of(plan.seed, "headings"))
    for stage in _STAGES:
        names = [name for name in plan.defects if DEFECTS[name].change.__module__ == stage]
        if stage == days.__name__:
            days.written(table)
        for name in names:
            if not (table.scaled and DEFECTS[name].group == "price"):  # a form of its own would hide the scale
                DEFECTS[name].change(table, dice_of(plan.seed, name))
    data = data_of(table, dice_of(plan.seed, "file"))
    _close(table)
    return table, data


def _true(plan: Plan) -> Table:
    dice = dice_of(plan.seed, "sales")
    products, regions = words.NAMES[plan.language]
    first = date(2026, 1, 1) + timedelta(dice.randrange(-400, 290))
    days = dice.choice([1, 3, 5, 5, 8])
    made = [_sale(dice, first + timedelta(dice.randrange(days)), products, regions) for _ in range(60)]
    return Table(plan.language, rows=[Row(sale) for sale in made[: plan.count]])


def _sale(dice: Random, day: date, products: list[str], regions: list[str]) -> Sale:
    price = Decimal(dice.randrange(100, 300_000)) / 100
    return Sale(day, dice.choice(products), price, Decimal(dice.randrange(1, 10)), dice.choice(regions))


def _close(table: Table) -> None:
    """What the reader must say, now that everything is written."""
    good = [row for row in table.rows if row.good]
    table.needs.discard("differing")
    both = {"price", "amount", "total"} <= set(table.columns)
    if both and any(row.sale and abs(row.sale.discount) >= _CENT for row in good):
        table.needs.add("differing")
    texts = Counter(tuple(table.cells_of(row)) for row in good)
    if any(count > 1 for count in texts.values()) and not table.clock:  # there the same day has another time
        table.needs.add("duplicates")
    if "mixed_currency" in table.needs and not any(row.reasons == {"currency_mismatch"} for row in table.rows):
        table.needs.discard("mixed_currency")
    if not good:
        table.needs.discard("mixed_currency?")  # nothing to mix the strange ones with
        table.refusals |= {"no_rows", "no_valid_dates"}
