"""Workflow apps put back, at a Dify on this machine."""

import copy
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devtools.dify_server import CONSOLE_FAULTS, App, DifyServer, Flow, simple_flow, variable
from devtools.plugin_storage import Memory
from opskit import history, versions
from opskit.dify.console import Console
from opskit.dify.console.features import completed
from opskit.errors import Conflict, InvalidCredentials, InvalidInput, OpskitError, Refused, Unavailable
from opskit.history.shelf import Shelf
from opskit.rollback import Order, Rollback, roll_back, steps

KEY, TOKEN = "fake-current-value-0123456789", "app-fakeConstant0123456789abc"
NOWHERE = "0b0b0b0b-0000-4000-8000-00000000000b"


@pytest.fixture
def dify(dify: DifyServer) -> DifyServer:
    dify.console.routes.apps.clear()
    dify.console.routes.plugins = []
    return dify


@pytest.fixture
def storage() -> Memory:
    return Memory()


@pytest.fixture
def app(dify: DifyServer) -> App:
    """An app that has been published twice: v1, v2."""
    made = dify.add(App("legal", draft=simple_flow("v1", [variable("KEY", KEY, secret=True), variable("N", 3)])))
    reword(made, "v2")
    made.publish()
    return made


def draft_of(app: App) -> Flow:
    assert app.draft is not None
    return app.draft


def serving(app: App) -> Flow:
    assert app.serving is not None
    return app.serving


def words(flow: Flow) -> str:
    return str(node(flow, "words")["data"]["template"])


def node(flow: Flow, identity: str) -> dict[str, Any]:
    return next(one for one in flow.graph["nodes"] if one["id"] == identity)


def reword(app: App, text: str, **more: Any) -> None:
    """Change the words of the draft, and more in the same node."""
    draft = draft_of(app)
    draft.graph = copy.deepcopy(draft.graph)
    node(draft, "words")["data"] |= {"template": text, **more}


def access(dify: DifyServer) -> dict[str, Any]:
    door = dify.console.door
    return {"base_url": dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id}


def back(dify: DifyServer, storage: Memory, app: App, to: str = "", **more: Any) -> Rollback:
    given = {"app_id": app.id, "to": to, "language": "en_US", **access(dify), **more}
    outcome = roll_back(Order.model_validate(given), storage, pause=lambda _: None)
    text = outcome.model_dump_json()
    assert not any(one in text for one in (KEY, TOKEN, app.key, dify.console.door.admin_key))
    return outcome


def kept(dify: DifyServer, storage: Memory, app: App, **more: Any) -> str:
    """A snapshot, as what is gone back to."""
    order = versions.Order.model_validate({"app_ids": app.id, **access(dify), **more})
    return f"snapshot:{versions.take(order, storage)[0].snapshots[0].snapshot_id}"


def text_of(dify: DifyServer, storage: Memory, app: App, **more: Any) -> str:
    """The file of a snapshot."""
    order = versions.Order.model_validate({"app_ids": app.id, **access(dify), **more})
    return versions.take(order, storage)[1][0].content().decode()


def held(app: App) -> list[tuple[Any, ...]]:
    """What the app serves, and what its draft is, in all that can be written."""
    return [
        tuple(json.dumps(part, sort_keys=True) for part in (one.graph, one.features, one.environment, one.conversation))
        for one in (serving(app), draft_of(app))
    ]


def meant(flow: Flow) -> tuple[Any, ...]:
    """Without its layout and order."""
    nodes = sorted(json.dumps([one["id"], one["data"]], sort_keys=True) for one in flow.graph["nodes"])
    edges = sorted((one["source"], one["target"]) for one in flow.graph["edges"])
    return (
        nodes,
        edges,
        completed(flow.features, "advanced-chat"),
        sorted(json.dumps(one, sort_keys=True) for one in flow.environment),
    )


# Back to a version, a snapshot, a file


def test_an_app_is_put_back_to_a_version(dify: DifyServer, storage: Memory, app: App) -> None:
    first = app.versions[0]
    outcome = back(dify, storage, app, f" Version: {first.id.upper()}")
    assert (outcome.status, outcome.error) == ("restored", "")
    assert meant(serving(app)) == meant(draft_of(app)) == meant(first)
    assert serving(app).graph == first.graph  # in its own order, too
    assert [one.marked_name for one in app.versions] == ["", "", "OpsKit: rollback"]
    assert serving(app).marked_comment == f"to version:{first.id}; before: snapshot:{outcome.before_snapshot_id}"
    assert outcome.published_version_id == serving(app).id
    assert [(one.path, one.old, one.to) for one in outcome.changes] == [("/data/template", "v2", "v1")]
    assert f"**The app is back at `version:{first.id}`, and serves it.**" in outcome.report


def test_the_way_back_is_a_rollback(dify: DifyServer, storage: Memory, app: App) -> None:
    before = meant(serving(app))
    outcome = back(dify, storage, app, f"version:{app.versions[0].id}")
    again = back(dify, storage, app, f"snapshot:{outcome.before_snapshot_id}")
    assert again.status == "restored"
    assert meant(serving(app)) == meant(draft_of(app)) == before


@pytest.mark.parametrize("mode", ["workflow", "advanced-chat"])
@pytest.mark.parametrize("gone", [False, True])
def test_an_app_is_put_back_to_a_snapshot(
    dify: DifyServer,
    storage: Memory,
    mode: str,
    gone: bool,  # noqa: FBT001 - a case
) -> None:
    """Whether Dify still has the version that it was made of, or not."""
    talk = {"id": NOWHERE, "name": "turns", "value_type": "number", "value": 7, "description": ""}
    app = dify.add(App("legal", mode, draft=simple_flow("v1", [variable("KEY", KEY, secret=True)], mode=mode)))
    draft_of(app).conversation = [talk] if mode == "advanced-chat" else []
    app.publish()
    first, to = meant(serving(app)), kept(dify, storage, app)
    draft_of(app).conversation = []
    draft_of(app).features = {"opening_statement": "hi"}
    reword(app, "v2")
    app.publish()
    if gone:
        del app.versions[:2]
    outcome = back(dify, storage, app, to)
    assert (outcome.status, meant(serving(app))) == ("restored", first)
    assert serving(app).conversation == ([talk] if mode == "advanced-chat" else [])
    assert serving(app).value("KEY") == KEY


def test_an_app_is_put_back_to_a_file(dify: DifyServer, storage: Memory, app: App, tmp_path: Path, served: str) -> None:
    (tmp_path / "v2.yml").write_text(text_of(dify, storage, app), encoding="utf-8")
    second = meant(serving(app))
    reword(app, "v3")
    app.publish()
    outcome = back(dify, storage, app, file={"url": f"{served}/v2.yml", "filename": "v2.yml"})
    assert (outcome.status, meant(serving(app))) == ("restored", second)


def test_a_file_without_ids_takes_those_of_the_draft(
    dify: DifyServer, storage: Memory, app: App, tmp_path: Path, served: str
) -> None:
    """Dify finds the values of running conversations by them. A file from Windows is a file."""
    text = re.sub(r"(?m)^(  - .*\n(?:    .*\n)*?)    id: \S+\n", r"\1", text_of(dify, storage, app))
    assert text.count("\n    name: ") == 2
    assert "\n    id: " not in text.partition("environment_variables:")[2].partition("features:")[0]
    ids = [one["id"] for one in draft_of(app).environment]
    reword(app, "v3")
    app.publish()
    (tmp_path / "x.yml").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    file = {"url": f"{served}/x.yml"}
    assert [back(dify, storage, app, file=file).status for _ in range(2)] == ["restored", "unchanged"]
    assert (sorted(ids), words(serving(app))) == (sorted(one["id"] for one in draft_of(app).environment), "v2")


def test_a_draft_alone_is_put_back(dify: DifyServer, storage: Memory, app: App) -> None:
    reword(app, "unfinished")
    outcome = back(dify, storage, app, "published", publish=False)
    assert (outcome.status, words(draft_of(app)), len(app.versions)) == ("restored", "v2", 2)
    assert outcome.published_version_id == app.versions[-1].id
    assert "The draft is back at `published`. What the app serves has not changed." in outcome.report
    unfinished = back(dify, storage, app, f"snapshot:{outcome.before_snapshot_id}", publish=False)
    assert (unfinished.status, words(draft_of(app))) == ("restored", "unfinished")


def test_what_serves_and_an_unfinished_draft_are_both_kept(dify: DifyServer, storage: Memory, app: App) -> None:
    reword(app, "unfinished")
    outcome = back(dify, storage, app, f"version:{app.versions[0].id}")
    query = versions.Query.model_validate({"app_id": app.id, **access(dify)})
    snapshots = [row for row in versions.look(query, storage).timeline if row.kind == "snapshot"]
    assert len(snapshots) == 2
    assert {row.note for row in snapshots} == {f"before a rollback to version:{app.versions[0].id}"}
    assert all(f"`snapshot:{row.id}`" in outcome.report for row in snapshots)
    back(dify, storage, app, f"snapshot:{outcome.before_snapshot_id}")
    assert words(serving(app)) == "v2"


def test_the_draft_can_be_what_is_wanted(dify: DifyServer, storage: Memory, app: App) -> None:
    reword(app, "v3")
    outcome = back(dify, storage, app, "draft")
    assert (outcome.status, words(serving(app))) == ("restored", "v3")
    assert "sync" not in dify.console.calls


def test_nothing_is_done_where_nothing_differs(dify: DifyServer, storage: Memory, app: App) -> None:
    node(draft_of(app), "words")["position"] = {"x": 1, "y": 2}
    outcome = back(dify, storage, app, f"version:{app.versions[-1].id}")
    assert (outcome.status, outcome.before_snapshot_id, outcome.changes) == ("unchanged", "", [])
    assert (outcome.published_version_id, storage.values) == (app.versions[-1].id, {})
    assert not {"sync", "publish"} & set(dify.console.calls)


def test_a_dry_run_writes_nothing(dify: DifyServer, storage: Memory, app: App) -> None:
    before = held(app)
    outcome = back(dify, storage, app, f"version:{app.versions[0].id}", dry_run=True)
    assert (outcome.status, outcome.before_snapshot_id, len(outcome.changes)) == ("planned", "", 1)
    assert (held(app), storage.values) == (before, {})
    assert not {"sync", "publish"} & set(dify.console.calls)
    assert "Only a plan" in outcome.report


def test_name_icon_and_description_stay(dify: DifyServer, storage: Memory, app: App) -> None:
    to = kept(dify, storage, app)
    app.name, app.description = "renamed", "new"
    reword(app, "v3")
    app.publish()
    assert back(dify, storage, app, to).status == "restored"
    assert (app.name, app.description) == ("renamed", "new")


# Secrets


def test_secrets_keep_their_current_values(dify: DifyServer, storage: Memory, app: App) -> None:
    """By id, then by name; one that the draft does not have stays empty, and is a risk."""
    draft = draft_of(app)
    draft.environment = [
        variable("RENAMED", "fake-renamed-0123456", secret=True, identity=draft.environment[0]["id"]),
        variable("LOST", "fake-lost-0123456789", secret=True),
        variable("NAMED", "fake-old-0123456789", secret=True),
    ]
    app.publish()
    to = kept(dify, storage, app)
    named = variable("NAMED", "fake-new-0123456789", secret=True)
    draft.environment = [draft.environment[0] | {"name": "KEY", "value": "fake-newest-01234567"}, named]
    app.publish()
    outcome = back(dify, storage, app, to)
    assert outcome.status == "restored"
    for flow in (serving(app), draft):
        values = {one["name"]: one["value"] for one in flow.environment}
        assert values == {"RENAMED": "fake-newest-01234567", "NAMED": "fake-new-0123456789", "LOST": ""}
    assert next(one["id"] for one in draft.environment if one["name"] == "NAMED") == named["id"]
    assert [one.risk for one in outcome.changes if one.title == "LOST"] == ["secret_emptied"]
    assert "These secrets have no value, because the draft has none for them: LOST." in outcome.report
    assert "fake-" not in outcome.model_dump_json()


def test_a_leaked_value_does_not_come_back(dify: DifyServer, storage: Memory, app: App) -> None:
    app.versions[0].environment[0]["value"] = "fake-leaked-0123456"
    back(dify, storage, app, f"version:{app.versions[0].id}")
    assert serving(app).value("KEY") == KEY
    assert "restore" not in dify.console.calls


def test_secrets_that_only_the_draft_has_are_told(dify: DifyServer, storage: Memory, app: App) -> None:
    """They are in no snapshot: whoever still needs them learns that from a dry run."""
    to = f"version:{app.versions[0].id}"
    assert "Only the draft" not in back(dify, storage, app, to, dry_run=True).report
    reword(app, "v3", api_key=TOKEN)
    draft_of(app).environment.append(variable("MINE", "fake-mine-0123456789", secret=True))
    assert "Only the draft had these secrets" in back(dify, storage, app, to, dry_run=True).report
    assert "a snapshot never holds one: words /data/api\\_key, MINE." in back(dify, storage, app, to).report


def test_a_secret_in_a_node_is_filled_in_again(dify: DifyServer, storage: Memory, app: App) -> None:
    """From the draft, where it may be a newer one."""
    reword(app, "v1", api_key="app-fakeOldConstant0123456789", title="Call")
    app.publish()
    to = kept(dify, storage, app)
    reword(app, "v2", api_key=TOKEN)
    app.publish()
    outcome = back(dify, storage, app, to)
    assert (outcome.status, node(serving(app), "words")["data"]["api_key"]) == ("restored", TOKEN)
    assert "__OPSKIT" not in json.dumps([one.graph for one in (*app.versions, draft_of(app))])


def test_a_secret_in_a_node_is_taken_from_the_version_in_dify(dify: DifyServer, storage: Memory, app: App) -> None:
    reword(app, "v1", api_key=TOKEN)
    app.publish()
    to = kept(dify, storage, app)
    reword(app, "v2", api_key="")
    app.publish()
    back(dify, storage, app, to)
    assert node(serving(app), "words")["data"]["api_key"] == TOKEN


@pytest.mark.parametrize("listed", [False, True])
def test_a_draft_that_was_kept_finds_its_version(
    dify: DifyServer,
    storage: Memory,
    app: App,
    listed: bool,  # noqa: FBT001 - a case
) -> None:
    """By what it means; where Dify does not tell its versions, its secrets cannot be had."""
    reword(app, "v3", api_key=TOKEN)
    to = kept(dify, storage, app, source="draft")
    app.publish()
    reword(app, "v4", api_key="")
    app.publish()
    before = held(app)
    if listed:
        assert back(dify, storage, app, to).status == "restored"
        assert node(serving(app), "words")["data"]["api_key"] == TOKEN
    else:
        for nth in (1, 2):
            dify.console.fail("versions", "reset", nth)
        with pytest.raises(Refused, match=r"\[rollback_marks\].*words /data/api_key"):
            back(dify, storage, app, to)
        assert held(app) == before


def test_a_mark_is_never_written(dify: DifyServer, storage: Memory, app: App, tmp_path: Path, served: str) -> None:
    """Nor half of one, nor where no snapshot would put one."""
    text, before = text_of(dify, storage, app), held(app)
    for there, mark, place in (
        ("template: v2", "template: '[__OPSKIT_REDACTED:api_key:words'", "words /data/template"),
        ("id: start-words", "label: '[__OPSKIT_REDACTED:api_key:words:/data/api_key:0__]'", "/graph"),
    ):
        assert there in text
        (tmp_path / "x.yml").write_text(text.replace(there, mark), encoding="utf-8")
        with pytest.raises(Refused, match=rf"\[rollback_marks\].*: {place}\."):
            back(dify, storage, app, file={"url": f"{served}/x.yml"})
    assert held(app) == before


def test_a_mark_in_what_the_app_is_called_is_no_matter(dify: DifyServer, storage: Memory, app: App) -> None:
    app.description = f"Ask with {TOKEN}"
    reword(app, "v3")
    to = kept(dify, storage, app, source="draft")
    app.description = "new"
    reword(app, "v4")
    app.publish()
    assert back(dify, storage, app, to).status == "restored"
    assert (words(serving(app)), app.description) == ("v3", "new")


def test_what_belongs_to_the_workspace_is_found_again(dify: DifyServer, storage: Memory, app: App) -> None:
    reword(app, "v3", type="tool", credential_id="mine")
    to = kept(dify, storage, app, source="draft")
    reword(app, "v4", type="tool", credential_id="other")
    app.publish()
    back(dify, storage, app, to)
    assert node(serving(app), "words")["data"]["credential_id"] == "other"
    draft_of(app).graph["nodes"] = [one for one in draft_of(app).graph["nodes"] if one["id"] != "words"]
    app.publish()
    del app.versions[:-1]
    outcome = back(dify, storage, app, to)
    assert "credential_id" not in node(serving(app), "words")["data"]
    assert "The app no longer had these nodes: Words." in outcome.report


def test_knowledge_that_nobody_can_name_is_refused(
    dify: DifyServer, storage: Memory, app: App, tmp_path: Path, served: str
) -> None:
    reword(app, "v3", type="knowledge-retrieval", dataset_ids=["encrypted="])
    (tmp_path / "x.yml").write_text(text_of(dify, storage, app, source="draft"), encoding="utf-8")
    reword(app, "v4", type="template-transform", dataset_ids=[])
    before = held(app)
    with pytest.raises(Refused, match=r"\[rollback_datasets\].*: Words\."):
        back(dify, storage, app, file={"url": f"{served}/x.yml"})
    assert held(app) == before


def test_features_that_an_old_file_leaves_out_come_back_with_their_defaults(
    dify: DifyServer, storage: Memory, app: App, tmp_path: Path, served: str
) -> None:
    """Dify adds them, and writes the settings of images in its own way: that is no difference."""
    draft_of(app).features = {"file_upload": {"image": {"enabled": True}}, "speech_to_text": None}
    (tmp_path / "old.yml").write_text(text_of(dify, storage, app, source="draft"), encoding="utf-8")
    sync = Console.sync

    def filled(console: Console, *given: Any, **more: Any) -> Any:
        synced = sync(console, *given, **more)
        features = draft_of(app).features
        draft_of(app).features = features | {"file_upload": {"enabled": True}, "of_a_newer_dify": {"enabled": False}}
        return synced

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Console, "sync", filled)
        reword(app, "v3")
        app.publish()
        outcome = back(dify, storage, app, file={"url": f"{served}/old.yml"})
    assert (outcome.status, words(serving(app))) == ("restored", "v2")
    assert serving(app).features["text_to_speech"] == {"enabled": False, "voice": "", "language": ""}


# Checks


def test_what_cannot_be_meant_is_refused(dify: DifyServer, storage: Memory, app: App) -> None:
    file = {"url": "http://127.0.0.1:1/x.yml"}
    given: list[tuple[dict[str, Any], type[OpskitError], str]] = [
        ({}, InvalidInput, "missing_parameter"),
        ({"to": "yesterday"}, InvalidInput, "no_such_side"),
        ({"to": "file"}, InvalidInput, "missing_parameter"),
        ({"to": "file:"}, InvalidInput, "missing_parameter"),
        ({"to": "draft", "file": file}, InvalidInput, "rollback_two_aims"),
        ({"to": " Draft ", "file": file}, InvalidInput, "rollback_two_aims"),
        ({"to": "draft", "app_id": "x"}, InvalidInput, "rollback_app_id"),
        ({"to": "draft", "app_id": NOWHERE}, InvalidInput, "console_no_app"),
        ({"to": "draft", "probe_inputs": '{"a": 1}'}, InvalidCredentials, "missing_secret"),
        ({"to": "draft", "probe_key": "{{#env.KEY#}}"}, InvalidCredentials, "unfilled_secret"),
        ({"to": "draft", "probe_key": "app-fake1", "publish": "false"}, InvalidInput, "rollback_probe_draft"),
        ({"to": "draft", "probe_key": "app-fake1"}, InvalidCredentials, "app_probe_key"),
        ({"to": "snapshot:none"}, InvalidInput, "no_snapshot"),
        ({"to": f"version:{NOWHERE}"}, InvalidInput, "console_no_version"),
    ]
    before = held(app)
    for more, kind, key in given:
        with pytest.raises(kind, match=rf"\[{key}\]"):
            back(dify, storage, app, **more)
    assert (held(app), storage.values) == (before, {})


def test_an_app_without_a_workflow_has_nothing_to_go_back_to(dify: DifyServer, storage: Memory) -> None:
    with pytest.raises(InvalidInput, match=r"\[dsl_mode\]"):
        back(dify, storage, dify.add(App("talk", "chat")), "draft")


def test_an_app_that_serves_nothing_is_refused(dify: DifyServer, storage: Memory) -> None:
    app = dify.add(App("new", draft=simple_flow(), published=False))
    with pytest.raises(Refused, match=r"\[app_unpublished\]"):
        back(dify, storage, app, "draft")


def test_a_file_of_another_kind_app_or_dify_is_refused(
    dify: DifyServer, storage: Memory, app: App, tmp_path: Path, served: str
) -> None:
    ours = text_of(dify, storage, app)
    ids = ours.replace("words", "others").replace("last", "other_end")
    files = {
        "rollback_mode": ours.replace("mode: workflow", "mode: advanced-chat"),
        "rollback_newer": ours.replace("version: '0.6.0'", "version: '0.6.9'"),
        "rollback_other_app": ids.replace("name: legal", "name: Another"),
        "rollback_types": ours.replace("value_type: secret", "value_type: 'array[string]'"),
        "dsl_not_yaml": "{",
    }
    before, stored = held(app), dict(storage.values)
    for key, text in files.items():
        (tmp_path / "x.yml").write_text(text, encoding="utf-8")
        with pytest.raises(OpskitError, match=rf"\[{key}\]"):
            back(dify, storage, app, file={"url": f"{served}/x.yml"})
    assert (held(app), storage.values) == (before, stored)


def test_plugins_have_to_be_there(dify: DifyServer, storage: Memory, app: App) -> None:
    dify.console.routes.plugins = ["a/one:1.0.0@x"]
    reword(app, "v3", provider_id="a/one/one", model={"provider": "b/two/two", "name": "m"})
    app.publish()
    to = f"version:{serving(app).id}"
    reword(app, "v4", provider_id="", model={})
    app.publish()
    before = held(app)
    with pytest.raises(Refused, match=r"\[rollback_plugins\].*: b/two\."):
        back(dify, storage, app, to)
    dify.console.routes.daemon = False
    with pytest.raises(Unavailable, match=r"\[console_daemon\]"):
        back(dify, storage, app, to)
    assert held(app) == before
    dify.console.routes.daemon = True
    dify.console.routes.plugins += ["b/two:2.0.0@x"]
    assert back(dify, storage, app, to).status == "restored"


def test_without_the_values_of_secrets_there_is_no_way_back(dify: DifyServer, storage: Memory, app: App) -> None:
    dify.console.routes.daemon = False
    before = held(app)
    with pytest.raises(Unavailable, match=r"\[console_daemon\]"):
        back(dify, storage, app, f"version:{app.versions[0].id}")
    assert held(app) == before
    assert back(dify, storage, app, f"version:{app.versions[0].id}", dry_run=True).status == "planned"


# Probe, and the way back


def test_a_probe_proves_what_is_served(dify: DifyServer, storage: Memory, app: App) -> None:
    probed = {"probe_key": app.key, "probe_inputs": '{"topic": "x"}'}
    assert back(dify, storage, app, f"version:{app.versions[0].id}", **probed).status == "restored"
    assert dify.runs[-1].inputs == {"topic": "x"}


def test_a_probe_that_gets_no_answer_leads_back_in_time(
    dify: DifyServer, storage: Memory, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "_WORK_S", 2.0)
    app.fault, before = "hang", held(app)
    assert back(dify, storage, app, f"version:{app.versions[0].id}", probe_key=app.key).status == "reverted"
    assert held(app) == before


@pytest.mark.parametrize("dirty", [False, True])
def test_a_probe_that_fails_leads_back(
    dify: DifyServer,
    storage: Memory,
    dirty: bool,  # noqa: FBT001 - a case
) -> None:
    held_by = [variable("KEY", KEY, secret=True), variable("ONLY", "fake-only-0123456789", secret=True)]
    app = dify.add(App("legal", draft=simple_flow("v1"), works=lambda flow: "v1" not in json.dumps(flow.graph)))
    reword(app, "v2")
    draft_of(app).environment = held_by
    app.publish()
    if dirty:
        reword(app, "unfinished")
        draft_of(app).environment[0]["value"] = "fake-unfinished-0123"
    before, serves = held(app), serving(app).id
    outcome = back(dify, storage, app, f"version:{app.versions[0].id}", probe_key=app.key)
    assert (outcome.status, outcome.error.split()[0]) == ("reverted", "[dify_run_failed]")
    assert held(app) == before
    assert [one.marked_name for one in app.versions[-2:]] == ["OpsKit: rollback", "OpsKit: put back"]
    assert outcome.published_version_id == serving(app).id != serves
    assert outcome.before_snapshot_id in outcome.report
    assert "A step failed, so all is as it was" in outcome.report


def test_two_at_once_do_not_tread_on_each_other(dify: DifyServer, storage: Memory, app: App) -> None:
    other: list[OpskitError] = []

    def works(_: Flow) -> bool:
        with pytest.raises(Conflict, match=r"\[console_claimed\]") as refused:
            back(dify, storage, app, f"version:{app.versions[0].id}")
        other.append(refused.value)
        return True

    app.works = works
    to = f"version:{app.versions[0].id}"
    dify.console.latency_s = 0.01
    assert back(dify, storage, app, to, probe_key=app.key).status == "restored"
    dify.console.latency_s = 0.0
    assert len(other) == 1


def test_somebody_who_works_on_the_draft_is_not_overwritten(
    dify: DifyServer, storage: Memory, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the graph, which the hash covers, nor the environment, which it does not."""
    draft, real = Console.draft, draft_of(app)

    def elsewhere(change: Callable[[], None], nth: int) -> None:
        calls: list[str] = []

        def read(console: Console, app_id: str, ends: float) -> Any:
            calls.append(app_id)
            if len(calls) == nth:
                change()
            return draft(console, app_id, ends)

        monkeypatch.setattr(Console, "draft", read)

    to = f"version:{app.versions[0].id}"
    elsewhere(lambda: real.environment.append(variable("MINE", "x")), 3)
    with pytest.raises(Conflict, match=r"\[app_moved\]"):
        back(dify, storage, app, to)
    assert (words(real), real.value("MINE"), len(app.versions)) == ("v2", "x", 2)
    elsewhere(lambda: reword(app, "mine"), 3)
    with pytest.raises(Conflict, match=r"\[app_moved\]"):
        back(dify, storage, app, to)
    assert (words(draft_of(app)), len(app.versions)) == ("mine", 2)
    monkeypatch.setattr(Console, "draft", draft)
    dify.console.fail("sync", "409")
    with pytest.raises(Conflict, match=r"\[console_moved\]"):
        back(dify, storage, app, to)
    assert words(draft_of(app)) == "mine"


def test_somebody_who_begins_to_work_while_we_go_back_is_not_overwritten(
    dify: DifyServer, storage: Memory, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.works, draft = lambda flow: words(flow) != "v1", Console.draft
    calls: list[str] = []

    def read(console: Console, app_id: str, ends: float) -> Any:
        calls.append(app_id)
        if len(calls) == 6:
            reword(app, "mine")
        return draft(console, app_id, ends)

    monkeypatch.setattr(Console, "draft", read)
    with pytest.raises(Unavailable, match=r"\[dify_run_failed\].*could not be put back either \(\[app_moved\]\)"):
        back(dify, storage, app, f"version:{app.versions[0].id}", probe_key=app.key)
    assert words(draft_of(app)) == "mine"


def test_a_write_of_which_nothing_is_known_is_taken_back(
    dify: DifyServer, storage: Memory, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, before = Console.sync, held(app)
    done: list[Any] = []

    def lost(console: Console, *given: Any, **more: Any) -> Any:
        done.append(sync(console, *given, **more))
        if len(done) > 1:
            return done[-1]
        for nth in (1, 2):
            dify.console.fail("export", "500", nth)
        raise Unavailable("console_unsure", problem="-")

    monkeypatch.setattr(Console, "sync", lost)
    outcome = back(dify, storage, app, f"version:{app.versions[0].id}")
    assert (outcome.status, outcome.error.split()[0]) == ("reverted", "[console_unsure]")
    assert (held(app), len(app.versions)) == (before, 2)


def test_a_secret_that_was_lost_on_the_way_leads_back(
    dify: DifyServer, storage: Memory, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, before = Console.sync, held(app)
    done: list[Any] = []

    def lossy(console: Console, *given: Any, **more: Any) -> Any:
        synced = sync(console, *given, **more)
        if not done:
            draft_of(app).environment[0]["value"] = ""
        done.append(synced)
        return synced

    monkeypatch.setattr(Console, "sync", lossy)
    outcome = back(dify, storage, app, f"version:{app.versions[0].id}")
    assert (outcome.status, outcome.error.split()[0]) == ("reverted", "[rollback_not_read_back]")
    assert (held(app), len(app.versions)) == (before, 2)


def test_what_somebody_else_publishes_meanwhile_stays(
    dify: DifyServer, storage: Memory, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = Console.publish

    def elsewhere(console: Console, *given: Any, **more: Any) -> Any:
        publish(console, *given, **more)
        reword(app, "theirs")
        app.publish()
        return console.published(app.id, float("inf"))

    monkeypatch.setattr(Console, "publish", elsewhere)
    with pytest.raises(Conflict, match=r"\[app_not_read_back\].*\(\[app_moved\]\).*kept as snapshot:\w{12}\."):
        back(dify, storage, app, f"version:{app.versions[0].id}")
    assert (words(serving(app)), words(draft_of(app))) == ("theirs", "theirs")


def test_where_there_is_no_way_back_the_error_says_where_the_app_stands(
    dify: DifyServer, storage: Memory, app: App
) -> None:
    to = f"version:{app.versions[0].id}"
    dify.console.fail("publish", "500")
    for nth in range(3, 20):
        dify.console.fail("published", "500", nth)
        dify.console.fail("sync", "500", nth - 1)
    with pytest.raises(
        Unavailable, match=r"could not be put back either \(\[console_unsure\]\).*snapshot:(\w{12})\."
    ) as stuck:
        back(dify, storage, app, to)
    assert (words(serving(app)), words(draft_of(app))) == ("v2", "v1")
    dify.console.faults.forget()
    snapshot = str(stuck.value).rpartition("snapshot:")[2].rstrip(".")
    assert back(dify, storage, app, f"snapshot:{snapshot}", publish=False).status == "restored"
    assert words(draft_of(app)) == "v2"


def test_what_can_be_put_back_is_put_back_all_the_same(dify: DifyServer, storage: Memory) -> None:
    """The version that serves cannot; the draft, which is somebody's unfinished work, can."""
    app, to = unfinished(dify, storage, works=False)
    before = held(app)
    for nth in range(2, 6):
        dify.console.fail("publish", "500", nth)
    with pytest.raises(Unavailable, match=r"\[dify_run_failed\].*\(\[console_unsure\]\)") as stuck:
        back(dify, storage, app, to, probe_key=app.key)
    assert (words(serving(app)), held(app)[1]) == ("v1", before[1])
    shelf = Shelf(storage, app.id)
    named = [f"snapshot:{entry.snapshot_id}" for entry in shelf.entries() if entry.note]
    assert str(stuck.value).endswith(f"kept as {', '.join(named)}.")


def test_what_dify_makes_of_a_draft_is_ours(
    dify: DifyServer, storage: Memory, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It brings old features into their new form, so that they are never read back as they were written."""
    sync, before = Console.sync, held(app)

    def newer(console: Console, *given: Any, **more: Any) -> Any:
        synced = sync(console, *given, **more)
        if len(dify.console.calls) and dify.console.calls.count("sync") == 1:
            draft_of(app).features = {"file_upload": {"enabled": True}}
            return replace(synced, hash=draft_of(app).hash)
        return synced

    monkeypatch.setattr(Console, "sync", newer)
    outcome = back(dify, storage, app, f"version:{app.versions[0].id}")
    assert (outcome.status, outcome.error.split()[0]) == ("reverted", "[rollback_not_read_back]")
    assert held(app) == before


def test_a_variable_that_somebody_adds_meanwhile_is_not_overwritten(
    dify: DifyServer, storage: Memory, app: App
) -> None:
    """Not on the way back either: the hash of the draft does not tell of it. What serves is put back all the same."""

    def works(flow: Flow) -> bool:
        draft_of(app).environment.append(variable("MINE", "x"))
        return words(flow) != "v1"

    app.works, before = works, held(app)
    with pytest.raises(Unavailable, match=r"\[dify_run_failed\].*serves what it served before\..* was left as it is\."):
        back(dify, storage, app, f"version:{app.versions[0].id}", probe_key=app.key)
    assert (draft_of(app).value("MINE"), draft_of(app).value("KEY"), words(draft_of(app))) == ("x", KEY, "v1")
    assert held(app)[0] == before[0]


def test_what_somebody_writes_just_before_we_publish_does_not_serve(
    dify: DifyServer, storage: Memory, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is published as it stands: what serves is put back, and the draft stays theirs."""
    publish, before = Console.publish, held(app)

    def late(console: Console, *given: Any, **more: Any) -> Any:
        if len(app.versions) == 2:
            reword(app, "theirs")
        return publish(console, *given, **more)

    monkeypatch.setattr(Console, "publish", late)
    with pytest.raises(Conflict, match=r"\[app_not_read_back\].*serves what it served before\."):
        back(dify, storage, app, f"version:{app.versions[0].id}")
    assert (held(app)[0], words(draft_of(app)), len(app.versions)) == (before[0], "theirs", 4)


def test_no_error_quotes_what_a_run_said_of_a_secret(dify: DifyServer, storage: Memory, app: App) -> None:
    """A secret of the environment, and one in a node; in an outcome and in an error."""
    reword(app, "v2", api_key=TOKEN)
    app.publish()
    app.works, app.error = lambda flow: words(flow) != "v1", f"wrong key: {TOKEN}, {KEY}"
    to = f"version:{app.versions[0].id}"
    assert "wrong key: ***" in back(dify, storage, app, to, probe_key=app.key).error
    for nth in range(2, 6):
        dify.console.fail("publish", "500", nth)
    with pytest.raises(Unavailable, match=r"wrong key: \*\*\*, \*\*\*") as told:
        back(dify, storage, app, to, probe_key=app.key)
    assert not any(one in f"{told.value!s}{told.value.blanks}" for one in (KEY, TOKEN))


def test_nothing_is_written_that_cannot_be_kept_first(dify: DifyServer, storage: Memory, app: App) -> None:
    before, storage.down = held(app), True
    with pytest.raises(Unavailable, match=r"\[storage_unavailable\]"):
        back(dify, storage, app, f"version:{app.versions[0].id}")
    assert held(app) == before


# Faults


# Each call of a rollback that succeeds, and of one whose probe fails, and how often it is made then.
ONCE = dict.fromkeys(("apps", "app", "versions", "plugins", "keys"), 1)
CALLS = {
    "good": ONCE | {"draft": 4, "published": 3, "export": 5, "sync": 1, "publish": 1},
    "bad": ONCE | {"draft": 8, "published": 6, "export": 6, "sync": 3, "publish": 2},
}
FAULTS = [
    (way, call, nth + 1, fault)
    for way, calls in CALLS.items()
    for call, most in calls.items()
    for nth in range(most)
    for fault in CONSOLE_FAULTS
]


def unfinished(dify: DifyServer, storage: Memory, *, works: bool) -> tuple[App, str]:
    """An app with a draft that nobody has finished, and the snapshot of its second version."""
    app = dify.add(App("legal", draft=simple_flow("v1"), works=lambda flow: works or words(flow) != "v1"))
    dify.console.routes.plugins = ["b/two:2.0.0@x"]
    reword(app, "v1", provider_id="b/two/two")
    app.publish()
    to = kept(dify, storage, app)
    draft_of(app).environment = [variable("KEY", KEY, secret=True)]
    reword(app, "v2")
    app.publish()
    reword(app, "unfinished")
    dify.console.calls.clear()
    return app, to


@pytest.mark.parametrize("way", CALLS)
def test_every_call_of_a_rollback_is_made_to_fail(dify: DifyServer, storage: Memory, way: str) -> None:
    app, to = unfinished(dify, storage, works=way == "good")
    back(dify, storage, app, to, probe_key=app.key)
    assert Counter(dify.console.calls) == CALLS[way]


@pytest.mark.parametrize("failing", FAULTS, ids=lambda it: "-".join(map(str, it)))
def test_a_call_that_fails_loses_nothing(
    dify: DifyServer, storage: Memory, failing: tuple[str, str, int, str], impatient: Callable[[str], None]
) -> None:
    """The app is put back, or is as it was; and what is said of it is true."""
    way, call, nth, fault = failing
    works = way == "good"
    impatient(fault)
    app, to = unfinished(dify, storage, works=works)
    before, first = held(app), meant(app.versions[1])
    dify.console.fail(call, fault, nth)
    try:
        outcome = back(dify, storage, app, to, probe_key=app.key)
    except OpskitError:
        assert held(app) == before
        return
    if outcome.status == "restored":
        assert works
        assert meant(serving(app)) == meant(draft_of(app)) == first
        assert outcome.published_version_id == serving(app).id
    else:
        assert outcome.status == "reverted"
        assert held(app) == before
        assert outcome.published_version_id in {serving(app).id, ""}
        assert outcome.error
    assert outcome.before_snapshot_id
    saved = [history.read(text) for text in files_of(storage, app)]
    assert {node["data"].get("template") for one in saved for node in one.nodes if node["id"] == "words"} >= {
        "v2",
        "unfinished",
    }


def files_of(storage: Memory, app: App) -> list[str]:
    """All that is kept."""
    shelf = Shelf(storage, app.id)
    return [shelf.text(entry) for entry in shelf.entries()]
