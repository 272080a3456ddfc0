"""The findings in words, for a group: lines, because DingTalk on a phone shows no tables."""

import re
from collections.abc import Sequence

from opskit.health.checkup import Check
from opskit.wording import Locale, say

_MARKS = {"failed": "✗", "unverified": "?", "healthy": "✓"}


def told(checks: Sequence[Check], locale: Locale) -> str:
    """How many are well, and a line for each; what has failed comes first."""
    counts = {state: sum(one.state == state for one in checks) for state in _MARKS}
    head = say(locale, "health.head", count=len(checks), **counts)
    lines = [_line(one, locale) for state in _MARKS for one in checks if one.state == state]
    return f"**{head}**\n\n" + "\n".join(lines)


def _line(check: Check, locale: Locale) -> str:
    kind = say(locale, f"health.{check.kind}")
    words = [check.message, say(locale, "health.fix", fix=check.fix) if check.fix else ""]
    if check.ok:
        words.append(f"({check.latency_ms} ms)")
    text = " ".join(word for word in words if word)
    return f"- {_MARKS[check.state]} **{_plain(check.name)}** ({kind}): {_plain(text)}"


def _plain(text: str) -> str:
    """Text in one line that makes no link, picture or code, whoever wrote it."""
    return re.sub(r"([\\`*<\[\]])", r"\\\1", " ".join(text.split()))
