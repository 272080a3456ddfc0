"""Names that make a row strange: its date and numbers are plain, and yet it may be no sale."""

from collections import Counter

from opskit.sales import cells
from opskit.sales.cells import Column
from opskit.sales.ledger import sql
from opskit.sales.ledger.asking import Asking
from opskit.sales.ledger.joining import is_figure
from opskit.sales.ledger.sql import Shape
from opskit.sales.ledger.texts import Label, named_total
from opskit.sales.opening import Layout

_SMALL = 100_000  # rows, each of which can be looked at
_FEW = 5  # so many times fewer rows than all lack a name, or bear a label


class Strangers:
    """What the cube of a table tells of its names. ``numbered_regions``: most are numbers, such as those of shops."""

    def __init__(self, ask: Asking, layout: Layout, shape: Shape, rows: int) -> None:
        self._ask, self._layout, self._shape, self._rows = ask, layout, shape, rows
        self.numbered_regions = self._rare_figures = False

    def labels(self, *, totals: bool) -> list[Label]:
        """The strange names, each with its column. ``totals``: some line may hold the label of one."""
        labels = [*self._totals(), *self._blanks(), *self._shifted()]
        return labels + (self._elsewhere() if totals else [])

    def _totals(self) -> list[Label]:
        """Products and regions that are labels of totals, and products that are numbers, where few are.

        A row that lacks its product stands one cell too far left, and only the line total that it lacks shows it.
        """
        found, asked, figures = [], [], []
        products = 0
        for role in self._named:
            looked_at = role is Column.PRODUCT and self._shape.compared
            for (name,) in self._ask.each(sql.distinct(role)):
                products += looked_at
                if cells.is_total(name):
                    found.append(Label(name, role))
                elif of := named_total(name):
                    asked.append((Label(name, role), of))
                elif looked_at and is_figure(name):
                    figures.append(Label(name, role))
        known = self.known([of for _, of in asked])
        found += [label for label, of in asked if of in known]
        return found + (figures if len(figures) * _FEW <= products else [])

    def _blanks(self) -> list[Label]:
        """Columns that few rows leave blank: such a row may have a label elsewhere."""
        found = []
        for role in self._named if self._shape.others else []:
            [(blank,)] = self._ask.all(sql.blank(role))
            if blank and (blank * _FEW <= self._rows or self._rows <= _SMALL):
                found.append(Label("", role))
        return found

    def _elsewhere(self) -> list[Label]:
        """Labels of totals in other columns, if they are few: a column that says Total in each row says nothing."""
        found = self._ask.all(sql.elsewhere(self._shape))
        most = self._rows // (2 if self._rows <= _SMALL else _FEW)
        return [Label(text, "other") for text, rows in found if rows <= most and cells.is_total(text)]

    def _shifted(self) -> list[Label]:
        """Regions that are none: in such a row all may stand one cell too far right, or too far left."""
        layout = self._layout
        if layout.source_delimiter != "," or Column.REGION not in layout.columns:
            return []
        rows = dict(self._ask.all(sql.REGIONS))
        figures = {name for name in rows if is_figure(name)}
        few = sum(rows[name] for name in figures) * 2 <= sum(rows.values())
        self._rare_figures = sum(rows[name] for name in figures) * _FEW <= sum(rows.values())
        self.numbered_regions = not few and not any(map(self.is_shifted, layout.sample))
        place = layout.columns[Column.REGION]
        here, before = (
            Counter(row[at].strip() for row in layout.sample if 0 <= at < len(row)) for at in (place, place - 1)
        )
        odd = {name for name in rows if before[name] > here[name] * _FEW}
        return [Label(name, Column.REGION) for name in sorted(odd | (set() if self.numbered_regions else figures))]

    def is_shifted(self, row: list[str]) -> bool:
        """Whether a row has a number for a region, and a region in the next column, where none should be.

        Where hardly any region is a number, one that is shows by itself that a comma has parted another cell.
        """
        place = self._layout.columns[Column.REGION]
        if self._rare_figures and place < len(row) and cells.number(row[place].strip()):
            return True
        if place + 1 >= len(row) or not is_figure(row[place].strip()) or not cells.is_region(row[place + 1].strip()):
            return False
        return not any(cells.column_of(name) is Column.REGION for name in self._layout.header[place + 1 : place + 2])

    def known(self, texts: list[str]) -> set[str]:
        """Which of these names the table has."""
        return {name for (name,) in self._ask.all(sql.NAMED, [texts])} if texts else set()

    @property
    def _named(self) -> list[Column]:
        return [role for role in (Column.PRODUCT, Column.REGION) if role in self._shape.columns]
