"""The errors of the Service API: Dify 1.13.3, libs/external_api.py and controllers/service_api/app/error.py.

Status and code are Dify's; the texts of provider_*, model_* and not_*_app are those of other versions.
"""

import json
from collections.abc import Mapping
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Refusal(Exception):
    """An answer that is an error: HTTP status, Dify's code and its text."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    @property
    def body(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"code": self.code, "message": self.message, "status": self.status}


class Early(Refusal):
    """What Dify finds when a run is prepared.

    The streams of workflows and chatflows are prepared in a worker: there it is not told to the client, which gets
    one ping and then silence (Dify 1.13.3, services/app_generate_service.py, core/app/apps/streaming_utils.py).
    """

    def __init__(self, message: str, *, status: int = 400, code: str = "invalid_param") -> None:
        super().__init__(status, code, message)


def invalid(message: str) -> Refusal:
    """A 400 of the commonest kind."""
    return Refusal(400, "invalid_param", message)


def unauthorized(message: str) -> Refusal:
    """A key that is missing or wrong."""
    return Refusal(401, "unauthorized", message)


def wrong_mode(route: str) -> Refusal:
    """The app has another mode than the route; the completion route has a code of its own."""
    if route == "completion":
        return Refusal(400, "app_unavailable", "App unavailable, please check your app configurations.")
    named = {"workflow": "not_workflow_app", "chat": "not_chat_app"}[route]
    return Refusal(400, named, "Please check if your app mode matches the right API route.")


def too_many(app_id: str, limit: int) -> Refusal:
    """The limit of an app, which comes as a 400: AppInvokeQuotaExceededError is a ValueError and caught as one."""
    return invalid(
        "Too many requests. Please try again later. "
        f"The current maximum concurrent requests allowed for {app_id} is {limit}."
    )


BROKEN = Refusal(500, "unknown", "Internal Server Error")
NO_APP = Refusal(403, "forbidden", "The app no longer exists.")
NO_API = Refusal(403, "forbidden", "The app's API service has been disabled.")
NO_RUN = Refusal(404, "not_found", "Workflow run not found.")
NO_QUERY = Early("query is required")
NO_CONVERSATION = Early("Conversation Not Exists.", status=404, code="not_found")


def planned(fault: str, app: str, authorization: str) -> Refusal | None:
    """The refusal that a fault asks for, if it asks for one."""
    texts: Mapping[str, Refusal] = {
        "500": BROKEN,
        "app_gone_403": NO_APP,
        "echo_key": invalid(f"Cannot serve the request with Authorization: {authorization}"),
        "key_gone_401": unauthorized("Access token is invalid"),
        "model_currently_not_support": Refusal(
            400, "model_currently_not_support", "Dify Hosted OpenAI trial currently not support the GPT-4 model."
        ),
        "provider_error_400": Refusal(400, "completion_request_error", "Incorrect API key provided"),
        "provider_not_initialize": Refusal(
            400,
            "provider_not_initialize",
            "No valid model provider credentials found. "
            "Please go to Settings -> Model Provider to complete your provider credentials.",
        ),
        "provider_quota_exceeded": Refusal(
            400,
            "provider_quota_exceeded",
            "Your quota for Dify Hosted OpenAI has been exhausted. "
            "Please go to Settings -> Model Provider to complete your own provider credentials.",
        ),
        "quota_429": Refusal(429, "rate_limit_error", "Rate Limit Error"),
        "rate_limit_400": too_many(app, 1),
        "rate_limit_429": Refusal(429, "too_many_requests", "Too many requests. Please try again later."),
    }
    return texts.get(fault)


def encoded(value: object) -> bytes:
    """JSON as Dify's orjson writes it: UTF-8, and U+2028 and U+0085 as they are."""
    return _ENCODER.encode(value).encode()
