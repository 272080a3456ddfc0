"""Strict JSON (RFC 8259), and what is odd about a text that is valid all the same."""

import json
import marshal
import re
from typing import Any, NamedTuple

from opskit.model import mended

_HALF = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
_INFINITE = b"\x00\x00\x00\x00\x00\x00\xf0\x7f", b"\x00\x00\x00\x00\x00\x00\xf0\xff"  # doubles, as marshal writes them
_CONTAINERS = frozenset([dict, list])
_MAX_DIGITS = 4_000  # Python refuses to read an int of more than 4,300


def no_constant(word: str) -> None:
    """Refuse NaN and Infinity, which Python's parser takes for JSON."""
    raise ValueError(word)


STRICT = json.JSONDecoder(parse_constant=no_constant)


class TooDeep(ValueError):
    """More levels of brackets than allowed."""


class Loaded(NamedTuple):
    """A value, the keys that occur twice in one object, and whether doubles and UTF-8 cannot hold all of it."""

    value: Any
    twice: tuple[str, ...] = ()
    beyond: bool = False
    halves: bool = False


def load(text: str, *, max_depth: int) -> Loaded:
    """The value of a JSON text. ValueError where it is none, TooDeep where it has too many levels.

    What is odd is looked for only where a quick look at the whole finds a trace of it: that is what keeps this within
    twice the time of json.loads. A number that no double holds becomes a text of its digits,
    and half of a surrogate pair U+FFFD.
    """
    try:
        value = STRICT.decode(text)
    except RecursionError:
        raise TooDeep from None
    except json.JSONDecodeError:
        raise
    except ValueError:
        if not re.search(r"[0-9]{4000}", text):
            raise
        return _load_oddly(text, max_depth)
    colons = text.count('":') - (text.count('\\":') if "\\" in text else 0)
    braces = text.count("{")
    is_flat = text.count("[") + braces <= max_depth
    keys, levels = measured(value, most=braces if is_flat else None)
    if levels > max_depth:
        raise TooDeep
    written = marshal.dumps(value)
    if keys != colons or any(trace in written for trace in _INFINITE):
        return _load_oddly(text, max_depth)
    halves = _has_halves(text)
    return Loaded(mended(value) if halves else value, halves=halves)


def _has_halves(text: str) -> bool:
    """Whether an escape stands for half of a surrogate pair."""
    return "\\" in text and ("\\ud" in text or "\\uD" in text) and _HALF.search(text) is not None


def measured(value: Any, *, most: int | None = None) -> tuple[int, int]:
    """How many keys a value has in all, and how many levels, found without recursion.

    Where it is clear that there are not too many levels, it can stop counting them once it has seen the ``most``
    objects that there can be.
    """
    keys = levels = seen = 0
    level = [value] if type(value) in _CONTAINERS else []
    while level:
        levels += 1
        objects = [outer for outer in level if type(outer) is dict]
        keys += sum(map(len, objects))
        seen += len(objects)
        if seen == most:
            break
        arrays = [outer for outer in level if type(outer) is list]
        level = [inner for outer in objects for inner in outer.values() if type(inner) in _CONTAINERS]
        level += [inner for outer in arrays for inner in outer if type(inner) in _CONTAINERS]
    return keys, levels


def _load_oddly(text: str, max_depth: int) -> Loaded:
    """The same with a close look at each object and number."""
    twice: list[str] = []
    beyond: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            twice.extend(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        return found

    def real(digits: str) -> float | str:
        number = float(digits)
        if number in (float("inf"), float("-inf")):
            beyond.append(digits)
            return digits
        return number

    def whole(digits: str) -> int | str:
        if len(digits) > _MAX_DIGITS:
            beyond.append(digits)
            return digits
        return int(digits)

    try:
        value = json.loads(
            text, object_pairs_hook=members, parse_constant=no_constant, parse_float=real, parse_int=whole
        )
    except RecursionError:
        raise TooDeep from None
    if measured(value)[1] > max_depth:
        raise TooDeep
    halves = _has_halves(text)
    return Loaded(mended(value) if halves else value, tuple(dict.fromkeys(twice)), bool(beyond), halves)
