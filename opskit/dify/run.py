"""What is known about one run, put together from its events or from one answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from opskit.dify.failure import run_failed, told_inside
from opskit.errors import OpskitError

type Status = Literal["", "running", "succeeded", "partial_succeeded", "failed", "stopped", "paused"]

# In a workflow with several outputs that are texts, the first of these is its answer.
_ANSWER_NAMES = ("answer", "text", "output", "result", "report")
_STATUSES: Mapping[str, Status] = {
    "running": "running",
    "scheduled": "running",
    "succeeded": "succeeded",
    "partial-succeeded": "partial_succeeded",
    "failed": "failed",
    "stopped": "stopped",
    "paused": "paused",
}


@dataclass(slots=True)
class Run:
    """A run of an app of any kind. ``status`` is empty until it is known to have begun.

    ``tokens`` and ``cost`` (in ``currency``) are None where Dify does not tell: workflows have no price.
    """

    status: Status = ""
    answer: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)
    error: OpskitError | None = None
    task_id: str = ""
    run_id: str = ""
    app_id: str = ""
    conversation_id: str = ""
    tokens: int | None = None
    cost: Decimal | None = None
    currency: str = ""
    _message_ended: bool = False
    _is_chat: bool = False

    @property
    def begun(self) -> bool:
        """Whether Dify has been seen to work on it."""
        return bool(self.status)

    @property
    def ended(self) -> bool:
        """Whether its end has been told."""
        return self.status not in {"", "running"}

    @property
    def complete(self) -> bool:
        """Whether nothing more is to come: in older releases the usage of a chatflow follows the end of its run."""
        return self.ended and (self._message_ended or not self._is_chat or not self.succeeded)

    @property
    def succeeded(self) -> bool:
        """Whether there is an answer to work with; in a partly failed run error branches were taken."""
        return self.status in {"succeeded", "partial_succeeded"}

    @property
    def text(self) -> str:
        """The answer in words; where a workflow has none, its outputs as JSON."""
        if self.answer or self._is_chat or not self.outputs:
            return self.answer
        return json.dumps(self.outputs, ensure_ascii=False)

    def take(self, event: Mapping[str, Any]) -> str:
        """Add an event of the stream, and return the text that it adds to the answer."""
        self.task_id = self.task_id or str(event.get("task_id") or "")
        self.conversation_id = self.conversation_id or str(event.get("conversation_id") or "")
        data = _object(event.get("data"))
        name = event.get("event")
        if name not in (None, "ping", "error"):
            self.status = self.status or "running"
        match name:
            case "workflow_started":
                self.run_id = str(event.get("workflow_run_id") or data.get("id") or "")
                self.app_id = str(_object(data.get("inputs")).get("sys.app_id") or "")
            case "text_chunk":
                return self._said(data.get("text"))
            case "message" | "agent_message":
                self._is_chat = True
                return self._said(event.get("answer"))
            case "message_replace" | "text_replace":
                self.answer = str(event.get("answer") or data.get("text") or "")
            case "message_end":
                self._message_ended = self._is_chat = True
                self._used(_object(_object(event.get("metadata")).get("usage")))
                if not self.run_id:
                    self.status = "succeeded"
            case "workflow_finished" | "workflow_paused":
                self.finish(data)
            case "error":
                self.status, self.error = "failed", told_inside(event)
        return ""

    def finish(self, data: Mapping[str, Any]) -> None:
        """Take over how a workflow's run ended, from its last event, a blocking answer or the run's status."""
        self.run_id = self.run_id or str(data.get("id") or data.get("workflow_run_id") or "")
        self.status = _STATUSES.get(str(data.get("status")), "running")
        self.outputs = _object(data.get("outputs")) or self.outputs
        if self.status == "failed":
            self.error = run_failed(str(data.get("error") or ""))
        self.tokens = _count(data.get("total_tokens")) or self.tokens
        if self.tokens is None and self.ended:
            self.tokens = 0
        if not self._is_chat and self.outputs:
            self.answer = answer_of(self.outputs) or self.answer

    def end_as(self, known: "Run") -> None:
        """Take over the end that the server tells of when it is asked."""
        self.status, self.error = known.status, known.error
        self.outputs, self.tokens = known.outputs, known.tokens
        self.answer = known.answer or self.answer

    def _said(self, text: object) -> str:
        text = text if isinstance(text, str) else ""
        self.answer += text
        return text

    def _used(self, usage: Mapping[str, Any]) -> None:
        self.tokens = self.tokens or _count(usage.get("total_tokens"))
        try:
            cost = Decimal(str(usage.get("total_price")))
        except InvalidOperation:
            return
        if cost.is_finite():
            self.cost, self.currency = cost, str(usage.get("currency") or "")


def _object(value: object) -> dict[str, Any]:
    """A JSON object; an empty one in the place of anything else, for the server may be none of Dify's."""
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    """A number of tokens, if it is one."""
    return value if isinstance(value, int) else None


def answered(body: Mapping[str, Any]) -> Run:
    """The run that a blocking answer tells of: of a workflow, or of a chat or completion app."""
    run = Run()
    if "data" in body:
        run.take({"event": "workflow_finished", **body})
        return run
    run.take({**body, "event": "message"})
    run.take({**body, "event": "message_end"})
    return run


def answer_of(outputs: Mapping[str, Any]) -> str:
    """The text among a workflow's outputs that answers: the only one, or the one with a name that says so."""
    texts = {name: value for name, value in outputs.items() if isinstance(value, str)}
    if len(texts) == 1:
        return next(iter(texts.values()))
    return next((texts[name] for name in _ANSWER_NAMES if name in texts), "")
