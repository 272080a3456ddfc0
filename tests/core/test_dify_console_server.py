"""The console of the Dify on this machine answers what the real one does: tests of versions and keys lean on that."""

import base64
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml

from devtools.dify_server import (
    CONSOLE_CALLS,
    CONSOLE_FAULTS,
    ApiKey,
    App,
    DifyServer,
    Flow,
    simple_flow,
    variable,
)

SECRET = "fake-secret-value-0123456789"
MASK, HIDDEN = "*" * 20, "[__HIDDEN__]"
NOWHERE = "0b0b0b0b-0000-4000-8000-00000000000b"
type Told = dict[str, Any]


@pytest.fixture
def dify() -> Iterator[DifyServer]:
    with DifyServer() as server:
        yield server


@pytest.fixture
def app(dify: DifyServer) -> App:
    return dify.add(legal())


def legal(mode: str = "workflow", **more: Any) -> App:
    held = [variable("KEY", SECRET, secret=True), variable("N", 3)]
    return App("legal", mode=mode, draft=simple_flow("v1 {{ topic }}", held, mode=mode), **more)


def call(dify: DifyServer, method: str, path: str, **options: Any) -> requests.Response:
    door = dify.console.door
    headers = {"Authorization": f"Bearer {door.admin_key}", "X-WORKSPACE-ID": door.workspace_id}
    headers = options.pop("headers", headers)
    return requests.request(method, f"{dify.root}/console/api{path}", headers=headers, timeout=5, **options)


def ok(answer: requests.Response, status: int = 200) -> Any:
    assert answer.status_code == status
    assert answer.headers["X-Version"]
    return answer.json()


def refusal(answer: requests.Response) -> tuple[int, str]:
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


def sync(dify: DifyServer, app: App, **changes: Any) -> requests.Response:
    draft = call(dify, "GET", f"/apps/{app.id}/workflows/draft").json()
    names = ("graph", "features", "hash", "environment_variables", "conversation_variables")
    body = {name: draft[name] for name in names} | changes
    return call(dify, "POST", f"/apps/{app.id}/workflows/draft", json=body)


def run(dify: DifyServer, key: str, route: str = "workflows/run", **inputs: Any) -> Told:
    body = {"inputs": inputs, "user": "u1", "query": "hi"}
    answer = requests.post(f"{dify.url}/{route}", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=5)
    told: Told = answer.json()
    return told


# Who is let in


def test_an_admin_key_wants_a_workspace_that_is_its_own(dify: DifyServer, app: App) -> None:
    door = dify.console.door
    key = f"Bearer {door.admin_key}"
    ok(call(dify, "GET", f"/apps/{app.id}"))
    for headers in (
        {},
        {"Authorization": key},
        {"Authorization": key, "X-WORKSPACE-ID": NOWHERE},
        {"Authorization": "Bearer fake-wrong", "X-WORKSPACE-ID": door.workspace_id},
        {"Authorization": door.admin_key, "X-WORKSPACE-ID": door.workspace_id},
    ):
        assert refusal(call(dify, "GET", "/apps", headers=headers)) == (401, "unauthorized")
    odd = {"Authorization": key, "X-WORKSPACE-ID": "default"}
    assert refusal(call(dify, "GET", "/apps", headers=odd)) == (500, "unknown")
    door.admin_key = ""
    assert call(dify, "GET", "/apps").status_code == 401


def logged_in(dify: DifyServer, password: str = "") -> requests.Response:
    body = {"email": dify.console.door.email, "password": password or encoded(dify.console.door.password)}
    return call(dify, "POST", "/login", headers={}, json=body)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("prefix", ["", "__Host-"])
def test_a_login_gives_cookies_and_wants_a_token_beside_them(dify: DifyServer, app: App, prefix: str) -> None:
    dify.console.door.secure = bool(prefix)
    answer = logged_in(dify)
    assert ok(answer) == {"result": "success"}
    cookies = {cookie.name: str(cookie.value) for cookie in answer.cookies}
    assert set(cookies) == {f"{prefix}{name}" for name in ("access_token", "refresh_token", "csrf_token")}
    assert {cookie.secure for cookie in answer.cookies} == {bool(prefix)}
    sent = {"Cookie": "; ".join(f"{name}={text}" for name, text in cookies.items())}
    token = {"X-CSRF-Token": cookies[f"{prefix}csrf_token"]}
    ok(call(dify, "GET", "/apps", headers=sent | token))
    alone = {"Authorization": f"Bearer {cookies[f'{prefix}access_token']}"}
    for headers in (sent, alone, alone | token, sent | {"X-CSRF-Token": "fake"}):
        assert "CSRF" in call(dify, "GET", "/apps", headers=headers).json()["message"]
    ok(call(dify, "GET", f"/apps/{app.id}/workflows/draft", headers=sent))


def test_a_session_runs_out_and_is_renewed_once(dify: DifyServer) -> None:
    cookies = {cookie.name: str(cookie.value) for cookie in logged_in(dify).cookies}
    sent = {"Cookie": "; ".join(f"{name}={text}" for name, text in cookies.items())}
    sent |= {"X-CSRF-Token": cookies["csrf_token"]}
    dify.console.door.expire()
    assert call(dify, "GET", "/apps", headers=sent).json()["message"] == "Token has expired."
    renewed = call(dify, "POST", "/refresh-token", headers=sent)
    assert renewed.cookies["access_token"] != cookies["access_token"]
    assert call(dify, "POST", "/refresh-token", headers=sent).json() == {
        "result": "fail",
        "message": "Invalid refresh token",
    }
    assert call(dify, "POST", "/refresh-token", headers={}).status_code == 401
    dify.console.door.access_s = -1
    cookies = {cookie.name: str(cookie.value) for cookie in logged_in(dify).cookies}
    late = {"Authorization": f"Bearer {cookies['access_token']}"}
    assert call(dify, "GET", "/apps", headers=late).json()["message"] == "Token has expired."


def test_a_password_is_encoded_and_counted(dify: DifyServer) -> None:
    plain = logged_in(dify, "äöü")
    assert (refusal(plain), plain.json()["message"]) == ((401, "authentication_failed"), "Invalid encrypted data")
    for _ in range(6):
        assert refusal(logged_in(dify, encoded("wrong"))) == (401, "authentication_failed")
    assert refusal(logged_in(dify)) == (429, "email_code_login_limit")
    dify.console.door.by_password = False
    assert refusal(logged_in(dify)) == (403, "forbidden")


def test_other_versions_take_other_logins() -> None:
    with DifyServer(version="2.0b2") as dify:
        assert logged_in(dify).status_code == 401
        tokens = ok(logged_in(dify, dify.console.door.password))["data"]
        ok(call(dify, "GET", "/apps", headers={"Authorization": f"Bearer {tokens['access_token']}"}))
        body = {"refresh_token": tokens["refresh_token"]}
        assert ok(call(dify, "POST", "/refresh-token", headers={}, json=body))["data"]["access_token"]
        assert call(dify, "POST", "/refresh-token", headers={}, json=body).status_code == 401
    with DifyServer(version="1.10.1") as dify:
        assert logged_in(dify, dify.console.door.password).cookies["csrf_token"]
    with DifyServer(version="main") as dify:
        assert logged_in(dify, dify.console.door.password).status_code == 200


# Apps and DSL


def test_apps_are_listed_in_pages(dify: DifyServer, app: App) -> None:
    dify.add(App("chat", mode="chat"))
    for number in range(20):
        dify.add(App(f"app-{number}"))
    page = ok(call(dify, "GET", "/apps"))
    assert (page["page"], page["limit"], page["total"], page["has_more"]) == (1, 20, 22, True)
    assert len(ok(call(dify, "GET", "/apps?page=2"))["data"]) == 2
    assert [one["name"] for one in ok(call(dify, "GET", "/apps?mode=chat"))["data"]] == ["chat"]
    first = ok(call(dify, "GET", "/apps?name=LEG&limit=100"))["data"]
    assert app.serving
    assert [(one["id"], one["workflow"]["id"]) for one in first] == [(app.id, app.serving.id)]
    for wrong in ("limit=101", "limit=0", "page=x"):
        assert refusal(call(dify, "GET", f"/apps?{wrong}")) == (400, "invalid_param")
    assert refusal(call(dify, "GET", f"/apps/{NOWHERE}")) == (404, "app_not_found")
    assert ok(call(dify, "GET", "/workspaces"))["workspaces"][0]["id"] == dify.console.door.workspace_id


def test_the_api_of_an_app_is_switched_off_and_on(dify: DifyServer, app: App) -> None:
    for on, status in ((False, 403), (True, 200)):
        assert ok(call(dify, "POST", f"/apps/{app.id}/api-enable", json={"enable_api": on}))["enable_api"] is on
        info = requests.get(f"{dify.url}/info", headers={"Authorization": f"Bearer {app.key}"}, timeout=5)
        assert info.status_code == status


def exported(dify: DifyServer, app: App, query: str = "") -> Any:
    return yaml.safe_load(ok(call(dify, "GET", f"/apps/{app.id}/export?{query}"))["data"])


def test_an_export_holds_secrets_only_when_asked(dify: DifyServer, app: App) -> None:
    dsl = exported(dify, app)
    assert (dsl["version"], dsl["kind"], dsl["app"]["mode"]) == ("0.6.0", "app", "workflow")
    assert [one["value"] for one in dsl["workflow"]["environment_variables"]] == ["", 3]
    dsl = exported(dify, app, "include_secret=true")
    assert dsl["workflow"]["environment_variables"][0]["value"] == SECRET
    assert app.draft
    app.draft.graph = {}
    assert exported(dify, app, f"workflow_id={app.versions[0].id}")["workflow"]["graph"]["nodes"]
    assert refusal(call(dify, "GET", f"/apps/{app.id}/export?workflow_id={NOWHERE}")) == (400, "invalid_param")
    assert refusal(call(dify, "GET", f"/apps/{app.id}/export?workflow_id={app.draft.id}")) == (500, "unknown")


def test_an_export_names_what_its_nodes_need(dify: DifyServer) -> None:
    tool = {"type": "tool", "provider_id": "langgenius/one/one", "credential_id": "fake"}
    model = {"type": "llm", "model": {"provider": "langgenius/two/two"}}
    app = dify.add(App("x", draft=Flow({"nodes": [{"data": tool}, {"data": model}]})))
    dify.console.routes.plugins = ["langgenius/two:1.0.0@x", "langgenius/three:1.0.0@x"]
    found = exported(dify, app)
    value = {"marketplace_plugin_unique_identifier": "langgenius/two:1.0.0@x", "version": None}
    assert found["dependencies"] == [{"type": "marketplace", "value": value, "current_identifier": None}]
    assert "fake" not in str(found)
    assert exported(dify, app, "include_secret=true")["workflow"]["graph"]["nodes"][0]["data"]["credential_id"]


def test_without_the_plugin_daemon_only_some_calls_fail() -> None:
    with DifyServer(daemon=False) as dify:
        app = dify.add(legal())
        for path in (f"/apps/{app.id}/export", "/workspaces/current/plugin/list"):
            answer = call(dify, "GET", path)
            assert refusal(answer) == (400, "invalid_param")
            assert "Failed to request plugin daemon" in answer.json()["message"]
        ok(sync(dify, app))
        ok(call(dify, "POST", f"/apps/{app.id}/workflows/publish", json={}))


def test_an_import_overwrites_a_draft_and_wipes_secrets(dify: DifyServer, app: App) -> None:
    dsl = exported(dify, app)
    dsl["dependencies"] = [{"type": "package", "value": {"plugin_unique_identifier": "a/b:1.0.0@x"}}]
    body = {"mode": "yaml-content", "yaml_content": yaml.safe_dump(dsl), "app_id": app.id, "name": "new name"}
    told = ok(call(dify, "POST", "/apps/imports", json=body))
    assert (told["status"], told["app_id"], told["error"]) == ("completed", app.id, "")
    assert app.draft
    assert (app.name, app.draft.value("KEY")) == ("new name", "")
    assert app.serving
    assert app.serving.value("KEY") == SECRET
    leaked = ok(call(dify, "GET", f"/apps/imports/{app.id}/check-dependencies"))
    assert leaked == {"leaked_dependencies": dsl["dependencies"]}
    dify.console.routes.daemon = False
    assert call(dify, "GET", f"/apps/imports/{app.id}/check-dependencies").status_code == 400


def test_an_import_makes_an_app_or_fails(dify: DifyServer, app: App) -> None:
    dsl = exported(dify, app) | {"version": "0.5.0"}
    told = ok(call(dify, "POST", "/apps/imports", json={"yaml_content": yaml.safe_dump(dsl)}))
    assert told["status"] == "completed-with-warnings"
    made = dify.console.routes.apps[told["app_id"]]
    assert (made.published, made.api_keys, made.draft and made.draft.hash) == (False, [], app.draft and app.draft.hash)
    for broken in (yaml.safe_dump(dsl | {"version": 0.6}), "- no DSL"):
        answer = call(dify, "POST", "/apps/imports", json={"yaml_content": broken})
        assert (answer.status_code, answer.json()["status"]) == (400, "failed")
    assert ok(call(dify, "GET", f"/apps/imports/{app.id}/check-dependencies")) == {"leaked_dependencies": []}


# Draft and versions


def test_a_draft_is_written_with_its_hash(dify: DifyServer, app: App) -> None:
    draft = ok(call(dify, "GET", f"/apps/{app.id}/workflows/draft"))
    assert (draft["version"], draft["environment_variables"][0]["value"]) == ("draft", MASK)
    told = ok(sync(dify, app, graph={"nodes": []}))
    assert app.draft
    assert told["hash"] == app.draft.hash != draft["hash"]
    for stale in (draft["hash"], None):
        assert refusal(sync(dify, app, hash=stale)) == (409, "draft_workflow_not_sync")
    assert refusal(sync(dify, app, graph=None)) == (400, "invalid_param")
    bare = dify.add(App("bare"))
    assert refusal(call(dify, "GET", f"/apps/{bare.id}/workflows/draft")) == (404, "draft_workflow_not_exist")
    ok(call(dify, "POST", f"/apps/{bare.id}/workflows/draft", json={"graph": {"nodes": []}, "features": {}}))
    assert bare.draft
    chat = dify.add(App("chat", mode="chat"))
    assert refusal(call(dify, "GET", f"/apps/{chat.id}/workflows/draft")) == (404, "app_not_found")


def test_the_hash_does_not_cover_the_environment(dify: DifyServer, app: App) -> None:
    assert app.draft
    before = app.draft.hash
    ok(sync(dify, app, environment_variables=[]))
    assert (app.draft.environment, app.draft.hash) == ([], before)


def test_a_secret_is_kept_by_its_id(dify: DifyServer, app: App) -> None:
    assert app.draft
    identity = app.draft.environment[0]["id"]
    for value, name in ((MASK, "KEY"), (HIDDEN, "RENAMED")):
        ok(sync(dify, app, environment_variables=[variable(name, value, secret=True, identity=identity)]))
        assert app.draft.value(name) == SECRET
    ok(sync(dify, app, environment_variables=[variable("KEY", HIDDEN, secret=True)]))
    assert app.draft.value("KEY") == HIDDEN
    ok(sync(dify, app, environment_variables=None))
    assert app.draft.environment == []
    good = variable("KEY", "v")
    for wrong in ({"id": ""}, {"name": ""}, {"value": None}, {"value_type": None}, {"value_type": "file"}):
        assert refusal(sync(dify, app, environment_variables=[good | wrong])) == (400, "invalid_param")


@pytest.mark.parametrize("mode", ["workflow", "advanced-chat"])
def test_features_get_their_defaults_and_nothing_else_is_changed(dify: DifyServer, mode: str) -> None:
    app = dify.add(App("legal", mode=mode, draft=simple_flow("v1", mode=mode)))
    voice = {"enabled": False, "voice": "fake-voice", "language": "en"}
    told = ok(sync(dify, app, features={"file_upload": None, "text_to_speech": voice, "of_its_own": {"a": 1}}))
    draft = ok(call(dify, "GET", f"/apps/{app.id}/workflows/draft"))
    assert draft["hash"] == told["hash"]
    off = {"enabled": False}
    expected = {"file_upload": {}, "text_to_speech": off | {"voice": "", "language": ""}, "of_its_own": {"a": 1}}
    expected |= {"sensitive_word_avoidance": off}
    if mode == "advanced-chat":
        expected |= {"opening_statement": "", "suggested_questions": [], "suggested_questions_after_answer": off}
        expected |= {"speech_to_text": off, "retriever_resource": off}
    assert draft["features"] == expected


def test_a_variable_without_an_id_gets_one(dify: DifyServer, app: App) -> None:
    nameless = {name: it for name, it in variable("N", 2.5).items() if name != "id"}
    ok(sync(dify, app, environment_variables=[nameless], conversation_variables=[nameless]))
    draft = ok(call(dify, "GET", f"/apps/{app.id}/workflows/draft"))
    for (one,) in (draft["environment_variables"], draft["conversation_variables"]):
        assert one == nameless | {"id": one["id"]}
        assert one["id"]
    assert refusal(sync(dify, app, environment_variables=[nameless | {"id": ""}])) == (400, "invalid_param")
    text = variable("S", "x") | {"value": 5}
    assert refusal(sync(dify, app, environment_variables=[text])) == (400, "invalid_param")


def test_a_draft_that_dify_stumbles_over_is_written_all_the_same(dify: DifyServer, app: App) -> None:
    assert app.draft is not None
    whole = app.draft.graph
    for graph in ({}, {"nodes": [{"id": "a"}]}):
        assert refusal(sync(dify, app, graph=graph)) == (500, "unknown")
        assert app.draft.graph == graph
    ok(sync(dify, app, graph=whole))
    listed = variable("L", "x") | {"value_type": "array[string]", "value": ["x"]}
    body = {"graph": whole, "features": app.draft.features, "environment_variables": [listed]}
    address = f"/apps/{app.id}/workflows/draft"
    assert refusal(sync(dify, app, environment_variables=[listed])) == (500, "unknown")
    for route in (address, f"/apps/{app.id}/export"):
        assert refusal(call(dify, "GET", route)) == (500, "unknown")
    body["hash"] = app.draft.hash
    assert refusal(call(dify, "POST", address, json=body)) == (500, "unknown")
    ok(call(dify, "POST", address, json=body | {"environment_variables": []}))
    ok(call(dify, "GET", address))


def test_a_draft_becomes_a_version_that_serves(dify: DifyServer, app: App) -> None:
    assert app.draft
    app.draft.graph["nodes"][1]["data"]["template"] = "v2 {{topic}}"
    assert run(dify, app.key, topic="law")["data"]["outputs"] == {"text": "v1 law", "KEY": SECRET, "N": 3}
    mark = {"marked_name": "n" * 20, "marked_comment": "c" * 100}
    told = ok(call(dify, "POST", f"/apps/{app.id}/workflows/publish", json=mark))
    assert set(told) == {"result", "created_at"}
    assert run(dify, app.key, topic="law")["data"]["outputs"]["text"] == "v2 law"
    old = run(dify, app.key, f"workflows/{app.versions[0].id}/run", topic="law")
    assert old["data"]["outputs"]["text"] == "v1 law"
    current = ok(call(dify, "GET", f"/apps/{app.id}/workflows/publish"))
    assert app.serving
    assert (current["id"], current["marked_name"]) == (app.serving.id, "n" * 20)
    assert run(dify, app.key, f"workflows/{app.draft.id}/run")["code"] == "bad_request"
    assert run(dify, app.key, f"workflows/{NOWHERE}/run")["code"] == "not_found"
    for name, most in (("marked_name", 20), ("marked_comment", 100)):
        answer = call(dify, "POST", f"/apps/{app.id}/workflows/publish", json={name: "x" * (most + 1)})
        assert refusal(answer) == (400, "invalid_param")
    bare = dify.add(App("bare"))
    assert refusal(call(dify, "POST", f"/apps/{bare.id}/workflows/publish")) == (400, "invalid_param")
    assert ok(call(dify, "GET", f"/apps/{bare.id}/workflows/publish"))["id"] is None
    with pytest.raises(ValueError, match="no draft"):
        bare.publish()


def test_a_chatflow_answers_from_its_version(dify: DifyServer) -> None:
    app = dify.add(legal("advanced-chat"))
    assert run(dify, app.key, "chat-messages", topic="law")["answer"] == f"v1 law {SECRET} 3"
    odd = dify.add(App("odd", mode="advanced-chat", draft=Flow({"nodes": [{"id": "x", "data": {}}]})))
    assert run(dify, odd.key, "chat-messages")["answer"] == odd.answer
    none = dify.add(App("none", draft=Flow()))
    assert run(dify, none.key)["data"]["outputs"] == {"text": none.answer}


def test_a_form_is_that_of_the_version(dify: DifyServer, app: App) -> None:
    headers = {"Authorization": f"Bearer {app.key}"}
    form = requests.get(f"{dify.url}/parameters", headers=headers, timeout=5).json()["user_input_form"]
    assert form == [{"text-input": {"variable": "topic", "label": "topic", "required": False, "type": "text-input"}}]


def test_a_version_may_not_work(dify: DifyServer) -> None:
    app = dify.add(legal(works=lambda flow: flow.value("KEY") == SECRET))
    assert run(dify, app.key)["data"]["status"] == "succeeded"
    assert app.draft
    app.draft.environment[0]["value"] = "fake-other-value"
    app.publish()
    assert run(dify, app.key)["data"]["status"] == "failed"


def test_versions_are_listed_newest_first_after_the_draft(dify: DifyServer, app: App) -> None:
    app.publish("second")
    page = ok(call(dify, "GET", f"/apps/{app.id}/workflows?limit=2"))
    assert [one["version"] == "draft" for one in page["items"]] == [True, False]
    assert (page["items"][1]["marked_name"], page["has_more"], page["limit"]) == ("second", True, 2)
    named = ok(call(dify, "GET", f"/apps/{app.id}/workflows?named_only=true"))["items"]
    assert [one["marked_name"] for one in named] == ["second"]
    fresh = dify.add(legal(published=False))
    assert ok(call(dify, "GET", f"/apps/{fresh.id}/workflows"))["items"] == []
    with DifyServer(versions_fail=True) as broken:
        other = broken.add(legal())
        assert refusal(call(broken, "GET", f"/apps/{other.id}/workflows")) == (500, "unknown")


def test_a_version_is_marked_and_deleted_but_not_read(dify: DifyServer, app: App) -> None:
    assert app.draft
    first, path = app.versions[0], f"/apps/{app.id}/workflows"
    assert call(dify, "GET", f"{path}/{first.id}").status_code == 405
    marked = ok(call(dify, "PATCH", f"{path}/{first.id}", json={"marked_name": "one"}))
    assert (marked["marked_name"], marked["marked_comment"]) == ("one", "")
    assert ok(call(dify, "PATCH", f"{path}/{first.id}", json={"marked_comment": "c"}))["marked_name"] == "one"
    assert "in use" in call(dify, "DELETE", f"{path}/{first.id}").json()["message"]
    assert "draft" in call(dify, "DELETE", f"{path}/{app.draft.id}").json()["message"]
    app.publish()
    assert call(dify, "DELETE", f"{path}/{first.id}").status_code == 204
    assert call(dify, "DELETE", f"{path}/{first.id}").status_code == 404


def test_a_version_is_restored_with_its_secrets(dify: DifyServer, app: App) -> None:
    assert app.draft
    app.draft.environment[0]["value"] = "fake-other-value"
    path = f"/apps/{app.id}/workflows"
    told = ok(call(dify, "POST", f"{path}/{app.versions[0].id}/restore"))
    assert (told["hash"], app.draft.value("KEY")) == (app.draft.hash, SECRET)
    assert refusal(call(dify, "POST", f"{path}/{app.draft.id}/restore")) == (400, "bad_request")
    assert refusal(call(dify, "POST", f"{path}/{NOWHERE}/restore")) == (404, "not_found")


@pytest.mark.parametrize(("version", "dsl"), [("1.12.1", "0.5.0"), ("2.0b2", "0.4.0")])
def test_older_versions_restore_nothing(version: str, dsl: str) -> None:
    with DifyServer(version=version) as dify:
        app = dify.add(legal())
        answer = call(dify, "POST", f"/apps/{app.id}/workflows/{app.versions[0].id}/restore")
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert answer.headers["X-Version"] == version
        assert exported(dify, app)["version"] == dsl


def test_what_dify_does_not_have_is_a_page(dify: DifyServer, app: App) -> None:
    for path in (f"/apps/{app.id}/versions", "/apps/legal", f"/apps/{app.id}/api-keys/first"):
        answer = call(dify, "GET", path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert refusal(call(dify, "DELETE", "/apps")) == (405, "method_not_allowed")


# Keys


def test_a_key_works_from_its_making_to_its_end(dify: DifyServer, app: App) -> None:
    path = f"/apps/{app.id}/api-keys"
    made = ok(call(dify, "POST", path), 201)
    assert (made["type"], made["last_used_at"]) == ("app", None)
    assert run(dify, made["token"])["data"]["status"] == "succeeded"
    held = ok(call(dify, "GET", path))["data"]
    assert [one["token"] for one in held] == [app.key, made["token"]]
    assert held[0]["last_used_at"] is None
    assert held[1]["last_used_at"] == pytest.approx(time.time(), abs=5)
    gone = call(dify, "DELETE", f"{path}/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert run(dify, made["token"])["code"] == "unauthorized"
    assert run(dify, app.key)["data"]["status"] == "succeeded"
    again = call(dify, "DELETE", f"{path}/{made['id']}")
    assert (again.status_code, again.json()) == (404, {"message": "API key not found"})
    assert call(dify, "GET", f"/apps/{NOWHERE}/api-keys").json() == {"message": "App not found."}


def test_nobody_notes_when_a_key_was_used_without_the_beat() -> None:
    with DifyServer(beat=False) as dify:
        app = dify.add(legal())
        run(dify, app.key)
        assert app.api_keys[0].last_used_at is None


def test_there_are_ten_keys_at_most(dify: DifyServer) -> None:
    app = dify.add(App("x", api_keys=[ApiKey(f"app-fake-key-{number}") for number in range(10)]))
    answer = call(dify, "POST", f"/apps/{app.id}/api-keys")
    assert (answer.status_code, answer.json()["custom"]) == (400, "max_keys_exceeded")
    assert run(dify, "app-fake-key-9")["data"]["status"] == "succeeded"


def test_roles_limit_what_a_login_may_do(dify: DifyServer, app: App) -> None:
    cookies = {cookie.name: str(cookie.value) for cookie in logged_in(dify).cookies}
    sent = {"Cookie": "; ".join(f"{name}={text}" for name, text in cookies.items())}
    sent |= {"X-CSRF-Token": cookies["csrf_token"]}
    key = f"/apps/{app.id}/api-keys/{app.api_keys[0].id}"
    for role, made, deleted in (("normal", 403, 403), ("editor", 201, 403), ("admin", 201, 204)):
        dify.console.door.role = role
        assert call(dify, "POST", f"/apps/{app.id}/api-keys", headers=sent).status_code == made
        assert call(dify, "DELETE", key, headers=sent).status_code == deleted
        assert call(dify, "GET", "/apps", headers=sent).status_code == 200


# What goes wrong


@pytest.mark.parametrize("fault", CONSOLE_FAULTS)
def test_a_call_goes_wrong_once(fault: str) -> None:
    with DifyServer(console_faults={("create_key", 2): fault}) as dify:
        app = dify.add(legal())
        path = f"/apps/{app.id}/api-keys"
        ok(call(dify, "POST", path), 201)
        try:
            answer = call(dify, "POST", path) if "timeout" not in fault else quick(dify, path)
        except requests.RequestException as error:
            met = type(error).__name__
        else:
            met = "page" if "html" in answer.headers["Content-Type"] else str(answer.status_code)
        wanted = {"500": "500", "409": "409", "html": "page", "timeout": "ReadTimeout"}
        assert met == wanted.get(fault.removesuffix("_done"), "ConnectionError" if "reset" in fault else met)
        done = fault == "cut" or fault.endswith("_done")
        assert len(app.api_keys) == (3 if done else 2)
        ok(call(dify, "POST", path), 201)
        assert dify.console.calls == ["create_key"] * 3


def quick(dify: DifyServer, path: str) -> requests.Response:
    door = dify.console.door
    headers = {"Authorization": f"Bearer {door.admin_key}", "X-WORKSPACE-ID": door.workspace_id}
    return requests.post(f"{dify.root}/console/api{path}", headers=headers, timeout=0.2)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_answer_breaks_off(dify: DifyServer, app: App, method: str) -> None:
    path = f"/apps/{app.id}/api-keys" + (f"/{app.api_keys[0].id}" if method == "DELETE" else "")
    dify.console.fail("keys" if method == "GET" else "delete_key", "cut")
    door = dify.console.door
    head = f"Authorization: Bearer {door.admin_key}\r\nX-WORKSPACE-ID: {door.workspace_id}\r\n"
    host, port = dify.root.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as line:
        line.sendall(f"{method} /console/api{path} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        came = b"".join(iter(lambda: line.recv(4096), b""))
    start, _, body = came.partition(b"\r\n\r\n")
    assert came.startswith(b"HTTP/1.1 20")
    if method == "GET":
        assert 0 < len(body) < int(start.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    else:
        assert not came.endswith(b"\r\n\r\n")
        assert app.api_keys == []


def test_faults_have_names_and_can_be_forgotten(dify: DifyServer, app: App) -> None:
    for name, fault in (("nothing", "500"), ("app", "nothing")):
        with pytest.raises(ValueError, match="no such fault"):
            dify.console.fail(name, fault)
    dify.console.fail("app", "500")
    dify.console.faults.forget()
    ok(call(dify, "GET", f"/apps/{app.id}"))
    assert {"login", "draft", "sync", "publish", "delete_key"} < set(CONSOLE_CALLS)


def test_every_answer_takes_its_time() -> None:
    with DifyServer(latency_s=0.2) as dify:
        app, began = dify.add(legal()), time.monotonic()
        ok(call(dify, "GET", f"/apps/{app.id}"))
        assert time.monotonic() - began >= 0.2


def test_it_serves_a_console_in_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "devtools.dify_server", "--apps", "2", "--console", "0.01"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url, opened, *apps = (process.stdout.readline().strip() for _ in range(4))
        key, workspace = opened.split()
        headers = {"Authorization": f"Bearer {key}", "X-WORKSPACE-ID": workspace}
        root = url.removesuffix("/v1")
        page = requests.get(f"{root}/console/api/apps", headers=headers, timeout=5).json()
        assert [one["id"] for one in page["data"]] == [line.split()[2] for line in apps]
        assert all(one["workflow"]["id"] for one in page["data"])
        process.communicate("")
