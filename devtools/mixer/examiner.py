"""What ``opskit.sales`` reads, held against the truth."""

import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import combinations
from pathlib import Path

from devtools.mixer.plan import Plan, table_of
from devtools.mixer.table import TODAY, Row, Table
from opskit.errors import InvalidInput
from opskit.sales.cells import Order
from opskit.sales.insight import Period
from opskit.sales.ledger import Account, Reading, ledger
from opskit.sales.opening import Layout, opened

# From harmless to the worst.
VERDICTS = ("right", "refused", "untold", "other_reason", "rejected", "needless", "warned", "SILENT", "CRASH")
_INVISIBLE = re.compile("[\u200b\u200d\ufeff]")
_MANY = 14  # rows of a group whose subsets are tried

type Group = tuple[date, str, str]  # day, product, region
type Figures = tuple[int, Decimal, Decimal]  # rows, sales, quantity


@dataclass(slots=True)
class Verdict:
    """What became of a file: one of ``VERDICTS``, and why."""

    plan: Plan
    kind: str
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """One line."""
        plan = self.plan
        words = " ".join(plan.defects)
        return f"{self.kind} seed={plan.seed} rows={plan.count} {plan.language} [{words}]: {'; '.join(self.problems)}"


@dataclass(slots=True)
class _Read:
    """What was read."""

    account: Account
    cautions: set[str]
    groups: dict[Group, Figures]
    problems: list[str]


def judged(plan: Plan) -> Verdict:
    """The verdict on the file of a plan."""
    table, data = table_of(plan)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / f"file{table.suffix}"
        path.write_bytes(data)
        try:
            read = _read(path, folder / "work", table)
        except InvalidInput as error:
            return _refused(plan, table, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            return Verdict(plan, "CRASH", [f"{type(error).__name__}: {str(error)[:300]}"])
    return _compared(plan, table, read)


def _read(path: Path, folder: Path, table: Table) -> _Read:
    folder.mkdir()
    layout: Layout = opened(path, folder, sheet=table.params.get("sheet", ""), mapping=table.mapping)
    order = Order(table.params["date_order"]) if "date_order" in table.params else None
    reading = Reading(TODAY, order, fill_down="fill_down" in table.params, periods=_every_other)
    with ledger(layout, folder, reading) as book:
        groups: dict[Group, Figures] = {}
        problems = []
        days = book.days()
        for day in days:
            for (region, product), part in book.regions_and_products(Period(day, day))[0].items():
                key = day, _name(product), _name(region)
                groups[key] = _plus(groups.get(key), (part.rows, part.sales, part.quantity))
        whole = Period(min(days), max(days))
        products = sum(part.sales for part, _ in book.products(whole).values())
        regions = sum(part.sales for part in book.regions(whole).values())
        if not products == regions == sum(sums.sales for sums in days.values()):
            problems.append(f"products {products}, regions {regions}, days {sum(sums.sales for sums in days.values())}")
        cautions = {caution.code for caution in layout.warnings} | {code for code, _ in book.account.cautions}
        account = book.account
    if sum(figures[0] for figures in groups.values()) != account.accepted:
        problems.append("accepted rows are not those of the groups")
    return _Read(account, cautions, groups, problems)


def _every_other(days: set[date]) -> list[Period]:
    """Half of the files are asked for regions by product as they are read, and half are scanned again for them."""
    return [Period(min(days), max(days))] if len(days) % 2 else []


def _plus(one: Figures | None, other: Figures) -> Figures:
    return other if one is None else (one[0] + other[0], one[1] + other[1], one[2] + other[2])


def _name(text: str) -> str:
    text = text.replace('\\"', '"').replace('""', '"')  # another way to double a quotation mark
    return " ".join(_INVISIBLE.sub("", text).split())


def _refused(plan: Plan, table: Table, error: InvalidInput) -> Verdict:
    try:
        said = str(error)
    except KeyError as missing:
        return Verdict(plan, "CRASH", [f"the sentence of {error.key} lacks {missing}"])
    if error.key not in table.refusals:
        return Verdict(plan, "other_reason" if table.hopeless else "needless", [said])
    return Verdict(plan, "right" if table.hopeless else "refused", [error.key])


def _groups(rows: Iterable[Row], table: Table) -> dict[Group, list[Figures]]:
    found: dict[Group, list[Figures]] = defaultdict(list)
    for row in rows:
        if row.sale:
            key = row.sale.day, _name(row.sale.product), _name(row.sale.region)
            found[key].append((1, table.worth(row.sale), table.amount(row.sale)))
    return found


def _subset(wanted: Figures, must: list[Figures], may: list[Figures]) -> tuple[int, int] | None:
    """How many of ``must`` are left out and of ``may`` are in, where that explains the figures."""
    everything = [(part, True) for part in must] + [(part, False) for part in may]
    size = wanted[0]
    if size > len(everything) or (len(everything) > _MANY and size != len(must)):
        return None
    best: tuple[int, int] | None = None
    choices = combinations(everything, size) if len(everything) <= _MANY else [[(part, True) for part in must]]
    for choice in choices:
        sums = sum((part[1] for part, _ in choice), Decimal(0)), sum((part[2] for part, _ in choice), Decimal(0))
        if sums == wanted[1:]:
            required = sum(is_must for _, is_must in choice)
            found = len(must) - required, size - required
            best = found if best is None else min(best, found)
    return best


def _compared(plan: Plan, table: Table, read: _Read) -> Verdict:
    if table.hopeless:
        return Verdict(plan, "SILENT", [f"figures of a file without any: {read.groups}"])
    must = _groups((row for row in table.rows if row.good), table)
    may = _groups((row for row in table.rows if row.sale and row.reasons and row.free), table)
    got = dict(read.groups)
    if table.damaged:
        must, may = _without_products(must), _without_products(may)
        merged: dict[Group, Figures] = {}
        for (day, _, region), figures in got.items():
            merged[day, "", region] = _plus(merged.get((day, "", region)), figures)
        got = merged
    wrong, lost, extra = list(read.problems), 0, 0
    for key in sorted({*must, *may, *got}):
        found = _subset(got.get(key, (0, Decimal(0), Decimal(0))), must.get(key, []), may.get(key, []))
        if found is None:
            truly = [_figures(part) for part in must.get(key, [])]
            wrong.append(f"{_said(key)}: {_figures(got.get(key))}, truly {truly}")
        else:
            lost, extra = lost + found[0], extra + found[1]
    return _ruled(plan, table, read, wrong=wrong, lost=lost, extra=extra)


def _without_products(groups: dict[Group, list[Figures]]) -> dict[Group, list[Figures]]:
    found: dict[Group, list[Figures]] = defaultdict(list)
    for (day, _, region), parts in groups.items():
        found[day, "", region] += parts
    return found


def _said(key: Group) -> str:
    return f"{key[0]} {key[1][:30]!r} {key[2]!r}"


def _figures(figures: Figures | None) -> str:
    return f"{figures[0]} × {figures[1].normalize():f} / {figures[2].normalize():f}" if figures else "-"


def _ruled(plan: Plan, table: Table, read: _Read, *, wrong: list[str], lost: int, extra: int) -> Verdict:
    account = read.account
    examples = [f"{example.reason} {example.text[:60]!r}" for example in account.examples][:6]
    optional = sum(1 for row in table.rows if row.optional and row.reasons)
    free = sum(1 for row in table.rows if row.free and row.reasons)
    least = table.reasons().total() + free - extra + lost - optional
    counted = account.rejected.total()
    if wrong:
        told = read.cautions & (table.excused | {"no_header"})
        told |= {"differing"} if account.differing and "differing" not in table.needs else set()
        problems = [*wrong[:4], f"{len(wrong)} groups", *sorted(told), *examples]
        return Verdict(plan, "warned" if told else "SILENT", problems)
    if lost:
        said = f"{lost} good rows rejected ({counted} counted, at least {least})"
        return Verdict(plan, "rejected" if counted >= least else "SILENT", [said, *examples])
    problems = _untold(table, read)
    if not least <= counted <= least + optional:
        problems.append(f"{counted} rejected rows counted of {least} to {least + optional}")
    if problems:
        return Verdict(plan, "untold", [*problems, *examples])
    if not _reasons_match(account.rejected, table.rows):
        truly = ", ".join(f"{'/'.join(sorted(reasons))} {number}" for reasons, number in table.reasons().items())
        return Verdict(plan, "other_reason", [f"{dict(account.rejected)}, truly {truly}", *examples])
    return Verdict(plan, "right")


def _untold(table: Table, read: _Read) -> list[str]:
    """What the reader should have been told and was not."""
    problems = [f"no word of {need}" for need in sorted(table.needs) if not _told(need, read)]
    main, found = table.params.get("currency", ""), read.account.currency
    if main and not main.endswith("?") and found not in {main, ""} and "mixed_currency?" not in table.needs:
        problems.append(f"currency {found}, truly {main}")
    return problems


def _told(need: str, read: _Read) -> bool:
    account = read.account
    if need == "differing":
        return account.differing > 0
    if need == "duplicates":
        return account.duplicates > 0
    if need == "mixed_currency?":
        return bool(read.cautions & {"mixed_currency"} or account.rejected["currency_mismatch"])
    return need.endswith("?") or need in read.cautions


def _reasons_match(rejected: Counter[str], rows: list[Row]) -> bool:
    """Whether each reason given can be that of a row of its own, and each row that must be rejected has one.

    If either can be had, both can at once (Mendelsohn, Dulmage 1958).
    """
    given = list(rejected.elements())
    strange = [row for row in rows if row.reasons]
    needed = [row for row in strange if not row.optional and not row.free]
    by_row = [[place for place, reason in enumerate(given) if reason in row.reasons] for row in needed]
    by_reason = [[place for place, row in enumerate(strange) if reason in row.reasons] for reason in given]
    return _all_paired(by_row) and _all_paired(by_reason)


def _all_paired(offers: Sequence[Sequence[int]]) -> bool:
    """Whether everybody can have one of what is offered (Kuhn 1955)."""
    taken: dict[int, int] = {}

    def find(one: int, seen: set[int]) -> bool:
        for offer in offers[one]:
            if offer not in seen:
                seen.add(offer)
                if offer not in taken or find(taken[offer], seen):
                    taken[offer] = one
                    return True
        return False

    return all(find(one, set()) for one in range(len(offers)))
