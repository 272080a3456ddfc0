"""A collection of cases, and whether an answer is an accepted one."""

import json
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from math import isclose
from pathlib import Path
from typing import Any

from devtools.json_bench.peers import Repairer
from opskit.jsonfix import Schema

REPAIR, GUIDED = ("core", "hard"), ("schema_core", "schema_single")


def read(path: Path) -> list[dict[str, Any]]:
    """The cases of a file, one a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def is_repair(case: dict[str, Any]) -> bool:
    """Whether it is about broken JSON without a schema."""
    return case["tier"] in REPAIR and case["category"] != "valid_unchanged"


def tally(cases: Iterable[dict[str, Any]], repair: Repairer) -> Counter[str]:
    """How often the answers were right, wrong, invalid or nonconforming, or nothing came where something should."""
    return Counter(verdict(case, repair(case["raw"], case.get("schema"))) for case in cases)


def verdict(case: dict[str, Any], answer: str | None) -> str:
    """right, wrong, nothing, invalid or nonconforming."""
    if answer is None:
        may_fail = case.get("expect") or case.get("expect_fail") or case.get("alternative_fail")
        return "right" if may_fail else "nothing"
    exact = case.get("lossless", False)
    try:
        value = _loaded(answer, exact=exact)
    except ValueError:
        return "invalid"
    if case.get("expect") == "conform_or_fail":
        return "right" if Schema(case["schema"]).fits(json.loads(answer)) else "nonconforming"
    if case.get("expect") == "no_crash":
        return "right"
    wanted = [case["expected"]] if "expected" in case else []
    texts = [case["raw"]] if case.get("expected_is_raw") else map(json.dumps, wanted)
    accepted = [*(_loaded(text, exact=exact) for text in texts), *case.get("alternatives", [])]
    bare = case.get("ignore_null_keys", False)
    return "right" if any(_same(value, one, bare=bare) for one in accepted) else "wrong"


def _loaded(text: str, *, exact: bool) -> Any:
    """The value of strict JSON; ``exact``: with all digits."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse, parse_float=Decimal if exact else float)


def _same(one: Any, other: Any, *, bare: bool) -> bool:
    """Whether two values are the same; ``bare``: a key without a value is as good as none."""
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = (
            {name: value for name, value in each.items() if not bare or value is not None} for each in (one, other)
        )
        return left.keys() == right.keys() and all(_same(left[name], right[name], bare=bare) for name in left)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(lambda a, b: _same(a, b, bare=bare), one, other))
    if isinstance(one, bool) or isinstance(other, bool) or isinstance(one, str) or isinstance(other, str):
        return type(one) is type(other) and one == other
    if isinstance(one, float) and isinstance(other, (int, float)):
        return isclose(one, other, rel_tol=1e-12)
    return bool(one == other)
