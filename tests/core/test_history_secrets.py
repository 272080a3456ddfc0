"""Secrets are taken out and put back; what only seems to be one stays. All secrets here are obvious fakes."""

import base64
import string
import time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from devtools.sample_workflow import document, node, text, variable
from opskit import history
from opskit.history import looks
from opskit.history.texts import texts

TOKEN = "fake-token-0123456789abcdef"
KEY = "app-Fake0123456789abcdefGHIJ"
SK = "sk-fake-0123456789ABCDEFabcdef"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmYWtlIn0.c2lnbmF0dXJlMDEyMw"
UUID = "5b1f0c1e-7a6d-4a51-9f5c-6b0a3d2e1f31"
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
BASIC = base64.b64encode(b"fake-user:fake-password").decode()
PEM = "-----BEGIN RSA PRIVATE KEY-----\nZmFrZQ==\n-----END RSA PRIVATE KEY-----"
HEX = "0123456789abcdef0123456789abcdef"


def read(nodes: list[dict[str, Any]], **parts: Any) -> history.Dsl:
    return history.read(text(nodes, **parts))


def taken(value: str, **about: Any) -> list[str]:
    return [value[span.start : span.end] for span in looks.found(value, **about)]


SECRETS: list[tuple[str, str, str]] = [
    (KEY, KEY, "app_key"),
    (f"key is {KEY}.", KEY, "app_key"),
    ("dataset-Fake0123456789abcdefGHIJ", "dataset-Fake0123456789abcdefGHIJ", "app_key"),
    (f"client = OpenAI({SK!r})", SK, "api_key"),
    ("ghp_" + "Fake0123456789" * 3, "ghp_" + "Fake0123456789" * 3, "api_key"),
    ("AKIAFAKE0123456789AB", "AKIAFAKE0123456789AB", "api_key"),
    ("LTAI5tFake0123456789", "LTAI5tFake0123456789", "api_key"),
    ("SEC" + "0123456789abcdef" * 4, "SEC" + "0123456789abcdef" * 4, "api_key"),
    ("whsec_ZmFrZS1zZWNyZXQtMDEyMzQ1", "whsec_ZmFrZS1zZWNyZXQtMDEyMzQ1", "api_key"),
    (f"x {JWT} y", JWT, "jwt"),
    (f'KEY = """{PEM}"""', PEM, "private_key"),
    ("-----BEGIN PRIVATE KEY-----\nZmFrZQ", "-----BEGIN PRIVATE KEY-----\nZmFrZQ", "private_key"),
    (f"Authorization: Bearer {TOKEN}", TOKEN, "bearer"),
    (f"say bearer {TOKEN} to it", TOKEN, "bearer"),
    (f"Basic {BASIC}", BASIC, "basic_auth"),
    ("https://oapi.dingtalk.com/robot/send?access_token=" + HEX, HEX, "url_token"),
    (f"/robot/send?a=1&access_token={HEX}&b=2", HEX, "url_token"),
    (f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={UUID}", UUID, "url_token"),
    (f"https://restapi.amap.com/v3/weather?city=1&key={HEX}", HEX, "url_token"),
    (f"https://a.example/f?timestamp=1&sign={HEX}", HEX, "url_token"),
    (f"https://a.s3.amazonaws.com/f?X-Amz-Signature={HASH}&x=1", HASH, "url_token"),
    (f"https://open.feishu.cn/open-apis/bot/v2/hook/{UUID}", UUID, "webhook"),
    ("https://hooks.slack.com/services/T0FAKE/B0FAKE/fake0123", "T0FAKE/B0FAKE/fake0123", "webhook"),
    ("https://api.telegram.org/bot123:FakeFake/sendMessage", "123:FakeFake/sendMessage", "webhook"),
    ("postgres://fake:fake-pass@db.example/x", "fake-pass", "url_password"),
    (f'api_key = "{TOKEN}"', TOKEN, "key"),
    (f'headers["X-Api-Key"] = "{TOKEN}"', TOKEN, "key"),
    (f'{{"access_token": "{TOKEN}"}}', TOKEN, "token"),
    (f'{{\\"accessToken\\": \\"{TOKEN}\\"}}', TOKEN, "token"),
    ('"password": "hunter2"', "hunter2", "password"),
    ("密码：Fake12345678。", "Fake12345678", "password"),
    (f"secret={TOKEN}", TOKEN, "secret"),
    (f"token: str = '{TOKEN}'", TOKEN, "token"),
    (f"const clientSecret = `{TOKEN}`;", TOKEN, "secret"),
    ('PASSWORD = "FakeFakeFake"', "FakeFakeFake", "password"),
]


@pytest.mark.parametrize(("value", "secret", "kind"), SECRETS)
def test_secrets_are_found_by_form_place_and_name(value: str, secret: str, kind: str) -> None:
    (span,) = looks.found(value)
    assert (value[span.start : span.end], span.kind) == (secret, kind)


@pytest.mark.parametrize(
    "value",
    [
        "{{#env.DINGTALK_TOKEN#}}",
        "Bearer {{#env.TOKEN#}}",
        "Authorization: Bearer {{#env.TOKEN#}}",
        "https://a.example/send?access_token={{#env.TOKEN#}}&x=1",
        "https://a.example/send?access_token=${TOKEN}",
        'url = f"https://a.example/?access_token={token}&x=1"',
        "api_key = YOUR_API_KEY",
        'api_key = "YOUR_API_KEY"',
        'api_key = "your-api-key-here"',
        "sk-xxxxxxxxxxxxxxxxxxxxxxxx",
        "app-xxxxxxxxxxxxxxxxxxxxxxxx",
        "app-internationalization",
        "a task-0123456789abcdef0123 of disk-0123456789abcdefABCD",
        "scikit sk-learn-something-to-read-tonight",
        UUID,
        f"dataset_ids: {UUID}",
        f"langgenius/openai:0.0.8@{HASH}",
        "gpt-4o-2024-08-06",
        "langgenius/tongyi/tongyi",
        "max_tokens: 1024",
        "total_tokens = 12345678",
        'next_token = "abc0123456789def0123"',
        "token = get_token(request)",
        'token = response["token"]',
        "token = data.access_token_v2",
        "password = self.config.password_v2",
        'token_type = "Bearer"',
        '"password": "string"',
        "password: required",
        '"token": "user_token_v2"',
        "Basic understanding of the matter",
        "Basic dGhpcyBpcyBub3QgYSBwYWly",
        "Bearer authentication is used",
        "Bearer YOUR_API_TOKEN",
        "A bearer certificate is a document of ownership.",
        "https://a.example/path?key=customer-name&sign=plus",
        "https://a.example/path?token=short",
        "https://docs.example/hooks/webhook",
        "https://hooks.slack.com/services/xxxxxxxx",
        "postgres://user:password@db.example/x",
        "primary_key: abc0123456789def",
        "The secret of a good prompt: be precise, and say what you want to have.",
        "关键词：销售额 2026",
        "[__OPSKIT_REDACTED:bearer:n1:/data/headers:0__]",
        "https://user:{{#env.P#}}@host.example/",
        "",
    ],
)
def test_what_only_seems_to_be_a_secret_is_left(value: str) -> None:
    assert not looks.found(value)


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("access_token", TOKEN, TOKEN),
        ("access_token", "lowercaseonly", "lowercaseonly"),
        ("api_key", UUID, UUID),
        ("Authorization", f"Bearer {TOKEN}", TOKEN),
        ("authorization", f"  {TOKEN}\n", TOKEN),
        ("token", "{{#env.A#}}" + TOKEN + "x9", TOKEN + "x9"),
        ("sign_secret", "SECabc", "SECabc"),
        ("key", HEX, HEX),
        ("sign", UUID, UUID),
        ("db_password", "difyai123456", "difyai123456"),
        ("token", PEM, PEM),
    ],
)
def test_a_field_with_a_telling_name_is_taken_at_its_word(name: str, value: str, secret: str) -> None:
    assert taken(value, name=name) == [secret]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("access_token", "{{#env.TOKEN#}}"),
        ("access_token", ""),
        ("authorization", "Bearer"),
        ("authorization", "Bearer {{#env.TOKEN#}}"),
        ("token", "{{#env.A#}}-{{#env.B#}}"),
        ("api_key", "YOUR_API_KEY"),
        ("api_key", "<your key>"),
        ("api_key", "[__HIDDEN__]"),
        ("secret", "xxxxxx"),
        ("key", "customer"),
        ("sign", "positive"),
        ("title", "0123456789abcdef"),
        ("max_tokens", "0123456789abcdef"),
        ("token_url", "https://a.example/oauth"),
        ("page_token", "0123456789abcdefABC"),
        ("credential_id", UUID),
        ("keyword", "abc0123456789def0"),
    ],
)
def test_a_field_without_one_or_with_a_template_is_left(name: str, value: str) -> None:
    assert not taken(value, name=name)


def test_lines_of_headers_are_names_and_values() -> None:
    headers = f"Authorization:Bearer {TOKEN}\nX-Api-Key: abc\nkey:{HEX}\nAccept: text/html\ntoken:{{{{#env.T#}}}}\nodd"
    assert taken(headers, lines=True) == [TOKEN, "abc", HEX]


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "key",
        "?a=",
        "eyJ",
        "://",
        "x://a:",
        "-----BEGIN PRIVATE KEY-----",
        "bearer ",
        "token: ",
        "sk-",
        "{{",
        "a-",
        "[__OPSKIT_REDACTED:",
        "${",
        "{{a",
        "https://a.b/c?key=1&",
    ],
)
def test_a_long_text_of_anything_is_searched_in_no_time(piece: str) -> None:
    began = time.perf_counter()
    looks.found(piece * (100_000 // len(piece)), name="api_key")
    looks.found(piece * (100_000 // len(piece)), lines=True)
    assert time.perf_counter() - began < 5


# In a workflow


def http(**more: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "url": f"https://oapi.dingtalk.com/robot/send?access_token={HEX}",
        "headers": f"Authorization:Bearer {TOKEN}\nAccept:text/html",
        "params": "key:{{#env.KEY#}}",
        "authorization": {"type": "api-key", "config": {"type": "custom", "header": "X-Key", "api_key": "plainsecret"}},
        "body": {"type": "json", "data": [{"id": "b1", "type": "text", "key": "", "value": f'{{"token": "{SK}"}}'}]},
    }
    return node("http", "http-request", **(data | more))


def everywhere() -> history.Dsl:
    tool = {"access_token": {"type": "mixed", "value": TOKEN}, "limit": {"type": "constant", "value": 5}}
    agent = {"tools": {"value": [{"tool_name": "t", "settings": {"api_key": {"value": {"value": "abcdef"}}}}]}}
    nodes = [
        http(),
        node("tool", "tool", tool_configurations=tool, agent_parameters=agent),
        node("code", "code", code=f'def main():\n    api_key = "{TOKEN}"\n', outputs={"token": {"type": "string"}}),
        node("llm", "llm", prompt_template=[{"id": "p1", "role": "user", "text": f"Use {KEY} and {JWT}."}]),
        node("start", "start", variables=[{"variable": "token", "type": "text-input", "default": "abc-def"}]),
        node("form", "http-request", body={"type": "form-data", "data": "token:abc-def\nname:x"}),
    ]
    variables = [variable("API_KEY", TOKEN), variable("HOST", "https://a.example"), variable("S", "", kind="secret")]
    features = {"opening_statement": f"Your key: {KEY}"}
    return read(
        nodes, environment_variables=variables, features=features, conversation_variables=[variable("pwd", "abc1")]
    )


PLACES = {
    ("", "/conversation_variables/pwd/value", "password"),
    ("", "/environment_variables/API_KEY/value", "key"),
    ("", "/features/opening_statement", "app_key"),
    ("code", "/data/code", "key"),
    ("form", "/data/body/data", "token"),
    ("http", "/data/authorization/config/api_key", "key"),
    ("http", "/data/body/data/b1/value", "api_key"),
    ("http", "/data/headers", "authorization"),
    ("http", "/data/url", "url_token"),
    ("llm", "/data/prompt_template/p1/text", "app_key"),
    ("llm", "/data/prompt_template/p1/text", "jwt"),
    ("start", "/data/variables/token/default", "token"),
    ("tool", "/data/agent_parameters/tools/value/t/settings/api_key/value/value", "key"),
    ("tool", "/data/tool_configurations/access_token/value", "token"),
}


def test_every_place_is_found_and_named_and_nothing_of_it_stays() -> None:
    source = everywhere()
    made = history.canonical(source)
    assert {(it.node, it.path, it.kind) for it in made.redacted} == PLACES
    for secret in (TOKEN, KEY, SK, JWT, HEX, "plainsecret", "abc-def", "abcdef", "abc1"):
        assert secret not in made.text, secret
    assert "Accept:text/html" in made.text
    assert "{{#env.KEY#}}" in made.text


def test_marks_are_filled_in_again_from_the_same_places() -> None:
    source = everywhere()
    kept = history.read(history.canonical(source).text)
    assert history.marks(kept) == history.canonical(kept).redacted
    assert len(history.marks(kept)) == len(PLACES)
    filled = history.fill(kept, source)
    assert not filled.missing
    assert history.write(filled.dsl) == history.write(source)
    assert history.fill(kept).missing == history.marks(kept)
    assert history.fill(kept, kept).missing == history.marks(kept)


def test_what_has_no_place_in_the_source_is_told() -> None:
    kept = history.canonical(everywhere()).dsl
    other = read([http(authorization={"type": "no-auth", "config": None})])
    filled = history.fill(kept, other)
    assert {it.node for it in filled.missing} == {"", "code", "form", "http", "llm", "start", "tool"}
    assert [it.path for it in filled.missing if it.node == "http"] == ["/data/authorization/config/api_key"]
    assert not history.fill(kept, other, everywhere()).missing


def filled(now: str, then: str) -> str:
    """What becomes of the headers ``then`` when the draft has ``now``."""
    kept = history.canonical(read([http(headers=then)])).dsl
    return str(history.fill(kept, read([http(headers=now)])).dsl.nodes[0]["data"]["headers"])


def test_a_mark_is_filled_when_the_text_around_it_has_changed() -> None:
    other = TOKEN.replace("fake", "live")
    assert (
        filled(f"X: 1\nAuthorization:Bearer {other}", f"Authorization:Bearer {TOKEN}")
        == f"Authorization:Bearer {other}"
    )
    two = f"Authorization:Bearer {TOKEN}\nX-Api-Key:abc123\nAccept:a"
    assert filled(f"X-Api-Key:new123\nAuthorization:Bearer {other}", two) == (
        f"Authorization:Bearer {other}\nX-Api-Key:new123\nAccept:a"
    )


def test_a_mark_is_not_filled_where_it_is_not_clear_with_what() -> None:
    assert "__OPSKIT" in filled("token:abc123\ntoken:def456\nx:y", f"token:{TOKEN}")
    assert "__OPSKIT" in filled(f"token:{TOKEN}", "token:abc123\ntoken:def456\nx:y")
    assert filled("token:abc123\npwd:def456", "token:x1\nsecret:y1").startswith("token:abc123\nsecret:[__OPSKIT")
    assert "__OPSKIT" in filled("token:{{#env.T#}}", f"token:{TOKEN}")


def test_a_secret_in_the_description_of_the_app_is_taken_out_too() -> None:
    source = document()
    source["app"]["description"] = f"Call it with {KEY}."
    read_ = history.read(yaml.safe_dump(source))
    made = history.canonical(read_)
    assert [(it.node, it.path) for it in made.redacted] == [("", "/app/description")]
    assert KEY not in made.text
    assert history.fill(made.dsl, read_).dsl.app == read_.app


def test_odd_names_survive_in_a_mark() -> None:
    source = read([node("a:]b c", "tool", tool_configurations={"x/y ~z": {"api_key": TOKEN}})])
    made = history.canonical(source)
    (found,) = made.redacted
    assert (found.node, found.path) == ("a:]b c", "/data/tool_configurations/x~1y ~0z/api_key")
    assert history.marks(history.read(made.text)) == made.redacted
    assert history.write(history.fill(made.dsl, source).dsl) == history.write(source)


# Secret variables


def test_secret_variables_keep_their_value_in_the_draft_by_id_then_by_name() -> None:
    def variables(*pairs: tuple[str, str, str]) -> dict[str, Any]:
        return {
            "environment_variables": [variable(name, value, kind="secret", identity=it) for it, name, value in pairs]
        }

    kept = read([], **variables(("1", "A", ""), ("2", "B", ""), ("3", "C", ""), ("4", "D", "")))
    draft = document(**variables(("1", "A2", "*" * 20), ("9", "B", "*" * 20), ("3", "C", "")))
    draft["workflow"]["environment_variables"].append(variable("D", "plain", identity="4"))
    current = history.assemble(draft["app"], draft["workflow"], version="0.6.0")
    made = history.keep_secrets(kept, current)
    told = {it["name"]: (it["id"], it["value"]) for it in made.dsl.variables("environment_variables")}
    assert told == {"A": ("1", history.HIDDEN), "B": ("9", history.HIDDEN), "C": ("3", ""), "D": ("4", "")}
    assert [it.path for it in made.missing] == ["/environment_variables/C/value", "/environment_variables/D/value"]
    assert made.dsl.secrets["9"] is True
    plain = read([], environment_variables=[variable("X", "1")])
    assert history.keep_secrets(plain, current).dsl.variables("environment_variables")[0]["value"] == "1"


def test_a_secret_of_the_draft_is_kept_for_one_variable_alone() -> None:
    """Two of one id would take each other's values when the draft is saved the next time."""

    def told(kept: list[dict[str, Any]], *current: dict[str, Any]) -> dict[str, tuple[str, str]]:
        held = history.assemble({"mode": "workflow"}, {"graph": {}, "environment_variables": current}, version="0.6.0")
        made = history.keep_secrets(read([], environment_variables=kept), held)
        return {it["name"]: (it["id"], it["value"]) for it in made.dsl.variables("environment_variables")}

    renamed = variable("NEW", "v", kind="secret") | {"id": "1"}
    both = [variable("NEW", kind="secret") | {"id": "2"}, variable("OLD", kind="secret") | {"id": "1"}]
    assert told(both, renamed) == {"OLD": ("1", history.HIDDEN), "NEW": ("2", "")}
    retyped = [variable("NEW", kind="secret") | {"id": "2"}, variable("OLD", "plain") | {"id": "1"}]
    assert told(retyped, renamed) == {"OLD": ("", "plain"), "NEW": ("1", history.HIDDEN)}


def test_the_value_of_a_secret_variable_never_comes_in() -> None:
    source = read([], environment_variables=[variable("S", "topsecretvalue", kind="secret")])
    assert "topsecretvalue" not in history.write(source)
    assert source.secrets == {"id-S": True}


# Laws

LETTERS = string.ascii_letters + string.digits


def drawn(count: int) -> st.SearchStrategy[str]:
    """As a service draws them: letters of both cases and digits."""
    return st.text(alphabet=LETTERS, min_size=count, max_size=count).map(lambda it: f"aB3{it[3:]}")


secrets = st.one_of(
    drawn(24).map(lambda it: f"app-{it}"),
    drawn(40).map(lambda it: f"sk-{it}"),
    drawn(36).map(lambda it: f"ghp_{it}"),
    st.tuples(drawn(20), drawn(30), drawn(20)).map(lambda it: f"eyJ{it[0]}.eyJ{it[1]}.{it[2]}"),
)
around = st.text(alphabet="ab 数\n\"'{}:,=", max_size=12).map(lambda it: f"{it} ")


@settings(deadline=None)  # other processes share the machine
@given(secrets, around, st.sampled_from(["url", "headers", "params", "api_key", "code", "prompt", "config", "body"]))
def test_no_secret_of_a_known_form_survives_and_filling_is_the_way_back(secret: str, before: str, place: str) -> None:
    value = f"{before}{secret} {before}"
    nodes = {
        "url": lambda: http(url=f"https://a.example/?x={secret}"),
        "headers": lambda: http(headers=f"X-Thing:{value}"),
        "params": lambda: http(params=f"thing:{secret}\nq:{before}"),
        "api_key": lambda: http(authorization={"config": {"api_key": secret}}),
        "code": lambda: node("n", "code", code=value),
        "prompt": lambda: node("n", "llm", prompt_template=[{"role": "user", "text": value}]),
        "config": lambda: node("n", "tool", tool_configurations={"a": {"type": "mixed", "value": value}}),
        "body": lambda: http(body={"type": "raw-text", "data": value}),
    }
    source = read([nodes[place]()])
    made = history.canonical(source)
    assert secret not in made.text
    assert secret[-20:] not in made.text
    assert history.canonical(history.read(made.text)).text == made.text
    back = history.fill(history.read(made.text), source)
    assert not back.missing
    assert history.write(back.dsl) == history.write(source)


words = st.text(alphabet=LETTERS + " \n:=\"'{}#[]/?&_-.数", max_size=60)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["api_key", "token", "headers", "code", "password", "x"]), words, max_size=4))
def test_redaction_is_done_after_one_pass_and_undone_by_filling(data: dict[str, Any]) -> None:
    source = read([node("n", "http-request", **data)])
    once = history.canonical(source)
    assert history.canonical(once.dsl).text == once.text
    assert history.write(history.fill(once.dsl, source).dsl) == history.write(source)
    assert [it.text for it in texts(source)] == [it.text for it in texts(history.fill(once.dsl, source).dsl)]


def test_a_dsl_with_marks_is_still_one_that_dify_reads() -> None:
    made = history.canonical(everywhere())
    assert yaml.safe_load(made.text)["workflow"]["graph"]["nodes"][0]["data"]["code"].count("__OPSKIT_REDACTED") == 1
