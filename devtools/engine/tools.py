"""Between a tool node and the plugin: what Dify's API does there, done in the same way.

Source: Dify's ``core/tools/tool_manager.py`` (form values), ``core/plugin/entities/parameters.py`` (casts),
``core/plugin/utils/converter.py`` (files) and ``core/plugin/impl/exc.py`` (the words of a failure).
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import yaml
from graphon.dsl.tool_runtime import tool_runtime_message_from_payload
from graphon.file.models import File
from graphon.model_runtime.entities.llm_entities import LLMUsage
from graphon.nodes.tool.entities import ToolInputType, ToolNodeData
from graphon.nodes.tool.exc import ToolNodeError, ToolParameterError, ToolRuntimeInvocationError
from graphon.nodes.tool_runtime_entities import ToolRuntimeHandle, ToolRuntimeMessage, ToolRuntimeParameter
from graphon.runtime.variable_pool import VariablePool
from graphon.variables.template_resolution import convert_template

from devtools.catalog import ROOT
from devtools.engine.files import Files
from devtools.plugin_process import PluginFailure, PluginProcess

type Declared = dict[str, dict[str, Any]]

_YES = frozenset({"true", "yes", "y", "1"})
_NO = frozenset({"false", "no", "n", "0"})


@cache
def declared_parameters(tool: str) -> Declared:
    """The parameters of a tool's YAML, by name. Read once: the plugin does not read it again either."""
    declaration = yaml.safe_load((ROOT / "tools" / f"{tool}.yaml").read_text(encoding="utf-8"))
    return {parameter["name"]: parameter for parameter in declaration["parameters"]}


def check_required(data: ToolNodeData) -> None:
    """ValueError when a required parameter is not set: Dify's editor does not run or publish such a workflow."""
    for name, parameter in declared_parameters(data.tool_name).items():
        given = (data.tool_configurations if parameter["form"] == "form" else data.tool_parameters).get(name) or {}
        value = given.get("value") if isinstance(given, dict) else given.value
        if parameter.get("required") and value in (None, "", []):
            raise ValueError(f"{data.title}: the parameter {name} is required")


@dataclass(frozen=True, slots=True)
class _Call:
    """A tool that is ready to be called, with the values of its form."""

    tool: str
    declared: Declared
    form: dict[str, Any]


class Tools:
    """Graphon's runtime of tool nodes: it calls the plugin as Dify's API does."""

    def __init__(self, plugin: PluginProcess, files: Files) -> None:
        self.files = files
        self._plugin = plugin

    def get_runtime(
        self,
        *,
        node_id: str,  # noqa: ARG002 - these names are graphon's
        node_data: ToolNodeData,
        variable_pool: VariablePool | None,
        node_execution_id: str | None = None,  # noqa: ARG002
    ) -> ToolRuntimeHandle:
        """Resolve the form values. One that is not set is simply missing: a workflow gets no defaults from Dify."""
        if variable_pool is None:
            raise ToolParameterError("a tool node without tool_node_version is from before Dify 1.0: set it to '2'")
        declared = declared_parameters(node_data.tool_name)
        form = {}
        for name, parameter in declared.items():
            setting = node_data.tool_configurations.get(name)
            if parameter["form"] == "form" and isinstance(setting, dict) and setting.get("value") is not None:
                form[name] = _resolved(ToolNodeData.ToolInput.model_validate(setting), variable_pool)
        return ToolRuntimeHandle(raw=_Call(node_data.tool_name, declared, form))

    def get_runtime_parameters(self, *, tool_runtime: ToolRuntimeHandle) -> Sequence[ToolRuntimeParameter]:
        """The declared parameters."""
        declared = cast("_Call", tool_runtime.raw).declared
        return [
            ToolRuntimeParameter(name=name, required=parameter.get("required", False))
            for name, parameter in declared.items()
        ]

    def invoke(
        self,
        *,
        tool_runtime: ToolRuntimeHandle,
        tool_parameters: Mapping[str, Any],
        workflow_call_depth: int,  # noqa: ARG002
        provider_name: str,
    ) -> Generator[ToolRuntimeMessage]:
        """Call the plugin and pass its messages on. A failure fails the node, in the words of Dify."""
        call = cast("_Call", tool_runtime.raw)
        try:
            parameters = {
                name: _sendable(cast_value(call.declared[name]["type"], value) if name in call.declared else value)
                for name, value in {**tool_parameters, **call.form}.items()
            }
            for message in self._plugin.stream(call.tool, parameters):
                yield tool_runtime_message_from_payload(message)
        except PluginFailure as failure:
            raise ToolRuntimeInvocationError(_words(failure, provider_name)) from failure
        except ToolNodeError:
            raise
        except ValueError as error:
            raise ToolRuntimeInvocationError(str(error)) from error

    def get_usage(self, *, tool_runtime: ToolRuntimeHandle) -> LLMUsage:  # noqa: ARG002
        """A tool uses no tokens of Dify's."""
        return LLMUsage.empty_usage()

    def build_file_reference(self, *, mapping: Mapping[str, Any]) -> File:
        """The file that a tool made."""
        return self.files.file(mapping["tool_file_id"])


def _words(failure: PluginFailure, provider: str) -> str:
    return (
        f"An error occurred in the {provider}, please contact the author of {provider} for help, "
        f"error type: {failure.kind}, error details: {failure.message}"
    )


def _resolved(setting: ToolNodeData.ToolInput, pool: VariablePool) -> object:
    """The value of a form parameter. Only a mixed one is a template; a constant is taken as it stands."""
    match setting.type:
        case ToolInputType.VARIABLE:
            variable = pool.get(cast("list[str]", setting.value))
            if variable is None:
                raise ToolParameterError(f"Variable {setting.value} does not exist")
            return variable.value
        case ToolInputType.MIXED:
            return convert_template(pool, str(setting.value)).text
        case ToolInputType.CONSTANT:
            return setting.value


def cast_value(kind: str, value: Any) -> Any:
    """A value in a parameter's type; ValueError when it cannot be."""
    match kind:
        case "string" | "select":
            return "" if value is None else str(value)
        case "boolean":
            return _truth(value)
        case "number":
            return _number(value)
        case "file" if isinstance(value, list):
            if len(value) != 1:
                raise ValueError("This parameter only accepts one file but got multiple files while invoking.")
            return value[0]
        case "files" if not isinstance(value, list):
            return [value]
    return value


def _truth(value: Any) -> bool:
    if isinstance(value, str):
        return value.lower() in _YES or (value.lower() not in _NO and bool(value))
    return bool(value)


def _number(value: Any) -> int | float | None:
    if isinstance(value, str) and value:
        return float(value) if "." in value else int(value)
    return value if isinstance(value, (int, float)) else None


def _sendable(value: Any) -> Any:
    """Files in the form in which a plugin gets them: an address, and what is known about the content."""
    if isinstance(value, list):
        return [_sendable(entry) for entry in value]
    return value.to_plugin_parameter() if isinstance(value, File) else value
