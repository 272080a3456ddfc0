"""How long another call waits in the real plugin process while a large file is read."""

import functools
import http.server
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from devtools import bench
from devtools.plugin_process import PluginProcess
from devtools.sales_bench.data import Sample

_PAUSE_S = 0.01  # between two of the other calls
_MOST_MB = 2000  # the largest file that the tool takes
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Waited:
    """Seconds that the large call took, what it found, and the seconds of each of the other calls."""

    seconds: float
    orders: int
    others: list[float]
    peak_mb: float


def waited(sample: Sample) -> Waited:
    """``sales_analysis`` reads the file from a link while a call that does nothing is made again and again."""
    with tempfile.TemporaryDirectory(prefix="opskit-bench-") as folder, _served(sample.path.parent) as port:
        root = bench.our_plugin(Path(folder) / "ours")
        with PluginProcess(root) as plugin:
            address = f"http://{_HOST}:{port}/{sample.path.name}"
            found: list[int] = []
            call = threading.Thread(target=_analyze, args=(plugin, address, found))
            plugin.invoke("noop", {"text": "warm"})
            began = time.perf_counter()
            call.start()
            others = list(_others(plugin, call))
            call.join()
            seconds = time.perf_counter() - began
            status = Path(f"/proc/{plugin.pid}/status").read_text(encoding="ascii")
            peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024
            return Waited(seconds, found[0] if found else 0, others, peak)


def _analyze(plugin: PluginProcess, address: str, found: list[int]) -> None:
    parameters = {"file_url": address, "allow_private": True, "max_mb": _MOST_MB, "charts": "both"}
    found.append(plugin.invoke("sales_analysis", parameters).variables["summary"]["total_orders"])


def _others(plugin: PluginProcess, call: threading.Thread) -> Iterator[float]:
    """The seconds of one small call after the other, as long as the large one lasts."""
    while call.is_alive():
        began = time.perf_counter()
        plugin.invoke("noop", {"text": "x"})
        yield time.perf_counter() - began
        time.sleep(_PAUSE_S)


@contextmanager
def _served(folder: Path) -> Iterator[int]:
    """A web server for the files of a folder, in a process of its own so as not to slow what is timed; its port."""
    mine, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(folder, its), daemon=True)
    process.start()
    try:
        yield mine.recv()
    finally:
        process.terminate()
        process.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing."""


def _serve(folder: Path, port: Connection) -> None:
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer((_HOST, 0), handler) as server:
        port.send(server.server_address[1])
        server.serve_forever()
