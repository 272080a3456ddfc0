"""Apps of the workspace, asked by the plugin through reverse invocations, in the wire format of the plugin daemon."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.dify_server import App, DifyServer
from devtools.plugin_process import Message, PluginFailure, PluginProcess
from devtools.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
DOC = [{"file": {"variable": "doc", "label": "Doc", "required": True, "allowed_file_types": ["document"]}}]


@pytest.fixture(scope="module")
def dify() -> Iterator[DifyServer]:
    with DifyServer() as running:
        yield running


@pytest.fixture(scope="module")
def workspace(dify: DifyServer) -> Iterator[Workspace]:
    with Workspace(server=dify) as running:
        yield running


@pytest.fixture(scope="module")
def plugin(workspace: Workspace) -> Iterator[PluginProcess]:
    with PluginProcess(ROOT, answer=workspace) as running:
        yield running


def streamed(messages: list[Message], name: str) -> list[str]:
    """The pieces of a streamed variable."""
    found = [one["message"] for one in messages if one["type"] == "variable"]
    return [one["variable_value"] for one in found if one["stream"] and one["variable_name"] == name]


def test_apps_of_every_kind_are_asked_at_once_by_their_ids(plugin: PluginProcess, workspace: Workspace) -> None:
    modes = ("workflow", "advanced-chat", "chat", "agent-chat")
    apps = [workspace.add(App(mode, mode, answer=f"I am {mode}", seconds=0.5)) for mode in modes]
    targets = ",".join(app.id for app in apps)
    outcome = plugin.invoke("app_broadcast", {"query": "Who?", "targets": targets})
    assert [answer["answer"] for answer in outcome.variables["answers"]] == [f"I am {mode}" for mode in modes]
    assert workspace.most_at_once == 4
    assert outcome.variables["progress"].count("✓") == 4


def fault_of(workspace: Workspace, plugin: PluginProcess, app: App, **given: Any) -> str:
    """What is told of an app that was asked by its id beside a good one."""
    good, bad = workspace.add(App("good")), workspace.add(app)
    asked = {"query": "Who?", "targets": f"{good.id},{bad.id}"} | given
    answer: dict[str, Any] = plugin.invoke("app_broadcast", asked).variables["answers"][1]
    assert answer["status"] == "failed"
    return str(answer["error"])


@pytest.mark.parametrize(
    ("app", "given", "told"),
    [
        (App("a", "completion"), {}, "[dify_maybe_completion] Dify could not call the app by its id (HTTP 500"),
        (App("a", published=False), {}, "[dify_app_unavailable]"),
        (App("a", "chat"), {"query": ""}, "missing query"),
        (App("a", form=[{"number": {"variable": "n", "required": True}}]), {}, "[dify_input]"),
        (App("a", fault="failed_run"), {}, "[dify_run_failed] The run failed: the model is not to be reached."),
        (App("a", "chat", fault="error_event"), {}, "[dify_model_failed]"),
        (App("a", fault="cut"), {}, "[stream_cut]"),
        (App("a", fault="reset_before"), {}, "[dify_no_invocation]"),
        (App("a", fault="502"), {}, "[dify_"),
        (App("a", fault="paused"), {}, "[run_paused]"),
    ],
    ids=lambda value: getattr(value, "fault", None) or getattr(value, "mode", None),
)
def test_what_goes_wrong_is_told(
    plugin: PluginProcess, workspace: Workspace, app: App, given: dict[str, Any], told: str
) -> None:
    assert told in fault_of(workspace, plugin, app, **given)


def test_an_unknown_app_and_the_calling_one_are_told(plugin: PluginProcess, workspace: Workspace) -> None:
    unknown = "99999999-9999-4999-8999-999999999999"
    with pytest.raises(PluginFailure, match=r"Refused: \[broadcast_failed\].*\[dify_no_such_app\]"):
        plugin.invoke("app_broadcast", {"query": "Who?", "targets": unknown})
    asked = len(workspace.asked)
    with pytest.raises(PluginFailure, match=r"\[unknown_target\]"):
        plugin.invoke("app_run", {"app": "app-1"})
    assert len(workspace.asked) == asked


def test_the_deadline_is_kept_through_a_reverse_invocation_that_says_nothing(
    plugin: PluginProcess, workspace: Workspace
) -> None:
    silent, good = workspace.add(App("silent", fault="silent")), workspace.add(App("good"))
    asked = {"query": "Who?", "targets": f"{silent.id},{good.id}", "deadline_s": 1}
    outcome = plugin.invoke("app_broadcast", asked)
    assert [answer["status"] for answer in outcome.variables["answers"]] == ["timeout", "ok"]
    assert 1000 <= outcome.variables["elapsed_ms"] < 3000


def test_the_answer_streams_into_the_nodes_text_as_it_comes(plugin: PluginProcess, workspace: Workspace) -> None:
    app = workspace.add(App("slow", "chat", answer="first, second", pieces=2, seconds=2))
    messages: list[Message] = []
    said = threading.Event()

    def run() -> None:
        for message in plugin.stream("app_run", {"app": app.id, "query": "Who?", "timeout_s": 60}):
            messages.append(message)
            if message["type"] == "text":
                said.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert said.wait(60)
    assert workspace.runs[-1].ended is None
    thread.join()
    texts = [one["message"]["text"] for one in messages if one["type"] == "text"]
    assert texts == streamed(messages, "answer") == ["first,", " second"]


def test_an_agent_gets_the_answer_once_and_nothing_meanwhile(plugin: PluginProcess, workspace: Workspace) -> None:
    app = workspace.add(App("flow", answer="forty-two"))
    outcome = plugin.invoke("app_run", {"app": app.id, "timeout_s": 60}, agent=True)
    assert [one["type"] for one in outcome.messages] == ["text", "json"]
    assert outcome.text.endswith("forty-two")
    assert "answer" not in outcome.json[0]


def test_files_go_to_the_workspace_and_into_the_input_for_them(
    plugin: PluginProcess, workspace: Workspace, dify: DifyServer, tmp_path: Path, served: str
) -> None:
    app = workspace.add(App("reader", form=DOC))
    (tmp_path / "t.csv").write_text("a,b\n", encoding="utf-8")
    known = {"filename": "t.csv", "extension": ".csv", "mime_type": "text/csv", "type": "document"}
    file = {"dify_model_identity": "__dify__file__", "url": f"{served}/t.csv"} | known
    outcome = plugin.invoke("app_run", {"app": app.id, "files": [file], "timeout_s": 60})
    assert outcome.variables["status"] == "succeeded"
    assert dify.uploads[-1].name == "t.csv"
    given = workspace.runs[-1].inputs["doc"]
    assert (given["transfer_method"], given["type"]) == ("tool_file", "document")
