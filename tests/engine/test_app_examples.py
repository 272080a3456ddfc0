"""The examples that ask other apps: many experts at once, and a long run whose end is told."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools import engine
from devtools.dify_server import App, DifyServer
from devtools.plugin_process import PluginProcess

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "workflows"
REVIEW = EXAMPLES / "multi_expert_review.yml"
LONG_RUN = EXAMPLES / "long_run_with_webhook.yml"
TOPIC = [{"text-input": {"variable": "topic", "label": "Topic", "required": True}}]
WEBHOOK_SECRET = "whsec_ZmFrZS13ZWJob29rLXNlY3JldC0xMjM="


@pytest.fixture
def dify() -> Iterator[DifyServer]:
    with DifyServer() as running:
        yield running


def review(plugin: PluginProcess, dify: DifyServer, *apps: App) -> engine.Run:
    for app in apps:
        dify.add(app)
    keys = "\n".join(f"{app.name}={app.key}" for app in apps)
    environment = {"APP_KEYS": keys, "DIFY_API": dify.url}
    return engine.run(REVIEW, plugin, inputs={"question": "这份合同可以签吗？"}, environment=environment)


def test_the_experts_answer_at_once_and_their_reviews_become_one_text(plugin: PluginProcess, dify: DifyServer) -> None:
    legal = App("法务", "chat", answer="第 3 条需要修改。", seconds=0.5)
    tax = App("财税", answer="税率无误。", seconds=0.5)
    found = review(plugin, dify, legal, tax, App("风控", "chat", fault="500"))
    assert (found.status, found.error) == ("succeeded", "")
    text = found.outputs["review"]
    assert text.startswith("# 专家评审\n\n**问题**：这份合同可以签吗？\n\n共 3 位，回答 2 位，用时 ")
    assert "## 法务\n\n第 3 条需要修改。" in text
    assert "## 财税\n\n税率无误。" in text
    assert "## 风控\n\n（没有回答：[dify_down]" in text
    assert found.outputs["failed"] == 1
    assert dify.most_at_once == 2
    assert {run.user for run in dify.runs} == {"user-1"}


def test_without_any_answer_the_review_fails_and_says_why(plugin: PluginProcess, dify: DifyServer) -> None:
    found = review(plugin, dify, App("法务", fault="500"), App("财税", enabled=False))
    assert found.status == "failed"
    assert "[broadcast_failed]" in found.error
    assert "法务：[dify_down]" in found.error
    assert "财税：[dify_forbidden]" in found.error


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    """The events that a receiver of webhooks got; its address is the only one that this test can give."""
    events: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        events.append({"url": f"http://127.0.0.1:{server.server_port}/hook"})
        yield events
        server.shutdown()


def long_run(plugin: PluginProcess, dify: DifyServer, app: App, url: str, *, private: bool = True) -> engine.Run:
    dify.add(app)
    environment = {
        "APP_KEY": f"worker={app.key}",
        "DIFY_API": dify.url,
        "WEBHOOK_URL": url,
        "WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    workflow = LONG_RUN.read_text(encoding="utf-8")
    if private:  # the receiver of this test is on this machine, which the builder would have to allow
        before = "allow_private:\n            type: constant\n            value: false"
        assert before in workflow
        workflow = workflow.replace(before, before.replace("false", "true"))
    inputs = {"task": "整理全年的报告", "inputs": '{"topic": "x"}'}
    return engine.run(workflow, plugin, inputs=inputs, environment=environment)


def test_a_long_run_is_told_when_it_is_done(
    plugin: PluginProcess, dify: DifyServer, told: list[dict[str, Any]]
) -> None:
    found = long_run(plugin, dify, App("worker", form=TOPIC, answer="完成。", seconds=0.5), told[0]["url"])
    assert (found.status, found.error) == ("succeeded", "")
    assert found.outputs == {"answer": "完成。", "run_id": dify.runs[0].run_id}
    assert found.node_outputs["job"]["text"] == "完成。"
    assert dify.runs[0].inputs["topic"] == "x"
    assert told[1]["status"] == "completed"
    assert told[1]["run_id"] == dify.runs[0].run_id


def test_a_run_that_fails_goes_the_other_way_and_is_told_too(
    plugin: PluginProcess, dify: DifyServer, told: list[dict[str, Any]]
) -> None:
    found = long_run(plugin, dify, App("worker", "chat", fault="failed_run"), told[0]["url"])
    assert found.outputs["status"] == "failed"
    assert "[dify_model_failed]" in found.outputs["error"]
    assert told[1]["status"] == "failed"


def test_a_webhook_that_is_not_delivered_goes_the_other_way(plugin: PluginProcess, dify: DifyServer) -> None:
    found = long_run(plugin, dify, App("worker"), "http://127.0.0.1:9/hook", private=False)
    assert found.outputs["status"] == "succeeded"
    assert found.outputs["webhook_error"].startswith("[address_refused]")
