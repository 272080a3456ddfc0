"""In which encoding a text file is written, told by evidence that works on five rows.

UTF-8 proves itself; UTF-16 shows in its zero bytes. For the rest each candidate decodes the lines that are not
ASCII, and every character speaks for or against it, weighted by its bytes: words of sales tables most, then the
common characters of the encoding; rare ones, and bytes that do not decode, against.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from opskit.sales.opening.layout import Limits

_CHUNK = 1 << 20
_EVIDENCE = 16_384
_WINDOW = 262_144
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What Python calls the superset that is really in use, by the name that is told.
CODECS = {"big5": "cp950", "shift_jis": "cp932"}
_LATIN = "\u024f"
_SIGNS = frozenset("。、·　€“”‘’…—《》【】")  # of GB 2312
_WORDS = frozenset(
    "日期时间下单订单编号商品产品名称品名单价售价价格数量件台销售额金额小计合计总计地区区域省份城市门店备注元年月星期"
    "時間訂單編號產品名稱單價價格數量銷售額金額小計總計地區區域縣市門店備註華東南西北中"
    "日付商品製品単価価格数量売上金額合計小計地域地方都道府県店舗備考年月東西南北関"
    "華东西南北中广州上海北京深圳电视机手冰箱空调笔记本耳饭煲显示器"
)
_SYMBOLS = frozenset("€£¥°®©™·’‘“”–—…½¼¾²³µ§«»ßñçÇÑ")
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x19\x1b-\x1e]")
_MOSTLY_ZERO = 0.12  # share of pairs with a zero on one side that makes UTF-16 of a text
_TIMES = 3  # as many zeros on one side as on the other, where an ideographic space is one
_FEW = 10
_FIT, _FAIR = 3.0, 1.0
_ERROR, _RARE = -4.0, -1.5


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to decode a file: ``name`` as told to people, ``bom`` bytes to skip, and what is odd in it."""

    name: str
    bom: int = 0
    errors: bool = False  # some bytes fit nothing and become U+FFFD
    nul: bool = False  # it holds NUL bytes, which are left out
    binary: bool = False  # it is no text at all

    @property
    def codec(self) -> str:
        """The name of Python's codec."""
        return CODECS.get(self.name, self.name)


def encoding_of(path: Path, limits: Limits, *, whole: bool) -> Encoding:
    """The encoding of ``path``; unless ``whole``, of its first ``limits.head_bytes``."""
    with path.open("rb") as file:
        head = file.read(65_536)
    for bom, name in _BOMS:
        if head.startswith(bom):
            scan = _Scan(path, len(bom), None if whole else limits.head_bytes)
            if name == "utf-8":
                return Encoding(name, len(bom), errors=not scan.utf8, nul=scan.nul, binary=scan.binary)
            return Encoding(name, len(bom), errors=not _decodes(path, name, len(bom)))
    if name := _utf16(head):
        return Encoding(name, errors=not _decodes(path, name, 0))
    scan = _Scan(path, 0, None if whole else limits.head_bytes)
    if scan.utf8:
        return Encoding("utf-8", nul=scan.nul, binary=scan.binary)
    name = _judged(scan.evidence)
    codec = CODECS.get(name, name)
    errors = name == "utf-8" or (whole and not _decodes(path, codec, 0))
    return Encoding(name, errors=errors, nul=scan.nul, binary=scan.binary)


class _Scan:
    """One pass over a file's bytes: whether they are UTF-8, hold NUL or are binary, and its lines beyond ASCII."""

    def __init__(self, path: Path, start: int, limit: int | None) -> None:
        self.utf8, self.nul, self.evidence = True, False, b""
        nuls = controls = count = 0
        decode = codecs.getincrementaldecoder("utf-8")()
        for chunk in _chunks(path, start, limit):
            count += len(chunk)
            nuls += chunk.count(0)
            if chunk.isascii():
                self.utf8 = self.utf8 and not decode.getstate()[0]
                decode.reset()
            else:
                self.utf8 = self.utf8 and _feeds(decode, chunk)
                if len(self.evidence) < _EVIDENCE:
                    self.evidence += _beyond_ascii(chunk)
            if count == len(chunk):
                controls = len(re.findall(rb"[\x01-\x08\x0e-\x19\x1b-\x1e\x7f]", chunk)) - chunk.count(1)
        if limit is None:
            self.utf8 = self.utf8 and not decode.getstate()[0]
        self.evidence = self.evidence[:_EVIDENCE]
        self.nul = nuls > 0
        self.binary = nuls * 3 > count or controls * 50 > min(count, _CHUNK) + 150


def _beyond_ascii(chunk: bytes) -> bytes:
    """Lines of ``chunk`` that are not ASCII, from the first on. A cut one begins in the middle of nothing."""
    first = re.search(rb"[\x80-\xff]", chunk)
    start = max(first.start() - 200, 0) if first else 0
    return b"\n".join(line for line in chunk[start : start + _WINDOW].splitlines() if not line.isascii()) + b"\n"


def _chunks(path: Path, start: int, limit: int | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = limit
        while chunk := file.read(_CHUNK if left is None else min(_CHUNK, left)):
            yield chunk
            left = None if left is None else left - len(chunk)


def _feeds(decode: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decode.decode(chunk)
    except UnicodeDecodeError:
        decode.reset()
        return False
    return True


def _decodes(path: Path, codec: str, start: int) -> bool:
    decode = codecs.getincrementaldecoder(codec)()
    if not all(_feeds(decode, chunk) for chunk in _chunks(path, start, None)):
        return False
    try:
        decode.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _utf16(head: bytes) -> str:
    """The byte order of UTF-16 without a BOM, or "": the zero bytes of its ASCII stand on one side of the pairs."""
    pairs = len(head) // 2
    low, high = head[: pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    few, many = sorted((low, high))
    if many < max(pairs * _MOSTLY_ZERO, 2) or few * _TIMES > many:
        return ""
    name = "utf-16-le" if high > low else "utf-16-be"
    text = head[: pairs * 2].decode(name, "replace")
    odd = text.count("\0") + text.count("\ufffd") + len(_CONTROL.findall(text)) - text.count("\x01")
    return name if odd * _FEW <= len(text) else ""


def _judged(evidence: bytes) -> str:
    """The most likely encoding of lines that are not UTF-8 throughout; UTF-8 where nothing fits."""
    scores = {name: _score(evidence, name) for name in ("utf-8", "gb18030", "big5", "shift_jis")}
    scores["cp1252"] = _western(evidence)
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 0 else "utf-8"


def _score(evidence: bytes, name: str) -> float:
    text = evidence.decode(CODECS.get(name, name), "replace")
    return sum(_weight(char, name) for char in text if char > "\x7f")


@cache
def _weight(char: str, name: str) -> float:
    """How much ``char`` speaks for the encoding ``name``, multiplied by the bytes it takes there."""
    if char == "\ufffd":
        return _ERROR
    raw = char.encode(CODECS.get(name, name), "replace")
    if name == "utf-8":
        return _FIT * len(raw)
    if char in _WORDS:
        return _FIT * len(raw)
    lead = raw[0]
    if name == "gb18030":
        pair = len(raw) == 2 and raw[1] >= 0xA1  # noqa: PLR2004 GB 2312
        common = pair and (0xB0 <= lead <= 0xD7 or lead == 0xA3 or char in _SIGNS)  # noqa: PLR2004 its level 1, and wide ASCII
        common = common or (len(raw) == 4 and (char <= _LATIN or char.isspace()))  # noqa: PLR2004 what other encodings of hanzi lack: ¥, é
        second = pair and 0xA1 <= lead <= 0xF7  # noqa: PLR2004 the rest of GB 2312
    elif name == "big5":
        common = 0xA4 <= lead <= 0xC6 or char in "，。：；、（）￥　"  # noqa: PLR2004 level 1 of Big5
        second = lead < 0xA4  # noqa: PLR2004 its symbols
    else:
        common = 0x82 <= lead <= 0x97 and len(raw) > 1  # noqa: PLR2004 kana and level 1 of JIS X 0208
        second = lead == 0x81  # noqa: PLR2004 its symbols
    return (_FAIR if common else 0.0 if second else _RARE) * len(raw)


def _western(evidence: bytes) -> float:
    """The score of cp1252: accented letters and signs stand alone between ASCII; runs of them mean hanzi."""
    score = 0.0
    for run in re.finditer(rb"[\x80-\xff]+", evidence):
        text = run[0].decode("cp1252", "replace")
        fair = all(char.isalpha() or char in _SYMBOLS or char == "\xa0" for char in text)
        score += (_FIT if fair else -_FAIR) if len(text) == 1 else (0.3 if fair else -2.0) * (2 / len(text))
        score += _RARE * max(len(text) - 2, 0)
    return score
