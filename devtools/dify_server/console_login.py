"""Who may use the console: an admin key, or a login with its cookies and its CSRF token.

Sources: Dify 1.13.3, extensions/ext_login.py, libs/token.py, libs/login.py, controllers/console/auth/login.py; of
older releases and of 2.0b2 what they take and give. Tokens are of no format; the texts of their refusals are Dify's.
"""

import base64
import re
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from devtools.dify_server.ledger import Request
from devtools.dify_server.refusals import BROKEN, Refusal, unauthorized
from devtools.dify_server.routes import json_body

_MAX_ERRORS = 5
_UNSYNCED = re.compile(r"/console/api/apps/[a-f0-9-]+/workflows/draft")  # no CSRF token is asked for there
NAMES = ("access_token", "refresh_token", "csrf_token")
EDITORS, ADMINS = frozenset({"owner", "admin", "editor"}), frozenset({"owner", "admin"})


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, to be compared: "1.13.3" is (1, 13, 3), "2.0b2" is (2, 0)."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


class Odd(Refusal):
    """A refusal whose body has another shape."""

    def __init__(self, status: int, told: dict[str, Any]) -> None:
        super().__init__(status, "", str(told.get("message", "")))
        self._told = told

    @property
    def body(self) -> dict[str, Any]:
        """The body of the answer."""
        return self._told


@dataclass(slots=True, eq=False)
class Doorkeeper:
    """Knows who is who. ``role`` is that of the account: owner, admin, editor or normal.

    ``admin_key`` may be empty: then ADMIN_API_KEY_ENABLE is off. ``secure`` gives cookies the prefix ``__Host-``.
    """

    version: str = "1.13.3"
    admin_key: str = "fake-admin-key-0123456789abcdef"
    workspace_id: str = "0a0a0a0a-0000-4000-8000-00000000000a"
    email: str = "owner@example.com"
    password: str = "fake-Passw0rd-0123"  # noqa: S105 - an obvious fake
    role: str = "owner"
    secure: bool = False
    access_s: float = 3600.0
    by_password: bool = True
    _access: dict[str, float] = field(default_factory=dict)
    _refresh: set[str] = field(default_factory=set)
    _csrf: set[str] = field(default_factory=set)
    _errors: Counter[str] = field(default_factory=Counter)

    @property
    def _cookies(self) -> bool:
        return (1, 10) <= numbers(self.version) < (2,)

    @property
    def _encoded(self) -> bool:
        return (1, 11) <= numbers(self.version) < (2,)

    def expire(self, *, refresh: bool = False) -> None:
        """Let every access token run out; with ``refresh`` those to renew it, too."""
        self._access.clear()
        if refresh:
            self._refresh.clear()

    def login(self, request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
        """POST /login: the body, and the headers that set cookies."""
        body = json_body(request)
        email, password = str(body.get("email", "")).lower(), str(body.get("password", ""))
        if not self.by_password:
            raise Refusal(403, "forbidden", "You don't have the permission to access the requested resource.")
        if self._encoded:
            try:
                password = base64.b64decode(password).decode()
            except ValueError:
                raise Refusal(401, "authentication_failed", "Invalid encrypted data") from None
        if self._errors[email] > _MAX_ERRORS:
            text = "Too many incorrect password attempts. Please try again later."
            raise Refusal(429, "email_code_login_limit", text)
        if (email, password) != (self.email, self.password):
            self._errors[email] += 1
            raise Refusal(401, "authentication_failed", "Invalid email or password.")
        self._errors[email] = 0
        return self._issued()

    def renew(self, request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
        """POST /refresh-token: by the cookie, before 1.10 and in 2.0b2 by the body."""
        token = self._sent(request).get("refresh_token", "")
        if not self._cookies:
            token = str(json_body(request).get("refresh_token", ""))
        if not token:
            raise Odd(401, {"result": "fail", "message": "No refresh token provided"})
        if token not in self._refresh:
            raise Odd(401, {"result": "fail", "message": "Invalid refresh token"})
        self._refresh.discard(token)
        return self._issued()

    def _issued(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        access, refresh, csrf = (f"fake-{name}-{uuid.uuid4().hex}" for name in NAMES)
        self._access[access] = time.monotonic() + self.access_s
        self._refresh.add(refresh)
        self._csrf.add(csrf)
        if not self._cookies:
            return {"result": "success", "data": {"access_token": access, "refresh_token": refresh}}, ()
        rules = "; Secure; Path=/; SameSite=Lax" if self.secure else "; Path=/; SameSite=Lax"
        pairs = zip(NAMES, (access, refresh, csrf), strict=True)
        return {"result": "success"}, tuple(f"Set-Cookie: {self._named(name)}={text}{rules}" for name, text in pairs)

    def _named(self, name: str) -> str:
        return f"__Host-{name}" if self.secure else name

    def _sent(self, request: Request) -> dict[str, str]:
        """The cookies of a request that this server looks at."""
        found = SimpleCookie(request.headers.get("cookie", ""))
        return {name: found[self._named(name)].value for name in NAMES if self._named(name) in found}

    def role_of(self, request: Request) -> str:
        """The role of whoever asks. Refusal: nobody that is known."""
        cookies = self._sent(request) if self._cookies else {}
        scheme, _, written = request.headers.get("authorization", "").partition(" ")
        token = cookies.get("access_token") or (written if scheme.lower() == "bearer" else "")
        if not token:
            raise unauthorized("Invalid Authorization token.")
        workspace = request.headers.get("x-workspace-id", "")
        if self.admin_key and token == self.admin_key and workspace:
            try:
                uuid.UUID(workspace)
            except ValueError:
                raise BROKEN from None
            if workspace == self.workspace_id:
                return "owner"
        ends = self._access.get(token)
        if ends is None:
            raise unauthorized("Token has expired." if token.startswith("fake-access") else "Invalid token.")
        if ends < time.monotonic():
            raise unauthorized("Token has expired.")
        if self._cookies and not _UNSYNCED.match(request.path):
            csrf = request.headers.get("x-csrf-token", "")
            if not csrf or csrf != cookies.get("csrf_token") or csrf not in self._csrf:
                raise unauthorized("CSRF token is missing or invalid.")
        return self.role
