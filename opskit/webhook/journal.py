"""What an endpoint has received: which events are known, and the last ones of each task.

Two kinds of value in Dify's storage, per endpoint: an index (known events, tasks in the order of their last event,
counts) and one value per task. The index is written first: a crash in between leaves a task without a value, which
reads as one without events, and never a value that no index knows.
"""

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from opskit.errors import Conflict, Unavailable
from opskit.model import Item
from opskit.ports import Storage

MAX_MARKS = 4096  # two for each event: one in its id, one in its body
MAX_TASKS = 200
MAX_EVENTS = 20  # of one task
MAX_CHARS = 4000  # of an event's body: a full journal then takes some 20 MB of the plugin's 100
_LOCKS = tuple(threading.Lock() for _ in range(64))
# One process serves all calls of all workspaces. Only what is being worked on right now stands here.
_UNDER_WAY: set[tuple[str, str]] = set()


class Entry(Item):
    """An event as it is kept; ``body`` is the beginning of its JSON, ``received_at`` in ISO 8601, UTC."""

    received_at: str
    event_id: str
    type: str
    task_id: str
    run_id: str
    status: str
    body: str
    shortened: bool


class _Index(Item):
    marks: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    received: int = 0
    last_received_at: str = ""


def digest(*parts: bytes) -> str:
    """A short name for something of any length: 22 letters of its SHA-256, 128 bits."""
    joined = hashlib.sha256(b"\0".join(parts)).digest()
    return base64.urlsafe_b64encode(joined)[:22].decode()


class Journal:
    """The journal of one endpoint. Unavailable from every method: Dify's storage does not answer."""

    def __init__(self, storage: Storage, endpoint: str) -> None:
        self._storage = storage
        self._name = digest(endpoint.encode())
        self._lock = _LOCKS[hash(self._name) % len(_LOCKS)]

    @contextlib.contextmanager
    def claimed(self, mark: str) -> Iterator[None]:
        """Work on an event by oneself. Conflict: it is known. Unavailable: another call is at it, and may yet fail."""
        key = self._name, mark
        with self._lock:
            if key in _UNDER_WAY:
                raise Unavailable("webhook_under_way")
            if mark in self._index().marks:
                raise Conflict("webhook_replayed")
            _UNDER_WAY.add(key)
        try:
            yield
        finally:
            _UNDER_WAY.discard(key)

    def check(self) -> None:
        """Make sure that something can be kept, before doing what cannot be taken back."""
        with self._lock:
            self._write("index", self._index().model_dump_json().encode())

    def keep(self, entry: Entry, marks: list[str]) -> None:
        """Remember the event by its marks, and put it into the log of its task."""
        task = digest(entry.task_id.encode())
        with self._lock:
            index = self._index()
            earlier = self._events(task) if task in index.tasks else []
            tasks = (*(one for one in index.tasks if one != task), task)
            for gone in tasks[:-MAX_TASKS]:
                self._storage.delete(self._key(gone))
            index = _Index(
                marks=(*index.marks, *marks)[-MAX_MARKS:],
                tasks=tasks[-MAX_TASKS:],
                received=index.received + 1,
                last_received_at=entry.received_at,
            )
            self._write("index", index.model_dump_json().encode())
            events = [*earlier, entry.model_dump()]
            self._write(task, json.dumps(events[-MAX_EVENTS:], ensure_ascii=False).encode())

    def counts(self) -> dict[str, Any]:
        """How many events were received, and when the last one was: ISO 8601, or None."""
        index = self._index()
        return {"received": index.received, "last_received_at": index.last_received_at or None}

    def events(self, task_id: str) -> list[dict[str, Any]]:
        """The last events of a task, the newest last."""
        return self._events(digest(task_id.encode()))

    def _events(self, task: str) -> list[dict[str, Any]]:
        kept = self._storage.get(self._key(task)) or b"[]"
        with contextlib.suppress(ValueError):
            found: list[dict[str, Any]] = json.loads(kept)
            return found
        return []

    def _index(self) -> _Index:
        # A value that was half written when the machine went down would otherwise shut the endpoint for ever.
        with contextlib.suppress(ValidationError):
            return _Index.model_validate_json(self._storage.get(self._key("index")) or b"{}")
        return _Index()

    def _write(self, name: str, value: bytes) -> None:
        self._storage.set(self._key(name), value)

    def _key(self, name: str) -> str:
        return f"webhook/{self._name}/{name}"


def moment(now: float) -> str:
    """A time in seconds since 1970 in ISO 8601, UTC, to the second."""
    return datetime.fromtimestamp(int(now), UTC).isoformat()
