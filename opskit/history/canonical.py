"""The canonical form of a DSL: the same meaning has the same hash, and with the same layout the same bytes."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from opskit.history import layout
from opskit.history.dsl import Dsl
from opskit.history.secrets import Redacted, redact
from opskit.history.writing import written


@dataclass(frozen=True, repr=False)
class Canonical:
    """A DSL without secrets. ``redacted`` says what was taken out, and where a mark stands."""

    dsl: Dsl
    redacted: tuple[Redacted, ...]

    def __repr__(self) -> str:
        return f"Canonical({self.sha256[:12]}…, {self.dsl!r})"

    @cached_property
    def meaning(self) -> dict[str, str]:
        """What the workflow means, part by part, each as JSON: ``mode``, ``node <id>``, ``edge <ends>``, and so on."""
        parts: dict[str, Any] = {"mode": self.dsl.mode}
        parts |= {name: part for name, part in self.dsl.workflow.items() if name != "graph"}
        rest = {name: it for name, it in self.dsl.workflow["graph"].items() if name not in GRAPH}
        parts |= {"graph": rest} if rest else {}
        parts |= {f"node {node['id']}": layout.node_meaning(node) for node in self.dsl.nodes}
        edges = sorted(as_json(layout.edge_meaning(edge)) for edge in self.dsl.edges)
        return {name: as_json(part) for name, part in parts.items()} | {"edges": "\n".join(edges)}

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the meaning, hexadecimal.

        Not in it: where things stand, the app's name and icon, the DSL version, and ``dependencies``, which say
        what is installed and not what was made.
        """
        return hashlib.sha256(as_json(self.meaning).encode()).hexdigest()

    @cached_property
    def text(self) -> str:
        """The DSL as YAML, which Dify imports."""
        return write(self.dsl)


GRAPH = frozenset({"nodes", "edges", "viewport"})


def canonical(dsl: Dsl) -> Canonical:
    """The canonical form of a DSL."""
    clean = redact(dsl)
    return Canonical(clean.dsl, clean.redacted)


def write(dsl: Dsl) -> str:
    """A DSL as YAML as it is, with what it holds: for a text to be kept or shown take ``canonical(dsl).text``."""
    return written(
        {
            "app": dict(dsl.app),
            "dependencies": list(dsl.dependencies or ()),
            "kind": "app",
            "version": dsl.version,
            "workflow": dict(dsl.workflow),
        }
    )


def as_json(value: Any) -> str:
    """JSON in one spelling."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
