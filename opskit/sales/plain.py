"""Text from a cell as text, and amounts as people write them."""

import re
from decimal import Decimal

from opskit.sales.insight.sums import rounded

_LONGEST_NAME = 40
_SIGNS = {"CNY": "¥", "JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "INR": "₹"}


def plain(name: str) -> str:
    """Text from a cell: one line, not too long, and nothing in it that Markdown or HTML would act on."""
    line = re.sub(r"\s+", " ", name).strip()
    line = line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"
    return re.sub(r"([\\`*_{}\[\]<>#|~!@&$=])", lambda match: chr(ord(match[1]) + 0xFEE0), line) or "–"


def money(amount: Decimal, currency: str = "") -> str:
    """An amount: thousands separated, cents shown, and its currency (ISO 4217) where that is known."""
    sign = _SIGNS.get(currency, f"{currency} " if currency else "")
    return f"{'-' if rounded(amount) < 0 else ''}{sign}{abs(rounded(amount)):,}"


def signed(amount: Decimal) -> str:
    """A change: its sign always shown."""
    return f"{rounded(amount):+,}" if rounded(amount) else "0"


def number(quantity: Decimal) -> str:
    """A quantity without needless zeros."""
    return f"{quantity.normalize():,f}"
