"""The routes that answer at once: info, parameters, meta, run status, stop, and the checks that all of them share.

Sources: Dify 1.13.3, controllers/service_api/wraps.py (keys), controllers/service_api/app/workflow.py (status, stop).
"""

import json
import uuid
from typing import Any

from devtools.dify_server.apps import App
from devtools.dify_server.events import all_inputs
from devtools.dify_server.ledger import Ledger, Request
from devtools.dify_server.refusals import BROKEN, NO_API, NO_RUN, Refusal, invalid, unauthorized, wrong_mode

MAX_USER = 255
LIMITS_MB = {"image": 10, "video": 100, "audio": 50, "document": 15, "custom": 15}


def authorize(request: Request, apps: dict[str, App]) -> App:
    """The app of the key, with every other header that it wants."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        raise unauthorized("Authorization header must be provided and start with 'Bearer'")
    if scheme.lower() != "bearer" or not token:
        raise unauthorized("Authorization scheme must be 'Bearer'")
    app = apps.get(token.strip())
    if app is None:
        raise unauthorized("Access token is invalid")
    for name, value in app.headers_required.items():
        if request.headers.get(name.lower()) != value:
            raise unauthorized(f"The header {name} is missing or wrong")
    if not app.enabled:
        raise NO_API
    return app


def json_body(request: Request) -> dict[str, Any]:
    """The body, which must be a JSON object and say so."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(
            415,
            "unsupported_media_type",
            "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
        )
    try:
        body = json.loads(request.raw)
    except ValueError:
        raise Refusal(400, "bad_request", "Failed to decode JSON object") from None
    if not isinstance(body, dict):
        raise invalid("1 validation error\n  Input should be a valid dictionary")
    return body


def user_of(body: dict[str, Any]) -> str:
    """The end user; any JSON value will do, as text."""
    user = body.get("user")
    if not user:
        raise invalid("Arg user must be provided.")
    if len(str(user)) > MAX_USER:
        raise BROKEN
    return str(user)


def info(app: App) -> dict[str, Any]:
    """GET /v1/info: no id of the app in it."""
    return {"name": app.name, "description": "", "tags": [], "mode": app.mode, "author_name": "author"}


def parameters(app: App) -> dict[str, Any]:
    """GET /v1/parameters: what the app wants to know."""
    if not app.published:
        raise wrong_mode("completion")  # app_unavailable
    off = {"enabled": False}
    return {
        "opening_statement": "",
        "suggested_questions": [],
        "suggested_questions_after_answer": off,
        "speech_to_text": off,
        "text_to_speech": {**off, "voice": "", "language": ""},
        "retriever_resource": off,
        "annotation_reply": off,
        "more_like_this": off,
        "user_input_form": app.asks,
        "sensitive_word_avoidance": off,
        "file_upload": {"enabled": True, "allowed_file_types": ["document", "image"], "number_limits": 3},
        "system_parameters": {
            "image_file_size_limit": LIMITS_MB["image"],
            "video_file_size_limit": LIMITS_MB["video"],
            "audio_file_size_limit": LIMITS_MB["audio"],
            "file_size_limit": LIMITS_MB["document"],
            "workflow_file_upload_limit": 10,
        },
    }


def run_status(app: App, identity: str, ledger: Ledger) -> dict[str, Any]:
    """GET /v1/workflows/run/{id}: for workflows and chatflows; another app's run is not found."""
    if not app.on_graph:
        raise wrong_mode("workflow")
    try:
        wanted = str(uuid.UUID(identity))
    except ValueError:
        raise BROKEN from None
    run = next((run for run in ledger.runs if run.run_id == wanted and run.app is app), None)
    if run is None:
        raise NO_RUN
    return {
        "id": run.run_id,
        "workflow_id": app.workflow_id,
        "status": run.status,
        "inputs": json.dumps(all_inputs(run)),
        "outputs": run.outputs if run.status != "running" else {},
        "error": run.error if run.status != "running" else None,
        "total_steps": 3,
        "total_tokens": app.usage.tokens if run.status != "running" else 0,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "elapsed_time": run.elapsed if run.status != "running" else 0,
    }


def stop(app: App, route: str, task_id: str, user: str, ledger: Ledger) -> dict[str, Any]:
    """POST …/stop of the three kinds: success always, whatever it stops.

    A workflow or chatflow is stopped by any user, a run of another kind only by its own.
    """
    check_mode(app, route)
    for run in ledger.active(app):
        if run.task_id == task_id and (app.on_graph or run.user == user):
            run.stopped = True
            if run.wake:
                run.wake()
    ledger.note((app.name, task_id))
    return {"result": "success"}


def check_mode(app: App, route: str) -> None:
    """Refuse an app that is not of the route."""
    allowed = {"workflow": {"workflow"}, "chat": {"chat", "agent-chat", "advanced-chat"}, "completion": {"completion"}}
    if app.mode not in allowed[route]:
        raise wrong_mode(route)
