"""Keys of apps renewed at a Dify on this machine."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from devtools.dify_server import App, DifyServer, simple_flow, variable
from devtools.dify_server.flows import ApiKey
from opskit import webhook
from opskit.dify.console import AppKey, Console
from opskit.dify.service import App as ServiceApp
from opskit.dify.service import Server
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, Refused
from opskit.rotation import Order, Rotated, Rotations, rotate

OLD_SECRET = "fake-old-value-0123456789"
NOWHERE = "0b0b0b0b-0000-4000-8000-00000000000b"
LONG_AGO = 1_700_000_000
HOOK: dict[str, Any] = {"webhook_url": "https://hooks.example/key", "webhook_secret": "fake-webhook-secret-0123"}


@pytest.fixture
def app(dify: DifyServer) -> App:
    return dify.add(used_long_ago(App("legal", draft=simple_flow("v1"))))


@pytest.fixture
def caller(dify: DifyServer) -> App:
    """A workflow that calls the app with its key."""
    return dify.add(App("caller", draft=simple_flow("v1", [variable("KEY", OLD_SECRET, secret=True)])))


def used_long_ago(app: App) -> App:
    for key in app.api_keys:
        key.last_used_at = LONG_AGO
    return app


def renewed(dify: DifyServer, *apps: App, pause: Callable[[float], None] = lambda _: None, **more: Any) -> Rotations:
    door = dify.console.door
    given: dict[str, Any] = {"kind": "app_key", "app_ids": ",".join(app.id for app in apps), "grace_s": 5}
    given |= {"base_url": dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id}
    rotations = rotate(Order.model_validate(given | more), pause=pause)
    for one in apps:
        for text in (one.key, *(key.token for key in one.api_keys), OLD_SECRET):
            assert text not in rotations.model_dump_json()
    return rotations


def one(rotations: Rotations) -> Rotated:
    (row,) = rotations.rotated
    return row


def deliver_to(caller: App) -> dict[str, Any]:
    return {"deliver_to": f"{caller.id}:KEY"}


def told(monkeypatch: pytest.MonkeyPatch, error: OpskitError | None = None) -> list[dict[str, Any]]:
    """The events that the webhook is told."""
    events: list[dict[str, Any]] = []

    def deliver(event: dict[str, Any], **how: Any) -> webhook.Delivered:
        assert how["url"] == HOOK["webhook_url"]
        assert how["private"] is False
        events.append(event)
        return webhook.Delivered(delivered=error is None, attempts=1, error=error)

    monkeypatch.setattr(webhook, "deliver", deliver)
    return events


def test_a_new_key_goes_into_a_variable_and_the_old_one_is_gone(dify: DifyServer, app: App, caller: App) -> None:
    old = app.api_keys[0]
    waited: list[float] = []
    rotations = renewed(dify, app, **deliver_to(caller), pause=waited.append)
    row = one(rotations)
    (new,) = app.api_keys
    assert (row.state, row.error, row.name) == ("done", "", "legal")
    assert (row.old_key_ids, row.new_key_id, row.new_key_last4) == ([old.id], new.id, new.token[-4:])
    assert caller.serving is not None
    assert caller.draft is not None
    assert caller.serving.value("KEY") == caller.draft.value("KEY") == new.token
    assert waited == [5.0]
    assert rotations.report == f"- **legal**: The new key …{new.token[-4:]} is in use, the old one is gone."


def test_a_webhook_is_told_the_key(dify: DifyServer, app: App, caller: App, monkeypatch: pytest.MonkeyPatch) -> None:
    events = told(monkeypatch)
    row = one(renewed(dify, app, **HOOK, **deliver_to(caller)))
    assert row.state == "done"
    (event,) = events
    assert (event["key"], event["key_id"], event["app_id"]) == (app.api_keys[0].token, row.new_key_id, app.id)


def test_a_webhook_that_declines_leaves_the_old_key(
    dify: DifyServer, app: App, caller: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, Refused("webhook_declined", status=400))
    row = one(renewed(dify, app, **HOOK, **deliver_to(caller)))
    assert row.state == "reverted"
    assert row.error.startswith("[webhook_declined]")
    assert row.new_key_id == ""
    assert [key.token for key in app.api_keys] == [app.key]
    assert caller.serving is not None
    assert caller.serving.value("KEY") == OLD_SECRET


def test_create_and_retire_are_two_phases(dify: DifyServer, app: App) -> None:
    created = one(renewed(dify, app, phase="create"))
    assert (created.state, len(app.api_keys)) == ("created", 2)
    rotations = renewed(dify, app, phase="retire", old_key_ids=",".join(created.old_key_ids))
    assert rotations.report == "- **legal**: The old key is gone, another one works."
    retired = one(rotations)
    assert (retired.state, retired.name, retired.old_key_ids) == ("done", "legal", created.old_key_ids)
    assert [key.id for key in app.api_keys] == [created.new_key_id]
    again = one(renewed(dify, app, phase="retire", old_key_ids=",".join(created.old_key_ids)))
    assert again.state == "untouched"
    assert again.error.startswith("[rotation_no_old_keys]")


def test_the_last_key_that_works_is_never_deleted(dify: DifyServer, app: App) -> None:
    stale = ApiKey("app-fake-key-that-does-not-open")
    app.api_keys.append(stale)
    row = one(renewed(dify, app, phase="retire", old_key_ids=app.api_keys[0].id))
    assert row.state == "untouched"
    assert row.error.startswith("[rotation_last_key]")
    assert len(app.api_keys) == 2


@pytest.mark.parametrize("used", [None, "now"])
def test_a_key_that_may_be_in_use_stays(dify: DifyServer, app: App, caller: App, used: str | None) -> None:
    app.api_keys[0].last_used_at = int(time.time()) if used else None
    row = one(renewed(dify, app, **deliver_to(caller)))
    assert row.state == "created"
    assert row.error.startswith("[rotation_in_use]")
    assert row.old_key_ids == [app.api_keys[0].id]
    assert len(app.api_keys) == 2
    row = one(renewed(dify, app, phase="retire", old_key_ids=app.api_keys[0].id, force_retire=True))
    assert (row.state, len(app.api_keys)) == ("done", 1)


def test_ten_keys_are_said_before_anything_starts(dify: DifyServer, app: App) -> None:
    full = dify.add(App("full", draft=simple_flow("v1"), api_keys=[ApiKey(f"app-fake-{n}") for n in range(10)]))
    with pytest.raises(Refused, match="rotation_keys_full"):
        renewed(dify, app, full, phase="create")
    assert len(app.api_keys) == 1


def test_of_several_keys_somebody_says_which_is_old(dify: DifyServer, app: App, caller: App) -> None:
    first, second = app.api_keys[0], ApiKey("app-fake-second-key", last_used_at=LONG_AGO)
    app.api_keys.append(second)
    row = one(renewed(dify, app, **deliver_to(caller)))
    assert (row.state, row.error.split()[0]) == ("untouched", "[rotation_which]")
    row = one(renewed(dify, app, **deliver_to(caller), old_key_ids=second.id))
    assert (row.state, row.old_key_ids) == ("done", [second.id])
    assert app.api_keys[0] is first


def test_one_app_that_fails_leaves_the_others(dify: DifyServer, app: App) -> None:
    broken = dify.add(App("broken", draft=simple_flow("v1"), published=False))
    rotations = renewed(dify, broken, app, phase="create")
    assert [row.state for row in rotations.rotated] == ["reverted", "created"]
    assert rotations.rotated[0].error.startswith("[dify_app_unavailable]")
    assert [key.token for key in broken.api_keys] == [broken.key]
    door = dify.console.door
    given: dict[str, Any] = {"kind": "app_key", "app_ids": f"{NOWHERE},{app.id}", "phase": "create"}
    given |= {"base_url": dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id}
    rotations = rotate(Order.model_validate(given))
    assert [row.state for row in rotations.rotated] == ["untouched", "created"]
    assert NOWHERE in rotations.report


@pytest.mark.parametrize(
    ("given", "kind", "key"),
    [
        ({"app_ids": ","}, InvalidInput, "missing_parameter"),
        ({"app_ids": "legal"}, InvalidInput, "rotation_app_id"),
        ({}, InvalidInput, "rotation_nobody_told"),
        ({"phase": "retire"}, InvalidInput, "missing_parameter"),
        (
            {**HOOK, "grace_s": 200, "app_ids": f"{NOWHERE},{NOWHERE[:-1]}c,{NOWHERE[:-1]}d"},
            InvalidInput,
            "rotation_too_long",
        ),
        ({**HOOK, "webhook_url": "http://hooks.example"}, InvalidInput, "rotation_webhook_https"),
        ({"webhook_url": "https://hooks.example"}, InvalidCredentials, "missing_secret"),
        ({"deliver_to": "caller"}, InvalidInput, "rotation_deliver_to"),
        ({"deliver_to": "caller:KEY"}, InvalidInput, "rotation_deliver_to"),
        ({"deliver_to": f"{NOWHERE[:-1]}c={NOWHERE}:KEY"}, InvalidInput, "rotation_deliver_to"),
        ({"deliver_to": f"{NOWHERE}:A,{NOWHERE}:B"}, InvalidInput, "rotation_deliver_twice"),
        ({"deliver_to": f"{NOWHERE}:A"}, InvalidCredentials, "console_no_way"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_starts(
    given: dict[str, Any], kind: type[OpskitError], key: str
) -> None:
    with pytest.raises(kind, match=key):
        rotate(Order.model_validate({"kind": "app_key", "app_ids": NOWHERE} | given))


def test_each_of_several_keys_goes_where_it_belongs(dify: DifyServer, app: App, caller: App) -> None:
    other = dify.add(used_long_ago(App("other", draft=simple_flow("v1"))))
    second = dify.add(App("second", draft=simple_flow("v1", [variable("KEY", OLD_SECRET, secret=True)])))
    places = f"{app.id}={caller.id}:KEY, {other.id}={second.id}:KEY"
    rotations = renewed(dify, app, other, deliver_to=places)
    assert [row.state for row in rotations.rotated] == ["done", "done"]
    assert caller.serving is not None
    assert second.serving is not None
    assert (caller.serving.value("KEY"), second.serving.value("KEY")) == (
        app.api_keys[0].token,
        other.api_keys[0].token,
    )


# Every call of the console goes wrong once

READS = {"apps": 1, "app": 1, "keys": 3, "draft": 2, "published": 2, "export": 3}
INSTEAD = ["500", "timeout", "reset", "409", "html"]
MISREAD = ["500", "timeout", "409", "cut"]  # of what only reads
AFTER = ["500_done", "timeout_done", "reset_done", "cut"]
FAULTS = [(name, nth + 1, fault) for name, most in READS.items() for nth in range(most) for fault in MISREAD]
FAULTS += [(name, 1, fault) for name in ("sync", "publish", "create_key", "delete_key") for fault in [*INSTEAD, *AFTER]]


@pytest.mark.parametrize("failing", FAULTS)
def test_a_call_that_fails_loses_nothing(
    dify: DifyServer, app: App, caller: App, failing: tuple[str, int, str], impatient: Callable[[str], None]
) -> None:
    call, nth, fault = failing
    impatient(fault)
    dify.console.fail(call, fault, nth)
    try:
        row = one(renewed(dify, app, **deliver_to(caller)))
    except OpskitError:
        assert call == "apps"  # nothing had been begun
        row = None
    assert caller.serving is not None
    assert caller.draft is not None
    serves = caller.serving.value("KEY")
    assert caller.draft.value("KEY") == serves
    tokens = [key.token for key in app.api_keys]
    if row and row.state == "done":
        assert tokens == [serves]
        assert row.error == ""
    else:
        assert app.key in tokens
        assert opened(dify, app)
        assert serves in {OLD_SECRET, *tokens}
        assert row is None or row.error
        expected = {"untouched": 1, "reverted": 1, "created": 2}[row.state if row else "untouched"]
        assert len(tokens) == expected
        assert serves == (OLD_SECRET if expected == 1 else tokens[1])


def test_a_key_that_was_never_made_is_no_key(dify: DifyServer, app: App) -> None:
    dify.console.fail("create_key", "500")
    row = one(renewed(dify, app, phase="create"))
    assert (row.state, row.error.split()[0], row.new_key_id) == ("untouched", "[rotation_not_made]", "")


def test_two_new_keys_at_once_are_told_apart_by_nobody(
    dify: DifyServer, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Console.create_key

    def create_key(self: Console, app_id: str, ends: float) -> AppKey:
        app.api_keys.append(ApiKey("app-fake-key-of-somebody-else"))
        return real(self, app_id, ends)

    monkeypatch.setattr(Console, "create_key", create_key)
    dify.console.fail("create_key", "500_done")
    row = one(renewed(dify, app, phase="create"))
    assert (row.state, row.error.split()[0], len(app.api_keys)) == ("failed", "[console_unsure]", 3)
    assert all(key.id in row.error for key in app.api_keys[1:])


def test_a_new_key_stays_while_a_variable_may_hold_it(
    dify: DifyServer, app: App, caller: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The webhook declines, and meanwhile somebody has published the caller."""

    def deliver(*_: object, **__: object) -> webhook.Delivered:
        assert caller.draft is not None
        caller.draft.graph["nodes"][1]["data"]["template"] = "v2"
        caller.publish()
        return webhook.Delivered(delivered=False, attempts=1, error=Refused("webhook_declined", status=400))

    monkeypatch.setattr(webhook, "deliver", deliver)
    row = one(renewed(dify, app, **HOOK, **deliver_to(caller)))
    assert row.state == "failed"
    assert row.error.startswith("[webhook_declined]")
    assert "Both keys were kept" in row.error
    assert [row.old_key_ids[0], row.new_key_id] == [key.id for key in app.api_keys]
    assert caller.serving is not None
    assert caller.serving.value("KEY") == app.api_keys[1].token


def test_a_new_key_that_cannot_be_deleted_is_named(dify: DifyServer, app: App) -> None:
    app.faults_at["info"] = "app_gone_403"
    door = dify.console.door
    door.role = "editor"
    login: dict[str, Any] = {"admin_key": None, "workspace_id": "", "email": door.email, "password": door.password}
    row = one(renewed(dify, app, phase="create", **login))
    assert row.state == "failed"
    assert "could not be deleted ([console_forbidden])" in row.error
    assert row.new_key_id == app.api_keys[1].id


@pytest.mark.parametrize(("fault", "problem"), [("app_gone_403", "dify_forbidden"), ("", "HTTP 200")])
def test_a_key_that_is_not_refused_is_told(
    dify: DifyServer, app: App, fault: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.faults_at["info"] = ["", "", fault, fault, fault]
    real = Console.delete_key

    def delete_key(self: Console, app_id: str, key_id: str, ends: float) -> bool:
        token = next(key.token for key in app.api_keys if key.id == key_id)
        done = real(self, app_id, key_id, ends)
        dify.console.routes._tokens[token] = app  # noqa: SLF001 - a cache that was not told
        return done

    monkeypatch.setattr(Console, "delete_key", delete_key)
    told(monkeypatch)
    row = one(renewed(dify, app, **HOOK))
    assert row.state == "failed"
    assert row.error.startswith("[rotation_not_gone]")
    assert problem in row.error
    app.faults_at.clear()


def test_a_hiccup_of_the_service_is_no_failure(dify: DifyServer, app: App, caller: App) -> None:
    app.faults_at |= {"info": ["500", ""], "parameters": ["502"]}
    row = one(renewed(dify, app, **deliver_to(caller)))
    assert (row.state, row.error) == ("done", "")


def test_unfinished_work_of_the_receiver_is_no_place_for_a_key(dify: DifyServer, app: App, caller: App) -> None:
    assert caller.draft is not None
    caller.draft.graph["nodes"][1]["data"]["template"] = "v2"
    row = one(renewed(dify, app, **deliver_to(caller)))
    assert (row.state, row.error.split()[0], len(app.api_keys)) == ("untouched", "[rotation_dirty]", 1)
    row = one(renewed(dify, app, **deliver_to(caller), dirty_draft="preserve"))
    assert row.state == "done"
    assert caller.serving is not None
    assert caller.serving.graph["nodes"][1]["data"]["template"] == "v1"
    assert caller.draft.graph["nodes"][1]["data"]["template"] == "v2"
    assert caller.serving.value("KEY") == caller.draft.value("KEY") == app.api_keys[0].token


def test_the_service_of_the_cloud_lies_beside_its_console() -> None:
    for address in ("https://cloud.dify.ai", "https://cloud.dify.ai/console/api", "https://api.dify.ai/v1"):
        order = Order.model_validate({"kind": "app_key", "app_ids": NOWHERE, "base_url": address})
        assert order.service().address.text == "https://api.dify.ai/v1"


def test_a_secret_is_known_by_its_parts() -> None:
    assert Order.secrets_of("probe_keys", f"{NOWHERE}=app-fake-key-0123") == ["app-fake-key-0123"]
    assert Order.secrets_of("new_value", "fake-value-0123") == ["fake-value-0123"]


def test_whether_a_key_was_made_may_stay_unknown(dify: DifyServer, app: App) -> None:
    dify.console.fail("create_key", "500_done")
    for nth in (3, 4):
        dify.console.fail("keys", "500", nth)
    row = one(renewed(dify, app, phase="create"))
    assert (row.state, row.error.split()[0]) == ("failed", "[console_unsure]")
    assert opened(dify, app)


def opened(dify: DifyServer, app: App) -> bool:
    """Whether the first key of the app still opens it."""
    with ServiceApp(Server.at(dify.url), app.key) as service:
        return service.mode(time.monotonic() + 5) == app.mode
