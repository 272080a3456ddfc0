"""Numbers as people and programs write them into cells."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from opskit.sales.cells import currencies
from opskit.sales.cells.folding import bare
from opskit.sales.cells.suffixes import suffix

_MOST_DIGITS = 30  # before the decimal mark, and behind it
_CLEAR = 10  # this many times more cells must say one thing than say the other
_ENOUGH = 2  # this many cells that say nothing may stand beside one that says something

# The digits with all that stands between them; what is before; an exponent; what is behind.
_SHAPE = re.compile(r"([^0-9.,]*)([0-9.,][0-9.,' ]*(?<=[0-9.]))(?:[eE]([-+]?[0-9]{1,2})(?![0-9.,]))?(.*)", re.DOTALL)
_HEAD = re.compile(r"([-+]?)(\(?)([-+]?)([^-+()]*)(\(?)([-+]?)")
_TAIL = re.compile(r"(-?)(\)?)((?:[^-()]|\(s\))*)(\)?)(-?)")
# Digits with at most the decimal mark; in groups of three, of one separator throughout; the Indian way.
_POINT = re.compile(
    r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+|[1-9][0-9]{0,2}([,' ])[0-9]{3}(?:\1[0-9]{3})*(?:\.[0-9]*)?"
    r"|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]*)?"
)
_COMMA = re.compile(r"[0-9]+(?:,[0-9]+)?|,[0-9]+|[1-9][0-9]{0,2}([.' ])[0-9]{3}(?:\1[0-9]{3})*(?:,[0-9]+)?")
_YEN = re.compile(r"\A([-+(]*)\\(?=\s?[0-9])")  # what stands in the place of ¥ in Japan's encodings
_PLAIN = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_POINT_DIGITS = str.maketrans("", "", ",' ")
_COMMA_DIGITS = str.maketrans(",", ".", ".' ")
_MARKS = frozenset(".,．，。｡﹒﹐")


class Number(NamedTuple):
    """What a cell says: the value, exact, and the ISO code of its currency, "" where it names none."""

    value: Decimal
    currency: str


def number(text: str, *, comma: bool = False, units: bool = False, home: str = "") -> Number | None:
    """The number that ``text`` is, or None: blank, a null marker, a percentage, an error value, words, or unclear.

    ``comma``: the column's decimal mark is a comma ("1.234,50"; see ``decimal_comma``). Then "12.50" is None, as
    "12,50" is without it, and "1.234" is 1234: such a column must not be cast before it is read.
    ``units``: a unit may stand behind the number ("3台", "2.5 kg", "3万件"), and says nothing more.
    ``home``: the code of the table's currency, which a sign that several share then stands for ("$" for AUD).
    A number of more than 30 digits before or behind the decimal mark is None.
    """
    text = bare(text)
    if not comma and _PLAIN.fullmatch(text):
        return _number(text, 0, "")
    shape = _SHAPE.fullmatch(_YEN.sub(r"\1jp¥", text))
    if not shape or not (_COMMA if comma else _POINT).fullmatch(shape[2]):
        return None
    head = _HEAD.fullmatch("".join(shape[1].split()))
    before = currencies.signs_in(head[4]) if head else None
    tail = _TAIL.fullmatch("".join(shape[4].split()))
    if not head or before is None or not tail:
        return None
    sign = _sign(head, tail)
    in_one = not any(map(str.isspace, shape[4].strip()))  # "12Pro Max" is no quantity
    behind = suffix(tail[3], units=units and in_one, priced=bool(before))
    if sign is None or behind is None:
        return None
    if "-" in (tail[1], tail[5]) and shape[2].endswith("."):  # "12.-" is twelve francs and no cents
        return None
    digits = shape[2].translate(_COMMA_DIGITS if comma else _POINT_DIGITS)
    return _number(
        sign + digits, int(shape[3] or 0) + behind.power, currencies.agreed_at([*before, *behind.signs], home)
    )


def _sign(head: re.Match[str], tail: re.Match[str]) -> str | None:
    """The one sign among all the places where one may stand; brackets are a minus. None: two, or half a pair."""
    opened, closed = head[2] + head[5], tail[2] + tail[4]
    if (len(opened), len(closed)) not in {(0, 0), (1, 1)}:
        return None
    signs = head[1] + head[3] + head[6] + tail[1] + tail[5] + "-" * len(opened)
    return signs if len(signs) <= 1 else None


def _number(digits: str, power: int, currency: str | None) -> Number | None:
    """``digits`` times ten to the ``power``, never rounded and never negative zero; None where there are too many."""
    if power:
        digits = f"{Decimal(f'{digits}E{power}'):f}"
    whole, _, fraction = digits.partition(".")
    if currency is None or len(whole.lstrip("+-0")) > _MOST_DIGITS or len(fraction) > _MOST_DIGITS:
        return None
    value = Decimal(digits)
    return Number(value or value.copy_abs(), currency)


def decimal_comma(texts: Iterable[str]) -> bool | None:
    """Whether the commas of a column's cells are decimal marks; None where the cells do not tell.

    A cell tells by being a number one way only: "12,50" and "1.234,5", or "12.50" and "1,234,567"; "1,234" and "1.234"
    do not. Ten times more cells must say so than say the opposite, and a few "12,50" make no thousands of many "1.234"
    where no number is below them. The texts must be a fair sample of the column: those that a cast refuses are not, as
    every "12.50" and "1.234" is missing.
    """
    votes = {True: 0, False: 0}
    open_, small = 0, False
    for text in texts:
        if _MARKS.isdisjoint(text):
            small = small or number(text, units=True) is not None
            continue
        shape = _SHAPE.fullmatch(bare(text))
        as_comma, as_point = (shape and form.fullmatch(shape[2]) is not None for form in (_COMMA, _POINT))
        if as_comma != as_point and number(text, comma=bool(as_comma), units=True):
            votes[bool(as_comma)] += 1
        open_ += bool(as_comma and as_point and shape and "." in shape[2])
    if votes[True] == votes[False] or max(votes.values()) < _CLEAR * min(votes.values()):
        return None
    if votes[True] > votes[False] and votes[True] * _ENOUGH < open_ and not small:
        return None
    return votes[True] > votes[False]
