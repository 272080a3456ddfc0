"""What the endpoints of the plugin share: a request, an answer, the settings, a token, and how errors are told.

Dify's daemon hands a request over with at most 10 MiB of its body; what is longer arrives cut, with a Content-Length
that fits the cut (langgenius/dify-plugin-daemon, ``internal/service/endpoint.go``, ``copyRequest``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

from opskit import signing
from opskit.errors import (
    Conflict,
    InvalidCredentials,
    InvalidInput,
    OpskitError,
    RateLimited,
    Refused,
    Unavailable,
)
from opskit.model import Result
from opskit.wording import Locale

MAX_BODY = 10 * 1024 * 1024
_BEARER = "bearer "
# Of an error's class and those above it, the nearest counts.
_STATUS: dict[type[Exception], HTTPStatus] = {
    InvalidInput: HTTPStatus.BAD_REQUEST,
    InvalidCredentials: HTTPStatus.UNAUTHORIZED,
    Refused: HTTPStatus.FORBIDDEN,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.BAD_GATEWAY,
}
_STATUS_OF_KEY = dict.fromkeys(("body_too_large", "webhook_event_too_large"), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
ENDPOINTS = (
    ("GET", "/", "This list."),
    ("GET", "/status", "Whether the plugin is up and what it has received; with ?task_id= the last events of a task."),
    ("POST", "/analysis/daily_sale_analysis", "A sales file (multipart field file) becomes its analysis as JSON."),
    ("POST", "/webhook/dify", "Receives signed events of runs."),
)


@dataclass(frozen=True, slots=True)
class Request:
    """A call of an endpoint. ``endpoint`` is Dify's id of it; the names of ``headers`` are in lower case."""

    endpoint: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def whole_body(self) -> bytes:
        """The body. InvalidInput: it may have been cut."""
        declared = self.headers.get("content-length", "").strip()
        is_cut = declared.isdecimal() and int(declared) > len(self.body)
        if is_cut or len(self.body) >= MAX_BODY:
            raise InvalidInput("body_too_large", limit_mb=MAX_BODY // 2**20)
        return self.body


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller gets: an HTTP status and a JSON object."""

    status: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator has set: the secrets that events may be signed with, the app to start, the token of callers."""

    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    app_id: str = ""
    api_token: str = field(default="", repr=False)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """The settings as Dify hands them over: absent, None or empty where nothing was set."""
        app = given.get("app")
        written = re.split(r"[\r\n,;，；]+", str(given.get("webhook_secrets") or ""))
        return cls(
            webhook_secrets=tuple(one for text in written if (one := text.strip())),
            app_id=str(app.get("app_id") or "").strip() if isinstance(app, Mapping) else "",
            api_token=str(given.get("api_token") or "").strip(),
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no answer may hold."""
        return (*self.webhook_secrets, *filter(None, [self.api_token]))

    def check_token(self, request: Request) -> None:
        """InvalidCredentials: ``request`` does not carry the token, or none is set. Compared in constant time."""
        if not self.api_token:
            raise InvalidCredentials("no_api_token")
        given = request.headers.get("authorization", "").strip()
        if not given:
            raise InvalidCredentials("token_missing")
        token = given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else ""
        if not signing.verify(token, self.api_token):
            raise InvalidCredentials("token_wrong")


def result(given: Result) -> Answer:
    """The answer that holds what a tool would give."""
    return Answer(HTTPStatus.OK, given.variables())


def failed(error: OpskitError) -> Answer:
    """The answer that tells of ``error``, in the words of its locale and without its secrets."""
    status = _STATUS_OF_KEY.get(error.key) or next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    return _told(status, error.key, str(error).removeprefix(f"[{error.key}] "))


def broken(words: str) -> Answer:
    """The answer that tells of a bug."""
    return _told(HTTPStatus.INTERNAL_SERVER_ERROR, "bug", words)


def _told(status: HTTPStatus, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})


def language(accepted: str) -> Locale:
    """The language that an Accept-Language header prefers: Chinese, or English for all else (RFC 9110, 12.5.4)."""
    best: tuple[float, Locale] = (0.0, "en_US")
    for entry in accepted.lower().split(","):
        name, _, weight = entry.partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if name.strip() and quality > best[0]:
            best = quality, "zh_Hans" if re.match(r"\s*zh\b", name) else "en_US"
    return best[1]


def about(version: str) -> Answer:
    """What this service is."""
    endpoints = [{"method": method, "path": path, "purpose": purpose} for method, path, purpose in ENDPOINTS]
    return Answer(HTTPStatus.OK, {"name": "OpsKit", "version": version, "endpoints": endpoints})
