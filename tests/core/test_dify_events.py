"""Server-sent events read from bytes, and what becomes known of a run by them."""

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtools.dify_server import MODES, DifyServer
from devtools.dify_server import App as Served
from opskit.dify import App, Run, Server
from opskit.dify import events as module
from opskit.dify.events import events, lines
from opskit.dify.run import answer_of
from opskit.errors import Unavailable

type Event = dict[str, Any]

USAGE = {"total_tokens": 12, "total_price": "0.0000140", "currency": "USD"}
STARTED: Event = {
    "event": "workflow_started",
    "workflow_run_id": "r",
    "task_id": "t",
    "data": {"id": "r", "inputs": {"sys.app_id": "a"}},
}
MESSAGE_END: Event = {"event": "message_end", "task_id": "t", "conversation_id": "c", "metadata": {"usage": USAGE}}


def chunk(text: str) -> Event:
    return {"event": "text_chunk", "task_id": "t", "data": {"text": text}}


def message(text: str, name: str = "message") -> Event:
    return {"event": name, "task_id": "t", "conversation_id": "c", "answer": text}


def finished(status: str = "succeeded", **data: Any) -> Event:
    told = {"id": "r", "status": status, "outputs": {}, "error": None, "total_tokens": 0, **data}
    return {"event": "workflow_finished", "workflow_run_id": "r", "task_id": "t", "data": told}


def told(*events_: Event) -> Run:
    run = Run()
    for event in events_:
        run.take(event)
    return run


def wire(*parsed: Event) -> bytes:
    return b"event: ping\n\n" + b"".join(
        b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n" for event in parsed
    )


# Bytes


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'data: {"a": 1}\n\n', [{"a": 1}]),
        (b'data:{"a": 1}\n\ndata: {"b": 2}\n\n', [{"a": 1}, {"b": 2}]),
        (b'data: {"a": 1}\r\n\r\ndata: {"b": 2}\r\n\r\n', [{"a": 1}, {"b": 2}]),
        (b'event: ping\n\nid: 7\nretry: 3\n: here\ndata: {"a": 1}\n\n', [{"a": 1}]),
        (b'data: {"a":\ndata:  [1,\n: a remark\ndata: 2]}\n\ndata: {"b": 2}\n\n', [{"a": [1, 2]}, {"b": 2}]),
        (b'data: {"a":\r\ndata: 1}\r\n\r\n', [{"a": 1}]),
        (b'data: {"event": \n\ndata: {"b": 2}\n\n', [{"b": 2}]),
        (b'data: [1]\n\ndata: "x"\n\ndata: null\n\ndata:\n\ndata: {"b": 2}\n\n', [{"b": 2}]),
        (b'data: {"a": 1}\n\ndata: {"b": 2}', [{"a": 1}]),
        (b'data: {"a": 1}\n\ndata: {"b"', [{"a": 1}]),
        (b'data: {"a":\ndata: 1}\n', []),
        (b'data: {"a": "\\ud83d"}\n\n', [{"a": "\ud83d"}]),
        (b'data: {"a": NaN, "b": -Infinity}\n\n', [{"a": None, "b": None}]),
        (b"data: " + b"[" * 100_000 + b'\n\ndata: {"b": 2}\n\n', [{"b": 2}]),
        (b'data: {"a": "\xff"}\n\ndata: {"b": 2}\n\n', [{"b": 2}]),
        (b"<html>\n\n</html>\n", []),
        (b"", []),
    ],
)
def test_events_are_read_however_they_are_written(body: bytes, expected: list[Event]) -> None:
    assert list(events([body])) == expected
    assert list(events(bytes([byte]) for byte in body)) == expected


def test_what_other_readers_take_for_a_line_break_stands_inside_the_text() -> None:
    text = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\rh"
    assert list(events([wire(message(text))])) == [message(text)]
    raw = 'data: {"a": "\u2028\x85"}\n\n'.encode()
    assert list(events([raw])) == [{"a": "\u2028\x85"}]


STREAM = st.lists(
    st.one_of(
        st.dictionaries(st.sampled_from(["event", "answer", "data"]), st.text(max_size=5), max_size=2).map(wire),
        st.sampled_from(
            [b": remark\n", b"event: ping\r\n\r\n", b'data: {"a":\ndata: "\xe2\x80\xa8"}\n\n', b"data: {\n\n"]
        ),
    ),
    max_size=6,
).map(b"".join)


@given(STREAM, st.lists(st.integers(0, 200), max_size=8))
def test_it_does_not_matter_where_a_stream_is_cut_into_chunks(body: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    chunks = [body[start:end] for start, end in pairwise(places)]
    assert list(events(chunks)) == list(events([body]))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_no_bytes_are_too_odd(body: bytes, cut: int) -> None:
    whole = b"data: " + body
    assert list(events([whole[:cut], whole[cut:]])) == list(events([whole]))


def test_an_event_is_given_before_the_next_one_arrives() -> None:
    seen: list[Event] = []

    def arriving() -> Iterator[bytes]:
        yield b'data: {"a": 1}\n'
        assert seen == [{"a": 1}]  # not even its empty line is waited for
        yield b'\ndata: {"b": 2}\n\n'
        assert seen == [{"a": 1}, {"b": 2}]

    for event in events(arriving()):
        seen.append(event)  # noqa: PERF402 - one after the other
    assert len(seen) == 2


def test_the_first_event_of_a_slow_run_arrives_at_once() -> None:
    with DifyServer() as dify, App(Server.at(dify.url), dify.add(Served("a", seconds=20)).key) as app:
        began = time.monotonic()
        request = {"inputs": {}, "user": "u1"}
        with app.stream("workflow", request, began + 30) as arriving:
            assert next(arriving)["event"] == "workflow_started"
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("body", [b"x" * 50, b"data: " + b"x" * 50, b"data: x\n" * 8])
def test_what_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setattr(module, "MAX_EVENT", 40)
    with pytest.raises(Unavailable, match="dify_endless"):
        list(events(body[place : place + 7] for place in range(0, len(body), 7)))


def test_many_short_events_are_no_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_EVENT", 40)
    assert len(list(events([b'data: {"a": 1}\n\n' * 50]))) == 50
    assert not list(events([b"data: {\n\n" * 50]))
    assert list(lines([b"x" * 30 + b"\n", b"y" * 30, b"\nz"])) == [b"x" * 30, b"y" * 30]


# A run


def test_a_workflow_is_known_by_its_events() -> None:
    run = Run()
    assert not run.begun
    said = [run.take(event) for event in (STARTED, chunk("Hel"), {"event": "node_finished", "data": {}}, chunk("lo"))]
    assert said == ["", "Hel", "", "lo"]
    assert (run.begun, run.ended, run.status, run.answer) == (True, False, "running", "Hello")
    assert (run.task_id, run.run_id, run.app_id) == ("t", "r", "a")
    run.take(finished(outputs={"text": "Hello!"}, total_tokens=7))
    assert (run.complete, run.succeeded, run.answer, run.outputs) == (True, True, "Hello!", {"text": "Hello!"})
    assert (run.tokens, run.cost, run.currency) == (7, None, "")


def test_outputs_without_a_text_leave_what_was_streamed() -> None:
    assert told(STARTED, chunk("said"), finished(outputs={"n": 1})).answer == "said"


@pytest.mark.parametrize(
    ("outputs", "answer"),
    [
        ({"x": "one", "n": 2}, "one"),
        ({"x": "one", "text": "two"}, "two"),
        ({"text": "two", "answer": "three"}, "three"),
        ({"x": "one", "y": "two"}, ""),
        ({"n": 1}, ""),
        ({}, ""),
    ],
)
def test_the_answer_of_a_workflow_is_its_text(outputs: dict[str, Any], answer: str) -> None:
    assert answer_of(outputs) == answer


@pytest.mark.parametrize("newest", [True, False])
def test_a_chatflow_is_complete_when_both_its_ends_have_come(newest: bool) -> None:  # noqa: FBT001
    """From 1.13 on the end of the message comes first; before, the end of the run did."""
    ends = [MESSAGE_END, finished(outputs={"answer": "other"}, total_tokens=12)]
    first, last = ends if newest else reversed(ends)
    run = told(STARTED, message("Hel"), message("lo"), first)
    assert not run.complete
    run.take(last)
    assert (run.complete, run.status, run.answer, run.conversation_id) == (True, "succeeded", "Hello", "c")
    assert (run.tokens, run.cost, run.currency) == (12, Decimal("0.0000140"), "USD")


@pytest.mark.parametrize("name", ["message", "agent_message"])
def test_a_chat_ends_with_its_message(name: str) -> None:
    thought = {"event": "agent_thought", "task_id": "t", "thought": "hm"}
    run = told(thought, message("Hel", name), message("lo", name), MESSAGE_END)
    assert (run.complete, run.succeeded, run.answer, run.tokens) == (True, True, "Hello", 12)


@pytest.mark.parametrize(
    "replaced",
    [{"event": "message_replace", "answer": "withheld"}, {"event": "text_replace", "data": {"text": "withheld"}}],
)
def test_an_answer_is_taken_back(replaced: Event) -> None:
    assert told(message("secret"), replaced, MESSAGE_END).answer == "withheld"


@pytest.mark.parametrize("before", [[], [message("half")]])
def test_a_failed_chatflow_has_no_end_of_its_message_and_is_complete(before: list[Event]) -> None:
    run = told(STARTED, *before, finished("failed", error="the model is away"))
    assert (run.complete, run.succeeded, run.status) == (True, False, "failed")
    assert str(run.error).startswith("[dify_run_failed] The run failed: the model is away.")


def test_a_failure_without_a_reason_has_no_gap_in_its_sentence() -> None:
    assert "failed: -." in str(told(finished("failed")).error)


@pytest.mark.parametrize(("status", "known"), [("stopped", "stopped"), ("partial-succeeded", "partial_succeeded")])
def test_how_a_workflow_ended_is_known(status: str, known: str) -> None:
    run = told(STARTED, finished(status, error="Stopped by user."))
    assert (run.status, run.complete, run.error, run.tokens) == (known, True, None, 0)


def test_a_status_of_the_future_is_no_end() -> None:
    assert not told(STARTED, finished("dreaming")).ended


def test_a_paused_run_has_ended_for_us() -> None:
    paused = {"event": "workflow_paused", "data": {"workflow_run_id": "r", "status": "paused", "total_tokens": 3}}
    run = told(STARTED, {"event": "human_input_required", "data": {}}, paused)
    assert (run.status, run.ended, run.complete, run.succeeded, run.tokens) == ("paused", True, True, False, 3)


@pytest.mark.parametrize(
    ("code", "key"), [("completion_request_error", "dify_model_failed"), ("from_the_future", "dify_down")]
)
def test_an_error_event_is_a_failure(code: str, key: str) -> None:
    status = 400 if code.startswith("c") else 500
    run = told(message("half"), {"event": "error", "code": code, "status": status, "message": "no"})
    assert (run.status, run.answer, run.error and run.error.key) == ("failed", "half", key)
    assert run.complete


def test_pings_and_errors_are_no_beginning() -> None:
    assert not told({"event": "ping"}, {"no": "event"}).begun
    assert told({"event": "from_the_future"}).begun


def test_an_end_that_was_asked_for_is_taken_over() -> None:
    run = told(STARTED, chunk("Hel"))
    known = Run(run_id="r")
    known.finish({"status": "succeeded", "outputs": {"text": "Hello"}, "total_tokens": 5})
    run.end_as(known)
    assert (run.status, run.answer, run.tokens, run.outputs, run.error) == (
        "succeeded",
        "Hello",
        5,
        {"text": "Hello"},
        None,
    )
    failed = Run()
    failed.finish({"status": "failed", "error": "no"})
    run = told(STARTED, chunk("Hel"))
    run.end_as(failed)
    assert (run.status, run.answer, run.error and run.error.key) == ("failed", "Hel", "dify_run_failed")


@pytest.mark.parametrize("price", [None, "", "free", "NaN", "Infinity", [], {"x": 1}])
def test_a_price_that_is_none_is_not_told(price: object) -> None:
    run = told(message("x"), {**MESSAGE_END, "metadata": {"usage": {"total_price": price, "total_tokens": "many"}}})
    assert (run.cost, run.currency, run.tokens, run.status) == (None, "", None, "succeeded")


NAMES = ["workflow_started", "workflow_finished", "workflow_paused", "text_chunk", "text_replace", "node_finished"]
NAMES += ["message", "agent_message", "message_end", "message_replace", "error", "ping", ""]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
PARTS = st.sampled_from(["inputs", "outputs", "status", "error", "total_tokens", "text", "id", "usage", "total_price"])
DATA = ANYTHING | st.dictionaries(PARTS, ANYTHING | st.dictionaries(PARTS, ANYTHING, max_size=2), max_size=4)
FIELDS = st.sampled_from(["data", "answer", "task_id", "conversation_id", "metadata", "status", "code", "message"])


@given(
    st.lists(
        st.builds(
            lambda name, rest: {**rest, "event": name}, st.sampled_from(NAMES) | ANYTHING, st.dictionaries(FIELDS, DATA)
        )
    )
)
def test_no_event_of_any_server_is_a_mistake_of_ours(odd: list[Event]) -> None:
    run = told(*odd)
    assert isinstance(run.answer, str)
    assert run.cost is None or run.cost.is_finite()


@pytest.mark.parametrize("fault", [None, "crlf", "split_utf8", "odd_sse", "garbage_event", "extra_events", "no_pings"])
@pytest.mark.parametrize("mode", MODES)
def test_odd_ways_of_writing_change_nothing(mode: str, fault: str | None) -> None:
    with DifyServer() as dify:
        served = dify.add(Served("a", mode, answer="日\u2028報\x85好 ✓", fault=fault))
        run = Run()
        with App(Server.at(dify.url), served.key) as app:
            request = {"inputs": {}, "user": "u1", "query": "hi"}
            with app.stream(mode, request, time.monotonic() + 10) as arriving:
                said = "".join(map(run.take, arriving))
    assert (said, run.answer, run.complete) == ("日\u2028報\x85好 ✓", "日\u2028報\x85好 ✓", True)
