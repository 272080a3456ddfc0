"""What may stand behind a number: 万 and 亿, a currency, a unit."""

import re
from typing import NamedTuple

from opskit.sales.cells import currencies
from opskit.sales.cells.folding import simplified


class Suffix(NamedTuple):
    """What stands behind a number: the power of ten it stands for, and the signs of currencies."""

    power: int = 0
    signs: tuple[str, ...] = ()


_POWERS = {
    "百": 2, "千": 3, "k": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "十亿": 9, "百亿": 10, "千亿": 11,
    "万亿": 12,
}  # fmt: skip
_POWER = re.compile("|".join(sorted(_POWERS, key=len, reverse=True)))
_UNIT = re.compile(r"([^\W\d_²³]{1,6})[²³]?(?:\(s\))?\.?|(?:sq|cu)?[cdkm]?m[23]|[㎡㎥㎏㎎㎝㎜]")
_HAN = re.compile(r"[\u3400-\u9fff]{1,4}")
_LATIN = re.compile(r"[^\u2e80-\u9fff\uac00-\ud7ff]+")
# "3千克" is three kilograms; "3百米" could be 300 metres or three hectometres.
_METRIC = frozenset({"克", "米", "瓦", "瓦时", "卡", "升", "伏", "帕", "焦", "赫兹"})
_LONG = frozenset({"公斤", "千克", "毫克", "平方", "平米", "平方米", "立方米", "毫升", "公里", "小时", "人次"})
# They look like units and are powers of ten, shares, ordinals, times of day, or signs (credit, debit).
_NO_UNIT_NAMES = """
    k m w b e q t tr mn mm mio mil mill mln mrd bn bln bil tn tsd tys lac lacs lakh lakhs cr crore crores dr
    pct bp bps am pm st nd rd th ad bc inf nan o oo
    成 折 半 倍 十 兆 仟 佰 拾 点 时 分 角 毛 厘 级 楼 层 室 期 届 岁 名
"""
_NO_UNITS = frozenset(_NO_UNIT_NAMES.split())
_OPENS_NO_UNIT = frozenset("号月日年元圆块")  # "5号电池" is a product, "3月" a month, "3元件" no clear thing
_BLURS = frozenset("多余约几第以左右起至到百千万亿")  # "100多件", "3千百"


def suffix(text: str, *, units: bool, priced: bool = False) -> Suffix | None:
    """What ``text`` (folded, without spaces) says, or None where it is nothing that may stand behind a number.

    ``units``: whether a unit may. Then 块 is one ("3块" of soap), and no money.
    ``priced``: a currency stands before the number, so that "/件" may stand behind it.
    """
    text = simplified(text).casefold()
    if not text:
        return Suffix()
    if units and text == "块":
        return Suffix()
    power, rest = _split(text)
    price, _, per = rest.partition("/")
    signs = currencies.signs_in(price.removesuffix("整") if price.endswith("元整") else price)
    if signs is not None and (price + per == rest or ((signs or priced) and _is_unit(per) and per[0] not in "百千万")):
        return Suffix(power, tuple(signs))
    signs = currencies.signs_in(text)
    if signs:
        return Suffix(0, tuple(signs))
    return _unit(text, power, rest) if units else None


def _split(text: str) -> tuple[int, str]:
    """The power of ten in front, and the rest."""
    found = _POWER.match(text)
    return (_POWERS[found[0]], text[found.end() :]) if found else (0, text)


def _unit(text: str, power: int, rest: str) -> Suffix | None:
    """A unit with or without a power of ten in front of it."""
    if not power or (text[0] == "k" and _LATIN.fullmatch(rest)):  # kg is no thousand grams, but one unit
        return Suffix() if _is_unit(text) else None
    if rest in _METRIC:
        return Suffix() if text[0] == "千" and text[1:] == rest else None
    plain = len(rest) == 1 or rest.isascii() or rest in _LONG  # "3万用表" are three multimeters
    return Suffix(power) if plain and _is_unit(rest) else None


def _is_unit(text: str) -> bool:
    name = text.rstrip(".")
    found = _UNIT.fullmatch(text)
    return bool(
        found
        and (found[1] or "m").isalpha()  # "½" counts as a word character
        and (_LATIN.fullmatch(text) or _HAN.fullmatch(text) or len(text) == 1)
        and name not in _NO_UNITS
        and name[0] not in _OPENS_NO_UNIT
        and _BLURS.isdisjoint(name)
    )
