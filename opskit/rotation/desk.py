"""What all steps of a rotation share, and where an app stands meanwhile."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from opskit.dify.console import AppKey, Console, back_ends, steadily
from opskit.dify.service import Server
from opskit.errors import OpskitError
from opskit.rotation.order import Order, State


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
        return back_ends(self.ends)

    def keys(self, app_id: str, ends: float) -> tuple[AppKey, ...]:
        """The keys of an app."""
        found = self.console.keys(app_id, ends)
        self.secrets.extend(key.token for key in found)
        return found

    def steadily[T](self, do: Callable[[], T]) -> T:
        """As the function of that name, with the pause of this desk."""
        return steadily(do, self.pause)


@dataclass(slots=True)
class Standing:
    """Where an app stands."""

    app_id: str
    name: str = ""
    state: State = "untouched"
    old_key_ids: list[str] = field(default_factory=list)
    new_key: AppKey | None = None
    error: OpskitError | None = None
