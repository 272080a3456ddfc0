"""What is being done, told line by line while it is being done."""

from collections import deque
from typing import ClassVar

from opskit.wording import Locale, say


class Progress:
    """The lines that were told. ``untold`` holds those that nobody has fetched yet: another thread may."""

    section: ClassVar = "progress"  # of the locales

    def __init__(self, locale: Locale = "en_US") -> None:
        self.locale = locale
        self.text = ""
        self.untold: deque[str] = deque()

    def tell(self, key: str, **blanks: object) -> None:
        """Add the sentence ``key`` of the section as a line."""
        line = say(self.locale, f"{self.section}.{key}", **blanks) + "\n"
        self.text += line
        self.untold.append(line)
