"""From a JSON text that does not conform to its schema to one that does, by edits of the text.

The validator's findings lead: each names a place and what is wanted there, and each kind of finding has a fix or
none. In one round all findings are answered whose places lie apart; then the text is held against the schema again.
Of several alternatives (anyOf, oneOf) the one is taken whose findings can all be answered at the least cost.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from opskit.jsonfix.edits import Edit, applied, composed
from opskit.jsonfix.fixes import Round
from opskit.jsonfix.schema import Finding, Schema

MAX_TEXT = 4 * 1024 * 1024  # characters of a text whose values may be changed: its places are held in memory
_ROUNDS = 12
_PER_ROUND = 100_000  # findings; the validator makes a list of all, and each round takes as long as reading the text


class Coerced(NamedTuple):
    """What became of a text: the edits on it, its value then, and what does not conform still."""

    edits: list[Edit]
    text: str
    value: object
    findings: list[Finding]


def coerced(text: str, value: object, schema: Schema, *, full: bool, load: Callable[[str], object]) -> Coerced:
    """The text and its value, changed until it conforms or nothing more can be done."""
    edits: list[Edit] = []
    for _ in range(_ROUNDS):
        findings = first(schema.findings(value))
        round_ = Round(text, value, schema, full=full)
        fixes = round_.fixes(findings or (schema.odd_formats(value) if full else []))
        if not fixes:
            return Coerced(edits, text, value, findings)
        step = [edit for fix in fixes for edit in fix.edits]
        changed = applied(text, step)
        edits, text, value = composed(edits, step), changed, load(changed)
    return Coerced(edits, text, value, first(schema.findings(value)))


def first(findings: Iterator[Finding]) -> list[Finding]:
    """As many findings as are looked at in one round."""
    return list(islice(findings, _PER_ROUND))
