"""What a call of the console asks: its request, the ids in its address, who asks; and the app that is meant."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from devtools.dify_server.apps import GRAPH_MODES, App
from devtools.dify_server.flows import Flow
from devtools.dify_server.ledger import Request
from devtools.dify_server.refusals import BROKEN, Refusal, invalid
from devtools.dify_server.routes import json_body

NO_APP = Refusal(404, "app_not_found", "App not found.")
NO_DRAFT = Refusal(404, "draft_workflow_not_exist", "Draft workflow need to be initialized.")
FORBIDDEN = Refusal(
    403,
    "forbidden",
    "You don't have the permission to access the requested resource. "
    "It is either read-protected or not readable by the server.",
)
PAGE_SIZES = {"apps": 20, "versions": 10}
MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A call: its request, the ids in its address, and the role of whoever asks."""

    request: Request
    parts: list[str]
    role: str

    @property
    def body(self) -> dict[str, Any]:
        """The body, which may be left out."""
        return json_body(self.request) if self.request.raw else {}

    def word(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return parse_qs(self.request.query).get(name, [default])[0]

    def number(self, name: str, default: int, most: int) -> int:
        """A parameter of the query that is a number from 1. Refusal: it is none."""
        text = self.word(name, str(default))
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise invalid(f"1 validation error for Query\n{name}\n  Input should be less than or equal to {most}")
        return int(text)

    def page(self, rows: list[Any], name: str) -> tuple[list[Any], bool]:
        """The rows of one page, and whether there are more."""
        limit = self.number("limit", PAGE_SIZES[name], MAX_PAGE)
        first = (self.number("page", 1, 99_999) - 1) * limit
        return rows[first : first + limit], len(rows) > first + limit


def app_of(apps: dict[str, App], asked: Asked, *, any_mode: bool = False) -> App:
    """The app that is meant. Refusal: there is none of this id, or none of this kind."""
    app = apps.get(asked.parts[0])
    if app is None:
        raise NO_APP
    if not any_mode and not app.on_graph:
        raise Refusal(404, "app_not_found", f"App mode is not in the supported list: {set(GRAPH_MODES)}")
    return app


def draft_of(app: App) -> Flow:
    """The draft of an app. Refusal: it has none, or one that Dify cannot read."""
    if app.draft is None:
        raise NO_DRAFT
    if not app.draft.works:
        raise BROKEN
    return app.draft
