"""Workflows as Dify keeps them: a draft, published versions, and what a run of one of them returns.

Sources: Dify 1.13.3, models/workflow.py (hash, hidden values, what is exported), fields/workflow_fields.py (what is
shown), services/app_dsl_service.py (what an export leaves out), core/app/app_config/features (what is added). A run is
played by a few lines: start, template and code nodes, and what an end or answer node takes from them and from the
environment.
"""

import copy
import hashlib
import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MASK = "*" * 20
HIDDEN = "[__HIDDEN__]"
DRAFT = "draft"
MAX_KEYS = 10
OWNER = {"id": "0a0a0a0a-0000-4000-8000-000000000001", "name": "Owner", "email": "owner@example.com"}
_KINDS = frozenset({"string", "number", "secret"})  # of the environment
_OTHER_KINDS = frozenset({"object", "boolean", *(f"array[{one}]" for one in ("string", "number", "object", "boolean"))})
_ARGUMENT = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_REFERENCE = re.compile(r"\{\{#([\w.-]+)#\}\}")

type Object = dict[str, Any]

# What a feature is where nothing is said of it.
_OFF: Object = {"enabled": False}
_FEATURES: Object = {
    "file_upload": {},
    "text_to_speech": {"enabled": False, "voice": "", "language": ""},
    "sensitive_word_avoidance": _OFF,
}
_CHATFLOW_FEATURES: Object = {
    "opening_statement": "",
    "suggested_questions": [],
    "suggested_questions_after_answer": _OFF,
    "speech_to_text": _OFF,
    "retriever_resource": _OFF,
}


def _uuid() -> str:
    return str(uuid.uuid4())


def _now() -> int:
    return int(time.time())


@dataclass(slots=True, eq=False)
class ApiKey:
    """A key of an app. ``last_used_at`` (seconds since the epoch) is null until it is used."""

    token: str
    id: str = field(default_factory=_uuid)
    created_at: int = field(default_factory=_now)
    last_used_at: int | None = None

    @property
    def shown(self) -> Object:
        """What the console says of it: all of it."""
        told = {"id": self.id, "type": "app", "token": self.token}
        return told | {"last_used_at": self.last_used_at, "created_at": self.created_at}


@dataclass(slots=True, eq=False)
class Flow:
    """A draft, or a version: then ``version`` is its time. ``environment`` has the real values of secrets."""

    graph: Object = field(default_factory=lambda: {"nodes": [], "edges": [], "viewport": {}})
    features: Object = field(default_factory=dict)
    environment: list[Object] = field(default_factory=list)
    conversation: list[Object] = field(default_factory=list)
    id: str = field(default_factory=_uuid)
    version: str = DRAFT
    marked_name: str = ""
    marked_comment: str = ""
    created_at: int = field(default_factory=_now)
    updated_at: int = field(default_factory=_now)

    @property
    def hash(self) -> str:
        """Of graph and features alone: a change of the environment does not change it."""
        text = json.dumps({"graph": self.graph, "features": self.features}, sort_keys=True)
        return hashlib.sha256(f"{text}None".encode()).hexdigest()

    def value(self, name: str) -> Any:
        """The real value of an environment variable; None if there is no such variable."""
        return next((one["value"] for one in self.environment if one["name"] == name), None)

    @property
    def works(self) -> bool:
        """Whether Dify can read it. It writes whatever it is sent, and answers 500 to it ever after."""
        return all(one["value_type"] in _KINDS for one in self.environment)

    @property
    def is_whole(self) -> bool:
        """Whether all nodes are nodes. If not, a draft is written all the same, and the answer is 500."""
        return all("data" in node for node in self.graph.get("nodes", [{}]))

    def keep(self, environment: Iterable[Mapping[str, Any]]) -> None:
        """Take new environment variables. ValueError for what Dify refuses.

        A secret that comes back masked, and whatever is ``[__HIDDEN__]``, keeps its value by its id; without one of
        that id it becomes the literal text. They are kept by their names: the last of two is the one that stays.
        """
        before = {one["id"]: one for one in self.environment}
        taken: dict[str, Object] = {}
        for given in environment:
            one = _checked(given)
            if one["value_type"] == "secret" and one["value"] == MASK:
                one["value"] = HIDDEN
            if one["value"] == HIDDEN and one["id"] in before:
                one = {**before[one["id"]], "name": one["name"]}
            taken[one["name"]] = one
        self.environment = list(taken.values())

    def take(self, graph: Object, features: Object, mode: str) -> None:
        """Take a new graph, and new features as Dify keeps them: defaults for what is empty, no voice if there is none.

        Everything else stays as it was sent, unknown names too.
        """
        defaults = _FEATURES | (_CHATFLOW_FEATURES if mode == "advanced-chat" else {})
        kept = copy.deepcopy(features | {name: part for name, part in defaults.items() if not features.get(name)})
        if not kept["text_to_speech"].get("enabled"):
            kept["text_to_speech"] |= defaults["text_to_speech"]
        self.graph, self.features = graph, kept

    def published(self, name: str, comment: str) -> "Flow":
        """A version with what the draft holds now."""
        version = str(datetime.now(UTC).replace(tzinfo=None))
        held = copy.deepcopy((self.graph, self.features, self.environment, self.conversation))
        return Flow(*held, version=version, marked_name=name, marked_comment=comment)

    def restore(self, version: "Flow") -> None:
        """Take what a version holds, with its secrets."""
        held = (version.graph, version.features, version.environment, version.conversation)
        self.graph, self.features, self.environment, self.conversation = copy.deepcopy(held)
        self.updated_at = _now()

    @property
    def shown(self) -> Object:
        """What the console says of it: secrets are masked."""
        secret = {"value": MASK}
        return {
            "id": self.id,
            "graph": self.graph,
            "features": self.features,
            "hash": self.hash,
            "version": self.version,
            "marked_name": self.marked_name,
            "marked_comment": self.marked_comment,
            "created_by": OWNER,
            "created_at": self.created_at,
            "updated_by": OWNER if self.version == DRAFT else None,
            "updated_at": self.updated_at,
            "tool_published": False,
            "environment_variables": [
                one | (secret if one["value_type"] == "secret" else {}) for one in self.environment
            ],
            "conversation_variables": self.conversation,
            "rag_pipeline_variables": [],
        }

    def exported(self, *, include_secret: bool) -> Object:
        """The workflow of a DSL: without secrets unless they are asked for, and without what belongs to a workspace."""
        environment = [_dumped(one, "env") for one in self.environment]
        for one in environment:
            if one["value_type"] == "secret" and not include_secret:
                one["value"] = ""
        graph = copy.deepcopy(self.graph)
        for node in graph.get("nodes", []):
            _cleared(node.get("data", {}), include_secret=include_secret)
        return {
            "graph": graph,
            "features": self.features,
            "environment_variables": environment,
            "conversation_variables": [_dumped(one, "conversation") for one in self.conversation],
            "rag_pipeline_variables": [],
        }

    @property
    def form(self) -> list[dict[str, Object]]:
        """What its start node asks for, as /v1/parameters says it."""
        data = [node.get("data", {}) for node in self.graph.get("nodes", [])]
        asked = [one for start in data if start.get("type") == "start" for one in start.get("variables", [])]
        return [{str(one["type"]): {"label": one["variable"], "required": False} | one} for one in asked]

    @property
    def plugins(self) -> set[str]:
        """The ids of the plugins that its nodes need: of tools and models."""
        data = [node.get("data", {}) for node in self.graph.get("nodes", [])]
        named = [str(one.get("provider_id") or one.get("model", {}).get("provider") or "") for one in data]
        return {name.rpartition("/")[0] for name in named if "/" in name}

    def outputs(self, inputs: Mapping[str, Any]) -> Object | None:
        """What a run returns: None when the graph has no end and no answer."""
        known: dict[str, Mapping[str, Any]] = {"env": {one["name"]: one["value"] for one in self.environment}}
        found: Object | None = None
        for node in self.graph.get("nodes", []):
            data = node.get("data", {})
            match data.get("type"):
                case "start":
                    known[node["id"]] = inputs
                case "template-transform":
                    taken = {one["variable"]: _pick(known, one["value_selector"]) for one in data.get("variables", [])}
                    known[node["id"]] = {"output": _filled(_ARGUMENT, data.get("template", ""), taken)}
                case "end":
                    asked = data.get("outputs", [])
                    found = {one["variable"]: _pick(known, one["value_selector"]) for one in asked}
                case "answer":
                    every = {f"{node}.{name}": text for node, held in known.items() for name, text in held.items()}
                    found = {"answer": _filled(_REFERENCE, data.get("answer", ""), every)}
        return found


def _dumped(variable: Object, scope: str) -> Object:
    """A variable as an export has it: with its selector, and a number by its kind."""
    kind = variable["value_type"]
    if kind == "number":
        kind = "float" if isinstance(variable["value"], float) else "integer"
    return variable | {"value_type": kind, "selector": [scope, variable["name"]]}


def _checked(given: Mapping[str, Any]) -> Object:
    """A variable that Dify takes. ValueError: what is missing."""
    for name in ("name", "value_type", "value"):
        if given.get(name) is None or (name == "name" and not given[name]):
            raise ValueError(f"missing {name.replace('_', ' ')}")
    one = plain(given)
    if not one["id"]:
        raise ValueError("environment variable require a unique id")
    if one["value_type"] not in _KINDS | _OTHER_KINDS:
        raise ValueError(f"not supported value type {given['value_type']}")
    if one["value_type"] in {"string", "secret"} and not isinstance(one["value"], str):
        raise ValueError("1 validation error for StringVariable\nvalue\n  Input should be a valid string")
    return one


def plain(given: Mapping[str, Any]) -> Object:
    """A variable as the console tells it: without its selector, and a number is a number. ValueError: it is none.

    Where no id is sent, it gets one.
    """
    given = {"id": _uuid()} | dict(given)
    one = {name: given.get(name, "") for name in ("id", "name", "value", "value_type", "description")}
    kinds: dict[str, tuple[type, ...]] = {"integer": (int,), "float": (float,), "number": (int, float)}
    if one["value_type"] in kinds:
        if not isinstance(one["value"], kinds[one["value_type"]]):
            raise ValueError(f"not supported value type {one['value_type']}")
        one["value_type"] = "number"
    return one


def _cleared(data: Object, *, include_secret: bool) -> None:
    """Take out what an export never holds."""
    match data.get("type"):
        case "tool" if not include_secret:
            data.pop("credential_id", None)
        case "agent" if not include_secret:
            for tool in data.get("agent_parameters", {}).get("tools", {}).get("value", []):
                tool.pop("credential_id", None)
        case "trigger-webhook":
            data |= {"webhook_url": "", "webhook_debug_url": ""}
        case "trigger-plugin":
            data["subscription_id"] = ""
        case "trigger-schedule":
            visual = {"time": "12:00 AM", "on_minute": 0, "weekdays": ["sun"], "monthly_days": [1]}
            data["config"] = {"mode": "visual", "frequency": "daily", "visual_config": visual, "timezone": "UTC"}


def _pick(known: Mapping[str, Mapping[str, Any]], selector: list[str]) -> Any:
    return known.get(selector[0], {}).get(selector[1])


def _filled(blank: re.Pattern[str], text: str, values: Mapping[str, Any]) -> str:
    return blank.sub(lambda found: str(values.get(found[1], "")), text)


def variable(name: str, value: str | float, *, secret: bool = False, identity: str = "") -> Object:
    """An environment variable."""
    kind = "secret" if secret else "string" if isinstance(value, str) else "number"
    return {"id": identity or _uuid(), "name": name, "value": value, "value_type": kind, "description": ""}


def simple_flow(text: str = "v1", environment: Iterable[Object] = (), *, mode: str = "workflow") -> Flow:
    """A workflow or chatflow that says ``text``, and gives the environment: as outputs, or within the answer.

    In ``text``, ``{{ topic }}`` is the input of that name.
    """
    held = list(environment)
    start: Object = {"id": "start", "type": "custom", "position": {"x": 30, "y": 200}}
    start["data"] = {"type": "start", "title": "Start", "variables": [{"variable": "topic", "type": "text-input"}]}
    words: Object = {"id": "words", "type": "custom", "position": {"x": 330, "y": 200}}
    topic = {"variable": "topic", "value_selector": ["start", "topic"]}
    words["data"] = {"type": "template-transform", "title": "Words", "template": text, "variables": [topic]}
    last: Object = {"id": "last", "type": "custom", "position": {"x": 630, "y": 200}}
    if mode == "workflow":
        taken = [("text", ["words", "output"]), *((one["name"], ["env", one["name"]]) for one in held)]
        outputs = [{"variable": name, "value_selector": selector} for name, selector in taken]
        last["data"] = {"type": "end", "title": "End", "outputs": outputs}
    else:
        said = " ".join(["{{#words.output#}}", *(f"{{{{#env.{one['name']}#}}}}" for one in held)])
        last["data"] = {"type": "answer", "title": "Answer", "answer": said, "variables": []}
    nodes = [start, words, last]
    edges = [
        {"id": f"{one}-{other}", "source": one, "target": other, "sourceHandle": "source", "targetHandle": "target"}
        for one, other in (("start", "words"), ("words", "last"))
    ]
    graph = {"nodes": nodes, "edges": edges, "viewport": {"x": 0, "y": 0, "zoom": 1}}
    flow = Flow(environment=held)
    flow.take(graph, {"file_upload": {"enabled": False}}, mode)
    return flow
