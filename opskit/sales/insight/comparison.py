"""How the sales of a period stand against those of others, and what makes the comparison less than fair."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pydantic import Field

from opskit.model import Exact, Item, Rounded
from opskit.sales.insight.calendars import Calendar, Period
from opskit.sales.insight.feasts import Feast
from opskit.sales.insight.periods import Base, Focus
from opskit.sales.insight.said import Said, said, worded
from opskit.sales.insight.sums import EXACT, Sums, rounded, share, total
from opskit.wording import Locale

_NAMED_DAYS = 3
_FORTNIGHT = 14


class Comparison(Item):
    """The sales of the period against those of another."""

    against: str = Field(description="previous, last_week, last_month or last_year.")
    period: str = Field(description="The days compared with: YYYY-MM-DD, or the first and last, with / in between.")
    sales: Exact | None = Field(description="Their sales, exact; null if the file has no row on these days.")
    change: Exact | None = Field(description="Sales of the period minus these, exact; null if these are unknown.")
    change_percent: Rounded | None = Field(
        description="change in percent of sales, 2 places; null if sales are unknown, 0 or negative."
    )
    complete: bool = Field(description="Whether every day of both periods is in the file and over.")
    note: str = Field(description="What to know about the comparison; empty if nothing.")


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison before it is worded. ``before`` is None where the file has no row.

    ``flaws`` are those of the focus itself, the same in each comparison; ``gaps`` are what the base lacks; ``notes``
    say why the two are not alike although nothing is missing.
    """

    focus: Focus
    base: Base
    now: Sums
    before: Sums | None
    flaws: tuple[Said, ...]
    gaps: tuple[Said, ...]
    notes: tuple[Said, ...]

    @property
    def complete(self) -> bool:
        """Whether every day of both periods is in the file and over."""
        return not self.flaws and not self.gaps

    @property
    def change(self) -> Decimal | None:
        """Sales now minus sales before, exact."""
        return None if self.before is None else EXACT.subtract(self.now.sales, self.before.sales)

    @property
    def change_percent(self) -> Decimal | None:
        """The change in percent of what was before, if that is positive; 2 places."""
        return None if self._share is None else rounded(self._share)

    @property
    def told_share(self) -> Decimal | None:
        """The same to be rounded for a sentence, where it is large enough to be told."""
        return self._share if self.change_percent else None

    @property
    def _share(self) -> Decimal | None:
        if self.before is None or self.change is None or self.before.sales <= 0:
            return None
        return share(self.change, self.before.sales)

    def item(self, locale: Locale) -> Comparison:
        """The comparison as it is given out."""
        return Comparison(
            against=self.base.against,
            period=str(self.base.period),
            sales=None if self.before is None else self.before.sales,
            change=self.change,
            change_percent=self.change_percent,
            complete=self.complete,
            note=worded((*self.flaws, *self.gaps, *self.notes), locale, str),
        )


def compare(focus: Focus, bases: list[Base], calendar: Calendar) -> list[Compared]:
    """``focus`` against each of ``bases``, in their order."""
    now = total(calendar.days[day] for day in calendar.within(focus.period))
    found = flaws(focus, calendar)
    return [_compared(focus, base, now, found, calendar) for base in bases]


def fairest(compared: list[Compared]) -> Compared | None:
    """The comparison whose change is worth explaining; None if there is none with sales before.

    It is the first without gaps or notes, else the first without gaps, else the first.
    """
    known = [one for one in compared if one.before is not None]
    return min(known, key=lambda one: (bool(one.gaps), bool(one.notes)), default=None)


def flaws(focus: Focus, calendar: Calendar) -> tuple[Said, ...]:
    """Why the focus itself is not complete: its last day or the week is not over, or days are missing."""
    found = []
    last = calendar.span.last
    if calendar.unfinished and last in focus.period:
        found.append(said(f"unfinished_{calendar.unfinished}", day=last, count=calendar.days[last].rows))
    if not focus.over:
        found.append(said("to_date", count=focus.period.length, whole=focus.whole.length))
    if missing := calendar.missing(focus.period):
        found.append(_missing("focus_missing", missing))
    return tuple(found)


def _compared(focus: Focus, base: Base, now: Sums, flaws: tuple[Said, ...], calendar: Calendar) -> Compared:
    found = calendar.within(base.period)
    if not found:
        gap = said("base_without_rows", period=str(base.period))
        return Compared(focus, base, now, None, flaws, (gap,), ())
    gaps = []
    if base.period.first < calendar.span.first:
        gaps.append(said("base_before_file", day=calendar.span.first))
    if missing := calendar.missing(base.period):
        gaps.append(_missing("base_missing", missing))
    before = total(calendar.days[day] for day in found)
    return Compared(focus, base, now, before, flaws, tuple(gaps), _differences(focus, base, calendar))


def _differences(focus: Focus, base: Base, calendar: Calendar) -> tuple[Said, ...]:
    """Why the two do not compare like with like, although nothing is missing."""
    notes = []
    ours, theirs = focus.period, base.period
    if focus.kind == "day" and base.against == "previous" and theirs.last != ours.shifted(-1).last:
        notes.append(said("day_skipped", day=ours.shifted(-1).last, instead=theirs.last))
    if ours.length != theirs.length:
        notes.append(said("uneven", count=ours.length, other=theirs.length))
    elif ours.length < _FORTNIGHT and ours.weekend_days != theirs.weekend_days:
        if focus.kind == "day":
            notes.append(said("weekend_day", day=ours.first if ours.weekend_days else theirs.first))
        else:
            notes.append(said("weekend_days", count=ours.weekend_days, other=theirs.weekend_days))
    mine, other = _feasts(ours, calendar), _feasts(theirs, calendar)
    notes += [
        said("feast_in_one", feast=said(f"feast_{feast}"), day=(mine | other)[feast])
        for feast in sorted(mine.keys() ^ other.keys())
    ]
    return tuple(notes)


def _feasts(period: Period, calendar: Calendar) -> dict[Feast, date]:
    """The feasts of a period, each with its first day there."""
    found: dict[Feast, date] = {}
    for day in calendar.within(period):
        if feast := calendar.feast(day):
            found.setdefault(feast, day)
    return found


def _missing(key: str, days: list[date]) -> Said:
    more = said("and_more") if len(days) > _NAMED_DAYS else ()
    return said(key, count=len(days), days=tuple(days[:_NAMED_DAYS]), more=more)
