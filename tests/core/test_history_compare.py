"""What changed between two versions: each change at its smallest place, and what may break."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from devtools.sample_workflow import document, edge, node, text, variable
from opskit import history
from opskit.history.differences import MISSING, between, same
from opskit.history.plugins import versions

TOKEN = "fake-token-0123456789abcdef"

MODEL = {"provider": "a/b/c", "name": "m-1", "mode": "chat", "completion_params": {"temperature": 0.1}}
PROMPT = [{"id": "p1", "role": "system", "text": "Be kind."}, {"id": "p2", "role": "user", "text": "{{#start.q#}}"}]
NODES: dict[str, dict[str, Any]] = {
    "start": node(
        "start",
        "start",
        variables=[
            {"variable": "q", "label": "Question", "type": "text-input", "required": True},
            {"variable": "lang", "label": "Language", "type": "select", "required": False},
        ],
    ),
    "llm": node("llm", "llm", title="Think", model=MODEL, prompt_template=PROMPT, error_strategy="fail-branch"),
    "tool": node("tool", "tool", provider_id="p/p/p", tool_name="t", tool_configurations={"access_token": TOKEN}),
    "end": node(
        "end",
        "end",
        outputs=[
            {"variable": "text", "value_selector": ["llm", "text"], "value_type": "string"},
            {"variable": "more", "value_selector": ["tool", "text"], "value_type": "string"},
        ],
    ),
}
EDGES = [edge("start", "llm"), edge("llm", "tool"), edge("llm", "end", "fail-branch"), edge("tool", "end")]
VARIABLES = [variable("KEY", "*" * 20, kind="secret"), variable("HOST", "https://a.example")]

type Edit = Callable[[dict[str, Any]], Any]


def base() -> dict[str, Any]:
    """A whole DSL whose nodes can be reached by their ids."""
    return document(
        copy.deepcopy(list(NODES.values())), copy.deepcopy(EDGES), environment_variables=copy.deepcopy(VARIABLES)
    )


def canonical(source: dict[str, Any], *, told: bool = True) -> history.Canonical:
    """As the console gives it; ``told`` False: as an export."""
    made = history.assemble(source["app"], source["workflow"], version="0.6.0")
    return history.canonical(made if told else history.read(history.write(made)))


def data(source: dict[str, Any], identity: str) -> dict[str, Any]:
    found: dict[str, Any] = next(it for it in source["workflow"]["graph"]["nodes"] if it["id"] == identity)["data"]
    return found


def compared(edit: Edit, *, back: bool = False) -> history.Comparison:
    """What ``edit`` changes; ``back``: the way back."""
    left, right = base(), base()
    edit(right)
    sides = canonical(left), canonical(right)
    return history.compare(*(sides[::-1] if back else sides))


def told(edit: Edit, *, back: bool = False) -> list[tuple[str, str, str, str, str]]:
    return [(it.kind, it.op, it.id, it.path, it.risk) for it in compared(edit, back=back).changes]


def without(identity: str) -> Edit:
    def edit(source: dict[str, Any]) -> None:
        graph = source["workflow"]["graph"]
        graph["nodes"] = [it for it in graph["nodes"] if it["id"] != identity]
        graph["edges"] = [it for it in graph["edges"] if identity not in (it["source"], it["target"])]

    return edit


def setting(*path: Any, to: Any) -> Edit:
    """Set a value below a node's data; ``to`` is taken as it is."""

    def edit(source: dict[str, Any]) -> None:
        at: Any = data(source, path[0])
        for step in path[1:-1]:
            at = at[step]
        at[path[-1]] = to

    return edit


def test_nothing_changed() -> None:
    assert not compared(lambda _: None).changes


def test_each_change_is_told_at_its_smallest_place_with_both_values() -> None:
    comparison = compared(setting("llm", "prompt_template", 0, "text", to="Be brief."))
    assert [it.model_dump() for it in comparison.changes] == [
        {
            "kind": "node",
            "op": "changed",
            "id": "llm",
            "title": "Think",
            "path": "/data/prompt_template/p1/text",
            "from": "Be kind.",
            "to": "Be brief.",
            "risk": "",
        }
    ]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (setting("llm", "model", "name", to="m-2"), [("/data/model/name", "model_swapped")]),
        (setting("llm", "model", "provider", to="x"), [("/data/model/provider", "model_swapped")]),
        (setting("llm", "model", to=None), [("/data/model", "model_swapped")]),
        (
            setting("llm", "model", "completion_params", "temperature", to=1),
            [("/data/model/completion_params/temperature", "model_params")],
        ),
        (setting("llm", "error_strategy", to=None), [("/data/error_strategy", "error_branch_removed")]),
        (setting("llm", "error_strategy", to="default-value"), [("/data/error_strategy", "error_branch_removed")]),
        (setting("llm", "prompt_template", to=PROMPT[::-1]), [("/data/prompt_template", "")]),
        (setting("tool", "error_strategy", to="fail-branch"), [("/data/error_strategy", "")]),
        (setting("tool", "provider_id", to="x/y/z"), [("/data/provider_id", "plugin_changed")]),
        (
            setting("tool", "plugin_unique_identifier", to="p:2@x"),
            [("/data/plugin_unique_identifier", "plugin_changed")],
        ),
        (
            setting("tool", "tool_configurations", "access_token", to=""),
            [("/data/tool_configurations/access_token", "secret_emptied")],
        ),
        (
            setting("tool", "tool_configurations", "access_token", to="none"),
            [("/data/tool_configurations/access_token", "secret_missing")],
        ),
        (
            setting("tool", "tool_configurations", "access_token", to="{{#env.KEY#}}"),
            [("/data/tool_configurations/access_token", "")],
        ),
        (setting("start", "variables", 1, "required", to=True), [("/data/variables/lang/required", "input_required")]),
        (setting("start", "variables", 0, "required", to=False), [("/data/variables/q/required", "")]),
        (setting("start", "variables", 0, "type", to="file"), [("/data/variables/q/type", "input_changed")]),
        (setting("start", "variables", 0, "label", to="Q"), [("/data/variables/q/label", "")]),
        (
            setting("start", "variables", 0, "variable", to="qq"),
            [("/data/variables/qq", "input_required"), ("/data/variables/q", "input_renamed")],
        ),
        (
            setting("start", "variables", to=NODES["start"]["data"]["variables"][:1]),
            [("/data/variables/lang", "input_removed")],
        ),
        (setting("start", "variables", to=None), [("/data/variables", "input_removed")]),
        (
            setting("end", "outputs", 0, "variable", to="answer"),
            [("/data/outputs/answer", ""), ("/data/outputs/text", "output_renamed")],
        ),
        (
            setting("end", "outputs", 0, "value_selector", to=["tool", "text"]),
            [("/data/outputs/text/value_selector", "")],
        ),
        (
            setting("end", "outputs", to=[]),
            [("/data/outputs/text", "output_removed"), ("/data/outputs/more", "output_removed")],
        ),
        (setting("end", "title", to="The end"), [("/data/title", "")]),
        (setting("llm", "type", to="agent"), [("/data/type", "")]),
    ],
)
def test_changes_of_nodes_and_their_risks(edit: Edit, expected: list[tuple[str, str]]) -> None:
    changes = told(edit)
    assert {(kind, identity) for kind, _, identity, _, _ in changes} <= {("node", it) for it in NODES}
    assert [(path, risk) for _, _, _, path, risk in changes] == expected


def test_an_output_without_a_list_is_gone_too() -> None:
    def edit(source: dict[str, Any]) -> None:
        del data(source, "end")["outputs"]

    (risk,) = compared(edit).risks("en_US")
    assert (risk.code, risk.path) == ("output_removed", "/data/outputs")
    assert "text, more" in risk.message


def test_outputs_with_the_same_name_are_aligned_and_a_new_name_is_seen() -> None:
    left, right = base(), base()
    for source in (left, right):
        data(source, "end")["outputs"].append({"variable": "text", "value_selector": ["llm", "x"]})
    data(right, "end")["outputs"][0]["variable"] = "answer"
    changes = history.compare(canonical(left), canonical(right)).changes
    assert changes
    data(right, "end")["outputs"][0]["variable"] = "more"
    (change,) = history.compare(canonical(left), canonical(right)).changes
    assert (change.path, change.risk) == ("/data/outputs/0/variable", "output_renamed")


def test_nodes_and_edges_come_and_go() -> None:
    assert told(without("tool")) == [
        ("node", "removed", "tool", "", "reference_dangling"),
        ("edge", "removed", "llm-source-tool-target", "", ""),
        ("edge", "removed", "tool-source-end-target", "", ""),
    ]
    assert [it[:3] for it in told(without("tool"), back=True)] == [
        ("node", "added", "tool"),
        ("edge", "added", "llm-source-tool-target"),
        ("edge", "added", "tool-source-end-target"),
    ]
    comparison = compared(without("tool"))
    assert [it.title for it in comparison.changes] == ["tool", "Think → tool", "tool → end"]
    (risk,) = comparison.risks("zh_Hans")
    assert (risk.code, risk.level) == ("reference_dangling", "high")
    assert risk.message.startswith("tool 已删除，但仍被引用：end")


def test_a_start_an_end_and_an_answer_that_go_take_inputs_and_outputs_with_them() -> None:
    assert [it.code for it in compared(without("end")).risks("en_US")] == ["output_removed", "error_branch_removed"]
    codes = {it.code for it in compared(without("start")).risks("en_US")}
    assert codes == {"reference_dangling", "input_removed"}
    left = document([node("a", "answer", answer="{{#llm.text#}} {{#tool.text#}}")], mode="advanced-chat")
    right = copy.deepcopy(left)
    data(right, "a")["answer"] = "{{#llm.text#}} …"
    (risk,) = history.compare(canonical(left), canonical(right)).risks("en_US")
    assert (risk.code, "tool.text" in risk.message) == ("output_removed", True)
    data(right, "a")["answer"] = "{{#llm.text#}} {{#tool.text#}}!"
    assert not history.compare(canonical(left), canonical(right)).risks("en_US")
    right["workflow"]["graph"]["nodes"] = []
    (risk,) = history.compare(canonical(left), canonical(right)).risks("en_US")
    assert risk.code == "output_removed"


def test_the_branch_of_a_failure_is_named() -> None:
    def edit(source: dict[str, Any]) -> None:
        del source["workflow"]["graph"]["edges"][2]

    comparison = compared(edit)
    (change,) = comparison.changes
    assert (change.title, change.risk) == ("Think [fail-branch] → end", "error_branch_removed")


def test_two_edges_that_join_the_same_and_one_that_says_more() -> None:
    def twice(source: dict[str, Any]) -> None:
        source["workflow"]["graph"]["edges"].append(edge("start", "llm"))

    def more(source: dict[str, Any]) -> None:
        source["workflow"]["graph"]["edges"][0]["weight"] = 2

    assert told(twice) == [("edge", "added", "start-source-llm-target", "", "")]
    assert told(more) == [("edge", "added", "start-source-llm-target", "/weight", "")]


# Variables, secrets, features


def variables(*listed: dict[str, Any]) -> Edit:
    def edit(source: dict[str, Any]) -> None:
        source["workflow"]["environment_variables"] = list(listed)

    return edit


KEY, HOST = VARIABLES


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (variables(KEY, HOST | {"value": "x"}), [("variable", "changed", "/environment_variables/HOST/value", "")]),
        (variables(KEY, HOST | {"name": "URL"}), [("variable", "changed", "/environment_variables/URL/name", "")]),
        (variables(KEY, HOST | {"id": "9"}), [("variable", "changed", "/environment_variables/HOST/id", "")]),
        (variables(KEY), [("variable", "removed", "/environment_variables/HOST", "")]),
        (variables(HOST), [("secret", "removed", "/environment_variables/KEY", "secret_missing")]),
        (
            variables(KEY | {"value": ""}, HOST),
            [("secret", "changed", "/environment_variables/KEY/value", "secret_emptied")],
        ),
        (
            variables(KEY | {"description": "d"}, HOST),
            [("secret", "changed", "/environment_variables/KEY/description", "")],
        ),
        (
            variables(KEY, HOST, variable("N", kind="secret")),
            [("secret", "added", "/environment_variables/N", "secret_emptied")],
        ),
        (
            variables(KEY, HOST, variable("N", "*", kind="secret")),
            [("secret", "added", "/environment_variables/N", "")],
        ),
        (
            variables(KEY | {"value_type": "string", "value": ""}, HOST),
            [("secret", "changed", "/environment_variables/KEY/value_type", "secret_exposed")],
        ),
    ],
)
def test_changes_of_variables_and_secrets(edit: Edit, expected: list[tuple[str, str, str, str]]) -> None:
    assert [(kind, op, path, risk) for kind, op, _, path, risk in told(edit)] == expected


def test_a_secret_that_gets_a_value_is_told_without_a_risk() -> None:
    (change,) = compared(variables(KEY | {"value": ""}, HOST), back=True).changes
    assert (change.old, change.to, change.risk) == ("", "***", "")


def test_of_an_export_it_is_not_known_whether_a_secret_has_a_value() -> None:
    exported = canonical(base(), told=False)
    assert not history.compare(exported, canonical(base())).changes
    empty = base()
    variables(KEY | {"value": ""}, HOST)(empty)
    (change,) = history.compare(exported, canonical(empty)).changes
    assert change.risk == "secret_emptied"


def test_a_variable_that_is_gone_or_renamed_and_still_used_is_a_risk() -> None:
    left, right = base(), base()
    for source in (left, right):
        data(source, "tool")["url"] = "{{#env.HOST#}}/x"
        source["workflow"]["conversation_variables"] = [variable("memory")]
        data(source, "llm")["selector"] = ["conversation", "memory"]
    right["workflow"]["environment_variables"] = [KEY, HOST | {"name": "URL"}]
    right["workflow"]["conversation_variables"] = []
    changes = history.compare(canonical(left), canonical(right)).changes
    assert [(it.path, it.risk) for it in changes] == [
        ("/environment_variables/URL/name", "reference_dangling"),
        ("/conversation_variables/memory", "reference_dangling"),
    ]


def test_features_and_the_mode_are_settings() -> None:
    def edit(source: dict[str, Any]) -> None:
        source["workflow"]["features"] = {"opening_statement": "Hi", "file_upload": {"enabled": True}}
        source["app"]["mode"] = "advanced-chat"

    assert told(edit) == [
        ("feature", "changed", "mode", "/app/mode", "mode_changed"),
        ("feature", "changed", "file_upload", "/features/file_upload/enabled", ""),
        ("feature", "changed", "opening_statement", "/features/opening_statement", ""),
    ]


def test_the_version_of_a_plugin_is_told_where_both_sides_know_it() -> None:
    def dsl(*identifiers: str) -> history.Canonical:
        key = "marketplace_plugin_unique_identifier"
        listed = [{"type": "marketplace", "value": {key: it}} for it in identifiers]
        return history.canonical(history.read(text(NODES.values(), dependencies=listed)))

    left, right = dsl("a/b:0.1@x", "c/d:1@y", "g/h:1@y"), dsl("a/b:0.2@z", "e/f:1@y", "g/h:1@y")
    (change,) = history.compare(left, right).changes
    assert (change.path, change.old, change.to, change.risk) == ("/dependencies/a~1b", "0.1", "0.2", "plugin_changed")
    assert left.sha256 == right.sha256
    odd = [{"type": "github", "value": {"repo": "r/s", "version": "1"}}, {"value": "x"}, {"value": {}}]
    assert versions(history.read(text(dependencies=odd))) == {"r/s": "1"}


# Places


def test_items_are_matched_by_what_both_sides_call_them() -> None:
    def paths(left: Any, right: Any) -> list[tuple[str, ...]]:
        return [it.path for it in between(left, right)]

    roles = [[{"id": side + role, "role": role, "text": "x"} for role in ("system", "user")] for side in "ab"]
    assert paths(*roles) == [("system", "id"), ("user", "id")]
    ids = [[{"id": it, "text": "x"} for it in names] for names in ("ab", "cd")]
    assert paths(*ids) == [("c",), ("d",), ("a",), ("b",)]
    nameless = [{"value": 1}, {"value": 2}, {"value": 3}]
    assert paths(nameless, [{"value": 0}, *nameless]) == [("0",)]
    assert paths(nameless, nameless[1:]) == [("0",)]
    assert paths(nameless, [{"value": 1}, {"value": 9}, {"value": 3}]) == [("1", "value")]
    assert paths([["a", "b"]], [["a", "c"]]) == [("0",)]
    assert paths({"a": ["x"]}, {"a": ["x", "y"]}) == [("a",)]
    assert paths({"a": None}, {}) == [("a",)]
    assert repr(MISSING) == "MISSING"


def test_true_is_not_one() -> None:
    assert not same({"a": [True]}, {"a": [1]})
    assert same({"a": [True, 1]}, {"a": [True, 1]})
    assert not same([1], [1, 2])
    assert not same({"a": 1}, {"b": 1})
    assert [it.path for it in between([{"v": 1}], [{"v": True}])] == [("0", "v")]


def test_long_values_are_cut_to_where_they_differ() -> None:
    long = "x" * 1000
    (change,) = compared(setting("llm", "prompt_template", 0, "text", to=f"Be kind.{long}")).changes
    assert len(change.to) == 300
    assert change.to.endswith("…")
    left, right = base(), base()
    for source, word in ((left, "old"), (right, "new")):
        data(source, "llm")["prompt_template"][0]["text"] = f"{long} {word}"
    (change,) = history.compare(canonical(left), canonical(right)).changes
    assert change.old.startswith("…xxx")
    assert (change.old[-3:], change.to[-3:]) == ("old", "new")
