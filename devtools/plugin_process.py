"""The plugin as Dify runs it: a child process that speaks the SDK's stdio protocol, one JSON object a line.

Used by the demo, the benchmark and the tests. Calls back into Dify (reverse invocations) are answered by a
function of the caller's, each in a thread of its own and as its answer comes, so that several of one call overlap.
"""

import base64
import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

type Message = dict[str, Any]
# Answers one reverse invocation: (type, request) -> the data of the one response, or an iterator of those that are
# streamed, each sent when it comes; an exception refuses it, or breaks the stream off. It is called in any thread.
type Answer = Callable[[str, dict[str, Any]], object]

_READY_S = 60.0
_CALL_S = 120.0  # of silence within a call that waits for no invocation
_LATE_S = 1.0  # for an answer that is still under way when the plugin is ended
_MAX_LINE = 5 * 1024 * 1024  # PLUGIN_STDIO_MAX_BUFFER_SIZE: a longer line kills the plugin in a real daemon


class PluginFailure(Exception):
    """What the plugin raised: ``kind`` is the class name that users see, ``message`` the text."""

    def __init__(self, kind: str, message: str, trace: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.trace = trace


@dataclass(slots=True)
class _Call:
    """A call that goes on: what names it, what the plugin said, and how many of its invocations are open."""

    context: dict[str, Any]
    replies: queue.SimpleQueue[Message] = field(default_factory=queue.SimpleQueue)
    open: int = 0
    over: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The messages of one call, as the tool node of Dify reads them."""

    messages: list[Message] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text messages, joined."""
        return "".join(message["message"]["text"] for message in self._of("text"))

    @property
    def json(self) -> list[Any]:
        """All JSON messages."""
        return [message["message"]["json_object"] for message in self._of("json")]

    @property
    def variables(self) -> dict[str, Any]:
        """The variables; streamed pieces are joined."""
        found: dict[str, Any] = {}
        for message in self._of("variable"):
            name, value = message["message"]["variable_name"], message["message"]["variable_value"]
            found[name] = found.get(name, "") + value if message["message"]["stream"] else value
        return found

    @property
    def files(self) -> dict[str, bytes]:
        """The files by their names, in their order, each put together from its chunks."""
        found: dict[str, list[bytes]] = {}
        for message in self._of("blob_chunk"):
            found.setdefault(message["meta"]["filename"], []).append(base64.b64decode(message["message"]["blob"]))
        return {name: b"".join(chunks) for name, chunks in found.items()}

    def _of(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message["type"] == kind]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What an endpoint answered; ``seconds`` is how long that took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float = 0.0

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class PluginProcess:
    """A running plugin. Use it in ``with``; calls may overlap from several threads."""

    def __init__(
        self,
        root: Path,
        *,
        python: Path | None = None,
        environment: dict[str, str] | None = None,
        answer: Answer | None = None,
    ) -> None:
        self._root = root
        self._python = python or Path(sys.executable)
        self._environment = environment or {}
        self._answer = answer or _unanswered
        self._calls: dict[str, _Call] = {}
        self._numbers = itertools.count(1)
        self._ready = threading.Event()  # ready, or ended before it was
        self._beating = False
        self._lines = bytearray()
        self._errors = bytearray()
        self._writing = threading.Lock()
        self._counting = threading.Lock()
        self._answering: set[threading.Thread] = set()
        self._closing = False
        self.manifest: dict[str, Any] = {}
        self.log: list[str] = []
        self.ready_s = 0.0

    def __enter__(self) -> Self:
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [self._python, "-m", "main"],
            cwd=self._root,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "INSTALL_METHOD": "local", **self._environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()
        if not self._ready.wait(_READY_S) or not self._beating:
            self.__exit__(None, None, None)
            raise RuntimeError(f"the plugin did not start:\n{self.written.decode(errors='replace')[-4000:]}")
        self.ready_s = time.perf_counter() - began
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._process.terminate()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for thread in list(self._answering):
            thread.join(_LATE_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()

    @property
    def pid(self) -> int:
        """The process number."""
        return self._process.pid

    @property
    def errors(self) -> bytes:
        """Everything it wrote to stderr."""
        return bytes(self._errors)

    @property
    def written(self) -> bytes:
        """Every byte it wrote, to stdout and stderr."""
        return bytes(self._lines + self._errors)

    def invoke(self, tool: str, parameters: dict[str, Any], *, agent: bool = False) -> Outcome:
        """Call a tool and wait for its end; PluginFailure when it raised."""
        return Outcome(list(self.stream(tool, parameters, agent=agent)))

    def stream(
        self, tool: str, parameters: dict[str, Any], *, agent: bool = False, strategy: bool = False
    ) -> Iterator[Message]:
        """Call a tool at once and yield its messages as they come; PluginFailure when it raises.

        ``agent`` is that of a chat, ``strategy`` that of an Agent node, whose model may choose every parameter.
        """
        request = {
            "type": "tool",
            "action": "invoke_tool",
            "user_id": "user-1",
            "provider": "opskit",
            "tool": tool,
            "tool_parameters": parameters,
            "credentials": {},
            "credential_type": "api-key",
        }
        return self.request(request, agent=agent, strategy=strategy)

    def endpoint(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        settings: dict[str, Any] | None = None,
        endpoint_id: str = "endpoint-1",
    ) -> HttpAnswer:
        """Call an endpoint as the daemon does: the request in bytes, with a Content-Length that fits the body."""
        fixed = {"Host": "dify.example", "Dify-Hook-Id": "hook-1"}
        if body or method != "GET":
            fixed["Content-Length"] = str(len(body))
        lines = [
            f"{method} {path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in (fixed | (headers or {})).items()),
        ]
        raw = "\r\n".join([*lines, "", ""]).encode() + body
        request = {
            "type": "endpoint",
            "action": "invoke_endpoint",
            "user_id": "",
            "raw_http_request": raw.hex(),
            "settings": settings or {},
        }
        began = time.perf_counter()
        pieces = list(self.request(request, endpoint_id=endpoint_id))
        return HttpAnswer(
            status=pieces[0]["status"],
            headers={name.lower(): value for name, value in pieces[0]["headers"].items()},
            body=b"".join(bytes.fromhex(piece.get("result") or "") for piece in pieces),
            seconds=time.perf_counter() - began,
        )

    def request(
        self, data: dict[str, Any], *, agent: bool = False, strategy: bool = False, endpoint_id: str | None = None
    ) -> Iterator[Message]:
        """Send any request at once and yield what the plugin streams back."""
        session = f"session-{next(self._numbers)}"
        context = {
            "session_id": session,
            "conversation_id": "conversation-1" if agent else None,
            "message_id": "message-1" if agent else None,
            "app_id": None if endpoint_id or strategy else "app-1",
            "endpoint_id": endpoint_id,
            "context": None,
        }
        call = self._calls[session] = _Call(context)
        self._send(context | {"event": "request", "data": data})
        return self._replies(session, call)

    def _replies(self, session: str, call: _Call) -> Iterator[Message]:
        try:
            while (reply := self._next(call))["type"] != "end":
                if reply["type"] == "error":
                    failure = reply["data"]
                    raise PluginFailure(
                        failure["error_type"], failure["message"], failure.get("args", {}).get("traceback", "")
                    )
                yield reply["data"]
        finally:
            call.over = True
            del self._calls[session]

    def _next(self, call: _Call) -> Message:
        while True:
            try:
                return call.replies.get(timeout=_CALL_S)
            except queue.Empty:
                if not call.open:
                    raise PluginFailure("NoAnswer", f"the plugin said nothing for {_CALL_S:.0f} s", "") from None

    def _begin_answer(self, call: _Call, invocation: dict[str, Any]) -> None:
        """Answer a reverse invocation in a thread of its own."""
        self._count(call, 1)
        thread = threading.Thread(target=self._answer_back, args=(call, invocation), daemon=True)
        self._answering.add(thread)
        thread.start()

    def _answer_back(self, call: _Call, invocation: dict[str, Any]) -> None:
        """Answer as Dify's daemon does: the responses, an error if it is refused, and the end in any case.

        What is answered after its call is over reaches nobody, as an app goes on in Dify when nobody waits for it.
        """
        reply: dict[str, Any] = {"backwards_request_id": invocation["backwards_request_id"]}

        def send(event: str, message: str, data: object) -> None:
            if not call.over and not self._closing:
                whole = reply | {"event": event, "message": message, "data": data}
                self._send(call.context | {"event": "backwards_response", "data": whole})

        try:
            try:
                answer = self._answer(invocation["type"], invocation["request"])
                kind = "stream" if isinstance(answer, Iterator) else "struct"
                for item in answer if isinstance(answer, Iterator) else [answer]:
                    if self._closing:
                        break
                    send("response", kind, item)
            except Exception as error:  # noqa: BLE001 - whatever the caller's function raises is Dify's refusal
                send("error", str(error), None)
            send("end", "", None)
        except (OSError, ValueError):
            pass  # the plugin is gone: its call says so
        finally:
            self._count(call, -1)
            self._answering.discard(threading.current_thread())

    def _count(self, call: _Call, change: int) -> None:
        with self._counting:
            call.open += change

    def _send(self, message: dict[str, Any]) -> None:
        with self._writing:
            if self._process.stdin is None:
                raise RuntimeError("the plugin has no stdin")
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _read(self) -> None:
        """Read until the plugin ends, or writes what it must not: that ends it, and every call with a reason."""
        reason = "the process has ended"
        for line in self._process.stdout or ():
            self._lines += line
            try:
                self._take(line)
            except ValueError as error:
                reason = f"the plugin wrote a line that no plugin may write: {error}"
                self._process.kill()
                break
        self._ready.set()
        for call in list(self._calls.values()):
            call.replies.put({"type": "error", "data": {"error_type": "PluginDied", "message": reason}})

    def _read_errors(self) -> None:
        for line in self._process.stderr or ():
            self._errors += line

    def _take(self, line: bytes) -> None:
        if len(line) > _MAX_LINE:
            raise ValueError(f"{len(line)} bytes kill it in Dify")
        if not line.strip():
            return
        message = json.loads(line)
        match message.get("event"):
            case None:
                self.manifest = message
            case "log":
                self.log.append(message["data"]["message"])
            case "heartbeat":
                self._beating = True
                self._ready.set()
            case "session" if call := self._calls.get(message["session_id"]):
                if message["data"]["type"] == "invoke":
                    self._begin_answer(call, message["data"]["data"])
                else:
                    call.replies.put(message["data"])


def _unanswered(kind: str, request: dict[str, Any]) -> object:
    raise RuntimeError(f"nobody answers the reverse invocation {kind} of {sorted(request)}")
