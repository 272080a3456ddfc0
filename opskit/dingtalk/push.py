"""Posting a message, part by part, within its deadline."""

import hashlib
import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import requests

from opskit import http, signing, wording
from opskit.dingtalk import answer, render
from opskit.dingtalk.message import DEFAULT_BASE_URL, Delivery, Message, Receipt
from opskit.dingtalk.pace import Pace, Turns
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, RateLimited, Unavailable

_ATTEMPTS = 4
_BACKOFF_S = (1.0, 2.0, 4.0)
_ANSWER_S = 15.0
_MAX_ANSWER = 64 * 1024
_WINDOW_S = 600  # without a dedupe_key, the same text may be posted again after ten minutes
_RETRIED = frozenset({"robot_system_busy", "robot_no_answer"})
# A variable that does not exist: Dify leaves its template as it is, or just its name where text stands around it.
_UNFILLED = re.compile(r"\{\{#|^(?:env|conversation)\.\w+$")
_DOMAINS = ("dingtalk.com", "dingtalk.io")
_PACE = Pace()


def push(message: Message, *, pace: Pace = _PACE, now: Callable[[], float] = time.time) -> Receipt:
    """Post ``message`` and return what DingTalk accepted. ``now`` gives seconds since the epoch.

    InvalidInput, InvalidCredentials, Refused: DingTalk will not take it like this; the text says what to change.
    RateLimited: the robot's 20 messages a minute are used up for longer than the deadline.
    Unavailable: no usable answer, after up to 4 attempts with the same msgUuid. An error after the first part
    says which parts had arrived.
    """
    began = pace.clock()
    robot = Robot.of(message)
    parts = render.bodies(message)
    uuids = [_uuid(robot, message.dedupe_key, now(), index, body) for index, body in enumerate(parts)]
    payloads = [render.encoded(body, uuid) for body, uuid in zip(parts, uuids, strict=True)]
    deliveries: list[Delivery] = []
    if not message.dry_run:
        until = began + message.deadline_s
        with http.session(robot.reach) as client, pace.reserve(robot.name, len(parts), until=until) as turns:
            post = _Poster(robot, client, turns, pace, until, now)
            for payload, uuid in zip(payloads, uuids, strict=True):
                try:
                    attempts = post(payload)
                except OpskitError as error:
                    raise _with_arrived(error, len(deliveries), len(parts)) from None
                deliveries.append(
                    Delivery(index=len(deliveries) + 1, bytes=len(payload), msg_uuid=uuid, attempts=attempts)
                )
    else:
        deliveries = [
            Delivery(index=index, bytes=len(payload), msg_uuid=uuid, attempts=0)
            for index, (payload, uuid) in enumerate(zip(payloads, uuids, strict=True), 1)
        ]
    return _receipt(message, deliveries, elapsed_ms=round((pace.clock() - began) * 1000))


@dataclass(frozen=True, slots=True)
class Robot:
    """Where a robot is called, and how its calls are signed."""

    url: str
    token: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def of(cls, message: Message) -> "Robot":
        """The robot of a message. A whole webhook URL gives its token and host; its old signature is dropped.

        InvalidCredentials: the token or secret cannot be one. InvalidInput: ``base_url`` is not an address.
        """
        given = message.access_token.get_secret_value()
        secret = message.sign_secret.get_secret_value() if message.sign_secret else ""
        for name, key in (("access_token", given), ("sign_secret", secret)):
            if _UNFILLED.search(key):
                raise InvalidCredentials("unfilled_secret", name=name)
        base, token = message.base_url, given
        if re.search(r"://|access_token=", given):
            webhook = urlsplit(given)
            token = parse_qs(webhook.query or given).get("access_token", [""])[0].strip()
            if message.base_url == DEFAULT_BASE_URL and webhook.hostname:
                base = f"{webhook.scheme}://{webhook.netloc}{webhook.path}"
        if not re.fullmatch(r"[!-~]+", token):
            raise InvalidCredentials("malformed_secret", name="access_token")
        if not re.fullmatch(r"[!-~]*", secret):
            raise InvalidCredentials("malformed_secret", name="sign_secret")
        address = urlsplit(base)
        if address.scheme not in {"http", "https"} or not address.hostname or address.username is not None:
            raise InvalidInput("bad_base_url", name="base_url")
        path = address.path.rstrip("/").removesuffix("/robot/send")
        return cls(f"{address.scheme}://{address.netloc}{path}/robot/send", token, secret)

    @property
    def name(self) -> str:
        """What tells robots apart."""
        return f"{self.url}\n{self.token}"

    @property
    def reach(self) -> http.Reach:
        """DingTalk may be reached wherever it is, any other host only inside the network: it is given the token."""
        return http.secret_reach(urlsplit(self.url).hostname or "", *_DOMAINS)

    def query(self, epoch_s: float) -> dict[str, str]:
        """The query of one call, signed at ``epoch_s``.

        The signature is raw base64: the HTTP client encodes it, once. Encoded twice it is what the real server
        answers with "sign not match".
        """
        if not self.secret:
            return {"access_token": self.token}
        timestamp = str(int(epoch_s * 1000))
        sign = signing.sign_base64(self.secret.encode(), f"{timestamp}\n{self.secret}".encode())
        return {"access_token": self.token, "timestamp": timestamp, "sign": sign}


@dataclass(frozen=True, slots=True)
class _Poster:
    """Sends one payload at a time, and again where that is safe."""

    robot: Robot
    client: requests.Session
    turns: Turns
    pace: Pace
    until: float
    now: Callable[[], float]

    def __call__(self, payload: bytes) -> int:
        """Send until it is accepted and return the number of attempts; the last error is raised."""
        for attempt in range(1, _ATTEMPTS + 1):
            self.turns.take()
            try:
                error = self._send(payload)
            finally:
                self.turns.answered()
            if error is None:
                return attempt
            if isinstance(error, RateLimited):
                raise RateLimited(error.key, **error.blanks | {"seconds": self.turns.silence()})
            if error.key not in _RETRIED or attempt == _ATTEMPTS or not self._may_try_again(_BACKOFF_S[attempt - 1]):
                raise error
        raise AssertionError("unreachable")  # pragma: no cover - the loop returns or raises at its last attempt

    def _may_try_again(self, backoff_s: float) -> bool:
        """Wait before the next attempt; False when it would come too late."""
        if self.pace.clock() + backoff_s >= self.until:
            return False
        self.pace.sleep(backoff_s)
        try:
            self.turns.plan(1)
        except RateLimited:
            return False
        return True

    def _send(self, payload: bytes) -> OpskitError | None:
        """One request: None when accepted, else what went wrong."""
        left_s = max(self.until - self.pace.clock(), 0.1)
        try:
            response = self.client.post(
                self.robot.url,
                params=self.robot.query(self.now()),
                data=payload,
                headers={"Content-Type": "application/json; charset=utf-8"},
                timeout=(min(http.CONNECT_S, left_s), min(_ANSWER_S, left_s)),
                allow_redirects=False,
                stream=True,
            )
            with response:
                text = http.body(response, max_bytes=_MAX_ANSWER, ends=time.monotonic() + min(_ANSWER_S, left_s))
        except requests.Timeout:
            return Unavailable("robot_no_answer", problem="timeout")
        except http.TRANSPORT_ERRORS as error:
            return Unavailable("robot_no_answer", problem=type(error).__name__)
        except Unavailable as error:
            return Unavailable("robot_no_answer", problem=error.blanks["problem"])
        failure = answer.failure(response.status_code, _parsed(text))
        if failure and failure.key in {"robot_signature", "robot_security"} and not self.robot.secret:
            return InvalidCredentials("robot_unsigned", **failure.blanks)
        return failure


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _uuid(robot: Robot, dedupe_key: str, epoch_s: float, index: int, body: render.Body) -> str:
    """The idempotency key of a part: the same for the same robot, ``dedupe_key``, content and part.

    Without a key of the user's, the ten minutes of the clock stand in for it, so that a node that Dify repeats
    does not post twice, and tomorrow's "all OK" is still posted.
    """
    run = ["key", dedupe_key] if dedupe_key else ["window", math.floor(epoch_s / _WINDOW_S)]
    text = json.dumps([robot.url, run, index, body], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(signing.sign(robot.token.encode(), text.encode())).hexdigest()[: render.UUID_CHARS]


def _with_arrived(error: OpskitError, arrived: int, total: int) -> OpskitError:
    """The error, saying which of several parts are in the group already."""
    if total == 1:
        return error
    return error.also("parts_arrived", arrived=", ".join(map(str, range(1, arrived + 1))) or "-", total=total)


def _receipt(message: Message, deliveries: list[Delivery], *, elapsed_ms: int) -> Receipt:
    report = wording.say(
        message.locale(message.content, message.title),
        "dingtalk.dry_run" if message.dry_run else "dingtalk.delivered",
        count=len(deliveries),
        bytes=sum(delivery.bytes for delivery in deliveries),
        seconds=f"{elapsed_ms / 1000:.1f}",
    )
    return Receipt(
        delivered=not message.dry_run,
        parts=deliveries,
        attempts=sum(delivery.attempts for delivery in deliveries),
        message_ids=[delivery.msg_uuid for delivery in deliveries],
        elapsed_ms=elapsed_ms,
        report=report,
    )
