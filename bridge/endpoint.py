"""What the endpoints share: a request in, an answer out, errors across."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException

from bridge.boundary import place
from opskit import redaction, service, wording
from opskit.errors import InvalidInput, OpskitError

_MANIFEST = Path(__file__).resolve().parent.parent / "manifest.yaml"
# In hex it must fit into a line of 5 MiB.
_CHUNK = 1024 * 1024
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_MAX_FIELDS = 2 * 1024 * 1024  # bytes of a form beside its files: csv_text has up to 1 MB


def answer(
    endpoint: Any,
    request: Request,
    settings: Mapping[str, Any],
    work: Callable[[service.Request, service.Settings], service.Answer],
) -> Response:
    """What ``work`` answers, or what went wrong, as JSON.

    Nothing is raised: the SDK would send the text of an exception to the caller, and take a ValueError for a path that
    does not exist. A bug is told by its kind and place alone, because its text may hold anything.
    """
    locale = service.language(request.headers.get("Accept-Language", ""))
    known = service.Settings.read(settings)
    try:
        try:
            given = work(_call(endpoint, request), known)
        except OpskitError as error:
            error.locale, error.secrets = locale, known.secrets
            given = service.failed(error)
    except Exception as error:  # noqa: BLE001 - see above
        words = wording.say(locale, "error.endpoint_bug", kind=type(error).__name__, place=place(error))
        given = service.broken(redaction.blank(words, known.secrets))
    return _response(given)


def posted(request: Request) -> tuple[dict[str, str], bytes | None]:
    """The fields of a form, and the content of its ``file``. InvalidInput: it cannot be read as a form."""
    if request.mimetype not in _FORMS:
        raise InvalidInput("not_a_form", problem=request.mimetype or "no Content-Type")
    request.max_form_memory_size = _MAX_FIELDS
    try:
        with request:  # closes the files
            file = request.files.get("file")
            fields, content = request.form.to_dict(), file.read() if file else None
    except HTTPException as error:
        raise InvalidInput("not_a_form", problem=error.name) from None
    if not fields and not request.files and request.get_data(cache=True):  # werkzeug passes over what it cannot read
        raise InvalidInput("not_a_form", problem="no field in it")
    return fields, content


@cache
def version() -> str:
    """The plugin's version, as the manifest has it."""
    return "".join(re.findall(r"(?m)^version: (\S+)$", _MANIFEST.read_text(encoding="utf-8")))


def _call(endpoint: Any, request: Request) -> service.Request:
    return service.Request(
        endpoint=str(endpoint.session.endpoint_id or ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.args.to_dict(),
        body=request.get_data(cache=True),
    )


def _response(given: service.Answer) -> Response:
    """JSON, in pieces where it is long: each is a line of its own to Dify's daemon."""
    body = json.dumps(given.payload, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
    }
    return Response(body if len(body) <= _CHUNK else _pieces(body), given.status, headers)


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _CHUNK):
        yield body[start : start + _CHUNK]
