"""What Dify's refusals mean to whoever reads them."""

import json
from typing import Any

import pytest

from opskit.dify import invocation_failed
from opskit.dify.failure import failure, run_failed, told_inside
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, RateLimited, Refused, Unavailable

BUSY = "Too many requests. Please try again later. The current maximum concurrent requests allowed for a is 1."
URI = " You have requested this URI [/v1/x] but did you mean /v1/y ?"

# Status, Dify's code and message (of a 1.13.3), and what is made of it.
ANSWERS: list[tuple[int, str, str, type[OpskitError], str]] = [
    (401, "unauthorized", "Access token is invalid", InvalidCredentials, "dify_key"),
    (401, "unauthorized", "Authorization scheme must be 'Bearer'", InvalidCredentials, "dify_key"),
    (403, "forbidden", "The app's API service has been disabled.", Refused, "dify_forbidden"),
    (403, "forbidden", "The app no longer exists.", Refused, "dify_forbidden"),
    (400, "not_workflow_app", "Please check if your app mode …", Refused, "dify_wrong_kind"),
    (400, "not_chat_app", "Please check if your app mode …", Refused, "dify_wrong_kind"),
    (400, "app_unavailable", "App unavailable, please check …", Refused, "dify_app_unavailable"),
    (400, "invalid_param", "Workflow not published", Refused, "dify_app_unavailable"),
    (400, "invalid_param", "name is required in input form", InvalidInput, "dify_input"),
    (400, "invalid_param", "Arg user must be provided.", InvalidInput, "dify_input"),
    (400, "invalid_param", "Invalid upload file", InvalidInput, "dify_input"),
    (400, "bad_request", "Failed to decode JSON object", InvalidInput, "dify_input"),
    (404, "not_found", "Conversation Not Exists." + URI, Refused, "dify_not_found"),
    (400, "invalid_param", BUSY, RateLimited, "dify_busy"),
    (429, "too_many_requests", "Too many requests.", RateLimited, "dify_busy"),
    (429, "rate_limit_error", "Rate Limit Error", Refused, "dify_quota"),
    (400, "completion_request_error", "Incorrect API key provided", Unavailable, "dify_model_failed"),
    (400, "invalid_param", "Run failed: the model is away", Unavailable, "dify_run_failed"),
    (400, "invalid_param", "Run failed: 429 Too many requests", Unavailable, "dify_run_failed"),
    (400, "provider_not_initialize", "No valid model provider credentials found.", Refused, "dify_model_setup"),
    (400, "provider_quota_exceeded", "Your quota has been exhausted.", Refused, "dify_model_setup"),
    (400, "model_currently_not_support", "not support the GPT-4 model.", Refused, "dify_model_setup"),
    (413, "file_too_large", "File size exceeded. {message}", InvalidInput, "dify_file"),
    (415, "unsupported_file_type", "File type not allowed.", InvalidInput, "dify_file"),
    (400, "filename_not_exists_error", "The specified filename does not exist.", InvalidInput, "dify_file"),
    (500, "unknown", "Internal Server Error", Unavailable, "dify_down"),
    (400, "from_the_future", "no", InvalidInput, "dify_input"),
    (503, "from_the_future", "no", Unavailable, "dify_down"),
]


@pytest.mark.parametrize(("status", "code", "message", "kind", "key"), ANSWERS)
def test_a_refusal_is_sorted_and_quoted_with_difys_own_code(
    status: int, code: str, message: str, kind: type[OpskitError], key: str
) -> None:
    error = failure(status, {"code": code, "message": message, "status": status})
    assert (type(error), error.key) == (kind, key)
    assert message.removeprefix("Run failed: ").removesuffix(URI) in str(error)
    assert "requested" not in str(error)  # Flask's advice about other addresses
    assert code in str(error) or key == "dify_run_failed"
    assert "{" not in str(error).replace("{message}", "")


@pytest.mark.parametrize(
    ("status", "kind", "key", "shown"),
    [
        (301, InvalidInput, "dify_redirect", "(HTTP 301)"),
        (308, InvalidInput, "dify_redirect", "(HTTP 308)"),
        (400, InvalidInput, "dify_input", "(HTTP 400: Bad Request)"),
        (401, InvalidCredentials, "dify_key", "(HTTP 401: Unauthorized)"),
        (403, Refused, "dify_forbidden", "(HTTP 403: Forbidden)"),
        (404, InvalidInput, "dify_wrong_address", "(HTTP 404: Not Found)"),
        (405, InvalidInput, "dify_wrong_address", "(HTTP 405: Method Not Allowed)"),
        (413, InvalidInput, "dify_file", "(HTTP 413: "),
        (429, RateLimited, "dify_busy", "(HTTP 429: Too Many Requests)"),
        (502, Unavailable, "dify_down", "(HTTP 502: Bad Gateway)"),
        (522, Unavailable, "dify_down", "(HTTP 522: )"),
    ],
)
@pytest.mark.parametrize("body", [None, "<html>", [], {}, {"code": None, "message": ""}])
def test_what_a_proxy_answers_is_sorted_by_its_status(
    status: int, kind: type[OpskitError], key: str, shown: str, body: object
) -> None:
    error = failure(status, body)
    assert (type(error), error.key) == (kind, key)
    assert shown in str(error)


@pytest.mark.parametrize(
    ("after", "seconds"),
    [("7", 7), ("1.2", 2), ("0", 0), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("1e9", None)],
)
def test_how_long_to_wait_is_taken_from_the_headers(after: str, seconds: int | None) -> None:
    for status, code in ((429, "too_many_requests"), (400, "invalid_param")):
        error = failure(status, {"code": code, "message": BUSY}, {"Retry-After": after})
        assert isinstance(error, RateLimited)
        assert error.seconds == seconds


def test_a_failure_inside_an_answer_with_200_is_one() -> None:
    error = told_inside({"code": "unauthorized", "message": "no", "status": 401})
    assert (type(error), error and error.key) == (InvalidCredentials, "dify_key")
    assert told_inside({"event": "error", "code": "x", "message": "m"}) is not None
    assert told_inside({"event": "error", "code": "x", "message": "m", "status": "bad"}) is not None
    assert told_inside({"code": "a field", "message": "of an app"}) is None
    assert told_inside({"event": "message"}) is None


def test_a_run_that_failed_may_be_better_the_next_time() -> None:
    assert isinstance(run_failed("x"), Unavailable)


# Reverse invocation


def refusal(status: int, body: Any) -> str:
    text = body if isinstance(body, str) else json.dumps({**body, "status": status})
    return f"invoke app failed: request failed with status code: {status} and respond with: {text}"


def invalid(message: str) -> dict[str, str]:
    return {"code": "invalid_param", "message": message}


@pytest.mark.parametrize(
    ("text", "kind", "key", "shown"),
    [
        (refusal(400, invalid("app not found")), Refused, "dify_no_such_app", "(app not found)"),
        (refusal(400, invalid("unexpected app type")), Refused, "dify_app_unavailable", "unexpected app type"),
        (refusal(400, invalid("missing query")), InvalidInput, "dify_input", "missing query"),
        (refusal(400, invalid("")), InvalidInput, "dify_input", "conversation_id"),  # of another app
        (refusal(400, invalid("name is required in input form")), InvalidInput, "dify_input", "name is required"),
        (refusal(400, invalid("Run failed: no\nreason")), Unavailable, "dify_run_failed", "no\nreason"),
        (refusal(400, invalid(BUSY)), RateLimited, "dify_busy", "concurrent"),
        (
            refusal(404, {"code": "not_found", "message": "Conversation Not Exists."}),
            Refused,
            "dify_not_found",
            "Exists",
        ),
        (refusal(400, {"code": "completion_request_error", "message": "m"}), Unavailable, "dify_model_failed", "m"),
        (
            refusal(500, {"code": "unknown", "message": "Internal Server Error"}),
            Refused,
            "dify_maybe_completion",
            "500",
        ),
        (refusal(500, "<html>"), Refused, "dify_maybe_completion", "completion app"),
        (refusal(502, "<html>Bad Gateway</html>"), Unavailable, "dify_no_invocation", "502"),
        (refusal(404, "<html>Not Found</html>"), Unavailable, "dify_no_invocation", "404"),
        (refusal(401, {"code": "unauthorized", "message": "m"}), Unavailable, "dify_no_invocation", "401"),
        ('invoke app failed: Post "http://api:5001/x": EOF', Unavailable, "dify_no_invocation", "EOF"),
        ("", Unavailable, "dify_no_invocation", ""),
    ],
)
def test_what_the_daemon_says_about_a_reverse_invocation_is_sorted(
    text: str, kind: type[OpskitError], key: str, shown: str
) -> None:
    error = invocation_failed(text)
    assert (type(error), error.key) == (kind, key)
    assert shown in str(error)
