"""What an app serves and what its draft is, kept in memory while both are changed: so there is a way back.

Only the draft can be written, and only what it holds can be published. The hash that guards a draft does not cover its
environment, so that is read twice, around everything else that is read. Dify shows no values of secrets but in an
export that is asked for them: they are held here in clear, and nowhere else.
"""

import contextlib
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from opskit.dify.console.client import Console
from opskit.dify.console.features import contained
from opskit.dify.console.records import HIDDEN, MASK, Workflow
from opskit.errors import Conflict, InvalidCredentials, OpskitError, RateLimited, Refused, Unavailable

BACK_S = 40.0  # for a way back, whatever time is left otherwise
_LAST_S = 90.0  # after the end of all work: then Dify is about to end the call, and nobody would learn where it stands
_BLANKED = 3  # characters: of an error without every "a" nobody could read what happened
_TRIES = 3
_PAUSE_S = 1.0


def back_ends(ends: float) -> float:
    """Until when a way back may take from work that had to end at ``ends``."""
    return min(time.monotonic() + BACK_S, ends + _LAST_S)


def steadily[T](do: Callable[[], T], pause: Callable[[float], None] = time.sleep) -> T:
    """Do it up to three times, until Dify answers, is not too busy, and nothing has changed. It bears a repetition."""
    for _ in range(_TRIES - 1):
        try:
            return do()
        except (Unavailable, RateLimited, Conflict):
            pause(_PAUSE_S)
    return do()


@contextlib.contextmanager
def mistakes() -> Iterator[None]:
    """Let a mistake of ours be an error as any other.

    The way back has to be gone after it, too, and whoever waits has to learn where each of the apps stands.
    """
    try:
        yield
    except OpskitError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody may be left half-way
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        raise OpskitError("bug", kind=type(error).__name__, place=place, problem="") from None


@dataclass(slots=True)
class Checkpoint:
    """The app as it was: ``published`` and ``draft``, with their secrets in clear where they are asked for."""

    console: Console
    app_id: str
    published: Workflow
    draft: Workflow
    clear: bool
    pause: Callable[[float], None]
    secrets: list[str] = field(repr=False)
    begun: bool = False  # whether the draft may have been written, or something published
    comments: list[str] = field(default_factory=list)  # by which a version is known that we have published

    @classmethod
    def taken(
        cls,
        console: Console,
        app_id: str,
        ends: float,
        *,
        secrets: list[str],
        pause: Callable[[float], None] = time.sleep,
        clear: bool = True,
    ) -> Self:
        """Both, as they are now; the values of secrets are put into ``secrets``, which must not be shown.

        Refused ``app_unpublished``: nothing is published. Conflict ``app_moved``: somebody is at work on the draft.
        Unavailable ``app_untold``, ``console_daemon``: Dify does not tell the secrets, so there would be no way back.
        """
        first = console.draft(app_id, ends)
        published = console.published(app_id, ends)
        if published is None:
            raise Refused("app_unpublished", app=app_id)
        found = cls(console, app_id, published, first, clear, pause, secrets)
        found.published = found.in_clear(published, ends)
        found.draft = found.in_clear(first, ends)
        found.unmoved(ends)
        return found

    def unmoved(self, ends: float) -> str:
        """The hash of the draft. Conflict ``app_moved``: it is not as it was."""
        now = self.console.draft(self.app_id, ends)
        if not same(_masked(now), _masked(self.draft)):
            raise Conflict("app_moved", app=self.app_id)
        return now.hash

    def own_key(self, key: str, ends: float) -> None:
        """InvalidCredentials ``app_probe_key``: it opens another app, and a run would prove nothing about this one."""
        if not key:
            return
        tokens = [one.token for one in self.console.keys(self.app_id, ends)]
        self.secrets.extend(tokens)
        if key not in tokens:
            raise InvalidCredentials("app_probe_key", app=self.app_id)

    def in_clear(self, flow: Workflow, ends: float) -> Workflow:
        """A draft or version with the values of its secrets, if they are asked for."""
        if not self.clear or not any(one.secret for one in flow.environment):
            return flow
        version_id = "" if flow.is_draft else flow.id
        values = self.console.export(self.app_id, ends, version_id=version_id, include_secret=True).values
        told = [str(values.get(one.id) or "") for one in flow.environment if one.secret]
        self.secrets.extend(text for text in told if len(text) >= _BLANKED)
        if any(one.secret and one.id not in values for one in flow.environment):
            raise Unavailable("app_untold", app=self.app_id)
        environment = (replace(one, value=values[one.id]) if one.secret else one for one in flow.environment)
        return replace(flow, environment=tuple(environment))

    def write(self, flow: Workflow, unique_hash: str, ends: float, *, kept: Collection[str] = ()) -> str:
        """Write the draft and give its new hash, empty where no answer came, and still it was written.

        Secrets that are named in ``kept`` are not sent: Dify keeps the values that it has. As ``Console.sync``.
        """
        environment = [
            replace(one, value=HIDDEN) if one.secret and one.name in kept else one for one in flow.environment
        ]
        try:
            with self._begun():
                synced = self.console.sync(
                    self.app_id,
                    ends,
                    graph=flow.graph,
                    features=flow.features,
                    environment=environment,
                    conversation=flow.conversation,
                    unique_hash=unique_hash,
                )
        except Unavailable:
            if not self._holds(flow, ends):
                raise
            return ""
        return synced.hash

    def rewrite(self, flow: Workflow, ours: Sequence[Workflow], ends: float) -> None:
        """Write over what is ours, or as it was. Conflict ``app_moved``: the draft is neither.

        Its variables are looked at, too: the hash does not cover them.
        """

        def write() -> None:
            now = self.console.draft(self.app_id, ends)
            if not self._known(now, ours):
                raise Conflict("app_moved", app=self.app_id)
            self.write(flow, now.hash, ends)

        steadily(write, self.pause)

    def publish(self, ends: float, *, name: str, comment: str = "", before: str) -> Workflow:
        """Publish the draft and give the version; ``before`` is the id of the one that serves until then.

        As ``Console.publish``; but what was published is published, even if no answer came.
        """
        self.comments += [comment] if comment else []
        try:
            with self._begun():
                return self.console.publish(self.app_id, ends, name=name, comment=comment)
        except Unavailable:
            version = self.console.published(self.app_id, ends)
            if version is None or version.id == before:
                raise
            return version

    def back(self, ours: Sequence[Workflow], ends: float, *, name: str, comment: str = "") -> bool:
        """Go back to both, from what is ours, and say whether anything had to be changed.

        Where nothing was begun there is nothing to go back from; what can be put back is put back all the same.
        Conflict ``app_draft_left``: the draft is somebody else's by now, and stays that; ``app_moved``: somebody else
        has published, or is at work on the draft right now.
        """
        if not self.begun:
            return False
        changed = False
        now = steadily(lambda: self.console.draft(self.app_id, ends), self.pause)
        known = self._known(now, ours)
        wanted = self.draft if known else steadily(lambda: self.in_clear(now, ends), self.pause)
        drafts = [*ours, now]
        try:
            serving = steadily(lambda: self.console.published(self.app_id, ends), self.pause)
            if serving is None or serving.id != self.published.id:
                if serving is None or not self._published(serving, ours):
                    raise Conflict("app_moved", app=self.app_id)
                self.rewrite(self.published, drafts, ends)
                steadily(lambda: self.publish(ends, name=name, comment=comment, before=serving.id), self.pause)
                changed = True
        finally:
            if not self._holds(wanted, ends):
                self.rewrite(wanted, drafts, ends)
                changed = True
        if not known:
            raise Conflict("app_draft_left", app=self.app_id)
        return changed

    def _published(self, serving: Workflow, ours: Sequence[Workflow]) -> bool:
        """Whether it was us who published it, even if somebody had written the draft just before."""
        return serving.marked_comment in self.comments or serving.graph in [one.graph for one in ours]

    def _known(self, now: Workflow, ours: Sequence[Workflow]) -> bool:
        """Whether a draft is ours, or as it was, as far as Dify shows it: values of secrets are not looked at."""
        return any(_shows(now, one) for one in (*ours, self.published, self.draft))

    @contextlib.contextmanager
    def _begun(self) -> Iterator[None]:
        """What is refused has not begun; what gets no answer may have."""
        before, self.begun = self.begun, True
        try:
            yield
        except Unavailable:
            raise
        except OpskitError:
            self.begun = before
            raise

    def _holds(self, flow: Workflow, ends: float) -> bool:
        """Whether the draft is just this, secrets included; False, too, where that is not known."""
        try:
            now = self.in_clear(self.console.draft(self.app_id, ends), ends)
        except OpskitError:
            return False
        return same(now, flow) if self.clear else same(_masked(now), _masked(flow))


def same(one: Workflow, other: Workflow) -> bool:
    """Whether two workflows are the same in all that can be written."""
    return _written(one) == _written(other)


def _written(flow: Workflow) -> tuple[object, ...]:
    return flow.graph, flow.features, flow.environment, flow.conversation


def _shows(now: Workflow, flow: Workflow) -> bool:
    """Whether a draft shows a workflow, whatever Dify has added to its features."""
    shown = (replace(_masked(one), features={}) for one in (now, flow))
    return same(*shown) and contained(flow.features, now.features)


def _masked(flow: Workflow) -> Workflow:
    """The workflow as Dify shows it."""
    environment = (replace(one, value=MASK) if one.secret else one for one in flow.environment)
    return replace(flow, environment=tuple(environment))
