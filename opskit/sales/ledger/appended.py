"""Other tables below ours: their rows look like sales and are none."""

from collections.abc import Iterable, Sequence
from typing import Literal

from opskit.sales import cells
from opskit.sales.cells.heading_names import OTHERS_HAN, OTHERS_LATIN
from opskit.sales.opening import Layout
from opskit.sales.opening.header import plain

_SURE, _FEW = 90, 3
_LAST = 2**62

type Verdict = Literal["ours", "other", ""]


def verdict(row: Sequence[str], layout: Layout) -> Verdict:
    """Whether a row without figures is our heading once more, the heading of another table, or none."""
    names = [cell for cell in row if cell.strip()]
    best = [max((score for _, score in cells.match(name)), default=0) for name in names]
    known = sum(score >= _SURE for score in best)
    others = sum(_is_other(name) for name, score in zip(names, best, strict=True) if score < _SURE)
    if known < 1 or known + others < 2 or len(names) < min(_FEW, layout.width):  # noqa: PLR2004 - one may be a name
        return ""
    ours = all(
        (layout.header and plain(row[place]) == plain(layout.header[place]))
        or any(found is column and score >= _SURE for found, score in cells.match(row[place]))
        for column, place in layout.columns.items()
    )
    return "ours" if ours else "other"


def _is_other(name: str) -> bool:
    words = "".join(letter if letter.isalnum() else " " for letter in name.casefold()).split()
    return bool(OTHERS_HAN.search(name)) or not OTHERS_LATIN.isdisjoint(words)


def cuts(found: Iterable[tuple[int, Verdict]]) -> tuple[tuple[int, int], ...]:
    """The first and last line of each other table, from the lines of headings: it ends where ours begins again."""
    ranges: list[tuple[int, int]] = []
    first = 0
    for line, kind in sorted(found):
        if kind == "other" and not first:
            first = line
        elif kind == "ours" and first:
            ranges.append((first, line - 1))
            first = 0
    return (*ranges, (first, _LAST)) if first else tuple(ranges)
