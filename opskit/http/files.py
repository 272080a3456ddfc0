"""A file that Dify hands over, streamed to disk."""

import re
import time
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from opskit.errors import InvalidInput, Unavailable
from opskit.http.client import Answer, session
from opskit.http.reach import Reach
from opskit.http.url import checked_url

# <FILES_URL>/files/<id>/file-preview, /files/<id>/image-preview, /files/tools/<id>.<ext>: no escapes, so no way out.
_DIFY_PATH = re.compile(r"(/[\w.~-]+)*/files(/[\w.~-]+)+", re.ASCII)
_SIGNATURE = frozenset({"timestamp", "nonce", "sign"})


def file_reach(url: str) -> Reach:
    """From where a file may come: Dify's own signed addresses are internal, all else a caller may have written.

    InvalidInput: ``url`` is no address.
    """
    address = checked_url(url)
    signed = parse_qs(address.query).keys() >= _SIGNATURE and _DIFY_PATH.fullmatch(address.path)
    return Reach.INTERNAL if signed else Reach.PUBLIC


def download(url: str, to: Path, *, max_bytes: int, deadline_s: float) -> int:
    """Stream the file at ``url`` into the file ``to`` and return its size in bytes.

    A signed address of Dify's own may be a private one and leads to no other; redirects are followed from public
    ones, to public ones.

    InvalidInput: the address is not a full http or https URL, or the file is larger than ``max_bytes``.
    Refused: the address may not be reached. Unavailable: no usable answer, or not within ``deadline_s`` seconds.
    """
    ends = time.monotonic() + deadline_s
    if not re.match(r"https?://[^/?#]", url, re.IGNORECASE):
        raise InvalidInput("file_url_incomplete")
    reach = file_reach(url)
    try:
        with (
            session(reach) as client,
            client.open("GET", url, ends=ends, allow_redirects=reach is Reach.PUBLIC) as answer,
        ):
            return _save(answer, to, max_bytes=max_bytes)
    except Unavailable as error:
        raise Unavailable("file_unavailable", problem=error.blanks["problem"]) from None


def _save(answer: Answer, to: Path, *, max_bytes: int) -> int:
    if answer.status != HTTPStatus.OK:
        raise Unavailable("file_unavailable", problem=f"HTTP {answer.status}")
    written = 0
    with to.open("wb") as file:
        for chunk in answer.chunks():
            written += len(chunk)
            if written > max_bytes:
                raise InvalidInput("file_too_large", limit_mb=max_bytes // 1_000_000)
            file.write(chunk)
    return written
