"""One run of one app: its answer streamed as it comes, and a signed webhook when it is done."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from opskit import webhook
from opskit.dify import INVOKED_S, Access, Attempt, Finder, LocalFile, Outcome, Patience, Question, Run, Target, fetched
from opskit.errors import InvalidInput, OpskitError
from opskit.model import AS_TEXT, STRUCTURED, FilesParameter, Key, Line, Result
from opskit.ports import Workspace
from opskit.redaction import Blank
from opskit.wording import Locale, say

DEFAULT_S = 300.0
_DELIVERY_S = 30.0  # of timeout_s that are kept for the webhook, but not more than half of it

type Status = Literal["succeeded", "partial_succeeded", "failed", "stopped", "paused", "timed_out"]


class Job(Access):
    """An app, what it is asked, and whom to tell when it is done."""

    query: str = ""
    inputs: Annotated[dict[str, Any], STRUCTURED, AS_TEXT] = Field(default_factory=dict)
    files: FilesParameter = ()
    conversation_id: Line = ""
    app: Line
    file_input: Line = ""
    timeout_s: float = Field(default=DEFAULT_S, ge=1, le=550)
    stop_on_timeout: bool = False
    webhook_url: Line = ""
    webhook_secret: Key | None = None
    allow_private: bool = False

    @property
    def run_s(self) -> float:
        """The seconds that the run may take."""
        return self.timeout_s - (min(_DELIVERY_S, self.timeout_s / 2) if self.webhook_url else 0)


class Completion(Result):
    """How the run ended."""

    said_in_text: ClassVar[frozenset[str]] = frozenset({"report", "answer"})

    answer: str = Field(description="The text; of a workflow its text output. What had come when it was cut off.")
    outputs: dict[str, Any] = Field(description="The outputs of a workflow or chatflow; empty for other apps.")
    status: Status = Field(description="How it ended; a run that timed_out may go on.")
    error: str = Field(description="Why it did not succeed; empty where it did.")
    run_id: str = Field(description="The run of a workflow or chatflow in Dify's logs; empty for other apps.")
    task_id: str = Field(description="What Dify stops a run by.")
    conversation_id: str = Field(description="To go on with the conversation; empty for workflows.")
    total_tokens: int = Field(description="Tokens used, as far as Dify tells.")
    elapsed_ms: int = Field(description="Time taken by the run in milliseconds.")
    webhook_delivered: bool = Field(description="Whether the webhook was answered with 2xx.")
    webhook_error: str = Field(description="Why it was not delivered; empty where it was, or where none is set.")
    report: str = Field(description="How it ended, and the answer, Markdown.")


class Speech:
    """The answer while it comes. ``untold`` holds what nobody has fetched yet; no secret stands in there.

    What could be the beginning of a secret waits for what follows it.
    """

    def __init__(self) -> None:
        self.untold: deque[str] = deque()
        self.said = ""
        self.blank = Blank(())
        self._held = ""

    def add(self, text: str) -> None:
        """Say as much as can be said."""
        clear = self.blank.text(self._held + text)
        count = len(clear) - self.blank.held(clear)
        self._held = clear[count:]
        self._say(clear[:count])

    def end(self, done: "Completion") -> None:
        """Say the rest; the whole answer where none has come in pieces, and why there is no more."""
        self._say(self._held if self.said or self._held else done.answer)
        self._held = ""
        if self.said and done.error:
            self._say(f"\n\n{done.error}")

    def _say(self, text: str) -> None:
        if text:
            self.said += text
            self.untold.append(text)


def run(job: Job, workspace: Workspace, speech: Speech | None = None) -> Completion:
    """Run the app to its end, or until the time is up, and tell the webhook.

    A run that fails, stops, pauses or is too slow is a result, and so is a webhook that is not delivered.
    InvalidInput, InvalidCredentials: something cannot be used, and nothing was sent. Any other OpskitError: the run
    could not be begun; the webhook was told so, and the text says whether it took notice.
    """
    speech = speech or Speech()
    find = Finder(job, workspace)
    target = find(job.app, "app")
    if not target.stoppable and job.timeout_s > INVOKED_S:
        if job.timeout_s != DEFAULT_S:  # which the editor writes into every node
            raise InvalidInput("deadline_too_long", name="timeout_s", limit=f"{INVOKED_S:.0f}")
        job = job.model_copy(update={"timeout_s": INVOKED_S})
    if job.webhook_url:
        webhook.checked_target(job.webhook_url, _secret(job))
    began = time.monotonic()
    speech.blank = Blank(find.secrets)
    locale = job.locale(job.query)
    tell = partial(_delivered, job, ends=began + job.timeout_s)
    try:
        with fetched(job.files, began + job.run_s) as files:
            outcome = _ran(job, workspace, target, files, ends=began + job.run_s, speech=speech)
        status = _status(outcome)
    except OpskitError as error:
        if job.webhook_url:
            told = tell(_event(Run(), error.told(locale, find.secrets), error.key, speech.blank))
            error.also("webhook_told" if told.delivered else "webhook_not_told")
        raise
    done = _completion(outcome, status, speech.blank, find.secrets, locale)
    speech.end(done)
    if job.webhook_url:
        told = tell(_event(outcome.run, done.error, outcome.error.key if outcome.error else "", speech.blank))
        failed = told.error.told(locale, find.secrets) if told.error else ""
        done = done.model_copy(update={"webhook_delivered": told.delivered, "webhook_error": failed})
    stopped = job.stop_on_timeout and target.stoppable
    return done.model_copy(update={"report": _report(done, locale, told=bool(job.webhook_url), stopped=stopped)})


def _ran(
    job: Job, workspace: Workspace, target: Target, files: list[LocalFile], *, ends: float, speech: Speech
) -> Outcome:
    question = Question(job.query, job.inputs, files, job.file_input, job.conversation_id, job.user)
    attempt = Attempt(
        target,
        question,
        Patience(ends, job.run_s),
        workspace.app_id,
        told=speech.add,
        stops=job.stop_on_timeout,
    )
    outcome = attempt.alone()
    if outcome.error and not (outcome.run.begun or (outcome.ending == "timeout" and attempt.began)):
        raise outcome.error
    return outcome


def _status(outcome: Outcome) -> Status:
    match outcome.ending:
        case "timeout":
            return "timed_out"
        case "stopped":
            return "stopped"
        case "answered":
            return "partial_succeeded" if outcome.run.status == "partial_succeeded" else "succeeded"
    return "paused" if outcome.run.status == "paused" else "failed"


def _completion(outcome: Outcome, status: Status, blank: Blank, secrets: Sequence[str], locale: Locale) -> Completion:
    run = outcome.run
    return Completion(
        answer=blank.text(run.text),
        outputs=blank.value(run.outputs),
        status=status,
        error=outcome.error.told(locale, secrets) if outcome.error else "",
        run_id=run.run_id,
        task_id=run.task_id,
        conversation_id=run.conversation_id,
        total_tokens=run.tokens or 0,
        elapsed_ms=round(outcome.elapsed_s * 1000),
        webhook_delivered=False,
        webhook_error="",
        report="",
    )


def _event(run: Run, error: str, code: str, blank: Blank) -> dict[str, Any]:
    """The body of the webhook."""
    usage = {"total_tokens": run.tokens, "total_price": run.cost and f"{run.cost:f}", "currency": run.currency}
    return {
        "task_id": run.task_id,
        "run_id": run.run_id,
        "status": "failed" if error else "completed",
        "data": {"answer": blank.text(run.text), "outputs": blank.value(run.outputs), "usage": usage},
        "error": {"code": code, "message": error} if error else None,
        "timestamp": int(time.time()),
    }


def _delivered(job: Job, event: Mapping[str, Any], *, ends: float) -> webhook.Delivered:
    """Tell the webhook."""
    return webhook.deliver(event, url=job.webhook_url, secret=_secret(job), private=job.allow_private, ends=ends)


def _secret(job: Job) -> str:
    return job.webhook_secret.get_secret_value() if job.webhook_secret else ""


def _report(done: Completion, locale: Locale, *, told: bool, stopped: bool) -> str:
    """How it ended in one line, what went wrong, and the answer."""
    ended = "timed_out_stopped" if done.status == "timed_out" and stopped else done.status
    facts = [say(locale, f"app_run.{ended}"), f"{done.elapsed_ms / 1000:.1f} s"]
    if done.total_tokens:
        facts.append(say(locale, "app_run.tokens", count=done.total_tokens))
    if told:
        facts.append(say(locale, "app_run.delivered" if done.webhook_delivered else "app_run.not_delivered"))
    parts = [" · ".join(facts), done.error, done.webhook_error, done.answer]
    return "\n\n".join(part for part in parts if part)
