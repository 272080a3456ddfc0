"""The answers of a broadcast, compared in Markdown."""

import re
from collections.abc import Sequence

from opskit.broadcast.inquiry import Answer
from opskit.wording import Locale, say

_SHORT = 200  # characters of an answer in the table


def merged(answers: Sequence[Answer], locale: Locale) -> str:
    """The answers one under the other, each below the name of its app; who gave none stands at the end."""
    parts = [_section(answer) for answer in answers if answer.status == "ok"]
    missing = [
        f"- {_line(answer.target)}: {say(locale, f'broadcast.{answer.status}')} {_line(answer.error)}".rstrip()
        for answer in answers
        if answer.status != "ok"
    ]
    if missing:
        parts.append(f"## {say(locale, 'broadcast.without_answer')}\n\n" + "\n".join(missing))
    return "\n\n".join(parts)


def compared(answers: Sequence[Answer], locale: Locale, *, winner: str, first: bool, verdict: str) -> str:
    """A table of all apps, the winner or why there is none, and in full what the table had to shorten."""
    heads = [say(locale, f"broadcast.{name}") for name in ("target", "status", "seconds", "tokens", "answer")]
    rows = [heads, ["---"] * len(heads), *(_row(answer, locale) for answer in answers)]
    parts = ["\n".join(f"| {' | '.join(row)} |" for row in rows)]
    if winner:
        parts.insert(0, say(locale, "broadcast.first" if first else "broadcast.winner", name=_line(winner)))
    if verdict:
        parts.insert(0, say(locale, "broadcast.undecided", problem=_line(verdict)))
    long_ones = [answer for answer in answers if answer.status == "ok" and len(answer.answer) > _SHORT]
    return "\n\n".join([*parts, *map(_section, long_ones)])


def _section(answer: Answer) -> str:
    """An answer below the name of its app. A fence that it leaves open would swallow the next one."""
    text = answer.answer.strip()
    fences = sum(line.lstrip().startswith("```") for line in text.splitlines())
    return f"## {_line(answer.target)}\n\n{text}" + ("\n```" if fences % 2 else "")


def _row(answer: Answer, locale: Locale) -> list[str]:
    text = answer.answer if answer.status == "ok" else answer.error
    return [
        _cell(answer.target),
        say(locale, f"broadcast.{answer.status}"),
        f"{answer.elapsed_ms / 1000:.1f}" if answer.elapsed_ms else "-",
        "-" if answer.tokens is None else str(answer.tokens),
        _cell(text if len(text) <= _SHORT else f"{text[:_SHORT]}…"),
    ]


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    """Text as it stands in one cell of a table: a bar would begin the next one, and a fence would swallow the rest."""
    return re.sub(r"([\\|`*_<\[\]])", r"\\\1", _line(text))
