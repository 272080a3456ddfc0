"""``python -m devtools.mixer --files N --seed S``: judge N files; 1 where one of them is read wrong in silence."""

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from devtools.mixer.examiner import VERDICTS, Verdict, judged
from devtools.mixer.plan import Plan, plan_of, table_of

SEED = 20_260_301


def main() -> int:
    """Judge, and say what was found."""
    parser = argparse.ArgumentParser(prog="python -m devtools.mixer", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="how many files")
    parser.add_argument("--seed", type=int, default=SEED, help="the first one's seed")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--shrink", action="store_true", help="find the smallest file with the same verdict")
    parser.add_argument("--save", type=Path, help="write the files that are not right into this folder")
    parser.add_argument("--quiet", action="store_true", help="only the counts and what is silently wrong")
    asked = parser.parse_args()
    counts: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    with ProcessPoolExecutor(asked.jobs) as pool:
        plans = map(plan_of, range(asked.seed, asked.seed + asked.files))
        for verdict in pool.map(judged, plans, chunksize=4):
            counts[verdict.kind] += 1
            refusals.update(verdict.problems if verdict.kind == "refused" else [])
            if verdict.kind in {"right", "refused"} or (asked.quiet and verdict.kind not in {"SILENT", "CRASH"}):
                continue
            smallest = shrunk(verdict) if asked.shrink else verdict
            print(smallest, flush=True)
            if asked.save:
                _save(smallest.plan, asked.save / verdict.kind)
    print(", ".join(f"{kind} {counts[kind]}" for kind in VERDICTS if counts[kind]))
    print("refused:", ", ".join(f"{code} {count}" for code, count in refusals.most_common()) or "none")
    return int(counts["SILENT"] + counts["CRASH"] > 0)


def shrunk(verdict: Verdict) -> Verdict:
    """The same verdict on a file with fewer defects, and then with fewer rows."""
    smaller = True
    while smaller:
        smaller = False
        for name in verdict.plan.defects:
            other = judged(verdict.plan.without(name))
            if other.kind == verdict.kind:
                verdict, smaller = other, True
                break
    for count in range(1, min(verdict.plan.count, 12)):
        other = judged(replace(verdict.plan, count=count))
        if other.kind == verdict.kind:
            return other
    return verdict


def _save(plan: Plan, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table, data = table_of(plan)
    (folder / f"{plan.seed}{table.suffix}").write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
