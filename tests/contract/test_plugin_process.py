"""The contract driver itself: what it says of a plugin must be true, or every other test is worthless."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from devtools import bench
from devtools.dify_server import App
from devtools.plugin_process import PluginFailure, PluginProcess
from devtools.workspace import Workspace

ADAPTER = """\
    import sys
    import time

    from dify_plugin import Tool

    class NoopTool(Tool):
        def _invoke(self, tool_parameters):
            getattr(self, tool_parameters["text"].split()[0])(tool_parameters["text"])
            yield from self.said

        def say(self, text):
            self.said = [
                self.create_text_message("a"), self.create_text_message("b"), self.create_json_message({"n": 1}),
                self.create_stream_variable_message("v", "x"), self.create_stream_variable_message("v", "y"),
            ]

        def store(self, text):
            storage = self.session.storage
            storage.set("key", b"value")
            self.said = [self.create_text_message(storage.get("key").decode())]

        def ask(self, text):
            events = self.session.app.workflow.invoke(app_id="app-2", inputs={}, response_mode="streaming")
            self.said = [self.create_text_message(str(event["n"])) for event in events]

        def gather(self, text):
            from concurrent.futures import ThreadPoolExecutor

            def ask(number):
                events = self.session.app.workflow.invoke(
                    app_id=f"slow-{number}", inputs={}, response_mode="streaming"
                )
                return [(event["n"], time.monotonic()) for event in events]

            began = time.monotonic()
            with ThreadPoolExecutor(4) as pool:
                told = list(pool.map(ask, range(4)))
            first = max(events[0][1] for events in told) - began
            self.said = [self.create_json_message({"told": [len(events) for events in told], "first": first})]

        def run(self, text):
            events = self.session.app.workflow.invoke(
                app_id=text.split()[1], inputs={}, response_mode="streaming"
            )
            self.said = [self.create_text_message(" ".join(event["event"] for event in events))]

        def halt(self, text):
            events = self.session.app.workflow.invoke(app_id="broken", inputs={}, response_mode="streaming")
            seen = []
            try:
                seen.extend(str(event["n"]) for event in events)
            except Exception as error:
                seen.append(str(error))
            self.said = [self.create_text_message(" ".join(seen))]

        def abandon(self, text):
            events = self.session.app.workflow.invoke(app_id="slow-1", inputs={}, response_mode="streaming")
            self.said = [self.create_text_message(str(next(events)["n"]))]

        def wait(self, text):
            time.sleep(0.3)
            self.said = [self.create_text_message(text)]

        def fail(self, text):
            raise KeyError(text)

        def mutter(self, text):
            print("not a line of the protocol", file=sys.stderr)
            self.said = [self.create_text_message(self.session.conversation_id or "-")]

        def babble(self, text):
            print({"babble": "not a line of the protocol"}, flush=True)
            time.sleep(60)

        def roar(self, text):
            print("x" * 6_000_000, flush=True)
            time.sleep(60)

        def die(self, text):
            import os
            os._exit(3)
"""


class Daemon:
    """Answers what the plugin asks of Dify, as Dify's daemon does."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.finished = 0

    def __call__(self, kind: str, request: dict[str, Any]) -> object:
        match kind, request.get("opt"):
            case "storage", "set":
                self.kept[request["key"]] = request["value"]
                return {"data": "ok"}
            case "storage", "get":
                return {"data": self.kept[request["key"]]}
            case "app", _ if request["app_id"].startswith("slow"):
                return self.slowly()
            case "app", _ if request["app_id"] == "broken":
                return self.halfway()
            case "app", _:
                return iter([{"n": 1}, {"n": 2}, {"n": 3}])
        raise AssertionError(kind)

    def slowly(self) -> Iterator[dict[str, int]]:
        yield {"n": 1}
        time.sleep(0.5)
        yield {"n": 2}
        self.finished += 1

    def halfway(self) -> Iterator[dict[str, int]]:
        yield {"n": 1}
        raise RuntimeError("the stream broke")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = bench.empty_plugin(tmp_path_factory.mktemp("driver") / "plugin")
    (folder / "tools" / "noop.py").write_text(dedent(ADAPTER), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture(scope="module")
def lab(root: Path, daemon: Daemon) -> Iterator[PluginProcess]:
    with PluginProcess(root, answer=daemon) as running:
        yield running


def test_messages_are_read_as_a_tool_node_reads_them(lab: PluginProcess) -> None:
    outcome = lab.invoke("noop", {"text": "say"})
    assert (outcome.text, outcome.json, outcome.variables) == ("ab", [{"n": 1}], {"v": "xy"})


def test_reverse_invocations_are_answered_by_the_test(lab: PluginProcess) -> None:
    assert lab.invoke("noop", {"text": "store"}).text == "value"
    assert lab.invoke("noop", {"text": "ask"}).text == "123"


def test_reverse_invocations_of_one_call_overlap_and_stream(lab: PluginProcess) -> None:
    began = time.monotonic()
    found = lab.invoke("noop", {"text": "gather"}).json[0]
    assert found["told"] == [2] * 4
    assert found["first"] < 0.4
    assert time.monotonic() - began < 1.5


def test_a_stream_may_break_off(lab: PluginProcess) -> None:
    assert lab.invoke("noop", {"text": "halt"}).text == "1 the stream broke"


def test_an_abandoned_invocation_goes_on_and_reaches_nobody(lab: PluginProcess, daemon: Daemon) -> None:
    before = daemon.finished
    assert lab.invoke("noop", {"text": "abandon"}).text == "1"
    assert daemon.finished == before
    time.sleep(0.7)
    assert daemon.finished == before + 1
    assert lab.invoke("noop", {"text": "store"}).text == "value"


def test_the_apps_of_a_workspace_answer(root: Path) -> None:
    good, bad = App("good", pieces=1), App("bad", published=False)
    with Workspace(good, bad) as workspace, PluginProcess(root, answer=workspace) as plugin:
        told = plugin.invoke("noop", {"text": f"run {good.id}"}).text.split()
        assert (told[0], told[-1]) == ("workflow_started", "workflow_finished")
        with pytest.raises(PluginFailure) as failure:
            plugin.invoke("noop", {"text": f"run {bad.id}"})
    assert failure.value.message == (
        "invoke app failed: request failed with status code: 400 and respond with: "
        '{"code": "invalid_param", "message": "unexpected app type", "status": 400}'
    )


def test_a_plugin_is_ended_while_an_invocation_is_open(root: Path, daemon: Daemon) -> None:
    threads = threading.active_count()
    with PluginProcess(root, answer=daemon) as plugin:
        assert plugin.invoke("noop", {"text": "abandon"}).text == "1"
    assert threading.active_count() == threads


def test_a_refused_reverse_invocation_fails_the_call(root: Path) -> None:
    with PluginProcess(root) as lonely, pytest.raises(PluginFailure, match="nobody answers the reverse invocation"):
        lonely.invoke("noop", {"text": "store"})


def test_a_raised_error_is_a_failure_with_its_class_and_text(lab: PluginProcess) -> None:
    with pytest.raises(PluginFailure) as failure:
        lab.invoke("noop", {"text": "fail now"})
    assert (failure.value.kind, failure.value.message) == ("KeyError", "'fail now'")
    assert "raise KeyError" in failure.value.trace


def test_calls_overlap(lab: PluginProcess) -> None:
    said: list[str] = []

    def wait(number: int) -> None:
        said.append(lab.invoke("noop", {"text": f"wait {number}"}).text)

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["wait 0", "wait 1", "wait 2", "wait 3"]


def test_every_byte_is_kept_and_agents_have_a_conversation(root: Path) -> None:
    with PluginProcess(root) as plugin:
        assert plugin.invoke("noop", {"text": "mutter"}).text == "-"
        assert plugin.invoke("noop", {"text": "mutter"}, agent=True).text == "conversation-1"
    assert plugin.errors.count(b"not a line of the protocol") == 2
    assert b"Installed tool: opskit" in plugin.written


def test_a_plugin_that_dies_ends_its_calls(root: Path) -> None:
    with PluginProcess(root) as plugin, pytest.raises(PluginFailure, match="the process has ended"):
        plugin.invoke("noop", {"text": "die"})


@pytest.mark.parametrize(("text", "reason"), [("babble", "a line that no plugin may write"), ("roar", "6000001 bytes")])
def test_a_plugin_that_breaks_the_protocol_is_ended(root: Path, text: str, reason: str) -> None:
    with PluginProcess(root) as plugin, pytest.raises(PluginFailure, match=reason):
        plugin.invoke("noop", {"text": text})


def test_a_plugin_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise SystemExit('no manifest here')\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match="no manifest here"), PluginProcess(tmp_path):
        pass


def test_the_benchmark_measures_both_plugins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "ROUNDS", 1)
    monkeypatch.setattr(bench, "CALLS", 3)
    assert bench.main() in {0, 1}
    printed = capsys.readouterr().out
    assert all(target.name in printed for target in bench.TARGETS)


def test_a_missed_target_is_told_and_fails_the_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    empty, slow = bench.Figures(1, 60, 1), bench.Figures(2.5, 60, 1)
    assert bench.report({"empty": [empty], "ours": [slow]}) == 1
    assert "MISSED" in capsys.readouterr().out
    assert bench.report({"empty": [empty], "ours": [empty]}) == 0
