"""Connections that are guarded and end in time, and the adapter that gives them to requests."""

import contextlib
import io
import ipaddress
import logging
import socket
import ssl
from functools import cache
from http.client import HTTPResponse, RemoteDisconnected
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager

from opskit.http.deadline import CURRENT, Certificate, Deadline, SocketAddress, looked_up
from opskit.http.reach import Reach, judge, literal
from opskit.http.url import checked_url

_CONNECT_S = 5.0
# By OpenSSL's number of what is wrong with a certificate (x509_vfy.h); anything else is a matter of trust.
_FAULTS = {9: "not_yet_valid", 10: "expired", 62: "other_name", 64: "other_name"}


def _not_ours(_record: logging.LogRecord) -> bool:
    """Nothing is logged about a request of ours: urllib3 would write its address, and tokens stand in there."""
    return CURRENT.get(None) is None


for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_not_ours)


class _Lines(io.BufferedReader):
    def readline(self, size: int | None = -1) -> bytes:
        """The next line; RemoteDisconnected where none is left, which http.client takes for the end of the headers."""
        line = super().readline(size)
        if not line:
            raise RemoteDisconnected("")
        return line


class _Response(HTTPResponse):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fp = _Lines(self.fp.detach())


class _Connection(HTTPConnection):
    """A connection that resolves once, judges the addresses, and connects to one that it has judged, in time."""

    reach = Reach.PUBLIC
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        deadline = CURRENT.get()
        try:
            connection = _first_of(self._addresses(deadline), deadline, min(_CONNECT_S, self.timeout or _CONNECT_S))
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "too slow") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error
        connection.settimeout(self.timeout)
        return connection

    def request(self, *arguments: Any, **options: Any) -> None:
        """As in urllib3; a connection that was kept open is under the deadline of the request that uses it now."""
        if self.sock is not None:
            CURRENT.get().guard(self.sock)
        super().request(*arguments, **options)

    def _addresses(self, deadline: Deadline) -> list[SocketAddress]:
        """Where to connect to; Refused when any of it may not be reached."""
        address = literal(self._dns_host)
        if address is None:
            found = looked_up(self._dns_host, self.port, deadline.left())
        else:
            found = [(str(address), self.port)]
        for one in found:
            judge(ipaddress.ip_address(one[0].partition("%")[0]), self.reach, self.host)
        return found


class _TLSConnection(_Connection, HTTPSConnection):
    """The same with TLS; the certificate is still checked against the name."""

    def connect(self) -> None:
        """As in urllib3; the deadline gets to know what is said about the certificate."""
        deadline = CURRENT.get()
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            deadline.certificate = Certificate(self.host, _FAULTS.get(error.verify_code, "untrusted"))
            raise
        connection: Any = self.sock
        shown = (connection.getpeercert() or {}).get("notAfter")
        deadline.certificate = Certificate(self.host, ends=ssl.cert_time_to_seconds(shown) if shown else None)


def _first_of(addresses: list[SocketAddress], deadline: Deadline, limit_s: float) -> socket.socket:
    """A connection to the first address that accepts one within ``limit_s`` seconds. OSError: the last failure."""
    failure = OSError()
    for address in addresses:
        try:
            with contextlib.ExitStack() as unless_connected:
                connection = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
                unless_connected.enter_context(connection)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.settimeout(min(limit_s, deadline.left()))
                connection.connect(address)
                deadline.guard(connection)
                unless_connected.pop_all()
                return connection
        except OSError as error:
            failure = error
    raise failure


@cache
def _pools(reach: Reach) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools for http and https whose connections are guarded."""
    plain = type("GuardedConnection", (_Connection,), {"reach": reach})
    tls = type("GuardedTLSConnection", (_TLSConnection,), {"reach": reach})
    return {
        "http": type("GuardedPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("GuardedTLSPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
    }


class Adapter(HTTPAdapter):
    """What requests sends through; it retries nothing."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._pools = _pools(reach)
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """As in requests; a forbidden address written as such is refused even where a proxy would connect to it."""
        host = checked_url(request.url or "").host
        address = literal(host)
        if address is not None:
            judge(address, self._reach, host)
        return super().send(request, *arguments, **options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """As in requests, with guarded connections."""
        super().init_poolmanager(*arguments, **options)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """As in requests, but under the guard and the deadline; SOCKS has connections of its own and is refused."""
        if not proxy.lower().startswith("http"):
            raise requests.exceptions.InvalidProxyURL
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager
