"""Text from a cell as text, and amounts as people write them."""

import re
from decimal import Decimal

from opskit.sales.charts.chart import line
from opskit.sales.insight.sums import rounded

_LONGEST_NAME = 40
_WHOLE = 100
_ACTIVE = re.compile(
    r"[\\`*_{}\[\]<>#|~!@&$=]"
    r"|(?i:(?<=[a-z]):(?=//)|(?<=www)\.)"  # an address becomes a link by itself (GFM 6.9)
    r"|^[-+](?= )|(?<=^\d)[.)](?= )|(?<=^\d\d)[.)](?= )|(?<=^\d{3})[.)](?= )"  # an item of a list (CommonMark 5.2)
)
_SIGNS = {"CNY": "¥", "JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "INR": "₹"}


def plain(name: str) -> str:
    """Text from a cell: one line, not too long, and nothing in it that Markdown or HTML would act on."""
    text = line(name).strip()
    text = text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"
    return _ACTIVE.sub(lambda match: chr(ord(match[0]) + 0xFEE0), text) or "–"


def money(amount: Decimal, currency: str = "") -> str:
    """An amount: thousands separated, cents shown, and its currency (ISO 4217) where that is known."""
    sign = _SIGNS.get(currency, f"{currency} " if currency else "")
    return f"{'-' if rounded(amount) < 0 else ''}{sign}{abs(rounded(amount)):,}"


def signed(amount: Decimal) -> str:
    """A change: its sign always shown."""
    return f"{rounded(amount):+,}" if rounded(amount) else "0.00"


def about(amount: Decimal) -> str:
    """An amount that nobody knows to the cent: whole, where it is not small."""
    return f"{rounded(amount, 0):,}" if abs(amount) >= _WHOLE else money(amount)


def number(quantity: Decimal) -> str:
    """A quantity without needless zeros."""
    return f"{quantity.normalize():,f}"
