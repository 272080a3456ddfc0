"""A draft or a published version as it is in Dify now."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from opskit import history
from opskit.dify.access import plain
from opskit.dify.console import MODES, Console, ConsoleAccess, ConsoleApp, Export, Workflow
from opskit.dify.console.assembled import assembled
from opskit.errors import InvalidInput, OpskitError
from opskit.history import Canonical, Dsl

DEADLINE_S = 540.0  # Dify ends a tool's call after ten minutes

# How work that takes a while is done, so that nobody else has to wait for it.
type Apart = Callable[[Callable[[], Any]], Any]


def at_once(work: Callable[[], Any]) -> Any:
    """Do the work here and now."""
    return work()


def workflow_app(console: Console, app_id: str, ends: float) -> ConsoleApp:
    """The app. InvalidInput ``dsl_mode``: it is neither a workflow nor a chatflow. As ``Console.app``."""
    app = console.app(app_id, ends)
    if app.mode not in MODES:
        raise InvalidInput("dsl_mode", mode=app.mode, modes=", ".join(MODES))
    return app


def living(
    console: Console, app_id: str, flow: Workflow, ends: float, apart: Apart, *, whether_empty: bool = True
) -> Canonical:
    """The canonical form of a draft or version. Whatever ``Console.export`` and ``history.read`` raise.

    ``whether_empty`` asks of each secret whether it has a value at all. Dify masks an empty one as all others are, so
    a second export with the values is looked at, and forgotten.
    """
    version_id = "" if flow.is_draft else flow.id
    export = console.export(app_id, ends, version_id=version_id)
    full = Export()
    if whether_empty and any(one.secret for one in flow.environment):
        with contextlib.suppress(OpskitError):  # then it is not known
            full = console.export(app_id, ends, version_id=version_id, include_secret=True)
    made: Canonical = apart(lambda: _made(export, full, flow))
    return made


def hash_of(app: ConsoleApp, flow: Workflow, version: str) -> str:
    """The hash of a draft or version, without asking Dify ``version`` for an export; empty where it cannot be read."""
    try:
        return history.canonical(_assembled(assembled(app, flow, version))).sha256
    except OpskitError:
        return ""


def _made(export: Export, full: Export, flow: Workflow) -> Canonical:
    """What an export holds, and what it does not tell: whether a secret has a value, None where that is not known."""
    values = full.values
    known = {
        one.id or one.name: bool(one.value and values[one.id]) if one.id in values else None if one.value else False
        for one in flow.environment
        if one.secret
    }
    dsl = _read(export)
    made = history.canonical(replace(dsl, secrets={name: known.get(name) for name in dsl.secrets}))
    _ = (made.text, made.sha256)  # both are made when they are asked for first, and that takes a while
    return made


def _read(export: Export) -> Dsl:
    if export.document is None:
        return history.read(export.text)
    return _assembled(export.document)


def _assembled(told: Mapping[str, Any]) -> Dsl:
    return history.assemble(told["app"], told["workflow"], version=told["version"])


def moment(seconds: float) -> str:
    """Seconds since the epoch in ISO 8601, UTC; nothing for none."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""


def secrets_in(access: ConsoleAccess) -> list[str]:
    """What must never be shown of what a user filled in."""
    filled = {name: plain(getattr(access, name)) for name in access.secret_names()}
    return [part for name, text in filled.items() if text for part in access.secrets_of(name, text)]
