"""Whether an app works: it is run once."""

from collections.abc import Mapping

from opskit.dify.service import App, Server
from opskit.errors import Refused

_CHATFLOW = "advanced-chat"
_QUESTION = "ping"


def probe(server: Server, key: str, mode: str, inputs: Mapping[str, object], ends: float) -> None:
    """Run a workflow, or a chatflow with the question in ``inputs["query"]``, and expect it to succeed.

    Whatever the run raises; Refused ``app_probe``: it came to another end.
    """
    given = dict(inputs)
    request: dict[str, object] = {"inputs": given, "user": "opskit"}
    if mode == _CHATFLOW:
        request["query"] = str(given.pop("query", _QUESTION))
    with App(server, key) as app:
        run = app.run(mode, request, ends)
    if run.error:
        raise run.error
    if not run.succeeded:
        raise Refused("app_probe", status=run.status)
