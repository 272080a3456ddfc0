"""A secret environment variable of a workflow app: a new value into the version that serves, and the way back.

Only the draft can be written, and only what it holds can be published. So the draft becomes what is published, with
the new value; that is published; and where the draft was somebody's unfinished work, it is put back with the value.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from opskit.dify.console import Checkpoint, Workflow
from opskit.errors import Conflict, InvalidInput
from opskit.history.layout import edge_meaning, node_meaning
from opskit.rotation.desk import Desk

_MARK, _MARK_BACK = "OpsKit: new secret", "OpsKit: secret back"


@dataclass(slots=True)
class Place:
    """The variable, and what the app served and what its draft was before."""

    desk: Desk
    app_id: str
    variable: str
    before: Checkpoint
    dirty: bool

    @classmethod
    def found(cls, desk: Desk, app_id: str, variable: str, dirty_draft: Literal["conflict", "preserve"]) -> Self:
        """The variable, before anything is written. As ``Checkpoint.taken``.

        InvalidInput: there is no such variable, or it is no secret. Conflict: the draft differs from what is published.
        """
        before = Checkpoint.taken(desk.console, app_id, desk.ends, secrets=desk.secrets, pause=desk.pause)
        known = next((one for one in before.published.environment if one.name == variable), None)
        if known is None:
            raise InvalidInput("rotation_no_variable", app=app_id, variable=variable)
        if not known.secret:
            raise InvalidInput("rotation_not_secret", app=app_id, variable=variable)
        dirty = _meaning(before.draft) != _meaning(before.published)
        if dirty and dirty_draft == "conflict":
            raise Conflict("rotation_dirty", app=app_id)
        return cls(desk, app_id, variable, before, dirty)

    def holds(self, value: str) -> bool:
        """Whether there is nothing to do: it has the value already, in what is published and in the draft."""
        return not self.dirty and _value(self.before.published, self.variable) == value

    def put(self, value: str) -> None:
        """Publish what is published with the new value, and read it back. Whatever is raised: then go ``back``."""
        ends, before = self.desk.ends, self.before
        others = [one.name for one in before.draft.environment if one.name != self.variable]
        kept = () if self.dirty else others  # where they stay as they are, Dify itself keeps them
        before.write(self._with(self._base, value), before.draft.hash, ends, kept=kept)
        version = before.publish(ends, name=_MARK, before=before.published.id)
        held = before.in_clear(version, ends)
        if _value(held, self.variable) != value or held.graph != self._base.graph:
            raise Conflict("app_not_read_back", app=self.app_id)

    def finish(self, value: str) -> None:
        """Put somebody's unfinished work back into the draft, with the new value. As ``put``."""
        if self.dirty:
            self.before.rewrite(self._with(self.before.draft, value), [], self.desk.ends)

    def back(self) -> bool:
        """As ``Checkpoint.back``."""
        return self.before.back([self._base], self.desk.back_ends(), name=_MARK_BACK)

    @property
    def _base(self) -> Workflow:
        """What serves; in the draft's layout where the two say the same."""
        return self.before.published if self.dirty else self.before.draft

    def _with(self, flow: Workflow, value: str) -> Workflow:
        environment = (
            replace(one, value=value) if one.name == self.variable and one.secret else one for one in flow.environment
        )
        return replace(flow, environment=tuple(environment))


def _value(flow: Workflow, variable: str) -> object:
    return next((one.value for one in flow.environment if one.name == variable), None)


def _meaning(flow: Workflow) -> tuple[object, ...]:
    """What a workflow does, wherever its nodes stand."""
    graph = flow.graph
    nodes = [node_meaning(node) if isinstance(node.get("data"), dict) else node for node in graph.get("nodes", [])]
    edges = [edge_meaning(edge) for edge in graph.get("edges", [])]
    variables = [[asdict(one) for one in held] for held in (flow.environment, flow.conversation)]
    return flow.features, *map(_unordered, (nodes, edges, *variables))


def _unordered(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
