"""The canonical form of a DSL: read with distrust, the same for the same meaning, and read again by everybody."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devtools.sample_workflow import document, edge, node, text, variable
from opskit import history
from opskit.errors import InvalidInput
from opskit.history import dsl as dsls
from opskit.history import reading
from opskit.history.writing import written

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples" / "workflows").glob("*.yml"))


def canonical(source: str | dict[str, Any]) -> history.Canonical:
    return history.canonical(history.read(source if isinstance(source, str) else yaml.safe_dump(source)))


def refused(source: str | bytes, key: str) -> str:
    with pytest.raises(InvalidInput, match=rf"^\[{key}\]") as caught:
        history.read(source)
    return str(caught.value)


# Reading


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_canonical_after_one_pass_and_mean_the_same(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    made = canonical(source)
    assert not made.redacted
    again = canonical(made.text)
    assert (again.text, again.sha256) == (made.text, made.sha256)
    document_, now = yaml.safe_load(source), yaml.safe_load(made.text)
    assert now["app"] == document_["app"]
    nodes = {entry["id"]: entry for entry in document_["workflow"]["graph"]["nodes"]}
    assert {entry["id"]: entry for entry in now["workflow"]["graph"]["nodes"]} == nodes
    assert now["workflow"]["features"] == document_["workflow"]["features"]


@pytest.mark.parametrize(
    ("version", "meant"),
    [("0.1.0", "0.1.0"), ("0.6.0", "0.6.0"), ("0.3", "0.3.0"), (0.6, "0.6.0"), (None, "0.1.0"), ("0.1.5", "0.1.5")],
)
def test_versions_are_written_as_dify_wants_them(version: object, meant: str) -> None:
    made = canonical(text(version=version))
    assert made.dsl.version == meant
    assert f"\nversion: '{meant}'\n" in made.text


@pytest.mark.parametrize("version", ["0.7.0", "1.0.0", "0.0.9", "new", 2, "0.6.0-beta"])
def test_other_versions_are_refused_and_say_what_to_do(version: object) -> None:
    assert "Update OpsKit" in refused(text(version=version), "dsl_version")


def test_what_is_no_workflow_is_refused() -> None:
    assert "workflow, advanced-chat" in refused(text(mode="agent-chat"), "dsl_mode")
    refused(text(kind="rag_pipeline"), "dsl_not_an_app")
    for source in ("", "[]", "a: b", b"\xff\xfe"):
        refused(source, "dsl_not_an_app")
    assert canonical(text(mode="advanced-chat")).dsl.mode == "advanced-chat"


def test_a_dsl_without_a_kind_and_with_a_byte_order_mark_is_read_as_dify_reads_it() -> None:
    source = document()
    del source["kind"]
    assert history.read(b"\xef\xbb\xbf" + yaml.safe_dump(source).encode()).mode == "workflow"


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("dependencies",), {"a": 1}, "dependencies"),
        (("dependencies",), ["a"], "dependencies"),
        (("workflow",), None, "workflow"),
        (("workflow", "features"), ["a"], "workflow.features"),
        (("workflow", "graph"), None, "workflow.graph"),
        (("workflow", "graph", "nodes"), {"a": 1}, "workflow.graph.nodes"),
        (("workflow", "graph", "nodes"), [{"id": 7, "data": {}}], "workflow.graph.nodes"),
        (("workflow", "graph", "nodes"), [node("a", "llm"), node("a", "llm")], "workflow.graph.nodes: id"),
        (("workflow", "graph", "edges"), {"a": 1}, "workflow.graph.edges"),
        (("workflow", "graph", "edges"), [{"source": "a"}], "workflow.graph.edges"),
        (("workflow", "environment_variables"), {"a": 1}, "workflow.environment_variables"),
        (("workflow", "conversation_variables"), [{"id": "a"}], "workflow.conversation_variables"),
        (
            ("workflow", "environment_variables"),
            [variable("A"), variable("A") | {"id": "b"}],
            "workflow.environment_variables: name",
        ),
        (("workflow", "features"), {"a": float("inf")}, "inf"),
        (("workflow", "features"), {"k" * 501: 1}, "kkkkkkkkkkkkkkkkkkkk…"),
    ],
)
def test_a_broken_dsl_is_refused_with_the_place(path: tuple[str, ...], value: object, place: str) -> None:
    source: Any = document()
    at = source
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    assert f"at {place}." in refused(yaml.safe_dump(source), "dsl_broken")


# Each line is nine times the one before it.
BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("a: [", "(line "),
        ("a: !!python/object:os.system x", "tags"),
        ("a: !!binary aGk=", "tags"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "merge"),
        ("a: *x", "alias"),
        ("a: &x [*x]", "alias"),
        ("? [a]\n: b", "a key that is a list"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("a: \x07", "control"),
        ("a: " + "1" * 5000, "too long"),
        ("a: " + "[" * 200 + "]" * 200, "levels"),
        (BOMB, "too many values"),
    ],
)
@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
def test_yaml_is_read_with_distrust(source: str, problem: str, loader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_LOADER", loader)
    said = refused(source, "dsl_not_yaml")
    assert problem in said or problem == "control"


def test_an_error_of_yaml_does_not_quote_the_line() -> None:
    assert "fake-token" not in refused('token: "fake-token-0123456789abcdef\n  : [', "dsl_not_yaml")


def test_a_value_too_many_is_refused_wherever_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MAX_VALUES", 5)
    refused("[1, 2, 3, 4, 5, 6]", "dsl_not_yaml")


def test_an_alias_is_read_as_what_it_stands_for() -> None:
    assert reading.parsed("a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}


def test_a_dsl_that_dify_would_not_import_for_its_size_is_refused() -> None:
    assert "10 MB" in refused("#" * (10 * 1024 * 1024 + 1), "dsl_too_large")
    refused("#" + "数" * (4 * 1024 * 1024), "dsl_too_large")


PLAIN = "a: {}\nb: ~\nc: no\nd: 010\ne: 1:30\nf: 0x1F\ng: 1_000\nh: 1.5e+3\ni: -.5\nj: '1'\nk: true\n"


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
def test_scalars_are_what_dify_takes_them_for_and_dates_stay_texts(
    loader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_LOADER", loader)
    assert reading.parsed(PLAIN) == yaml.safe_load(PLAIN)
    assert reading.parsed("a: =") == {"a": "="}
    assert reading.parsed("a: 2026-03-01\nb: 2026-03-01 10:00:00\n") == {"a": "2026-03-01", "b": "2026-03-01 10:00:00"}
    made = canonical(text(features={"opening_statement": "2026-03-01"}))
    assert yaml.safe_load(made.text)["workflow"]["features"]["opening_statement"] == "2026-03-01"


def test_json_values_are_one_spelling() -> None:
    assert dsls.plain({True: 1.0, None: (1e300, 0.5), 3: "\ud83d\ude00", "x": "\ud83d"}) == {
        "3": "😀",
        "null": [1e300, 0.5],
        "true": 1,
        "x": "�",
    }
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    for odd in (object(), deep):
        with pytest.raises(InvalidInput, match="dsl_broken"):
            dsls.plain(odd)


# Meaning and layout

GRAPH = ([node("a", "start"), node("b", "llm", x=400)], [edge("a", "b")])


def test_moving_is_no_change_of_meaning_but_of_the_text() -> None:
    before, after = canonical(text(*GRAPH)), document(*GRAPH)
    moved = copy.deepcopy(after)
    graph = moved["workflow"]["graph"]
    graph["viewport"] = {"x": 9, "y": 9, "zoom": 2}
    graph["nodes"][0] |= {"position": {"x": 1, "y": 2}, "selected": True, "zIndex": 3, "dragging": True, "_state": 1}
    graph["nodes"][0]["data"] |= {"selected": True, "width": 9, "_running": True}
    graph["edges"][0] |= {"id": "other", "zIndex": 9, "selected": True, "data": {"sourceType": "llm"}}
    assert canonical(moved).sha256 == before.sha256
    assert canonical(moved).text != before.text
    assert not history.compare(before, canonical(moved)).changes


def test_what_is_called_otherwise_in_app_and_file_is_not_in_the_hash() -> None:
    other = document(*GRAPH, version="0.4.0", dependencies=[{"type": "marketplace", "value": {}}])
    other["app"] |= {"name": "other", "icon": "x"}
    assert canonical(other).sha256 == canonical(text(*GRAPH)).sha256


def test_a_note_means_what_it_says_and_not_how_it_looks() -> None:
    note = node("n", "") | {"type": "custom-note"}
    note["data"] |= {"text": "why", "theme": "blue", "showAuthor": True}
    other = copy.deepcopy(note)
    other["data"]["theme"] = "red"
    assert canonical(text([note])).sha256 == canonical(text([other])).sha256
    other["data"]["text"] = "because"
    assert canonical(text([note])).sha256 != canonical(text([other])).sha256


def test_order_and_names_of_editors_make_no_difference() -> None:
    nodes, edges = [node("a", "start"), node("b", "llm"), node("c", "end")], [edge("a", "b"), edge("b", "c")]
    variables = [variable("X", "1"), variable("Y", "2")]
    one = canonical(text(nodes, edges, environment_variables=variables))
    told = [entry | {"selector": ["env", entry["name"]]} for entry in reversed(variables)]
    other = document(nodes[::-1], edges[::-1], environment_variables=told, rag_pipeline_variables=[])
    assert canonical(json.dumps(other, ensure_ascii=False)).text == one.text


def test_children_stand_after_the_iteration_that_they_are_in() -> None:
    children = [node("a", "llm") | {"parentId": "z"}, node("b", "llm") | {"parentId": "lost"}]
    circle = [node("p", "loop") | {"parentId": "q"}, node("q", "loop") | {"parentId": "p"}]
    made = canonical(text([*children, node("z", "iteration"), *circle]))
    assert [entry["id"] for entry in made.dsl.nodes] == ["b", "q", "p", "z", "a"]


def test_an_edge_without_handles_joins_as_one_with_them_and_unknown_data_counts() -> None:
    bare = {"source": "a", "target": "b"}
    assert canonical(text(GRAPH[0], [bare])).sha256 == canonical(text(*GRAPH)).sha256
    for data in ({"weight": 2}, "odd"):
        odd = edge("a", "b") | {"data": data}
        assert canonical(text(GRAPH[0], [odd])).sha256 != canonical(text(*GRAPH)).sha256


def test_what_a_graph_holds_beyond_nodes_and_edges_counts() -> None:
    source = document(*GRAPH)
    source["workflow"]["graph"]["mystery"] = 1
    made, before = canonical(source), canonical(text(*GRAPH))
    assert made.sha256 != before.sha256
    (change,) = history.compare(before, made).changes
    assert (change.kind, change.op, change.path) == ("feature", "added", "/graph")


# From the console


def test_a_draft_and_its_export_are_the_same() -> None:
    variables = [variable("TOKEN", "", kind="secret"), variable("URL", "https://a.example")]
    draft = document(*GRAPH, environment_variables=variables)["workflow"]
    draft["environment_variables"][1]["value"] = "https://a.example"
    draft["environment_variables"][0]["value"] = "*" * 20
    draft |= {"hash": "x", "created_at": 1, "marked_name": "m", "version": "draft"}
    told = history.assemble({"id": "1", "name": "样例", "mode": "workflow", "icon": "🛡️"}, draft, version="0.6.0")
    exported = history.read(text(*GRAPH, environment_variables=[variable("TOKEN", kind="secret"), variables[1]]))
    assert history.canonical(told).sha256 == history.canonical(exported).sha256
    assert told.dependencies is None
    assert (told.secrets, exported.secrets) == ({"id-TOKEN": True}, {"id-TOKEN": None})
    with pytest.raises(InvalidInput, match="dsl_not_an_app"):
        dsls._dsl("0.6.0", None, {}, None, told=True)  # noqa: SLF001


@pytest.mark.parametrize(("kind", "value"), [("integer", 3), ("float", 4.0), ("float", 4.5)])
def test_a_number_is_a_number(kind: str, value: float) -> None:
    """An export names its kind, the console does not, and would not take 4 for a float."""
    read = [history.read(text(conversation_variables=[variable("N", value, kind=name)])) for name in (kind, "number")]
    assert read[0].variables("conversation_variables")[0]["value_type"] == "number"
    assert history.canonical(read[0]).sha256 == history.canonical(read[1]).sha256


def test_nothing_secret_shows_in_a_repr() -> None:
    source = history.read(text([node("h", "llm", api_key="fake-token-0123456789abcdef")]))
    assert repr(source) == "Dsl(version='0.6.0', mode='workflow', nodes=1, edges=0)"
    assert source.name == "样例"
    assert "fake" not in repr(history.canonical(source))
    assert repr(history.canonical(source)).startswith("Canonical(")


# Writing

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]))
    | st.text(alphabet=" \t\n:#-'\"|>a1数🛡️\u2028\x85\ufeff\x00")
    | st.sampled_from(["yes", "No", "null", "~", "1", "1e3", "0x1", "2026-03-01", "a: b", "- a", "", "=", "<<", "é"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


@settings(deadline=None)  # other processes share the machine
@given(st.dictionaries(st.text(max_size=8), values) | st.lists(values, min_size=1))
@example({"a": "x\n  \n"})
@example({"a": ["  x\ny\n\n", "\n\nx", {"b": "\tx\ny"}, [["x\n", {}]], [{"c": []}]]})
@example({"a": [{"x": 1, "y": 2}, [], {}, {"z": [1, {"w": "a\nb "}]}]})
@example({"long": ["x" * 60, "y" * 60], "n": 1e20, "m": -1.5e-7})
def test_what_is_written_is_read_back_by_every_parser(value: Any) -> None:
    source = written(value) if value else "{}\n"
    assert reading.parsed(source) == (value or {})
    assert yaml.safe_load(source) == (value or {})
    assert yaml.load(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) == (value or {})  # noqa: S506 - safe


def test_a_person_can_read_it() -> None:
    prompt = "  第一行 🛡️ \n\n- “引号”: 'a'\n"
    made = written({"text": prompt, "selector": ["start", "message"], "at": {"x": 1, "y": 2.5}, "code": "a\nb"})
    assert made == (
        "text: |2\n    第一行 🛡️ \n\n  - “引号”: 'a'\nselector: [start, message]\nat: {x: 1, y: 2.5}\n"
        "code: |-\n  a\n  b\n"
    )


# Laws

names = st.sampled_from(["a", "b", "c", "d"])
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text(alphabet="ab 数\n", max_size=5)
datas = st.dictionaries(
    st.sampled_from(["prompt", "model", "outputs", "x"]),
    scalars
    | st.dictionaries(names, scalars, max_size=3)
    | st.lists(st.fixed_dictionaries({"id": names, "text": scalars}), max_size=3, unique_by=lambda item: item["id"]),
    max_size=3,
)
graphs = st.dictionaries(names, datas, max_size=4)


@settings(deadline=None)
@given(graphs, st.randoms())
def test_shuffling_and_moving_change_nothing(graph: dict[str, Any], dice: random.Random) -> None:
    nodes = [node(name, "llm", **data) for name, data in graph.items()]
    before = canonical(text(nodes))
    dice.shuffle(nodes)
    for entry in nodes:
        entry["position"] = {"x": dice.random(), "y": dice.random()}
    after = canonical(text(nodes))
    assert after.sha256 == before.sha256
    assert not history.compare(before, after).entries
    assert canonical(after.text).text == after.text


@settings(deadline=None)
@given(graphs, graphs)
def test_the_hash_changes_when_something_is_reported_and_only_then(left: dict[str, Any], right: dict[str, Any]) -> None:
    made = [canonical(text([node(name, "llm", **data) for name, data in graph.items()])) for graph in (left, right)]
    comparison = history.compare(*made)
    assert (made[0].sha256 == made[1].sha256) == (not comparison.changes)
    assert comparison.changes == history.compare(*made).changes
