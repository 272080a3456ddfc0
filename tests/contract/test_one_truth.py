"""Python, YAML and tools.lock say the same, and the checks that say so can fail."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from devtools import catalog, schemas

TOOLS = {tool.name: tool for tool in catalog.tools()}


def test_models_yaml_and_lock_agree() -> None:
    assert schemas.problems() == []


def test_structured_parameters_are_strings_and_secrets_are_the_builders() -> None:
    for tool in TOOLS.values():
        for parameter in tool.parameters.values():
            assert parameter["type"] not in {"object", "array", "app-selector", "any"}
            if parameter["name"] in tool.takes.secret_names() | {"base_url", "at_all", "language"}:
                assert parameter["form"] == "form", parameter["name"]


LLM = {
    "app_broadcast": {"query", "inputs", "choose", "files"},
    "app_run": {"query", "inputs", "files", "conversation_id"},
    "credential_check": set(),
    "workflow_snapshot": {"tag", "note"},
    "workflow_history": {"left", "right", "file"},
    "workflow_rollback": {"to", "file"},
    "key_rotation": set(),
    "sales_analysis": {"file", "csv_text", "file_url", "date"},
    "json_repair": {"text"},
    "json_regenerate": {"text", "instruction"},
    "dingtalk_push": {"content", "title", "links", "at_mobiles", "at_user_ids"},
}


def test_a_model_fills_in_what_it_is_meant_to_and_nothing_else() -> None:
    filled = {
        tool.name: {name for name, parameter in tool.parameters.items() if parameter["form"] == "llm"}
        for tool in TOOLS.values()
    }
    assert filled == LLM


def test_names_that_dify_reserves_are_not_outputs() -> None:
    for tool in TOOLS.values():
        assert not {"text", "files", "json"} & set(tool.gives.model_fields)


def change(path: list[Any], value: object) -> Callable[[dict[str, Any]], None]:
    def apply(declaration: dict[str, Any]) -> None:
        for step in path[:-1]:
            declaration = declaration[step]
        declaration[path[-1]] = value

    return apply


def parameter(name: str) -> int:
    return list(TOOLS["dingtalk_push"].parameters).index(name)


@pytest.mark.parametrize(
    ("mutate", "problem"),
    [
        (change(["parameters", parameter("deadline_s"), "max"], 600), "deadline_s is"),
        (change(["parameters", parameter("deadline_s"), "default"], 61), "deadline_s is"),
        (change(["parameters", parameter("at_all"), "type"], "string"), "at_all is"),
        (change(["parameters", parameter("content"), "required"], False), "content is"),
        (change(["parameters", parameter("message_type"), "options"], []), "message_type is"),
        (
            change(["parameters", parameter("title"), "name"], "headline"),
            "headline is in the YAML, but not in the model",
        ),
        (change(["parameters", parameter("title"), "name"], "headline"), "title is in the model, but not in the YAML"),
        (change(["parameters", parameter("access_token"), "form"], "llm"), "lets a model fill it"),
        (change(["output_schema", "properties", "delivered", "type"], "string"), "output_schema is stale"),
    ],
)
def test_a_contradiction_is_found(mutate: Callable[[dict[str, Any]], None], problem: str) -> None:
    declaration = copy.deepcopy(TOOLS["dingtalk_push"].declaration)
    mutate(declaration)
    changed = dataclasses.replace(TOOLS["dingtalk_push"], declaration=declaration)
    assert any(problem in found for found in schemas.contradictions(changed))


def test_what_was_released_may_not_disappear() -> None:
    lock = copy.deepcopy(schemas.read_lock())
    lock["dingtalk_push"]["parameters"].append("robot_name")
    lock["dingtalk_push"]["outputs"].append("sent")
    lock["old_tool"] = {"parameters": [], "outputs": []}
    assert sorted(schemas.disappeared(lock, list(TOOLS.values()))) == [
        "dingtalk_push: robot_name was released in its parameters and has disappeared",
        "dingtalk_push: sent was released in its outputs and has disappeared",
        "the tool old_tool was released and has disappeared",
    ]


def test_what_is_new_must_be_locked() -> None:
    lock = copy.deepcopy(schemas.read_lock())
    lock["dingtalk_push"]["outputs"].remove("delivered")
    assert list(schemas.unlocked(lock, list(TOOLS.values()))) == [
        "dingtalk_push: delivered is missing in tools.lock, run `make schemas`"
    ]
