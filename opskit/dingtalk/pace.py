"""Twenty messages a minute for each robot, kept across every concurrent call of this process.

Source: DingTalk's robot documentation: 20 messages per minute and robot; beyond that the robot is silenced for
10 minutes. The plugin is one process for all workspaces, so the windows are kept under a salted hash of host and
token, their number is bounded, and idle ones are forgotten.
"""

import hashlib
import math
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from opskit.errors import RateLimited

PER_WINDOW = 20
WINDOW_S = 60.5  # their minute, and half a second for two clocks that do not run alike
SILENCED_S = 600.0
_MAX_ROBOTS = 10_000
_POLL_S = 0.05


@dataclass(slots=True)
class _Window:
    """What is known of one robot, in the clock's seconds."""

    answered: deque[float] = field(default_factory=deque)  # when the latest calls were answered
    under_way: int = 0  # calls that have begun and are not answered
    planned: list[float] = field(default_factory=list)  # moments that are promised, ascending
    silenced_until: float = -math.inf

    def forget(self, now: float) -> None:
        while self.answered and self.answered[0] <= now - WINDOW_S:
            self.answered.popleft()

    def idle(self, now: float) -> bool:
        self.forget(now)
        return not (self.answered or self.under_way or self.planned or self.silenced_until > now)

    def next_moments(self, now: float, count: int) -> list[float]:
        """The earliest moments at which ``count`` more calls fit in behind all that is done and promised."""
        self.forget(now)
        known = [*self.answered, *[now] * self.under_way, *self.planned]
        for _ in range(count):
            free = known[-PER_WINDOW] + WINDOW_S if len(known) >= PER_WINDOW else now
            known.append(max(now, free, self.silenced_until, self.planned[-1] if self.planned else now))
        return known[-count:]

    def wait_s(self, now: float) -> float:
        """Seconds until one call may begin.

        A call is counted from its begin until a minute after its answer: wherever in between DingTalk counts it, no
        minute of theirs holds more than 20.
        """
        self.forget(now)
        room = PER_WINDOW - self.under_way - len(self.answered)
        if room > 0:
            return 0.0
        return self.answered[-room] + WINDOW_S - now if -room < len(self.answered) else _POLL_S


class Pace:
    """Hands out turns at robots. ``clock`` is in seconds and never goes back; ``sleep`` takes seconds."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        max_robots: int = _MAX_ROBOTS,
    ) -> None:
        self.clock = clock
        self.sleep = sleep
        self._salt = secrets.token_bytes(32)
        self._max_robots = max_robots
        self._windows: OrderedDict[bytes, _Window] = OrderedDict()
        self._lock = threading.Lock()

    def reserve(self, robot: str, count: int, *, until: float) -> "Turns":
        """Promise ``count`` turns at ``robot``, the last no later than ``until`` (a moment of the clock).

        RateLimited, with the seconds to wait, when they do not fit; nothing is promised then.
        """
        turns = Turns(self, hashlib.sha256(self._salt + robot.encode()).digest(), until)
        turns.plan(count)
        return turns

    def window(self, name: bytes) -> _Window:
        """The window kept under ``name``."""
        window = self._windows.setdefault(name, _Window())
        self._windows.move_to_end(name)
        return window

    def forget(self) -> None:
        """Drop idle windows, and the longest unused ones beyond the bound; never one with a call in it."""
        now = self.clock()
        for name, window in list(self._windows.items()):
            over = len(self._windows) > self._max_robots
            if window.idle(now) or (over and not window.under_way and not window.planned):
                del self._windows[name]

    @property
    def lock(self) -> threading.Lock:
        """Guards every window."""
        return self._lock

    def __len__(self) -> int:
        return len(self._windows)


class Turns:
    """The turns promised to one message. Use it in ``with``: what is not taken is given back."""

    def __init__(self, pace: Pace, name: bytes, until: float) -> None:
        self._pace = pace
        self._name = name
        self._until = until
        self._moments: list[float] = []

    def plan(self, count: int) -> None:
        """Ask for ``count`` turns more; RateLimited when they do not fit before the end."""
        now = self._pace.clock()
        with self._pace.lock:
            self._pace.forget()
            window = self._pace.window(self._name)
            moments = window.next_moments(now, count)
            if window.silenced_until > self._until:
                raise RateLimited("robot_silenced", seconds=math.ceil(window.silenced_until - now))
            if moments[-1] > self._until:
                raise RateLimited("robot_busy", seconds=math.ceil(moments[-1] - now), count=count)
            window.planned += moments
            self._moments += moments

    def take(self) -> None:
        """Wait for the next promised turn and begin it; RateLimited when it cannot come before the end."""
        while True:
            with self._pace.lock:
                wait_s = self.wait_s()
                if wait_s <= 0:
                    window = self._pace.window(self._name)
                    window.planned.remove(self._moments.pop(0))
                    window.under_way += 1
                    return
            if self._pace.clock() + wait_s > self._until:
                raise RateLimited("robot_busy", seconds=math.ceil(wait_s), count=len(self._moments))
            self._pace.sleep(wait_s)

    def wait_s(self) -> float:
        """Seconds until the next promised turn may begin, as far as is known now; 0 or less means now."""
        now = self._pace.clock()
        window = self._pace.window(self._name)
        return max(self._moments[0] - now, window.silenced_until - now, window.wait_s(now))

    def answered(self) -> None:
        """The call that was begun has ended, well or badly."""
        with self._pace.lock:
            window = self._pace.window(self._name)
            window.under_way -= 1
            window.answered.append(self._pace.clock())

    def silence(self, seconds: float = SILENCED_S) -> int:
        """DingTalk has refused for its limit: nobody calls this robot for ``seconds``, which are returned."""
        with self._pace.lock:
            self._pace.window(self._name).silenced_until = self._pace.clock() + seconds
        return math.ceil(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._pace.lock:
            window = self._pace.window(self._name)
            for moment in self._moments:
                window.planned.remove(moment)
            self._moments.clear()


SHARED = Pace()  # of everything in this process that calls robots
