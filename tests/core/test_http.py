import contextlib
import gc
import gzip
import ipaddress
import json
import logging
import math
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from opskit import http
from opskit.errors import InvalidInput, Refused, Unavailable
from opskit.http import Reach, Reply

ROOT = Path(__file__).resolve().parents[2]
PUBLIC, PRIVATE, INTERNAL = Reach.PUBLIC, Reach.PRIVATE, Reach.INTERNAL
SIGNED = "/files/1/file-preview?timestamp=1&nonce=2&sign=3"

# Servers


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    handle_any: Callable[["Request"], None]

    def do_GET(self) -> None:
        type(self).handle_any(self)

    do_POST = do_HEAD = do_GET  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(b"" if self.command == "HEAD" else body)


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = False


@contextlib.contextmanager
def running(server: socketserver.TCPServer) -> Iterator[int]:
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def serving(handle: Callable[[Request], None]) -> Iterator[str]:
    handler = type("Handler", (Request,), {"handle_any": staticmethod(handle)})
    with running(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as port:
        yield f"http://127.0.0.1:{port}"


type Talk = Callable[[socket.socket, threading.Event], None]


@contextlib.contextmanager
def talking(talk: Talk) -> Iterator[int]:
    """A server that says what it likes to whoever connects, until the event is set or the peer has gone."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                talk(self.request, over)

    with running(Listener(("127.0.0.1", 0), Handler)) as port:
        try:
            yield port
        finally:
            over.set()


def dripping(head: bytes, drop: bytes) -> Talk:
    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head)
        while not over.wait(0.02):
            connection.sendall(drop)

    return talk


def saying(words: bytes) -> Talk:
    """An answer in full, after the request; then the connection ends."""

    def talk(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(words)

    return talk


def soon(seconds: float = 10) -> float:
    return time.monotonic() + seconds


def ask(url: str, *, reach: Reach = INTERNAL, ends: float | None = None, **options: Any) -> Reply:
    with http.session(reach) as client:
        return client.exchange(options.pop("method", "GET"), url, ends=ends or soon(), **{"max_bytes": 1000, **options})


def fetch(url: str, to: Path, *, max_bytes: int = 1000, deadline_s: float = 10, private: bool = True) -> bytes:
    http.download(url, to, private=private, max_bytes=max_bytes, deadline_s=deadline_s)
    return to.read_bytes()


# Addresses


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
        ("fd20:ce::254", INTERNAL, False),
        ("fd00:ec2::23", INTERNAL, False),
        ("fd00:c1::a9fe:a9fe", INTERNAL, False),
        ("::a9fe:a9fe", INTERNAL, False),
        ("::a00:1", PUBLIC, False),
        ("::a00:1", PRIVATE, True),
        ("::ffff:0:a9fe:a9fe", INTERNAL, False),
        ("::ffff:0:a00:1", PUBLIC, False),
        ("::ffff:0:5db8:d822", PUBLIC, True),
        ("64:ff9b:1::a9fe:a9fe", INTERNAL, False),
        ("64:ff9b:1::a00:1", PUBLIC, False),
        ("64:ff9b:1::5db8:d822", PUBLIC, True),
        ("64:ff9b:1:a9fe:a9:fe00::", INTERNAL, False),  # prefixes of 48, 56 and 64 bits
        ("64:ff9b:1:a9:fe:a9fe::", INTERNAL, False),
        ("64:ff9b:1:0:a9:fea9:fe08:808", INTERNAL, False),
        ("64:ff9b:1::", PUBLIC, False),
        ("64:ff9b:1::", INTERNAL, True),
        ("fd12::5efe:a9fe:a9fe", INTERNAL, False),
        ("fd12::200:5efe:808:808", PUBLIC, False),
        ("2606:4700::5efe:a00:1", PUBLIC, False),
        ("2606:4700::5efe:a00:1", PRIVATE, False),
        ("fec0::1", PUBLIC, False),
        ("fec0::1", PRIVATE, True),
        ("fec0::1", INTERNAL, True),
        ("ff02::1", INTERNAL, False),
        ("::", INTERNAL, False),
        ("192.0.0.8", PUBLIC, False),
        ("192.88.99.1", PUBLIC, False),
        ("3fff::1", PUBLIC, False),
        ("5f00::1", PUBLIC, False),
        ("4000::1", PUBLIC, False),
        ("240.0.0.1", PUBLIC, False),
        ("198.18.0.1", PUBLIC, False),
    ],
)
def test_metadata_and_link_local_are_never_reached_and_private_ones_only_inside(
    address: str,
    reach: Reach,
    allowed: bool,  # noqa: FBT001
) -> None:
    assert http.allowed(ipaddress.ip_address(address), reach) is allowed


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


@pytest.mark.parametrize(
    ("text", "origin", "rest"),
    [
        ("HTTPS://Api.Example.COM", "https://api.example.com", "/"),
        ("http://a.example.:80/x?y=1#z", "http://a.example", "/x?y=1"),
        ("https://a_b-c.example:0443/", "https://a_b-c.example", "/"),
        ("https://a.example:80", "https://a.example:80", "/"),
        ("http://a.example:/?", "http://a.example", "/"),
        ("http://[2001:DB8:0::1]:8080/a/../b", "http://[2001:db8::1]:8080", "/b"),
        ("http://bücher.example/销售 x".replace(" ", "+"), "http://xn--bcher-kva.example", "/%E9%94%80%E5%94%AE+x"),
        ("http://127.1?q", "http://127.1", "/?q"),
        (f"http://{'a' * 63}.example", f"http://{'a' * 63}.example", "/"),
    ],
)
def test_an_address_has_the_parts_that_the_client_sees(text: str, origin: str, rest: str) -> None:
    url = http.checked_url(text)
    assert (url.origin, url.text) == (origin, origin + rest)
    assert http.checked_url(url.text) == url


BAD_ADDRESSES = [
    "http://evil.example\\.dingtalk.com",
    "http://a.example/\\x",
    "http://user:pw@a.example",
    "http://@a.example",
    "http://a.example%2f.b",
    "http://ex%61mple.com",
    "http://[fe80::1%25eth0]/",
    "http://[::1",
    "http://[::999.1.1.1]/",
    "http://℀.com",
    "http://a..b",
    "http://.a",
    "http://.",
    "http://a*b",
    f"http://{'a' * 64}.example",
    f"http://{'a.' * 150}b",
    "http://a:0",
    "http://a:99999",
    "http://a:x",
    "http://a b",
    " http://a",
    "http://a/ ",
    "http://a/\n",
    "http://a/\x00",
    "http://a/\u3000",
    "http://a/\ud83d",
    "http://",
    "http:///x",
    "http:a",
    "ftp://a",
    "//a",
    "a",
    "",
]


@pytest.mark.parametrize("text", BAD_ADDRESSES)
def test_what_two_parsers_could_read_differently_is_no_address(text: str) -> None:
    with pytest.raises(InvalidInput, match="bad_address"):
        http.checked_url(text)
    with pytest.raises(InvalidInput, match="bad_address"):
        ask(text)


@given(st.text("aZ0.-_:/\\@[]#?%&= \t1ü。", max_size=30), st.sampled_from(["http://", "https://", "http://b.example"]))
def test_every_parser_reads_an_accepted_address_alike(text: str, start: str) -> None:
    with contextlib.suppress(InvalidInput):
        url = http.checked_url(start + text)
        prepared = requests.Request("GET", url.text).prepare().url or ""
        for seen in (urlsplit(url.text), urlsplit(prepared)):
            assert (seen.scheme, seen.hostname, seen.port) == (url.scheme, url.host.strip("[]"), url.port)
        assert http.checked_url(url.text) == url


@pytest.mark.parametrize(
    ("url", "difys"),
    [
        ("http://10.0.0.1" + SIGNED, 1),
        ("http://10.0.0.1/dify/files/tools/1-2.csv?sign=%3D&timestamp=1&nonce=a", 1),
        ("http://10.0.0.1/files/1/file-preview?timestamp=1&nonce=2", 0),
        ("http://10.0.0.1/files/1/file-preview?timestamp=1&nonce=2&sign=", 0),
        ("http://10.0.0.1/files?timestamp=1&nonce=2&sign=3", 0),
        ("http://10.0.0.1/myfiles/1?timestamp=1&nonce=2&sign=3", 0),
        ("http://10.0.0.1/files/../admin?timestamp=1&nonce=2&sign=3", 0),
        ("http://10.0.0.1/files/%2e%2e/admin?timestamp=1&nonce=2&sign=3", 0),
        ("http://10.0.0.1/x?timestamp=1&nonce=2&sign=3#/files/1", 0),
        ("https://a.example/sales.csv", 0),
    ],
)
def test_only_a_signed_address_of_dify_is_internal_from_the_start(
    url: str, difys: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert http.file_reaches(url, private=True) == ((INTERNAL,) if difys else (PUBLIC, INTERNAL))
    assert http.file_reaches(url, private=False) == (PUBLIC,)
    monkeypatch.setenv("OPSKIT_DENY_PRIVATE", "1")
    assert http.file_reaches(url, private=True) == ((INTERNAL,) if difys else (PUBLIC,))


def test_a_private_file_needs_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda request: request.answer(200, b"a,b\n")) as url:
        assert fetch(f"{url}/sales.csv", tmp_path / "f") == b"a,b\n"
        with pytest.raises(Refused, match="address_refused"):
            fetch(f"{url}/sales.csv", tmp_path / "f", private=False)
        monkeypatch.setenv("OPSKIT_DENY_PRIVATE", "1")
        with pytest.raises(Refused, match="address_refused"):
            fetch(f"{url}/sales.csv", tmp_path / "f")


def test_the_metadata_of_a_cloud_is_no_private_file(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="address_refused"):
        fetch(f"http://169.254.169.254{SIGNED}", tmp_path / "f")


# An exchange


def test_an_exchange_gives_status_headers_and_body() -> None:
    def echo(request: Request) -> None:
        sent = request.rfile.read(int(request.headers["Content-Length"]))
        del request.headers["Content-Length"]
        request.answer(418, request.path.encode() + sent, X_Kind="teapot")

    with serving(echo) as url:
        reply = ask(f"{url}/a?b=1", method="POST", params={"c": "ü"}, json={"d": 2}, ends=math.inf)
    assert (reply.status, reply.headers["x-kind"]) == (418, "teapot")
    assert reply.body == b'/a?b=1&c=%C3%BC{"d": 2}'
    assert repr(reply) == "Reply(status=418)"


def test_only_the_beginning_of_a_long_answer_is_read() -> None:
    with serving(lambda request: request.answer(200, b"x" * 1_000_000)) as url:
        assert ask(url).body == b"x" * 1000


def test_connections_are_kept_and_each_request_has_its_own_deadline() -> None:
    ports: list[int] = []
    release = threading.Event()

    def slow_at_third(request: Request) -> None:
        ports.append(request.client_address[1])
        if len(ports) == 3:
            release.wait(30)
        request.answer(200)

    with serving(slow_at_third) as url, http.session() as client:
        client.exchange("GET", url, ends=soon(), max_bytes=1)
        client.exchange("GET", url, ends=soon(), max_bytes=1)
        assert problem(lambda: client.exchange("GET", url, ends=soon(0.3), max_bytes=1)) == "timeout"
        release.set()
    assert len(set(ports)) == 1


def problem(call: Callable[[], object], key: str = "no_answer") -> object:
    """What an exchange says is the matter, and that it says nothing else."""
    with pytest.raises(Unavailable, match=rf"\[{key}\]") as error:
        call()
    return error.value.blanks["problem"]


def packed(body: bytes, encoding: str = "gzip", *, length: int | None = None) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\n"
    return (head + (f"Content-Length: {length}\r\n" if length else "") + "\r\n").encode() + body


@pytest.mark.parametrize("encoding", ["gzip", "X-Gzip"])
def test_a_packed_body_is_unpacked(encoding: str) -> None:
    body = gzip.compress(b"a" * 100_000) + gzip.compress(b"b")
    with talking(saying(packed(body, encoding))) as port:
        assert ask(f"http://127.0.0.1:{port}/", max_bytes=10**6).body == b"a" * 100_000 + b"b"


def test_of_a_bomb_only_what_is_wanted_is_unpacked() -> None:
    with talking(saying(packed(gzip.compress(bytes(50_000_000))))) as port:
        assert ask(f"http://127.0.0.1:{port}/").body == bytes(1000)


def test_an_empty_body_that_calls_itself_packed_is_empty() -> None:
    with serving(lambda request: request.answer(200, b"abc", Content_Encoding="gzip")) as url:
        assert ask(url, method="HEAD").body == b""


PACKED = gzip.compress(bytes(range(256)) * 10)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (packed(PACKED[:-9]), "DecodeError"),
        (packed(PACKED[:-1]), "DecodeError"),
        (packed(PACKED[:5]), "DecodeError"),
        (packed(PACKED + PACKED[:20]), "DecodeError"),
        (packed(b"plain"), "DecodeError"),
        (packed(b"x", "br"), "DecodeError"),
        (packed(PACKED[:-9], length=len(PACKED)), "ProtocolError"),
        (packed(b"abc", "identity", length=4), "ProtocolError"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "ProtocolError"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "ProtocolError"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnothing", "ProtocolError"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 101, "ConnectionError"),
        (b"HTTP/1.1 200 OK\r\nContent-Len", "ConnectionError"),
        (b"HTTP/1.1 200 OK\r\n", "ConnectionError"),
        (b"gibberish\r\n\r\n", "ConnectionError"),
        (b"", "ConnectionError"),
    ],
)
def test_an_answer_that_is_not_whole_is_none(tmp_path: Path, words: bytes, said: str) -> None:
    with talking(saying(words)) as port:
        url = f"http://127.0.0.1:{port}{SIGNED}"
        assert problem(lambda: ask(url, max_bytes=10**6)) == said
        with pytest.raises(Unavailable, match=rf"file_unavailable.*{said}"):
            fetch(url, tmp_path / "f", max_bytes=10**6)


def test_an_answer_of_two_lengths_is_none() -> None:
    words = b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab"
    with talking(saying(words)) as port, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # urllib3 forgets to close the connection
        assert problem(lambda: ask(f"http://127.0.0.1:{port}/")) == "InvalidHeader"
        gc.collect()


def test_what_no_header_can_hold_leaves_as_an_error_without_it() -> None:
    with serving(lambda request: request.answer(200)) as url:
        with pytest.raises(Unavailable, match="UnicodeEncodeError") as error:
            ask(url, headers={"X-Key": "密钥"})
        assert problem(lambda: ask(url, headers={"X-Key": "a\nb"}), "not_reached") == "InvalidHeader"
    assert "密钥" not in str(error.value)


def test_no_failure_tells_the_address() -> None:
    with pytest.raises(Unavailable) as error:
        ask("http://127.0.0.1:1/hook/fake-token?key=fake-token")
    assert "fake" not in f"{error.value} {error.value.blanks}"
    assert error.value.__suppress_context__


@pytest.mark.parametrize("logged", ["opskit", "others"])
def test_nothing_is_logged_about_a_request_of_ours(caplog: pytest.LogCaptureFixture, logged: str) -> None:
    caplog.set_level(logging.DEBUG)
    words = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon here\r\n\r\nok"
    with talking(saying(words)) as port:
        url = f"http://127.0.0.1:{port}/hook?access_token=fake-token"
        if logged == "opskit":
            assert ask(url).status == 200
        else:
            requests.get(url, timeout=10)
    assert ("fake-token" in caplog.text) is (logged == "others")


# The guard


def test_a_private_address_is_refused_where_only_public_ones_are_allowed(tmp_path: Path) -> None:
    hits: list[str] = []
    with serving(lambda request: hits.append(request.path)) as url:
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.0.0.1."):
            with pytest.raises(Refused, match="address_refused"):
                fetch(url.replace("127.0.0.1", host), tmp_path / "f", private=False)
    assert hits == []


def test_an_ipv6_address_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ThreadingHTTPServer, "address_family", socket.AF_INET6)
    handler = type("Handler", (Request,), {"handle_any": staticmethod(lambda request: request.answer(200, b"six"))})
    with running(ThreadingHTTPServer(("::1", 0), handler)) as port:
        assert ask(f"http://[::1]:{port}/").body == b"six"
        with pytest.raises(Refused):
            ask(f"http://[::1]:{port}/", reach=PUBLIC)


Resolve = Callable[..., None]


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Let the resolver know a name; all else is real. A second look-up of it finds nothing."""

    def know(name: str, *addresses: str) -> None:
        real, once = socket.getaddrinfo, [addresses]

        def getaddrinfo(host: str, port: int, *given_: Any, **options: Any) -> Any:
            if host != name:
                return real(host, port, *given_, **options)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in once.pop()]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return know


def test_the_address_judged_is_the_one_connected_to(resolves: Resolve) -> None:
    resolves("rebinding.example", "127.0.0.1")
    with serving(lambda request: request.answer(200, request.headers["Host"].encode())) as url:
        assert ask(url.replace("127.0.0.1", "rebinding.example")).body.startswith(b"rebinding.example:")


def test_one_forbidden_address_of_a_name_is_enough(resolves: Resolve) -> None:
    hits: list[str] = []
    resolves("two.example", "127.0.0.1", "169.254.169.254")
    with serving(lambda request: hits.append(request.path)) as url, pytest.raises(Refused, match=r"two\.example"):
        ask(url.replace("127.0.0.1", "two.example"))
    assert hits == []


def test_the_next_address_of_a_name_is_tried_when_the_first_is_dead(resolves: Resolve) -> None:
    resolves("two.example", "127.0.0.2", "127.0.0.1")  # nothing listens on the first
    with serving(lambda request: request.answer(200, b"second")) as url:
        assert ask(url.replace("127.0.0.1", "two.example")).body == b"second"


def test_an_unknown_host_outside_is_refused_by_its_name() -> None:
    with pytest.raises(Refused, match=r"\[host_not_trusted\] 93\.184\.216\.34"):
        ask("http://93.184.216.34/", reach=PRIVATE)


def test_an_unknown_host_is_unavailable() -> None:
    assert problem(lambda: ask("http://no-such-host.invalid/x"), "not_reached") == "ConnectionError"


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "0xa9.0xfe.43518", "[::ffff:169.254.169.254]"])
def test_a_forbidden_address_is_refused_even_through_a_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with serving(lambda request: request.answer(200, request.path.encode())) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        assert ask("http://service.internal/").body == b"http://service.internal/"
        with pytest.raises(Refused):
            ask(f"http://{host}/")


def test_proxies_of_the_environment_are_ignored_for_public_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    for reach, through in ((INTERNAL, True), (PUBLIC, False), (PRIVATE, False)):
        with http.session(reach) as client, serving(lambda request: request.answer(200)) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy)
            settings = client.merge_environment_settings("http://service.example/", {}, None, None, None)
            assert (settings["proxies"].get("http") == proxy) is through


def test_a_socks_proxy_is_refused_as_its_connections_have_no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:1")
    assert problem(lambda: ask("http://service.internal/"), "not_reached") == "InvalidProxyURL"


# Redirects


def leading(places: Mapping[str, str] = MappingProxyType({})) -> Callable[[Request], None]:
    """A server that redirects from each of the paths, and says at all others which headers it was sent."""

    def handle(request: Request) -> None:
        place = places.get(request.path.strip("/"))
        if place is None:
            request.answer(200, json.dumps(dict(request.headers)).encode())
        else:
            request.answer(302, b"moved", Location=place.encode().decode("latin-1"), Set_Cookie="at=home")

    return handle


def test_redirects_are_followed_only_on_request() -> None:
    with serving(leading({"a": "/b", "b": "c?d=x 售"})) as url:
        reply = ask(f"{url}/a")
        assert (reply.status, reply.body) == (302, b"moved")
        assert ask(f"{url}/a", allow_redirects=True).status == 200
        assert ask(f"{url}/a", allow_redirects=True, method="HEAD").status == 200
        assert ask(f"{url}/a", allow_redirects=True, method="POST", data=b"x").status == 302


def test_what_was_meant_for_one_origin_does_not_follow_to_another() -> None:
    given_ = {"headers": {"authorization": "Bearer x", "X-Api-Key": "x"}, "cookies": {"own": "x"}, "data": b"x"}
    places = {"stay": "/here"}
    with serving(leading()) as other, serving(leading(places)) as url, http.session() as client:
        places["out"] = f"{other}/"
        client.headers["X-Of-Session"] = "x"

        def sent(path: str) -> dict[str, str]:
            options: dict[str, Any] = {"ends": soon(), "max_bytes": 9999, "allow_redirects": True, **given_}
            headers: dict[str, str] = json.loads(client.exchange("GET", url + path, **options).body)
            return headers

        stayed, left = sent("/stay"), sent("/out")
    told = {"Host", "User-Agent", "Accept", "Accept-Encoding"}
    assert stayed.keys() == told | {"Connection", "Cookie", "authorization", "X-Api-Key", "X-Of-Session"}
    assert stayed["Cookie"] == "at=home"
    assert left.keys() - {"Cookie"} == told


@pytest.mark.parametrize(
    "location",
    [
        b"http://[::1",
        b"http://a..b/",
        b"http://a:99999/",
        b"http://a:0/",
        b"http://evil.example\\.dingtalk.com/",
        b"http://user:pw@a.example/",
        b"http://" + b"a" * 300,
        b"http://a b/",
        "http://℀.com/".encode(),
        b"ftp://a.example/",
        b"file:///etc/passwd",
        b"mailto:a@example.com",
        b"/\xff",
    ],
)
def test_a_redirect_to_no_address_is_the_fault_of_the_server(location: bytes) -> None:
    with talking(saying(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")) as port:
        assert ask(f"http://127.0.0.1:{port}/").status == 302
        assert problem(lambda: ask(f"http://127.0.0.1:{port}/", allow_redirects=True)) == "bad redirect"


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/meta-data", "http://[::ffff:169.254.169.254]/"])
def test_a_redirect_to_metadata_is_refused(location: str) -> None:
    with serving(leading({"a": location})) as url, pytest.raises(Refused):
        ask(f"{url}/a", allow_redirects=True)


def test_redirects_end_after_five() -> None:
    with serving(leading({str(step): f"/{step + 1}" for step in range(6)})) as url:  # five of them from /1
        assert ask(f"{url}/1", allow_redirects=True).status == 200
        assert problem(lambda: ask(f"{url}/0", allow_redirects=True)) == "TooManyRedirects"


# Files


def test_a_file_is_streamed_to_disk(tmp_path: Path) -> None:
    with serving(lambda request: request.answer(200, b"a,b\n" * 200)) as url:
        assert fetch(url + SIGNED, tmp_path / "f") == b"a,b\n" * 200


def test_a_file_over_the_cap_is_refused(tmp_path: Path) -> None:
    with (
        serving(lambda request: request.answer(200, b"x" * 1001)) as url,
        pytest.raises(InvalidInput, match="too_large"),
    ):
        fetch(url + SIGNED, tmp_path / "f")


@pytest.mark.parametrize("status", [404, 500, 204])
def test_an_answer_without_the_file_is_unavailable(tmp_path: Path, status: int) -> None:
    told = rf"\[file_unavailable\] .*\(HTTP {status}\)"
    with serving(lambda request: request.answer(status)) as url, pytest.raises(Unavailable, match=told):
        fetch(url + SIGNED, tmp_path / "f")


def test_of_a_refused_file_only_the_status_is_told(tmp_path: Path) -> None:
    with serving(lambda request: request.answer(403, b"internal words")) as url, pytest.raises(Unavailable) as error:
        fetch(url + SIGNED, tmp_path / "f")
    assert "internal words" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["/files/1/file-preview?sign=x", "files/x", "ftp://host/x", "file:///etc/passwd", "http:///x"]
)
def test_an_incomplete_address_names_the_setting_to_mend(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidInput, match="FILES_URL"):
        fetch(url, tmp_path / "f")


def test_a_file_at_no_address_is_an_input_to_mend(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="bad_address"):
        fetch("http://a..b/files/x", tmp_path / "f")


@pytest.mark.parametrize("path", [SIGNED, "/sales.csv"])
def test_a_private_file_leads_nowhere_else(path: str, tmp_path: Path) -> None:
    hits: list[str] = []
    with (
        serving(lambda request: hits.append(request.path)) as other,
        serving(lambda request: request.answer(302, Location=other)) as url,
        pytest.raises(Unavailable, match="HTTP 302"),
    ):
        fetch(url + path, tmp_path / "f")
    assert hits == []


def test_a_public_file_may_have_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opskit.http.reach.allowed", lambda _, reach: reach is PUBLIC)  # loopback stands for the world
    with serving(leading({"old": "/new"})) as url:
        assert fetch(f"{url}/old", tmp_path / "f")


# The deadline


def idle(_: socket.socket, over: threading.Event) -> None:
    over.wait()


def pouring(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not over.is_set():
        connection.sendall(bytes(1 << 16))


SLOW: dict[str, tuple[str, Talk]] = {
    "silence": ("http", idle),
    "status line": ("http", dripping(b"HTTP/1.1 200 O", b"K")),
    "headers": ("http", dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x")),
    "interim answers": ("http", dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
    "body": ("http", dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x")),
    "counted body": ("http", dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x")),
    "chunks": ("http", dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n")),
    "chunk size": ("http", dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0")),
    "endless body": ("http", pouring),
    "silent handshake": ("https", idle),
    "dripping handshake": ("https", dripping(b"\x16\x03\x03\x40\x00", b"\x02")),
}


def ended(url: str, *, seconds: float = 0.3, key: str = "no_answer", **options: Any) -> object:
    """How a request that would never end ended; its body is thrown away."""

    def call() -> None:
        with (
            http.session() as client,
            client.open(options.pop("method", "GET"), url, ends=soon(seconds), **options) as answer,
        ):
            for _ in answer.chunks():
                pass

    began = time.monotonic()
    told = problem(call, key)
    assert time.monotonic() - began < 10
    return told


@pytest.mark.parametrize("slow", SLOW)
def test_an_answer_ends_at_the_deadline_whatever_it_waits_for(slow: str) -> None:
    scheme, talk = SLOW[slow]
    with talking(talk) as port:
        assert ended(f"{scheme}://127.0.0.1:{port}/") == "timeout"


@pytest.mark.parametrize("slow", ["headers", "body"])
def test_a_file_ends_at_the_deadline(tmp_path: Path, slow: str) -> None:
    began = time.monotonic()
    with talking(SLOW[slow][1]) as port, pytest.raises(Unavailable, match=r"file_unavailable.*timeout"):
        fetch(f"http://127.0.0.1:{port}{SIGNED}", tmp_path / "f", max_bytes=10**9, deadline_s=0.3)
    assert time.monotonic() - began < 10


def test_sending_ends_at_the_deadline() -> None:
    with talking(idle) as port:
        assert ended(f"http://127.0.0.1:{port}/", method="POST", data=bytes(30_000_000)) == "timeout"


def test_redirects_have_one_deadline_together() -> None:
    def slowly(request: Request) -> None:
        time.sleep(0.3)
        request.answer(302, Location="/")

    with serving(slowly) as url:
        assert ended(url, seconds=0.7, allow_redirects=True) == "timeout"


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """A port at which all of loopback is silent: its listener's queue is full, so that Linux drops who knocks."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("0.0.0.0", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(3):
            knocking = stack.enter_context(socket.socket())
            knocking.setblocking(False)
            knocking.connect_ex(("127.0.0.1", port))
        yield port


def test_dead_addresses_have_one_deadline_together(resolves: Resolve) -> None:
    resolves("dead.example", *(f"127.0.0.{number}" for number in range(1, 9)))
    with deaf() as port:
        assert ended(f"http://dead.example:{port}/", key="not_reached") == "timeout"


def test_a_resolver_that_hangs_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(30) and [])
    assert ended("http://slow.example/", key="not_reached") == "timeout"
    over.set()


def test_a_deadline_that_has_passed_reaches_nobody() -> None:
    hits: list[str] = []
    with serving(lambda request: hits.append(request.path)) as url:
        assert ended(url, seconds=-1, key="not_reached") == "timeout"
    assert hits == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with talking(dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x")) as port:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"127.0.0.1:{port}")
        assert ended(f"{scheme}://service.internal/") == "timeout"


def test_a_watchdog_goes_with_its_request() -> None:
    before = threading.active_count()
    with serving(lambda request: request.answer(200)) as url:
        during = threading.active_count()
        ask(url)
        assert not [thread for thread in threading.enumerate() if thread.name == "opskit-deadline"]
    assert during > before


# A deadline of the caller's


def rushing(deadline: http.Deadline, url: str, **options: Any) -> object:
    """What becomes of a request under this deadline: its status, or why there is none."""
    with http.session() as client, client.open("GET", url, ends=deadline, **options) as answer:
        return answer.status, b"".join(answer.chunks())


def test_a_deadline_of_the_callers_serves_one_request_after_the_other_and_may_come_later() -> None:
    with serving(lambda request: request.answer(200, b"x")) as url, http.Deadline(0) as deadline:
        assert problem(lambda: rushing(deadline, url), "not_reached") == "timeout"
        deadline.postpone(soon())
        for _ in range(3):
            assert rushing(deadline, url) == (200, b"x")
        assert not deadline.over
        deadline.postpone(0)
        assert not deadline.over  # it never comes earlier
    assert not [thread for thread in threading.enumerate() if thread.name == "opskit-deadline"]


def test_a_deadline_that_has_come_is_watched_again_when_it_is_postponed() -> None:
    """What waited between two requests for something else must not go on without an end."""
    with serving(lambda request: request.answer(200, b"x")) as url, http.Deadline(soon(0.2)) as deadline:
        assert rushing(deadline, url) == (200, b"x")
        time.sleep(0.3)
        deadline.postpone(soon(0.4))
        with talking(SLOW["headers"][1]) as port:
            assert problem(lambda: rushing(deadline, f"http://127.0.0.1:{port}/")) == "timeout"
    assert not [thread for thread in threading.enumerate() if thread.name == "opskit-deadline"]


def test_a_deadline_that_is_postponed_while_it_is_watched_comes_later() -> None:
    with (
        talking(idle) as port,
        http.Deadline(soon(0.2)) as deadline,
        socket.create_connection(("127.0.0.1", port)) as connection,
    ):
        deadline.guard(connection)
        deadline.postpone(soon(0.6))
        began = time.monotonic()
        assert connection.recv(1) == b""  # until the watchdog shuts it down
        assert time.monotonic() - began >= 0.4
    assert not [thread for thread in threading.enumerate() if thread.name == "opskit-deadline"]


def test_whether_anything_was_sent_is_told_of_each_request() -> None:
    with serving(lambda request: request.answer(200, b"x")) as url, http.Deadline(soon()) as deadline:
        assert rushing(deadline, url) == (200, b"x")
        assert problem(lambda: rushing(deadline, "http://127.0.0.1:1/"), "not_reached") == "ConnectionError"


@pytest.mark.parametrize("slow", ["silence", "headers", "body", "silent handshake"])
def test_a_deadline_is_cancelled_from_another_thread_whatever_is_waited_for(slow: str) -> None:
    scheme, talk = SLOW[slow]
    with talking(talk) as port, http.Deadline(soon(30)) as deadline:
        cancelling = threading.Timer(0.2, deadline.cancel)
        cancelling.start()
        began = time.monotonic()
        assert problem(lambda: rushing(deadline, f"{scheme}://127.0.0.1:{port}/")) == "timeout"
        assert time.monotonic() - began < 10
        cancelling.join()
        deadline.postpone(soon(30))
        assert deadline.over  # it stays cancelled
        assert problem(lambda: rushing(deadline, f"{scheme}://127.0.0.1:{port}/"), "not_reached") == "timeout"


def test_a_deadline_that_is_cancelled_while_it_connects_guards_nothing() -> None:
    with talking(idle) as port, http.Deadline(soon(30)) as deadline:
        deadline.cancel()
        with socket.create_connection(("127.0.0.1", port)) as connection, pytest.raises(TimeoutError):
            deadline.guard(connection)


@pytest.mark.parametrize("slow", ["silence", "silent body"])
def test_a_silence_ends_a_request_before_its_deadline(slow: str) -> None:
    def start(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        over.wait()

    with talking(idle if slow == "silence" else start) as port, http.Deadline(soon(30)) as deadline:
        began = time.monotonic()
        assert problem(lambda: rushing(deadline, f"http://127.0.0.1:{port}/", idle_s=0.3)) == "silence"
        assert time.monotonic() - began < 10


def test_what_drips_is_no_silence() -> None:
    with talking(dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x")) as port, http.Deadline(soon(1)) as deadline:
        assert problem(lambda: rushing(deadline, f"http://127.0.0.1:{port}/", idle_s=0.5)) == "timeout"


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key in front, made now: none is ever stored."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    key = path.with_name("key.pem")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", key, "-out", path, "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(key.read_bytes() + path.read_bytes())
    return path


def encrypted(certificate: Path, *, slowly: bool) -> Talk:
    """An answer over TLS, whole or one byte of a record at a time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def talk(connection: socket.socket, over: threading.Event) -> None:
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(heard, said, server_side=True)

        def until(step: Callable[[], object]) -> None:
            while True:
                try:
                    step()
                except ssl.SSLWantReadError:
                    connection.sendall(said.read())
                    if not (data := connection.recv(65536)):
                        raise ConnectionError from None
                    heard.write(data)
                else:
                    return

        until(tls.do_handshake)
        until(lambda: tls.read(65536))
        tls.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + bytes(9000))
        if not slowly:
            connection.sendall(said.read())
        for byte in said.read():
            if not over.wait(0.02):
                connection.sendall(bytes([byte]))

    return talk


def test_tls_is_checked_against_the_name(certificate: Path) -> None:
    with talking(encrypted(certificate, slowly=False)) as port:
        assert len(ask(f"https://localhost:{port}/", verify=str(certificate), max_bytes=9999).body) == 9000
        assert problem(lambda: ask(f"https://127.0.0.1:{port}/", verify=str(certificate))) == "SSLError"
        assert problem(lambda: ask(f"https://localhost:{port}/")) == "SSLError"


def test_a_dripping_record_ends_at_the_deadline(certificate: Path) -> None:
    with talking(encrypted(certificate, slowly=True)) as port:
        assert ended(f"https://localhost:{port}/", verify=str(certificate)) == "timeout"


# Under gevent

CHILD = '''
from gevent import monkey

monkey.patch_all()
import json, sys, time
import gevent
from opskit import http
from opskit.errors import OpskitError

real_sleep = monkey.get_original("time", "sleep")
ticks = 0


def tick():
    global ticks
    while True:
        gevent.sleep(0.01)
        ticks += 1


def ask(url, options):
    """Again where a starved machine left no time for the loop; one that is blocked stays so."""
    for _ in range(10):
        outcome = ask_once(url, options)
        if outcome[2] >= 3:
            break
    return outcome


def ask_once(url, options):
    began, ticked = time.monotonic(), ticks
    try:
        with http.session() as client:
            told = client.exchange("GET", url, ends=began + 0.3, max_bytes=10**6, **options).status
    except OpskitError as error:
        told = error.blanks.get("problem")
    return told, time.monotonic() - began, ticks - ticked


gevent.spawn(tick)
calls = json.load(sys.stdin)
found = {name: ask(url, options) for name, (url, options) in calls.items()}
began = time.monotonic()
many = [gevent.spawn(ask, url, options) for url, options in calls.values() for _ in range(5)]
gevent.joinall(many)
found["all at once"] = ("timeout", time.monotonic() - began, ticks)
pool = gevent.get_hub().resolver.pool
for _ in range(pool.maxsize):
    pool.spawn(real_sleep, 3)
url = calls["silence"][0]
found["resolver"] = ask(url.replace("127.0.0.1", "localhost"), {})
found["no resolver needed"] = ask(url, {})
print(json.dumps(found), flush=True)
import os
os._exit(0)
'''


def test_under_gevent_all_ends_at_the_deadline_and_the_loop_goes_on(certificate: Path) -> None:
    talks = {name: entry for name, entry in SLOW.items() if name != "endless body"}
    talks["record"] = ("https", encrypted(certificate, slowly=True))
    with contextlib.ExitStack() as stack:
        calls: dict[str, tuple[str, dict[str, str]]] = {}
        for name, (scheme, talk) in talks.items():
            host, options = ("localhost", {"verify": str(certificate)}) if name == "record" else ("127.0.0.1", {})
            calls[name] = (f"{scheme}://{host}:{stack.enter_context(talking(talk))}/", options)
        calls["connection"] = (f"http://127.0.0.1:{stack.enter_context(deaf())}/", {})
        child = subprocess.run(
            [sys.executable, "-c", CHILD],
            input=json.dumps(calls),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert child.returncode == 0, child.stderr
    found = json.loads(child.stdout)
    assert {name: told for name, (told, _, _) in found.items()} == dict.fromkeys(found, "timeout")
    assert found.keys() > calls.keys()
    assert max(elapsed for _, elapsed, _ in found.values()) < 10
    assert min(ticks for _, _, ticks in found.values()) >= 3, found


GREEDY = """
from gevent import monkey

monkey.patch_all()
import sys
from pathlib import Path
from types import SimpleNamespace
import gevent
from opskit.http import files

turns = []


def others():
    while True:
        turns.append(1)
        gevent.sleep(0)


gevent.spawn(others)
at_once = SimpleNamespace(status=200, chunks=lambda: [b"x"] * 50)
files._save(at_once, Path(sys.argv[1]), max_bytes=1000, told=lambda _: None)
print(len(turns))
"""


def test_under_gevent_a_download_that_never_waits_lets_others_have_their_turn(tmp_path: Path) -> None:
    ran = [sys.executable, "-c", GREEDY, str(tmp_path / "file")]
    child = subprocess.run(ran, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    assert int(child.stdout) >= 49
