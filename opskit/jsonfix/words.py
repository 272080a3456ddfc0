"""Words and numbers that nothing quotes: where they end, and what JSON writes for them."""

import re
from typing import NamedTuple

from opskit.jsonfix import marks
from opskit.jsonfix.texts import literal

_STRUCTURE = marks.OBJECT + marks.P_ARRAY + marks.P_ENDS + marks.COMMAS
# Where a word may end: before a key on the next line, at a mark of structure, a quotation mark, a comment. The first
# of the spaces of a run decides for all of them.
_MAYBE = re.compile(
    rf"(?<!\s)(?:[^\S\n]*+\n\s*+(?={marks.KEY}|[^\w\s]|\Z)|[^\S\n]++(?=[^\w\s]|\Z))|[{_STRUCTURE}\"“”]|/[/*]|<!--|\Z"
)
_ENDS_VALUE = re.compile(
    rf"[{marks.COMMAS}]{marks.GAP}(?:\Z|[{marks.P_ENDS}{marks.COMMAS}{marks.OBJECT}\"“「]|{marks.ELLIPSIS}|{marks.KEY})"
    rf"|[{marks.OBJECT_END}{marks.P_ARRAY_END}]{marks.NEXT}"
)
_AFTER_SPACE = re.compile(rf"\Z|```|[{marks.OBJECT_END}{marks.P_ARRAY_END}]{marks.NEXT}")
_QUOTED_KEY, _KEY = re.compile(marks.QUOTED_KEY), re.compile(marks.KEY)

WORDS = {
    "true": "true",
    "false": "false",
    "null": "null",
    "none": "null",
    "undefined": "null",
    "nil": "null",
}
_NOT_NUMBERS = {"nan", "infinity", "-infinity", "+infinity", "inf", "-inf", "+inf"}
_NUMBER = re.compile(marks.NUMBER)
_LOOSE = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>0|[1-9][0-9]*(?:_[0-9]+)*)?(?:(?P<point>\.)(?P<part>[0-9]*))?(?P<power>[eE][+-]?[0-9]*)?"
)
WIDE = str.maketrans("０１２３４５６７８９．－＋", "0123456789.-+")
_LONG = 1_000  # characters: Python writes no int of more than 4,300 digits
_RADIX = re.compile(r"(?P<sign>[+-]?)0(?:[xX](?P<x>[0-9a-fA-F]+)|[oO](?P<o>[0-7]+)|[bB](?P<b>[01]+))")


class Word(NamedTuple):
    """What JSON writes for a bare word, and why it is another thing than what stands there ("" where it is not)."""

    to: str
    why: str


def value_end(text: str, start: int, *, depth: int) -> tuple[int, int]:  # noqa: C901, PLR0911 - one rule a mark
    """Where the bare value of an object ends, and its closing mark; a comma that no key follows belongs to it."""
    if unparted := marks.LITERAL_BEFORE_KEY.match(text, start) or marks.LITERAL_ENDED.match(text, start):
        return unparted.end("word"), unparted.end("word")
    position = start
    while True:
        found = _MAYBE.search(text, position)
        assert found  # noqa: S101 - the end of the text is always found
        place, mark = found.start(), found[0]
        if not mark or mark == "<!--" or (mark[0] == "/" and (mark == "/*" or text[place - 1].isspace())):
            return place, place
        if position == start and marks.LITERAL.fullmatch(text, start, place):
            ended = text[place + len(mark) : place + len(mark) + 1]
            if (mark in marks.COMMAS and not ended.isdigit()) or (mark.isspace() and ended == "#"):
                return place, place
        if mark.isspace():
            after = found.end()
            following = text[after : after + 1]
            if not following.isalnum() and (_AFTER_SPACE.match(text, after) or _QUOTED_KEY.match(text, after)):
                return place, place
            if "\n" in mark and _KEY.match(text, after):
                return place, place
        elif mark in marks.ANY_QUOTE:
            if position == start and marks.LITERAL.fullmatch(text, start, place) and _QUOTED_KEY.match(text, place):
                return place, place
            if (marks.AFTER_LAST_VALUE if depth == 1 else marks.AFTER_VALUE).match(text, place + 1):
                return place, place + 1
        elif _ENDS_VALUE.match(text, place) or (depth == 1 and mark in marks.OBJECT_END):
            return place, place
        position = found.end()


_ITEM_STOP = re.compile(rf"[{marks.COMMAS}{marks.P_ENDS}\n\r\"{marks.OBJECT}]|(?<=\s)//|/\*|\Z")


def item_end(text: str, start: int) -> tuple[int, int]:
    """Where the bare item of an array ends, and the mark that closes it."""
    if unparted := marks.UNPARTED.match(text, start) or marks.LITERAL_ENDED.match(text, start):
        return unparted.end("word"), unparted.end("word")
    if unopened := marks.UNOPENED_ITEM.match(text, start):
        return unopened.end() - 1, unopened.end()
    found = _ITEM_STOP.search(text, start)
    assert found  # noqa: S101 - the end of the text is always found
    place = found.start()
    if found[0] == '"' and place > start and not text[place - 1].isspace() and marks.AFTER_ITEM.match(text, place + 1):
        return place, place + 1
    return place, place


def word(content: str, *, cut: bool) -> Word:
    """What a bare word stands for; ``cut``: the text ends with it, so its end may be missing."""
    lower = content.lower()
    if known := WORDS.get(lower):
        return Word(known, "" if known == content else "word_changed")
    if lower in _NOT_NUMBERS:
        return Word("null", "not_a_number")
    if cut and lower in {"t", "f", "n"} | {
        name[:size] for name in ("true", "false", "null") for size in range(2, len(name))
    }:
        return Word(next(name for name in ("true", "false", "null") if name.startswith(lower)), "truncated")
    if _NUMBER.fullmatch(content):
        return Word(content, "truncated" if cut else "")
    if loose := number(content):
        return Word(loose, "truncated" if cut else "number_changed")
    return Word(literal(content), "truncated" if cut else "value_quoted")


def number(content: str) -> str | None:
    """The number that other languages write so: +1, .5, 5., 1e, 1_000, 0xFF; a lone minus was to become one."""
    content = content.translate(WIDE)
    if (radix := _RADIX.fullmatch(content)) and len(content) < _LONG:
        base = {"x": 16, "o": 8, "b": 2}[str(radix.lastgroup)]
        return f"{'-' if radix['sign'] == '-' else ''}{int(radix[str(radix.lastgroup)], base)}"
    found = _LOOSE.fullmatch(content)
    if not found or not content or not (found["whole"] or found["part"] or content == "-"):
        return None
    power = found["power"] or ""
    whole = (found["whole"] or "0").replace("_", "")
    part = f".{found['part'] or '0'}" if found["point"] else ""
    return (
        f"{'-' if found['sign'] == '-' and content != '-' else ''}{whole}{part}{power if power[-1:].isdigit() else ''}"
    )
