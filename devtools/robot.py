"""A DingTalk group robot on this machine: it takes and refuses messages as the real server does.

Sources: wire format, security settings and limits are those of the custom robot's documentation on DingTalk's
open platform (send group messages, message types, security settings); the error codes are its global error
table, with the wording that public issue trackers quote from the real server. As there, HTTP is 200 and
``errcode`` decides. Where the documentation leaves room the robot takes the strict reading: every call with a
known token counts towards the 20 a minute, whether its message is accepted or not.
"""

import base64
import hashlib
import hmac
import json
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

MAX_BODY = 20_000  # bytes
PER_WINDOW = 20  # calls
WINDOW_S = 60.0
SILENCED_S = 600.0
MAX_SKEW_MS = 3_600_000
_PATH = "/robot/send"
_HTML = b"<html><body><h1>%d</h1></body></html>"

# What each message type must hold; a card has one button or several, which is looked at apart.
_FIELDS: dict[str, tuple[str, ...]] = {
    "text": ("content",),
    "markdown": ("title", "text"),
    "link": ("title", "text", "messageUrl"),
    "actionCard": ("title", "text"),
    "feedCard": (),
}

type Body = dict[str, Any]
# What one request is answered with instead: JSON, an HTTP status, raw bytes, or a way of failing.
type Answer = Mapping[str, object] | int | bytes | Literal["hang", "drop", "drop_after", "drop_within", "trickle"]


class Rejection(Exception):
    """A message that DingTalk refuses, with its ``errcode`` and ``errmsg``."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(f"{errcode} {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived: ``target`` is the raw path and query, ``time`` the clock's seconds."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    time: float

    @property
    def query(self) -> dict[str, list[str]]:
        """The query, decoded exactly once."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)


class Robot:
    """A robot and its group. Use it in ``with``; ``url`` is its base address.

    ``secret`` and ``keywords`` are its security settings, and add up. ``clock`` gives seconds since the
    epoch, for signatures and for the rate. ``posted`` holds the bodies that reached the group, in order;
    ``duplicates`` those that were answered with success because their msgUuid had been posted before;
    ``requests`` everything that arrived.
    """

    def __init__(
        self,
        token: str = "t0ken-for-the-demo",  # noqa: S107 - a robot that nobody but this machine can reach
        secret: str | None = None,
        keywords: tuple[str, ...] = (),
        clock: Callable[[], float] = time.time,
        *,
        enforce_rate: bool = True,
    ) -> None:
        self.token = token
        self.secret = secret
        self.keywords = keywords
        self.posted: list[Body] = []
        self.duplicates: list[Body] = []
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._clock = clock
        self._enforce_rate = enforce_rate
        self._seen: set[str] = set()
        self._called: deque[float] = deque()
        self._silenced_until = 0.0
        self._answers: deque[Answer] = deque()
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, to be used in place of ``https://oapi.dingtalk.com``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def calls(self) -> int:
        """How many requests arrived."""
        return len(self.requests)

    def next_answers(self, *answers: Answer) -> None:
        """Fail on purpose: each answer serves one request, then the robot is itself again.

        A mapping is sent as JSON, an integer as an HTTP status with an HTML page, bytes as they are: nothing
        is posted then. ``drop`` closes the connection and ``hang`` stays silent until the robot is closed;
        neither posts. ``drop_after`` takes the message and closes without an answer, ``drop_within`` within it;
        ``trickle`` takes it and answers a byte a second.
        """
        self._answers.extend(answers)

    def receive(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Request, Answer | None]:
        """Note a request as it came, and say what was planned for it."""
        with self._lock:
            request = Request(method, target, headers, body, self._clock())
            self.requests.append(request)
            return request, self._answers.popleft() if self._answers else None

    def judge(self, request: Request) -> Body:
        """Post the message of ``request`` or refuse it: the answer's ``errcode`` and ``errmsg``."""
        with self._lock:
            try:
                self._check_call(request)
                self._check_rate(request.time)
                self._check_signature(request)
                self._post(self._message(request.body))
            except Rejection as error:
                return {"errcode": error.errcode, "errmsg": error.errmsg}
            return {"errcode": 0, "errmsg": "ok"}

    def _check_call(self, request: Request) -> None:
        if request.method != "POST":
            raise Rejection(43002, "require POST method")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Rejection(43004, "invalid content type, require application/json")
        tokens = request.query.get("access_token", [])
        if len(tokens) != 1 or not tokens[0]:
            raise Rejection(40035, "缺少参数 access_token")
        if tokens[0] != self.token:
            raise Rejection(300005, "token is not exist")

    def _check_rate(self, now: float) -> None:
        if not self._enforce_rate:
            return
        while self._called and self._called[0] <= now - WINDOW_S:
            self._called.popleft()
        if now >= self._silenced_until:
            self._called.append(now)
            if len(self._called) <= PER_WINDOW:
                return
            self._silenced_until = now + SILENCED_S
        raise Rejection(130101, f"send too fast, exceed {PER_WINDOW} times per minute")

    def _check_signature(self, request: Request) -> None:
        if self.secret is None:
            return
        timestamps, signs = (request.query.get(name, []) for name in ("timestamp", "sign"))
        if len(timestamps) != 1 or len(signs) != 1:
            raise Rejection(310000, "sign not match")
        timestamp = timestamps[0]
        if not re.fullmatch(r"[0-9]{1,20}", timestamp):
            raise Rejection(310000, "sign not match")
        if abs(request.time * 1000 - int(timestamp)) > MAX_SKEW_MS:
            raise Rejection(310000, "description:机器人发送签名过期;solution:请校准服务器的时钟;")
        if not hmac.compare_digest(signs[0].encode(), signature(self.secret, timestamp)):
            raise Rejection(310000, "sign not match")

    def _message(self, raw: bytes) -> Body:
        """The body, complete and with a keyword."""
        if len(raw) > MAX_BODY:
            raise Rejection(460101, f"message too long, exceed {MAX_BODY} bytes")
        try:
            body = json.loads(raw.decode("utf-8"))
        except ValueError:
            raise Rejection(400402, "missing parameter: the body is not JSON") from None
        if not isinstance(body, dict):
            raise Rejection(400402, "missing parameter: msgtype")
        _check_fields(body)
        _check_mentions(body.get("at", {}))
        if not isinstance(body.get("msgUuid", ""), str):
            raise Rejection(40035, "不合法的参数 msgUuid")
        if self.keywords and not any(keyword in _words(body) for keyword in self.keywords):
            raise Rejection(310000, "keywords not in content")
        return body

    def _post(self, body: Body) -> None:
        uuid = body.get("msgUuid", "")
        if uuid and uuid in self._seen:
            self.duplicates.append(body)
            return
        self._seen.add(uuid)
        self.posted.append(body)


def signature(secret: str, timestamp: str) -> bytes:
    """What ``sign`` must be once it is decoded: base64 of HMAC-SHA256 with the secret as key, in ASCII."""
    text = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest())


def _check_fields(body: Body) -> None:
    kind = body.get("msgtype")
    if not isinstance(kind, str) or not kind:
        raise Rejection(400402, "missing parameter: msgtype")
    if kind not in _FIELDS:
        raise Rejection(400105, f"unsupported msgtype {kind}")
    message = body.get(kind)
    _require(message, kind, *_FIELDS[kind])
    if kind == "actionCard" and isinstance(message, dict):
        if "btns" in message:
            _require_each(message["btns"], "actionCard->btns", "title", "actionURL")
        else:
            _require(message, kind, "singleTitle", "singleURL")
    if kind == "feedCard" and isinstance(message, dict):
        _require_each(message.get("links"), "feedCard->links", "title", "messageURL", "picURL")


def _require(values: object, place: str, *names: str) -> None:
    if not isinstance(values, dict):
        raise Rejection(400402, f"missing parameter: {place}")
    for name in names:
        if not isinstance(values.get(name), str) or not values[name].strip():
            raise Rejection(400402, f"missing parameter: {place}->{name}")


def _require_each(entries: object, place: str, *names: str) -> None:
    if not isinstance(entries, list) or not entries:
        raise Rejection(400402, f"missing parameter: {place}")
    for entry in entries:
        _require(entry, place, *names)


def _check_mentions(at: object) -> None:
    if not isinstance(at, dict) or not isinstance(at.get("isAtAll", False), bool):
        raise Rejection(40035, "不合法的参数 at")
    for name in ("atMobiles", "atUserIds"):
        people = at.get(name, [])
        if not isinstance(people, list) or not all(isinstance(person, str) for person in people):
            raise Rejection(40035, f"不合法的参数 at->{name}")


def _words(body: Body) -> str:
    """Every title and text of a message, which is where a keyword counts."""
    message = body[body["msgtype"]]
    entries = [message, *message.get("links", []), *message.get("btns", [])]
    return "\n".join(str(entry.get(name, "")) for entry in entries for name in ("title", "text", "content"))


class _Server(ThreadingHTTPServer):
    """Serves a robot, and can end every connection at once."""

    daemon_threads = False
    request_queue_size = 128  # many calls at once are a test, not a fault

    def __init__(self, robot: Robot) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.robot = robot
        self._open: set[socket] = set()
        self._lock = threading.Lock()

    def opened(self, connection: socket) -> None:
        """A connection has begun."""
        with self._lock:
            self._open.add(connection)
            if self.robot.closing.is_set():
                _end(connection)

    def closed(self, connection: socket) -> None:
        """A connection is done."""
        with self._lock:
            self._open.discard(connection)

    def close(self) -> None:
        """End every connection and wait for their threads."""
        with self._lock:
            for connection in self._open:
                _end(connection)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _end(connection: socket) -> None:
    with suppress(OSError):
        connection.shutdown(SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def log_message(self, *arguments: object) -> None:
        """Silence: the robot's lists tell everything."""

    def _serve(self) -> None:
        robot = self.server.robot
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request, planned = robot.receive(self.command, self.path, headers, body)
        match planned:
            case "hang":
                robot.closing.wait()
                self.close_connection = True
            case "drop":
                self.close_connection = True
            case "drop_after":
                robot.judge(request)
                self.close_connection = True
            case "drop_within":
                self._answer(HTTPStatus.OK, "application/json", _encoded(robot.judge(request)), broken=True)
            case int():
                self._answer(planned, "text/html", _HTML % planned)
            case bytes():
                self._answer(HTTPStatus.OK, "application/json", planned)
            case Mapping():
                self._answer(HTTPStatus.OK, "application/json", _encoded(planned))
            case _ if urlsplit(request.target).path != _PATH:
                self._answer(HTTPStatus.NOT_FOUND, "text/html", _HTML % HTTPStatus.NOT_FOUND)
            case _:
                answer = _encoded(robot.judge(request))
                self._answer(HTTPStatus.OK, "application/json", answer, trickle=planned == "trickle")

    do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = _serve  # noqa: N815 - the standard library's names

    def _answer(self, status: int, kind: str, body: bytes, *, trickle: bool = False, broken: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not trickle:
            self.wfile.write(body[: len(body) // 2] if broken else body)
            self.close_connection = self.close_connection or broken
            return
        for place in range(len(body)):
            self.wfile.write(body[place : place + 1])
            if self.server.robot.closing.wait(1):
                break


def _encoded(answer: Mapping[str, object]) -> bytes:
    return json.dumps(dict(answer), ensure_ascii=False).encode()
