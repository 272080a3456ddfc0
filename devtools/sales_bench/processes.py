"""A whole process, from its start to its end."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_LONGEST_S = 1800
# As a plugin runs: its modules are compiled once, not at each start. What compiles them is the first round.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Failed(Exception):
    """A process that did not end well; the text says why."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds on the wall, MB resident at the most (VmHWM), and what it printed."""

    seconds: float
    peak_mb: float
    said: dict[str, Any]


def measured(python: Path, *arguments: str) -> Measured:
    """A Python process that prints one JSON object with its ``peak_kb``; Failed where it does not."""
    began = time.perf_counter()
    try:
        done = subprocess.run(
            [python, *arguments],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            env=_ENVIRONMENT,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"not done after {_LONGEST_S} s") from None
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().rpartition("\n")[2] or f"ended with {error.returncode}"
        raise Failed(f"{last[:120]}") from None
    seconds = time.perf_counter() - began
    said = json.loads(done.stdout.splitlines()[-1])
    return Measured(seconds, said["peak_kb"] / 1024, said)
