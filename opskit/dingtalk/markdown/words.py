"""The words of a Markdown text: is it one, and what is its title."""

import re

from opskit.dingtalk.markdown.lines import Kind, read
from opskit.dingtalk.markdown.spans import is_whole

_PROBE = 200_000  # characters looked at; what follows does not change the answer
_MARKED = re.compile(
    r"""(?m)^[ ]{0,3}(?:\#{1,6}[ \t]+\S | [-*+][ \t]+\S | \d{1,3}[.)][ \t]+\S | >[ \t]*\S)   # heading, list, quote
      | \*\*[^\s*](?:[^*\n]*[^\s*])?\*\*                                                     # bold
      | !?\[[^\[\]\n]*\]\([^()\s]+\)                                                         # link, picture
      | (?<!`)(?P<ticks>`{1,2})(?!`)[^`\n]+(?P=ticks)(?!`)                                   # code
    """,
    re.VERBOSE,
)
_MARKS_BEFORE = re.compile(r"^(?:\s|>|\#{1,6}(?=\s|$)|[-*+](?=\s)|\d{1,9}[.)](?=\s))+")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\)")
_MARKS = re.compile(r"\*\*|__|~~|`+|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|\s+\#+\s*$")


def looks_like_markdown(text: str) -> bool:
    """Whether ``text`` uses Markdown that DingTalk would render: anything but words, lines and numbers."""
    probe = text[:_PROBE]
    return bool(_MARKED.search(probe)) or any(line.kind in {Kind.FENCE_OPEN, Kind.TABLE_HEAD} for line in read(probe))


def plain_title(text: str, max_chars: int = 64) -> str:
    """The first heading of ``text``, else its first line with words, without Markdown's marks; "" if there is none.

    Longer ones end in ``…`` and take ``max_chars`` characters with it.
    """
    first = ""
    for line in read(text[:_PROBE]):
        words = text[line.start : line.end].strip()
        if line.kind is Kind.HEADING and (title := _bare(words)):
            return _within(title, max_chars)
        if not first and line.kind in {Kind.TEXT, Kind.ITEM, Kind.TABLE_HEAD, Kind.FENCED}:
            first = _bare(words)
    return _within(first, max_chars)


def _bare(line: str) -> str:
    """One line without the marks of Markdown."""
    words = _LINK.sub(r"\1", _MARKS_BEFORE.sub("", line, count=1))
    return re.sub(r"\s+", " ", _MARKS.sub("", words)).strip(" |")


def _within(title: str, max_chars: int) -> str:
    if len(title) <= max_chars:
        return title
    place = max_chars - 1
    while not is_whole(title, place):
        place -= 1
    return title[:place].rstrip() + "…"
