"""One request to a robot, and what became of it."""

import json
import time

from opskit import http
from opskit.dingtalk import answer
from opskit.dingtalk.robot import Robot
from opskit.errors import InvalidCredentials, OpskitError, Unavailable

_ANSWER_S = 15.0
_MAX_ANSWER = 64 * 1024


def called(robot: Robot, client: http.Session, payload: bytes, *, within_s: float, now: float) -> OpskitError | None:
    """Send ``payload``: None when it is accepted, else what went wrong. ``now`` is in seconds since the epoch."""
    try:
        reply = client.exchange(
            "POST",
            robot.url,
            params=robot.query(now),
            data=payload,
            headers={"Content-Type": "application/json; charset=utf-8"},
            ends=time.monotonic() + min(_ANSWER_S, within_s),
            max_bytes=_MAX_ANSWER,
        )
    except Unavailable as error:
        reached = error.key == "no_answer"
        return Unavailable("robot_no_answer" if reached else "robot_not_reached", problem=error.blanks["problem"])
    failure = answer.failure(reply.status, _parsed(reply.body))
    if failure and failure.key in {"robot_signature", "robot_security"} and not robot.secret:
        return InvalidCredentials("robot_unsigned", **failure.blanks)
    return failure


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
