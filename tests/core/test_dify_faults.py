"""The Dify on this machine goes wrong in exactly the way that is asked for, and the books tell the truth of it."""

import http.client
import json
import re
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from devtools import dify_server
from devtools.dify_server import BEFORE_A_RUN, CONSOLE_FAULTS, FAULTS, PLACES, WITHIN_A_RUN, App, DifyServer, Pace

PACE = Pace(ping_s=0.2, silence_s=0.4, drip_s=0.001)
PATHS = {"workflow": "workflows/run", "completion": "completion-messages"}
GRAPH = ["workflow_started", "node_started", "node_finished", "node_started"]
ENDS = ["node_finished", "node_started", "node_finished"]
REFUSED = {
    "500": (500, "unknown"),
    "app_gone_403": (403, "forbidden"),
    "echo_key": (400, "invalid_param"),
    "key_gone_401": (401, "unauthorized"),
    "model_currently_not_support": (400, "model_currently_not_support"),
    "provider_error_400": (400, "completion_request_error"),
    "provider_not_initialize": (400, "provider_not_initialize"),
    "provider_quota_exceeded": (400, "provider_quota_exceeded"),
    "quota_429": (429, "rate_limit_error"),
    "rate_limit_400": (400, "invalid_param"),
    "rate_limit_429": (429, "too_many_requests"),
}
PAGES = {"html_200": 200, "html_404": 404, "502": 502, "504": 504}
type Event = dict[str, Any]


@dataclass
class Answer:
    """What came, and what ended it."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: Exception | None = None

    @property
    def lines(self) -> list[bytes]:
        """The frames of a stream."""
        return self.body.removesuffix(b"\n\n").split(b"\n\n")

    @property
    def events(self) -> list[Event]:
        """The events of a stream."""
        return [json.loads(line.removeprefix(b"data: ")) for line in self.lines if line.startswith(b"data: ")]

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [event["event"] for event in self.events]


@pytest.fixture
def dify() -> Iterator[DifyServer]:
    with DifyServer(pace=PACE) as server:
        yield server


def ask(dify: DifyServer, app: App, mode: str = "streaming", *, timeout: float = 5, most: int = 1_000_000) -> Answer:
    body = json.dumps({"inputs": {}, "user": "u1", "query": "hi", "response_mode": mode})
    return call(dify, app, "POST", PATHS.get(app.mode, "chat-messages"), body, timeout=timeout, most=most)


def call(
    dify: DifyServer, app: App, method: str, path: str, body: str = "", *, timeout: float = 5, most: int = 1_000_000
) -> Answer:
    answer = Answer()
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(dify.url).port or 0, timeout=timeout)
    headers = {"Authorization": f"Bearer {app.key}", "Content-Type": "application/json"}
    try:
        connection.request(method, f"/v1/{path}", body, headers)
        with connection.getresponse() as response:
            answer.status = response.status
            answer.headers = {name.lower(): value for name, value in response.headers.items()}
            while len(answer.body) < most and (piece := response.read1(65_536)):
                answer.body += piece
            if response.length:  # read1 says nothing of what is missing
                raise http.client.IncompleteRead(answer.body, response.length)
    except (OSError, http.client.HTTPException) as error:
        answer.failure = error
    finally:
        connection.close()
    return answer


def status_of(dify: DifyServer, number: int = -1) -> str:
    run = dify.runs[number]
    run.app.next_fault("status")
    return str(json.loads(call(dify, run.app, "GET", f"workflows/run/{run.run_id}").body)["status"])


def named_in(tables: str) -> list[str]:
    """The names at the beginning of the rows."""
    rows = re.findall(r"^([0-9a-z_]+(?:, [0-9a-z_]+)*) {2,}\S", tables, re.MULTILINE)
    return [name for row in rows for name in row.split(", ")]


def test_the_table_of_faults_is_whole() -> None:
    of_runs, _, of_the_console = (dify_server.__doc__ or "").partition("The console is at")
    assert sorted(named_in(of_runs)) == sorted(FAULTS)
    assert sorted(named_in(of_the_console)) == sorted(CONSOLE_FAULTS)
    assert set(REFUSED) | set(PAGES) < set(BEFORE_A_RUN)
    assert set(BEFORE_A_RUN).isdisjoint(WITHIN_A_RUN)


@pytest.mark.parametrize("mode", ["streaming", "blocking"])
@pytest.mark.parametrize("fault", REFUSED)
def test_refusals(dify: DifyServer, fault: str, mode: str) -> None:
    app = dify.add(App("legal", fault=fault))
    answer = ask(dify, app, mode)
    told = json.loads(answer.body)
    assert (answer.status, told["code"], told["status"]) == (*REFUSED[fault], answer.status)
    assert answer.headers["content-type"] == "application/json"
    assert (app.key in told["message"]) is (fault == "echo_key")
    assert dify.runs == []


@pytest.mark.parametrize("fault", PAGES)
def test_pages(dify: DifyServer, fault: str) -> None:
    answer = ask(dify, dify.add(App("a", fault=fault)))
    assert (answer.status, answer.headers["content-type"]) == (PAGES[fault], "text/html; charset=utf-8")
    assert b"<" in answer.body
    assert dify.runs == []


def test_redirect(dify: DifyServer) -> None:
    app = dify.add(App("a", fault="redirect"))
    answer = ask(dify, app)
    assert (answer.status, answer.headers["location"], answer.body) == (302, f"{dify.root}/signin", b"")
    page = call(dify, app, "GET", "../signin")
    assert page.status == 404
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(dify.url).port or 0, timeout=5)
    connection.request("GET", "/signin")
    assert connection.getresponse().read().startswith(b"<!doctype html>")
    connection.close()
    app.location = "http://127.0.0.1:9/elsewhere"
    assert ask(dify, app).headers["location"] == "http://127.0.0.1:9/elsewhere"


@pytest.mark.parametrize("mode", ["streaming", "blocking"])
def test_json_200_error(dify: DifyServer, mode: str) -> None:
    answer = ask(dify, dify.add(App("a", fault="json_200_error", error="no")), mode)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body) == {"code": "invalid_param", "message": "no", "status": 400}


@pytest.mark.parametrize("mode", ["streaming", "blocking"])
def test_hang(dify: DifyServer, mode: str) -> None:
    answer = ask(dify, dify.add(App("a", fault="hang")), mode, timeout=0.7)
    assert isinstance(answer.failure, TimeoutError)
    assert (answer.status, dify.runs, len(dify.requests)) == (0, [], 1)


def test_silent(dify: DifyServer) -> None:
    app = dify.add(App("a", fault="silent"))
    began = time.monotonic()
    answer = ask(dify, app)
    assert (answer.status, answer.body, answer.failure) == (200, b"event: ping\n\n", None)
    assert 0.4 <= time.monotonic() - began < 2
    answer = ask(dify, app, timeout=0.2)
    assert (answer.body, type(answer.failure)) == (b"event: ping\n\n", TimeoutError)
    assert ask(dify, app, "blocking", timeout=0.7).status == 0
    assert dify.runs == []


@pytest.mark.parametrize("mode", ["streaming", "blocking"])
def test_reset_before(dify: DifyServer, mode: str) -> None:
    answer = ask(dify, dify.add(App("a", fault="reset_before")), mode)
    assert (answer.status, type(answer.failure), dify.runs) == (0, ConnectionResetError, [])


@pytest.mark.parametrize("mode", ["streaming", "blocking"])
def test_slow_headers(mode: str) -> None:
    with DifyServer(pace=Pace(drip_s=0.005)) as dify:
        app = dify.add(App("a", fault="slow_headers"))
        began = time.monotonic()
        answer = ask(dify, app, mode, timeout=0.3)
        assert (answer.status, answer.failure) == (200, None)
        assert time.monotonic() - began > 0.3
        assert dify.runs[0].status == "succeeded"
        dify.pace = Pace(drip_s=0.4)
        answer = ask(dify, app, mode, timeout=0.3)
        assert answer.status == 0
        assert len(dify.runs) == 2
        assert dify.until(lambda: dify.runs[1].ended)


@pytest.mark.parametrize("mode", ["streaming", "blocking"])
def test_endless(dify: DifyServer, mode: str) -> None:
    answer = ask(dify, dify.add(App("a", fault="endless")), mode, most=3_000_000)
    assert (answer.status, answer.failure) == (200, None)
    assert len(answer.body) >= 3_000_000
    assert b"\n" not in answer.body
    assert dify.runs == []


# Within a run


def test_failed_run_of_a_workflow(dify: DifyServer) -> None:
    app = dify.add(App("a", fault="failed_run", error="no model", pieces=1))
    answer = ask(dify, app)
    assert answer.names == [*GRAPH, "text_chunk", "node_finished", "workflow_finished"]
    node, end = answer.events[-2]["data"], answer.events[-1]["data"]
    assert (node["status"], end["status"], end["error"], end["outputs"]) == ("failed", "failed", "no model", {})
    answer = ask(dify, app, "blocking")
    told = json.loads(answer.body)["data"]
    assert (answer.status, told["status"], told["error"], told["outputs"]) == (200, "failed", "no model", {})
    assert status_of(dify) == "failed"


def test_failed_run_of_a_chatflow(dify: DifyServer) -> None:
    app = dify.add(App("a", "advanced-chat", fault="failed_run", error="no model", pieces=1))
    assert ask(dify, app).names == [*GRAPH, "message", "node_finished", "workflow_finished"]
    answer = ask(dify, app, "blocking")
    assert answer.status == 400
    assert json.loads(answer.body) == {"code": "invalid_param", "message": "Run failed: no model", "status": 400}
    app.fault = "failed_then_error"
    assert ask(dify, app).names[-2:] == ["workflow_finished", "error"]


@pytest.mark.parametrize("mode", ["chat", "agent-chat", "completion"])
@pytest.mark.parametrize("fault", ["failed_run", "error_event"])
def test_failed_run_without_a_graph(dify: DifyServer, mode: str, fault: str) -> None:
    app = dify.add(App("a", mode, fault=fault, error="no model"))
    answer = ask(dify, app)
    error = answer.events[-1]
    assert answer.status == 200
    assert (error["event"], error["code"], error["status"]) == ("error", "completion_request_error", 400)
    assert error["message"] == "no model"
    assert "task_id" not in error
    assert "message_end" not in answer.names
    if mode != "agent-chat":
        answer = ask(dify, app, "blocking")
        assert (answer.status, json.loads(answer.body)["code"]) == (400, "completion_request_error")
    assert {run.status for run in dify.runs} == {"failed"}


def test_error_event_of_a_graph(dify: DifyServer) -> None:
    app = dify.add(App("a", fault="error_event"))
    assert ask(dify, app).names == [*GRAPH, "text_chunk", "text_chunk", "error"]
    assert status_of(dify) == "failed"
    assert json.loads(ask(dify, app, "blocking").body)["data"]["status"] == "failed"


@pytest.mark.parametrize("mode", ["workflow", "advanced-chat"])
def test_paused(dify: DifyServer, mode: str) -> None:
    app = dify.add(App("a", mode, fault="paused", seconds=5))
    answer = ask(dify, app)
    assert answer.names == [*GRAPH, "human_input_required", "workflow_paused"]
    assert answer.events[-1]["data"]["status"] == "paused"
    assert status_of(dify) == "paused"
    answer = ask(dify, app, "blocking")
    told = json.loads(answer.body)
    if mode == "workflow":
        assert (answer.status, told["data"]["status"], told["data"]["finished_at"]) == (200, "paused", None)
    else:
        assert (answer.status, told["code"]) == (400, "invalid_param")


def test_other_ends_of_a_run(dify: DifyServer) -> None:
    partial = dify.add(App("a", status="partial-succeeded", pieces=1))
    end = ask(dify, partial).events[-1]["data"]
    assert (end["status"], end["error"], end["exceptions_count"]) == ("partial-succeeded", None, 1)
    assert json.loads(ask(dify, partial, "blocking").body)["data"]["outputs"]
    stopped = dify.add(App("b", status="stopped"))
    answer = ask(dify, stopped)
    assert answer.names == [*GRAPH, "text_chunk", "text_chunk", "workflow_finished"]
    assert (answer.events[-1]["data"]["status"], answer.events[-1]["data"]["error"]) == ("stopped", "Stopped by user.")
    assert json.loads(ask(dify, stopped, "blocking").body)["data"]["status"] == "stopped"
    assert status_of(dify) == "running"


@pytest.mark.parametrize("mode", ["workflow", "chat"])
def test_cut(dify: DifyServer, mode: str) -> None:
    app = dify.add(App("a", mode, fault="cut", seconds=0.6))
    answer = ask(dify, app)
    piece = "text_chunk" if mode == "workflow" else "message"
    assert (answer.names[-2:], answer.failure) == ([piece] * 2, None)
    run = dify.runs[0]
    assert (run.status, run.disconnected) == ("running", False)
    if mode == "workflow":
        assert status_of(dify) == "running"
        assert dify.until(lambda: run.ended)
        assert status_of(dify) == "succeeded"


def test_cut_running(dify: DifyServer) -> None:
    answer = ask(dify, dify.add(App("a", fault="cut_running")))
    assert (answer.names[-1], answer.failure) == ("text_chunk", None)
    time.sleep(0.1)
    assert (status_of(dify), dify.runs[0].ended) == ("running", None)


@pytest.mark.parametrize(
    ("fault", "failure"), [("cut_fin", http.client.IncompleteRead), ("reset", ConnectionResetError)]
)
@pytest.mark.parametrize("mode", ["streaming", "blocking"])
def test_broken_connections(dify: DifyServer, fault: str, failure: type[Exception], mode: str) -> None:
    answer = ask(dify, dify.add(App("a", fault=fault, seconds=0.2)), mode)
    assert answer.status in {0, 200}  # RST may overtake what was sent before it
    assert isinstance(answer.failure, failure)
    assert dify.until(lambda: dify.runs[0].ended)
    assert status_of(dify) == "succeeded"


@pytest.mark.parametrize("fault", ["cut", "cut_at_end", "cut_running"])
def test_half_an_answer_when_nothing_is_streamed(dify: DifyServer, fault: str) -> None:
    answer = ask(dify, dify.add(App("a", "chat", fault=fault)), "blocking")
    assert answer.status == 200
    assert answer.body.startswith(b'{"event":"message"')
    assert isinstance(answer.failure, http.client.IncompleteRead)


@pytest.mark.parametrize(
    ("mode", "last"),
    [
        ("workflow", "node_finished"),
        ("advanced-chat", "message_end"),
        ("chat", "message"),
        ("agent-chat", "agent_thought"),
    ],
)
def test_cut_at_end(dify: DifyServer, mode: str, last: str) -> None:
    answer = ask(dify, dify.add(App("a", mode, fault="cut_at_end")))
    assert (answer.names[-1], answer.failure, dify.runs[0].status) == (last, None, "succeeded")


@pytest.mark.parametrize("pieces", [0, 1])
def test_a_run_with_hardly_a_piece_goes_wrong_too(dify: DifyServer, pieces: int) -> None:
    answer = ask(dify, dify.add(App("a", fault="cut", pieces=pieces)))
    assert (answer.names, answer.failure) == (GRAPH, None)
    assert ask(dify, dify.add(App("a", fault="error_event", pieces=pieces))).names == [*GRAPH, "error"]


def test_garbage_event(dify: DifyServer) -> None:
    answer = ask(dify, dify.add(App("a", fault="garbage_event")))
    bad = [line for line in answer.lines if line == b'data: {"event": "message", "answer": ']
    assert len(bad) == 1
    assert len(answer.lines) == 1 + len(GRAPH) + 4 + 1 + len(ENDS) + 1


def test_extra_events(dify: DifyServer) -> None:
    extra = ask(dify, dify.add(App("a", "advanced-chat", fault="extra_events"))).names
    assert {"iteration_started", "node_retry", "agent_log", "tts_message", "from_the_future"} < set(extra)
    assert extra[-1] == "workflow_finished"


def test_replaced(dify: DifyServer) -> None:
    chat = dify.add(App("a", "chat", fault="replaced"))
    answer = ask(dify, chat)
    assert answer.names == ["message"] * 4 + ["message_replace", "message_end"]
    withheld = answer.events[-2]["answer"]
    assert withheld != chat.answer
    assert json.loads(ask(dify, chat, "blocking").body)["answer"] == withheld
    replacing = ask(dify, dify.add(App("b", fault="replaced"))).events[-len(ENDS) - 2]
    assert (replacing["event"], replacing["data"]) == ("text_replace", {"text": withheld})


@pytest.mark.parametrize("mode", ["workflow", "advanced-chat", "chat"])
def test_echoed_keys(dify: DifyServer, mode: str) -> None:
    app = dify.add(App("a", mode, fault="echo_key_answer", pieces=1))
    key = app.key.encode()
    assert key in ask(dify, app).body
    assert key in ask(dify, app, "blocking").body
    app.fault = "echo_key_event"
    answer = ask(dify, app)
    assert key in answer.lines[-1]
    assert answer.names[-1] == ("error" if mode == "chat" else "workflow_finished")
    assert key in ask(dify, app, "blocking").body


def test_crlf(dify: DifyServer) -> None:
    body = ask(dify, dify.add(App("a", fault="crlf"))).body
    assert body.startswith(b"event: ping\r\n\r\ndata: {")
    assert body.count(b"\n") == body.count(b"\r\n")


def test_split_utf8(dify: DifyServer) -> None:
    app = dify.add(App("a", "chat", fault="split_utf8", answer="日报" * 20, pieces=1))
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(dify.url).port or 0, timeout=5)
    body = json.dumps({"inputs": {}, "user": "u1", "query": "hi", "response_mode": "streaming"})
    headers = {"Authorization": f"Bearer {app.key}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat-messages", body, headers)
    response = connection.getresponse()
    pieces = []
    while piece := response.read1():
        pieces.append(piece)
    connection.close()
    broken = 0
    for piece in pieces:
        with suppress(UnicodeDecodeError):
            piece.decode()
            continue
        broken += 1
    assert broken >= 40
    assert ("日报" * 20).encode() in b"".join(pieces)


def test_odd_sse(dify: DifyServer) -> None:
    lines = ask(dify, dify.add(App("a", fault="odd_sse"))).lines
    assert all(line.startswith(b": here\nid: 7\nretry: 3000\n") for line in lines)
    assert lines[1].split(b"\n")[3].startswith(b'data:{"event"')


def test_close_delimited(dify: DifyServer) -> None:
    answer = ask(dify, dify.add(App("a", fault="close_delimited")))
    assert (answer.headers["connection"], answer.failure) == ("close", None)
    assert not {"transfer-encoding", "content-length"} & set(answer.headers)
    assert answer.names[-1] == "workflow_finished"


def test_no_pings(dify: DifyServer) -> None:
    answer = ask(dify, dify.add(App("a", fault="no_pings", seconds=0.5, pieces=1)))
    assert b"ping" not in answer.body
    assert answer.names[-1] == "workflow_finished"


# How faults are used up


@pytest.mark.parametrize("faults", [["500", "", "502"], deque(["500", "", "502"]), ("500", "", "502")], ids=type)
def test_several_faults_serve_one_run_each(dify: DifyServer, faults: Any) -> None:
    app = dify.add(App("a", fault=faults))
    assert call(dify, app, "GET", "info").status == 200
    assert [ask(dify, app).status for _ in range(5)] == [500, 200, 502, 200, 200]
    app.fault = "500"
    assert [ask(dify, app).status for _ in range(3)] == [500] * 3


@pytest.mark.parametrize("fault", ["500", "html_200", "hang", "reset_before", "slow_headers", "redirect", "silent"])
def test_other_routes_go_wrong_too(dify: DifyServer, fault: str) -> None:
    app = dify.add(App("a", "advanced-chat"))
    ask(dify, app)
    run = dify.runs[0]
    routes = {
        "info": ("GET", "info", ""),
        "parameters": ("GET", "parameters", ""),
        "meta": ("GET", "meta", ""),
        "messages": ("GET", f"messages?conversation_id={run.conversation_id}&user={run.user}", ""),
        "status": ("GET", f"workflows/run/{run.run_id}", ""),
        "stop": ("POST", f"chat-messages/{run.task_id}/stop", '{"user": "u1"}'),
        "upload": ("POST", "files/upload", ""),
    }
    assert routes.keys() == set(PLACES)
    for place, (method, path, body) in routes.items():
        app.faults_at[place] = [fault]
        answer = call(dify, app, method, path, body, timeout=0.3 if fault in {"hang", "silent"} else 5)
        good = 400 if place == "upload" else 200
        wanted = {"500": 500, "html_200": 200, "redirect": 302, "slow_headers": good}.get(fault, 0)
        assert answer.status == wanted, place
        assert (answer.failure is None) is (wanted != 0), place
        assert call(dify, app, method, path, body).status == good, place
    assert ask(dify, app).names[-1] == "workflow_finished"
