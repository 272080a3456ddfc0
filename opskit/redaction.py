"""Keeping secrets out of what people read."""

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

MARK = "***"
# A secret field may hold a bare key, a whole URL, `name=key` pairs or header lines: the keys are among its words.
_WORDS = re.compile(r"[^\s,;&?/\"'{}<>\\]+")
MIN_CHARS = 6


def pieces(secrets: Collection[str]) -> list[str]:
    """The strings to look for: each secret whole and its words, as they are and percent-encoded, longest first.

    Words shorter than six characters are left alone, unless they are the whole secret: blanking ``a`` would
    turn every message into stars and tell an attacker more than it hides.
    """
    found: set[str] = set()
    for secret in secrets:
        bare = secret.strip()
        if not bare:
            continue
        words = [word for whole in _WORDS.findall(bare) for word in (whole, *re.split(r"[=:]", whole))]
        plain = {bare} | {word for word in words if len(word) >= MIN_CHARS and not _is_address_word(word)}
        for text in plain:
            found |= {text, quote(text, safe=""), quote_plus(text), unquote_plus(text)}
    return sorted(found, key=len, reverse=True)


def blank(text: str, secrets: Collection[str]) -> str:
    """``text`` with every secret, and every word of one, replaced by ``***``."""
    for piece in pieces(secrets):
        text = text.replace(piece, MARK)
    return text


def _is_address_word(word: str) -> bool:
    """Host names and parameter names inside a secret URL say nothing and help the reader."""
    return bool(re.fullmatch(r"https?:?|(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?|access_token|timestamp", word, re.IGNORECASE))


class Blank:
    """Takes secrets out of what a remote server says, where they stand whole: plain or percent-encoded.

    Unlike ``blank`` it leaves their words alone, for what is changed here is an answer. A secret of fewer than six
    characters is left, too.
    """

    def __init__(self, secrets: Collection[str]) -> None:
        long_ones = [secret for secret in secrets if len(secret) >= MIN_CHARS]
        forms = {form for secret in long_ones for form in (secret, quote(secret, safe=""), quote_plus(secret))}
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if forms else None

    def text(self, text: str) -> str:
        """``text`` with ``***`` in place of every secret."""
        return self._pattern.sub(MARK, text) if self._pattern else text

    def value(self, value: Any) -> Any:
        """A JSON value, with the same done to every text and name in it."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(name): self.value(entry) for name, entry in value.items()}
            case list():
                return [self.value(entry) for entry in value]
        return value

    def held(self, text: str) -> int:
        """How many characters at the end of ``text`` may be the beginning of a secret, and have to wait for more."""
        longest = max(map(len, self._forms), default=1) - 1
        for count in range(min(longest, len(text)), 0, -1):
            if any(form.startswith(text[-count:]) for form in self._forms):
                return count
        return 0
