"""A valid JSON text as a tree of places: where each value and each key stands."""

import json
import re
from collections.abc import Sequence

from opskit.jsonfix import marks

_TOKEN = re.compile(rf"[{{}}\[\],:]|{marks.TEXT}|[^\s{{}}\[\],:\"]+")


class Node:
    """A value: where it stands, and its members or items with theirs."""

    __slots__ = ("end", "items", "keys", "names", "start")

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.items: list[Node] = []
        self.names: list[str] = []  # the keys of an object
        self.keys: list[tuple[int, int]] = []  # and where they stand

    def at(self, path: Sequence[str | int]) -> "Node":
        """The node at a path of keys and indices; of a key that occurs twice, the last one."""
        node = self
        for step in path:
            node = node.items[step if isinstance(step, int) else node.place(step)]
        return node

    def place(self, name: str) -> int:
        """Which member has the key."""
        return len(self.names) - 1 - self.names[::-1].index(name)


def tree(text: str, until: int | None = None) -> Node:
    """The places of a valid JSON text; ``until``: no places behind it are asked for."""
    root = Node(0)
    open_: list[Node] = []
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if until is not None and token.start() > until:
            break
        if mark in ",:":
            continue
        if mark in "]}":
            open_.pop().end = token.end()
            continue
        holder = open_[-1] if open_ else None
        if holder is not None and len(holder.names) == len(holder.items) and text[holder.start] == "{":
            holder.names.append(json.loads(mark))
            holder.keys.append(token.span())
            continue
        node = Node(token.start())
        node.end = token.end()
        if holder is None:
            root = node
        else:
            holder.items.append(node)
        if mark in "{[":
            open_.append(node)
    for node in open_:
        node.end = len(text)
        del node.names[len(node.items) :], node.keys[len(node.items) :]
    return root


def pointer(path: Sequence[str | int]) -> str:
    """The path as a JSON Pointer (RFC 6901): "" is the whole."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
