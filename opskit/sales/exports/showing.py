"""Cells as text: without what no file may hold, and numbers as people write them."""

import re
import unicodedata
from decimal import Decimal

from opskit.sales.exports.document import Kind
from opskit.sales.insight.sums import rounded
from opskit.wording import well_formed

# Controls but for tab and LF, and the code points that Unicode keeps from being characters: neither XML 1.0
# (2.2, Char) nor HTML (parse errors control-character-in-input-stream, noncharacter-in-input-stream) lets them in.
# With them go the marks that turn the direction of what follows: a cell could show its text or its neighbour reversed.
_NO_TEXT = re.compile(
    "[\x00-\x08\x0b\x0c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)
_PLACES = {"quantity": 3, "count": 0}


def clean(text: str) -> str:
    """``text`` without controls, noncharacters and turning marks; half a surrogate pair becomes U+FFFD.

    Tabs stay, and lines end in LF.
    """
    return _NO_TEXT.sub("", re.sub(r"\r\n?", "\n", well_formed(text)))


def width(text: str) -> int:
    """How wide ``clean`` text is, in characters of the standard font; those of East Asian scripts take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def number(value: Decimal, kind: Kind) -> str:
    """A number with its thousands separated, half up: money and percent to 2 places, quantities to at most 3."""
    if not value.is_finite():
        return str(value)
    text = f"{rounded(value, _PLACES.get(kind, 2)):,}"
    if kind == "percent":
        return f"{text}%"
    return text.rstrip("0").rstrip(".") if kind in ("quantity", "text") and "." in text else text
