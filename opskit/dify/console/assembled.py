"""The DSL of a workflow, put together from what the console tells of it: for when the server cannot export.

Source: Dify 1.13.3, ``services/app_dsl_service.py`` and ``models/workflow.py``, whose order of clearing is kept. Two
things are not to be had: ``dependencies``, for which it asks the plugin daemon, and the encrypted ids of datasets.
"""

import copy
import re
from collections.abc import Mapping
from typing import Any

from opskit.dify.console.records import ConsoleApp, Variable, Workflow

# What each release exports; since the minor release that begins with it.
_DSL = (((2,), "0.4.0"), ((1, 13), "0.6.0"), ((1, 10), "0.5.0"), ((1, 8), "0.4.0"))
_OLDEST = "0.3.0"
_SCHEDULE = {
    "mode": "visual",
    "frequency": "daily",
    "visual_config": {"time": "12:00 AM", "on_minute": 0, "weekdays": ["sun"], "monthly_days": [1]},
    "timezone": "UTC",
}


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, to be compared: "1.13.3" is (1, 13, 3), "2.0b2" is (2, 0); nothing where there are none."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def dsl_version(version: str) -> str:
    """The version of the DSL that a server of this version exports; that of 1.13 where it does not say."""
    known = numbers(version) or (1, 13)
    return next((dsl for since, dsl in _DSL if known >= since), _OLDEST)


def assembled(app: ConsoleApp, flow: Workflow, version: str) -> dict[str, Any]:
    """What an export of ``flow`` would hold, without secrets."""
    graph = copy.deepcopy(dict(flow.graph))
    nodes = graph.get("nodes")
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and isinstance(node.get("data"), dict):
            _clear(node["data"])
    return {
        "version": dsl_version(version),
        "kind": "app",
        "app": dict(app.head),
        "dependencies": [],
        "workflow": {
            "graph": graph,
            "features": copy.deepcopy(dict(flow.features)),
            "environment_variables": [_variable(one, "env") for one in flow.environment],
            "conversation_variables": [_variable(one, "conversation") for one in flow.conversation],
            "rag_pipeline_variables": [],
        },
    }


def _variable(one: Variable, place: str) -> dict[str, Any]:
    value = "" if one.secret else one.value
    told = {"description": one.description, "id": one.id, "name": one.name, "selector": [place, one.name]}
    return told | {"value": value, "value_type": one.value_type}


def _clear(data: dict[str, Any]) -> None:
    """Take out of a node what belongs to the workspace."""
    match data.get("type"):
        case "tool":
            data.pop("credential_id", None)
        case "agent":
            for tool in _tools(data):
                tool.pop("credential_id", None)
        case "trigger-schedule":
            data["config"] = copy.deepcopy(_SCHEDULE)
        case "trigger-webhook":
            data["webhook_url"] = data["webhook_debug_url"] = ""
        case "trigger-plugin":
            data["subscription_id"] = ""


def _tools(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tools of an agent node."""
    found: Any = data
    for name in ("agent_parameters", "tools", "value"):
        found = found.get(name) if isinstance(found, dict) else None
    return [tool for tool in found if isinstance(tool, dict)] if isinstance(found, list) else []
