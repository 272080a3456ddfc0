"""The work of opskit that is measured: ``python -m devtools.sales_bench.ours <what> <file> <times>``.

``analyze``: the figures of a file. ``calls``: the same many times, and what memory is resident after each.
``charts``: four pictures, and how long they took. Prints JSON, with its own peak of memory.
"""

import json
import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from devtools.sales_bench.data import DAYS, LAST_DAY
from opskit.sales import analyze, charts


def _analyze(path: str, _: int) -> dict[str, Any]:
    analysis = analyze(Path(path))
    quality = analysis.quality
    return {
        "sales": str(analysis.summary.total_sales),
        "orders": analysis.summary.total_orders,
        "quantity": str(analysis.summary.total_quantity),
        "accepted": quality.accepted_rows,
        "rejected": quality.rejected_by_reason,
    }


def _calls(path: str, times: int) -> dict[str, Any]:
    resident = []
    for _ in range(times):
        analyze(Path(path))
        resident.append(_kilobytes("VmRSS"))
    return {"resident_kb": resident}


def _charts(_path: str, _times: int) -> dict[str, Any]:
    """A quarter of days with a forecast, twelve products, seven regions, 300 products by rank."""
    days = [(LAST_DAY - timedelta(days=number), Decimal(90_000 + 7919 * number % 30_011)) for number in range(DAYS)]
    band = (Decimal(95_000), Decimal(60_000), Decimal(120_000))
    ahead = [(LAST_DAY + timedelta(days=number), *band) for number in range(1, 8)]
    products = [(f"商品 {number} 标准装 Large", Decimal(10_000_000) / (number + 3)) for number in range(300)]
    regions = [(name, Decimal(len(name) * 1000 + place)) for place, (name, _) in enumerate(products[:7])]
    total = sum((sales for _, sales in products), Decimal(0))
    began = time.perf_counter()
    pictures = [
        charts.trend(days, locale="zh_Hans", forecast=ahead),
        charts.products(products[:12], locale="zh_Hans", total=total),
        charts.regions(regions, locale="zh_Hans"),
        charts.pareto(products, locale="zh_Hans"),
    ]
    sizes = [len(charts.png(picture)) for picture in pictures]
    return {"seconds": time.perf_counter() - began, "bytes": sizes}


def _kilobytes(name: str) -> int:
    """A line of the process's status, such as VmHWM, the most memory that was ever resident."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))


def main() -> None:
    """Do it and print."""
    what, path, times = sys.argv[1:]
    work = {"analyze": _analyze, "calls": _calls, "charts": _charts}[what]
    found = work(path, int(times))
    print(json.dumps(found | {"peak_kb": _kilobytes("VmHWM")}))


if __name__ == "__main__":
    main()
