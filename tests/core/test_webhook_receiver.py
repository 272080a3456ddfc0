import json
import threading
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest

from opskit import webhook
from opskit.errors import Conflict, InvalidCredentials, InvalidInput, OpskitError, Unavailable
from opskit.service import MAX_BODY, Answer, Request, Settings
from opskit.webhook import journal

SECRET, OLD, TOKEN = "fake-secret-0123456789abcdef", "whsec_ZmFrZS1vbGQtc2VjcmV0LTAxMjM0", "fake-token-0123456789"
NOW = 1_700_000_000.0
SET = Settings((SECRET, OLD), "", TOKEN)
STARTING = Settings((SECRET,), "app-1", TOKEN)
STARTED = {"event": "workflow_started", "task_id": "t"}
RECEIVED = Answer(200, {"received": True})


class Shelf:
    """Storage in a dict; ``broken`` names what fails from now on."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.broken: set[str] = set()
        self.log: list[str] = []

    def _asked(self, what: str) -> None:
        self.log.append(what)
        if what in self.broken:
            raise Unavailable("storage_unavailable", problem="full")

    def get(self, key: str) -> bytes | None:
        assert len(key) <= 256
        self._asked("get")
        return self.kept.get(key)

    def set(self, key: str, value: bytes) -> None:
        assert len(value) < 2_000_000
        self._asked("set")
        self.kept[key] = value

    def delete(self, key: str) -> None:
        self._asked("delete")
        self.kept.pop(key, None)


class Apps:
    """Starts apps: remembers what was asked, and streams the events."""

    def __init__(self, *events: Mapping[str, Any] | OpskitError, then: Callable[[], None] = lambda: None) -> None:
        self.events, self.then = events, then
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.read = 0
        self.is_closed = False

    def start(self, app_id: str, inputs: Mapping[str, str], query: str) -> Generator[Mapping[str, Any]]:
        self.asked.append((app_id, dict(inputs), query))
        self.then()
        try:
            for event in self.events:
                if isinstance(event, OpskitError):
                    raise event
                self.read += 1
                yield event
        finally:
            self.is_closed = True


def event(**given: Any) -> dict[str, Any]:
    return {"task_id": "task-1", "run_id": "run-1", "status": "completed", "data": {"answer": "好"}} | given


def request(
    body: object = None,
    *,
    event_id: str = "msg_1",
    secret: str = SECRET,
    now: float = NOW,
    without: tuple[str, ...] = (),
    endpoint: str = "endpoint-1",
) -> Request:
    content = body if isinstance(body, bytes) else json.dumps(event() if body is None else body).encode()
    signed = webhook.signed(secret, content, event_id=event_id, timestamp=int(now))
    headers = {name.lower(): value for name, value in signed.items() if name.lower() not in without}
    return Request(endpoint, headers, {}, content)


DIFY_ONLY = ("webhook-id", "webhook-timestamp", "webhook-signature")
STANDARD_ONLY = ("dify-signature",)


def receive(
    call: Request, shelf: Shelf, *, settings: Settings = SET, apps: Apps | None = None, now: float = NOW
) -> Answer:
    return webhook.receive(call, settings, shelf, apps or Apps(), now)


def events(shelf: Shelf, task_id: str = "task-1", endpoint: str = "endpoint-1") -> list[dict[str, Any]]:
    return journal.Journal(shelf, endpoint).events(task_id)


@pytest.mark.parametrize("secret", [SECRET, OLD])
@pytest.mark.parametrize("without", [(), DIFY_ONLY, STANDARD_ONLY])
def test_an_event_is_received_once_by_either_signature(secret: str, without: tuple[str, ...]) -> None:
    shelf = Shelf()
    call = request(secret=secret, without=without)
    assert receive(call, shelf) == RECEIVED
    with pytest.raises(Conflict, match="webhook_replayed"):
        receive(call, shelf)
    (kept,) = events(shelf)
    assert kept == {
        "received_at": "2023-11-14T22:13:20+00:00",
        "event_id": "" if without == DIFY_ONLY else "msg_1",
        "type": "",
        "task_id": "task-1",
        "run_id": "run-1",
        "status": "completed",
        "body": call.body.decode(),
        "shortened": False,
    }


def test_a_replay_is_refused_whatever_is_stripped_off() -> None:
    shelf = Shelf()
    receive(request(), shelf)
    for without in ((), DIFY_ONLY, STANDARD_ONLY):
        with pytest.raises(Conflict):
            receive(request(without=without), shelf)
    # Another id is another event, as its sender says; the body alone says nothing of the kind.
    assert receive(request(event_id="msg_2"), shelf) == RECEIVED
    # An id that no signature covers is not believed.
    forged = request(without=("webhook-signature",))
    with pytest.raises(Conflict):
        receive(Request("endpoint-1", dict(forged.headers) | {"webhook-id": "msg_3"}, {}, forged.body), shelf)


def test_endpoints_do_not_know_of_each_other() -> None:
    shelf = Shelf()
    assert receive(request(), shelf) == RECEIVED
    assert receive(request(endpoint="endpoint-2"), shelf) == RECEIVED
    assert len(events(shelf)) == len(events(shelf, endpoint="endpoint-2")) == 1


@pytest.mark.parametrize(
    ("call", "settings", "kind", "key"),
    [
        (request(secret="wrong-fake-secret"), SET, InvalidCredentials, "webhook_signature"),
        (request(now=NOW - 301), SET, InvalidCredentials, "webhook_time"),
        (request(now=NOW + 301), SET, InvalidCredentials, "webhook_time"),
        (Request("", {}, {}, b"{}"), SET, InvalidCredentials, "webhook_unsigned"),
        (request(), Settings(), InvalidCredentials, "webhook_no_secrets"),
        (request(), Settings((SECRET, "whsec_?")), InvalidCredentials, "webhook_secrets_unusable"),
        (request(b"{"), SET, InvalidInput, "webhook_not_json"),
        (request(b"[]"), SET, InvalidInput, "webhook_not_json"),
        (request(b"\xff\xfe{\x00}\x00"), SET, InvalidInput, "webhook_not_json"),
        (request(b"[" * 200_000), SET, InvalidInput, "webhook_not_json"),
        (request(b" " * MAX_BODY), SET, InvalidInput, "body_too_large"),
    ],
)
def test_what_is_not_in_order_is_refused_and_leaves_nothing(
    call: Request, settings: Settings, kind: type[OpskitError], key: str
) -> None:
    shelf = Shelf()
    with pytest.raises(kind, match=rf"^\[{key}\]") as told:
        receive(call, shelf, settings=settings)
    assert shelf.kept == {}
    assert "fake" not in str(told.value)


def test_an_app_is_started_with_the_event_and_not_waited_for() -> None:
    shelf, apps = Shelf(), Apps({"event": "ping"}, {}, STARTED, {"event": "workflow_finished"})
    given = event(type="run.done", error={"code": "x"}, data={"answer": "好", "outputs": {"n": 1}, "status": "no"})
    call = request(given)
    assert receive(call, shelf, settings=STARTING, apps=apps) == RECEIVED
    ((app_id, inputs, query),) = apps.asked
    assert app_id == "app-1"
    assert query
    assert inputs == {
        "event": call.body.decode(),
        "type": "run.done",
        "task_id": "task-1",
        "run_id": "run-1",
        "status": "completed",
        "answer": "好",
        "outputs": '{"n": 1}',
        "error": '{"code": "x"}',
    }
    assert (apps.read, apps.is_closed) == (3, True)
    assert len(events(shelf)) == 1
    with pytest.raises(Conflict):
        receive(call, shelf, settings=STARTING, apps=apps)
    assert len(apps.asked) == 1


def test_what_an_event_does_not_say_is_an_empty_input() -> None:
    apps = Apps({"event": "message"})
    receive(request({"data": [1], "task_id": 7, "error": None}), Shelf(), settings=STARTING, apps=apps)
    inputs = apps.asked[0][1]
    assert inputs.pop("event") == '{"data": [1], "task_id": 7, "error": null}'
    assert inputs == dict.fromkeys(("type", "run_id", "status", "answer", "outputs", "error"), "") | {"task_id": "7"}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "no run"),
        ([{"event": "ping"}], "no run"),
        ([{"event": "error", "message": "quota", "code": "x"}], "quota"),
        ([{"event": "error", "code": "x"}], "x"),
        ([{"event": "error"}], "error"),
        ([Unavailable("webhook_app_not_started", problem="app not found")], "app not found"),
    ],
)
def test_an_event_whose_app_does_not_start_can_be_sent_again(given: list[Any], problem: str) -> None:
    shelf, apps = Shelf(), Apps(*given)
    with pytest.raises(Unavailable, match=rf"\[webhook_app_not_started\].*\({problem}\)"):
        receive(request(), shelf, settings=STARTING, apps=apps)
    assert apps.is_closed
    assert events(shelf) == []
    assert receive(request(), shelf, settings=STARTING, apps=Apps(STARTED)) == RECEIVED


def test_an_event_too_large_for_an_app_is_refused_before_it_is_started() -> None:
    apps = Apps(STARTED)
    call = request({"data": {"answer": "é" * 400_000}})
    with pytest.raises(InvalidInput, match="webhook_event_too_large"):
        receive(call, Shelf(), settings=STARTING, apps=apps)
    assert apps.asked == []
    assert receive(call, Shelf()) == RECEIVED


@pytest.mark.parametrize("what", ["get", "set"])
def test_without_storage_nothing_is_started_and_nothing_received(what: str) -> None:
    for settings in (SET, STARTING):
        shelf, apps = Shelf(), Apps(STARTED)
        shelf.broken = {what}
        with pytest.raises(Unavailable, match="storage_unavailable"):
            receive(request(), shelf, settings=settings, apps=apps)
        assert apps.asked == []
        shelf.broken = set()
        assert receive(request(), shelf, settings=settings, apps=apps) == RECEIVED


def test_a_run_that_has_begun_is_not_started_again_because_of_storage() -> None:
    shelf = Shelf()
    apps = Apps(STARTED, then=lambda: shelf.broken.add("set"))
    assert receive(request(), shelf, settings=STARTING, apps=apps) == RECEIVED


def test_the_same_event_twice_at_once_is_started_once() -> None:
    shelf, begun, go_on = Shelf(), threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(10)

    slow = Apps(STARTED, then=wait)
    answers: list[Answer] = []
    first = threading.Thread(target=lambda: answers.append(receive(request(), shelf, settings=STARTING, apps=slow)))
    first.start()
    assert begun.wait(10)
    with pytest.raises(Unavailable, match="webhook_under_way"):
        receive(request(), shelf, settings=STARTING, apps=Apps(STARTED))
    # Other events are not held up by it.
    assert receive(request(event_id="msg_2"), shelf, settings=STARTING, apps=Apps(STARTED)) == RECEIVED
    go_on.set()
    first.join()
    assert answers == [RECEIVED]
    with pytest.raises(Conflict):
        receive(request(), shelf, settings=STARTING, apps=Apps(STARTED))


def test_many_at_once_lose_nothing() -> None:
    shelf = Shelf()
    calls = [request(event(n=number), event_id=f"msg_{number}") for number in range(20)]
    threads = [threading.Thread(target=receive, args=(call, shelf)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(events(shelf)) == 20
    assert journal.Journal(shelf, "endpoint-1").counts()["received"] == 20


# What is kept


def test_what_was_received_survives_a_restart() -> None:
    shelf = Shelf()
    receive(request(), shelf)
    other = Shelf()
    other.kept = dict(shelf.kept)
    with pytest.raises(Conflict):
        receive(request(), other)


def test_the_ring_of_known_events_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_MARKS", 6)
    shelf = Shelf()
    for number in range(4):
        receive(request(event(n=number), event_id=f"msg_{number}"), shelf)
    for number in (1, 2, 3):
        with pytest.raises(Conflict):
            receive(request(event(n=number), event_id=f"msg_{number}"), shelf)
    assert receive(request(event(n=0), event_id="msg_0"), shelf) == RECEIVED


def test_a_task_keeps_its_last_events_each_shortened() -> None:
    shelf = Shelf()
    for number in range(22):
        receive(request(event(n=number, long="好" * 5000), event_id=f"msg_{number}"), shelf)
    kept = events(shelf)
    assert [one["event_id"] for one in kept] == [f"msg_{number}" for number in range(2, 22)]
    assert {len(one["body"]) for one in kept} == {journal.MAX_CHARS}
    assert all(one["shortened"] for one in kept)
    assert sum(map(len, shelf.kept.values())) < 300_000


def test_long_names_do_not_fill_the_journal() -> None:
    shelf = Shelf()
    receive(request(event(status="x" * 10_000, run_id={"odd": "y" * 10_000})), shelf)
    assert {len(events(shelf)[0][name]) for name in ("status", "run_id")} == {200}


def test_the_oldest_task_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_TASKS", 3)
    shelf = Shelf()
    for number, task in enumerate(("a", "b", "c", "a", "d", "e")):
        receive(request(event(task_id=task), event_id=f"msg_{number}"), shelf)
    assert [len(events(shelf, task)) for task in "abcde"] == [2, 0, 0, 1, 1]
    assert len(shelf.kept) == 4


def test_a_full_journal_is_small() -> None:
    entry = journal.Entry(
        received_at=journal.moment(NOW), event_id="", type="", task_id="t", run_id="", status="",
        body="\u0001" * journal.MAX_CHARS, shortened=True,
    )  # fmt: skip
    index = journal._Index(  # noqa: SLF001
        marks=tuple(f"i{number:022}" for number in range(journal.MAX_MARKS)),
        tasks=tuple(f"{number:022}" for number in range(journal.MAX_TASKS)),
    )
    assert len(index.model_dump_json()) < 150_000
    assert len(json.dumps([entry.model_dump()] * journal.MAX_EVENTS)) < 600_000


def test_half_a_value_is_taken_for_none() -> None:
    shelf = Shelf()
    receive(request(), shelf)
    shelf.kept = {key: value[: len(value) // 2] for key, value in shelf.kept.items()}
    assert events(shelf) == []
    assert receive(request(event_id="msg_2"), shelf) == RECEIVED
    assert [one["event_id"] for one in events(shelf)] == ["msg_2"]


def test_an_index_without_its_task_is_a_task_without_events() -> None:
    shelf = Shelf()
    receive(request(), shelf)
    shelf.kept = {key: value for key, value in shelf.kept.items() if key.endswith("index")}
    assert receive(request(event_id="msg_2"), shelf) == RECEIVED
    assert len(events(shelf)) == 1


# Status


def status(shelf: Shelf, *, token: str = "", **query: str) -> Answer:
    call = Request("endpoint-1", {"authorization": f"Bearer {token}"} if token else {}, query)
    return webhook.status(call, SET, shelf, "1.2.3")


def test_the_status_counts() -> None:
    shelf = Shelf()
    nothing = {"status": "up", "version": "1.2.3", "storage": "ok", "received": 0, "last_received_at": None}
    assert status(shelf) == Answer(200, nothing)
    receive(request(), shelf)
    receive(request(event_id="msg_2"), shelf, now=NOW + 60)
    told = status(shelf).payload
    assert (told["received"], told["last_received_at"]) == (2, "2023-11-14T22:14:20+00:00")
    assert "events" not in told


def test_the_status_shows_events_to_whoever_has_the_token() -> None:
    shelf = Shelf()
    receive(request(), shelf)
    told = status(shelf, token=TOKEN, task_id="task-1").payload
    assert [one["event_id"] for one in told["events"]] == ["msg_1"]
    assert (told["task_id"], told["received"]) == ("task-1", 1)
    assert status(shelf, token=TOKEN, task_id="task-2").payload["events"] == []
    for token in ("", "wrong"):
        with pytest.raises(InvalidCredentials):
            status(shelf, token=token, task_id="task-1")


def test_without_storage_the_plugin_is_up_all_the_same() -> None:
    shelf = Shelf()
    shelf.broken = {"get"}
    told = status(shelf).payload
    assert (told["status"], told["storage"], told["received"]) == ("up", "unavailable", None)
    with pytest.raises(Unavailable):
        status(shelf, token=TOKEN, task_id="task-1")


def test_what_is_delivered_is_received() -> None:
    """Both halves agree: the headers and bytes that one makes are those that the other reads."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    shelf, answers = Shelf(), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Request("endpoint-1", headers, {}, body)
            answers.append(receive(call, shelf, now=time.time()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        sent = webhook.deliver(
            event(),
            url=f"http://127.0.0.1:{server.server_port}/e/x/webhook/dify",
            secret=SECRET,
            private=True,
            ends=time.monotonic() + 10,
            event_id="run-1",
        )
        thread.join()
    assert sent.delivered
    assert answers == [RECEIVED]
    assert [one["event_id"] for one in events(shelf)] == ["run-1"]
