"""The Dify on this machine answers what the real one does: other tests about runs lean on that."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from devtools.dify_server import App, DifyServer, Pace

PATHS = {"workflow": "workflows/run", "completion": "completion-messages"}
PACE = Pace(ping_s=0.2, silence_s=0.5, drip_s=0.001)
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
    headers = {"Authorization": f"Bearer {app.key}"}
    stop = requests.post(
        f"{dify.url}/workflows/tasks/{run.task_id}/stop", json={"user": "u2"}, headers=headers, timeout=5
    )
    assert (stop.status_code, stop.json()) == (200, {"result": "success"})
    thread.join()
    assert (told[-1]["event"], told[-1]["data"]["status"]) == ("workflow_finished", "stopped")
    assert dify.stopped == [("w", run.task_id)]
    assert get(dify, app, f"workflows/run/{run.run_id}").json()["status"] == "running"
