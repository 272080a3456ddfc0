"""What the bundled font can show, and how wide that is. Read from the font itself: no other module needs its tables.

Format of the tables: OpenType 1.9, cmap subtable 4, head, hhea, hmtx.
"""

import struct
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

FILE = Path(__file__).parent / "fonts" / "OpsKitSans.otf"
FAMILY = "OpsKit Sans"
_BOX = "□"
_MORE = "…"
_ENDS = (1 / 3, 2 / 3, 0.9)  # shares of the room
_LAST_POINT = 0xFFFE  # what follows only ends the table
_SILENT = ("Cc", "Cf", "Mn", "Me")  # controls and marks: a box for each would be noise
_SKIN = range(0x1F3FB, 0x1F400)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Advance widths, in units of which ``em`` make the font size, by code point."""

    em: int
    widths: dict[int, int]


@cache
def glyphs() -> Glyphs:
    """The font's glyphs."""
    data = FILE.read_bytes()
    count = struct.unpack_from(">H", data, 4)[0]
    entries = struct.iter_unpack(">4sIII", data[12 : 12 + 16 * count])
    places = {tag.decode(): place for tag, _, place, _ in entries}
    em = struct.unpack_from(">H", data, places["head"] + 18)[0]
    measured = struct.unpack_from(">H", data, places["hhea"] + 34)[0]
    advances = struct.unpack_from(f">{2 * measured}H", data, places["hmtx"])[::2]
    by_point = _glyph_by_point(data, places["cmap"])
    return Glyphs(em, {point: advances[min(glyph, measured - 1)] for point, glyph in by_point.items()})


def _glyph_by_point(data: bytes, cmap: int) -> dict[int, int]:
    """The first subtable of cmap, which is of format 4: runs of code points, each with an offset or a list."""
    table = cmap + struct.unpack_from(">I", data, cmap + 8)[0]
    size = struct.unpack_from(">H", data, table + 6)[0]  # bytes of each of the four columns
    ends, starts, deltas, lists = (table + 14 + place * size + 2 * (place > 0) for place in range(4))
    found: dict[int, int] = {}
    for run in range(0, size, 2):
        end, start, delta, offset = (
            struct.unpack_from(">H", data, at + run)[0] for at in (ends, starts, deltas, lists)
        )
        points = range(start, min(end, _LAST_POINT) + 1)
        listed = struct.unpack_from(f">{len(points)}H", data, lists + run + offset) if offset else points
        found |= {point: (glyph + delta) % 0x10000 for point, glyph in zip(points, listed, strict=True) if glyph}
    return found


def shown(text: str) -> str:
    """``text`` in characters of the font: a box for each that it lacks, nothing for marks and joiners it lacks."""
    widths = glyphs().widths
    return "".join(
        character if ord(character) in widths else _BOX
        for character in unicodedata.normalize("NFC", text)
        if ord(character) in widths or (unicodedata.category(character) not in _SILENT and ord(character) not in _SKIN)
    )


def width(text: str, size: float) -> float:
    """How wide ``text``, as ``shown`` gave it, is at a font size, in the unit of that size."""
    known = glyphs()
    return sum(known.widths[ord(character)] for character in text) * size / known.em


def fitted(text: str, size: float, room: float, *, end: float = 1 / 3) -> str:
    """``text``, as ``shown`` gave it, or its beginning and end with … between, so that it is not wider than ``room``.

    Names of products differ at their end ("… 256 GB black"), so a share of the room is kept for that.
    """
    if width(text, size) <= room:
        return text
    known = glyphs()
    widths = [known.widths[ord(character)] * size / known.em for character in text]
    left = room - width(_MORE, size)
    tail = bisect_right(list(accumulate(reversed(widths))), left * end)
    head = bisect_right(list(accumulate(widths)), left - sum(widths[len(widths) - tail :]))
    return text[:head].rstrip() + _MORE + text[len(text) - tail :].lstrip()


def fitted_apart(texts: Sequence[str], size: float, room: float) -> list[str]:
    """Each of some names ``fitted``, with as much of the ends as it takes to tell those apart that are not alike."""
    apart: list[str] = []
    for end in _ENDS:
        found = [fitted(text, size, room, end=end) for text in texts]
        if len(set(found)) > len(set(apart)):
            apart = found
    return apart
