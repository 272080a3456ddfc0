"""Other repairers, in an environment of their own, and ours."""

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devtools.sales_bench.environments import environment
from opskit.jsonfix import Schema, mend

PINS = ("json_repair==0.64.6", "fast_json_repair==0.2.3", "repairjson==0.2.0")

# From a text and perhaps a schema to JSON text; None where it gives up.
type Repairer = Callable[[str, Any], str | None]


@dataclass(frozen=True, slots=True)
class Peer:
    """A repairer and its name."""

    name: str
    repair: Repairer


def ours(coerce: Any) -> Peer:
    """JSON repair of this repository."""

    def repair(text: str, schema: Any) -> str | None:
        mended = mend(text, schema=None if schema is None else Schema(schema), coerce=coerce)
        return mended.text if mended.valid else None

    return Peer(f"opskit, {coerce}", repair)


def others() -> list[Peer]:
    """The peers, installed; ``Failed`` where they cannot be."""
    python = environment("json-peers", *PINS)
    [folder] = (python.parent.parent / "lib").glob("python*/site-packages")
    sys.path.append(str(folder))
    calls = {
        "json_repair": importlib.import_module("json_repair").repair_json,
        "fast_json_repair": importlib.import_module("fast_json_repair").repair_json,
        "repairjson": importlib.import_module("repairjson").repair_to_string,
    }
    return [Peer(name, _tried(call)) for name, call in calls.items()]


def _tried(call: Callable[[str], Any]) -> Repairer:
    def repair(text: str, _: Any) -> str | None:
        try:
            found = call(text)
        except Exception:  # noqa: BLE001 - giving up is an answer, in whatever way a peer does it
            return None
        return (found if isinstance(found, str) else json.dumps(found)) or None

    return repair
