"""What Dify's refusals mean: its HTTP status and code, sorted into the error tree.

Source: Dify 1.13.3, ``libs/external_api.py`` and ``controllers/service_api/app/error.py``, tried on a running server.
Dify's own code stands in every message. Its ``message`` is quoted, and never decides where a code could: two cases
share ``invalid_param`` with everything else, and only their text tells them apart.
"""

import json
import math
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, RateLimited, Refused, Unavailable

_BUSY = re.compile(r"too many requests", re.IGNORECASE)
_RUN_FAILED = re.compile(r"Run failed: ?(.*)", re.DOTALL)
_NOT_PUBLISHED = re.compile(r"workflow not published|unexpected app type", re.IGNORECASE)
_NO_SUCH_APP = re.compile(r"app not found", re.IGNORECASE)
_ADVICE = re.compile(r" You have requested this URI .*", re.DOTALL)  # Flask's, about other addresses
_DAEMON = re.compile(r"status code: (\d{3}) and respond with: (.*)", re.DOTALL)

# By Dify's code. Every sentence has the blanks {code} and {message}.
_BY_CODE: dict[str, tuple[type[OpskitError], str]] = {
    "unauthorized": (InvalidCredentials, "dify_key"),
    "forbidden": (Refused, "dify_forbidden"),
    "too_many_requests": (RateLimited, "dify_busy"),
    "rate_limit_error": (Refused, "dify_quota"),
    "provider_quota_exceeded": (Refused, "dify_model_setup"),
    "provider_not_initialize": (Refused, "dify_model_setup"),
    "model_currently_not_support": (Refused, "dify_model_setup"),
    "completion_request_error": (Unavailable, "dify_model_failed"),
    "not_workflow_app": (Refused, "dify_wrong_kind"),
    "not_chat_app": (Refused, "dify_wrong_kind"),
    "app_unavailable": (Refused, "dify_app_unavailable"),
    "not_found": (Refused, "dify_not_found"),
    "file_too_large": (InvalidInput, "dify_file"),
    "unsupported_file_type": (InvalidInput, "dify_file"),
    "filename_not_exists_error": (InvalidInput, "dify_file"),
    "invalid_param": (InvalidInput, "dify_input"),
    "bad_request": (InvalidInput, "dify_input"),
}
_BY_STATUS: dict[int, tuple[type[OpskitError], str]] = {
    HTTPStatus.UNAUTHORIZED: _BY_CODE["unauthorized"],
    HTTPStatus.FORBIDDEN: _BY_CODE["forbidden"],
    HTTPStatus.TOO_MANY_REQUESTS: _BY_CODE["too_many_requests"],
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _BY_CODE["file_too_large"],
    HTTPStatus.NOT_FOUND: (InvalidInput, "dify_wrong_address"),
    HTTPStatus.METHOD_NOT_ALLOWED: (InvalidInput, "dify_wrong_address"),
    HTTPStatus.BAD_REQUEST: _BY_CODE["bad_request"],
}


def failure(status: int, body: object, headers: Mapping[str, str] | None = None) -> OpskitError:
    """The error that an answer means: ``body`` is its JSON, or None; ``headers`` may say how long to wait.

    InvalidCredentials: the key. RateLimited: too many runs at once. Refused: quota, model, kind or state of the app.
    InvalidInput: inputs, files or the address. Unavailable: anything that may be better the next time.
    """
    told = body if isinstance(body, dict) else {}
    code, message = str(told.get("code") or f"HTTP {status}"), str(told.get("message") or _phrase(status))
    message = _ADVICE.sub("", message) if status == HTTPStatus.NOT_FOUND else message
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return InvalidInput("dify_redirect", code=f"HTTP {status}")
    if code == "invalid_param" and (meant := _meant(message, code, headers or {})):
        return meant
    kind, key = _BY_CODE.get(code) or _BY_STATUS.get(status) or (Unavailable, "dify_down")
    if kind is RateLimited:
        return _busy(code, message, headers or {})
    return kind(key, code=code, message=message)


def read(body: bytes) -> object:
    """The JSON of a body, or None."""
    try:
        return json.loads(body, parse_constant=lambda _: None)  # NaN is no JSON, and nobody after us could read it
    except (ValueError, RecursionError):
        return None


def told_inside(body: Mapping[str, Any]) -> OpskitError | None:
    """The failure that an answer with HTTP 200 holds, if it does: an error event, or an error's body."""
    if body.get("event") == "error" or ("code" in body and "message" in body and "status" in body):
        status = body.get("status")
        return failure(status if isinstance(status, int) else HTTPStatus.INTERNAL_SERVER_ERROR, body)
    return None


def run_failed(message: str) -> OpskitError:
    """The failure of a run that had begun: ``message`` is what Dify says about the node that failed."""
    return Unavailable("dify_run_failed", message=message or "-")


def invocation_failed(text: str) -> OpskitError:
    """What a reverse invocation that was refused means: ``text`` is what the plugin daemon says about it.

    The kind of an app cannot be asked for there, and completion apps answer with HTTP 500 (Dify 1.13.3).
    """
    told = _DAEMON.search(text)
    if told is None:
        return Unavailable("dify_no_invocation", message=text)
    status, body = int(told[1]), read(told[2].encode())
    message = str(body.get("message") or "") if isinstance(body, dict) else told[2]
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return Refused("dify_maybe_completion", code=f"HTTP {status}", message=message)
    if status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND} or not isinstance(body, dict):
        return Unavailable("dify_no_invocation", message=text)
    if _NO_SUCH_APP.search(message):
        return Refused("dify_no_such_app", message=message)
    return failure(status, body)


def _meant(message: str, code: str, headers: Mapping[str, str]) -> OpskitError | None:
    """What ``invalid_param`` means where only the words say it."""
    if found := _RUN_FAILED.match(message):
        return run_failed(found[1])  # first of all: it quotes what a node said, and that may be anything
    if _BUSY.search(message):
        return _busy(code, message, headers)
    if _NOT_PUBLISHED.search(message):
        return Refused("dify_app_unavailable", code=code, message=message)
    return None


def _phrase(status: int) -> str:
    """What a status is called, for an answer that says nothing more."""
    return HTTPStatus(status).phrase if status in HTTPStatus else ""


def _busy(code: str, message: str, headers: Mapping[str, str]) -> RateLimited:
    after = headers.get("Retry-After", "")
    blanks = {"seconds": math.ceil(float(after))} if re.fullmatch(r"\d{1,6}(\.\d+)?", after) else {}
    return RateLimited("dify_busy", code=code, message=message, **blanks)
