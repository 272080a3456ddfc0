"""An app that is being changed is left alone by all other calls of this process."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from devtools.dify_server import App, DifyServer, simple_flow, variable
from opskit.dify.console import claim, claimed
from opskit.errors import Conflict, RateLimited
from opskit.rotation import Order, Rotated, rotate

ONE, OTHER = "0b0b0b0b-0000-4000-8000-00000000000b", "0b0b0b0b-0000-4000-8000-00000000000c"
OLD, NEW = "fake-old-value-0123456789", "fake-new-value-0123456789"


def test_what_is_claimed_is_nobody_elses() -> None:
    refused = pytest.raises(Conflict, match=rf"\[console_claimed\].*{ONE.upper()}")
    with claimed("dify.example", ONE), refused, claimed("dify.example", OTHER, ONE.upper()):
        pytest.fail("claimed twice")
    with claimed("dify.example", OTHER, ONE, ONE):  # neither the first claim nor the refused one has left anything
        pass


def test_another_app_and_another_server_are_free() -> None:
    with claimed("dify.example", ONE), claimed("dify.example", OTHER), claimed("staging.example", ONE):
        assert len(claim._claimed) == 3  # noqa: SLF001 - what is remembered


def test_a_claim_ends_however_the_block_ends() -> None:
    for end in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(end), claimed("dify.example", ONE):
            raise end
        assert claim._claimed == set()  # noqa: SLF001 - nothing of a tenant stays


def test_nothing_is_remembered_in_clear() -> None:
    with claimed("dify.example", ONE):
        assert all(len(name) == 32 and ONE.encode() not in name for name in claim._claimed)  # noqa: SLF001


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "MOST", 1)
    refused = pytest.raises(RateLimited, match="console_crowded")
    with claimed("dify.example", ONE), refused, claimed("dify.example", OTHER):
        pytest.fail("more than there is room for")
    with claimed("dify.example", OTHER):
        pass


# Two rotations at once


@pytest.fixture
def app(dify: DifyServer) -> App:
    return dify.add(App("legal", draft=simple_flow("v1", [variable("KEY", OLD, secret=True)])))


@pytest.fixture
def caller(dify: DifyServer) -> App:
    return dify.add(App("caller", draft=simple_flow("v1", [variable("KEY", OLD, secret=True)])))


def renewed(dify: DifyServer, pause: Callable[[float], None] = lambda _: None, **given: Any) -> Rotated:
    door = dify.console.door
    access = {"base_url": dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id}
    (row,) = rotate(Order.model_validate(access | given), pause=pause).rotated
    return row


def key_order(app: App, caller: App) -> dict[str, Any]:
    return {"kind": "app_key", "app_ids": app.id, "deliver_to": f"{caller.id}:KEY", "force_retire": True}


def value_order(app: App) -> dict[str, Any]:
    return {"kind": "secret", "app_ids": app.id.upper(), "variable": "KEY", "new_value": NEW}


def writes(dify: DifyServer) -> list[str]:
    return [call for call in dify.console.calls if call in {"sync", "publish", "create_key", "delete_key"}]


def test_two_rotations_of_one_app_do_not_trample_on_each_other(dify: DifyServer, app: App, caller: App) -> None:
    """The second one comes while the first one waits out its grace time."""
    seconds: list[Rotated] = []

    def pause(_: float) -> None:
        before = writes(dify)
        seconds.append(renewed(dify, **key_order(app, caller)))
        assert writes(dify) == before

    first = renewed(dify, pause, **key_order(app, caller))
    (second,) = seconds
    assert (first.state, second.state) == ("done", "untouched")
    assert second.error.startswith("[console_claimed]")
    assert app.id in second.error
    assert [key.id for key in app.api_keys] == [first.new_key_id]
    assert renewed(dify, **key_order(app, caller)).state == "done"  # the claim went with the first one


def test_what_a_key_goes_into_is_nobody_elses_meanwhile(dify: DifyServer, app: App, caller: App) -> None:
    with claimed("127.0.0.1", caller.id):
        row = renewed(dify, **key_order(app, caller))
    assert (row.state, row.error.split()[0], len(app.api_keys)) == ("untouched", "[console_claimed]", 1)
    assert writes(dify) == []


def test_what_a_key_went_into_is_free_during_the_grace_time(dify: DifyServer, app: App, caller: App) -> None:
    later: list[Rotated] = []
    first = renewed(dify, lambda _: later.append(renewed(dify, **value_order(caller))), **key_order(app, caller))
    assert (first.state, [row.state for row in later]) == ("done", ["done"])


def test_an_app_may_take_its_own_key(dify: DifyServer, app: App) -> None:
    row = renewed(dify, **key_order(app, app))
    assert (row.state, row.error) == ("done", "")


def test_of_many_rotations_at_once_one_gets_the_app(dify: DifyServer, app: App) -> None:
    begin, rows = threading.Barrier(6), []

    def rotation() -> None:
        begin.wait()
        rows.append(renewed(dify, **value_order(app)))

    threads = [threading.Thread(target=rotation) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {row.state for row in rows} <= {"done", "untouched"}
    assert all(row.error.startswith("[console_claimed]") for row in rows if row.state == "untouched")
    assert len(app.versions) == 2
    assert app.serving is not None
    assert app.serving.value("KEY") == NEW


def test_an_app_that_is_named_twice_has_one_turn(dify: DifyServer, app: App, caller: App) -> None:
    order = key_order(app, caller) | {"app_ids": f"{app.id},{app.id.upper()}"}
    assert renewed(dify, **order).state == "done"
    order = value_order(app) | {"probe_keys": f"{app.id.upper()}={app.api_keys[0].token}"}
    assert renewed(dify, **order, probe_inputs='{"topic": "x"}').state == "done"
