import hmac
from typing import Any

import pytest

from opskit import errors, service
from opskit.errors import Conflict, InvalidCredentials, InvalidInput, OpskitError, RateLimited, Refused, Unavailable
from opskit.model import Result
from opskit.service import MAX_BODY, Request, Settings

TOKEN = "fake-api-token-0123456789"


def request(body: bytes = b"", **headers: str) -> Request:
    return Request("endpoint-1", {name.replace("_", "-"): value for name, value in headers.items()}, {}, body)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({}, Settings()),
        ({"webhook_secrets": None, "app": None, "api_token": None}, Settings()),
        ({"webhook_secrets": " ,;\n", "app": {}, "api_token": " "}, Settings()),
        ({"webhook_secrets": "a b, c;d\r\ne，f；", "app": "x"}, Settings(("a b", "c", "d", "e", "f"))),
        ({"app": {"app_id": " app-1 ", "inputs": {}}, "api_token": f" {TOKEN}\n"}, Settings((), "app-1", TOKEN)),
        ({"app": {"app_id": None}}, Settings()),
    ],
)
def test_settings_are_read_however_dify_gives_them(given: dict[str, Any], read: Settings) -> None:
    assert Settings.read(given) == read


def test_settings_and_requests_do_not_show_what_they_hold() -> None:
    settings = Settings(("fake-secret-1",), "app-1", TOKEN)
    assert settings.secrets == ("fake-secret-1", TOKEN)
    assert Settings().secrets == ()
    assert "fake" not in repr(settings)
    assert "fake" not in repr(request(b"fake", authorization="fake"))


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer  {TOKEN} ", f"BEARER {TOKEN}"])
def test_the_token_opens(header: str) -> None:
    Settings(api_token=TOKEN).check_token(request(authorization=header))


@pytest.mark.parametrize(
    ("token", "header", "key"),
    [
        ("", f"Bearer {TOKEN}", "no_api_token"),
        (TOKEN, "", "token_missing"),
        (TOKEN, "Bearer", "token_wrong"),
        (TOKEN, TOKEN, "token_wrong"),
        (TOKEN, f"Basic {TOKEN}", "token_wrong"),
        (TOKEN, f"Bearer {TOKEN}x", "token_wrong"),
        (TOKEN, "Bearer 密", "token_wrong"),
    ],
)
def test_nothing_else_opens(token: str, header: str, key: str) -> None:
    with pytest.raises(InvalidCredentials, match=rf"^\[{key}\]"):
        Settings(api_token=token).check_token(request(authorization=header))


def test_the_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare_digest(*pair: bytes) -> bool:
        compared.append((pair[0], pair[1]))
        return True

    monkeypatch.setattr(hmac, "compare_digest", compare_digest)
    Settings(api_token=TOKEN).check_token(request(authorization="Bearer other"))
    assert compared == [(b"other", TOKEN.encode())]


@pytest.mark.parametrize("declared", ["", "3", "2", "x"])
def test_a_whole_body_passes(declared: str) -> None:
    assert request(b"abc", content_length=declared).whole_body() == b"abc"


@pytest.mark.parametrize(("body", "declared"), [(b"abc", "4"), (bytes(MAX_BODY), ""), (bytes(MAX_BODY), str(MAX_BODY))])
def test_a_body_that_may_be_cut_is_refused(body: bytes, declared: str) -> None:
    with pytest.raises(InvalidInput, match="10 MB") as told:
        request(body, content_length=declared).whole_body()
    assert service.failed(told.value).status == 413


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("no_model"), 400),
        (InvalidInput("webhook_event_too_large", limit_mb=4), 413),
        (InvalidCredentials("token_wrong"), 401),
        (Refused("webhook_declined", status=400), 403),
        (RateLimited("robot_silenced", seconds=3), 429),
        (Conflict("webhook_replayed"), 409),
        (Unavailable("webhook_no_time"), 502),
    ],
)
def test_every_class_has_its_status(error: OpskitError, status: int) -> None:
    answer = service.failed(error)
    told = answer.payload["error"]
    assert (answer.status, told["code"]) == (status, error.key)
    assert told["message"]
    assert not told["message"].startswith("[")


def test_no_class_is_without_a_status() -> None:
    def below(kind: type[OpskitError]) -> set[type[OpskitError]]:
        return {kind, *(one for child in kind.__subclasses__() for one in below(child))}

    kinds = [kind for kind in below(OpskitError) - {OpskitError} if kind.__module__ == errors.__name__]
    assert {service.failed(kind("no_model")).status for kind in kinds} == {400, 401, 403, 429, 409, 502}


def test_results_bugs_and_the_list_of_endpoints_are_json() -> None:
    class Count(Result):
        n: int

    assert service.result(Count(n=1, report="One.")) == service.Answer(200, {"n": 1, "report": "One."})
    assert service.broken("Oh.") == service.Answer(500, {"error": {"code": "bug", "message": "Oh."}})
    about = service.about("1.2.3")
    assert (about.status, about.payload["name"], about.payload["version"]) == (200, "OpsKit", "1.2.3")


@pytest.mark.parametrize(
    ("accepted", "locale"),
    [
        ("", "en_US"),
        ("zh", "zh_Hans"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh_Hans"),
        ("en-US,zh;q=0.9", "en_US"),
        ("en;q=0.3, zh-TW;q=0.7", "zh_Hans"),
        ("en;q=0.3, ZH-tw;q=0.7, *;q=0", "zh_Hans"),
        ("fr", "en_US"),
        ("zha", "en_US"),
        ("zh;q=x, en;q=0.1", "en_US"),
        ("zh;q=0", "en_US"),
        (",;q=1", "en_US"),
    ],
)
def test_the_language_is_the_callers(accepted: str, locale: str) -> None:
    assert service.language(accepted) == locale
