"""The parts of an address, as the HTTP client sees them."""

import ipaddress
import re
from dataclasses import dataclass, field

from urllib3.util import parse_url

from opskit.errors import InvalidInput

_DEFAULT_PORTS = {"http": 80, "https": 443}
_WRITTEN = re.compile(r"https?://[^/?#@%\\]+([/?#][^\\]*)?", re.IGNORECASE)
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class Url:
    """An address in the one form that all parsers read alike; without user name and fragment.

    ``scheme`` is http or https, ``host`` a lower-case ASCII name or an IPv6 address in brackets, ``port`` None for
    the scheme's own, ``path`` begins with a slash, ``query`` comes without its question mark and may hold secrets.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    query: str = field(repr=False)

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a secret belongs to. ``https://api.example:8443``."""
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port else "")

    @property
    def text(self) -> str:
        """The whole address."""
        return f"{self.origin}{self.path}" + (f"?{self.query}" if self.query else "")


def checked_url(text: str) -> Url:
    r"""The parts of ``text``, split by the parser of the HTTP client (urllib3), so that no other reading can differ.

    ``http://evil.example\.dingtalk.com`` is the host of two different people to two parsers. InvalidInput for that,
    and for whatever else is not plainly http or https, host and port: user names, blanks, control characters.
    """
    try:
        return _split(text)
    except ValueError:  # what urllib3 raises for an address is one, too
        raise InvalidInput("bad_address") from None


def _split(text: str) -> Url:
    if not text.isprintable() or " " in text or not _WRITTEN.fullmatch(text):
        raise ValueError
    parts = parse_url(text)
    scheme, port = parts.scheme or "", parts.port
    if port == 0:
        raise ValueError
    default = port == _DEFAULT_PORTS[scheme]
    return Url(scheme, _host(parts.host or ""), None if default else port, parts.path or "/", parts.query or "")


def _host(text: str) -> str:
    if text.startswith("["):
        return f"[{ipaddress.IPv6Address(text[1:-1])}]"
    name = text.lower().removesuffix(".")
    if not _NAME.fullmatch(name):
        raise ValueError
    return name
