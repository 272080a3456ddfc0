"""What only Dify can do for us, as Protocols. ``bridge/`` fulfils them with a session, tests with a function."""

from collections.abc import Mapping
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
