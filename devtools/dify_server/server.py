"""The server: a thread with an event loop of its own, from a request to its answer."""

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from devtools.dify_server import routes, uploads
from devtools.dify_server.apps import App
from devtools.dify_server.console import NOT_FOUND, ROOT, Console
from devtools.dify_server.console_faults import Plan
from devtools.dify_server.faults import Trouble
from devtools.dify_server.ledger import Ledger, Request, Run, Upload
from devtools.dify_server.refusals import Early, Refusal, encoded
from devtools.dify_server.runs import Desk, Order
from devtools.dify_server.stream import Pace, Play, Stream
from devtools.dify_server.wire import Connection, Head

HTML = "text/html; charset=utf-8"
_START_S = 10.0
_SIGN_IN = b"<!doctype html>\n<title>Sign in</title>\n<form><input type=password></form>\n"
_RUN = re.compile(r"/v1/(?:(workflow)s(?:/([^/]+))?/run|(chat)-messages|(completion)-messages)")
_STOP = re.compile(r"/v1/(?:(workflow)s/tasks|(chat)-messages|(completion)-messages)/([^/]+)/stop")
_STATUS = re.compile(r"/v1/workflows/run/([^/]+)")

type Work = Callable[[App, Request, list[str]], dict[str, Any]]
type Route = tuple[str, Work, list[str]]


class DifyServer:
    """A Dify on this machine. Use it in ``with``; ``url`` is what a user would give as its base address.

    ``pace`` holds the times that a test may want to be shorter. ``connections`` is how many requests are answered at
    a time, the others wait (10 in a default installation, None for as many as come). ``in_worker`` says whether
    streams of workflows and chatflows are prepared in a worker, as from 1.13 on, where an error of that time is a
    silence; older versions answer 400.

    ``console`` is its console API, at ``root``/console/api: of the given ``version``, without the plugin ``daemon``
    or with a list of versions that fails, slow by ``latency_s``, and with ``console_faults``. ``beat`` says whether
    the task runs that notes when a key was used.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        pace: Pace | None = None,
        connections: int | None = None,
        in_worker: bool = True,
        beat: bool = True,
        version: str = "1.13.3",
        daemon: bool = True,
        versions_fail: bool = False,
        latency_s: float = 0.0,
        console_faults: Plan | None = None,
    ) -> None:
        self.pace = pace or Pace()
        self._port = port
        self._in_worker = in_worker
        self._slots = asyncio.Semaphore(connections) if connections else None
        self._apps: dict[str, App] = {}
        self._beat = beat
        self.console = Console(self._apps, version, console_faults)
        self.console.routes.daemon, self.console.routes.versions_fail = daemon, versions_fail
        self.console.latency_s = latency_s
        self._ledger = Ledger()
        self._desk = Desk(self._ledger)
        self._connections: set[Connection] = set()
        self._plays: set[asyncio.Task[str]] = set()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="dify-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_START_S) or self._failure:
            raise RuntimeError("the server did not start") from self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every connection and every run, now; it may be called again."""
        if self._loop and self._closing and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    @property
    def root(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The address of the Service API, ``http://127.0.0.1:PORT/v1``."""
        return f"{self.root}/v1"

    def add(self, app: App) -> App:
        """Serve an app; it may be changed later."""
        self._apps.update(dict.fromkeys((key.token for key in app.api_keys), app))
        self.console.add(app)
        return app

    def remove(self, app: App) -> None:
        """Delete the key of an app."""
        del self._apps[app.key]

    @property
    def requests(self) -> list[Request]:
        """Every request, in its order."""
        return self._ledger.requests

    @property
    def runs(self) -> list[Run]:
        """Every run, in its order."""
        return self._ledger.runs

    @property
    def stopped(self) -> list[tuple[str, str]]:
        """The name of the app and the task id of every stop that was taken."""
        return self._ledger.stopped

    @property
    def uploads(self) -> list[Upload]:
        """Every uploaded file."""
        return self._ledger.uploads

    @property
    def most_at_once(self) -> int:
        """The highest number of runs at a time."""
        return self._ledger.most_at_once

    def until(self, condition: Callable[[], object], seconds: float = 5.0) -> bool:
        """Wait until the condition holds, and say whether it does: the books are written by another thread."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    # The loop

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - it is raised again where somebody waits
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        server = await self._loop.create_server(self._connect, "127.0.0.1", self._port, backlog=1024)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._closing.wait()
        for listener in server.sockets:  # asyncio loses what it accepts while it closes
            self._loop.remove_reader(listener.fileno())
        for play in self._plays:
            play.cancel()
        me = {asyncio.current_task()}
        while rest := asyncio.all_tasks() - me:  # what was just accepted is a task before it is a connection
            for connection in list(self._connections):
                connection.abort()
            await asyncio.gather(*rest, return_exceptions=True)
        server.close()
        await server.wait_closed()

    def _connect(self) -> Connection:
        connection = Connection(self._converse)
        self._connections.add(connection)
        return connection

    async def _converse(self, connection: Connection) -> None:
        """Answer the requests of one connection, one after another."""
        try:
            while came := await connection.read_request():
                async with AsyncExitStack() as stack:
                    if self._slots:
                        await stack.enter_async_context(self._slots)
                    if not await self._answer(connection, *came):
                        break
        finally:
            connection.close()
            self._connections.discard(connection)

    async def _answer(self, connection: Connection, head: Head, raw: bytes) -> bool:
        """Answer one request; whether the connection can take another."""
        method, target, headers = head
        path, _, query = target.partition("?")
        key = headers.get("authorization", "").removeprefix("Bearer ")
        request = Request(method, path, query, headers, _parsed(raw), raw, key, time.time())
        self._ledger.note(request)
        if path.startswith(f"{ROOT}/"):
            return await self.console.answer(request, connection)
        trouble = Trouble(connection, self.pace, request, f"{self.root}/signin")
        try:
            route = self._route(request)
            if route is None:
                self._outside(request, connection)
                return True
            place, work, parts = route
            app = routes.authorize(request, self._apps)
            for used in app.api_keys if self._beat else ():
                used.last_used_at = int(request.time) if used.token == key else used.last_used_at
            fault = app.next_fault(place)
            if (reusable := await trouble.instead(app, fault, streams=_streams(place, request))) is not None:
                return reusable
            if place == "run":
                return await self._perform(app, fault, request, trouble)
            await trouble.reply(fault, 201 if place == "upload" else 200, work(app, request, parts))
        except Refusal as refusal:
            connection.answer(refusal.status, encoded(refusal.body), "application/json")
        return not connection.gone

    def _outside(self, request: Request, connection: Connection) -> None:
        """Answer what is not of the Service API: a login, files of plugins, and the rest of the world."""
        match request.method, request.path:
            case _, "/signin":
                connection.answer(200, _SIGN_IN, HTML)
            case "POST", "/files/upload/for-plugin":
                connection.answer(201, encoded(uploads.take_tool_file(request, self._ledger)), "application/json")
            case _:
                connection.answer(404, NOT_FOUND, HTML)

    def _route(self, request: Request) -> Route | None:
        """What answers a request; None for an address that Dify does not have."""
        for pattern, method, place, work in self._table:
            if found := pattern.fullmatch(request.path):
                if request.method != method:
                    raise Refusal(405, "method_not_allowed", "The method is not allowed for the requested URL.")
                return place, work, [part for part in found.groups() if part]
        return None

    @property
    def _table(self) -> list[tuple[re.Pattern[str], str, str, Work]]:
        """Address, method, name and work of every route."""
        return [
            (_RUN, "POST", "run", lambda _, __, ___: {}),
            (re.compile("/v1/info"), "GET", "info", lambda app, _, __: routes.info(app)),
            (re.compile("/v1/parameters"), "GET", "parameters", lambda app, _, __: routes.parameters(app)),
            (re.compile("/v1/meta"), "GET", "meta", lambda _, __, ___: {"tool_icons": {}}),
            (_STATUS, "GET", "status", lambda app, _, parts: routes.run_status(app, parts[0], self._ledger)),
            (_STOP, "POST", "stop", self._stop),
            (re.compile("/v1/messages"), "GET", "messages", lambda app, it, _: self._desk.messages(app, it.query)),
            (re.compile("/v1/files/upload"), "POST", "upload", lambda app, it, _: uploads.take(it, app, self._ledger)),
        ]

    def _stop(self, app: App, request: Request, parts: list[str]) -> dict[str, Any]:
        kind, task_id = parts
        user = routes.user_of(routes.json_body(request))
        return routes.stop(app, kind, task_id, user, self._ledger)

    async def _perform(self, app: App, fault: str, request: Request, trouble: Trouble) -> bool:
        found = _RUN.fullmatch(request.path)
        kind = next(filter(None, (found[1], found[3], found[4]))) if found else ""
        version = (found[2] or "") if found else ""
        authorization = request.headers["authorization"]
        order = self._desk.take(app, kind, routes.json_body(request), authorization, version)
        order.run.fault = fault
        if order.early:
            if order.streaming and app.on_graph and self._in_worker and isinstance(order.early, Early):
                return await trouble.silence()
            raise order.early
        self._ledger.begin(order.run)
        connection = trouble.connection
        connection.on_gone = lambda: _left(order.run)
        if order.streaming:
            return await self._stream(order, connection)
        return await self._block(order, trouble)

    async def _stream(self, order: Order, connection: Connection) -> bool:
        """Stream a run. It goes on in a task of its own, whatever becomes of the stream."""
        stream = Stream(connection, order.run.fault)
        await stream.open(self.pace)
        self._play(Play(order.run, self._ledger, self.pace, stream).play())
        await stream.closed.wait()
        return stream.reusable

    async def _block(self, order: Order, trouble: Trouble) -> bool:
        play = Play(order.run, self._ledger, self.pace, None)
        status = await play.play()
        trouble.connection.on_gone = None
        return await trouble.block(order.run.fault, play.script.blocking(status))

    def _play(self, play: Coroutine[Any, Any, str]) -> None:
        task = asyncio.get_running_loop().create_task(play)
        self._plays.add(task)
        task.add_done_callback(self._plays.discard)


def _left(run: Run) -> None:
    if run.ended is None:
        run.disconnected = True


def _streams(place: str, request: Request) -> bool:
    body = request.body
    return place == "run" and isinstance(body, dict) and body.get("response_mode") == "streaming"


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw
