"""What belongs to the workspace: an export leaves it out, and whoever writes a DSL into an app has to find it again.

Source: Dify 1.13.3, ``_append_workflow_export_data`` in api/services/app_dsl_service.py: credentials of tools are
dropped, addresses and subscriptions of triggers emptied, their schedules reset, and ids of datasets encrypted.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opskit.history.dsl import Dsl

# By the type of a node, what stands in an export: None is that the field is not there at all.
_FIELDS: Mapping[object, Mapping[str, Any]] = {
    "tool": {"credential_id": None},
    "trigger-schedule": {
        "config": {
            "mode": "visual",
            "frequency": "daily",
            "visual_config": {"time": "12:00 AM", "on_minute": 0, "weekdays": ["sun"], "monthly_days": [1]},
            "timezone": "UTC",
        }
    },
    "trigger-webhook": {"webhook_url": "", "webhook_debug_url": ""},
    "trigger-plugin": {"subscription_id": ""},
}
_DATASETS = "dataset_ids"  # an export holds them encrypted, each always in the same way
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Source:
    """A draft or version as it is in Dify, and as it is exported."""

    dsl: Dsl
    exported: Dsl


@dataclass(frozen=True, slots=True)
class Regained:
    """A DSL with what belongs to the workspace, as far as it is known.

    ``unset`` are the titles of nodes that have to be set up again, ``lost`` of those whose knowledge nobody can name.
    """

    dsl: Dsl
    unset: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def leave_out(data: dict[str, Any]) -> None:
    """Take out of a node what an export leaves out."""
    for field, exported in _FIELDS.get(data.get("type"), {}).items():
        if exported is None:
            data.pop(field, None)
        else:
            data[field] = copy.deepcopy(exported)
    if data.get("type") == "agent":
        for tool in _tools(data):
            tool.pop("credential_id", None)


def regain(dsl: Dsl, *sources: Source) -> Regained:
    """Fill in what an export left out, from the same nodes of the first source that has them, and of the same kind.

    What the DSL says itself stays.
    """
    known = [{node["id"]: node["data"] for node in source.dsl.nodes} for source in sources]
    datasets = {name: it for source in reversed(sources) for name, it in _datasets(source).items()}
    nodes, unset, lost = [], [], []
    for node in dsl.nodes:
        data: dict[str, Any] = copy.deepcopy(node["data"])
        same = [held[node["id"]] for held in known if node["id"] in held and _alike(held[node["id"]], data)]
        if not same and data.get("type") in _FIELDS:
            unset.append(str(data.get("title") or node["id"]))
        for field, exported in _FIELDS.get(data.get("type"), {}).items():
            if same and data.get(field) == exported:
                data.pop(field, None)
                data |= {field: same[0][field]} if field in same[0] else {}
        _give_credentials(data, same)
        if _named(data):
            data[_DATASETS] = [datasets.get(name, name) for name in _named(data)]
            lost += [str(data.get("title") or node["id"])] if not all(map(_ID.fullmatch, _named(data))) else []
        nodes.append(node | {"data": data})
    graph = dsl.workflow["graph"] | {"nodes": nodes}
    return Regained(replace(dsl, workflow={**dsl.workflow, "graph": graph}), tuple(unset), tuple(lost))


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two nodes are of one kind and provider: credentials and subscriptions are for no other."""
    return all(one.get(name) == other.get(name) for name in ("type", "provider_id"))


def _datasets(source: Source) -> dict[str, str]:
    """The ids of datasets, by what an export calls them."""
    exported = {node["id"]: _named(node["data"]) for node in source.exported.nodes}
    pairs = ((exported.get(node["id"], []), _named(node["data"])) for node in source.dsl.nodes)
    return {name: it for names, ids in pairs if len(names) == len(ids) for name, it in zip(names, ids, strict=True)}


def _named(data: Mapping[str, Any]) -> list[str]:
    names = data.get(_DATASETS)
    return [str(name) for name in names] if isinstance(names, list) else []


def _give_credentials(data: dict[str, Any], same: Sequence[Mapping[str, Any]]) -> None:
    """Let the tools of an agent have the credentials that the same tools have there."""
    held: dict[object, Any] = {}
    for one in reversed(same):
        held |= {_called(tool): tool["credential_id"] for tool in _tools(one) if tool.get("credential_id")}
    for tool in _tools(data):
        if not tool.get("credential_id") and _called(tool) in held:
            tool["credential_id"] = held[_called(tool)]


def _called(tool: Mapping[str, Any]) -> tuple[object, object]:
    return tool.get("provider_name"), tool.get("tool_name")


def _tools(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tools of an agent node."""
    found: Any = data
    for name in ("agent_parameters", "tools", "value"):
        found = found.get(name) if isinstance(found, dict) else None
    return [tool for tool in found if isinstance(tool, dict)] if isinstance(found, list) else []
