"""What all steps of a rotation share, and where an app stands meanwhile."""

import contextlib
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from opskit.dify.console import AppKey, Console
from opskit.dify.service import Server
from opskit.errors import Conflict, OpskitError, Unavailable
from opskit.rotation.order import Order, State

BACK_S = 40.0  # for a way back, whatever time is left otherwise
_LAST_S = 90.0  # after the end of all work: then Dify is about to end the call, and nobody would learn where it stands
_TRIES = 3
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Desk:
    """The console and the Service API of one Dify, until ``ends``; ``secrets`` is all that must not be shown."""

    order: Order
    console: Console
    service: Server
    ends: float
    pause: Callable[[float], None] = time.sleep
    secrets: list[str] = field(default_factory=list, repr=False)

    def back_ends(self) -> float:
        """Until when a way back may take."""
        return min(time.monotonic() + BACK_S, self.ends + _LAST_S)

    def keys(self, app_id: str, ends: float) -> tuple[AppKey, ...]:
        """The keys of an app."""
        found = self.console.keys(app_id, ends)
        self.secrets.extend(key.token for key in found)
        return found

    def steadily[T](self, do: Callable[[], T]) -> T:
        """Do it up to three times, until it neither gets no answer nor meets a change. It has to bear a repetition."""
        for _ in range(_TRIES - 1):
            try:
                return do()
            except (Unavailable, Conflict):
                self.pause(_PAUSE_S)
        return do()


@dataclass(slots=True)
class Standing:
    """Where an app stands."""

    app_id: str
    name: str = ""
    state: State = "untouched"
    old_key_ids: list[str] = field(default_factory=list)
    new_key: AppKey | None = None
    error: OpskitError | None = None


@contextlib.contextmanager
def mistakes() -> Iterator[None]:
    """Let a mistake of ours be an error as any other.

    The way back has to be gone after it, too, and whoever waits has to learn where each of the apps stands.
    """
    try:
        yield
    except OpskitError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody may be left half-way
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        raise OpskitError("bug", kind=type(error).__name__, place=place, problem="") from None
