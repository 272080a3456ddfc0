"""The workspace on this machine answers reverse invocations as Dify and its daemon do."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from devtools.dify_server import BEFORE_A_RUN, App, DifyServer
from devtools.workspace import InvocationFailure, Workspace

FORM = [{"text-input": {"variable": "topic", "required": True, "max_length": 48}}]
GRAPH = ["workflow_started", "node_started", "node_finished", "node_started"]
ENDS = ["node_finished", "node_started", "node_finished"]
# What refuses over HTTP refuses here with the same status; what is a matter of the key or of HTTP alone does not.
STATUSES = {"500": 500, "502": 502, "504": 504, "html_404": 404, "quota_429": 429, "rate_limit_429": 429}
STATUSES |= {name: 400 for name in BEFORE_A_RUN if name.startswith(("provider", "model"))}
type Event = dict[str, Any]


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as made:
        yield made


def ask(workspace: Workspace, app: App, mode: str = "streaming", **request: Any) -> Any:
    query = {} if app.mode == "workflow" else {"query": "hi"}
    return workspace("app", {"app_id": app.id, "inputs": {}, "response_mode": mode, **query} | request)


def names(events: Any) -> list[str]:
    return [event["event"] for event in events]


def refusal(workspace: Workspace, app: App, mode: str = "streaming", **request: Any) -> tuple[int, Event]:
    with pytest.raises(InvocationFailure) as failure:
        ask(workspace, app, mode, **request)
    found = re.fullmatch(
        r"invoke app failed: request failed with status code: (\d+) and respond with: (.*)", str(failure.value)
    )
    assert found
    body = json.loads(found[2])
    assert body["status"] == int(found[1])
    return int(found[1]), body


def test_streams_the_events_of_a_workflow_as_they_come(workspace: Workspace) -> None:
    app = workspace.add(App("w", seconds=0.4, pieces=2))
    began = time.monotonic()
    events = ask(workspace, app)
    assert next(events)["data"]["inputs"]["sys.app_id"] == app.id
    assert time.monotonic() - began < 0.2
    assert names(events) == [*GRAPH[1:], "text_chunk", "text_chunk", *ENDS, "workflow_finished"]
    assert time.monotonic() - began >= 0.4
    run = workspace.runs[0]
    assert (run.user, run.status, run.disconnected) == ("u1", "succeeded", False)


@pytest.mark.parametrize(
    ("mode", "order"),
    [
        ("advanced-chat", [*GRAPH, "message", *ENDS, "message_end", "workflow_finished"]),
        ("chat", ["message", "message_end"]),
        ("agent-chat", ["agent_thought", "agent_message", "agent_thought", "message_end"]),
    ],
)
def test_streams_every_kind_of_chat(workspace: Workspace, mode: str, order: list[str]) -> None:
    assert names(ask(workspace, workspace.add(App("a", mode, pieces=1)))) == order


def test_answers_whole_as_well(workspace: Workspace) -> None:
    told = ask(workspace, workspace.add(App("a", outputs={"n": 1})), "blocking")
    assert (told["data"]["status"], told["data"]["outputs"]) == ("succeeded", {"n": 1})
    told = ask(workspace, workspace.add(App("b", "chat", answer="yes")), "blocking")
    assert (told["event"], told["answer"]) == ("message", "yes")
    assert told["metadata"]["usage"]["total_tokens"] == 12


@pytest.mark.parametrize("mode", ["streaming", "blocking"])
def test_what_is_refused(workspace: Workspace, mode: str) -> None:
    def told(app: App, **request: Any) -> tuple[int, str]:
        status, body = refusal(workspace, app, mode, **request)
        return status, body["message"]

    add = workspace.add
    assert told(App("stranger")) == (400, "app not found")
    assert told(add(App("a", published=False))) == (400, "unexpected app type")
    assert told(add(App("a", "chat")), query="") == (400, "missing query")
    assert told(add(App("a", form=FORM))) == (400, "topic is required in input form")
    assert told(add(App("a", "completion"))) == (500, "Internal Server Error")
    assert told(add(App("a", "chat")), conversation_id="00000000-0000-4000-8000-000000000000") == (400, "")
    assert workspace.runs == []


def test_agents_only_stream(workspace: Workspace) -> None:
    assert refusal(workspace, workspace.add(App("a", "agent-chat")), "blocking")[0] == 400


def test_no_key_no_switch_and_no_limit(workspace: Workspace) -> None:
    app = workspace.add(App("a", enabled=False, max_active=1, headers_required={"X-Key": "fake"}, seconds=0.2))
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(lambda _: names(ask(workspace, app))[-1], range(3)))
    assert told == ["workflow_finished"] * 3
    assert workspace.most_at_once == 3


def test_a_conversation_goes_on(workspace: Workspace) -> None:
    app = workspace.add(App("a", "chat"))
    first = ask(workspace, app, "blocking")["conversation_id"]
    assert ask(workspace, app, "blocking", conversation_id=first)["conversation_id"] == first


def test_failing_apps(workspace: Workspace) -> None:
    app = workspace.add(App("a", status="failed", error="no model", pieces=1))
    events = list(ask(workspace, app))
    assert names(events) == [*GRAPH, "text_chunk", "node_finished", "workflow_finished"]
    assert events[-1]["data"]["status"] == "failed"
    assert ask(workspace, app, "blocking")["data"]["error"] == "no model"
    chat = workspace.add(App("b", "advanced-chat", fault="failed_run", error="no model"))
    with pytest.raises(InvocationFailure, match=r"400 and respond with: .*Run failed: no model"):
        ask(workspace, chat, "blocking")
    assert {run.status for run in workspace.runs} == {"failed"}


@pytest.mark.parametrize(
    ("fault", "last"),
    [
        ("failed_then_error", ["workflow_finished", "error"]),
        ("error_event", ["message", "error"]),
        ("paused", ["human_input_required", "workflow_paused"]),
        ("replaced", ["message_replace", *ENDS, "message_end", "workflow_finished"]),
        ("cut", ["node_started", "message"]),
        ("cut_running", ["node_started", "message"]),
        ("cut_at_end", ["node_finished", "message_end"]),
        ("crlf", ["message_end", "workflow_finished"]),
    ],
)
def test_faults_of_a_run(workspace: Workspace, fault: str, last: list[str]) -> None:
    app = workspace.add(App("a", "advanced-chat", fault=[fault], pieces=2))
    assert names(ask(workspace, app))[-len(last) :] == last
    statuses = {"failed_then_error": "failed", "error_event": "failed", "paused": "paused", "cut_running": "running"}
    assert workspace.runs[0].status == statuses.get(fault, "succeeded")
    assert names(ask(workspace, app))[-1] == "workflow_finished"


def test_events_that_nobody_needs(workspace: Workspace) -> None:
    assert "from_the_future" in names(ask(workspace, workspace.add(App("a", fault="extra_events"))))


@pytest.mark.parametrize("fault", STATUSES)
def test_faults_that_refuse(workspace: Workspace, fault: str) -> None:
    with pytest.raises(InvocationFailure, match=f"failed with status code: {STATUSES[fault]} and respond with: "):
        ask(workspace, workspace.add(App("a", fault=fault)))
    assert workspace.runs == []


def test_an_api_that_is_not_reached(workspace: Workspace) -> None:
    with pytest.raises(InvocationFailure, match="EOF"):
        ask(workspace, workspace.add(App("a", fault="reset_before")))


def test_the_daemon_waits_so_long_and_then_ends_without_a_word() -> None:
    with Workspace(read_timeout_s=0.2) as workspace:
        began = time.monotonic()
        assert list(ask(workspace, workspace.add(App("a", fault="hang")))) == []
        assert names(ask(workspace, workspace.add(App("a", seconds=0.6, pieces=6))))[-1] == "text_chunk"
        assert 0.7 < time.monotonic() - began < 2
        assert (workspace.runs[0].status, workspace.runs[0].disconnected) == ("succeeded", True)


def test_leaving_ends_what_hangs() -> None:
    with ThreadPoolExecutor() as pool:
        with Workspace(App("a")) as workspace:
            silent = pool.submit(list, ask(workspace, workspace.add(App("b", fault="silent"))))
            slow = pool.submit(list, ask(workspace, workspace.add(App("c", seconds=60))))
            assert not silent.done()
        assert silent.result(1) == []
        assert names(slow.result(1))[-1] == "workflow_finished"


def test_other_invocations() -> None:
    app = App("a", form=FORM)
    with DifyServer() as server, Workspace(app, server=server, otherwise=lambda kind, _: kind) as workspace:
        assert workspace("fetch_app", {"app_id": app.id})["data"]["user_input_form"] == FORM  # type: ignore[index]
        address = workspace("upload_file", {"filename": "a.csv", "mimetype": "text/csv"})
        assert str(address["url"]).startswith(f"{server.root}/files/upload/for-plugin?")  # type: ignore[index]
        assert workspace("storage", {"opt": "get", "key": "k"}) == "storage"
        assert [kind for kind, _ in workspace.asked] == ["fetch_app", "upload_file", "storage"]
        with pytest.raises(InvocationFailure, match=r"fetch app failed: .* 400 .*app not found"):
            workspace("fetch_app", {"app_id": "unknown"})
    with pytest.raises(InvocationFailure, match="nobody answers"):
        Workspace()("storage", {"opt": "get", "key": "k"})
