"""What the app shall be: a snapshot, a version or a file, made whole for this app as it is now.

Secrets keep their current values. Those of the environment Dify keeps itself, by the ids of the draft's variables;
those that were written into nodes are taken from the same places of the draft, or of Dify's own version.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opskit import history
from opskit.dify import fetched
from opskit.dify.console import About, Checkpoint, Console, ConsoleApp, Variable, Workflow
from opskit.dify.console.features import completed
from opskit.errors import OpskitError, Refused
from opskit.history import Canonical, Dsl, Redacted
from opskit.history.belongings import Regained, Source, regain
from opskit.history.shelf import Shelf
from opskit.model import FileReference
from opskit.ports import Storage
from opskit.versions.living import Apart, hash_of, living
from opskit.versions.sides import Side

_MOST = 50  # versions among which that of a file is looked for: each brings its whole graph along
_ENVIRONMENT, _CONVERSATION = "environment_variables", "conversation_variables"


@dataclass(frozen=True, slots=True)
class Aim:
    """What shall be: ``flow`` to be written, and ``dsl``, the same as a DSL that is in clear.

    ``kept`` are the names of the secrets that Dify keeps, ``emptied`` those that nobody knows. ``unset`` are the
    titles of nodes that have to be set up again, ``lost`` the places of secrets that the draft alone has.
    """

    flow: Workflow
    dsl: Dsl
    kept: frozenset[str]
    emptied: tuple[str, ...]
    unset: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """The app, and what it was before."""

    console: Console
    app: ConsoleApp
    about: About
    before: Checkpoint
    ends: float
    apart: Apart

    def whole(self, flow: Workflow, dependencies: Any = None) -> Dsl:
        """A draft or version as a DSL that is in clear, but for the secrets of the environment."""
        parts = {
            "graph": flow.graph,
            "features": completed(flow.features, self.app.mode),
            _ENVIRONMENT: [one.sent for one in flow.environment],
            _CONVERSATION: [one.sent for one in flow.conversation],
        }
        made = history.assemble(self.app.head, parts, version=self.about.dsl_version)
        return replace(made, dependencies=dependencies)

    def exported(self, flow: Workflow) -> Canonical:
        """A draft or version as it is exported."""
        return living(self.console, self.app.id, flow, self.ends, self.apart, whether_empty=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked for, as it is kept: from an export, or ``own``, as Dify has it itself."""

    dsl: Dsl
    own: Workflow | None


def find(subject: Subject, aim: Side, storage: Storage, file: FileReference | None) -> Found:
    """What is gone back to. InvalidInput: ``no_snapshot``, ``console_no_version``, or as ``history.read`` says."""
    before = subject.before
    match aim.kind:
        case "snapshot":
            shelf = Shelf(storage, subject.app.id)
            entry = shelf.find(aim.name)
            return _kept(subject, shelf.text(entry), entry.version_id)
        case "file":
            with fetched([file] if file else [], subject.ends) as files:
                return _kept(subject, files[0].path.read_bytes(), "")
        case "draft":
            flow = before.draft
        case "published":
            flow = before.published
        case _:
            flow = _version(subject, aim.name)
    return Found(subject.whole(flow, subject.exported(flow).dsl.dependencies), flow)


def make(subject: Subject, found: Found) -> Aim:
    """What is written. Refused ``rollback_marks``, ``rollback_datasets``: a secret, or some knowledge, is not known."""
    now = [subject.before.draft, subject.before.published]
    exported = [] if found.own else [subject.exported(flow).dsl for flow in now]
    made: Aim = subject.apart(lambda: _made(subject, found, exported))
    return made


def _made(subject: Subject, found: Found, exported: Sequence[Dsl]) -> Aim:
    """The same, as soon as Dify has told everything: ``exported`` are draft and version, where ``found`` needs them."""
    current = [subject.whole(flow) for flow in (subject.before.draft, subject.before.published)]
    sources = map(Source, current, exported)
    regained = Regained(found.dsl) if found.own else regain(found.dsl, *sources)
    if regained.lost:
        raise Refused("rollback_datasets", nodes=", ".join(regained.lost))
    own = [found.dsl] if found.own else []
    marked = history.canonical(replace(regained.dsl, app=subject.app.head)).dsl  # what the app is called stays
    filled = history.fill(marked, current[0], *own, current[1])
    if filled.missing:
        raise Refused("rollback_marks", places=", ".join(f"{one.node} {one.path}".strip() for one in filled.missing))
    held = history.keep_secrets(filled.dsl, current[0])
    kept = frozenset(one["name"] for one in held.dsl.variables(_ENVIRONMENT) if one["value"] == history.HIDDEN)
    flow = _flow(subject, held.dsl, found.own or Workflow(""))
    return Aim(
        flow,
        subject.whole(flow, found.dsl.dependencies),
        kept,
        tuple(_name(one) for one in held.missing),
        regained.unset,
        tuple(_only_in_the_draft(subject, [*current, filled.dsl], flow)),
    )


def _only_in_the_draft(subject: Subject, dsls: Sequence[Dsl], flow: Workflow) -> Iterator[str]:
    """Where the draft has secrets that neither what serves nor ``flow`` has; ``dsls`` are these three."""
    found = [history.constants(dsl) for dsl in dsls]
    subject.before.secrets.extend(value for held in found for _, value in held)
    stay = {value for held in found[1:] for _, value in held}
    yield from (place for place, value in found[0] if value not in stay)
    values = {one.value for held in (subject.before.published, flow) for one in held.environment if one.secret}
    for one in subject.before.draft.environment:
        if one.secret and one.value and one.value not in values:
            yield one.name


def _kept(subject: Subject, text: str | bytes, version_id: str) -> Found:
    """What comes from an export: with the same version in Dify, where it is still there."""
    dsl: Dsl = subject.apart(lambda: history.read(text))
    own = _own(subject, dsl, version_id)
    return Found(replace(subject.whole(own, dsl.dependencies), version=dsl.version) if own else dsl, own)


def _own(subject: Subject, dsl: Dsl, version_id: str) -> Workflow | None:
    """The version in Dify that an export was made of, or one that means the same."""
    before = subject.before
    if version_id:
        try:
            return _version(subject, version_id)
        except OpskitError:  # it has been deleted, or cannot be had
            return None
    try:
        listed = subject.console.versions(subject.app.id, subject.ends, most=_MOST).items
    except OpskitError:
        listed = ()
    version = subject.about.version
    flows = [before.draft, before.published, *(flow for flow in listed if not flow.is_draft)]

    def same() -> Workflow | None:
        sha256 = history.canonical(dsl).sha256
        return next((flow for flow in flows if hash_of(subject.app, flow, version) == sha256), None)

    found: Workflow | None = subject.apart(same)
    return found


def _version(subject: Subject, version_id: str) -> Workflow:
    published = subject.before.published
    if published.id == version_id:
        return published
    return subject.console.version(subject.app.id, version_id, subject.ends)


def _flow(subject: Subject, dsl: Dsl, own: Workflow) -> Workflow:
    """What is written, in the order of its ``own`` version.

    A secret that Dify keeps has the value that the draft has, as far as that is known.
    """
    graph, draft = dsl.workflow["graph"], subject.before.draft
    order = {name: [one.get("id") for one in own.graph.get(name, ())] for name in ("nodes", "edges")}
    values = {one.id: one.value for one in draft.environment}
    environment = _variables(dsl.variables(_ENVIRONMENT), own.environment, draft.environment)
    return Workflow(
        id="",
        graph=graph | {name: _ordered(graph[name], "id", ids) for name, ids in order.items()},
        features=completed(dsl.workflow["features"], subject.app.mode),
        environment=tuple(
            replace(one, value=values[one.id]) if one.secret and one.value == history.HIDDEN else one
            for one in environment
        ),
        conversation=tuple(_variables(dsl.variables(_CONVERSATION), own.conversation, draft.conversation)),
    )


def _variables(
    told: Sequence[dict[str, Any]], own: Sequence[Variable], draft: Sequence[Variable]
) -> Iterator[Variable]:
    """Each with an id, which Dify wants: where a file gives none, that of the draft's variable of the same name."""
    taken = {one.get("id") for one in told}
    ids = {one.name: one.id for one in draft if one.id not in taken}
    for one in _ordered(told, "name", [variable.name for variable in own]):
        yield Variable.of({**one, "id": one.get("id") or ids.get(str(one["name"])) or str(uuid.uuid4())})


def _ordered(items: Sequence[dict[str, Any]], name: str, known: Sequence[Any]) -> list[dict[str, Any]]:
    """The items in the order in which their names are known; all others behind them."""
    places = {it: place for place, it in enumerate(known)}
    return sorted(items, key=lambda item: places.get(item.get(name), len(places)))


def _name(place: Redacted) -> str:
    """The name of a variable whose value is missing: ``/environment_variables/NAME/value``."""
    return place.path.split("/")[2].replace("~1", "/").replace("~0", "~")
