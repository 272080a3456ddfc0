"""JSON repair that never lies: valid, conforming JSON out of a model's text, and the account of every change.

survey (documents)  where JSON stands between prose, fences and thoughts
Scanner             from a bracket to its end: edits with places, linear, without recursion
coerced (coercion)  from JSON that does not conform to JSON that does, by edits of the same kind
mend (mending)      all of that for every candidate, and the choice between them
repair (gate)       the tool: schema, fallback, what happens when nothing fits
regenerate (asking) the other tool: what cannot be repaired, a model is asked for again
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from opskit.jsonfix.text import Regenerated, Repaired, Request, Text

if TYPE_CHECKING:
    from opskit.jsonfix.asking import regenerate
    from opskit.jsonfix.gate import Answer, repair
    from opskit.jsonfix.mending import Mended, mend
    from opskit.jsonfix.schema import Schema

__all__ = ["Answer", "Mended", "Regenerated", "Repaired", "Request", "Schema", "Text", "mend", "regenerate", "repair"]

# What works is imported when it is first asked for: its patterns take as long to compile as the rest of the plugin
# takes to load, and many calls never need them.
_LATER = {
    "Answer": "gate",
    "Mended": "mending",
    "Schema": "schema",
    "mend": "mending",
    "regenerate": "asking",
    "repair": "gate",
}


def __getattr__(name: str) -> Any:
    """What is not loaded yet."""
    if name in _LATER:
        return getattr(import_module(f"opskit.jsonfix.{_LATER[name]}"), name)
    raise AttributeError(name)
