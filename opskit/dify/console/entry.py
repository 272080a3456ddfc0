"""What opens the console: an admin key, or a login whose session is kept and renewed.

Sources: Dify 1.13.3, ``extensions/ext_login.py``, ``libs/token.py``, ``controllers/console/auth/login.py``. Since 1.11
the password is sent in base64, before it was sent as it is; the session is a set of cookies, whose names have a prefix
where the console is reached by https, and in 2.0 beta and before 1.10 it is two tokens in the body.
"""

import base64
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

from opskit.dify.console.failure import refusal
from opskit.errors import InvalidCredentials, OpskitError, RateLimited, Refused

_ACCESS, _REFRESH, _CSRF = "access_token", "refresh_token", "csrf_token"
_PREFIX = "__Host-"  # RFC 6265bis, section 4.1.3


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the console: ``told`` is its JSON, or None; ``version`` what the server says that it is."""

    status: int
    told: Any = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    version: str = ""

    @property
    def said(self) -> tuple[str, str]:
        """Code and text; a login that fails with HTTP 200 says why in ``data``."""
        told = self.told if isinstance(self.told, dict) else {}
        return str(told.get("code") or f"HTTP {self.status}"), str(told.get("message") or told.get("data") or "-")


# Posts JSON to a route of the console, with headers, and gives the answer.
type Post = Callable[[str, Mapping[str, Any], Mapping[str, str]], Reply]


class Entry(Protocol):
    """What opens the console. Any thread."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may hold."""
        ...

    def headers(self, post: Post) -> Mapping[str, str]:
        """The headers that a call needs; it may have to log in for them."""
        ...

    def renewed(self, used: Mapping[str, str], post: Post) -> Mapping[str, str] | None:
        """New headers instead of ``used``, which were refused; None when there are none to be had."""
        ...

    def refused(self, code: str, message: str) -> OpskitError:
        """What it means when the headers are refused for good."""
        ...


@dataclass(frozen=True, slots=True)
class AdminKey:
    """The admin key of a self-hosted Dify: it acts as the owner of the workspace."""

    key: str = field(repr=False)
    workspace_id: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """The key."""
        return (self.key,)

    def headers(self, _: Post) -> Mapping[str, str]:
        """The key and the workspace."""
        return {"Authorization": f"Bearer {self.key}", "X-WORKSPACE-ID": self.workspace_id}

    def renewed(self, _: Mapping[str, str], __: Post) -> None:
        """None: a key is right or wrong."""

    def refused(self, code: str, message: str) -> OpskitError:
        """The key, the workspace, or the server that takes no admin key: Dify says the same to all three."""
        return InvalidCredentials("console_admin_key", code=code, message=message)


@dataclass(frozen=True, slots=True)
class _Session:
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, reply: Reply) -> "_Session | None":
        """The session that an answer begins, in cookies or in its body."""
        cookies = {
            name: text
            for name, text in reply.cookies.items()
            if name.removeprefix(_PREFIX) in {_ACCESS, _REFRESH, _CSRF}
        }
        bare = {name.removeprefix(_PREFIX): text for name, text in cookies.items()}
        if _ACCESS not in bare:
            told = reply.told if isinstance(reply.told, dict) else {}
            data = told.get("data")
            bare = {name: str(text) for name, text in data.items()} if isinstance(data, dict) else {}
        if not bare.get(_ACCESS):
            return None
        return cls(bare[_ACCESS], bare.get(_REFRESH, ""), cookies)

    @property
    def headers(self) -> dict[str, str]:
        """What every call of the session needs."""
        if not self.cookies:
            return {"Authorization": f"Bearer {self.access}"}
        token = next((text for name, text in self.cookies.items() if name.removeprefix(_PREFIX) == _CSRF), "")
        return {"Cookie": "; ".join(f"{name}={text}" for name, text in self.cookies.items()), "X-CSRF-Token": token}


class Login:
    """An account's e-mail address and password, and the session that they have opened."""

    def __init__(self, email: str, password: str) -> None:
        self._email = email
        self._password = password
        self._session: _Session | None = None
        self._lock = threading.Lock()

    @property
    def _encoded(self) -> str:
        return base64.b64encode(self._password.encode()).decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password, as it is and as it is sent, and the tokens of the session."""
        session = self._session
        tokens = (session.access, session.refresh, *session.cookies.values()) if session else ()
        return (self._password, self._encoded, *tokens)

    def headers(self, post: Post) -> Mapping[str, str]:
        """Those of the session, which begins with the first call."""
        with self._lock:
            if self._session is None:
                self._session = self._logged_in(post)
            return self._session.headers

    def renewed(self, used: Mapping[str, str], post: Post) -> Mapping[str, str] | None:
        """Those of the session that another thread has renewed already, else of one that is renewed or begun anew."""
        with self._lock:
            if self._session is None or self._session.headers == used:
                self._session = self._refreshed(post) or self._logged_in(post)
            return self._session.headers

    def refused(self, code: str, message: str) -> OpskitError:
        """A session that has just begun and is not accepted."""
        return InvalidCredentials("console_session", code=code, message=message)

    def _refreshed(self, post: Post) -> _Session | None:
        if self._session is None or not self._session.refresh:
            return None
        reply = post("refresh-token", {_REFRESH: self._session.refresh}, self._session.headers)
        return _Session.of(reply) if reply.status < HTTPStatus.MULTIPLE_CHOICES else None

    def _logged_in(self, post: Post) -> _Session:
        """A new session.

        First the password goes in base64: that is what Dify wants today. Refused, it goes as it is, unless the server
        is known to want it encoded: there a second try could only count against the account.
        """
        reply = self._tried(post, self._encoded)
        if reply.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED} and not _encodes(reply.version):
            second = self._tried(post, self._password)
            if "encrypted" not in second.said[1]:  # else the server does encode, and has judged the first
                reply = second
        if reply.status < HTTPStatus.MULTIPLE_CHOICES and (session := _Session.of(reply)):
            return session
        raise _not_let_in(reply)

    def _tried(self, post: Post, password: str) -> Reply:
        return post("login", {"email": self._email, "password": password, "remember_me": True}, {})


def _encodes(version: str) -> bool:
    """Whether a server of this version takes passwords in base64 alone: 1.12 and later, not the betas of 2.0."""
    found = re.match(r"1\.(\d+)\.", version)
    return found is not None and int(found[1]) >= 12  # noqa: PLR2004 - the version


def _not_let_in(reply: Reply) -> OpskitError:
    """Why there is no session."""
    code, message = reply.said
    match reply.status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimited("console_locked", code=code, message=message)
        case HTTPStatus.FORBIDDEN:
            return Refused("console_no_passwords", code=code, message=message)
        case HTTPStatus.BAD_REQUEST | HTTPStatus.UNAUTHORIZED:
            return InvalidCredentials("console_password", code=code, message=message)
        case HTTPStatus.OK if isinstance(reply.told, dict):
            return Refused("console_refused", code=code, message=message)
    return refusal(reply.status, reply.told, reply.headers)
