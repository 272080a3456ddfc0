"""Snapshots in words, and the names of their files."""

import re
from collections.abc import Sequence

from opskit.history.prose import code, escaped
from opskit.versions.snapshot import Failure, Snapshot
from opskit.wording import Locale, say

_NO_NAME = re.compile(r"[^\w.-]+")
_NAME_CHARS = 60


def told(
    snapshots: Sequence[Snapshot], failed: Sequence[Failure], remarks: Sequence[str], left_out: int, locale: Locale
) -> str:
    """Markdown: how many there are, a table of them, secrets that were taken out, and what went wrong."""
    unchanged = sum(one.unchanged for one in snapshots)
    counts = {"taken": len(snapshots) - unchanged, "unchanged": unchanged, "failed": len(failed)}
    parts = [f"**{say(locale, 'snapshots.counted', **counts)}**"]
    heads = [say(locale, f"snapshots.{name}") for name in ("app", "tag", "state")]
    rows = [heads, ["---"] * len(heads)]
    for one in snapshots:
        state = say(locale, "snapshots.same" if one.unchanged else "snapshots.new", id=one.snapshot_id)
        rows.append([escaped(one.name), escaped(one.tag), state])
    parts.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
    lines = [
        f"- {escaped(one.name)}: {escaped(it.node or '-')} {code(it.path)} ({it.kind})"
        for one in snapshots
        for it in one.redacted
    ]
    parts += [say(locale, "snapshots.redacted"), "\n".join(lines)] if lines else []
    if failed:
        parts += [
            say(locale, "snapshots.failures"),
            "\n".join(f"- {one.app_id}: {escaped(one.error)}" for one in failed),
        ]
    parts += [say(locale, "snapshots.left_out", count=left_out)] if left_out else []
    return "\n\n".join([*parts, *remarks])


def other_tags(snapshots: Sequence[Snapshot], wanted: str, locale: Locale) -> list[str]:
    """That some keep the tag that they have, for what has not changed gets no second one: else it is looked for."""
    names = [escaped(one.name) for one in snapshots if wanted and one.tag != wanted]
    return [say(locale, "snapshots.other_tag", tag=escaped(wanted), apps=", ".join(names))] if names else []


def filename(snapshot: Snapshot) -> str:
    """A name by which a person and a Git repository know the app's file again."""
    name = _NO_NAME.sub("_", snapshot.name).strip("._")[:_NAME_CHARS]
    return f"{name or 'app'}-{snapshot.app_id[:8]}.yml"
