"""Snapshots and histories of apps, against a Dify on this machine."""

import copy
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devtools.dify_server import CONSOLE_FAULTS, App, DifyServer, simple_flow, variable
from devtools.dify_server.flows import Flow
from devtools.plugin_storage import Memory
from opskit import history, versions
from opskit.dify.console import Console, Export
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, Refused, Unavailable
from opskit.history.shelf import Shelf
from opskit.versions import listing
from opskit.versions.sides import pair, side
from opskit.versions.taken import filename

SECRET = "fake-secret-value-0123456789"
NOWHERE = "0b0b0b0b-0000-4000-8000-00000000000b"


@pytest.fixture(scope="module")
def server() -> Iterator[DifyServer]:
    with DifyServer() as running:
        yield running


@pytest.fixture
def dify(server: DifyServer) -> DifyServer:
    server.console.routes.apps.clear()
    server.console.faults.forget()
    server.console.calls.clear()
    server.console.routes.daemon = True
    return server


@pytest.fixture
def storage() -> Memory:
    return Memory()


def legal(dify: DifyServer, text: str = "v1", name: str = "legal", **more: Any) -> App:
    return dify.add(App(name, draft=simple_flow(text, [variable("KEY", SECRET, secret=True)]), **more))


def access(dify: DifyServer) -> dict[str, Any]:
    door = dify.console.door
    return {"base_url": dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id}


def take(dify: DifyServer, storage: Memory, app_ids: str = "all", **more: Any) -> versions.Snapshots:
    return taken(dify, storage, app_ids, **more)[0]


def taken(
    dify: DifyServer, storage: Memory, app_ids: str = "all", **more: Any
) -> tuple[versions.Snapshots, dict[str, str]]:
    order = versions.Order.model_validate({"app_ids": app_ids, **access(dify), **more})
    result, files = versions.take(order, storage)
    return result, {file.filename: file.content().decode() for file in files}


def look(dify: DifyServer, storage: Memory, app: App, **more: Any) -> versions.History:
    query = versions.Query.model_validate({"app_id": app.id, **access(dify), **more})
    return versions.look(query, storage)


def publish(dify: DifyServer, app: App, text: str, name: str = "") -> None:
    """Change the words of the draft and publish it."""
    change(app, text)
    with Console.of(versions.Query.model_validate({"app_id": app.id, **access(dify)})) as console:
        console.publish(app.id, float("inf"), name=name)


def draft_of(app: App) -> Flow:
    assert app.draft is not None
    return app.draft


def change(app: App, text: str) -> None:
    draft = draft_of(app)
    draft.graph = copy.deepcopy(draft.graph)
    draft.graph["nodes"][1]["data"]["template"] = text


# Snapshots


def test_all_apps_are_kept_and_given_as_files(dify: DifyServer, storage: Memory) -> None:
    apps = [legal(dify, name=name) for name in ("legal", "市场 部", "../..")]
    result, files = taken(dify, storage, note="nightly")
    assert [one.app_id for one in result.snapshots] == [app.id for app in apps]
    assert (result.failed, {one.unchanged for one in result.snapshots}) == ([], {False})
    names = [f"{name}-{app.id[:8]}.yml" for name, app in zip(("legal", "市场_部", "app"), apps, strict=True)]
    assert list(files) == names == [filename(one) for one in result.snapshots]
    for one, text in zip(result.snapshots, files.values(), strict=True):
        assert history.canonical(history.read(text)).sha256 == one.sha256
        assert yaml.safe_load(text)["app"]["name"] == one.name
        moment = look(dify, storage, next(app for app in apps if app.id == one.app_id)).timeline
        assert {(row.kind, row.current, row.sha256) for row in moment} == {
            ("snapshot", True, one.sha256),
            ("version", True, one.sha256),
        }
        assert (moment[0].note, moment[0].by) == ("nightly", "Owner")
    assert "New snapshots: 3; unchanged: 0; failed: 0." in result.report


def test_what_has_not_changed_makes_no_new_snapshot_and_says_so(dify: DifyServer, storage: Memory) -> None:
    app = legal(dify)
    (first,) = take(dify, storage, app.id.upper()).snapshots
    draft_of(app).graph["nodes"][0]["position"]["x"] += 100
    publish(dify, app, "v1")
    again = take(dify, storage, f"{app.id}, {app.id}")
    assert again.snapshots == [first.model_copy(update={"unchanged": True})]
    assert "unchanged since snapshot" in again.report
    publish(dify, app, "v2")
    (second,) = take(dify, storage, app.id).snapshots
    assert (second.unchanged, second.sha256 == first.sha256) == (False, False)
    assert second.tag != first.tag


def test_a_tag_is_given_once(dify: DifyServer, storage: Memory) -> None:
    app = legal(dify)
    (first,) = take(dify, storage, app.id).snapshots
    (named,) = take(dify, storage, app.id, tag="v1").snapshots
    assert (named.snapshot_id, named.tag, named.unchanged) == (first.snapshot_id, "v1", True)
    other = take(dify, storage, app.id, tag="v2")
    assert other.snapshots == [named]
    assert "The tag v2 was not given to these" in other.report
    assert "was not given" not in take(dify, storage, app.id, tag="v1").report
    publish(dify, app, "v2")
    with pytest.raises(InvalidInput, match=r"^\[tag_taken\]"):
        take(dify, storage, app.id, tag="v1")
    assert take(dify, storage, app.id, tag="v2").snapshots[0].tag == "v2"


def test_the_draft_is_kept_beside_what_is_published(dify: DifyServer, storage: Memory) -> None:
    app = legal(dify)
    published, draft = (take(dify, storage, app.id, source=source).snapshots[0] for source in ("published", "draft"))
    assert (draft.sha256, draft.unchanged) == (published.sha256, False)
    change(app, "unfinished")
    assert not take(dify, storage, app.id, source="draft").snapshots[0].unchanged
    assert take(dify, storage, app.id).snapshots[0].unchanged


def test_only_the_newest_are_kept(dify: DifyServer, storage: Memory) -> None:
    app = legal(dify)
    for number in range(4):
        publish(dify, app, f"v{number}")
        take(dify, storage, app.id, keep=2, tag="first" if number == 0 else "")
    kept = [row.tag for row in look(dify, storage, app).timeline if row.kind == "snapshot"]
    assert (len(kept), "first" in kept) == (3, True)


def test_one_that_fails_is_told_and_the_others_are_kept(dify: DifyServer, storage: Memory) -> None:
    good, bad = legal(dify), legal(dify, name="unpublished", published=False)
    result = take(dify, storage, f"{good.id}, {bad.id}, {NOWHERE}, nothing")
    assert [one.app_id for one in result.snapshots] == [good.id]
    assert [(one.app_id, one.error.split()[0]) for one in result.failed] == [
        (bad.id, "[not_published]"),
        (NOWHERE, "[console_no_app]"),
        ("nothing", "[console_no_app]"),
    ]
    assert "No snapshot could be taken of:" in result.report
    assert take(dify, storage, f"{good.id}, {bad.id}", language="zh_Hans").failed[0].error.endswith("草稿。")


def test_of_all_apps_those_that_were_never_published_are_left_out(dify: DifyServer, storage: Memory) -> None:
    legal(dify, published=False)
    with pytest.raises(InvalidInput, match=r"^\[no_workflow_apps\]"):
        take(dify, storage)
    legal(dify)
    result = take(dify, storage)
    assert (len(result.snapshots), result.failed) == (1, [])
    assert "left out: 1." in result.report


def test_that_no_app_is_named_is_no_matter_of_the_workspace(dify: DifyServer, storage: Memory) -> None:
    with pytest.raises(InvalidInput, match=r"^\[missing_parameter\].*app_ids"):
        take(dify, storage, " , ")


def test_it_fails_where_every_app_does(dify: DifyServer, storage: Memory) -> None:
    with pytest.raises(InvalidInput, match=r"^\[console_no_app\]"):
        take(dify, storage, NOWHERE)
    with pytest.raises(InvalidInput, match=r"^\[snapshots_failed\].*nothing.*\[console_no_app\]"):
        take(dify, storage, f"{NOWHERE}, nothing")
    app = legal(dify)
    storage.down = True
    with pytest.raises(Unavailable, match=r"^\[snapshots_failed\].*\[storage_unavailable\]"):
        take(dify, storage, f"{app.id}, nothing")
    with pytest.raises(InvalidCredentials, match=r"^\[console_admin_key\]"):
        take(dify, storage, app.id, admin_key="fake-wrong-key")


def test_without_the_plugin_daemon_a_snapshot_is_assembled(dify: DifyServer, storage: Memory) -> None:
    app = legal(dify)
    (first,) = take(dify, storage, app.id).snapshots
    dify.console.routes.daemon = False
    result = take(dify, storage, app.id)
    assert result.snapshots == [first.model_copy(update={"unchanged": True})]
    assert "assembled from its parts" in result.report


def test_apps_are_asked_at_the_same_time(dify: DifyServer, storage: Memory) -> None:
    for number in range(8):
        legal(dify, name=f"app {number}")
    order = versions.Order.model_validate({"app_ids": "all", **access(dify)})
    meeting = threading.Barrier(8, timeout=20)

    def apart(work: Any) -> Any:
        meeting.wait()  # nobody goes on until all eight are here
        return work()

    assert len(versions.take(order, storage, apart=apart)[0].snapshots) == 8


KEYS = st.sampled_from(["app-", "sk-", "ghp_", "dataset-"])
LETTERS = st.text("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=24, max_size=40)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=KEYS, letters=LETTERS, chat=st.booleans(), source=st.sampled_from(["draft", "published"]))
def test_no_secret_is_kept_or_given(dify: DifyServer, kind: str, letters: str, chat: bool, source: str) -> None:  # noqa: FBT001
    """Of the environment, and of those that somebody wrote into a node."""
    dify.console.routes.apps.clear()
    storage, hidden, written = Memory(), f"hidden-{letters[::-1]}", kind + letters
    mode = "advanced-chat" if chat else "workflow"
    flow = simple_flow(f"Authorization: Bearer {written}", [variable("KEY", hidden, secret=True)], mode=mode)
    app = dify.add(App("legal", mode, draft=flow))
    result, files = taken(dify, storage, app.id, source=source)
    assert [one.node for one in result.snapshots[0].redacted] == ["words"]
    assert "secret environment variables" in result.report
    told = look(dify, storage, app, left=f"snapshot:{result.snapshots[0].tag}", right="draft")
    assert told.changes == []
    (text,) = files.values()
    shelf = Shelf(storage, app.id)
    kept = [shelf.text(entry) for entry in shelf.entries()]
    everything = [result.model_dump_json(), told.model_dump_json(), text, *kept, repr(storage.values)]
    door = dify.console.door
    for secret in (hidden, written, letters, door.admin_key):
        assert not any(secret in one for one in everything)


# History


def test_a_list_without_a_comparison(dify: DifyServer, storage: Memory) -> None:
    app = legal(dify)
    publish(dify, app, "v2", name="second")
    take(dify, storage, app.id, tag="kept", note="before | the change")
    told = look(dify, storage, app)
    assert [(row.kind, row.tag, row.current) for row in told.timeline if row.current] == [
        ("snapshot", "kept", True),
        ("version", "second", True),
    ]
    assert (len(told.timeline), told.changes, told.risks) == (3, [], [])
    assert told.summary == "Snapshots: 1; published versions: 2."
    assert "before \\| the change" in told.report
    assert "(current)" in told.report


def test_what_changed_is_told_from_left_to_right(dify: DifyServer, storage: Memory) -> None:
    app = legal(dify)
    take(dify, storage, app.id, tag="kept")
    publish(dify, app, "v2")
    change(app, "v3")
    first = next(row.id for row in look(dify, storage, app).timeline if row.kind == "version" and not row.current)
    served = next(row.id for row in look(dify, storage, app).timeline if row.kind == "version" and row.current)
    for left, right, old, new in [
        ("snapshot:kept", "", "v1", "v2"),
        ("", "snapshot: kept", "v2", "v1"),
        (f"version:{first}", "draft", "v1", "v3"),
        ("published", "draft", "v2", "v3"),
        ("draft", f"version:{served}", "v3", "v2"),
    ]:
        told = look(dify, storage, app, left=left, right=right)
        (found,) = told.variables()["changes"]
        assert (found["kind"], found["op"], found["id"], found["from"], found["to"]) == (
            *("node", "changed", "words"),
            *(old, new),
        )
        assert told.summary == "1 node changed"
        assert told.summary in told.report
    same = look(dify, storage, app, left="published", right=f"version:{served}")
    assert (same.summary, same.changes) == ("No changes.", [])


def test_a_file_is_compared(dify: DifyServer, storage: Memory, tmp_path: Path, served: str) -> None:
    app = legal(dify)
    _, files = taken(dify, storage, app.id)
    (text,) = files.values()
    (tmp_path / "old.yml").write_text(text.replace("v1", "v0"), encoding="utf-8")
    file = {"url": f"{served}/old.yml", "filename": "old.yml"}
    for sides, pair_ in [({"left": "file"}, ("v0", "v1")), ({}, ("v1", "v0")), ({"left": "draft"}, ("v1", "v0"))]:
        told = look(dify, storage, app, file=file, **sides)
        assert [(one.old, one.to) for one in told.changes] == [pair_]
    (tmp_path / "old.yml").write_text("no: dsl", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"^\[dsl_not_an_app\]"):
        look(dify, storage, app, file=file)


def test_a_secret_that_is_gone_is_a_risk(dify: DifyServer, storage: Memory) -> None:
    app = legal(dify)
    draft_of(app).environment.clear()
    told = look(dify, storage, app, left="published", right="draft")
    assert "secret_missing" in {risk.code for risk in told.risks} | {change.risk for change in told.changes}
    assert SECRET not in told.report


def test_a_secret_that_was_emptied_is_a_risk(dify: DifyServer, storage: Memory) -> None:
    """As by an import of a DSL without secrets. The console masks an empty secret as all others are."""
    app = legal(dify)
    draft_of(app).environment[0]["value"] = ""
    sides = {"left": "published", "right": "draft"}
    told = look(dify, storage, app, **sides)
    assert [(change.kind, change.old, change.to, change.risk) for change in told.changes] == [
        ("secret", "***", "", "secret_emptied")
    ]
    assert "The secret in KEY is empty." in told.report
    assert SECRET not in told.model_dump_json()
    dify.console.fail("export", "409", 2)  # of what serves the values are not told, and nothing is guessed
    assert [change.risk for change in look(dify, storage, app, **sides).changes] == ["secret_emptied"]
    dify.console.fail("export", "409", 4)  # nor of the draft
    assert look(dify, storage, app, **sides).changes == []


def test_a_list_and_a_snapshot_do_not_ask_for_values(
    dify: DifyServer, storage: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, asked = legal(dify), []
    real = Console.export

    def export(self: Console, *given: Any, **more: Any) -> Export:
        asked.append(more.get("include_secret", False))
        return real(self, *given, **more)

    monkeypatch.setattr(Console, "export", export)
    take(dify, storage, app.id)
    look(dify, storage, app)
    assert asked == [False, False]
    look(dify, storage, app, left="draft")
    assert asked[2:] == [False, True] * 2


def refused(key: str, kind: type[OpskitError], dify: DifyServer, app: App, **more: Any) -> None:
    with pytest.raises(kind, match=rf"^\[{key}\]"):
        look(dify, Memory(), app, **more)


def test_what_cannot_be_compared_is_refused(dify: DifyServer) -> None:
    app, bare = legal(dify), legal(dify, published=False)
    chat = dify.add(App("chat", "chat"))
    dify.console.add(chat)
    for text in ("snapshots", "snapshot:", "draft:1", "version", ":", "v1"):
        refused("no_such_side", InvalidInput, dify, app, left=text)
    refused("no_side_file", InvalidInput, dify, app, right="file")
    refused("no_snapshot", InvalidInput, dify, app, left="snapshot:none")
    refused("console_no_version", InvalidInput, dify, app, left=f"version:{NOWHERE}")
    refused("not_published", InvalidInput, dify, bare, left="draft")
    refused("dsl_mode", InvalidInput, dify, chat)
    assert look(dify, Memory(), bare).summary == "Snapshots: 0; published versions: 0."
    assert str(side("version: 1", "left")) == "version:1"
    assert pair("", "", None) is None


def test_a_version_that_cannot_be_read_has_no_hash(dify: DifyServer, storage: Memory) -> None:
    app = legal(dify)
    publish(dify, app, "v2")
    oldest = min(app.versions, key=lambda flow: flow.version)
    oldest.graph = {"nodes": "none"}
    told = look(dify, storage, app)
    assert sorted(bool(row.sha256) for row in told.timeline) == [False, True]


def test_older_versions_are_said_to_be_there(
    dify: DifyServer, storage: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST", 1)
    app = legal(dify)
    for number in range(2, 5):
        publish(dify, app, f"v{number}")
    told = look(dify, storage, app)
    assert len(told.timeline) == 1
    assert "older versions than the newest 1" in told.report


def test_a_server_that_does_not_list_its_versions(dify: DifyServer, storage: Memory) -> None:
    app = legal(dify)
    publish(dify, app, "v2")
    for nth in range(1, 10):
        dify.console.fail("versions", "500", nth)
    told = look(dify, storage, app)
    assert [row.current for row in told.timeline] == [True]
    assert "does not list its published versions" in told.report
    refused("console_old_version", Refused, dify, app, left=f"version:{NOWHERE}")


# Faults


@pytest.mark.parametrize("fault", CONSOLE_FAULTS)
@pytest.mark.parametrize("call", ["apps", "published", "export", "app", "versions"])
def test_a_console_call_that_fails_loses_nothing(
    call: str, fault: str, dify: DifyServer, storage: Memory, impatient: Callable[[str], None]
) -> None:
    """Once it is asked again; twice it is said, and what was kept stays as it was."""
    impatient(fault)
    app, other = legal(dify), legal(dify, name="other")
    take(dify, storage, tag="before")
    publish(dify, app, "v2")
    publish(dify, other, "v2")
    problems: set[str] = set()
    for times in (1, 2):
        before = dict(storage.values)
        for nth in range(1, times + 1):
            dify.console.fail(call, fault, nth)
        try:
            assert len(take(dify, storage).snapshots) >= 1
            look(dify, storage, app, left="snapshot:before")
        except OpskitError as error:
            problems.add(error.key)
        dify.console.faults.forget()
        assert storage.values.keys() >= before.keys()
        for one in (app, other):
            shelf = Shelf(storage, one.id)
            assert all(map(shelf.text, shelf.entries()))
    assert all(one.unchanged or one.tag != "before" for one in take(dify, storage).snapshots)
    assert [row.kind for row in look(dify, storage, app).timeline].count("snapshot") == 2
    assert problems <= {"no_answer", "not_reached", "dify_down", "not_dify", "console_moved", "snapshots_failed"}
    assert app.serving is not None
    assert app.serving.graph["nodes"][1]["data"]["template"] == "v2"


# Whether a secret is empty is not known then, and nothing is guessed.
SILENT = {("export", 4), ("export", 6)}


@pytest.mark.parametrize("fault", CONSOLE_FAULTS)
def test_each_call_of_the_console_fails_once(
    fault: str, dify: DifyServer, storage: Memory, impatient: Callable[[str], None]
) -> None:
    """Of a snapshot of two apps and of a comparison with the draft: it is told, or nobody notices."""
    apps = [legal(dify), legal(dify, name="other")]
    take(dify, storage, tag="before")
    for app in apps:
        change(app, "v2")
    dify.console.calls.clear()

    def work() -> list[str]:
        """The errors that are told."""
        told: list[str] = []
        try:
            told += [one.error for one in take(dify, storage, source="draft").failed]
            assert look(dify, storage, apps[0], left="snapshot:before", right="draft").summary == "1 node changed"
        except OpskitError as error:
            told.append(str(error))
        return told

    assert work() == []
    calls = Counter(dify.console.calls)
    assert calls == {"apps": 2, "draft": 3, "export": 6, "app": 1, "published": 1, "versions": 1}
    kept = {key: value for key, value in storage.values.items() if not key.endswith(".index")}
    impatient(fault)
    for call, most in calls.items():
        for nth in range(1, most + 1):
            dify.console.fail(call, fault, nth)
            told = work()
            dify.console.faults.forget()
            assert len(told) == (fault == "409" and (call, nth) not in SILENT)
            assert all(error.startswith("[console_moved]") for error in told)
    assert kept.items() <= storage.values.items()
    assert [app.serving.graph["nodes"][1]["data"]["template"] for app in apps if app.serving] == ["v1", "v1"]
