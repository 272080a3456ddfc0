"""The border between Dify and OpsKit: what comes in is examined once, what goes out is declared.

``boundary`` turns whatever goes wrong into an error that a user can read, ``parse`` is the officer on the way in,
``reply`` on the way out; ``off_loop`` keeps heavy work from silencing the plugin, ``telling`` the user from wondering;
``LanguageModel`` asks a model of the workspace, ``Workspace`` its apps. ``answer`` is the border of the endpoints;
``posted`` reads a form, ``Storage`` keeps values and ``Starter`` starts an app for them.
"""

from bridge.boundary import UnexpectedError, boundary
from bridge.endpoint import answer, posted, version
from bridge.model import LanguageModel
from bridge.off_loop import off_loop
from bridge.parse import parse
from bridge.reply import reply
from bridge.starting import Starter
from bridge.storage import Storage
from bridge.telling import telling
from bridge.workspace import Workspace

__all__ = [
    "LanguageModel",
    "Starter",
    "Storage",
    "UnexpectedError",
    "Workspace",
    "answer",
    "boundary",
    "off_loop",
    "parse",
    "posted",
    "reply",
    "telling",
    "version",
]
