"""An SSE stream to one client, and the play of a run on it.

Source: Dify 1.13.3, core/app/apps/base_app_generator.py convert_to_event_stream. Nothing escapes U+2028 or U+0085
there, so it does not here.
"""

import asyncio
from dataclasses import dataclass

from devtools.dify_server.events import MODERATED, Event, Script
from devtools.dify_server.ledger import Ledger, Run
from devtools.dify_server.refusals import encoded
from devtools.dify_server.wire import Connection, chunk, head

PING = b"event: ping\n\n"
_HEADERS = ("Content-Type: text/event-stream; charset=utf-8", "Cache-Control: no-cache", "X-Accel-Buffering: no")


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds: between pings, of a silence before it is ended, between the bytes of slow headers."""

    ping_s: float = 10.0
    silence_s: float = 301.0
    drip_s: float = 0.1


class Stream:
    """Lines to a client. ``closed`` is set at its end; then ``reusable`` tells whether the connection goes on."""

    def __init__(self, connection: Connection, fault: str = "") -> None:
        self._connection = connection
        self._fault = fault
        self._chunked = fault != "close_delimited"
        self.closed = asyncio.Event()
        self.reusable = False

    async def open(self, pace: Pace) -> None:
        """Send the headers."""
        start = head(200, *_HEADERS, "Transfer-Encoding: chunked" if self._chunked else "Connection: close")
        if self._fault == "slow_headers":
            await drip(self._connection, start, pace)
        else:
            self._connection.write(start)

    def say(self, *events: Event) -> None:
        """Events, sent together."""
        self.raw(*(b"data: " + encoded(event) + b"\n\n" for event in events))

    def raw(self, *frames: bytes) -> None:
        """Lines that end with an empty one, written in the way of the fault."""
        if self.closed.is_set():
            return
        if self._fault == "crlf":
            frames = tuple(frame.replace(b"\n", b"\r\n") for frame in frames)
        elif self._fault == "odd_sse":
            frames = tuple(b": here\nid: 7\nretry: 3000\n" + frame.replace(b"data: ", b"data:", 1) for frame in frames)
        elif self._fault == "split_utf8":
            frames = tuple(part for frame in frames for part in _split_characters(frame))
        self._connection.write(b"".join(map(chunk, frames) if self._chunked else frames))

    def end(self) -> None:
        """End it in order."""
        if not self.closed.is_set():
            self._connection.write(b"0\r\n\r\n" if self._chunked else b"")
            self._done(reusable=self._chunked)

    def cut(self, fault: str) -> None:
        """End it in the wrong way: in order but too early, or with FIN or RST in its midst."""
        if fault in {"cut", "cut_running", "cut_at_end"}:
            self.end()
        elif not self.closed.is_set():
            self._done(reusable=False)
            if fault == "reset":
                self._connection.reset()
            else:
                self._connection.close()

    def _done(self, *, reusable: bool) -> None:
        self._connection.on_gone = None
        self.reusable = reusable and not self._connection.gone
        self.closed.set()


class Play:
    """Lets a run happen: waits, sends what is to be sent, keeps the books, and goes on when the client is gone."""

    def __init__(self, run: Run, ledger: Ledger, pace: Pace, stream: Stream | None) -> None:
        self.run = run
        self.script = Script(run.app, run)
        self._ledger = ledger
        self._ping_s = pace.ping_s if run.fault != "no_pings" else float("inf")
        self._stream = stream
        self._next_ping = float("inf")

    async def play(self) -> str:
        """Play it to its end, and say how it ended."""
        app, fault = self.run.app, self.run.fault
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._next_ping = began + self._ping_s
        if app.on_graph and fault != "no_pings":
            self._raw(PING)
        self._say(*self.script.opening())
        if fault == "extra_events":
            self._say(*self.script.extras())
        status = self.script.status
        if status != "paused":
            status = await self._pieces(began, status)
        self._finish(status)
        return status

    async def _pieces(self, began: float, status: str) -> str:
        """The pieces in their time. Half of them are said before what goes wrong in the midst does."""
        pieces = self.script.pieces()
        seconds = self.run.app.seconds
        half = len(pieces) // 2
        if half == 0:
            await self._wait(began + seconds / 2)
            status = self._midst(status)
        for number, event in enumerate(pieces, 1):
            if self.run.stopped or self.run.ended is not None or (status == "stopped" and number > half):
                break
            await self._wait(began + seconds * number / len(pieces))
            if not self.run.stopped:
                self._say(event)
                if number == half:
                    status = self._midst(status)
        if self.run.ended is None and status != "stopped":
            await self._wait(began + seconds)
        return "stopped" if self.run.stopped else status

    def _midst(self, status: str) -> str:
        match self.run.fault:
            case "cut" | "cut_running" | "cut_fin" | "reset" as fault if self._stream:
                self._stream.cut(fault)
            case "garbage_event":
                self._raw(b'data: {"event": "message", "answer": \n\n')
            case "error_event":
                self._close_books("failed")
                return "failed"
        return status

    def _finish(self, status: str) -> None:
        fault = self.run.fault
        if fault == "cut_running" and status == "succeeded":
            if self._stream:
                self._stream.cut(fault)
            return
        self._close_books(status)
        if not self._stream:
            return
        if fault == "replaced":
            self._say(self.script.replacement())
        events = [self.script.error_event()] if fault == "error_event" else self.script.ending(status)
        self._say(*(events[:-1] if fault == "cut_at_end" else events))
        self._stream.end()

    def _close_books(self, status: str) -> None:
        error = {"failed": self.script.error, "stopped": "Stopped by user."}.get(status)
        good = status in {"succeeded", "partial-succeeded"}
        self._ledger.end(self.run, status, error, self.script.outputs if good else {})
        if self.run.fault == "replaced":
            self.script.answer = MODERATED

    async def _wait(self, until: float) -> None:
        """Wait, with pings, until then or until the run is stopped."""
        loop = asyncio.get_running_loop()
        while not self.run.stopped and loop.time() < until:
            waiter = loop.create_future()
            alarm = loop.call_at(min(until, self._next_ping), _ring, waiter)
            self.run.wake = lambda waiter=waiter: _ring(waiter)
            try:
                await waiter
            finally:
                alarm.cancel()
            if loop.time() >= self._next_ping:
                self._next_ping += self._ping_s
                self._raw(PING)

    def _say(self, *events: Event) -> None:
        if self._stream and events:
            self._stream.say(*events)

    def _raw(self, lines: bytes) -> None:
        if self._stream:
            self._stream.raw(lines)


async def drip(connection: Connection, data: bytes, pace: Pace) -> None:
    """Send byte by byte while the client listens."""
    for place in range(len(data)):
        if connection.gone:
            return
        connection.write(data[place : place + 1])
        await asyncio.sleep(pace.drip_s)


def _split_characters(lines: bytes) -> list[bytes]:
    """The lines cut after the first byte of every character that has several."""
    cuts = [place + 1 for place, byte in enumerate(lines) if byte >= 0xC0]  # noqa: PLR2004 - a leading byte of UTF-8
    return [lines[left:right] for left, right in zip([0, *cuts], [*cuts, len(lines)], strict=True)]


def _ring(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
