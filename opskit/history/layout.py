"""What stands where on the canvas, told apart from what a workflow means.

Names that are not known here mean something: a change too many is a nuisance, one too few an incident. The names are
those of React Flow's nodes and edges, and those that Dify's editor adds; it marks its own with ``_`` and drops these
itself (web/app/components/workflow/hooks/use-nodes-sync-draft.ts).
"""

from collections.abc import Iterator, Mapping
from typing import Any

NODE = frozenset(
    {
        "position", "positionAbsolute", "width", "height", "measured", "initialWidth", "initialHeight", "zIndex",
        "selected", "selectable", "draggable", "dragging", "dragHandle", "resizing", "connectable", "deletable",
        "focusable", "hidden", "extent", "expandParent", "origin", "handles", "handleBounds", "sourcePosition",
        "targetPosition", "style", "className", "ariaLabel", "computed", "internals",
    }
)  # fmt: skip
_DATA = frozenset({"selected", "width", "height"})
_NOTE = _DATA | {"theme", "showAuthor"}
# What an edge says beyond its two ends follows from these; its id is made of them.
_EDGE = frozenset(
    {
        "id", "type", "zIndex", "selected", "selectable", "style", "className", "animated", "hidden", "deletable",
        "focusable", "interactionWidth", "markerStart", "markerEnd", "sourceX", "sourceY", "targetX", "targetY",
    }
)  # fmt: skip
_EDGE_DATA = frozenset({"sourceType", "targetType", "isInIteration", "isInLoop", "iteration_id", "loop_id"})
ENDS = ("source", "sourceHandle", "target", "targetHandle")


def is_note(node: Mapping[str, Any]) -> bool:
    """Whether the node is a note on the canvas, which is read by people alone."""
    return node.get("type") == "custom-note"


def arranged_node(node: Mapping[str, Any]) -> dict[str, Any]:
    """The node in its order: the meaning by name, then the layout by name."""
    return _arranged({**node, "data": _arranged(node["data"], _data_names(node))}, NODE)


def arranged_edge(edge: Mapping[str, Any]) -> dict[str, Any]:
    """The edge in its order: its two ends, then the rest by name."""
    return {name: edge[name] for name in ENDS} | {name: edge[name] for name in sorted(edge) if name not in ENDS}


def node_meaning(node: Mapping[str, Any]) -> dict[str, Any]:
    """The node without its layout."""
    return _without(node, NODE) | {"data": _without(node["data"], _data_names(node))}


def edge_meaning(edge: Mapping[str, Any]) -> dict[str, Any]:
    """The two ends of the edge, and what is not known to be layout or to follow from them."""
    kept = _without(edge, _EDGE | {"data"})
    data = edge.get("data")
    rest = _without(data, _EDGE_DATA) if isinstance(data, dict) else data
    return kept | {"data": rest} if rest else kept


def in_order(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The nodes by id, each after the iteration or loop that it stands in: the canvas wants parents first."""
    parents = {node["id"]: node.get("parentId") for node in nodes}

    def ancestry(node: dict[str, Any]) -> list[str]:
        return list(_ancestors(node["id"], parents))[::-1]

    return sorted(nodes, key=ancestry)


def _ancestors(identity: str, parents: Mapping[str, Any]) -> Iterator[str]:
    """The node and what it stands in, outwards; a circle is walked once."""
    seen: set[str] = set()
    at: Any = identity
    while at in parents and at not in seen:
        seen.add(at)
        yield at
        at = parents[at]


def _data_names(node: Mapping[str, Any]) -> frozenset[str]:
    return _NOTE if is_note(node) else _DATA


def _is_layout(name: str, names: frozenset[str]) -> bool:
    return name in names or name.startswith("_")


def _arranged(value: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value[name] for name in sorted(value, key=lambda name: (_is_layout(name, names), name))}


def _without(value: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: entry for name, entry in value.items() if not _is_layout(name, names)}
