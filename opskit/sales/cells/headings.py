"""Which column a heading names, in Chinese, pinyin and English."""

import re
import unicodedata
from decimal import Decimal

from opskit.sales.cells.currencies import currency_of
from opskit.sales.cells.folding import folded, simplified
from opskit.sales.cells.heading_names import NAMES, OTHERS_HAN, OTHERS_IN_BRACKETS, OTHERS_LATIN, TAXED, Column
from opskit.sales.cells.scales import METRIC, POWER, in_words, scale

_LONGEST = 120
_HAN = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7ff"
_ONE_SCRIPT = re.compile(rf"[{_HAN}]+|[^{_HAN}]+")
_IS_HAN = re.compile(f"[{_HAN}]")
_BRACKETS = re.compile(r"[(\[{<【《「]([^()\[\]{}<>【】《》「」]*)[)\]}>】》」]")
_BRACKET = "()[]{}<>【】《》「」"
_AROUND = " \t\r\n*#:=-_.,;、'\"|/·"
_NUMBERED = re.compile(r"[0-9]{1,2}[.、)\s]*(?=\D)|(?<=\w)[._\s]?[0-9]{1,2}\Z")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATOR = re.compile(r"[/|:,\n\r、&+]|\s-\s")
_SPACES = re.compile(r"[\s_./'-]+")
_PICTURES = re.compile("[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_WORD = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+")
_MONEY_BEHIND = re.compile(r"(.{2,}?)((?:[十百千]?[万亿]|[百千])?(?:元|美元|人民币|rmb|cny|usd))")

_SURE, _ENDING, _LESS = 95, 50, 10  # a name that means just that; one that ends in it costs this, and a doubt that
_UNIT_NAMES = """
    件 台 个 箱 盒 瓶 包 套 只 支 条 份 双 张 袋 桶 斤 公斤 吨 千克 克 米
    pc pcs piece pieces unit units ea kg g box boxes
"""
_UNITS = frozenset(_UNIT_NAMES.split())


def _squeezed(text: str) -> str:
    """``text`` without case, spaces and accents."""
    letters = unicodedata.normalize("NFKD", _SPACES.sub("", text.casefold()))
    return unicodedata.normalize("NFC", "".join(letter for letter in letters if not unicodedata.combining(letter)))


def _known() -> dict[str, dict[Column, int]]:
    """Every name, squeezed, with its columns and scores."""
    known: dict[str, dict[Column, int]] = {}
    for column, tiers in NAMES.items():
        for score, names in tiers.items():
            for run in re.split(r"[,\n]", names):
                for name in run.split() if _IS_HAN.search(run) else [run]:
                    if key := _squeezed(simplified(name)):
                        known.setdefault(key, {}).setdefault(column, score)
    return known


_KNOWN = _known()
_ENDINGS = {name: scores for name, scores in _KNOWN.items() if max(scores.values()) >= _SURE and len(name) > 1}
_LONGEST_ENDING = max(map(len, _ENDINGS))


def match(header: str) -> list[tuple[Column, int]]:
    """The columns that ``header`` may name with a score from 1 to 100, best first; an unknown heading gives [].

    Above 60 are names that mean just that (``NAMES`` says what is preferred to what), 60 and below names that may
    ("name", "created at", "original price", "store") or that only end in a known one. "Amount" names both AMOUNT and
    TOTAL; with a unit or a currency behind it ("Amount (pcs)", "Amount (USD)") it is one of them.
    """
    if len(header) > _LONGEST:
        return []
    text, hints = _opened(header)
    if any(OTHERS_IN_BRACKETS.search(hint) for hint in hints if not hint.startswith("-")):  # "(- refund)" is net of it
        return []
    scores = _named(text) or {column: score - _LESS for column, score in _named(TAXED.sub(" ", text)).items()}
    for hint in hints:
        scores = _told(scores, hint)
    return sorted(scores.items(), key=lambda found: -found[1])


def column_of(header: str) -> Column | None:
    """The column that ``header`` names best, or None."""
    found = match(header)
    return found[0][0] if found else None


def factor(header: str) -> Decimal:
    """What one stands for below ``header``: 10,000 below "销售额(万元)", 0.01 below "Price (cents)"; as a rule 1."""
    text, hints = _opened(header[:_LONGEST])
    money = _MONEY_BEHIND.fullmatch(_squeezed(text))
    told = [*hints, *_SEPARATOR.split(text)[1:], *([money[2]] if money else [])]
    return next((found for hint in told if (found := unit_of(hint)) != 1), in_words(text))


def unit_of(hint: str) -> Decimal:
    """What one stands for in figures that are counted in ``hint``: "万元", "(千台)", "'000 USD"; or 1."""
    return scale(simplified(unicodedata.normalize("NFKC", folded(hint))).strip(_BRACKET + " "), _UNITS)


def _opened(header: str) -> tuple[str, list[str]]:
    """The heading without what stands in brackets and around it, and what stands in brackets."""
    text = simplified(unicodedata.normalize("NFKC", folded(_PICTURES.sub(" ", header)))).strip(_AROUND)
    outside = _BRACKETS.sub(" ", text).strip(_AROUND)
    if not outside:
        return text.strip(_BRACKET + _AROUND), []
    return outside, [hint.casefold() for hint in _BRACKETS.findall(text)]


def _whole(text: str) -> dict[Column, int]:
    """The columns of a name that we know, perhaps numbered ("1.日期", "date.1") or with money behind ("单价元")."""
    key = _squeezed(text)
    if key in _KNOWN:
        return dict(_KNOWN[key])
    if money := _MONEY_BEHIND.fullmatch(key):
        return _told(dict(_KNOWN.get(money[1], {})), money[2])
    key = _squeezed(_NUMBERED.sub("", text))
    return {column: score - _LESS for column, score in _KNOWN.get(key, {}).items()}


def _named(text: str) -> dict[Column, int]:
    return _whole(text) or ({} if _is_other(text) else _parts(text) or _ending(_SEPARATOR.split(text)[0].strip()))


def _parts(text: str) -> dict[Column, int]:
    """The columns of a heading in two languages, with two names, or with a unit: "日期 Date", "单价/元"."""
    parts = [part for piece in _SEPARATOR.split(text) for part in _ONE_SCRIPT.findall(piece) if part.strip(_AROUND)]
    if any(len(part) == 1 and _IS_HAN.match(part) for part in parts) and any(map(str.isdecimal, text)):
        return {}  # the 日 of "3月1日"
    scores: dict[Column, int] = {}
    for part in parts:
        for column, score in _whole(part).items():
            scores[column] = max(score, scores.get(column, 0))
    for part in parts:
        scores = _told(scores, part)
    best = max(scores.values(), default=0)
    if sum(score > best - _LESS for score in scores.values()) > 1:  # "数量/金额" is two columns in one
        return {column: min(score, _ENDING) for column, score in scores.items()}
    return scores


def _ending(text: str) -> dict[Column, int]:
    """The columns of a name that ends in one we know: "实际销售单价", "Customer Region"."""
    words = _words(text)
    starts = range(1, len(words)) if text.isascii() else range(0)
    for start in starts:
        if (name := "".join(words[start:])) in _ENDINGS:
            return _as_ending(name)
    if words[-1:] == ["amount"]:
        return {Column.TOTAL: _ENDING, Column.AMOUNT: _ENDING - _LESS}
    key = _squeezed(text)
    for start in range(max(1, len(key) - _LONGEST_ENDING), len(key) - 1):
        if not key[start].isascii() and key[start:] in _ENDINGS:
            return _as_ending(key[start:])
    return {}


def _as_ending(name: str) -> dict[Column, int]:
    return {column: score - _ENDING for column, score in _ENDINGS[name].items()}


def _told(scores: dict[Column, int], hint: str) -> dict[Column, int]:
    """``scores`` where a unit or a currency beside the name tells which of quantity and line total is meant."""
    if not {Column.AMOUNT, Column.TOTAL} <= scores.keys():
        return scores
    hint = _squeezed(hint)
    found = POWER.fullmatch(hint)
    hint = found[2] if found and hint not in METRIC else hint
    told = Column.AMOUNT if hint in _UNITS else Column.TOTAL if currency_of(hint.partition("/")[0]) else None
    return {told: 90} if told else scores


def _is_other(text: str) -> bool:
    """Whether a word in the heading makes it the name of another column: "产品编号", "Sales Rep"."""
    return bool(OTHERS_HAN.search(text)) or not OTHERS_LATIN.isdisjoint(_words(text))


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", text))]
