"""``name=value`` lists, as lines, with commas, or as a JSON object."""

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

# A comma or semicolon ends an entry only before the next name: addresses may hold both.
_NEXT = re.compile(r"[\r\n]+|[,，;；]\s*(?=[^\s=,，;；:/?&]+\s*=)")
_NEXT_URL = re.compile(r"[\r\n]+|[,，;；]\s*(?=[^\s=,，;；:/?&]+\s*=\s*https?://)", re.IGNORECASE)
_AROUND = " \t,，;；"
_HOST = re.compile(r"\w+://[^/?#]*")
_WORD = re.compile(r"[^/?&=#:;,\s]{8,}")  # shorter words of an address say something, and hide nothing


def entries(text: str, *, urls: bool = False) -> Iterator[tuple[str, str]]:
    """Names and values; the name is empty where there is none, and for all of ``text`` where it is broken JSON."""
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text).items()
        except (ValueError, RecursionError):
            found = [("", text)]
        yield from ((str(name).strip(), str(value).strip()) for name, value in found)
        return
    for entry in (_NEXT_URL if urls else _NEXT).split(text):
        name, _, value = entry.strip(_AROUND).partition("=")
        if "://" in name or not value:
            name, value = "", entry.strip(_AROUND)
        if value:
            yield name.strip(), value.strip()


def robot_keys(text: str) -> tuple[str, str]:
    """Token and secret of ``token[:secret]``; the token may be a whole webhook address."""
    host = _HOST.match(text)
    start = host.end() if host else 0  # a port has a colon, too
    token, _, secret = text[start:].partition(":")
    return (text[:start] + token).strip(), secret.strip()


def url_secrets(url: str) -> list[str]:
    """What may be a secret in an address: the longer words behind its host."""
    words = _WORD.findall(_HOST.sub("", url, count=1))
    return [form for word in words for form in (word, unquote_plus(word))]
