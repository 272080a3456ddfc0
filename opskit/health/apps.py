"""A look at Dify: the key of an app, a run of the app, the console."""

import time

from opskit.dify import App, Attempt, Patience, Question, Server, Target
from opskit.dify.console import Console
from opskit.errors import Refused
from opskit.health.finding import Finding


def key_of_app(server: Server, key: str, ends: float) -> Finding:
    """Whether the key is accepted, the API switched on and the app published. No model runs for that.

    Source: Dify 1.13.3: ``/info`` answers 401 to a wrong key and 403 where the API is off, ``/parameters`` 400 where
    the app is not published.
    """
    with App(server, key) as app:
        mode = app.mode(ends)
        app.form(ends)
    return Finding("healthy", "app_ready", {"mode": mode})


def run_of_app(target: Target, question: Question, caller: str, ends: float) -> Finding:
    """The same, and whether the app answers when it is asked."""
    outcome = Attempt(target, question, Patience(ends, ends - time.monotonic()), caller).alone()
    if outcome.error:
        raise outcome.error
    if not outcome.run.answer.strip() and not outcome.run.outputs:
        return Finding("failed", "app_mute")
    return Finding("healthy", "app_ran", {"tokens": outcome.run.tokens or 0})


def console(opened: Console, ends: float) -> Finding:
    """Whether the console lets us in, and how far: apps are shown to everybody, drafts only to editors."""
    with opened:
        version = opened.about(ends).version
        apps = opened.apps(ends)
        if apps:
            _read_a_draft(opened, apps[0].id, ends)
    return Finding("healthy", "console_open" if apps else "console_empty", {"version": version, "count": len(apps)})


def _read_a_draft(opened: Console, app_id: str, ends: float) -> None:
    try:
        opened.draft(app_id, ends)
    except Refused as error:
        if error.key != "console_no_draft":  # nobody has opened the app yet, but we might
            raise
