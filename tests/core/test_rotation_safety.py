"""What a rotation says when it cannot go on, and that it says nothing that is not so."""

import importlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from devtools.dify_server import App, DifyServer, simple_flow, variable
from devtools.dify_server.flows import ApiKey
from opskit import webhook
from opskit.dify.console import Console, Synced, checkpoint, mistakes
from opskit.dify.service import App as ServiceApp
from opskit.errors import OpskitError, Refused
from opskit.rotation import Order, Rotations, desk, place, rotate

OLD, NEW = "fake-old-value-0123456789", "fake-new-value-0123456789"
LONG_AGO = 1_700_000_000
ROTATE = importlib.import_module("opskit.rotation.rotate")  # the package has a function of this name
HOOK: dict[str, Any] = {"webhook_url": "https://hooks.example/key", "webhook_secret": "fake-webhook-secret-0123"}


def added(dify: DifyServer, name: str, **more: Any) -> App:
    app = dify.add(App(name, draft=simple_flow("v1", [variable("KEY", OLD, secret=True)]), **more))
    for key in app.api_keys:
        key.last_used_at = LONG_AGO
    return app


@pytest.fixture
def app(dify: DifyServer) -> App:
    return added(dify, "legal")


@pytest.fixture
def caller(dify: DifyServer) -> App:
    return added(dify, "caller")


def renewed(dify: DifyServer, *apps: App, pause: Callable[[float], None] = lambda _: None, **more: Any) -> Rotations:
    door = dify.console.door
    given: dict[str, Any] = {"app_ids": ",".join(app.id for app in apps), "grace_s": 5}
    given |= {"base_url": dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id}
    return rotate(Order.model_validate(given | more), pause=pause)


def keys(dify: DifyServer, *apps: App, to: App, **more: Any) -> Rotations:
    places = ",".join(f"{app.id}={to.id}:KEY" for app in apps)
    return renewed(dify, *apps, kind="app_key", deliver_to=places, **more)


def values(dify: DifyServer, *apps: App, **more: Any) -> Rotations:
    return renewed(dify, *apps, **({"kind": "secret", "variable": "KEY", "new_value": NEW} | more))


def states(rotations: Rotations) -> list[tuple[str, str]]:
    return [(row.state, row.error.split("]")[0].strip("[")) for row in rotations.rotated]


# An old key that is said to be gone is gone


def test_a_key_to_go_that_nobody_has_is_said_before_anything_starts(dify: DifyServer, app: App, caller: App) -> None:
    """A slip in old_key_ids left the old key where it was, and the report said that it was gone."""
    for named in ("slip", f"{app.api_keys[0].id},slip"):
        with pytest.raises(Refused, match=r"^\[rotation_unknown_keys\].*slip"):
            keys(dify, app, to=caller, old_key_ids=named)
    assert [key.token for key in app.api_keys] == [app.key]


def test_an_app_none_of_whose_keys_is_to_go_is_left_alone(dify: DifyServer, app: App, caller: App) -> None:
    other = added(dify, "other")
    rotations = keys(dify, app, other, to=caller, old_key_ids=app.api_keys[0].id)
    assert states(rotations) == [("done", ""), ("untouched", "rotation_no_old_keys")]
    assert (len(app.api_keys), [key.token for key in other.api_keys]) == (1, [other.key])


def test_an_app_that_cannot_be_looked_at_is_told_in_its_turn(dify: DifyServer, app: App, caller: App) -> None:
    for nth in (1, 2):
        dify.console.fail("keys", "500", nth)
    assert states(keys(dify, app, to=caller, old_key_ids="slip")) == [("untouched", "rotation_no_old_keys")]


def test_an_app_without_a_key_gets_its_first(dify: DifyServer, app: App, caller: App) -> None:
    app.api_keys.clear()
    rotations = keys(dify, app, to=caller)
    assert states(rotations) == [("done", "")]
    assert len(app.api_keys) == 1


# Time


def test_where_no_time_is_left_to_wait_the_old_key_stays(
    dify: DifyServer, app: App, caller: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else Dify would end the call while it waits, and nobody would learn where the app stands."""
    monkeypatch.setattr(ROTATE, "_WORK_S", 20.0)
    waited: list[float] = []
    rotations = keys(dify, app, to=caller, grace_s=100, pause=waited.append)
    assert (states(rotations), waited) == ([("created", "rotation_no_wait")], [])
    assert rotations.rotated[0].old_key_ids == [app.api_keys[0].id]
    assert len(app.api_keys) == 2


def test_apps_that_there_is_no_time_for_are_said_to_be_left(
    dify: DifyServer, app: App, caller: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ROTATE, "_WORK_S", 0.0)
    monkeypatch.setattr(Console, "about", lambda *_: None)
    rotations = values(dify, app, caller)
    assert states(rotations) == [("untouched", "rotation_no_time")] * 2
    assert dify.console.calls == []


def test_all_ways_back_together_end_before_the_call_does(
    dify: DifyServer, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments: list[float] = []
    real = desk.Desk.back_ends

    def back_ends(self: desk.Desk) -> float:
        moments.append(real(self) - time.monotonic())
        return real(self)

    monkeypatch.setattr(desk.Desk, "back_ends", back_ends)
    monkeypatch.setattr(checkpoint, "_LAST_S", -470.0)
    app.works = lambda flow: flow.value("KEY") == OLD
    assert states(values(dify, app, probe_keys=f"{app.id}={app.key}", probe_inputs='{"topic": "x"}'))
    assert 0 < moments[0] < 11


# Mistakes of ours


@pytest.mark.parametrize("way", ["put", "probe", "back"])
def test_a_mistake_of_ours_leaves_nothing_half_way(
    way: str, dify: DifyServer, app: App, caller: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It led out of the middle of the work: nothing was put back, and of the other apps nothing was told."""
    real = place.Place.put

    def put(self: place.Place, value: str) -> None:
        real(self, value)
        if self.app_id == app.id and way != "probe":
            raise ZeroDivisionError(value)

    monkeypatch.setattr(place.Place, "put", put)
    if way == "probe":
        monkeypatch.setattr(ServiceApp, "run", lambda *_: 1 / 0)
    if way == "back":
        monkeypatch.setattr(place.Place, "back", lambda _: 1 / 0)
    rotations = values(dify, app, caller, probe_keys=f"{app.id}={app.key}")
    assert states(rotations) == [("failed" if way == "back" else "reverted", "bug"), ("done", "")]
    assert "ZeroDivisionError at test_rotation_safety.py:" in rotations.rotated[0].error
    assert NEW not in rotations.model_dump_json()
    assert app.serving is not None
    assert caller.serving is not None
    assert (app.serving.value("KEY"), caller.serving.value("KEY")) == (NEW if way == "back" else OLD, NEW)


def test_a_mistake_after_the_hand_over_keeps_no_second_key(
    dify: DifyServer, app: App, caller: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "deliver", lambda *_, **__: 1 / 0)
    assert states(keys(dify, app, to=caller, **HOOK)) == [("reverted", "bug")]
    assert [key.token for key in app.api_keys] == [app.key]


# Words


def test_a_name_is_no_markdown(dify: DifyServer, caller: App) -> None:
    app = added(dify, "a *b* [c](https://evil.example)\n# d")
    report = keys(dify, app, to=caller).report
    assert report.startswith(r"- **a \*b\* \[c\]\(https://evil.example\) \# d**: The new key")
    app.api_keys[0].last_used_at = None
    report = keys(dify, app, to=caller).report
    assert "\n" not in report
    assert r"\[rotation\_in\_use\]" in report


def test_a_secret_of_one_letter_does_not_blank_every_one(dify: DifyServer) -> None:
    app = dify.add(App("legal", draft=simple_flow("v1", [variable("KEY", "a", secret=True)])))
    (row,) = values(dify, app, variable="OTHER").rotated
    assert "has no environment variable OTHER" in row.error


# Every call on the way back goes wrong once


BACK = {"app": 1, "draft": 5, "published": 4, "export": 5, "sync": 3, "publish": 2, "create_key": 1, "delete_key": 1}
FAULTS = [
    (call, nth + 1, fault)
    for call, most in BACK.items()
    for nth in range(most)
    for fault in ("500", "timeout", "reset", "409", "html", "500_done", "timeout_done", "reset_done", "cut")
]


@pytest.fixture
def declining(monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook that declines."""

    def deliver(*_: object, **__: object) -> webhook.Delivered:
        return webhook.Delivered(delivered=False, attempts=1, error=Refused("webhook_declined", status=400))

    monkeypatch.setattr(webhook, "deliver", deliver)


@pytest.mark.usefixtures("declining")
@pytest.mark.parametrize("failing", FAULTS)
def test_a_call_that_fails_on_the_way_back_loses_nothing(
    dify: DifyServer, app: App, caller: App, failing: tuple[str, int, str], impatient: Callable[[str], None]
) -> None:
    """The variable gets its old value back, and the new key goes."""
    call, nth, fault = failing
    impatient(fault)
    dify.console.fail(call, fault, nth)
    (row,) = keys(dify, app, to=caller, **HOOK).rotated
    assert row.error
    assert caller.serving is not None
    assert caller.draft is not None
    serves = caller.serving.value("KEY")
    tokens = [key.token for key in app.api_keys]
    assert tokens[0] == app.key
    if row.state in {"untouched", "reverted"}:
        assert (tokens, serves, caller.draft.value("KEY")) == ([app.key], OLD, OLD)
    else:  # somebody has to look: whatever the caller serves works
        assert row.state == "failed"
        assert serves in {OLD, *tokens}
        assert "Both keys were kept" in row.error or row.new_key_id in row.error


@pytest.mark.parametrize("fault", ["reset", "html"])
@pytest.mark.parametrize("call", ["app", "keys", "draft", "published", "export"])
def test_a_read_that_breaks_off_is_asked_again(dify: DifyServer, app: App, caller: App, call: str, fault: str) -> None:
    for nth in range(1, 4):
        dify.console.fail(call, fault, nth * 2 - 1)  # every other one
    assert states(keys(dify, app, to=caller)) == [("done", "")]


def test_a_mistake_is_no_error_of_the_user() -> None:
    with pytest.raises(OpskitError, match=r"^\[bug\]"), mistakes():
        raise ValueError
    with pytest.raises(Refused), mistakes():
        raise Refused("rotation_last_key")


def test_a_key_of_somebody_else_is_no_old_key(dify: DifyServer, app: App, caller: App) -> None:
    """Of two keys the one that is not named stays."""
    app.api_keys.append(ApiKey("app-fake-second-key", last_used_at=LONG_AGO))
    rotations = keys(dify, app, to=caller, old_key_ids=app.api_keys[0].id)
    assert states(rotations) == [("done", "")]
    assert app.api_keys[0].token == "app-fake-second-key"


def test_a_write_that_was_refused_leaves_nothing_to_go_back_from(
    dify: DifyServer, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody saves the draft just before we would: it was said that it could not be put back."""
    real = Console.sync

    def sync(self: Console, *given: Any, **more: Any) -> Synced:
        assert app.draft is not None
        app.draft.graph["nodes"][1]["data"]["template"] = "theirs"
        return real(self, *given, **more)

    monkeypatch.setattr(Console, "sync", sync)
    (row,) = values(dify, app).rotated
    assert (row.state, row.error.split()[0]) == ("untouched", "[console_moved]")
    assert "put back" not in row.error
    assert app.draft is not None
    assert app.draft.graph["nodes"][1]["data"]["template"] == "theirs"
    assert app.draft.value("KEY") == OLD
