"""HTTP/1.1 over asyncio, as little of it as the stand-in needs: requests in, answers and chunked streams out."""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

MAX_HEAD = 65_536  # bytes
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, no time: closing sends RST

type Head = tuple[str, str, dict[str, str]]  # method, target, headers with names in lower case


class Closed(Exception):
    """The client is gone."""


class Connection(asyncio.Protocol):
    """One connection. ``serve`` is run for it once; ``on_gone`` is called when the client leaves."""

    def __init__(self, serve: "Callable[[Connection], Coroutine[Any, Any, None]]") -> None:
        self._serve = serve
        self._inbox = bytearray()
        self._news: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self.gone = False
        self.on_gone: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
        self._task = asyncio.get_running_loop().create_task(self._serve(self))

    def data_received(self, data: bytes) -> None:
        """Keep what came for whoever reads."""
        self._inbox += data
        _resolve(self._news)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - why it went is no matter
        """Wake whoever reads or writes; they see that nobody is there."""
        self.gone = True
        _resolve(self._news)
        _resolve(self._room)
        if self.on_gone:
            self.on_gone()

    def pause_writing(self) -> None:
        """The client does not keep up."""
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The client has caught up."""
        _resolve(self._room)
        self._room = None

    async def read_request(self) -> tuple[Head, bytes] | None:
        """The next request, or None if the client has closed."""
        while (end := self._inbox.find(b"\r\n\r\n")) < 0:
            if len(self._inbox) > MAX_HEAD or not await self._more():
                return None
        lines = bytes(self._inbox[:end]).decode("latin-1").split("\r\n")
        del self._inbox[: end + 4]
        try:
            method, target, _ = lines[0].split(" ")
        except ValueError:
            return None
        pairs = (line.partition(":") for line in lines[1:])
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        if headers.get("expect", "").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            body = await self._read_body(headers)
        except (Closed, ValueError):
            return None
        return (method, target, headers), body

    async def _read_body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await self._take(int(headers.get("content-length", "0")))
        parts: list[bytes] = []
        while size := int((await self._line()).partition(b";")[0], 16):
            parts.append(await self._take(size))
            await self._line()
        while await self._line():
            pass  # trailers
        return b"".join(parts)

    async def _line(self) -> bytes:
        while (end := self._inbox.find(b"\r\n")) < 0:
            if not await self._more():
                raise Closed
        line = bytes(self._inbox[:end])
        del self._inbox[: end + 2]
        return line

    async def _take(self, size: int) -> bytes:
        while len(self._inbox) < size:
            if not await self._more():
                raise Closed
        taken = bytes(self._inbox[:size])
        del self._inbox[:size]
        return taken

    async def _more(self) -> bool:
        if self.gone:
            return False
        self._news = asyncio.get_running_loop().create_future()
        await self._news
        return not self.gone

    def write(self, data: bytes) -> None:
        """Send; what is sent to nobody is lost."""
        if self._transport and not self.gone:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the client keeps up."""
        if self._room and not self.gone:
            await self._room

    def answer(self, status: int, body: bytes, kind: str, headers: Iterable[str] = ()) -> None:
        """A whole answer."""
        self.write(head(status, f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers) + body)

    def close(self) -> None:
        """Close with FIN, after what was written."""
        if self._transport:
            self._transport.close()

    def reset(self) -> None:
        """Close with RST."""
        if self._transport:
            with suppress(OSError):
                raw: socket.socket = self._transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()

    async def left(self) -> None:
        """Wait until the client leaves."""
        while await self._more():
            pass

    def abort(self) -> asyncio.Task[None] | None:
        """End it at once; the task that served it is to be awaited."""
        if self._transport:
            self._transport.abort()
        if self._task:
            self._task.cancel()
        return self._task


def head(status: int, *lines: str) -> bytes:
    """A status line and headers."""
    return "\r\n".join([f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *lines, "", ""]).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """A chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _resolve(future: asyncio.Future[None] | None) -> None:
    if future and not future.done():
        future.set_result(None)
