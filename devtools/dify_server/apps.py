"""An app that the stand-in serves, and the ways in which it can go wrong."""

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from devtools.dify_server.flows import ApiKey, Flow

if TYPE_CHECKING:
    from devtools.dify_server.ledger import Run

GRAPH_MODES = ("workflow", "advanced-chat")  # run by the graph engine: they have a run id, nodes and a status
CHAT_MODES = ("advanced-chat", "chat", "agent-chat")  # at /v1/chat-messages
MODES = ("workflow", "advanced-chat", "chat", "agent-chat", "completion")
STATUSES = ("succeeded", "failed", "partial-succeeded", "stopped", "paused")

# Faults that stand in the place of an answer: no run begins. They fit every route.
BEFORE_A_RUN = (
    "500",
    "502",
    "504",
    "app_gone_403",
    "echo_key",
    "endless",
    "hang",
    "html_200",
    "html_404",
    "json_200_error",
    "key_gone_401",
    "model_currently_not_support",
    "provider_error_400",
    "provider_not_initialize",
    "provider_quota_exceeded",
    "quota_429",
    "rate_limit_400",
    "rate_limit_429",
    "redirect",
    "reset_before",
    "silent",
    "slow_headers",
)
# Faults of a run that has begun, and odd ways of writing a good one.
WITHIN_A_RUN = (
    "close_delimited",
    "crlf",
    "cut",
    "cut_at_end",
    "cut_fin",
    "cut_running",
    "echo_key_answer",
    "echo_key_event",
    "error_event",
    "extra_events",
    "failed_run",
    "failed_then_error",
    "garbage_event",
    "no_pings",
    "odd_sse",
    "paused",
    "replaced",
    "reset",
    "split_utf8",
)
FAULTS = (*BEFORE_A_RUN, *WITHIN_A_RUN)
# The routes other than a run that may fail on purpose.
PLACES = ("info", "parameters", "meta", "status", "stop", "upload")

type Fault = str | Iterable[str] | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run cost; ``price`` is decimal text, as Dify writes it."""

    tokens: int = 12
    price: str = "0.0000140"
    currency: str = "USD"


def _fake_key() -> str:
    return f"app-fake{uuid.uuid4().hex[:20]}"


def _uuid() -> str:
    return str(uuid.uuid4())


@dataclass(slots=True, eq=False)
class App:
    """One app with its key. Everything may be changed while the server runs.

    ``form`` is the ``user_input_form`` of /v1/parameters; ``answer`` (text, or a function of the run) is streamed in
    ``pieces`` parts over ``seconds``, the last one at the end of them (fewer parts if the text has fewer characters);
    ``outputs`` is what a workflow returns ({"text": answer} if not given). ``status`` is how its runs end, and
    ``error`` the text of a failure. ``max_active`` is the limit of runs at a time, ``headers_required`` what a hosted
    variant wants besides the key. ``fault`` goes wrong at every run, if it is a name; if it is several, each is used
    for one run and then no more. ``faults_at`` does the same for the other routes, by their names in ``PLACES``.
    ``location`` is where the fault "redirect" points (the server's own /signin if empty).

    In the console it has a ``draft``, ``versions`` (newest last) and ``api_keys``, of which ``key`` is the first. With
    a draft, and unless ``published`` is false, its first version is published at once; a run then returns what the
    graph of its version says, unless ``outputs`` are given, and fails when ``works`` says so of that version.
    """

    name: str
    mode: str = "workflow"
    key: str = field(default_factory=_fake_key)
    id: str = field(default_factory=_uuid)
    workflow_id: str = field(default_factory=_uuid)
    form: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    answer: "str | Callable[[Run], str]" = "A good answer: 40 characters and no less."
    outputs: dict[str, Any] | None = None
    pieces: int = 4
    seconds: float = 0.0
    usage: Usage = field(default_factory=Usage)
    status: str = "succeeded"
    error: str = "the model is not to be reached"
    published: bool = True
    enabled: bool = True
    max_active: int | None = None
    fault: Fault = None
    faults_at: dict[str, Fault] = field(default_factory=dict)
    headers_required: Mapping[str, str] = field(default_factory=dict)
    location: str = ""
    description: str = ""
    draft: Flow | None = None
    versions: list[Flow] = field(default_factory=list)
    api_keys: list[ApiKey] = field(default_factory=list)
    works: Callable[[Flow], bool] = lambda _: True

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"no mode of Dify: {self.mode}")
        if self.status not in STATUSES:
            raise ValueError(f"no status of a run: {self.status}")
        self._check("run", self.fault, FAULTS)
        for place, fault in self.faults_at.items():
            if place not in PLACES:
                raise ValueError(f"no place for a fault: {place}")
            self._check(place, fault, BEFORE_A_RUN)
        self.api_keys = self.api_keys or [ApiKey(self.key)]
        if self.draft and self.published and not self.versions:
            self.publish()

    def publish(self, name: str = "", comment: str = "") -> Flow:
        """Publish the draft, and give the version."""
        if self.draft is None:
            raise ValueError("there is no draft")
        version = self.draft.published(name, comment)
        self.versions.append(version)
        self.workflow_id, self.published = version.id, True
        return version

    @property
    def serving(self) -> Flow | None:
        """The version that runs when none is named."""
        return self.flow(self.workflow_id)

    @property
    def asks(self) -> list[dict[str, dict[str, Any]]]:
        """The input form: the given one, or that of the version that serves."""
        current = self.serving
        return self.form or (current.form if current else [])

    def flow(self, version: str) -> Flow | None:
        """The version of this id."""
        return next((one for one in self.versions if one.id == version), None)

    @staticmethod
    def _check(place: str, fault: Fault, known: tuple[str, ...]) -> None:
        names = [fault] if isinstance(fault, str) else list(fault or ())
        if unknown := [name for name in names if name and name not in known]:
            raise ValueError(f"no such fault at {place}: {', '.join(unknown)}")

    @property
    def on_graph(self) -> bool:
        """Whether the graph engine runs it."""
        return self.mode in GRAPH_MODES

    def next_fault(self, place: str = "run") -> str:
        """What goes wrong with this request: the name of a fault, or nothing."""
        fault = self.fault if place == "run" else self.faults_at.get(place)
        if fault is None or isinstance(fault, str):
            return fault or ""
        left = fault if isinstance(fault, deque) else deque(fault)
        name: str = left.popleft() if left else ""
        if place == "run":
            self.fault = left
        else:
            self.faults_at[place] = left
        return name

    def says(self, run: "Run") -> str:
        """The answer to this run."""
        said = (run.flow.outputs(run.inputs) or {}) if run.flow and self.mode == "advanced-chat" else {}
        return str(said["answer"]) if "answer" in said else self.answer(run) if callable(self.answer) else self.answer

    def returns(self, run: "Run") -> dict[str, Any]:
        """The outputs of this run."""
        if self.outputs is None and run.flow and (found := run.flow.outputs(run.inputs)) is not None:
            return found
        return {"text": self.says(run)} if self.outputs is None else self.outputs
