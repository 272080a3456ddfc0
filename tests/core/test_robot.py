"""The robot on this machine refuses what the real one refuses: other tests about messages lean on that."""

import base64
import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus, urlencode, urlsplit

import pytest

from devtools.robot import Body, Robot

SECRET = "SEC0123456789abcdef"
NOW = 1_800_000_000.0
MARKDOWN: Body = {"msgtype": "markdown", "markdown": {"title": "日报", "text": "### 销售日报\n\n- 一"}}
CARD = {"title": "日报", "text": "看"}


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plain(clock: Clock) -> Iterator[Robot]:
    with Robot(clock=clock) as robot:
        yield robot


@pytest.fixture
def signed(clock: Clock) -> Iterator[Robot]:
    with Robot(secret=SECRET, clock=clock) as robot:
        yield robot


def sign(timestamp: str, secret: str = SECRET) -> str:
    code = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(code).decode()


def send(
    robot: Robot,
    body: object = MARKDOWN,
    *,
    query: str | None = None,
    method: str = "POST",
    path: str = "/robot/send",
    kind: str | None = "application/json; charset=utf-8",
) -> tuple[int, str, bytes]:
    """Status, content type and body of the answer; ``query`` is sent as it stands."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    query = f"access_token={robot.token}" if query is None else query
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(robot.url).port or 0, timeout=10)
    try:
        connection.request(method, f"{path}?{query}", raw, {"Content-Type": kind} if kind else {})
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def verdict(robot: Robot, body: object = MARKDOWN, **options: Any) -> tuple[int, str]:
    """The errcode and errmsg, which come with HTTP 200 as JSON whatever they say."""
    status, kind, raw = send(robot, body, **options)
    assert (status, kind) == (200, "application/json")
    answer = json.loads(raw)
    return answer["errcode"], answer["errmsg"]


def signed_query(robot: Robot, *, epoch_s: float = NOW, secret: str = SECRET) -> dict[str, str]:
    timestamp = str(int(epoch_s * 1000))
    return {"access_token": robot.token, "timestamp": timestamp, "sign": sign(timestamp, secret)}


def test_takes_a_message_and_keeps_it(plain: Robot) -> None:
    assert verdict(plain) == (0, "ok")
    assert plain.posted == [MARKDOWN]
    assert plain.calls == 1
    request = plain.requests[0]
    assert (request.method, request.target) == ("POST", f"/robot/send?access_token={plain.token}")
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(request.body) == MARKDOWN
    assert request.time == NOW


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_takes_only_post(plain: Robot, method: str) -> None:
    assert verdict(plain, method=method)[0] == 43002
    assert not plain.posted


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_takes_only_json(plain: Robot, kind: str | None) -> None:
    assert verdict(plain, kind=kind)[0] == 43004
    assert not plain.posted


@pytest.mark.parametrize("path", ["/", "/robot", "/robot/send/", "/v1/robot/send"])
def test_lives_at_one_path(plain: Robot, path: str) -> None:
    assert send(plain, path=path)[:2] == (404, "text/html")
    assert not plain.posted


@pytest.mark.parametrize("query", ["", "token=t0ken-for-the-demo", "access_token="])
def test_wants_a_token(plain: Robot, query: str) -> None:
    assert verdict(plain, query=query)[0] == 40035
    assert not plain.posted


def test_knows_its_token(plain: Robot) -> None:
    assert verdict(plain, query="access_token=another") == (300005, "token is not exist")
    assert not plain.posted


def test_takes_a_signature_that_is_encoded_once(signed: Robot) -> None:
    assert verdict(signed, query=urlencode(signed_query(signed))) == (0, "ok")
    assert len(signed.posted) == 1


def test_refuses_a_signature_that_is_encoded_twice(signed: Robot) -> None:
    query = signed_query(signed)
    twice = urlencode(query | {"sign": quote_plus(query["sign"])})
    assert "%253D" in twice
    assert verdict(signed, query=twice) == (310000, "sign not match")
    assert not signed.posted


def test_reads_a_bare_plus_as_a_space(signed: Robot) -> None:
    moments = (NOW + second for second in range(1000))
    moment = next(moment for moment in moments if "+" in sign(str(int(moment * 1000))))
    query = signed_query(signed, epoch_s=moment)
    bare = "&".join(f"{name}={quote(value, safe='+')}" for name, value in query.items())
    assert verdict(signed, query=bare) == (310000, "sign not match")
    assert verdict(signed, query=urlencode(query)) == (0, "ok")


@pytest.mark.parametrize(
    "change",
    [
        {"sign": ""},
        {"sign": "é"},
        {"sign": sign(str(int(NOW * 1000)), "SECanother")},
        {"sign": sign(str(int(NOW * 1000) + 1))},
        {"timestamp": "soon"},
        {"timestamp": "-1"},
        {"timestamp": "9" * 5000},
    ],
    ids=["empty", "not ASCII", "of another secret", "of another time", "word", "negative", "endless"],
)
def test_refuses_a_wrong_signature(signed: Robot, change: dict[str, str]) -> None:
    assert verdict(signed, query=urlencode(signed_query(signed) | change)) == (310000, "sign not match")
    assert not signed.posted


@pytest.mark.parametrize("name", ["timestamp", "sign"])
def test_wants_timestamp_and_sign_exactly_once(signed: Robot, name: str) -> None:
    query = signed_query(signed)
    twice = urlencode([*query.items(), (name, query[name])])
    assert verdict(signed, query=twice) == (310000, "sign not match")
    without = urlencode({key: value for key, value in query.items() if key != name})
    assert verdict(signed, query=without) == (310000, "sign not match")
    assert not signed.posted


@pytest.mark.parametrize(("offset_s", "accepted"), [(-3600, True), (3600, True), (-3601, False), (3601, False)])
def test_a_signature_is_good_for_an_hour(signed: Robot, offset_s: int, accepted: bool) -> None:  # noqa: FBT001
    errcode, errmsg = verdict(signed, query=urlencode(signed_query(signed, epoch_s=NOW + offset_s)))
    assert (errcode, "签名过期" in errmsg) == ((0, False) if accepted else (310000, True))
    assert bool(signed.posted) is accepted


def test_a_timestamp_in_seconds_has_expired(signed: Robot) -> None:
    seconds = str(int(NOW))
    query = {"access_token": signed.token, "timestamp": seconds, "sign": sign(seconds)}
    assert "签名过期" in verdict(signed, query=urlencode(query))[1]


@pytest.mark.parametrize(
    ("body", "accepted"),
    [
        (MARKDOWN, True),
        ({"msgtype": "markdown", "markdown": {"title": "日报", "text": "无"}}, True),
        ({"msgtype": "text", "text": {"content": "销售日报"}}, True),
        ({"msgtype": "markdown", "markdown": {"title": "周报", "text": "无"}}, False),
        ({"msgtype": "text", "text": {"content": "无"}, "msgUuid": "日报"}, False),
        (
            {
                "msgtype": "feedCard",
                "feedCard": {"links": [{"title": "日报", "messageURL": "u", "picURL": "p"}]},
            },
            True,
        ),
        (
            {
                "msgtype": "feedCard",
                "feedCard": {"links": [{"title": "无", "messageURL": "日报", "picURL": "p"}]},
            },
            False,
        ),
    ],
)
def test_wants_one_of_its_keywords(body: Body, accepted: bool) -> None:  # noqa: FBT001
    with Robot(keywords=("告警", "日报")) as robot:
        expected = (0, "ok") if accepted else (310000, "keywords not in content")
        assert verdict(robot, body) == expected
        assert bool(robot.posted) is accepted


def test_security_settings_add_up(clock: Clock) -> None:
    with Robot(secret=SECRET, keywords=("告警",), clock=clock) as robot:
        assert verdict(robot, query=urlencode(signed_query(robot))) == (310000, "keywords not in content")


def test_counts_the_bytes_of_the_body(plain: Robot) -> None:
    empty = {"msgtype": "text", "text": {"content": "x"}}
    room = 20_000 - len(json.dumps(empty).encode()) + 1
    fits, too_long = ({"msgtype": "text", "text": {"content": "x" * count}} for count in (room, room + 1))
    assert verdict(plain, too_long)[0] == 460101
    assert not plain.posted
    assert verdict(plain, fits) == (0, "ok")
    assert len(plain.requests[-1].body) == 20_000


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", '{"msgtype":"text"}'.encode("utf-16"), b"\xff", b"{}"])
def test_refuses_what_is_no_message(plain: Robot, raw: bytes) -> None:
    assert verdict(plain, raw)[0] == 400402
    assert not plain.posted


@pytest.mark.parametrize("kind", ["image", "file", "oa", "actioncard", "Markdown"])
def test_knows_its_message_types(plain: Robot, kind: str) -> None:
    assert verdict(plain, {"msgtype": kind, kind: {"title": "日报", "text": "日报"}})[0] == 400105
    assert not plain.posted


COMPLETE: dict[str, Body] = {
    "text": {"content": "日报"},
    "markdown": {"title": "日报", "text": "日报"},
    "link": {"title": "日报", "text": "日报", "messageUrl": "https://example.com"},
    "actionCard": CARD | {"singleTitle": "看", "singleURL": "https://example.com"},
    "feedCard": {"links": [{"title": "日报", "messageURL": "https://example.com", "picURL": "https://example.com"}]},
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, message in COMPLETE.items() for name in message])
@pytest.mark.parametrize("value", [None, "", " ", 7, []], ids=repr)
def test_wants_every_field(plain: Robot, kind: str, name: str, value: object) -> None:
    body = {"msgtype": kind, kind: COMPLETE[kind] | {name: value}}
    errcode, errmsg = verdict(plain, body)
    assert errcode == 400402
    assert f"{kind}->{name}" in errmsg
    assert verdict(plain, {"msgtype": kind, kind: COMPLETE[kind]}) == (0, "ok")
    assert len(plain.posted) == 1


@pytest.mark.parametrize("kind", list(COMPLETE))
def test_wants_the_part_that_the_type_names(plain: Robot, kind: str) -> None:
    assert verdict(plain, {"msgtype": kind})[0] == 400402
    assert verdict(plain, {"msgtype": kind, kind: "日报"})[0] == 400402
    assert not plain.posted


@pytest.mark.parametrize(
    "card",
    [
        CARD,
        CARD | {"btns": []},
        CARD | {"btns": "看"},
        CARD | {"btns": [{"title": "看"}]},
        CARD | {"btns": [{"title": "看", "actionUrl": "https://example.com"}]},
        CARD | {"btns": ["看"]},
    ],
)
def test_a_card_wants_buttons(plain: Robot, card: Body) -> None:
    assert verdict(plain, {"msgtype": "actionCard", "actionCard": card})[0] == 400402
    assert not plain.posted


def test_a_card_may_have_several_buttons(plain: Robot) -> None:
    buttons = [{"title": "看", "actionURL": "https://example.com"}] * 2
    assert verdict(plain, {"msgtype": "actionCard", "actionCard": CARD | {"btns": buttons}}) == (0, "ok")


@pytest.mark.parametrize("name", ["title", "messageURL", "picURL"])
def test_each_entry_of_a_feed_card_is_complete(plain: Robot, name: str) -> None:
    entry = COMPLETE["feedCard"]["links"][0]
    broken = {key: value for key, value in entry.items() if key != name}
    assert verdict(plain, {"msgtype": "feedCard", "feedCard": {"links": [entry, broken]}})[0] == 400402
    assert not plain.posted


@pytest.mark.parametrize(
    "extra",
    [
        {"at": []},
        {"at": {"isAtAll": "true"}},
        {"at": {"atMobiles": "13800000000"}},
        {"at": {"atUserIds": [7]}},
        {"msgUuid": 7},
    ],
)
def test_refuses_values_of_the_wrong_type(plain: Robot, extra: Body) -> None:
    assert verdict(plain, MARKDOWN | extra)[0] == 40035
    assert not plain.posted


def test_takes_mentions(plain: Robot) -> None:
    at = {"atMobiles": ["13800000000"], "atUserIds": ["u1"], "isAtAll": True}
    assert verdict(plain, MARKDOWN | {"at": at}) == (0, "ok")


def test_posts_a_msg_uuid_once(plain: Robot) -> None:
    first, second = MARKDOWN | {"msgUuid": "a"}, MARKDOWN | {"msgUuid": "b"}
    assert [verdict(plain, body) for body in (first, first, second)] == [(0, "ok")] * 3
    assert plain.posted == [first, second]
    assert plain.duplicates == [first]


def test_messages_without_a_uuid_are_all_posted(plain: Robot) -> None:
    for _ in range(2):
        verdict(plain)
    assert len(plain.posted) == 2


def test_takes_twenty_in_a_minute_and_is_then_silent_for_ten(plain: Robot, clock: Clock) -> None:
    assert {verdict(plain)[0] for _ in range(20)} == {0}
    clock.now += 59.9
    assert verdict(plain) == (130101, "send too fast, exceed 20 times per minute")
    clock.now += 599.9
    assert verdict(plain)[0] == 130101
    clock.now += 0.1
    assert verdict(plain) == (0, "ok")
    assert len(plain.posted) == 21


def test_the_minute_slides(plain: Robot, clock: Clock) -> None:
    for _ in range(20):
        verdict(plain)
        clock.now += 3
    assert verdict(plain) == (0, "ok")
    assert verdict(plain)[0] == 130101


def test_refused_messages_count_too(plain: Robot) -> None:
    assert {verdict(plain, b"{")[0] for _ in range(20)} == {400402}
    assert verdict(plain)[0] == 130101


def test_strangers_do_not_use_up_the_limit(plain: Robot) -> None:
    for _ in range(25):
        verdict(plain, query="access_token=another")
    assert verdict(plain) == (0, "ok")


def test_the_rate_can_be_left_aside() -> None:
    with Robot(enforce_rate=False) as robot:
        assert {verdict(robot)[0] for _ in range(25)} == {0}


def test_answers_as_planned_and_then_as_itself(plain: Robot) -> None:
    plain.next_answers({"errcode": -1, "errmsg": "系统繁忙"}, 502, b"<html>login</html>")
    assert verdict(plain) == (-1, "系统繁忙")
    assert send(plain)[:2] == (502, "text/html")
    assert send(plain) == (200, "application/json", b"<html>login</html>")
    assert (plain.posted, plain.calls) == ([], 3)
    assert verdict(plain) == (0, "ok")
    assert len(plain.posted) == 1


@pytest.mark.parametrize(("answer", "posted"), [("drop", 0), ("drop_after", 1)])
def test_closes_without_an_answer(plain: Robot, answer: Any, posted: int) -> None:
    plain.next_answers(answer)
    with pytest.raises(http.client.RemoteDisconnected):
        send(plain)
    assert (len(plain.posted), plain.calls) == (posted, 1)
    assert verdict(plain) == (0, "ok")


def test_hangs_until_it_is_closed_and_leaves_nothing_behind() -> None:
    before = threading.active_count()
    failures: list[Exception] = []

    def wait() -> None:
        try:
            send(robot)
        except (ConnectionError, http.client.HTTPException) as error:
            failures.append(error)

    with Robot() as robot:
        robot.next_answers("hang", "trickle")
        clients = [threading.Thread(target=wait) for _ in range(2)]
        for client in clients:
            client.start()
        while robot.calls < 2:
            time.sleep(0.01)
        began = time.monotonic()
    for client in clients:
        client.join()
    assert time.monotonic() - began < 2
    assert len(failures) == 2
    assert threading.active_count() == before


def test_an_idle_connection_does_not_hinder_closing() -> None:
    with Robot() as robot:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(robot.url).port or 0, timeout=10)
        for _ in range(2):
            connection.request("GET", "/robot/send")
            assert json.loads(connection.getresponse().read())["errcode"] == 43002
        began = time.monotonic()
    assert time.monotonic() - began < 2
    connection.close()


def test_closes_within_an_answer(plain: Robot) -> None:
    plain.next_answers("drop_within")
    with pytest.raises(http.client.IncompleteRead):
        send(plain)
    assert len(plain.posted) == 1


def test_trickles_a_byte_a_second(plain: Robot) -> None:
    plain.next_answers("trickle")
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(plain.url).port or 0, timeout=0.5)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"/robot/send?access_token={plain.token}", json.dumps(MARKDOWN), headers)
    answer = connection.getresponse()
    assert answer.read1(1) == b"{"
    with pytest.raises(TimeoutError):
        answer.read1(1)
    connection.close()
    answer.close()
    assert plain.posted == [MARKDOWN]
