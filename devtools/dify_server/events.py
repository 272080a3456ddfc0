"""The events of a run and its blocking answer, in Dify's words and order, for every kind of app.

Sources: Dify 1.13.3, core/app/entities/task_entities.py (the events and their fields) and the generate_task_pipeline
modules of core/app/apps (their order). Whoever runs an app asks for the opening, then for the pieces, then for the
end; times between them are his.
"""

import time
from decimal import Decimal
from itertools import pairwise
from typing import Any

from devtools.dify_server.apps import App
from devtools.dify_server.ledger import Run
from devtools.dify_server.refusals import Refusal, invalid

type Event = dict[str, Any]

STOPPED = "Stopped by user."
MODERATED = "This answer was withheld."


class Script:
    """What the server says of one run."""

    def __init__(self, app: App, run: Run) -> None:
        self.app = app
        self.run = run
        self.answer = app.says(run)
        if run.fault == "echo_key_answer":
            self.answer += f" [{run.authorization}]"

    @property
    def status(self) -> str:
        """How the run ends if nobody stops it."""
        planned = {"failed_run": "failed", "failed_then_error": "failed", "echo_key_event": "failed"}
        works = self.run.flow is None or self.app.works(self.run.flow)
        usual = self.app.status if works else "failed"
        return planned.get(self.run.fault, "paused" if self.run.fault == "paused" else usual)

    @property
    def error(self) -> str:
        """The text of a failure."""
        return f"refused: {self.run.authorization}" if self.run.fault == "echo_key_event" else self.app.error

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs of a run that succeeds."""
        outputs = self.app.returns(self.run)
        return {**outputs, "echo": self.run.authorization} if self.run.fault == "echo_key_answer" else outputs

    # The parts of a stream

    def opening(self) -> list[Event]:
        """What comes at once."""
        if self.app.on_graph:
            inputs = self._all_inputs()
            started = {"id": self.run.run_id, "workflow_id": self.app.workflow_id, "inputs": inputs}
            return [
                self._graph("workflow_started", started | {"created_at": self.run.created_at, "reason": "initial"}),
                self._node_started(1, "start"),
                self._node_finished(1, "start", inputs=inputs, outputs=inputs),
                self._node_started(2, "llm"),
            ]
        return [self._thought("", "")] if self.app.mode == "agent-chat" else []

    def pieces(self) -> list[Event]:
        """The answer, piece by piece."""
        count, length = max(self.app.pieces, 0), len(self.answer)
        cuts = [length * number // count for number in range(count + 1)] if count else []
        texts = [self.answer[left:right] for left, right in pairwise(cuts) if left < right]
        return [self._piece(text) for text in texts]

    def ending(self, status: str) -> list[Event]:
        """The end, by the status; it is asked for once the run has ended."""
        if self.app.on_graph:
            return self._graph_ending(status)
        if status == "failed":
            return [self.error_event()]
        if self.app.mode == "agent-chat" and status == "succeeded":
            observed = '{"lookup": "found"}'
            return [self._thought("lookup", observed), self._message_end()]
        return [self._message_end()]

    def _graph_ending(self, status: str) -> list[Event]:
        chat = self.app.mode == "advanced-chat"
        match status:
            case "paused":
                return self._pause()
            case "stopped":  # _handle_stop_event of the chatflow: the message ends last
                return [self._workflow_finished(status), *([self._message_end()] if chat else [])]
            case "failed":  # no event "error" in 1.13.3, and no message_end
                failed = self._node_finished(2, "llm", status="failed", error=self.error)
                tail = [self.error_event()] if self.run.fault == "failed_then_error" else []
                return [failed, self._workflow_finished(status), *tail]
        state = "exception" if status == "partial-succeeded" else "succeeded"
        last = "answer" if chat else "end"
        nodes = [
            self._node_finished(2, "llm", outputs={"text": self.answer}, status=state),
            self._node_started(3, last),
            self._node_finished(3, last, inputs=self.outputs, outputs=self.outputs),
        ]
        return [*nodes, *([self._message_end()] if chat else []), self._workflow_finished(status)]

    def _pause(self) -> list[Event]:
        asked: Event = {
            "form_id": self.run.message_id,
            "node_id": "human",
            "node_title": "Ask",
            "form_content": "Go on?",
        }
        asked |= {"inputs": [], "actions": [], "form_token": "fake-form-token", "resolved_default_values": {}}
        reason = {"TYPE": "human_input_required", "form_id": self.run.message_id, "node_id": "human"}
        paused: Event = {
            "workflow_run_id": self.run.run_id,
            "paused_nodes": ["human"],
            "outputs": {},
            "reasons": [reason],
        }
        paused |= {"status": "paused", "created_at": self.run.created_at, "elapsed_time": self.run.elapsed}
        paused |= {"total_tokens": self.app.usage.tokens, "total_steps": 3}
        return [
            self._graph("human_input_required", asked | {"expiration_time": self.run.created_at + 3600}),
            self._graph("workflow_paused", paused),
        ]

    def error_event(self) -> Event:
        """The event "error", which comes with HTTP 200 and without a task id."""
        ids = {} if self.app.mode == "workflow" else self._message_ids()
        return {"event": "error", **ids, "code": "completion_request_error", "status": 400, "message": self.error}

    def replacement(self) -> Event:
        """The event that takes the whole answer back: moderation found something."""
        if self.app.mode == "workflow":
            return self._graph("text_replace", {"text": MODERATED})
        return {"event": "message_replace", **self._ids(), "answer": MODERATED, "reason": "output_moderation"}

    def extras(self) -> list[Event]:
        """Events that a client need not know: some of Dify's, and one of its future."""
        node = {"id": "n", "node_id": "loop", "node_type": "iteration", "title": "Each", "created_at": 1, "extras": {}}
        some = ("iteration_started", "iteration_next", "iteration_completed", "loop_started", "node_retry", "agent_log")
        return [
            *(self._graph(name, dict(node)) for name in some),
            {"event": "tts_message", **self._ids(), "audio": ""},
            {"event": "from_the_future", **self._ids(), "data": None},
        ]

    # The blocking answer

    def blocking(self, status: str) -> dict[str, Any]:
        """The answer when nothing is streamed; a Refusal where Dify makes an error of a failed run."""
        if self.app.mode == "workflow":
            data = self._finished(status)
            for name in ("created_by", "exceptions_count", "files"):
                del data[name]
            return {"task_id": self.run.task_id, "workflow_run_id": self.run.run_id, "data": data}
        if status == "failed":
            if self.app.mode == "advanced-chat":
                raise invalid(f"Run failed: {self.error}")
            raise Refusal(400, "completion_request_error", self.error)
        ids: dict[str, Any] = {"event": "message", "task_id": self.run.task_id, "id": self.run.message_id}
        ids |= {"message_id": self.run.message_id, "mode": self.app.mode, "answer": self.answer}
        if self.app.mode != "completion":
            ids["conversation_id"] = self.run.conversation_id
        return ids | {"metadata": self._metadata(), "created_at": self.run.created_at}

    # The parts of an event

    def _message_ids(self) -> Event:
        ids = {"message_id": self.run.message_id, "created_at": self.run.created_at}
        return ids if self.app.mode == "completion" else {"conversation_id": self.run.conversation_id, **ids}

    def _ids(self) -> Event:
        if self.app.mode == "workflow":
            return {"workflow_run_id": self.run.run_id, "task_id": self.run.task_id}
        return {**self._message_ids(), "task_id": self.run.task_id}

    def _graph(self, name: str, data: Event) -> Event:
        return {"event": name, **self._ids(), "workflow_run_id": self.run.run_id, "data": data}

    def _all_inputs(self) -> dict[str, Any]:
        return all_inputs(self.run)

    def _piece(self, text: str) -> Event:
        if self.app.mode == "workflow":
            return self._graph("text_chunk", {"text": text, "from_variable_selector": ["llm", "text"]})
        name = "agent_message" if self.app.mode == "agent-chat" else "message"
        event = {"event": name, **self._ids(), "id": self.run.message_id, "answer": text}
        return event | ({"from_variable_selector": ["llm", "text"]} if self.app.on_graph else {})

    def _node(self, index: int, kind: str) -> Event:
        before = [None, "start", "llm"][index - 1]
        node: Event = {
            "id": f"{self.run.run_id[:-1]}{index}",
            "node_id": kind,
            "node_type": kind,
            "title": kind.title(),
        }
        node |= {"index": index, "predecessor_node_id": before, "created_at": self.run.created_at}
        return node | {"iteration_id": None, "loop_id": None, "inputs_truncated": False}

    def _node_started(self, index: int, kind: str) -> Event:
        more: Event = {"inputs": None, "extras": {}, "agent_strategy": None}
        return self._graph("node_started", self._node(index, kind) | more)

    def _node_finished(
        self,
        index: int,
        kind: str,
        *,
        inputs: Event | None = None,
        outputs: Event | None = None,
        status: str = "succeeded",
        error: str | None = None,
    ) -> Event:
        more: Event = {
            "inputs": inputs or {},
            "process_data": {},
            "outputs": outputs or {},
            "status": status,
            "error": error,
        }
        more |= {"elapsed_time": self.run.elapsed, "execution_metadata": None, "finished_at": int(time.time())}
        more |= {"files": [], "outputs_truncated": False, "process_data_truncated": False}
        return self._graph("node_finished", self._node(index, kind) | more)

    def _finished(self, status: str) -> Event:
        good = status in {"succeeded", "partial-succeeded"}
        error = {"failed": self.error, "stopped": STOPPED}.get(status)
        finished_at = None if status == "paused" else int(time.time())
        return {
            "id": self.run.run_id,
            "workflow_id": self.app.workflow_id,
            "status": status,
            "outputs": ({"answer": self.answer} if self.app.mode == "advanced-chat" else self.outputs) if good else {},
            "error": error,
            "elapsed_time": self.run.elapsed,
            "total_tokens": self.app.usage.tokens,
            "total_steps": 3,
            "created_by": {"id": self.run.end_user, "user": self.run.user},
            "created_at": self.run.created_at,
            "finished_at": finished_at,
            "exceptions_count": int(status == "partial-succeeded"),
            "files": [],
        }

    def _workflow_finished(self, status: str) -> Event:
        return self._graph("workflow_finished", self._finished(status))

    def _message_end(self) -> Event:
        files: list[Any] | None = [] if self.app.on_graph else None
        end = {"event": "message_end", **self._ids(), "id": self.run.message_id}
        return end | {"metadata": self._metadata(), "files": files}

    def _metadata(self) -> Event:
        usage = self.app.usage
        written = min(2, usage.tokens)
        price = Decimal(usage.price)
        return {
            "annotation_reply": None,
            "retriever_resources": [],
            "usage": {
                "prompt_tokens": usage.tokens - written,
                "prompt_unit_price": "0.001",
                "prompt_price_unit": "0.001",
                "prompt_price": str(price - price / 4),
                "completion_tokens": written,
                "completion_unit_price": "0.002",
                "completion_price_unit": "0.001",
                "completion_price": str(price / 4),
                "total_tokens": usage.tokens,
                "total_price": usage.price,
                "currency": usage.currency,
                "latency": self.run.elapsed,
                "time_to_first_token": None,
                "time_to_generate": None,
            },
        }

    def _thought(self, tool: str, observation: str) -> Event:
        thought: Event = {
            "position": 1,
            "thought": self.answer if tool else "",
            "observation": observation,
            "tool": tool,
        }
        thought |= {"tool_labels": {}, "tool_input": '{"lookup": {}}' if tool else "", "message_files": []}
        return {"event": "agent_thought", **self._ids(), "id": self.run.end_user, **thought}


def all_inputs(run: Run) -> dict[str, Any]:
    """The inputs of a run as the graph sees them, with Dify's own."""
    own: dict[str, Any] = {
        "sys.files": run.files,
        "sys.user_id": run.user,
        "sys.app_id": run.app.id,
        "sys.workflow_id": run.app.workflow_id,
        "sys.workflow_run_id": run.run_id,
    }
    if run.app.mode == "advanced-chat":
        own |= {"sys.query": run.query, "sys.conversation_id": run.conversation_id, "sys.dialogue_count": 1}
    return {**run.inputs, **own}
