"""What a Markdown text says without its marks, and whether it has any."""

import re

from opskit.dingtalk.markdown.blocks import read
from opskit.dingtalk.markdown.graphemes import boundary_before
from opskit.dingtalk.markdown.inline import Mark, Span, spans
from opskit.dingtalk.markdown.lines import Kind, Line
from opskit.dingtalk.markdown.rows import cells

_SAYING = frozenset({Kind.TEXT, Kind.HEADING, Kind.HEAD, Kind.ROW, Kind.CODE})
_ROWS = frozenset({Kind.HEAD, Kind.ROW})
_BEFORE = re.compile(r"\A(?:#{1,6}(?:[ \t]++|$)|\[[ xX]\][ \t]++)")  # a heading, a task
_BEHIND = re.compile(r"[ \t]#++$")
_STRESS = re.compile(
    r"(?<![0-9A-Za-z*])\*(?=[^\s*])([^*]+)(?<=\S)\*(?![0-9A-Za-z*])|(?<!\w)_(?=[^\s_])([^_]+)(?<=\S)_(?!\w)|~~([^~]+)~~"
)
_SHOWN = frozenset({Mark.LINK, Mark.PICTURE, Mark.CODE})
_STRESSING = re.compile(r"[`*\[]")
_ALONE = re.compile(r"#{0,6}\s*+$")
_NUMBERS = re.compile(r"[ \t]*+[0-9]++\.[ \t]++[0-9]++[ \t]*+(?:[\r\n]|\Z)")  # 2026. 10


def plain_title(text: str, max_chars: int = 64) -> str:
    """The words of the first heading, else of the first line that has any; "" if there is none.

    At most ``max_chars`` characters, which is at least 1; a longer title is cut and ends in ``…``.
    """
    title = ""
    for line in read(text):
        if line.kind is Kind.HEADING and (heading := _words(text, line)):
            title = heading
            break
        if not title and line.kind in _SAYING:
            title = _words(text, line)
    if len(title) <= max_chars:
        return title
    return title[: boundary_before(title, max_chars - 1)].rstrip() + "…"


def looks_like_markdown(text: str) -> bool:
    """Whether ``text`` has a mark that DingTalk would render.

    These are headings, list items, quotes, fences, tables, links, pictures, inline code and bold words. Numbers,
    names and sums that merely hold such a character, like ``-5``, ``#1``, ``2 ** 3`` or ``a_b_c``, are none.
    """
    return any(_is_block(text, line) or _is_stressed(text, line) for line in read(text))


def _is_block(text: str, line: Line) -> bool:
    if line.kind in {Kind.OPENER, Kind.HEAD}:
        return True
    if line.kind is Kind.BLANK or _ALONE.match(text, line.content, line.end) or _NUMBERS.match(text, line.start):
        return False
    quoted = line.quotes > 0 and not line.lazy and not _is_comparison(text, line)
    return quoted or line.item or (line.kind is Kind.HEADING and text[line.content] == "#")


def _is_comparison(text: str, line: Line) -> bool:
    """Whether the line begins like ``>5`` or ``>=5``."""
    return text[line.content - 1] == ">" and text[line.content] in "=0123456789"


def _is_stressed(text: str, line: Line) -> bool:
    marks = _STRESSING.search(text, line.content, line.end)
    return bool(marks) and any(_is_shown(text, span) for span in spans(text, line.content, line.end))


def _is_shown(text: str, span: Span) -> bool:
    if span.mark is Mark.BOLD:  # but not as in 2**3**4 or __name__
        beside = text[max(0, span.start - 1) : span.start] + text[span.end : span.end + 1]
        return text[span.start] == "*" and not any(character in "0123456789" for character in beside)
    return span.mark in _SHOWN


def _words(text: str, line: Line) -> str:
    """The words of a line without its marks, parted by single spaces."""
    content = text[line.content : line.end].strip()
    if line.kind is Kind.CODE:
        return " ".join(content.split())
    if line.kind in _ROWS:
        content = " ".join(cells(content))
    if line.kind is Kind.HEADING:
        content = _BEHIND.sub("", content)
    words = _STRESS.sub(lambda match: match[1] or match[2] or match[3], _unmarked(_BEFORE.sub("", content)))
    return " ".join(words.split())


def _unmarked(content: str) -> str:
    """``content`` without the marks of the spans in it."""
    marks: list[tuple[int, int]] = []
    for span in spans(content, 0, len(content)):
        inner = span.end if span.mark is Mark.TAG else span.inner
        marks += [(span.start, inner), (span.outer, span.end)]
    parts, place = [], 0
    for start, end in sorted(marks):
        parts.append(content[place : max(place, start)])
        place = max(place, end)
    return "".join([*parts, content[place:]])
