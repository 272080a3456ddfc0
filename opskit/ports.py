"""What only Dify can do for us, as Protocols. ``bridge/`` fulfils them with a session, tests with a function."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """What a language model answered, and what that took; ``price`` in ``currency``, 0 where it is not known."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    price: Decimal = Decimal(0)
    currency: str = ""


class LanguageModel(Protocol):
    """A language model of the workspace."""

    def ask(self, choice: Mapping[str, Any], system: str, user: str) -> Reply:
        """Ask the chosen model (Dify's model selector). ``Unavailable`` where it does not answer."""
        ...


class Workspace(Protocol):
    """The apps of the workspace that we are called from, which need no key there."""

    @property
    def app_id(self) -> str:
        """The calling app; empty where none is known."""
        ...

    @property
    def by_model(self) -> bool:
        """Whether a model may have chosen the parameters, the builder's among them: the Agent node lets it."""
        ...

    def events(
        self, app_id: str, *, inputs: Mapping[str, Any], query: str, conversation_id: str
    ) -> Iterator[Mapping[str, Any]]:
        """Start a run and give its events as they come; what ``dify.invocation_failed`` makes of a refusal."""
        ...

    def parameters(self, app_id: str) -> Mapping[str, Any]:
        """What an app asks for, as ``/v1/parameters`` tells it."""
        ...

    def upload(self, filename: str, content: bytes, mime_type: str) -> Mapping[str, Any]:
        """Give a file to the workspace and return the object by which an input names it."""
        ...
