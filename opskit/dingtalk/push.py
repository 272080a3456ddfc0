"""Posting a message, part by part, within its deadline."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from opskit import http, wording
from opskit.dingtalk import render
from opskit.dingtalk.call import called
from opskit.dingtalk.message import Delivery, Message, Receipt
from opskit.dingtalk.pace import SHARED, Pace, Turns
from opskit.dingtalk.repeats import Repeats
from opskit.dingtalk.robot import Robot
from opskit.errors import OpskitError, RateLimited, Unavailable

_ATTEMPTS = 4
_BACKOFF_S = (1.0, 2.0, 4.0)
_RETRIED = frozenset({"robot_system_busy", "robot_no_answer", "robot_not_reached"})
_REPEATS = Repeats()


def push(
    message: Message,
    parts: list[render.Body] | None = None,
    *,
    pace: Pace = SHARED,
    repeats: Repeats = _REPEATS,
    now: Callable[[], float] = time.time,
) -> Receipt:
    """Post ``message`` and return what DingTalk accepted. ``now`` gives seconds since the epoch.

    ``parts`` is what ``bodies(message)`` gives, for a caller that has it computed elsewhere, such as in a thread.

    InvalidInput, InvalidCredentials, Refused: DingTalk will not take it like this; the text says what to change.
    RateLimited: the robot's 20 messages a minute are used up for longer than the deadline.
    Unavailable: no usable answer, after up to 4 attempts with the same msgUuid. An error after the first part
    says which parts had arrived.
    """
    began = pace.clock()
    robot = Robot.of(message)
    parts = render.bodies(message) if parts is None else parts
    began_s = now()
    uuids = [repeats.uuid(robot, message.dedupe_key, began_s, index, body) for index, body in enumerate(parts)]
    payloads = [render.encoded(body, uuid) for body, uuid in zip(parts, uuids, strict=True)]
    if message.dry_run:
        attempts = [0] * len(payloads)
    else:
        until = began + message.deadline_s
        with http.session(robot.reach) as client, pace.reserve(robot.name, len(parts), until=until) as turns:
            attempts = _posted(payloads, _Poster(robot, client, turns, pace, until, now))
    deliveries = [
        Delivery(index=index, bytes=len(payload), msg_uuid=uuid, attempts=tried)
        for index, (payload, uuid, tried) in enumerate(zip(payloads, uuids, attempts, strict=True), 1)
    ]
    return _receipt(message, deliveries, elapsed_ms=round((pace.clock() - began) * 1000))


def _posted(payloads: list[bytes], post: "_Poster") -> list[int]:
    """Post one after the other and return the attempts; an error says which of several are in the group already."""
    attempts: list[int] = []
    for payload in payloads:
        try:
            attempts.append(post(payload))
        except OpskitError as error:
            if len(payloads) == 1:
                raise
            arrived = ", ".join(map(str, range(1, len(attempts) + 1))) or "-"
            raise error.also("parts_arrived", arrived=arrived, total=len(payloads)) from None
    return attempts


@dataclass(frozen=True, slots=True)
class _Poster:
    """Sends one payload at a time, and again where that is safe."""

    robot: Robot
    client: http.Session
    turns: Turns
    pace: Pace
    until: float
    now: Callable[[], float]

    def __call__(self, payload: bytes) -> int:
        """Send until it is accepted and return the number of attempts; the last error is raised."""
        for attempt in range(1, _ATTEMPTS + 1):
            self.turns.take()
            try:
                left_s = max(self.until - self.pace.clock(), 0.1)
                error = called(self.robot, self.client, payload, within_s=left_s, now=self.now())
            finally:
                self.turns.answered()
            if error is None:
                return attempt
            if isinstance(error, RateLimited):
                raise RateLimited(error.key, **error.blanks | {"seconds": self.turns.silence()})
            if error.key not in _RETRIED:
                raise error
            if attempt == _ATTEMPTS or not self._may_try_again(_BACKOFF_S[attempt - 1]):
                raise Unavailable(error.key, **error.blanks, tries=attempt)
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
