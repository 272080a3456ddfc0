"""POST /v1/workflows/run, /v1/chat-messages and /v1/completion-messages: what is asked of a run before it begins.

Sources: Dify 1.13.3, controllers/service_api/app/workflow.py and completion.py (the order of the checks),
services/app_generate_service.py (limit, published version, worker).
"""

import uuid
from dataclasses import dataclass
from typing import Any

from devtools.dify_server.apps import App
from devtools.dify_server.forms import Form
from devtools.dify_server.ledger import Ledger, Run
from devtools.dify_server.refusals import NO_CONVERSATION, Refusal, invalid, too_many, wrong_mode
from devtools.dify_server.routes import check_mode, user_of


@dataclass(frozen=True, slots=True)
class Order:
    """A run that was asked for; ``early`` is what is wrong with it, found when it is prepared."""

    run: Run
    early: Refusal | None

    @property
    def streaming(self) -> bool:
        """Whether its events are to be streamed."""
        return self.run.mode == "streaming"


class Desk:
    """Takes orders for runs, and knows the conversations."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._conversations: dict[str, tuple[App, str]] = {}

    def take(self, app: App, route: str, body: dict[str, Any], authorization: str, version: str = "") -> Order:
        """The run that the body asks for, not yet begun; Refusal when the answer is an error in either mode."""
        user = user_of(body)
        check_mode(app, route)
        mode = _check_payload(route, body)
        if app.mode == "agent-chat" and mode == "blocking":
            raise invalid("Agent Chat App does not support blocking mode")
        if app.max_active is not None and len(self._ledger.active(app)) >= app.max_active:
            raise too_many(app.name, app.max_active)
        if version:
            _check_version(app, version)
        if not app.published:
            raise invalid("Workflow not published") if app.on_graph else wrong_mode("completion")
        files = body.get("files") or []
        run = Run(app, user, body["inputs"], str(body.get("query") or ""), files, mode, authorization=authorization)
        run.flow = app.flow(version or app.workflow_id)
        early = None
        try:
            run.inputs = Form(app, user, self._ledger.uploads).check(body["inputs"], files)
            if route == "chat":
                run.conversation_id = self._conversation(app, user, body.get("conversation_id"))
        except Refusal as refusal:
            early = refusal
        return Order(run, early)

    def _conversation(self, app: App, user: str, wanted: Any) -> str:
        """The conversation, which is its app's and its user's; a new one if none is wanted."""
        if not wanted:
            wanted = str(uuid.uuid4())
            self._conversations[wanted] = (app, user)
        if self._conversations.get(wanted) != (app, user):
            raise NO_CONVERSATION
        return str(wanted)


def _check_payload(route: str, body: dict[str, Any]) -> str:
    """The response mode of a body that has everything, in the words of pydantic where it has not."""
    mode = body.get("response_mode") or "blocking"
    if mode not in {"blocking", "streaming"}:
        raise _wrong("response_mode", "Input should be 'blocking' or 'streaming'")
    if "inputs" not in body:
        raise _wrong("inputs", "Field required")
    if not isinstance(body["inputs"], dict):
        raise _wrong("inputs", "Input should be a valid dictionary")
    if not isinstance(body.get("files") or [], list):
        raise _wrong("files", "Input should be a valid list")
    if route == "chat" and not isinstance(body.get("query"), str):
        raise _wrong("query", "Field required" if "query" not in body else "Input should be a valid string")
    if route == "chat" and body.get("conversation_id"):
        try:
            uuid.UUID(str(body["conversation_id"]))
        except ValueError:
            raise _wrong("conversation_id", "Value error, must be a valid UUID") from None
    return str(mode)


def _wrong(name: str, text: str) -> Refusal:
    return invalid(f"1 validation error for Payload\n{name}\n  {text}")


def _check_version(app: App, version: str) -> None:
    try:
        wanted = str(uuid.UUID(version))
    except ValueError:
        raise Refusal(400, "bad_request", f"Invalid workflow_id format: '{version}'. ") from None
    if app.draft and wanted == app.draft.id:
        text = f"Cannot use draft workflow version. Workflow ID: {version}. "
        raise Refusal(400, "bad_request", text)
    if wanted != app.workflow_id and app.flow(wanted) is None:
        raise Refusal(404, "not_found", f"Workflow not found with id: {version}")
