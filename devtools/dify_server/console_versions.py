"""What the calls of the console do with a draft and with versions.

Sources: Dify 1.13.3, controllers/console/app/workflow.py, services/workflow_service.py.
"""

from typing import Any

from devtools.dify_server.apps import App
from devtools.dify_server.console_asked import MAX_PAGE, Asked, app_of, draft_of
from devtools.dify_server.console_faults import NOT_SYNCED
from devtools.dify_server.flows import DRAFT, Flow, plain
from devtools.dify_server.refusals import BROKEN, Refusal, invalid


class Versions:
    """The calls, by their names. ``versions_fail`` lets the list of versions answer 500."""

    def __init__(self) -> None:
        self.apps: dict[str, App] = {}
        self.versions_fail = False

    def _of(self, asked: Asked, *, any_mode: bool = False) -> App:
        return app_of(self.apps, asked, any_mode=any_mode)

    def _draft(self, asked: Asked) -> Any:
        return draft_of(self._of(asked)).shown

    def _sync(self, asked: Asked) -> Any:
        """Write the draft. What makes Dify stumble afterwards is answered with 500, and is written all the same."""
        app, body = self._of(asked), asked.body
        for name in ("graph", "features"):
            if not isinstance(body.get(name), dict):
                raise invalid(f"1 validation error for SyncDraftWorkflowPayload\n{name}\n  Field required")
        if app.draft is None:
            app.draft = Flow()
        elif body.get("hash") != app.draft.hash:
            raise NOT_SYNCED
        environment = body.get("environment_variables") or []
        if environment and not app.draft.works:
            raise BROKEN
        held = {one["name"]: plain(one) for one in body.get("conversation_variables") or []}
        app.draft.keep(environment)
        app.draft.take(body["graph"], body["features"], app.mode)
        app.draft.conversation = list(held.values())
        app.draft.updated_at += 1
        if not (app.draft.works and app.draft.is_whole):
            raise BROKEN
        return {"result": "success", "hash": app.draft.hash, "updated_at": app.draft.updated_at}

    def _published(self, asked: Asked) -> Any:
        current = self._of(asked).serving
        return current.shown if current else dict.fromkeys(Flow().shown)

    def _publish(self, asked: Asked) -> Any:
        app = self._of(asked)
        if app.draft is None:
            raise ValueError("No valid workflow found.")
        version = app.publish(*_marks(asked.body))
        return {"result": "success", "created_at": version.created_at}

    def _versions(self, asked: Asked) -> Any:
        app = self._of(asked)
        if self.versions_fail:
            raise BROKEN
        rows = [app.draft, *reversed(app.versions)] if app.draft and app.versions else []
        if asked.word("named_only") == "true":
            rows = [one for one in rows if one.marked_name]
        page, more = asked.page(rows, "versions")
        told = {"page": asked.number("page", 1, 99_999), "limit": asked.number("limit", 10, MAX_PAGE)}
        return {"items": [one.shown for one in page], **told, "has_more": more}

    def _mark(self, asked: Asked) -> Any:
        version = self._version(asked)
        body = asked.body
        name, comment = _marks(body)
        if "marked_name" in body:
            version.marked_name = name
        if "marked_comment" in body:
            version.marked_comment = comment
        return version.shown

    def _delete_version(self, asked: Asked) -> Any:
        app, version = self._of(asked), self._version(asked)
        if version is app.serving:
            text = f"Cannot delete workflow that is currently in use by app '{app.id}'"
            raise Refusal(400, "bad_request", text)
        if version.version == DRAFT:
            raise Refusal(400, "bad_request", "Cannot delete draft workflow versions")
        app.versions.remove(version)

    def _version(self, asked: Asked) -> Flow:
        app = self._of(asked)
        rows = [*app.versions, *([app.draft] if app.draft else [])]
        found = next((one for one in rows if one.id == asked.parts[1]), None)
        if found is None:
            raise Refusal(404, "not_found", "Workflow not found")
        return found

    def _restore(self, asked: Asked) -> Any:
        app, version = self._of(asked), self._version(asked)
        if version.version == DRAFT:
            raise Refusal(400, "bad_request", "source workflow must be published")
        draft = draft_of(app)
        draft.restore(version)
        return {"result": "success", "hash": draft.hash, "updated_at": draft.updated_at}


def _marks(body: dict[str, Any]) -> tuple[str, str]:
    """Name and comment of a version. ValueError: they are too long."""
    for name, most in (("marked_name", 20), ("marked_comment", 100)):
        if len(str(body.get(name) or "")) > most:
            raise ValueError(f"1 validation error for Payload\n{name}\n  String should have at most {most} characters")
    return str(body.get("marked_name") or ""), str(body.get("marked_comment") or "")
