"""Text from a cell as text, and amounts as people write them."""

import re
from collections.abc import Iterable
from decimal import Decimal

from opskit.sales.charts.chart import line
from opskit.sales.insight.sums import rounded

_LONGEST_NAME = 40  # characters
_NAME_ENDS = (15, 30)  # how many of them are the end: names differ there
_ACTIVE = re.compile(
    r"[\\`*_{}\[\]<>#|~!@&$=]"
    r"|(?i:(?<=[a-z]):(?=//)|(?<=www)\.)"  # an address becomes a link by itself (GFM 6.9)
    r"|^[-+](?= )|(?<=^\d)[.)](?= )|(?<=^\d\d)[.)](?= )|(?<=^\d{3})[.)](?= )"  # an item of a list (CommonMark 5.2)
)
_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "INR": "₹"}


def plain(name: str, end: int = _NAME_ENDS[0]) -> str:
    """Text from a cell: one line, of a long one both ends, and nothing in it that Markdown or HTML would act on."""
    text = line(name).strip()
    if len(text) > _LONGEST_NAME:
        text = f"{text[: _LONGEST_NAME - 1 - end].rstrip()}…{text[-end:].lstrip()}"
    return _ACTIVE.sub(lambda match: chr(ord(match[0]) + 0xFEE0), text) or "–"


def end_apart(names: Iterable[str]) -> int:
    """How many characters of the end ``plain`` must keep to tell these names apart, as far as it can."""
    different = set(names)
    return max(_NAME_ENDS, key=lambda end: len({plain(name, end) for name in different}))


def money(amount: Decimal, currency: str = "") -> str:
    """An amount: thousands separated, cents shown, and its currency (ISO 4217) where that is known."""
    sign = _SIGNS.get(currency, f"{currency} " if currency else "")
    return f"{'-' if rounded(amount) < 0 else ''}{sign}{abs(rounded(amount)):,}"


def signed(amount: Decimal) -> str:
    """A change: its sign always shown."""
    return f"{rounded(amount):+,}" if rounded(amount) else "0.00"


def number(quantity: Decimal) -> str:
    """A quantity without needless zeros."""
    return f"{quantity.normalize():,f}"
