"""A comparison in words: one line for a message, Markdown for a person."""

from collections.abc import Sequence

from opskit.history.changes import KINDS, Comparison, Entry, shown, worded
from opskit.history.differences import MISSING
from opskit.history.prose import code, escaped, line_diff, word_diff
from opskit.wording import Locale, say

_OPS = ("changed", "added", "removed")
_VALUE_CHARS = 120  # of a value in a line; longer texts are compared word by word, or line by line
_SHOWN_ENTRIES = 300
# Fields whose lines are code: of a code node, a template, a schema.
_CODE = frozenset({"code", "template", "schema", "data", "jinja2_text", "headers", "params"})


def summary(comparison: Comparison, locale: Locale) -> str:
    """One line: ``3 nodes changed, 1 added; risk: model swapped``."""
    if not comparison.entries:
        return say(locale, "history.nothing")
    counted = [part for kind in KINDS for part in _counted(comparison.entries, kind, locale)]
    text = say(locale, "history.comma").join(counted)
    codes = dict.fromkeys(risk.code for risk in comparison.risks(locale))
    if codes:
        briefs = [f"brief_{name}" for name in codes]
        names = say(locale, "history.comma").join(say(locale, f"history.{brief}") for brief in briefs)
        text += say(locale, "history.with_risk", names=names)
    return text


def report(comparison: Comparison, locale: Locale) -> str:
    """Markdown: the summary, the risks, and a section for each node, edge, variable and feature that changed.

    Of more than 300 changes the rest is counted.
    """
    parts = [f"**{escaped(summary(comparison, locale))}**"]
    risks = comparison.risks(locale)
    if risks:
        lines = [f"- {'⚠️' if risk.level == 'high' else 'ℹ️'} {escaped(risk.message)}" for risk in risks[:_SHOWN_ENTRIES]]
        parts += [f"### {say(locale, 'history.risks')}", "\n".join(lines)]
    section = None
    for entry in comparison.entries[:_SHOWN_ENTRIES]:
        heading = _heading(entry, locale)
        if heading != section:
            parts.append(f"### {heading}")
            section = heading
        parts.append(_told(entry, locale))
    left = len(comparison.entries) - _SHOWN_ENTRIES
    if left > 0:
        parts.append(say(locale, "history.and_more", count=left))
    return "\n\n".join(parts)


def _counted(entries: Sequence[Entry], kind: str, locale: Locale) -> list[str]:
    """``3 nodes changed``, ``1 added``: a thing with several changes counts once, a new or lost one as such."""
    ops: dict[str, str] = {}
    for entry in entries:
        if entry.kind == kind:
            name = entry.title if kind == "feature" else entry.id
            ops[name] = entry.difference.op if _is_whole(entry) else ops.get(name, "changed")
    parts: list[str] = []
    for op in _OPS:
        count = list(ops.values()).count(op)
        if count:
            name = "more" if parts else f"count_{kind}_{'one' if count == 1 else 'many'}"
            parts.append(say(locale, f"history.{name}", count=count, op=say(locale, f"history.{op}")))
    return parts


def _is_whole(entry: Entry) -> bool:
    """Whether the change is about the thing itself and not a part of it."""
    depth = {"node": 0, "edge": 0, "variable": 2, "secret": 2, "feature": 2}[entry.kind]
    return len(entry.difference.path) <= depth


def _heading(entry: Entry, locale: Locale) -> str:
    if entry.kind == "node":
        return f"{escaped(entry.title)} ({escaped(entry.type)}, {code(entry.id)})"
    name = f"heading_{entry.kind}"
    return say(locale, f"history.{name}")


def _told(entry: Entry, locale: Locale) -> str:
    """One change: a line, or a line with the difference of two texts below it."""
    left, right, op = entry.difference.left, entry.difference.right, entry.difference.op
    named = entry.kind in ("edge", "variable", "secret")
    what = " ".join([*([escaped(entry.title)] if named else []), *([code(entry.path)] if entry.path else [])])
    if MISSING in (left, right):
        done = say(locale, f"history.{op}")
        if not entry.path:
            return f"- {what} {done}" if what else f"- {done}"
        return f"- {what} {done}: {code(shown(right if left is MISSING else left))}"
    texts = worded(left), worded(right)
    if max(map(len, texts)) <= _VALUE_CHARS and not any("\n" in text for text in texts):
        return f"- {what}: {code(texts[0])} → {code(texts[1])}"
    if not (isinstance(left, str) and isinstance(right, str)):
        return f"- {what}: {code(shown(left))} → {code(shown(right))}"
    if _is_code(entry):
        return f"- {what}:\n\n{line_diff(left, right)}"
    return "\n".join([f"- {what}:", "", *(f"> {line}  " for line in word_diff(left, right))])


def _is_code(entry: Entry) -> bool:
    """Whether the text has lines that a computer reads."""
    field = [step for step in entry.difference.path if step != "value"][-1]
    return field in _CODE
