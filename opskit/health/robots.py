"""A look at a DingTalk robot."""

import time

from opskit.dingtalk import Pace, prove
from opskit.errors import OpskitError
from opskit.health.entries import robot_keys
from opskit.health.finding import Finding

_FINDINGS = {
    "token": Finding("healthy", "robot_token_right"),
    "signature": Finding("healthy", "robot_keys_right"),
    "unclear": Finding("unverified", "robot_unclear"),
    "taken": Finding("unverified", "robot_takes_all"),
}


def robot(text: str, pace: Pace, ends: float) -> Finding:
    """What DingTalk says to the keys in ``token[:secret]``; nothing is posted."""
    token, secret = robot_keys(text)
    try:
        return _FINDINGS[prove(token, secret, within_s=ends - time.monotonic(), pace=pace)]
    except OpskitError as error:
        if "name" in error.blanks:
            error.blanks["name"] = "robots"
        raise
