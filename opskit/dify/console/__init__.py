"""Dify's console API: versions, drafts, keys and secrets of a workspace's apps.

    access.py     what a user fills in
    entry.py      what opens the console: an admin key, or a login
    exchange.py   one request and its answer; reading is tried twice, writing once
    failure.py    what refusals mean
    records.py    what is told: apps, workflows, variables, keys, plugins
    assembled.py  a DSL from its parts, for when the server cannot export
    client.py     everything that can be asked
    features.py   what Dify makes of features
    checkpoint.py what an app was, while it is changed, and the way back
    claim.py      an app that is being changed is left alone by all other calls

Source: Dify 1.13.3, tried on a running server; where it matters, 1.12.1 and 2.0b2. ``Export.text`` is YAML, secrets
are masked everywhere but in an export that is asked for them.
"""

from opskit.dify.console.access import ConsoleAccess
from opskit.dify.console.checkpoint import Checkpoint, back_ends, mistakes, steadily
from opskit.dify.console.claim import claimed
from opskit.dify.console.client import MAX_COMMENT, MAX_KEYS, MAX_NAME, MODES, Console, Remark
from opskit.dify.console.entry import AdminKey, Entry, Login
from opskit.dify.console.records import (
    HIDDEN,
    MASK,
    About,
    AppKey,
    ConsoleApp,
    Export,
    Missing,
    Plugin,
    Synced,
    Variable,
    Versions,
    Workflow,
)

__all__ = [
    "HIDDEN",
    "MASK",
    "MAX_COMMENT",
    "MAX_KEYS",
    "MAX_NAME",
    "MODES",
    "About",
    "AdminKey",
    "AppKey",
    "Checkpoint",
    "Console",
    "ConsoleAccess",
    "ConsoleApp",
    "Entry",
    "Export",
    "Login",
    "Missing",
    "Plugin",
    "Remark",
    "Synced",
    "Variable",
    "Versions",
    "Workflow",
    "back_ends",
    "claimed",
    "mistakes",
    "steadily",
]
