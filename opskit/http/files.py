"""A file that Dify hands over, streamed to disk."""

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from opskit.errors import InvalidInput, Refused, Unavailable
from opskit.http.client import Answer, session
from opskit.http.reach import Reach, reaches
from opskit.http.url import checked_url

# <FILES_URL>/files/<id>/file-preview, /files/<id>/image-preview, /files/tools/<id>.<ext>: no escapes, so no way out.
_DIFY_PATH = re.compile(r"(/[\w.~-]+)*/files(/[\w.~-]+)+", re.ASCII)
_SIGNATURE = frozenset({"timestamp", "nonce", "sign"})


def file_reaches(url: str, *, private: bool) -> tuple[Reach, ...]:
    """From where a file may come, in the order of trying; ``private`` is whether a private address may serve it.

    Dify's own signed addresses lie inside the network, and the operator's proxy may lead to them. Any other may be a
    private one unless the operator sets OPSKIT_DENY_PRIVATE=1. InvalidInput: ``url`` is no address.
    """
    address = checked_url(url)
    if private and parse_qs(address.query).keys() >= _SIGNATURE and _DIFY_PATH.fullmatch(address.path):
        return (Reach.INTERNAL,)
    return reaches(private=private)


def download(
    url: str,
    to: Path,
    *,
    private: bool,
    max_bytes: int,
    deadline_s: float,
    told: Callable[[int], None] = lambda _: None,
) -> int:
    """Stream the file at ``url`` into the file ``to`` and return its size in bytes; see ``file_reaches``.

    ``told`` is called now and then with the bytes written so far. Redirects are followed from public addresses to
    public ones; from a private one they lead nowhere.

    InvalidInput: the address is not a full http or https URL, or the file is larger than ``max_bytes``.
    Refused: the address may not be reached. Unavailable: no usable answer, or not within ``deadline_s`` seconds.
    """
    ends = time.monotonic() + deadline_s
    if not re.match(r"https?://[^/?#]", url, re.IGNORECASE):
        raise InvalidInput("file_url_incomplete")
    first, *others = file_reaches(url, private=private)
    try:
        try:
            return _fetched(url, to, first, max_bytes=max_bytes, ends=ends, told=told)
        except Refused:
            if not others:
                raise
        return _fetched(url, to, others[0], max_bytes=max_bytes, ends=ends, told=told)
    except Unavailable as error:
        raise Unavailable("file_unavailable", problem=error.blanks["problem"]) from None


def _fetched(url: str, to: Path, reach: Reach, *, max_bytes: int, ends: float, told: Callable[[int], None]) -> int:
    with (
        session(reach) as client,
        client.open("GET", url, ends=ends, allow_redirects=reach is Reach.PUBLIC) as answer,
    ):
        return _save(answer, to, max_bytes=max_bytes, told=told)


def _save(answer: Answer, to: Path, *, max_bytes: int, told: Callable[[int], None]) -> int:
    if answer.status != HTTPStatus.OK:
        raise Unavailable("file_unavailable", problem=f"HTTP {answer.status}")
    written = 0
    with to.open("wb") as file:
        for chunk in answer.chunks():
            written += len(chunk)
            if written > max_bytes:
                raise InvalidInput("file_too_large", limit_mb=max_bytes // 1_000_000)
            file.write(chunk)
            told(written)
            time.sleep(0)  # under gevent others have their turn where one waits, and a near server is never waited for
    return written
