"""JSON repair that never lies: valid, conforming JSON out of a model's text, and the account of every change.

survey (documents)  where JSON stands between prose, fences and thoughts
Scanner             from a bracket to its end: edits with places, linear, without recursion
coerced (coercion)  from JSON that does not conform to JSON that does, by edits of the same kind
mend (mending)      all of that for every candidate, and the choice between them
repair (gate)       the tool: schema, fallback, what happens when nothing fits
regenerate (asking) the other tool: what cannot be repaired, a model is asked for again
"""

from opskit.jsonfix.asking import Regenerated, Request, regenerate
from opskit.jsonfix.gate import Answer, repair
from opskit.jsonfix.mending import Mended, mend
from opskit.jsonfix.schema import Schema
from opskit.jsonfix.text import Repaired, Text

__all__ = ["Answer", "Mended", "Regenerated", "Repaired", "Request", "Schema", "Text", "mend", "regenerate", "repair"]
