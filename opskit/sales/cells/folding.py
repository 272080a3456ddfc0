"""The many ways to write one character made one.

Only look-alikes are folded: Unicode's own compatibility forms would make "10²" into 102 and "⑴" into (1).
"""

import re

LONGEST = 100  # characters; no number, day or label is longer

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SPACES = dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―⁃−─➖﹘﹣"), "-")
_QUOTES = dict.fromkeys(map(ord, "‘’‛′ʼ"), "'") | dict.fromkeys(map(ord, "“”„‟″"), '"')
_INVISIBLE_RANGES = ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F))
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x61C, 0x180E, 0xFEFF, *(code for first, last in _INVISIBLE_RANGES for code in range(first, last + 1))]
)
_OTHERS = {ord(many): one for many, one in zip("￠￡￥￦﹩﹪﹢﹐﹒。｡﹕", "¢£¥₩$%+,...:", strict=True)}
_TABLE: dict[int, int | str | None] = {**_WIDE, **_SPACES, **_DASHES, **_QUOTES, **_INVISIBLE, **_OTHERS}
_FOLDABLE = re.compile("[" + re.escape("".join(map(chr, _TABLE))) + "]")

# What Traditional Chinese and Japanese headings and labels are made of, where they differ.
_SIMPLE = str.maketrans(
    "數単單価價額產產區銷總総計時間訂編號貨幣種稱項購買實際營業類別廠門戶東頁備註説說審製單據來導統發貨縣國"
    "賣売収收縂匯彙內務擬萬億圓円塊",
    "数单单价价额产产区销总总计时间订编号货币种称项购买实际营业类别厂门户东页备注说说审制单据来导统发货县国"
    "卖卖收收总汇汇内务拟万亿圆円块",
)
_WRAPPED = re.compile(r'=?\s*("{0,3})(.*?)\1')


def folded(text: str) -> str:
    """``text`` with ASCII for full-width forms, dashes, quotes and spaces; nothing invisible, nothing around it."""
    return text.translate(_TABLE).strip() if _FOLDABLE.search(text) else text.strip()


def simplified(text: str) -> str:
    """``text`` with the characters that headings are made of in their simplified form."""
    return text if text.isascii() else text.translate(_SIMPLE)


def bare(text: str) -> str:
    """``text`` folded and out of what spreadsheets wrap a value in to keep it text: ="12.50", '12.50, "12.50".

    A text longer than ``LONGEST`` gives "".
    """
    text = text.strip()
    text = folded(text) if len(text) <= 2 * LONGEST else ""
    if len(text) > LONGEST:
        return ""
    if text[:1] in ("=", '"'):
        wrapped = _WRAPPED.fullmatch(text)
        text = wrapped[2].strip() if wrapped else text
    if text[:1] == "'":
        text = text.removeprefix("'").removesuffix("'").strip()
    return text
