"""What the console tells: apps, drafts and versions, variables, keys, plugins.

Shapes are those of Dify 1.13.3, ``fields/workflow_fields.py`` and ``controllers/console``; what is missing, as in
other versions, is empty. Times are seconds since the epoch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import yaml

MASK = "*" * 20  # what the console shows of a secret, of an empty one as well
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # absent where PyYAML was made without libyaml
HIDDEN = "[__HIDDEN__]"  # what keeps the value that a variable has: it is found by its id in the draft


@dataclass(frozen=True, slots=True)
class ConsoleApp:
    """An app. ``published_id`` is the version that serves, empty where none is published.

    ``head`` is what a DSL says of it: name, mode, description, icons.
    """

    id: str
    name: str
    mode: str
    published_id: str = ""
    author: str = ""
    updated_at: int = 0
    head: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The app that an answer tells of."""
        names = ("name", "mode", "icon", "icon_type", "icon_background", "description", "use_icon_as_answer_icon")
        return cls(
            _text(told, "id"),
            _text(told, "name"),
            _text(told, "mode"),
            _text(_inner(told, "workflow"), "id"),
            _text(told, "author_name"),
            _number(told, "updated_at") or 0,
            {name: told.get(name) for name in names},
        )


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment (``value_type`` string, number or secret) or of the conversation (any type)."""

    id: str
    name: str
    value_type: str
    value: Any = field(default="", repr=False)
    description: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The variable that an answer tells of."""
        return cls(
            _text(told, "id"),
            _text(told, "name"),
            _text(told, "value_type"),
            told.get("value"),
            _text(told, "description"),
        )

    @property
    def secret(self) -> bool:
        """Whether its value is never shown."""
        return self.value_type == "secret"

    @property
    def sent(self) -> dict[str, Any]:
        """How it is written into a draft: a secret that is masked keeps its value."""
        value = HIDDEN if self.secret and self.value == MASK else self.value
        told = {"id": self.id, "name": self.name, "value_type": self.value_type, "value": value}
        return told | {"description": self.description}


@dataclass(frozen=True, slots=True)
class Workflow:
    """A draft, or a published version: then ``version`` is its time, as text.

    Of secrets in ``environment`` only the mask is known. ``hash`` covers graph and features, and not the environment.
    """

    id: str
    version: str = ""
    graph: Mapping[str, Any] = field(default_factory=dict, repr=False)
    features: Mapping[str, Any] = field(default_factory=dict, repr=False)
    hash: str = ""
    environment: tuple[Variable, ...] = field(default=(), repr=False)
    conversation: tuple[Variable, ...] = field(default=(), repr=False)
    marked_name: str = ""
    marked_comment: str = ""
    created_by: str = ""
    created_at: int = 0
    updated_by: str = ""
    updated_at: int = 0

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The workflow that an answer tells of."""
        return cls(
            id=_text(told, "id"),
            version=_text(told, "version"),
            graph=_inner(told, "graph"),
            features=_inner(told, "features"),
            hash=_text(told, "hash"),
            environment=tuple(map(Variable.of, rows(told, "environment_variables"))),
            conversation=tuple(map(Variable.of, rows(told, "conversation_variables"))),
            marked_name=_text(told, "marked_name"),
            marked_comment=_text(told, "marked_comment"),
            created_by=_text(_inner(told, "created_by"), "name"),
            created_at=_number(told, "created_at") or 0,
            updated_by=_text(_inner(told, "updated_by"), "name"),
            updated_at=_number(told, "updated_at") or 0,
        )

    @property
    def is_draft(self) -> bool:
        """Whether it is the draft."""
        return self.version == "draft"


@dataclass(frozen=True, slots=True)
class Versions:
    """The draft and the published versions, newest first; ``whole`` is whether none is missing."""

    items: tuple[Workflow, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Synced:
    """A draft that has been written: its new hash."""

    hash: str
    updated_at: int

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """What an answer tells of it."""
        return cls(_text(told, "hash"), _number(told, "updated_at") or 0)


@dataclass(frozen=True, slots=True)
class Export:
    """A DSL: its YAML in ``text``; or, where the server could not export, the same assembled in ``document``.

    ``text`` is empty then. An assembled one has no ``dependencies``, and dataset ids as they are.
    """

    text: str = field(default="", repr=False)
    document: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def values(self) -> Mapping[str, Any]:
        """The values of the environment by the ids of the variables, secrets in clear where they were asked for.

        Nothing where the text does not tell them.
        """
        try:
            told = yaml.load(self.text, Loader=_LOADER)  # noqa: S506 - both are safe
            return {str(one["id"]): one.get("value", "") for one in told["workflow"]["environment_variables"]}
        except (yaml.YAMLError, TypeError, KeyError, AttributeError, RecursionError):
            return {}


@dataclass(frozen=True, slots=True)
class AppKey:
    """A key of an app. ``last_used_at`` is None where it was never used, or where Dify does not write it down."""

    id: str
    token: str = field(repr=False)
    created_at: int = 0
    last_used_at: int | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The key that an answer tells of."""
        used = _number(told, "last_used_at")
        return cls(_text(told, "id"), _text(told, "token"), _number(told, "created_at") or 0, used)

    @property
    def last4(self) -> str:
        """What may be shown of it."""
        return self.token[-4:]


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installed plugin: ``id`` is author/name, ``identifier`` has version and checksum, too."""

    id: str
    identifier: str
    version: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The plugin that an answer tells of."""
        return cls(_text(told, "plugin_id"), _text(told, "plugin_unique_identifier"), _text(told, "version"))


@dataclass(frozen=True, slots=True)
class Missing:
    """A plugin that a DSL needs as ``wanted``; ``installed`` is the one that is there instead, or empty."""

    plugin_id: str
    wanted: str
    installed: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What a server says that it is, and what follows from that; ``version`` is empty where it does not say.

    ``dsl_version`` is what it exports, by its version; ``restores`` is whether it can copy a version into the draft.
    """

    version: str
    dsl_version: str
    restores: bool


def rows(told: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    """The objects of a list that may be missing."""
    found = told.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return "" if value is None else str(value)


def _inner(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def _number(told: Mapping[str, Any], name: str) -> int | None:
    value = told.get(name)
    return int(value) if isinstance(value, (int, float)) else None
