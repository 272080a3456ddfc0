import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from opskit import http
from opskit.errors import InvalidInput, Refused, Unavailable
from opskit.http import Reach

PUBLIC, PRIVATE, INTERNAL = Reach.PUBLIC, Reach.PRIVATE, Reach.INTERNAL


@pytest.mark.parametrize(
    ("address", "reach", "allowed"),
    [
        ("93.184.216.34", PUBLIC, True),
        ("2606:4700::1111", PUBLIC, True),
        ("10.0.0.1", PUBLIC, False),
        ("10.0.0.1", INTERNAL, True),
        ("127.0.0.1", PUBLIC, False),
        ("127.0.0.1", INTERNAL, True),
        ("::1", PUBLIC, False),
        ("::1", INTERNAL, True),
        ("fd12::1", PUBLIC, False),
        ("100.64.0.1", PUBLIC, False),
        ("169.254.169.254", INTERNAL, False),
        ("169.254.169.254", PRIVATE, False),
        ("93.184.216.34", PRIVATE, False),
        ("93.184.216.34", INTERNAL, True),
        ("10.0.0.1", PRIVATE, True),
        ("::1", PRIVATE, True),
        ("fe80::1", INTERNAL, False),
        ("100.100.100.200", INTERNAL, False),
        ("168.63.129.16", INTERNAL, False),
        ("192.0.0.192", INTERNAL, False),
        ("fd00:ec2::254", INTERNAL, False),
        ("0.0.0.0", INTERNAL, False),
        ("224.0.0.1", INTERNAL, False),
        ("::ffff:169.254.169.254", INTERNAL, False),
        ("::ffff:10.0.0.1", PUBLIC, False),
        ("64:ff9b::a9fe:a9fe", INTERNAL, False),
        ("64:ff9b::5db8:d822", PUBLIC, True),
        ("2002:a9fe:a9fe::1", INTERNAL, False),
        ("2001:0:4136:e378:8000:63bf:5601:5601", INTERNAL, False),
    ],
)
def test_metadata_and_link_local_are_never_reached_and_private_ones_only_inside(
    address: str,
    reach: Reach,
    allowed: bool,  # noqa: FBT001
) -> None:
    assert http.allowed(ipaddress.ip_address(address), reach) is allowed


class Request(BaseHTTPRequestHandler):
    handle_get: Callable[["Request"], None]

    def do_GET(self) -> None:
        type(self).handle_get(self)

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)


@contextlib.contextmanager
def serving(handle: Callable[[Request], None]) -> Iterator[str]:
    handler = type("Handler", (Request,), {"handle_get": staticmethod(handle)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def fetch(url: str, to: Path, *, max_bytes: int = 1000, deadline_s: float = 10, reach: Reach = INTERNAL) -> bytes:
    http.download(url, to, max_bytes=max_bytes, deadline_s=deadline_s, reach=reach)
    return to.read_bytes()


def test_a_file_is_streamed_to_disk(tmp_path: Path) -> None:
    with serving(lambda request: request.answer(200, b"a,b\n" * 200)) as url:
        assert fetch(url, tmp_path / "f") == b"a,b\n" * 200


def test_a_file_over_the_cap_is_refused(tmp_path: Path) -> None:
    with (
        serving(lambda request: request.answer(200, b"x" * 1001)) as url,
        pytest.raises(InvalidInput, match="too_large"),
    ):
        fetch(url, tmp_path / "f")


@pytest.mark.parametrize("status", [404, 500, 204])
def test_an_answer_without_the_file_is_unavailable(tmp_path: Path, status: int) -> None:
    with serving(lambda request: request.answer(status)) as url, pytest.raises(Unavailable, match=f"HTTP {status}"):
        fetch(url, tmp_path / "f")


@pytest.mark.parametrize(
    "url", ["/files/1/file-preview?sign=x", "files/x", "ftp://host/x", "file:///etc/passwd", "http:///x"]
)
def test_an_incomplete_address_names_the_setting_to_mend(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidInput, match="FILES_URL"):
        fetch(url, tmp_path / "f")


def test_a_private_address_is_refused_where_only_public_ones_are_allowed(tmp_path: Path) -> None:
    hits: list[str] = []
    with serving(lambda request: hits.append(request.path)) as url, pytest.raises(Refused, match="address_refused"):
        fetch(url, tmp_path / "f", reach=PUBLIC)
    assert hits == []


def test_a_name_that_leads_to_a_private_address_is_refused_before_a_connection(tmp_path: Path) -> None:
    hits: list[str] = []
    with serving(lambda request: hits.append(request.path)) as url, pytest.raises(Refused, match="localhost"):
        fetch(url.replace("127.0.0.1", "localhost"), tmp_path / "f", reach=PUBLIC)
    assert hits == []


def test_the_address_judged_is_the_one_connected_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(answers))  # a second look-up would fail
    connected: list[object] = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(address)
        raise OSError

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises(Unavailable):
        fetch("http://rebinding.example/x", tmp_path / "f", reach=PUBLIC)
    assert connected == [("93.184.216.34", 80)]


def test_the_next_address_of_a_name_is_tried_when_the_first_is_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda request: request.answer(200, request.headers["Host"].encode())) as url:
        port = int(url.rpartition(":")[2])
        addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("127.0.0.2", "127.0.0.1")]
        real = socket.getaddrinfo

        def resolve(host: str, *given: Any, **options: Any) -> Any:
            return addresses if host == "two.example" else real(host, *given, **options)

        monkeypatch.setattr(socket, "getaddrinfo", resolve)  # nothing listens on the first
        assert fetch(f"http://two.example:{port}/", tmp_path / "f") == f"two.example:{port}".encode()


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/meta-data", "http://[::ffff:169.254.169.254]/"])
def test_a_redirect_to_metadata_is_refused(tmp_path: Path, location: str) -> None:
    with serving(lambda request: request.answer(302, Location=location)) as url, pytest.raises(Refused):
        fetch(url, tmp_path / "f")


def test_a_redirect_to_a_file_scheme_is_refused(tmp_path: Path) -> None:
    with serving(lambda request: request.answer(302, Location="file:///etc/passwd")) as url, pytest.raises(Unavailable):
        fetch(url, tmp_path / "f")


def test_authorization_does_not_follow_to_another_host() -> None:
    seen: list[str | None] = []

    def remember(request: Request) -> None:
        seen.append(request.headers["Authorization"])
        request.answer(200)

    with serving(remember) as other:
        location = other.replace("127.0.0.1", "localhost")
        with serving(lambda request: request.answer(302, Location=location)) as url, http.session() as client:
            client.get(url, headers={"Authorization": "Bearer x"})
    assert seen == [None]


def test_a_forbidden_address_is_refused_even_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda request: request.answer(200)) as proxy, http.session() as client:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        assert client.get("http://service.internal/").status_code == 200
        with pytest.raises(Refused):
            client.get("http://169.254.169.254/")


def test_proxies_of_the_environment_are_ignored_for_public_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda request: request.answer(200)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        with pytest.raises(Refused):
            fetch("http://127.0.0.1:1/", tmp_path / "f", reach=PUBLIC)


@pytest.mark.parametrize(
    ("host", "reach"),
    [
        ("oapi.dingtalk.com", INTERNAL),
        ("OAPI.DingTalk.com.", INTERNAL),
        ("dingtalk.com", INTERNAL),
        ("dingtalk.com.evil.example", PRIVATE),
        ("evildingtalk.com", PRIVATE),
        ("gateway.corp.example", INTERNAL),
        ("corp.example", PRIVATE),
        ("10.0.0.1", PRIVATE),
        ("", PRIVATE),
    ],
)
def test_a_secret_goes_out_only_to_known_hosts(host: str, reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSKIT_TRUSTED_HOSTS", " gateway.corp.example, other.example")
    assert http.secret_reach(host, "dingtalk.com") is reach


def test_an_unknown_host_outside_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"\[host_not_trusted\] 93\.184\.216\.34"):
        fetch("http://93.184.216.34/", tmp_path / "f", reach=PRIVATE)


def test_an_unknown_host_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        fetch("http://no-such-host.invalid/x", tmp_path / "f")


def test_a_trickling_answer_ends_at_the_deadline(tmp_path: Path) -> None:
    closing = threading.Event()

    def trickle(request: Request) -> None:
        request.send_response(200)
        request.end_headers()
        with contextlib.suppress(OSError):
            while not closing.wait(0.02):
                request.wfile.write(b"x")

    began = time.monotonic()
    with serving(trickle) as url:
        try:
            with pytest.raises(Unavailable, match="timeout"):
                fetch(url, tmp_path / "f", deadline_s=0.2)
        finally:
            closing.set()
    assert time.monotonic() - began < 10


def test_only_the_beginning_of_a_long_answer_is_read() -> None:
    with serving(lambda request: request.answer(200, b"x" * 100_000)) as url, http.session() as client:
        response = client.get(url, stream=True)
        assert len(http.body(response, max_bytes=1000, ends=time.monotonic() + 10)) == 1000


def test_every_call_has_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    monkeypatch.setattr(requests.Session, "request", lambda *_, **options: given.append(options["timeout"]))
    with http.session() as client:
        client.request("GET", "http://localhost/")
        client.request("GET", "http://localhost/", timeout=1)
    assert given == [(http.CONNECT_S, http.READ_S), 1]
