"""What happens between a tool node and the plugin: values, files and failures travel as they do in Dify."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import requests
import yaml
from graphon.file.models import File

from devtools import engine
from devtools.engine.tools import cast_value
from devtools.plugin_process import PluginFailure, PluginProcess

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "examples" / "workflows" / "daily_sales_report.yml"

type Message = dict[str, Any]


class StandIn:
    """In place of the plugin: notes what it is sent and answers with prepared messages, or fails."""

    def __init__(self, *messages: Message | Exception) -> None:
        self.messages = messages
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.fetched: list[bytes] = []

    def stream(self, tool: str, parameters: dict[str, Any]) -> Iterator[Message]:
        self.calls.append((tool, parameters))
        if file := parameters.get("file"):
            self.fetched.append(requests.get(file["url"], timeout=5).content)
        for message in self.messages:
            if isinstance(message, Exception):
                raise message
            yield message


def variable(name: str, value: object, *, stream: bool = False) -> Message:
    return {
        "type": "variable",
        "message": {"variable_name": name, "variable_value": value, "stream": stream},
        "meta": None,
    }


def text(words: str) -> Message:
    return {"type": "text", "message": {"text": words}, "meta": None}


def chunk(number: int, content: bytes, total: int, *, end: bool = False) -> Message:
    blob = {
        "id": "1",
        "sequence": number,
        "total_length": total,
        "blob": base64.b64encode(content).decode(),
        "end": end,
    }
    return {"type": "blob_chunk", "message": blob, "meta": {"mime_type": "image/png", "filename": "chart.png"}}


def document(**outputs: list[str]) -> dict[str, Any]:
    """Only the push, with a content of its own; ``outputs`` name what the end gives."""
    found: dict[str, Any] = yaml.safe_load(REPORT.read_text(encoding="utf-8"))
    graph = found["workflow"]["graph"]
    graph["nodes"] = [node for node in graph["nodes"] if node["id"] != "analysis"]
    graph["edges"] = [{"source": "start", "target": "push"}, {"source": "push", "target": "end"}]
    push(found)["tool_parameters"] = {"content": {"type": "mixed", "value": "of {{#start.file.name#}}"}}
    data = next(node["data"] for node in graph["nodes"] if node["id"] == "end")
    data["outputs"] = [
        {"variable": name, "value_selector": ["push", *path], "value_type": "any"} for name, path in outputs.items()
    ]
    return found


def push(found: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = next(
        node["data"] for node in found["workflow"]["graph"]["nodes"] if node["data"].get("tool_name") == "dingtalk_push"
    )
    return data


def run(found: dict[str, Any], plugin: StandIn, tmp_path: Path, **options: Any) -> engine.Run:
    sales = tmp_path / "sales.csv"
    sales.write_text("Date\n", encoding="utf-8")
    return engine.run(yaml.safe_dump(found), cast("PluginProcess", plugin), inputs={"file": sales}, **options)


def test_values_reach_the_plugin_resolved_and_cast(tmp_path: Path) -> None:
    plugin = StandIn()
    found = document()
    push(found)["tool_configurations"] |= {
        "deadline_s": {"type": "constant", "value": "12"},
        "at_all": {"type": "constant", "value": "no"},
        "keyword": {"type": "constant", "value": "{{#env.DINGTALK_KEYWORD#}}"},
        "language": {"type": "variable", "value": ["env", "DINGTALK_KEYWORD"]},
        "table_mode": {"type": "constant", "value": None},
    }
    environment = {"DINGTALK_TOKEN": "t0ken", "DINGTALK_KEYWORD": "zh_Hans"}
    assert run(found, plugin, tmp_path, environment=environment, run_id="run-7").status == "succeeded"
    assert plugin.calls == [
        (
            "dingtalk_push",
            {
                "content": "of sales.csv",
                "access_token": "t0ken",
                "sign_secret": "",
                "base_url": "https://oapi.dingtalk.com",
                "dedupe_key": "run-7",
                "deadline_s": 12,
                "at_all": False,
                "dry_run": False,
                "keyword": "{{#env.DINGTALK_KEYWORD#}}",
                "language": "zh_Hans",
                "message_type": "auto",
            },
        )
    ]


def test_a_file_travels_as_an_address(tmp_path: Path) -> None:
    plugin = StandIn()
    found = document()
    push(found)["tool_parameters"]["file"] = {"type": "variable", "value": ["start", "file"]}
    push(found)["tool_name"] = "sales_analysis"
    run(found, plugin, tmp_path)
    [(_, parameters)] = plugin.calls
    file = parameters["file"]
    assert file.pop("url").startswith("http://127.0.0.1:")
    assert file == {
        "dify_model_identity": "__dify__file__",
        "mime_type": "text/csv",
        "filename": "sales.csv",
        "extension": ".csv",
        "size": 5,
        "type": "document",
    }
    assert plugin.fetched == [b"Date\n"]


def test_messages_become_outputs(tmp_path: Path) -> None:
    messages = [
        text("one "),
        variable("delivered", value=True),
        {"type": "json", "message": {"json_object": {"a": 1}}, "meta": None},
        text("two"),
        variable("parts", [{"index": 1}]),
        variable("report", "of ", stream=True),
        variable("report", "today", stream=True),
    ]
    found = document(words=["text"], delivered=["delivered"], parts=["parts"], nothing=["never_sent"])
    outcome = run(found, StandIn(*messages), tmp_path)
    assert outcome.outputs == {"words": "one two", "delivered": True, "parts": [{"index": 1}], "nothing": None}
    assert outcome.node_outputs["push"]["json"] == [{"a": 1}]
    assert outcome.node_outputs["push"]["report"] == "of today"


def test_what_a_tool_makes_is_kept(tmp_path: Path) -> None:
    messages = [chunk(0, b"\x89PN", 4), chunk(1, b"G", 4), chunk(2, b"", 4, end=True)]
    outcome = run(document(files=["files"]), StandIn(*messages), tmp_path)
    [file] = outcome.node_outputs["push"]["files"]
    assert isinstance(file, File)
    assert (file.type, file.filename, file.size) == ("image", "chart.png", 4)
    assert outcome.files == {file.reference: engine.StoredFile("chart.png", "image/png", b"\x89PNG")}
    assert outcome.outputs["files"] == outcome.node_outputs["push"]["files"]


def test_a_chunk_that_never_ends_fails_the_node(tmp_path: Path) -> None:
    outcome = run(document(), StandIn(chunk(0, b"\x89PN", 4)), tmp_path)
    assert (outcome.status, outcome.files) == ("failed", {})


def test_a_failure_after_some_text_fails_the_node(tmp_path: Path) -> None:
    plugin = StandIn(text("half of it"), PluginFailure("Unavailable", "[robot_no_answer] nobody", "trace"))
    outcome = run(document(words=["text"]), plugin, tmp_path)
    assert outcome.status == "failed"
    assert outcome.error.endswith("error type: Unavailable, error details: [robot_no_answer] nobody")
    assert outcome.outputs == {}
    assert outcome.node_outputs.keys() == {"start"}


@pytest.mark.parametrize(
    "setting", [{"type": "variable", "value": ["env", "NOTHING"]}, {"type": "constant", "value": "soon"}]
)
def test_a_value_that_cannot_be_given_fails_the_node(tmp_path: Path, setting: dict[str, Any]) -> None:
    plugin = StandIn()
    found = document()
    push(found)["tool_configurations"]["deadline_s"] = setting
    assert run(found, plugin, tmp_path).status == "failed"
    assert plugin.calls == []


def test_a_node_is_tried_again_when_its_builder_says_so(tmp_path: Path) -> None:
    plugin = StandIn(PluginFailure("Unavailable", "nobody", ""))
    found = document()
    push(found)["retry_config"] = {"retry_enabled": True, "max_retries": 2, "retry_interval": 1}
    assert run(found, plugin, tmp_path, run_id="run-7").status == "failed"
    assert [parameters["dedupe_key"] for _, parameters in plugin.calls] == ["run-7"] * 3


def test_events_are_passed_on_as_they_come(tmp_path: Path) -> None:
    seen: list[str] = []
    run(document(), StandIn(), tmp_path, on_event=lambda event: seen.append(type(event).__name__))
    assert seen[0] == "GraphRunStartedEvent"
    assert seen[-1] == "GraphRunSucceededEvent"
    assert seen.count("NodeRunSucceededEvent") == 3


def test_a_number_in_the_environment_is_a_number(tmp_path: Path) -> None:
    plugin = StandIn()
    found = document()
    found["workflow"]["environment_variables"].append({"name": "WAIT_S", "value": 1, "value_type": "number"})
    push(found)["tool_configurations"]["deadline_s"] = {"type": "variable", "value": ["env", "WAIT_S"]}
    run(found, plugin, tmp_path, environment={"WAIT_S": "2.5"})
    assert plugin.calls[0][1]["deadline_s"] == 2.5


@pytest.mark.parametrize(
    "text_", ["kind: app\napp: {mode: chat}\n", "kind: app\napp: {mode: workflow}\nworkflow: {graph: {nodes: []}}\n"]
)
def test_what_is_no_workflow_is_not_run(text_: str) -> None:
    with pytest.raises(ValueError, match=r"inspect-only|one start node"):
        engine.run(text_, cast("PluginProcess", StandIn()), inputs={})


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", None, ""),
        ("string", 7, "7"),
        ("select", True, "True"),
        ("boolean", "YES", True),
        ("boolean", "1", True),
        ("boolean", "n", False),
        ("boolean", "0", False),
        ("boolean", "", False),
        ("boolean", "on", True),
        ("boolean", None, False),
        ("number", "3", 3),
        ("number", "3.0", 3.0),
        ("number", "", None),
        ("number", 3, 3),
        ("file", ["one"], "one"),
        ("files", "one", ["one"]),
        ("files", None, [None]),
        ("any", {"a": 1}, {"a": 1}),
    ],
)
def test_casts_as_dify_does(kind: str, value: object, expected: object) -> None:
    cast_ = cast_value(kind, value)
    assert cast_ == expected
    assert type(cast_) is type(expected)


@pytest.mark.parametrize(("kind", "value"), [("number", "soon"), ("file", ["one", "two"]), ("file", [])])
def test_refuses_to_cast_what_dify_refuses(kind: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|one file"):
        cast_value(kind, value)
