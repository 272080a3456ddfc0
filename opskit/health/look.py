"""All looks at once, each in a thread of its own, ended in time."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from opskit.errors import OpskitError, Unavailable
from opskit.health.checkup import Kind
from opskit.health.finding import Finding, judged

_GRACE_S = 0.5  # after the end, for what ends itself then

# Looks until a moment of time.monotonic(). Any OpskitError: what is wrong.
type Look = Callable[[float], Finding]


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to look at."""

    name: str
    kind: Kind
    look: Look = field(repr=False)


@dataclass(slots=True)
class _Looking:
    subject: Subject
    ends: float
    finding: Finding | None = None
    took_s: float = 0.0
    fault: Exception | None = None

    def work(self) -> None:
        began = time.monotonic()
        try:
            finding = self.subject.look(self.ends)
        except OpskitError as error:
            finding = judged(error, self.subject.kind)
        except Exception as error:  # noqa: BLE001 - a bug must reach whoever waits, not end with this thread
            self.fault = error
            return
        self.took_s = time.monotonic() - began
        self.finding = finding


def looked(subjects: Sequence[Subject], ends: float) -> list[tuple[Finding, float]]:
    """The findings, with the seconds that each took. What says nothing until ``ends`` is left behind."""
    began = time.monotonic()
    all_looking = [_Looking(subject, ends) for subject in subjects]
    threads = [threading.Thread(target=one.work, name="opskit-look", daemon=True) for one in all_looking]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(ends + _GRACE_S - time.monotonic(), 0))
    return [_concluded(one, time.monotonic() - began) for one in all_looking]


def _concluded(looking: _Looking, so_far_s: float) -> tuple[Finding, float]:
    """The finding of a look. Its error, where that is a mistake of ours."""
    if looking.fault:
        raise looking.fault
    if looking.finding is None:
        return judged(Unavailable("no_answer", problem="timeout"), looking.subject.kind), so_far_s
    return looking.finding, looking.took_s
