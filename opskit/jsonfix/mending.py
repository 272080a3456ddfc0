"""From a text that should be JSON to JSON that is valid and conforms, and the account of what was changed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from opskit.jsonfix import coercion, marks
from opskit.jsonfix.confidence import confidence
from opskit.jsonfix.documents import RIVALS, Document, row, survey
from opskit.jsonfix.edits import Edit, applied, composed
from opskit.jsonfix.fixes import COSTS
from opskit.jsonfix.schema import Finding, Schema
from opskit.jsonfix.strict import Loaded, TooDeep, load
from opskit.jsonfix.texts import Extent, written
from opskit.wording import well_formed

type Coerce = Literal["off", "safe", "full"]
type Prefer = Literal["best", "first", "last"]
# What goes on behind JSON as if it had not ended.
_KEYED = re.compile(rf"{marks.TEXT}\s*+:\s*+")  # what stands before may be its key
_ONE_TOO_MANY = re.compile(r"\s*+(?P<mark>[\]}])")
_TWICE = {mark: re.compile(rf"\{mark}\s*+\{mark}\s*+,") for mark in "]}"}
_LEFTOVER = re.compile(rf"\s*+(?:[\]}}{marks.COMMAS}]++\s*+[^\s\]}}{marks.COMMAS}]|[\"'])")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, or odd: a code, the place in the value as a path, and what the sentence needs."""

    code: str
    path: tuple[str | int, ...] = ()
    blanks: dict[str, Any] = field(default_factory=dict)
    finding: Finding = None


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of a text. ``text`` is "" where it holds no JSON."""

    text: str
    loaded: Loaded | None
    edits: Sequence[Edit]
    problems: tuple[Problem, ...]
    valid: bool
    confidence: float
    dropped: str = ""

    @property
    def coerced(self) -> bool:
        """Whether a value was changed to make it conform."""
        return any(edit.why in COSTS for edit in self.edits)


@dataclass(frozen=True, slots=True)
class _Candidate:
    document: Document
    edits: list[Edit]
    text: str
    loaded: Loaded
    findings: list[Finding]
    doubts: frozenset[str]
    cost: int  # of its coercions
    odd: list[Finding]  # texts that are not of their declared format


def mend(
    text: str,
    *,
    schema: Schema | None = None,
    coerce: Coerce = "safe",
    prefer: Prefer = "best",
    repair: bool = True,
    max_depth: int = 500,
) -> Mended:
    """The JSON that ``text`` holds or was to hold. What cannot be mended comes back with ``valid`` false."""
    text = text if text.isascii() else well_formed(text)
    try:
        loaded = load(text, max_depth=max_depth)
    except TooDeep:
        return _hopeless("too_deep", limit=max_depth)
    except ValueError:
        loaded = None
    if loaded and (not schema or _conforms(loaded.value, schema, coerce)):
        return Mended(text, loaded, (), tuple(_oddities(loaded)), valid=True, confidence=1.0)
    if loaded:
        whole = Document(0, len(text), [], complete=True)
        candidates = [_fitted(text, text, whole, [], loaded, schema=schema, coerce=coerce)]
        problems: list[tuple[str, int]] = []
    else:
        found = survey(text, max_depth=max_depth)
        problems = found.problems if repair else [("not_strict", 0)]
        candidates = list(_candidates(text, found.documents, schema, coerce, repair=repair, max_depth=max_depth))
    doubtful = not candidates or candidates[0].findings
    if schema and doubtful and (spoken := _spoken(text, schema, coerce, alone=not candidates)):
        candidates.append(spoken)
    if not candidates:
        code, offset = problems[0] if problems else ("no_json", 0)
        return _hopeless(code, limit=max_depth, offset=offset, line=text.count("\n", 0, offset) + 1)
    return _chosen(text, candidates, prefer)


def _hopeless(code: str, **blanks: object) -> Mended:
    return Mended("", None, (), (Problem(code, (), blanks),), valid=False, confidence=0.0)


def _candidates(
    text: str, documents: list[Document], schema: Schema | None, coerce: Coerce, *, repair: bool, max_depth: int
) -> Iterator[_Candidate]:
    """The texts of JSON in a text, each with what it takes to make it conform."""
    final = [document for document in documents if not document.draft] or documents
    together = row(text, final) if repair else None
    if repair and not together and schema and schema.resolved(schema.part(())).get("type") == "array":
        objects = [document for document in final if text[document.start] == "{"]
        fenced = [document for document in objects if document.fenced]
        together = row(text, fenced or objects, apart=True) if len(objects) == len(final) <= 2 * RIVALS else None
    several = final if len(final) <= 2 * RIVALS else final[:RIVALS] + final[-RIVALS:]
    for document in [*several, *([together] if together else [])]:
        edits = [*_around(text[: document.start], 0), *document.edits, *_around(text[document.end :], document.end)]
        try:
            fixed = applied(text, edits)
            loaded = load(fixed, max_depth=max_depth)
        except ValueError:
            continue
        if repair or not document.edits:
            yield _fitted(text, fixed, document, edits, loaded, schema=schema, coerce=coerce)


def _around(piece: str, start: int) -> list[Edit]:
    """What stands before or behind a JSON text goes, but for space."""
    if not piece.strip(" \t\n\r"):
        return []
    return [Edit(start, start + len(piece), "", "surroundings_removed")]


def _doubts(text: str, document: Document, fixed: str) -> frozenset[str]:
    """What is uncertain about a document, besides the changes to it."""
    words = any(edit.why in ("word_changed", "not_a_number") for edit in document.edits[:1])
    glued = text[document.end : document.end + 1].isalnum() and not text[: document.start].strip()
    over = _ONE_TOO_MANY.match(text, document.end)
    found = {
        "bracket_removed": over is not None and _is_unclear(text, document, over["mark"]),
        "cut_off": not document.complete,
        "draft": document.draft,
        "unlikely": not document.likely,
        "word_alone": words and fixed.strip()[:1] not in ("{", "["),
        "glued": glued,
        "fragment": document.fragment,
        "keyed": _KEYED.fullmatch(text[: document.start].lstrip()) is not None,
        "leftover": _LEFTOVER.match(text, document.end) is not None,
        "blank": fixed.strip() in ("{}", "[]") and bool(text[: document.start].strip()),
    }
    return frozenset(name for name, is_so in found.items() if is_so)


def _is_unclear(text: str, document: Document, over: str) -> bool:
    """Whether the bracket that is left over behind may belong elsewhere: its opening one may be what is missing."""
    other = text[document.end - 1] in "]}" and text[document.end - 1] != over
    return other or _TWICE[over].search(text, document.start, document.end) is not None


def _fitted(
    text: str,
    fixed: str,
    document: Document,
    edits: list[Edit],
    loaded: Loaded,
    *,
    schema: Schema | None,
    coerce: Coerce,
) -> _Candidate:
    """A candidate, changed as far as the schema asks for it and ``coerce`` allows."""
    doubts = _doubts(text, document, fixed)
    findings: list[Finding] = []
    cost = 0
    if schema and not _conforms(loaded.value, schema, coerce):
        if len(fixed) > coercion.MAX_TEXT:
            findings = [finding for finding in [schema.finding(loaded.value)] if finding]
        elif coerce == "off":
            findings = coercion.first(schema.findings(loaded.value))
        else:
            found = coercion.coerced(fixed, loaded.value, schema, full=coerce == "full", load=_value)
            findings, fixed = found.findings, found.text
            cost = sum(COSTS.get(edit.why, 0) for edit in found.edits)
            edits = composed(edits, found.edits)
            loaded = load(fixed, max_depth=10_000)
    odd = _odd(loaded.value, schema, coerce) if len(fixed) <= coercion.MAX_TEXT else []
    return _Candidate(document, edits, fixed, loaded, findings, doubts, cost, odd)


def _conforms(value: object, schema: Schema, coerce: Coerce) -> bool:
    """Whether nothing is left to be wished for."""
    return schema.fits(value) and not _odd(value, schema, coerce)


def _odd(value: object, schema: Schema | None, coerce: Coerce) -> list[Finding]:
    """Texts that are not of their declared format. JSON Schema leaves them valid; ``full`` coercion tries."""
    return schema.odd_formats(value) if schema and coerce == "full" else []


def _value(text: str) -> object:
    return load(text, max_depth=10_000).value


def _spoken(text: str, schema: Schema, coerce: Coerce, *, alone: bool) -> _Candidate | None:
    """The whole text as a JSON text, where the schema wants a scalar and prose may be or hold it.

    ``alone``: there is no other JSON; then prose may also name the only item of an array.
    """
    root = schema.resolved(schema.part(()))
    if alone and root.get("type") == "array":
        item = schema.resolved(root.get("items"))
        root = item if item.get("type") == "boolean" or "enum" in item or "const" in item else {}
    kinds = root.get("type", [])
    options = root.get("enum") or ("const" in root) or root.get("anyOf") or root.get("oneOf")
    scalar = set([kinds] if isinstance(kinds, str) else kinds) & {"string", "number", "integer", "boolean"}
    plain = text.strip(" \t\n\r")
    if coerce == "off" or not (scalar or (options and not kinds)) or not plain:
        return None
    start = text.index(plain)
    edits = [Edit(0, start, "", "spoken")] if start else []
    edits += [
        edit._replace(why="spoken")
        for edit in written(text, Extent(start, start, start + len(plain), start + len(plain), ""))
    ]
    document = Document(start, start + len(plain), edits, complete=True)
    fixed = applied(text, edits)
    loaded = load(fixed, max_depth=1)
    return _fitted(text, fixed, document, edits, loaded, schema=schema, coerce=coerce)


def _chosen(text: str, candidates: Sequence[_Candidate], prefer: Prefer) -> Mended:
    """The best of the candidates, and what is to be said about it."""
    fewest = min(len(one.findings) for one in candidates)
    if prefer == "first":
        ranked = sorted(candidates, key=lambda one: one.document.start)
    elif prefer == "last":
        ranked = sorted(candidates, key=lambda one: -one.document.start)
    else:
        ranked = sorted(candidates, key=lambda one: _rank(text, one, fewest))
    best = ranked[0]
    reasons = {edit.why for edit in best.edits} | best.doubts
    problems = list(_oddities(best.loaded))
    if rivals := _rivals(text, best, ranked[1:]):
        reasons.add("rivals")
        start = best.document.start
        number = 1 + sum(one.document.start < start for one in rivals)
        line = text.count("\n", 0, start) + 1
        problems.append(Problem("several_texts", (), {"count": len(rivals) + 1, "number": number, "line": line}))
    if best.document.fragment:
        problems.append(Problem("fragment"))
    if "keyed" in best.doubts:
        problems.append(Problem("keyed"))
    if not best.document.complete:
        problems.append(Problem("cut_off"))
    problems += [Problem("odd_format", tuple(one.instance_path), {}, one) for one in best.odd]
    findings = [Problem("not_conforming", tuple(one.instance_path), {}, one) for one in best.findings]
    start, end = best.document.start, best.document.end
    dropped = "\n".join(piece.strip() for piece in (text[:start], text[end:]) if piece.strip())
    sure = confidence(reasons) if not findings else 0.0
    return Mended(best.text, best.loaded, best.edits, (*findings, *problems), not findings, sure, dropped)


def _rank(text: str, one: _Candidate, fewest: int) -> tuple[Any, ...]:
    """Fit to the schema, then completeness and surroundings, then place."""
    document = one.document
    blank = not text[document.start + 1 : document.end - 1].strip()
    return (
        (len(one.findings) > fewest, len(one.findings), one.cost),
        not document.joined,
        blank,
        not document.likely,
        not document.fenced,
        not document.complete,
        document.start,
    )


def _rivals(text: str, best: _Candidate, others: Sequence[_Candidate]) -> list[_Candidate]:
    """Other texts that might as well have been meant."""
    mine = _kind(text, best)
    inside = best.document.start, best.document.end
    return [
        one
        for one in others
        if _kind(text, one) == mine
        and not inside[0] <= one.document.start < inside[1]
        and one.text.strip() != best.text.strip()
    ]


def _kind(text: str, one: _Candidate) -> tuple[Any, ...]:
    """What rivals have in common: findings and surroundings, whatever their coercions cost."""
    ranked = _rank(text, one, 0)
    return (ranked[0][1], *ranked[1:5])


def _oddities(loaded: Loaded) -> Iterator[Problem]:
    """What is odd about JSON that is valid."""
    for name in loaded.twice:
        yield Problem("duplicate_key", (), {"name": name})
    if loaded.beyond:
        yield Problem("number_beyond")
    if loaded.halves:
        yield Problem("lone_surrogate")
