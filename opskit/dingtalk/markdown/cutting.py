"""Cutting a text into pieces of a given size, at the best places that its structure offers."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from opskit.dingtalk.markdown.blocks import read, read_plain
from opskit.dingtalk.markdown.graphemes import boundary_before, is_boundary
from opskit.dingtalk.markdown.lines import Fence, Kind, Line, Rank, Table
from opskit.dingtalk.markdown.measure import Ruler, size
from opskit.dingtalk.markdown.wholes import wholes

MIN_LIMIT = 16  # bytes: half of it may go to a fence's marks, and a character takes up to six

_QUOTE = "> "
_SENTENCE = re.compile(r"[。！？；…]++[”’」』）》】\"')\]]*+[ \t]*+|[.!?;]++[\"')\]]*+[ \t]++")
_PAUSE = re.compile(r"[，、：）】》〉」』”’]++[ \t]*+|[ \t\u3000]++")
# Words that would turn into marks if they came first in a piece.
_MARK = re.compile(r"[ \t]*+(?:[-+*#>=|]|[0-9]{1,9}[.)])")
_FENCE_MARK = re.compile(r" {0,3}(?:`{3,}+|~{3,}+)")
_PARTED = 8  # so many backticks
_FREELY_CUT = frozenset({Kind.TEXT, Kind.BLANK})


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: ``body`` is its own characters, ``opening`` and ``closing`` what a cut block needs."""

    opening: str
    body: str
    closing: str

    @property
    def text(self) -> str:
        """The part as it is sent."""
        return self.opening + self.body + self.closing


def split(text: str, limit: int, *, markdown: bool = True, kept: Iterable[tuple[int, int]] = ()) -> list[Piece]:
    """Cut ``text`` into pieces whose text takes at most ``limit`` bytes (see ``size``); one piece if it fits.

    The bodies joined are ``text`` again. Cut is, in order of preference, before a heading, between blocks, list
    items, rows of a table and lines, then behind a sentence, a word, a character; but only in the second half of
    a piece, as long as there is a place. A heading goes with what follows it. Links and characters stay whole.
    A fence that is cut is closed and opened again, a table gets its header again, a quote its mark. With
    ``markdown`` off a text has only blocks, lines, sentences, words and addresses. ``kept`` are further stretches,
    from start to end, that stay whole where they take at most half of ``limit``.

    What marks block and fence is repeated only where it takes at most half of ``limit``.
    InvalidInput: a link takes more than ``limit`` bytes. ValueError: ``limit`` is below ``MIN_LIMIT``.
    """
    if limit < MIN_LIMIT:
        message = f"limit is {limit}, below {MIN_LIMIT}"
        raise ValueError(message)
    if size(text) <= limit:
        return [Piece("", text, "")]
    return list(_Cutter(text, limit, markdown=markdown, kept=kept).pieces())


class _Cutter:
    """Walks through a text that takes several pieces, and finds the end of one after the other."""

    def __init__(self, text: str, limit: int, *, markdown: bool, kept: Iterable[tuple[int, int]]) -> None:
        self._text = text
        self._limit = limit
        self._lines = list(read(text) if markdown else read_plain(text))
        self._starts = [line.start for line in self._lines]
        self._ruler = Ruler(text)
        self._links, self._marked = wholes(text, self._lines, self._ruler, limit, markdown=markdown, kept=kept)
        self._known: dict[int, tuple[str, str]] = {}  # the brackets of a fence, by its start
        self._at = 0  # where the present piece begins
        self._room = limit  # bytes that it has for its body and its closing

    def pieces(self) -> Iterator[Piece]:
        """The pieces in order."""
        opening = ""
        while not self._fits(len(self._text)):
            cut = self._cut()
            yield Piece(opening, self._text[self._at : cut], self._closing(cut))
            opening = self._opening(cut)
            self._at, self._room = cut, self._limit - size(opening)
        yield Piece(opening, self._text[self._at :], self._closing(len(self._text)))

    def _cut(self) -> int:
        """Where the present piece ends."""
        furthest = self._furthest(Rank.LINE)
        if furthest is None:
            furthest = self._furthest(Rank.GLUED) or self._furthest(Rank.SEALED)
            return self._anywhere() if furthest is None else furthest
        half = self._ruler.reach(self._at, self._room // 2)
        if furthest <= half:
            return furthest
        best = self._best_line(half, furthest)
        if best is None:
            return self._best_word(half, furthest)
        return self._before_block(best) or best

    def _furthest(self, worst: Rank) -> int | None:
        """The last place that the piece may reach to, cutting before lines of no rank below ``worst``."""
        index = self._index(self._ruler.reach(self._at, self._room))
        while index >= 0 and self._lines[index].end > self._at:
            line = self._lines[index]
            place = self._inside(line) if worst is Rank.LINE and self._may_be_cut(line) else None
            if place is not None:
                return place
            if line.rank <= worst and self._may_cut_before(line):
                return line.start
            index -= 1
        return None

    def _best_line(self, half: int, furthest: int) -> int | None:
        """The last of the best-ranked places between lines from ``half`` to ``furthest``."""
        best: Line | None = None
        index = self._index(furthest)
        while (line := self._lines[index]).start >= half and not (best and best.rank is Rank.HEADING):
            if line.rank < (best.rank if best else Rank.GLUED) and self._may_cut_before(line):
                best = line
            index -= 1
        return best.start if best else None

    def _before_block(self, place: int) -> int | None:
        """A place before the fence or table that a cut at ``place`` would break, if it then stays whole.

        The present piece is left at least a quarter full.
        """
        block = self._line(place).block
        if block is None or place <= block.start:
            return None
        index = self._index(block.start)
        while self._lines[index].rank > Rank.NESTED and self._lines[index].start > self._at:
            index -= 1
        line = self._lines[index]
        whole = self._ruler.between(line.start, block.end) + size(self._closing(block.end)) <= self._limit
        filled = self._ruler.between(self._at, line.start) >= self._room // 4
        return line.start if whole and filled and self._may_cut_before(line) else None

    def _best_word(self, half: int, furthest: int) -> int:
        """The last end of a sentence between two places of a line, else of a word, else the second of them."""
        line = self._line(furthest)
        if line.kind is Kind.CODE:
            return furthest
        lowest = max(half, self._lowest(line))
        for pattern in (_SENTENCE, _PAUSE):
            ends = [match.end() for match in pattern.finditer(self._text, lowest, furthest)]
            for place in reversed(ends):
                if self._retreat(place, lowest) == place and not _MARK.match(self._text, place):
                    return place
        return furthest

    def _inside(self, line: Line) -> int | None:
        """The last place inside ``line`` that the present piece may reach to."""
        lowest = self._lowest(line)
        closing = size(self._brackets(line.block)[1]) + size("\n") if isinstance(line.block, Fence) else 0
        reach = self._ruler.reach(self._at, self._room - closing)
        breaks = len(self._text[line.start : line.end]) - len(self._text[line.start : line.end].rstrip("\r\n"))
        place = min(reach, line.end - breaks, len(self._text) - 1)
        while place > lowest and (earlier := self._retreat(place, lowest)) != place:
            place = earlier
        return place if place > lowest else None

    def _lowest(self, line: Line) -> int:
        """The place that a cut inside ``line`` has to be behind: its marks stay with the first of its words.

        Nor may a cut leave backticks alone that open or close no fence only because of what follows them.
        """
        start = max(line.content, self._at)
        if not (ticks := _FENCE_MARK.match(self._text, start)):
            return start
        if isinstance(line.block, Fence):
            return ticks.end()
        closing = self._text.find("`", ticks.end(), line.end)
        return line.end if closing < 0 else closing

    def _retreat(self, place: int, lowest: int) -> int:
        """``place`` if a cut there breaks nothing and begins no fence, else an earlier place to try."""
        for wholes_ in (self._links, self._marked):
            start = wholes_.around(place)
            if start is not None:
                return start
        if not is_boundary(self._text, place, self._at):
            return boundary_before(self._text, place, self._at)
        if _FENCE_MARK.match(self._text, place):
            return lowest + len(self._text[lowest:place].rstrip("`~ ")) - 1
        return place

    def _anywhere(self) -> int:
        """Where to cut when there is no good place: between two characters, at worst inside one, not in a link.

        Backticks that would open a fence, were they left alone, are parted.
        """
        line = self._line(self._at)
        ticks = _FENCE_MARK.match(self._text, max(line.content, self._at))
        if ticks and line.kind is Kind.TEXT and len(ticks[0]) <= _PARTED:
            return ticks.end() - len(ticks[0].lstrip()) + 2
        reach = min(self._ruler.reach(self._at, self._room), len(self._text) - 1)
        if not self._fits(reach):
            reach = self._ruler.reach(self._at, self._room - size(self._closing(reach)) - size("\n"))
        link = self._links.around(reach)
        place = boundary_before(self._text, reach if link is None else max(link, self._at), self._at)
        return place if place > self._at else max(reach, self._at + 1)

    def _may_be_cut(self, line: Line) -> bool:
        """Whether a cut inside ``line`` is fine: in text it is, elsewhere only if the line fits into no piece."""
        if line.kind in _FREELY_CUT:
            return True
        around = 0
        if isinstance(line.block, Fence):
            around = size("".join(self._brackets(line.block))) + 2 * size("\n")
        elif line.kind is Kind.ROW and self._repeats(line):
            return False
        return self._ruler.between(line.start, line.end) + around > self._limit

    def _may_cut_before(self, line: Line) -> bool:
        whole = self._links.around(line.start) is None and self._marked.around(line.start) is None
        return line.start > self._at and whole and self._fits(line.start)

    def _fits(self, end: int) -> bool:
        return self._ruler.between(self._at, end) + size(self._closing(end)) <= self._room

    def _closing(self, place: int) -> str:
        """What closes the fence that a piece ending at ``place`` leaves open."""
        line = self._line(place - 1)
        if not isinstance(line.block, Fence) or (line.kind is Kind.CLOSER and place == line.end):
            return ""
        closing = self._brackets(line.block)[1]
        return closing if self._text[place - 1] in "\r\n" else f"\n{closing}" if closing else ""

    def _opening(self, place: int) -> str:
        """What a piece beginning at ``place`` takes up again: a fence, a table's header, a quote."""
        line = self._line(place)
        begins = place == line.start
        if isinstance(line.block, Fence):
            opening = "" if begins and line.kind is Kind.OPENER else self._brackets(line.block)[0]
            return opening if begins or not line.quotes else opening + line.block.lead
        if begins and isinstance(line.block, Table) and self._repeats(line):
            return line.block.top
        quotes = _QUOTE * line.quotes if line.lazy or not begins else ""
        needed = size(quotes) + self._ruler.between(place, self._links.end_from(place))
        return quotes if size(quotes) <= self._limit // 4 and needed <= self._limit else ""

    def _brackets(self, fence: Fence) -> tuple[str, str]:
        """What opens and closes the fence again; without its info, or nothing at all, where that is too long."""
        if fence.start not in self._known:
            closing = fence.lead + fence.marker
            openings = (f"{closing}{fence.info}\n", f"{closing}\n")
            fitting = (opening for opening in openings if size(opening + closing + fence.lead) + 2 <= self._limit // 2)
            opening = next(fitting, "")
            self._known[fence.start] = (opening, closing if opening else "")
        return self._known[fence.start]

    def _repeats(self, line: Line) -> bool:
        """Whether ``line`` is a row that fits into a piece together with its header."""
        if line.kind is not Kind.ROW or not isinstance(line.block, Table):
            return False
        top = size(line.block.top)
        return top <= self._limit // 2 and top + self._ruler.between(line.start, line.end) <= self._limit

    def _line(self, place: int) -> Line:
        return self._lines[self._index(place)]

    def _index(self, place: int) -> int:
        return bisect_right(self._starts, place) - 1
