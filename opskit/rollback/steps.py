"""The steps of a rollback, in their order, and the way back from each.

Check; keep what is there; write the draft, guarded by its hash; read it back; publish; probe. What fails before the
draft is written is raised: nothing has changed. What fails afterwards leads back to what was there, and is a result.
"""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace

from opskit import history
from opskit.dify.access import plain
from opskit.dify.console import MAX_COMMENT, Checkpoint, Console, Workflow, back_ends, claimed, mistakes
from opskit.dify.console.features import contained
from opskit.dify.probe import probe
from opskit.errors import Conflict, OpskitError
from opskit.history import Canonical, Comparison, Dsl, canonical
from opskit.ports import Storage
from opskit.rollback import checks, told
from opskit.rollback.aim import Aim, Subject, find, make
from opskit.rollback.order import Order, Rollback
from opskit.rollback.told import Standing
from opskit.versions.keep import Keeper
from opskit.versions.living import Apart, at_once, secrets_in, workflow_app
from opskit.versions.snapshot import MAX_KEEP
from opskit.wording import say

_WORK_S = 480.0  # of the 600 s of a call; the rest is for a way back
_MARK, _MARK_BACK = "OpsKit: rollback", "OpsKit: put back"


@dataclass(frozen=True, slots=True)
class _Task:
    """What every step needs. ``writes``, ``publishes``: the draft, or what serves, is another than it shall be."""

    order: Order
    subject: Subject
    aim: Aim
    keeper: Keeper
    by_model: bool
    writes: bool
    publishes: bool
    ours: list[Workflow] = field(default_factory=list)  # what we wrote, and as Dify gives it back


def roll_back(
    order: Order,
    storage: Storage,
    *,
    by_model: bool = False,
    apart: Apart = at_once,
    pause: Callable[[float], None] = time.sleep,
) -> Rollback:
    """Put an app back, or say what that would change.

    Raised is what has changed nothing: InvalidInput, InvalidCredentials and Refused say what does not fit, Conflict
    that somebody is at work on the app (``console_claimed``: this plugin itself), Unavailable that Dify did not answer.
    And what could not be put back: then the error says where the app stands (``rollback_stuck``).
    """
    order.look_at()
    now, ends, secrets = time.time(), time.monotonic() + _WORK_S, secrets_in(order)
    with Console.of(order, by_model=by_model) as console, claimed(console.host, order.app_id), _discreet(secrets):
        about = console.about(ends)
        app = workflow_app(console, order.app_id.lower(), ends)
        before = Checkpoint.taken(console, app.id, ends, secrets=secrets, pause=pause, clear=not order.dry_run)
        subject = Subject(console, app, about, before, ends, apart)
        found = find(subject, order.aim(), storage, order.file)
        checks.fits(subject, found.dsl, order.aim())
        before.own_key(plain(order.probe_key), ends)
        keeper = Keeper(console, storage, apart, ends, now, about.version)
        aim = make(subject, found)
        writes, serves = (_differs(subject, flow, aim.dsl) for flow in (before.draft, before.published))
        task = _Task(order, subject, aim, keeper, by_model, writes, serves and order.publish)
        comparison = _compared(task)
        standing = Standing(version_id=before.published.id)
        if not (task.writes or task.publishes):
            standing.status = "unchanged"
        elif not order.dry_run:
            _done(task, standing)
        locale = order.locale(app.name)
        error = standing.error.told(locale, secrets) if standing.error else ""
        remarks = [remark.told(locale) for remark in console.remarks]
        return Rollback(
            status=standing.status,
            before_snapshot_id=next(iter(standing.snapshots), ""),
            published_version_id=standing.version_id,
            error=error,
            changes=comparison.changes,
            report=told.report(order, standing, task.aim, comparison, locale, error=error, remarks=remarks),
        )


@contextlib.contextmanager
def _discreet(secrets: Collection[str]) -> Iterator[None]:
    """Let no error quote a secret of the app, and not only those that were filled in."""
    try:
        yield
    except OpskitError as error:
        error.without(secrets)
        raise


def _compared(task: _Task) -> Comparison:
    """From what serves, or from the draft where that alone is put back."""
    subject = task.subject
    left = subject.before.published if task.order.publish else subject.before.draft
    whole = subject.whole(left, subject.exported(left).dsl.dependencies)
    compared: Comparison = subject.apart(lambda: history.compare(canonical(whole), canonical(task.aim.dsl)))
    return compared


def _done(task: _Task, standing: Standing) -> None:
    """Do it: keep, write, read back, publish, probe."""
    before, ends, aim = task.subject.before, task.subject.ends, task.aim
    _keep(task, standing)
    unique_hash = before.unmoved(ends)
    task.ours.append(aim.flow if task.writes else before.draft)
    try:
        with mistakes():
            if task.writes:
                unique_hash = before.write(aim.flow, unique_hash, ends, kept=aim.kept)
                _read_back(task, unique_hash)
            if task.publishes:
                _publish(task, standing)
    except OpskitError as error:
        _undo(task, standing, error)
    else:
        standing.status = "restored"


def _keep(task: _Task, standing: Standing) -> None:
    """Snapshots of what is there: of what serves, where that is going to change, and of a draft that is another."""
    before, order = task.subject.before, task.order
    flows = [before.published] if task.publishes else []
    served = task.subject.whole(before.published)
    flows += [before.draft] if task.writes and (not flows or _differs(task.subject, before.draft, served)) else []
    note = say(order.locale(task.subject.app.name), "rollback.note", to=order.aim())
    for flow in flows:
        entry, _, _ = task.keeper.keep(before.app_id, flow, most=MAX_KEEP, note=note)
        standing.snapshots.append(entry.snapshot_id)


def _read_back(task: _Task, unique_hash: str) -> None:
    """Conflict ``rollback_not_read_back``: the draft is not what was written, or a secret is another."""
    before, ends = task.subject.before, task.subject.ends
    now = before.console.draft(before.app_id, ends)
    if now.hash == unique_hash:  # what Dify made of it; it says nothing of variables
        task.ours.append(replace(task.aim.flow, graph=now.graph, features=now.features))
    now = before.in_clear(now, ends)
    secrets = [{one.name: one.value for one in flow.environment} for flow in (now, task.aim.flow)]
    if not _is_aim(task, now) or secrets[0] != secrets[1]:
        raise Conflict("rollback_not_read_back")


def _publish(task: _Task, standing: Standing) -> None:
    """Publish, read it back, and let the app prove that it works."""
    before, order, ends = task.subject.before, task.order, task.subject.ends
    comment = say("en_US", "rollback.comment", to=order.aim(), snapshot=standing.snapshots[0])[:MAX_COMMENT]
    version = before.publish(ends, name=_MARK, comment=comment, before=before.published.id)
    standing.version_id = version.id
    if not _is_aim(task, version):
        raise Conflict("app_not_read_back", app=before.app_id)
    key = plain(order.probe_key)
    if key:
        probe(order.service(by_model=task.by_model), key, task.subject.app.mode, order.probe_inputs, ends)


def _undo(task: _Task, standing: Standing, why: OpskitError) -> None:
    """Go back to what was there. ``why`` is raised where nothing had changed, and where there is no way back."""
    before, kept = task.subject.before, ", ".join(f"snapshot:{one}" for one in standing.snapshots)
    try:
        changed = before.back(task.ours, back_ends(task.subject.ends), name=_MARK_BACK, comment=f"[{why.key}]")
    except OpskitError as error:
        if error.key == "app_draft_left":
            raise why.also(error.key, app=before.app_id) from None
        raise why.also("rollback_stuck", problem=f"[{error.key}]", snapshots=kept) from None
    if not changed:
        raise why.also("rollback_untouched")
    standing.status, standing.error = "reverted", why
    try:
        serving = before.console.published(before.app_id, back_ends(task.subject.ends))
    except OpskitError:
        serving = None
    standing.version_id = serving.id if serving else ""


def _differs(subject: Subject, flow: Workflow, dsl: Dsl) -> bool:
    """Whether a draft or version does something else, or has another secret in a node."""

    def compared() -> bool:
        return Canonical(subject.whole(flow), ()).meaning != Canonical(dsl, ()).meaning

    return bool(subject.apart(compared))


def _is_aim(task: _Task, flow: Workflow) -> bool:
    """Whether what Dify gives back is what was sent, whatever it has added to the features."""

    def compared() -> bool:
        sent, read = task.aim.dsl, task.subject.whole(flow)
        rest = [
            {name: it for name, it in Canonical(one, ()).meaning.items() if name != "features"} for one in (sent, read)
        ]
        return rest[0] == rest[1] and contained(sent.workflow["features"], read.workflow["features"])

    return bool(task.subject.apart(compared))
