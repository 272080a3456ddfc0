"""One question to many apps at once, and their answers gathered."""

import time
from collections.abc import Sequence

from opskit.broadcast import report
from opskit.broadcast.circuits import Circuits
from opskit.broadcast.gathering import Gathering
from opskit.broadcast.inquiry import Answer, Answers, Inquiry
from opskit.broadcast.plan import Plan, planned
from opskit.broadcast.progress import Progress
from opskit.broadcast.verdict import judged, look_at, unclear
from opskit.dify import Attempt, LocalFile, Outcome, Patience, Target, fetched
from opskit.errors import InvalidCredentials, OpskitError, Refused, Unavailable
from opskit.ports import Workspace
from opskit.redaction import Blank
from opskit.wording import Locale

_CIRCUITS = Circuits()
_JUDGE_S = 30.0  # of the deadline that are kept for the judge, but not more than a quarter of it
_JUDGE_SHARE = 0.25
_STATUSES = {"answered": "ok", "failed": "failed", "timeout": "timeout", "skipped": "skipped", "stopped": "stopped"}
_MOST_TOLD = 10  # failures in an error


def ask(
    inquiry: Inquiry, workspace: Workspace, progress: Progress | None = None, *, circuits: Circuits = _CIRCUITS
) -> Answers:
    """Ask all targets at once and gather what they answer until the mode is satisfied or the deadline comes.

    InvalidInput, InvalidCredentials: something cannot be used, and nobody was asked. Any other OpskitError
    ``broadcast_failed``: the mode can no longer be satisfied; the text says who failed and why. All else is in the
    answers: a failed target is a result.
    """
    began = time.monotonic()
    ends = began + inquiry.deadline_s
    locale = inquiry.locale(inquiry.query)
    progress = progress or Progress(locale)
    plan = planned(inquiry, workspace)
    judge_s = min(_JUDGE_S, inquiry.deadline_s * _JUDGE_SHARE) if plan.judge else 0.0
    if plan.judge:
        look_at(plan.judge, inquiry, ends)
    with fetched(inquiry.files, ends) as files:
        attempts = _attempts(plan, inquiry, workspace, files, ends=ends - judge_s, circuits=circuits)
        gathering = Gathering(attempts, ends - judge_s, _needed(inquiry, len(attempts)), progress.concluded)
        progress.began(len(attempts))
        gathering.gather()
    outcomes = [attempt.concluded() for attempt in attempts]
    _remember(attempts, circuits)
    if gathering.answered < (gathering.needed or 1):
        failed = _failed(attempts, gathering, locale, plan.secrets)
        raise failed
    blank = Blank(plan.secrets)
    answers = [_answer(name, outcomes[number], blank, plan.secrets, locale) for name, number in plan.rows]
    winner, verdict = "", ""
    first = inquiry.mode == "first_success"
    if first:
        winner = next(answer.target for answer in answers if answer.status == "ok")
    if plan.judge:
        winner, problem, ruling = _best(
            plan.judge, answers, inquiry, caller=workspace.app_id, progress=progress, ends=ends
        )
        outcomes += [ruling] if ruling else []
        verdict = problem.told(locale, plan.secrets) if problem else ""
    words = report.merged(answers, locale)
    if inquiry.mode != "merge":
        words = report.compared(answers, locale, winner=winner, first=first, verdict=verdict)
    return Answers(
        answers=answers,
        succeeded=sum(answer.status == "ok" for answer in answers),
        failed=sum(answer.status in {"failed", "timeout"} for answer in answers),
        total_tokens=sum(outcome.run.tokens or 0 for outcome in outcomes),
        elapsed_ms=round((time.monotonic() - began) * 1000),
        winner=winner,
        report=words,
        progress=progress.text,
    )


def _needed(inquiry: Inquiry, count: int) -> int | None:
    match inquiry.mode:
        case "first_success":
            return 1
        case "quorum":
            return inquiry.quorum or count // 2 + 1
    return None


def _attempts(
    plan: Plan,
    inquiry: Inquiry,
    workspace: Workspace,
    files: Sequence[LocalFile],
    *,
    ends: float,
    circuits: Circuits,
) -> list[Attempt]:
    patience = Patience(ends, inquiry.timeout_s, inquiry.retries, inquiry.idempotent)
    slots = plan.slots(inquiry.max_parallel)
    attempts = []
    for number, target in enumerate(plan.targets):
        question = plan.question(number, inquiry, files)
        attempt = Attempt(target, question, patience, workspace.app_id, slot=slots[target.group])
        if seconds := circuits.wait_s(target.identity):
            attempt.end("skipped", Refused("circuit_open", name=target.name, seconds=seconds))
        attempts.append(attempt)
    return attempts


def _remember(attempts: Sequence[Attempt], circuits: Circuits) -> None:
    """Tell the circuits: an answer closes one, a failure of the target's own counts against it."""
    for attempt in attempts:
        outcome = attempt.concluded()
        if outcome.ending == "answered":
            circuits.told(attempt.target.identity, failed=False)
        elif outcome.ending in {"failed", "timeout"} and isinstance(outcome.error, (Unavailable, InvalidCredentials)):
            circuits.told(attempt.target.identity, failed=True)


def _answer(name: str, outcome: Outcome, blank: Blank, secrets: Sequence[str], locale: Locale) -> Answer:
    run = outcome.run
    return Answer(
        target=name,
        status=_STATUSES[outcome.ending],
        answer=blank.text(run.text),
        outputs=blank.value(run.outputs),
        error=outcome.error.told(locale, secrets) if outcome.error else "",
        elapsed_ms=round(outcome.elapsed_s * 1000),
        tokens=run.tokens,
        cost=run.cost,
        currency=run.currency,
        run_id=run.run_id,
    )


def _best(
    judge: Target, answers: Sequence[Answer], inquiry: Inquiry, *, caller: str, progress: Progress, ends: float
) -> tuple[str, OpskitError | None, Outcome | None]:
    """The best target, why there is none, and the judge's run; one answer needs no judge."""
    good = [answer for answer in answers if answer.status == "ok"]
    if len(good) == 1:
        return good[0].target, None, None
    progress.tell("judging", name=judge.name)
    texts = [answer.answer for answer in good]
    place, ruling = judged(judge, texts, inquiry, caller=caller, ends=ends, locale=progress.locale)
    if place is None:
        return "", unclear(ruling), ruling
    return good[place].target, None, ruling


def _failed(attempts: Sequence[Attempt], gathering: Gathering, locale: Locale, secrets: Sequence[str]) -> OpskitError:
    """That the mode cannot be satisfied any more: who failed, and why."""
    outcomes = [(attempt.target.name, attempt.concluded()) for attempt in attempts]
    failures = [(name, one.error) for name, one in outcomes if one.error and one.ending in {"failed", "timeout"}]
    others = [(name, one.error) for name, one in outcomes if one.error and one.ending in {"skipped", "stopped"}]
    kinds = {type(error) for _, error in failures or others}
    kind = kinds.pop() if len(kinds) == 1 else Unavailable
    failed: OpskitError = kind("broadcast_failed", needed=gathering.needed or 1, answered=gathering.answered)
    for name, error in [*failures, *others][:_MOST_TOLD]:
        failed.also("target_failed", name=name, problem=error.told(locale, secrets))
    return failed
