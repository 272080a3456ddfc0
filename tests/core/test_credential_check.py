"""Keys and addresses looked at: what is well, what is not, what could not be told, and that no secret gets out."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from devtools.dify_server import App, DifyServer, simple_flow
from devtools.listener import listening
from devtools.robot import Robot
from devtools.workspace import Port, Workspace
from opskit import health, http, webhook, wording
from opskit.dingtalk.pace import PER_WINDOW, Pace
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, Refused
from opskit.health import Check, Checks, Checkup
from opskit.health.entries import entries, robot_keys, url_secrets
from opskit.health.finding import _ROBOT_FAILED, Finding
from opskit.health.look import Subject, looked

TOKEN, SECRET = "fake-token-0123456789abcdef", "SECfake0123456789abcdef+/="
HOOK_SECRET = "whsec_ZmFrZS13ZWJob29rLXNlY3JldC0xMjM="
IN_PATH, IN_QUERY = "fake-path-secret-01234567", "fake-query-secret-01234567"
CALLER = "11111111-2222-3333-4444-555555555555"
TOPIC = [{"number": {"variable": "n", "label": "N", "required": True}}]


@pytest.fixture
def dify() -> Iterator[DifyServer]:
    with DifyServer() as running:
        yield running


@pytest.fixture
def robot() -> Iterator[Robot]:
    with Robot(TOKEN, SECRET) as running:
        yield running


@pytest.fixture
def plain_robot() -> Iterator[Robot]:
    """Without a secret."""
    with Robot(TOKEN) as running:
        yield running


@contextlib.contextmanager
def silence() -> Iterator[str]:
    """An address where connections are taken, and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def checkup(**given: Any) -> Checkup:
    return Checkup.model_validate({"timeout_s": 8, "allow_private": True} | given)


def checked(pace: Pace | None = None, *, app_id: str = CALLER, by_model: bool = False, **given: Any) -> Checks:
    port = Port(Workspace(), app_id, by_model=by_model)
    checks = health.check(checkup(**given), port, pace=Pace() if pace is None else pace)
    for one in checks.checks:
        assert one.ok == (one.state == "healthy")
        assert one.message
        assert one.fix or one.ok
        assert "{" not in one.message
    assert checks.healthy == sum(one.state == "healthy" for one in checks.checks)
    assert checks.failed == sum(one.state == "failed" for one in checks.checks)
    return checks


def only(checks: Checks) -> Check:
    (one,) = checks.checks
    return one


def of_app(dify: DifyServer, app: App, **given: Any) -> Check:
    """What is found about one app."""
    dify.add(app)
    return only(checked(app_keys=f"it={app.key}", base_url=dify.url, **given))


def told(one: Check) -> tuple[str, str]:
    return one.state, one.code


# Apps by their keys


@pytest.mark.parametrize("mode", ["workflow", "advanced-chat", "chat", "agent-chat", "completion"])
def test_a_key_is_well_without_a_run(dify: DifyServer, mode: str) -> None:
    one = of_app(dify, App("it", mode))
    assert (one.name, one.kind, one.state, one.code, one.fix) == ("it", "app", "healthy", "app_ready", "")
    assert mode in one.message
    assert [request.path for request in dify.requests] == ["/v1/info", "/v1/parameters"]
    assert dify.runs == []


@pytest.mark.parametrize(
    ("app", "code", "fix"),
    [
        (App("it", enabled=False), "dify_forbidden", "Switch its API on."),
        (App("it", published=False), "dify_app_unavailable", "Publish it."),
        (App("it", faults_at={"info": "500"}), "dify_down", "look at its logs"),
        (App("it", faults_at={"info": "502"}), "dify_down", "look at its logs"),
        (App("it", faults_at={"info": "html_404"}), "dify_wrong_address", "it ends in /v1"),
        (App("it", faults_at={"info": "html_200"}), "not_dify", "login pages"),
        (App("it", faults_at={"info": "redirect"}), "dify_redirect", "final address"),
        (App("it", faults_at={"parameters": "reset_before"}), "no_answer", "check the address"),
        (App("it", faults_at={"info": "key_gone_401"}), "dify_key", "Copy it again"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_key_that_does_not_work_says_what_to_do(dify: DifyServer, app: App, code: str, fix: str) -> None:
    one = of_app(dify, app)
    assert told(one) == ("failed", code)
    assert fix in one.fix
    assert fix not in one.message


def test_an_unknown_key_has_failed_and_the_others_are_well(dify: DifyServer) -> None:
    legal = dify.add(App("legal"))
    checks = checked(app_keys=f"legal={legal.key}\ntax=app-fake-nobody-knows-it", base_url=dify.root)
    assert [(one.name, *told(one)) for one in checks.checks] == [
        ("legal", "healthy", "app_ready"),
        ("tax", "failed", "dify_key"),
    ]
    assert "unauthorized" in checks.checks[1].message
    assert (checks.healthy, checks.failed) == (1, 1)


def test_too_many_calls_say_nothing_about_a_key(dify: DifyServer) -> None:
    assert told(of_app(dify, App("it", faults_at={"info": "rate_limit_429"}))) == ("unverified", "dify_busy")


def test_a_server_that_is_not_there_has_failed() -> None:
    assert told(only(checked(app_keys="it=app-fake-key-0123", base_url="http://127.0.0.1:9"))) == (
        "failed",
        "not_reached",
    )


def test_a_model_that_chose_the_address_gets_no_key_outside() -> None:
    given: dict[str, Any] = {"app_keys": "it=app-fake-key-0123", "base_url": "http://192.0.2.1", "timeout_s": 1}
    assert only(checked(by_model=True, **given)).code in {"host_not_trusted", "not_reached"}


def test_headers_go_with_every_call(dify: DifyServer) -> None:
    app = App("it", headers_required={"X-Gateway": "fake-gateway-0123"})
    assert told(of_app(dify, app, extra_headers="X-Gateway: fake-gateway-0123")) == ("healthy", "app_ready")


# Apps that are run


def test_a_deep_check_runs_each_app_with_its_prompt(dify: DifyServer) -> None:
    legal, tax, press = (dify.add(App(name, "chat")) for name in ("legal", "tax", "press"))
    flow = dify.add(App("flow", form=TOPIC))
    apps = [legal, tax, press, flow]
    prompts = {"legal": "Who?", "tax": {"query": "What?"}, "flow": {"inputs": {"n": 3}}}
    checks = checked(
        app_keys=json.dumps({app.name: app.key for app in apps}),
        base_url=dify.url,
        deep=True,
        prompts=json.dumps(prompts),
        user="night",
    )
    assert [told(one) for one in checks.checks] == [("healthy", "app_ran")] * 4
    assert {run.app.name: run.query for run in dify.runs} == {
        "legal": "Who?",
        "tax": "What?",
        "press": "Reply with OK.",
        "flow": "",
    }
    assert {run.user for run in dify.runs} == {"night"}
    assert "12 tokens" in checks.checks[0].message


@pytest.mark.parametrize("prompts", ["How?", '{"query": "How?"}'])
def test_one_prompt_is_for_all(dify: DifyServer, prompts: str) -> None:
    apps = [dify.add(App(name, "chat")) for name in ("legal", "tax")]
    keys = {app.name: app.key for app in apps}
    checked(app_keys=json.dumps(keys), base_url=dify.url, deep=True, prompts=prompts)
    assert [run.query for run in dify.runs] == ["How?", "How?"]


@pytest.mark.parametrize(
    ("app", "state", "code"),
    [
        (App("it", answer=" "), "healthy", "app_ran"),
        (App("it", "chat", answer=" "), "failed", "app_mute"),
        (App("it", fault="failed_run"), "failed", "dify_run_failed"),
        (App("it", "chat", fault="error_event"), "failed", "dify_model_failed"),
        (App("it", fault="provider_quota_exceeded"), "failed", "dify_model_setup"),
        (App("it", fault="rate_limit_400"), "unverified", "dify_busy"),
        (App("it", fault="paused"), "unverified", "run_paused"),
        (App("it", status="stopped"), "unverified", "run_stopped"),
        (App("it", form=TOPIC), "unverified", "inputs_refused"),
        (App("it", id=CALLER), "unverified", "calls_itself"),
        (App("it", published=False), "failed", "dify_app_unavailable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_deep_check_tells_how_it_ended(dify: DifyServer, app: App, state: str, code: str) -> None:
    assert told(of_app(dify, app, deep=True)) == (state, code)


@pytest.mark.parametrize(
    ("app", "code"),
    [
        (App("it", seconds=30), "run_too_slow"),
        (App("it", fault="hang"), "run_too_slow"),
        (App("it", faults_at={"info": "hang"}), "app_silent"),
    ],
    ids=["slow", "hanging", "hanging before"],
)
def test_an_app_that_takes_too_long_has_failed_in_time(dify: DifyServer, app: App, code: str) -> None:
    began = time.monotonic()
    one = of_app(dify, app, deep=True, timeout_s=1)
    assert told(one) == ("failed", code)
    assert 1 <= time.monotonic() - began < 4
    is_known = app.fault is None and code == "run_too_slow"
    assert bool(dify.until(lambda: bool(dify.stopped), 5 if is_known else 0.1)) is is_known
    assert ("base_url" if code == "app_silent" else "timeout_s") in one.fix
    assert "deadline_s" not in one.fix
    assert one.latency_ms >= 900


@pytest.mark.parametrize(
    ("prompts", "key"),
    [
        ('{"press": "Who?"}', "unknown_prompt"),
        ('{"it": 3}', "bad_prompts"),
        ('{"it": {"query": 3}}', "bad_prompts"),
        ('{"it": {"topic": "x"}}', "bad_prompts"),
        ('{"query": "x", "inputs": []}', "bad_prompts"),
    ],
)
def test_prompts_that_cannot_be_used_stop_everything(dify: DifyServer, prompts: str, key: str) -> None:
    with pytest.raises(InvalidInput, match=key):
        of_app(dify, App("it"), deep=True, prompts=prompts)
    assert dify.requests == []
    assert told(of_app(dify, App("it"), prompts=prompts)) == ("healthy", "app_ready")


def test_prompts_that_are_no_json_object_are_refused() -> None:
    for prompts in ("{", [1]):
        with pytest.raises((InvalidInput, ValueError)):
            checkup(prompts=prompts)


# The console


def by_key(dify: DifyServer, **more: Any) -> dict[str, Any]:
    door = dify.console.door
    return {"base_url": dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id} | more


def by_password(dify: DifyServer, **more: Any) -> dict[str, Any]:
    door = dify.console.door
    return {"base_url": dify.url, "email": door.email, "password": door.password} | more


@pytest.mark.parametrize("way", [by_key, by_password])
def test_a_console_that_lets_us_in_says_how_far(dify: DifyServer, way: Callable[..., dict[str, Any]]) -> None:
    dify.add(App("legal", draft=simple_flow("v1")))
    one = only(checked(**way(dify)))
    assert (one.name, one.kind, *told(one)) == ("console", "console", "healthy", "console_open")
    assert "1.13.3" in one.message
    assert "workflow: 1" in one.message
    assert "draft" in dify.console.calls
    assert not {"sync", "publish", "create_key", "keys"} & set(dify.console.calls)


def test_a_console_without_apps_and_an_app_without_a_draft_are_well(dify: DifyServer) -> None:
    assert told(only(checked(**by_key(dify)))) == ("healthy", "console_empty")
    dify.add(App("legal"))
    assert told(only(checked(**by_key(dify)))) == ("healthy", "console_open")


def test_a_console_that_does_not_let_us_in_says_why(dify: DifyServer) -> None:
    assert told(only(checked(**by_key(dify, admin_key="fake-wrong-key-0123")))) == ("failed", "console_admin_key")
    assert told(only(checked(**by_password(dify, password="fake-wrong")))) == ("failed", "console_password")
    dify.add(App("legal", draft=simple_flow("v1")))
    dify.console.door.role = "normal"
    assert told(only(checked(**by_password(dify)))) == ("failed", "console_forbidden")
    for _ in range(7):
        one = only(checked(**by_password(dify, password="fake-wrong")))
    assert told(one) == ("unverified", "console_locked")


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"admin_key": "fake-admin-key"}, "missing_parameter"),
        ({"workspace_id": CALLER}, "missing_secret"),
        ({"email": "a@example.com"}, "missing_secret"),
        ({"password": "fake-password"}, "missing_parameter"),
        ({"admin_key": "fake-admin-key", "email": "a@example.com"}, "console_two_ways"),
    ],
)
def test_half_a_way_into_the_console_is_told_before_anything_is_sent(given: dict[str, Any], key: str) -> None:
    with pytest.raises(OpskitError, match=key):
        checked(**given)


# Robots


def of_robot(robot: Robot, token: str = TOKEN, secret: str = SECRET, pace: Pace | None = None) -> Check:
    entry = f"ops={robot.url}/robot/send?access_token={token}" + (f":{secret}" if secret else "")
    one = only(checked(pace, robots=entry))
    assert (one.name, one.kind) == ("ops", "robot")
    assert robot.posted == []
    return one


def test_a_robot_whose_keys_are_right_is_well_and_nothing_is_posted(robot: Robot, plain_robot: Robot) -> None:
    assert told(of_robot(robot)) == ("healthy", "robot_keys_right")
    assert told(of_robot(plain_robot, secret="")) == ("healthy", "robot_token_right")
    assert [request.body for request in [*robot.requests, *plain_robot.requests]] == [
        b'{"msgtype": "opskit_check"}'
    ] * 4
    asked, control = plain_robot.requests
    assert asked.query["access_token"] == [TOKEN] != control.query["access_token"]


def test_a_wrong_key_has_failed(robot: Robot) -> None:
    assert told(of_robot(robot, token="fake-other-token")) == ("failed", "robot_token")
    wrong = of_robot(robot, secret="SECfake-wrong-0123456789")
    assert told(wrong) == ("failed", "robot_signature")
    assert "begins with SEC" in wrong.fix
    unsigned = of_robot(robot, secret="")
    assert told(unsigned) == ("failed", "robot_unsigned")
    assert "name=token:secret" in unsigned.fix


def refusal(errcode: int, errmsg: str = "x") -> dict[str, object]:
    return {"errcode": errcode, "errmsg": errmsg}


KIND = refusal(400105, "unsupported msgtype")


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        (refusal(310000, "description:机器人发送签名过期;solution:…"), "failed", "robot_clock"),
        (refusal(310000, "ip 1.2.3.4 not in whitelist"), "failed", "robot_ip"),
        (refusal(310000, "something"), "failed", "robot_security"),
        (refusal(400013), "failed", "robot_group_gone"),
        (refusal(400102, "robot stopped"), "failed", "robot_stopped"),
        (refusal(400106), "failed", "robot_not_in_group"),
        (refusal(90030), "failed", "robot_quota"),
        (404, "failed", "robot_wrong_address"),
        (refusal(310000, "keywords not in content"), "unverified", "robot_keyword"),
        (refusal(40035, "缺少参数 access_token"), "unverified", "robot_parameter"),
        (refusal(-1, "系统繁忙"), "unverified", "robot_system_busy"),
        (refusal(430104), "unverified", "robot_content"),
        (refusal(460101), "unverified", "robot_too_long"),
        (refusal(999999), "unverified", "robot_other"),
        (refusal(130101), "unverified", "robot_limit"),
        (refusal(0, "ok"), "unverified", "robot_takes_all"),
        (b"hello", "unverified", "robot_odd_answer"),
        (502, "unverified", "robot_no_answer"),
        ("drop", "unverified", "robot_no_answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_proves_what_it_proves(robot: Robot, answer: Any, state: str, code: str) -> None:
    robot.next_answers(answer)
    assert told(of_robot(robot)) == (state, code)
    assert robot.calls == 1


@pytest.mark.parametrize("secret", [SECRET, ""])
@pytest.mark.parametrize("control", [KIND, refusal(0), refusal(130101), 502, "drop", b"hello"])
def test_a_refusal_of_the_message_proves_nothing_where_wrong_keys_get_the_same(
    robot: Robot, control: Any, secret: str
) -> None:
    robot.next_answers(KIND, control)
    assert told(of_robot(robot, secret=secret)) == ("unverified", "robot_unclear")
    assert robot.calls == 2


@pytest.mark.parametrize(
    "first", [KIND, refusal(400402, "miss param"), refusal(400403), refusal(40035, "缺少参数 json")]
)
def test_every_refusal_of_the_message_counts(robot: Robot, first: dict[str, object]) -> None:
    robot.next_answers(first)
    assert told(of_robot(robot)) == ("healthy", "robot_keys_right")


def test_a_check_counts_against_the_robots_turns(robot: Robot) -> None:
    pace = Pace()
    for _ in range(PER_WINDOW // 2):
        assert of_robot(robot, pace=pace).ok
    assert robot.calls == PER_WINDOW
    full = of_robot(robot, pace=pace)
    assert told(full) == ("unverified", "robot_busy")
    assert robot.calls == PER_WINDOW
    assert "deadline_s" not in full.fix


def test_a_robot_that_dingtalk_has_silenced_is_left_alone(robot: Robot) -> None:
    pace = Pace()
    robot.next_answers(refusal(130101))
    assert told(of_robot(robot, pace=pace)) == ("unverified", "robot_limit")
    assert told(of_robot(robot, pace=pace)) == ("unverified", "robot_silenced")
    assert robot.calls == 1


def test_robots_that_cannot_be_asked() -> None:
    given = {
        "gone": "http://127.0.0.1:9/robot/send?access_token=fake-token",
        "open": "http://169.254.169.254/robot/send?access_token=fake-token",
        "odd": "fake token with blanks",
        "none": ":SECfake",
        "unfilled": "{{#env.ROBOT#}}",
        "address": "ftp://x/?access_token=fake-token",
    }
    checks = checked(robots=json.dumps(given))
    assert [told(one) for one in checks.checks] == [
        ("unverified", "robot_not_reached"),
        ("failed", "address_refused"),
        ("failed", "malformed_secret"),
        ("failed", "malformed_secret"),
        ("failed", "unfilled_secret"),
        ("failed", "bad_base_url"),
    ]
    assert "robots" in checks.checks[2].message
    assert "access_token" not in checks.checks[2].message


# Webhooks


def of_webhook(url: str, **given: Any) -> Check:
    one = only(checked(webhooks=f"crm={url}/{IN_PATH}?key={IN_QUERY}", webhook_secret=HOOK_SECRET, **given))
    assert (one.name, one.kind) == ("crm", "webhook")
    return one


def test_a_receiver_that_takes_a_signed_test_event_is_well() -> None:
    with listening(204) as server:
        one = of_webhook(server.url)
    assert told(one) == ("healthy", "webhook_taken")
    assert "localhost" in one.message
    ((path, headers, body),) = server.seen
    assert path == f"/{IN_PATH}?key={IN_QUERY}"
    assert webhook.verified(headers, body, secrets=[HOOK_SECRET], now=time.time()).id
    assert json.loads(body)["type"] == "credential_check"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (302, "webhook_redirected"),
        (400, "webhook_declined"),
        (401, "webhook_rejected"),
        (403, "webhook_rejected"),
        (404, "webhook_gone"),
        (429, "webhook_no_answer"),
        (500, "webhook_no_answer"),
    ],
)
def test_a_receiver_that_does_not_has_failed_after_one_event(status: int, code: str) -> None:
    with listening(status, headers={"Location": "/elsewhere"}) as server:
        one = of_webhook(server.url)
    assert told(one) == ("failed", code)
    assert "webhook_url" not in one.message + one.fix
    assert len(server.seen) == 1


def test_a_receiver_that_is_not_there_has_failed() -> None:
    assert told(of_webhook("http://127.0.0.1:9")) == ("failed", "webhook_not_reached")
    assert told(of_webhook("http://a b")) == ("failed", "webhook_url")


def test_a_secret_is_needed_and_has_to_be_one() -> None:
    for secret, key in ((None, "missing_secret"), ("whsec_*", "webhook_secret")):
        with pytest.raises(InvalidCredentials, match=key):
            checked(webhooks="crm=http://127.0.0.1:9", webhook_secret=secret)


# Addresses


def of_url(url: str, **given: Any) -> Check:
    one = only(checked(urls=f"shop={url}", **given))
    assert (one.name, one.kind) == ("shop", "url")
    return one


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        (200, "healthy", "url_up"),
        (204, "healthy", "url_up"),
        (304, "healthy", "url_up"),
        (401, "failed", "url_status"),
        (404, "failed", "url_status"),
        (503, "failed", "url_status"),
    ],
)
def test_an_address_is_well_below_400(status: int, state: str, code: str) -> None:
    with listening(status) as server:
        one = of_url(f"{server.url}/{IN_PATH}?key={IN_QUERY}")
    assert told(one) == (state, code)
    assert f"HTTP {status} from localhost" in one.message
    assert server.seen[0][0] == f"/{IN_PATH}?key={IN_QUERY}"


def test_redirects_are_followed_to_their_end() -> None:
    with listening(302, 302, 200, headers={"Location": "/next"}) as server:
        assert told(of_url(server.url)) == ("healthy", "url_up")
    assert [path for path, _, _ in server.seen] == ["/", "/next", "/next"]
    with listening(302, headers={"Location": "/again"}) as server:
        assert told(of_url(server.url)) == ("failed", "no_answer")


def test_an_address_that_is_not_there_or_is_none() -> None:
    assert told(of_url("http://127.0.0.1:9")) == ("failed", "not_reached")
    assert told(of_url("ftp://example.com")) == ("failed", "bad_address")


def test_an_address_inside_the_network_needs_to_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as server:
        for one in (of_url(server.url, allow_private=False), of_webhook(server.url, allow_private=False)):
            assert told(one) == ("failed", "private_not_allowed")
            assert "localhost" in one.message
            assert "allow_private" in one.fix
        for one in (of_url("http://169.254.169.254"), of_webhook("http://169.254.169.254")):
            assert told(one) == ("failed", "address_refused")
        monkeypatch.setenv("OPSKIT_DENY_PRIVATE", "1")
        for one in (of_url(server.url), of_webhook(server.url)):
            assert told(one) == ("failed", "address_refused")
    assert server.seen == []


# Certificates


@pytest.mark.parametrize(
    ("shown", "found", "words"),
    [
        (("localhost", 40, "known"), ("healthy", "url_up_tls"), "39 more days"),
        (("localhost", 5, "known"), ("healthy", "url_up_renew"), "only 4 more"),
        (("localhost", -1, "known"), ("failed", "url_expired"), "localhost has expired"),
        (("other.example", 40, "known"), ("failed", "url_other_name"), "another name than localhost"),
        (("localhost", 40, ""), ("failed", "url_untrusted"), "nobody who is trusted"),
    ],
    ids=["good", "ending", "expired", "other", "unknown"],
)
def test_what_is_wrong_with_a_certificate_is_told_apart(
    shown: tuple[str, int, str],
    found: tuple[str, str],
    words: str,
    certified: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, days, known = shown
    certificate = certified(name, days)
    if known:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with listening(tls=certificate) as server:
        one = of_url(server.url)
    assert told(one) == found
    assert words in one.message
    assert bool(one.fix) == (one.code != "url_up_tls")


def test_tls_with_what_speaks_none_is_no_matter_of_certificates() -> None:
    with listening() as server:
        assert told(of_url(server.url.replace("http:", "https:"))) == ("failed", "no_answer")


def test_a_certificate_that_nobody_looks_at_has_no_end(certified: Callable[..., Path]) -> None:
    with (
        listening(tls=certified("localhost", 40)) as server,
        http.session() as client,
        http.Deadline(time.monotonic() + 8) as deadline,
    ):
        with pytest.warns(match="Unverified HTTPS request"):
            client.exchange("GET", server.url, ends=deadline, max_bytes=1, verify=False)
        assert deadline.certificate == http.Certificate("localhost")


# All at once


def test_all_kinds_are_looked_at_at_once_in_the_order_of_the_parameters(dify: DifyServer, robot: Robot) -> None:
    legal = dify.add(App("legal"))
    with listening() as server:
        checks = checked(
            **by_key(dify),
            app_keys=f"legal={legal.key}",
            robots=f"ops={robot.url}/robot/send?access_token={TOKEN}:{SECRET}",
            webhooks=f"crm={server.url}/hook",
            webhook_secret=HOOK_SECRET,
            urls=f"shop={server.url}, gone=http://127.0.0.1:9",
        )
    assert [(one.kind, one.name) for one in checks.checks] == [
        ("app", "legal"),
        ("console", "console"),
        ("robot", "ops"),
        ("webhook", "crm"),
        ("url", "shop"),
        ("url", "gone"),
    ]
    assert (checks.healthy, checks.failed) == (5, 1)
    head, _, first, *others = checks.report.splitlines()
    assert head == "**Check: 5 of 6 healthy, 1 failed, 0 unverified**"
    assert first.startswith("- ✗ **gone** (address): The host could not be reached")
    assert " Next: Check the address" in first
    assert [line[:3] for line in others] == ["- ✓"] * 5
    assert "|" not in checks.report


def test_when_all_hang_it_ends_in_time(dify: DifyServer, robot: Robot) -> None:
    robot.next_answers("hang", "hang")
    dify.console.fail("apps", "timeout")
    slow = dify.add(App("slow", faults_at={"info": "hang"}))
    began = time.monotonic()
    with silence() as url:
        checks = checked(
            **by_key(dify),
            app_keys=f"slow={slow.key}",
            robots=f"ops={robot.url}/robot/send?access_token={TOKEN}:{SECRET}",
            webhooks="\n".join(f"crm{number}={url}" for number in range(10)),
            webhook_secret=HOOK_SECRET,
            urls="\n".join(f"shop{number}={url}" for number in range(10)),
            timeout_s=1,
        )
    assert time.monotonic() - began < 3
    assert {one.kind: told(one) for one in checks.checks} == {
        "app": ("failed", "no_answer"),
        "console": ("failed", "no_answer"),
        "robot": ("unverified", "robot_no_answer"),
        "webhook": ("failed", "webhook_no_answer"),
        "url": ("failed", "no_answer"),
    }
    assert min(one.latency_ms for one in checks.checks) >= 500


def test_what_does_not_even_end_by_itself_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opskit.health.look._GRACE_S", 0.01)
    over = threading.Event()

    def endless(_: float) -> Finding:
        over.wait(20)
        return Finding("healthy", "url_up")

    subjects = [Subject("a", "url", endless), Subject("b", "robot", endless)]
    found = looked(subjects, time.monotonic() + 0.2)
    over.set()
    assert [(finding.state, finding.code) for finding, _ in found] == [
        ("failed", "no_answer"),
        ("unverified", "no_answer"),
    ]
    assert all(0.2 <= seconds < 5 for _, seconds in found)


def test_a_mistake_of_ours_reaches_the_caller() -> None:
    def broken(_: float) -> Finding:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        looked([Subject("a", "url", broken)], time.monotonic() + 5)


def test_a_failure_fails_the_node_where_that_is_wanted(dify: DifyServer) -> None:
    app = dify.add(App("it"))
    with listening() as server:
        urls = "\n".join([f"shop={server.url}", *(f"gone{number}=http://127.0.0.1:9" for number in range(12))])
        with pytest.raises(Refused, match=r"^\[checks_failed\] Checks that failed: 12 of 13\.") as failure:
            checked(urls=urls, fail_on="any")
    assert "gone0 [not_reached]: The host could not be reached" in str(failure.value)
    assert str(failure.value).count("gone") == 10
    app.faults_at["info"] = "rate_limit_429"
    checks = checked(app_keys=f"it={app.key}", base_url=dify.url, fail_on="any")
    assert (checks.healthy, checks.failed) == (0, 0)


# What is refused before anything is sent


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({}, "nothing_to_check"),
        ({"urls": " , \n"}, "nothing_to_check"),
        ({"urls": "https://example.com/?a=b"}, "bad_entries"),
        ({"urls": "shop"}, "bad_entries"),
        ({"urls": "shop="}, "bad_entries"),
        ({"urls": "=https://example.com"}, "bad_entries"),
        ({"webhooks": '{"a": ""}'}, "bad_entries"),
        ({"robots": "{broken"}, "bad_entries"),
        ({"robots": f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN}"}, "bad_entries"),
        ({"robots": "{{#env.ROBOTS#}}"}, "unfilled_secret"),
        ({"robots": "a=fake-1\na=fake-2"}, "two_entries"),
        ({"app_keys": "a"}, "bad_app_keys"),
        ({"app_keys": "a=app-fake-key", "base_url": "ftp://x"}, "bad_dify_url"),
        ({"app_keys": "a=app-fake-key", "extra_headers": "Cookie: x"}, "own_header"),
        ({"urls": "\n".join(f"u{number}=https://example.com" for number in range(101))}, "too_many_checks"),
    ],
)
def test_what_cannot_be_used_is_told_at_once(given: dict[str, Any], key: str) -> None:
    with pytest.raises(OpskitError, match=key) as failure:
        checked(**given)
    assert isinstance(failure.value, InvalidInput | InvalidCredentials)


# Lists


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=1\nb = 2 ,\r\n\r\n c=3;", {"a": "1", "b": "2", "c": "3"}),
        ("a=1, b=2；客服=3", {"a": "1", "b": "2", "客服": "3"}),
        ('{"a": "1,2", "b": 3}', {"a": "1,2", "b": "3"}),
        ("a=1,2", {"a": "1,2"}),
    ],
)
def test_a_list_is_lines_commas_or_json(text: str, found: dict[str, str]) -> None:
    assert dict(entries(text)) == found


def test_addresses_may_hold_commas_and_equals_signs() -> None:
    text = "a=https://x.example/?p=1,q=2, b=https://y.example/;v=1;c=HTTP://z.example"
    assert dict(entries(text, urls=True)) == {
        "a": "https://x.example/?p=1,q=2",
        "b": "https://y.example/;v=1",
        "c": "HTTP://z.example",
    }


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("T", ("T", "")),
        ("T:S", ("T", "S")),
        ("T : S+/=", ("T", "S+/=")),
        ("access_token=T:S", ("access_token=T", "S")),
        ("https://h:8443/robot/send?access_token=T", ("https://h:8443/robot/send?access_token=T", "")),
        ("http://h:1/robot/send?access_token=T&sign=a%3D:S", ("http://h:1/robot/send?access_token=T&sign=a%3D", "S")),
    ],
)
def test_a_robots_keys_are_a_token_or_an_address_and_a_secret(text: str, keys: tuple[str, str]) -> None:
    assert robot_keys(text) == keys


def test_the_longer_words_behind_a_host_are_secrets() -> None:
    assert set(url_secrets(f"https://hooks.example.com:8443/v1/{IN_PATH}?k={IN_QUERY}")) == {IN_PATH, IN_QUERY}
    assert set(url_secrets("https://x.example/a%2Bbcdefgh")) == {"a%2Bbcdefgh", "a+bcdefgh"}
    assert url_secrets("https://x.example/health") == []


# Words and secrets


def test_everything_that_is_found_has_words_and_a_next_step_in_both_languages() -> None:
    for locale in wording.LOCALES:
        sentences = wording.sentences(locale)
        codes = {*_ROBOT_FAILED, *sentences["health_says"], *sentences["health_fix"]}
        codes |= {key for key in sentences["error"] if key.startswith(("dify_", "console_", "robot_"))}
        for code in codes:
            blanks = dict.fromkeys(_blanks(sentences, code), "x")
            message, fix = Finding("failed", code, blanks).words(locale, ())
            assert message.endswith((".", "。")), code
            assert fix.endswith((".", "。")) or not fix, code
            if code not in _WELL:
                assert fix, code


_WELL = {
    "app_ran",
    "app_ready",
    "console_empty",
    "console_open",
    "robot_keys_right",
    "robot_token_right",
    "url_up",
    "url_up_tls",
    "webhook_taken",
}


def _blanks(sentences: dict[str, dict[str, str]], code: str) -> set[str]:
    texts = [sentences[section].get(code, "") for section in ("error", "health_says", "health_fix")]
    return {word.partition("}")[0] for text in texts for word in text.replace("{{", "").split("{")[1:]}


def test_the_language_follows_the_names() -> None:
    chinese = checked(urls="商店=http://127.0.0.1:9")
    assert chinese.report.startswith("**检查：1 项中 0 项正常，1 项失败，0 项未能确认**")
    assert "建议：" in chinese.report
    assert only(checked(urls="shop=http://127.0.0.1:9", language="zh_Hans")).message.startswith("无法连接该主机")


def test_a_report_makes_no_links_whoever_wrote_the_words(dify: DifyServer) -> None:
    app = dify.add(App("it", fault="failed_run", error="[here](https://evil.example) **now**\n- next `x` <b>"))
    report = checked(app_keys=f"it={app.key}", base_url=dify.url, deep=True).report
    assert r"\[here\](https://evil.example) \*\*now\*\* - next \`x\` \<b>" in report
    assert len(report.splitlines()) == 3


def test_no_secret_gets_out_whatever_a_server_repeats(
    dify: DifyServer, robot: Robot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    app = dify.add(App("it", faults_at={"info": "echo_key"}))
    password = "fake-pass word+/0123"
    robot.next_answers(refusal(310000, f"sign not match {TOKEN} {quote(SECRET)} {SECRET}"))
    with listening(302, headers={"Location": f"http://127.0.0.1:9/{IN_PATH}"}) as server:
        given = checkup(
            **by_password(dify, password=password),
            app_keys=f"it={app.key}",
            extra_headers="X-Gateway: fake-gateway-0123",
            robots=f"ops={robot.url}/robot/send?access_token={TOKEN}:{SECRET}",
            webhooks=f"crm={server.url}/{IN_PATH}?key={IN_QUERY}",
            webhook_secret=HOOK_SECRET,
            urls=f"shop={server.url}/{IN_PATH}?key={IN_QUERY}\nbad=https://a b/{IN_PATH}",
        )
        checks = health.check(given, Port(Workspace()), pace=Pace())
        failing = given.model_copy(update={"fail_on": "any"})
        with pytest.raises(Refused) as failure:
            health.check(failing, Port(Workspace()), pace=Pace())
    assert checks.failed >= 5
    written = "\n".join([checks.model_dump_json(), str(failure.value), caplog.text, repr(given)])
    for secret in (
        app.key,
        TOKEN,
        SECRET,
        quote(SECRET),
        HOOK_SECRET,
        IN_PATH,
        IN_QUERY,
        password,
        "fake-gateway-0123",
    ):
        assert secret not in written
    assert "***" in written


def test_the_border_knows_every_secret() -> None:
    found = {
        "robots": f"a={TOKEN}:{SECRET}\nb=http://h.example/robot/send?access_token=fake-other-0123",
        "webhooks": f"c=https://h.example/{IN_PATH}",
        "urls": f"d=https://h.example/?k={IN_QUERY}",
        "app_keys": "e=app-fake-key-0123",
        "password": "fake-pass-0123",
        "extra_headers": "X: fake-header-0123",
    }
    secrets = {name: set(Checkup.secrets_of(name, value)) for name, value in found.items()}
    assert secrets["robots"] == {TOKEN, SECRET, "http://h.example/robot/send?access_token=fake-other-0123"}
    assert secrets["webhooks"] == {IN_PATH}
    assert secrets["urls"] == {IN_QUERY}
    assert secrets["app_keys"] == {"app-fake-key-0123"}
    assert "fake-pass-0123" in secrets["password"]
    assert secrets["extra_headers"] == {"fake-header-0123"}
    assert found.keys() <= Checkup.secret_names()
