"""Every text of a DSL that a person may have written, with the place and the name that it has there."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from opskit.history.dsl import Dsl
from opskit.history.places import names

# What says the name of the value beside it: {"name": "token", "value": "…"}, {"variable": "token", "default": "…"}.
_LABELS = ("name", "key", "variable")
_VALUES = frozenset({"value", "default", "default_value"})
_VARIABLES = ("environment_variables", "conversation_variables")


class Text(NamedTuple):
    """A text: the node (empty for what belongs to the app), its path, the name of its field, and what it says.

    ``lines``: each of its lines is a name and a value, as in the headers of an HTTP request.
    """

    node: str
    path: tuple[str, ...]
    name: str
    lines: bool
    text: str


def texts(dsl: Dsl) -> Iterator[Text]:
    """All texts, in order."""
    found: list[Text] = []

    def keep(text: Text) -> str:
        found.append(text)
        return text.text

    changed(dsl, keep)
    yield from found


def changed(dsl: Dsl, change: Callable[[Text], str]) -> Dsl:
    """The DSL with each text replaced by what ``change`` makes of it; what stays the same is not copied."""
    walk = _Walk("", frozenset(), change)
    workflow = {part: _part(part, value, walk, change) for part, value in dsl.workflow.items()}
    return replace(dsl, app=walk.value(dsl.app, ("app",), ""), workflow=workflow)


def _part(part: str, value: Any, walk: "_Walk", change: Callable[[Text], str]) -> Any:
    """A part of the workflow: the nodes one by one, the variables by name."""
    if part in _VARIABLES:
        return [walk.value(entry, (part, str(entry["name"])), "") for entry in value]
    if part == "graph":
        return value | {"nodes": [_node(node, change) for node in value["nodes"]]}
    return walk.value(value, (part,), part)


def _node(node: dict[str, Any], change: Callable[[Text], str]) -> dict[str, Any]:
    data = _Walk(node["id"], _line_places(node["data"]), change).value(node["data"], ("data",), "")
    return node if data is node["data"] else node | {"data": data}


def _line_places(data: dict[str, Any]) -> frozenset[tuple[str, ...]]:
    """Where an HTTP request keeps names and values line by line; its body does so in versions before 0.1.3."""
    if data.get("type") != "http-request":
        return frozenset()
    body = data.get("body")
    form = isinstance(body, dict) and "form" in str(body.get("type"))
    return frozenset({("data", "headers"), ("data", "params"), *([("data", "body", "data")] if form else [])})


class _Walk:
    def __init__(self, node: str, lines: frozenset[tuple[str, ...]], change: Callable[[Text], str]) -> None:
        self._node = node
        self._lines = lines
        self._change = change

    def value(self, value: Any, path: tuple[str, ...], name: str) -> Any:
        """The value with its texts changed; the value itself where none was."""
        if isinstance(value, str):
            return self._change(Text(self._node, path, name, path in self._lines, value))
        if isinstance(value, dict):
            label = next((it for key in _LABELS if isinstance(it := value.get(key), str)), name)
            made = {
                key: self.value(entry, (*path, key), label if key in _VALUES else key) for key, entry in value.items()
            }
            return made if any(made[key] is not value[key] for key in value) else value
        if isinstance(value, list):
            parts = zip(value, names(value), strict=True)
            entries = [self.value(entry, (*path, step), "") for entry, step in parts]
            return entries if any(new is not old for new, old in zip(entries, value, strict=True)) else value
        return value
