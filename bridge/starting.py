"""Apps of the workspace, started for an endpoint."""

import time
from collections.abc import Generator, Mapping
from typing import Any

import gevent

from opskit.errors import Unavailable

_START_S = 25.0  # whoever sends a webhook waits for an answer, and rarely longer than 30 s


class Starter:
    """Starts an app through Dify, by a reverse invocation. Never inside ``off_loop``: no answer would arrive there."""

    def __init__(self, caller: Any) -> None:
        self._caller = caller

    def start(self, app_id: str, inputs: Mapping[str, str], query: str) -> Generator[Mapping[str, Any]]:
        """The events of a run, for 25 s. Unavailable: Dify refuses, or says nothing.

        Which kind of app it is, Dify knows: a workflow ignores ``query``, and what an app does not declare is ignored.
        """
        ends = time.monotonic() + _START_S
        events = self._caller.session.app.chat.invoke(
            app_id=app_id, query=query, inputs=dict(inputs), response_mode="streaming"
        )
        try:
            while True:
                with gevent.Timeout(
                    max(ends - time.monotonic(), 0.001), TimeoutError(f"no answer in {_START_S:.0f} s")
                ):
                    event = next(events, None)
                if event is None:
                    return
                yield event
        except Exception as error:  # noqa: BLE001 - the SDK raises bare Exceptions, whatever has happened
            raise Unavailable("webhook_app_not_started", problem=error) from None
        finally:
            events.close()
