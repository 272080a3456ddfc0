import http.server
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from devtools import listener
from devtools.dify_server import DifyServer
from devtools.plugin_process import PluginProcess
from devtools.plugin_storage import PluginStorage
from opskit.dify.console import exchange

# On CI the examples are always the same: a red build is the change's fault, not the dice's.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def plugin() -> Iterator[PluginProcess]:
    """The plugin as Dify runs it, one process for all tests that only call it."""
    with PluginProcess(ROOT, answer=PluginStorage()) as running:
        yield running


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that keeps its log to itself."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a server of the files in ``tmp_path``."""
    serve = partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Path]:
    """Makes certificates for a name and so many days; none is ever stored."""
    if not listener.has_openssl():
        pytest.skip("no openssl to make a certificate with")
    return partial(listener.certificate, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server() -> Iterator[DifyServer]:
    """A Dify for all tests of a module."""
    with DifyServer() as running:
        yield running


@pytest.fixture
def dify(server: DifyServer) -> DifyServer:
    """The same, as if nothing had been asked of its console."""
    server.console.faults.forget()
    server.console.calls.clear()
    server.console.door.role = "owner"
    server.console.routes.daemon = True
    return server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Where a fault is that no answer comes, it is not waited for as long as usual; a slow answer is no fault."""

    def wait(fault: str) -> None:
        if fault.startswith("timeout"):
            monkeypatch.setattr(exchange, "CALL_S", 0.5)

    return wait
