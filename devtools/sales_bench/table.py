"""Figures for a stranger: what was measured, what it must not exceed, and whether it did."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure and its target; ``met`` None: it could not be measured here, and ``measured`` says why."""

    what: str
    measured: str
    target: str
    met: bool | None


def most(what: str, value: float, limit: float, unit: str) -> Verdict:
    """A figure that must not be above a limit."""
    return Verdict(what, f"{value:.3g} {unit}", f"≤ {limit:.3g}", met=value <= limit)


def shown(number: Decimal | str) -> str:
    """A number with its thousands separated, without needless zeros; nothing is rounded."""
    whole, _, parts = f"{Decimal(number):,f}".partition(".")
    return f"{whole}.{parts.rstrip('0')}".rstrip(".")


def lines(heading: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: bool = True) -> str:
    """A table below its heading: the first column left, the others right if so told."""
    table = [columns, *rows] if any(columns) else rows
    widths = [max(_width(row[place]) for row in table) for place in range(len(columns))]
    text = [
        "  ".join(
            _padded(cell, width, right=right and place > 0)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    ]
    return "\n".join([f"\n{heading}", *(f"  {line}".rstrip() for line in text)])


def targets(found: Sequence[Verdict], about: str = "sales analysis") -> str:
    """All targets, one a line."""
    words = {True: "met", False: "MISSED", None: "not measured"}
    rows = [(each.what, each.measured, each.target, words[each.met]) for each in found]
    return lines(f"{about}: targets", ("", "measured", "target", ""), rows, right=False)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return f"{space}{text}" if right else f"{text}{space}"
