"""The days on which shops in China sell like on no other: a note and a reason, never a correction.

Only what is known for certain: days fixed in the calendar, and Chinese New Year by a table (Hong Kong Observatory,
Gregorian-Lunar Calendar Conversion Table). The days off work are announced each year anew and are not known here.
"""

from datetime import date, timedelta
from typing import Literal

type Feast = Literal["new_year", "spring", "labour", "midyear", "national", "singles", "double12"]

_NEW_YEARS = (
    "2010-02-14 2011-02-03 2012-01-23 2013-02-10 2014-01-31 2015-02-19 2016-02-08 2017-01-28 2018-02-16 2019-02-05 "
    "2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 2026-02-17 2027-02-06 2028-01-26 2029-02-13 "
    "2030-02-03 2031-01-23 2032-02-11 2033-01-31 2034-02-19 2035-02-08"
)
_SPRING = frozenset(
    date.fromisoformat(day) + timedelta(offset) for day in _NEW_YEARS.split() for offset in range(-1, 7)
)  # from the eve to the seventh day
# Month, first and last day. 18 June and 11 November are shopping festivals.
_FIXED: tuple[tuple[Feast, int, int, int], ...] = (
    ("new_year", 1, 1, 1),
    ("labour", 5, 1, 5),
    ("midyear", 6, 18, 18),
    ("national", 10, 1, 7),
    ("singles", 11, 11, 11),
    ("double12", 12, 12, 12),
)


def feast(day: date) -> Feast | None:
    """The feast of a day, if it has one."""
    if day in _SPRING:
        return "spring"
    return next((name for name, month, first, last in _FIXED if day.month == month and first <= day.day <= last), None)
