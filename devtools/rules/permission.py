"""Rules for the manifest's permissions: well formed, and exactly those that the code uses."""

import ast
from collections.abc import Iterator

from devtools.rules.documents import Permission
from devtools.rules.plugin import MANIFEST, Plugin, nodes
from devtools.rules.rulebook import Finding, rule

_STORAGE_BYTES = range(1024, 1073741824 + 1)

# What an attribute of the session needs; the kinds of model are named after theirs, with two exceptions.
_PERMISSION_OF = {"app": "app", "storage": "storage", "tool": "tool", "workflow_node": "node"}
_MODEL_KINDS = ("llm", "text_embedding", "rerank", "tts", "speech2text", "moderation")
_KIND_OF_MODEL = {kind: kind for kind in _MODEL_KINDS} | {"llm_structured_output": "llm", "summary": "llm"}


@rule
def storage_without_size(plugin: Plugin) -> Iterator[Finding]:
    """Even `enabled: false` fails packaging without a size: leave the block out."""
    storage = plugin.manifest.resource.permission.storage if plugin.manifest else None
    if storage is not None and storage.size is None:
        yield MANIFEST, "resource.permission.storage has no size"


@rule
def storage_size(plugin: Plugin) -> Iterator[Finding]:
    """The daemon's limits."""
    storage = plugin.manifest.resource.permission.storage if plugin.manifest else None
    if storage is not None and storage.size is not None and storage.size not in _STORAGE_BYTES:
        yield (
            MANIFEST,
            f"storage size {storage.size} is not within {_STORAGE_BYTES[0]} to {_STORAGE_BYTES[-1]}",
        )


def _granted(permission: Permission) -> set[str]:
    granted = {
        name
        for name in ("app", "storage", "tool", "node", "endpoint")
        if (part := getattr(permission, name)) is not None and part.enabled
    }
    if permission.model is not None and permission.model.enabled:
        kinds = {f"model.{kind}" for kind in _MODEL_KINDS if getattr(permission.model, kind)}
        granted |= kinds or {"model"}
    return granted


def _attribute_chain(node: ast.expr) -> list[str]:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    names.append(node.id if isinstance(node, ast.Name) else "")
    return names[::-1]


def _uses_of_session(module: ast.Module) -> Iterator[str]:
    """The permissions that `….session.<what>[.<kind>]` asks for."""
    attributes = [node for node in nodes(module) if isinstance(node, ast.Attribute)]
    inner = {id(node.value) for node in attributes}
    for node in attributes:
        if id(node) in inner:
            continue
        chain = _attribute_chain(node)
        for position, name in enumerate(chain[:-1]):
            if not name.endswith("session"):
                continue
            what = chain[position + 1]
            if what == "model":
                # A bare `session.model` goes to code that we cannot follow from here; then it is for the LLM.
                kind = chain[position + 2] if len(chain) > position + 2 else "llm"
                yield f"model.{_KIND_OF_MODEL.get(kind, 'llm')}"
            elif what in _PERMISSION_OF:
                yield _PERMISSION_OF[what]


def _used(plugin: Plugin) -> dict[str, str]:
    """Each permission that the package needs, and a file that needs it."""
    used = {need: path for path, module in plugin.modules.items() for need in _uses_of_session(module)}
    if plugin.manifest and plugin.manifest.plugins.endpoints:
        used["endpoint"] = MANIFEST
    return used


@rule
def permission_missing(plugin: Plugin) -> Iterator[Finding]:
    """Without the permission Dify refuses the reverse invocation when the tool is already running."""
    if plugin.manifest:
        granted = _granted(plugin.manifest.resource.permission)
        for need, path in sorted(_used(plugin).items()):
            if need not in granted:
                yield MANIFEST, f"permission {need} is not given, but {path} needs it"


@rule
def permission_unused(plugin: Plugin) -> Iterator[Finding]:
    """A permission that no line of code uses is a question that a reviewer will ask."""
    # A file that could not be read may hold the use.
    if plugin.manifest and not any(fault.rule == "unreadable_python" for fault in plugin.faults):
        used = set(_used(plugin))
        if any(need.startswith("model.") for need in used):
            used.add("model")  # enabled without its kind: that is what is missing, and not too much
        for permission in sorted(_granted(plugin.manifest.resource.permission) - used):
            yield MANIFEST, f"permission {permission} is given, but nothing uses it"
