"""What belongs to the workspace: left out by an export, and found again."""

import copy
import json
from typing import Any

from opskit import history
from opskit.history.belongings import Source, leave_out, regain


def test_knowledge_is_told_from_its_encrypted_names() -> None:
    """An export encrypts the ids of datasets; the same ids in the app's own export tell what they are."""
    ids = [f"{number}a1b2c3d-0000-4000-8000-00000000000f" for number in range(3)]

    def flow(*names: str, **more: Any) -> history.Dsl:
        data = {"type": "knowledge-retrieval", "title": "Know", "dataset_ids": list(names)} | more
        graph = {"nodes": [{"id": "k", "data": data}], "edges": []}
        return history.assemble({"mode": "workflow", "name": "x"}, {"graph": graph}, version="0.6.0")

    def of(dsl: history.Dsl) -> Any:
        return dsl.nodes[0]["data"]["dataset_ids"]

    source = Source(flow(*ids[:2]), flow("encrypted0=", "encrypted1="))
    assert of(regain(flow("encrypted1=", ids[2]), source).dsl) == [ids[1], ids[2]]
    lost = regain(flow("encrypted0=", "encrypted9="), source)
    assert (of(lost.dsl), lost.lost) == ([ids[0], "encrypted9="], ("Know",))
    assert regain(flow("encrypted0="), Source(flow(*ids), flow("encrypted0="))).lost == ("Know",)


def test_triggers_and_agents_get_what_belongs_to_the_workspace() -> None:
    tool = {"provider_name": "a/b/c", "tool_name": "t"}
    agent = {"agent_parameters": {"tools": {"value": [tool, tool | {"tool_name": "new"}]}}}
    own = {"agent_parameters": {"tools": {"value": [tool | {"credential_id": "mine"}]}}}
    whole: dict[str, dict[str, Any]] = {
        "s": {"type": "trigger-schedule", "frequency": "weekly"},
        "w": {"type": "trigger-webhook", "webhook_url": "https://x", "webhook_debug_url": "https://y"},
        "p": {"type": "trigger-plugin", "subscription_id": "sub"},
        "a": {"type": "agent"} | own,
        "odd": {"type": "agent", "agent_parameters": {"tools": []}},
    }

    def flow(nodes: dict[str, dict[str, Any]]) -> history.Dsl:
        graph = {"nodes": [{"id": name, "data": data} for name, data in nodes.items()], "edges": []}
        return history.assemble({"mode": "workflow", "name": "x"}, {"graph": graph}, version="0.6.0")

    exported = copy.deepcopy(whole) | {"a": {"type": "agent"} | agent}
    for data in exported.values():
        leave_out(data)
    assert exported["s"]["config"]["frequency"] == "daily"
    assert "mine" not in json.dumps(exported)
    found = regain(flow(exported), Source(flow(whole), flow(exported)))
    data_of = {node["id"]: node["data"] for node in found.dsl.nodes}
    tools = [tool | {"credential_id": "mine"}, tool | {"tool_name": "new"}]
    assert data_of == whole | {"a": {"type": "agent", "agent_parameters": {"tools": {"value": tools}}}}
    assert found.unset == ()
    other = flow(whole | {"p": whole["p"] | {"provider_id": "x/y/z"}, "w": {"type": "code", "webhook_url": "u"}})
    kept = regain(flow(exported), Source(other, flow(exported)))
    assert (kept.unset, kept.dsl.nodes[2]["data"]) == (("p", "w"), exported["p"])
    assert regain(flow(exported)).unset == ("p", "s", "w")
