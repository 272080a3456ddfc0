"""What stands inside a line or a paragraph: links, pictures, addresses, code spans, tags, escapes, bold words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

_ADDRESS = r"(?i:https?|dingtalk)://[!#-;=?-Z_a-z{}~^]++"
_TOKEN = re.compile(rf"\\[!-/:-@\[-`{{-~]|`++|!?\[|\]|<|{_ADDRESS}")
# In brackets behind a link's text: the address, which may hold round brackets two deep, and perhaps a title.
_ROUND = r"[^\s()<>\\]|\\."
_TARGET = re.compile(
    rf"""\(\s*+
    (?: <[^<>\n]*+> | (?:{_ROUND} | \((?:{_ROUND} | \((?:{_ROUND})*+\))*+\))*+ )
    (?: \s++ (?: "(?:[^"\\]|\\.)*+" | '(?:[^'\\]|\\.)*+' | \((?:[^()\\]|\\.)*+\) ) )?+
    \s*+\)""",
    re.VERBOSE | re.DOTALL,
)
_ANGLE = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*+|[\w.+-]++@[\w.-]++)>|<[/!]?[A-Za-z][^<>\r\n]*+>")
_TICKS = re.compile(r"`++")
_BOLD = re.compile(r"\*\*(?=\S)[^*\r\n]++(?<=\S)\*\*|(?<!\w)__(?=\S)[^_\r\n]++(?<=\S)__(?!\w)")
# Letters of any script, and marks that end no sentence, may go on an address that is written without escapes.
_TAIL = re.compile(r"[^\s<>\"`|\\，。；：！？、…（）【】《》〈〉「」『』“”‘’\x00-\x1f]++")


class Mark(Enum):
    """What a span is."""

    LINK = auto()
    PICTURE = auto()
    AUTOLINK = auto()
    ADDRESS = auto()  # bare: https://…
    CODE = auto()
    TAG = auto()
    ESCAPE = auto()
    BOLD = auto()


LINKS = frozenset({Mark.LINK, Mark.PICTURE, Mark.AUTOLINK, Mark.ADDRESS})


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch from ``start`` to ``end`` whose words, without its marks, are from ``inner`` to ``outer``."""

    mark: Mark
    start: int
    end: int
    inner: int
    outer: int


def spans(text: str, start: int, end: int) -> Iterator[Span]:
    """The spans of the paragraph ``text[start:end]``, each given when its end is found, bold ones last.

    A link inside a link is none, a picture inside a link is one; code hides every mark in it.
    """
    yield from _Scanner(text, start, end).spans()
    for match in _BOLD.finditer(text, start, end):
        yield Span(Mark.BOLD, match.start(), match.end(), match.start() + 2, match.end() - 2)


def addresses(text: str, start: int, end: int) -> Iterator[Span]:
    """The bare addresses of ``text[start:end]``, where there is no other mark."""
    for match in _BARE.finditer(text, start, end):
        yield _bare(match)


def with_tail(text: str, span: Span) -> Span:
    """An address and the characters beyond ASCII that follow it: whether they belong to it, nobody can tell."""
    tail = _TAIL.match(text, span.end)
    end = tail.end() if tail else span.end
    return Span(span.mark, span.start, end, span.inner, end)


_BARE = re.compile(_ADDRESS)


def _bare(match: re.Match[str]) -> Span:
    return Span(Mark.ADDRESS, match.start(), match.end(), match.start(), match.end())


class _Scanner:
    """One pass over a paragraph; no place is looked at more than a few times, whatever stands there."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._start = start
        self._end = end
        self._brackets: list[re.Match[str]] = []  # opened and not yet closed
        self._dead = 0  # so many of the outermost ones can no longer begin a link: there is one inside
        self._ticks: dict[int, list[int]] | None = None  # by length, the runs of backticks, the last one first

    def spans(self) -> Iterator[Span]:
        place = self._start
        while token := _TOKEN.search(self._text, place, self._end):
            span = self._span(token)
            place = token.end()
            if span:
                place = max(place, span.end)
                yield span

    def _span(self, token: re.Match[str]) -> Span | None:
        start, end = token.span()
        match token[0][0]:
            case "\\":
                return Span(Mark.ESCAPE, start, end, start + 1, end)
            case "`":
                return self._code(start, end)
            case "!" | "[":
                self._brackets.append(token)
                return None
            case "]":
                return self._link(start)
            case "<":
                return self._angle(start)
            case _:
                return _bare(token)

    def _code(self, start: int, end: int) -> Span | None:
        """From a run of backticks to the next run of the same length."""
        if self._ticks is None:
            self._ticks = {}
            for run in reversed(list(_TICKS.finditer(self._text, start, self._end))):
                self._ticks.setdefault(len(run[0]), []).append(run.start())
        runs = self._ticks.get(end - start, [])
        while runs and runs[-1] < end:
            runs.pop()
        return Span(Mark.CODE, start, runs[-1] + end - start, end, runs[-1]) if runs else None

    def _link(self, bracket: int) -> Span | None:
        """What the closing ``bracket`` makes of the last one opened: a link or a picture, if an address follows."""
        if not self._brackets:
            return None
        opened = self._brackets.pop()
        picture = opened[0] == "!["
        dead = len(self._brackets) < self._dead
        self._dead = min(self._dead, len(self._brackets))
        target = None if dead and not picture else _TARGET.match(self._text, bracket + 1, self._end)
        if not target:
            return None
        if not picture:
            self._dead = len(self._brackets)
        mark = Mark.PICTURE if picture else Mark.LINK
        return Span(mark, opened.start(), target.end(), opened.end(), bracket)

    def _angle(self, start: int) -> Span | None:
        angle = _ANGLE.match(self._text, start, self._end)
        if not angle:
            return None
        mark = Mark.AUTOLINK if angle[1] else Mark.TAG
        return Span(mark, start, angle.end(), start + 1, angle.end() - 1)
