"""``make bench``: many apps asked at once by the real plugin process, at a stand-in that streams as Dify does.

Everything is a ratio within one run. "Slowest single" is the slowest of the same broadcast, from the first request to
it to its end, as ``app_broadcast`` tells it; beside it stands one app asked alone, for client, server and kernel share
the cores of this machine. Exits with 1 when a target is missed.
"""

import argparse
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools.plugin_process import PluginProcess
from devtools.sales_bench.table import Verdict, lines, most, targets

ROOT = Path(__file__).resolve().parent.parent
SIZES = (10, 50, 200)
LIMITS = {10: 1.03, 50: 1.05, 200: 1.12}
_EXTRA_MB = 15.0
_ROUNDS = 3
_AT_ONCE = 8
_AT_ONCE_LIMIT = 1.2
_DEADLINE_S = 1.0
_SLACK_S = 0.3


@dataclass(frozen=True, slots=True)
class Server:
    """A Dify in a process of its own: its address, and the keys of its apps."""

    url: str
    keys: Sequence[str]

    def asked(self, first: int, count: int, **given: Any) -> dict[str, Any]:
        """The parameters that ask ``count`` of its apps, from the one with the number ``first``."""
        names = "\n".join(f"app{number}={self.keys[number]}" for number in range(first, first + count))
        return {"query": "x", "app_keys": names, "base_url": self.url, "max_parallel": 200, **given}


@contextmanager
def serving(count: int, seconds: float, *, fault: str = "") -> Iterator[Server]:
    """A Dify with so many apps that stream for ``seconds``; the first run of the first one has a ``fault``."""
    options = ["--apps", str(count), "--seconds", str(seconds), *(["--fault", fault] if fault else [])]
    command = [sys.executable, "-m", "devtools.dify_server", *options]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the server has no pipes")
        url = process.stdout.readline().strip()
        yield Server(url, [process.stdout.readline().split()[0] for _ in range(count)])
        process.stdin.close()


@dataclass(frozen=True, slots=True)
class Asked:
    """One broadcast: its seconds, those of its slowest app, and the MB that it took at its peak beyond those before."""

    seconds: float
    slowest: float
    extra_mb: float
    succeeded: int

    @property
    def ratio(self) -> float:
        """Total ÷ slowest single."""
        return self.seconds / self.slowest


def ask(plugin: PluginProcess, parameters: dict[str, Any]) -> Asked:
    """One broadcast through the tool."""
    before = _memory(plugin, "VmRSS")
    found = plugin.invoke("app_broadcast", parameters).variables
    times = [answer["elapsed_ms"] for answer in found["answers"] if answer["status"] == "ok"]
    extra = max(_memory(plugin, "VmHWM") - before, 0.0)
    return Asked(found["elapsed_ms"] / 1000, max(times) / 1000, extra, found["succeeded"])


def at_once(plugin: PluginProcess, server: Server, count: int) -> tuple[float, int]:
    """``count`` broadcasts of as many apps each: the seconds of the slowest, and how many answers there were."""
    found: list[Asked] = []
    asked = [server.asked(number * count, count) for number in range(count)]
    threads = [threading.Thread(target=lambda one=one: found.append(ask(plugin, one))) for one in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max((one.seconds for one in found), default=0.0), sum(one.succeeded for one in found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say which targets are met."""
    options = argparse.ArgumentParser(prog="python -m devtools.broadcast_bench")
    options.add_argument("--seconds", type=float, default=2.0, help="duration of a stream")
    options.add_argument("--largest", type=int, default=SIZES[-1], help="the largest number of apps")
    chosen = options.parse_args(arguments)
    sizes = [size for size in SIZES if size <= chosen.largest]
    verdicts: list[Verdict] = []
    with serving(max(*sizes, _AT_ONCE**2), chosen.seconds) as server:
        rows = [_row(server, size, verdicts) for size in sizes]
        with PluginProcess(ROOT) as plugin:
            alone = ask(plugin, server.asked(0, 1))
            loop = ask(plugin, server.asked(0, sizes[0], max_parallel=1, deadline_s=550))
            one = min(ask(plugin, server.asked(0, _AT_ONCE)).seconds for _ in range(_ROUNDS))
            together, answers = min((at_once(plugin, server, _AT_ONCE) for _ in range(_ROUNDS)), key=lambda run: run[0])
    rows += [
        ["1, alone", f"{alone.seconds:.2f}", f"{alone.slowest:.2f}", f"{alone.ratio:.3f}", ""],
        [f"{sizes[0]}, one after the other", f"{loop.seconds:.2f}", "", "", ""],
    ]
    print(lines(f"apps that stream for {chosen.seconds:g} s", ("", "total s", "slowest s", "ratio", "+MB"), rows))
    verdicts.append(most(f"{_AT_ONCE} broadcasts of {_AT_ONCE} at once ÷ one", together / one, _AT_ONCE_LIMIT, "times"))
    lost = _AT_ONCE**2 - answers
    verdicts.append(Verdict("answers that were lost in that", str(lost), "0", met=lost == 0))
    verdicts.append(_with_one_that_hangs())
    print(targets(verdicts, "app broadcast"))
    return int(any(verdict.met is False for verdict in verdicts))


def _row(server: Server, size: int, verdicts: list[Verdict]) -> list[str]:
    """The best of some rounds, each in a new process: memory that was used once is not given back."""
    rounds = []
    for _ in range(_ROUNDS):
        with PluginProcess(ROOT) as plugin:
            ask(plugin, server.asked(0, 1))
            rounds.append(ask(plugin, server.asked(0, size)))
    best = min(rounds, key=lambda one: one.ratio)
    verdicts.append(most(f"{size} apps: total ÷ slowest single", best.ratio, LIMITS[size], "times"))
    if size == SIZES[-1]:
        verdicts.append(most(f"{size} apps: memory beyond that of one", best.extra_mb, _EXTRA_MB, "MB"))
    lost = size - best.succeeded
    if lost:
        verdicts.append(Verdict(f"{size} apps: answers lost", str(lost), "0", met=False))
    return [str(size), f"{best.seconds:.2f}", f"{best.slowest:.2f}", f"{best.ratio:.3f}", f"{best.extra_mb:.1f}"]


def _with_one_that_hangs() -> Verdict:
    with serving(5, 0.5, fault="hang") as server, PluginProcess(ROOT) as plugin:
        asked = ask(plugin, server.asked(0, 5, deadline_s=_DEADLINE_S))
    what = f"deadline {_DEADLINE_S:g} s, one of five hangs: {asked.succeeded} answers after"
    within = asked.seconds <= _DEADLINE_S + _SLACK_S
    measured, target = f"{asked.seconds:.3g} s", f"4 at ≤ {_DEADLINE_S + _SLACK_S:.3g}"
    return Verdict(what, measured, target, met=within and asked.succeeded == 4)  # noqa: PLR2004 - all but the one


def _memory(plugin: PluginProcess, name: str) -> float:
    """MB of the plugin, resident now (VmRSS) or at its highest (VmHWM)."""
    status = Path(f"/proc/{plugin.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith(f"{name}:")).split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
