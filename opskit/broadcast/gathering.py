"""Asking all at once and waiting for as many answers as the mode wants, never longer than the deadline."""

import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from opskit.dify import Attempt
from opskit.errors import Refused

# All are prepared before the first is called, so that a missing input costs nothing. But one that hangs must not keep
# the others waiting: once half of them are prepared, the rest gets as much time again, and a little.
_GRACE_S = 0.05
_LONGEST_GRACE_S = 1.0
_GRACE_SHARE = 0.2  # of the time until the deadline
_STOPPING_S = 0.1  # for the requests that stop the stragglers; they go on by themselves


@dataclass(slots=True)
class Gathering:
    """Attempts on their way. ``needed`` answers are enough, or None for all; ``told`` is called as each one ends."""

    attempts: Sequence[Attempt]
    ends: float
    needed: int | None
    told: Callable[[Attempt], None]
    _changes: "queue.SimpleQueue[None]" = field(default_factory=queue.SimpleQueue)
    _untold: list[Attempt] = field(default_factory=list)
    _stopping: list[threading.Thread | None] = field(default_factory=list)

    def gather(self) -> None:
        """Conclude every attempt, at the deadline at the latest."""
        self._untold = list(self.attempts)
        for attempt in self.attempts:
            attempt.changed = lambda: self._changes.put(None)
            attempt.allowed = self._may_begin
            if not attempt.outcome:
                attempt.start()
        self._prepare()
        if not self.hopeless:
            for attempt in self.attempts:
                attempt.go.set()
        while not (self._enough or self.hopeless or time.monotonic() >= self.ends):
            self._wait(min([self.ends, *(one.ends for one in self._open if one.began)]))
            self._end_late()
        self._end_late()
        self._end_rest()
        self._tell()

    @property
    def answered(self) -> int:
        """How many answers there are."""
        return sum(one.outcome is not None and one.outcome.ending == "answered" for one in self.attempts)

    @property
    def hopeless(self) -> bool:
        """Whether the mode can no longer be satisfied."""
        return self.answered + len(self._open) < (self.needed or 1)

    def _may_begin(self) -> bool:
        """Whether one more app is to be called: a slot is often free before anybody here has looked at the answer."""
        return not self._enough and time.monotonic() < self.ends

    @property
    def _open(self) -> list[Attempt]:
        return [one for one in self.attempts if one.outcome is None]

    @property
    def _enough(self) -> bool:
        return not self._open or (self.needed is not None and self.answered >= self.needed)

    def _prepare(self) -> None:
        """Wait until all are prepared, or all but those that take much longer than the others."""
        began = time.monotonic()
        until = began + min(_LONGEST_GRACE_S, _GRACE_SHARE * (self.ends - began))
        rest_until = math.inf
        while (waiting := sum(not (one.prepared or one.outcome) for one in self.attempts)) and time.monotonic() < min(
            until, rest_until
        ):
            if waiting <= len(self.attempts) // 2 and rest_until == math.inf:
                rest_until = time.monotonic() + (time.monotonic() - began) + _GRACE_S
            self._wait(min(until, rest_until))

    def _wait(self, until: float) -> None:
        """Wait for a change, and tell of attempts that have ended."""
        try:
            self._changes.get(timeout=max(until - time.monotonic(), 0))
            while True:
                self._changes.get_nowait()
        except queue.Empty:
            self._tell()

    def _tell(self) -> None:
        for attempt in [one for one in self._untold if one.outcome]:
            self._untold.remove(attempt)
            self.told(attempt)

    def _end_late(self) -> None:
        """End those whose own time is up."""
        for attempt in self._open:
            if attempt.began and time.monotonic() >= attempt.ends:
                self._stopping.append(attempt.end("timeout", attempt.too_slow()))

    def _end_rest(self) -> None:
        """End what is still on its way: there are enough answers, or there is no hope, or no time for a turn."""
        late = time.monotonic() >= self.ends
        for attempt in [one for one in self._open if not one.began]:  # first, so that none of them takes a free slot
            if late and attempt.looked_at:
                attempt.end("timeout", attempt.too_slow())
            else:
                attempt.end("skipped", Refused("no_time_to_ask" if late else "not_asked"))
        for attempt in self._open:
            unneeded = Refused("not_needed" if attempt.target.stoppable else "abandoned")
            self._stopping.append(attempt.end("stopped", unneeded))
        until = time.monotonic() + _STOPPING_S
        for thread in self._stopping:
            if thread:
                thread.join(max(until - time.monotonic(), 0))
