"""A moment at which whatever a request waits for ends: the resolver, a connection, TLS, headers, the body.

Timeouts of sockets do not add up to that: they begin again with every byte, and under gevent even within a TLS
handshake. So a watchdog shuts the socket down at that moment, whoever reads, writes or negotiates on it. The
resolver cannot be stopped; it works in a thread that is left behind. Both work with threads as with greenlets.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Self

_LONGEST_S = 86_400.0

type SocketAddress = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What TLS found: the certificate of ``host`` is good until ``ends`` (seconds since 1970), or has a ``fault``.

    A fault is "expired", "not_yet_valid", "other_name" (it is another host's) or "untrusted".
    """

    host: str
    fault: str = ""
    ends: float | None = None


class Deadline:
    """The moment ``ends`` of time.monotonic(), a day ahead at most. Close it, or use it in ``with``."""

    def __init__(self, ends: float, *, watched: bool = True) -> None:
        self.watched = watched
        self.ends = min(ends, time.monotonic() + _LONGEST_S)
        self.connected = False  # whether the request that it applies to has a connection: without one, nothing was sent
        self.certificate: Certificate | None = None  # of the last connection that was opened
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._watchdog: threading.Thread | None = None

    @property
    def over(self) -> bool:
        """Whether the moment has come."""
        return time.monotonic() >= self.ends

    def left(self) -> float:
        """Seconds that are left, more than none: TimeoutError otherwise."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def guard(self, connection: socket.socket) -> None:
        """Shut ``connection``, and no longer the one before it, down at the deadline. TimeoutError if it is over.

        The watchdog holds a duplicate of the file descriptor: TLS replaces the socket, and numbers are used again.
        """
        handle = socket.socket(fileno=os.dup(connection.fileno()))
        self.connected = True
        with self._lock:
            self._release()
            self._handle = handle
            self.left()
            if self.watched and self._watchdog is None:
                watchdog = threading.Thread(target=self._watch, name="opskit-deadline", daemon=True)
                watchdog.start()
                self._watchdog = watchdog

    def postpone(self, ends: float) -> None:
        """Let the moment come later; one that was cancelled stays over."""
        if not self._closed.is_set():
            self.ends = max(self.ends, ends)

    def cancel(self) -> None:
        """Let the moment come now, from whichever thread: what reads or writes on the socket ends with an error."""
        self._closed.set()
        self.ends = time.monotonic()
        with self._lock:
            self._shut_down()

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Make this the deadline of the connections that are opened or used inside, for one request."""
        self.connected = False
        token = CURRENT.set(self)
        try:
            yield
        finally:
            CURRENT.reset(token)

    def close(self) -> None:
        """Leave the socket alone."""
        with self._lock:
            self._release()
            watchdog = self._watchdog
        self._closed.set()
        if watchdog is not None:
            watchdog.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _release(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def _watch(self) -> None:
        while True:
            self._closed.wait(max(self.ends - time.monotonic(), 0))
            with self._lock:
                if self._closed.is_set() or self.over:
                    self._shut_down()
                    self._watchdog = None  # if it is postponed after all, the next connection gets another one
                    return

    def _shut_down(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)


CURRENT: ContextVar[Deadline] = ContextVar("CURRENT")


def looked_up(host: str, port: int, within_s: float) -> list[SocketAddress]:
    """What the resolver knows about ``host``, ready to connect to. TimeoutError after ``within_s`` seconds; OSError."""
    found: Future[list[SocketAddress]] = Future()

    def look_up() -> None:
        try:
            found.set_result([entry[4] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            found.set_exception(error)

    threading.Thread(target=look_up, name="opskit-resolver", daemon=True).start()
    return found.result(within_s)
