"""What is being done, told line by line while a large file is read."""

from collections import deque

from opskit.wording import Locale, say


class Progress:
    """The lines that were told. ``untold`` holds those that nobody has fetched yet: another thread may."""

    def __init__(self, locale: Locale = "en_US") -> None:
        self.locale = locale
        self.text = ""
        self.untold: deque[str] = deque()

    def tell(self, key: str, **blanks: object) -> None:
        """Add the sentence ``key`` of [progress] as a line."""
        line = say(self.locale, f"progress.{key}", **blanks) + "\n"
        self.text += line
        self.untold.append(line)
