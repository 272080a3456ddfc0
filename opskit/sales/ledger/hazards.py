"""Texts that are read in one way and may have been meant in another: what a reader must be asked about."""

import re
from collections.abc import Iterable
from datetime import date

from opskit.sales.cells import Column
from opskit.sales.ledger import judging
from opskit.sales.ledger.asking import Asking
from opskit.sales.ledger.quality import Account
from opskit.sales.ledger.sql import Shape
from opskit.sales.opening import Layout

_GROUPED = re.compile(r"[^0-9.,]*[1-9][0-9]{0,2}(?:([.,])[0-9]{3})+[^0-9.,]*")
_UNIT = re.compile(r"[0-9]\s*([^\W\d_]{1,3})\.?\s*")
_SCALES = (
    frozenset({"g", "kg", "mg", "t", "克", "千克", "公斤", "斤", "吨", "两"}),
    frozenset({"ml", "l", "cl", "毫升", "升"}),
    frozenset({"m", "cm", "mm", "km", "米", "厘米"}),
)
_SWAPPED = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.][0-9]{4}.*")
_ENOUGH = 3  # different days of each kind
_MONTHS = 12
_MOST = 20_000  # different texts that are looked at
_DAYS = "SELECT text, day FROM days WHERE day IS NOT NULL ORDER BY text LIMIT $1"


def tell(ask: Asking, layout: Layout, shape: Shape, account: Account) -> None:
    """Warn of marks in numbers, of units and of dates that nothing tells the meaning of."""
    texts = [text for role in shape.numbers for text in layout.seen(role)]
    point = next((text for text in texts if "." in text or "," in text), "")
    european = layout.source_delimiter == ";"
    if layout.format in {"csv", "html"} and not shape.commas and open_mark(texts, commas=european):
        account.warn("ambiguous_marks", text=point)
    if Column.AMOUNT in shape.columns:
        units = mixed_units(text for (text,) in ask.all(judging.evidence(Column.AMOUNT), [_MOST]))
        if units:
            account.warn("mixed_units", units=", ".join(units))
    if swapped_days(ask.all(_DAYS, [_MOST])):
        account.warn("swapped_days")


def open_mark(texts: Iterable[str], *, commas: bool) -> bool:
    """Whether all marks in numbers may part thousands as well as be decimal: "1.299" and "2.499", but not "0.500".

    ``commas``: whether commas leave it open too; in English they part thousands.
    """
    found = [_GROUPED.fullmatch(text) for text in texts if "." in text or "," in text]
    return (
        bool(found)
        and all(one and (commas or one[1] == ".") for one in found)
        and len({one[1] for one in found if one}) == 1
    )


def mixed_units(texts: Iterable[str]) -> list[str]:
    """Units of one kind of measure that stand in one column, such as g and kg; nobody converts them."""
    units = {found[1].casefold() for text in texts if (found := _UNIT.search(text))}
    return next((sorted(units & scale) for scale in _SCALES if len(units & scale) > 1), [])


def swapped_days(days: Iterable[tuple[str, date]]) -> bool:
    """Whether a spreadsheet seems to have taken 03/04 for 4 March where it could, and left 25/04 a text.

    Then each text has a day above 12, and each real date one up to 12.
    """
    texts: set[date] = set()
    dates: set[date] = set()
    for text, day in days:
        (texts if _SWAPPED.fullmatch(text.strip()) else dates).add(day)
    return (
        min(len(texts), len(dates)) >= _ENOUGH
        and all(day.day > _MONTHS for day in texts)
        and all(day.day <= _MONTHS for day in dates)
    )
