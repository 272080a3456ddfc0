"""One question to many apps: who is asked, when it is enough, and what is told of everybody."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.dify_server import App, DifyServer
from devtools.workspace import Port, Workspace
from opskit import broadcast
from opskit.broadcast import Answers, Circuits, Inquiry, Progress
from opskit.broadcast.verdict import named
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, Refused, Unavailable

CALLER = "11111111-2222-3333-4444-555555555555"
TOPIC = [{"text-input": {"variable": "topic", "label": "Topic", "required": True, "max_length": 8}}]


@pytest.fixture
def dify() -> Iterator[DifyServer]:
    with DifyServer() as running:
        yield running


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as running:
        yield running


def ask(
    dify: DifyServer,
    apps: list[App],
    *,
    workspace: Workspace | None = None,
    circuits: Circuits | None = None,
    **given: Any,
) -> Answers:
    """Ask ``apps`` by their keys."""
    for app in apps:
        dify.add(app)
    keys = "\n".join(f"{app.name}={app.key}" for app in apps)
    inquiry = Inquiry.model_validate({"app_keys": keys, "base_url": dify.url, "query": "What?"} | given)
    port = Port(workspace or Workspace(), CALLER)
    return broadcast.ask(inquiry, port, circuits=circuits or Circuits())


def inquiry(**given: Any) -> Inquiry:
    return Inquiry.model_validate(given)


def statuses(answers: Answers) -> dict[str, str]:
    return {answer.target: answer.status for answer in answers.answers}


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


# Who is asked


def test_apps_of_every_kind_answer_in_the_order_of_targets(dify: DifyServer) -> None:
    modes = ["completion", "workflow", "agent-chat", "advanced-chat", "chat"]
    apps = [App(mode, mode, answer=f"I am {mode}", seconds=0.1 * (5 - place)) for place, mode in enumerate(modes)]
    answers = ask(dify, apps)
    assert [answer.target for answer in answers.answers] == modes
    assert [answer.answer for answer in answers.answers] == [f"I am {mode}" for mode in modes]
    assert (answers.succeeded, answers.failed, answers.winner) == (5, 0, "")
    assert answers.total_tokens == sum(answer.tokens or 0 for answer in answers.answers) == 60
    assert [answer.cost is None for answer in answers.answers] == [False, True, False, False, False]
    assert [bool(answer.run_id) for answer in answers.answers] == [False, True, False, True, False]
    assert answers.answers[1].outputs == {"text": "I am workflow"}
    assert {run.query for run in dify.runs} == {"What?", ""}
    assert dify.most_at_once == 5


def test_targets_choose_among_the_keys_and_choose_only_narrows(dify: DifyServer) -> None:
    apps = [App("legal"), App("tax"), App("press")]
    assert list(statuses(ask(dify, apps, targets="tax, legal"))) == ["tax", "legal"]
    assert list(statuses(ask(dify, apps, targets="tax, legal", choose="legal"))) == ["legal"]
    with pytest.raises(InvalidInput, match=r"\[unknown_choice\].*press.*tax, legal"):
        ask(dify, apps, targets="tax, legal", choose="press")


def test_an_id_goes_through_the_workspace_and_needs_no_key(dify: DifyServer, workspace: Workspace) -> None:
    flow = workspace.add(App("flow", answer="from the flow", form=TOPIC))
    chat = workspace.add(App("chat", "agent-chat", answer="from the agent"))
    given: dict[str, Any] = {"targets": f"{flow.id},{chat.id.upper()},legal", "inputs": '{"topic": "x"}'}
    answers = ask(dify, [App("legal", answer="by key")], workspace=workspace, **given)
    assert [answer.answer for answer in answers.answers] == ["from the flow", "from the agent", "by key"]
    assert [answer.target for answer in answers.answers] == [flow.id, chat.id.upper(), "legal"]
    assert [run.app.name for run in dify.runs] == ["legal"]


def test_inputs_are_for_all_or_for_one(dify: DifyServer) -> None:
    given = '{"topic": "x", "deep": {"a": [1]}, "per_target": {"tax": {"topic": "y"}}}'
    ask(dify, [App("legal", form=TOPIC), App("tax", form=TOPIC)], inputs=given)
    told = {run.app.name: run.inputs for run in dify.runs}
    assert (told["legal"]["topic"], told["tax"]["topic"]) == ("x", "y")


def test_identical_targets_are_asked_once_and_answer_for_both(dify: DifyServer) -> None:
    legal = App("legal", "chat")
    also = App("also", "chat", key=legal.key)
    answers = ask(dify, [legal, also], targets="legal, also, legal")
    assert [(answer.target, answer.answer) for answer in answers.answers] == [
        ("legal", legal.answer),
        ("also", legal.answer),
    ]
    assert len(dify.runs) == 1
    assert answers.total_tokens == 12


def test_the_same_app_with_other_inputs_is_another_target(dify: DifyServer) -> None:
    legal = App("legal", form=TOPIC)
    also = App("also", form=TOPIC, key=legal.key)
    ask(dify, [legal, also], inputs='{"per_target": {"legal": {"topic": "x"}, "also": {"topic": "y"}}}')
    assert sorted(run.inputs["topic"] for run in dify.runs) == ["x", "y"]


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("no_targets", {}),
        ("unknown_target", {"targets": "nobody"}),
        ("unknown_target", {"app_keys": "a=app-0123456789", "mode": "best_of", "judge": "nobody"}),
        ("judge_needed", {"app_keys": "a=app-0123456789", "mode": "best_of"}),
        ("quorum_too_high", {"app_keys": "a=app-0123456789", "mode": "quorum", "quorum": 2}),
        ("bad_per_target", {"app_keys": "a=app-0123456789", "inputs": {"per_target": {"a": 1}}}),
        ("bad_per_target", {"app_keys": "a=app-0123456789", "inputs": {"per_target": []}}),
        ("unknown_per_target", {"app_keys": "a=app-0123456789", "inputs": {"per_target": {"b": {}}}}),
        ("calls_itself", {"targets": CALLER.upper()}),
        ("deadline_too_long", {"targets": CALLER.replace("1", "9"), "deadline_s": 221}),
        (
            "deadline_too_long",
            {"app_keys": "a=app-0123456789", "mode": "best_of", "judge": CALLER.replace("1", "9"), "deadline_s": 221},
        ),
        ("bad_dify_url", {"app_keys": "a=app-0123456789", "base_url": "dify.example"}),
        ("bad_app_keys", {"app_keys": "app-0123456789"}),
    ],
)
def test_what_cannot_be_used_is_told_before_anybody_is_asked(key: str, given: dict[str, Any]) -> None:
    with pytest.raises((InvalidInput, InvalidCredentials)) as failure:
        broadcast.ask(inquiry(**given), Port(Workspace(), CALLER))
    assert failure.value.key == key


# What is found before the first call


def test_an_app_whose_inputs_are_missing_is_not_called(dify: DifyServer) -> None:
    answers = ask(
        dify,
        [App("legal", form=TOPIC), App("tax"), App("long", form=TOPIC)],
        inputs={"per_target": {"long": {"topic": "123456789"}}},
    )
    assert statuses(answers) == {"legal": "failed", "tax": "ok", "long": "failed"}
    assert "topic is required in input form" in answers.answers[0].error
    assert "must be less than 8 characters" in answers.answers[2].error
    assert [run.app.name for run in dify.runs] == ["tax"]
    assert answers.answers[0].elapsed_ms == 0


def test_nobody_is_called_when_missing_inputs_leave_no_hope(dify: DifyServer) -> None:
    with pytest.raises(
        InvalidInput, match=r"\[broadcast_failed\].*needed: 2, answers got: 0.*legal.*topic is required"
    ):
        ask(dify, [App("legal", form=TOPIC), App("tax")], mode="quorum", quorum=2)
    assert dify.runs == []


def test_one_that_hangs_while_it_is_looked_at_keeps_nobody_waiting(dify: DifyServer) -> None:
    hanging = App("hanging", faults_at={"info": "hang"})
    answers = ask(dify, [hanging, *(App(f"app{number}", seconds=0.2) for number in range(4))], deadline_s=1.5)
    assert answers.succeeded == 4
    assert statuses(answers)["hanging"] == "timeout"
    assert "[app_silent]" in answers.answers[0].error
    assert answers.elapsed_ms < 4000


def test_the_query_is_also_an_input_of_that_name(dify: DifyServer) -> None:
    asks = [{"paragraph": {"variable": "query", "label": "Query", "required": True}}]
    ask(dify, [App("flow", form=asks), App("text", "completion", form=asks)])
    assert [run.inputs["query"] for run in dify.runs] == ["What?", "What?"]


def test_a_workflow_without_a_text_answers_with_its_outputs(dify: DifyServer) -> None:
    answers = ask(dify, [App("two", answer="", outputs={"summary": "S", "risk": "高"})], mode="merge")
    assert answers.report == '## two\n\n{"summary": "S", "risk": "高"}'


def test_a_fence_that_an_answer_leaves_open_is_closed(dify: DifyServer) -> None:
    answers = ask(dify, [App("a", answer="```\ncode"), App("b", answer="words")], mode="merge")
    assert answers.report == "## a\n\n```\ncode\n```\n\n## b\n\nwords"


def test_a_chat_app_needs_a_query(dify: DifyServer) -> None:
    with pytest.raises(InvalidInput, match="query is required by a chat app"):
        ask(dify, [App("chat", "chat")], query="")


def test_a_chat_app_that_is_asked_by_its_id_needs_a_query(dify: DifyServer, workspace: Workspace) -> None:
    chat = workspace.add(App("chat", "chat"))
    with pytest.raises(InvalidInput, match="missing query"):
        ask(dify, [], workspace=workspace, targets=chat.id, query="")


# When it is enough


def test_the_first_success_is_enough_and_the_others_are_stopped(dify: DifyServer) -> None:
    apps = [
        App("slow", seconds=30),
        App("bad", fault="500"),
        App("quick", seconds=0.3),
        App("talk", "chat", seconds=30),
    ]
    answers = ask(dify, apps, mode="first_success")
    assert answers.winner == "quick"
    assert statuses(answers) == {"slow": "stopped", "bad": "failed", "quick": "ok", "talk": "stopped"}
    assert answers.elapsed_ms < 10_000
    eventually(lambda: [name for name, _ in dify.stopped] == ["slow"])
    assert "no longer needed" in answers.answers[0].error
    assert "**First: quick**" in answers.report


@pytest.mark.parametrize(("quorum", "needed"), [({}, 3), ({"quorum": 2}, 2)])
def test_a_quorum_is_more_than_half_unless_it_is_said(dify: DifyServer, quorum: dict[str, Any], needed: int) -> None:
    apps = [App(f"app{number}", seconds=0.1 if number < needed else 30) for number in range(5)]
    answers = ask(dify, apps, mode="quorum", **quorum)
    assert answers.succeeded == needed
    assert list(statuses(answers).values()).count("stopped") == 5 - needed


def test_a_quorum_that_cannot_be_reached_fails_at_once_and_says_who_failed_why(dify: DifyServer) -> None:
    apps = [App("slow", seconds=30), App("bad", fault="failed_run", seconds=0.5), App("shut", enabled=False)]
    began = time.monotonic()
    with pytest.raises(Unavailable) as failure:
        ask(dify, apps, mode="quorum", quorum=2)
    assert time.monotonic() - began < 10
    text = str(failure.value)
    assert text.startswith("[broadcast_failed] Answers needed: 2, answers got: 0.")
    assert "bad: [dify_run_failed]" in text
    assert "shut: [dify_forbidden]" in text
    assert "slow: [not_needed]" in text
    eventually(lambda: [name for name, _ in dify.stopped] == ["slow"])


def test_all_fail_only_when_there_is_no_answer_at_all(dify: DifyServer) -> None:
    assert ask(dify, [App("bad", fault="500"), App("good")]).succeeded == 1
    with pytest.raises(Unavailable, match=r"\[broadcast_failed\]"):
        ask(dify, [App("bad1", fault="500"), App("bad2", fault="failed_run")])
    with pytest.raises(InvalidCredentials, match=r"bad3: \[dify_key\]"):
        ask(dify, [App("bad3", fault="key_gone_401")])


def test_merge_puts_the_answers_under_headings(dify: DifyServer) -> None:
    answers = ask(dify, [App("legal", answer="Sue."), App("bad", fault="500"), App("tax", answer="Pay.")], mode="merge")
    assert answers.report.startswith(
        "## legal\n\nSue.\n\n## tax\n\nPay.\n\n## Without an answer\n\n- bad: failed [dify_down]"
    )
    merged = ask(dify, [App("a", answer="Yes"), App("b", answer="No")], mode="merge").report
    assert merged == "## a\n\nYes\n\n## b\n\nNo"


# The judge


def best_of(dify: DifyServer, verdict: str, *apps: App, judge: App | None = None, **given: Any) -> Answers:
    chosen = judge or App("judge", "chat", answer=verdict)
    apps = apps or (App("legal", answer="Sue."), App("bad", fault="500"), App("tax", answer="Pay."))
    names = ",".join(app.name for app in apps)
    return ask(dify, [*apps, chosen], mode="best_of", judge=chosen.name, targets=names, **given)


@pytest.mark.parametrize(
    ("verdict", "winner"),
    [("2", "tax"), ("Answer [1] is best.", "legal"), ('{"best": 2}', "tax"), ("Nr. 2, not 7", "tax")],
)
def test_the_judge_names_the_best_by_its_number(dify: DifyServer, verdict: str, winner: str) -> None:
    answers = best_of(dify, verdict)
    assert answers.winner == winner
    assert f"**Best: {winner}**" in answers.report
    prompt = dify.runs[-1].query
    assert "1 to 2" in prompt
    assert "What?" in prompt
    assert "[1]\nSue.\n\n[2]\nPay." in prompt
    assert answers.total_tokens == 36
    assert "Asking the judge judge" in answers.progress


@pytest.mark.parametrize("verdict", ["none of them", "1 or 2", "3", "12"])
def test_an_unclear_verdict_is_told_and_no_answer_is_lost(dify: DifyServer, verdict: str) -> None:
    answers = best_of(dify, verdict)
    assert (answers.winner, answers.succeeded) == ("", 2)
    assert f'**No verdict.** [no_verdict] The judge named no answer by its number: "{verdict}".' in answers.report


@pytest.mark.parametrize(
    ("verdict", "place"),
    [
        ("2", 2),
        ("２", 2),
        ("第2个", 2),
        ("第二个", 2),
        ("二", 2),
        ("②", 2),
        ("**2**", 2),
        ("Answer: #2", 2),
        ("The best answer is 2.", 2),
        ("最佳：2", 2),
        ("<think>1 is ok, 2 better, 3 no</think>\n2", 2),
        ("<think>1 or 2", None),
        ("2\n\nReason: answer 1 is vague, and 3 is wrong.", 2),
        ("Answer 1 is vague, 3 is wrong.\n\n2", 2),
        ("I like [3].", 3),
        ("11", 11),
        ("1 or 2", None),
        ("0", None),
        ("13", None),
        ("9" * 5000, None),
        ("", None),
    ],
)
def test_a_verdict_is_read_as_people_and_models_write_it(verdict: str, place: int | None) -> None:
    assert named(verdict, 12) == place


@pytest.mark.parametrize("given", [{"enabled": False}, {"form": [{"number": {"variable": "n", "required": True}}]}])
def test_a_judge_that_cannot_be_asked_is_found_before_anybody_is(dify: DifyServer, given: dict[str, Any]) -> None:
    with pytest.raises(OpskitError):
        best_of(dify, "", judge=App("judge", **given))
    assert dify.runs == []


def test_a_judge_that_fails_is_told_as_well(dify: DifyServer) -> None:
    answers = best_of(dify, "", judge=App("judge", "workflow", fault="failed_run"))
    assert (answers.winner, answers.succeeded) == ("", 2)
    assert "**No verdict.** [dify_run_failed]" in answers.report


def test_a_workflow_can_be_the_judge(dify: DifyServer) -> None:
    asks = [{"paragraph": {"variable": "material", "label": "Material", "required": True}}]
    answers = best_of(dify, "", judge=App("judge", form=asks, outputs={"number": "2"}))
    assert answers.winner == "tax"
    assert "Pay." in dify.runs[-1].inputs["material"]


def test_a_workflow_without_a_text_is_judged_by_its_outputs(dify: DifyServer) -> None:
    best_of(dify, "1", App("a", answer="", outputs={"sum": 7}), App("b"))
    assert '[1]\n{"sum": 7}' in dify.runs[-1].query


def test_one_answer_needs_no_judge(dify: DifyServer) -> None:
    answers = best_of(dify, "1", App("legal"), App("bad", fault="500"))
    assert answers.winner == "legal"
    assert "judge" not in {run.app.name for run in dify.runs}


def test_time_is_kept_for_the_judge(dify: DifyServer) -> None:
    answers = best_of(dify, "1", App("a"), App("b"), App("slow", seconds=30), deadline_s=2)
    assert answers.winner == "a"
    assert statuses(answers)["slow"] == "timeout"


# Time


def test_the_deadline_is_kept_when_one_hangs(dify: DifyServer) -> None:
    apps = [App("hanging", fault="hang"), *(App(f"app{number}", seconds=0.3) for number in range(4))]
    answers = ask(dify, apps, deadline_s=1)
    assert (answers.succeeded, statuses(answers)["hanging"]) == (4, "timeout")
    assert 1000 <= answers.elapsed_ms < 3000


def test_what_has_come_until_the_deadline_is_given_and_stragglers_are_stopped(dify: DifyServer) -> None:
    answers = ask(dify, [App("slow", answer="one two three four", seconds=8, pieces=40), App("good")], deadline_s=1)
    slow = answers.answers[0]
    assert (slow.status, slow.tokens) == ("timeout", None)
    assert "one two three four".startswith(slow.answer)
    eventually(lambda: [name for name, _ in dify.stopped] == ["slow"])


def test_what_cannot_be_stopped_is_abandoned_and_that_is_said(dify: DifyServer, workspace: Workspace) -> None:
    slow = workspace.add(App("slow", seconds=30))
    answers = ask(
        dify, [App("good", seconds=0.2)], workspace=workspace, targets=f"{slow.id},good", mode="first_success"
    )
    assert answers.answers[0].status == "stopped"
    assert "no way to stop an app" in answers.answers[0].error
    late = ask(dify, [App("other")], workspace=workspace, targets=f"{slow.id},other", deadline_s=1)
    assert late.answers[0].status == "timeout"
    assert "no way to stop an app" in late.answers[0].error


def test_one_app_has_its_own_time(dify: DifyServer, workspace: Workspace) -> None:
    slow = workspace.add(App("slow", seconds=30))
    apps = [App("late", seconds=30), App("good")]
    answers = ask(dify, apps, workspace=workspace, targets=f"late,good,{slow.id}", timeout_s=1, deadline_s=30)
    assert [answer.status for answer in answers.answers] == ["timeout", "ok", "timeout"]
    assert answers.elapsed_ms < 10_000


def test_no_more_than_max_parallel_run_at_a_time_and_who_had_no_turn_is_skipped(dify: DifyServer) -> None:
    answers = ask(dify, [App(f"app{number}", seconds=0.7) for number in range(4)], max_parallel=2, deadline_s=1)
    assert sorted(statuses(answers).values()) in (
        ["ok", "ok", "skipped", "skipped"],
        ["ok", "ok", "timeout", "timeout"],
    )
    assert dify.most_at_once == 2
    tried = ask(
        dify,
        [App(f"one{number}", seconds=0.3) for number in range(3)],
        max_parallel=1,
        deadline_s=2,
        mode="first_success",
    )
    assert tried.succeeded == 1
    assert all(answer.status == "ok" or "no longer needed" in answer.error for answer in tried.answers)


def test_no_more_apps_are_called_once_there_is_enough(dify: DifyServer) -> None:
    apps = [App(f"app{number}", seconds=0.3 if number < 2 else 3, pieces=2) for number in range(12)]
    answers = ask(dify, apps, max_parallel=2, mode="first_success")
    assert answers.succeeded >= 1
    assert len(dify.runs) <= 3  # the other of the first two may have ended at the same moment
    assert list(statuses(answers).values()).count("skipped") >= 9


def test_who_had_no_turn_is_not_told_as_slow_and_not_held_to_account(dify: DifyServer) -> None:
    circuits = Circuits()
    apps = [App(f"app{number}", "chat", seconds=0.5) for number in range(12)]
    for _ in range(3):
        answers = ask(dify, apps, max_parallel=2, deadline_s=1.2, circuits=circuits)
        asked = {name for name, status in statuses(answers).items() if status in {"ok", "timeout"}}
        assert list(statuses(answers).values()).count("skipped") >= 6
        assert all(answer.elapsed_ms == 0 for answer in answers.answers if answer.status == "skipped")
    assert len(asked) <= 6
    assert not any(circuits.wait_s(f"{dify.url} {app.key}") for app in apps)


def test_a_target_that_is_left_alone_keeps_nobody_waiting(dify: DifyServer) -> None:
    circuits = Circuits()
    bad = [App(f"bad{number}", fault="500") for number in range(3)]
    for _ in range(4):
        answers = ask(dify, [*bad, App("good")], circuits=circuits)
    assert list(statuses(answers).values()) == ["skipped", "skipped", "skipped", "ok"]
    assert answers.elapsed_ms < 900


def test_retries_are_for_what_never_began(dify: DifyServer) -> None:
    busy = App("busy", fault=["rate_limit_400", "rate_limit_429"])
    assert ask(dify, [busy], retries=2).answers[0].status == "ok"
    assert len([one for one in dify.runs if one.app is busy]) == 1
    broken = App("broken", fault=["500"])
    with pytest.raises(Unavailable):
        ask(dify, [broken], retries=2)
    assert ask(dify, [App("again", fault=["500"])], retries=2, idempotent=True).succeeded == 1


# Circuits


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_target_that_keeps_failing_is_left_alone_for_a_while(dify: DifyServer) -> None:
    clock = Clock()
    circuits = Circuits(clock)
    bad, good = App("bad", fault="500"), App("good")
    for _ in range(3):
        assert statuses(ask(dify, [bad, good], circuits=circuits)) == {"bad": "failed", "good": "ok"}
    before = len(dify.requests)
    answers = ask(dify, [bad, good], circuits=circuits)
    assert statuses(answers) == {"bad": "skipped", "good": "ok"}
    assert (
        "[circuit_open] bad failed several times in a row and is left alone for 30 s more." in answers.answers[0].error
    )
    assert not [one for one in dify.requests[before:] if one.key == bad.key]
    clock.now += 31
    assert statuses(ask(dify, [bad, good], circuits=circuits))["bad"] == "failed"
    assert circuits.wait_s(f"{dify.url} {bad.key}") == 60
    clock.now += 61
    bad.fault = None
    assert statuses(ask(dify, [bad, good], circuits=circuits))["bad"] == "ok"
    assert circuits.wait_s(f"{dify.url} {bad.key}") == 0


def test_the_callers_own_mistakes_do_not_open_a_circuit(dify: DifyServer) -> None:
    circuits = Circuits()
    for _ in range(4):
        answers = ask(
            dify, [App("legal", form=TOPIC, key="app-the-same-key-each-time"), App("good")], circuits=circuits
        )
    assert statuses(answers)["legal"] == "failed"


def test_one_question_at_a_time_tries_an_open_circuit_again() -> None:
    clock = Clock()
    circuits = Circuits(clock)
    for _ in range(3):
        circuits.told("x", failed=True)
    clock.now += 31
    assert [circuits.wait_s("x"), circuits.wait_s("x")] == [0, 30]


def test_circuits_are_bounded_and_open_for_ten_minutes_at_the_most() -> None:
    clock = Clock()
    circuits = Circuits(clock)
    for number in range(1_100):
        for _ in range(3):
            circuits.told(f"target {number}", failed=True)
    assert (circuits.wait_s("target 0"), circuits.wait_s("target 1099")) == (0, 30)
    for _ in range(10):
        circuits.told("target 1099", failed=True)
    assert circuits.wait_s("target 1099") == 600


# What must not happen


def test_the_calling_app_is_found_by_its_key_too_and_stopped(dify: DifyServer) -> None:
    caller = App("caller", id=CALLER, seconds=30)
    answers = ask(dify, [caller, App("good")])
    assert statuses(answers) == {"caller": "failed", "good": "ok"}
    assert "[calls_itself] caller is the app that asks" in answers.answers[0].error
    eventually(lambda: [name for name, _ in dify.stopped] == ["caller"])


def test_no_key_and_no_header_is_ever_shown(dify: DifyServer) -> None:
    headers = "X-Gateway-Key: gateway-secret-1"
    apps = [
        App("flow", fault="echo_key_answer"),
        App("chat", "chat", fault="echo_key_answer"),
        App("bad", fault="echo_key"),
    ]
    apps += [App("event", fault="echo_key_event"), App("gate", answer="you sent gateway-secret-1")]
    answers = ask(dify, apps, extra_headers=headers)
    text = answers.model_dump_json()
    assert text.count("***") >= 6
    assert not [app.name for app in apps if app.key in text]
    assert "gateway-secret-1" not in text


def test_no_part_of_a_key_is_shown_where_an_error_is_shortened(dify: DifyServer) -> None:
    key = "app-fake12345678901234567890"
    for length in range(260, 300, 4):
        leak = App("leak", key=key, fault="failed_run", error="z" * length + " " + key)
        assert key[:8] not in ask(dify, [leak, App("good")]).model_dump_json()
        with pytest.raises(Unavailable) as failure:
            ask(dify, [leak])
        assert key[:8] not in str(failure.value)


def test_a_short_header_value_does_not_shred_the_words(dify: DifyServer) -> None:
    with pytest.raises(InvalidCredentials) as failure:
        ask(dify, [App("a", fault="key_gone_401")], extra_headers="X-Tenant: a")
    assert Inquiry.secrets_of("extra_headers", "X-Tenant: a") == []
    assert str(failure.value).startswith("[broadcast_failed] Answers needed: 1, answers got: 0. a: [dify_key]")


def test_extra_headers_go_with_every_call(dify: DifyServer) -> None:
    app = App("hosted", headers_required={"X-Gateway-Key": "k-1", "X-Team": "ops"}, seconds=30)
    ask(dify, [app, App("good", seconds=0.3)], extra_headers="X-Gateway-Key: k-1\nX-Team: ops", mode="first_success")
    eventually(lambda: bool(dify.stopped))
    assert {one.headers["x-gateway-key"] for one in dify.requests} == {"k-1"}


def test_a_bug_is_not_taken_for_an_answer(dify: DifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("opskit.dify.targets.KeyTarget.prepare", broken)
    with pytest.raises(ZeroDivisionError):
        ask(dify, [App("legal")])


# Files


@pytest.fixture
def table(tmp_path: Path, served: str) -> dict[str, Any]:
    """A file as Dify hands it over."""
    (tmp_path / "t.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    known = {"filename": "t.csv", "extension": ".csv", "mime_type": "text/csv", "type": "custom"}
    return {"url": f"{served}/t.csv"} | known


def test_each_app_gets_its_own_copy_of_the_files(dify: DifyServer, workspace: Workspace, table: dict[str, Any]) -> None:
    one = [{"file": {"variable": "doc", "label": "Doc", "required": True, "allowed_file_types": ["document"]}}]
    many = [{"file-list": {"variable": "docs", "label": "Docs", "required": True, "allowed_file_types": ["document"]}}]
    flow = workspace.add(App("here", form=one))
    apps = [App("one", form=one), App("many", form=many), App("chat", "chat")]
    answers = ask(dify, apps, workspace=workspace, files=[table], targets=f"one,many,chat,{flow.id}")
    assert [answer.error for answer in answers.answers] == [""] * 4
    assert {upload.app.name for upload in dify.uploads if upload.app} == {"one", "many", "chat"}
    told = {run.app.name: run for run in dify.runs}
    assert told["one"].inputs["doc"]["type"] == "document"
    assert len(told["many"].inputs["docs"]) == 1
    assert len(told["chat"].files) == 1


def test_an_app_that_takes_no_files_is_told_by_name(dify: DifyServer, table: dict[str, Any]) -> None:
    answers = ask(dify, [App("plain"), App("chat", "chat")], files=[table])
    assert statuses(answers) == {"plain": "failed", "chat": "ok"}
    assert "[file_input_unknown]" in answers.answers[0].error


# In words


def test_the_report_compares_and_cells_cannot_break_out_of_it(dify: DifyServer) -> None:
    apps = [App("legal", answer="a | b\n```\n# c"), App("long", answer="x" * 500), App("bad", fault="500")]
    report = ask(dify, apps, targets="legal,long,bad").report
    lines = report.splitlines()
    assert lines[0] == "| App | Status | Seconds | Tokens | Answer |"
    assert lines[5:] == ["", "## long", "", "x" * 500]
    assert r"a \| b \`\`\` # c" in lines[2]
    assert f"{'x' * 200}…" in lines[3]
    assert lines[4].startswith("| bad | failed | ")
    assert "| - | \\[dify\\_down\\]" in lines[4]


def test_a_chinese_question_is_answered_in_chinese(dify: DifyServer) -> None:
    answers = ask(dify, [App("legal"), App("bad", fault="500")], query="合同合法吗？")
    assert "| 应用 | 状态 |" in answers.report
    assert "请重试" in answers.answers[1].error
    assert answers.progress.startswith("正在询问 2 个应用")


def test_progress_tells_who_has_answered(dify: DifyServer) -> None:
    dify.add(legal := App("legal"))
    progress = Progress("en_US")
    given = {"app_keys": f"legal={legal.key}", "base_url": dify.url}
    broadcast.ask(inquiry(**given), Port(Workspace(), CALLER), progress, circuits=Circuits())
    assert progress.text.startswith("Asking 1 app(s) …\n✓ legal 0.")
    assert progress.text.endswith(" s (1/1)\n")
    assert "".join(progress.untold) == progress.text


def test_errors_of_a_broadcast_are_of_one_kind_only_if_all_are(dify: DifyServer) -> None:
    with pytest.raises(Refused):
        ask(dify, [App("a", enabled=False), App("b", enabled=False)])
    with pytest.raises(OpskitError) as failure:
        ask(dify, [App("c", enabled=False), App("d", fault="500")])
    assert type(failure.value) is Unavailable
