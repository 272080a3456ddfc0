"""The forms in which a day is written, as patterns over folded, casefolded text.

The groups: ``y``, ``m``, ``d`` and ``mon``; ``one``, ``two``, ``three`` where the order is open; ``whole``.
"""

import re
from collections.abc import Callable
from functools import cached_property

_WEEKDAY = (
    r"(?:(?:星期|周|礼拜|週|禮拜)[一二三四五六日天]"
    r"|(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?(?![a-z])\.?"
    r"|[日月火水木金土]曜日?)"
)
_HALF = r"(?:上午|下午|凌晨|早上|早晨|清晨|中午|午后|傍晚|晚上|夜间|晚间|午前|午後|오전|오후|[ap]\.?m\.?(?![a-z]))"
_HOUR = r"(?:2[0-4]|[01]?[0-9])"
_CLOCK = (
    rf"(?:{_HOUR}(?:(?::[0-5][0-9]){{1,2}}|(?:\.[0-5][0-9]){{2}})(?:[.,][0-9]{{1,9}})?"
    rf"|{_HOUR}\s?[时時点點](?:\s?[0-5]?[0-9]\s?分?(?:\s?[0-5]?[0-9]\s?秒?)?|整|半)?)"
)
_ZONE = (
    r"(?:(?:utc|gmt)?\s?[-+](?:[0-9]{2}:?(?:[0-9]{2})?|[0-9])(?:\s(?:utc|gmt|[a-z]{3}))?|utc|gmt|z"
    r"|(?:cst|est|edt|cdt|pst|pdt|mst|mdt|cet|cest|bst|jst|kst|hkt|ist|sgt|wib|asia/[a-z]{3,12})(?![a-z]))"
)
# What may stand behind the day: a weekday, a time, an offset, and the zone's name in brackets.
_REST = (
    rf"(?:[\s,]*(?:{_WEEKDAY}|[(\[]\s?(?:{_WEEKDAY}|[一二三四五六日月火水木金土])\s?[)\]]))?"
    rf"(?:(?:\s*t(?=[0-9])|[\s,]*)(?:{_HALF}\s*)?{_CLOCK}(?:\s*{_HALF})?(?:\s*{_WEEKDAY})?"
    rf"(?:\s*{_ZONE})?(?:\s*[(\[][^()\[\]]*[)\]])?|[\s,]*{_HALF})?"
)
_BEFORE = rf"(?:{_WEEKDAY}[\s,]*)?"
_YEAR = r"(?P<y>[0-9]{4}|[0-9]{2})(?![0-9:])"
_DAY = r"(?P<d>[0-9]{1,2})(?![0-9:])"
_MONTH = (
    r"(?P<mon>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t|tember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|1[0-2]月|0?[1-9]月|十[一二]?月|[一二三四五六七八九]月)(?![a-z])"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NTH = r"(?:st|nd|rd|th)?"
# The year before the first.
ERAS = {"令和": 2018, "平成": 1988, "民国": 1911, "民國": 1911, "中华民国": 1911, "中華民國": 1911}
_GAP = r"(?:\s?[-/.,]\s?|\s)?"


class Form:
    """A pattern that is compiled once a text is held against it: most files write their days in one form."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    @cached_property
    def fullmatch(self) -> Callable[[str], re.Match[str] | None]:
        """The text's parts, if all of it has this form."""
        return re.compile(self._pattern).fullmatch


YEAR_FIRST = Form(rf"{_BEFORE}(?P<y>[0-9]{{4}})(?P<gap>\s?[-/.]\s?|\s)(?P<m>[0-9]{{1,2}})(?P=gap){_DAY}\.?{_REST}")
CHINESE = Form(
    rf"{_BEFORE}(?:(?:公元)?(?P<y>[0-9]{{4}}|[0-9]{{2}})|(?P<era>{'|'.join(ERAS)})\s?(?P<n>[0-9]{{1,3}}|元))\s?年\s?(?P<m>[0-9]{{1,2}})\s?月\s?{_DAY}\s?[日号號]?{_REST}"
)
COMPACT = Form(
    rf"(?P<y>[0-9]{{4}})(?P<m>[0-9]{{2}})(?P<d>[0-9]{{2}})"
    rf"(?:\.0+|[t\s]?(?:2[0-4]|[01][0-9])[0-5][0-9](?:[0-5][0-9](?:\.[0-9]{{1,9}})?)?(?:{_ZONE})?|(?![0-9]){_REST})?"
)
NUMERALS = Form(
    r"(?P<y>[〇零○一二三四五六七八九]{4})年(?P<m>[一二三四五六七八九十]{1,2})月(?P<d>[一二三四五六七八九十]{1,3})[日号號]"
    rf"{_REST}"
)
NUMBER = Form(r"(?P<whole>[0-9]{5}|[0-9]{10}|[0-9]{13})(?:\.[0-9]*)?")
THREE_PARTS = Form(
    rf"{_BEFORE}(?P<one>[0-9]{{1,2}})(?P<gap>\s?[-/.]\s?|\s)(?P<two>[0-9]{{1,2}})(?P=gap)"
    rf"(?P<three>[0-9]{{4}}|[0-9]{{1,2}})(?![0-9:])\.?{_REST}"
)
NAMED = (
    Form(rf"{_BEFORE}{_DAY}{_NTH}{_GAP}(?:of\s)?{_MONTH}\.?{_GAP}{_YEAR}{_REST}"),
    Form(rf"{_BEFORE}{_MONTH}\.?{_GAP}{_DAY}{_NTH}(?:\s?[-/.,]\s?|\s){_YEAR}{_REST}"),
    Form(rf"{_BEFORE}(?P<y>[0-9]{{4}}){_GAP}{_MONTH}\.?{_GAP}{_DAY}{_NTH}{_REST}"),
    Form(rf"{_BEFORE}{_MONTH}\s+{_DAY}\s+{_CLOCK}\s+(?:{_ZONE}\s+)?(?P<y>[0-9]{{4}})"),  # what `date` prints
)

_NUMERALS = {numeral: value for value, numeral in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}


def month(name: str) -> int:
    """The number of a month by its English or Chinese name, as ``NAMED`` finds it."""
    if name.endswith("月"):
        name = name.removesuffix("月")
        return int(name) if name.isascii() else numeral(name)
    return _MONTHS.index(name[:3]) + 1


def numeral(text: str) -> int:
    """A number in Chinese numerals: digit by digit ("二〇二六"), or with 十 ("三十一"); 0 where it is neither."""
    tens, ten, ones = text.partition("十")
    if not ten:
        return int("".join(str(_NUMERALS[digit]) for digit in text))
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return 0
    return (_NUMERALS[tens] if tens else 1) * 10 + (_NUMERALS[ones] if ones else 0)
