"""Two versions of a workflow, compared by what they mean: moving a node is no change."""

from collections.abc import Iterator, Mapping
from typing import Any

from opskit.history import layout
from opskit.history.canonical import GRAPH, Canonical
from opskit.history.changes import Comparison, Entry, Kind
from opskit.history.differences import MISSING, Difference, between
from opskit.history.dsl import Dsl, edge_key, is_secret, paired, variable_id
from opskit.history.plugins import versions
from opskit.history.risks import judged

_VARIABLES = ("environment_variables", "conversation_variables")
_SET = "***"


def compare(left: Canonical, right: Canonical) -> Comparison:
    """What changed from ``left`` to ``right``; without changes where the two have the same hash.

    Beyond what the hash covers it tells whether a secret lost its value, and whether a plugin that both name among
    their dependencies has another version, as far as the two know.
    """
    entries = [
        *_nodes(left, right),
        *_edges(left, right),
        *(entry for where in _VARIABLES for entry in _variables(left, right, where)),
        *_features(left, right),
    ]
    order = {kind: place for place, kind in enumerate(("node", "edge", "variable", "secret", "feature"))}
    entries.sort(key=lambda entry: order[entry.kind])
    return Comparison(left, right, tuple(judged(entries, left.dsl, right.dsl)))


def title_of(node: Mapping[str, Any]) -> str:
    """The title of a node, its id where it has none."""
    return str(node["data"].get("title") or node["id"])


def _nodes(left: Canonical, right: Canonical) -> Iterator[Entry]:
    ours = {node["id"]: node for node in left.dsl.nodes}
    theirs = {node["id"]: node for node in right.dsl.nodes}
    for identity in [*theirs, *(name for name in ours if name not in theirs)]:
        key = f"node {identity}"
        if left.meaning.get(key) == right.meaning.get(key):
            continue
        old, new = ours.get(identity), theirs.get(identity)
        there = tuple(MISSING if node is None else layout.node_meaning(node) for node in (old, new))
        either = new or ours[identity]
        kind = "note" if layout.is_note(either) else str(either["data"].get("type", ""))
        for difference in between(there[0], there[1]):
            yield Entry("node", identity, title_of(either), kind, difference)


def _edges(left: Canonical, right: Canonical) -> Iterator[Entry]:
    if left.meaning["edges"] == right.meaning["edges"]:
        return
    titles = {node["id"]: title_of(node) for dsl in (left.dsl, right.dsl) for node in dsl.nodes}
    ours, theirs = _numbered(left.dsl), _numbered(right.dsl)
    for key in sorted(ours.keys() | theirs.keys()):
        source, handle, target = key[0], key[1], key[2]
        branch = "" if handle == "source" else f" [{handle}]"
        title = f"{titles.get(source, source)}{branch} → {titles.get(target, target)}"
        for difference in between(ours.get(key, MISSING), theirs.get(key, MISSING)):
            yield Entry("edge", "-".join(key[:4]), title, "", difference)


def _numbered(dsl: Dsl) -> dict[tuple[str, ...], dict[str, Any]]:
    """The edges by what they join; should two join the same, they are told apart by a number."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for edge in dsl.edges:
        key, number = edge_key(edge), 0
        while (*key, str(number)) in found:
            number += 1
        found[(*key, str(number))] = layout.edge_meaning(edge)
    return found


def _variables(left: Canonical, right: Canonical, where: str) -> Iterator[Entry]:
    for old, new in _paired(left.dsl.variables(where), right.dsl.variables(where)):
        either = new or old or {}
        secret = any(it is not None and is_secret(it) for it in (old, new))
        kind: Kind = "secret" if secret else "variable"
        name, path = str(either["name"]), (where, str(either["name"]))
        for difference in between(MISSING if old is None else old, MISSING if new is None else new, path):
            yield Entry(kind, variable_id(either), name, "", difference)
        if old and new and is_secret(old) and is_secret(new):
            states = left.dsl.secrets.get(variable_id(old)), right.dsl.secrets.get(variable_id(new))
            if states[0] != states[1] and False in states:
                values = ["" if state is False else _SET for state in states]
                yield Entry(kind, variable_id(new), name, "", Difference((*path, "value"), *values))


def _paired(
    left: list[dict[str, Any]], right: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """The variables of both sides, matched by id, then by name."""
    matches = paired(left, right)
    yield from ((matches.get(place), new) for place, new in enumerate(right))
    yield from ((old, None) for old in left if old not in matches.values())


def _features(left: Canonical, right: Canonical) -> Iterator[Entry]:
    """The mode, the features and whatever else there is, and the plugins that are known to both."""
    ours, theirs = _rest(left.dsl), _rest(right.dsl)
    for difference in between(ours, theirs):
        named = difference.path[1] if difference.path[0] in ("features", "app") and difference.path[1:] else None
        name = named or difference.path[0]
        yield Entry("feature", name, name, "", difference)
    old, new = versions(left.dsl), versions(right.dsl)
    for plugin in sorted(old.keys() & new.keys()):
        if old[plugin] != new[plugin]:
            difference = Difference(("dependencies", plugin), old[plugin], new[plugin])
            yield Entry("feature", "dependencies", plugin, "", difference)


def _rest(dsl: Dsl) -> dict[str, Any]:
    graph = {name: it for name, it in dsl.workflow["graph"].items() if name not in GRAPH}
    parts = {name: it for name, it in dsl.workflow.items() if name not in ("graph", *_VARIABLES)}
    return parts | {"app": {"mode": dsl.mode}} | ({"graph": graph} if graph else {})
