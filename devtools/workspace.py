"""The apps of a workspace as a plugin meets them without a key: through reverse invocation.

An ``Answer`` for ``devtools.plugin_process``; the apps are those of ``devtools.dify_server``::

    with Workspace(App("legal", "workflow")) as workspace, PluginProcess(ROOT, answer=workspace) as plugin: …

Sources: Dify 1.13.3, controllers/inner_api/plugin/plugin.py, seen at a running server (what is refused, and how); the
plugin daemon's source (how a refusal is worded, and its time; the text of "reset_before" is a guess at Go's).
No key, no limit of runs, no switch of the API counts here; nothing can be stopped; there are no pings; completion
apps fail with 500; a missing input is refused in both modes, as nothing is prepared in a worker.

Of the faults, all that refuse with a status work, and the pages of a proxy; "hang" and "silent" say nothing until
``read_timeout_s``, when the daemon closes and the stream ends without a word; "reset_before" is a daemon that cannot
reach the API; and of those within a run: failed_run, failed_then_error, error_event, paused, replaced, extra_events,
cut, cut_running, cut_at_end. The others are matters of HTTP and have no effect.
"""

import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from devtools.dify_server.apps import App
from devtools.dify_server.events import STOPPED, Event, Script
from devtools.dify_server.faults import PAGES
from devtools.dify_server.forms import Form
from devtools.dify_server.ledger import Ledger, Run
from devtools.dify_server.refusals import BROKEN, Refusal, invalid, planned
from devtools.dify_server.routes import parameters
from devtools.dify_server.server import DifyServer
from devtools.plugin_process import Answer
from opskit.dify import invocation_failed

READ_TIMEOUT_S = 240.0  # DIFY_BACKWARDS_INVOCATION_READ_TIMEOUT: of a whole invocation, streaming or not


class InvocationFailure(Exception):
    """What the daemon tells the plugin of a request that failed."""


class Workspace:
    """Answers what a plugin asks of its workspace. Use it in ``with``, so that nothing waits on when you leave.

    ``user`` is the caller's end user, whom the apps see. ``server`` takes the files that the plugin uploads. What is
    no matter of apps goes to ``otherwise``. ``runs`` and ``most_at_once`` are as in ``DifyServer``, ``asked`` every
    invocation (type and request).
    """

    def __init__(
        self,
        *apps: App,
        user: str = "u1",
        server: DifyServer | None = None,
        otherwise: Answer | None = None,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._apps = {app.id: app for app in apps}
        self._user = user
        self._server = server
        self._otherwise = otherwise
        self._read_timeout_s = read_timeout_s
        self._ledger = Ledger()
        self._conversations: dict[str, App] = {}
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()

    def add(self, app: App) -> App:
        """One more app."""
        self._apps[app.id] = app
        return app

    @property
    def runs(self) -> list[Run]:
        """Every run, in its order."""
        return self._ledger.runs

    @property
    def most_at_once(self) -> int:
        """The highest number of runs at a time."""
        return self._ledger.most_at_once

    def __call__(self, kind: str, request: dict[str, Any]) -> object:
        """The answer to one invocation: a value, or the events as they come."""
        self.asked.append((kind, request))
        try:
            match kind:
                case "app":
                    return self._invoke(request)
                case "fetch_app":
                    return {"data": parameters(self._app(request))}
                case "upload_file" if self._server:
                    return {"url": f"{self._server.root}/files/upload/for-plugin?timestamp=1&nonce=fake&sign=fake"}
        except Refusal as refusal:
            what = {"app": "invoke app", "fetch_app": "fetch app"}[kind]
            raise InvocationFailure(_worded(what, refusal.status, json.dumps(refusal.body))) from None
        if self._otherwise is None:
            raise InvocationFailure(f"nobody answers the reverse invocation {kind} of {sorted(request)}")
        return self._otherwise(kind, request)

    def _app(self, request: dict[str, Any]) -> App:
        app = self._apps.get(str(request.get("app_id")))
        if app is None:
            raise invalid("app not found")
        return app

    def _invoke(self, request: dict[str, Any]) -> object:
        app = self._app(request)
        fault = app.next_fault()
        if refusal := planned(fault, app.name, ""):
            raise refusal
        if fault in PAGES:
            status, title = PAGES[fault]
            raise InvocationFailure(_worded("invoke app", status, f"<html><h1>{title}</h1></html>"))
        if fault == "reset_before":
            raise InvocationFailure('invoke app failed: Post "http://api:5001/inner/api/invoke/app": EOF')
        streaming = request.get("response_mode") == "streaming"
        if fault in {"hang", "silent"}:
            return self._nothing()
        run = self._prepare(app, request, streaming=streaming)
        run.fault = fault
        self._ledger.begin(run)
        play = _Play(run, self._ledger, self._closing, self._read_timeout_s)
        return play.stream() if streaming else play.block()

    def _nothing(self) -> Iterator[Event]:
        self._closing.wait(self._read_timeout_s)
        yield from ()

    def _prepare(self, app: App, request: dict[str, Any], *, streaming: bool) -> Run:
        """The run that is asked for; Refusal where the inner API has one."""
        if not app.published:
            raise invalid("unexpected app type")
        if app.mode == "completion":
            raise BROKEN  # KeyError: 'query' in core/app/apps/completion/app_generator.py
        query = request.get("query") or ""
        if app.mode != "workflow" and not query:
            raise invalid("missing query")
        if app.mode == "agent-chat" and not streaming:
            raise invalid("Agent Chat App does not support blocking mode")
        files = request.get("files") or []
        mode = "streaming" if streaming else "blocking"
        run = Run(app, self._user, {}, query, files, mode)
        run.inputs = Form(app, self._user, []).check(request.get("inputs") or {}, files)
        if app.mode != "workflow":
            wanted = request.get("conversation_id") or str(uuid.uuid4())
            if request.get("conversation_id") and self._conversations.get(wanted) is not app:
                raise invalid("")  # that is all it says
            self._conversations[wanted] = app
            run.conversation_id = wanted
        return run


class Port:
    """The same apps as the core meets them (``opskit.ports.Workspace``), for tests without a plugin process."""

    def __init__(self, workspace: Workspace, app_id: str = "app-1", *, by_model: bool = False) -> None:
        self.app_id = app_id
        self.by_model = by_model
        self.uploaded: list[tuple[str, bytes, str]] = []
        self._workspace = workspace

    def events(
        self, app_id: str, *, inputs: Mapping[str, Any], query: str, conversation_id: str
    ) -> Iterator[Mapping[str, Any]]:
        """The events of a run."""
        request = {"app_id": app_id, "inputs": inputs, "query": query, "conversation_id": conversation_id}
        try:
            yield from self._workspace("app", request | {"response_mode": "streaming"})  # type: ignore[misc]
        except InvocationFailure as failure:
            raise invocation_failed(str(failure)) from None

    def parameters(self, app_id: str) -> Mapping[str, Any]:
        """What an app asks for."""
        return self._workspace("fetch_app", {"app_id": app_id})["data"]  # type: ignore[index, no-any-return]

    def upload(self, filename: str, content: bytes, mime_type: str) -> Mapping[str, Any]:
        """Take a file and name it."""
        self.uploaded.append((filename, content, mime_type))
        number = f"tool-file-{len(self.uploaded)}"
        return {"type": "document", "transfer_method": "tool_file", "tool_file_id": number}


class _Play:
    """One run, told to a thread that waits for it. It goes on to its end while somebody takes its events."""

    def __init__(self, run: Run, ledger: Ledger, closing: threading.Event, read_timeout_s: float) -> None:
        self._run = run
        self._ledger = ledger
        self._closing = closing
        self._until = run.began + read_timeout_s
        self._script = Script(run.app, run)

    def block(self) -> dict[str, Any]:
        """The whole answer at the end."""
        status = self._script.status
        if status != "paused":
            self._wait(1.0)
        self._close(status)
        return self._script.blocking(status)

    def stream(self) -> Iterator[Event]:
        """The events as they come. When the daemon's time is over the stream ends without another word."""
        for event in self._events():
            if time.monotonic() >= self._until:
                break
            yield event
        if self._run.ended is None and self._run.fault != "cut_running":
            self._run.disconnected = True
            self._wait(1.0)
            self._close(self._script.status)

    def _events(self) -> Iterator[Event]:
        script, fault, status = self._script, self._run.fault, self._script.status
        yield from script.opening()
        if fault == "extra_events":
            yield from script.extras()
        pieces = script.pieces() if status != "paused" else []
        broken = fault in {"cut", "cut_running", "error_event"}
        for number, event in enumerate(pieces[: len(pieces) // 2] if broken else pieces, 1):
            self._wait(number / len(pieces))
            yield event
        if fault == "error_event":
            self._close("failed")
            yield script.error_event()
        if broken:
            return
        if status != "paused":
            self._wait(1.0)
        self._close(status)
        if fault == "replaced":
            yield script.replacement()
        ending = script.ending(status)
        yield from ending[:-1] if fault == "cut_at_end" else ending

    def _wait(self, part: float) -> None:
        """Wait until this part of the run's seconds is over."""
        left = self._run.began + self._run.app.seconds * part - time.monotonic()
        if left > 0:
            self._closing.wait(left)

    def _close(self, status: str) -> None:
        error = {"failed": self._script.error, "stopped": STOPPED}.get(status)
        good = status in {"succeeded", "partial-succeeded"}
        self._ledger.end(self._run, status, error, self._script.outputs if good else {})


def _worded(what: str, status: int, body: str) -> str:
    return f"{what} failed: request failed with status code: {status} and respond with: {body}"
