"""What the console's refusals mean, sorted into the error tree.

Sources: Dify 1.13.3, ``controllers/console/app/error.py``, ``controllers/console/apikey.py``, ``libs/external_api.py``,
tried on a running server. Some bodies have no ``code``.
"""

import math
import re
from collections.abc import Mapping
from http import HTTPStatus

from opskit.errors import Conflict, InvalidCredentials, InvalidInput, OpskitError, RateLimited, Refused, Unavailable

_DAEMON = re.compile(r"plugin daemon", re.IGNORECASE)

# By Dify's code, else by the status. Every sentence has the blanks {code} and {message}.
_BY_CODE: dict[str, tuple[type[OpskitError], str]] = {
    "app_not_found": (InvalidInput, "console_no_app"),
    "draft_workflow_not_exist": (Refused, "console_no_draft"),
    "draft_workflow_not_sync": (Conflict, "console_moved"),
    "max_keys_exceeded": (Refused, "console_keys_full"),
}
_BY_STATUS: dict[int, tuple[type[OpskitError], str]] = {
    HTTPStatus.UNAUTHORIZED: (InvalidCredentials, "console_session"),
    HTTPStatus.FORBIDDEN: (Refused, "console_forbidden"),
    HTTPStatus.NOT_FOUND: (Refused, "console_not_found"),
    HTTPStatus.CONFLICT: _BY_CODE["draft_workflow_not_sync"],
    HTTPStatus.TOO_MANY_REQUESTS: (RateLimited, "console_busy"),
}


def refusal(status: int, told: object, headers: Mapping[str, str]) -> OpskitError:
    """The error that an answer means: ``told`` is its JSON, or None.

    InvalidInput: app or address. InvalidCredentials: the session. Refused: a role, a limit, whatever else Dify
    declines. Conflict: the draft has changed. Unavailable: anything that may be better the next time.
    """
    body = told if isinstance(told, dict) else {}
    code = str(body.get("code") or body.get("custom") or f"HTTP {status}")
    message = str(body.get("message") or (HTTPStatus(status).phrase if status in HTTPStatus else "-"))
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return Unavailable("not_dify", code=f"HTTP {status}", kind=headers.get("Content-Type", "-"))
    if status < HTTPStatus.BAD_REQUEST:
        return InvalidInput("dify_redirect", code=f"HTTP {status}")
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED} and not body:
        return InvalidInput("console_wrong_address", code=code, message=message)
    if _DAEMON.search(message):
        return Unavailable("console_daemon", code=code, message=message)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable("dify_down", code=code, message=message)
    kind, key = _BY_CODE.get(code) or _BY_STATUS.get(status) or (Refused, "console_refused")
    after = headers.get("Retry-After", "") if kind is RateLimited else ""
    seconds = {"seconds": math.ceil(float(after))} if re.fullmatch(r"\d{1,6}(\.\d+)?", after) else {}
    return kind(key, code=code, message=message, **seconds)
