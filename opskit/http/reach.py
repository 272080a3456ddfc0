"""Which IP addresses may be connected to, and for whom."""

import ipaddress
import os
import re
import socket
from enum import StrEnum

from opskit.errors import Refused

type IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Clouds answer with credentials here, outside the link-local ranges.
_METADATA = tuple(
    map(
        ipaddress.ip_network,
        (
            "100.100.100.200",  # Alibaba
            "168.63.129.16",  # Azure
            "192.0.0.192",  # Oracle Classic
            "fd00:ec2::/32",  # AWS
            "fd20:ce::254",  # Google
            "fd00:c1::a9fe:a9fe",  # Oracle
            "fd00:42::42",  # Scaleway
            "fd00:a9fe:a9fe::1",  # Akamai
            "fd00:100::100:200",  # Alibaba
        ),
    )
)
# An IPv4 address in the last 32 bits: mapped, translated (RFC 2765), compatible (RFC 4291), NAT64 (RFC 6052).
_EMBEDDING = tuple(map(ipaddress.ip_network, ("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96")))
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")  # RFC 8215
_NOWHERE = ipaddress.ip_network("0.0.0.0/8")
_ISATAP = 0x5EFE  # RFC 5214: the first half of an interface identifier, but for two flags
_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out for the internet
# Special ranges that ipaddress of Python 3.12.1 takes for public ones: protocols, 6to4 relays, documentation.
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))

_DENIED = "OPSKIT_DENY_PRIVATE"


class Reach(StrEnum):
    """Which addresses may be connected to."""

    PUBLIC = "public"  # an address that a model, a file or a caller could have chosen; ignores proxy settings
    PRIVATE = "private"  # an unknown host that a secret is sent to: inside the network only; ignores proxy settings
    INTERNAL = "internal"  # an address that the workflow's builder or Dify chose; honours proxy settings


def allowed(address: IPAddress, reach: Reach) -> bool:
    """Whether ``address`` may be connected to; IPv4 inside IPv6 counts as the IPv4 that it is."""
    meanings = _meanings(address)
    if any(map(_forbidden, meanings)):
        return False
    match reach:
        case Reach.PUBLIC:
            return all(map(_public, meanings))
        case Reach.PRIVATE:
            return not any(map(_public, meanings))
    return True


def judge(address: IPAddress, reach: Reach, host: str) -> None:
    """Refused when ``address`` may not be reached; ``host`` is the name that led to it."""
    if not allowed(address, reach):
        outside = reach is Reach.PRIVATE and allowed(address, Reach.PUBLIC)
        raise Refused("host_not_trusted" if outside else "address_refused", host=host)


def literal(host: str) -> IPAddress | None:
    """The address that ``host`` is when it is no name; 0x7f.1 and 2130706433 are what resolvers take them for."""
    bare = host.strip("[]")
    try:
        return ipaddress.IPv6Address(bare) if ":" in bare else ipaddress.IPv4Address(socket.inet_aton(bare))
    except (ValueError, OSError):
        return None


def secret_reach(host: str, *known: str) -> Reach:
    """Where a secret may be sent under the name ``host``: anywhere if the name is, or lies below, a known domain.

    The operator adds domains with the environment variable OPSKIT_TRUSTED_HOSTS (separated by commas or spaces).
    """
    trusted = [*known, *re.split(r"[,\s]+", os.environ.get("OPSKIT_TRUSTED_HOSTS", "").lower())]
    name = host.lower().rstrip(".")
    return Reach.INTERNAL if any(name == one or name.endswith(f".{one}") for one in trusted if one) else Reach.PRIVATE


def reaches(*, private: bool) -> tuple[Reach, ...]:
    """Where an address may lead that the builder of the workflow wrote down, in the order of trying.

    Inside the network only where the builder says so (``private``), and the operator does not forbid it by setting
    OPSKIT_DENY_PRIVATE=1.
    """
    return (Reach.PUBLIC, Reach.INTERNAL) if private and os.environ.get(_DENIED) != "1" else (Reach.PUBLIC,)


def _forbidden(address: IPAddress) -> bool:
    special = address.is_link_local or address.is_multicast or address.is_unspecified
    return special or any(address in network for network in _METADATA)


def _public(address: IPAddress) -> bool:
    special = any(address in network for network in _SPECIAL)
    return address.is_global and not special and (address.version == 4 or address in _UNICAST)  # noqa: PLR2004


def _meanings(address: IPAddress) -> list[IPAddress]:
    """The addresses at which a packet to ``address`` may arrive: the IPv4 ones written into IPv6, or itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    bits = int(address)
    meanings: list[IPAddress] = [address]
    if address.sixtofour:
        meanings = [address.sixtofour]
    elif address.teredo:
        meanings = [*address.teredo]
    elif bits > 1 and any(address in network for network in _EMBEDDING):  # 0 and 1 are :: and ::1
        meanings = [_ipv4(bits)]
    elif address in _LOCAL_NAT64:
        # The operator's prefix has 96 bits, or 48, 56 or 64 and then a gap in bits 64 to 71: RFC 6052, section 2.2.
        joined = bits >> 64 << 56 | bits & 2**56 - 1
        possible = [_ipv4(bits), *(_ipv4(joined >> shift) for shift in (40, 32, 24))]
        meanings = [one for one in possible if one not in _NOWHERE] or meanings
    elif (bits >> 32) & 0xFCFFFFFF == _ISATAP:
        meanings.append(_ipv4(bits))
    return meanings


def _ipv4(bits: int) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(bits & 0xFFFFFFFF)
