"""The session: one exchange within a deadline, and its answer."""

import contextlib
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import urljoin

import requests
from requests.utils import requote_uri
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from opskit.errors import InvalidInput, Unavailable
from opskit.http.connection import Adapter
from opskit.http.deadline import Deadline
from opskit.http.reach import Reach
from opskit.http.url import Url, checked_url

_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
# After a redirect: what the same origin is not told again, and all that another one is told.
_OF_ONE_REQUEST = frozenset({"Content-Length", "Content-Type", "Transfer-Encoding", "Cookie"})
_HARMLESS = frozenset({"Accept", "Accept-Encoding", "User-Agent"})

# What comes out of requests, urllib3 and http.client when no usable answer does; ValueError for what no header can
# hold, RuntimeError when there is no thread to be had.
_FAILURES = (requests.RequestException, HTTPError, OSError, HTTPException, ValueError, RuntimeError)

# What a socket's own timeout becomes on its way through urllib3 and requests.
_SILENCES = (TimeoutError, ReadTimeoutError, requests.ReadTimeout)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its headers (in any case) and the beginning of its body, unpacked."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Session(requests.Session):
    """A requests session with the guard mounted, for ``exchange`` and ``open``: nothing else of it sends a request."""

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self.trust_env = reach is Reach.INTERNAL
        self.max_redirects = 5
        self._environments: dict[str, dict[str, Any]] = {}
        self.headers["Accept-Encoding"] = "gzip"
        self.adapters.clear()  # anything but http and https has no adapter, and is refused
        for scheme in ("https://", "http://"):
            self.mount(scheme, Adapter(reach))

    def exchange(self, method: str, url: str, *, ends: float | Deadline, max_bytes: int, **options: Any) -> Reply:
        """Send a request and read its answer until ``ends``, a moment of time.monotonic().

        A ``Deadline`` of the caller's can be cancelled from another thread, serve one request after the other, and is
        closed by the caller.

        Of the body, ``max_bytes`` bytes are kept and the rest is not read. ``options`` are those of requests;
        ``allow_redirects=True`` follows the redirects of GET and HEAD, and keeps what was meant for the first
        origin (headers, authorization, cookies) from any other.

        InvalidInput: ``url`` is no address. Refused: the address may not be reached. Unavailable: no usable answer
        (``no_answer``), or no connection, and so nothing sent (``not_reached``); its ``problem`` is "timeout",
        "bad redirect" or the name of an exception.
        """
        with self.open(method, url, ends=ends, **options) as answer:
            body = bytearray()
            for chunk in answer.chunks():
                body += chunk
                if len(body) >= max_bytes:
                    break
            return Reply(answer.status, answer.headers, bytes(body[:max_bytes]))

    @contextlib.contextmanager
    def open(
        self,
        method: str,
        url: str,
        *,
        ends: float | Deadline,
        idle_s: float = math.inf,
        allow_redirects: bool = False,
        **options: Any,
    ) -> Iterator["Answer"]:
        """As ``exchange``, for a body that is not to be held in memory.

        After ``idle_s`` seconds without a byte it is Unavailable, too, with the ``problem`` "silence".
        """
        address = checked_url(url)
        owned = contextlib.nullcontext(ends) if isinstance(ends, Deadline) else Deadline(ends)
        with owned as deadline:
            with _told(deadline), deadline.applied():
                response = self.request(method, address.text, **options, **_sending(deadline, idle_s))
                if allow_redirects:
                    response = self._followed(response, address, deadline, verify=options.get("verify"))
            with contextlib.closing(response):
                yield Answer(response.status_code, response.headers, response, deadline)

    def merge_environment_settings(self, url: Any, *arguments: Any, **options: Any) -> Any:
        """As in requests, but the environment is read once for each host: that takes longer than sending a request."""
        origin = checked_url(url).origin
        if origin not in self._environments:
            self._environments[origin] = dict(super().merge_environment_settings(url, *arguments, **options))
        return dict(self._environments[origin])

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests would read the whole body of a redirect, and follow to addresses that nobody has checked."""

    def _followed(
        self, response: requests.Response, address: Url, deadline: Deadline, *, verify: bool | str | None
    ) -> requests.Response:
        """What the redirects of ``response`` to a GET or HEAD lead to."""
        followed = 0
        while response.is_redirect and response.request.method in {"GET", "HEAD"}:
            response.close()
            if followed == self.max_redirects:
                raise requests.TooManyRedirects
            followed += 1
            request, address = self._redirected(response, address)
            settings = self.merge_environment_settings(address.text, {}, None, verify, None)
            options: dict[str, Any] = {**settings, **_sending(deadline)}
            response = self.send(request, **options)
        return response

    def _redirected(self, response: requests.Response, address: Url) -> tuple[requests.PreparedRequest, Url]:
        """The next request and its address. Unavailable: the server names none that can be used."""
        try:
            location = response.headers["Location"].encode("latin-1").decode()  # servers write UTF-8
            target = checked_url(urljoin(address.text, requote_uri(location.strip())))
        except (ValueError, InvalidInput):
            raise Unavailable("no_answer", problem="bad redirect") from None
        request = response.request.copy()
        request.url = target.text
        request.body = None
        left_out = _OF_ONE_REQUEST if target.origin == address.origin else request.headers.keys() - _HARMLESS
        for name in left_out:
            request.headers.pop(name, None)
        request.prepare_cookies(self.cookies)
        return request, target


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose body has not been read yet."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    _response: requests.Response = field(repr=False)
    _deadline: Deadline = field(repr=False)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that it sets, by their names, whatever their rules: for whoever keeps them himself."""
        pairs = (line.partition(";")[0].partition("=") for line in self._response.raw.headers.getlist("Set-Cookie"))
        return {name.strip(): value.strip() for name, _, value in pairs}

    def chunks(self) -> Iterator[bytes]:
        """The body, unpacked, as it arrives. Unavailable: it breaks off, cannot be unpacked, or takes too long."""
        pieces = _unpacked(self._response)
        while True:
            try:  # as in _told, which would take longer than the rest for the many small pieces of a stream
                piece = next(pieces, None)
                self._deadline.left()
            except _FAILURES as error:
                raise _failure(error, self._deadline) from None
            if piece is None:
                return
            yield piece


def session(reach: Reach = Reach.INTERNAL) -> Session:
    """A new session; close it, or use it in ``with``."""
    return Session(reach)


def _sending(deadline: Deadline, idle_s: float = math.inf) -> dict[str, Any]:
    """How every request is sent.

    Unless ``idle_s`` is less, the timeout comes after the watchdog, and only keeps the socket interruptible.
    """
    return {"stream": True, "allow_redirects": False, "timeout": min(deadline.left() + 1, idle_s)}


@contextlib.contextmanager
def _told(deadline: Deadline) -> Iterator[None]:
    """Tell of a failure by its kind alone: what requests and urllib3 say about it holds the address."""
    try:
        yield
    except _FAILURES as error:
        raise _failure(error, deadline) from None


def _failure(error: Exception, deadline: Deadline) -> Unavailable:
    silent = isinstance(error, _SILENCES)
    problem = "timeout" if deadline.over else "silence" if silent else type(error).__name__
    return Unavailable("no_answer" if deadline.connected else "not_reached", problem=problem)


def _unpacked(response: requests.Response) -> Iterator[bytes]:
    """The body without its gzip; DecodeError when that breaks off, which urllib3 takes for the end."""
    packed: Iterator[bytes] = iter(lambda: response.raw.read1(_CHUNK, decode_content=False), b"")
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing == "identity":
        yield from packed
        return
    if packing not in {"gzip", "x-gzip"}:
        raise DecodeError
    member = None
    for chunk in packed:
        rest = chunk
        while rest:
            if member is None or member.eof:
                member = zlib.decompressobj(_GZIP)
            try:
                yield member.decompress(rest, _CHUNK)
            except zlib.error as error:
                raise DecodeError from error
            rest = member.unconsumed_tail or member.unused_data
    if member is not None and not member.eof:
        raise DecodeError
