"""Whether a robot's keys are right, without posting anything.

DingTalk has no question for that, so it gets a message of a type that does not exist, which it refuses ("400105"), and
nothing can be shown of. Where it refuses that for its token or its signature, the keys are wrong. Where it refuses the
type, the keys are right only if they are judged before the message, and that is documented nowhere. So the same message
goes out once more as a control: with a wrong signature or, for robots without a secret, with a token that nobody has.
Refused for that, it proves what the first refusal says.
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from opskit import http
from opskit.dingtalk.call import called
from opskit.dingtalk.message import Message
from opskit.dingtalk.pace import SHARED, Pace, Turns
from opskit.dingtalk.robot import Robot
from opskit.errors import OpskitError, RateLimited, Unavailable

# Accepted are the token, or token and signature; "unclear" is a refusal that says nothing about them, and "taken" that
# the message was accepted, which DingTalk itself does not do.
type Proof = Literal["token", "signature", "unclear", "taken"]

_PAYLOAD = json.dumps({"msgtype": "opskit_check"}).encode()
_OF_THE_MESSAGE = frozenset({"robot_message_type", "robot_parameter"})
_OF_THE_SIGNATURE = frozenset({"robot_signature", "robot_security"})
_OF_THE_TOKEN = frozenset({"robot_token"})


def prove(
    access_token: str,
    sign_secret: str,
    *,
    within_s: float,
    pace: Pace = SHARED,
    now: Callable[[], float] = time.time,
) -> Proof:
    """What DingTalk accepts of a robot's keys; one or two of its 20 messages a minute are used up for it.

    InvalidCredentials, InvalidInput: a key that cannot be one, or that is refused. RateLimited: no turn within
    ``within_s`` seconds. Any other OpskitError: what DingTalk says instead, or that it says nothing.
    """
    keys = {"access_token": access_token, "sign_secret": sign_secret or None}
    robot = Robot.of(Message.model_validate({"content": "-", **keys}))
    until = pace.clock() + within_s
    with http.session(robot.reach) as client, pace.reserve(robot.name, 1 + bool(robot.secret), until=until) as turns:
        asking = _Asking(client, turns, pace, until, now)
        refusal = asking.in_turn(robot)
        if refusal is None:
            return "taken"
        if not _is_of_the_message(refusal):
            raise refusal
        if robot.secret:
            control = asking.in_turn(replace(robot, secret=f"SEC{secrets.token_hex(32)}"))
            return "signature" if control and control.key in _OF_THE_SIGNATURE else "unclear"
        control = asking.at_once(replace(robot, token=secrets.token_hex(32)))
        return "token" if control and control.key in _OF_THE_TOKEN else "unclear"


def _is_of_the_message(refusal: OpskitError) -> bool:
    """Whether it was the message that was refused. 40035 says that of any parameter, the token's too."""
    return refusal.key in _OF_THE_MESSAGE and "access_token" not in str(refusal.blanks.get("errmsg"))


@dataclass(frozen=True, slots=True)
class _Asking:
    client: http.Session
    turns: Turns
    pace: Pace
    until: float
    now: Callable[[], float]

    def in_turn(self, robot: Robot) -> OpskitError | None:
        """What the robot says in its turn; None when it takes the message."""
        self.turns.take()
        try:
            refusal = self.at_once(robot)
        finally:
            self.turns.answered()
        if isinstance(refusal, RateLimited):
            return RateLimited(refusal.key, **refusal.blanks | {"seconds": self.turns.silence()})
        return refusal

    def at_once(self, robot: Robot) -> OpskitError | None:
        """The same without a turn, for a robot that does not exist."""
        left_s = max(self.until - self.pace.clock(), 0.1)
        refusal = called(robot, self.client, _PAYLOAD, within_s=left_s, now=self.now())
        if isinstance(refusal, Unavailable):
            return Unavailable(refusal.key, **refusal.blanks, tries=1)
        return refusal
