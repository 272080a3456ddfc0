"""Where a text ends that was quoted badly or not at all, and what it takes to make a JSON text of it."""

import json
import re
import sys
from collections.abc import Iterator
from enum import Enum
from functools import cache
from json.encoder import encode_basestring
from typing import NamedTuple

from opskit.jsonfix import marks
from opskit.jsonfix.edits import Edit, applied


class Role(Enum):
    """What a text is: the key or a value of an object, an item of an array, or all there is."""

    KEY = marks.AFTER_KEY
    VALUE = marks.AFTER_VALUE
    ITEM = marks.AFTER_ITEM
    ROOT = marks.AFTER_ROOT
    LAST_VALUE = marks.AFTER_LAST_VALUE  # in the outermost brackets
    LAST_ITEM = marks.AFTER_LAST_ITEM

    def __init__(self, after: re.Pattern[str]) -> None:
        self.after = after  # what may follow the mark that ends it
        self.in_object = self.name in ("VALUE", "LAST_VALUE")  # a key may follow
        self.in_array = self.name in ("ITEM", "LAST_ITEM")  # another item may follow


class Extent(NamedTuple):
    """A text: its marks and what is between them. ``why`` says how its end was found, "" where it is marked."""

    start: int
    inner: int
    inner_end: int
    end: int
    why: str


_LONG = 2_000  # characters of a text that may have many inner marks
_LOOK = 400  # characters to the next quotation mark
_FAR = 10_000  # characters to a mark that a backslash hides
_TRIES = 50  # doubled quotation marks
_TROUBLE = re.compile(r'["\\\x00-\x1f]')
_UNIT = re.compile(
    r'\\(?:["\\](?:\\["\\])*+|[/bfnrt]|u[0-9a-fA-F]{4})|(?P<bad>"+|[\x00-\x1f]+|\\(?:x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|\r\n|(?s:.))?)'
)
_STRAY_END = re.compile(rf"[\s{marks.ODD_SPACE}]*+[{marks.P_ENDS}\s;]*+\Z")
_KEY_CUT = re.compile(rf"[^\n{marks.ANY_QUOTE[1:-1]}{marks.COMMAS}{marks.COLONS}{{}}]{{1,80}}(?=[{marks.COLONS}])")
_HIDDEN_END = re.compile(r'\\["\']')
_CONTROL = {"\n": "\\n", "\t": "\\t", "\r\n": "\\r\\n"}
_DRIVE = re.compile(r"[A-Za-z]:\\(?!\\)")  # a path of Windows, where no backslash was meant as an escape
_FOREIGN_ESCAPE = re.compile(r'\\(?!["\\/bfnrtu])')
_MANY = 1_000  # faults in one text: more are mended as one
_ESCAPE = len(r"\ud83d")
_HIGH_HALF = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}")
_CUT_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3}|x[0-9a-fA-F]?)?")
_FOREIGN = {"'": "'", "`": "`", "0": "\\u0000", "v": "\\u000b", "$": "$"}
_UNENDED_KEY = re.compile(marks.UNENDED_KEY)
_LINE_END = re.compile(rf"\s*\n\s*[{marks.P_ENDS}][\s{marks.P_ENDS};]*+\Z")
_LOST_KEY = re.compile(rf"[{marks.COMMAS}]\s*{marks.NAME}\s*[{marks.COLONS}]\s*\Z")
_LOST_BEFORE = re.compile(rf"[{marks.OBJECT_END}{marks.P_ARRAY_END}]\s*(?P<comma>[{marks.COMMAS}])\s*[{{\[][\s{{\[]*\Z")
_CLOSERS = re.compile(r"[\]}][\]}\s]*\Z")
_COLON = re.compile(rf"{marks.GAP}[{marks.COLONS}]")
_PLAIN_END = re.compile(rf"{marks.GAP}(?:\Z|```|[{marks.COMMAS}{marks.P_ENDS}])")
_NAME = 100  # characters of a key without marks, its comma and its colon
_COMMAS, _COLONS, _OPENERS = frozenset(marks.COMMAS), frozenset(marks.COLONS), frozenset("[{")
_KEY = re.compile(marks.QUOTED_KEY)
_CLOSING: dict[str, re.Pattern[str]] = {
    mark: re.compile(rf"[^\\{ends}]*+(?:\\(?s:.)[^\\{ends}]*+)*+[{ends}]") for mark, ends in marks.QUOTES.items()
}


def quoted(text: str, start: int, role: Role, *, hidden: bool = True, trusting: bool = True) -> Extent:
    """The text whose opening mark is at ``start``.

    ``hidden``: a backslash may stand before its end by mistake; ``trusting``: a key may
    lack its closing mark, and another kind of mark may end a text that a plain one opens.
    """
    mark = text[start]
    if text.startswith(mark * 3, start) and mark in "\"'`":
        return _between(text, start, mark * 3)
    if text.startswith(mark * 2, start) and (found := _doubled(text, start, role)):
        return found
    if (
        role is Role.KEY
        and trusting
        and _UNENDED_KEY.match(text, start + 1)
        and (key := _KEY_CUT.match(text, start + 1))
    ):
        return Extent(start, start + 1, key.end(), key.end(), "key_ended")
    inner = position = start + 1
    after = role.after
    to_next = _CLOSING[mark]
    while closing := to_next.match(text, position):
        place = closing.end() - 1
        is_own = _is_own(mark, text[place])
        if text[place + 1 : place + 2].isalpha():  # the mark of an inner text
            pass
        elif not is_own and not (trusting and (_COLON if role is Role.KEY else _PLAIN_END).match(text, place + 1)):
            pass  # another kind of mark ends a text only where nothing is missing behind it
        elif after.match(text, place + 1) or (
            position == inner and role.in_array and marks.UNOPENED.match(text, place + 1)
        ):
            return Extent(start, inner, place, place + 1, "" if is_own else "quote_mixed")
        if is_own and (lost := _lost(text, inner, place, role)):
            return _trimmed(text, start, lost)
        position = place + 1
        if position > inner + _LONG and to_next is _CLOSING[mark]:
            to_next = _to_likely_end(mark, role)
    return _open(text, start, inner, role, hidden=hidden)


@cache
def _to_likely_end(mark: str, role: Role) -> re.Pattern[str]:
    """Goes over the marks that nothing follows as behind an end, and that nothing precedes as where one is lost.

    It finds in one step what ``quoted`` finds from mark to mark, but takes some hundredths of a second to make.
    """
    end = _CLOSING[mark].pattern
    lost = marks.COLONS + ("{[" if role is Role.KEY else marks.COMMAS)  # where ``_lost`` looks closer
    return re.compile(rf"(?:{end}(?:(?<=[^\s{lost}].)|(?<=[^\s{lost}] .))(?!{role.after.pattern}))*+{end}")


def _is_own(mark: str, end: str) -> bool:
    """Whether what ends a text is of the kind that opens it; a plain mark ends itself."""
    return mark == end or mark not in ("'", '"')


def _trimmed(text: str, start: int, lost: Extent) -> Extent:
    """A text without its closing mark, without the space behind it; a backslash may have hidden that mark."""
    inner, end = lost.inner, lost.end
    while end > inner and text[end - 1].isspace():
        end -= 1
    if text[max(inner, end - 2) : end] == f"\\{text[start]}":
        return Extent(start, inner, end - 2, end, "backslash_escaped")
    return Extent(start, inner, end, end, lost.why)


def _between(text: str, start: int, marks_: str) -> Extent:
    """The text between three marks, as Python writes long ones."""
    end = text.find(marks_, start + 3)
    if end < 0:
        return Extent(start, start + 3, len(text), len(text), "truncated")
    while text.startswith(marks_[0], end + 3):  # the mark before the closing ones belongs to the text
        end += 1
    return Extent(start, start + 3, end, end + 3, "")


def _doubled(text: str, start: int, role: Role) -> Extent | None:
    """The text between doubled marks: ""answer""."""
    pair = text[start] * 2
    first = text[start + 2 : start + 3]
    if first in ("", "\\") or (not first.isalpha() and role.after.match(text, start + 2)):
        return None
    place = start + 2
    for _ in range(_TRIES):
        place = text.find(pair, place, place + _LOOK)
        if place < 0:
            return None
        if role.after.match(text, place + 2):
            return Extent(start, start + 2, place, place + 2, "")
        place += 2
    return None


def _lost(text: str, inner: int, place: int, role: Role) -> Extent | None:
    """The text that ended unmarked before ``place``, where a mark stands that opens the next one."""
    end = place
    while end > inner and text[end - 1].isspace():
        end -= 1
    last = text[end - 1] if end > inner else ""
    if role is Role.KEY:
        if last in _OPENERS:
            end -= 1
            while end > inner and text[end - 1].isspace():
                end -= 1
        return _cut(inner, end - 1) if text[end - 1] in _COLONS and end > inner else None
    if last in _OPENERS:
        return _lost_before(text, inner, end, place, role)
    after_comma = last in _COMMAS
    if after_comma or "\n" in text[end:place]:
        opens_key = role.in_object and _KEY.match(text, place)
        if opens_key or (role.in_array and _next_ends(text, place, role)):
            return _cut(inner, _before_closers(text, inner, end - after_comma, role))
    if last in _COLONS and role.in_object:
        begin = max(inner, end - _NAME)
        found = _LOST_KEY.search(text[begin:end])
        if found and _next_ends(text, place, role):
            return _cut(inner, begin + found.start())
    return None


def _lost_before(text: str, inner: int, end: int, place: int, role: Role) -> Extent | None:
    """The same where brackets close and open between the two, as in [{"a": "b}, {"a": "c"}]."""
    begin = max(inner, end - _NAME)
    found = _LOST_BEFORE.search(text[begin:end])
    opens = _KEY.match(text, place) if text[end - 1] == "{" else _next_ends(text, place, role)
    return _cut(inner, _before_closers(text, inner, begin + found.start("comma"), role)) if found and opens else None


def _before_closers(text: str, inner: int, end: int, role: Role) -> int:
    """Where a text without its mark ends before brackets that nothing in it opens: they end what is around it."""
    found = _CLOSERS.search(text, max(inner, end - _NAME), end)
    mine = {Role.VALUE: "}", Role.ITEM: "]"}.get(role)
    if not found or not mine:
        return end
    own = text[inner : found.start()]
    left = {"}": own.count("{") - own.count("}"), "]": own.count("[") - own.count("]")}
    for place in range(found.start(), end):
        mark = text[place]
        if mark in left:
            if left[mark] <= 0:
                return place if mark == mine else end
            left[mark] -= 1
    return end


def _next_ends(text: str, place: int, role: Role) -> bool:
    """Whether the next mark after the one at ``place`` ends a text, so that this one opens it."""
    following = text.find(text[place], place + 1, place + _LOOK)
    return (
        following >= 0
        and not text[following + 1 : following + 2].isalpha()
        and role.after.match(text, following + 1) is not None
    )


def _cut(inner: int, end: int) -> Extent:
    return Extent(inner, inner, end, end, "quote_added")


def _open(text: str, start: int, inner: int, role: Role, *, hidden: bool) -> Extent:
    """The text that nothing ends. Brackets at the very end are not of it, and a backslash may have hidden its mark."""
    size = len(text)
    end = _HIDDEN_END.search(text, inner, inner + _FAR) if hidden else None
    if end and role.after.match(text, end.end()) and text[end.end() : end.end() + _LOOK].strip():
        return Extent(start, inner, end.start(), end.end(), "backslash_escaped")
    position = inner
    while hidden and role is not Role.ROOT and (end := _CLOSING[text[start]].match(text, position, inner + _FAR)):
        position = end.end()
        if _is_own(text[start], text[position - 1]) and marks.AFTER_ANY.match(text, position):
            return Extent(start, inner, position - 1, position, "end_guessed")
    tail = max(inner, size - _LOOK)
    ending = _LINE_END.search(text, tail) or _STRAY_END.search(text, tail)
    cut = ending.start() if ending else size
    closers = text[cut:].strip()
    if role in (Role.ROOT, Role.KEY) or not closers or (role.in_object and closers[0] == text[cut]):
        return Extent(start, inner, size, size, "truncated")
    return Extent(start, inner, cut, cut, "quote_added")


def written(text: str, extent: Extent) -> Iterator[Edit]:
    """What makes a JSON text of the extent."""
    start, inner, inner_end, end, why = extent
    if text[start:inner] != '"':
        yield Edit(start, inner, '"', "quote_changed" if inner > start else "quote_added")
    if _TROUBLE.search(text, inner, inner_end):
        whole = text[inner:inner_end]
        if whole.count('"') + whole.count("\n") > _MANY and "\\" not in whole:
            yield Edit(inner, inner_end, encode_basestring(whole)[1:-1], "quote_escaped")
        else:
            yield from _escaped(text, inner, inner_end, cut=why == "truncated")
    if why == "backslash_escaped":
        yield Edit(inner_end, end, '\\\\"', why)
    elif text[inner_end:end] != '"':
        yield Edit(inner_end, end, '"', why or "quote_changed")


def _escaped(text: str, start: int, end: int, *, cut: bool) -> Iterator[Edit]:
    """What makes the inside of a JSON text of the span; ``cut``: the text ends in the middle of it."""
    is_path = _DRIVE.match(text, start, end) and _FOREIGN_ESCAPE.search(text, start, end)
    pair = -1  # where an escape stands that needs another one: half of a surrogate pair
    for unit in _UNIT.finditer(text, start, end):
        bad = unit["bad"]
        first, last = unit.span()
        if bad is None and is_path and text[first + 1] not in '\\"':
            yield Edit(first, first + 1, "\\\\", "escape_fixed")
            continue
        if bad is None:
            pair = first if last - first == _ESCAPE and _HIGH_HALF.fullmatch(text, first, last) else -1
            continue
        if bad[0] == '"':
            yield Edit(first, last, '\\"' * len(bad), "quote_escaped")
        elif bad[0] != "\\":
            yield Edit(first, last, _CONTROL.get(bad) or json.dumps(bad)[1:-1], "control_escaped")
        elif cut and _CUT_ESCAPE.fullmatch(text, first, end):
            yield Edit(pair if pair >= 0 and first == pair + _ESCAPE else first, end, "", "truncated")
            return
        else:
            yield Edit(first, last, _escape(bad), "escape_fixed")
        pair = -1
    if cut and pair >= 0 and pair == end - _ESCAPE:
        yield Edit(pair, end, "", "truncated")


def _escape(bad: str) -> str:
    """What JSON writes for an escape that only other languages know."""
    kind, code = bad[1:2], bad[2:]
    if kind in ("x", "U") and code:
        number = int(code, 16)
        return json.dumps(chr(number) if number <= sys.maxunicode else "\ufffd")[1:-1]
    if kind in ("\n", "\r"):
        return ""
    if kind in _FOREIGN:
        return _FOREIGN[kind]
    return "\\\\" + json.dumps(kind, ensure_ascii=False)[1:-1]


def literal(content: str) -> str:
    """The text as JSON writes it, with the escapes that it has."""
    if "\\" not in content:
        return encode_basestring(content)
    return f'"{applied(content, _escaped(content, 0, len(content), cut=False))}"'
