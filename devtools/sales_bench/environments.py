"""Private environments under ``.cache``, made with uv: what is measured must not change what developers work in."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

from devtools.sales_bench.processes import ROOT, Failed

CACHE = ROOT / ".cache" / "sales-bench"
_LOCK = ROOT / "requirements.txt"
_BLOCK = 512  # bytes, the unit of st_blocks
_STAMP = ".made-of"


@dataclass(frozen=True, slots=True)
class Costs:
    """MB on disk: an environment with the SDK alone, with everything, and each distribution that comes on top."""

    sdk_mb: float
    all_mb: float
    each_mb: dict[str, float]


def environment(name: str, *requirements: str) -> Path:
    """The Python of an environment with these requirements, pinned by the lock where it knows them; Failed without."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    wanted = "\n".join([sys.version, *requirements, _LOCK.read_text(encoding="utf-8")])
    stamp = folder / _STAMP
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
    _run([uv, "pip", "install", "--quiet", "--python", str(python), "--constraints", str(_LOCK), *requirements])
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"UV_LINK_MODE": "copy"})
    except FileNotFoundError:
        raise Failed("uv is not here: `make setup` brings it") from None
    except subprocess.CalledProcessError as error:
        raise Failed(error.stderr.strip().partition("\n")[0][:120]) from None


def costs() -> Costs:
    """What the locked dependencies add to an environment that holds the SDK; as installed, without byte code."""
    sdk = _packages(environment("sdk", "dify-plugin"))
    everything = _packages(environment("all", "--requirements", str(_LOCK)))
    before, after = _sizes(sdk), _sizes(everything)
    each = {name: size for name, size in after.items() if name not in before}
    return Costs(_size(sdk), _size(everything), dict(sorted(each.items(), key=lambda item: -item[1])))


def _packages(python: Path) -> Path:
    [folder] = (python.parent.parent / "lib").glob("python*/site-packages")
    return folder


def _size(folder: Path) -> float:
    """MB on disk of everything below, as du counts."""
    return sum(path.lstat().st_blocks for path in folder.rglob("*")) * _BLOCK / 1e6


def _sizes(folder: Path) -> dict[str, float]:
    """MB on disk of each distribution, by the files that its RECORD lists."""
    found = {}
    for record in folder.glob("*.dist-info/RECORD"):
        name = message_from_string((record.parent / "METADATA").read_text(encoding="utf-8"))["Name"]
        paths = [folder / line.partition(",")[0].strip('"') for line in record.read_text(encoding="utf-8").splitlines()]
        found[name] = sum(path.lstat().st_blocks for path in paths if path.exists()) * _BLOCK / 1e6
    return found
