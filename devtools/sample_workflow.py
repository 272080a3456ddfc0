"""Small workflows for tests, in the form that Dify exports."""

from collections.abc import Sequence
from typing import Any

import yaml


def node(identity: str, kind: str, *, title: str = "", x: int = 80, **data: Any) -> dict[str, Any]:
    """A node on the canvas."""
    place = {"x": x, "y": 282}
    return {
        "data": {"title": title or identity, "type": kind, "desc": "", "selected": False, **data},
        "id": identity,
        "type": "custom",
        "position": place,
        "positionAbsolute": place,
        "height": 90,
        "width": 244,
        "selected": False,
        "sourcePosition": "right",
        "targetPosition": "left",
    }


def edge(source: str, target: str, handle: str = "source") -> dict[str, Any]:
    """What joins two nodes; ``handle`` is the branch."""
    return {
        "data": {"isInIteration": False, "sourceType": "start", "targetType": "llm"},
        "id": f"{source}-{handle}-{target}-target",
        "source": source,
        "sourceHandle": handle,
        "target": target,
        "targetHandle": "target",
        "type": "custom",
        "zIndex": 0,
    }


def variable(name: str, value: Any = "", *, kind: str = "string", identity: str = "") -> dict[str, Any]:
    """An environment or conversation variable."""
    return {"id": identity or f"id-{name}", "name": name, "value": value, "value_type": kind, "description": ""}


def document(
    nodes: Sequence[dict[str, Any]] = (), edges: Sequence[dict[str, Any]] = (), *, mode: str = "workflow", **parts: Any
) -> dict[str, Any]:
    """The whole DSL; ``parts`` are those of ``workflow``, or ``version`` and ``dependencies``."""
    top: dict[str, Any] = {name: parts.pop(name) for name in ("version", "dependencies", "kind") if name in parts}
    return {
        "app": {"description": "", "icon": "🛡️", "icon_background": "#E0F2FE", "mode": mode, "name": "样例"},
        "dependencies": [],
        "kind": "app",
        "version": "0.6.0",
        **top,
        "workflow": {
            "conversation_variables": [],
            "environment_variables": [],
            "features": {"opening_statement": "", "file_upload": {"enabled": False}},
            "graph": {"edges": list(edges), "nodes": list(nodes), "viewport": {"x": 0, "y": 0, "zoom": 0.8}},
            **parts,
        },
    }


def text(*args: Any, **parts: Any) -> str:
    """``document`` as YAML, as Dify writes it."""
    return yaml.safe_dump(document(*args, **parts), allow_unicode=True)
