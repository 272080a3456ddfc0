"""One run of a workflow, from its DSL to its outputs."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from graphon.dsl import DslImportPlan, inspect
from graphon.dsl.entities import DslCredentials, DslRuntimeVariables
from graphon.engine.engine import Engine
from graphon.engine_events.base import EngineEvent
from graphon.engine_events.graph import (
    GraphRunFailedEvent,
    GraphRunPartialSucceededEvent,
    GraphRunSucceededEvent,
)
from graphon.engine_events.node import NodeRunExceptionEvent, NodeRunSucceededEvent
from graphon.enums import BuiltinNodeTypes
from graphon.file.enums import FileTransferMethod, FileType
from graphon.file.protocols import WorkflowFileRuntimeProtocol
from graphon.graph.graph import Graph
from graphon.runtime.init_params import InitParams
from graphon.runtime.runtime_state import RuntimeState
from graphon.runtime.variable_pool import VariablePool
from graphon.variables.segments import ArrayFileSegment, Segment
from graphon.variables.variables import SecretVariable

from devtools.engine.files import Files, StoredFile
from devtools.engine.nodes import Model, NodeFactory
from devtools.engine.tools import Tools, cast_value
from devtools.plugin_process import PluginProcess

type Listener = Callable[[EngineEvent], None]

_WORKFLOW = "workflow-1"


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a run: ``status`` is succeeded, partial-succeeded (a failure branch was taken) or failed.

    ``node_outputs`` holds the outputs by node id; ``files`` what the tools made, by the ``reference`` that
    graphon's file objects in the outputs carry.
    """

    status: str
    outputs: dict[str, Any]
    error: str
    node_outputs: dict[str, dict[str, Any]]
    files: dict[str, StoredFile]


def run(
    workflow: Path | str,
    plugin: PluginProcess,
    *,
    inputs: Mapping[str, object],
    environment: Mapping[str, str] | None = None,
    on_event: Listener | None = None,
    llm: Model | None = None,
    run_id: str | None = None,
) -> Run:
    """Run a workflow DSL, a path or its text, and wait for its end.

    ``inputs`` are the start variables; a ``Path`` among them becomes a file. ``environment`` overrides environment
    variables of the workflow, whose secrets are empty in a DSL. ``run_id`` is ``sys.workflow_run_id``. ValueError:
    the workflow cannot be loaded, or does not take these inputs or variables.
    """
    plan = inspect(workflow.read_text(encoding="utf-8") if isinstance(workflow, Path) else workflow)
    graph = _graph(plan)
    with Files() as files:
        pool = VariablePool()
        _add_system(pool, run_id or str(uuid.uuid4()))
        _add_environment(pool, plan.document.runtime_variables, environment or {})
        start = _start_node(graph)
        for variable in start["data"]["variables"]:
            pool.add((start["id"], variable["variable"]), _input(variable, inputs, files))
        return _follow(_engine(graph, pool, Tools(plugin, files), llm), files, on_event)


def begun_by_hand(workflow: str) -> str:
    """The DSL with a start node in the place of a schedule: the engine itself knows no triggers."""
    document = yaml.safe_load(workflow)
    for node in document["workflow"]["graph"]["nodes"]:
        if node["data"]["type"] == "trigger-schedule":
            node["data"] = {"title": node["data"]["title"], "type": "start", "variables": []}
    return str(yaml.safe_dump(document, allow_unicode=True))


def _graph(plan: DslImportPlan) -> Mapping[str, Any]:
    if plan.load_reason or plan.document.graph_config is None:
        raise ValueError(plan.load_reason or "the DSL holds no graph")
    return plan.document.graph_config


def _start_node(graph: Mapping[str, Any]) -> Mapping[str, Any]:
    starts = [node for node in graph["nodes"] if node["data"]["type"] == BuiltinNodeTypes.START]
    if len(starts) != 1:
        raise ValueError(f"a workflow has one start node, this one has {len(starts)}")
    return cast("Mapping[str, Any]", starts[0])


def _add_system(pool: VariablePool, run_id: str) -> None:
    system = {"workflow_run_id": run_id, "workflow_id": _WORKFLOW, "app_id": "app-1", "user_id": "user-1"}
    for name, value in system.items():
        pool.add(("sys", name), value)
    pool.add(("sys", "timestamp"), int(time.time()))
    pool.add(("sys", "files"), ArrayFileSegment(value=[]))


def _add_environment(pool: VariablePool, declared: DslRuntimeVariables, given: Mapping[str, str]) -> None:
    if unknown := given.keys() - {variable.name for variable in declared.environment_variables}:
        raise ValueError(f"the workflow has no environment variable {', '.join(sorted(unknown))}")
    for variable in declared.environment_variables:
        value = given.get(variable.name, variable.value)
        match variable.source.get("value_type"):
            case "secret":
                value = SecretVariable(name=variable.name, value=value)
            case "number":
                value = cast_value("number", value)
        pool.add(("env", variable.name), value)
    for variable in declared.conversation_variables:
        pool.add(("conversation", variable.name), variable.value)


def _input(variable: Mapping[str, Any], inputs: Mapping[str, object], files: Files) -> object:
    """The value of a start variable; ValueError when Dify's API would refuse the request."""
    name = variable["variable"]
    value = inputs.get(name, variable.get("default") or None)
    if value is None and variable.get("required"):
        raise ValueError(f"{name} is required in input form")
    if not isinstance(value, Path):
        return value
    file = files.upload(value)
    types, extensions = (variable.get(f"allowed_file_{kind}") or [] for kind in ("types", "extensions"))
    by_type = file.extension in extensions if file.type == FileType.CUSTOM else not types or file.type in types
    if not by_type or FileTransferMethod.LOCAL_FILE not in variable.get("allowed_file_upload_methods", []):
        raise ValueError(f"File validation failed for file: {file.filename}")
    return file


def _engine(graph: Mapping[str, Any], pool: VariablePool, tools: Tools, llm: Model | None) -> Engine:
    state = RuntimeState(variable_pool=pool, start_at=time.time(), workflow_id=_WORKFLOW)
    factory = NodeFactory(
        graph_config=graph,
        init_params=InitParams(workflow_id=_WORKFLOW, graph_config=graph, run_context={}, call_depth=0),
        runtime_state=state,
        credentials=DslCredentials(),
        dependencies=[],
        tools=tools,
        llm=llm,
    )
    nodes = Graph.init(graph_config=graph, node_factory=factory, root_node_id=_start_node(graph)["id"])
    # graphon asks its file runtime for nothing but addresses and contents here
    return Engine(nodes, state, file_runtime=cast("WorkflowFileRuntimeProtocol", tools.files))


def _follow(engine: Engine, files: Files, on_event: Listener | None) -> Run:
    """Run to the end, and pass every event on."""
    status, error = "failed", ""
    outputs: dict[str, Any] = {}
    node_outputs: dict[str, dict[str, Any]] = {}
    with closing(engine.run()) as events:
        for event in events:
            if on_event:
                on_event(event)
            match event:
                case NodeRunSucceededEvent() | NodeRunExceptionEvent():
                    node_outputs[event.node_id] = dict(_values(event.node_run_result.outputs))
                case GraphRunSucceededEvent():
                    status, outputs = "succeeded", event.outputs
                case GraphRunPartialSucceededEvent():
                    status, outputs = "partial-succeeded", event.outputs
                case GraphRunFailedEvent():
                    error = event.error
                    break  # the engine would raise the same error next
    return Run(status, outputs, error, node_outputs, files.made)


def _values(outputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """A node's outputs. The start node repeats every variable of the run, secrets among them: they stay out."""
    for name, value in outputs.items():
        if "." not in name:
            yield name, value.to_object() if isinstance(value, Segment) else value
