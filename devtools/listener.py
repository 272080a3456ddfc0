"""Somebody who listens at an address on this machine, by http or https, and keeps what arrived."""

import contextlib
import itertools
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_NUMBERS = itertools.count()


class Listener(ThreadingHTTPServer):
    """Answers with one status after the other, the last one for ever; keeps what arrived."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None, tls: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = list(statuses) or [200]
        self.headers = headers or {}
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://localhost:{self.server_address[1]}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust us is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_GET(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0])
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: object) -> None:
        """Quiet."""


def listening(*statuses: int, **options: Any) -> contextlib.AbstractContextManager[Listener]:
    """A listener, until the end of the block; its arguments are those of ``Listener``."""
    return serving(Listener(*statuses, **options))


@contextlib.contextmanager
def serving[Server: ThreadingHTTPServer](server: Server) -> Iterator[Server]:
    """A server in a thread of its own, until the end of the block."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def has_openssl() -> bool:
    """Whether ``certificate`` can make one."""
    return shutil.which("openssl") is not None


def certificate(folder: Path, name: str, days: int) -> Path:
    """A certificate for a host's name and so many days, signed by itself, with its key in front."""
    path = folder / f"{next(_NUMBERS)}.pem"
    key, wish = path.with_suffix(".key"), path.with_suffix(".csr")
    openssl = shutil.which("openssl") or "openssl"
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}")
    alternative = ("-addext", f"subjectAltName=DNS:{name}")
    command: list[str | Path] = [openssl, "req", *new, *alternative, "-keyout", key, "-out", wish]
    subprocess.run(command, check=True, capture_output=True)
    signing = ("-signkey", key, "-days", str(days), "-copy_extensions", "copy")
    command = [openssl, "x509", "-req", "-in", wish, *signing, "-out", path]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(key.read_bytes() + path.read_bytes())
    return path
