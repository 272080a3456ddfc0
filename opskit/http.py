"""HTTP with its seat belts on: an address guard that cannot be fooled by DNS, timeouts, and no silent retries.

An address is judged where it counts, on the very IP address that is then connected to, for every request and
every redirect. Metadata and link-local addresses are never reached; private ones only where the builder of the
workflow chose the address (``Reach.INTERNAL``), not where a model or a file could have (``Reach.PUBLIC``).

A host that secrets are sent to and that is not known is only reached inside the network (``Reach.PRIVATE``): the
agent strategies of Dify's Agent node let the model overwrite what the builder has set, the host too.
"""

import contextlib
import ipaddress
import os
import re
import socket
import time
from collections.abc import Iterator
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError
from urllib3.poolmanager import PoolManager

from opskit.errors import InvalidInput, OpskitError, Refused, Unavailable

CONNECT_S = 5.0
READ_S = 30.0
_CHUNK = 64 * 1024
# Clouds answer with credentials here, outside the link-local ranges: Alibaba, Azure, Oracle, AWS (IPv6).
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")))

# What requests and urllib3 raise when no usable answer comes.
TRANSPORT_ERRORS = (requests.RequestException, HTTPError, OSError)

type IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class Reach(StrEnum):
    """Which addresses may be connected to."""

    PUBLIC = "public"  # an address that a model, a file or a caller could have chosen; ignores proxy settings
    PRIVATE = "private"  # an unknown host that a secret is sent to: inside the network only; ignores proxy settings
    INTERNAL = "internal"  # an address that the workflow's builder or Dify chose; honours proxy settings


def allowed(address: IPAddress, reach: Reach) -> bool:
    """Whether ``address`` may be connected to; IPv4 inside IPv6 counts as the IPv4 that it is."""
    inner = _inside(address)
    if inner.is_link_local or inner in _METADATA or inner.is_multicast or inner.is_unspecified:
        return False
    match reach:
        case Reach.PUBLIC:
            return inner.is_global
        case Reach.PRIVATE:
            return not inner.is_global
    return True


def secret_reach(host: str, *known: str) -> Reach:
    """Where a secret may be sent under the name ``host``: anywhere if the name is, or lies below, a known domain.

    The operator adds domains with the environment variable OPSKIT_TRUSTED_HOSTS (separated by commas or spaces).
    """
    trusted = [*known, *re.split(r"[,\s]+", os.environ.get("OPSKIT_TRUSTED_HOSTS", "").lower())]
    name = host.lower().rstrip(".")
    return Reach.INTERNAL if any(name == one or name.endswith(f".{one}") for one in trusted if one) else Reach.PRIVATE


def _inside(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 address stands for (mapped, 6to4, Teredo, NAT64), or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address.teredo:
        return address.teredo[1]
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _resolve(host: str, port: int, reach: Reach) -> list[str]:
    """The addresses of ``host``; Refused when any of them may not be reached."""
    addresses = [
        str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ]
    for address in addresses:
        _judge(ipaddress.ip_address(address), reach, host)
    return addresses


def _judge(address: IPAddress, reach: Reach, host: str) -> None:
    """Refused when ``address`` may not be reached; ``host`` is the name that led to it."""
    if not allowed(address, reach):
        outside = reach is Reach.PRIVATE and allowed(address, Reach.PUBLIC)
        raise Refused("host_not_trusted" if outside else "address_refused", host=host)


class _Guarded(HTTPConnection):
    """A connection that resolves once, judges the addresses, and connects to one that it has judged."""

    reach = Reach.PUBLIC

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            addresses = _resolve(name.strip("[]"), self.port, self.reach)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        try:
            for address in addresses[:-1]:
                self._dns_host = address
                with contextlib.suppress(HTTPError):
                    return super()._new_conn()
            self._dns_host = addresses[-1]
            return super()._new_conn()
        finally:
            self._dns_host = name  # TLS checks the certificate against the name, not the address


class _GuardedTLS(_Guarded, HTTPSConnection):
    """The same with TLS; the certificate is still checked against the name."""


def _pools(reach: Reach) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools for http and https whose connections are guarded."""
    plain = type("GuardedConnection", (_Guarded,), {"reach": reach})
    tls = type("GuardedTLSConnection", (_GuardedTLS,), {"reach": reach})
    return {
        "http": type("GuardedPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("GuardedTLSPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
    }


class _Adapter(HTTPAdapter):
    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """As in requests; a forbidden address written as such is refused even where a proxy would connect to it."""
        host = urlsplit(request.url or "").hostname or ""
        with contextlib.suppress(ValueError):
            _judge(ipaddress.ip_address(host), self._reach, host)
        return super().send(request, *arguments, **options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = _pools(self._reach)


class Session(requests.Session):
    """A requests session with the guard mounted and a timeout on every call (5 s to connect, 30 s of silence)."""

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self.trust_env = reach is Reach.INTERNAL
        self.max_redirects = 5
        self.adapters.clear()  # anything but http and https has no adapter, and is refused
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(reach))

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        """As in requests, with a default timeout."""
        options.setdefault("timeout", (CONNECT_S, READ_S))
        return super().request(*arguments, **options)


def session(reach: Reach = Reach.INTERNAL) -> Session:
    """A new session; close it, or use it in ``with``."""
    return Session(reach)


def download(url: str, to: Path, *, max_bytes: int, deadline_s: float, reach: Reach = Reach.INTERNAL) -> int:
    """Stream ``url`` into the file ``to`` and return its size in bytes.

    InvalidInput: the address is not a full http or https URL, or the file is larger than ``max_bytes``.
    Refused: the address may not be reached. Unavailable: no usable answer, or not within ``deadline_s`` seconds.
    """
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise InvalidInput("file_url_incomplete")
    ends = time.monotonic() + deadline_s
    try:
        with session(reach) as client, client.get(url, stream=True) as response:
            if response.status_code != HTTPStatus.OK:
                raise Unavailable("file_unavailable", problem=f"HTTP {response.status_code}")
            return _save(response, to, max_bytes=max_bytes, ends=ends)
    except OpskitError:
        raise
    except TRANSPORT_ERRORS as error:
        raise Unavailable("file_unavailable", problem=type(error).__name__) from None


def _save(response: requests.Response, to: Path, *, max_bytes: int, ends: float) -> int:
    written = 0
    with to.open("wb") as file:
        for chunk in _chunks(response, ends):
            written += len(chunk)
            if written > max_bytes:
                raise InvalidInput("file_too_large", limit_mb=max_bytes // 1_000_000)
            file.write(chunk)
    return written


def body(response: requests.Response, *, max_bytes: int, ends: float) -> bytes:
    """The body of a streamed answer, at most ``max_bytes`` of it; Unavailable when it drags on past ``ends``."""
    text = bytearray()
    for chunk in _chunks(response, ends):
        text += chunk
        if len(text) >= max_bytes:
            break
    return bytes(text[:max_bytes])


def _chunks(response: requests.Response, ends: float) -> Iterator[bytes]:
    """What arrives, as it arrives: a server that sends a byte now and then cannot hold us beyond ``ends``."""
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        yield chunk
        if time.monotonic() > ends:
            raise Unavailable("file_unavailable", problem="timeout")
