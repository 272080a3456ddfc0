"""What happened at the server, to be read from any thread."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from devtools.dify_server.apps import App
from devtools.dify_server.flows import Flow


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A request as it came: names of ``headers`` in lower case, ``body`` parsed if it is JSON, else the bytes.

    ``key`` is what stood after Bearer, ``time`` seconds since the epoch, ``path`` without the query.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    raw: bytes
    key: str
    time: float


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """A file that was uploaded; only ``app`` and ``user`` may use it. ``kind`` is the type that Dify detects.

    A tool file, which a plugin uploads, is of no app.
    """

    id: str
    app: App | None
    user: str
    name: str
    mime_type: str
    content: bytes
    kind: str


@dataclass(slots=True, eq=False)
class Run:
    """One run. ``began`` and ``ended`` are of the monotonic clock; ``ended`` is None while it goes on.

    ``disconnected`` tells that the client left before the end, ``stopped`` that the stop endpoint ended it.
    ``status`` is what the run's status endpoint says: a stopped run stays "running" there, as in Dify.
    """

    app: App
    user: str
    inputs: dict[str, Any]
    query: str
    files: list[Any]
    mode: str  # blocking or streaming
    conversation_id: str = ""
    fault: str = ""
    authorization: str = ""
    flow: Flow | None = None  # the version that runs, of an app with versions
    task_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    message_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    end_user: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: float = field(default_factory=time.monotonic)
    created_at: int = field(default_factory=lambda: int(time.time()))
    ended: float | None = None
    finished_at: int | None = None
    status: str = "running"
    error: str | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    disconnected: bool = False
    stopped: bool = False
    wake: Callable[[], None] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds from its beginning until its end, or until now."""
        return (time.monotonic() if self.ended is None else self.ended) - self.began


class Ledger:
    """The records of a server, and how many runs there were at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._runs: list[Run] = []
        self._stopped: list[tuple[str, str]] = []
        self._uploads: list[Upload] = []
        self._active: set[Run] = set()
        self._most = 0

    @property
    def requests(self) -> list[Request]:
        """Every request, in its order."""
        with self._lock:
            return list(self._requests)

    @property
    def runs(self) -> list[Run]:
        """Every run, in its order."""
        with self._lock:
            return list(self._runs)

    @property
    def stopped(self) -> list[tuple[str, str]]:
        """The name of the app and the task id of every stop that was taken, whether it ended a run or not."""
        with self._lock:
            return list(self._stopped)

    @property
    def uploads(self) -> list[Upload]:
        """Every uploaded file."""
        with self._lock:
            return list(self._uploads)

    @property
    def most_at_once(self) -> int:
        """The highest number of runs at a time."""
        with self._lock:
            return self._most

    def active(self, app: App | None = None) -> list[Run]:
        """The runs that go on, of one app or of all."""
        with self._lock:
            return [run for run in self._active if app is None or run.app is app]

    def note(self, record: Request | Upload | tuple[str, str]) -> None:
        """Keep a request, an upload or a stop."""
        with self._lock:
            match record:
                case Request():
                    self._requests.append(record)
                case Upload():
                    self._uploads.append(record)
                case _:
                    self._stopped.append(record)

    def begin(self, run: Run) -> Run:
        """A run has begun."""
        with self._lock:
            self._runs.append(run)
            self._active.add(run)
            self._most = max(self._most, len(self._active))
        return run

    def end(self, run: Run, status: str, error: str | None, outputs: dict[str, Any]) -> None:
        """A run has ended; a stopped one is not told to the status endpoint."""
        with self._lock:
            self._active.discard(run)
            if run.ended is None:
                run.ended = time.monotonic()
                run.error, run.outputs = error, outputs
                run.finished_at = None if status == "paused" else int(time.time())
                run.status = "running" if status == "stopped" else status
