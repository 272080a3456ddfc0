"""Cutting a text into pieces of a given size, at the best places that its structure offers."""

import json
from bisect import bisect_right
from dataclasses import dataclass

from opskit.dingtalk.markdown.lines import Kind, Line, read, read_plain
from opskit.dingtalk.markdown.spans import Spans, begins_block, is_whole, protected, sentence_ends, spaces
from opskit.errors import InvalidInput

# How much a cut before a line breaks, least first.
_HEADING, _BLOCK, _ITEM, _NESTED, _LINE = range(5)
_MARKERS = frozenset({Kind.FENCE_OPEN, Kind.FENCE_CLOSE, Kind.TABLE_RULE, Kind.UNDERLINE})
_KEPT_WHOLE = frozenset({Kind.FENCED, Kind.TABLE_ROW, Kind.TABLE_HEAD})


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text: ``body`` is its very words, ``opening`` and ``closing`` what a cut block needs around them."""

    opening: str
    body: str
    closing: str

    @property
    def text(self) -> str:
        """The piece as it is sent."""
        return self.opening + self.body + self.closing


@dataclass(frozen=True, slots=True)
class _Cut:
    """A place to cut at, with what closes the block before it and opens it again behind it."""

    place: int
    closing: str = ""
    opening: str = ""


def size(text: str) -> int:
    """The bytes that ``text`` takes inside a compact UTF-8 JSON string without ASCII escapes."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2 if text else 0


def split(text: str, limit: int, *, markdown: bool = True) -> list[Piece]:
    """Cut ``text`` into pieces of at most ``limit`` bytes (see ``size``), whose bodies joined are ``text`` again.

    Cut before headings, then between paragraphs, list items, table rows and lines, then behind sentences, then
    words; never inside a link, a fence's marker line or a character. A fence that must be cut is closed and
    opened again, a table gets its head again. InvalidInput: a single link is longer than ``limit``.
    """
    cutter = _Cutter(text, limit, markdown=markdown)
    pieces: list[Piece] = []
    cut = _Cut(0)
    while not pieces or cut.place < len(text):
        following = cutter.next_cut(cut)
        pieces.append(Piece(cut.opening, text[cut.place : following.place], following.closing))
        cut = following
    return pieces


class _Cutter:
    def __init__(self, text: str, limit: int, *, markdown: bool) -> None:
        self._text = text
        self._limit = limit
        self._lines = read(text) if markdown else read_plain(text)
        self._starts = [line.start for line in self._lines]
        self._before = [0]  # bytes before each line
        for line in self._lines:
            self._before.append(self._before[-1] + size(text[line.start : line.end]))
        self._ranks = _ranks(self._lines)
        self._protected: dict[int, tuple[Spans, Spans]] = {}

    def next_cut(self, begin: _Cut) -> _Cut:
        """The cut that ends the piece which begins at ``begin``.

        The least breaking one between two lines in the second half of the piece, else one inside the line that
        does not fit, else whatever comes last.
        """
        if not self._lines:
            return _Cut(len(self._text))
        room = self._limit - size(begin.opening)
        first = bisect_right(self._starts, begin.place) - 1
        used = self._before[first] + size(self._text[self._starts[first] : begin.place])
        best: dict[int, _Cut] = {}
        last: _Cut | None = None
        index = first + 1
        while index <= len(self._lines) and self._before[index] - used <= room:
            cut = self._before_line(index)
            if self._before[index] - used + size(cut.closing) <= room:
                if index == len(self._lines):
                    return cut
                rank = self._ranks[index]
                if rank is not None:
                    last = cut
                    if self._before[index] - used >= room // 2:
                        best[rank] = cut
            index += 1
        if best:
            return best[min(best)]
        return self._inside(min(index, len(self._lines)) - 1, begin, room, used, last)

    def _before_line(self, index: int) -> _Cut:
        """The cut before a line, or at the end of the text; an open fence is closed and opened again."""
        if index == len(self._lines):
            line = self._lines[-1]
            unclosed = line.kind in {Kind.FENCE_OPEN, Kind.FENCED}
            return _Cut(line.end, _closed(self._text[line.start : line.end], line) if unclosed else "")
        line = self._lines[index]
        if line.kind in {Kind.FENCED, Kind.FENCE_CLOSE}:
            return _Cut(line.start, line.closing, line.opening)
        if line.kind is Kind.TABLE_ROW and self._head_fits(index):
            return _Cut(line.start, opening=line.opening)
        return _Cut(line.start)

    def _head_fits(self, index: int) -> bool:
        """Whether a table's head may be repeated before a row: it must leave the rows the greater part."""
        head = size(self._lines[index].opening)
        return head <= self._limit // 2 and head + self._bytes(index) <= self._limit

    def _bytes(self, index: int) -> int:
        return self._before[index + 1] - self._before[index]

    def _inside(self, index: int, begin: _Cut, room: int, used: int, last: _Cut | None) -> _Cut:
        """A cut inside line ``index``, which does not fit into the piece."""
        line = self._lines[index]
        whole = self._before_line(index)
        fits_next = size(whole.opening) + self._bytes(index) + size(line.closing) <= self._limit
        if last and (line.kind in _MARKERS or (line.kind in _KEPT_WHOLE and fits_next)):
            return last
        if line.kind in _MARKERS and line.start > begin.place:
            return whole
        start = max(line.start, begin.place)
        taken = max(self._before[index] - used, 0)
        closing = f"\n{line.closing}" if line.kind is Kind.FENCED else ""
        opening = line.opening if line.kind in {Kind.FENCED, Kind.TEXT} else ""
        furthest = self._furthest(start, line.end, room - taken - size(closing))
        half = self._furthest(start, furthest, room // 2 - taken)
        place = self._place(index, start, half, furthest)
        if place > start:
            return _Cut(place, closing, opening)
        if last or start > begin.place:
            return last or whole
        return _Cut(self._forced(index, start, furthest), closing, opening)

    def _furthest(self, start: int, end: int, room: int) -> int:
        """The last place up to ``end`` at which the text from ``start`` takes at most ``room`` bytes."""
        low, high = start, min(end, start + max(room, 0))
        while low < high:
            middle = (low + high + 1) // 2
            if size(self._text[start:middle]) <= room:
                low = middle
            else:
                high = middle - 1
        return low

    def _place(self, index: int, start: int, half: int, furthest: int) -> int:
        """The best place in a line: behind a sentence, then a word, then a character; ``start`` when there is none."""
        if self._lines[index].kind is not Kind.FENCED:
            for ends in (sentence_ends, spaces):
                for place in reversed(ends(self._text, half, furthest)):
                    if place > start and self._may_cut(index, place):
                        return place
        place = furthest
        while place > start and not self._may_cut(index, place):
            stretch = self._stretch(index, place)
            place = stretch[0] if stretch else place - 1
        if place > start:
            return place
        return self._between_characters(index, start, furthest)

    def _between_characters(self, index: int, start: int, furthest: int) -> int:
        """The last place that cuts a code span rather than a link or a character."""
        place = furthest
        while place > start and not is_whole(self._text, place):
            place -= 1
        link = self._spans(index)[0].around(place)
        return max(link[0], start) if link else place

    def _forced(self, index: int, start: int, furthest: int) -> int:
        """What is left: a character of more bytes than a piece holds is cut, a link is not."""
        link = self._spans(index)[0].around(start + 1)
        if link and self._lines[index].kind is not Kind.FENCED:
            raise InvalidInput("unbreakable_link", bytes=size(self._text[slice(*link)]), limit=self._limit)
        return max(furthest, start + 1)

    def _may_cut(self, index: int, place: int) -> bool:
        return is_whole(self._text, place) and not begins_block(self._text, place) and not self._stretch(index, place)

    def _stretch(self, index: int, place: int) -> tuple[int, int] | None:
        """The link or code span that ``place`` would cut."""
        links, codes = self._spans(index)
        return links.around(place) or codes.around(place)

    def _spans(self, index: int) -> tuple[Spans, Spans]:
        """Links and code spans of a line, by their places in the text."""
        if index not in self._protected:
            line = self._lines[index]
            self._protected = {index: protected(self._text, line.start, line.end)}
        return self._protected[index]


def _closed(line: str, fence: Line) -> str:
    return fence.closing if line.endswith("\n") else f"\n{fence.closing}"


def _ranks(lines: list[Line]) -> list[int | None]:
    """For each line what a cut before it breaks, or None where none may be."""
    ranks: list[int | None] = []
    words: Line | None = None  # the latest line that is not blank
    for index, line in enumerate(lines):
        ranks.append(_rank(line, lines[index - 1], words) if index else None)
        words = words if line.kind is Kind.BLANK else line
    return ranks


def _rank(line: Line, before: Line, words: Line | None) -> int | None:  # noqa: PLR0911 - a table of cases
    """What a cut between two lines breaks; a heading stays with what follows it."""
    if line.kind in {Kind.FENCE_CLOSE, Kind.TABLE_RULE, Kind.UNDERLINE}:
        return None
    if (words and words.kind in {Kind.HEADING, Kind.UNDERLINE}) or before.kind in {Kind.FENCE_OPEN, Kind.TABLE_RULE}:
        return None
    if line.kind is Kind.BLANK:
        return _LINE if before.kind is Kind.BLANK else None
    if line.kind in {Kind.FENCED, Kind.TABLE_ROW}:
        return _LINE
    if line.kind is Kind.HEADING:
        return _HEADING
    if line.kind is Kind.ITEM:
        return _NESTED if line.nested else _ITEM if before.kind is not Kind.BLANK else _BLOCK
    opens = line.kind in {Kind.FENCE_OPEN, Kind.TABLE_HEAD}
    if opens or before.kind in {Kind.BLANK, Kind.FENCE_CLOSE, Kind.TABLE_ROW}:
        return _BLOCK
    return _LINE
