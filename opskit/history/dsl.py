"""A workflow's DSL as it is held in memory: read from a file, or assembled from what the console tells.

Shape of what Dify exports (api/services/app_dsl_service.py)::

    version: 0.6.0   kind: app   app: {name, mode, …}   dependencies: [{type, value}]
    workflow: {graph: {nodes, edges, viewport}, features, environment_variables, conversation_variables}
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opskit.errors import InvalidInput
from opskit.history import layout
from opskit.history.reading import MAX_DEPTH, parsed
from opskit.wording import well_formed

MODES = ("workflow", "advanced-chat")
NEWEST = (0, 6)
_OLDEST = "0.1.0"  # what Dify takes a DSL for that names no version
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?")
_APP = ("description", "icon", "icon_background", "icon_type", "mode", "name", "use_icon_as_answer_icon")
_VARIABLES = {"environment_variables": "env", "conversation_variables": "conversation"}
_PARTS = ("graph", "features", *_VARIABLES, "rag_pipeline_variables")
_NUMBERS = ("integer", "float")  # what an export calls a number of the console
_MAX_KEY = 500  # characters; YAML reads keys of up to 1,024 bytes as ours are written


@dataclass(frozen=True, slots=True, repr=False)
class Dsl:
    """A workflow or chatflow, in canonical order. It may hold secrets in its nodes, so its repr shows none of it.

    ``app`` has name, mode, icon and the like, ``workflow`` graph, features and variables as the console takes them.
    ``dependencies`` is None where they are not known (the console's drafts do not tell). Values of secret environment
    variables are not in it: ``secrets`` says by id whether one has a value, None where that is not known (an export).
    """

    version: str
    app: Mapping[str, Any]
    workflow: Mapping[str, Any]
    dependencies: Sequence[Mapping[str, Any]] | None
    secrets: Mapping[str, bool | None]

    def __repr__(self) -> str:
        return f"Dsl(version={self.version!r}, mode={self.mode!r}, nodes={len(self.nodes)}, edges={len(self.edges)})"

    @property
    def mode(self) -> str:
        """``workflow`` or ``advanced-chat``."""
        return str(self.app["mode"])

    @property
    def name(self) -> str:
        """The app's name."""
        return str(self.app.get("name") or "")

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """The nodes of the graph, notes among them."""
        found: list[dict[str, Any]] = self.workflow["graph"]["nodes"]
        return found

    @property
    def edges(self) -> list[dict[str, Any]]:
        """The edges of the graph."""
        found: list[dict[str, Any]] = self.workflow["graph"]["edges"]
        return found

    def variables(self, where: str) -> list[dict[str, Any]]:
        """``environment_variables`` or ``conversation_variables``."""
        found: list[dict[str, Any]] = self.workflow[where]
        return found


def read(text: str | bytes) -> Dsl:
    """The DSL in a YAML text, of the versions 0.1 to 0.6. ``InvalidInput`` says what to do about any other.

    ``dsl_too_large`` (over 10 MB), ``dsl_not_yaml``, ``dsl_not_an_app``, ``dsl_version``, ``dsl_mode``, ``dsl_broken``.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig", "replace")
    document = parsed(well_formed(text.removeprefix("\ufeff")))
    if not isinstance(document, dict) or document.get("kind") not in (None, "", "app"):
        raise InvalidInput("dsl_not_an_app")
    document = plain(document)
    dependencies = document.get("dependencies") or []
    if not isinstance(dependencies, list) or not all(isinstance(entry, dict) for entry in dependencies):
        raise _broken("dependencies")
    app, workflow = document.get("app"), document.get("workflow")
    return _dsl(_version(document.get("version")), app, workflow, dependencies, told=False)


def assemble(app: Mapping[str, Any], workflow: Mapping[str, Any], *, version: str) -> Dsl:
    """The DSL of a draft or a version, as the console's API gives it, for an app as the same API lists it.

    ``version`` is the DSL version of the server, such as ``0.6.0``. Errors as in ``read``.
    """
    parts = {name: plain(workflow[name]) for name in _PARTS if name in workflow}
    return _dsl(_version(version), plain(app), parts, None, told=True)


def plain(value: object, depth: int = 0) -> Any:
    """The value as JSON has it: names are texts and in order, whole numbers are ints, no half of an emoji."""
    if isinstance(value, str):
        return value if value.isascii() else well_formed(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return _number(value)
    if depth > MAX_DEPTH:
        raise _broken("…")
    if isinstance(value, (list, tuple)):
        return [plain(entry, depth + 1) for entry in value]
    if isinstance(value, Mapping):
        named = {_name(key): entry for key, entry in value.items()}
        return {name: plain(named[name], depth + 1) for name in sorted(named)}
    raise _broken(type(value).__name__)


def _number(value: float) -> float | int:
    """JavaScript writes 1.0 as 1, so the two are one."""
    if not math.isfinite(value):
        raise _broken(str(value))
    return int(value) if value.is_integer() and abs(value) < 1 << 53 else value


def _name(key: object) -> str:
    """A key as JSON writes it."""
    name = json.dumps(key) if key is None or isinstance(key, bool) else str(key)
    if len(name) > _MAX_KEY:
        raise _broken(f"{name[:20]}…")
    return well_formed(name)


def _version(told: object) -> str:
    """Three numbers, as Dify writes them; 0.6 is what YAML makes of a version without quotes."""
    text = str(told or _OLDEST).strip()
    found = _VERSION.fullmatch(text)
    if not found or not (0, 1) <= (int(found[1]), int(found[2])) <= NEWEST:
        raise InvalidInput("dsl_version", version=text, newest=".".join(map(str, NEWEST)))
    return f"{int(found[1])}.{int(found[2])}.{int(found[3] or 0)}"


def _dsl(version: str, app: Any, workflow: Any, dependencies: list[Any] | None, *, told: bool) -> Dsl:
    """``told``: an empty secret has no value. An export leaves all of them empty."""
    if not isinstance(app, dict):
        raise InvalidInput("dsl_not_an_app")
    if app.get("mode") not in MODES:
        raise InvalidInput("dsl_mode", mode=app.get("mode"), modes=", ".join(MODES))
    if not isinstance(workflow, dict):
        raise _broken("workflow")
    variables = {where: _variables(workflow.get(where), where, scope) for where, scope in _VARIABLES.items()}
    secrets: dict[str, bool | None] = {}
    for variable in variables["environment_variables"]:
        if is_secret(variable):
            secrets[variable_id(variable)] = True if variable["value"] else False if told else None
            variable["value"] = ""
    features = workflow.get("features") or {}
    if not isinstance(features, dict):
        raise _broken("workflow.features")
    rest = {name: part for name, part in workflow.items() if part}  # an empty part and none are the same
    parts = rest | variables | {"features": features, "graph": _graph(workflow.get("graph"))}
    return Dsl(
        version,
        {name: app[name] for name in _APP if name in app},
        {name: parts[name] for name in sorted(parts)},
        None if dependencies is None else sorted(dependencies, key=repr),
        secrets,
    )


def is_secret(variable: Mapping[str, Any]) -> bool:
    """Whether an environment variable is a secret one."""
    return variable.get("value_type") == "secret"


def variable_id(variable: Mapping[str, Any]) -> str:
    """The id of a variable, or its name where it has none."""
    return str(variable.get("id") or variable["name"])


def paired(left: Sequence[dict[str, Any]], right: Sequence[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The variables of ``left`` that those of ``right`` are, by their places there: by id, then by name, each once."""
    rest = list(left)
    matches: dict[int, dict[str, Any]] = {}
    for key in (variable_id, lambda variable: str(variable["name"])):
        for place, new in enumerate(right):
            old = next((it for it in rest if key(it) == key(new)), None)
            if place not in matches and old is not None:
                matches[place] = old
                rest.remove(old)
    return matches


def _graph(graph: Any) -> dict[str, Any]:
    if not isinstance(graph, dict):
        raise _broken("workflow.graph")
    nodes, edges = graph.get("nodes") or [], graph.get("edges") or []
    if not isinstance(nodes, list) or not all(map(_is_node, nodes)):
        raise _broken("workflow.graph.nodes")
    if len({node["id"] for node in nodes}) < len(nodes):
        raise _broken("workflow.graph.nodes: id")
    if not isinstance(edges, list) or not all(map(_is_edge, edges)):
        raise _broken("workflow.graph.edges")
    joined = [{"sourceHandle": "source", "targetHandle": "target"} | edge for edge in edges]
    arranged = [layout.arranged_edge(edge) for edge in joined]
    parts = graph | {
        "nodes": layout.in_order([layout.arranged_node(node) for node in nodes]),
        "edges": sorted(arranged, key=lambda edge: (*edge_key(edge), repr(edge))),
    }
    return {name: parts[name] for name in sorted(parts, key=lambda name: (name == "viewport", name))}


def edge_key(edge: Mapping[str, Any]) -> tuple[str, ...]:
    """What an edge joins: source, its handle, target, its handle."""
    return tuple(str(edge[name]) for name in layout.ENDS)


def _is_node(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("id"), str) and isinstance(node.get("data"), dict)


def _is_edge(edge: Any) -> bool:
    return isinstance(edge, dict) and isinstance(edge.get("source"), str) and isinstance(edge.get("target"), str)


def _variables(listed: Any, where: str, scope: str) -> list[dict[str, Any]]:
    """The variables by name, as the console tells them: the selector follows from the name, a number is a number."""
    listed = listed or []
    if not isinstance(listed, list) or not all(isinstance(entry, dict) and entry.get("name") for entry in listed):
        raise _broken(f"workflow.{where}")
    found = []
    for entry in listed:
        variable = {"description": "", "value": ""} | {name: it for name, it in entry.items() if it is not None}
        if variable.get("selector") == [scope, variable["name"]]:
            del variable["selector"]
        if variable.get("value_type") in _NUMBERS:
            variable["value_type"] = "number"
        found.append({name: variable[name] for name in sorted(variable)})
    if len({str(variable["name"]) for variable in found}) < len(found):  # Dify keeps them by their names
        raise _broken(f"workflow.{where}: name")
    return sorted(found, key=lambda variable: (str(variable["name"]), variable_id(variable)))


def _broken(place: str) -> InvalidInput:
    return InvalidInput("dsl_broken", place=place)
