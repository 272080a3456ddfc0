"""What only Dify can do for us, as Protocols. ``bridge/`` fulfils them with a session, tests with a function."""

from collections.abc import Generator, Iterator, Mapping
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


class Storage(Protocol):
    """Values that outlive the process, of one workspace. ``Unavailable`` where Dify does not keep or give them.

    Keys have at most 256 characters, values stay below 2 MB (one message to Dify). Nothing lists the keys, and between
    a ``get`` and a ``set`` another call may write.
    """

    def get(self, key: str) -> bytes | None:
        """The value, or None where there is none."""
        ...

    def set(self, key: str, value: bytes) -> None:
        """Keep the value, in place of the one before."""
        ...

    def delete(self, key: str) -> None:
        """Drop the value, if there is one."""
        ...


class Starter(Protocol):
    """What starts an app of the workspace."""

    def start(self, app_id: str, inputs: Mapping[str, str], query: str) -> Generator[Mapping[str, Any]]:
        """The events of a run, as they come; inputs that the app does not declare are ignored.

        ``query`` is what a chat app is asked, and a workflow ignores. ``Unavailable`` where there is no run; close the
        generator to stop listening, which does not stop the run.
        """
        ...
