"""The console of a Dify: what can be read and changed there about apps, drafts, versions, keys and secrets."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from opskit.dify.access import is_uuid
from opskit.dify.console.access import ConsoleAccess
from opskit.dify.console.assembled import assembled, dsl_version, numbers
from opskit.dify.console.entry import Entry
from opskit.dify.console.exchange import Exchange
from opskit.dify.console.records import (
    About,
    AppKey,
    ConsoleApp,
    Export,
    Missing,
    Plugin,
    Synced,
    Variable,
    Versions,
    Workflow,
    rows,
)
from opskit.dify.service import Server
from opskit.errors import InvalidInput, OpskitError, Refused, Unavailable
from opskit.history.plugins import identifier
from opskit.wording import Locale, say

MODES = ("workflow", "advanced-chat")  # the apps that have a workflow
MAX_NAME, MAX_COMMENT, MAX_KEYS = 20, 100, 10  # characters of a version's mark; keys of an app
_APPS, _FLOWS, _PLUGINS = 100, 20, 256  # rows of a page; a page of versions holds all their graphs
_RESTORES = (1, 13)


@dataclass(frozen=True, slots=True)
class Remark:
    """What the server cannot do, and what was done instead."""

    key: str
    blanks: Mapping[str, object] = field(default_factory=dict)

    def told(self, locale: Locale) -> str:
        """The sentence."""
        return say(locale, f"console.{self.key}", **self.blanks)


class Console:
    """A console. Any thread, and several at once; close it when the last one is done, or use it in ``with``.

    Every method takes ``ends``, a moment of time.monotonic(), and raises what ``failure.refusal`` makes of a refusal,
    InvalidCredentials when nobody is let in, and Unavailable where there is no usable answer. What only reads is asked
    twice before that; what writes is sent once, and is ``console_unsure`` where it may have been done.
    """

    def __init__(self, server: Server, entry: Entry) -> None:
        self._exchange = Exchange(server, entry)
        self._lock = threading.Lock()
        self._remarks: dict[str, Remark] = {}

    @classmethod
    def of(cls, access: ConsoleAccess, *, by_model: bool = False) -> Self:
        """The console that a user has named. Whatever ``access.entry`` and ``access.server`` raise."""
        return cls(access.server(by_model=by_model), access.entry())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._exchange.close()

    @property
    def host(self) -> str:
        """The host that it lies at, by which ``claimed`` tells one Dify from another."""
        return self._exchange.host

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What the server could not do until now, each said once."""
        with self._lock:
            return tuple(self._remarks.values())

    def about(self, ends: float) -> About:
        """What the server is, by the version that goes with each of its answers."""
        if not self._exchange.version:
            self._exchange.ask("apps", ends, page=1, limit=1)
        version = self._exchange.version
        restores = _RESTORES <= numbers(version) < (2,)
        return About(version, dsl_version(version), restores)

    # Apps

    def apps(self, ends: float, *, modes: Iterable[str] = MODES) -> tuple[ConsoleApp, ...]:
        """Every app of these modes in the workspace."""
        found: dict[str, ConsoleApp] = {}
        for mode in modes:
            page, more = 0, True
            while more:
                page += 1
                told = self._exchange.ask("apps", ends, page=page, limit=_APPS, mode=mode)
                apps = [ConsoleApp.of(row) for row in rows(told, "data")]
                found |= {app.id: app for app in apps if app.mode == mode}
                more = bool(told.get("has_more") and apps)
        return tuple(found.values())

    def app(self, app_id: str, ends: float) -> ConsoleApp:
        """One app. InvalidInput ``console_no_app``: the workspace has none of this id."""
        return ConsoleApp.of(self._exchange.ask(_of(app_id), ends))

    def export(self, app_id: str, ends: float, *, version_id: str = "", include_secret: bool = False) -> Export:
        """The DSL of a published version, or of the draft where none is named.

        Where the plugin daemon cannot be reached the server cannot export: then it is assembled, unless secrets are
        wanted, and remarked.
        """
        query = {"workflow_id": version_id} if version_id else {}
        secret = "true" if include_secret else "false"
        try:
            told = self._exchange.ask(f"{_of(app_id)}/export", ends, include_secret=secret, **query)
        except Unavailable as error:
            if include_secret or error.key not in {"console_daemon", "dify_down"}:
                raise
        else:
            return Export(str(told.get("data") or ""))
        flow = self.version(app_id, version_id, ends) if version_id else self.draft(app_id, ends)
        document = assembled(self.app(app_id, ends), flow, self._exchange.version)
        self._remark("assembled")
        return Export(document=document)

    # Draft and versions

    def draft(self, app_id: str, ends: float) -> Workflow:
        """The draft. Refused ``console_no_draft``: nobody has opened the app yet."""
        return Workflow.of(self._exchange.ask(f"{_of(app_id)}/workflows/draft", ends))

    def sync(
        self,
        app_id: str,
        ends: float,
        *,
        graph: Mapping[str, Any],
        features: Mapping[str, Any],
        environment: Iterable[Variable],
        conversation: Iterable[Variable],
        unique_hash: str,
    ) -> Synced:
        """Write the draft. Conflict ``console_moved``: it is no longer the one whose hash is ``unique_hash``.

        All of the environment has to be given: what is left out is deleted, and the hash does not cover it. A secret
        whose value is ``HIDDEN`` or the mask keeps the value that the draft has under its id.
        """
        body = {
            "graph": graph,
            "features": features,
            "hash": unique_hash,
            "environment_variables": [one.sent for one in environment],
            "conversation_variables": [one.sent for one in conversation],
        }
        told = self._exchange.write("POST", f"{_of(app_id)}/workflows/draft", ends, body)
        return Synced.of(told)

    def published(self, app_id: str, ends: float) -> Workflow | None:
        """The version that serves; None where none is published."""
        told = self._exchange.ask(f"{_of(app_id)}/workflows/publish", ends)
        return Workflow.of(told) if told.get("id") else None

    def publish(self, app_id: str, ends: float, *, name: str = "", comment: str = "") -> Workflow:
        """Publish the draft under a mark, and give the version, which is read back: Dify does not tell its id.

        InvalidInput ``console_mark``: the mark is too long. Unavailable ``console_unread``: it was published, and
        could not be read back.
        """
        if len(name) > MAX_NAME or len(comment) > MAX_COMMENT:
            raise InvalidInput("console_mark", name=MAX_NAME, comment=MAX_COMMENT)
        mark = {"marked_name": name, "marked_comment": comment}
        self._exchange.write("POST", f"{_of(app_id)}/workflows/publish", ends, mark)
        try:
            version = self.published(app_id, ends)
        except OpskitError as error:
            raise Unavailable("console_unread", problem=error.key) from None
        if version is None:
            raise Unavailable("console_unread", problem="-")
        return version

    def restore(self, app_id: str, version_id: str, ends: float) -> Synced:
        """Copy a version into the draft, within the server, with the secrets that it had. Only since Dify 1.13.

        It looks at no hash. Refused ``console_no_restore``: the server is older.
        """
        try:
            told = self._exchange.write("POST", f"{_of(app_id)}/workflows/{version_id}/restore", ends)
        except InvalidInput as error:
            if error.key != "console_wrong_address":
                raise
            raise Refused("console_no_restore", version=self._exchange.version or "-") from None
        return Synced.of(told)

    def versions(self, app_id: str, ends: float, *, most: int = 200) -> Versions:
        """The draft and up to ``most`` versions, newest first; nothing before the first one is published.

        Some servers answer 500 here: then the draft and the version that serves are given, and that is remarked.
        """
        found: dict[str, Workflow] = {}
        page, more = 0, True
        while more and len(found) <= most:
            page += 1
            try:
                told = self._exchange.ask(f"{_of(app_id)}/workflows", ends, page=page, limit=_FLOWS)
            except Unavailable as error:
                if error.key != "dify_down":
                    raise
                return self._few_versions(app_id, ends, found)
            flows = [Workflow.of(row) for row in rows(told, "items")]
            found |= {flow.id: flow for flow in flows}
            more = bool(told.get("has_more") and flows)
        return Versions(tuple(found.values())[: most + 1], whole=not more and len(found) <= most + 1)

    def _few_versions(self, app_id: str, ends: float, found: dict[str, Workflow]) -> Versions:
        """What can be had without the rest of the list."""
        current = self.published(app_id, ends)
        if current is None:
            return Versions(())
        self._remark("few_versions")
        first = found or {flow.id: flow for flow in (self.draft(app_id, ends),)}
        return Versions(tuple(({**first, current.id: current}).values()), whole=False)

    def version(self, app_id: str, version_id: str, ends: float) -> Workflow:
        """One published version. InvalidInput ``console_no_version``: the app has none of this id.

        Refused ``console_old_version``: the server does not list its versions, and it is not the one that serves.
        """
        current = self.published(app_id, ends)
        if current and current.id == version_id:
            return current
        known = self.versions(app_id, ends, most=10_000)
        for flow in known.items:
            if flow.id == version_id and not flow.is_draft:
                return flow
        if not known.whole:
            raise Refused("console_old_version", version=version_id)
        raise InvalidInput("console_no_version", version=version_id)

    # Plugins

    def leaked(self, app_id: str, ends: float) -> tuple[str, ...]:
        """The identifiers of plugins that the last import of the app named and that are not installed.

        Dify keeps that for ten minutes after an import; of any other app it knows nothing, and says nothing.
        """
        app = _of(app_id).removeprefix("apps/")
        told = self._exchange.ask(f"apps/imports/{app}/check-dependencies", ends)
        return tuple(identifier(row) for row in rows(told, "leaked_dependencies"))

    def plugins(self, ends: float) -> tuple[Plugin, ...]:
        """Every plugin that is installed. Unavailable ``console_daemon``: the plugin daemon cannot be reached."""
        found: dict[str, Plugin] = {}
        page, more = 0, True
        while more:
            page += 1
            told = self._exchange.ask("workspaces/current/plugin/list", ends, page=page, page_size=_PLUGINS)
            plugins = [Plugin.of(row) for row in rows(told, "plugins")]
            more = len(plugins) == _PLUGINS and plugins[0].identifier not in found  # some give all, on every page
            found |= {plugin.identifier: plugin for plugin in plugins}
        return tuple(found.values())

    def missing(self, dependencies: Iterable[Mapping[str, Any]], ends: float) -> tuple[Missing, ...]:
        """What of the ``dependencies`` of a DSL is not installed as it is written there. As ``plugins``."""
        wanted = [name for row in dependencies if (name := identifier(row))]
        if not wanted:
            return ()
        there = {plugin.id: plugin.identifier for plugin in self.plugins(ends)}
        names = [(it.partition(":")[0], it) for it in wanted]
        return tuple(Missing(name, it, there.get(name, "")) for name, it in names if there.get(name) != it)

    # Keys

    def keys(self, app_id: str, ends: float) -> tuple[AppKey, ...]:
        """The keys of an app, with their tokens."""
        return tuple(map(AppKey.of, rows(self._exchange.ask(f"{_of(app_id)}/api-keys", ends), "data")))

    def create_key(self, app_id: str, ends: float) -> AppKey:
        """A new key. Refused ``console_keys_full``: the app has ten of them."""
        return AppKey.of(self._exchange.write("POST", f"{_of(app_id)}/api-keys", ends))

    def delete_key(self, app_id: str, key_id: str, ends: float) -> bool:
        """Delete a key, which is refused from then on. False: it was gone. Refused ``console_forbidden``: no admin."""
        try:
            self._exchange.write("DELETE", f"{_of(app_id)}/api-keys/{key_id}", ends)
        except Refused as error:
            if error.key != "console_not_found":
                raise
            return False
        return True

    def _remark(self, key: str) -> None:
        with self._lock:
            self._remarks.setdefault(key, Remark(key))


def _of(app_id: str) -> str:
    """The route of an app. InvalidInput: for anything but an id Dify has a page, or another route."""
    if not is_uuid(app_id):
        raise InvalidInput("console_no_app", code="-", message=app_id)
    return f"apps/{app_id}"
