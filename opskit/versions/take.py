"""Snapshots of many apps at once."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from opskit.dify.console import Console
from opskit.errors import InvalidInput, OpskitError, Unavailable
from opskit.history import Canonical
from opskit.history.shelf import Kept
from opskit.model import Attachment
from opskit.ports import Storage
from opskit.versions import taken
from opskit.versions.keep import Keeper
from opskit.versions.living import DEADLINE_S, Apart, at_once, secrets_in
from opskit.versions.snapshot import Failure, Order, Snapshot, Snapshots
from opskit.wording import Locale

PARALLEL = 8  # a default Dify answers ten calls at once
_MOST_TOLD = 10  # failures in an error


@dataclass(frozen=True, slots=True)
class _Taking:
    """What is the same for every app."""

    order: Order
    keeper: Keeper


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of one app: a snapshot and its text, or an error."""

    app_id: str
    snapshot: Snapshot | None = None
    text: str = ""
    error: OpskitError | None = None


def take(
    order: Order, storage: Storage, *, by_model: bool = False, apart: Apart = at_once
) -> tuple[Snapshots, list[Attachment]]:
    """Take a snapshot of each app and keep it; the DSL of each as a file.

    An app that fails is told in ``failed``. Raised is what keeps everybody out of the console, InvalidInput
    ``no_workflow_apps``, and, where every app fails, the error of the only one or ``snapshots_failed`` with all.
    """
    if not order.app_ids:
        raise InvalidInput("missing_parameter", name="app_ids")
    now, ends = time.time(), time.monotonic() + DEADLINE_S
    locale, secrets = order.locale(order.note, order.tag), secrets_in(order)
    with Console.of(order, by_model=by_model) as console:
        app_ids = _apps(order, console, ends)
        version = console.about(ends).version  # where nobody is let in, this says so once
        taking = _Taking(order, Keeper(console, storage, apart, ends, now, version))
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="opskit-snapshot") as pool:
            found = list(pool.map(partial(_settled, taking), app_ids))
        remarks = [remark.told(locale) for remark in console.remarks]
    left_out = [one for one in found if order.every and one.error and one.error.key == "not_published"]
    failures = [(one.app_id, one.error) for one in found if one.error and one not in left_out]
    snapshots = [one.snapshot for one in found if one.snapshot]
    if failures and not snapshots:
        nothing = _failed(failures, locale, secrets)
        raise nothing
    if not snapshots:
        raise InvalidInput("no_workflow_apps")
    failed = [Failure(app_id=app_id, error=error.told(locale, secrets)) for app_id, error in failures]
    remarks = [*taken.other_tags(snapshots, order.tag, locale), *remarks]
    report = taken.told(snapshots, failed, remarks, len(left_out), locale)
    files = [
        Attachment(taken.filename(one.snapshot), "application/yaml", one.text.encode) for one in found if one.snapshot
    ]
    return Snapshots(snapshots=snapshots, failed=failed, report=report), files


def _apps(order: Order, console: Console, ends: float) -> list[str]:
    """The ids of the apps, each once."""
    if order.every:
        return [app.id for app in console.apps(ends)]
    return list(dict.fromkeys(app_id.lower() for app_id in order.app_ids))


def _settled(taking: _Taking, app_id: str) -> _Taken:
    """The snapshot of one app, or why there is none."""
    try:
        snapshot, text = _one(taking, app_id)
    except OpskitError as error:
        return _Taken(app_id, error=error)
    return _Taken(app_id, snapshot, text)


def _one(taking: _Taking, app_id: str) -> tuple[Snapshot, str]:
    order, keeper = taking.order, taking.keeper
    read = keeper.console.draft if order.source == "draft" else keeper.console.published
    flow = read(app_id, keeper.ends)
    if flow is None:
        raise InvalidInput("not_published")
    entry, made, unchanged = keeper.keep(app_id, flow, most=order.keep, tag=order.tag, note=order.note)
    return _told(app_id, entry, made, unchanged=unchanged), made.text


def _told(app_id: str, entry: Kept, made: Canonical, *, unchanged: bool) -> Snapshot:
    return Snapshot(
        app_id=app_id,
        name=made.dsl.name,
        snapshot_id=entry.snapshot_id,
        tag=entry.tag,
        sha256=entry.sha256,
        created=entry.created,
        unchanged=unchanged,
        redacted=list(made.redacted),
    )


def _failed(failures: Sequence[tuple[str, OpskitError]], locale: Locale, secrets: Sequence[str]) -> OpskitError:
    """That there is no snapshot at all, and why."""
    if len(failures) == 1:
        return failures[0][1]
    kinds = {type(error) for _, error in failures}
    kind = kinds.pop() if len(kinds) == 1 else Unavailable
    failed: OpskitError = kind("snapshots_failed", count=len(failures))
    for app_id, error in failures[:_MOST_TOLD]:
        failed.also("target_failed", name=app_id, problem=error.told(locale, secrets))
    return failed
