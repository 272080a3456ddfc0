import io
import json
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import gevent
import pytest
import werkzeug
from pydantic import BaseModel, Field, StringConstraints

import bridge
from bridge.reply import MAX_LINE
from opskit import service
from opskit.errors import Conflict, InvalidCredentials, InvalidInput, OpskitError, Refused, Unavailable
from opskit.model import STRUCTURED, Attachment, FileParameter, FilesParameter, Item, Key, Line, Params, Result
from opskit.sales import Brief

SECRET = "a-very-secret-key"


class Pair(Item):
    n: Annotated[str, StringConstraints(min_length=1)]


class Order(Params):
    text: str
    key: Key | None = None
    count: int = Field(default=3, ge=1, le=9)
    ratio: float = Field(default=0.5, gt=0)
    share: Decimal = Decimal(1)
    dry: bool = False
    kind: Literal["a", "b"] = "a"
    name: Line = "nobody"
    file: FileParameter | None = None
    files: FilesParameter = ()
    pairs: Annotated[tuple[Pair, ...], STRUCTURED] = ()
    code: Annotated[str, StringConstraints(pattern="^[A-Z]*$")] = ""


class Locked(Params):
    token: Key


class Figures(Result):
    rows: list[str] = []
    note: str = ""
    table: dict[str, str] = {}
    many: list[list[str]] = []


class Sdk(BaseModel):
    """As the SDK hands over a file."""

    url: str
    filename: str | None = None
    size: int | None = None


def tool(takes: type[Params] = Order, *, agent: bool = False) -> Any:
    """What an adapter looks like from the bridge; messages are pairs of kind and content."""
    return SimpleNamespace(
        takes=takes,
        session=SimpleNamespace(
            conversation_id="c" if agent else None, message_id="m" if agent else None, app_id="app"
        ),
        create_text_message=lambda text: ("text", text),
        create_json_message=lambda value: ("json", value),
        create_variable_message=lambda name, value: ("variable", (name, value)),
        create_stream_variable_message=lambda name, value: ("stream", (name, value)),
        create_blob_message=lambda blob, meta: ("blob", (meta["filename"], meta["mime_type"], blob)),
    )


# parse


@pytest.mark.parametrize("blank", [None, "", "  \n", [None], []])
def test_blank_missing_and_none_mean_the_default(blank: object) -> None:
    order = bridge.parse(Order, {"text": "x", "count": blank, "name": blank, "file": blank, "dry": blank})
    assert order == Order(text="x")


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"count": "5"}, "count", 5),
        ({"count": 5.0}, "count", 5),
        ({"ratio": "0.25"}, "ratio", 0.25),
        ({"dry": "true"}, "dry", True),
        ({"dry": "No"}, "dry", False),
        ({"dry": 1}, "dry", True),
        ({"name": 42}, "name", "42"),
        ({"name": "  x "}, "name", "x"),
        ({"unknown": "x"}, "name", "nobody"),
    ],
)
def test_strings_of_templates_become_what_is_declared(given: dict[str, Any], field: str, value: object) -> None:
    assert getattr(bridge.parse(Order, {"text": "x"} | given), field) == value


def test_a_file_of_the_sdk_becomes_a_reference() -> None:
    order = bridge.parse(Order, {"text": "x", "file": Sdk(url="http://h/f", filename="a.csv", size=3)})
    assert order.file is not None
    assert (order.file.url, order.file.filename, order.file.extension, order.file.size) == (
        "http://h/f",
        "a.csv",
        "",
        3,
    )


def test_files_of_the_sdk_become_references_in_their_order() -> None:
    files = [Sdk(url="http://h/1", filename="a.csv"), {"url": "http://h/2"}]
    order = bridge.parse(Order, {"text": "x", "files": files})
    assert [(file.url, file.filename) for file in order.files] == [("http://h/1", "a.csv"), ("http://h/2", "")]
    assert bridge.parse(Order, {"text": "x", "files": [None]}).files == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "[missing_parameter] The parameter text is empty"),
        ({"text": "x", "files": [{"filename": "a"}]}, "[missing_parameter] The parameter files.0.url is empty"),
        ({"text": "x", "files": "a.csv"}, '[not_a_list] files cannot be "a.csv". Give a JSON list'),
        ({"text": "x", "count": 10}, "[out_of_range] count cannot be 10. Allowed: 1 … 9."),
        ({"text": "x", "ratio": 0}, "[out_of_range] ratio cannot be 0. Allowed: 0 … ."),
        ({"text": "x", "count": "many"}, "[not_a_number] count"),
        ({"text": "x", "ratio": "nan"}, "[not_a_number] ratio"),
        ({"text": "x", "count": 1.5}, "[not_a_number] count"),
        ({"text": "x", "share": "half"}, "[not_a_number] share"),
        ({"text": "x", "dry": "perhaps"}, "[not_a_boolean] dry"),
        ({"text": "x", "kind": "c"}, "[not_an_option] kind cannot be \"c\". Choose one of: 'a' or 'b'."),
        ({"text": "x", "file": {"filename": "a"}}, "[missing_parameter] The parameter file.url is empty"),
        ({"text": {"a": 1}}, "[not_a_text] text cannot be \"{'a': 1}\". Give a text."),
        ({"text": "x", "pairs": "5"}, '[not_a_list] pairs cannot be "5". Give a JSON list'),
        ({"text": "x", "pairs": "[5]"}, '[not_an_object] pairs.0 cannot be "5". Give a JSON object'),
        ({"text": "x", "pairs": '[{"n": ""}]'}, "[missing_parameter] The parameter pairs.0.n is empty"),
        ({"text": "x", "code": "12"}, '[not_usable] code cannot be "12": String should match'),
    ],
)
def test_what_cannot_be_used_is_named_and_says_what_can(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        bridge.parse(Order, given)
    assert str(refused.value).startswith(message)


def test_a_key_that_a_parameter_does_not_have_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"\[unknown_field\] thresholds\.god is not known here"):
        bridge.parse(Brief, {"csv_text": "x", "thresholds": '{"god": 1}'})


def test_a_secret_is_not_shown_by_the_error_about_it() -> None:
    with pytest.raises(InvalidInput) as refused:
        bridge.parse(Order, {"text": "x", "key": {"k": SECRET}})
    assert SECRET not in str(refused.value)


def test_an_empty_secret_is_a_matter_of_credentials() -> None:
    with pytest.raises(InvalidCredentials, match=r"\[missing_secret\] .*token"):
        bridge.parse(Locked, {"token": " "})


# boundary


def failing(error: Exception, parameters: dict[str, Any]) -> Exception:
    with pytest.raises(Exception) as caught, bridge.boundary(tool(), parameters):  # noqa: PT011, PT012 - any, on purpose
        try:
            raise ValueError(SECRET)
        except ValueError:
            raise error  # noqa: B904 - the context is what must not leak
    return caught.value


def test_an_error_keeps_its_class_loses_its_causes_and_speaks_the_users_language() -> None:
    error = failing(Refused("address_refused", host="h"), {"text": "你好"})
    assert isinstance(error, Refused)
    assert str(error).startswith("[address_refused] 主机 h")
    assert error.__cause__ is None
    assert error.__suppress_context__


@pytest.mark.parametrize(
    ("parameters", "blanks", "chinese"),
    [
        ({"text": "hello"}, {"name": "x"}, False),
        ({"text": "hello", "language": "zh_Hans"}, {"name": "x"}, True),
        ({"text": "你好", "language": "en_US"}, {"name": "x"}, False),
        ({"file": {"filename": "销售.csv"}}, {"name": "x"}, True),
        ({}, {"name": "销售额"}, True),
        ({"key": "密钥"}, {"name": "x"}, False),
    ],
)
def test_auto_looks_at_texts_file_names_and_what_the_error_quotes(
    parameters: dict[str, Any],
    blanks: dict[str, str],
    chinese: bool,  # noqa: FBT001
) -> None:
    error = failing(InvalidInput("missing_parameter", **blanks), parameters)
    assert ("为空" in str(error)) is chinese


@pytest.mark.parametrize("error", [Refused("robot_other", errcode=1, errmsg=f"bad {SECRET}"), KeyError(SECRET)])
def test_secrets_are_blanked_in_errors_and_in_bugs(error: Exception) -> None:
    told = failing(error, {"text": "x", "key": SECRET})
    assert SECRET not in str(told)
    assert "***" in str(told)


@pytest.mark.parametrize("error", [InvalidInput("no_such_key"), InvalidInput("not_an_option", name="x")])
def test_an_error_that_cannot_be_worded_is_a_bug_and_not_a_call_without_end(error: Exception) -> None:
    assert str(failing(error, {"text": "x"})).startswith("[bug] ")


def test_an_error_is_told_without_its_trace() -> None:
    told = failing(Refused("address_refused", host="h"), {"text": "x"})
    assert "raising a ValueError" not in "".join(traceback.format_exception(told))
    assert len(traceback.extract_tb(told.__traceback__)) <= 3


def test_a_bug_says_where_it_is() -> None:
    told = failing(ZeroDivisionError("division by zero"), {"text": "x"})
    assert isinstance(told, bridge.UnexpectedError)
    assert not isinstance(told, OpskitError)
    assert str(told).startswith("[bug] This is a fault in OpsKit")
    assert "ZeroDivisionError at tests/core/test_bridge.py:" in str(told)


def test_what_succeeds_passes() -> None:
    with bridge.boundary(tool(), {}):
        parsed = bridge.parse(Order, {"text": "x"})
    assert parsed.text == "x"


def test_what_ends_a_generator_passes() -> None:
    def adapter() -> Iterator[int]:
        with bridge.boundary(tool(), {}):
            yield 1

    running = adapter()
    next(running)
    running.close()  # type: ignore[attr-defined]


# reply


def replied(result: Result, *, agent: bool = False) -> list[Any]:
    return list(bridge.reply(tool(agent=agent), result))


def test_a_workflow_gets_text_one_json_message_and_a_variable_for_each_field() -> None:
    """A text goes out as a stream, too: Dify ends the stream of every variable, and an Answer shows nothing else."""
    result = Figures(report="said", rows=["a"], note="n")
    values = {"report": "said", "rows": ["a"], "note": "n", "table": {}, "many": []}
    assert replied(result) == [
        ("text", "said"),
        ("json", values),
        ("stream", ("report", "said")),
        ("variable", ("report", "said")),
        ("variable", ("rows", ["a"])),
        ("stream", ("note", "n")),
        ("variable", ("note", "n")),
        ("variable", ("table", {})),
        ("variable", ("many", [])),
    ]


def test_what_was_streamed_before_is_not_streamed_twice() -> None:
    class Told(Figures):
        streamed = frozenset({"note"})

    messages = replied(Told(report="said", note="n"))
    assert ("variable", ("note", "n")) in messages
    assert ("stream", ("note", "n")) not in messages


def test_what_was_said_aloud_is_not_said_again() -> None:
    messages = list(bridge.reply(tool(), Figures(report="said", note="n"), told="note"))
    assert "text" not in dict(messages)
    assert ("stream", ("note", "n")) not in messages
    assert ("variable", ("note", "n")) in messages
    assert ("stream", ("report", "said")) in messages
    large = list(bridge.reply(tool(), Figures(report="said", rows=["x" * 1000] * 5000), told="note"))
    assert large[0] == ("text", "Too large for a message, so given out as files: rows.json.")
    assert dict(bridge.reply(tool(agent=True), Figures(report="said", note="n"), told="note"))["text"] == "said"


def test_an_agent_gets_text_and_the_figures_only() -> None:
    assert replied(Figures(report="said", rows=["a"]), agent=True) == [
        ("text", "said"),
        ("json", {"rows": ["a"], "note": "", "table": {}, "many": []}),
    ]


@pytest.mark.parametrize(("conversation", "message"), [("c", None), (None, "m"), ("", "m")])
def test_only_a_message_in_a_conversation_is_an_agents(conversation: str | None, message: str | None) -> None:
    asking = tool()
    asking.session = SimpleNamespace(conversation_id=conversation, message_id=message, app_id="app")
    assert ("variable", ("note", "")) in list(bridge.reply(asking, Figures(report="said")))


def test_a_call_of_no_app_comes_from_the_strategy_of_an_agent_node() -> None:
    asking = tool()
    asking.session.app_id = None
    assert [kind for kind, _ in bridge.reply(asking, Figures(report="said"))] == ["text", "json"]


def test_an_agents_json_is_cut_to_what_matters() -> None:
    result = Figures(
        report="said",
        rows=[f"row {i}" for i in range(5000)],
        note="n" * 20_000,
        table={"k": "v" * 9000},
        many=[["x" * 9000]],
    )
    _, (_, figures) = replied(result, agent=True)
    assert len(json.dumps(figures, ensure_ascii=False).encode()) <= 8 * 1024
    assert figures["rows"][0] == "row 0"
    assert set(figures["shortened"]) == {"rows", "note", "table", "many"}
    assert figures["shortened"]["rows"].endswith("/ 5000")


def test_long_texts_are_cut_before_an_agent_loses_an_entry() -> None:
    _, (_, figures) = replied(Figures(report="said", rows=["长" * 3000] * 5), agent=True)
    assert figures["rows"] == ["长" * 500 + "…"] * 5
    assert figures["many"] == []
    assert figures["shortened"] == {"texts": "…"}


class Counted(Result):
    """Numbers beside long texts."""

    number: int
    rows: list[str]


def test_numbers_are_not_cut() -> None:
    result = Counted(report="said", number=7, rows=["x" * 9000])
    _, (_, figures) = replied(result, agent=True)
    assert figures["number"] == 7


def test_a_list_that_no_cut_makes_light_is_left_to_its_file() -> None:
    rows = [str(number) for number in range(900_000)]
    assert ("variable", ("rows", [])) in replied(Figures(report="said", rows=rows))


def test_an_agents_text_stays_below_the_line() -> None:
    (_, text), _ = replied(Figures(report="长" * MAX_LINE), agent=True)
    assert len(text.encode()) <= MAX_LINE


def test_a_field_that_is_too_large_goes_out_as_a_file_and_the_text_says_so() -> None:
    rows = ["x" * 1000] * 5000
    messages = replied(Figures(report="said", rows=rows))
    assert messages[0] == ("text", "said\n\nToo large for a message, so given out as files: rows.json.")
    assert ("variable", ("rows", ["x" * 250 + "…"] * 5000)) in messages
    (name, mime_type, blob) = messages[-1][1]
    assert (name, mime_type, json.loads(blob)) == ("rows.json", "application/json", rows)


def test_a_report_that_is_too_large_goes_out_as_markdown() -> None:
    messages = replied(Figures(report="长" * MAX_LINE))
    assert messages[0] == ("text", "内容过大，改为以文件给出：report.md。")
    assert messages[-1][1][:2] == ("report.md", "text/markdown")


def test_a_result_that_is_too_large_in_all_goes_out_as_one_file_beside_its_variables() -> None:
    messages = replied(Figures(report="said", rows=["r" * (MAX_LINE // 2)], note="n" * (MAX_LINE // 2 + 1)))
    assert messages[1] == ("json", {"files": ["result.json"]})
    assert messages[-1][1][0] == "result.json"
    assert ("variable", ("note", "n" * (MAX_LINE // 2 + 1))) in messages


def test_no_message_is_longer_than_the_line_that_kills_the_plugin() -> None:
    for result in (
        Figures(report="\x01" * MAX_LINE),
        Figures(report="", many=[["\n" * 3_000_000]], note="长" * 1_300_000),
    ):
        for kind, content in replied(result):
            if kind != "blob":
                assert len(json.dumps(content, ensure_ascii=False).encode()) < 5 * 1024 * 1024


def test_attachments_come_first_in_their_order_and_are_made_off_the_loop() -> None:
    loop = threading.get_ident()
    made = [Attachment(f"{name}.md", "text/markdown", lambda: str(threading.get_ident()).encode()) for name in "ab"]
    messages = list(bridge.reply(tool(), Figures(report="said"), made))
    blobs = [content for kind, content in messages if kind == "blob"]
    assert [(name, kind) for name, kind, _ in blobs] == [("a.md", "text/markdown"), ("b.md", "text/markdown")]
    assert [kind for kind, _ in messages[:3]] == ["blob", "blob", "text"]
    assert str(loop).encode() not in {content for *_, content in blobs}
    assert [kind for kind, _ in bridge.reply(tool(agent=True), Figures(report="said"), made)] == ["text", "json"]


# off_loop


def test_heavy_work_leaves_the_loop_free() -> None:
    ticks: list[int] = []

    def tick() -> None:
        for number in range(5):
            gevent.sleep(0.01)
            ticks.append(number)

    def work(seconds: float, *, answer: int) -> int:
        time.sleep(seconds)
        return answer

    ticking = gevent.spawn(tick)
    assert bridge.off_loop(work, 0.3, answer=42) == 42
    assert ticks == [0, 1, 2, 3, 4]
    ticking.kill()


def test_heavy_work_leaves_the_threads_free_that_gevent_itself_needs() -> None:
    """Gevent reads the plugin's input and looks names up in its own ten threads."""
    works = [gevent.spawn(bridge.off_loop, time.sleep, 0.2) for _ in range(12)]
    gevent.sleep(0)
    assert gevent.get_hub().threadpool.apply(lambda: 42) == 42
    assert not any(work.ready() for work in works)
    gevent.joinall(works)


def test_an_error_of_heavy_work_arrives_as_it_is() -> None:
    with pytest.raises(InvalidInput, match="no_source"):
        bridge.off_loop(raising, InvalidInput("no_source", names=""))


def raising(error: Exception) -> int:
    raise error


# telling


def told(work: Callable[[], int], untold: deque[str], *, agent: bool = False) -> tuple[list[Any], int]:
    """The messages, and the outcome."""
    messages = []

    def adapter() -> Generator[Any]:
        result = yield from bridge.telling(tool(agent=agent), untold, work)
        yield result

    *messages, result = adapter()
    return messages, result


def test_lines_are_streamed_while_work_goes_on() -> None:
    untold: deque[str] = deque()
    seen: list[int] = []

    def work() -> int:
        for number in range(3):
            untold.append(f"{number}\n")
            gevent.sleep(0.3)
            seen.append(len(untold))  # fetched meanwhile
        untold.append("last\n")
        return 42

    messages, result = told(work, untold)
    assert result == 42
    assert messages == [("stream", ("progress", line)) for line in ("0\n", "1\n", "2\n", "last\n")]
    assert seen == [0, 0, 0]


def test_an_agent_is_told_nothing() -> None:
    assert told(lambda: 42, deque(["line"]), agent=True) == ([], 42)


def test_what_is_told_aloud_goes_into_the_text_as_well() -> None:
    messages = list(bridge.telling(tool(), deque(["Hel", "lo"]), lambda: 42, variable="answer", aloud=True))
    assert messages == [
        ("text", "Hel"),
        ("stream", ("answer", "Hel")),
        ("text", "lo"),
        ("stream", ("answer", "lo")),
    ]
    assert not list(bridge.telling(tool(agent=True), deque(["Hel"]), lambda: 42, aloud=True))


def test_what_is_too_long_for_a_line_is_told_in_pieces() -> None:
    text = "\x01" * MAX_LINE + "end"
    messages = list(bridge.telling(tool(), deque([text]), lambda: 42, aloud=True))
    assert "".join(content for kind, content in messages if kind == "text") == text
    assert "".join(content[1] for kind, content in messages if kind == "stream") == text
    assert max(len(json.dumps(content)) for _, content in messages) < 5 * 1024 * 1024


def test_an_error_of_work_arrives_after_its_lines() -> None:
    untold = deque(["line"])
    with pytest.raises(InvalidInput, match="no_source"):
        told(lambda: raising(InvalidInput("no_source", names="")), untold)
    assert not untold


def test_work_ends_with_the_call() -> None:
    ended: list[bool] = []

    def work() -> None:
        try:
            gevent.sleep(60)
        finally:
            ended.append(True)

    messages = bridge.telling(tool(), deque(["line"]), work)
    next(messages)
    messages.close()
    assert ended == [True]


# A model of the workspace


class Invoked:
    """A session whose model answers, or fails."""

    def __init__(self, answer: object) -> None:
        self.session = self.model = self.llm = self
        self.answer = answer
        self.asked: dict[str, Any] = {}

    def invoke(self, **asked: Any) -> object:
        self.asked = asked
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def usage(text: object) -> SimpleNamespace:
    counts = SimpleNamespace(prompt_tokens=3, completion_tokens=2, total_price="0.10", currency="USD")
    return SimpleNamespace(message=SimpleNamespace(content=text), usage=counts)


def test_a_model_is_asked_with_two_messages() -> None:
    tool = Invoked(usage("yes"))
    reply = bridge.LanguageModel(tool).ask({"provider": "p", "model": "m"}, "be brief", "is it?")
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("yes", 3, 2)
    assert (reply.price, reply.currency) == (Decimal("0.10"), "USD")
    assert tool.asked["model_config"] == {"provider": "p", "model": "m", "mode": "chat", "completion_params": {}}
    dumped = [message.model_dump() for message in tool.asked["prompt_messages"]]
    assert dumped == [
        {"role": "system", "content": "be brief", "name": None},
        {"role": "user", "content": "is it?", "name": None},
    ]
    assert not tool.asked["stream"]
    assert (
        bridge.LanguageModel(Invoked(usage([{"type": "image"}]))).ask({"provider": "p", "model": "m"}, "", "").text
        == ""
    )


def test_a_model_that_is_not_chosen_or_does_not_answer_says_so() -> None:
    with pytest.raises(InvalidInput, match="no_model"):
        bridge.LanguageModel(Invoked(None)).ask({"provider": "p"}, "", "")
    with pytest.raises(Unavailable, match="model_unavailable") as raised:
        bridge.LanguageModel(Invoked(Exception("rate limit"))).ask({"provider": "p", "model": "m"}, "", "")
    assert "rate limit" in str(raised.value)
    assert raised.value.__cause__ is None


# endpoints


class Caller:
    """What an endpoint looks like from the bridge; storage and app answer as the SDK does."""

    def __init__(self, *events: object) -> None:
        self.kept: dict[str, bytes] = {}
        self.is_broken = False
        self.events = events
        self.is_closed = False
        self.session = SimpleNamespace(
            endpoint_id="endpoint-1",
            storage=SimpleNamespace(get=self.get, set=self.set, delete=self.delete, exist=self.exist),
            app=SimpleNamespace(chat=SimpleNamespace(invoke=self.invoke)),
        )

    def _check(self) -> None:
        if self.is_broken:
            raise Exception("disk full")  # noqa: TRY002 - as the SDK raises

    def get(self, key: str) -> bytes:
        self._check()
        if key not in self.kept:
            raise Exception("load data failed, please check if the key is correct")  # noqa: TRY002
        return self.kept[key]

    def exist(self, key: str) -> bool:
        self._check()
        return key in self.kept

    def set(self, key: str, value: bytes) -> None:
        self._check()
        self.kept[key] = value

    def delete(self, key: str) -> None:
        self._check()
        self.kept.pop(key, None)

    def invoke(self, **asked: Any) -> Generator[Any]:
        assert asked == {"app_id": "app-1", "query": "q", "inputs": {"a": "b"}, "response_mode": "streaming"}
        try:
            for event in self.events:
                if isinstance(event, Exception):
                    raise event
                if isinstance(event, float):
                    gevent.sleep(event)
                else:
                    yield event
        finally:
            self.is_closed = True


def test_storage_keeps_and_a_missing_key_is_no_failure() -> None:
    storage = bridge.Storage(Caller())
    assert storage.get("key") is None
    storage.set("key", b"value")
    assert storage.get("key") == b"value"
    storage.delete("key")
    storage.delete("key")
    assert storage.get("key") is None


def test_storage_that_fails_is_unavailable() -> None:
    caller = Caller()
    storage = bridge.Storage(caller)
    caller.is_broken = True
    asks: list[Callable[[], object]] = [
        lambda: storage.get("key"),
        lambda: storage.set("key", b""),
        lambda: storage.delete("key"),
    ]
    for ask in asks:
        with pytest.raises(Unavailable, match=r"storage_unavailable.*disk full"):
            ask()
    caller.is_broken = False
    caller.session.storage.exist = lambda _: True  # there, and yet it cannot be loaded
    with pytest.raises(Unavailable, match="storage_unavailable"):
        storage.get("key")


def test_an_app_is_started_and_left() -> None:
    caller = Caller({"event": "workflow_started"}, {"event": "workflow_finished"})
    events = bridge.Starter(caller).start("app-1", {"a": "b"}, "q")
    assert next(events) == {"event": "workflow_started"}
    events.close()
    assert caller.is_closed
    assert len(list(bridge.Starter(caller).start("app-1", {"a": "b"}, "q"))) == 2


def test_an_app_that_cannot_start_or_says_nothing_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.starting._START_S", 0.05)
    for event, problem in ((Exception("app not found"), "app not found"), (0.5, "no answer in 0 s")):
        caller = Caller(event)
        with pytest.raises(Unavailable, match=rf"webhook_app_not_started\].*{problem}"):
            list(bridge.Starter(caller).start("app-1", {"a": "b"}, "q"))
        assert caller.is_closed


def asked(body: bytes = b"", **headers: str) -> werkzeug.Request:
    fixed = {"REQUEST_METHOD": "POST", "PATH_INFO": "/x", "QUERY_STRING": "a=1", "wsgi.url_scheme": "http"}
    fixed["CONTENT_TYPE"] = headers.pop("content_type", "application/json")
    given = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    stream = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    return werkzeug.Request({"SERVER_NAME": "x", "SERVER_PORT": "80", **fixed, **given, **stream})


def respond(work: Callable[..., service.Answer], **headers: str) -> tuple[int, Any]:
    settings = {"webhook_secrets": f"one-more-secret,{SECRET}", "api_token": "fake-token-0123456789"}
    response = bridge.answer(Caller(), asked(b"body", **headers), settings, work)
    assert response.content_type == "application/json; charset=utf-8"
    assert response.headers["Content-Length"] == str(len(response.get_data()))
    return response.status_code, json.loads(response.get_data())


def test_an_endpoint_gets_the_request_and_the_settings() -> None:
    def work(call: service.Request, settings: service.Settings) -> service.Answer:
        assert (call.endpoint, call.body, call.query) == ("endpoint-1", b"body", {"a": "1"})
        assert call.headers["x-name"] == "v"
        assert settings.webhook_secrets == ("one-more-secret", SECRET)
        return service.Answer(201, {"answer": "好"})

    assert respond(work, x_name="v") == (201, {"answer": "好"})


def test_an_endpoint_answers_errors_in_the_language_of_the_caller_without_secrets() -> None:
    def work(*_: object) -> service.Answer:
        raise Conflict("not_an_option", name="x", value=SECRET, options="fake-token-0123456789")

    status, told = respond(work, accept_language="zh-CN")
    assert (status, told["error"]["code"]) == (409, "not_an_option")
    assert "***" in told["error"]["message"]
    assert told["error"]["message"].startswith("x 不能")
    assert respond(work)[1]["error"]["message"].startswith("x cannot")


@pytest.mark.parametrize("error", [ValueError(SECRET), KeyError(SECRET), OSError(), InvalidInput("no_such_key")])
def test_a_bug_in_an_endpoint_says_where_and_nothing_else(error: Exception) -> None:
    def work(*_: object) -> service.Answer:
        raise error

    status, told = respond(work)
    assert (status, told["error"]["code"]) == (500, "bug")
    assert SECRET not in told["error"]["message"]
    assert ".py:" in told["error"]["message"]


def test_a_long_answer_goes_out_in_pieces_that_fit_into_a_line() -> None:
    given = service.Answer(200, {"answer": "x" * 3_000_000})
    response = bridge.answer(Caller(), asked(), {}, lambda *_: given)
    assert isinstance(response.response, Generator)  # what the SDK takes for a stream
    pieces = list(response.response)
    assert max(map(len, pieces)) <= 1024 * 1024
    assert json.loads(b"".join(pieces)) == given.payload


def form(*, file: bytes | None = None, **fields: str) -> werkzeug.Request:
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    if file is not None:
        parts.append('name="file"; filename="销售.csv"\r\n\r\n'.encode() + file)
    body = b"".join(b"--fence\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts)
    request = asked(body + b"--fence--\r\n", content_type="multipart/form-data; boundary=fence")
    request.get_data(cache=True)  # as answer does before
    return request


def test_a_form_is_read() -> None:
    assert bridge.posted(form(top_n="3", file=b"a,b")) == ({"top_n": "3"}, b"a,b")
    assert bridge.posted(form(file=b"")) == ({}, b"")
    assert bridge.posted(form(csv_text="x" * 1_000_000)) == ({"csv_text": "x" * 1_000_000}, None)
    for unreadable in (asked(b"{}"), form(file=None)):
        with pytest.raises(InvalidInput, match=r"\[not_a_form\]"):
            bridge.posted(unreadable)
    with pytest.raises(InvalidInput, match="not_a_form"):
        bridge.posted(form(csv_text="x" * 3_000_000))


def test_the_version_is_the_manifests() -> None:
    assert bridge.version().count(".") == 2


# The apps of the workspace


class Session:
    """A session whose apps answer, or fail."""

    def __init__(self, answer: object) -> None:
        self.app_id: str | None = "caller"
        self.session = self.app = self.chat = self.file = self
        self.answer = answer
        self.asked: list[Any] = []

    def invoke(self, **asked: Any) -> Iterator[Any]:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        yield from self.answer  # type: ignore[misc]

    def fetch_app(self, *asked: Any) -> Any:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    upload = fetch_app


REFUSED = 'invoke app failed: request failed with status code: 400 and respond with: {"message": "app not found"}'


def test_who_is_calling_is_known() -> None:
    session = Session(())
    assert (bridge.Workspace(session).app_id, bridge.Workspace(session).by_model) == ("caller", False)
    session.app_id = None
    assert (bridge.Workspace(session).app_id, bridge.Workspace(session).by_model) == ("", True)


def test_an_app_is_run_and_its_events_come_one_by_one() -> None:
    session = Session([{"event": "a"}, {"event": "b"}])
    workspace = bridge.Workspace(session)
    events = workspace.events("app", inputs={"x": 1}, query="hi", conversation_id="")
    assert not session.asked  # a generator: nothing has happened yet
    assert list(events) == [{"event": "a"}, {"event": "b"}]
    list(workspace.events("app", inputs={}, query="", conversation_id="c"))
    first, second = session.asked
    assert first == {
        "app_id": "app",
        "query": "hi",
        "inputs": {"x": 1},
        "response_mode": "streaming",
        "conversation_id": None,
    }
    assert second["conversation_id"] == "c"


def test_what_an_app_asks_for_is_told_with_and_without_an_envelope() -> None:
    answers: list[dict[str, Any]] = [{"data": {"user_input_form": []}}, {"user_input_form": []}]
    for answer in answers:
        assert bridge.Workspace(Session(answer)).parameters("app") == {"user_input_form": []}


def test_a_refusal_of_the_workspace_is_sorted_and_has_no_causes() -> None:
    workspace = bridge.Workspace(Session(Exception(REFUSED)))
    for call in (
        lambda: list(workspace.events("app", inputs={}, query="", conversation_id="")),
        lambda: workspace.parameters("app"),
    ):
        with pytest.raises(Refused, match=r"\[dify_no_such_app\]") as raised:
            call()
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__


def test_a_file_is_given_to_the_workspace() -> None:
    parameter = {"type": "document", "tool_file_id": "f"}
    session = Session(SimpleNamespace(to_app_parameter=lambda: parameter))
    assert bridge.Workspace(session).upload("a.csv", b"x", "text/csv") == parameter
    assert session.asked == [("a.csv", b"x", "text/csv")]
    refusing = bridge.Workspace(Session(ValueError("http://internal/fake-secret")))
    with pytest.raises(Unavailable, match=r"\[file_not_taken\].*a\.csv \(ValueError\)") as raised:
        refusing.upload("a.csv", b"x", "text/csv")
    assert "fake-secret" not in str(raised.value)
