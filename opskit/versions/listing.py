"""The versions of an app in one list, and two of them compared."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from opskit import history
from opskit.dify.console import Console, ConsoleApp, Workflow
from opskit.history import Canonical, Change, Risk
from opskit.history.prose import escaped
from opskit.history.shelf import Kept, Shelf
from opskit.ports import Storage
from opskit.versions.living import DEADLINE_S, Apart, at_once, hash_of, living, moment, workflow_app
from opskit.versions.sides import Side, Sides, pair
from opskit.versions.timeline import History, Moment, Query
from opskit.wording import Locale, say

MOST = 50  # published versions in the list: each brings its whole graph along


@dataclass(frozen=True, slots=True)
class _Told:
    """A comparison in words and rows."""

    summary: str = ""
    report: str = ""
    changes: Sequence[Change] = ()
    risks: Sequence[Risk] = ()


def look(query: Query, storage: Storage, *, by_model: bool = False, apart: Apart = at_once) -> History:
    """List the versions of an app and compare two of them, if any are named.

    InvalidInput: ``no_such_side``, ``no_side_file``, ``not_published``, ``no_snapshot``, or as ``history.read`` says.
    """
    ends, locale = time.monotonic() + DEADLINE_S, query.locale()
    both = pair(query.left, query.right, query.file)
    app_id = query.app_id.lower()
    with Console.of(query, by_model=by_model) as console:
        app = workflow_app(console, app_id, ends)
        published = console.published(app_id, ends)
        versions = console.versions(app_id, ends, most=MOST)
        known = [flow for flow in versions.items if not flow.is_draft]
        serving = None
        if published:
            serving = (published, living(console, app_id, published, ends, apart, whether_empty=bool(both)))
        shelf = Shelf(storage, app_id)
        current = serving[1].sha256 if serving else ""
        rows = [_kept(entry, current) for entry in shelf.entries()]
        version = console.about(ends).version
        hashes = apart(lambda: [_hash(app, flow, serving, version) for flow in known])
        rows += [_version(flow, sha256, published) for flow, sha256 in zip(known, hashes, strict=True)]
        rows.sort(key=lambda row: row.created, reverse=True)
        sides = Sides(console, app_id, shelf, known, serving, query.file, ends, apart)
        told = _compared(sides, both, locale) if both else _Told()
        remarks = [remark.told(locale) for remark in console.remarks]
    summary = told.summary or _counted(rows, locale)
    notes = remarks if versions.whole or remarks else [say(locale, "timeline.older", count=len(known))]
    parts = [f"## {escaped(app.name)}", told.report or f"**{summary}**", _table(rows, locale), *notes]
    return History(
        summary=summary,
        changes=list(told.changes),
        risks=list(told.risks),
        timeline=rows,
        report="\n\n".join(part for part in parts if part),
    )


def _compared(sides: Sides, both: tuple[Side, Side], locale: Locale) -> _Told:
    left, right = map(sides.found, both)

    def words() -> _Told:
        comparison = history.compare(left, right)
        heading = say(locale, "timeline.compared", left=escaped(str(both[0])), right=escaped(str(both[1])))
        report = f"{heading}\n\n{history.report(comparison, locale)}"
        summary = history.summary(comparison, locale)
        return _Told(summary, report, comparison.changes, comparison.risks(locale))

    told: _Told = sides.apart(words)
    return told


def _hash(app: ConsoleApp, flow: Workflow, serving: tuple[Workflow, Canonical] | None, version: str) -> str:
    """The hash of a version; empty where it cannot be read. What serves has been read already."""
    if serving and serving[0].id == flow.id:
        return serving[1].sha256
    return hash_of(app, flow, version)


def _kept(entry: Kept, current: str) -> Moment:
    return Moment(
        kind="snapshot",
        id=entry.snapshot_id,
        tag=entry.tag,
        created=entry.created,
        by=entry.by,
        note=entry.note,
        sha256=entry.sha256,
        current=entry.sha256 == current,
    )


def _version(flow: Workflow, sha256: str, published: Workflow | None) -> Moment:
    return Moment(
        kind="version",
        id=flow.id,
        tag=flow.marked_name,
        created=moment(flow.created_at),
        by=flow.created_by,
        note=flow.marked_comment,
        sha256=sha256,
        current=published is not None and flow.id == published.id,
    )


def _counted(rows: Sequence[Moment], locale: Locale) -> str:
    snapshots = sum(row.kind == "snapshot" for row in rows)
    return say(locale, "timeline.counted", snapshots=snapshots, versions=len(rows) - snapshots)


def _table(rows: Sequence[Moment], locale: Locale) -> str:
    """The list as Markdown; nothing where there is none."""
    if not rows:
        return ""
    heads = [say(locale, f"timeline.{name}") for name in ("created", "what", "tag", "by", "note")]
    lines = [heads, ["---"] * len(heads)]
    for row in rows:
        mark = say(locale, "timeline.current") if row.current else ""
        what = f"`{row.kind}:{row.id}` {mark}".rstrip()
        lines.append([row.created, what, *map(escaped, (row.tag, row.by, row.note))])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
