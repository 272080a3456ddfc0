r"""The errors a user can meet, and what each asks of its reader.

    OpskitError            text is safe and useful to show      the reader's next move
    ├─ InvalidInput        a value cannot be used               fix the value
    ├─ InvalidCredentials  missing, malformed, rejected         correct the key
    ├─ Refused             understood, and declined             change the request
    │  └─ RateLimited      too many                             wait
    ├─ Unavailable         no usable answer                     send again (only this is retried)
    └─ Conflict            the thing has moved on               look again, then decide

Anything else is a bug. An error is raised as a key and its blanks; the words live in ``locales/``.
"""

import copy
import re
from collections.abc import Collection
from typing import Self

from opskit import redaction, wording

_QUOTED_CHARS = 300
# Controls but for tab and line breaks, and the marks that turn the direction of all that follows.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def quoted(value: object, secrets: Collection[str]) -> str:
    """What an error quotes, without controls, and shortened to 300 characters.

    Secrets go before that, for half of one would not be found.
    """
    text = redaction.blank(_UNSEEN.sub("", wording.well_formed(str(value))), secrets)
    return text if len(text) <= _QUOTED_CHARS else f"{text[:_QUOTED_CHARS]}…"


class OpskitError(Exception):
    """A failure that is told to the user as ``[key] sentence``.

    ``key`` and ``blanks`` are for programs, ``str(error)`` is for people. ``locale`` decides the language of
    the sentence and ``secrets`` are the values that must not appear in it; the border sets both.
    """

    def __init__(self, key: str, /, **blanks: object) -> None:
        super().__init__(key)
        self.key = key
        self.blanks = blanks
        self.locale: wording.Locale = "en_US"
        self.secrets: Collection[str] = ()
        self._more: list[tuple[str, dict[str, object]]] = []

    def also(self, key: str, /, **blanks: object) -> Self:
        """Add a further sentence, such as what had already been done when it failed."""
        self._more.append((key, blanks))
        return self

    def without(self, secrets: Collection[str]) -> Self:
        """The same, quoting none of these: a server, or a proxy, may repeat what it was sent."""
        told = self.blanks.items()
        self.blanks = {name: redaction.blank(text, secrets) if isinstance(text, str) else text for name, text in told}
        return self

    def told(self, locale: wording.Locale, secrets: Collection[str] | None = None) -> str:
        """The text in another language and without ``secrets`` (else its own), for a place inside a result."""
        words = copy.copy(self)
        words.locale = locale
        words.secrets = self.secrets if secrets is None else secrets
        return str(words)

    def __str__(self) -> str:
        sentences = [(self.key, self.blanks), *self._more]
        words = " ".join(
            wording.say(self.locale, f"error.{key}", **{name: quoted(blanks[name], self.secrets) for name in blanks})
            for key, blanks in sentences
        )
        return f"[{self.key}] {redaction.blank(words, self.secrets)}"


class InvalidInput(OpskitError):
    """A value cannot be used. Fix the value."""


class InvalidCredentials(OpskitError):
    """A key is missing, malformed or rejected. Correct the key."""


class Refused(OpskitError):
    """The request was understood and declined. Change the request."""


class RateLimited(Refused):
    """Too many requests. Wait; ``seconds`` says how long, where that is known."""

    @property
    def seconds(self) -> int | None:
        """How long to wait, in whole seconds."""
        seconds = self.blanks.get("seconds")
        return seconds if isinstance(seconds, int) else None


class Unavailable(OpskitError):
    """There was no usable answer. Sending again may help; nothing else is ever retried."""


class Conflict(OpskitError):
    """The thing has moved on. Look again, then decide."""
