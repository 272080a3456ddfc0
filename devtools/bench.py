"""``make bench``: what the plugin costs beside an empty one, measured in turn in the same run.

The machine may be busy: each figure is the median of several rounds in which both plugins take turns, and the
verdict is about the two side by side. Exits with 1 when a target is missed.
"""

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

from devtools.plugin_process import PluginProcess

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7
CALLS = 300
_PARTS = ("manifest.yaml", "main.py", "_assets", "provider", "tools", "group", "endpoints", "bridge", "opskit")
_WORDS = {"en_US": "noop"}


@dataclass(frozen=True, slots=True)
class Figures:
    """One round with one plugin: seconds to ready, MB resident when idle, and milliseconds for a call."""

    ready_s: float
    idle_mb: float
    call_ms: float


@dataclass(frozen=True, slots=True)
class Target:
    """A figure, how ours is held against the empty plugin's, and the most it may be."""

    name: str
    field: str
    unit: str
    compare: Callable[[float, float], float]
    comparison: str
    most: float


TARGETS = (
    Target("ready", "ready_s", "s", lambda ours, empty: ours / empty, "times", 2.0),
    Target("idle memory", "idle_mb", "MB", lambda ours, empty: ours - empty, "MB more", 50.0),
    Target("no-op call", "call_ms", "ms", lambda ours, empty: ours - empty, "ms more", 5.0),
)


def main() -> int:
    """Measure, print, and say which targets are met."""
    with tempfile.TemporaryDirectory(prefix="opskit-bench-") as folder:
        roots = {"empty": empty_plugin(Path(folder) / "empty"), "ours": our_plugin(Path(folder) / "ours")}
        rounds: dict[str, list[Figures]] = {"empty": [], "ours": []}
        for number in range(1, ROUNDS + 1):
            for name, root in roots.items():
                rounds[name].append(_measure(root))
            print(f"round {number}/{ROUNDS} done", file=sys.stderr, flush=True)
    return report(rounds)


def _measure(root: Path) -> Figures:
    with PluginProcess(root) as plugin:
        idle_mb = _resident_mb(plugin.pid)
        plugin.invoke("noop", {"text": "x"})
        took = [_timed(lambda: plugin.invoke("noop", {"text": "x"})) for _ in range(CALLS)]
        return Figures(plugin.ready_s, idle_mb, statistics.median(took) * 1000)


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]
    return int(kilobytes) / 1024


def report(rounds: dict[str, list[Figures]]) -> int:
    """One line for each target; medians, with the range in brackets."""
    print(f"\nmedians of {ROUNDS} rounds in turn, {CALLS} calls each")
    print(f"{'':14}{'empty plugin':>26}{'opskit':>26}{'compared':>18}{'target':>18}")
    missed = 0
    for target in TARGETS:
        values = {name: [getattr(figures, target.field) for figures in rounds[name]] for name in rounds}
        medians = {name: statistics.median(measured) for name, measured in values.items()}
        compared = target.compare(medians["ours"], medians["empty"])
        met = compared <= target.most
        missed += not met
        cells = [
            f"{medians[name]:.2f} {target.unit} ({min(values[name]):.2f}…{max(values[name]):.2f})"
            for name in ("empty", "ours")
        ]
        print(
            f"{target.name:14}{cells[0]:>26}{cells[1]:>26}{f'{compared:.2f} {target.comparison}':>18}"
            f"{f'≤ {target.most:g} ' + ('met' if met else 'MISSED'):>18}"
        )
    return 1 if missed else 0


def our_plugin(root: Path) -> Path:
    """The plugin as it is, with one tool more that does nothing but cross the bridge."""
    root.mkdir()
    for part in _PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / part)
    (root / "opskit" / "noop.py").write_text(
        dedent("""\
        from opskit.model import Params, Result

        class Nothing(Params):
            text: str

        class Done(Result):
            done: bool
        """),
        encoding="utf-8",
    )
    adapter = """\
        from dify_plugin import Tool

        import bridge
        from opskit import noop

        class NoopTool(Tool):
            takes = noop.Nothing
            gives = noop.Done

            def _invoke(self, tool_parameters):
                with bridge.boundary(self, tool_parameters):
                    nothing = bridge.parse(self.takes, tool_parameters)
                    yield from bridge.reply(self, noop.Done(done=True, report=nothing.text))
        """
    return _with_noop(root, adapter)


def empty_plugin(root: Path) -> Path:
    """The least that the SDK starts: a manifest, a provider, and a tool that gives its text back."""
    (root / "provider").mkdir(parents=True)
    (root / "tools").mkdir()
    shutil.copytree(ROOT / "_assets", root / "_assets")
    for name in ("manifest.yaml", "main.py"):
        shutil.copy(ROOT / name, root / name)
    provider = yaml.safe_load((ROOT / "provider" / "opskit.yaml").read_text(encoding="utf-8"))
    (root / "provider" / "opskit.yaml").write_text(yaml.safe_dump(provider | {"tools": []}), encoding="utf-8")
    shutil.copy(ROOT / "provider" / "opskit.py", root / "provider" / "opskit.py")
    adapter = """\
        from dify_plugin import Tool

        class NoopTool(Tool):
            def _invoke(self, tool_parameters):
                yield self.create_text_message(tool_parameters["text"])
        """
    return _with_noop(root, adapter)


def _with_noop(root: Path, adapter: str) -> Path:
    """Add the tool ``noop`` to the plugin in ``root``."""
    path = root / "provider" / "opskit.yaml"
    provider = yaml.safe_load(path.read_text(encoding="utf-8"))
    provider["tools"].append("tools/noop.yaml")
    path.write_text(yaml.safe_dump(provider), encoding="utf-8")
    declaration: dict[str, Any] = {
        "identity": {"name": "noop", "author": "opskit", "label": _WORDS},
        "description": {"human": _WORDS, "llm": "noop"},
        "parameters": [{"name": "text", "type": "string", "form": "llm", "label": _WORDS, "human_description": _WORDS}],
        "extra": {"python": {"source": "tools/noop.py"}},
    }
    (root / "tools" / "noop.yaml").write_text(yaml.safe_dump(declaration), encoding="utf-8")
    (root / "tools" / "noop.py").write_text(dedent(adapter), encoding="utf-8")
    return root


if __name__ == "__main__":
    sys.exit(main())
