"""What goes wrong on purpose, as far as it stands in the place of an answer or spoils a whole one."""

import asyncio
from typing import Any

from devtools.dify_server.apps import App
from devtools.dify_server.ledger import Request
from devtools.dify_server.refusals import Refusal, encoded, planned
from devtools.dify_server.stream import PING, Pace, Stream, drip
from devtools.dify_server.wire import Connection, chunk, head

HTML = "text/html; charset=utf-8"
JSON = "application/json"
_BLOCK = b"data: " + b"x" * 65_530
_LOGIN = b"<!doctype html>\n<title>Sign in</title>\n<form action=/signin><input type=password></form>\n"
_PAGE = "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>\r\n"
PAGES = {"html_404": (404, "404 Not Found"), "502": (502, "502 Bad Gateway"), "504": (504, "504 Gateway Time-out")}


class Trouble:
    """Answers one request in the way of a fault. Each method says whether the connection can take another."""

    def __init__(self, connection: Connection, pace: Pace, request: Request, signin: str) -> None:
        self.connection = connection
        self._pace = pace
        self._request = request
        self._signin = signin

    async def instead(self, app: App, fault: str, *, streams: bool) -> bool | None:
        """Answer, if the fault takes the place of an answer; None if it does not."""
        if whole := self._whole(app, fault):
            self.connection.answer(*whole)
            return True
        match fault:
            case "silent" if streams:
                return await self.silence()
            case "hang" | "silent":
                await self.connection.left()
            case "reset_before":
                self.connection.reset()
            case "endless":
                await self._endless(streams=streams)
            case _:
                return None
        return False

    def _whole(self, app: App, fault: str) -> tuple[int, bytes, str, tuple[str, ...]] | None:
        """The whole answer that stands in the place of the good one: status, body, type, headers."""
        if refusal := planned(fault, app.name, self._request.headers.get("authorization", "")):
            return refusal.status, encoded(refusal.body), JSON, ()
        if fault in PAGES:
            status, title = PAGES[fault]
            return status, _PAGE.format(title).encode(), HTML, ()
        answers: dict[str, tuple[int, bytes, str, tuple[str, ...]]] = {
            "html_200": (200, _LOGIN, HTML, ()),
            "json_200_error": (200, encoded(Refusal(400, "invalid_param", app.error).body), JSON, ()),
            "redirect": (302, b"", HTML, (f"Location: {app.location or self._signin}",)),
        }
        return answers.get(fault)

    async def silence(self) -> bool:
        """One ping and then nothing, until the server ends the stream in good order after its time."""
        stream = Stream(self.connection)
        await stream.open(self._pace)
        stream.raw(PING)
        try:
            async with asyncio.timeout(self._pace.silence_s):
                await self.connection.left()
        except TimeoutError:
            stream.end()
        return stream.reusable

    async def _endless(self, *, streams: bool) -> None:
        kind = "text/event-stream; charset=utf-8" if streams else JSON
        self.connection.write(head(200, f"Content-Type: {kind}", "Transfer-Encoding: chunked"))
        while not self.connection.gone:
            self.connection.write(chunk(_BLOCK))
            await self.connection.drain()
            await asyncio.sleep(0.001)

    async def reply(self, fault: str, status: int, body: dict[str, Any]) -> None:
        """A whole answer, if need be slowly."""
        raw = encoded(body)
        start = head(status, f"Content-Type: {JSON}", f"Content-Length: {len(raw)}")
        if fault == "slow_headers":
            await drip(self.connection, start, self._pace)
            self.connection.write(raw)
        else:
            self.connection.write(start + raw)

    async def block(self, fault: str, body: dict[str, Any]) -> bool:
        """The blocking answer of a run, cut in half if that is the fault."""
        if fault not in {"cut", "cut_at_end", "cut_fin", "cut_running", "reset"}:
            await self.reply(fault, 200, body)
            return not self.connection.gone
        raw = encoded(body)
        self.connection.write(head(200, f"Content-Type: {JSON}", f"Content-Length: {len(raw)}") + raw[: len(raw) // 2])
        if fault == "reset":
            self.connection.reset()
        else:
            self.connection.close()
        return False
