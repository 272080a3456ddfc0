"""What a text weighs: the bytes it takes in the JSON body that is sent."""

import json
from array import array
from bisect import bisect_right
from itertools import accumulate


def size(text: str) -> int:
    """The bytes that ``text`` takes inside a compact UTF-8 JSON string without ASCII escapes.

    A newline or a quote takes two, other control characters up to six. The size of two texts joined is the sum
    of theirs.
    """
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2


class _Sizes(dict[str, int]):
    def __missing__(self, character: str) -> int:
        self[character] = size(character)
        return self[character]


class Ruler:
    """The sizes of slices of one text, each known in constant time."""

    def __init__(self, text: str) -> None:
        self._before = array("q", accumulate(map(_Sizes().__getitem__, text), initial=0))

    def between(self, start: int, end: int) -> int:
        """The bytes from ``start`` to ``end``."""
        return self._before[end] - self._before[start]

    def reach(self, start: int, room: int) -> int:
        """The furthest place that ``room`` bytes get to from ``start``; ``start`` itself if there is no room."""
        return max(start, bisect_right(self._before, self._before[start] + room, lo=start) - 1)
