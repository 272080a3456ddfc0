"""One question to one app, in a thread of its own: it can be looked at, ended and left behind at any moment.

Whoever waits for it never waits for the network: an app may hang without sending a byte, and a reverse invocation
cannot be ended at all. So there is one ``Outcome``, and whoever is first writes it, the thread or the one who waits.
"""

import copy
import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Literal

from opskit import http
from opskit.dify.run import Run
from opskit.dify.targets import Question, Target
from opskit.errors import OpskitError, RateLimited, Refused, Unavailable

type Ending = Literal["answered", "failed", "timeout", "stopped", "skipped"]

_PREPARED_S = 20.0  # for finding out about an app and for its files
_STOP_S = 5.0
_LINGER_S = 30.0
_POLL_S = 1.0
_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 8.0
_CUT_OFF = frozenset(
    {"no_answer", "not_reached", "stream_cut", "stream_silent"}
)  # what the end of the time looks like from inside


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended, and in ``error`` why there is no answer.

    ``elapsed_s`` counts from the first request to the app, and is 0 where no run was begun.
    """

    ending: Ending
    run: Run
    error: OpskitError | None = None
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often. ``ends`` is a moment of time.monotonic(); ``timeout_s`` begins with the run.

    ``retries`` are those of preparing and of running, each. Without ``idempotent`` only what never began is tried
    again: Dify knows no idempotency, and a second request is a second run.
    """

    ends: float
    timeout_s: float
    retries: int = 0
    idempotent: bool = False


@dataclass(slots=True)
class Attempt:
    """A question on its way. ``told`` gets the answer's text as it comes, ``changed`` is called at every step.

    ``stops`` is whether a run that is ended from outside is stopped on the server, too; ``allowed`` is asked when its
    turn has come, and where it says no the app is not called.
    """

    target: Target
    question: Question
    patience: Patience
    caller: str = ""
    told: Callable[[str], None] = lambda _: None
    changed: Callable[[], None] = lambda: None
    stops: bool = True
    slot: AbstractContextManager[object] = field(default_factory=nullcontext)
    allowed: Callable[[], bool] = lambda: True
    go: threading.Event = field(default_factory=threading.Event)
    run: Run = field(default_factory=Run)
    outcome: Outcome | None = None
    fault: Exception | None = None
    prepared: bool = False
    finished: threading.Event = field(default_factory=threading.Event)
    _first_request: float = 0.0
    _began: float = 0.0
    _deadline: http.Deadline = field(default_factory=lambda: http.Deadline(0, watched=False))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Begin to prepare; the run begins when ``go`` is set."""
        threading.Thread(target=self._work, name=f"opskit-{self.target.group}", daemon=True).start()

    @property
    def began(self) -> bool:
        """Whether the app has been called."""
        return self._began > 0

    @property
    def looked_at(self) -> bool:
        """Whether its kind and form are being asked for, without an answer so far."""
        return self._first_request > 0 and not self.prepared

    @property
    def ends(self) -> float:
        """When its time is up, a moment of time.monotonic()."""
        own = self._began + self.patience.timeout_s if self.began else self.patience.ends
        return min(own, self.patience.ends)

    def conclude(self, ending: Ending, error: OpskitError | None = None) -> bool:
        """Write the outcome; False when it stands already."""
        with self._lock:
            if self.outcome is not None:
                return False
            elapsed_s = time.monotonic() - self._first_request if self.began else 0.0
            self.outcome = Outcome(ending, copy.copy(self.run), error, elapsed_s)
        self.finished.set()
        self.changed()
        return True

    def end(self, ending: Ending, error: OpskitError | None = None) -> threading.Thread | None:
        """End it from outside: the connection at once, and the run, where it can be, in the thread that is returned."""
        if not self.conclude(ending, error):
            return None
        self.go.set()
        stops = self.began and self.stops and self.target.stoppable and not self.run.ended
        if stops and not self.run.task_id:
            self._deadline.postpone(time.monotonic() + _LINGER_S)  # its first event tells by what it can be stopped
            return None
        self._deadline.cancel()
        if not stops:
            return None
        stopping = threading.Thread(target=self._stop, name="opskit-stop", daemon=True)
        stopping.start()
        return stopping

    def alone(self) -> Outcome:
        """Ask at once, and wait for the outcome until its time is up."""
        self.go.set()
        self.start()
        self.finished.wait(max(self.patience.ends - time.monotonic(), 0))
        self.end("timeout", self.too_slow())
        return self.concluded()

    def concluded(self) -> Outcome:
        """The outcome, which stands. An error that is a mistake of ours is raised."""
        if self.fault:
            raise self.fault
        if self.outcome is None:
            raise AssertionError("asked before it was concluded")  # pragma: no cover - a mistake in this package
        return self.outcome

    def too_slow(self) -> OpskitError:
        """Why there is no answer when its time is up."""
        if not self.prepared:
            return Unavailable("app_silent")
        return Unavailable("run_too_slow" if self.target.stoppable else "run_abandoned")

    def _stop(self) -> None:
        with suppress(OpskitError):
            self.target.stop(self.run, time.monotonic() + _STOP_S)

    def _work(self) -> None:
        try:
            with closing(self.target), self._deadline:
                self._prepare_and_run()
        except OpskitError as error:
            if error.key in _CUT_OFF and time.monotonic() >= self.ends:
                self.end("timeout", self.too_slow())
            else:
                self.conclude("failed", error)
        except Exception as error:  # noqa: BLE001 - a bug must reach whoever waits, not end with this thread
            self.fault = error
            self.conclude("failed")
        finally:
            self._is_prepared()

    def _is_prepared(self) -> None:
        if not self.prepared:
            self.prepared = True
            self.changed()

    def _prepare_and_run(self) -> None:
        with self.slot:
            if self.outcome:
                return
            self._first_request = time.monotonic()
            patient_s = min(_PREPARED_S, self.patience.timeout_s)
            self._deadline.postpone(min(self._first_request + patient_s, self.patience.ends))
            self._tried(lambda: self.target.prepare(self.question, self._deadline))
        self._is_prepared()
        self.go.wait()
        with self.slot:
            if self._begin():
                self._tried(self._answer)

    def _begin(self) -> bool:
        """Whether the app may be called now. From here on it counts as called."""
        with self._lock:
            if self.outcome or not self.allowed():
                return False
            self._began = time.monotonic()
        self.changed()
        return True

    def _tried(self, step: Callable[[], None]) -> None:
        """Take a step, again where that is allowed. Any OpskitError: the last one of it."""
        tried = 0
        while not self.outcome:
            try:
                step()
            except OpskitError as error:
                pause_s = _pause(error, tried)
                if tried == self.patience.retries or not self._may_ask_again(error, pause_s):
                    raise
                tried += 1
                self.finished.wait(pause_s)
                self.run = Run()
            else:
                return

    def _answer(self) -> None:
        """Ask, follow the stream to its end, and write the outcome. Any OpskitError: there is no answer."""
        broken = self._followed()
        if not self.run.ended and not self.outcome:
            self._settle(broken)
        if self.run.status == "stopped":
            self.conclude("stopped", Refused("run_stopped"))
        elif self.run.status == "paused":
            raise Refused("run_paused")
        elif self.run.error:
            raise self.run.error
        else:
            self.conclude("answered")

    def _followed(self) -> Unavailable | None:
        """Read the stream until nothing more is to come, and return what broke it off before that."""
        self._deadline.postpone(self.ends)
        try:
            with self.target.events(self._deadline) as events:
                for event in events:
                    text = self.run.take(event)
                    if self.caller and self.run.app_id == self.caller:
                        raise self._calls_itself()
                    if self.outcome:
                        self._stop_late()
                        break
                    if text:
                        self.told(text)
                    if self.run.complete:
                        break
        except Unavailable as error:
            if error.key != "no_answer":
                raise
            return error
        return None

    def _stop_late(self) -> None:
        """Stop a run that was ended from outside before Dify had named it."""
        if self.stops and self.target.stoppable and self.run.task_id and not self.run.ended:
            self._stop()

    def _calls_itself(self) -> Refused:
        self._stop()
        return Refused("calls_itself", name=self.target.name)

    def _settle(self, broken: Unavailable | None) -> None:
        """Ask the server what became of a run whose stream ended without an end, until it is known.

        Unavailable: it cannot be asked, or does not tell in time.
        """
        while not self.outcome and self.target.knows(self.run) and time.monotonic() < self.ends:
            try:
                known = self.target.status(self.run, self.ends)
            except Unavailable:
                known = Run()
            except OpskitError:
                break
            if known.ended:
                self._end_as(known)
                return
            self.finished.wait(max(min(_POLL_S, self.ends - time.monotonic()), 0))
        problem = broken.blanks["problem"] if broken else "end of stream"
        raise Unavailable("stream_cut" if self.run.begun else "stream_silent", problem=problem)

    def _end_as(self, known: Run) -> None:
        """Take over an end, and tell what the stream did not tell any more of the answer."""
        told = self.run.answer
        self.run.end_as(known)
        rest = self.run.answer.removeprefix(told)
        if rest and self.run.answer == told + rest and not self.outcome:
            self.told(rest)

    def _may_ask_again(self, error: OpskitError, pause_s: float) -> bool:
        """Whether there is time for a further request, and it cannot make a second run, or is allowed to."""
        if time.monotonic() + pause_s >= self._deadline.ends:
            return False
        if isinstance(error, RateLimited):
            return not self.run.begun
        safe = self.patience.idempotent or not self.began or error.key == "not_reached"
        return safe and isinstance(error, Unavailable)


def _pause(error: OpskitError, tried: int) -> float:
    """Seconds before the next try: what the server asks for, or a random part of a doubling span ("full jitter")."""
    if isinstance(error, RateLimited) and error.seconds is not None:
        return error.seconds
    return random.uniform(0, min(_BACKOFF_S * 2**tried, _LONGEST_BACKOFF_S))  # noqa: S311 - spreads load
