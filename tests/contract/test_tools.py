"""The standard suite: what every tool of the provider must do, spoken to over the SDK's own protocol."""

import gzip
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from devtools import catalog
from devtools.dify_server import App, DifyServer, simple_flow, variable
from devtools.dify_server.console_login import Doorkeeper
from devtools.plugin_process import PluginFailure, PluginProcess
from devtools.plugin_storage import PluginStorage
from devtools.robot import Robot

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {tool.name: tool for tool in catalog.tools()}
TOKEN, SECRET = "fake-token-0123456789abcdef", "SECfake-secret-0123456789"
SCHEMA = '{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}'
MODEL = {"provider": "maker/plugin/maker", "model": "m", "model_type": "llm", "mode": "chat", "completion_params": {}}
KEYS = {"legal": "app-fake-key-of-legal-0123", "marketing": "app-fake-key-of-marketing-4567"}
GATEWAY = {"X-Gateway-Key": "fake-gateway-secret-89"}
ADMIN_KEY = Doorkeeper().admin_key
HOOK_SECRET = "whsec_ZmFrZS13ZWJob29rLXNlY3JldC0xMjM="
HIDDEN = "fake-secret-of-an-environment-42"
WRITTEN = "sk-fakeKeyWrittenIntoANode0123456789"
VERSIONED = "0c0c0c0c-0000-4000-8000-00000000000c"
OLD_VALUE, NEW_VALUE = "fake-old-value-0123456", "fake-new-value-0123456"
CSV = "Date,Product,Price,Amount,Region\n2026-03-01,灯,19.99,3,华东\n"


@dataclass(frozen=True)
class World:
    """What the tools meet outside: a group's robot, and a Dify with two apps, a third one and its console."""

    robot: Robot
    dify: DifyServer
    renewed: App
    restored: App

    def gone_back(self) -> dict[str, Any]:
        """An app to be put back from its second version to its first, and proved by a run."""
        app = self.restored
        assert app.draft is not None
        app.draft.graph["nodes"][1]["data"]["template"] = f"Authorization: Bearer {WRITTEN} {len(app.versions)}"
        app.publish()
        return {"app_id": app.id, "to": f"version:{app.versions[0].id}", "probe_key": app.key}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Robot(TOKEN, SECRET, enforce_rate=False) as robot, DifyServer() as dify:
        dify.add(App("legal", key=KEYS["legal"], headers_required=GATEWAY))
        dify.add(App("marketing", "chat", key=KEYS["marketing"], headers_required=GATEWAY))
        flow = simple_flow(f"Authorization: Bearer {WRITTEN}", [variable("KEY", HIDDEN, secret=True)])
        dify.add(App("versioned", draft=flow, id=VERSIONED))
        renewed = dify.add(App("renewed", draft=simple_flow("v1", [variable("KEY", OLD_VALUE, secret=True)])))
        restored = dify.add(App("restored", draft=simple_flow("v1", [variable("KEY", HIDDEN, secret=True)])))
        yield World(robot, dify, renewed, restored)


type Call = Callable[[World], dict[str, Any]]

# For each tool: a call that succeeds, calls that fail with the key of their error, and its secrets.
GOOD: dict[str, Call] = {
    "app_broadcast": lambda world: apps(world) | {"targets": "marketing, legal"},
    "app_run": lambda world: (
        apps(world)
        | {"app": "marketing", "webhook_url": "http://127.0.0.1:9/hook?key=fake", "webhook_secret": HOOK_SECRET}
    ),
    "credential_check": lambda world: (
        checked(world) | {"webhooks": "crm=http://127.0.0.1:9/hook?key=fake", "webhook_secret": HOOK_SECRET}
    ),
    "workflow_snapshot": lambda world: console(world) | {"app_ids": VERSIONED, "note": "as a test"},
    "workflow_history": lambda world: login(world) | {"app_id": VERSIONED, "left": "published", "right": "draft"},
    "workflow_rollback": lambda world: console(world) | world.gone_back(),
    "key_rotation": lambda world: (
        renewal(world)
        | {"kind": "app_key", "force_retire": True, "grace_s": 0}
        | {"deliver_to": f"{world.renewed.id}:KEY"}
    ),
    "sales_analysis": lambda _: {"csv_text": CSV},
    "json_repair": lambda _: {"text": "So: {a: '1',}", "schema": SCHEMA},
    "json_regenerate": lambda _: {"text": "So: {a: '1',}", "schema": SCHEMA, "model": MODEL},
    "dingtalk_push": lambda world: {
        "content": "# 日报\n\n- 一切正常",
        "access_token": f"{world.robot.url}/robot/send?access_token={TOKEN}&timestamp=1&sign=stale",
        "sign_secret": SECRET,
        "dedupe_key": "run-1",
    },
}
BAD: dict[str, list[tuple[str, Call]]] = {
    "app_broadcast": [
        ("no_targets", lambda _: {"query": "x"}),
        ("unknown_choice", lambda world: apps(world) | {"choose": "press"}),
        ("broadcast_failed", lambda world: apps(world) | {"app_keys": "marketing=app-fake-key-that-nobody-knows"}),
        ("broadcast_failed", lambda world: apps(world) | {"extra_headers": "X-Gateway-Key: fake-wrong-secret"}),
        ("broadcast_failed", lambda world: apps(world) | {"base_url": "http://169.254.169.254", "deadline_s": 2}),
        ("not_json", lambda world: apps(world) | {"inputs": "{"}),
        ("out_of_range", lambda world: apps(world) | {"deadline_s": 551}),
        ("not_an_option", lambda world: apps(world) | {"mode": "some"}),
    ],
    "app_run": [
        ("unknown_target", lambda world: apps(world) | {"app": "press"}),
        ("dify_key", lambda world: apps(world) | {"app": "a", "app_keys": "a=app-fake-key-that-nobody-knows"}),
        ("missing_secret", lambda world: apps(world) | {"app": "legal", "webhook_url": "https://example.com"}),
    ],
    "credential_check": [
        ("bad_entries", lambda world: checked(world) | {"urls": "https://example.com/?key=fake"}),
        ("missing_secret", lambda world: checked(world) | {"webhooks": "crm=https://example.com/hook?key=fake"}),
        ("checks_failed", lambda world: checked(world) | {"app_keys": "a=app-fake-key-unknown", "fail_on": "any"}),
        (
            "checks_failed",
            lambda world: (
                checked(world) | {"robots": f"ops={world.robot.url}?access_token={TOKEN}-no:{SECRET}", "fail_on": "any"}
            ),
        ),
        ("missing_secret", lambda world: checked(world) | {"admin_key": ""}),
        ("not_an_option", lambda world: checked(world) | {"fail_on": "some"}),
    ],
    "workflow_snapshot": [
        ("console_no_way", lambda _: {"app_ids": "all"}),
        ("console_admin_key", lambda world: console(world) | {"app_ids": "all", "admin_key": "fake-wrong-admin-key"}),
        ("console_no_app", lambda world: console(world) | {"app_ids": "legal"}),
        ("snapshots_failed", lambda world: console(world) | {"app_ids": "legal, press"}),
        ("out_of_range", lambda world: console(world) | {"app_ids": "all", "keep": 201}),
        ("not_usable", lambda world: console(world) | {"app_ids": "all", "tag": "x" * 65}),
    ],
    "workflow_history": [
        ("console_two_ways", lambda world: console(world) | login(world) | {"app_id": VERSIONED}),
        ("console_password", lambda world: login(world) | {"app_id": VERSIONED, "password": "fake-wrong-password"}),
        ("no_such_side", lambda world: console(world) | {"app_id": VERSIONED, "left": "yesterday"}),
        ("no_snapshot", lambda world: console(world) | {"app_id": VERSIONED, "left": "snapshot:none"}),
        ("no_side_file", lambda world: console(world) | {"app_id": VERSIONED, "left": "file"}),
    ],
    "workflow_rollback": [
        ("no_snapshot", lambda world: console(world) | {"app_id": VERSIONED, "to": "snapshot:none"}),
        ("rollback_app_id", lambda world: console(world) | {"app_id": "legal", "to": "published"}),
        ("rollback_two_aims", lambda world: console(world) | {"app_id": VERSIONED, "to": "draft", "file": file("x")}),
        ("app_probe_key", lambda world: console(world) | {"app_id": VERSIONED, "to": "draft", "probe_key": TOKEN}),
        ("console_password", lambda world: login(world) | {"app_id": VERSIONED, "to": "draft", "password": "fake-no"}),
    ],
    "key_rotation": [
        ("missing_secret", lambda world: renewal(world, new_value=None)),
        ("rotation_probe_keys", lambda world: renewal(world, probe_keys="app-fake-key-without-an-app")),
        ("rotation_app_id", lambda world: renewal(world, app_ids="legal")),
        ("console_admin_key", lambda world: renewal(world, admin_key="fake-admin-key-that-nobody-knows")),
        ("rotation_nobody_told", lambda world: renewal(world, kind="app_key")),
        ("address_refused", lambda world: renewal(world, base_url="http://169.254.169.254")),
        ("out_of_range", lambda world: renewal(world, grace_s=201)),
        ("not_an_option", lambda world: renewal(world, kind="all")),
    ],
    "sales_analysis": [
        ("missing_columns", lambda _: {"csv_text": "日期,品名\n1,2\n"}),
        ("file_url_incomplete", lambda _: {"file": file("/files/1/file-preview?sign=x")}),
        ("not_an_option", lambda _: {"csv_text": CSV, "language": "fr"}),
        ("address_refused", lambda _: {"file_url": "http://127.0.0.1:9/sales.csv"}),
    ],
    "json_repair": [
        ("invalid_json", lambda _: {"text": "none here"}),
        ("bad_schema", lambda _: {"text": "{}", "schema": '{"type": "strin"}'}),
        ("no_fallback", lambda _: {"text": "{}", "on_invalid": "fallback"}),
        ("out_of_range", lambda _: {"text": "{}", "max_depth": 501}),
        ("not_an_option", lambda _: {"text": "{}", "coerce": "much"}),
    ],
    "json_regenerate": [
        ("no_model", lambda _: {"text": "none here", "model": {"provider": ""}}),
        ("model_unavailable", lambda _: {"text": "none here", "model": MODEL}),
        ("fallback_not_json", lambda _: {"text": "{}", "model": MODEL, "fallback": "{"}),
    ],
    "dingtalk_push": [
        ("robot_token", lambda world: text(base_url=world.robot.url, access_token="wrong-" + TOKEN)),
        ("robot_signature", lambda world: text(base_url=world.robot.url, sign_secret="wrong" + SECRET)),
        ("robot_not_reached", lambda _: text(base_url="http://127.0.0.1:9", deadline_s=1)),
        ("address_refused", lambda _: text(base_url="http://169.254.169.254")),
        ("not_json", lambda _: text(links="[{")),
        ("out_of_range", lambda _: text(deadline_s=551)),
    ],
}
FIRST_MISSING = {
    "app_broadcast": "[no_targets]",
    "app_run": "[missing_parameter] The parameter app",
    "credential_check": "[nothing_to_check]",
    "workflow_snapshot": "[missing_parameter] The parameter app_ids",
    "workflow_history": "[missing_parameter] The parameter app_id",
    "workflow_rollback": "[missing_parameter] The parameter app_id",
    "key_rotation": "[missing_parameter] The parameter kind",
    "sales_analysis": "[no_source]",
    "json_repair": "[missing_parameter] The parameter text",
    "json_regenerate": "[missing_parameter] The parameter text",
    "dingtalk_push": "[missing_parameter] The parameter content",
}


def apps(world: World) -> dict[str, Any]:
    """Two apps by their keys, in a hosted Dify that wants a header more."""
    return {
        "query": "What?",
        "app_keys": "\n".join(f"{name}={key}" for name, key in KEYS.items()),
        "base_url": world.dify.url,
        "extra_headers": "\n".join(f"{name}: {value}" for name, value in GATEWAY.items()),
    }


def checked(world: World) -> dict[str, Any]:
    """The same apps, the console and the robot, to be looked at."""
    found = {name: value for name, value in apps(world).items() if name != "query"}
    door = world.dify.console.door
    robots = f"ops={world.robot.url}/robot/send?access_token={TOKEN}:{SECRET}"
    return found | {"robots": robots, "workspace_id": door.workspace_id, "admin_key": ADMIN_KEY, "timeout_s": 5}


def console(world: World) -> dict[str, Any]:
    """The way into the console by an admin key."""
    door = world.dify.console.door
    return {"base_url": world.dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id}


def login(world: World) -> dict[str, Any]:
    """The way into the console by a password."""
    door = world.dify.console.door
    return {"base_url": world.dify.url, "email": door.email, "password": door.password}


def renewal(world: World, **given: Any) -> dict[str, Any]:
    """A new value for a secret, through the console."""
    asked = {"kind": "secret", "app_ids": world.renewed.id, "variable": "KEY", "new_value": NEW_VALUE}
    return console(world) | asked | given


def text(**given: Any) -> dict[str, Any]:
    """A short message."""
    return {"content": "x", "access_token": TOKEN, "sign_secret": SECRET} | given


def file(url: str) -> dict[str, Any]:
    """A file as Dify hands it over."""
    return {
        "dify_model_identity": "__dify__file__",
        "url": url,
        "mime_type": "text/csv",
        "filename": "sales.csv",
        "extension": ".csv",
        "size": 10,
        "type": "document",
    }


def test_every_tool_has_its_calls_here() -> None:
    assert GOOD.keys() == BAD.keys() == FIRST_MISSING.keys() == TOOLS.keys()


def test_the_plugin_loads_with_every_tool(plugin: PluginProcess) -> None:
    assert (plugin.manifest["author"], plugin.manifest["name"]) == ("opskit", "opskit")
    assert "Installed tool: opskit" in plugin.log


@pytest.mark.parametrize("tool", TOOLS)
def test_an_empty_call_is_refused_by_name(tool: str, plugin: PluginProcess) -> None:
    for nothing in ({}, dict.fromkeys(TOOLS[tool].parameters), dict.fromkeys(TOOLS[tool].parameters, " ")):
        with pytest.raises(PluginFailure) as failure:
            plugin.invoke(tool, nothing)
        assert failure.value.kind in {"InvalidInput", "InvalidCredentials"}
        assert failure.value.message.startswith(FIRST_MISSING[tool])


@pytest.mark.parametrize("tool", TOOLS)
def test_the_outputs_are_what_the_schema_says(tool: str, plugin: PluginProcess, world: World) -> None:
    outcome = plugin.invoke(tool, GOOD[tool](world))
    schema = TOOLS[tool].declaration["output_schema"]
    assert outcome.variables.keys() == schema["properties"].keys()
    assert None not in outcome.variables.values()
    strict = jsonschema.Draft202012Validator(nullable(schema))
    strict.validate(outcome.variables)
    assert outcome.json == [outcome.variables]
    assert outcome.text == outcome.variables["answer" if tool == "app_run" else "report"]


def nullable(schema: Any) -> Any:
    """The schema, allowing null for the fields of objects inside it, as Dify's simple types cannot say it."""
    if "items" in schema:
        return schema | {"items": nullable(schema["items"])}
    if "properties" not in schema:
        return schema
    fields = {name: nullable(field) for name, field in schema["properties"].items()}
    inner = {name: field | {"type": [field["type"], "null"]} for name, field in fields.items()}
    return schema | {"properties": inner, "required": list(inner), "additionalProperties": False}


@pytest.mark.parametrize("tool", TOOLS)
def test_an_agent_gets_text_and_little_json(tool: str, plugin: PluginProcess, world: World) -> None:
    outcome = plugin.invoke(tool, GOOD[tool](world), agent=True)
    assert [message["type"] for message in outcome.messages] == ["text", "json"]


@pytest.mark.parametrize(("tool", "key", "call"), [(tool, key, call) for tool in BAD for key, call in BAD[tool]])
def test_a_failure_is_raised_with_its_key_and_without_its_causes(
    tool: str, key: str, call: Call, plugin: PluginProcess, world: World
) -> None:
    with pytest.raises(PluginFailure) as failure:
        plugin.invoke(tool, call(world))
    assert failure.value.message.startswith(f"[{key}] ")
    assert "During handling" not in failure.value.trace
    assert "direct cause" not in failure.value.trace


@pytest.mark.parametrize("tool", sorted(name for name, tool in TOOLS.items() if "base_url" in tool.parameters))
def test_no_secret_goes_to_a_host_that_a_model_may_have_chosen(tool: str, plugin: PluginProcess, world: World) -> None:
    """The strategy of an Agent node lets its model overwrite what the builder has filled in."""
    chosen = GOOD[tool](world) | {"base_url": "https://93.184.216.34"}
    if tool == "dingtalk_push":
        chosen["access_token"] = TOKEN
    try:
        told = str(list(plugin.stream(tool, chosen, strategy=True)))
    except PluginFailure as failure:
        told = failure.message
    assert "[host_not_trusted]" in told or "'host_not_trusted'" in told


def test_no_byte_of_the_process_holds_a_secret(world: World) -> None:
    door, storage = world.dify.console.door, PluginStorage()
    with PluginProcess(ROOT, answer=storage) as plugin:
        for tool in TOOLS:
            for agent in (False, True):
                plugin.invoke(tool, GOOD[tool](world), agent=agent)
            for _, call in BAD[tool]:
                with pytest.raises(PluginFailure):
                    plugin.invoke(tool, call(world))
        written = plugin.written
    assert len(written) > 1000
    secrets = [TOKEN, SECRET, "access_token=", "sign=", *KEYS.values(), *GATEWAY.values(), HOOK_SECRET, "key=fake"]
    secrets += [HIDDEN, WRITTEN, ADMIN_KEY, door.password, "fake-wrong-admin-key", "fake-wrong-password"]
    secrets += [OLD_VALUE, NEW_VALUE, *(key.token for app in (world.renewed, world.restored) for key in app.api_keys)]
    assert any(key.endswith(".index") for key in storage.kept)
    kept = b"".join(unpacked(bytes.fromhex(value)) for value in storage.kept.values())
    for secret in secrets:
        assert secret.encode() not in written
        assert secret.encode() not in kept


def unpacked(value: bytes) -> bytes:
    """What lies in storage, as it reads."""
    return gzip.decompress(value) if value.startswith(b"\x1f\x8b") else value


def test_nothing_is_written_beside_the_protocol(plugin: PluginProcess) -> None:
    assert plugin.errors == b""


@pytest.fixture
def big_file(tmp_path: Path, served: str) -> str:
    """The address of 150,000 rows, each with a price that has to be read by itself: that takes seconds."""
    prices = (f'"¥{number:,}.99 元"' for number in range(150_000))
    rows = "".join(
        f"2026-03-{number % 30 + 1:02},灯{number % 40},{price},3,华东\n" for number, price in enumerate(prices)
    )
    (tmp_path / "big.csv").write_text(CSV + rows, encoding="utf-8")
    return f"{served}/big.csv"


def test_a_big_table_does_not_silence_the_plugin(plugin: PluginProcess, world: World, big_file: str) -> None:
    ended: list[str] = []
    begun = threading.Event()

    def analyse() -> None:
        for message in plugin.stream("sales_analysis", {"file": file(big_file)}):
            if message["type"] == "variable" and message["message"]["stream"]:
                begun.set()  # the table was found, and is being read
        ended.append("big")

    slow = threading.Thread(target=analyse)
    slow.start()
    assert begun.wait(60)
    plugin.invoke("dingtalk_push", GOOD["dingtalk_push"](world) | {"dry_run": True})
    ended.append("small")
    slow.join()
    assert ended == ["small", "big"]


def test_progress_is_streamed_to_a_workflow_and_kept_from_an_agent(plugin: PluginProcess) -> None:
    def streamed(*, agent: bool) -> str:
        messages = plugin.stream("sales_analysis", {"csv_text": CSV}, agent=agent)
        found = [one["message"] for one in messages if one["type"] == "variable" and one["message"]["stream"]]
        return "".join(one["variable_value"] for one in found if one["variable_name"] == "progress")

    assert streamed(agent=False) == plugin.invoke("sales_analysis", {"csv_text": CSV}).variables["progress"] != ""
    assert streamed(agent=True) == ""


def test_pictures_and_exports_arrive_in_their_order(plugin: PluginProcess) -> None:
    asked = {"csv_text": CSV, "charts": "both", "exports": "xlsx, markdown"}
    outcome = plugin.invoke("sales_analysis", asked)
    names = ["trend.png", "products.png", "regions.png", "pareto.png", "report.md", "report.xlsx"]
    assert list(outcome.files) == names
    assert all(outcome.files[name].startswith(b"\x89PNG") for name in names[:4])
    assert outcome.files["report.md"].decode() == outcome.text
    assert plugin.invoke("sales_analysis", asked, agent=True).files == {}


def test_a_snapshot_arrives_as_a_file_and_is_found_by_the_next_call(plugin: PluginProcess, world: World) -> None:
    first = plugin.invoke(
        "workflow_snapshot", console(world) | {"app_ids": VERSIONED, "source": "draft", "tag": "kept"}
    )
    (name,) = first.files
    assert name == f"versioned-{VERSIONED[:8]}.yml"
    for secret in (HIDDEN, WRITTEN):
        assert secret.encode() not in first.files[name]
    again = plugin.invoke("workflow_snapshot", console(world) | {"app_ids": VERSIONED, "source": "draft"})
    assert (again.files, again.variables["snapshots"][0]["unchanged"]) == (first.files, True)
    asked = login(world) | {"app_id": VERSIONED, "left": "snapshot:kept", "right": "draft"}
    history = plugin.invoke("workflow_history", asked).variables
    assert (history["changes"], history["summary"]) == ([], "No changes.")
    assert "kept" in [row["tag"] for row in history["timeline"]]


def test_an_app_goes_back_and_forth(plugin: PluginProcess, world: World) -> None:
    there = plugin.invoke("workflow_rollback", console(world) | world.gone_back()).variables
    assert (there["status"], there["error"]) == ("restored", "")
    to = f"snapshot:{there['before_snapshot_id']}"
    asked = login(world) | {"app_id": world.restored.id, "to": to}
    assert plugin.invoke("workflow_rollback", asked | {"dry_run": True}).variables["status"] == "planned"
    assert plugin.invoke("workflow_rollback", asked).variables["status"] == "restored"
    assert plugin.invoke("workflow_rollback", asked).variables["status"] == "unchanged"
    assert world.restored.serving
    assert WRITTEN in world.restored.serving.graph["nodes"][1]["data"]["template"]
