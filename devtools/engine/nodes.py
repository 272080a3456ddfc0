"""The nodes of a graph: graphon's own, with the plugin behind the tools and a function behind the models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from graphon.dsl import SlimDslNodeFactory
from graphon.entities.graph_config import NodeConfigDict
from graphon.enums import BuiltinNodeTypes, NodeExecutionType
from graphon.model_runtime.entities.common_entities import I18nObject
from graphon.model_runtime.entities.llm_entities import LLMResult, LLMUsage
from graphon.model_runtime.entities.message_entities import AssistantPromptMessage, PromptMessage
from graphon.model_runtime.entities.model_entities import AIModelEntity, FetchFrom, ModelType
from graphon.nodes.base.node import Node
from graphon.nodes.llm.file_saver import LLMFileSaver
from graphon.nodes.llm.node import LLMNode
from graphon.nodes.llm.runtime_protocols import LLMProtocol
from graphon.nodes.tool.tool_node import ToolNode

from devtools.engine.tools import Tools, check_required

# Answers an LLM node: from its prompt messages to the text of the model.
type Model = Callable[[Sequence[PromptMessage]], str]


@dataclass
class NodeFactory(SlimDslNodeFactory):
    """Makes the nodes of a graph; all but tools and models as graphon's DSL importer makes them."""

    tools: Tools = field(kw_only=True)
    llm: Model | None = field(kw_only=True)

    def validate_node(self, node_config: NodeConfigDict) -> NodeExecutionType:
        """Check a node before the run; ValueError when it cannot be made. No Slim, no list of dependencies."""
        match node_config["data"].type:
            case BuiltinNodeTypes.TOOL:
                check_required(ToolNode.validate_node_data(node_config["data"]))
                return ToolNode.execution_type
            case BuiltinNodeTypes.LLM:
                LLMNode.validate_node_data(node_config["data"])
                return LLMNode.execution_type
        return super().validate_node(node_config)

    def create_node(self, node_config: NodeConfigDict) -> Node[Any]:
        """Make a node."""
        match node_config["data"].type:
            case BuiltinNodeTypes.TOOL:
                return ToolNode(
                    node_config["id"],
                    ToolNode.validate_node_data(node_config["data"]),
                    init_params=self.init_params,
                    runtime_state=self.runtime_state,
                    tool_file_manager=self.tools.files,
                    runtime=self.tools,
                )
            case BuiltinNodeTypes.LLM:
                return self._llm_node(node_config)
        return super().create_node(node_config)

    def _llm_node(self, node_config: NodeConfigDict) -> LLMNode:
        data = LLMNode.validate_node_data(node_config["data"])
        model = _Model(data.model.provider, data.model.name, data.model.completion_params, self.llm)
        return LLMNode(
            node_config["id"],
            data,
            init_params=self.init_params,
            runtime_state=self.runtime_state,
            # both protocols hold more than a node that answers in text asks for
            model_instance=cast("LLMProtocol", model),
            llm_file_saver=cast("LLMFileSaver", self.tools.files),
            prompt_message_serializer=model,
        )


@dataclass(slots=True)
class _Model:
    """What an LLM node asks of a model."""

    provider: str
    model_name: str
    parameters: Mapping[str, Any]
    answer: Model | None
    stop: Sequence[str] | None = None

    def get_model_schema(self) -> AIModelEntity:
        return AIModelEntity(
            model=self.model_name,
            label=I18nObject(en_us=self.model_name),
            model_type=ModelType.LLM,
            fetch_from=FetchFrom.PREDEFINED_MODEL,
            model_properties={},
        )

    def invoke_llm(self, *, prompt_messages: Sequence[PromptMessage], **_: object) -> LLMResult:
        if self.answer is None:
            raise ValueError(f"nobody answers for the model {self.provider}/{self.model_name}")
        message = AssistantPromptMessage(content=self.answer(prompt_messages))
        return LLMResult(model=self.model_name, message=message, usage=LLMUsage.empty_usage())

    def serialize(self, *, prompt_messages: Sequence[PromptMessage], **_: object) -> list[PromptMessage]:
        return list(prompt_messages)
