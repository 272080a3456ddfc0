"""The DSL of a workflow, put together from what the console tells of it: for when the server cannot export.

Source: Dify 1.13.3, ``services/app_dsl_service.py`` and ``models/workflow.py``, whose order of clearing is kept. Two
things are not to be had: ``dependencies``, for which it asks the plugin daemon, and the encrypted ids of datasets.
"""

import copy
import re
from typing import Any

from opskit.dify.console.records import ConsoleApp, Variable, Workflow
from opskit.history.belongings import leave_out

# What each release exports; since the minor release that begins with it.
_DSL = (((2,), "0.4.0"), ((1, 13), "0.6.0"), ((1, 10), "0.5.0"), ((1, 8), "0.4.0"))
_OLDEST = "0.3.0"


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
            leave_out(node["data"])
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
