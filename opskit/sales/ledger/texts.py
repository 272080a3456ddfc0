"""What the distinct texts of a column say; the rows find it there by a join."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from opskit.sales import cells
from opskit.sales.cells import Column, Order
from opskit.sales.opening.header import plain

_SURE = 90  # the score of a header's name that can be nothing else
_FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y年%m月%d日")
_LONG = timedelta(1500)
_PLACES = Decimal("1e-9")
_TOO_LARGE = Decimal(10**12)
_OWN_POWER = re.compile("[十百千仟万萬亿億kK元圆圓块塊]")
_GROUPED = re.compile("(?<![0-9.,，])[1-9][0-9]{0,2}([,，][0-9]{3})+(?![0-9,，])")  # that may part thousands
_NAMED_TOTAL = re.compile(r"(.*[^\s:=_*#-])[\s:=_*#-]+totals?[\s:=_*#-]*", re.IGNORECASE | re.DOTALL)
_HEADING_PARTS = re.compile(r"[()（）\[\]【】/_\s]")
_HAN, _OTHER_SCRIPTS = re.compile("[\u4e00-\u9fff]"), re.compile("[\u3040-\u30ff\uac00-\ud7ff]")


class DayText(NamedTuple):
    """What a date's text says: the day, or the kind of thing it is instead."""

    text: str
    day: date | None
    kind: str  # day, future_date, blank, total_row, repeated_header, note or bad_date


class NumberText(NamedTuple):
    """What a number's text says: value and currency, or that it says nothing."""

    text: str
    value: Decimal | None
    currency: str


class Label(NamedTuple):
    """What another text says: a kind of row, a column that it stands in, or the code of a currency."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Days:
    """How the texts of a date column are read."""

    order: Order
    epoch1904: bool
    header: str
    today: date

    def read(self, text: str) -> DayText:
        """What ``text`` says. A day after tomorrow is a typo: it must not become the latest day."""
        found = cells.day(text, order=self.order, epoch1904=self.epoch1904)
        if found:
            return DayText(text, found, "future_date" if found > self.today + timedelta(1) else "day")
        return DayText(text, None, self._kind(text))

    def known(self, texts: Iterable[str]) -> dict[str, date]:
        """The texts that are days."""
        return {text: read.day for text in texts if (read := self.read(text)).kind == "day" and read.day}

    def _kind(self, text: str) -> str:
        if not text.strip() or cells.null(text):
            return "blank"
        if cells.is_total(text):
            return "total_row"
        if self.header and plain(text) == plain(self.header):
            return "repeated_header"
        if cells.is_note(text):
            return "note"
        named = any(column is Column.DATE and score >= _SURE for column, score in cells.match(text))
        return "repeated_header" if named and not any(map(str.isdigit, text)) else "bad_date"


@dataclass(frozen=True, slots=True)
class Numbers:
    """How the texts of a column of numbers are read; ``factor`` is what its heading says that one stands for."""

    comma: bool
    units: bool
    factor: Decimal
    home: str = ""  # the currency of the table, "" where nothing tells it

    def read(self, text: str) -> NumberText:
        """What ``text`` says, to nine decimal places: more are the noise of a binary fraction, or no money."""
        found = cells.number(text, comma=self.comma, units=self.units, home=self.home)
        if found is None:
            return NumberText(text, None, "")
        own = self.factor != 1 and _OWN_POWER.search(text)  # "3万" below "(万元)" says it itself
        value = found.value if own else found.value * self.factor
        if abs(value) >= _TOO_LARGE:
            return NumberText(text, None, "")
        return NumberText(text, value.quantize(_PLACES, ROUND_HALF_UP), found.currency)


def order_of(texts: Sequence[str]) -> Order | None:
    """The order that a column's texts give away, or need not; None where they leave it open."""
    order = cells.order_of(texts)
    return order or (None if any(map(cells.is_ambiguous, texts)) else Order.DMY)


def likely(days: Mapping[str, date]) -> Iterator[str]:
    """How the days from the first to the last may be written, if they are in the ways in which these are."""
    forms = [form for form in _FORMS if any(f"{days[text]:{form}}" == text for text in days)]
    last = max(days.values(), default=date.max)
    first = max(min(days.values(), default=last), last - _LONG)
    return (f"{first + timedelta(offset):{form}}" for form in forms for offset in range((last - first).days + 1))


def is_day(text: str) -> bool:
    """Whether ``text`` is a day under any order."""
    return any(cells.day(text, order=order) is not None for order in Order)


def decimal_commas(texts: dict[Column, list[str]]) -> frozenset[Column]:
    """The columns whose commas are decimal marks, so that their points part thousands.

    One column that shows it speaks for those that show nothing: in a European table "1.200" pieces are no one and a
    fifth. Where fewer texts hold a comma than hold only a point, or half of them might be thousands, a decimal comma is
    the slip.
    """
    verdicts = {role: _decimal_comma(found) for role, found in texts.items()}
    return (
        frozenset(role for role in verdicts if verdicts[role] is not False) if any(verdicts.values()) else frozenset()
    )


def _decimal_comma(texts: Sequence[str]) -> bool | None:
    verdict = cells.decimal_comma(texts)
    if not verdict:
        return verdict
    points = sum("." in text and "," not in text and cells.number(text, units=True) is not None for text in texts)
    grouped = sum(_GROUPED.search(text) is not None for text in texts)
    commas = sum("," in text or "，" in text for text in texts)
    return commas > max(points, grouped * 2)


def named_total(text: str) -> str:
    """What a total is of ("North" of "North Total"), casefolded; "" where ``text`` names none.

    Only a name that the table knows makes a total of it: "Colgate Total" is toothpaste.
    """
    found = _NAMED_TOTAL.fullmatch(text)
    return found[1].strip().lower() if found else ""


def heading_currency(headings: Iterable[str]) -> str:
    """The currency that a heading of money names ("单价（元）" is CNY), or ""."""
    parts = (part for heading in headings for part in _HEADING_PARTS.split(heading))
    return next((code for part in parts if (code := cells.currency_of(part))), "")


def is_chinese(texts: Iterable[str]) -> bool:
    """Whether texts are in Chinese, and in no other script of hanzi."""
    text = "".join(texts)
    return bool(_HAN.search(text)) and not _OTHER_SCRIPTS.search(text)
