"""What a user fills in to reach apps: keys by name, a server, headers that go with every call."""

import json
import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, SecretStr

from opskit.errors import InvalidCredentials, InvalidInput
from opskit.model import Key, Line, Params

DEFAULT_BASE_URL = "https://api.dify.ai/v1"
_APP_ID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_KEY = re.compile(r"[!-~]{8,}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
# What belongs to the client: another value would break the call, or send the key elsewhere.
_OWN_HEADERS = frozenset(
    {"authorization", "host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding"}
)
_MAX_USER = 255  # characters; Dify answers 500 beyond


class Reached(Params):
    """Where a Dify is, and what goes with every call to it."""

    # The headers that the client sets, in lower case.
    own_headers: ClassVar[frozenset[str]] = _OWN_HEADERS

    base_url: Line = DEFAULT_BASE_URL
    extra_headers: Key | None = None

    @classmethod
    def secrets_of(cls, name: str, value: str) -> list[str]:
        """The values of the headers."""
        if name == "extra_headers":
            return [text or value for _, text in _headers(value)]
        return super().secrets_of(name, value)

    def headers(self) -> dict[str, str]:
        """The headers that go with every call. InvalidInput: no ``Name: value`` lines, or a name of the client's."""
        found = {}
        for name, value in _headers(plain(self.extra_headers)):
            if not _HEADER.fullmatch(name) or not value.isascii() or not value.isprintable():
                raise InvalidInput("bad_header")
            if name.lower() in self.own_headers:
                raise InvalidInput("own_header", name=name)
            found[name] = value
        return found


class Access(Reached):
    """How apps are reached: by keys of a server, or by their ids in this workspace, which needs no key."""

    app_keys: Key | None = None
    user: Line = Field(default="opskit", max_length=_MAX_USER)

    @classmethod
    def secrets_of(cls, name: str, value: str) -> list[str]:
        """The keys without their names, which errors have to tell."""
        if name == "app_keys":
            return [key or value for _, key in _pairs(value)]
        return super().secrets_of(name, value)

    def keys(self) -> dict[str, str]:
        """The keys by their names. InvalidCredentials: not ``name=key`` pairs; InvalidInput: a name with two keys."""
        found: dict[str, str] = {}
        for name, key in _pairs(plain(self.app_keys)):
            if not name or not _KEY.fullmatch(key):
                raise InvalidCredentials("bad_app_keys")
            if found.setdefault(name, key) != key:
                raise InvalidInput("two_keys", name=name)
        return found


def is_app_id(text: str) -> bool:
    """Whether ``text`` is the id of an app: a UUID."""
    return _APP_ID.fullmatch(text) is not None


def plain(secret: SecretStr | None) -> str:
    """What a secret holds; nothing for none."""
    return secret.get_secret_value() if secret else ""


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Names and keys in a JSON object, or in ``name=key`` pairs between line breaks, commas or semicolons."""
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text).items()
        except (ValueError, RecursionError):
            found = [("", text)]
        yield from ((str(name).strip(), str(key).strip()) for name, key in found)
        return
    for entry in re.split(r"[,，;；\r\n]+", text):
        name, _, key = entry.partition("=")
        if entry.strip():
            yield (name.strip(), key.strip()) if key else ("", entry.strip())


def _headers(text: str) -> Iterator[tuple[str, str]]:
    if text.lstrip().startswith("{"):
        yield from _pairs(text)
        return
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if line.strip():
            yield (name.strip(), value.strip()) if colon else ("", line.strip())
