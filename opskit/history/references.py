"""Which nodes and variables a workflow refers to."""

import re
from collections.abc import Iterator
from typing import Any

from opskit.history.dsl import Dsl

TEMPLATE = re.compile(r"\{\{#([^#{}]+)#\}\}")
_SCOPES = {"env": "environment_variables", "conversation": "conversation_variables"}


def dangling(dsl: Dsl, gone: frozenset[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """Who refers to something that is gone: ``{(scope, name): [titles of nodes]}``.

    ``gone`` holds ``("node", id)``, ``("env", name)`` and ``("conversation", name)``.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for node in dsl.nodes:
        title = str(node["data"].get("title") or node["id"])
        for what in sorted(set(_referred(node["data"])) & gone):
            found.setdefault(what, []).append(title)
    return found


def everything(dsl: Dsl) -> frozenset[tuple[str, str]]:
    """All that can be referred to."""
    nodes = {("node", node["id"]) for node in dsl.nodes}
    return frozenset(
        nodes | {(scope, str(it["name"])) for scope, where in _SCOPES.items() for it in dsl.variables(where)}
    )


def _referred(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        for match in TEMPLATE.finditer(value):
            yield _meant(match[1].split("."))
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _referred(entry)
    elif isinstance(value, list):
        if len(value) > 1 and all(isinstance(step, str) for step in value):
            yield _meant(value)  # a selector, or some other list of texts, which then names nothing
        for entry in value:
            yield from _referred(entry)


def _meant(selector: list[str]) -> tuple[str, str]:
    return (selector[0], selector[1]) if selector[0] in _SCOPES and selector[1:] else ("node", selector[0])
