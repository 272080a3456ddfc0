"""An event from outside: verified, remembered, and handed to an app."""

import contextlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, Unavailable
from opskit.model import mended
from opskit.ports import Starter, Storage
from opskit.service import Answer, Request, Settings
from opskit.webhook.journal import MAX_CHARS, Entry, Journal, digest, moment
from opskit.webhook.signatures import Proof, check_secret, verified

# What may be handed to an app: Dify's daemon kills the plugin at a line of 5 MiB.
MAX_INPUTS = 4 * 1024 * 1024
_LONGEST_NAME = 200  # characters of an id, a status or a type, as far as they are kept
_QUERY = "A run has ended. The event is in the input event, as JSON."
_NO_RUN_YET = {"", "ping"}


def receive(request: Request, settings: Settings, storage: Storage, starter: Starter, now: float) -> Answer:
    """Take an event in; ``now`` is in seconds since 1970.

    It is answered as soon as it is kept or, with an app in the settings, as soon as its run has begun. What is known
    already is refused: by the id that the signature covers, or by the hash of the body. An event whose app did not
    start counts as not received, so that the sender's next attempt can succeed.

    InvalidInput: the body is cut, or no JSON object. InvalidCredentials: no signature of ours. Conflict: it is known.
    Unavailable: the app did not start, another call is at the same event, or storage does not answer.
    """
    body = request.whole_body()
    proof = _proof(request, settings, body, now)
    event = _read(body)
    marks = _marks(proof, body)
    journal = Journal(storage, request.endpoint)
    entry = _entry(event, body, proof, now)
    with journal.claimed(marks[0]):
        if not settings.app_id:
            journal.keep(entry, marks)
            return Answer(HTTPStatus.OK, {"received": True})
        inputs = _inputs(event, body)
        journal.check()
        _start(starter, settings.app_id, inputs)
        # The run is there, and a failure here would make the sender start a second one.
        with contextlib.suppress(OpskitError):
            journal.keep(entry, marks)
    return Answer(HTTPStatus.OK, {"received": True})


def status(request: Request, settings: Settings, storage: Storage, version: str) -> Answer:
    """Whether the plugin is up, and what it has received; the last events of ``?task_id=`` to whoever has the token.

    InvalidCredentials: events are asked for without the token. Unavailable: storage does not answer for them.
    """
    journal = Journal(storage, request.endpoint)
    told: dict[str, Any] = {"status": "up", "version": version, "storage": "ok", "received": None}
    if task_id := request.query.get("task_id", ""):
        settings.check_token(request)
        told |= journal.counts() | {"task_id": task_id, "events": journal.events(task_id)}
        return Answer(HTTPStatus.OK, told)
    try:
        told |= journal.counts()
    except Unavailable:
        told |= {"storage": "unavailable", "last_received_at": None}
    return Answer(HTTPStatus.OK, told)


def _proof(request: Request, settings: Settings, body: bytes, now: float) -> Proof:
    if not settings.webhook_secrets:
        raise InvalidCredentials("webhook_no_secrets")
    try:
        for secret in settings.webhook_secrets:
            check_secret(secret)
    except InvalidCredentials:
        raise InvalidCredentials("webhook_secrets_unusable") from None
    return verified(request.headers, body, secrets=settings.webhook_secrets, now=now)


def _read(body: bytes) -> dict[str, Any]:
    """The event. InvalidInput: it is no JSON object."""
    try:
        event = json.loads(body.decode())
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise InvalidInput("webhook_not_json")
    return event


def _marks(proof: Proof, body: bytes) -> list[str]:
    """What the event is known by, the deciding one first.

    Both are kept: whoever strips the id and its signature off an event that was signed twice has a new event otherwise.
    """
    by_body = f"b{digest(body)}"
    return [by_body] if proof.id is None else [f"i{digest(proof.id.encode())}", by_body]


def _entry(event: Mapping[str, Any], body: bytes, proof: Proof, now: float) -> Entry:
    text = body.decode("utf-8", "replace")
    named = {name: _text(_field(event, name))[:_LONGEST_NAME] for name in ("type", "task_id", "run_id", "status")}
    return Entry(
        received_at=moment(now),
        event_id=(proof.id or "")[:_LONGEST_NAME],
        body=text[:MAX_CHARS],
        shortened=len(text) > MAX_CHARS,
        **named,
    )


def _inputs(event: Mapping[str, Any], body: bytes) -> dict[str, str]:
    """What an app gets; those that it does not declare are ignored. InvalidInput: it would be too much."""
    named = {
        name: _text(_field(event, name))
        for name in ("type", "task_id", "run_id", "status", "answer", "outputs", "error")
    }
    inputs = {"event": body.decode("utf-8", "replace"), **named}
    if len(json.dumps(inputs)) > MAX_INPUTS:
        raise InvalidInput("webhook_event_too_large", limit_mb=MAX_INPUTS // 2**20)
    return inputs


def _start(starter: Starter, app_id: str, inputs: Mapping[str, str]) -> None:
    """Start the app and listen until its run has begun. Unavailable: it did not.

    Nothing listens after that. The run goes on by itself, and nothing more would come: Dify's daemon hangs up on it
    when the endpoint has answered (its calls live as long as the request: ``session.go``, ``propagateTraceContext``).
    """
    problem = "no run"
    with contextlib.closing(starter.start(app_id, inputs, _QUERY)) as events:
        for event in events:
            kind = str(event.get("event") or "")
            if kind == "error":
                problem = str(event.get("message") or event.get("code") or kind)
                break
            if kind not in _NO_RUN_YET:
                return
    raise Unavailable("webhook_app_not_started", problem=problem)


def _field(event: Mapping[str, Any], name: str) -> object:
    """A field of the event, at the top or in ``data``, where Standard Webhooks put theirs."""
    data = event.get("data")
    inner = data.get(name) if isinstance(data, Mapping) else None
    return event[name] if event.get(name) is not None else inner


def _text(value: object) -> str:
    """A value as an input of an app: text as it is, JSON for the rest, nothing for null."""
    value = mended(value)
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
