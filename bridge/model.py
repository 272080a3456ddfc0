"""The workspace's language models, as the core asks for them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel

from opskit.errors import InvalidInput, Unavailable
from opskit.ports import Reply


class Prompt(BaseModel):
    """A message to a model, as Dify reads it. The SDK's own class is not imported: it patches the whole process."""

    role: Literal["system", "user"]
    content: str
    name: str | None = None


class LanguageModel:
    """Asks a model through Dify, by a reverse invocation. Never inside ``off_loop``: no answer would arrive there."""

    def __init__(self, tool: Any) -> None:
        self._tool = tool

    def ask(self, choice: Mapping[str, Any], system: str, user: str) -> Reply:
        """The model's answer to two messages. InvalidInput: no model is chosen; Unavailable: it does not answer."""
        if not choice.get("provider") or not choice.get("model"):
            raise InvalidInput("no_model")
        config = {"completion_params": {}, "mode": "chat", **choice}
        messages = [Prompt(role="system", content=system), Prompt(role="user", content=user)]
        try:
            result = self._tool.session.model.llm.invoke(model_config=config, prompt_messages=messages, stream=False)
        except Exception as error:  # noqa: BLE001 - the SDK raises bare Exceptions, whatever has happened
            raise Unavailable("model_unavailable", model=choice["model"], problem=error) from None
        usage = result.usage
        return Reply(
            text=result.message.content if isinstance(result.message.content, str) else "",
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            price=Decimal(usage.total_price),
            currency=usage.currency,
        )
