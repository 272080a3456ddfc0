"""What figures are counted in, as a heading or a line beside a table says it: ten thousands, thousands, cents."""

import re
import unicodedata
from decimal import Decimal

from opskit.sales.cells.currencies import currency_of
from opskit.sales.cells.folding import LONGEST, folded, simplified

_POWERS = {"百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "十亿": 9}
_WORDS = {
    **dict.fromkeys(("thousand", "thousands", "'000", "'000s", "000", "000s"), 3),
    **dict.fromkeys(("lakh", "lakhs", "lac", "lacs"), 5),
    **dict.fromkeys(("million", "millions", "mn", "mio", "mill"), 6),
    **dict.fromkeys(("crore", "crores"), 7),
    **dict.fromkeys(("billion", "billions", "bn"), 9),
    **dict.fromkeys(("cent", "cents", "pence", "¢", "分"), -2),
}
_BESIDE_MONEY = {"k": 3, "m": 6, "mm": 6, "cr": 7}  # letters that mean other things where no currency is named
POWER = re.compile("(" + "|".join(sorted(_POWERS, key=len, reverse=True)) + ")(.*)")
METRIC = frozenset({"千克", "千米", "kg", "kgs"})
_ALL = "|".join(map(re.escape, sorted({**_WORDS, **_BESIDE_MONEY}, key=len, reverse=True)))
_SCALE = re.compile(rf"(?:in\s)?\s*(.*?),?\s*(?:in\s)?(?<![a-z0-9])({_ALL})(?![a-z0-9])\s*(?:of\s)?(.*)")
_IN_WORDS = re.compile(rf"[\s_-]in[\s_-]({'|'.join(map(re.escape, _WORDS))})\Z")
_SAID = re.compile(
    r"单位\s*:\s*(?:人民币)?\s*(?P<han>[^\s,;()]{1,8})"
    r"|(?<![a-z])in\s(?P<words>(?:[a-z$€£]{1,4}\s)?(?:thousands|lakhs|millions|crores|billions|cents)"
    r"(?:\sof\s[a-z]{1,12})?)\W*\Z"
    r"|\A\W*?(?P<zeros>(?:[a-z$€£]{1,4}\s?'?|')000'?s?)\W*\Z"
)


def scale(hint: str, units: frozenset[str]) -> Decimal:
    """What one stands for in figures with ``hint`` beside their name: "万元", "k USD", "'000", "cents"; 1 as a rule.

    ``units`` are what else may be counted in ten thousands: "万件".
    """
    hint = " ".join(hint.split()).casefold()
    squeezed = hint.replace(" ", "")
    if squeezed in METRIC:
        return Decimal(1)
    if squeezed == "k":
        return Decimal(1000)
    found = POWER.fullmatch(squeezed)
    if found and (not found[2] or found[2] in units or currency_of(found[2])):
        return Decimal(10) ** _POWERS[found[1]]
    found = _SCALE.fullmatch(hint)
    if not found:
        return Decimal(1)
    before, word, behind = (part.strip() for part in found.groups())
    money = all(not part or currency_of(part) for part in (before, behind))
    power = _WORDS.get(word) or (_BESIDE_MONEY[word] if before or behind else 0)
    return Decimal(10) ** power if money else Decimal(1)


def in_words(heading: str) -> Decimal:
    """What one stands for below "Revenue in thousands" and "amount_in_cents"; 1 as a rule."""
    found = _IN_WORDS.search(heading.casefold())
    return Decimal(10) ** _WORDS[found[1]] if found else Decimal(1)


def said(text: str) -> Decimal:
    """What one stands for in the figures of a table above which ``text`` stands: "单位：万元", "(in thousands)"."""
    if len(text) > LONGEST:
        return Decimal(1)
    found = _SAID.search(simplified(unicodedata.normalize("NFKC", folded(text))).casefold())
    return scale(found["han"] or found["words"] or found["zeros"], frozenset()) if found else Decimal(1)
