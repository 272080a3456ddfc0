"""Which changes may break something: callers, secrets, quality, or the workflow itself."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from opskit.history.changes import Entry, Peril
from opskit.history.differences import MISSING
from opskit.history.dsl import Dsl, is_secret
from opskit.history.references import TEMPLATE, dangling, everything
from opskit.history.secrets import MARK

_TOOL = frozenset(
    {
        "provider_id", "provider_name", "provider_type", "plugin_id", "plugin_unique_identifier", "tool_name",
        "tool_node_version", "agent_strategy_name", "agent_strategy_provider_name",
    }
)  # fmt: skip
_MODEL = frozenset({"provider", "name", "mode", "model"})
_FAIL_BRANCH = "fail-branch"
_SCOPES = {"environment_variables": "env", "conversation_variables": "conversation"}


def judged(entries: Sequence[Entry], left: Dsl, right: Dsl) -> Iterator[Entry]:
    """The entries with their risks."""
    users = dangling(right, everything(left) - everything(right))
    for entry in entries:
        perils = [*_referred(entry, users), *_perils(entry, entries, right)]
        yield replace(entry, perils=tuple(perils)) if perils else entry


def _referred(entry: Entry, users: dict[tuple[str, str], list[str]]) -> Iterator[Peril]:
    """What is gone, and still referred to; a variable that has another name now counts as gone."""
    path = entry.difference.path
    what: tuple[str, str] | None = None
    if entry.kind == "node" and not path:
        what = ("node", entry.id)
    elif path and path[0] in _SCOPES:
        renamed = path[2:] == ("name",)
        what = (_SCOPES[path[0]], str(entry.difference.left) if renamed else path[1])
    if what in users and (entry.difference.right is MISSING or path[2:] == ("name",)):
        yield Peril("reference_dangling", ", ".join(users[what]))


def _perils(entry: Entry, entries: Sequence[Entry], right: Dsl) -> Iterator[Peril]:
    if entry.kind == "secret":
        yield from _of_secret(entry, right)
    elif entry.kind == "edge":
        if entry.difference.right is MISSING and entry.difference.left["sourceHandle"] == _FAIL_BRANCH:
            yield Peril("error_branch_removed")
    elif entry.kind == "feature":
        if entry.difference.path == ("app", "mode"):
            yield Peril("mode_changed")
        elif entry.difference.path[0] == "dependencies":
            yield Peril("plugin_changed")
    elif entry.kind == "node" and not entry.difference.path:
        yield from _of_whole_node(entry)
    elif entry.kind == "node":
        yield from _of_place(entry, entries)
    yield from _of_mark(entry)


def _of_secret(entry: Entry, right: Dsl) -> Iterator[Peril]:
    left, now, path = entry.difference.left, entry.difference.right, entry.difference.path
    if path[2:] == ("value_type",) and left == "secret":
        yield Peril("secret_exposed")
    elif len(path) == 2 and now is MISSING:  # noqa: PLR2004 - the variable itself
        yield Peril("secret_missing")
    elif (path[2:] == ("value",) and now == "" and left != "") or (
        left is MISSING and isinstance(now, dict) and is_secret(now) and right.secrets.get(entry.id) is False
    ):
        yield Peril("secret_emptied")


def _of_whole_node(entry: Entry) -> Iterator[Peril]:
    gone = entry.difference.right is MISSING
    data = (entry.difference.left if gone else entry.difference.right)["data"]
    if gone and entry.type in ("end", "answer"):
        yield Peril("output_removed", _names(data.get("outputs")))
    elif gone and entry.type == "start":
        yield Peril("input_removed", _names(data.get("variables")))


def _of_place(entry: Entry, entries: Sequence[Entry]) -> Iterator[Peril]:
    path, left, right = entry.difference.path, entry.difference.left, entry.difference.right
    field = path[1] if path[1:] else ""
    if entry.type == "end" and field == "outputs":
        yield from _of_port(entry, entries, "output")
    elif entry.type == "start" and field == "variables":
        yield from _of_port(entry, entries, "input")
    elif entry.type == "answer" and path == ("data", "answer"):
        lost = sorted(set(TEMPLATE.findall(str(left))) - set(TEMPLATE.findall(str(right))))
        if lost:
            yield Peril("output_removed", ", ".join(lost))
    elif field == "error_strategy":
        if left == _FAIL_BRANCH or (left not in (MISSING, None, "none") and right in (MISSING, None, "none")):
            yield Peril("error_branch_removed")
    elif field in _TOOL:
        yield Peril("plugin_changed")
    elif "completion_params" in path:
        yield Peril("model_params")
    elif any(step in ("model", "reranking_model") for step in path) and (path[-1] in _MODEL or path[-2] == "data"):
        yield Peril("model_swapped")


def _of_port(entry: Entry, entries: Sequence[Entry], port: str) -> Iterator[Peril]:
    """An output or an input: ``/data/outputs/NAME``, or a field of it."""
    path, left, right = entry.difference.path, entry.difference.left, entry.difference.right
    if len(path) < 3 and not isinstance(right, list):  # noqa: PLR2004 - the whole list
        yield Peril(f"{port}_removed", _names(left))
    elif len(path) == 3:  # noqa: PLR2004 - the item itself
        if right is MISSING:
            renamed = next((it for it in entries if it.id == entry.id and _is_renamed(entry, it, port)), None)
            yield Peril(f"{port}_renamed" if renamed else f"{port}_removed", path[2])
        elif port == "input" and left is MISSING and right.get("required") is True:
            yield Peril("input_required", path[2])
    elif path[3:] == ("variable",):
        yield Peril(f"{port}_renamed", str(left))
    elif port == "input" and path[3:] == ("required",) and right is True:
        yield Peril("input_required", path[2])
    elif port == "input" and path[3:] == ("type",):
        yield Peril("input_changed", path[2])


def _is_renamed(gone: Entry, other: Entry, port: str) -> bool:
    """Whether ``other`` is new at the same list, and all the same but for its name."""
    there = other.difference
    if there.left is not MISSING or there.path[:-1] != gone.difference.path[:-1]:
        return False
    field = "value_selector" if port == "output" else "label"
    return bool(gone.difference.left.get(field) == there.right.get(field))


def _of_mark(entry: Entry) -> Iterator[Peril]:
    """A secret that was written into a node, and is not there any more, nor a template in its place."""
    left, right = entry.difference.left, entry.difference.right
    if isinstance(left, str) and isinstance(right, str) and MARK.search(left) and not MARK.search(right):
        if not right.strip():
            yield Peril("secret_emptied")
        elif not TEMPLATE.search(right):
            yield Peril("secret_missing")


def _names(items: Any) -> str:
    found = items if isinstance(items, list) else []
    return ", ".join(str(item.get("variable")) for item in found if isinstance(item, dict))
