"""What happens while the apps are asked, told line by line."""

from collections import deque

from opskit.dify import Attempt
from opskit.wording import Locale, say

_MARKS = {"answered": "✓", "failed": "✗", "timeout": "✗", "skipped": "-", "stopped": "-"}


class Progress:
    """The lines that were told. ``untold`` holds those that nobody has fetched yet."""

    def __init__(self, locale: Locale = "en_US") -> None:
        self.locale = locale
        self.text = ""
        self.untold: deque[str] = deque()
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

    def tell(self, key: str, **blanks: object) -> None:
        """Add the sentence ``key`` of [broadcast] as a line."""
        line = say(self.locale, f"broadcast.{key}", **blanks) + "\n"
        self.text += line
        self.untold.append(line)
