"""Dify's apps, asked from outside: by their keys over the Service API, or by their ids through the workspace.

    access.py      what a user fills in: keys by name, a server, headers
    service.py     one app behind a key: kind, form, upload, run, status, stop
    events.py      server-sent events, read from bytes; run.py what they tell
    form.py        what Dify would find wrong with inputs, found before anything is sent
    file_kinds.py  what Dify calls a file
    failure.py     what its refusals mean
    targets.py     an app that can be asked, by key or by id; finding.py which one is meant
    attempt.py     one question to one target, which can be ended and left behind at any moment
    console/       the console API: versions, drafts, keys and secrets; imported by whoever needs it

Source: Dify 1.13.3, tried on a running server; where it matters, older releases.
"""

from opskit.dify.access import Access
from opskit.dify.attempt import Attempt, Outcome, Patience
from opskit.dify.failure import invocation_failed
from opskit.dify.files import fetched
from opskit.dify.finding import INVOKED_S, Finder
from opskit.dify.run import Run
from opskit.dify.service import App, Server
from opskit.dify.targets import LocalFile, Question, Target

__all__ = [
    "INVOKED_S",
    "Access",
    "App",
    "Attempt",
    "Finder",
    "LocalFile",
    "Outcome",
    "Patience",
    "Question",
    "Run",
    "Server",
    "Target",
    "fetched",
    "invocation_failed",
]
