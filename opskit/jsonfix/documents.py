"""Where JSON stands in a text: between prose, fences and the thoughts of a model; alone, or several in a row."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from opskit.jsonfix import marks, words
from opskit.jsonfix.brackets import REOPENED, REOPENED_ARRAY
from opskit.jsonfix.edits import Edit, applied, composed
from opskit.jsonfix.frames import ARRAY, KINDS, OBJECT
from opskit.jsonfix.ground import HIDDEN, Found, Unclear
from opskit.jsonfix.scanner import Scanner
from opskit.jsonfix.strict import STRICT, load, measured
from opskit.jsonfix.texts import Role, quoted, written

_THOUGHT = r"(?:think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis)"
_SIGN = re.compile(
    rf"\[/?THINK\]|[{marks.OBJECT}{marks.P_ARRAY}]|```[\w+.-]*|</?{_THOUGHT}\b[^<>]{{0,80}}>|◁/?{_THOUGHT}▷|(?m:^)[ \t]*(?://[^\n]*|/\*(?s:.)*?(?:\*/|\Z))",
    re.IGNORECASE,
)
_THOUGHT_END = re.compile(rf"</{_THOUGHT}\s*>|◁/{_THOUGHT}▷|\[/THINK\]", re.IGNORECASE)
_WORD = rf"(?:{marks.NUMBER}|(?i:true|false|null|none|undefined|nan))"
_LIKELY = {
    OBJECT: re.compile(
        rf"{marks.GAP}(?:[{marks.OBJECT_END}{marks.COMMAS}:]|{marks.QUOTE}|\\+[\"']|{marks.KEY}|{marks.ELLIPSIS})"
    ),
    ARRAY: re.compile(
        rf"(?!\s*\d{{1,3}}\s*\]){marks.GAP}(?:[{marks.P_ARRAY_END}{marks.COMMAS}{marks.OBJECT}{marks.P_ARRAY}(]|{marks.QUOTE}|\\+[\"']"
        rf"|{_WORD}{marks.GAP}(?:[{marks.COMMAS}{marks.P_ARRAY_END}]|\Z)|{marks.ELLIPSIS})"
    ),
}
_FENCE_OPENS = re.compile(
    rf"\s*+(?=[{marks.OBJECT}{marks.P_ARRAY}{marks.TUPLE}]|//|/\*|#|{marks.QUOTE})"
)  # one that holds JSON
# A label before JSON: [INFO] {…}, 【结果】[…].
_LABEL = re.compile(r"(?:\[[^\[\]{}\"',]{1,60}\]|【[^【】]{1,30}】|[(（][^()（）{}]{1,80}[)）])\s*(?=[{\[])")
# The same before other words, and the marks of a template: [INFO] started {…}, {{name}}, {% if %}.
_REMARK = re.compile(r"\[[A-Za-z][^\[\]{}\"',]{0,60}\]\s+(?=[^\W\d])|\{\{[^{}\"':,]{1,60}\}\}|\{%[^{}]{1,80}%\}")
_NEXT_OBJECT = re.compile(r"\s*+,?+\s*+(?={)")
_FLAT_OBJECT = re.compile(rf"(?P<object>{marks.FLAT_OBJECT}){_NEXT_OBJECT.pattern}")
_MEMBER = re.compile(rf"\s*+{marks.TEXT}{marks.SPACE}:")
_NOTHING = re.compile(r"\s*+```")  # a fence that closes right behind a bracket
_BETWEEN = re.compile(rf"(?:[\s{marks.COMMAS}{marks.ODD_SPACE}]|//[^\n]*|/\*(?s:.)*?\*/)*+")
_STRAY = re.compile(rf"[\s{marks.COMMAS}{marks.COLONS}{marks.P_ENDS}]*+")
_SCALAR = re.compile(rf"(?:[\s{marks.ODD_SPACE}]|//[^\n]*|/\*(?s:.)*?(?:\*/|\Z))*+")
_FENCED = re.compile(r"\A\s*```[\w+.-]*[ \t]*\n?(?P<inside>(?s:.)*?)(?:\n\s*```|```|\Z)")
_PATTERN = re.compile(r"/\S+/[a-z]*")
_ESCAPED = re.compile(r"[{\[](?:[^\"'“\\]|\\n){0,500}+(?P<level>\\+)\"|[{\[](?P<lines>\\)n")
_ESCAPE = re.compile(r'\\(["\\/nrt])')
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_ESCAPED_TEXTS = 1  # all that follows it is read once more
_PIECE, _MARGIN = 65_536, 2_048  # characters of a text that is unescaped, and left of it when enough was
RIVALS = 20  # of very many documents, as many first and last ones are each held against the schema
_SECOND_LOOKS = 3  # at what was passed over, where nothing else is found
_WRONG_GUESSES = 50  # each costs a look at all that stands before


class Document(NamedTuple):
    """A JSON text in a text: where it is, what makes JSON of it, and in what surroundings it stands."""

    start: int
    end: int
    edits: Sequence[Edit]
    complete: bool
    fenced: bool = False
    draft: bool = False
    likely: bool = True
    joined: bool = False
    fragment: bool = False  # stands behind the beginning of one that could not be read


class Survey(NamedTuple):
    """What was found: the documents, and why others could not be read: [(code, offset)]."""

    documents: list[Document]
    problems: list[tuple[str, int]]


def survey(text: str, *, max_depth: int) -> Survey:
    """All objects and arrays of a text, in their order; those in a model's thoughts only where there are no others."""
    if _PATTERN.fullmatch(text.strip()) and (alone := scalar(text)):
        return Survey([alone], [])
    found = _Search(text, max_depth).run()
    if not found.documents and (alone := scalar(text)):
        return Survey([alone], [])
    return found


class _Search:
    """Goes through a text once, from sign to sign."""

    def __init__(self, text: str, max_depth: int) -> None:
        self.text, self.max_depth = text, max_depth
        self.documents: list[Document] = []
        self.problems: list[tuple[str, int]] = []
        self.unlikely: list[int] = []
        self.begin = 0
        self.escaped, self.hidden, self.guesses = _ESCAPED_TEXTS, HIDDEN, _WRONG_GUESSES
        self.fenced = False
        self.unclear = len(text)
        self.strict = (-1, 0)  # a place, and where the JSON there ends
        self.certain = -1  # where a fence begins that has JSON for its content
        self.thoughts: list[tuple[int, int]] = []
        self.drafts = 0  # documents that stand before the end of a thought

    def run(self) -> Survey:
        """What the text holds."""
        first = _STRAY.match(self.text)
        self.begin = first.end() if first else 0
        is_tuple = self.text.startswith(("(", "（"), self.begin) and not _LABEL.match(self.text, self.begin)
        start = self._read(self.begin) if is_tuple else self.begin
        if members := self._members():
            return Survey([members], [])
        self._signs(start)
        drafts = [document._replace(draft=True) for document in self.documents[: self.drafts]]
        self.documents[: self.drafts] = drafts
        for place in self.unlikely[:_SECOND_LOOKS]:
            if not self.documents and not self.problems:
                self._read(place, likely=False)
        for start, end in self.thoughts[:_SECOND_LOOKS] if not self.documents else []:
            inner = _Search(self.text[:end], self.max_depth)
            inner.begin = self.begin
            inner._signs(start)
            self.documents += [document._replace(draft=True) for document in inner.documents]
        return Survey(self.documents, self.problems)

    def _members(self) -> Document | None:
        """The whole text as the members of an object that lacks its brackets, where nothing else is odd.

        A single key before an object or array is no member: it may as well be a label.
        """
        fence = _FENCED.match(self.text)
        start, end = fence.span("inside") if fence else (self.begin, len(self.text))
        if not _MEMBER.match(self.text, start):
            return None
        edits = [Edit(start, start, "{", "bracket_added")]
        end = start + len(self.text[start:end].rstrip())
        stop = start + len(self.text[start:end].rstrip(" \t\r\n,"))
        if not self._loads("{" + self.text[start:end]):
            closed = self._loads("{" + self.text[start:stop] + "}")
            if not closed or (len(closed) == 1 and isinstance(next(iter(closed.values())), (dict, list))):
                return None
            edits.append(Edit(stop, stop, "}", "bracket_added"))
            edits += [Edit(stop, end, "", "comma_removed")] if end > stop else []
        return Document(start, end, edits, complete=True, fenced=bool(fence))

    def _loads(self, whole: str) -> dict[str, object] | None:
        """The object that a text is as it stands."""
        try:
            found: dict[str, object] = load(whole, max_depth=self.max_depth).value
        except ValueError:
            return None
        return found

    def _signs(self, position: int) -> None:
        """Go from sign to sign: brackets, fences, thoughts, comments."""
        text = self.text
        while sign := _SIGN.search(text, position):
            mark = sign[0]
            position = sign.end()
            if mark in KINDS:
                position = self._bracket(sign.start())
            elif mark.startswith("`"):
                inside = _FENCE_OPENS.match(text, position)
                self.fenced = not self.fenced and inside is not None
                self.certain = inside.end() if inside and self.fenced else -1
            elif mark.startswith(("</", "◁/", "[/")):
                self.drafts = len(self.documents)
            elif mark.startswith(("<", "◁", "[")):
                end = _THOUGHT_END.search(text, position)
                self.thoughts.append((position, end.start() if end else len(text)))
                position = end.end() if end else len(text)

    def _bracket(self, place: int) -> int:
        """Read what opens at a place, unless it looks like prose."""
        if (end := self._run(place)) > place:
            return end
        if _NOTHING.match(self.text, place + 1):
            return place + 1
        if remark := _LABEL.match(self.text, place) or _REMARK.match(self.text, place):
            self.unlikely.append(place)
            return remark.end()
        if place in (self.begin, self.certain) or _LIKELY[KINDS[self.text[place]]].match(self.text, place + 1):
            return self._read(place)
        self.unlikely.append(place)
        return place + 1

    def _run(self, place: int) -> int:
        """Go over objects in a row that are JSON as they stand; the last of a row is left to ``_read``."""
        text, start = self.text, place
        gaps: list[Edit] = []  # one behind each object
        while text[place] == "{" and (end := self._strict_end(place)):
            following = _NEXT_OBJECT.match(text, end)
            if not following:
                break
            gaps.append(Edit(end, following.end(), ", ", "documents_joined"))
            place = following.end()
            while flat := _FLAT_OBJECT.match(text, place):
                place = flat.end()
                gaps.append(Edit(flat.end("object"), place, ", ", "documents_joined"))
        if gaps:
            self._add_row(start, gaps)
        return place

    def _add_row(self, start: int, gaps: list[Edit]) -> None:
        """Add the objects before the gaps; where they are very many, those in the middle as one, joined."""
        begin, end = RIVALS, max(RIVALS, len(gaps) - RIVALS)
        for joined in (*zip(gaps[:begin], strict=True), gaps[begin:end], *zip(gaps[end:], strict=True)):
            if joined:
                place = joined[-1].start
                self.documents.append(Document(start, place, joined[:-1], complete=True, fenced=self.fenced))
                start = joined[-1].end

    def _read(self, place: int, *, likely: bool = True) -> int:
        """Read a document; where to go on."""
        try:
            found = self._whole(place) or self._escaped(place) or self._scanned(self.text, place)
        except Unclear as problem:
            code, offset = problem.args
            self.problems.append((code, offset))
            self.unclear = min(self.unclear, place)
            return len(self.text) if code == "too_deep" else max(offset, place + 1)
        blank = not found.complete and not self.text[place + 1 : found.end].strip()
        if blank and place > self.begin:
            return found.end
        inside = self.unclear < place and not self.fenced
        self.documents.append(Document(*found, self.fenced, likely=likely, fragment=inside))
        return found.end

    def _whole(self, place: int) -> Found | None:
        """The document at ``place`` if it is JSON as it stands, and nothing goes on behind it."""
        end = self._strict_end(place)
        if not end:
            return None
        going_on = REOPENED if self.text[place] == "{" else REOPENED_ARRAY
        is_text = self.text[end : end + 1] in ("'", '"')
        return None if is_text or going_on.match(self.text, end) else Found(place, end, [], complete=True)

    def _strict_end(self, place: int) -> int:
        """Where the JSON at ``place`` ends; 0 where it is none as it stands. The last answer is remembered."""
        if self.strict[0] != place:
            self.strict = place, self._decoded_end(place) if self.guesses else 0
        return self.strict[1]

    def _decoded_end(self, place: int) -> int:
        try:
            value, end = STRICT.raw_decode(self.text, place)
        except (ValueError, RecursionError):
            self.guesses -= 1
            return 0
        return 0 if end - place > self.max_depth and measured(value)[1] > self.max_depth else end

    def _scanned(self, text: str, place: int) -> Found:
        scanner = Scanner(text, place, max_depth=self.max_depth, hidden=self.hidden)
        try:
            return scanner.found()
        finally:
            self.hidden = scanner.hidden

    def _escaped(self, place: int) -> Found | None:
        """The document at ``place`` if its quotation marks are escaped, as in a text of JSON inside another."""
        begin = _ESCAPED.match(self.text, place)
        if not begin or not self.escaped:
            return None
        self.escaped -= 1
        levels = len(begin["level"] or begin["lines"]).bit_length()
        size = _PIECE
        while True:
            piece = self.text[place : place + size]
            edits, end, complete = self._unescaped(piece, levels)
            if place + size >= len(self.text) or (complete and end < size - _MARGIN):
                shifted = [Edit(edit.start + place, edit.end + place, edit.to, edit.why) for edit in edits]
                return Found(place, place + end, shifted, complete)
            size *= 4

    def _unescaped(self, piece: str, levels: int) -> tuple[list[Edit], int, bool]:
        """The edits of the document that a piece begins with, where it ends, and whether it came to its end."""
        edits: list[Edit] = []
        inner = piece
        for _ in range(levels):
            once = [
                Edit(unit.start(), unit.end(), _UNESCAPED.get(unit[1], unit[1]), "escape_removed")
                for unit in _ESCAPE.finditer(inner)
            ]
            inner, edits = applied(inner, once), composed(edits, once)
        found = self._scanned(inner, 0)
        *edits, rest = composed(edits, [*found.edits, Edit(found.end, len(inner), "", "rest")])
        return edits, rest.start, found.complete


def row(text: str, documents: list[Document], *, apart: bool = False) -> Document | None:
    """Documents one after another with nothing but commas and comments between them, as one array.

    ``apart``: other words may stand between them, but then it is not likely that all of them are meant.
    """
    if not documents[1:] or len({text[document.start] for document in documents}) > 1:
        return None
    full = [document for document in documents if text[document.start + 1 : document.end - 1].strip()]
    if len(full) == 1 and len(documents) <= 2 * RIVALS:  # a few empty ones beside it say nothing
        return None
    edits = [Edit(documents[0].start, documents[0].start, "[", "documents_joined")]
    position = 0
    for document in documents:
        if not (apart or _BETWEEN.fullmatch(text, position, document.start)):
            return None
        if position:
            edits.append(Edit(position, document.start, ", ", "documents_joined"))
        edits += document.edits
        position = document.end
    if not (apart or _BETWEEN.fullmatch(text, position)):
        return None
    edits.append(Edit(position, position, "]", "documents_joined"))
    whole = all(document.complete for document in documents)
    return Document(documents[0].start, position, edits, whole, likely=not apart, joined=True)


def scalar(text: str) -> Document | None:
    """A text, number or word that is all there is, perhaps in a fence."""
    fence = _FENCED.match(text)
    start, end = fence.span("inside") if fence else (0, len(text))
    lead = _SCALAR.match(text, start, end)
    start = lead.end() if lead else start
    if start >= end:
        return None
    if _MEMBER.match(text, start, end):
        return None
    if text[start] in marks.QUOTES:
        extent = quoted(text[:end], start, Role.ROOT)
        return Document(start, extent.end, list(written(text, extent)), extent.why != "truncated", bool(fence))
    stop = re.search(r"(?=//|/\*)|\Z", text[start:end])
    content = text[start : start + (stop.start() if stop and stop.start() else end - start)].rstrip()
    to, why = words.word(content, cut=False)
    if why == "value_quoted" and not _PATTERN.fullmatch(content):
        return None
    edits = [Edit(start, start + len(content), to, why)] if why else []
    return Document(start, start + len(content), edits, complete=True, fenced=bool(fence))
