"""One run of one app: the answer as it comes, how it ended, and the webhook that tells of it."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from devtools.dify_server import App, DifyServer
from devtools.workspace import Port, Workspace
from opskit import app_run, webhook
from opskit.app_run import Completion, Job, Speech
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, Refused, Unavailable
from opskit.redaction import Blank

CALLER = "11111111-2222-3333-4444-555555555555"
SECRET = "whsec_" + "c2VjcmV0LWZvci10aGUtdGVzdHMtb25seS0xMjM0"
TOPIC = [{"text-input": {"variable": "topic", "label": "Topic", "required": True}}]


@pytest.fixture
def dify() -> Iterator[DifyServer]:
    with DifyServer() as running:
        yield running


@dataclass
class Receiver:
    """Takes webhooks, and answers with ``statuses`` in turn, then with 200."""

    statuses: list[int] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.requests]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests.append((dict(self.headers.items()), body))
            self.send_response(told.statuses.pop(0) if told.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told.url = f"http://127.0.0.1:{server.server_port}/hook?token=secret-in-address"
        yield told
        server.shutdown()


def job(dify: DifyServer, app: App, /, **given: Any) -> Job:
    dify.add(app)
    keys = f"other=app-another-key\n{app.name}={app.key}"
    return Job.model_validate({"app": app.name, "app_keys": keys, "base_url": dify.url, "query": "What?"} | given)


def run(dify: DifyServer, app: App, /, *, speech: Speech | None = None, **given: Any) -> Completion:
    return app_run.run(job(dify, app, **given), Port(Workspace(), CALLER), speech)


def told(receiver: Receiver) -> dict[str, Any]:
    return {"webhook_url": receiver.url, "webhook_secret": SECRET, "allow_private": True}


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


# The run


@pytest.mark.parametrize("mode", ["workflow", "advanced-chat", "chat", "agent-chat", "completion"])
def test_an_app_of_any_kind_is_run_to_its_end(dify: DifyServer, mode: str) -> None:
    speech = Speech()
    done = run(dify, App("legal", mode, answer="You may sue."), speech=speech)
    assert (done.status, done.answer, done.error) == ("succeeded", "You may sue.", "")
    outputs = {"workflow": {"text": done.answer}, "advanced-chat": {"answer": done.answer, "files": []}}
    assert done.outputs == outputs.get(mode, {})
    assert bool(done.run_id) == (mode in {"workflow", "advanced-chat"})
    assert bool(done.conversation_id) == ("chat" in mode)
    assert done.task_id
    assert done.total_tokens == 12
    assert "".join(speech.untold) == speech.said == "You may sue."
    assert (done.webhook_delivered, done.webhook_error) == (False, "")
    assert done.report.startswith("Succeeded · ")
    assert done.report.endswith(" s · 12 tokens\n\nYou may sue.")


def test_a_conversation_goes_on(dify: DifyServer) -> None:
    first = run(dify, app := App("chat", "chat"))
    second = run(dify, app, conversation_id=first.conversation_id)
    assert second.conversation_id == first.conversation_id != ""


def test_an_app_of_the_workspace_needs_no_key() -> None:
    with Workspace() as workspace:
        app = workspace.add(App("flow", form=TOPIC, answer="here"))
        done = app_run.run(Job(app=app.id, inputs={"topic": "x"}), Port(workspace, CALLER))
        assert (done.status, done.answer, done.outputs) == ("succeeded", "here", {"text": "here"})
        assert workspace.runs[0].inputs == {"topic": "x"}


def test_the_default_time_is_shortened_for_an_app_of_the_workspace() -> None:
    with Workspace() as workspace:
        app = workspace.add(App("flow"))
        assert app_run.run(Job(app=app.id), Port(workspace, CALLER)).status == "succeeded"
        assert app_run.run(Job(app=app.id, timeout_s=300), Port(workspace, CALLER)).status == "succeeded"


def test_a_run_that_fails_half_way_says_so_behind_what_it_said(dify: DifyServer) -> None:
    speech = Speech()
    done = run(dify, App("legal", "chat", fault="error_event"), speech=speech)
    assert speech.said == f"{done.answer}\n\n{done.error}"
    assert done.error.startswith("[dify_model_failed]")


def test_the_answer_is_said_as_it_comes(dify: DifyServer) -> None:
    speech = Speech()
    done: list[Completion] = []
    app = App("slow", answer="first, second", pieces=2, seconds=2)
    thread = threading.Thread(target=lambda: done.append(run(dify, app, speech=speech)))
    thread.start()
    eventually(lambda: bool(speech.untold))
    assert not done
    assert speech.said == "first,"
    thread.join()
    assert speech.said == "first, second"


@pytest.mark.parametrize(
    ("given", "status", "error"),
    [
        ({"status": "partial-succeeded"}, "partial_succeeded", ""),
        ({"fault": "failed_run"}, "failed", "[dify_run_failed]"),
        ({"mode": "chat", "fault": "error_event"}, "failed", "[dify_model_failed]"),
        ({"fault": "paused"}, "paused", "[run_paused]"),
        ({"status": "stopped"}, "stopped", "[run_stopped]"),
        ({"fault": "cut"}, "succeeded", ""),
        ({"mode": "chat", "fault": "cut"}, "failed", "[stream_cut]"),
    ],
)
def test_how_it_ended_is_a_result(dify: DifyServer, given: dict[str, Any], status: str, error: str) -> None:
    done = run(dify, App("legal", **given))
    assert done.status == status
    assert done.error.startswith(error)
    assert bool(done.error) == bool(error)
    assert done.error in done.report


@pytest.mark.parametrize("stop", [False, True])
def test_a_run_that_outlives_its_time_is_told_with_its_id_and_goes_on_unless_it_is_stopped(
    dify: DifyServer, *, stop: bool
) -> None:
    done = run(dify, App("slow", answer="one two", pieces=2, seconds=3), timeout_s=2, stop_on_timeout=stop)
    assert (done.status, done.answer) == ("timed_out", "one")
    assert done.run_id == dify.runs[0].run_id
    assert done.task_id == dify.runs[0].task_id
    assert "[run_too_slow]" in done.error
    assert done.elapsed_ms < 5_000
    assert done.report.startswith("Not finished in time, and stopped" if stop else "Not finished in time; it may go on")
    if stop:
        eventually(lambda: dify.stopped == [("slow", done.task_id)])
    else:
        eventually(lambda: dify.runs[0].status == "succeeded")
        assert dify.stopped == []


def test_one_that_never_says_a_byte_is_too_slow_as_well(dify: DifyServer) -> None:
    done = run(dify, App("hanging", fault="hang"), timeout_s=1)
    assert (done.status, done.run_id) == ("timed_out", "")


@pytest.mark.parametrize(
    ("key", "kind", "given"),
    [
        ("unknown_target", InvalidInput, {"app": "nobody"}),
        ("calls_itself", InvalidInput, {"app": CALLER}),
        ("deadline_too_long", InvalidInput, {"app": CALLER.replace("1", "9"), "timeout_s": 221}),
        ("webhook_url", InvalidInput, {"webhook_url": "nowhere", "webhook_secret": "s"}),
        ("missing_secret", InvalidCredentials, {"webhook_url": "https://example.com/hook"}),
        ("own_header", InvalidInput, {"extra_headers": "Authorization: x"}),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_is_sent(
    dify: DifyServer, key: str, kind: type[OpskitError], given: dict[str, Any]
) -> None:
    with pytest.raises(kind) as failure:
        run(dify, App("legal"), **given)
    assert failure.value.key == key
    assert dify.requests == []


@pytest.mark.parametrize(
    ("key", "app"),
    [
        ("dify_key", App("a", fault="key_gone_401")),
        ("dify_down", App("a", fault="500")),
        ("dify_busy", App("a", fault="rate_limit_400")),
        ("inputs_refused", App("a", form=TOPIC)),
        ("dify_app_unavailable", App("a", published=False)),
    ],
)
def test_a_run_that_could_not_be_begun_is_an_error(dify: DifyServer, key: str, app: App) -> None:
    with pytest.raises(OpskitError) as failure:
        run(dify, app)
    assert failure.value.key == key


def test_the_calling_app_is_not_run(dify: DifyServer) -> None:
    done = run(dify, App("caller", id=CALLER, seconds=30))
    assert done.status == "failed"
    assert "[calls_itself]" in done.error
    eventually(lambda: bool(dify.stopped))


# The webhook


def test_the_end_is_told_signed_both_ways(dify: DifyServer, receiver: Receiver) -> None:
    done = run(dify, App("legal", "chat", answer="Sue."), **told(receiver))
    assert (done.webhook_delivered, done.webhook_error) == (True, "")
    assert "webhook delivered" in done.report
    [(headers, body)] = receiver.requests
    webhook.verified(headers, body, secrets=[SECRET], now=time.time())
    assert headers["Dify-Signature"].startswith("sha256=")
    event = json.loads(body)
    assert abs(event.pop("timestamp") - time.time()) < 60
    assert event == {
        "task_id": done.task_id,
        "run_id": "",
        "status": "completed",
        "data": {
            "answer": "Sue.",
            "outputs": {},
            "usage": {"total_tokens": 12, "total_price": "0.0000140", "currency": "USD"},
        },
        "error": None,
    }


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"status": "partial-succeeded"}, "completed", None),
        ({"fault": "failed_run"}, "failed", "dify_run_failed"),
        ({"fault": "paused"}, "failed", "run_paused"),
        ({"status": "stopped"}, "failed", "run_stopped"),
        ({"seconds": 30}, "failed", "run_too_slow"),
    ],
)
def test_anything_but_success_is_told_as_failed(
    dify: DifyServer, receiver: Receiver, given: dict[str, Any], status: str, code: str | None
) -> None:
    done = run(dify, App("legal", **given), timeout_s=3, **told(receiver))
    [event] = receiver.events
    assert event["status"] == status
    assert event["run_id"] == done.run_id != ""
    assert (event["error"] and event["error"]["code"]) == code
    assert not event["error"] or event["error"]["message"] == done.error


def test_a_delivery_is_tried_again_with_the_same_id_and_its_failure_is_an_output(
    dify: DifyServer, receiver: Receiver
) -> None:
    receiver.statuses = [503]
    assert run(dify, App("legal"), **told(receiver)).webhook_delivered
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1 != len(receiver.requests)
    receiver.statuses = [404]
    done = run(dify, App("tax"), **told(receiver))
    assert (done.status, done.webhook_delivered) == ("succeeded", False)
    assert done.webhook_error.startswith("[webhook_gone]")
    assert "webhook not delivered" in done.report
    assert "secret-in-address" not in done.model_dump_json()


def test_a_private_address_needs_to_be_allowed(dify: DifyServer, receiver: Receiver) -> None:
    done = run(dify, App("legal"), **told(receiver) | {"allow_private": False})
    assert not done.webhook_delivered
    assert done.webhook_error.startswith("[address_refused]")
    assert receiver.requests == []


def test_a_run_that_could_not_be_begun_is_told_too(dify: DifyServer, receiver: Receiver) -> None:
    with pytest.raises(Unavailable, match=r"\[dify_down\].*The webhook was told\."):
        run(dify, App("legal", fault="500"), **told(receiver))
    assert receiver.events[0]["status"] == "failed"
    assert receiver.events[0]["error"]["code"] == "dify_down"
    receiver.statuses = [400]
    with pytest.raises(Refused, match=r"\[dify_forbidden\].*The webhook could not be told\."):
        run(dify, App("tax", enabled=False), **told(receiver))


def test_time_is_kept_for_the_delivery() -> None:
    assert Job(app="a").run_s == 300
    assert Job(app="a", webhook_url="https://example.com").run_s == 270
    assert Job(app="a", webhook_url="https://example.com", timeout_s=10).run_s == 5


# Secrets


def test_no_secret_is_said_told_or_given(dify: DifyServer, receiver: Receiver) -> None:
    app = App("echo", "chat", answer="It was:", fault="echo_key_answer", pieces=7)
    speech = Speech()
    done = run(dify, app, speech=speech, **told(receiver))
    for text in (done.model_dump_json(), speech.said, receiver.requests[0][1].decode()):
        assert app.key not in text
        assert "***" in text
    assert speech.said == done.answer


def test_a_secret_that_comes_in_pieces_is_not_said(dify: DifyServer) -> None:
    speech = Speech()
    speech.blank = Blank(["app-secret-key", "ap"])
    for piece in ("my a", "pp app-sec", "ret-", "key! app-s", "o"):
        speech.add(piece)
    assert speech.said == "my app ***! app-so"
    speech.add(" app-")
    assert speech.said == "my app ***! app-so "
    done = run(dify, App("legal", answer="the whole")).model_copy(update={"error": "[run_paused] The run waits."})
    speech.end(done)
    assert list(speech.untold)[-2:] == ["app-", "\n\n[run_paused] The run waits."]
    whole = Speech()
    whole.end(done.model_copy(update={"error": ""}))
    assert whole.said == "the whole"


def test_a_chinese_question_is_answered_in_chinese(dify: DifyServer) -> None:
    assert run(dify, App("legal"), query="合同合法吗？").report.startswith("成功 · ")
