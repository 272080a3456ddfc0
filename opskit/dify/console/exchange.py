"""Requests to the console and its answers: who asks, how long, how often."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests

from opskit import http
from opskit.dify.console.entry import Entry, Reply
from opskit.dify.console.failure import refusal
from opskit.dify.failure import read
from opskit.dify.service import Server
from opskit.errors import OpskitError, Unavailable

CALL_S = 30.0  # for one answer; what takes longer is asked again, or is not known to have been done
MAX_BYTES = 64 * 1024 * 1024
# No usable answer: what is only read is read once more.
_ONCE_MORE = frozenset({"not_reached", "no_answer", "dify_down", "not_dify"})
# The same of a write that has been sent: whether it was done is not known.
_UNSURE = frozenset({"no_answer", "dify_down", "not_dify", "dify_endless"})


class _Headers(requests.auth.AuthBase):
    """The headers of whoever asks, as requests wants them: else a .netrc file would have its say."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


class Exchange:
    """A console's server and what opens it. Any thread; close it when the last one is done."""

    def __init__(self, server: Server, entry: Entry) -> None:
        self.version = ""  # as the last answer told it
        self.host = server.address.host
        self._server = server
        self._entry = entry
        self._client = http.session(server.reach)
        self._client.headers.update(server.headers)
        self._client.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # the entry keeps them

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def ask(self, route: str, ends: float, **query: object) -> dict[str, Any]:
        """The JSON object of a GET; asked again, once, where there was no usable answer and time is left."""
        send = partial(self._sent, "GET", route, ends, params=query)
        with self._discreet():
            try:
                return self._usable(self._opened(send, ends))
            except Unavailable as error:
                if error.key not in _ONCE_MORE or time.monotonic() >= ends:
                    raise
            return self._usable(self._opened(send, ends))

    def write(self, method: str, route: str, ends: float, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send it once and give the JSON object of the answer, an empty one where there is no body.

        Unavailable ``console_unsure``: it was sent and may have been done; any other: it was not done.
        """
        options = {} if body is None else {"json": body}

        def send(headers: Mapping[str, str]) -> Reply:
            with _unsure():
                return self._sent(method, route, ends, headers, **options)

        with self._discreet():
            reply = self._opened(send, ends)
            with _unsure():
                return {} if reply.status == HTTPStatus.NO_CONTENT else self._usable(reply)

    def _opened(self, send: Callable[[Mapping[str, str]], Reply], ends: float) -> Reply:
        """An answer to somebody who is let in: a session that has run out is renewed, once."""
        post = partial(self._post, ends)
        used = self._entry.headers(post)
        reply = send(used)
        if reply.status == HTTPStatus.UNAUTHORIZED and (renewed := self._entry.renewed(used, post)):
            reply = send(renewed)
        return reply

    def _post(self, ends: float, route: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        return self._sent("POST", route, ends, headers, json=body)

    def _usable(self, reply: Reply) -> dict[str, Any]:
        """The JSON object of a good answer. Otherwise what it means."""
        if reply.status == HTTPStatus.UNAUTHORIZED:
            raise self._entry.refused(*reply.said)
        if reply.status >= HTTPStatus.MULTIPLE_CHOICES or not isinstance(reply.told, dict):
            raise refusal(reply.status, reply.told, reply.headers)
        return reply.told

    def _sent(self, method: str, route: str, ends: float, headers: Mapping[str, str], **options: Any) -> Reply:
        url = f"{self._server.address.text}/{route}"
        until = min(ends, time.monotonic() + CALL_S)
        with self._client.open(method, url, ends=until, auth=_Headers(headers), **options) as answer:
            body = bytearray()
            for chunk in answer.chunks():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise Unavailable("dify_endless", limit_mb=MAX_BYTES // 2**20)
            version = answer.headers.get("X-Version", "")
            self.version = version or self.version
            told = {} if body.strip() == b"null" else read(bytes(body))  # null: there is no such thing, yet
            return Reply(answer.status, told, answer.headers, answer.cookies, version)

    @contextlib.contextmanager
    def _discreet(self) -> Iterator[None]:
        """Let no error quote what opens the console: a server, or a proxy, may repeat what it was sent."""
        try:
            yield
        except OpskitError as error:
            error.without(self._entry.secrets)
            raise


@contextlib.contextmanager
def _unsure() -> Iterator[None]:
    """Of a write without a usable answer it is not known whether it was done."""
    try:
        yield
    except Unavailable as error:
        if error.key not in _UNSURE:
            raise
        raise Unavailable("console_unsure", problem=error.blanks.get("problem") or error.blanks.get("code")) from None
