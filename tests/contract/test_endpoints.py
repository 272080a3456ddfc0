"""Every endpoint over the plugin process: what it answers, each way it can refuse, and that nothing leaks."""

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import yaml

from devtools import bench
from devtools.plugin_process import HttpAnswer, PluginProcess
from opskit import sales, service, webhook, wording
from opskit.service import MAX_BODY

ROOT = Path(__file__).resolve().parents[2]
GROUP = yaml.safe_load((ROOT / "group" / "opskit.yaml").read_text(encoding="utf-8"))
ENDPOINTS = {path: yaml.safe_load((ROOT / path).read_text(encoding="utf-8")) for path in GROUP["endpoints"]}
SECRET, OLD, TOKEN = "fake-secret-0123456789abcdef", "whsec_ZmFrZS1vbGQtc2VjcmV0LTAxMjM0", "fake-token-0123456789"
SETTINGS = {"webhook_secrets": f"{SECRET}; {OLD}", "api_token": TOKEN}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CSV = "Date,Product,Price,Amount,Region\n2026-03-01,灯,19.99,3,华东\n".encode()
RECEIVED = {"received": True}


class Dify:
    """Answers what the plugin asks of Dify: storage in a dict, and apps that stream as they are told."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.is_full = False
        self.started: list[dict[str, Any]] = []
        self.go_on = threading.Event()

    def __call__(self, kind: str, request: dict[str, Any]) -> object:
        if kind == "app":
            self.started.append(request)
            return self.run(request["app_id"])
        assert kind == "storage"
        key = request["key"]
        match request["opt"]:
            case "set" if not self.is_full:
                self.kept[key] = request["value"]
                return {"data": "ok"}
            case "get" if key in self.kept:
                return {"data": self.kept[key]}
            case "exist":
                return {"data": key in self.kept, "exist_num": 1}
            case "del":
                self.kept.pop(key, None)
                return {"data": "ok", "deleted_num": 1}
        raise RuntimeError("load data failed, please check if the key is correct" if key else "save data failed")

    def run(self, app_id: str) -> Iterator[dict[str, Any]]:
        if app_id == "app-missing":
            raise RuntimeError(
                "invoke app failed: request failed with status code: 400 and respond with: app not found"
            )
        yield {"event": "ping"}
        if app_id == "app-broken":
            yield {"event": "error", "code": "internal_server_error", "message": f"quota of {SECRET}"}
            return
        yield {"event": "workflow_started", "task_id": "t", "workflow_run_id": "r"}
        self.go_on.wait(30)
        yield {"event": "workflow_finished", "data": {"status": "succeeded"}}


@pytest.fixture(scope="module")
def dify() -> Iterator[Dify]:
    daemon = Dify()
    yield daemon
    daemon.go_on.set()


@pytest.fixture(scope="module")
def served(dify: Dify) -> Iterator[PluginProcess]:
    with PluginProcess(ROOT, answer=dify) as running:
        yield running


def event(**given: Any) -> bytes:
    return json.dumps({"task_id": "task-1", "run_id": "run-1", "status": "completed"} | given).encode()


def signed(body: bytes, *, secret: str = SECRET, event_id: str = "", age_s: int = 0) -> dict[str, str]:
    event_id = event_id or f"msg_{uuid4().hex}"
    return webhook.signed(secret, body, event_id=event_id, timestamp=int(time.time()) - age_s)


def post(served: PluginProcess, body: bytes | None = None, **options: Any) -> HttpAnswer:
    """Send an event; ``headers`` replaces the signature, ``app`` sets the app to start."""
    content = event() if body is None else body
    app = options.pop("app", None)
    settings = options.pop("settings", SETTINGS) | ({"app": {"app_id": app, "inputs": {}}} if app else {})
    headers = options.pop("headers", None)
    given = signed(content, **options) if headers is None else headers
    return served.endpoint("POST", "/webhook/dify", headers=given, body=content, settings=settings)


def multipart(*, file: bytes | None = CSV, filename: str = "销售.csv", **fields: str) -> tuple[dict[str, str], bytes]:
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    if file is not None:
        parts.append(f'name="file"; filename="{filename}"\r\nContent-Type: text/csv\r\n\r\n'.encode() + file)
    body = b"".join(b"--fence\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts)
    return {"Content-Type": "multipart/form-data; boundary=fence"}, body + b"--fence--\r\n"


def analyse(served: PluginProcess, *, settings: dict[str, Any] = SETTINGS, **given: Any) -> HttpAnswer:
    headers, body = multipart(**given.pop("form", {}))
    headers |= given.pop("headers", BEARER)
    return served.endpoint("POST", "/analysis/daily_sale_analysis", headers=headers, body=body, settings=settings)


def told(answer: HttpAnswer, status: int, code: str) -> str:
    """The message of an error, which has the one form that all have."""
    assert (answer.status, answer.json["error"]["code"]) == (status, code), answer.body
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json.keys() == {"error"}
    assert answer.json["error"].keys() == {"code", "message"}
    message: str = answer.json["error"]["message"]
    assert message
    return message


# What is declared


def test_the_list_of_endpoints_is_that_of_the_group() -> None:
    declared = {(one["method"], one["path"]) for one in ENDPOINTS.values()}
    assert {(method, path) for method, path, _ in service.ENDPOINTS} == declared
    assert len(service.ENDPOINTS) == len(ENDPOINTS)


def test_the_settings_are_those_that_are_read_and_none_is_required() -> None:
    settings = {one["name"]: one for one in GROUP["settings"]}
    assert set(settings) == {"webhook_secrets", "app", "api_token"}
    assert not any(one["required"] for one in settings.values())
    assert {name for name, one in settings.items() if one["type"] == "secret-input"} == {"webhook_secrets", "api_token"}


# GET /


def test_the_service_says_what_it_is(served: PluginProcess) -> None:
    answer = served.endpoint("GET", "/")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    version = re.findall(r"(?m)^version: (.+)$", (ROOT / "manifest.yaml").read_text(encoding="utf-8"))[0]
    assert (answer.json["name"], answer.json["version"]) == ("OpsKit", version)
    assert [one["path"] for one in answer.json["endpoints"]] == [path for _, path, _ in service.ENDPOINTS]


# POST /webhook/dify


@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_an_event_is_received_and_shown_to_whoever_has_the_token(served: PluginProcess, secret: str) -> None:
    task = f"任务 {secret[:2]}"
    body = event(task_id=task, data={"answer": "好"})
    before = served.endpoint("GET", "/status").json["received"]
    answer = post(served, body, secret=secret)
    assert (answer.status, answer.json) == (200, RECEIVED)
    status = served.endpoint("GET", f"/status?task_id={quote(task)}", headers=BEARER, settings=SETTINGS)
    assert (status.status, status.json["received"]) == (200, before + 1)
    (kept,) = status.json["events"]
    assert (kept["task_id"], kept["status"], kept["body"]) == (task, "completed", body.decode())


@pytest.mark.parametrize("left", [("Dify-Signature",), ("webhook-id", "webhook-timestamp", "webhook-signature")])
def test_either_signature_is_enough_and_a_replay_is_refused(served: PluginProcess, left: tuple[str, ...]) -> None:
    body = event(n=uuid4().hex)
    headers = {name: value for name, value in signed(body).items() if name in left}
    assert post(served, body, headers=headers).json == RECEIVED
    told(post(served, body, headers=headers), 409, "webhook_replayed")


@pytest.mark.parametrize(
    ("status", "code", "given"),
    [
        (401, "webhook_no_secrets", {"settings": {}}),
        (401, "webhook_no_secrets", {"settings": {"webhook_secrets": None, "app": None, "api_token": None}}),
        (401, "webhook_secrets_unusable", {"settings": {"webhook_secrets": f"{SECRET},whsec_?"}}),
        (401, "webhook_unsigned", {"headers": {}}),
        (401, "webhook_signature", {"secret": "wrong-fake-secret"}),
        (401, "webhook_signature", {"headers": {"Dify-Signature": "sha256=" + "0" * 64}}),
        (401, "webhook_time", {"age_s": 400}),
        (401, "webhook_time", {"age_s": -400}),
        (400, "webhook_not_json", {"body": b"{"}),
        (400, "webhook_not_json", {"body": b""}),
        (413, "body_too_large", {"body": b" " * MAX_BODY}),
        (413, "webhook_event_too_large", {"body": event(answer="x" * 3_000_000), "app": "app-1"}),
        (502, "webhook_app_not_started", {"app": "app-missing"}),
        (502, "webhook_app_not_started", {"app": "app-broken"}),
    ],
)
def test_an_event_that_is_not_in_order_is_refused(
    served: PluginProcess, status: int, code: str, given: dict[str, Any]
) -> None:
    message = told(post(served, **given), status, code)
    assert "fake" not in message


def test_an_app_is_started_with_the_event_and_not_waited_for(served: PluginProcess, dify: Dify) -> None:
    body = event(data={"answer": "好", "outputs": {"n": 1}}, type="run.done")
    answer = post(served, body, app="app-1")
    assert (answer.status, answer.json) == (200, RECEIVED)
    assert answer.seconds < 10  # the run goes on
    asked = dify.started[-1]
    assert (asked["app_id"], asked["response_mode"]) == ("app-1", "streaming")
    assert asked["query"]
    assert asked["inputs"]["event"] == body.decode()
    assert (asked["inputs"]["outputs"], asked["inputs"]["type"]) == ('{"n": 1}', "run.done")


def test_an_event_whose_app_did_not_start_can_be_sent_again(served: PluginProcess, dify: Dify) -> None:
    body = event(n=uuid4().hex)
    told(post(served, body, app="app-missing", event_id="msg_again"), 502, "webhook_app_not_started")
    assert post(served, body, app="app-1", event_id="msg_again").json == RECEIVED
    count = len(dify.started)
    told(post(served, body, app="app-1", event_id="msg_again"), 409, "webhook_replayed")
    assert len(dify.started) == count


def test_full_storage_is_told_and_nothing_is_started(served: PluginProcess, dify: Dify) -> None:
    dify.is_full = True
    try:
        count = len(dify.started)
        told(post(served, app="app-1"), 502, "storage_unavailable")
        assert len(dify.started) == count
    finally:
        dify.is_full = False


# GET /status


def test_the_status_of_a_new_endpoint(served: PluginProcess) -> None:
    answer = served.endpoint("GET", "/status", endpoint_id="endpoint-new")
    version = served.endpoint("GET", "/").json["version"]
    nothing = {"status": "up", "version": version, "storage": "ok", "received": 0, "last_received_at": None}
    assert (answer.status, answer.json) == (200, nothing)


@pytest.mark.parametrize(
    ("headers", "settings", "code"),
    [
        ({}, SETTINGS, "token_missing"),
        ({"Authorization": "Bearer x"}, SETTINGS, "token_wrong"),
        (BEARER, {}, "no_api_token"),
    ],
)
def test_the_events_of_a_task_need_the_token(
    served: PluginProcess, headers: dict[str, str], settings: dict[str, Any], code: str
) -> None:
    told(served.endpoint("GET", "/status?task_id=task-1", headers=headers, settings=settings), 401, code)
    told(analyse(served, headers=headers, settings=settings), 401, code)


# POST /analysis/daily_sale_analysis


def test_a_file_becomes_what_the_tool_gives(served: PluginProcess) -> None:
    answer = analyse(served)
    assert answer.status == 200
    assert answer.json.keys() == sales.Analysis.model_fields.keys()
    given = served.invoke("sales_analysis", {"csv_text": CSV.decode()}).variables
    assert {**answer.json, "progress": ""} == {**given, "progress": ""}


@pytest.mark.parametrize(
    "form",
    [
        {"file": None, "csv_text": CSV.decode()},
        {"file": CSV.decode().encode("gbk"), "filename": "sales.xlsx"},
        {"top_n": "3", "charts": "none", "language": "zh_Hans", "column_mapping": '{"price": "Price"}'},
    ],
)
def test_a_table_comes_in_any_form(served: PluginProcess, form: dict[str, Any]) -> None:
    answer = analyse(served, form=form)
    assert answer.status == 200
    assert answer.json["summary"]["total_sales"] == 59.97
    assert bool(answer.json["chart_blocks"]) == ("charts" not in form)


@pytest.mark.parametrize(
    ("status", "code", "form"),
    [
        (400, "not_a_form", {"file": None}),
        (400, "several_sources", {"csv_text": "a"}),
        (400, "empty_file", {"file": b""}),
        (400, "missing_columns", {"file": "日期,品名\n1,2\n".encode()}),
        (400, "not_an_option", {"period": "year"}),
        (400, "out_of_range", {"top_n": "0"}),
        (400, "not_a_form", {"csv_text": "x" * 3_000_000}),
        (413, "body_too_large", {"file": b" " * MAX_BODY}),
    ],
)
def test_a_table_that_cannot_be_analysed_is_refused(
    served: PluginProcess, status: int, code: str, form: dict[str, Any]
) -> None:
    told(analyse(served, form=form), status, code)


def test_a_body_that_is_no_form_is_no_table(served: PluginProcess) -> None:
    answer = served.endpoint(
        "POST", "/analysis/daily_sale_analysis", headers=BEARER, body=b'{"file": 1}', settings=SETTINGS
    )
    told(answer, 400, "not_a_form")


def test_a_large_answer_arrives_whole(served: PluginProcess) -> None:
    rows = "".join(f"2026-03-{day + 1:02},灯{n},1.5,3,区{n}{'x' * 600}\n" for day in range(2) for n in range(2500))
    answer = analyse(served, form={"file": f"Date,Product,Price,Amount,Region\n{rows}".encode(), "top_n": "50"})
    assert answer.status == 200
    assert len(answer.body) == int(answer.headers["content-length"])
    assert len(answer.body) > 1024 * 1024


# Languages, bugs, leaks


def test_errors_speak_the_callers_language(served: PluginProcess) -> None:
    chinese = post(served, headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert told(chinese, 401, "webhook_unsigned") == wording.say("zh_Hans", "error.webhook_unsigned")
    english = post(served, headers={"Accept-Language": "de"})
    assert told(english, 401, "webhook_unsigned") == wording.say("en_US", "error.webhook_unsigned")


def test_a_bug_is_told_without_its_text(tmp_path: Path) -> None:
    """A fault put into a copy of the plugin: an exception that holds a secret, of the kind that the SDK misreads."""
    root = bench.our_plugin(tmp_path / "plugin")
    with (root / "opskit" / "webhook" / "journal.py").open("a", encoding="utf-8") as module:
        module.write(f"\n\ndef digest(*_: bytes) -> str:\n    raise ValueError('{SECRET}')\n")
    with PluginProcess(root) as running:
        answers = [post(running), running.endpoint("GET", "/status")]
        written = running.written
    for answer in answers:
        message = told(answer, 500, "bug")
        assert "ValueError at opskit/webhook/journal.py:" in message
    assert SECRET.encode().hex().encode() not in written
    assert SECRET.encode() not in written


def test_no_byte_holds_a_secret(dify: Dify) -> None:
    with PluginProcess(ROOT, answer=dify) as running:
        for app in ("", "app-1", "app-missing", "app-broken"):
            post(running, app=app)
            post(running, secret="wrong-fake-secret", app=app)
        for headers in (BEARER, {"Authorization": f"Bearer {TOKEN}x"}, {}):
            analyse(running, headers=headers)
            analyse(running, headers=headers, form={"period": TOKEN})
            running.endpoint("GET", "/status?task_id=task-1", headers=headers, settings=SETTINGS)
        dify.is_full = True
        post(running)
        dify.is_full = False
        results = re.findall(rb'"result":"([0-9a-f]+)"', running.written)
        written = running.written + b"".join(bytes.fromhex(one.decode()) for one in results)
        errors = running.errors
    assert errors == b""
    for secret in (SECRET, OLD, TOKEN, "ZmFrZS1vbGQtc2VjcmV0"):
        assert secret.encode() not in written
