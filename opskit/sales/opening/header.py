"""Which line is the header and which column is what: by name, by the user's mapping, or by content."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise, zip_longest

from opskit.errors import InvalidInput
from opskit.sales.cells import Column, match, number
from opskit.sales.opening.below import differs, fits, holds_clocks, is_day, is_smaller
from opskit.sales.opening.content import guessed
from opskit.sales.opening.layout import Caution, Row

_SURE = 60  # a score above is a name that means just that
_LISTED = 30  # the score of a price before discounts: it is no sale where a total says what was paid
_ENOUGH = 2  # columns that make a header of a line
_SEEN = 40  # data rows looked at
_DIGITS = 6  # of a column's number, at most
_MAPPED = 10  # what a name that the user gave weighs
_WIDEST = 512  # columns of a header
_LONG = 60  # characters that no heading has
_DROPPED = re.compile(r"[\s\u200b-\u200f\u2060\ufeff_]+")


@dataclass(frozen=True, slots=True)
class Head:
    """A header line found: its place among the records (-1: none), the first data record, and the columns."""

    place: int
    data: int
    cells: list[str]
    columns: dict[Column, int]
    width: int
    weight: int = 0
    cautions: list[Caution] = field(default_factory=list)

    @property
    def missing(self) -> list[Column]:
        """What an analysis needs and the table lacks. A line total stands for price and quantity."""
        need = [Column.DATE, Column.PRODUCT]
        need += [] if Column.TOTAL in self.columns else [Column.PRICE, Column.AMOUNT]
        return [column for column in need if column not in self.columns]


def found(rows: Sequence[Row], mapping: Mapping[Column, str], lines: int) -> Head:
    """The best header among the records that begin on the first ``lines`` lines.

    One line names the columns; where two together, groups above and names below, name more of them, they do.
    Without a header, the columns that the content gives away, if it does; ``place`` and ``weight`` tell how sure that
    is.
    """
    first = [(place, cells) for place, (line, cells) in enumerate(rows) if line < lines and len(cells) <= _WIDEST]
    best = _best([(place, place + 1, cells) for place, cells in first], rows, mapping)
    if best is None or best.missing or not {Column.PRICE, Column.AMOUNT, Column.REGION} <= best.columns.keys():
        pairs = [(upper, lower + 1, _stacked(cells, rows[lower][1])) for (upper, cells), (lower, _) in pairwise(first)]
        stacked = _best([pair for pair in pairs if pair[2]], rows, mapping)
        if stacked and not stacked.missing and (best is None or best.missing or _says_more(stacked, best)):
            best = stacked
    if best:
        return replace(best, cautions=_cautions(best))
    return _unnamed(rows, mapping)


def _says_more(stacked: Head, line: Head) -> bool:
    """Whether two lines name more than one of them: all that it names and more, or the columns of a group.

    "Sales" above "Price" and "Quantity" is a group, and no line total.
    """
    if line.columns.items() < stacked.columns.items():
        return True
    return (
        stacked.place == line.place
        and line.columns.keys() - stacked.columns.keys() <= {Column.TOTAL}
        and (len(stacked.columns) > len(line.columns))
    )


def _best(
    lines: Sequence[tuple[int, int, list[str]]], rows: Sequence[Row], mapping: Mapping[Column, str]
) -> Head | None:
    """The head of the line that names columns most surely. ``lines``: its place, that of the data, and its cells."""
    best: Head | None = None
    for place, data, cells in lines:
        columns, weight = _named(cells, [below for _, below in rows[data : data + _SEEN]], mapping)
        if weight and (best is None or weight > best.weight):
            best = Head(place, data, _trimmed(cells), columns, len(cells), weight)
    return best


def narrowed(head: Head, rows: Sequence[Row], delimiter: str) -> Head:
    """A head without the columns behind its last name that most rows leave blank, and in commas without any.

    They come from a delimiter at the end of each line of text, and what stands in one has been shifted there: by a
    comma of a number, it may be in every row.
    """
    below = [cells for _, cells in rows[head.data : head.data + _SEEN]]
    width = head.width
    while width > max(head.columns.values(), default=0) + 1 and not any(map(str.strip, head.cells[width - 1 : width])):
        filled = sum(len(cells) >= width and bool(cells[width - 1].strip()) for cells in below)
        if head.place < 0 or (filled * 2 > len(below) and delimiter != ","):
            break
        width -= 1
    return replace(head, cells=head.cells[:width], width=width)


def _stacked(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """The names that two lines make, [] where they cannot be one header.

    A group's name stands above the first of its columns ("销售", "" over "数量", "金额"); a column without a group has
    its name in one of the lines. Two full lines, and numbers below, are no such header; what stands above all columns
    is a title.
    """
    titled = any(map(str.strip, upper[:1])) and not any(map(str.strip, upper[1:]))
    if titled or any(number(cell, units=True) for cell in lower):
        return []
    names: list[str] = []
    group = ""
    filled = 0
    for above, below in zip_longest(map(str.strip, upper), map(str.strip, lower), fillvalue=""):
        group = above or (group if below else "")
        names.append(f"{group} {below}".strip())
        filled += bool(above and below)
    return names if filled < len(names) else []


def _named(cells: list[str], below: list[list[str]], mapping: Mapping[Column, str]) -> tuple[dict[Column, int], int]:
    """The columns that a line names, and how strongly; a weight of 0 means that it is no header."""
    columns, weight = _mapped(cells, mapping)
    by_name, numbered = weight, 0 if weight else len(columns)
    below = [row for row in below if sum(map(bool, map(str.strip, row))) > 1 and row != cells]  # no notes
    offers = [] if len(cells) == 1 else [_matches(cell) for cell in cells]
    double = [{Column.AMOUNT, Column.TOTAL} <= {column for column, _ in offer} for offer in offers]
    ranked = sorted(
        (-score, not fits(column, place, below), place, column)
        for place, offer in enumerate(offers)
        for column, score in offer
        if not double[place]
    )
    strong = 0
    for score, unfit, place, column in ranked:
        if column in columns or place in columns.values() or column in mapping:
            continue
        if unfit and (-score <= _SURE or (column is Column.DATE and holds_clocks(place, below))):
            continue
        columns[column] = place
        weight += 2 if -score > _SURE else 1
        strong += -score > _SURE
    doubtful = [place for place, both in enumerate(double) if both and place not in columns.values()]
    for place in sorted(doubtful, key=lambda place: not _is_plain(offers[place])):
        beside = Column.PRICE in columns or (Column.TOTAL in columns and _is_plain(offers[place]))
        quantity = Column.AMOUNT not in columns and beside
        column = Column.AMOUNT if quantity and Column.AMOUNT not in mapping else Column.TOTAL
        if column not in columns and column not in mapping:
            columns[column] = place
            weight += 2
            strong += 1
    listed = offers and (Column.PRICE, _LISTED) in offers[columns.get(Column.PRICE, 0)]
    uncounted = Column.AMOUNT not in columns and {Column.PRICE, Column.TOTAL} <= columns.keys()
    if uncounted and Column.TOTAL not in mapping and is_smaller(columns, below):
        del columns[Column.TOTAL]  # "Sales" that are pieces
    weak = {Column.PRICE, Column.AMOUNT, Column.TOTAL} <= columns.keys() and not any(
        column is Column.PRICE and score > _SURE for column, score in offers[columns[Column.PRICE]]
    )
    other = weak and differs(columns, below)
    if (listed or uncounted or other) and Column.TOTAL in columns and Column.PRICE not in mapping:
        columns.pop(Column.PRICE, None)  # of how many, nothing tells: the line total is the sale
    enough = by_name or (len(columns) - numbered >= _ENOUGH and strong)
    return columns, weight if enough and not _holds_day(cells) else 0


def _is_plain(offer: Sequence[tuple[Column, int]]) -> bool:
    """Whether a heading that may be quantity or line total is no more than that: "Amount", not "Booked amount"."""
    return any(column is Column.AMOUNT and score > _SURE for column, score in offer)


def _mapped(cells: list[str], mapping: Mapping[Column, str]) -> tuple[dict[Column, int], int]:
    """The columns that the user names or numbers, and the weight of the names among them."""
    columns: dict[Column, int] = {}
    weight = 0
    names = [plain(cell) for cell in cells]
    for column, name in mapping.items():
        if _place(name, len(cells)) is not None:
            columns[column] = int(name) - 1
        elif plain(name) in names:
            columns[column] = names.index(plain(name))
            weight += _MAPPED
    return columns, weight


def _place(name: str, width: int) -> int | None:
    """The 0-based column that a mapping's number means; None for a name, or a number that is no column's."""
    name = name.strip()
    number_ = int(name) if name.isascii() and name.isdecimal() and len(name) < _DIGITS else 0
    return number_ - 1 if 0 < number_ <= width else None


def _holds_day(cells: list[str]) -> bool:
    """Whether a cell is a date written out, which no header has."""
    return any(cell[:1].isdecimal() and not cell.strip().isdecimal() and is_day(cell) for cell in map(str.strip, cells))


@lru_cache(maxsize=4096)
def _matches(cell: str) -> tuple[tuple[Column, int], ...]:
    return tuple(match(cell)) if cell.strip() and len(cell) <= _LONG else ()


def _unnamed(rows: Sequence[Row], mapping: Mapping[Column, str]) -> Head:
    """The columns of a table without a header that can be read, from the mapping's numbers and from the content."""
    width = Counter(len(cells) for _, cells in rows if 1 < len(cells) <= _WIDEST)
    usual = max(width, key=lambda size: (width[size], size)) if width else 0
    columns = {column: place for column, name in mapping.items() if (place := _place(name, usual)) is not None}
    told = {Column.DATE, Column.PRODUCT} <= columns.keys()
    table = [cells for _, cells in rows if len(cells) == usual]
    guess = guessed(table, usual)
    if Column.DATE not in guess:  # the first line may be a header that nobody knows
        guess = guessed(table[1:], usual)
    guess = {
        column: place
        for column, place in guess.items()
        if column not in columns and column not in mapping and place not in columns.values()
    }
    if not Head(
        0, 0, [], columns, usual
    ).missing:  # the user has named what is needed, and a guess would be one too many
        guess = {}
    columns |= guess
    data = next((place for place, (_, cells) in enumerate(rows) if _is_sale(cells, columns, usual)), None)
    least = usual  # without what lines that end with delimiters have behind their last cell
    while least > 1 and not any(cells[least - 1].strip() for cells in table):
        least -= 1
    wide = [cells for _, cells in rows[: data or 0] if len(cells) >= least and not any(map(str.strip, cells[usual:]))]
    above = [cells for cells in wide if sum(map(bool, cells)) > usual / 2 and not _holds_day(cells)]
    if data is None or above:  # an unknown header: its columns are only proposed, unless the user numbered them
        cells = _trimmed(above[0] if above else table[0] if table else rows[0][1] if rows else [])
        place = next((place for place, (_, other) in enumerate(rows) if _trimmed(other) == cells), 0)
        guessed_too = [Caution("no_header")] if guess else []
        return Head(place, place + 1, cells, columns, len(cells), 1 if told and above else 0, guessed_too)
    return Head(-1, data, [], columns, usual, 1, [Caution("no_header")])


def _is_sale(cells: Sequence[str], columns: Mapping[Column, int], usual: int) -> bool:
    """Whether a row holds what a heading does not: a day where it should be, or else numbers everywhere.

    Its day may be wrong, and it may lack its last cells or have some too many, as any other row: it is judged like
    them. One of another width than the usual, such as a title, needs both a day and a number.
    """
    held = {column: cells[place] for column, place in columns.items() if place < len(cells)}
    if Column.DATE not in held:
        return False
    figures = [held[column] for column in (Column.PRICE, Column.AMOUNT, Column.TOTAL) if column in held]
    numbers = sum(number(text, units=True) is not None for text in figures)
    if is_day(held[Column.DATE]):
        return len(cells) == usual or numbers > 0
    return len(cells) == usual and 0 < numbers == len(figures)


def _cautions(head: Head) -> list[Caution]:
    names = Counter(plain(cell) for cell in head.cells if plain(cell))
    twice = [cell for cell in dict.fromkeys(head.cells) if names[plain(cell)] > 1]
    return [Caution("duplicate_header", {"names": ", ".join(twice)})] if twice else []


def checked(head: Head, mapping: Mapping[Column, str]) -> Head:
    """``head`` if it has all that is needed.

    InvalidInput: ``missing_columns`` with the columns found and, as far as the content gives it away, a mapping that
    can be used as it is; also where ``mapping`` names a column that is not there. ``same_column`` where it gives one
    column two meanings.
    """
    lost = [f"{column} ({name})" for column, name in mapping.items() if column not in head.columns]
    missing = [*lost, *(column for column in head.missing if column not in mapping)]
    given: dict[int, Column] = {}
    for column in (column for column in mapping if column in head.columns):
        other = given.setdefault(head.columns[column], column)
        if other != column:
            raise InvalidInput("same_column", one=other, other=column, name=mapping[column])
    if not missing and (head.weight or head.place < 0):
        extra = [Caution("no_region_column")] if Column.REGION not in head.columns else []
        extra += [Caution("no_price_column")] if Column.PRICE not in head.columns else []
        extra += [Caution("no_amount_column")] if Column.AMOUNT not in head.columns else []
        return replace(head, cautions=[*head.cautions, *extra])
    missing = missing or list(head.columns)
    error = InvalidInput("missing_columns", missing=", ".join(missing), found=", ".join(head.cells))
    raise error.also("proposed_mapping", mapping=_proposal(head))


def _proposal(head: Head) -> str:
    places = {column: head.columns[column] for column in Column if column in head.columns}
    places.pop(Column.CURRENCY, None)
    names = Counter(plain(cell) for cell in head.cells)
    usable = {
        column.value: head.cells[place]
        if place < len(head.cells) and names[plain(head.cells[place])] == 1 and plain(head.cells[place])
        else str(place + 1)
        for column, place in places.items()
    }
    return json.dumps(
        usable | {column.value: "?" for column in head.missing if column not in places}, ensure_ascii=False
    )


def plain(name: str) -> str:
    """A heading as it is compared: width, case, spaces, underscores and invisible characters do not count."""
    return _DROPPED.sub("", unicodedata.normalize("NFKC", name)).casefold()


def _trimmed(cells: list[str]) -> list[str]:
    return [re.sub(r"\s+", " ", cell).strip() for cell in cells]
