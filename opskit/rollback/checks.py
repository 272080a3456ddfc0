"""What has to hold before anything is written: the same app, the same kind of app, a DSL and plugins that it knows."""

from opskit.dify.console import Checkpoint
from opskit.dify.console.assembled import numbers
from opskit.errors import Refused
from opskit.history import Dsl
from opskit.history.plugins import needed
from opskit.rollback.aim import Subject
from opskit.versions.sides import Side

# Of the environment. Dify writes any other, answers 500, and then nobody can read or write the draft any more.
_TYPES = ("string", "number", "secret")
_START = frozenset({"start", "end", "answer", "llm"})  # ids that any template may have


def fits(subject: Subject, dsl: Dsl, aim: Side) -> None:
    """Whether what was kept can become this app. Refused: it says why not.

    ``rollback_mode``, ``rollback_other_app``, ``rollback_newer``, ``rollback_types``, ``rollback_plugins``. Unavailable
    ``console_daemon``: which plugins are installed is not known.
    """
    app = subject.app
    if dsl.mode != app.mode:
        raise Refused("rollback_mode", old=dsl.mode, new=app.mode)
    if aim.kind == "file" and dsl.name != app.name and not _share_nodes(subject.before, dsl):
        raise Refused("rollback_other_app", name=dsl.name, app=app.name)
    if numbers(dsl.version) > numbers(subject.about.dsl_version):
        raise Refused("rollback_newer", version=dsl.version, server=subject.about.dsl_version)
    odd = [one["name"] for one in dsl.variables("environment_variables") if one.get("value_type") not in _TYPES]
    if odd:
        raise Refused("rollback_types", names=", ".join(odd), types=", ".join(_TYPES))
    wanted = needed(dsl)
    lacking = wanted - {plugin.id for plugin in subject.console.plugins(subject.ends)} if wanted else ()
    if lacking:
        raise Refused("rollback_plugins", plugins=", ".join(sorted(lacking)))


def _share_nodes(before: Checkpoint, dsl: Dsl) -> bool:
    """Whether the app has, or had, nodes of the same ids: Dify makes them of the time."""
    there = {node.get("id") for flow in (before.draft, before.published) for node in flow.graph.get("nodes", ())}
    return bool(there & {node["id"] for node in dsl.nodes if node["id"] not in _START})
