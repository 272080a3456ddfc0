"""The console API on the same server: from a request to its answer.

Sources: Dify 1.13.3, controllers/console. Only what a client of versions, keys and secrets needs is there; the rest
is a page that is not found, as an unknown address is in Dify.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devtools.dify_server.apps import App
from devtools.dify_server.console_asked import Asked
from devtools.dify_server.console_faults import HTML, INSTEAD, JSON, Faults, Plan, answer_of, spoil
from devtools.dify_server.console_login import Doorkeeper
from devtools.dify_server.console_routes import Routes
from devtools.dify_server.ledger import Request
from devtools.dify_server.refusals import Refusal, encoded
from devtools.dify_server.wire import Connection

ROOT = "/console/api"
NOT_FOUND = b"<!doctype html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_APP = f"/apps/({_UUID})"
# Name, method and address of every call.
_TABLE = [
    ("login", "POST", "/login"),
    ("refresh", "POST", "/refresh-token"),
    ("workspaces", "GET", "/workspaces"),
    ("plugins", "GET", "/workspaces/current/plugin/list"),
    ("apps", "GET", "/apps"),
    ("import", "POST", "/apps/imports"),
    ("check_dependencies", "GET", f"/apps/imports/({_UUID})/check-dependencies"),
    ("app", "GET", _APP),
    ("api_enable", "POST", f"{_APP}/api-enable"),
    ("export", "GET", f"{_APP}/export"),
    ("draft", "GET", f"{_APP}/workflows/draft"),
    ("sync", "POST", f"{_APP}/workflows/draft"),
    ("published", "GET", f"{_APP}/workflows/publish"),
    ("publish", "POST", f"{_APP}/workflows/publish"),
    ("versions", "GET", f"{_APP}/workflows"),
    ("mark", "PATCH", f"{_APP}/workflows/(?!draft$|publish$)([^/]+)"),
    ("delete_version", "DELETE", f"{_APP}/workflows/(?!draft$|publish$)([^/]+)"),
    ("restore", "POST", f"{_APP}/workflows/([^/]+)/restore"),
    ("keys", "GET", f"{_APP}/api-keys"),
    ("create_key", "POST", f"{_APP}/api-keys"),
    ("delete_key", "DELETE", f"{_APP}/api-keys/({_UUID})"),
]
CONSOLE_CALLS = tuple(name for name, _, _ in _TABLE)
_STATUS = {"create_key": 201, "delete_key": 204, "delete_version": 204}
_PATTERNS = [(name, method, re.compile(path)) for name, method, path in _TABLE]


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    parts: list[str]


class Console:
    """The console of a server; everything may be changed while it runs.

    ``door`` knows who may use it, ``routes`` what is installed and whether the plugin daemon answers, ``faults`` which
    call fails; ``latency_s`` is how long every answer takes; ``calls`` are the names of all calls, in their order.
    """

    def __init__(self, tokens: dict[str, App], version: str, plan: Plan | None = None) -> None:
        self.door = Doorkeeper(version)
        self.routes = Routes(tokens, self.door)
        self.faults = Faults(CONSOLE_CALLS, plan)
        self.latency_s = 0.0
        self.calls: list[str] = []

    def add(self, app: App) -> None:
        """Show an app in the console."""
        self.routes.apps[app.id] = app

    def fail(self, name: str, fault: str, nth: int = 1) -> None:
        """Let the ``nth`` call of this name from now on fail once."""
        self.faults.plan(name, fault, nth)

    async def answer(self, request: Request, connection: Connection) -> bool:
        """Answer one request; whether the connection can take another."""
        versions = (f"X-Version: {self.door.version}", "X-Env: PRODUCTION")
        await asyncio.sleep(self.latency_s)
        try:
            found = self._found(request)
            if found is None:
                connection.answer(404, NOT_FOUND, HTML, versions)
                return not connection.gone
            self.calls.append(found.name)
            fault = self.faults.next(found.name)
            if fault in INSTEAD:
                return await spoil(connection, fault, (500, b"", ()))
            told, cookies = self._done(found, request)
        except Refusal as refusal:
            connection.answer(refusal.status, encoded(refusal.body), JSON, versions)
            return not connection.gone
        status, body, headers = _STATUS.get(found.name, 200), answer_of(told), (*versions, *cookies)
        if fault:
            return await spoil(connection, fault, (status, body, headers))
        connection.answer(status, body, JSON, headers)
        return not connection.gone

    def _found(self, request: Request) -> _Found | None:
        """The call of an address; None for one that Dify does not have. Refusal: it has other methods."""
        path, allowed = request.path.removeprefix(ROOT), False
        for name, method, pattern in _PATTERNS:
            if (match := pattern.fullmatch(path)) and self.routes.has(name):
                if method == request.method:
                    return _Found(name, list(match.groups()))
                allowed = True
        if allowed:
            raise Refusal(405, "method_not_allowed", "The method is not allowed for the requested URL.")
        return None

    def _done(self, found: _Found, request: Request) -> tuple[Any, tuple[str, ...]]:
        """The body of the answer and the headers of its cookies, after the call has been done."""
        doors: Mapping[str, Callable[[Request], tuple[Any, tuple[str, ...]]]] = {
            "login": self.door.login,
            "refresh": self.door.renew,
        }
        if found.name in doors:
            return doors[found.name](request)
        role = self.door.role_of(request)
        return self.routes.call(found.name, Asked(request, found.parts, role)), ()
