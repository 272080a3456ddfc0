"""Where something stands in a DSL: JSON Pointers (RFC 6901) that survive a change of order.

An item of a list is named by its id or name where all items of the list have one, else by its position:
``/data/prompt_template/5b1f0c1e/text``, ``/data/outputs/total/value_selector``, ``/data/items/0/value``.
"""

from collections.abc import Sequence
from typing import Any

# What names an item: prompt messages, cases and classes have ids, outputs and inputs a variable, parameters a name,
# entries of an HTTP body a key, the tools of an agent a tool_name, groups of an aggregator a group_name.
_NAMES = ("id", "case_id", "variable", "name", "key", "tool_name", "group_name", "role")


def pointer(path: Sequence[str]) -> str:
    """The path as a JSON Pointer."""
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in path)


def names(items: Sequence[Any]) -> list[str]:
    """What the items are called, each differently; their positions where they have no names."""
    for field in _NAMES:
        found = named(items, field)
        if found is not None:
            return found
    return [str(place) for place in range(len(items))]


def shared_names(left: Sequence[Any], right: Sequence[Any]) -> tuple[list[str], list[str]] | None:
    """What the items of two lists are called, by the first field that names all and has something in common.

    Ids that an editor made anew have nothing in common; then a role or a name serves. None where nothing serves.
    """
    first = None
    for field in _NAMES:
        of_left, of_right = named(left, field), named(right, field)
        if of_left is None or of_right is None:
            continue
        if set(of_left) & set(of_right):
            return of_left, of_right
        first = first or (of_left, of_right)
    return first


def named(items: Sequence[Any], field: str) -> list[str] | None:
    """The values of ``field``, if every item has one that no other has."""
    found: list[str] = []
    for item in items:
        name = item.get(field) if isinstance(item, dict) else None
        if not name or not isinstance(name, str):
            return None
        found.append(name)
    return found if len(set(found)) == len(found) else None
