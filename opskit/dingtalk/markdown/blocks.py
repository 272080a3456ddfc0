"""A Markdown text read into lines, each with the kind of block that it belongs to.

The rules are those of CommonMark and of GitHub's tables as far as they matter for cutting and converting. In one
point they are kinder: a fence inside a list item ends at its marker, not where a line loses its indentation.
"""

import re
from collections.abc import Iterator
from functools import cache

from opskit.dingtalk.markdown.lines import BREAK, CODE_INDENT, Fence, Kind, Line, Rank, Table, columns
from opskit.dingtalk.markdown.rows import has_pipe, is_delimiter

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_LIST_MARK = r"(?:[-+*]|[0-9]{1,9}[.)])(?!\S)"
# The marks of quotes and lists before a line's own text. Deeper than 32 nobody nests, and nobody may.
_LEAD = re.compile(rf"([ \t]*+)((?:(?:>|(?!([-*])(?:[ \t]*+\3){{2,}}+{BREAK}){_LIST_MARK})[ \t]{{0,4}}+){{0,32}}+)")
_ITEM = re.compile(rf"{_LIST_MARK}[ \t]*+")
_HEADING = re.compile(r"#{1,6}(?!\S)")
_UNDERLINE = re.compile(rf"(?:=++|-{{2,}}+){BREAK}")
_RULE = re.compile(rf"([-*_])(?:[ \t]*+\1){{2,}}+{BREAK}")
_OPENER = re.compile(r"(`{3,}+(?![^\r\n]*`)|~{3,}+)([^\r\n]*+)")
_NOT_QUOTE = re.compile(r"[^>\s]")
_MARKED = frozenset(" \t\r\n>#-+*`~|=_:0123456789")  # a line that starts otherwise is text, or a table's row


# By the first character of a line's content: what it may be, and the pattern that tells.
_STARTS: dict[str, tuple[tuple[Kind, re.Pattern[str]], ...]] = {
    "#": ((Kind.HEADING, _HEADING),),
    "`": ((Kind.OPENER, _OPENER),),
    "~": ((Kind.OPENER, _OPENER),),
    "=": ((Kind.UNDERLINE, _UNDERLINE),),
    "-": ((Kind.UNDERLINE, _UNDERLINE), (Kind.RULE, _RULE)),
    "*": ((Kind.RULE, _RULE),),
    "_": ((Kind.RULE, _RULE),),
}


def read(text: str) -> Iterator[Line]:
    """The lines of a Markdown text; each comes when the next one, which may tell what it is, has been read."""
    reader = _Reader(text)
    last: Line | None = None
    for match in _LINE.finditer(text):
        line = reader.take(match.start(), match.end())
        if last:
            yield last
        last = line
    if last:
        yield last


def read_plain(text: str) -> Iterator[Line]:
    """The lines of a text without marks, in which only blank lines part one block from the next."""
    last = Kind.TEXT
    for match in _LINE.finditer(text):
        kind = Kind.BLANK if match[0].isspace() else Kind.TEXT
        begins = last is Kind.BLANK and kind is Kind.TEXT
        yield Line(match.start(), match.end(), match.start(), kind, Rank.BLOCK if begins else Rank.LINE)
        last = kind


def opens_fence(line: str) -> bool:
    """Whether ``line``, which nothing stands before, would open a fence."""
    return _OPENER.match(line) is not None


def continued(lead: str) -> str:
    """What the next line of the same block begins with: quote marks stay, list marks become spaces."""
    return _NOT_QUOTE.sub(" ", lead)


class _Reader:
    """Takes one line after the other, and knows which lists, quotes, fence and table are open."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lists: list[int] = []  # the columns at which the content of each open list item stands
        self._quotes = 0  # the quotes that those lists stand in
        self._fence: Fence | None = None
        self._table: Table | None = None
        self._titled = False  # whether the last line that is not blank is a heading
        self._last = Line(0, 0, 0, Kind.BLANK)

    def take(self, start: int, end: int) -> Line:
        """The line from ``start`` to ``end``; what the line before it is may change by it."""
        self._last = self._in_fence(start, end) or self._outside(start, end)
        return self._last

    def _in_fence(self, start: int, end: int) -> Line | None:
        fence = self._fence
        if fence is None:
            return None
        content = start
        if fence.quotes:
            quoted = _quoted(fence.quotes).match(self._text, start, end)
            if not quoted:  # a quote that ends takes its fence along
                self._fence = None
                return None
            content = quoted.end()
        fence.end = end
        if fence.closes(self._text, content, end):
            self._fence = None
            return Line(start, end, content, Kind.CLOSER, Rank.SEALED, quotes=fence.quotes, block=fence)
        rank = Rank.ROW if self._is_empty(self._last) else Rank.LINE
        if self._last.kind is Kind.OPENER:
            rank = Rank.SEALED
        return Line(start, end, content, Kind.CODE, rank, quotes=fence.quotes, block=fence)

    def _outside(self, start: int, end: int) -> Line:
        line = self._led(start, end)
        if self._is_empty(line) and not line.item:
            line.kind = Kind.BLANK
            line.rank = Rank.GLUED if self._titled else Rank.LINE
            self._table = None
            return line
        if line.margin - self._list_column(line.margin) < CODE_INDENT:
            line.kind = self._kind(line)
        if line.kind is Kind.TEXT and self._continues(line):
            line.lazy, line.quotes = line.quotes < self._last.quotes, self._last.quotes
        else:
            self._place(line)
        if line.kind is not Kind.ROW:
            self._table = None
        self._join_block(line)
        self._titled = line.kind in {Kind.HEADING, Kind.UNDERLINE}
        return line

    def _led(self, start: int, end: int) -> Line:
        """The line with what stands before its content: white space, quote marks, list marks."""
        if self._text[start] not in _MARKED or self._text[start] in "\r\n":
            return Line(start, end, start, Kind.TEXT)
        lead = _LEAD.match(self._text, start, end)
        assert lead  # noqa: S101 - it matches nothing, too
        margin = columns(lead[1])
        if margin - self._list_column(margin) >= CODE_INDENT:
            return Line(start, end, lead.end(1), Kind.TEXT, margin=margin)
        item = _ITEM.search(lead[2]) is not None
        return Line(start, end, lead.end(), Kind.TEXT, margin=margin, quotes=lead[2].count(">"), item=item)

    def _kind(self, line: Line) -> Kind:
        first = self._text[line.content : line.content + 1]
        if first in _STARTS:
            for kind, pattern in _STARTS[first]:
                if pattern.match(self._text, line.content, line.end):
                    below_text = self._last.kind is Kind.TEXT and self._is_beside(line)
                    if kind is not Kind.UNDERLINE or below_text:
                        return kind
        return self._row_kind(line)

    def _row_kind(self, line: Line) -> Kind:
        """What a line is that may belong to a table: text, if it does not."""
        row = self._content(line)
        if "|" in row and self._is_beside(line):
            if self._table and has_pipe(row):
                return Kind.ROW
            if self._last.kind is Kind.TEXT and is_delimiter(row, self._content(self._last)):
                return Kind.DELIMITER
        return Kind.TEXT

    def _is_beside(self, line: Line) -> bool:
        """Whether the line stands in the same quotes and list items as the one above, and begins no item."""
        column = self._lists[-1] if self._lists else 0
        same_list = bool(line.quotes) or line.margin >= column
        return same_list and not line.item and not self._last.lazy and line.quotes == self._last.quotes

    def _continues(self, line: Line) -> bool:
        """Whether a line of text goes on with the paragraph above; it needs no marks for that."""
        return self._last.kind is Kind.TEXT and not line.item and line.quotes <= self._last.quotes

    def _place(self, line: Line) -> None:
        """Find the rank of the line among the lists and quotes, and open or close these."""
        if line.quotes != self._quotes:
            self._lists, self._quotes = [], line.quotes
        in_list = bool(self._lists)
        marks = [(match.start(), match.end()) for match in self._list_marks(line)]
        column = self._column(line, marks[0][0] if marks else line.content)
        while self._lists and column < self._lists[-1]:
            self._lists.pop()
        nested = bool(self._lists or (line.quotes and self._last.quotes))
        line.rank = self._rank(line, nested=nested, in_list=in_list)
        for start, end in marks:
            mark = self._text[start:end].rstrip()
            empty = end == line.content and not self._text[end : end + 1].strip()
            self._lists.append(self._column(line, start) + len(mark) + 1 if empty else self._column(line, end))

    def _list_marks(self, line: Line) -> Iterator[re.Match[str]]:
        return _ITEM.finditer(self._text, line.start, line.content) if line.item else iter(())

    def _rank(self, line: Line, *, nested: bool, in_list: bool) -> Rank:
        if line.kind in {Kind.UNDERLINE, Kind.DELIMITER}:
            return Rank.SEALED
        if line.kind is Kind.ROW:
            return Rank.SEALED if self._last.kind is Kind.DELIMITER else Rank.ROW
        if self._titled:
            return Rank.GLUED
        if nested:
            return Rank.NESTED
        if line.kind is Kind.HEADING:
            return Rank.HEADING
        after_text = self._last.kind is Kind.TEXT
        return Rank.ITEM if line.item and (in_list or after_text) else Rank.BLOCK

    def _join_block(self, line: Line) -> None:
        """Open the fence or the table that begins here, or go on with the one that is open."""
        last = self._last
        if line.kind is Kind.OPENER:
            self._fence = line.block = self._opened(line)
        elif line.kind is Kind.UNDERLINE and last.rank is not Rank.LINE:
            last.kind = Kind.HEADING
            last.rank = Rank.HEADING if last.rank is Rank.BLOCK else last.rank
        elif line.kind is Kind.DELIMITER:
            lead = continued(self._text[last.start : last.content])
            top = lead + self._text[last.content : line.end]
            self._table = last.block = line.block = Table(last.start, line.end, top)
            last.kind = Kind.HEAD
            if last.rank is Rank.LINE:
                last.rank = Rank.NESTED if self._lists or line.quotes else Rank.BLOCK
        elif line.kind is Kind.ROW and self._table:
            self._table.end = line.end
            line.block = self._table

    def _opened(self, line: Line) -> Fence:
        match = _OPENER.match(self._text, line.content, line.end)
        assert match  # noqa: S101 - that is how the line came by its kind
        lead = self._text[line.start : line.content]
        indent = self._lists[-1] if self._lists else 0
        return Fence(
            start=line.start,
            end=line.end,
            lead=continued(lead),
            marker=match[1],
            info=match[2].rstrip(),
            quotes=line.quotes,
            indent=indent,
        )

    def _list_column(self, margin: int) -> int:
        """The column of the innermost open list item that reaches no further than ``margin``."""
        for column in reversed(self._lists):
            if column <= margin:
                return column
        return 0

    def _column(self, line: Line, place: int) -> int:
        return columns(self._text[line.start : place])

    def _content(self, line: Line) -> str:
        return self._text[line.content : line.end]

    def _is_empty(self, line: Line) -> bool:
        return self._content(line).isspace() or line.content == line.end


@cache
def _quoted(depth: int) -> re.Pattern[str]:
    return re.compile(rf"(?:[ \t]*+>){{{depth}}} ?")
