"""One question to one app, and everything that can become of it. The table says fault by fault what the user gets."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import bridge
from devtools.dify_server import BEFORE_A_RUN, FAULTS, MODES, DifyServer, Pace
from devtools.dify_server import App as Served
from devtools.workspace import Workspace
from opskit import http
from opskit.dify import App, Attempt, LocalFile, Outcome, Patience, Question, Run, Server
from opskit.dify import attempt as module
from opskit.dify import events as stream_events
from opskit.dify import service as client
from opskit.dify.targets import IdTarget, KeyTarget
from opskit.errors import InvalidInput, RateLimited, Refused, Unavailable

PACE = Pace(ping_s=0.2, silence_s=30, drip_s=0.001)
GRAPHS = ("workflow", "advanced-chat")
QUESTION = Question("hi", {"x": "y"})


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same times, much shorter."""
    monkeypatch.setattr(client, "IDLE_S", 0.6)
    monkeypatch.setattr(stream_events, "MAX_EVENT", 200_000)
    monkeypatch.setattr(client, "MAX_EVENT", 200_000)
    monkeypatch.setattr(module, "_POLL_S", 0.05)
    monkeypatch.setattr(module, "_BACKOFF_S", 0.02)


@pytest.fixture
def dify() -> Iterator[DifyServer]:
    with DifyServer(pace=PACE) as server:
        yield server


def target(dify: DifyServer, served: Served) -> KeyTarget:
    return KeyTarget("a", partial(App, Server.at(dify.url), served.key), group=dify.root, identity=served.key)


def attempt(to: Any, question: Question = QUESTION, **given: Any) -> Attempt:
    within, timeout_s = given.pop("within", 20.0), given.pop("timeout_s", 15.0)
    patience = Patience(time.monotonic() + within, timeout_s, given.pop("retries", 0), given.pop("idempotent", False))
    return Attempt(to, question, patience, **given)


def ask(dify: DifyServer, served: Served, question: Question = QUESTION, **given: Any) -> Outcome:
    return attempt(target(dify, served), question, **given).alone()


def key(outcome: Outcome) -> str:
    return outcome.error.key if outcome.error else ""


def run_requests(dify: DifyServer) -> int:
    return sum(request.path.endswith(("/workflows/run", "-messages")) for request in dify.requests)


def until(condition: Callable[[], object], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return bool(condition())


def threads_of_attempts() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith(("opskit-http", "opskit-deadline"))]


# Fault by fault, what the user gets: how it ends, and why there is no answer.

ANSWERED, FAILED, TIMEOUT = "answered", "failed", "timeout"
ANY = "in any mode"

TABLE: dict[str, dict[str, tuple[str, str]]] = {
    "500": {ANY: (FAILED, "dify_down")},
    "502": {ANY: (FAILED, "dify_down")},
    "504": {ANY: (FAILED, "dify_down")},
    "app_gone_403": {ANY: (FAILED, "dify_forbidden")},
    "echo_key": {ANY: (FAILED, "dify_input")},
    "endless": {ANY: (FAILED, "dify_endless")},
    "hang": {ANY: (FAILED, "stream_silent")},
    "html_200": {ANY: (FAILED, "not_dify")},
    "html_404": {ANY: (FAILED, "dify_wrong_address")},
    "json_200_error": {ANY: (FAILED, "dify_input")},
    "key_gone_401": {ANY: (FAILED, "dify_key")},
    "model_currently_not_support": {ANY: (FAILED, "dify_model_setup")},
    "provider_error_400": {ANY: (FAILED, "dify_model_failed")},
    "provider_not_initialize": {ANY: (FAILED, "dify_model_setup")},
    "provider_quota_exceeded": {ANY: (FAILED, "dify_model_setup")},
    "quota_429": {ANY: (FAILED, "dify_quota")},
    "rate_limit_400": {ANY: (FAILED, "dify_busy")},
    "rate_limit_429": {ANY: (FAILED, "dify_busy")},
    "redirect": {ANY: (FAILED, "dify_redirect")},
    "reset_before": {ANY: (FAILED, "stream_silent")},
    "silent": {ANY: (FAILED, "stream_silent")},
    "slow_headers": {ANY: (ANSWERED, "")},
    # Within a run. Of a workflow or chatflow the server can be asked what became of it.
    "close_delimited": {ANY: (ANSWERED, "")},
    "crlf": {ANY: (ANSWERED, "")},
    "cut": {ANY: (FAILED, "stream_cut"), **dict.fromkeys(GRAPHS, (ANSWERED, ""))},
    "cut_at_end": {ANY: (FAILED, "stream_cut"), **dict.fromkeys(GRAPHS, (ANSWERED, ""))},
    "cut_fin": {ANY: (FAILED, "stream_cut"), **dict.fromkeys(GRAPHS, (ANSWERED, ""))},
    "cut_running": {ANY: (FAILED, "stream_cut"), **dict.fromkeys(GRAPHS, (TIMEOUT, "run_too_slow"))},
    "echo_key_answer": {ANY: (ANSWERED, "")},
    "echo_key_event": {ANY: (FAILED, "dify_model_failed"), **dict.fromkeys(GRAPHS, (FAILED, "dify_run_failed"))},
    "error_event": {ANY: (FAILED, "dify_model_failed")},
    "extra_events": {ANY: (ANSWERED, "")},
    "failed_run": {ANY: (FAILED, "dify_model_failed"), **dict.fromkeys(GRAPHS, (FAILED, "dify_run_failed"))},
    "failed_then_error": {ANY: (FAILED, "dify_model_failed"), **dict.fromkeys(GRAPHS, (FAILED, "dify_run_failed"))},
    "garbage_event": {ANY: (ANSWERED, "")},
    "no_pings": {ANY: (ANSWERED, "")},
    "odd_sse": {ANY: (ANSWERED, "")},
    "paused": {ANY: (ANSWERED, ""), **dict.fromkeys(GRAPHS, (FAILED, "run_paused"))},  # the others cannot pause
    "replaced": {ANY: (ANSWERED, "")},
    "reset": {ANY: (FAILED, "stream_cut"), **dict.fromkeys(GRAPHS, (ANSWERED, ""))},
    "split_utf8": {ANY: (ANSWERED, "")},
}
HALF = {"cut", "cut_fin", "cut_running", "reset", "error_event"}


def test_the_table_holds_every_fault() -> None:
    assert TABLE.keys() == set(FAULTS)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_user_gets(dify: DifyServer, fault: str, mode: str) -> None:
    answer = "A good answer: 40 characters and no less."
    served = dify.add(Served("a", mode, answer=answer, fault=fault))
    said: list[str] = []
    timeout_s = 1.2 if fault == "cut_running" else 15
    outcome = ask(dify, served, told=said.append, timeout_s=timeout_s)
    ending, why = TABLE[fault].get(mode, TABLE[fault][ANY])
    assert (outcome.ending, key(outcome)) == (ending, why)
    assert len(dify.runs) == run_requests(dify) - (fault in BEFORE_A_RUN and fault != "slow_headers")
    assert run_requests(dify) == 1  # never a second one without being told that it does no harm
    if ending == ANSWERED and fault != "paused":
        special = {"replaced": "This answer was withheld.", "echo_key_answer": f"{answer} [Bearer {served.key}]"}
        expected = (
            answer if mode == "workflow" else special.get(fault, answer)
        )  # a workflow's text is among its outputs
        assert outcome.run.answer == expected
        assert outcome.elapsed_s > 0
    elif fault in HALF:
        assert outcome.run.answer == answer[: len(answer) // 2] == "".join(said)
    if ending == TIMEOUT:
        assert dify.until(lambda: dify.stopped == [("a", outcome.run.task_id)])
    else:
        assert not dify.stopped
    assert outcome.error is None or served.key not in str(outcome.error) or fault.startswith("echo_key")


@pytest.mark.parametrize("fault", BEFORE_A_RUN)
@pytest.mark.parametrize("place", ["info", "parameters"])
def test_what_goes_wrong_before_the_run_is_told_the_same_way(dify: DifyServer, fault: str, place: str) -> None:
    outcome = ask(dify, dify.add(Served("a", faults_at={place: fault})), timeout_s=0.7)
    ending, why = TABLE[fault][ANY]
    if fault in {"hang", "silent", "reset_before"}:  # before a run no stream can be silent
        ending, why = (FAILED, "no_answer")
    assert (outcome.ending, key(outcome), len(dify.runs)) == (ending, why, ending == ANSWERED)
    assert (outcome.elapsed_s == 0) is (ending != ANSWERED)


# Trying again


@pytest.mark.parametrize(
    ("fault", "retries", "idempotent", "ending", "requests", "runs"),
    [
        ("rate_limit_400", 1, False, ANSWERED, 2, 1),
        ("rate_limit_429", 0, False, FAILED, 1, 0),
        ("502", 2, False, FAILED, 1, 0),
        ("502", 2, True, ANSWERED, 2, 1),
        ("hang", 2, False, FAILED, 1, 0),
        ("hang", 2, True, ANSWERED, 2, 1),
        ("reset_before", 1, True, ANSWERED, 2, 1),
        ("cut", 2, False, FAILED, 1, 1),
        ("cut", 2, True, ANSWERED, 2, 2),
        ("failed_run", 2, False, FAILED, 1, 1),
        ("failed_run", 2, True, ANSWERED, 2, 2),
        ("key_gone_401", 2, True, FAILED, 1, 0),
        ("quota_429", 2, True, FAILED, 1, 0),
    ],
)
def test_only_what_never_began_or_does_no_harm_is_tried_again(  # noqa: PLR0917 - a table
    dify: DifyServer,
    fault: str,
    retries: int,
    idempotent: bool,  # noqa: FBT001
    ending: str,
    requests: int,
    runs: int,
) -> None:
    served = dify.add(Served("a", "chat", fault=[fault]))
    outcome = ask(dify, served, retries=retries, idempotent=idempotent)
    assert (outcome.ending, run_requests(dify), len(dify.runs)) == (ending, requests, runs)
    if ending == ANSWERED:
        assert outcome.run.answer == served.answer  # and nothing of the first time


def test_retries_come_to_an_end(dify: DifyServer) -> None:
    outcome = ask(dify, dify.add(Served("a", fault="rate_limit_400")), retries=3)
    assert (outcome.ending, key(outcome), run_requests(dify)) == (FAILED, "dify_busy", 4)


@pytest.mark.parametrize("fault", ["502", "reset_before", "html_200"])
def test_finding_out_about_an_app_does_no_harm_and_is_tried_again(dify: DifyServer, fault: str) -> None:
    served = dify.add(Served("a", faults_at={"info": [fault], "parameters": [fault]}))
    outcome = ask(dify, served, retries=2)
    assert (outcome.ending, [request.path for request in dify.requests]) == (
        ANSWERED,
        ["/v1/info", "/v1/info", "/v1/parameters", "/v1/info", "/v1/parameters", "/v1/workflows/run"],
    )


def test_what_another_try_cannot_mend_is_not_tried_again(dify: DifyServer) -> None:
    outcome = ask(dify, dify.add(Served("a", published=False)), retries=3)
    assert (key(outcome), len(dify.requests)) == ("dify_app_unavailable", 2)


def test_a_server_that_is_gone_before_the_run_is_told_as_one_that_was_not_reached() -> None:
    changes: list[bool] = []
    with DifyServer(pace=PACE) as dify:
        going = attempt(target(dify, dify.add(Served("a"))), retries=1, changed=lambda: changes.append(True))
        going.start()
        assert until(lambda: going.prepared)
    going.go.set()
    assert going.finished.wait(10)
    outcome = going.concluded()
    assert (outcome.ending, key(outcome), run_requests(dify)) == (FAILED, "not_reached", 0)


class Scripted:
    """A target that does what it is told."""

    name = identity = "scripted"
    group = "none"
    stoppable = True

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)
        self.asked = 0

    def prepare(self, question: Question, ends: http.Deadline) -> None:
        """Nothing to find out."""

    @contextlib.contextmanager
    def events(self, ends: http.Deadline) -> Iterator[Iterator[Mapping[str, Any]]]:  # noqa: ARG002
        step = self.steps[self.asked]
        self.asked += 1
        if isinstance(step, Exception):
            raise step
        yield iter(step)

    def knows(self, run: Run) -> bool:  # noqa: ARG002
        return False

    def status(self, run: Run, ends: float) -> Run:  # noqa: ARG002
        return run

    def stop(self, run: Run, ends: float) -> None:
        """It stops by itself."""

    def close(self) -> None:
        """Nothing to close."""


DONE: list[dict[str, Any]] = [{"event": "message", "task_id": "t", "answer": "done"}, {"event": "message_end"}]


def busy(**blanks: Any) -> RateLimited:
    return RateLimited("dify_busy", code="c", message="m", **blanks)


def test_it_waits_as_long_as_the_server_asks_for() -> None:
    began = time.monotonic()
    outcome = attempt(Scripted(busy(seconds=1), DONE), retries=1).alone()
    assert (outcome.ending, outcome.run.answer) == (ANSWERED, "done")
    assert time.monotonic() - began >= 1


def test_it_does_not_wait_for_what_comes_too_late() -> None:
    began = time.monotonic()
    outcome = attempt(Scripted(busy(seconds=60), DONE), retries=1).alone()
    assert (outcome.ending, key(outcome)) == (FAILED, "dify_busy")
    assert time.monotonic() - began < 10


def test_a_run_that_was_refused_after_it_had_begun_is_not_tried_again() -> None:
    limit = {"event": "error", "code": "too_many_requests", "status": 429, "message": "slow down"}
    scripted = Scripted([DONE[0], limit], DONE)
    outcome = attempt(scripted, retries=1).alone()
    assert (outcome.ending, key(outcome), scripted.asked) == (FAILED, "dify_busy", 1)


def test_a_pause_ends_with_the_attempt() -> None:
    scripted = Scripted(busy(seconds=10), DONE)
    going = attempt(scripted, retries=1)
    going.go.set()
    going.start()
    assert until(lambda: scripted.asked)
    going.end("stopped")
    assert until(lambda: not [one for one in threading.enumerate() if one.name == "opskit-none"])
    assert scripted.asked == 1


# A stream without an end


def test_a_silent_run_is_asked_for_until_it_has_ended(dify: DifyServer) -> None:
    served = dify.add(Served("a", seconds=1.5, pieces=1, fault="no_pings"))
    outcome = ask(dify, served)
    assert (outcome.ending, outcome.run.answer, outcome.run.tokens) == (ANSWERED, served.answer, 12)
    assert sum("/workflows/run/" in request.path for request in dify.requests) > 1


@pytest.mark.parametrize("pieces", [0, 4])
@pytest.mark.parametrize("mode", GRAPHS)
def test_what_the_stream_left_out_is_told_when_it_is_known(dify: DifyServer, mode: str, pieces: int) -> None:
    said: list[str] = []
    served = dify.add(Served("a", mode, fault="cut", seconds=0.3, pieces=pieces))
    assert ask(dify, served, told=said.append).ending == ANSWERED
    assert "".join(said) == served.answer


def test_what_was_said_otherwise_is_not_told_again(dify: DifyServer) -> None:
    said: list[str] = []
    served = dify.add(Served("a", fault="cut", answer="one two ", outputs={"text": "another"}))
    assert ask(dify, served, told=said.append).run.answer == "another"
    assert "".join(said) == "one "


def test_a_server_that_stumbles_over_the_status_is_asked_again(dify: DifyServer) -> None:
    outcome = ask(dify, dify.add(Served("a", fault="cut", faults_at={"status": ["500", "reset_before", "502"]})))
    assert outcome.ending == ANSWERED


def test_a_server_that_refuses_to_tell_the_status_is_not(dify: DifyServer) -> None:
    outcome = ask(dify, dify.add(Served("a", fault="cut", faults_at={"status": "key_gone_401"})))
    assert (outcome.ending, key(outcome)) == (FAILED, "stream_cut")
    assert "Look at the app's logs before you send it again" in str(outcome.error)


def test_a_failure_that_the_status_tells_is_a_failure(dify: DifyServer) -> None:
    outcome = ask(dify, dify.add(Served("a", fault="cut_at_end", status="failed")))
    assert (outcome.ending, key(outcome)) == (FAILED, "dify_run_failed")
    assert "the model is not to be reached" in str(outcome.error)


def test_a_run_that_somebody_else_stops_is_stopped(dify: DifyServer) -> None:
    served = dify.add(Served("a", seconds=20))
    going = attempt(target(dify, served))
    going.go.set()
    going.start()
    assert until(lambda: going.run.task_id)
    with App(Server.at(dify.url), served.key) as app:
        app.stop("workflow", going.run.task_id, user="u9", ends=time.monotonic() + 5)
    assert going.finished.wait(5)
    assert (going.concluded().ending, key(going.concluded())) == ("stopped", "run_stopped")


# Its time


@pytest.mark.parametrize("stops", [True, False])
def test_a_run_that_is_too_slow_is_stopped_or_left(dify: DifyServer, stops: bool) -> None:  # noqa: FBT001
    served = dify.add(Served("a", seconds=20, pieces=100))
    began = time.monotonic()
    outcome = ask(dify, served, timeout_s=0.8, stops=stops)
    assert time.monotonic() - began < 5
    assert (outcome.ending, key(outcome), outcome.run.status) == (TIMEOUT, "run_too_slow", "running")
    assert outcome.run.answer
    assert dify.until(lambda: dify.runs[0].stopped if stops else dify.runs[0].disconnected)
    assert bool(dify.stopped) is stops


@pytest.mark.parametrize(
    ("faults_at", "why"),
    [({"info": "hang"}, "app_silent"), ({"parameters": "hang"}, "app_silent"), ({}, "run_too_slow")],
)
def test_the_whole_has_an_end_whatever_hangs(dify: DifyServer, faults_at: dict[str, Any], why: str) -> None:
    served = dify.add(Served("a", fault="hang", faults_at=faults_at))
    began = time.monotonic()
    outcome = ask(dify, served, within=0.4)
    assert time.monotonic() - began < 1.5
    assert (outcome.ending, key(outcome)) == (TIMEOUT, why)


def test_the_time_of_a_run_begins_with_it(dify: DifyServer) -> None:
    served = dify.add(Served("a", seconds=0.6, pieces=1))
    going = attempt(target(dify, served), timeout_s=1.5)
    going.start()
    assert until(lambda: going.prepared)
    time.sleep(1)  # the others are not prepared yet
    going.go.set()
    assert going.finished.wait(5)
    assert going.concluded().ending == ANSWERED
    assert going.concluded().elapsed_s >= 1.6  # from its first request


# From outside


def test_a_chat_that_is_no_longer_needed_is_stopped_as_soon_as_it_says_what_it_is(dify: DifyServer) -> None:
    served = dify.add(Served("a", "chat", seconds=2, pieces=2))
    going = attempt(target(dify, served))
    going.go.set()
    going.start()
    assert until(lambda: run_requests(dify))
    assert going.end("stopped", Refused("not_needed")) is None
    assert dify.until(lambda: bool(dify.runs and dify.runs[0].stopped), 5)
    assert until(lambda: not threads_of_attempts())


@pytest.mark.parametrize("fault", [None, "hang", "silent"])
def test_it_is_ended_from_outside_at_once_and_leaves_nothing_behind(
    dify: DifyServer, monkeypatch: pytest.MonkeyPatch, fault: str | None
) -> None:
    monkeypatch.setattr(client, "IDLE_S", 1)  # one that has said nothing yet is waited for: it may be stopped then
    served = dify.add(Served("a", seconds=20, pieces=100, fault=fault))
    going = attempt(target(dify, served))
    going.go.set()
    going.start()
    assert until(lambda: going.run.task_id if fault is None else run_requests(dify))
    began = time.monotonic()
    stopping = going.end("stopped", Unavailable("run_too_slow"))
    assert going.finished.is_set()
    assert time.monotonic() - began < 1.5
    assert until(lambda: not threads_of_attempts())
    assert (stopping is not None) is (fault is None)
    if stopping:
        stopping.join(5)
        assert dify.stopped == [("a", going.run.task_id)]
    assert going.end("timeout") is None  # it has ended
    assert (going.concluded().ending, key(going.concluded())) == ("stopped", "run_too_slow")


def test_the_one_who_is_first_writes_the_outcome(dify: DifyServer) -> None:
    going = attempt(target(dify, dify.add(Served("a"))))
    assert going.alone().ending == ANSWERED
    assert not going.conclude("failed")
    assert going.end("stopped") is None
    assert going.concluded().ending == ANSWERED


def test_what_was_ended_before_it_began_asks_nobody(dify: DifyServer) -> None:
    going = attempt(target(dify, dify.add(Served("a"))))
    going.end("skipped")
    going.start()
    assert until(lambda: going.prepared)
    waiting = attempt(target(dify, dify.add(Served("b"))))
    waiting.start()
    assert until(lambda: waiting.prepared)
    waiting.end("skipped")
    assert until(lambda: not threads_of_attempts())
    assert {request.path for request in dify.requests} == {"/v1/info", "/v1/parameters"}
    assert [going.concluded().elapsed_s, waiting.concluded().elapsed_s] == [0, 0]


def test_a_stop_that_fails_is_no_matter(dify: DifyServer) -> None:
    served = dify.add(Served("a", seconds=20, faults_at={"stop": "500"}))
    outcome = ask(dify, served, timeout_s=0.8)
    assert outcome.ending == TIMEOUT
    assert dify.until(lambda: any(request.path.endswith("/stop") for request in dify.requests))


def test_runs_share_a_slot(dify: DifyServer) -> None:
    slot = threading.BoundedSemaphore(1)
    served = [dify.add(Served(name, seconds=0.2)) for name in "abc"]
    attempts = [attempt(target(dify, one), slot=slot) for one in served]
    for one in attempts:
        one.go.set()
        one.start()
    assert all(one.finished.wait(10) for one in attempts)
    assert (dify.most_at_once, len(dify.runs)) == (1, 3)


def test_every_step_is_told(dify: DifyServer) -> None:
    changes: list[tuple[bool, bool, bool]] = []
    going = attempt(target(dify, dify.add(Served("a"))))
    going = replace(going, changed=lambda: changes.append((going.prepared, going.began, going.outcome is not None)))
    going.alone()
    assert changes == [(True, False, False), (True, True, False), (True, True, True)]


# Itself


@pytest.mark.parametrize("mode", GRAPHS)
def test_an_app_that_is_the_caller_is_stopped_as_soon_as_it_shows(dify: DifyServer, mode: str) -> None:
    served = dify.add(Served("a", mode, seconds=20))
    outcome = ask(dify, served, caller=served.id, stops=False)
    assert (outcome.ending, key(outcome)) == (FAILED, "calls_itself")
    assert dify.stopped == [("a", outcome.run.task_id)]
    assert ask(dify, dify.add(Served("b", mode)), caller=served.id).ending == ANSWERED


# Mistakes of ours


@pytest.mark.parametrize("place", ["told", "changed", "events"])
def test_a_mistake_in_the_thread_reaches_whoever_waits(place: str) -> None:
    def wrong(*_: Any) -> None:
        if threading.current_thread() is not threading.main_thread() and not raised:
            raised.append(1)
            raise ZeroDivisionError

    raised: list[int] = []
    scripted = Scripted(ZeroDivisionError() if place == "events" else DONE)
    going = attempt(scripted)
    if place != "events":
        setattr(going, place, wrong)
    with pytest.raises(ZeroDivisionError):
        going.alone()


# What is asked


def sent(dify: DifyServer) -> dict[str, Any]:
    body: dict[str, Any] = dify.requests[-1].body
    return body


@pytest.mark.parametrize("mode", MODES)
def test_each_kind_of_app_is_asked_what_it_takes(dify: DifyServer, mode: str) -> None:
    form: list[Any] = [
        {"paragraph": {"variable": "x", "required": True}},
        {"paragraph": {"variable": "y", "required": True}},
    ]
    question = Question("hi", {"x": {"a": 1}}, user="u7", spare="hi")
    assert ask(dify, dify.add(Served("a", mode, form=form)), question).ending == ANSWERED
    expected: dict[str, Any] = {"inputs": {"x": '{"a": 1}', "y": "hi"}, "user": "u7", "response_mode": "streaming"}
    if mode != "workflow":
        expected["query"] = "hi"
    if "chat" in mode:
        expected |= {"conversation_id": "", "auto_generate_name": False}
    assert sent(dify) == expected


def test_a_conversation_goes_on(dify: DifyServer) -> None:
    served = dify.add(Served("a", "chat"))
    first = ask(dify, served).run.conversation_id
    assert ask(dify, served, replace(QUESTION, conversation_id=first)).run.conversation_id == first


@pytest.mark.parametrize("mode", ["advanced-chat", "chat"])
def test_a_conversation_that_is_not_there_is_told_before_it_is_asked(dify: DifyServer, mode: str) -> None:
    served = dify.add(Served("a", mode))
    first = ask(dify, served).run.conversation_id
    for question in (
        replace(QUESTION, conversation_id=first, user="somebody else"),
        replace(QUESTION, conversation_id="00000000-0000-4000-8000-000000000000"),
    ):
        outcome = ask(dify, served, question)
        assert (outcome.ending, key(outcome)) == (FAILED, "dify_not_found")
    assert len(dify.runs) == 1
    outcome = ask(dify, served, replace(QUESTION, conversation_id="7"))
    assert str(outcome.error).endswith("so it was not called: conversation_id must be a valid UUID. Correct inputs.")


def test_a_conversation_that_cannot_be_looked_up_is_tried(dify: DifyServer) -> None:
    served = dify.add(Served("a", "advanced-chat", faults_at={"messages": "500"}))
    first = ask(dify, served).run.conversation_id
    assert ask(dify, served, replace(QUESTION, conversation_id=first)).ending == ANSWERED


def test_what_the_app_would_refuse_is_not_sent(dify: DifyServer) -> None:
    form: list[Any] = [{"number": {"variable": "n", "required": True}}, {"select": {"variable": "x", "options": ["a"]}}]
    outcome = ask(dify, dify.add(Served("a", "chat", form=form)), Question("", {"x": "b"}))
    assert isinstance(outcome.error, InvalidInput)
    assert str(outcome.error) == (
        "[inputs_refused] a would refuse these inputs, so it was not called: n is required in input form; "
        "x in input form must be one of the following: ['a']; query is required by a chat app. Correct inputs."
    )
    assert run_requests(dify) == 0


@pytest.fixture
def tables(tmp_path: Path) -> list[LocalFile]:
    (tmp_path / "0").write_bytes(b"a,b\n")
    return [LocalFile(tmp_path / "0", "a.csv", "text/csv", "custom"), LocalFile(tmp_path / "0", "b.log", "text/plain")]


@pytest.mark.parametrize("mode", ["advanced-chat", "chat", "agent-chat", "completion"])
def test_files_go_beside_the_inputs_of_all_but_workflows(dify: DifyServer, mode: str, tables: list[LocalFile]) -> None:
    outcome = ask(dify, dify.add(Served("a", mode)), replace(QUESTION, files=tables[:1]))
    assert outcome.ending == ANSWERED
    (upload,) = dify.uploads
    assert (upload.name, upload.user, upload.kind) == ("a.csv", "opskit", "document")
    expected = {"type": "document", "transfer_method": "local_file", "upload_file_id": upload.id}
    assert sent(dify)["files"] == [expected]


@pytest.mark.parametrize("mode", GRAPHS)
def test_files_go_into_the_input_that_takes_them(dify: DifyServer, mode: str, tables: list[LocalFile]) -> None:
    one = dify.add(Served("one", mode, form=[{"file": {"variable": "doc", "required": True}}]))
    assert ask(dify, one, replace(QUESTION, files=tables[:1], file_input="doc")).ending == ANSWERED
    assert sent(dify)["inputs"]["doc"]["upload_file_id"] == dify.uploads[0].id
    many = dify.add(Served("many", mode, form=[{"file-list": {"variable": "docs", "max_length": 2}}]))
    assert ask(dify, many, replace(QUESTION, files=tables[:1], file_input="docs")).ending == ANSWERED
    assert [file["type"] for file in sent(dify)["inputs"]["docs"]] == ["document"]
    assert "files" not in sent(dify)
    shut = dify.add(Served("shut", mode, form=[{"file": {"variable": "doc"}}], takes_files=False))
    assert ask(dify, shut, replace(QUESTION, files=tables[:1])).ending == ANSWERED
    assert sent(dify)["inputs"]["doc"]["upload_file_id"] == dify.uploads[-1].id


def test_more_files_than_a_chat_app_takes_are_not_sent(dify: DifyServer, tables: list[LocalFile]) -> None:
    outcome = ask(dify, dify.add(Served("a", "advanced-chat")), replace(QUESTION, files=tables * 2))
    assert "files in input form must be less than 3 files" in str(outcome.error)
    assert not dify.uploads


@pytest.mark.parametrize("mode", ["advanced-chat", "chat", "agent-chat", "completion"])
def test_no_file_is_dropped_without_a_word(dify: DifyServer, mode: str, tables: list[LocalFile]) -> None:
    outcome = ask(dify, dify.add(Served("a", mode, takes_files=False)), replace(QUESTION, files=tables[:1]))
    assert key(outcome) == "file_input_unknown"
    assert "needs file upload switched on" in str(outcome.error)
    assert run_requests(dify) == 0


@pytest.mark.parametrize(
    ("form", "count", "why"),
    [
        (
            [],
            1,
            '[file_input_unknown] It is not clear which input takes the files (file_input: ""). Inputs for files: -. ',
        ),
        ([{"file": {"variable": "x"}}, {"file": {"variable": "y"}}], 1, "[file_input_unknown]"),
        ([{"file": {"variable": "x"}}], 2, "[one_file_only] The input x takes one file, not 2."),
        ([{"file-list": {"variable": "x", "max_length": 1}}], 2, "[inputs_refused]"),
        (
            [{"file-list": {"variable": "x", "allowed_file_types": ["image"], "allowed_file_extensions": [".log"]}}],
            2,
            "[inputs_refused] a would refuse these inputs, so it was not called: x takes image, .log, and a.csv is",
        ),
        (
            [{"file": {"variable": "x", "allowed_file_upload_methods": ["remote_url"]}}],
            1,
            "[inputs_refused] a would refuse these inputs, so it was not called: x takes files by remote_url only",
        ),
    ],
)
def test_files_that_fit_nowhere_are_not_uploaded(
    dify: DifyServer, form: list[Any], count: int, why: str, tables: list[LocalFile]
) -> None:
    outcome = ask(dify, dify.add(Served("a", form=form)), replace(QUESTION, files=tables[:count]))
    assert str(outcome.error).startswith(why)
    assert not dify.uploads


# By its id


def workspace(apps: Workspace, taken: list[Any]) -> bridge.Workspace:
    """The workspace as a tool meets it, with the SDK's session on top of what answers a plugin in the tests."""

    def invoke(**asked: Any) -> Iterator[Any]:
        events: Any = apps("app", asked)
        yield from events

    def upload(*file: Any) -> SimpleNamespace:
        taken.append(file)
        parameter = {"type": "document", "transfer_method": "tool_file", "tool_file_id": "f"}
        return SimpleNamespace(to_app_parameter=lambda: parameter)

    app = SimpleNamespace(
        chat=SimpleNamespace(invoke=invoke), fetch_app=lambda app_id: apps("fetch_app", {"app_id": app_id})
    )
    session = SimpleNamespace(app_id="caller", app=app, file=SimpleNamespace(upload=upload))
    return bridge.Workspace(SimpleNamespace(session=session))


BY_ID: dict[str, tuple[str, str]] = {
    "500": (FAILED, "dify_maybe_completion"),
    "502": (FAILED, "dify_no_invocation"),
    "504": (FAILED, "dify_no_invocation"),
    "app_gone_403": (FAILED, "dify_no_invocation"),
    "provider_error_400": (FAILED, "dify_model_failed"),
    "provider_not_initialize": (FAILED, "dify_model_setup"),
    "rate_limit_400": (FAILED, "dify_busy"),
    "reset_before": (FAILED, "dify_no_invocation"),
    "hang": (TIMEOUT, "run_abandoned"),
    "silent": (TIMEOUT, "run_abandoned"),
    "cut": (FAILED, "stream_cut"),
    "cut_running": (FAILED, "stream_cut"),
    "error_event": (FAILED, "dify_model_failed"),
    "failed_run": (FAILED, "dify_run_failed"),
    "failed_then_error": (FAILED, "dify_run_failed"),
    "paused": (FAILED, "run_paused"),
    "replaced": (ANSWERED, ""),
    "extra_events": (ANSWERED, ""),
    "crlf": (ANSWERED, ""),
}


@pytest.mark.parametrize("mode", GRAPHS)
@pytest.mark.parametrize("fault", BY_ID)
def test_what_the_user_gets_of_an_app_by_its_id(fault: str, mode: str) -> None:
    app = Served("a", mode, fault=fault)
    with Workspace(app) as apps:
        going = attempt(IdTarget(app.id, workspace(apps, [])), within=0.5 if BY_ID[fault][0] == TIMEOUT else 10)
        outcome = going.alone()
    assert (outcome.ending, key(outcome)) == BY_ID[fault]
    if outcome.ending == ANSWERED and fault != "replaced":
        assert outcome.run.answer == app.answer


def test_an_app_by_its_id_is_asked_as_any_kind_and_never_stopped() -> None:
    app = Served("a", "agent-chat", seconds=20)
    with Workspace(app) as apps:
        going = attempt(IdTarget(app.id, workspace(apps, [])), replace(QUESTION, conversation_id=""))
        going.go.set()
        going.start()
        assert until(lambda: going.run.task_id)
        assert going.end("stopped", going.too_slow()) is None
        assert apps.asked == [
            (
                "app",
                {
                    "app_id": app.id,
                    "query": "hi",
                    "inputs": {"x": "y"},
                    "response_mode": "streaming",
                    "conversation_id": None,
                },
            )
        ]
    assert key(going.concluded()) == "run_abandoned"


@pytest.mark.parametrize(
    ("mode", "published", "query", "why"),
    [
        ("completion", True, "hi", "dify_maybe_completion"),
        ("workflow", False, "hi", "dify_app_unavailable"),
        ("chat", True, "", "dify_input"),
    ],
)
def test_what_cannot_be_known_of_an_id_is_told_by_its_refusal(
    mode: str,
    published: bool,  # noqa: FBT001
    query: str,
    why: str,
) -> None:
    app = Served("a", mode, published=published)
    with Workspace(app) as apps:
        outcome = attempt(IdTarget(app.id, workspace(apps, [])), Question(query)).alone()
    assert (outcome.ending, key(outcome)) == (FAILED, why)


def test_the_conversation_of_an_id_must_be_one() -> None:
    app = Served("a", "chat")
    with Workspace(app) as apps:
        outcome = attempt(IdTarget(app.id, workspace(apps, [])), replace(QUESTION, conversation_id="7")).alone()
        assert key(outcome) == "inputs_refused"
        unknown = replace(QUESTION, conversation_id="00000000-0000-4000-8000-000000000000")
        outcome = attempt(IdTarget(app.id, workspace(apps, [])), unknown).alone()
    assert str(outcome.error).endswith("Correct inputs, query, files or conversation_id.")
    assert not apps.runs


def test_an_id_of_no_app_says_so() -> None:
    with Workspace() as apps:
        outcome = attempt(IdTarget("00000000-0000-4000-8000-000000000000", workspace(apps, []))).alone()
    assert key(outcome) == "dify_no_such_app"


def test_files_for_an_app_by_its_id_go_through_the_workspace(tables: list[LocalFile]) -> None:
    taken: list[Any] = []
    one = Served("one", form=[{"file": {"variable": "doc"}}])
    many = Served("many", form=[{"file-list": {"variable": "docs"}}])
    parameter = {"type": "document", "transfer_method": "tool_file", "tool_file_id": "f"}
    with Workspace(one, many) as apps:
        asking = workspace(apps, taken)
        assert attempt(IdTarget(one.id, asking), replace(QUESTION, files=tables[:1])).alone().ending == ANSWERED
        assert apps.runs[0].inputs == {"doc": parameter}
        assert attempt(IdTarget(many.id, asking), replace(QUESTION, files=tables)).alone().ending == ANSWERED
        assert apps.runs[1].inputs == {"docs": [parameter, parameter]}
    assert taken[0] == ("a.csv", b"a,b\n", "text/csv")
    assert len(taken) == 3


def test_nothing_can_be_asked_about_a_run_by_id() -> None:
    with Workspace() as apps:
        by_id = IdTarget("x", workspace(apps, []))
    run = Run(run_id="r")
    assert not by_id.knows(run)
    assert by_id.status(run, 0) is run
