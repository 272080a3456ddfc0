"""What a chart shows, apart from how it is drawn: one description for chat and for a picture."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from typing import Literal

from opskit import wording

type Kind = Literal["trend", "products", "regions", "pareto"]
type Shade = Literal["plain", "below", "rest", "a", "b", "c"]

CALM = Context(prec=60, rounding=ROUND_HALF_UP, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
"""The arithmetic of charts, whatever the caller's context is; nothing in it raises for a number that is finite."""

_LONGEST_TEXT, _END = 80, 30  # characters, and how many of them are the end
_MOST = Decimal("1e300")  # beyond it a double has no number
_LEAST = Decimal("1e-300")
_JOINER = "\u200d"  # holds an emoji together


@dataclass(frozen=True, slots=True)
class Series:
    """A row of values, one for each label of the chart; None where there is nothing."""

    name: str
    values: tuple[Decimal | None, ...]

    @property
    def known(self) -> dict[int, Decimal]:
        """What there is, by place."""
        return {place: value for place, value in enumerate(self.values) if value is not None}


@dataclass(frozen=True, slots=True)
class Band:
    """Where values probably lie, one low and one high for each label."""

    name: str
    low: Series
    high: Series


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart. ``kind`` is also the name of its picture without ``.png``.

    ``trend``: labels are all days from the first to the last (YYYY-MM-DD); series are sales and, where there is a
    forecast, that. ``marks`` are the places of unusual days.
    ``products`` and ``regions``: labels are names from the top down; one series. ``shares`` are texts beside the
    values, "" where there is none.
    ``pareto``: labels are names or ranks from the best down; series are sales and the cumulative share in percent.
    ``key`` says what the shades mean, ``size`` is the number of products in each bar.
    """

    kind: Kind
    locale: wording.Locale
    title: str
    note: str = ""
    labels: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()
    band: Band | None = None
    shades: tuple[Shade, ...] = ()
    shares: tuple[str, ...] = ()
    marks: tuple[int, ...] = ()
    key: tuple[tuple[Shade, str], ...] = ()
    size: int = 1

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.labels


def line(text: str) -> str:
    """Text from a cell as one line without controls and direction marks; of more than 80 characters both ends."""
    flat = re.sub(r"\s+", " ", wording.well_formed(text)).strip()
    kept = "".join(
        character for character in flat if character == _JOINER or unicodedata.category(character) not in ("Cc", "Cf")
    )
    return kept if len(kept) <= _LONGEST_TEXT else f"{kept[: _LONGEST_TEXT - _END - 1]}…{kept[-_END:]}"


def drawable(value: Decimal) -> Decimal | None:
    """The value as far as a screen can show it: None for what is no number, and never beyond what a double holds."""
    if not value.is_finite():
        return None
    return Decimal(0) if value.copy_abs() < _LEAST else max(_MOST.copy_negate(), min(_MOST, value))
