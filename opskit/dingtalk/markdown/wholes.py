"""The stretches of a text that a cut is to leave whole."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from opskit.dingtalk.markdown.inline import LINKS, Mark, Span, addresses, spans, with_tail
from opskit.dingtalk.markdown.lines import Kind, Line, Rank
from opskit.dingtalk.markdown.measure import Ruler
from opskit.errors import InvalidInput

_WORDS = frozenset({Kind.TEXT, Kind.HEADING, Kind.HEAD, Kind.ROW})


class Wholes:
    """Stretches of a text, in order and apart from each other; of two that overlap the first is taken."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(stretches, key=lambda stretch: (stretch[0], -stretch[1])):
            if not self._ends or start >= self._ends[-1]:
                self._starts.append(start)
                self._ends.append(end)

    def around(self, place: int) -> int | None:
        """The start of the stretch that a cut at ``place`` would break, if there is one."""
        index = bisect_left(self._starts, place) - 1
        return self._starts[index] if index >= 0 and self._ends[index] > place else None

    def end_from(self, place: int) -> int:
        """The end of the stretch that starts at ``place``; ``place`` itself if none does."""
        index = bisect_left(self._starts, place)
        return self._ends[index] if index < len(self._starts) and self._starts[index] == place else place


def wholes(
    text: str, lines: list[Line], ruler: Ruler, limit: int, *, markdown: bool, kept: Iterable[tuple[int, int]]
) -> tuple[Wholes, Wholes]:
    """The links, which are never cut, and what else has a mark or is ``kept``: cut when it fills over half a piece.

    InvalidInput: a link takes more than ``limit`` bytes.
    """
    links: list[tuple[int, int]] = []
    marked = list(kept)
    for start, end, code in _paragraphs(lines, ruler, limit):
        for span in spans(text, start, end) if markdown and not code else addresses(text, start, end):
            weight = ruler.between(span.start, span.end)
            if span.mark in LINKS and not code:
                if weight > limit:
                    raise InvalidInput("unbreakable_link", bytes=weight, limit=limit)
                links.append((span.start, span.end))
            if span.mark is Mark.CODE and weight > limit // 2:  # it will be cut, and what is in it comes to light
                marked += [_extent(text, inner) for inner in spans(text, span.inner, span.outer)]
            marked.append(_extent(text, span))
    return Wholes(links), Wholes(stretch for stretch in marked if ruler.between(*stretch) <= limit // 2)


def _paragraphs(lines: list[Line], ruler: Ruler, limit: int) -> Iterator[tuple[int, int, bool]]:
    """Start, end, and whether it is code, of what a mark can reach across: a paragraph, else a line.

    Of code only the lines that may have to be cut inside.
    """
    start = end = 0
    for line in lines:
        if line.kind is Kind.TEXT and line.rank is Rank.LINE and start < end:
            end = line.end  # a further line of the paragraph
            continue
        if start < end:
            yield start, end, False
        start = end = line.end
        if line.kind in _WORDS:
            start = line.content
        elif line.kind is Kind.CODE and ruler.between(line.start, line.end) > limit // 2:
            yield line.content, line.end, True
    if start < end:
        yield start, end, False


def _extent(text: str, span: Span) -> tuple[int, int]:
    span = with_tail(text, span) if span.mark is Mark.ADDRESS else span
    return span.start, span.end
