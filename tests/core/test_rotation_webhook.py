"""A new key that is handed over to a webhook, over TLS as it is outside.

Only one thing is arranged: what counts as an address that may be reached, for a listener on this machine is not one.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devtools.dify_server import App, DifyServer, simple_flow
from devtools.listener import Listener, listening
from opskit import http, rotation
from opskit.errors import InvalidInput, OpskitError, Refused
from opskit.rotation import Order, Rotated
from opskit.webhook.signatures import verified

SECRET = "whsec_ZmFrZS13ZWJob29rLXNlY3JldC0xMjM="
PATH = "/keys/fake-path-secret-0123?k=fake-query-secret-0123"
NOWHERE = "0b0b0b0b-0000-4000-8000-00000000000b"


@pytest.fixture
def app(dify: DifyServer) -> App:
    app = dify.add(App("legal", draft=simple_flow("v1")))
    app.api_keys[0].last_used_at = 1_700_000_000
    return app


@pytest.fixture
def trusted(certified: Callable[[str, int], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for localhost that is trusted, and localhost as an address that may be reached."""
    certificate = certified("localhost", 40)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    reachable(monkeypatch)
    return certificate


def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def reaches(*, private: bool) -> tuple[http.Reach, ...]:
        assert not private
        return (http.Reach.INTERNAL,)

    monkeypatch.setattr(http, "reaches", reaches)


def renewed(dify: DifyServer, app: App, url: str, *, by_model: bool = False, **more: Any) -> Rotated:
    door = dify.console.door
    given: dict[str, Any] = {"kind": "app_key", "app_ids": app.id, "grace_s": 0}
    given |= {"base_url": dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id}
    given |= {"webhook_url": url, "webhook_secret": SECRET}
    rotations = rotation.rotate(Order.model_validate(given | more), by_model=by_model, pause=lambda _: None)
    for text in (app.key, *(key.token for key in app.api_keys), SECRET, PATH, "fake-path-secret-0123"):
        assert text not in rotations.model_dump_json()
    (row,) = rotations.rotated
    return row


def events(listener: Listener) -> list[dict[str, Any]]:
    """What arrived, all of it signed."""
    for path, headers, body in listener.seen:
        assert path == PATH
        assert verified(headers, body, secrets=[SECRET], now=time.time()).id == headers["webhook-id"]
    return [json.loads(body) for _, _, body in listener.seen]


def test_a_key_goes_over_tls_and_the_old_one_is_gone(dify: DifyServer, app: App, trusted: Path) -> None:
    old = app.api_keys[0]
    with listening(tls=trusted) as listener:
        row = renewed(dify, app, listener.url + PATH)
    assert (row.state, row.error) == ("done", "")
    (new,) = app.api_keys
    assert events(listener) == [
        {
            "event": "app_key.created",
            "app_id": app.id,
            "app_name": "legal",
            "key_id": new.id,
            "key": new.token,
            "old_key_ids": [old.id],
        }
    ]


def test_a_receiver_that_fails_once_is_told_again(dify: DifyServer, app: App, trusted: Path) -> None:
    with listening(503, 204, tls=trusted) as listener:
        row = renewed(dify, app, listener.url + PATH)
    assert (row.state, row.error) == ("done", "")
    first, second = events(listener)
    assert first == second
    assert listener.seen[0][1]["webhook-id"] == listener.seen[1][1]["webhook-id"]


@pytest.mark.parametrize(("status", "key"), [(400, "webhook_declined"), (401, "webhook_rejected"), (302, "redirected")])
def test_the_old_key_stays_where_the_receiver_declines(
    status: int, key: str, dify: DifyServer, app: App, trusted: Path
) -> None:
    with listening() as other, listening(status, headers={"Location": other.url}, tls=trusted) as listener:
        row = renewed(dify, app, listener.url + PATH)
    assert (row.state, row.new_key_id) == ("reverted", "")
    assert key in row.error
    assert [one.token for one in app.api_keys] == [app.key]
    assert (len(events(listener)), other.seen) == (1, [])


def test_a_receiver_that_may_have_taken_the_key_is_told_of(
    dify: DifyServer, app: App, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says nothing for longer than it is waited for."""
    monkeypatch.setattr(rotation.keys, "_DELIVERY_S", 0.5)
    with listening(tls=trusted) as listener:
        monkeypatch.setattr(listener, "finish_request", lambda *_: time.sleep(1))
        row = renewed(dify, app, listener.url + PATH)
    assert (row.state, row.error.split()[0]) == ("reverted", "[webhook_no_answer]")
    assert "Should the receiver have taken it all the same" in row.error
    assert [one.token for one in app.api_keys] == [app.key]


def test_a_receiver_that_nobody_vouches_for_gets_no_key(
    dify: DifyServer, app: App, certified: Callable[[str, int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable(monkeypatch)
    monkeypatch.setattr(rotation.keys, "_DELIVERY_S", 2.0)
    for certificate in (certified("localhost", 40), certified("other.example", 40)):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate if "other" in certificate.name else certified("x", 1)))
        with listening(tls=certificate) as listener:
            row = renewed(dify, app, listener.url + PATH)
        assert (row.state, listener.seen) == ("reverted", [])
        assert row.error.startswith("[webhook_no")
        assert [one.token for one in app.api_keys] == [app.key]


def test_an_address_inside_the_network_gets_no_key(dify: DifyServer, app: App, trusted: Path) -> None:
    """As it is without anything arranged."""
    with pytest.MonkeyPatch.context() as patch, listening(tls=trusted) as listener:
        patch.setattr(http, "reaches", http.reach.reaches)
        row = renewed(dify, app, listener.url + PATH)
    assert (row.state, row.error.split()[0], listener.seen) == ("reverted", "[address_refused]", [])
    assert [one.token for one in app.api_keys] == [app.key]


# An agent's model may overwrite what the builder has filled in


def test_a_model_cannot_have_a_key_sent_to_a_host_of_its_choice(
    dify: DifyServer, app: App, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(tls=trusted) as listener:
        with pytest.raises(Refused, match=r"^\[host_not_trusted\] localhost"):
            renewed(dify, app, listener.url + PATH, by_model=True)
        assert (listener.seen, dify.console.calls) == ([], [])
        monkeypatch.setenv("OPSKIT_TRUSTED_HOSTS", "localhost")
        assert renewed(dify, app, listener.url + PATH, by_model=True).state == "done"


def test_a_model_cannot_have_the_admin_key_sent_to_a_host_of_its_choice(dify: DifyServer, app: App) -> None:
    order: dict[str, Any] = {"phase": "create", "webhook_url": "", "base_url": "https://93.184.216.34"}
    with pytest.raises(Refused, match=r"^\[host_not_trusted\] 93\.184\.216\.34"):
        renewed(dify, app, "", by_model=True, **order)
    given = {"kind": "app_key", "app_ids": NOWHERE, "base_url": "https://93.184.216.34"}
    assert Order.model_validate(given).service(by_model=True).reach is http.Reach.PRIVATE


@pytest.mark.parametrize(
    ("url", "kind", "key"),
    [
        ("http://hooks.example", InvalidInput, "rotation_webhook_https"),
        ("HTTP://hooks.example", InvalidInput, "rotation_webhook_https"),
        ("https://a b", InvalidInput, "webhook_url"),
    ],
)
def test_a_webhook_that_cannot_be_used_is_said_before_anything_starts(
    url: str, kind: type[OpskitError], key: str, dify: DifyServer, app: App
) -> None:
    with pytest.raises(kind, match=rf"^\[{key}\]"):
        renewed(dify, app, url)
    assert dify.console.calls == []
