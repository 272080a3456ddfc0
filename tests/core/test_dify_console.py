"""The console of a Dify on this machine, through the client."""

import base64
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import yaml

from devtools.dify_server import App, DifyServer, Flow, simple_flow, variable
from opskit import wording
from opskit.dify.console import (
    HIDDEN,
    MASK,
    AdminKey,
    Console,
    ConsoleAccess,
    Login,
    Missing,
    Variable,
    Workflow,
    exchange,
    steadily,
)
from opskit.dify.console.assembled import dsl_version
from opskit.dify.console.features import contained
from opskit.dify.service import Server
from opskit.errors import (
    Conflict,
    InvalidCredentials,
    InvalidInput,
    OpskitError,
    RateLimited,
    Refused,
    Unavailable,
)
from opskit.http import Reach

SECRET = "fake-secret-value-0123456789"
NOWHERE = "0b0b0b0b-0000-4000-8000-00000000000b"


def soon(seconds: float = 10) -> float:
    return time.monotonic() + seconds


@pytest.fixture
def dify() -> Iterator[DifyServer]:
    with DifyServer() as server:
        yield server


@pytest.fixture
def app(dify: DifyServer) -> App:
    return dify.add(legal())


@pytest.fixture
def console(dify: DifyServer) -> Iterator[Console]:
    with Console.of(by_key(dify)) as found:
        yield found


def legal(**more: Any) -> App:
    return App("legal", draft=simple_flow("v1", [variable("KEY", SECRET, secret=True), variable("N", 3)]), **more)


def by_key(dify: DifyServer, **more: Any) -> ConsoleAccess:
    door = dify.console.door
    return access(base_url=dify.url, admin_key=door.admin_key, workspace_id=door.workspace_id, **more)


def by_password(dify: DifyServer, **more: Any) -> ConsoleAccess:
    door = dify.console.door
    return access(**{"base_url": dify.url, "email": door.email, "password": door.password} | more)


def access(**given: Any) -> ConsoleAccess:
    return ConsoleAccess.model_validate(given)


def write_back(console: Console, app: App, draft: Workflow, **more: Any) -> Any:
    parts: dict[str, Any] = {"graph": draft.graph, "features": draft.features, "unique_hash": draft.hash}
    parts |= {"environment": draft.environment, "conversation": draft.conversation}
    return console.sync(app.id, soon(), **(parts | more))


# What is filled in


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({}, "console_no_way"),
        ({"admin_key": "fake-admin-key", "email": "a@b.example"}, "console_two_ways"),
        ({"workspace_id": NOWHERE, "password": "fake"}, "console_two_ways"),
        ({"workspace_id": NOWHERE}, "missing_secret"),
        ({"admin_key": "fake-admin-key"}, "missing_parameter"),
        ({"admin_key": "fake admin key", "workspace_id": NOWHERE}, "malformed_secret"),
        ({"admin_key": "fake-admin-key", "workspace_id": "default"}, "console_workspace_id"),
        ({"email": "a@b.example"}, "missing_secret"),
        ({"password": "fake-password"}, "missing_parameter"),
    ],
)
def test_there_is_one_way_in_and_it_is_whole(given: dict[str, str], key: str) -> None:
    with pytest.raises((InvalidInput, InvalidCredentials)) as refused:
        access(**given).entry()
    assert refused.value.key == key
    assert "fake" not in str(refused.value)


def test_secrets_are_known_and_not_shown() -> None:
    given = access(admin_key=" fake-admin-key ", password=" fake pass ", extra_headers="X-Gate: fake-gate")
    assert "fake" not in repr(given)
    assert ConsoleAccess.secret_names() == {"admin_key", "password", "extra_headers"}
    assert ConsoleAccess.secrets_of("password", "fake pass") == ["fake pass", "ZmFrZSBwYXNz"]
    assert ConsoleAccess.secrets_of("extra_headers", "X-Gate: fake-gate") == ["fake-gate"]
    assert ConsoleAccess.secrets_of("admin_key", "k") == ["k"]
    key = access(admin_key=" fake-admin-key\n", workspace_id=NOWHERE).entry()
    assert key == AdminKey("fake-admin-key", NOWHERE)
    assert "fake" not in repr(key)


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("http://dify.example:8080", "http://dify.example:8080/console/api"),
        ("http://dify.example/v1/", "http://dify.example/console/api"),
        ("http://dify.example/console/api/", "http://dify.example/console/api"),
        ("https://host.example/dify/v1", "https://host.example/dify/console/api"),
        ("https://api.dify.ai/v1", "https://cloud.dify.ai/console/api"),
    ],
)
def test_the_console_lies_beside_the_service_api(base_url: str, address: str) -> None:
    assert access(base_url=base_url).server().address.text == address


def test_an_address_of_the_models_choice_gets_no_password() -> None:
    assert access(base_url="http://dify.example").server().reach is Reach.INTERNAL
    assert access(base_url="http://evil.example").server(by_model=True).reach is Reach.PRIVATE
    assert access().server(by_model=True).reach is Reach.INTERNAL
    with pytest.raises(InvalidInput, match=r"\[bad_dify_url\]"):
        access(base_url="dify").server()


@pytest.mark.parametrize("name", ["Cookie", "X-CSRF-Token", "x-workspace-id", "Authorization"])
def test_a_header_of_the_client_is_its_own(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"\[own_header\]"):
        access(extra_headers=f"{name}: 1").server()


def test_extra_headers_go_with_every_call(dify: DifyServer, app: App) -> None:
    with Console.of(by_password(dify, extra_headers="X-Gate: fake-gate")) as console:
        console.app(app.id, soon())
    assert [request.headers.get("x-gate") for request in dify.requests] == ["fake-gate"] * 2


# Getting in


def test_an_admin_key_opens_the_console(dify: DifyServer, app: App, console: Console) -> None:
    assert console.app(app.id, soon()).name == "legal"
    assert dify.console.calls == ["app"]


@pytest.mark.parametrize("change", [{"admin_key": "fake-wrong-key-0123456789"}, {"workspace_id": NOWHERE}])
def test_a_wrong_key_is_a_matter_of_credentials(dify: DifyServer, app: App, change: dict[str, str]) -> None:
    door = dify.console.door
    given = {"base_url": dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id}
    wrong = access(**(given | change))
    with Console.of(wrong) as console, pytest.raises(InvalidCredentials, match=r"\[console_admin_key\]") as refused:
        console.app(app.id, soon())
    assert "fake" not in str(refused.value)
    assert dify.console.calls == ["app"]


@pytest.mark.parametrize(
    ("version", "secure", "sent"),
    [("1.13.3", False, 1), ("1.13.3", True, 1), ("1.11.0", False, 1), ("1.10.1", False, 2), ("2.0b2", False, 2)],
)
def test_a_login_opens_it_in_every_version(version: str, sent: int, *, secure: bool) -> None:
    with DifyServer(version=version) as dify:
        app = dify.add(legal())
        dify.console.door.secure = secure
        with Console.of(by_password(dify)) as console:
            console.app(app.id, soon())
            key = console.create_key(app.id, soon())
            assert console.delete_key(app.id, key.id, soon())
            dify.console.door.expire()
            assert console.draft(app.id, soon()).is_draft
        logins = ["login"] * sent
        assert dify.console.calls == [*logins, "app", "create_key", "delete_key", "draft", "refresh", "draft"]


def test_a_login_begins_anew_when_it_cannot_be_renewed(dify: DifyServer, app: App) -> None:
    with Console.of(by_password(dify)) as console:
        console.app(app.id, soon())
        dify.console.door.expire(refresh=True)
        console.app(app.id, soon())
    assert dify.console.calls == ["login", "app", "app", "refresh", "login", "app"]


def test_threads_share_one_login(dify: DifyServer, app: App) -> None:
    with Console.of(by_password(dify)) as console, ThreadPoolExecutor(8) as pool:
        for _ in range(2):
            assert len(set(pool.map(lambda _: console.app(app.id, soon()).name, range(16)))) == 1
            dify.console.door.expire()
        console.app(app.id, soon())
    assert dify.console.calls.count("login") == 1
    assert dify.console.calls.count("refresh") == 2


@pytest.mark.parametrize(
    ("version", "tries"), [("1.13.3", 1), ("1.11.4", 2), ("1.10.1", 2), ("2.0b2", 2), ("", 2), ("main", 2)]
)
def test_a_wrong_password_is_said_after_as_few_tries_as_possible(version: str, tries: int) -> None:
    with DifyServer(version=version) as dify:
        told = r"\[console_password\].*Invalid email"
        wrong = by_password(dify, password="fake-wrong-Passw0rd")
        with Console.of(wrong) as console, pytest.raises(InvalidCredentials, match=told) as refused:
            console.apps(soon())
        assert "fake" not in str(refused.value)
        assert dify.console.calls == ["login"] * tries


def test_a_locked_account_waits(dify: DifyServer) -> None:
    with Console.of(by_password(dify, password="fake-wrong-Passw0rd")) as console:
        for _ in range(6):
            with pytest.raises(InvalidCredentials):
                console.apps(soon())
        with pytest.raises(RateLimited, match=r"\[console_locked\]"):
            console.apps(soon())


def test_a_server_may_take_no_passwords(dify: DifyServer) -> None:
    dify.console.door.by_password = False
    with Console.of(by_password(dify)) as console, pytest.raises(Refused, match=r"\[console_no_passwords\]"):
        console.apps(soon())


def test_a_role_is_not_enough_for_everything(dify: DifyServer, app: App) -> None:
    dify.console.door.role = "editor"
    with Console.of(by_password(dify)) as console:
        key = console.create_key(app.id, soon())
        with pytest.raises(Refused, match=r"\[console_forbidden\]"):
            console.delete_key(app.id, key.id, soon())
        dify.console.door.role = "normal"
        with pytest.raises(Refused, match=r"\[console_forbidden\]"):
            console.draft(app.id, soon())
        assert len(console.keys(app.id, soon())) == 2


# Apps and exports


def test_all_apps_of_all_pages_are_listed(dify: DifyServer, console: Console) -> None:
    for number in range(101):
        dify.add(App(f"app-{number}"))
    chat, flow = dify.add(App("chat", mode="chat")), dify.add(App("flow", mode="advanced-chat", draft=Flow()))
    found = {one.id: one for one in console.apps(soon())}
    assert len(found) == 102
    assert chat.id not in found
    assert found[flow.id].published_id == flow.versions[0].id
    assert dify.console.calls == ["apps"] * 3
    assert [one.id for one in console.apps(soon(), modes=["chat"])] == [chat.id]


def test_an_app_is_asked_for_by_its_id(console: Console) -> None:
    for wrong in ("legal", NOWHERE, "../workspaces"):
        with pytest.raises(InvalidInput, match=r"\[console_no_app\]"):
            console.app(wrong, soon())


def test_a_draft_and_a_version_are_exported(dify: DifyServer, app: App, console: Console) -> None:
    assert app.draft
    first = app.versions[0]
    app.draft.graph["nodes"][1]["data"]["template"] = "v2"
    draft, version = (console.export(app.id, soon(), version_id=one) for one in ("", first.id))
    assert "template: v2" in draft.text
    assert "template: v1" in version.text
    assert (draft.document, console.remarks) == (None, ())
    assert SECRET not in draft.text
    assert SECRET in console.export(app.id, soon(), include_secret=True).text
    assert SECRET not in repr(console.export(app.id, soon(), include_secret=True))
    with pytest.raises(Refused, match=r"\[console_refused\].*Missing draft workflow"):
        console.export(app.id, soon(), version_id=NOWHERE)
    assert dify.console.calls == ["export"] * 5


def nodes() -> list[dict[str, Any]]:
    """Nodes of which an export leaves something out, and some that are odd."""
    tools = {"tools": {"value": [{"credential_id": "fake", "name": "a"}, "odd"]}}
    return [
        {"id": "tool", "data": {"type": "tool", "credential_id": "fake", "provider_id": "a/b/c"}},
        {"id": "agent", "data": {"type": "agent", "agent_parameters": {"tools": {"value": [{"credential_id": "f"}]}}}},
        {"id": "schedule", "data": {"type": "trigger-schedule", "config": {"mode": "cron"}}},
        {"id": "hook", "data": {"type": "trigger-webhook", "webhook_url": "http://x.example"}},
        {"id": "plugin", "data": {"type": "trigger-plugin", "subscription_id": "fake"}},
        {"id": "bare", "data": {"type": "agent", "agent_parameters": None}},
        {"id": "odd", "data": {"type": "agent", "agent_parameters": tools}},
        {"id": "empty", "data": {}},
    ]


@pytest.mark.parametrize("version", ["1.13.3", "1.12.1", "2.0b2"])
def test_without_the_plugin_daemon_the_same_is_assembled(version: str) -> None:
    kept = {"id": NOWHERE, "name": "seen", "value_type": "array[string]", "value": ["a"], "description": "d"}
    flow = Flow({"nodes": nodes()[:5], "edges": []}, {"f": 1}, [variable("KEY", SECRET, secret=True)], [kept])
    with DifyServer(version=version) as dify, Console.of(by_key(dify)) as console:
        app = dify.add(App("legal", mode="advanced-chat", draft=flow))
        exported = yaml.safe_load(console.export(app.id, soon()).text)
        dify.console.routes.daemon = False
        for wanted in ("", app.versions[0].id):
            found = console.export(app.id, soon(), version_id=wanted)
            assert found.text == ""
            assert found.document == exported
            assert "fake" not in repr(found)
    assert [remark.key for remark in console.remarks] == ["assembled"]
    assert "plugin daemon" in console.remarks[0].told("en_US")
    assert wording.say("zh_Hans", "console.assembled") == console.remarks[0].told("zh_Hans")


def test_what_is_odd_in_a_graph_stays(dify: DifyServer, app: App, console: Console) -> None:
    assert app.draft
    app.draft.graph = {"nodes": [*nodes()[5:], {"id": "no data"}, "no node"]}
    dify.console.fail("export", "500")
    dify.console.fail("export", "500", 2)
    found = console.export(app.id, soon()).document
    assert found
    assert found["workflow"]["graph"]["nodes"][1]["data"]["agent_parameters"]["tools"]["value"] == [
        {"name": "a"},
        "odd",
    ]
    dify.console.routes.daemon = False
    app.draft.graph = {"nodes": None}
    found = console.export(app.id, soon()).document
    assert found
    assert found["workflow"]["graph"] == {"nodes": None}


def test_secrets_cannot_be_assembled(dify: DifyServer, app: App, console: Console) -> None:
    dify.console.routes.daemon = False
    with pytest.raises(Unavailable, match=r"\[console_daemon\]"):
        console.export(app.id, soon(), include_secret=True)
    assert console.remarks == ()


@pytest.mark.parametrize(
    ("version", "dsl"),
    [("1.13.3", "0.6.0"), ("1.14", "0.6.0"), ("1.12.1", "0.5.0"), ("1.9.0", "0.4.0"), ("2.0b2", "0.4.0")],
)
def test_a_server_says_what_it_is(version: str, dsl: str) -> None:
    with DifyServer(version=version) as dify, Console.of(by_key(dify)) as console:
        about = console.about(soon())
        assert (about.version, about.dsl_version) == (version, dsl)
        assert about.restores == version.startswith(("1.13", "1.14"))
        assert console.about(soon()) == about
        assert dify.console.calls == ["apps"]
    assert (dsl_version(""), dsl_version("1.4.3")) == ("0.6.0", "0.3.0")


# Draft and versions


def test_a_draft_is_read_and_written_with_its_hash(app: App, console: Console) -> None:
    assert app.draft
    draft = console.draft(app.id, soon())
    assert (draft.id, draft.hash, draft.created_by) == (app.draft.id, app.draft.hash, "Owner")
    assert [one.value for one in draft.environment] == [MASK, 3]
    assert SECRET not in repr(draft)
    graph = json.loads(json.dumps(draft.graph).replace("v1", "v2"))
    kept = Variable(draft.environment[0].id, "RENAMED", "secret", HIDDEN)
    seen = Variable(NOWHERE, "seen", "array[string]", ["a"], "d")
    written = write_back(
        console, app, draft, graph=graph, environment=[kept, draft.environment[1]], conversation=[seen]
    )
    assert written.hash == app.draft.hash != draft.hash
    assert (app.draft.value("RENAMED"), app.draft.value("N")) == (SECRET, 3)
    again = console.draft(app.id, soon())
    assert again.conversation == (seen,)
    assert written.updated_at == again.updated_at
    assert app.serving
    assert app.serving.graph["nodes"][1]["data"]["template"] == "v1"


def test_a_masked_secret_keeps_its_value_and_a_new_one_is_taken(app: App, console: Console) -> None:
    assert app.draft
    draft = console.draft(app.id, soon())
    write_back(console, app, draft)
    assert app.draft.value("KEY") == SECRET
    new = Variable(draft.environment[0].id, "KEY", "secret", "fake-new-value")
    write_back(console, app, draft, environment=[new])
    assert [(one["name"], one["value"]) for one in app.draft.environment] == [("KEY", "fake-new-value")]
    assert "fake-new-value" not in repr(new)


def test_a_draft_that_has_moved_is_a_conflict(app: App, console: Console) -> None:
    draft = console.draft(app.id, soon())
    write_back(console, app, draft, graph={"nodes": [], "edges": []})
    with pytest.raises(Conflict, match=r"\[console_moved\]"):
        write_back(console, app, draft)


def test_an_app_may_have_no_draft_and_no_version(dify: DifyServer, console: Console) -> None:
    bare, fresh = dify.add(App("bare")), dify.add(legal(published=False))
    with pytest.raises(Refused, match=r"\[console_no_draft\]"):
        console.draft(bare.id, soon())
    assert console.published(fresh.id, soon()) is None
    assert console.versions(fresh.id, soon()).items == ()
    assert console.app(fresh.id, soon()).published_id == ""


def test_a_draft_is_published_and_read_back(app: App, console: Console) -> None:
    version = console.publish(app.id, soon(), name="n" * 20, comment="c" * 100)
    assert app.serving
    assert (version.id, version.marked_name, version.is_draft) == (app.serving.id, "n" * 20, False)
    assert version.marked_comment == "c" * 100
    for mark in ({"name": "n" * 21}, {"comment": "c" * 101}):
        with pytest.raises(InvalidInput, match=r"\[console_mark\].*20.*100"):
            console.publish(app.id, soon(), **mark)


def test_a_version_that_cannot_be_read_back_was_published(
    dify: DifyServer, app: App, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    dify.console.fail("published", "500")
    dify.console.fail("published", "reset", 2)
    with pytest.raises(Unavailable, match=r"\[console_unread\].*no_answer"):
        console.publish(app.id, soon())
    assert len(app.versions) == 2
    monkeypatch.setattr(App, "serving", None)
    with pytest.raises(Unavailable, match=r"\[console_unread\]"):
        console.publish(app.id, soon())


def test_all_versions_of_all_pages_are_listed(dify: DifyServer, app: App, console: Console) -> None:
    for number in range(40):
        app.publish(f"v{number}")
    found = console.versions(app.id, soon())
    assert found.whole
    assert [one.marked_name for one in found.items[1:4]] == ["v39", "v38", "v37"]
    assert (found.items[0].is_draft, len(found.items), found.items[-1].id) == (True, 42, app.versions[0].id)
    assert dify.console.calls == ["versions"] * 3
    for most, whole in ((30, False), (20, False), (41, True)):
        found = console.versions(app.id, soon(), most=most)
        assert (len(found.items), found.whole) == (most + 1, whole)
    assert console.version(app.id, app.versions[2].id, soon()).marked_name == "v1"
    for wrong in (app.draft.id if app.draft else "", NOWHERE):
        with pytest.raises(InvalidInput, match=r"\[console_no_version\]"):
            console.version(app.id, wrong, soon())


def test_without_the_list_of_versions_there_are_two(dify: DifyServer, app: App, console: Console) -> None:
    first, second = app.versions[0], app.publish("second")
    dify.console.routes.versions_fail = True
    for _ in range(2):
        found = console.versions(app.id, soon())
        assert ([one.id for one in found.items], found.whole) == ([app.draft and app.draft.id, second.id], False)
    assert [remark.key for remark in console.remarks] == ["few_versions"]
    assert console.version(app.id, second.id, soon()).marked_name == "second"
    with pytest.raises(Refused, match=r"\[console_old_version\]"):
        console.version(app.id, first.id, soon())
    assert "template: v1" in console.export(app.id, soon(), version_id=first.id).text
    fresh = dify.add(legal(published=False))
    assert console.versions(fresh.id, soon()).items == ()


def test_a_list_that_breaks_off_keeps_what_it_had(dify: DifyServer, app: App, console: Console) -> None:
    for _ in range(25):
        app.publish()
    dify.console.fail("versions", "500", 2)
    dify.console.fail("versions", "500", 3)
    found = console.versions(app.id, soon())
    assert (len(found.items), found.whole) == (20, False)
    dify.console.fail("versions", "html")
    dify.console.fail("versions", "html", 2)
    with pytest.raises(Unavailable, match=r"\[not_dify\]"):
        console.versions(app.id, soon())


def test_a_version_is_restored_with_its_secrets(app: App, console: Console) -> None:
    assert app.draft
    app.draft.environment[0]["value"] = "fake-leaked-value"
    restored = console.restore(app.id, app.versions[0].id, soon())
    assert (restored.hash, app.draft.value("KEY")) == (app.draft.hash, SECRET)
    with pytest.raises(Refused, match=r"\[console_not_found\]"):
        console.restore(app.id, NOWHERE, soon())
    with pytest.raises(InvalidInput, match=r"\[console_no_app\]"):
        console.restore(NOWHERE, NOWHERE, soon())


def test_an_old_server_restores_nothing() -> None:
    with DifyServer(version="1.12.1") as dify, Console.of(by_key(dify)) as console:
        app = dify.add(legal())
        with pytest.raises(Refused, match=r"\[console_no_restore\].*1\.12\.1"):
            console.restore(app.id, app.versions[0].id, soon())


# Plugins and keys


def test_plugins_are_compared_with_what_a_dsl_needs(dify: DifyServer, console: Console) -> None:
    dify.console.routes.plugins = ["a/one:1.0.0@x", "a/two:2.0.0@x", *(f"b/p{number}:1@x" for number in range(260))]
    assert len(console.plugins(soon())) == 262
    assert (console.plugins(soon())[1].id, console.plugins(soon())[1].version) == ("a/two", "2.0.0")
    wanted: list[Any] = [
        {"type": "marketplace", "value": {"marketplace_plugin_unique_identifier": "a/one:1.0.0@x", "version": None}},
        {"type": "github", "value": {"repo": "a/two", "github_plugin_unique_identifier": "a/two:1.9.0@y"}},
        {"type": "package", "value": {"plugin_unique_identifier": "a/three:1.0.0@z"}},
        {"type": "package", "value": None},
    ]
    assert console.missing(wanted, soon()) == (
        Missing("a/two", "a/two:1.9.0@y", "a/two:2.0.0@x"),
        Missing("a/three", "a/three:1.0.0@z"),
    )
    dify.console.routes.daemon = False
    assert console.missing(wanted[3:], soon()) == ()
    with pytest.raises(Unavailable, match=r"\[console_daemon\]"):
        console.missing(wanted, soon())


def test_what_an_import_lacked_is_known(dify: DifyServer, app: App, console: Console) -> None:
    assert console.leaked(app.id, soon()) == ()
    dify.console.routes.leaked[app.id] = [{"type": "package", "value": {"plugin_unique_identifier": "a/b:1@x"}}]
    assert console.leaked(app.id, soon()) == ("a/b:1@x",)


def test_keys_are_listed_made_and_deleted(app: App, console: Console) -> None:
    new = console.create_key(app.id, soon())
    assert new.token not in repr(new)
    assert new.last4 == new.token[-4:]
    assert [one.token for one in console.keys(app.id, soon())] == [app.key, new.token]
    app.api_keys[1].last_used_at = 7
    assert [one.last_used_at for one in console.keys(app.id, soon())] == [None, 7]
    assert console.delete_key(app.id, new.id, soon())
    assert not console.delete_key(app.id, new.id, soon())
    with pytest.raises(Refused, match=r"\[console_not_found\]"):
        console.keys(NOWHERE, soon())


def test_an_app_has_ten_keys_at_most(app: App, console: Console) -> None:
    for _ in range(9):
        console.create_key(app.id, soon())
    with pytest.raises(Refused, match=r"\[console_keys_full\]"):
        console.create_key(app.id, soon())


# What goes wrong

READS: dict[str, Callable[[Console, App], object]] = {
    "app": lambda console, app: console.app(app.id, soon()),
    "apps": lambda console, _: console.apps(soon(), modes=["workflow"]),
    "draft": lambda console, app: console.draft(app.id, soon()),
    "export": lambda console, app: console.export(app.id, soon()).text or None,
    "keys": lambda console, app: console.keys(app.id, soon()),
    "published": lambda console, app: console.published(app.id, soon()),
    "versions": lambda console, app: console.versions(app.id, soon()).whole or None,
    "plugins": lambda console, _: console.plugins(soon()),
}
WRITES: dict[str, Callable[[Console, App], object]] = {
    "sync": lambda console, app: write_back(console, app, console.draft(app.id, soon())),
    "publish": lambda console, app: console.publish(app.id, soon()),
    "create_key": lambda console, app: console.create_key(app.id, soon()),
    "delete_key": lambda console, app: console.delete_key(app.id, app.api_keys[0].id, soon()),
    "restore": lambda console, app: console.restore(app.id, app.versions[0].id, soon()),
}
NO_ANSWER = ["500", "timeout", "reset", "html", "500_done", "timeout_done", "reset_done", "cut"]


@pytest.mark.parametrize("fault", NO_ANSWER)
@pytest.mark.parametrize("call", READS)
def test_what_is_read_is_asked_for_once_more(
    dify: DifyServer, app: App, console: Console, *, call: str, fault: str, impatient: Callable[[str], None]
) -> None:
    impatient(fault)
    dify.console.fail(call, fault)
    assert READS[call](console, app) is not None
    assert dify.console.calls == [call, call]


@pytest.mark.parametrize("fault", NO_ANSWER)
@pytest.mark.parametrize("call", WRITES)
def test_what_is_written_is_sent_once_and_may_have_been_done(
    dify: DifyServer, app: App, console: Console, *, call: str, fault: str, impatient: Callable[[str], None]
) -> None:
    impatient(fault)
    dify.console.fail(call, fault)
    with pytest.raises(Unavailable, match=r"\[console_unsure\]"):
        WRITES[call](console, app)
    assert dify.console.calls.count(call) == 1


def test_what_is_read_fails_after_two_tries(dify: DifyServer, app: App, console: Console) -> None:
    for fault, key in (("500", "dify_down"), ("reset", "no_answer"), ("cut", "no_answer"), ("html", "not_dify")):
        dify.console.calls.clear()
        dify.console.fail("app", fault)
        dify.console.fail("app", fault, 2)
        with pytest.raises(Unavailable) as failed:
            console.app(app.id, soon())
        assert failed.value.key == key
        assert dify.console.calls == ["app"] * 2


def test_an_answer_that_says_no_is_not_asked_for_again(dify: DifyServer, app: App, console: Console) -> None:
    dify.console.fail("app", "409")
    with pytest.raises(Conflict):
        console.app(app.id, soon())
    dify.console.routes.daemon = False
    with pytest.raises(Unavailable, match=r"\[console_daemon\]"):
        console.plugins(soon())
    assert dify.console.calls == ["app", "plugins"]


def test_nothing_is_asked_for_again_when_time_is_up(dify: DifyServer, app: App, console: Console) -> None:
    dify.console.fail("app", "timeout")
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"\[no_answer\].*timeout"):
        console.app(app.id, soon(0.2))
    assert time.monotonic() - began < 1
    assert dify.console.calls == ["app"]


def test_a_write_whose_login_fails_was_not_done(dify: DifyServer, app: App) -> None:
    dify.console.fail("login", "reset")
    with Console.of(by_password(dify)) as console, pytest.raises(Unavailable, match=r"\[no_answer\]"):
        console.create_key(app.id, soon())
    assert dify.console.calls == ["login"]


def test_a_server_that_is_not_there_got_nothing() -> None:
    with DifyServer() as dify:
        given = by_key(dify)
    with Console.of(given) as console:
        for ask in (lambda: console.app(NOWHERE, soon()), lambda: console.create_key(NOWHERE, soon())):
            with pytest.raises(Unavailable, match=r"\[not_reached\]"):
                ask()


# What is no Dify, or an odd one


@contextlib.contextmanager
def answering(*answers: tuple[int, bytes, dict[str, str]], login: bool = False) -> Iterator[Console]:
    """A console at a server that gives these answers in turn, and the last one again."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body, headers = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            entry = Login("a@b.example", "fake-password") if login else AdminKey("fake-admin-key-012345", NOWHERE)
            with Console(Server.at(url, api="/console/api"), entry) as console:
                yield console
        finally:
            server.shutdown()
            thread.join()


def told(status: int, **body: Any) -> tuple[int, bytes, dict[str, str]]:
    return status, json.dumps(body).encode(), {}


@pytest.mark.parametrize(
    ("answer", "kind", "key"),
    [
        (told(401), InvalidCredentials, "console_admin_key"),
        (told(403, code="forbidden", message="no"), Refused, "console_forbidden"),
        ((404, b"<html>", {}), InvalidInput, "console_wrong_address"),
        ((405, b"", {}), InvalidInput, "console_wrong_address"),
        (told(404, message="API key not found"), Refused, "console_not_found"),
        (told(409, message="?"), Conflict, "console_moved"),
        (told(418), Refused, "console_refused"),
        (told(499), Refused, "console_refused"),
        (told(429, message="slow down"), RateLimited, "console_busy"),
        ((302, b"", {"Location": "http://evil.example/"}), InvalidInput, "dify_redirect"),
        ((502, b"<html>", {}), Unavailable, "dify_down"),
        ((200, b"[1]", {}), Unavailable, "not_dify"),
        ((200, b"", {}), Unavailable, "not_dify"),
    ],
)
def test_refusals_are_sorted_by_what_to_do_next(
    answer: tuple[int, bytes, dict[str, str]], kind: type[OpskitError], key: str
) -> None:
    with answering(answer) as console:
        with pytest.raises(kind) as refused:
            console.app(NOWHERE, soon())
        assert refused.value.key == key
        assert str(refused.value).startswith(f"[{key}]")
        assert refused.value.told("zh_Hans").startswith(f"[{key}]")


def test_it_is_said_how_long_to_wait() -> None:
    with answering((429, b"{}", {"Retry-After": "1.2"})) as console, pytest.raises(RateLimited) as refused:
        console.app(NOWHERE, soon())
    assert refused.value.seconds == 2
    with answering((429, b"{}", {"Retry-After": "tomorrow"})) as console, pytest.raises(RateLimited) as refused:
        console.app(NOWHERE, soon())
    assert refused.value.seconds is None


@pytest.mark.parametrize(
    "answers",
    [
        [told(400, message="Bearer fake-admin-key-012345 is bad")],
        [told(403, message=f"{base64.b64encode(b'fake-password').decode()} is bad, fake-password is bad")],
        [told(200, data={"access_token": "fake-access-token"}), told(400, message="fake-access-token is bad")],
    ],
)
def test_what_is_repeated_of_a_secret_is_blanked(answers: list[tuple[int, bytes, dict[str, str]]]) -> None:
    login = b"admin" not in answers[0][1]
    with answering(*answers, login=login) as console, pytest.raises(Refused, match=r"\*\*\* is bad") as refused:
        console.app(NOWHERE, soon())
    assert "fake" not in str(refused.value)
    assert "ZmFrZ" not in str(refused.value)


SESSION, REFUSED = told(200, data={"access_token": "fake-access-token"}), told(401)


@pytest.mark.parametrize(
    ("answers", "key"),
    [
        ([told(200, result="fail", data="workspace not found")], "console_refused"),
        ([(200, b"<html>", {})], "not_dify"),
        ([SESSION, REFUSED, SESSION, REFUSED], "console_session"),
        ([told(400, code="email_or_password_mismatch", message="no")], "console_password"),
        ([told(500, message="no")], "dify_down"),
    ],
)
def test_a_login_may_fail_in_other_ways(answers: list[tuple[int, bytes, dict[str, str]]], key: str) -> None:
    with answering(*answers, login=True) as console, pytest.raises(OpskitError) as refused:
        console.app(NOWHERE, soon())
    assert refused.value.key == key


def test_an_answer_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_BYTES", 2**20)
    with answering((200, b" " * 2**21, {})) as console:
        with pytest.raises(Unavailable, match=r"\[dify_endless\].* 1 MB"):
            console.app(NOWHERE, soon())
        with pytest.raises(Unavailable, match=r"\[console_unsure\]"):
            console.create_key(NOWHERE, soon())


def test_what_is_not_told_is_empty() -> None:
    with answering((200, b" null\n", {})) as console:
        assert console.published(NOWHERE, soon()) is None
    with answering((200, b"{}", {})) as console:
        assert (console.apps(soon()), console.plugins(soon()), console.keys(NOWHERE, soon())) == ((), (), ())
        assert console.draft(NOWHERE, soon()) == Workflow("")
        assert console.about(soon()).version == ""
        with pytest.raises(Unavailable, match=r"\[console_unread\]"):
            console.publish(NOWHERE, soon())
    odd = {"graph": [], "environment_variables": [None], "created_at": "then", "has_more": True, "data": {}}
    with answering(told(200, id="x", updated_at=1.5, **odd)) as console:
        assert console.draft(NOWHERE, soon()) == Workflow("x", updated_at=1)
        assert console.apps(soon()) == ()
        assert console.versions(NOWHERE, soon()).items == ()


def test_what_may_be_better_the_next_time_is_done_up_to_three_times() -> None:
    for error in (Unavailable("dify_down"), RateLimited("console_busy"), Conflict("app_moved")):
        done: list[OpskitError] = []

        def do(error: OpskitError = error, done: list[OpskitError] = done) -> int:
            done.append(error)
            if len(done) < 3:
                raise error
            return len(done)

        assert steadily(do, lambda _: None) == 3


# Features


def test_features_that_come_back_hold_what_was_sent() -> None:
    """What a running Dify made of what it was sent."""
    off = {"enabled": False}
    silent = off | {"voice": "", "language": ""}
    kept: list[tuple[Any, Any]] = [
        ({}, {"file_upload": {}, "text_to_speech": silent}),
        ({"speech_to_text": None, "opening_statement": None}, {"speech_to_text": off, "opening_statement": ""}),
        ({"speech_to_text": {}}, {"speech_to_text": off}),
        ({"text_to_speech": off | {"voice": "fake", "language": "en"}}, {"text_to_speech": silent}),
        ({"text_to_speech": {"enabled": True, "voice": "a"}}, {"text_to_speech": {"enabled": True, "voice": "a"}}),
        ({"file_upload": {"image": {"enabled": True}}}, {"file_upload": {"enabled": True}}),
        ({"of_its_own": 1}, {"of_its_own": 1, "file_upload": {}}),
    ]
    for sent, read in kept:
        assert contained(sent, read)
    others: list[tuple[Any, Any]] = [
        ({"speech_to_text": None}, {"speech_to_text": {"enabled": True}}),
        ({"speech_to_text": off}, {"speech_to_text": {"enabled": True}}),
        ({"text_to_speech": off | {"voice": "fake"}}, {"text_to_speech": off | {"voice": "another"}}),
        ({"text_to_speech": {"enabled": True, "voice": "a"}}, {"text_to_speech": {"enabled": True, "voice": ""}}),
        ({"opening_statement": ""}, {"opening_statement": "hi"}),
        ({"of_its_own": 1}, {"file_upload": {}}),
    ]
    for sent, read in others:
        assert not contained(sent, read)
