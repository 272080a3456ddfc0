"""An open bracket of the text that is being read."""

from typing import Literal

from opskit.jsonfix import marks
from opskit.jsonfix.edits import Edit

type Kind = Literal["object", "array", "tuple"]  # a tuple of one value without a comma is that value

OBJECT: Kind = "object"
ARRAY: Kind = "array"
TUPLE: Kind = "tuple"
KINDS: dict[str, Kind] = {
    **dict.fromkeys(marks.OBJECT, OBJECT),
    **dict.fromkeys(marks.ARRAY, ARRAY),
    **dict.fromkeys(marks.TUPLE, TUPLE),
}
ENDED: dict[str, Kind] = {
    **dict.fromkeys(marks.OBJECT_END, OBJECT),
    **dict.fromkeys(marks.ARRAY_END, ARRAY),
    **dict.fromkeys(marks.TUPLE_END, TUPLE),
}
CLOSING: dict[Kind, str] = {OBJECT: "}", ARRAY: "]", TUPLE: "]"}


class Frame:
    """An open bracket: where its edit would stand, and up to where its members are whole."""

    __slots__ = ("after", "commas", "count", "kept", "kind", "lone", "mark", "opener", "pending", "start")

    def __init__(self, kind: Kind, start: int, opener: int) -> None:
        self.kind, self.start, self.opener = kind, start, opener
        self.mark, self.kept = start + 1, opener  # the end of the last whole member, and how many edits lie before
        self.count = self.commas = self.lone = 0  # members, commas, and members that are keys without a value
        self.pending: tuple[int, Edit] | None = None  # takes the comma away that nothing has followed so far
        self.after = False  # a member has been read, and its comma not yet
