"""``make lint`` and ``make test``: what a person wants to hear about first comes first."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_PYTHON = sys.executable

type Step = tuple[str, list[str]]

TEST: list[Step] = [
    ("tests", [_PYTHON, "-m", "coverage", "run", "-m", "pytest"]),
    ("branch coverage of opskit/ and bridge/", [_PYTHON, "-m", "coverage", "report"]),
]
LINT: list[Step] = [
    ("models, YAML and tools.lock say the same", [_PYTHON, "-m", "devtools.schemas", "check"]),
    ("lint", [_PYTHON, "-m", "ruff", "check"]),
    ("format", [_PYTHON, "-m", "ruff", "format", "--check"]),
    ("types", [_PYTHON, "-m", "mypy"]),
]


def run(steps: list[Step]) -> int:
    """Run the steps until one fails; say how long each took."""
    began = time.monotonic()
    for name, command in steps:
        print(f"── {name}", flush=True)
        step_began = time.monotonic()
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        took = time.monotonic() - step_began
        if status:
            print(f"── {name}: failed after {took:.1f} s", flush=True)
            return status
        print(f"── {name}: ok in {took:.1f} s", flush=True)
    print(f"── all of it took {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(run({"lint": LINT, "test": TEST}[sys.argv[1]]))
