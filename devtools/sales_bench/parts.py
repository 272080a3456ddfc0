"""What is measured besides the contest with the reference."""

import statistics
from collections.abc import Callable
from decimal import Decimal

from devtools.sales_bench import data
from devtools.sales_bench.contest import SLOW_S, ours
from devtools.sales_bench.environments import CACHE, costs
from devtools.sales_bench.processes import Measured
from devtools.sales_bench.table import Verdict, lines, most, shown
from devtools.sales_bench.truth import truth
from devtools.sales_bench.waiting import waited

LARGEST_MB = 320
CALLS = 30
_MOST_TIMES, _MOST_CHARTS_S, _MOST_GROWTH_MB, _MOST_WAIT_S, _MOST_DISK_MB = 4, 0.5, 10, 0.2, 190
_ROUNDS = 2
_WORTH_A_LINE_MB = 1

type Tell = Callable[[str], None]


def messy(rows: int, tell: Tell) -> list[Verdict]:
    """A file with 4 % odd rows: exact, every row accounted for, within time and memory."""
    name = f"{rows:,} messy rows"
    clean, odd = data.sample(CACHE, rows, messy=False), data.sample(CACHE, rows, messy=True)
    tell(f"{name}: the slow pass")
    right = truth(odd.path)
    if right != odd.account:
        raise ValueError(f"the benchmark is broken: {odd.account} was written, and {right} read")
    rounds: list[tuple[Measured, Measured]] = []
    for number in range(1, _ROUNDS + 1):
        if rounds and rounds[0][1].seconds > SLOW_S:
            break
        tell(f"{name}, round {number}/{_ROUNDS}")
        rounds.append((ours("analyze", clean.path), ours("analyze", odd.path)))
    times = min(each.seconds for _, each in rounds) / min(each.seconds for each, _ in rounds)
    peak = max(each.peak_mb for _, each in rounds)
    said = rounds[0][1].said
    kinds = sorted(right.rejected | said["rejected"])
    accounts = [
        ("sales of the last day", shown(right.sales), shown(said["sales"])),
        ("orders", f"{right.orders:,}", f"{said['orders']:,}"),
        ("quantity", shown(right.quantity), shown(said["quantity"])),
        ("accepted rows", f"{right.accepted:,}", f"{said['accepted']:,}"),
        *((f"rejected: {kind}", f"{right.rejected[kind]:,}", f"{said['rejected'].get(kind, 0):,}") for kind in kinds),
    ]
    heading = f"{name} ({odd.megabytes:.0f} MB), one in {data.ODD} odd in one of {len(data.ODDITIES)} ways"
    print(lines(heading, ("", "slow pass", "opskit"), accounts))
    sums = (Decimal(said["sales"]), said["orders"], Decimal(said["quantity"]))
    account = (said["accepted"], said["rejected"])
    told = said["accepted"] + sum(said["rejected"].values())
    return [
        _exact(f"{name}: figures", sums == (right.sales, right.orders, right.quantity)),
        Verdict(
            f"{name}: rows accounted for",
            f"{told:,}",
            f"{rows:,}, by reason",
            met=told == rows and account == (right.accepted, dict(right.rejected)),
        ),
        most(f"{name}: memory", peak, LARGEST_MB, "MB"),
        most(f"{name}: time", times, _MOST_TIMES, "times the clean file"),
    ]


def _exact(what: str, met: bool) -> Verdict:  # noqa: FBT001
    return Verdict(what, "as the slow pass" if met else "not as the slow pass", "exact", met=met)


def charts(tell: Tell) -> list[Verdict]:
    """Four pictures in a fresh process, the library's loading among them."""
    tell("four PNG charts")
    seconds = min(ours("charts").said["seconds"] for _ in range(_ROUNDS))
    return [most("four PNG charts", seconds, _MOST_CHARTS_S, "s")]


def calls(rows: int, tell: Tell) -> list[Verdict]:
    """Many analyses in one process: what is resident after the last, less what was after the first."""
    tell(f"{CALLS} calls in one process, {rows:,} rows each")
    resident = ours("calls", data.sample(CACHE, rows, messy=False).path, CALLS).said["resident_kb"]
    shown = [resident[0], resident[len(resident) // 3], resident[2 * len(resident) // 3], resident[-1]]
    words = " … ".join(f"{each / 1024:.0f}" for each in shown)
    print(lines(f"{CALLS} calls in one process, {rows:,} rows each", ("", ""), [("MB resident after them", words)]))
    return [most(f"{CALLS} calls: growth", (resident[-1] - resident[0]) / 1024, _MOST_GROWTH_MB, "MB")]


def waiting(rows: int, tell: Tell) -> list[Verdict]:
    """Another call in the real plugin, while it fetches and reads a large file."""
    tell(f"other calls while {rows:,} rows are read")
    sample = data.sample(CACHE, rows, messy=False)
    found = waited(sample)
    words = [
        ("the large call", f"{found.seconds:.1f} s"),
        ("other calls", f"{len(found.others):,}"),
        ("median of these", f"{statistics.median(found.others) * 1000:.0f} ms"),
        ("longest of these", f"{max(found.others) * 1000:.0f} ms"),
        ("memory of the plugin at most", f"{found.peak_mb:.0f} MB"),
    ]
    print(lines(f"another call in the plugin while it fetches and reads {rows:,} rows", ("", ""), words))
    right = found.orders == sample.account.orders
    waits = most(f"another call during {rows:,} rows", max(found.others), _MOST_WAIT_S, "s")
    return [waits if right else Verdict(waits.what, "the large call is wrong", waits.target, met=False)]


def disk(tell: Tell) -> list[Verdict]:
    """What the package needs on disk beside the SDK."""
    tell("what each dependency costs on disk")
    found = costs()
    large = {name: size for name, size in found.each_mb.items() if size >= _WORTH_A_LINE_MB}
    rest = sum(found.each_mb.values()) - sum(large.values())
    words = [*large.items(), (f"{len(found.each_mb) - len(large)} smaller ones", rest)]
    rows = [
        ("the SDK and what it needs", f"{found.sdk_mb:.1f} MB"),
        *((name, f"+ {size:.1f} MB") for name, size in words),
    ]
    print(lines("on disk, as installed by uv, without byte code", ("", ""), rows))
    return [most("added to an SDK-only environment", found.all_mb - found.sdk_mb, _MOST_DISK_MB, "MB on disk")]
