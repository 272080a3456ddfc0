import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devtools.robot import Robot
from opskit import dingtalk, http
from opskit.dingtalk import Message, Receipt, answer, push, render
from opskit.dingtalk import push as push_function
from opskit.dingtalk.pace import Pace
from opskit.dingtalk.repeats import Repeats
from opskit.dingtalk.robot import Robot as Caller
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, RateLimited, Refused, Unavailable

TOKEN, SECRET = "fake-token-0123456789abcdef", "SECfake0123456789abcdef+/="
LINKS = '[{"title": "Open", "url": "https://example.com/a"}, {"title": "More", "url": "https://example.com/b"}]'
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
PICTURES = '[{"title": "One", "url": "https://example.com/a", "picture_url": "https://example.com/a.png"}]'


def message(robot: Robot | None = None, /, **given_: Any) -> Message:
    where = {"base_url": robot.url} if robot else {}
    return Message.model_validate({"content": "All OK", "access_token": TOKEN} | where | given_)


@pytest.fixture
def robot() -> Iterator[Robot]:
    with Robot(TOKEN, SECRET) as running:
        yield running


@pytest.fixture
def open_robot() -> Iterator[Robot]:
    """Without a secret; it does not count."""
    with Robot(TOKEN, enforce_rate=False) as running:
        yield running


class Clock:
    """Real time, but sleeping only moves it forward."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self) -> float:
        return time.monotonic() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def pace(self) -> Pace:
        return Pace(clock=self, sleep=self.sleep)


@pytest.fixture
def clock() -> Clock:
    return Clock()


# Arriving


def test_a_signed_message_arrives_and_the_receipt_says_so(robot: Robot, clock: Clock) -> None:
    receipt = dingtalk.push(message(robot, sign_secret=SECRET), pace=clock.pace())
    assert robot.posted == [{"msgtype": "text", "text": {"content": "All OK"}, "msgUuid": receipt.message_ids[0]}]
    assert receipt.delivered
    assert (receipt.attempts, len(receipt.parts), receipt.parts[0].attempts) == (1, 1, 1)
    assert receipt.parts[0].bytes == len(robot.requests[0].body)
    assert re.fullmatch(r"Delivered: 1 message\(s\), \d+ bytes, in \d+\.\d s\.", receipt.report)


def test_the_signature_is_raw_base64_encoded_once_with_milliseconds(robot: Robot, clock: Clock) -> None:
    for second in range(40):  # among forty signatures some hold + and /, which is where encoding twice shows
        push(
            message(robot, sign_secret=SECRET, content=f"n {second}"),
            pace=clock.pace(),
            now=earlier(second),
        )
        if second % 15 == 14:
            robot._called.clear()  # noqa: SLF001 - not the rate is at stake here
    targets = "".join(request.target for request in robot.requests)
    assert len(robot.posted) == 40
    assert "%2B" in targets
    assert "%25" not in targets
    assert all(len(request.query["timestamp"][0]) == 13 for request in robot.requests)


def earlier(seconds: int) -> Callable[[], float]:
    return lambda: time.time() - seconds


def test_a_robot_without_a_secret_gets_no_signature(open_robot: Robot, clock: Clock) -> None:
    push(message(open_robot), pace=clock.pace())
    assert open_robot.requests[0].target == f"/robot/send?access_token={TOKEN}"


@pytest.mark.parametrize(
    "given_",
    [
        TOKEN,
        f"  {TOKEN}\n",
        "{url}/robot/send?access_token=" + TOKEN,
        "{url}/robot/send?access_token=" + TOKEN + "&timestamp=1500000000000&sign=stale%2Bsignature%3D",
        "access_token=" + TOKEN,
    ],
)
def test_a_token_or_a_whole_webhook_is_taken_and_its_stale_signature_dropped(
    given_: str, robot: Robot, clock: Clock
) -> None:
    push(message(robot, access_token=given_.replace("{url}", robot.url), sign_secret=SECRET), pace=clock.pace())
    assert len(robot.posted) == 1


@pytest.mark.parametrize(
    ("base_url", "webhook", "url"),
    [
        ("https://oapi.dingtalk.com", f"https://oapi.dingtalk.io/robot/send?access_token={TOKEN}", "https://oapi.dingtalk.io/robot/send"),
        ("http://gateway:8080/ding/", f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN}", "http://gateway:8080/ding/robot/send"),
        ("https://oapi.dingtalk.com", f"http://gateway/ding/robot/send?access_token={TOKEN}", "http://gateway/ding/robot/send"),
        ("https://oapi.dingtalk.io/robot/send", TOKEN, "https://oapi.dingtalk.io/robot/send"),
        ("HTTPS://OAPI.DingTalk.com.:443/", TOKEN, "https://oapi.dingtalk.com/robot/send"),
        ("https://oapi.dingtalk.com", f"oapi.dingtalk.io/robot/send?access_token={TOKEN}", "https://oapi.dingtalk.io/robot/send"),
        ("https://oapi.dingtalk.com", f"access_token={TOKEN}&timestamp=1", "https://oapi.dingtalk.com/robot/send"),
    ],
)  # fmt: skip
def test_the_host_is_that_of_base_url_or_else_of_the_webhook(base_url: str, webhook: str, url: str) -> None:
    robot = Caller.of(message(base_url=base_url, access_token=webhook))
    assert (robot.url, robot.token) == (url, TOKEN)


ADDRESSES = [
    "http://evil.example\\.dingtalk.com", "http://evil.example\\@oapi.dingtalk.com", "http://oapi.dingtalk.com@evil.example",
    "http://[::1", "http://\u2100.com", "http://a..b", f"http://{'a' * 300}.com",
    "http://a:99999", "http://a:b", "ftp://a", "http://", "http://a b", "http://a\tb",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_two_could_read_differently_is_refused(address: str) -> None:
    for name, given_ in (("base_url", address), ("access_token", f"{address}/robot/send?access_token={TOKEN}")):
        with pytest.raises(InvalidInput, match=rf"bad_base_url.*{name}"):
            Caller.of(message(**{name: given_}))


@pytest.mark.parametrize(
    ("given_", "error", "key"),
    [
        ({"access_token": "two words"}, InvalidCredentials, "malformed_secret"),
        ({"access_token": "{{#env.DINGTALK_TOKEN#}}"}, InvalidCredentials, "unfilled_secret"),
        ({"access_token": "https://oapi.dingtalk.com/robot/send"}, InvalidCredentials, "malformed_secret"),
        ({"sign_secret": "SEC 密"}, InvalidCredentials, "malformed_secret"),
        ({"access_token": "env.DINGTALK_TOKEN"}, InvalidCredentials, "unfilled_secret"),
        ({"sign_secret": "{{#env.X#}}"}, InvalidCredentials, "unfilled_secret"),
        ({"base_url": "oapi.dingtalk.com"}, InvalidInput, "bad_base_url"),
        ({"base_url": "ftp://oapi.dingtalk.com"}, InvalidInput, "bad_base_url"),
        ({"base_url": "https://user:pw@oapi.dingtalk.com"}, InvalidInput, "bad_base_url"),
        ({"base_url": "http://169.254.169.254"}, Refused, "address_refused"),
        ({"base_url": "http://93.184.216.34"}, Refused, "host_not_trusted"),
        ({"access_token": f"https://93.184.216.34/robot/send?access_token={TOKEN}"}, Refused, "host_not_trusted"),
        ({"at_mobiles": "+15550100"}, InvalidInput, "bad_mobile"),
        ({"at_mobiles": "Li Lei"}, InvalidInput, "bad_mobile"),
        ({"links": '[{"title": "x", "url": "example.com"}]'}, InvalidInput, "bad_link"),
        ({"links": LINKS, "message_type": "link"}, InvalidInput, "one_link_only"),
        ({"message_type": "action_card"}, InvalidInput, "links_needed"),
        ({"message_type": "feed_card", "links": LINKS}, InvalidInput, "pictures_needed"),
        ({"links": PICTURES, "message_type": "link", "at_all": True}, InvalidInput, "link_cannot_mention"),
        ({"keyword": "k" * 20_000}, InvalidInput, "no_room_for_text"),
        ({"links": PICTURES.replace("One", "t" * 20_000)}, InvalidInput, "no_room_for_text"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused_before_anything_is_sent(
    given_: dict[str, Any], error: type[OpskitError], key: str, clock: Clock
) -> None:
    with pytest.raises(error) as refused:
        push(message(**given_), pace=clock.pace())
    assert refused.value.key == key


def test_a_dry_run_sends_nothing_and_tells_what_it_would(robot: Robot, clock: Clock) -> None:
    receipt = push(message(robot, dry_run=True, content="长" * 20_000), pace=clock.pace())
    assert robot.calls == 0
    assert not receipt.delivered
    assert [part.index for part in receipt.parts] == [1, 2, 3, 4]
    assert {part.attempts for part in receipt.parts} == {0}
    assert receipt.report.startswith("试运行，未发送：4 条消息")


# Types


def body(**given_: Any) -> dict[str, Any]:
    [one] = render.bodies(message(**given_))
    return one


def test_plain_text_goes_as_text_and_markdown_as_markdown() -> None:
    assert body(content="All OK")["msgtype"] == "text"
    assert body(content="# Report\n\n- a")["msgtype"] == "markdown"
    assert body(content="All OK", message_type="markdown")["msgtype"] == "markdown"


def test_the_title_is_the_given_one_or_the_first_heading_or_line() -> None:
    assert body(content="# Day\n\n- a")["markdown"]["title"] == "Day"
    assert body(content="- a\n- b")["markdown"]["title"] == "a"
    assert body(content="- a", title="Mine")["markdown"]["title"] == "Mine"
    assert body(content="---", message_type="markdown", keyword="kw")["markdown"]["title"] in {"kw", "---"}


def test_links_become_buttons_or_cards_and_are_never_lost() -> None:
    card = body(links=LINKS)["actionCard"]
    assert [button["actionURL"] for button in card["btns"]] == ["https://example.com/a", "https://example.com/b"]
    one = body(links='[{"title": "Open", "url": "dingtalk://dingtalkclient/page/link?url=x"}]')["actionCard"]
    assert (one["singleTitle"], one["singleURL"]) == ("Open", "dingtalk://dingtalkclient/page/link?url=x")
    link = body(links=PICTURES, message_type="link")["link"]
    assert link == {
        "title": "One",
        "text": "All OK",
        "picUrl": "https://example.com/a.png",
        "messageUrl": "https://example.com/a",
    }
    assert "- [Open](https://example.com/a)" in body(links=LINKS, message_type="markdown")["markdown"]["text"]
    assert "Open: https://example.com/a" in body(links=LINKS, message_type="text")["text"]["content"]


def test_a_links_title_cannot_break_out_of_its_link() -> None:
    links = '[{"title": "a](http://evil) [b", "url": "https://example.com/a"}]'
    text = body(links=links, message_type="markdown")["markdown"]["text"]
    assert r"[a\](http://evil) \[b](https://example.com/a)" in text


def test_the_content_goes_ahead_of_a_feed_card() -> None:
    first, second = render.bodies(message(links=PICTURES, content="# Report\n\nText"))
    assert first["markdown"]["text"] == "# Report\n\nText"
    assert second["feedCard"]["links"] == [
        {"title": "One", "messageURL": "https://example.com/a", "picURL": "https://example.com/a.png"}
    ]


def test_a_text_too_long_for_its_card_goes_ahead_and_the_buttons_close_it() -> None:
    parts = render.bodies(message(links=LINKS, content="# R\n\n" + "长长长。\n\n" * 4000))
    assert [part["msgtype"] for part in parts[:-1]] == ["markdown"] * (len(parts) - 1)
    assert parts[-1]["actionCard"]["btns"]
    long, card = render.bodies(message(links=PICTURES, message_type="link", content="x " * 12_000, title="T"))[-2:]
    assert long["msgtype"] == "markdown"
    assert card["link"]["text"] == "T"


def test_tables_become_lists_unless_told_otherwise() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert "|" not in body(content=table)["markdown"]["text"]
    assert "| 1 | 2 |" in body(content=table, table_mode="keep")["markdown"]["text"]
    assert "```" in body(content=table, table_mode="code")["markdown"]["text"]


# Mentions and keywords


def test_mentions_also_stand_in_the_text() -> None:
    one = body(content="- ask @lisa", at_mobiles="+86 138-0000-0000, +1-5550100", at_user_ids="lisa,li")
    assert one["markdown"]["text"] == "- ask @lisa\n\n@13800000000 @+1-5550100 @li"
    assert one["at"] == {"atMobiles": ["13800000000", "+1-5550100"], "atUserIds": ["lisa", "li"], "isAtAll": False}


def test_everybody_is_called_once_and_others_by_the_part_that_names_them() -> None:
    content = "@first\n\n" + "长长长。\n\n" * 4000
    parts = render.bodies(message(content=content, at_user_ids="first,last", at_all=True, message_type="markdown"))
    assert len(parts) > 2
    assert parts[0]["at"] == {"atMobiles": [], "atUserIds": ["first"], "isAtAll": False}
    assert "at" not in parts[1]
    assert parts[-1]["at"] == {"atMobiles": [], "atUserIds": ["last"], "isAtAll": True}


@pytest.mark.parametrize(
    "given_",
    [
        {"content": "All OK"},
        {"content": "- a"},
        {"content": "长长长。\n\n" * 4000, "message_type": "markdown"},
        {"content": "长长长。\n\n" * 4000, "message_type": "text"},
        {"links": LINKS},
        {"links": PICTURES},
        {"links": PICTURES, "message_type": "link"},
    ],
)
def test_every_message_holds_the_keyword_once_it_is_needed(given_: dict[str, Any], clock: Clock) -> None:
    with Robot(TOKEN, keywords=("日报",), enforce_rate=False) as robot:
        push(message(robot, keyword="日报", **given_), pace=clock.pace())
    assert robot.posted


def test_a_keyword_that_is_there_is_not_added() -> None:
    assert body(content="日报: ok", keyword="日报")["text"]["content"] == "日报: ok"
    assert body(content="- ok", title="日报", keyword="日报")["markdown"]["text"] == "- ok"


# Parts


def test_each_part_carries_its_number_the_title_and_the_keyword(open_robot: Robot, clock: Clock) -> None:
    push(message(open_robot, content="# Day\n\n" + "长长长。\n\n" * 4000, keyword="日报"), pace=clock.pace())
    total = len(open_robot.posted)
    assert total > 1
    for number, posted in enumerate(open_robot.posted, 1):
        assert posted["markdown"]["title"] == f"Day ({number}/{total})"
        assert posted["markdown"]["text"].startswith(f"#### Day ({number}/{total}) · 日报\n\n")


def test_chinese_is_sent_as_it_is_so_that_twice_as_much_fits(open_robot: Robot, clock: Clock) -> None:
    receipt = push(message(open_robot, content="长" * 6_600), pace=clock.pace())
    assert len(receipt.parts) == 1
    assert b"\\u" not in open_robot.requests[0].body
    assert open_robot.requests[0].headers["content-type"] == "application/json; charset=utf-8"


MARKDOWN = ["# H\n", "- item\n", "```\n", "| a | b |\n|---|---|\n", "| 1 | 2 |\n", "[a](https://x.y/z) ", "\n", "\n\n"]
WORDS = st.sampled_from([*MARKDOWN, "长", "报告。", "word ", FAMILY, '"', "\\", "@x ", "\x01"])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(WORDS, min_size=1, max_size=30), st.integers(1, 400), st.sampled_from(["markdown", "text", "action_card"])
)
def test_whatever_is_written_fits_and_nothing_is_lost(words: list[str], times: int, kind: str) -> None:
    content = "".join(words) * times + "end"
    bodies = render.bodies(
        message(content=content, message_type=kind, table_mode="keep", links=LINKS if kind == "action_card" else (),
                title="T", keyword="kw", at_mobiles="13800000000")
    )  # fmt: skip
    texts = [
        next(iter(part[part["msgtype"]].get(name) for name in ("text", "content") if name in part[part["msgtype"]]))
        for part in bodies
    ]
    assert all(render.weight(part) < 20_000 for part in bodies)
    for piece in ("长", "报告", "word", "item", FAMILY, "https://x.y/z"):
        assert sum(text.count(piece) for text in texts) == content.count(piece)


def test_a_mention_is_never_cut() -> None:
    names = [f"Li Lei {number}" for number in range(100)]
    for size in range(40):
        called = "、".join(f"@{name}" for name in names) * 40
        bodies = render.bodies(message(content=f"Hello {'x' * size}\n{called}", at_user_ids=names))
        assert {name for part in bodies for name in part["at"]["atUserIds"]} == set(names)
        text = "\n".join(part["text"]["content"] for part in bodies)
        assert text.count("@Li Lei ") == 4000
        assert not re.search(r"@Li Lei ?$|@Li$|@$|^Lei|^[0-9]", text, re.MULTILINE)


def test_people_whose_name_goes_on_are_not_called() -> None:
    part = body(content="@user7 and @user77x, and @user", at_user_ids="user7,user77,user")
    assert part["text"]["content"].endswith("@user\n\n@user77")
    assert part["at"]["atUserIds"] == ["user7", "user77", "user"]


def test_more_parts_than_a_thousand_still_fit() -> None:
    names = [f"user{number:04}" for number in range(1690)]
    bodies = render.bodies(message(content="长文。" * 300_000, at_user_ids=names))
    assert len(bodies) > 1000
    assert max(map(render.weight, bodies)) < 20_000


def test_a_title_is_shown_whatever_the_type() -> None:
    assert body(content="a\nb", title="T")["text"]["content"] == "T\n\na\nb"
    assert body(content="T: a\nb", title="T")["text"]["content"] == "T: a\nb"
    assert body(content="**a**", title="T")["markdown"]["title"] == "T"
    assert body(message_type="link", links=PICTURES, title="T")["link"]["title"] == "T"


def test_the_keyword_stands_whole_in_a_field_that_is_sent() -> None:
    seam = body(content="**报** a", title="b 日", keyword="日报", message_type="markdown")["markdown"]
    assert seam == {"title": "b 日", "text": "**报** a\n\n日报"}
    unsent = body(content="日报: all is well", title="", keyword="日报")["text"]["content"]
    assert unsent == "日报: all is well"
    link = body(content="报", message_type="link", links=PICTURES, title="日", keyword="日报")["link"]
    assert (link["title"], link["text"]) == ("日", "报\n\n日报")


def test_an_address_in_a_list_of_links_cannot_end_the_link() -> None:
    links = [{"title": "a\nb]", "url": "https://x.y/(a)?q=<b>"}]
    text = body(content="**a**", message_type="markdown", links=links)["markdown"]["text"]
    assert text == "**a**\n\n- [a b\\]](https://x.y/%28a%29?q=%3Cb%3E)"


@pytest.mark.parametrize(
    ("given_", "key"), [({"content": "x" * 1_000_001}, "content_too_long"), ({"at_user_ids": "u" * 65}, "bad_user_id")]
)
def test_what_is_beyond_any_use_is_refused(given_: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidInput, match=key):
        message(**given_)


def test_half_an_emoji_does_not_break_the_body(open_robot: Robot, clock: Clock) -> None:
    links = '[{"title": "t\\ud83d", "url": "https://x.y/\\udc00"}]'
    push(
        message(open_robot, content="cut \ud83d", title="t\udc00", links=links, at_user_ids='["u\\ud83d"]'),
        pace=clock.pace(),
    )
    assert open_robot.posted[0]["actionCard"]["text"] == "cut \ufffd\n\n@u\ufffd"
    assert open_robot.posted[0]["actionCard"]["singleTitle"] == "t\ufffd"


# What DingTalk answers

ANSWERS: list[tuple[dict[str, Any] | int | bytes, type[OpskitError], str]] = [
    ({"errcode": 300001, "errmsg": "token is not exist"}, InvalidCredentials, "robot_token"),
    ({"errcode": 300005, "errmsg": "token is not exist"}, InvalidCredentials, "robot_token"),
    ({"errcode": 400101, "errmsg": ""}, InvalidCredentials, "robot_token"),
    ({"errcode": 400102, "errmsg": "token is not exist"}, InvalidCredentials, "robot_token"),
    ({"errcode": 88, "errmsg": "auth"}, InvalidCredentials, "robot_token"),
    ({"errcode": 310000, "errmsg": "sign not match, more: [..]"}, InvalidCredentials, "robot_signature"),
    (
        {
            "errcode": 310000,
            "errmsg": "description:机器人发送签名不匹配;solution:请确认签名和生成签名的时间戳必须都放在调用的网址中,"
            "请确认机器人的密钥加签和时间戳用换行符拼接，检查关键词;link:请参考本接口对应文档获得具体要求;",
        },
        InvalidCredentials,
        "robot_signature",
    ),
    ({"errcode": 310000, "errmsg": "description:机器人发送签名过期;solution:x"}, InvalidCredentials, "robot_clock"),
    ({"errcode": 310000, "errmsg": "invalid timestamp"}, InvalidCredentials, "robot_clock"),
    ({"errcode": 310000, "errmsg": "ip 1.2.3.4 not in whitelist"}, InvalidCredentials, "robot_ip"),
    ({"errcode": 310000, "errmsg": "something new"}, InvalidCredentials, "robot_security"),
    ({"errcode": 310000, "errmsg": "keywords not in content, more: [..]"}, Refused, "robot_keyword"),
    ({"errcode": 310000, "errmsg": "description:关键词不匹配"}, Refused, "robot_keyword"),
    ({"errcode": "310000", "errmsg": "sign not match"}, InvalidCredentials, "robot_signature"),
    ({"errcode": 430101, "errmsg": "unsafe link"}, Refused, "robot_content"),
    ({"errcode": 430104, "errmsg": "unsafe content"}, Refused, "robot_content"),
    ({"errcode": 90020, "errmsg": "quota"}, Refused, "robot_quota"),
    ({"errcode": 90030, "errmsg": "webhook over limit"}, Refused, "robot_quota"),
    ({"errcode": 400013, "errmsg": "群已被解散"}, Refused, "robot_group_gone"),
    ({"errcode": 400102, "errmsg": "机器人已停用"}, Refused, "robot_stopped"),
    ({"errcode": 400106, "errmsg": "机器人不在群中"}, Refused, "robot_not_in_group"),
    ({"errcode": 43004, "errmsg": "content-type"}, Refused, "robot_other"),
    ({"errcode": 130101, "errmsg": "send too fast"}, RateLimited, "robot_limit"),
    ({"errcode": 410100, "errmsg": "发送速度太快而限流"}, RateLimited, "robot_limit"),
    ({"status": 1111, "wait": 5, "source": "x5", "punish": "deny"}, RateLimited, "robot_limit"),
    ({"status": 1111}, RateLimited, "robot_limit"),
    ({"source": "x5"}, RateLimited, "robot_limit"),
    ({"punish": "deny"}, RateLimited, "robot_limit"),
    ({"errcode": 9002, "errmsg": "x"}, Refused, "robot_other"),
    ({"errcode": 43010, "errmsg": "x"}, Refused, "robot_other"),
    ({"errcode": "9" * 5000, "errmsg": "x"}, Unavailable, "robot_odd_answer"),
    (b"[" * 60_000, Unavailable, "robot_odd_answer"),
    (429, RateLimited, "robot_limit"),
    ({"errcode": 40035, "errmsg": "缺少参数"}, InvalidInput, "robot_parameter"),
    ({"errcode": 400402, "errmsg": "markdown->title"}, InvalidInput, "robot_parameter"),
    ({"errcode": 400105, "errmsg": "msgtype"}, InvalidInput, "robot_message_type"),
    ({"errcode": 460101, "errmsg": "message too long"}, InvalidInput, "robot_too_long"),
    (404, InvalidInput, "robot_wrong_address"),
    (302, InvalidInput, "robot_wrong_address"),
    (b"<html>login</html>", Unavailable, "robot_odd_answer"),
    ({"ok": True}, Unavailable, "robot_odd_answer"),
    (b"[]", Unavailable, "robot_odd_answer"),
]


@pytest.mark.parametrize(("given_", "error", "key"), ANSWERS)
def test_errcode_decides_not_http_and_nothing_hopeless_is_tried_again(
    given_: Any, error: type[OpskitError], key: str, open_robot: Robot, clock: Clock
) -> None:
    open_robot.next_answers(given_)
    with pytest.raises(OpskitError) as refused:
        push(message(open_robot, sign_secret=SECRET), pace=clock.pace())
    assert (type(refused.value), refused.value.key) == (error, key)
    assert open_robot.calls == 1


def test_every_sentence_about_an_answer_can_be_spoken() -> None:
    for given_, _, _ in ANSWERS:
        status, parsed = (given_, None) if isinstance(given_, int) else (200, given_)
        error = answer.failure(status, parsed)
        assert error is not None
        if not isinstance(error, RateLimited):
            assert str(error).startswith(f"[{error.key}] ")


def test_a_robot_that_wants_signatures_says_so_when_there_is_no_secret(robot: Robot, clock: Clock) -> None:
    with pytest.raises(InvalidCredentials, match=r"\[robot_unsigned\] .*sign_secret is empty"):
        push(message(robot), pace=clock.pace())


@pytest.mark.parametrize(
    "trouble", [{"errcode": -1, "errmsg": "系统繁忙"}, 500, 503, "drop", "drop_after", "drop_within"]
)
def test_trouble_that_passes_is_tried_again_with_the_same_uuid(trouble: Any, open_robot: Robot, clock: Clock) -> None:
    open_robot.next_answers(trouble, trouble)
    receipt = push(message(open_robot), pace=clock.pace())
    assert receipt.attempts == 3
    assert len({json.loads(request.body)["msgUuid"] for request in open_robot.requests}) == 1
    assert len(open_robot.posted) == 1
    assert clock.slept == [1.0, 2.0]


def test_after_four_attempts_it_is_unavailable(open_robot: Robot, clock: Clock) -> None:
    open_robot.next_answers(*[500] * 9)
    with pytest.raises(Unavailable, match=r"HTTP 500.*same dedupe_key"):
        push(message(open_robot), pace=clock.pace())
    assert open_robot.calls == 4


@pytest.mark.parametrize("trouble", ["hang", "trickle"])
def test_a_robot_that_does_not_answer_in_time_is_unavailable(trouble: Any, open_robot: Robot) -> None:
    open_robot.next_answers(trouble)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="robot_no_answer"):
        push(message(open_robot, deadline_s=1), pace=Pace())
    assert time.monotonic() - began < 30


def test_a_retry_that_would_come_too_late_is_not_made(open_robot: Robot, clock: Clock) -> None:
    open_robot.next_answers(500, 500, 500)
    with pytest.raises(Unavailable):
        push(message(open_robot, deadline_s=2.5), pace=clock.pace())
    assert open_robot.calls == 2


def test_a_retry_that_the_rate_does_not_allow_is_not_made(open_robot: Robot, clock: Clock) -> None:
    pace = clock.pace()
    for number in range(19):
        push(message(open_robot, content=f"n {number}"), pace=pace)
    open_robot.next_answers(500)
    with pytest.raises(Unavailable):
        push(message(open_robot, deadline_s=30), pace=pace)
    assert open_robot.calls == 20


def test_when_a_later_part_fails_the_error_says_which_arrived(open_robot: Robot, clock: Clock) -> None:
    content = "长长长。\n\n" * 4000
    with pytest.raises(Refused) as refused:
        push_third_fails(open_robot, content, clock)
    assert str(refused.value).endswith("Parts that had arrived before: 1, 2 of 4.")
    assert len(open_robot.posted) == 2


def push_third_fails(robot: Robot, content: str, clock: Clock) -> Receipt:
    ok = robot.judge
    count = iter(range(1, 99))

    def judge(request: Any) -> dict[str, Any]:
        return {"errcode": 400013, "errmsg": "x"} if next(count) == 3 else ok(request)

    robot.judge = judge  # type: ignore[method-assign]
    return push(message(robot, content=content, message_type="markdown"), pace=clock.pace())


def test_the_first_part_failing_says_that_none_arrived(open_robot: Robot, clock: Clock) -> None:
    open_robot.next_answers({"errcode": 400013, "errmsg": "x"})
    with pytest.raises(Refused, match=r"arrived before: - of 4\."):
        push(message(open_robot, content="长长长。\n\n" * 4000), pace=clock.pace())


# The rate


def test_a_call_waits_its_turn_when_that_fits_its_deadline(clock: Clock) -> None:
    with Robot(TOKEN, clock=lambda: time.time() + sum(clock.slept)) as robot:
        pace = clock.pace()
        for number in range(25):
            push(message(robot, content=f"n {number}", deadline_s=90), pace=pace)
        assert len(robot.posted) == 25
        assert 55 < sum(clock.slept) < 61


def test_a_message_whose_parts_do_not_all_fit_sends_none(robot: Robot, clock: Clock) -> None:
    pace = clock.pace()
    for number in range(18):
        push(message(robot, content=f"n {number}", sign_secret=SECRET), pace=pace)
    with pytest.raises(RateLimited, match="20 messages a minute") as limited:
        push(message(robot, content="长长长。\n\n" * 4000, sign_secret=SECRET, deadline_s=10), pace=pace)
    assert 55 <= (limited.value.seconds or 0) <= 61
    assert robot.calls == 18


def test_after_a_limit_answer_nobody_hammers(open_robot: Robot, clock: Clock) -> None:
    pace = clock.pace()
    open_robot.next_answers({"errcode": 130101, "errmsg": "send too fast"})
    with pytest.raises(RateLimited) as limited:
        push(message(open_robot), pace=pace)
    assert limited.value.seconds == 600
    assert "600 s" in str(limited.value)
    with pytest.raises(RateLimited):
        push(message(open_robot, deadline_s=550), pace=pace)
    assert open_robot.calls == 1


def test_concurrent_calls_share_the_robots_minute() -> None:
    pace = Pace()
    results: list[str] = []
    with Robot(TOKEN) as robot:

        def one(number: int) -> None:
            try:
                push(message(robot, content=f"n {number}", deadline_s=5), pace=pace)
                results.append("delivered")
            except RateLimited as error:
                results.append(error.key)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(26)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == ["delivered"] * 20 + ["robot_busy"] * 6
        assert len(robot.posted) == 20


# Once only


def uuids(now: Callable[[], float], repeats: Repeats | None = None, **given_: Any) -> list[str]:
    return push(message(dry_run=True, **given_), now=now, repeats=Repeats() if repeats is None else repeats).message_ids


def test_the_uuid_is_the_same_for_the_same_robot_key_content_and_part() -> None:
    run: dict[str, Any] = {"dedupe_key": "run-1"}
    first = uuids(lambda: 0.0, **run)
    assert first == uuids(lambda: 10**9, **run)
    assert first != uuids(lambda: 0.0, dedupe_key="run-2")
    assert first != uuids(lambda: 0.0, **run, content="other")
    assert first != uuids(lambda: 0.0, **run, access_token="other-token")
    assert first != uuids(lambda: 0.0, **run, base_url="https://oapi.dingtalk.io")
    same = uuids(lambda: 0.0, **run, content="长" * 60_000)
    assert len(set(same)) == len(same) > 5
    assert all(re.fullmatch(r"[0-9a-f]{32}", uuid) for uuid in same)


def test_without_a_key_ten_minutes_stand_in_for_it() -> None:
    assert uuids(lambda: 1200.0) == uuids(lambda: 1799.0)
    assert uuids(lambda: 1200.0) != uuids(lambda: 1800.0)
    assert uuids(lambda: 1200.0, dedupe_key="2") != uuids(lambda: 1200.0)


def test_the_ten_minutes_begin_when_a_part_is_first_seen() -> None:
    repeats = Repeats()
    first = uuids(lambda: 1799.0, repeats)
    assert uuids(lambda: 1801.0, repeats) == uuids(lambda: 2398.0, repeats) == first
    assert uuids(lambda: 1801.0, repeats, content="other") == uuids(lambda: 1801.0, content="other")
    assert uuids(lambda: 2399.0, repeats) != first


def test_a_clock_that_was_set_back_begins_a_new_window() -> None:
    repeats = Repeats()
    uuids(lambda: 9000.0, repeats)
    assert uuids(lambda: 100.0, repeats) == uuids(lambda: 100.0)


def test_what_was_seen_is_forgotten_after_ten_minutes() -> None:
    repeats = Repeats()
    for number in range(50):
        uuids(lambda: 0.0, repeats, content=f"n {number}")
    assert len(repeats) == 50
    uuids(lambda: 600.0, repeats)
    assert len(repeats) == 1


def test_only_so_many_parts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opskit.dingtalk.repeats._REMEMBERED", 2)
    repeats = Repeats()
    for content in ("a", "b", "c"):
        uuids(lambda: 1799.0, repeats, content=content)
    assert uuids(lambda: 1801.0, repeats, content="c") == uuids(lambda: 1799.0, content="c")
    assert uuids(lambda: 1801.0, repeats, content="a") == uuids(lambda: 1801.0, content="a")


def test_a_node_that_is_repeated_does_not_post_twice(robot: Robot, clock: Clock) -> None:
    for _ in range(2):
        push(message(robot, sign_secret=SECRET, dedupe_key="run-1"), pace=clock.pace())
    assert (len(robot.posted), len(robot.duplicates)) == (1, 1)


def test_the_uuid_does_not_tell_the_token() -> None:
    [uuid] = uuids(lambda: 0.0)
    assert uuid not in {hashlib.new(kind, TOKEN.encode()).hexdigest()[:32] for kind in ("md5", "sha1", "sha256")}


def test_push_is_the_packages_one_verb() -> None:
    assert push_function is dingtalk.push


def test_each_robot_of_a_host_has_its_own_minute(open_robot: Robot, clock: Clock) -> None:
    pace = clock.pace()
    with Robot("other-token", enforce_rate=False) as other:
        for number in range(20):
            push(message(open_robot, content=f"n {number}"), pace=pace)
        assert clock.slept == []
        one, two = (Caller.of(message(open_robot, access_token=token)).name for token in (TOKEN, "other-token"))
        assert one != two
        assert one != Caller.of(message(other)).name


def test_a_silenced_robot_is_told_apart_from_a_busy_one(open_robot: Robot, clock: Clock) -> None:
    pace = clock.pace()
    open_robot.next_answers({"errcode": 130101, "errmsg": "send too fast"})
    with pytest.raises(RateLimited, match="robot_limit"):
        push(message(open_robot), pace=pace)
    with pytest.raises(RateLimited, match=r"\[robot_silenced\].*for (599|600) s more"):
        push(message(open_robot), pace=pace)
    assert open_robot.calls == 1


def test_the_tries_are_told(open_robot: Robot, clock: Clock) -> None:
    open_robot.next_answers(*[{"errcode": -1, "errmsg": "busy"}] * 9)
    with pytest.raises(Unavailable, match="tries: 4"):
        push(message(open_robot), pace=clock.pace())
    with pytest.raises(Unavailable, match="tries: 1"):
        push(message(open_robot, deadline_s=1), pace=clock.pace())


def test_what_was_never_reached_is_said_to_be_unsent(clock: Clock) -> None:
    with pytest.raises(Unavailable, match=r"\[robot_not_reached\].*nothing was posted"):
        push(message(base_url="http://127.0.0.1:9"), pace=clock.pace())


@pytest.mark.parametrize("size", [-1, 0, 1])
def test_a_body_of_19999_bytes_goes_whole_and_a_larger_one_in_parts(size: int) -> None:
    empty = render.weight(body(content="", message_type="text"))
    bodies = render.bodies(message(content="x" * (19_999 - empty + size), message_type="text"))
    assert len(bodies) == (1 if size <= 0 else 2)


def test_a_receipt_lists_its_parts_in_order_with_the_time_taken(open_robot: Robot, clock: Clock) -> None:
    open_robot.next_answers(500)
    receipt = push(message(open_robot, content="长长长。\n\n" * 4000), pace=clock.pace())
    assert receipt.message_ids == [part.msg_uuid for part in receipt.parts]
    assert receipt.message_ids == [posted["msgUuid"] for posted in open_robot.posted]
    assert [part.index for part in receipt.parts] == list(range(1, len(receipt.parts) + 1))
    assert receipt.elapsed_ms >= 1000  # the second before the first part was tried again


def test_a_request_is_given_15_seconds_or_what_is_left(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    seen: list[float] = []

    def exchange(_: object, *__: object, ends: float, **___: object) -> http.Reply:
        seen.append(ends - time.monotonic())
        return http.Reply(200, {}, b'{"errcode": 0}')

    monkeypatch.setattr(http.Session, "exchange", exchange)
    for deadline_s in (3, 60):
        push(message(deadline_s=deadline_s), pace=clock.pace())
    assert seen == [pytest.approx(3, abs=1), pytest.approx(15, abs=1)]


def test_buttons_stand_below_each_other() -> None:
    assert body(links=LINKS)["actionCard"]["btnOrientation"] == "0"


def test_both_domains_of_dingtalk_are_given_the_token() -> None:
    for host, reach in (("oapi.dingtalk.com", "internal"), ("oapi.dingtalk.io", "internal"), ("a.example", "private")):
        assert Caller.of(message(base_url=f"https://{host}")).reach == reach


def test_a_little_room_for_text_is_too_little() -> None:
    links = [{"title": "t" * 19_300, "url": "https://x.y/"}]
    with pytest.raises(InvalidInput, match="no_room_for_text"):
        render.bodies(message(content="x" * 1000, links=links))
