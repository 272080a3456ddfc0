"""What happens while the apps are asked, told line by line."""

from typing import ClassVar

from opskit import progress
from opskit.dify import Attempt
from opskit.wording import Locale

_MARKS = {"answered": "✓", "failed": "✗", "timeout": "✗", "skipped": "-", "stopped": "-"}


class Progress(progress.Progress):
    """The lines that are told of a broadcast."""

    section: ClassVar = "broadcast"

    def __init__(self, locale: Locale = "en_US") -> None:
        super().__init__(locale)
        self._count = self._done = 0

    def began(self, count: int) -> None:
        """So many apps are asked."""
        self._count = count
        self.tell("asking", count=count)

    def concluded(self, attempt: Attempt) -> None:
        """One of them has ended."""
        outcome = attempt.concluded()
        self._done += 1
        self.tell(
            "concluded",
            mark=_MARKS[outcome.ending],
            name=attempt.target.name,
            seconds=f"{outcome.elapsed_s:.1f}",
            done=self._done,
            count=self._count,
        )
