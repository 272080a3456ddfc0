import contextlib
import email.utils
import json
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from devtools.listener import serving
from opskit import webhook
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, Refused, Unavailable

SECRET = "whsec_ZmFrZS1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg=="
PATH = "/hook/fake-path-token-0123456789?key=fake-query-token-0123456789"
EVENT: dict[str, Any] = {"task_id": "t-1", "status": "completed", "data": {"answer": "好\u2028", "outputs": {"n": 1.5}}}

type Step = tuple[int, dict[str, str]]
OK: Step = (200, {})


class Receiver(ThreadingHTTPServer):
    """Records every request and answers with one step after the other; the last one stays."""

    def __init__(self, *steps: Step) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.steps = list(steps) or [OK]
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}{PATH}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status, headers = self.server.steps[0]
        if len(self.server.steps) > 1:
            del self.server.steps[0]
        if status == 0:  # hangs up without a word
            return
        if status == -1:  # says nothing for a while
            time.sleep(0.4)
        with contextlib.suppress(OSError):
            self.send_response(max(status, 200))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def receiving(*steps: Step) -> contextlib.AbstractContextManager[Receiver]:
    return serving(Receiver(*steps))


class Clock:
    """Remembers the pauses instead of waiting."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


def deliver(url: str, *, within: float = 60, clock: Clock | None = None, **given: Any) -> webhook.Delivered:
    options: dict[str, Any] = {"event": EVENT, "secret": SECRET, "private": True} | given
    event = options.pop("event")
    return webhook.deliver(event, url=url, ends=time.monotonic() + within, pause=clock or Clock(), **options)


def failure(outcome: webhook.Delivered) -> OpskitError:
    assert not outcome.delivered
    assert outcome.error
    for locale in ("en_US", "zh_Hans"):
        outcome.error.locale = locale
        assert "fake-" not in str(outcome.error)
    outcome.error.locale = "en_US"
    return outcome.error


def test_an_event_arrives_signed_in_the_bytes_that_are_sent() -> None:
    with receiving() as server:
        outcome = deliver(server.url, event_id="run-1")
    assert (outcome.delivered, outcome.attempts, outcome.error) == (True, 1, None)
    ((headers, body),) = server.seen
    assert body == json.dumps(EVENT, ensure_ascii=False, separators=(",", ":")).encode()
    assert (headers["content-type"], headers["webhook-id"]) == ("application/json", "run-1")
    assert webhook.verified(headers, body, secrets=[SECRET], now=time.time()).id == "run-1"
    del headers["webhook-signature"]
    assert webhook.verified(headers, body, secrets=[SECRET], now=time.time()).id is None


@pytest.mark.parametrize("step", [(0, {}), (408, {}), (425, {}), (429, {}), (500, {}), (503, {}), (599, {})])
def test_what_may_pass_is_tried_again_with_the_same_id(step: Step) -> None:
    clock = Clock()
    with receiving(step, step, step, OK) as server:
        outcome = deliver(server.url, clock=clock)
    assert (outcome.delivered, outcome.attempts) == (True, 4)
    assert clock.pauses == [1, 2, 4]
    assert len({headers["webhook-id"] for headers, _ in server.seen}) == 1
    assert server.seen[0][0]["webhook-id"].startswith("msg_")


def test_each_attempt_is_signed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(1_700_000_000, 1_800_000_000, 100))
    with receiving((500, {}), OK) as server:
        monkeypatch.setattr("opskit.webhook.delivery.time.time", lambda: float(next(now)))
        assert deliver(server.url).delivered
        monkeypatch.undo()
    first, second = (headers for headers, _ in server.seen)
    assert int(first["webhook-timestamp"]) < int(second["webhook-timestamp"])
    for headers, body in server.seen:
        assert webhook.verified(headers, body, secrets=[SECRET], now=int(headers["webhook-timestamp"])).id


@pytest.mark.parametrize(
    ("status", "kind", "key"),
    [
        (301, InvalidInput, "webhook_redirected"),
        (304, InvalidInput, "webhook_redirected"),
        (307, InvalidInput, "webhook_redirected"),
        (400, Refused, "webhook_declined"),
        (401, InvalidCredentials, "webhook_rejected"),
        (403, InvalidCredentials, "webhook_rejected"),
        (404, InvalidInput, "webhook_gone"),
        (409, Refused, "webhook_declined"),
        (410, InvalidInput, "webhook_gone"),
        (413, Refused, "webhook_declined"),
    ],
)
def test_what_will_not_change_is_not_tried_again(status: int, kind: type[OpskitError], key: str) -> None:
    with receiving() as elsewhere, receiving((status, {"Location": elsewhere.url})) as server:
        outcome = deliver(server.url)
    error = failure(outcome)
    assert (type(error), error.key, outcome.attempts, len(server.seen)) == (kind, key, 1, 1)
    assert f"HTTP {status}" in str(error)
    assert elsewhere.seen == []


def test_a_repeat_that_is_known_has_arrived() -> None:
    with receiving((504, {}), (409, {})) as server:
        outcome = deliver(server.url)
    assert (outcome.delivered, outcome.attempts) == (True, 2)


def test_it_ends_when_the_time_does() -> None:
    clock = Clock()
    with receiving((503, {})) as server:
        outcome = deliver(server.url, within=5, clock=clock)
    error = failure(outcome)
    # The pauses are not waited for here: 1, 2 and 4 fit into what is left, 8 does not.
    assert (outcome.attempts, clock.pauses) == (4, [1, 2, 4])
    assert (type(error), error.key) == (Unavailable, "webhook_no_answer")
    assert "(HTTP 503)" in str(error)
    assert str(error).endswith("Attempts: 4.")


def test_pauses_have_a_longest() -> None:
    clock = Clock()
    with receiving(*[(500, {})] * 8, OK) as server:
        assert deliver(server.url, within=100, clock=clock).delivered
    assert clock.pauses == [1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize(
    ("asked", "pauses"),
    [
        ("7", [7]),
        ("0", [1]),
        ("120", None),
        ("-3", [1]),
        ("soon", [1]),
        ("9" * 30, [1]),
        ("Thu, 01 Jan 1970 00:00:00 GMT", [1]),
        ("Thu, 01 Jan 999999 00:00:00 GMT", [1]),
    ],
)
def test_the_receiver_may_ask_to_wait(asked: str, pauses: list[float] | None) -> None:
    clock = Clock()
    with receiving((429, {"Retry-After": asked}), OK) as server:
        outcome = deliver(server.url, clock=clock)
    if pauses is None:  # longer than there is time
        assert failure(outcome).key == "webhook_no_answer"
        assert clock.pauses == []
    else:
        assert (outcome.delivered, clock.pauses) == (True, pauses)


def test_the_receiver_may_name_a_date() -> None:
    clock = Clock()
    with receiving((503, {"Retry-After": email.utils.formatdate(time.time() + 20, usegmt=True)}), OK) as server:
        assert deliver(server.url, clock=clock).delivered
    assert 15 < clock.pauses[0] <= 20


def test_silence_is_cut_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opskit.webhook.delivery._ATTEMPT_S", 0.1)
    with receiving((-1, {}), OK) as server:
        outcome = deliver(server.url)
    assert (outcome.delivered, outcome.attempts) == (True, 2)


def test_silence_to_the_end_is_told() -> None:
    with receiving((-1, {})) as server:
        outcome = deliver(server.url, within=0.2)
    assert failure(outcome).key == "webhook_no_answer"
    assert "(timeout)" in str(outcome.error)


def test_no_connection_is_tried_again_and_told() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        outcome = deliver(f"http://127.0.0.1:{closed.getsockname()[1]}{PATH}", within=3)
    error = failure(outcome)
    assert (type(error), error.key, outcome.attempts) == (Unavailable, "webhook_not_reached", 3)


def test_without_time_nothing_is_sent() -> None:
    with receiving() as server:
        outcome = deliver(server.url, within=-1)
    assert (failure(outcome).key, outcome.attempts, server.seen) == ("webhook_no_time", 0, [])


@pytest.mark.parametrize(("private", "denied"), [(False, ""), (True, "1")])
def test_inside_the_network_only_where_both_allow_it(
    private: bool,  # noqa: FBT001
    denied: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPSKIT_DENY_PRIVATE", denied)
    with receiving() as server:
        outcome = deliver(server.url, private=private)
    error = failure(outcome)
    assert (type(error), error.key, server.seen) == (Refused, "address_refused", [])
    assert "allow_private" in str(error)


def test_credentials_of_a_cloud_are_never_reached() -> None:
    assert failure(deliver("http://169.254.169.254/latest")).key == "address_refused"


@pytest.mark.parametrize(
    ("url", "secret", "kind", "key"),
    [
        ("ftp://host.example/x", SECRET, InvalidInput, "webhook_url"),
        ("host.example", SECRET, InvalidInput, "webhook_url"),
        ("", SECRET, InvalidInput, "webhook_url"),
        ("https://user:pass@host.example", SECRET, InvalidInput, "webhook_url"),
        ("https://host.example", "", InvalidCredentials, "missing_secret"),
        ("https://host.example", "whsec_?", InvalidCredentials, "webhook_secret"),
    ],
)
def test_settings_are_looked_at_before_a_run(url: str, secret: str, kind: type[OpskitError], key: str) -> None:
    with pytest.raises(kind, match=rf"^\[{key}\]"):
        webhook.checked_target(url, secret)
    outcome = deliver(url, secret=secret)
    assert (failure(outcome).key, outcome.attempts) == (key, 0)


def test_good_settings_pass() -> None:
    webhook.checked_target(f"https://host.example{PATH}", SECRET)


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ({"half": "a\ud83d"}, '{"half":"a\ufffd"}'),
        ({"number": float("nan")}, '{"number":null}'),
        ({"odd": {1}}, '{"odd":[1]}'),
        ({"kind": dict}, '{"kind":"<class \'dict\'>"}'),
    ],
)
def test_what_json_does_not_know_is_written_all_the_same(event: dict[str, Any], body: str) -> None:
    with receiving() as server:
        assert deliver(server.url, event=event).delivered
    assert server.seen[0][1].decode() == body


def test_an_event_that_cannot_be_written_is_told() -> None:
    event: dict[str, Any] = {}
    for _ in range(100_000):
        event = {"in": event}
    with receiving() as server:
        assert failure(deliver(server.url, event=event)).key == "webhook_unwritable"
    assert server.seen == []
    while event:  # taken apart by hand: Python itself would go too deep
        event = event["in"]


def test_an_id_fits_into_a_header() -> None:
    with receiving() as server:
        assert deliver(server.url, event_id="run.1\r\nX-Evil: 好" + "x" * 200).delivered
    assert server.seen[0][0]["webhook-id"] == ("run-1--X-Evil---" + "x" * 200)[:128]
