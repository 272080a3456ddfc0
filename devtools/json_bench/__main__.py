"""``make bench COLLECTION=…``, or ``python -m devtools.json_bench --help``. Exits with 1 when a target is missed."""

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from devtools.json_bench import collection, faults, texts
from devtools.json_bench.pathological import PATTERNS
from devtools.json_bench.peers import Peer, others, ours
from devtools.sales_bench.processes import Failed
from devtools.sales_bench.table import Verdict, lines, most, targets
from opskit.jsonfix import Schema, mend
from opskit.jsonfix.confidence import SURE

_SIZES = (10_000, 1_000_000, 20_000_000)
_MANY, _ROUNDS, _SEED = 5_000, 5, 20_261_127
_MEGABYTE = 1_000_000
_KIND_SHOWN = 12
_NOISE_MB = 10  # below it, what the process had left over from before decides


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say which targets are met."""
    parser = argparse.ArgumentParser(prog="python -m devtools.json_bench", description=__doc__)
    parser.add_argument("--collection", type=Path, help="cases of broken JSON, one a line")
    parser.add_argument("--largest", type=int, default=_SIZES[-1], help="characters of the largest text")
    parser.add_argument("--offline", action="store_true", help="install no peers")
    options = parser.parse_args(arguments)
    found: list[Verdict] = []
    try:
        rivals = [] if options.offline else others()
    except Failed as error:
        rivals = []
        found.append(Verdict("peers", str(error), "installed", met=None))
    # Speed first: what the other parts leave behind in memory would be a burden to whoever is timed after them.
    found += [*_speed(rivals, options.largest), *_valid(options.largest)]
    if options.collection:
        found += _collected(collection.read(options.collection), rivals)
    else:
        found.append(Verdict("the collection", "no --collection", "", met=None))
    found += [*_made_up(rivals), *_patterns(rivals)]
    print(targets(found, "JSON repair"))
    return 1 if any(each.met is False for each in found) else 0


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def least(what: str, value: float, limit: float, unit: str) -> Verdict:
    """A figure that must not be below a limit."""
    return Verdict(what, f"{value:.4g} {unit}", f"≥ {limit:.4g}", met=value >= limit)


def percent(part: float, whole: float) -> float:
    """A share; 0 of nothing."""
    return 100 * part / whole if whole else 0.0


def _collected(cases: list[dict[str, Any]], rivals: list[Peer]) -> Iterator[Verdict]:
    _tell(f"{len(cases):,} cases of the collection")
    groups: dict[str, list[dict[str, Any]]] = {
        "core and hard repair": [case for case in cases if collection.is_repair(case)],
        "full-width and typographic quotes": [
            case for case in cases if collection.is_repair(case) and case["category"].startswith("fullwidth")
        ],
        "schema-guided": [case for case in cases if case["tier"] in collection.GUIDED],
        "valid, unchanged": [case for case in cases if case["category"] == "valid_unchanged"],
        "schema suite, valid": [
            case for case in cases if case["tier"] == "schema_suite" and case.get("expect") != "conform_or_fail"
        ],
        "schema suite, invalid": [case for case in cases if case.get("expect") == "conform_or_fail"],
        "robustness": [case for case in cases if case["tier"] == "robustness"],
    }
    peers = [ours("full"), ours("safe"), *rivals]
    tallies = {
        name: {peer.name: collection.tally(group, peer.repair) for peer in peers} for name, group in groups.items()
    }
    rows = [
        [f"{name} ({len(groups[name])})", *(_shares(tallies[name][peer.name]) for peer in peers)] for name in groups
    ]
    print(lines("right / silently wrong, in percent", ["", *(peer.name for peer in peers)], rows))
    mine = {name: tally["opskit, full"] for name, tally in tallies.items()}
    limits = {
        "core and hard repair": 97.0,
        "full-width and typographic quotes": 100.0,
        "schema-guided": 95.0,
        "valid, unchanged": 100.0,
        "schema suite, valid": 100.0,
        "schema suite, invalid": 100.0,
        "robustness": 100.0,
    }
    for name, limit in limits.items():
        yield least(name, percent(mine[name]["right"], mine[name].total()), limit, "% right")
    first = mine["core and hard repair"]
    yield most("core and hard repair", percent(first["wrong"] + first["invalid"], first.total()), 1, "% silently wrong")
    yield _calibrated(cases)


def _shares(tally: Counter[str]) -> str:
    wrong = tally["wrong"] + tally["invalid"] + tally["nonconforming"]
    return f"{percent(tally['right'], tally.total()):.1f} / {percent(wrong, tally.total()):.1f}"


def _calibrated(cases: list[dict[str, Any]]) -> Verdict:
    sure: Counter[str] = Counter()
    for case in cases:
        schema = case.get("schema")
        mended = mend(case["raw"], schema=None if schema is None else Schema(schema), coerce="full")
        if mended.valid and mended.confidence >= SURE and "expect" not in case:
            sure[collection.verdict(case, mended.text)] += 1
    return least(
        f"answers given with {SURE} or more", percent(sure["right"], sure.total()), 99, f"% of {sure.total()} right"
    )


def _made_up(rivals: list[Peer]) -> Iterator[Verdict]:
    _tell(f"{_MANY:,} made-up faults")
    made = list(faults.made_up(_MANY, seed=_SEED))
    peers = [ours("safe"), *rivals]
    right: dict[str, Counter[str]] = {peer.name: Counter() for peer in peers}
    wrong: Counter[str] = Counter()
    for peer in peers:
        for fault in made:
            answer = peer.repair(fault.text, None)
            verdict = collection.verdict({"expected": fault.value}, answer)
            right[peer.name][fault.kind] += verdict == "right"
            wrong[peer.name] += verdict in ("wrong", "invalid")
    kinds = Counter(fault.kind for fault in made)
    rows = [
        [kind, *(f"{percent(right[peer.name][kind], count):.0f}" for peer in peers)]
        for kind, count in sorted(kinds.items())
    ]
    rows.append(["all", *(f"{percent(right[peer.name].total(), _MANY):.1f}" for peer in peers)])
    rows.append(["silently wrong", *(f"{percent(wrong[peer.name], _MANY):.1f}" for peer in peers)])
    print(
        lines(
            f"{_MANY:,} documents with one made-up fault: right, in percent", ["", *(peer.name for peer in peers)], rows
        )
    )
    answers = [(fault, mend(fault.text)) for fault in made]
    sure = [
        json.loads(mended.text) == fault.value
        for fault, mended in answers
        if mended.valid and mended.confidence >= SURE
    ]
    yield least(
        f"made-up faults: answers with {SURE} or more", percent(sum(sure), len(sure)), 99, f"% of {len(sure)} right"
    )


def _patterns(rivals: list[Peer]) -> Iterator[Verdict]:
    _tell(f"{len(PATTERNS)} pathological patterns of 1 MB")
    rival = next((peer for peer in rivals if peer.name == "json_repair"), None)
    text = texts.broken(_MEGABYTE)
    limit = min(_timed(lambda: rival.repair(text, None), _MEGABYTE) for _ in range(3)) if rival else None
    took: dict[str, tuple[float, float]] = {}
    growth: dict[str, float] = {}
    failed = []
    for name, pattern in PATTERNS.items():
        one, two = (_alone(pattern, size) for size in (_MEGABYTE, 2 * _MEGABYTE))
        if one is None or two is None:
            failed.append(name)
            continue
        took[name] = one
        growth[name] = two[1] / one[1] if one[1] > _NOISE_MB else 1.0
    slowest = sorted(took, key=lambda name: -took[name][0])[:_KIND_SHOWN]
    rows = [[name, f"{took[name][0]:.2f} s", f"{took[name][1]:.0f} MB", f"{growth[name]:.1f}"] for name in slowest]
    print(lines(f"the slowest {_KIND_SHOWN} patterns", ["", "1 MB", "its memory", "of 2 MB, times"], rows))
    yield Verdict("patterns that end", f"{len(took)} of {len(PATTERNS)}", "all", met=not failed)
    slow = took[slowest[0]][0]
    if limit is None:
        yield Verdict("the slowest pattern", f"{slow:.2f} s", "json_repair's time for broken text", met=None)
    else:
        yield most("the slowest pattern, in json_repair's time for broken text", slow / limit, 1, "times")
    yield most("memory of 2 MB of a pattern, in that of 1 MB", max(growth.values()), 3, "times")


def _alone(pattern: Callable[[int], str], size: int) -> tuple[float, float] | None:
    """Seconds and additional MB, in a process of its own; None where it does not end well."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        text = pattern(size)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        took = _timed(lambda: mend(text), len(text))
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        os.write(writer, json.dumps([took, more]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return None if status or not said else tuple(json.loads(said))


def _timed(call: Callable[[], object], size: int) -> float:
    """Seconds for one call. Small texts are read many times over: one call is over before a clock says anything."""
    calls = max(_MEGABYTE // 4 // size, 1)
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - began) / calls


def _speed(rivals: list[Peer], largest: int) -> Iterator[Verdict]:
    peers = [ours("safe"), *rivals]
    rows = []
    for size in (size for size in _SIZES if size <= largest):
        _tell(f"broken text of {size:,} characters")
        text = texts.broken(size)
        rounds = 1 if size > _MEGABYTE else _ROUNDS
        took: dict[str, list[float]] = {peer.name: [] for peer in peers}
        for peer in peers:
            peer.repair(texts.broken(_SIZES[0]), None)
        for _ in range(rounds):
            for peer in peers:
                took[peer.name].append(_timed(partial(peer.repair, text, None), size))
        middle = {name: statistics.median(seconds) for name, seconds in took.items()}
        rows.append([f"{size:,}", *(f"{size / middle[peer.name] / 1e6:.2f}" for peer in peers)])
        if "json_repair" in middle:
            times = middle["json_repair"] / middle[peers[0].name]
            yield least(f"broken text, {size:,} characters", times, 3, "times json_repair's speed")
    print(lines("broken text, MB/s", ["characters", *(peer.name for peer in peers)], rows))


def _loaded_and_held(text: str, schema: Schema) -> bool:
    return schema.fits(json.loads(text))


def _valid(largest: int) -> Iterator[Verdict]:
    schema = Schema(texts.SCHEMA)
    for size in (size for size in _SIZES if size <= largest):
        _tell(f"valid text of {size:,} characters")
        text = texts.valid(size)
        plain, mine = [], []
        for _ in range(_ROUNDS):
            plain.append(_timed(partial(_loaded_and_held, text, schema), size))
            mine.append(_timed(partial(mend, text, schema=schema), size))
        times = statistics.median(mine) / statistics.median(plain)
        yield most(f"valid text, {len(text):,} characters", times, 2, "times json.loads and validation")


if __name__ == "__main__":
    sys.exit(main())
