"""Where JSON stands in a text: between prose, fences and the thoughts of a model; alone, or several in a row."""

import json
import re
from typing import NamedTuple

from opskit.jsonfix import marks, words
from opskit.jsonfix.edits import Edit, applied, composed
from opskit.jsonfix.frames import ARRAY, KINDS, OBJECT
from opskit.jsonfix.scanner import HIDDEN, REOPENED, REOPENED_ARRAY, Found, Scanner, Unclear
from opskit.jsonfix.strict import no_constant
from opskit.jsonfix.texts import Role, quoted, written

_THOUGHT = r"(?:think|thinking|thought|thoughts|reasoning|reflection|scratchpad)"
_SIGN = re.compile(
    rf"[{marks.OBJECT}{marks.P_ARRAY}]|```[\w+.-]*|</?{_THOUGHT}\b[^<>]{{0,80}}>|(?m:^)[ \t]*(?://[^\n]*|/\*(?s:.)*?(?:\*/|\Z))",
    re.IGNORECASE,
)
_THOUGHT_END = re.compile(rf"</{_THOUGHT}\s*>", re.IGNORECASE)
_WORD = rf"(?:{marks.NUMBER}|(?i:true|false|null|none|undefined|nan))"
_LIKELY = {
    OBJECT: re.compile(rf"{marks.GAP}(?:[{marks.OBJECT_END}{marks.COMMAS}:]|{marks.QUOTE}|\\+[\"']|{marks.KEY}|{marks.ELLIPSIS})"),
    ARRAY: re.compile(
        rf"(?!\s*\d{{1,3}}\s*\]){marks.GAP}(?:[{marks.P_ARRAY_END}{marks.COMMAS}{marks.OBJECT}{marks.P_ARRAY}(]|{marks.QUOTE}|\\+[\"']"
        rf"|{_WORD}{marks.GAP}(?:[{marks.COMMAS}{marks.P_ARRAY_END}]|\Z)|{marks.ELLIPSIS})"
    ),
}
_BETWEEN = re.compile(rf"(?:[\s{marks.COMMAS}{marks.ODD_SPACE}]|//[^\n]*|/\*(?s:.)*?\*/)*+")
_STRAY = re.compile(rf"[\s{marks.COMMAS}{marks.COLONS}{marks.P_ENDS}]*+")
_SCALAR = re.compile(rf"(?:[\s{marks.ODD_SPACE}]|//[^\n]*|/\*(?s:.)*?(?:\*/|\Z))*+")
_FENCED = re.compile(r"\A\s*```[\w+.-]*[ \t]*\n?(?P<inside>(?s:.)*?)(?:\n\s*```|```|\Z)")
_PATTERN = re.compile(r"/\S+/[a-z]*")
_ESCAPED = re.compile(r"[{\[](?:[^\"'“\\]|\\n){0,500}+(?P<level>\\+)\"|[{\[](?P<lines>\\)n")
_ESCAPE = re.compile(r'\\(["\\/nrt])')
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_STRICT = json.JSONDecoder(parse_constant=no_constant)
_ESCAPED_TEXTS = 1  # all that follows it is read once more
_WRONG_GUESSES = 50  # each costs a look at all that stands before
_BREAK = re.compile(r"[\s,，]")  # noqa: RUF001


class Document(NamedTuple):
    """A JSON text in a text: where it is, what makes JSON of it, and in what surroundings it stands."""

    start: int
    end: int
    edits: list[Edit]
    complete: bool
    fenced: bool = False
    draft: bool = False
    likely: bool = True


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

    def run(self) -> Survey:
        """What the text holds."""
        text = self.text
        first = _STRAY.match(text)
        position = begin = self.begin = first.end() if first else 0
        if text.startswith(("(", "（"), begin):  # noqa: RUF001
            position = self._read(begin, draft=False)
        thoughts: list[tuple[int, int]] = []
        while sign := _SIGN.search(text, position):
            mark = sign[0]
            if mark in KINDS:
                position = self._bracket(sign.start(), certain=sign.start() == begin)
            elif mark.startswith("`"):
                self.fenced = not self.fenced
                position = sign.end()
            elif mark.startswith("</"):
                self.documents = [document._replace(draft=True) for document in self.documents]
                position = sign.end()
            elif mark.startswith("<"):
                end = _THOUGHT_END.search(text, sign.end())
                thoughts.append((sign.end(), end.start() if end else len(text)))
                position = end.end() if end else len(text)
            else:
                position = sign.end()
        for place in self.unlikely[:3] if not self.documents and not self.problems else []:
            if not self.documents:
                self._read(place, draft=False, likely=False)
        if not self.documents:
            for start, end in thoughts[:3]:
                inner = _Search(text[:end], self.max_depth)
                inner._skip_to(start)
                self.documents += [document._replace(draft=True) for document in inner.documents]
        return Survey(self.documents, self.problems)

    def _skip_to(self, position: int) -> None:
        while sign := _SIGN.search(self.text, position):
            position = self._bracket(sign.start(), certain=False) if sign[0] in KINDS else sign.end()

    def _bracket(self, place: int, *, certain: bool) -> int:
        kind = KINDS[self.text[place]]
        if certain or _LIKELY[kind].match(self.text, place + 1):
            return self._read(place, draft=False)
        self.unlikely.append(place)
        return place + 1

    def _read(self, place: int, *, draft: bool, likely: bool = True) -> int:
        try:
            found = self._whole(place) or self._escaped(place) or self._scanned(self.text, place)
        except Unclear as problem:
            code, offset = problem.args
            self.problems.append((code, offset))
            return len(self.text) if code == "too_deep" else max(offset, place + 1)
        blank = not found.complete and not self.text[place + 1 : found.end].strip()
        if blank and place > self.begin:
            return found.end
        self.documents.append(Document(*found, self.fenced, draft, likely))
        return found.end


    def _whole(self, place: int) -> Found | None:
        """The document at ``place`` if it is JSON as it stands, and nothing goes on behind it."""
        if not self.guesses:
            return None
        try:
            _, end = _STRICT.raw_decode(self.text, place)
        except (ValueError, RecursionError):
            self.guesses -= 1
            return None
        going_on = REOPENED if self.text[place] == "{" else REOPENED_ARRAY
        return None if going_on.match(self.text, end) else Found(place, end, [], complete=True)

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
        edits: list[Edit] = []
        inner = self.text
        for _ in range(len(begin["level"] or begin["lines"]).bit_length()):
            once = [
                Edit(unit.start(), unit.end(), _UNESCAPED.get(unit[1], unit[1]), "escape_removed")
                for unit in _ESCAPE.finditer(inner, place)
            ]
            inner, edits = applied(inner, once), composed(edits, once)
        found = self._scanned(inner, place)
        *edits, rest = composed(edits, [*found.edits, Edit(found.end, len(inner), "", "rest")])
        return Found(place, rest.start, edits, found.complete)


def row(text: str, documents: list[Document]) -> Document | None:
    """Documents one after another with nothing but commas and comments between them, as one array."""
    if len(documents) < 2 or len({text[document.start] for document in documents}) > 1:
        return None
    full = [document for document in documents if text[document.start + 1 : document.end - 1].strip()] or documents
    position = 0
    for document in documents:
        if not _BETWEEN.fullmatch(text, position, document.start):
            return None
        position = document.end
    if not _BETWEEN.fullmatch(text, position) or len(full) < 2:
        return None
    edits = [Edit(full[0].start, full[0].start, "[", "documents_joined")]
    for document, following in zip(full, [*full[1:], None], strict=True):
        edits += document.edits
        if following:
            edits.append(Edit(document.end, following.start, ", ", "documents_joined"))
    edits.append(Edit(full[-1].end, full[-1].end, "]", "documents_joined"))
    return Document(full[0].start, full[-1].end, edits, all(document.complete for document in full))


def scalar(text: str) -> Document | None:
    """A text, number or word that is all there is, perhaps in a fence."""
    fence = _FENCED.match(text)
    start, end = fence.span("inside") if fence else (0, len(text))
    lead = _SCALAR.match(text, start, end)
    start = lead.end() if lead else start
    if start >= end:
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
