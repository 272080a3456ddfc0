"""Days as people and programs write them into cells."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

from opskit.sales.cells import day_forms as forms
from opskit.sales.cells.folding import bare

_FIRST, _LAST = date(1990, 1, 1), date(2100, 12, 31)
_SERIAL_ZERO = date(1899, 12, 30)  # not the 31st: Excel believes in a 29 February 1900
_SERIAL_ZERO_1904 = date(1904, 1, 1)
_CHINA = timezone(timedelta(hours=8))
_SECONDS_DIGITS = 10
_SHORT = 2
_KOREAN = str.maketrans("년월일", "年月日")
_MONTH = re.compile("[a-z月]")  # no month has a name without
_TURN_OF_CENTURY = 90  # "90" to "99" are the nineties; "69" to "89" are no year of ours
_LATEST_SHORT = 68
_RECENT = range(2010, 2050)
_CLEAR = 10  # this many times more cells must say one thing than say the opposite
_FEW, _MANY = 2, 4  # years in a column of short dates, and days


class Order(StrEnum):
    """In which order a column writes day, month and year where the cell itself does not tell."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


def day(text: str, *, order: Order, epoch1904: bool = False) -> date | None:
    """The day that ``text`` names, 1990 to 2100, or None.

    A time, a weekday and an offset may stand with it, and an era of Japan or Taiwan before its year ("令和8年3月1日");
    the day is the one written, only Unix times become a day in China. A bare number of 5 digits is a spreadsheet's
    serial number, of 8 a compact date, of 10 and 13 a Unix time.

    ``order`` decides only where the text leaves it open ("03/04/2026", "26/03/04"); it never overrules the text.
    Under YMD, "03/04/2026" is None. Years of two digits are 1990 to 2068, and a cell of three pairs that is an old
    day in this order and a recent one in another ("26-03-01" under DMY) is None.
    ``epoch1904``: serial numbers count from 1904-01-01 (old Excel for Mac), not from 1899-12-30.
    """
    text = bare(text).casefold().translate(_KOREAN)
    if found := forms.YEAR_FIRST.fullmatch(text) or forms.COMPACT.fullmatch(text):
        return _date(found["y"], found["m"], found["d"])
    if "年" in text:
        return _chinese(text)
    if found := forms.NUMBER.fullmatch(text):
        return _counted(found["whole"], epoch1904=epoch1904)
    if found := forms.THREE_PARTS.fullmatch(text):
        return _chosen(_readings(found), order)
    for form in forms.NAMED if _MONTH.search(text) else ():
        if found := form.fullmatch(text):
            return _date(found["y"], forms.month(found["mon"]), found["d"])
    return None


def _chinese(text: str) -> date | None:
    if found := forms.CHINESE.fullmatch(text):
        era, count = found["era"], found["n"]
        year = forms.ERAS[era] + (1 if count == "元" else int(count)) if era else found["y"]
        return _date(year, found["m"], found["d"])
    found = forms.NUMERALS.fullmatch(text)
    return _date(*(forms.numeral(found[part]) for part in "ymd")) if found else None


def is_ambiguous(text: str) -> bool:
    """Whether ``text`` is a day under one order and another day under another ("03/04/2026", not "03/03/2026")."""
    found = forms.THREE_PARTS.fullmatch(bare(text).casefold())
    return found is not None and len(set(_readings(found).values())) > 1


def order_of(texts: Iterable[str]) -> Order | None:
    """The order that a column's cells give away; None without evidence, or with evidence that contradicts itself.

    "25/03/2026" is d/m/y and "26/3/1" y/m/d, as a year has two digits or four. Where all three are pairs, the place
    that always makes a recent year is the year, or the place that hardly varies while the opposite one does.
    Cells that need no order ("2026-03-01") are no evidence. Ten times more must say one thing than say another.
    """
    cells = [_readings(found) for text in texts if (found := forms.THREE_PARTS.fullmatch(bare(text).casefold()))]
    year_first = _year_first(cells)
    votes: Counter[Order] = Counter()
    for readings in cells:
        orders = set(readings)
        if len(orders) > 1 and year_first is not None and Order.YMD in orders:
            orders = {Order.YMD} if year_first else orders - {Order.YMD}
        if len(orders) == 1:
            votes.update(orders)
    (best, count), *_ = [*votes.most_common(1), (None, 0)]
    return best if count and count >= _CLEAR * (votes.total() - count) else None


def _year_first(cells: list[dict[Order, date]]) -> bool | None:
    """Whether the year of cells of three pairs stands first; None where they do not tell."""
    pairs = [cell for cell in cells if Order.YMD in cell and len(cell) > 1]
    firsts = [cell[Order.YMD].year for cell in pairs]
    lasts = [next(found.year for order, found in cell.items() if order != Order.YMD) for cell in pairs]
    recent = Counter((first in _RECENT, last in _RECENT) for first, last in zip(firsts, lasts, strict=True))
    first, last = recent[True, False], recent[False, True]
    if first or last:
        return None if max(first, last) < _CLEAR * min(first, last) else first > last
    if len(set(firsts)) <= _FEW and len(set(lasts)) >= _MANY:
        return True
    if len(set(lasts)) <= _FEW and len(set(firsts)) >= _MANY:
        return False
    return None


def _readings(found: re.Match[str]) -> dict[Order, date]:
    """The days that three numbers may name, by order."""
    one, two, three = found["one"], found["two"], found["three"]
    orders = {Order.DMY: (three, two, one), Order.MDY: (three, one, two), Order.YMD: (one, two, three)}
    days = {order: _date(*parts) for order, parts in orders.items() if len(parts[0]) > 1}
    return {order: found for order, found in days.items() if found}


def _chosen(readings: dict[Order, date], order: Order) -> date | None:
    """The reading that ``order`` asks for, or the only one there is."""
    days = set(readings.values())
    if len(days) == 1:
        return days.pop()
    chosen = readings.get(order)
    if chosen is None and Order.YMD in readings and order != Order.YMD:
        readings.pop(Order.YMD)
        chosen = next(iter(readings.values()))
    if chosen and chosen.year not in _RECENT and any(other.year in _RECENT for other in days):
        return None
    return chosen


def _date(year: str | int, month: str | int, day_: str | int) -> date | None:
    """The day, if there is one and it lies within our years; a year of two digits is made one of four."""
    short = isinstance(year, str) and len(year) <= _SHORT
    number = int(year)
    if short:
        if _LATEST_SHORT < number < _TURN_OF_CENTURY:
            return None
        number += 2000 if number <= _LATEST_SHORT else 1900
    try:
        found = date(number, int(month), int(day_))
    except ValueError:
        return None
    return found if _FIRST <= found <= _LAST else None


def _counted(whole: str, *, epoch1904: bool) -> date | None:
    """The day of a serial number or of a Unix time in seconds or milliseconds."""
    count = int(whole)
    if len(whole) < _SECONDS_DIGITS:
        found = (_SERIAL_ZERO_1904 if epoch1904 else _SERIAL_ZERO) + timedelta(count)
    else:
        seconds = count if len(whole) == _SECONDS_DIGITS else count // 1000
        found = datetime.fromtimestamp(seconds, UTC).astimezone(_CHINA).date()
    return found if _FIRST <= found <= _LAST else None
