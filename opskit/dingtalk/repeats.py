"""What makes a repeated message recognisable: DingTalk posts one msgUuid once."""

import hashlib
import json
import math
import secrets
from collections import OrderedDict

from opskit import signing
from opskit.dingtalk.render import UUID_CHARS, Body
from opskit.dingtalk.robot import Robot

WINDOW_S = 600  # without a dedupe_key, the same text may be posted again after ten minutes
_REMEMBERED = 10_000


class Repeats:
    """Gives every part its msgUuid: the same for the same robot, ``dedupe_key``, content and part.

    Without a key of the user's, the ten minutes since a part was first seen stand in for it, so that a node that
    Dify repeats does not post twice, and tomorrow's "all OK" is still posted. What was seen is remembered in this
    process only, at most 10,000 parts; after a restart, the ten minutes are those of the clock.
    """

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(32)
        self._windows: OrderedDict[bytes, tuple[float, int]] = OrderedDict()  # when a part was first seen, and in which

    def uuid(self, robot: Robot, dedupe_key: str, epoch_s: float, index: int, body: Body) -> str:
        """The msgUuid of the part ``index`` at ``epoch_s``, 32 hex digits. The token is not to be read from it."""
        text = json.dumps([robot.url, index, body], ensure_ascii=False, sort_keys=True)
        part = signing.sign(robot.token.encode(), text.encode())
        run = json.dumps(["key", dedupe_key] if dedupe_key else ["window", self._window(part, epoch_s)])
        return hashlib.sha256(part + run.encode()).hexdigest()[:UUID_CHARS]

    def _window(self, part: bytes, epoch_s: float) -> int:
        part = signing.sign(self._salt, part)
        seen_s, window = self._windows.pop(part, (-math.inf, 0))
        if not 0 <= epoch_s - seen_s < WINDOW_S:
            seen_s, window = epoch_s, math.floor(epoch_s / WINDOW_S)
        self._windows[part] = seen_s, window
        while len(self._windows) > _REMEMBERED or epoch_s - next(iter(self._windows.values()))[0] >= WINDOW_S:
            self._windows.popitem(last=False)
        return window

    def __len__(self) -> int:
        return len(self._windows)
