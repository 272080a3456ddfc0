"""Secrets of workflow apps renewed at a Dify on this machine."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from devtools.dify_server import App, DifyServer, Flow, simple_flow, variable
from opskit.dify.console import HIDDEN, Console, Export, Workflow
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError
from opskit.rotation import Order, Rotated, Rotations, rotate

OLD, NEW, OTHER = "fake-old-value-0123456789", "fake-new-value-0123456789", "fake-other-secret-0123"
UNFINISHED = "fake-unfinished-secret-0123"


@pytest.fixture
def app(dify: DifyServer) -> App:
    return dify.add(App("legal", draft=flow()))


def flow(mode: str = "workflow") -> Flow:
    held = [variable("KEY", OLD, secret=True), variable("OTHER", OTHER, secret=True), variable("N", 3)]
    return simple_flow("v1", held, mode=mode)


def unfinished(app: App) -> App:
    """Somebody is at work on the draft: a new text, and another secret."""
    assert app.draft is not None
    app.draft.graph["nodes"][1]["data"]["template"] = "v2"
    app.draft.environment[1]["value"] = UNFINISHED
    return app


def renewed(dify: DifyServer, *apps: App, pause: Callable[[float], None] = lambda _: None, **more: Any) -> Rotations:
    door = dify.console.door
    given: dict[str, Any] = {"kind": "secret", "app_ids": ",".join(app.id for app in apps)}
    given |= {"variable": "KEY", "new_value": NEW}
    given |= {"base_url": dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id}
    rotations = rotate(Order.model_validate(given | more), pause=pause)
    for text in (OLD, NEW, OTHER, UNFINISHED, *(app.key for app in apps)):
        assert text not in rotations.model_dump_json()
    return rotations


def one(rotations: Rotations) -> Rotated:
    (row,) = rotations.rotated
    return row


def probes(*apps: App) -> dict[str, Any]:
    return {"probe_keys": "\n".join(f"{app.id}={app.key}" for app in apps), "probe_inputs": '{"topic": "x"}'}


def held(app: App) -> list[tuple[Any, ...]]:
    """What the app serves, and what its draft is."""
    assert app.serving is not None
    assert app.draft is not None
    return [
        (json.dumps(one.graph), json.dumps(one.features), json.dumps(one.environment), json.dumps(one.conversation))
        for one in (app.serving, app.draft)
    ]


def with_new(kept: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [(graph, features, held.replace(OLD, NEW), rest) for graph, features, held, rest in kept]


def test_the_secret_is_new_and_all_else_as_it_was(dify: DifyServer, app: App) -> None:
    before = held(app)
    rotations = renewed(dify, app, **probes(app))
    assert one(rotations) == Rotated(
        app_id=app.id, name="legal", state="done", old_key_ids=[], new_key_id="", new_key_last4="", error=""
    )
    assert held(app) == with_new(before)
    assert [version.marked_name for version in app.versions] == ["", "OpsKit: new secret"]
    assert rotations.report == "- **legal**: KEY has the new value, and it is published."
    assert one(renewed(dify, app)).state == "done"
    assert len(app.versions) == 2  # it had it already


def test_a_draft_that_was_only_laid_out_anew_is_nobodys_work(dify: DifyServer, app: App) -> None:
    assert app.draft is not None
    app.draft.graph["nodes"][0]["position"] = {"x": 1, "y": 2}
    app.draft.graph["nodes"].append({"id": "strange"})
    app.publish()
    app.draft.graph["nodes"][1]["position"] = {"x": 1, "y": 2}
    row = one(renewed(dify, app))
    assert (row.state, row.error) == ("done", "")


def test_unfinished_work_is_left_alone(dify: DifyServer, app: App) -> None:
    before = held(unfinished(app))
    row = one(renewed(dify, app))
    assert row.state == "untouched"
    assert row.error.startswith("[rotation_dirty]")
    assert held(app) == before


def test_another_secret_in_the_draft_is_unfinished_work(dify: DifyServer, app: App) -> None:
    assert app.draft is not None
    app.draft.environment[1]["value"] = UNFINISHED
    assert one(renewed(dify, app)).error.startswith("[rotation_dirty]")


def test_unfinished_work_is_put_back_with_the_new_value(dify: DifyServer, app: App) -> None:
    before = held(unfinished(app))
    row = one(renewed(dify, app, dirty_draft="preserve", **probes(app)))
    assert (row.state, row.error) == ("done", "")
    assert held(app) == with_new(before)


def test_unfinished_work_is_back_before_the_probe_runs(dify: DifyServer) -> None:
    """A run may take minutes: until then it was held in memory alone, and lost with the process."""
    app, seen = unfinished(dify.add(App("legal", draft=flow()))), set[str]()

    def works(served: Flow) -> bool:
        assert app.draft is not None
        seen.add(str(app.draft.graph["nodes"][1]["data"]["template"]))
        return bool(served.value("KEY") == NEW)

    app.works = works
    assert one(renewed(dify, app, dirty_draft="preserve", **probes(app))).state == "done"
    assert seen == {"v2"}


@pytest.mark.parametrize("dirty", [False, True])
def test_a_probe_that_fails_leads_back(dify: DifyServer, dirty: bool) -> None:  # noqa: FBT001 - a case
    app = dify.add(App("legal", draft=flow(), works=lambda flow: flow.value("KEY") == OLD))
    before = held(unfinished(app) if dirty else app)
    rotations = renewed(dify, app, dirty_draft="preserve", **probes(app))
    row = one(rotations)
    assert row.state == "reverted"
    assert row.error.startswith("[dify_run_failed]")
    assert held(app) == before
    assert "Put back as it was: KEY has its old value." in rotations.report


def test_a_run_that_does_not_succeed_is_no_proof(dify: DifyServer, app: App) -> None:
    app.status = "stopped"
    row = one(renewed(dify, app, **probes(app)))
    assert row.state == "reverted"
    assert row.error.startswith("[app_probe]")


@pytest.mark.parametrize("wrong", ["another app's", "nobody's"])
def test_a_key_that_is_none_of_the_app_proves_nothing(dify: DifyServer, app: App, wrong: str) -> None:
    """A run of another app succeeded, and the new value was taken for proved."""
    other = dify.add(App("other", draft=flow()))
    before = held(app)
    key = other.key if wrong == "another app's" else "app-fake-key-of-nobody-0123"
    row = one(renewed(dify, app, probe_keys=f"{app.id}={key}", probe_inputs='{"topic": "x"}'))
    assert (row.state, row.error.split()[0]) == ("untouched", "[app_probe_key]")
    assert (held(app), len(app.versions)) == (before, 1)


def test_a_chatflow_is_asked_a_question(dify: DifyServer) -> None:
    app = dify.add(App("legal", "advanced-chat", draft=flow("advanced-chat")))
    row = one(renewed(dify, app, **probes(app)))
    assert (row.state, row.error) == ("done", "")
    assert dify.runs[-1].query == "ping"


def test_one_app_that_fails_leaves_the_others(dify: DifyServer, app: App) -> None:
    without = dify.add(App("without", draft=simple_flow("v1")))
    plain = dify.add(App("plain", draft=simple_flow("v1", [variable("KEY", OLD)])))
    new = dify.add(App("new", draft=flow(), published=False))
    rotations = renewed(dify, without, plain, new, app)
    assert [row.state for row in rotations.rotated] == ["untouched", "untouched", "untouched", "done"]
    assert [row.error.split("]")[0] for row in rotations.rotated] == [
        "[rotation_no_variable",
        "[rotation_not_secret",
        "[app_unpublished",
        "",
    ]


def test_without_the_plugin_daemon_nothing_is_touched(dify: DifyServer, app: App) -> None:
    dify.console.routes.daemon = False
    before = held(app)
    row = one(renewed(dify, app))
    assert row.state == "untouched"
    assert row.error.startswith("[console_daemon]")
    assert held(app) == before


@pytest.mark.parametrize("text", ["", "- [", "workflow:\n  environment_variables: 3", "workflow: {}"])
def test_an_export_that_tells_no_secrets_ends_it(
    dify: DifyServer, app: App, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Console, "export", lambda *_, **__: Export(text))
    row = one(renewed(dify, app))
    assert (row.state, row.error.split()[0]) == ("untouched", "[app_untold]")


@pytest.mark.parametrize(
    ("given", "kind", "key"),
    [
        ({"variable": ""}, InvalidInput, "missing_parameter"),
        ({"new_value": ""}, InvalidCredentials, "missing_secret"),
        ({"new_value": "{{#env.NEW#}}"}, InvalidCredentials, "unfilled_secret"),
        ({"new_value": HIDDEN}, InvalidCredentials, "rotation_masked"),
        ({"probe_inputs": '{"topic": "x"}'}, InvalidCredentials, "missing_secret"),
        ({"probe_keys": "{{#env.KEYS#}}"}, InvalidCredentials, "unfilled_secret"),
        ({"probe_keys": "app-fake-key"}, InvalidCredentials, "rotation_probe_keys"),
        ({"probe_keys": "legal=app-fake-key"}, InvalidInput, "rotation_probe_app"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_starts(
    dify: DifyServer, app: App, given: dict[str, Any], kind: type[OpskitError], key: str
) -> None:
    with pytest.raises(kind, match=key):
        renewed(dify, app, **given)
    assert dify.console.calls == []


def test_somebody_who_writes_in_between_is_not_overwritten(
    dify: DifyServer, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first look and the last one before the write."""
    real = Console.published

    def published(self: Console, app_id: str, ends: float) -> Workflow | None:
        assert app.draft is not None
        app.draft.environment[2]["value"] = 4
        return real(self, app_id, ends)

    monkeypatch.setattr(Console, "published", published)
    row = one(renewed(dify, app))
    assert (row.state, row.error.split()[0]) == ("untouched", "[app_moved]")


def test_somebody_who_writes_after_us_is_not_overwritten(
    dify: DifyServer, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published, somebody goes on with the draft, the probe fails: what serves is put back, their work stays."""
    before = held(app)
    app.works = lambda flow: flow.value("KEY") == OLD
    real = Console.publish

    def publish(self: Console, app_id: str, ends: float, **mark: str) -> Workflow:
        version = real(self, app_id, ends, **mark)
        unfinished(app)
        return version

    monkeypatch.setattr(Console, "publish", publish)
    row = one(renewed(dify, app, **probes(app)))
    assert row.state == "failed"
    assert "Its draft was somebody else's work by then" in row.error
    assert (held(app)[0], UNFINISHED in held(app)[1][2]) == (before[0], True)


def test_somebody_who_publishes_after_us_is_not_undone(
    dify: DifyServer, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Console.publish

    def publish(self: Console, app_id: str, ends: float, **mark: str) -> Workflow:
        real(self, app_id, ends, **mark)
        unfinished(app).publish()
        version = self.published(app_id, ends)
        assert version is not None
        return version

    monkeypatch.setattr(Console, "publish", publish)
    row = one(renewed(dify, app))
    assert (row.state, row.error.split()[0]) == ("failed", "[app_not_read_back]")
    assert "[app_moved]" in row.error


# Every call of the console goes wrong once

INSTEAD = ["500", "timeout", "reset", "409", "html"]
MISREAD = ["500", "timeout", "409", "cut"]  # of what only reads
AFTER = ["500_done", "timeout_done", "reset_done", "cut"]
WAYS = {
    "clean": {"apps": 1, "app": 1, "keys": 1, "draft": 2, "published": 2, "export": 3, "sync": 1, "publish": 1},
    "preserve": {"keys": 1, "draft": 3, "published": 2, "export": 3, "sync": 2, "publish": 1},
    "back": {"keys": 1, "draft": 6, "published": 4, "export": 4, "sync": 4, "publish": 2},
}
FAULTS = [
    (way, call, nth + 1, fault)
    for way, calls in WAYS.items()
    for call, most in calls.items()
    for nth in range(most)
    for fault in ([*INSTEAD, *AFTER] if call in {"sync", "publish"} else MISREAD)
]


@pytest.mark.parametrize("failing", FAULTS)
def test_a_call_that_fails_loses_nothing(
    dify: DifyServer, failing: tuple[str, str, int, str], impatient: Callable[[str], None]
) -> None:
    way, call, nth, fault = failing
    dirty, works = way != "clean", way != "back"
    impatient(fault)
    app = dify.add(App("legal", draft=flow(), works=lambda flow: works or flow.value("KEY") == OLD))
    before = held(unfinished(app) if dirty else app)
    dify.console.fail(call, fault, nth)
    try:
        row = one(renewed(dify, app, dirty_draft="preserve", **probes(app)))
    except OpskitError:
        assert call == "apps"
        assert held(app) == before
        return
    if row.state == "done":
        assert works
        assert row.error == ""
        assert held(app) == with_new(before)
    else:
        assert row.state in {"untouched", "reverted"}
        assert row.error
        assert held(app) == before


def _without_features(app: App) -> list[tuple[Any, ...]]:
    return [(graph, *rest) for graph, _, *rest in held(app)]


OLD_FEATURES: list[dict[str, Any]] = [
    {},
    {"file_upload": {"enabled": False}, "speech_to_text": None},
    {"text_to_speech": {"enabled": False, "voice": "fake", "language": "en"}, "opening_statement": None},
]


@pytest.mark.parametrize("mode", ["workflow", "advanced-chat"])
@pytest.mark.parametrize("dirty", [False, True])
@pytest.mark.parametrize("features", OLD_FEATURES)
def test_features_of_an_older_dify_are_no_change_of_somebody_elses(
    dify: DifyServer, mode: str, features: dict[str, Any], *, dirty: bool
) -> None:
    """Dify completes them when the draft is written, so it never reads back as it was sent."""
    app = dify.add(App("legal", mode=mode, draft=flow(mode), works=lambda flow: flow.value("KEY") == OLD))
    assert app.draft is not None
    assert app.serving is not None
    app.serving.features, app.draft.features = dict(features), dict(features)
    if dirty:
        unfinished(app)
    before = _without_features(app)
    row = one(renewed(dify, app, dirty_draft="preserve", **probes(app)))
    assert (row.state, _without_features(app)) == ("reverted", before)
    app.works = lambda _: True
    row = one(renewed(dify, app, dirty_draft="preserve", **probes(app)))
    assert (row.state, row.error) == ("done", "")
    assert app.serving.value("KEY") == app.draft.value("KEY") == NEW
