"""What ``json_repair`` does: mend, hold against the schema, and answer as the author of the workflow decided."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from opskit.errors import InvalidInput
from opskit.jsonfix.account import changes, troubles, worded
from opskit.jsonfix.edits import Edit
from opskit.jsonfix.mending import Mended, mend
from opskit.jsonfix.schema import Schema, parsed
from opskit.jsonfix.strict import TooDeep, load
from opskit.jsonfix.text import MAX_CHANGES, MAX_DEPTH, MAX_JSON, MAX_TEXT, Change, Gate, Repaired, Text
from opskit.model import Attachment
from opskit.wording import Locale, say

_NAMED = 3  # problems in an error
_LISTED = 10  # changes and problems in the report


@dataclass(frozen=True, slots=True)
class Rules:
    """The schema and the fallback, both held to be usable before a text is looked at."""

    schema: Schema | None
    fallback: str

    @classmethod
    def of(cls, gate: Gate) -> "Rules":
        """InvalidInput where the schema is no schema, or the fallback is no JSON or does not conform."""
        schema = Schema(parsed(gate.schema)) if gate.schema else None
        if gate.on_invalid == "fallback" and not gate.fallback:
            raise InvalidInput("no_fallback")
        if gate.fallback:
            try:
                value = load(gate.fallback, max_depth=MAX_DEPTH).value
            except TooDeep:
                raise InvalidInput("fallback_too_deep", limit=MAX_DEPTH) from None
            except ValueError as error:
                raise InvalidInput("fallback_not_json", problem=error) from None
            if schema and (finding := schema.finding(value)):
                raise InvalidInput("fallback_unfit", problem=finding.message)
        return cls(schema, gate.fallback)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out: the result, and the files beside it."""

    repaired: Repaired
    attachments: tuple[Attachment, ...] = ()


def repair(text: Text) -> Answer:
    """The JSON of a text. InvalidInput ``invalid_json`` where there is none that conforms, if that is to fail."""
    rules = Rules.of(text)
    return answered(mended_by(text, rules), text.text, text, rules, text.locale(text.text))


def mended_by(text: Text, rules: Rules) -> Mended:
    """What became of the text. InvalidInput where it is too large to be looked at."""
    if len(text.text) > MAX_TEXT:
        raise InvalidInput("json_too_large", limit_mb=MAX_TEXT // 1024 // 1024)
    return mend(
        text.text,
        schema=rules.schema,
        coerce=text.coerce,
        prefer=text.prefer,
        repair=text.repair,
        max_depth=text.max_depth,
    )


def answered(mended: Mended, source: str, gate: Gate, rules: Rules, locale: Locale, **more: Any) -> Answer:
    """The answer in the way that ``on_invalid`` asks for."""
    if mended.valid:
        status = "coerced" if mended.coerced else "repaired" if mended.edits else "unchanged"
        return _answer(mended, source, status, locale, more)
    if gate.on_invalid == "fail":
        _fail(mended, locale)
    if gate.on_invalid == "report":
        return _answer(mended, source, "invalid", locale, more)
    loaded = load(rules.fallback, max_depth=MAX_DEPTH)
    edit = Edit(0, len(source), rules.fallback, "fallback_used")
    instead = Mended(rules.fallback, loaded, (edit,), mended.problems, valid=True, confidence=0.0)
    return _answer(instead, source, "fallback", locale, more)


def _fail(mended: Mended, locale: Locale) -> NoReturn:
    named = [worded(problem, locale) for problem in mended.problems[:_NAMED]]
    rest = len(mended.problems) - len(named)
    raise InvalidInput("invalid_json", problems=" ".join([*named, f"(+{rest})"] if rest else named))


def _answer(mended: Mended, source: str, status: Any, locale: Locale, more: dict[str, Any]) -> Answer:
    listed = list(changes(source, mended, locale, MAX_CHANGES))
    oversize = len(mended.text) > MAX_JSON or len(mended.text.encode()) > MAX_JSON
    value = mended.loaded.value if mended.loaded and not oversize else {}
    fields: dict[str, Any] = {
        "valid": mended.valid,
        "status": status,
        "result": value if isinstance(value, dict) else {"value": value},
        "json_text": "" if oversize else mended.text,
        "changes": listed,
        "problems": troubles(mended.problems, locale),
        "confidence": mended.confidence,
        "dropped_text": mended.dropped,
        "fallback_used": status == "fallback",
        "oversize": oversize,
        "report": report(mended, status, listed, locale),
    }
    return Answer(
        more["gives"](**fields, **more["extra"]) if more else Repaired(**fields),
        tuple(_files(mended, source, locale, oversize=oversize)),
    )


def _files(mended: Mended, source: str, locale: Locale, *, oversize: bool) -> Iterator[Attachment]:
    """What is too large for variables."""
    if oversize:
        yield Attachment("result.json", "application/json", mended.text.encode)
    if len(mended.edits) > MAX_CHANGES:
        yield Attachment("changes.json", "application/json", partial(_all_changes, mended, source, locale))


def _all_changes(mended: Mended, source: str, locale: Locale) -> bytes:
    every = changes(source, mended, locale, None)
    return json.dumps([change.model_dump() for change in every], ensure_ascii=False).encode()


def report(mended: Mended, status: str, listed: list[Change], locale: Locale) -> str:
    """What was done and what is wrong, in Markdown."""
    count = len(mended.edits)
    lines = [say(locale, f"json_report.{status}", count=count, confidence=f"{mended.confidence:.2f}")]
    shown = [
        say(locale, "json_report.change", line=change.line, column=change.column, why=change.why)
        for change in listed[:_LISTED]
    ]
    problems = [f"- {worded(problem, locale)}" for problem in mended.problems[:_LISTED]]
    for lines_, total in ((shown, count), (problems, len(mended.problems))):
        rest = [say(locale, "json_report.more", count=total - len(lines_))] if total > len(lines_) else []
        lines += [*lines_, *rest]
    return "\n".join(lines)
