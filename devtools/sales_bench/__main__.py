"""``make bench ROWS=…``, or ``python -m devtools.sales_bench --help``. Exits with 1 when a target is missed."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from devtools.sales_bench import parts
from devtools.sales_bench.contest import compared, contest
from devtools.sales_bench.processes import Failed
from devtools.sales_bench.table import Verdict, targets

LARGE, SMALL, CALLED = 10_000_000, 1_000_000, 300_000
_HALF, _SIXTH = 1 / 2, 1 / 6
_NEEDS_NETWORK = "disk"

type Part = Callable[[parts.Tell], list[Verdict]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say which targets are met."""
    parser = argparse.ArgumentParser(
        prog="python -m devtools.sales_bench", description="What the sales analysis costs."
    )
    parser.add_argument("--rows", type=int, default=LARGE, help=f"rows of the large file, default {LARGE:,}")
    parser.add_argument(
        "--only", default="", help="parts, separated by commas: clean, messy, charts, calls, waiting, disk"
    )
    parser.add_argument("--offline", action="store_true", help="make no environments: without pyarrow, without disk")
    options = parser.parse_args(arguments)
    chosen = _parts(options.rows, offline=options.offline)
    if unknown := set(filter(None, options.only.split(","))) - chosen.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    found: list[Verdict] = []
    for name, part in chosen.items():
        if not options.only or name in options.only.split(","):
            try:
                found += part(_tell)
            except Failed as error:
                found.append(Verdict(name, str(error), "", met=None if name == _NEEDS_NETWORK else False))
    print(targets(found))
    return 1 if any(each.met is False for each in found) else 0


def _parts(rows: int, *, offline: bool) -> dict[str, Part]:
    """What can be measured, by name, in the order in which it is."""
    return {
        "clean": partial(_clean, min(rows, SMALL), rows, offline),
        "messy": partial(parts.messy, rows),
        "charts": parts.charts,
        "calls": partial(parts.calls, min(rows, CALLED)),
        "waiting": partial(parts.waiting, rows),
        "disk": partial(_disk, offline),
    }


def _clean(small: int, large: int, offline: bool, tell: parts.Tell) -> list[Verdict]:  # noqa: FBT001
    found = []
    for rows in dict.fromkeys((small, large)):
        seen = contest(rows, offline=offline, tell=tell)
        print(seen.text())
        whole = rows == large
        found += compared(seen, largest_mb=parts.LARGEST_MB if whole else None, share=_SIXTH if whole else _HALF)
    return found


def _disk(offline: bool, tell: parts.Tell) -> list[Verdict]:  # noqa: FBT001
    if offline:
        raise Failed("no environment is made offline")
    return parts.disk(tell)


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
