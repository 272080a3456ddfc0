"""The examples that work on the console, and tell a group: a nightly backup, and a new key."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools import engine
from devtools.dify_server import App, DifyServer, simple_flow, variable
from devtools.plugin_process import PluginProcess
from devtools.plugin_storage import PluginStorage
from devtools.robot import Robot

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "workflows"
TOKEN, SECRET = "fake-token-0123456789abcdef", "SECfake-secret-0123456789"


@pytest.fixture
def dify() -> Iterator[DifyServer]:
    with DifyServer() as running:
        yield running


@pytest.fixture
def robot() -> Iterator[Robot]:
    with Robot(TOKEN, SECRET) as running:
        yield running


@pytest.fixture(scope="module")
def plugin() -> Iterator[PluginProcess]:
    """A plugin whose storage is its own."""
    with PluginProcess(ROOT, answer=PluginStorage()) as running:
        yield running


def environment(dify: DifyServer, robot: Robot, **more: str) -> dict[str, str]:
    door = dify.console.door
    way = {"DIFY_API": dify.url, "ADMIN_KEY": door.admin_key, "WORKSPACE_ID": door.workspace_id}
    group = {"DINGTALK_TOKEN": TOKEN, "DINGTALK_SECRET": SECRET, "DINGTALK_BASE_URL": robot.url}
    return way | group | more


def told(robot: Robot) -> str:
    """The words of the one message in the group."""
    [body] = robot.posted
    return str(body["markdown"]["text"] if body["msgtype"] == "markdown" else body["text"]["content"])


def backup() -> str:
    """The nightly backup, begun by hand."""
    return engine.begun_by_hand((EXAMPLES / "nightly_backup.yml").read_text(encoding="utf-8"))


def test_every_night_all_workflows_are_kept_and_the_group_is_told(
    plugin: PluginProcess, dify: DifyServer, robot: Robot
) -> None:
    dify.add(App("合同审查", draft=simple_flow("v1", [variable("KEY", "fake-value-of-a-secret", secret=True)])))
    dify.add(App("闲聊", "chat"))
    found = engine.run(backup(), plugin, inputs={}, environment=environment(dify, robot))
    assert (found.status, found.error) == ("succeeded", "")
    [snapshot] = found.outputs["snapshots"]
    assert (snapshot["name"], snapshot["unchanged"]) == ("合同审查", False)
    assert (found.outputs["failed"], found.outputs["delivered"]) == ([], True)
    assert "合同审查" in told(robot)
    assert len(found.files) == 1
    again = engine.run(backup(), plugin, inputs={}, environment=environment(dify, robot))
    assert again.outputs["snapshots"][0]["unchanged"]
    assert again.outputs["snapshots"][0]["snapshot_id"] == snapshot["snapshot_id"]


def test_a_new_key_is_handed_over_and_the_group_is_told(plugin: PluginProcess, dify: DifyServer, robot: Robot) -> None:
    app = dify.add(App("合同审查"))
    caller = dify.add(App("每日任务", draft=simple_flow("v1", [variable("LEGAL_KEY", app.key, secret=True)])))
    workflow = (EXAMPLES / "rotate_and_tell.yml").read_text(encoding="utf-8")
    # The stand-in's keys have just been made and used by nobody; and a test does not wait a minute.
    for name, before, after in (("force_retire", "false", "true"), ("grace_s", "60", "0")):
        setting = f"{name}:\n            type: constant\n            value: {before}"
        assert setting in workflow
        workflow = workflow.replace(setting, setting.replace(before, after))
    given = environment(dify, robot, APP_ID=app.id, DELIVER_TO=f"{caller.id}:LEGAL_KEY")
    found = engine.run(workflow, plugin, inputs={}, environment=given)
    assert (found.status, found.error) == ("succeeded", "")
    [row] = found.outputs["rotated"]
    assert (row["state"], row["error"]) == ("done", "")
    [key] = [key.token for key in app.api_keys]
    assert key != app.key
    assert caller.serving
    assert caller.serving.value("LEGAL_KEY") == key
    assert key not in told(robot)
    assert row["new_key_last4"] == key[-4:]


def test_the_group_is_told_of_a_night_without_a_backup(plugin: PluginProcess, dify: DifyServer, robot: Robot) -> None:
    wrong = environment(dify, robot, ADMIN_KEY="fake-wrong-admin-key")
    found = engine.run(backup(), plugin, inputs={}, environment=wrong)
    assert (found.status, found.outputs["delivered"]) == ("partial-succeeded", True)
    assert "[console_admin_key]" in found.outputs["error_message"]
    assert "备份没有完成" in told(robot)
    assert "fake-wrong-admin-key" not in told(robot)


def test_the_group_is_told_of_a_key_that_could_not_be_renewed(
    plugin: PluginProcess, dify: DifyServer, robot: Robot
) -> None:
    given = environment(dify, robot, APP_ID="legal", DELIVER_TO="")
    found = engine.run(EXAMPLES / "rotate_and_tell.yml", plugin, inputs={}, environment=given)
    assert (found.status, found.outputs["delivered"]) == ("partial-succeeded", True)
    assert "[rotation_app_id]" in told(robot)
