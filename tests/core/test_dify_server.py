"""The Dify on this machine answers what the real one does: other tests about runs lean on that."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from devtools.dify_server import App, DifyServer, Pace, Usage

PATHS = {"workflow": "workflows/run", "completion": "completion-messages"}
PACE = Pace(ping_s=0.2, silence_s=0.5, drip_s=0.001)
FORM: list[dict[str, dict[str, Any]]] = [
    {"text-input": {"variable": "topic", "label": "Topic", "required": True, "max_length": 48}},
    {"number": {"variable": "n", "label": "N", "required": False}},
    {"select": {"variable": "choice", "label": "Choice", "required": False, "options": ["a", "b"], "default": "a"}},
    {"checkbox": {"variable": "agreed", "label": "Agreed", "required": False}},
    {"file": {"variable": "sheet", "label": "Sheet", "required": False, "allowed_file_types": ["document"]}},
    {"file-list": {"variable": "more", "label": "More", "required": False, "max_length": 2}},
]
type Event = dict[str, Any]


@pytest.fixture
def dify() -> Iterator[DifyServer]:
    with DifyServer(pace=PACE) as server:
        yield server


def ask(dify: DifyServer, app: App, mode: str = "streaming", **body: Any) -> requests.Response:
    path = PATHS.get(app.mode, "chat-messages")
    whole = {"inputs": {}, "user": "u1", "response_mode": mode, "query": "hi"} | body
    headers = {"Authorization": f"Bearer {app.key}"}
    return requests.post(f"{dify.url}/{path}", json=whole, headers=headers, timeout=10)


def get(dify: DifyServer, app: App, path: str) -> requests.Response:
    return requests.get(f"{dify.url}/{path}", headers={"Authorization": f"Bearer {app.key}"}, timeout=10)


def post(dify: DifyServer, app: App, path: str, body: Event) -> requests.Response:
    return requests.post(f"{dify.url}/{path}", json=body, headers={"Authorization": f"Bearer {app.key}"}, timeout=10)


def refusal(answer: requests.Response) -> tuple[int, str]:
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert body["status"] == answer.status_code
    assert body["message"]
    return answer.status_code, body["code"]


def events(answer: requests.Response) -> list[Event]:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    frames = answer.content.removesuffix(b"\n\n").split(b"\n\n")
    return [json.loads(frame.removeprefix(b"data: ")) for frame in frames if frame != b"event: ping"]


def names(answer: requests.Response) -> list[str]:
    return [event["event"] for event in events(answer)]


def test_a_workflow_streams_in_difys_order(dify: DifyServer) -> None:
    app = dify.add(App("w", pieces=3, answer="日\u2028报\x85好"))
    answer = ask(dify, app, inputs={"unknown": 1})
    assert answer.content.startswith(b"event: ping\n\ndata: ")
    assert "\u2028".encode() in answer.content
    assert "\x85".encode() in answer.content
    told = events(answer)
    middle = ["text_chunk"] * 3
    ends = ["node_started", "node_finished"]
    assert [event["event"] for event in told] == [
        *["workflow_started", *ends, "node_started", *middle, "node_finished", *ends, "workflow_finished"]
    ]
    run = dify.runs[0]
    assert {(event["task_id"], event["workflow_run_id"]) for event in told} == {(run.task_id, run.run_id)}
    assert told[0]["data"]["inputs"]["sys.app_id"] == app.id
    assert "".join(event["data"]["text"] for event in told if event["event"] == "text_chunk") == app.answer
    assert told[-1]["data"]["outputs"] == {"text": app.answer}
    assert (run.status, run.disconnected, run.inputs) == ("succeeded", False, {})


def test_two_hundred_streams_at_once(dify: DifyServer) -> None:
    app = dify.add(App("w", seconds=2, pieces=40))
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(len(events(ask(dify, app))))) for _ in range(200)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 6
    assert counts == [48] * 200
    assert dify.most_at_once == 200
    assert all(run.status == "succeeded" for run in dify.runs)


def test_a_run_is_stopped(dify: DifyServer) -> None:
    app = dify.add(App("w", seconds=10))
    told: list[Event] = []
    thread = threading.Thread(target=lambda: told.extend(events(ask(dify, app))))
    thread.start()
    assert dify.until(lambda: dify.runs)
    run = dify.runs[0]
    assert get(dify, app, f"workflows/run/{run.run_id}").json()["status"] == "running"
    stop = post(dify, app, f"workflows/tasks/{run.task_id}/stop", {"user": "u2"})
    assert (stop.status_code, stop.json()) == (200, {"result": "success"})
    thread.join()
    assert (told[-1]["event"], told[-1]["data"]["status"]) == ("workflow_finished", "stopped")
    assert dify.stopped == [("w", run.task_id)]
    assert get(dify, app, f"workflows/run/{run.run_id}").json()["status"] == "running"


CHATFLOW = """
    workflow_started node_started node_finished node_started message message
    node_finished node_started node_finished message_end workflow_finished
"""


@pytest.mark.parametrize(
    ("mode", "order"),
    [
        ("advanced-chat", CHATFLOW),
        ("chat", "message message message_end"),
        ("completion", "message message message_end"),
        ("agent-chat", "agent_thought agent_message agent_message agent_thought message_end"),
    ],
)
def test_every_mode_streams_in_its_order(dify: DifyServer, mode: str, order: str) -> None:
    app = dify.add(App("a", mode, pieces=2, usage=Usage(33, "0.5", "EUR")))
    answer = ask(dify, app)
    told = events(answer)
    assert [event["event"] for event in told] == order.split()
    assert answer.content.startswith(b"event: ping\n\n") is (mode == "advanced-chat")
    assert "".join(event["answer"] for event in told if event["event"].endswith("message")) == app.answer
    assert {event["task_id"] for event in told} == {dify.runs[0].task_id}
    assert {"conversation_id" in event for event in told} == {mode != "completion"}
    end = next(event for event in told if event["event"] == "message_end")
    usage = end["metadata"]["usage"]
    assert (usage["total_tokens"], usage["total_price"], usage["currency"]) == (33, "0.5", "EUR")
    assert end["files"] == ([] if mode == "advanced-chat" else None)


@pytest.mark.parametrize("mode", ["advanced-chat", "chat", "completion"])
def test_messages_come_whole_too(dify: DifyServer, mode: str) -> None:
    app = dify.add(App("a", mode, answer=lambda run: f"{run.user} asks {run.query}"))
    body = ask(dify, app, "blocking").json()
    assert (body["event"], body["mode"], body["answer"]) == ("message", mode, "u1 asks hi")
    assert ("conversation_id" in body) is (mode != "completion")
    assert body["metadata"]["usage"]["total_price"] == "0.0000140"
    assert "usage" not in body
    assert "workflow_run_id" not in body


def test_a_workflow_comes_whole_too(dify: DifyServer) -> None:
    app = dify.add(App("a", outputs={"n": 1}, seconds=0.1))
    body = ask(dify, app, "blocking").json()
    run = dify.runs[0]
    assert (body["task_id"], body["workflow_run_id"], body["data"]["id"]) == (run.task_id, run.run_id, run.run_id)
    told = "id workflow_id status outputs error elapsed_time total_tokens total_steps created_at finished_at"
    assert " ".join(body["data"]) == told
    assert (body["data"]["status"], body["data"]["outputs"], body["data"]["total_tokens"]) == (
        "succeeded",
        {"n": 1},
        12,
    )
    assert 0.1 <= body["data"]["elapsed_time"] < 1


def test_info_parameters_and_meta(dify: DifyServer) -> None:
    app = dify.add(App("legal", "chat", form=FORM))
    info = get(dify, app, "info?app_id=another").json()
    assert info == {"name": "legal", "description": "", "tags": [], "mode": "chat", "author_name": "author"}
    told = get(dify, app, "parameters").json()
    assert told["user_input_form"] == FORM
    assert told["system_parameters"]["file_size_limit"] == 15
    assert get(dify, app, "meta").json() == {"tool_icons": {}}
    app.published = False
    assert get(dify, app, "info").status_code == 200
    assert refusal(get(dify, app, "parameters")) == (400, "app_unavailable")


@pytest.mark.parametrize(
    ("authorization", "text"),
    [
        (None, "Authorization header must be provided and start with 'Bearer'"),
        ("Basic abc", "Authorization scheme must be 'Bearer'"),
        ("Bearer app-another", "Access token is invalid"),
    ],
)
def test_wants_a_key(dify: DifyServer, authorization: str | None, text: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = requests.get(f"{dify.url}/info", headers=headers, timeout=5)
    assert answer.status_code == 401
    assert answer.json() == {"code": "unauthorized", "message": text, "status": 401}


def test_wants_every_header_an_api_that_is_on_and_a_key_that_is_there(dify: DifyServer) -> None:
    app = dify.add(App("a", headers_required={"X-Gateway-Key": "fake-gateway-key"}))
    assert refusal(get(dify, app, "info")) == (401, "unauthorized")
    headers = {"Authorization": f"Bearer {app.key}", "x-gateway-key": "fake-gateway-key"}
    assert requests.get(f"{dify.url}/info", headers=headers, timeout=5).status_code == 200
    app.headers_required, app.enabled = {}, False
    assert refusal(get(dify, app, "info")) == (403, "forbidden")
    dify.remove(app)
    assert refusal(get(dify, app, "info")) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("mode", "path", "code"),
    [
        ("chat", "workflows/run", "not_workflow_app"),
        ("workflow", "chat-messages", "not_chat_app"),
        ("chat", "completion-messages", "app_unavailable"),
        ("completion", "chat-messages/task/stop", "not_chat_app"),
        ("advanced-chat", "workflows/tasks/task/stop", "not_workflow_app"),
        ("workflow", "completion-messages/task/stop", "app_unavailable"),
    ],
)
def test_every_mode_has_its_routes(dify: DifyServer, mode: str, path: str, code: str) -> None:
    app = dify.add(App("a", mode))
    assert refusal(post(dify, app, path, {"inputs": {}, "query": "hi", "user": "u1"})) == (400, code)
    assert dify.runs == []
    assert dify.stopped == []


def test_unknown_routes_are_pages_and_known_ones_have_a_method(dify: DifyServer) -> None:
    app = dify.add(App("a"))
    for path in ("apps", "workflows", "workflow/1/events", "webhooks", "app-variables"):
        answer = get(dify, app, path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert refusal(get(dify, app, "files/upload")) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"user": ""}, (400, "invalid_param", "Arg user must be provided.")),
        ({"user": None}, (400, "invalid_param", "Arg user must be provided.")),
        ({"user": "u" * 256}, (500, "unknown", "Internal Server Error")),
        ({"response_mode": "sync"}, (400, "invalid_param", "response_mode")),
        ({"inputs": None}, (400, "invalid_param", "inputs")),
        ({"files": {}, "inputs": []}, (400, "invalid_param", "inputs")),
        ({"files": "x"}, (400, "invalid_param", "files")),
        ({"query": None}, (400, "invalid_param", "query")),
        ({"conversation_id": "7"}, (400, "invalid_param", "conversation_id")),
    ],
    ids=repr,
)
@pytest.mark.parametrize("mode", ["blocking", "streaming"])
def test_wants_a_whole_body(dify: DifyServer, mode: str, change: Event, found: tuple[int, str, str]) -> None:
    app = dify.add(App("a", "advanced-chat"))
    answer = ask(dify, app, **{"response_mode": mode} | change)
    assert refusal(answer) == found[:2]
    assert found[2] in answer.json()["message"]
    assert dify.runs == []


def test_a_user_may_be_a_number_and_blocking_is_the_default(dify: DifyServer) -> None:
    app = dify.add(App("a"))
    assert post(dify, app, "workflows/run", {"inputs": {}, "user": 5}).json()["data"]["status"] == "succeeded"
    assert dify.runs[0].user == "5"


@pytest.mark.parametrize(
    ("raw", "kind", "found"),
    [
        (b"{", "application/json", (400, "bad_request")),
        (b"[]", "application/json", (500, "unknown")),
        (b"{}", "text/plain", (415, "unsupported_media_type")),
    ],
)
def test_wants_json(dify: DifyServer, raw: bytes, kind: str, found: tuple[int, str]) -> None:
    app = dify.add(App("a"))
    headers = {"Authorization": f"Bearer {app.key}", "Content-Type": kind}
    answer = requests.post(f"{dify.url}/workflows/run", raw, headers=headers, timeout=5)
    assert refusal(answer) == found


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({}, "topic is required in input form"),
        ({"topic": None}, "topic is required in input form"),
        ({"topic": "x" * 49}, "topic in input form must be less than 48 characters"),
        ({"topic": 5}, "(type 'text-input') topic in input form must be a string"),
        ({"topic": "x", "n": "five"}, "n in input form must be a valid number"),
        ({"topic": "x", "choice": "c"}, "choice in input form must be one of the following: ['a', 'b']"),
        ({"topic": {"a": 1}}, "(type 'text-input') topic in input form must be a string"),
        ({"topic": "x", "agreed": {}}, "Invalid input type for ['agreed']"),
        ({"topic": "x", "sheet": [{}]}, "sheet in input form must be a file"),
        ({"topic": "x", "more": {}}, "more in input form must be a list of files"),
        ({"topic": "x", "more": [{}] * 3}, "more in input form must be less than 2 files"),
        ({"topic": "x", "agreed": [{}]}, "Invalid input type for ['agreed']"),
        ({"topic": "x", "sheet": {"type": "document"}}, "transfer_method is required in file mapping"),
        ({"topic": "x", "sheet": {"transfer_method": "by_mail"}}, "Invalid file transfer method: by_mail"),
        ({"topic": "x", "sheet": {"transfer_method": "remote_url"}}, "Invalid file url"),
        (
            {"topic": "x", "sheet": {"transfer_method": "local_file", "upload_file_id": "7"}},
            "Invalid upload file id format",
        ),
    ],
    ids=str,
)
def test_checks_the_inputs_and_streams_of_the_graph_do_not_say_so(dify: DifyServer, inputs: Event, text: str) -> None:
    app = dify.add(App("a", form=FORM))
    told = ask(dify, app, "blocking", inputs=inputs)
    assert (told.status_code, told.json()) == (400, {"code": "invalid_param", "message": text, "status": 400})
    began = time.monotonic()
    silent = ask(dify, app, inputs=inputs)
    assert (silent.status_code, silent.content) == (200, b"event: ping\n\n")
    assert 0.4 < time.monotonic() - began < 2
    assert dify.runs == []


def test_streams_of_other_modes_and_older_versions_say_what_is_wrong(dify: DifyServer) -> None:
    for mode in ("chat", "agent-chat", "completion"):
        assert refusal(ask(dify, dify.add(App("a", mode, form=FORM)))) == (400, "invalid_param")
    with DifyServer(in_worker=False) as older:
        assert refusal(ask(older, older.add(App("a", form=FORM)))) == (400, "invalid_param")


def test_takes_good_inputs_and_forgets_others(dify: DifyServer) -> None:
    app = dify.add(App("a", form=FORM))
    url = {"type": "document", "transfer_method": "remote_url", "url": "https://example.com/a/data.csv?x=1"}
    tool = {"type": "document", "transfer_method": "tool_file", "tool_file_id": "1"}
    inputs = {"topic": "x", "n": "5", "choice": "a", "agreed": True, "sheet": url, "more": [tool], "other": 1}
    assert ask(dify, app, "blocking", inputs=inputs).status_code == 200
    assert ask(dify, app, "blocking", inputs={"topic": "x", "n": " ", "sheet": "", "more": ""}).status_code == 200
    inputs.pop("other")
    assert dify.runs[0].inputs == inputs | {"n": 5}
    assert dify.runs[1].inputs == {"topic": "x", "n": None, "choice": "a", "agreed": None, "sheet": None, "more": None}


def test_an_unpublished_app_does_not_run(dify: DifyServer) -> None:
    for mode, code in (("workflow", "invalid_param"), ("advanced-chat", "invalid_param"), ("chat", "app_unavailable")):
        app = dify.add(App("a", mode, published=False))
        for way in ("blocking", "streaming"):
            assert refusal(ask(dify, app, way)) == (400, code)


def test_agents_only_stream(dify: DifyServer) -> None:
    answer = ask(dify, dify.add(App("a", "agent-chat")), "blocking")
    assert answer.json()["message"] == "Agent Chat App does not support blocking mode"


def test_a_version_may_be_named(dify: DifyServer) -> None:
    app = dify.add(App("a"))
    body = {"inputs": {}, "user": "u1"}
    assert post(dify, app, f"workflows/{app.workflow_id}/run", body).status_code == 200
    assert refusal(post(dify, app, "workflows/abc/run", body)) == (400, "bad_request")
    assert refusal(post(dify, app, f"workflows/{app.id}/run", body)) == (404, "not_found")


def test_a_conversation_is_of_its_app_and_its_user(dify: DifyServer) -> None:
    app, other = (dify.add(App("a", "chat")) for _ in range(2))
    first = ask(dify, app, "blocking").json()["conversation_id"]
    assert ask(dify, app, "blocking", conversation_id=first).json()["conversation_id"] == first
    assert refusal(ask(dify, app, "blocking", conversation_id=first, user="u2")) == (404, "not_found")
    assert refusal(ask(dify, other, "blocking", conversation_id=first)) == (404, "not_found")
    assert get(dify, app, f"messages?conversation_id={first}&user=u1").status_code == 200
    assert refusal(get(dify, app, f"messages?conversation_id={first}&user=u2")) == (404, "not_found")
    assert refusal(get(dify, other, f"messages?conversation_id={first}&user=u1")) == (404, "not_found")
    assert refusal(get(dify, app, "messages?conversation_id=7&user=u1")) == (400, "invalid_param")
    assert refusal(get(dify, dify.add(App("w")), f"messages?conversation_id={first}")) == (400, "not_chat_app")


@pytest.mark.parametrize("mode", ["chat", "advanced-chat"])
def test_a_chat_app_wants_a_query(dify: DifyServer, mode: str) -> None:
    told = ask(dify, dify.add(App("a", mode)), "blocking", query="")
    assert (told.status_code, told.json()["message"]) == (400, "query is required")
    silent = ask(dify, dify.add(App("b", "advanced-chat")), query="")
    assert silent.content == b"event: ping\n\n"


def test_files_beside_the_form_are_dropped_where_the_app_takes_none(dify: DifyServer) -> None:
    app = dify.add(App("a", "advanced-chat", takes_files=False))
    files = [{"transfer_method": "local_file", "upload_file_id": "7"}]
    assert get(dify, app, "parameters").json()["file_upload"] == {}
    assert ask(dify, app, "blocking", files=files).status_code == 200
    app.takes_files = True
    assert get(dify, app, "parameters").json()["file_upload"]["enabled"] is True
    assert ask(dify, app, "blocking", files=files).status_code == 400


@pytest.mark.parametrize(("app_mode", "mode"), [("workflow", "blocking"), ("chat", "blocking"), ("chat", "streaming")])
def test_the_limit_of_an_app_is_a_400(dify: DifyServer, app_mode: str, mode: str) -> None:
    app = dify.add(App("legal", app_mode, seconds=0.5, max_active=1))
    with ThreadPoolExecutor() as pool:
        first = pool.submit(ask, dify, app, mode)
        assert dify.until(lambda: dify.runs)
        second = ask(dify, app, mode)
    assert first.result().status_code == 200
    assert second.json() == {
        "code": "invalid_param",
        "message": "Too many requests. Please try again later. "
        f"The current maximum concurrent requests allowed for {app.id} is 1.",
        "status": 400,
    }
    assert ask(dify, app, mode).status_code == 200


def test_runs_of_a_graph_that_stream_are_held_against_the_limit_only_when_they_begin(dify: DifyServer) -> None:
    app = dify.add(App("legal", max_active=1))
    assert refusal(ask(dify, app)) == (400, "invalid_param")
    app.max_active, app.seconds = 2, 0.5
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(lambda _: ask(dify, app).status_code, range(5)))
        assert told == [200] * 5
        blocking = pool.submit(ask, dify, app, "blocking")
        assert dify.until(lambda: len(dify.runs) == 6)
        assert ask(dify, app).status_code == 400
    assert blocking.result().status_code == 200


def test_more_requests_than_connections_wait() -> None:
    with DifyServer(connections=2) as dify:
        app = dify.add(App("a", seconds=0.2))
        with ThreadPoolExecutor() as pool:
            began = time.monotonic()
            assert all(answer.status_code == 200 for answer in pool.map(lambda _: ask(dify, app), range(4)))
        assert time.monotonic() - began > 0.4
        assert dify.most_at_once == 2


def test_the_status_of_a_run(dify: DifyServer) -> None:
    app, other = dify.add(App("a", outputs={"n": 1})), dify.add(App("b"))
    ask(dify, app, inputs={"unknown": 1})
    run = dify.runs[0]
    told = get(dify, app, f"workflows/run/{run.run_id}").json()
    assert (told["status"], told["outputs"], told["error"], told["total_tokens"]) == ("succeeded", {"n": 1}, None, 12)
    assert json.loads(told["inputs"])["sys.user_id"] == "u1"
    assert refusal(get(dify, other, f"workflows/run/{run.run_id}")) == (404, "not_found")
    assert refusal(get(dify, app, f"workflows/run/{app.id}")) == (404, "not_found")
    assert refusal(get(dify, app, "workflows/run/7")) == (500, "unknown")
    assert refusal(get(dify, dify.add(App("c", "chat")), f"workflows/run/{run.run_id}")) == (400, "not_workflow_app")


@pytest.mark.parametrize(
    ("mode", "path", "last"),
    [
        ("advanced-chat", "chat-messages", ["workflow_finished"]),
        ("chat", "chat-messages", ["message_end"]),
        ("agent-chat", "chat-messages", ["message_end"]),
        ("completion", "completion-messages", ["message_end"]),
    ],
)
def test_every_kind_of_run_is_stopped(dify: DifyServer, mode: str, path: str, last: list[str]) -> None:
    app = dify.add(App("a", mode, seconds=20, pieces=2))
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(ask, dify, app)
        assert dify.until(lambda: dify.runs)
        run = dify.runs[0]
        if mode != "advanced-chat":  # of a graph's run, any user will do
            assert post(dify, app, f"{path}/{run.task_id}/stop", {"user": "u2"}).json() == {"result": "success"}
            assert not run.stopped
        assert post(dify, app, f"{path}/{run.task_id}/stop", {"user": "u1"}).json() == {"result": "success"}
    assert names(answer.result())[-len(last) :] == last
    assert run.stopped
    assert {task for _, task in dify.stopped} == {run.task_id}


def test_what_is_not_there_is_stopped_with_success(dify: DifyServer) -> None:
    app = dify.add(App("a"))
    assert post(dify, app, "workflows/tasks/unknown/stop", {"user": "u1"}).json() == {"result": "success"}
    assert dify.stopped == [("a", "unknown")]
    assert refusal(post(dify, app, "workflows/tasks/unknown/stop", {})) == (400, "invalid_param")


def test_a_run_goes_on_without_its_client(dify: DifyServer) -> None:
    app = dify.add(App("a", seconds=0.6))
    for mode in ("streaming", "blocking"):
        with pytest.raises(requests.exceptions.RequestException):
            requests.post(
                f"{dify.url}/workflows/run",
                json={"inputs": {}, "user": "u1", "response_mode": mode},
                headers={"Authorization": f"Bearer {app.key}"},
                timeout=0.1,
            )
    assert dify.until(lambda: all(run.ended for run in dify.runs))
    assert [(run.status, run.disconnected, run.elapsed >= 0.6) for run in dify.runs] == [("succeeded", True, True)] * 2


def test_pings_come_while_nothing_else_does(dify: DifyServer) -> None:
    app = dify.add(App("a", seconds=0.7, pieces=1))
    assert ask(dify, app).content.count(b"event: ping\n\n") == 4
    app.fault = "no_pings"
    assert b"ping" not in ask(dify, app).content


# Files


def upload(dify: DifyServer, app: App, name: str = "data.csv", user: str | None = "u1") -> requests.Response:
    return requests.post(
        f"{dify.url}/files/upload",
        files={"file": (name, b"a,b\r\n1,2\r\n", "text/csv")},
        data={"user": user} if user else {},
        headers={"Authorization": f"Bearer {app.key}"},
        timeout=5,
    )


def given(identity: str, kind: str = "document") -> Event:
    return {"type": kind, "transfer_method": "local_file", "upload_file_id": identity}


def test_a_file_is_taken_as_it_is(dify: DifyServer) -> None:
    app = dify.add(App("a"))
    answer = upload(dify, app, "日报.csv")
    told = answer.json()
    assert answer.status_code == 201
    assert (told["name"], told["size"], told["extension"], told["mime_type"]) == ("日报.csv", 10, "csv", "text/csv")
    kept = dify.uploads[0]
    assert (kept.id, kept.app, kept.user, kept.content, kept.kind) == (
        told["id"],
        app,
        "u1",
        b"a,b\r\n1,2\r\n",
        "document",
    )
    assert upload(dify, app, user=None).status_code == 201
    assert dify.uploads[1].user == "DEFAULT-USER"


def test_a_file_is_of_its_app_and_its_user(dify: DifyServer) -> None:
    app, other = (dify.add(App("a", form=[{"file": {"variable": "sheet"}}])) for _ in range(2))
    chat = dify.add(App("c", "chat"))
    mine, nobodys = (upload(dify, app, user=user).json()["id"] for user in ("u1", None))
    assert ask(dify, app, "blocking", inputs={"sheet": given(mine)}).status_code == 200
    wrong = [
        ask(dify, app, "blocking", inputs={"sheet": given(mine)}, user="u2"),
        ask(dify, app, "blocking", inputs={"sheet": given(nobodys)}),
        ask(dify, other, "blocking", inputs={"sheet": given(mine)}),
        ask(dify, chat, "blocking", files=[given(mine)]),
        ask(dify, app, "blocking", inputs={"sheet": given(app.id)}),
    ]
    assert [answer.json()["message"] for answer in wrong] == ["Invalid upload file"] * 5
    theirs = upload(dify, chat).json()["id"]
    assert ask(dify, chat, files=[given(theirs)]).status_code == 200
    assert dify.runs[-1].files == [given(theirs)]
    assert ask(dify, chat, files=[7]).json()["message"] == "Invalid file"
    assert ask(dify, chat, files=[given(theirs)] * 4).json()["message"].startswith("Number of files exceeds")


def test_the_type_of_a_file_is_what_it_is(dify: DifyServer) -> None:
    limits = {"allowed_file_types": ["custom"], "allowed_file_extensions": [".json"]}
    app = dify.add(App("a", form=[{"file": {"variable": "sheet", **limits}}]))
    sheet = upload(dify, app).json()["id"]
    mismatch = ask(dify, app, "blocking", inputs={"sheet": given(sheet, "custom")})
    assert mismatch.json()["message"].startswith("Detected file type does not match")
    assert ask(dify, app, "blocking", inputs={"sheet": given(sheet)}).json()["message"].startswith("File validation")
    data = upload(dify, app, "data.json").json()["id"]
    assert ask(dify, app, "blocking", inputs={"sheet": given(data, "custom")}).status_code == 200
    assert upload(dify, app, "notes").status_code == 201
    assert dify.uploads[-1].kind == "document"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ([("other", ("a.csv", b"", "text/csv"))], (400, "no_file_uploaded")),
        ([("file", ("a.csv", b"", "text/csv")), ("file", ("b.csv", b"", "text/csv"))], (400, "too_many_files")),
        ([("file", ("a\\b.csv", b"", "text/csv"))], (400, "invalid_param")),
        ([("file", ("a.csv", b""))], (415, "unsupported_file_type")),
        ([("file", ("", b"x", "text/csv"))], (400, "filename_not_exists_error")),
        ([("file", ("a.png", b"x" * (10 * 1024 * 1024 + 1), "image/png"))], (413, "file_too_large")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_a_file_that_dify_does_not_take(dify: DifyServer, files: list[Any], found: tuple[int, str]) -> None:
    boundary = "fake-boundary"
    body = b""
    for name, (filename, content, *kind) in files:
        place = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'.replace("\\", "\\\\")
        lines = [f"--{boundary}", place, *(f"Content-Type: {one}" for one in kind), "", ""]
        body += "\r\n".join(lines).encode() + content + b"\r\n"
    headers = {
        "Authorization": f"Bearer {dify.add(App('a')).key}",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    answer = requests.post(
        f"{dify.url}/files/upload", body + f"--{boundary}--\r\n".encode(), headers=headers, timeout=5
    )
    assert refusal(answer) == found
    if found[0] == 413:
        assert answer.json()["message"] == "File size exceeded. {message}"
    assert dify.uploads == []


def test_a_plugin_uploads_without_a_key(dify: DifyServer) -> None:
    files = {"file": ("a.csv", b"x", "text/csv")}
    answer = requests.post(f"{dify.root}/files/upload/for-plugin?sign=fake", files=files, timeout=5)
    assert (answer.status_code, answer.json()["extension"], dify.uploads[0].app) == (201, ".csv", None)


# HTTP itself


def test_a_connection_takes_several_requests_and_bodies_in_chunks(dify: DifyServer) -> None:
    app = dify.add(App("a", pieces=1))
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {app.key}"
        session.headers["Content-Type"] = "application/json"
        for _ in range(3):
            body = iter([b'{"inputs": {}, "user": ', b'"u1", "response_mode": "streaming"}'])
            assert session.post(f"{dify.url}/workflows/run", body, timeout=5).status_code == 200
            assert session.get(f"{dify.url}/info", timeout=5).json()["name"] == "a"
    assert [request.path for request in dify.requests] == ["/v1/workflows/run", "/v1/info"] * 3
    first = dify.requests[0]
    assert (first.method, first.key, first.body["user"]) == ("POST", app.key, "u1")
    assert first.headers["content-type"] == "application/json"
    assert abs(first.time - time.time()) < 60


@pytest.mark.parametrize("raw", [b"GET\r\n\r\n", b"x" * 70_000, b"POST /v1/x HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"])
def test_what_is_no_request_ends_the_connection(dify: DifyServer, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(dify.url).port or 0), timeout=5) as client:
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            assert client.recv(100) == b""
    assert dify.requests == []


def test_waits_for_a_body_that_was_announced(dify: DifyServer) -> None:
    app = dify.add(App("a"))
    body = b'{"inputs": {}, "user": "u1"}'
    head = f"POST /v1/workflows/run HTTP/1.1\r\nAuthorization: Bearer {app.key}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", urlsplit(dify.url).port or 0), timeout=5) as client:
        client.sendall(f"{head}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_closing_is_quick_whatever_hangs() -> None:
    threads = threading.active_count()
    failures: list[Exception] = []

    def wait(server: DifyServer, app: App) -> None:
        try:
            ask(server, app)
        except requests.exceptions.RequestException as error:
            failures.append(error)

    with DifyServer() as dify:
        apps = [App("a", seconds=60), *(App("a", fault=fault) for fault in ("hang", "silent", "slow_headers"))]
        clients = [threading.Thread(target=wait, args=(dify, dify.add(app))) for app in apps]
        for client in clients:
            client.start()
        with socket.create_connection(("127.0.0.1", urlsplit(dify.url).port or 0)):
            assert dify.until(lambda: len(dify.requests) == 4)
            began = time.monotonic()
            dify.close()
            assert time.monotonic() - began < 1
    for client in clients:
        client.join()
    assert len(failures) == 4
    assert threading.active_count() == threads


def test_a_port_that_is_taken_is_told(dify: DifyServer) -> None:
    with pytest.raises(RuntimeError, match="did not start"), DifyServer(urlsplit(dify.url).port or 0):
        pass


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"mode": "agent"}, "no mode"),
        ({"status": "ok"}, "no status"),
        ({"fault": "flood"}, "no such fault at run: flood"),
        ({"fault": ["", "flood"]}, "no such fault"),
        ({"faults_at": {"info": "cut"}}, "no such fault at info: cut"),
        ({"faults_at": {"run": "500"}}, "no place"),
    ],
    ids=str,
)
def test_an_app_that_cannot_be(options: Event, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        App("a", **options)


def test_serves_in_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "devtools.dify_server", "--apps", "2", "--seconds", "0", "--fault", "500"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url, first, second = (process.stdout.readline().split() for _ in range(3))
        body = {"inputs": {}, "user": "u1", "response_mode": "streaming"}
        codes = [
            requests.post(
                f"{url[0]}/workflows/run", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=5
            ).status_code
            for key in (first[0], first[0], second[0])
        ]
        process.communicate()
    assert codes == [500, 200, 200]
    assert process.returncode == 0
