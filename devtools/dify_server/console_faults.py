"""What goes wrong on purpose at the console: the n-th call of a name fails once."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from devtools.dify_server.refusals import BROKEN, Refusal, encoded
from devtools.dify_server.wire import Connection, head

NOT_SYNCED = Refusal(
    409, "draft_workflow_not_sync", "Workflow graph might have been modified, please refresh the page."
)
# In the place of the call: nothing is done.
INSTEAD = ("500", "timeout", "reset", "409", "html")
# After the call has been done: its answer is lost, or breaks off ("cut").
AFTERWARDS = ("500_done", "timeout_done", "reset_done", "cut")
CONSOLE_FAULTS = (*INSTEAD, *AFTERWARDS)
_PAGE = b"<!doctype html>\n<title>Sign in</title>\n"
JSON, HTML = "application/json", "text/html; charset=utf-8"

type Plan = Mapping[str | tuple[str, int], str]


class Faults:
    """Which call fails, and how: ``{"sync": "500", ("draft", 2): "reset"}`` by name, or by name and number from 1."""

    def __init__(self, names: tuple[str, ...], plan: Plan | None = None) -> None:
        self._names = names
        self._planned: dict[tuple[str, int], str] = {}
        self._counted: Counter[str] = Counter()
        for call, fault in (plan or {}).items():
            name, nth = (call, 1) if isinstance(call, str) else call
            self.plan(name, fault, nth)

    def plan(self, name: str, fault: str, nth: int = 1) -> None:
        """Let the ``nth`` call of this name from now on fail. ValueError: no such call or fault."""
        if name not in self._names or fault not in CONSOLE_FAULTS:
            raise ValueError(f"no such fault: {name}, {fault}")
        self._planned[name, self._counted[name] + nth] = fault

    def forget(self) -> None:
        """Let nothing fail any more."""
        self._planned.clear()

    def next(self, name: str) -> str:
        """What goes wrong with this call: the name of a fault, or nothing."""
        self._counted[name] += 1
        return self._planned.pop((name, self._counted[name]), "")


async def spoil(connection: Connection, fault: str, whole: tuple[int, bytes, tuple[str, ...]]) -> bool:
    """Answer in the way of a fault; ``whole`` is the good answer of a call that has been done.

    Whether the connection can take another request.
    """
    match fault.removesuffix("_done"):
        case "500":
            connection.answer(500, encoded(BROKEN.body), JSON)
        case "409":
            connection.answer(409, encoded(NOT_SYNCED.body), JSON)
        case "html":
            connection.answer(200, _PAGE, HTML)
        case "timeout":
            await connection.left()
            return False
        case "reset":
            connection.reset()
            return False
        case "cut":
            status, body, headers = whole
            start = head(status, f"Content-Type: {JSON}", f"Content-Length: {len(body)}", *headers)
            connection.write(start + body[: len(body) // 2] if body else start[: len(start) // 2])
            connection.close()
            return False
    return True


def answer_of(told: Any) -> bytes:
    """A body: JSON, or nothing at all for None."""
    return b"" if told is None else encoded(told)
