"""Dify's Service API: one app, reached by its key.

Source: Dify 1.13.3, ``controllers/service_api``, tried on a running server.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import requests

from opskit import http
from opskit.dify.events import MAX_EVENT, endless, events
from opskit.dify.failure import failure, read, told_inside
from opskit.dify.form import Form
from opskit.dify.run import Run, answered
from opskit.errors import InvalidInput, Refused, Unavailable

IDLE_S = 35.0  # Dify pings every 10 s; after three that are missing nobody works on the run any more
_MAX_REFUSAL = 64 * 1024
# Where a run is begun, and below what it is stopped, by the mode of the app; all others are chats.
_BEGUN_AT = {"workflow": "workflows/run", "completion": "completion-messages"}
_STOPPED_AT = {"workflow": "workflows/tasks", "completion": "completion-messages"}
_CHATS = "chat-messages"


@dataclass(frozen=True, slots=True)
class Server:
    """A Dify server: the address of one of its APIs, and what goes with every call to it."""

    address: http.Url
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    reach: http.Reach = http.Reach.INTERNAL

    @classmethod
    def at(
        cls, base_url: str, headers: Mapping[str, str] | None = None, *, by_model: bool = False, api: str = "/v1"
    ) -> Self:
        """The server at ``base_url``, with or without its ``/v1``. InvalidInput: it is no address.

        ``api`` is where the API lies that is meant, the Service API if nothing is said.

        ``by_model`` says that a model may have chosen the address: keys then only go to Dify itself, to hosts that
        the operator trusts, and to private addresses.
        """
        try:
            address = http.checked_url(base_url.strip().rstrip("/"))
        except InvalidInput:
            raise InvalidInput("bad_dify_url", name="base_url") from None
        path = address.path.rstrip("/").removesuffix("/v1") + api
        reach = http.secret_reach(address.host, "dify.ai") if by_model else http.Reach.INTERNAL
        return cls(http.Url(address.scheme, address.host, address.port, path, ""), headers or {}, reach)


class _Bearer(requests.auth.AuthBase):
    """The key as requests wants it: a header alone would give way to the password of a .netrc file."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class App:
    """The app behind a key. Close it, or use it in ``with``. One thread at a time, ``stop`` excepted.

    Every method takes ``ends``, a moment of time.monotonic() or a Deadline that can be cancelled, and raises what
    ``failure`` makes of a refusal; Unavailable ``not_reached`` (nothing was sent) and ``no_answer``, whose ``problem``
    is "timeout", "silence" (no byte for 35 s) or the name of an exception; Refused where the address is forbidden.
    """

    def __init__(self, server: Server, key: str) -> None:
        self._server = server
        self._key = key
        self._client = self._session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def mode(self, ends: float | http.Deadline) -> str:
        """workflow, advanced-chat (a chatflow), chat, agent-chat or completion. Refused ``dify_untold``: none."""
        mode = self._json("GET", "info", ends).get("mode")
        if not isinstance(mode, str) or not mode:
            raise Refused("dify_untold")
        return mode

    def form(self, ends: float | http.Deadline) -> Form:
        """The input form. Refused ``dify_app_unavailable``: the app is not published."""
        return Form.of(self._json("GET", "parameters", ends))

    def upload(self, path: Path, filename: str, mime_type: str, *, user: str, ends: float | http.Deadline) -> str:
        """Upload a file for one run of this app by ``user`` and return its id: no other app or user may use it."""
        with path.open("rb") as file:
            body = self._json(
                "POST", "files/upload", ends, files={"file": (filename, file, mime_type)}, data={"user": user}
            )
        return str(body.get("id") or "")

    @contextlib.contextmanager
    def stream(
        self, mode: str, request: Mapping[str, Any], ends: float | http.Deadline
    ) -> Iterator[Iterator[dict[str, Any]]]:
        """Start a run and give its events. A failure that comes with HTTP 200 is raised as well, if it comes alone.

        Unavailable ``not_dify``: the answer is no stream.
        """
        asked = json.dumps({**request, "response_mode": "streaming"}, ensure_ascii=False).encode()
        with self._open("POST", _BEGUN_AT.get(mode, _CHATS), ends, idle_s=IDLE_S, data=asked) as answer:
            kind = answer.headers.get("Content-Type", "")
            if "event-stream" not in kind:
                _checked(answer.status, _body(answer, MAX_EVENT), answer.headers)
                raise _not_dify(answer.status, answer.headers)
            yield events(answer.chunks())

    def run(self, mode: str, request: Mapping[str, Any], ends: float | http.Deadline) -> Run:
        """Start a run and wait for its end, in one answer (``response_mode: blocking``). Agents have no such mode."""
        body = self._json(
            "POST", _BEGUN_AT.get(mode, _CHATS), ends, data=json.dumps({**request, "response_mode": "blocking"})
        )
        return answered(body)

    def run_status(self, run_id: str, ends: float | http.Deadline) -> Run:
        """What the server knows about a workflow's or chatflow's run. One that was stopped stays "running" for ever."""
        run = Run(run_id=run_id)
        run.finish(self._json("GET", f"workflows/run/{run_id}", ends))
        return run

    def stop(self, mode: str, task_id: str, *, user: str, ends: float) -> None:
        """Ask the server to stop a run. It says yes to anything; the stream of the run tells. Any thread."""
        with App(self._server, self._key) as other:
            other._json(
                "POST", f"{_STOPPED_AT.get(mode, _CHATS)}/{task_id}/stop", ends, data=json.dumps({"user": user})
            )

    def _session(self) -> http.Session:
        client = http.session(self._server.reach)
        client.headers.update({**self._server.headers, "Content-Type": "application/json"})
        client.auth = _Bearer(self._key)
        return client

    def _json(self, method: str, route: str, ends: float | http.Deadline, **options: Any) -> dict[str, Any]:
        with self._open(method, route, ends, **options) as answer:
            return _checked(answer.status, _body(answer, MAX_EVENT), answer.headers)

    @contextlib.contextmanager
    def _open(self, method: str, route: str, ends: float | http.Deadline, **options: Any) -> Iterator[http.Answer]:
        """An answer that is no refusal."""
        headers = {"Content-Type": None} if "files" in options else {}
        url = f"{self._server.address.text}/{route}"
        with self._client.open(method, url, ends=ends, headers=headers, **options) as answer:
            if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
                raise failure(answer.status, read(_body(answer, _MAX_REFUSAL)), answer.headers)
            yield answer


def _checked(status: int, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """The JSON object of a body. Unavailable: there is none; whatever it tells, when it tells of a failure."""
    found = read(body)
    if not isinstance(found, dict):
        raise _not_dify(status, headers)
    if failed := told_inside(found):
        raise failed
    return found


def _not_dify(status: int, headers: Mapping[str, str]) -> Unavailable:
    return Unavailable("not_dify", code=f"HTTP {status}", kind=headers.get("Content-Type", "-"))


def _body(answer: http.Answer, limit: int) -> bytes:
    body = bytearray()
    for chunk in answer.chunks():
        body += chunk
        if len(body) > limit:
            if limit == _MAX_REFUSAL:
                break
            raise endless()
    return bytes(body)
