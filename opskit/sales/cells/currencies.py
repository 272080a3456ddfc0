"""Signs, codes and names of currencies."""

import re
from typing import NamedTuple

from opskit.sales.cells.folding import LONGEST, folded, simplified


class _Sign(NamedTuple):
    """A currency as it is written; ``refines`` are the currencies that also use the sign, if a code says so."""

    code: str
    refines: frozenset[str] = frozenset()


_DOLLARS = frozenset({"USD", "HKD", "TWD", "AUD", "CAD", "SGD", "NZD", "MXN", "MOP", "BRL"})
_YUAN = frozenset({"CNY", "HKD", "TWD", "MOP", "USD", "JPY", "KRW", "SGD", "AUD", "CAD"})
_WESTERN = frozenset({"USD", "AUD", "CAD", "NZD"})
_HAN = frozenset({"元", "圆"})
_SHARED = {
    "$": _Sign("USD", _DOLLARS),
    "¥": _Sign("CNY", frozenset({"CNY", "JPY"})),
    "元": _Sign("CNY", _YUAN),
    "圆": _Sign("CNY", _YUAN),
    "块": _Sign("CNY", frozenset({"CNY"})),
    "块钱": _Sign("CNY", frozenset({"CNY"})),
}
# Codes that are units as well (CUP, PEN, TOP, ALL, GEL) are left out: "3 cup" is a quantity.
_CODES = """
    AED ARS AUD BDT BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR JPY KES KRW KWD KZT
    LKR MAD MMK MNT MOP MXN MYR NGN NOK NPR NZD OMR PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD UZS
    VND ZAR
"""
_NAMES = {
    "CNY": "rmb cnh cn¥ 人民币 yuan",
    "USD": "us$ usd$ 美元 美金 美刀",
    "EUR": "€ euro euros 欧元",
    "GBP": "£ 英镑",
    "JPY": "jp¥ 円 日元 日圆 日币 yen",
    "HKD": "hk$ 港币 港元 港纸 港幣",
    "TWD": "nt$ ntd nt 台币 新台币 台幣 新台幣 臺幣 新臺幣",
    "KRW": "₩ 韩元 韩币 韩圆 원",
    "MOP": "mop$ 澳门元 澳门币",
    "SGD": "s$ 新币 新加坡元 坡币",
    "AUD": "a$ au$ 澳元 澳币",
    "CAD": "c$ ca$ 加元 加币",
    "NZD": "nz$ 新西兰元 纽币",
    "INR": "₹ 印度卢比",
    "RUB": "₽ 卢布",
    "THB": "฿ 泰铢",
    "VND": "₫ 越南盾",
    "PHP": "₱",
    "MYR": "rm 林吉特 马币",
    "IDR": "rp 印尼盾",
    "TRY": "₺",
    "ILS": "₪",
    "UAH": "₴",
    "KZT": "₸",
    "BRL": "r$",
    "CHF": "瑞士法郎 瑞郎",
    "PLN": "zł",
}
_SIGNS = (
    _SHARED
    | {code.casefold(): _Sign(code) for code in _CODES.split()}
    | {name: _Sign(code) for code, names in _NAMES.items() for name in names.split()}
)
_ONE = "(?:" + "|".join(re.escape(sign) for sign in sorted(_SIGNS, key=len, reverse=True)) + ")"
_ONES = re.compile(_ONE)
_MOST = 2  # signs, codes and names on one side of a number


def currency_of(text: str) -> str:
    """The ISO code that a sign, code or name of a currency stands for ("元" is CNY, "US$" is USD), or "".

    Two may stand together if they say the same ("RMB ¥", "$ HKD").
    """
    return agreed(signs_in(text) or []) or ""


def signs_in(text: str) -> list[str] | None:
    """The signs, codes and names that ``text`` consists of, for ``agreed``; None where there is anything else."""
    if not text:
        return []
    squeezed = "".join(simplified(folded(text[:LONGEST])).casefold().split())
    if squeezed in _SIGNS:
        return [squeezed]
    signs = _ONES.findall(squeezed)
    return signs if len(signs) <= _MOST and "".join(signs) == squeezed else None


def agreed_at(signs: list[str], home: str) -> str | None:
    """The same where the table is in ``home``, "" for none: there "$" may stand for AUD, but "US$" for USD alone.

    Nobody writes "元" for dollars of the West without saying so.
    """
    if not signs or home.casefold() not in _SIGNS or (home in _WESTERN and not _HAN.isdisjoint(signs)):
        return agreed(signs)
    return agreed([*signs, home.casefold()]) or agreed(signs)


def agreed(signs: list[str]) -> str | None:
    """The one currency that all of ``signs`` stand for, "" where there are none, None where they differ.

    "$" and "HKD" agree on HKD, "¥" and "元" on CNY, "$" and "€" on nothing.
    """
    if not signs:
        return ""
    found = [_SIGNS[sign] for sign in signs]
    codes = {sign.code for sign in found if not sign.refines} or {sign.code for sign in found}
    if len(codes) > 1:
        return None
    code = codes.pop()
    return code if all(code in (sign.refines or {sign.code}) for sign in found) else None
