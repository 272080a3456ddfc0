"""What a scalar value may have been meant as: a number, a truth value, a day, one of several options."""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import SequenceMatcher
from fractions import Fraction

from opskit.jsonfix import marks
from opskit.jsonfix.words import WIDE

_NUMBER = re.compile(marks.NUMBER)
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.0+)?")
_GROUPED = re.compile(
    r"(?P<sign>[+-]?)(?P<lead>[0-9]{1,3}(?:[,' \u00a0\u202f][0-9]{3})*|[0-9]+|(?=\.[0-9]))(?P<part>\.[0-9]+)?"
)
_CURRENCY = re.compile(r"^(?:[¥$€£₹]|US\$|RMB|CNY|USD|EUR)\s*|\s*(?:元|块|美元|欧元|USD|EUR|RMB|CNY)$", re.IGNORECASE)
_FRACTION = re.compile(r"(-?[0-9]{1,9})\s*/\s*([1-9][0-9]{0,8})")
_WORDS = {
    **{
        word: number
        for number, word in enumerate(
            ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
        )
    },
    "eleven": 11,
    "twelve": 12,
    **{word: number for number, word in enumerate("零一二三四五六七八九十")},
    "两": 2,
}
_TRUE = frozenset(["true", "yes", "y", "on", "1", "是", "对", "真", "有", "正确", "已"])
_FALSE = frozenset(["false", "no", "n", "off", "0", "否", "不", "假", "无", "没有", "错误", "未", "不是"])
_NOTHING = frozenset(["", "null", "none", "nil", "n/a", "na", "undefined", "-", "--", "无", "空", "未知"])
_YMD = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?P<rest>.*)", re.DOTALL)
_NAMED = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>[a-z]{3,9})\.?|"
    r"(?P<month2>[a-z]{3,9})\.?\s+(?P<day2>\d{1,2})(?:st|nd|rd|th)?),?\s+(?P<year>\d{4})(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(
    r"[T\s,]*(?P<hour>\d{1,2})[:时点](?P<minute>\d{2})(?:[:分](?P<second>\d{2})(?P<part>\.\d+)?)?[分秒]?\s*(?P<half>[ap]m)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"\b(?:no|not|non|none|never|neither|nor|without)\b|n't\b|[不非无未没]", re.IGNORECASE)
_PREFIXES = ("in", "un", "il", "im", "ir", "dis", "non", "anti", "de", "fe")
# What stands before and behind a word that is named; in Chinese, where nothing parts words, 是 and 为 stand before it.
_BEFORE, _BEHIND = r"(?:(?<![\w-])|(?<=[是为]))", r"(?![\w-])"
_TRUTH = re.compile(rf"{_BEFORE}(?:true|false){_BEHIND}", re.IGNORECASE)
_LAST_NUMBER = re.compile(
    r"\D*?(?:(?<![^\s*_:：=(（\"'`])[$€£¥₹]?|(?<=[是为]))(?P<number>[+-]?[0-9](?:[0-9,]*[0-9])?(?:\.[0-9]+)?)[.。!！*_`\"')）]*"
)
_NEAR = 0.8  # of 1, by the ratio of equal characters (Ratcliff and Obershelp, as in difflib)
_MARGIN = 0.1  # by which the best is better than the next


def number(text: str, *, whole: bool, full: bool) -> str | None:
    """The JSON number that a text is, digit by digit; ``full``: also as people write it (12,000, $5, 1/4, three)."""
    plain = text.strip()
    if not _NUMBER.fullmatch(plain):
        plain = (_people_number(plain.translate(WIDE)) if full else None) or ""
    if not plain or (whole and not _is_whole(plain)):
        return None
    return plain


def _is_whole(plain: str) -> bool:
    """Whether the number is one that JSON Schema calls an integer."""
    return bool(_WHOLE.fullmatch(plain)) or ("e" in plain.lower() and len(plain) < 20 and float(plain).is_integer())  # noqa: PLR2004


def _people_number(plain: str) -> str | None:
    plain = _CURRENCY.sub("", plain.replace("\u2212", "-")).strip()
    if plain.lower() in _WORDS:
        return str(_WORDS[plain.lower()])
    if found := _GROUPED.fullmatch(plain.removesuffix(".")):
        digits = re.sub(r"\D", "", found["lead"]).lstrip("0") or "0"
        return f"{'-' if found['sign'] == '-' else ''}{digits}{found['part'] or ''}"
    if found := _FRACTION.fullmatch(plain):
        share = Fraction(int(found[1]), int(found[2]))
        if abs(share) > 1 and share.denominator > 1:  # 24/7 is no number
            return None
        return str(share.numerator) if share.denominator == 1 else repr(float(share))
    return None


def truth(text: str, *, full: bool) -> str | None:
    """The JSON truth value that a text is; ``full``: also yes and no, 是 and 否."""
    plain = text.strip().rstrip(".!。！").casefold()
    if plain in ("true", "false"):
        return plain
    if full and plain in _TRUE | _FALSE:
        return "true" if plain in _TRUE else "false"
    return None


def named_truth(text: str) -> str | None:
    """The one of true and false that a sentence names; none where it names both, or denies something."""
    named = {word.casefold() for word in _TRUTH.findall(text)}
    return named.pop() if len(named) == 1 and not _NEGATED.search(text) else None


def last_number(text: str, *, whole: bool) -> str | None:
    """The number that a sentence ends with, where it is the only one: what follows a number may be its unit."""
    found = _LAST_NUMBER.fullmatch(text.strip())
    return number(found["number"], whole=whole, full=True) if found and not _NEGATED.search(text) else None


def is_nothing(text: str) -> bool:
    """Whether a text says that there is no value."""
    return text.strip().casefold() in _NOTHING


def option(value: object, options: Sequence[object], *, full: bool) -> object | None:
    """The one of the options that is meant: by case, or as a number or word in a text; ``full``: by near spelling."""
    text = str(value).strip() if not isinstance(value, bool) else json.dumps(value)
    for same in (str.strip, str.casefold, _bare):
        fitting = [one for one in options if same(_said(one)) == same(text)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting or not (full or same is str.strip):
            break
    else:
        named = [one for one in options if _is_named(one, text)]
        if len(named) == 1:
            return None if _NEGATED.search(text) else named[0]
        return None if named else nearest(text, [one for one in options if isinstance(one, str)])
    return None


def _is_named(one: object, text: str) -> bool:
    """Whether a sentence names the option; a number or truth value only where it names no other."""
    if isinstance(one, str):
        return re.search(rf"{_BEFORE}{re.escape(one.casefold())}{_BEHIND}", text.casefold()) is not None
    if isinstance(one, bool):
        return named_truth(text) == json.dumps(one)
    return last_number(text, whole=False) == json.dumps(one)


def _said(one: object) -> str:
    return one if isinstance(one, str) else json.dumps(one)


def _bare(text: str) -> str:
    """The letters and digits of a text alone."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def key(name: str, wanted: Iterable[str], *, full: bool) -> str | None:
    """The wanted key that ``name`` means: one that differs in case; ``full``: in marks or a little in spelling."""
    names = list(wanted)
    same = [one for one in names if one.casefold() == name.casefold()]
    if not same and full:
        same = [one for one in names if _bare(one) == _bare(name) != ""]
    if len(same) == 1:
        return same[0]
    return nearest(name, names) if full and not same else None


def nearest(text: str, names: Iterable[str]) -> str | None:
    """The name that is spelt nearly so, and clearly more so than the next."""
    plain = _bare(text)
    if len(plain) > 100 or len(plain) < 3:  # noqa: PLR2004 - a sentence is no name, and of two letters each is near
        return None
    names = [name for name in names if not _is_other(plain, _bare(name))]
    swapped = [name for name in names if _is_swapped(plain, _bare(name))]
    if len(swapped) == 1:
        return swapped[0]
    ratios = sorted(((SequenceMatcher(None, plain, _bare(name)).ratio(), name) for name in names), reverse=True)
    if not ratios or ratios[0][0] < _NEAR or (len(ratios) > 1 and ratios[0][0] - ratios[1][0] < _MARGIN):
        return None
    return ratios[0][1]


def _is_swapped(one: str, other: str) -> bool:
    """Whether two words of at least four letters, the first the same, differ in the order of two neighbours."""
    if len(one) != len(other) or len(one) < 4 or one[0] != other[0]:  # noqa: PLR2004 - as said
        return False
    apart = [place for place in range(len(one)) if one[place] != other[place]]
    return (
        len(apart) == 2  # noqa: PLR2004 - as said
        and apart[1] == apart[0] + 1
        and one[apart[0]] == other[apart[1]]
        and one[apart[1]] == other[apart[0]]
    )


def _is_other(one: str, other: str) -> bool:
    """Whether two names of nearly one spelling are different all the same: by a number, a prefix, the beginning."""
    if one[:1] != other[:1] or re.sub(r"\D", "", one) != re.sub(r"\D", "", other):
        return True
    longer, shorter = sorted((one, other), key=len, reverse=True)
    return any(longer.replace(prefix, "", 1) == shorter for prefix in _PREFIXES)


def moment(text: str, *, clock: bool) -> str | None:
    """The day that a text names in one way only, as ISO 8601 writes it; ``clock``: with its time (RFC 3339)."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if found := _YMD.fullmatch(plain):
        year, month, day = (int(part) for part in found.groups()[:3])
    elif (found := _NAMED.fullmatch(plain)) and (name := (found["month"] or found["month2"])[:3].lower()) in _MONTHS:
        year, month, day = int(found["year"]), _MONTHS.index(name) + 1, int(found["day"] or found["day2"])
    else:
        return None
    try:
        iso = date(year, month, day).isoformat()
    except ValueError:
        return None
    if not clock:
        return None if found["rest"].strip() and not _CLOCK.fullmatch(found["rest"]) else iso
    time = _CLOCK.fullmatch(found["rest"])
    if time and (int(time["hour"]) >= 24 or int(time["minute"]) >= 60):  # noqa: PLR2004 - as clocks have them
        return None
    return f"{iso}T{_time(time)}" if time and time["zone"] else None


def _time(found: re.Match[str]) -> str:
    hour = int(found["hour"]) % (12 if found["half"] else 24) + (12 if (found["half"] or "").lower() == "pm" else 0)
    zone = found["zone"].upper()
    zone = "Z" if zone in ("Z", "UTC", "GMT") else f"{zone[:3]}:{zone[-2:]}"
    return f"{hour:02}:{found['minute']}:{found['second'] or '00'}{found['part'] or ''}{zone}"
