"""Keeping secrets out of what people read."""

import re
from collections.abc import Collection
from urllib.parse import quote, quote_plus, unquote_plus

MARK = "***"
# A secret field may hold a bare key, a whole URL, `name=key` pairs or header lines: the keys are among its words.
_WORDS = re.compile(r"[^\s,;&?/\"'{}<>\\]+")
_MIN_CHARS = 6


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
        plain = {bare} | {word for word in words if len(word) >= _MIN_CHARS and not _is_address_word(word)}
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
