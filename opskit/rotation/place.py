"""A secret environment variable of a workflow app: a new value into the version that serves, and the way back.

Only the draft can be written, and only what it holds can be published. So the draft becomes what is published, with
the new value; that is published; and where the draft was somebody's unfinished work, it is put back with the value.
The hash that guards a draft does not cover the environment: that is read twice, around everything else that is read.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from opskit.dify.console import HIDDEN, Variable, Workflow
from opskit.errors import Conflict, InvalidInput, OpskitError, Refused, Unavailable
from opskit.history.layout import edge_meaning, node_meaning
from opskit.rotation.desk import Desk

_BLANKED = 3  # characters: of an error without every "a" nobody could read what happened
_MARK, _MARK_BACK = "OpsKit: new secret", "OpsKit: secret back"


@dataclass(slots=True)
class Place:
    """The variable, and what the app served and what its draft was before; secrets are in clear in both."""

    desk: Desk
    app_id: str
    variable: str
    published: Workflow
    draft: Workflow
    dirty: bool
    written: bool = False  # whether the draft may have been

    @classmethod
    def found(cls, desk: Desk, app_id: str, variable: str, dirty_draft: Literal["conflict", "preserve"]) -> Self:
        """The variable, before anything is written.

        Refused: nothing is published. InvalidInput: there is no such variable, or it is no secret. Conflict: the draft
        differs from what is published, or somebody is at work on it. Unavailable: Dify does not tell the old value.
        """
        console, ends = desk.console, desk.ends
        first = console.draft(app_id, ends)
        published = console.published(app_id, ends)
        if published is None:
            raise Refused("rotation_unpublished", app=app_id)
        published = _in_clear(desk, app_id, published, published.id, ends)
        draft = _in_clear(desk, app_id, first, "", ends)
        known = next((one for one in published.environment if one.name == variable), None)
        if known is None:
            raise InvalidInput("rotation_no_variable", app=app_id, variable=variable)
        if not known.secret:
            raise InvalidInput("rotation_not_secret", app=app_id, variable=variable)
        if not _same(console.draft(app_id, ends), first):
            raise Conflict("rotation_moved", app=app_id)
        dirty = _meaning(draft) != _meaning(published)
        if dirty and dirty_draft == "conflict":
            raise Conflict("rotation_dirty", app=app_id)
        return cls(desk, app_id, variable, published, draft, dirty)

    def holds(self, value: str) -> bool:
        """Whether there is nothing to do: it has the value already, in what is published and in the draft."""
        return not self.dirty and _value(self.published, self.variable) == value

    def put(self, value: str) -> None:
        """Publish what is published with the new value, and read it back. Whatever is raised: then go ``back``."""
        ends = self.desk.ends
        try:
            self._written(self._with(self._base, value), self.draft.hash, ends)
        except Unavailable:
            self.written = True
            raise
        self.written = True
        version = self._published_now(_MARK, self.published.id, ends)
        held = _in_clear(self.desk, self.app_id, version, version.id, ends)
        if _value(held, self.variable) != value or held.graph != self._base.graph:
            raise Conflict("rotation_not_read_back", app=self.app_id)

    def finish(self, value: str) -> None:
        """Put somebody's unfinished work back into the draft, with the new value. As ``put``."""
        if self.dirty:
            self._rewritten(self._with(self.draft, value), self.desk.ends)

    def back(self) -> bool:
        """Go back to what the app served and what its draft was; whether anything had to be changed.

        Where the first write was refused there is nothing to go back from, and the draft is somebody else's.

        Conflict ``rotation_moved``: somebody else has written the draft, or published, in the meantime.
        """
        if not self.written:
            return False
        ends = self.desk.back_ends()
        serving = self.desk.steadily(lambda: self.desk.console.published(self.app_id, ends))
        served = serving is None or serving.id != self.published.id
        if served:
            if serving is None or serving.graph != self._base.graph:
                raise Conflict("rotation_moved", app=self.app_id)
            self._rewritten(self._base, ends)
            self.desk.steadily(lambda: self._published_now(_MARK_BACK, serving.id, ends))
        if self._draft_hash(self.draft, ends):
            return served
        self._rewritten(self.draft, ends)
        return True

    @property
    def _base(self) -> Workflow:
        """What serves; in the draft's layout where the two say the same."""
        return self.published if self.dirty else self.draft

    def _with(self, flow: Workflow, value: str) -> Workflow:
        environment = (
            replace(one, value=value) if one.name == self.variable and one.secret else one for one in flow.environment
        )
        return replace(flow, environment=tuple(environment))

    def _sent(self, flow: Workflow) -> list[Variable]:
        """Its environment: where all others stay as they are, Dify itself keeps them."""
        keep = not self.dirty
        return [
            replace(one, value=HIDDEN) if keep and one.secret and one.name != self.variable else one
            for one in flow.environment
        ]

    def _written(self, flow: Workflow, unique_hash: str, ends: float) -> None:
        try:
            self.desk.console.sync(
                self.app_id,
                ends,
                graph=flow.graph,
                features=flow.features,
                environment=self._sent(flow),
                conversation=flow.conversation,
                unique_hash=unique_hash,
            )
        except Unavailable:  # written it may be all the same
            if not self._draft_hash(flow, ends):
                raise

    def _rewritten(self, flow: Workflow, ends: float) -> None:
        """Write over what we wrote ourselves. Conflict: the draft is neither that nor what it was."""

        def write() -> None:
            now = self.desk.console.draft(self.app_id, ends)
            if (now.graph, now.features) not in [(one.graph, one.features) for one in (self._base, self.draft)]:
                raise Conflict("rotation_moved", app=self.app_id)
            self._written(flow, now.hash, ends)

        self.desk.steadily(write)

    def _published_now(self, mark: str, before: str, ends: float) -> Workflow:
        try:
            return self.desk.console.publish(self.app_id, ends, name=mark)
        except Unavailable:  # published it may be all the same
            version = self.desk.console.published(self.app_id, ends)
            if version is None or version.id == before:
                raise
            return version

    def _draft_hash(self, flow: Workflow, ends: float) -> str:
        """The draft's hash if it holds just this, secrets included; nothing if it does not, or if that is unknown."""
        try:
            now = _in_clear(self.desk, self.app_id, self.desk.console.draft(self.app_id, ends), "", ends)
        except OpskitError:
            return ""
        return now.hash if _same(now, flow) else ""


def _in_clear(desk: Desk, app_id: str, flow: Workflow, version_id: str, ends: float) -> Workflow:
    """The workflow with the values of its secrets, which only an export tells."""
    if not any(one.secret for one in flow.environment):
        return flow
    values = desk.console.export(app_id, ends, version_id=version_id, include_secret=True).values
    told = [str(values.get(one.id) or "") for one in flow.environment if one.secret]
    desk.secrets.extend(text for text in told if len(text) >= _BLANKED)
    if any(one.secret and one.id not in values for one in flow.environment):
        raise Unavailable("rotation_untold", app=app_id)
    environment = (replace(one, value=values[one.id]) if one.secret else one for one in flow.environment)
    return replace(flow, environment=tuple(environment))


def _value(flow: Workflow, variable: str) -> object:
    return next((one.value for one in flow.environment if one.name == variable), None)


def _same(one: Workflow, other: Workflow) -> bool:
    """Whether two drafts are the same in all that can be written."""
    return _written_of(one) == _written_of(other)


def _written_of(flow: Workflow) -> tuple[object, ...]:
    return flow.graph, flow.features, flow.environment, flow.conversation


def _meaning(flow: Workflow) -> tuple[object, ...]:
    """What a workflow does, wherever its nodes stand."""
    graph = flow.graph
    nodes = [node_meaning(node) if isinstance(node.get("data"), dict) else node for node in graph.get("nodes", [])]
    edges = [edge_meaning(edge) for edge in graph.get("edges", [])]
    variables = [[asdict(one) for one in held] for held in (flow.environment, flow.conversation)]
    return flow.features, *map(_unordered, (nodes, edges, *variables))


def _unordered(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
