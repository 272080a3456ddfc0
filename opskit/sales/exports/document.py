"""What is exported, apart from how it looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from opskit.wording import Locale

type Kind = Literal["text", "money", "count", "quantity", "percent", "date"]
type Cell = str | Decimal | int | date | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure, in words that are ready to be shown: "Sales", "12,345.00", "+3.2% on the day before"."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column, and what its cells are; a percent of 12.34 means 12.34 %."""

    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Table:
    """A table: ``title`` above it on a page, ``sheet`` its name in a workbook, ``rows`` as wide as ``headings``.

    Texts may be anything that stood in a user's file. None is an empty cell. Numbers are exact; they are rounded
    where they are shown.
    """

    title: str
    sheet: str
    headings: tuple[Heading, ...]
    rows: Sequence[tuple[Cell, ...]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A report. All texts are plain: no Markdown, no HTML.

    ``lines`` are the three lines that a boss reads, ``quality`` is what became of the file's rows, and ``pictures``
    are PNG files, each with what a person reads who cannot see it.
    """

    locale: Locale
    title: str
    lines: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    findings: tuple[str, ...] = ()
    pictures: tuple[tuple[str, bytes], ...] = ()
    tables: tuple[Table, ...] = ()
    quality: str = ""
