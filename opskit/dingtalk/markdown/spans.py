"""Where inside a line it may be cut: never inside a link or a character, rather behind a sentence."""

import re
import unicodedata
from bisect import bisect_right

_LINK = re.compile(
    r"""!?\[(?:[^\[\]\\\n]|\\.|!?\[[^\[\]\n]*\](?:\([^()\s]*\))?)*\]   # the text, perhaps a picture in it
        \((?:[^()\s\\]|\\.|\([^()\s]*\))*(?:[ \t]+"[^"\n]*")?\)        # the address, perhaps a title
      | <[a-zA-Z][a-zA-Z0-9+.-]{1,30}:[^\s<>]*>                        # <https://…>
      | https?://[!-;=?-~]+                                            # https://…
    """,
    re.VERBOSE,
)
_BLOCK = re.compile(r"[ \t]*(?:`{3}|~{3}|#{1,6}[ \t]|[-*+][ \t]|\d{1,9}[.)][ \t]|>|\||[-=]+[ \t]*$)", re.MULTILINE)
_TICKS = re.compile(r"`+")
_SENTENCE = re.compile(r"""[。！？；…]+["'”’」』）)]*|[.!?;]+["')]*(?=\s)""")
_SPACE = re.compile(r"[ \t]+|[，、：）】》」』”]")
_JOINER = "\u200d"
# Unicode's blocks of what joins its neighbour, beyond the combining marks.
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_OTHER_EXTENDERS = frozenset({0x200C, 0xFF9E, 0xFF9F})
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
# The letters that Korean syllables are put together from, and what each may be followed by.
_LEADS, _VOWELS, _TAILS = range(0x1100, 0x1160), range(0x1160, 0x11A8), range(0x11A8, 0x1200)
_JAMO = ((_LEADS, (_LEADS, _VOWELS)), (_VOWELS, (_VOWELS, _TAILS)), (_TAILS, (_TAILS,)))


class Spans:
    """The stretches of a text that are not to be cut, in order and apart."""

    def __init__(self, found: list[tuple[int, int]]) -> None:
        self._starts = [start for start, _ in found]
        self._ends = [end for _, end in found]

    def around(self, place: int) -> tuple[int, int] | None:
        """The stretch that ``place`` stands inside of."""
        index = bisect_right(self._starts, place - 1) - 1
        if index >= 0 and self._starts[index] < place < self._ends[index]:
            return self._starts[index], self._ends[index]
        return None


def protected(text: str, start: int, end: int) -> tuple[Spans, Spans]:
    """The links, pictures and addresses between two places of a text, and its inline code spans."""
    links = Spans([match.span() for match in _LINK.finditer(text, start, end)])
    return links, Spans(_code([match.span() for match in _TICKS.finditer(text, start, end)]))


def _code(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """From a run of backticks to the next run of the same length, from left to right."""
    following: dict[int, int] = {}
    next_same: list[int | None] = [None] * len(runs)
    for index in range(len(runs) - 1, -1, -1):
        length = runs[index][1] - runs[index][0]
        next_same[index] = following.get(length)
        following[length] = index
    found, index = [], 0
    while index < len(runs):
        closing = next_same[index]
        if closing is not None:
            found.append((runs[index][0], runs[closing][1]))
            index = closing
        index += 1
    return found


def sentence_ends(line: str, start: int, end: int) -> list[int]:
    """Places behind a sentence's end."""
    return [match.end() for match in _SENTENCE.finditer(line, start, end)]


def spaces(line: str, start: int, end: int) -> list[int]:
    """Places behind a space or a Chinese comma."""
    return [match.end() for match in _SPACE.finditer(line, start, end)]


def begins_block(text: str, place: int) -> bool:
    """Whether what stands at ``place`` would become a fence, a heading, an item, a quote or a row as a line's begin."""
    return _BLOCK.match(text, place) is not None


def is_whole(text: str, place: int) -> bool:
    """Whether ``place`` stands between two characters as a reader sees them (Unicode's grapheme clusters)."""
    if place <= 0 or place >= len(text):
        return True
    before, after = text[place - 1], text[place]
    if _JOINER in {before, after} or (before == "\r" and after == "\n"):
        return False
    if unicodedata.category(after) in {"Mn", "Me", "Mc"} or _extends(ord(after)):
        return False
    if _is_flag(before) and _is_flag(after):
        start = place
        while start > 0 and _is_flag(text[start - 1]):
            start -= 1
        return (place - start) % 2 == 0
    return not _joins_jamo(ord(before), ord(after))


def _extends(point: int) -> bool:
    """Skin tones, the tags of regional flags, and half-width voicing marks."""
    return point in _SKIN_TONES or point in _TAGS or point in _OTHER_EXTENDERS


def _is_flag(character: str) -> bool:
    return ord(character) in _FLAG_LETTERS


def _joins_jamo(before: int, after: int) -> bool:
    """Whether two Korean letters belong to one syllable."""
    return any(before in first and any(after in second for second in followers) for first, followers in _JAMO)
