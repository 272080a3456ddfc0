"""The text of one cell, and what it says: a number, a day, a kind of row, the name of a column.

Every function takes the text as the file has it (no stripping needed) and is pure. A text that could mean two
things is never guessed at: it is None, or the caller says which reading holds for the whole column.
"""

from opskit.sales.cells.currencies import currency_of
from opskit.sales.cells.days import Order, day, is_ambiguous, order_of
from opskit.sales.cells.heading_names import Column
from opskit.sales.cells.headings import column_of, factor, match, unit_of
from opskit.sales.cells.numbers import Number, decimal_comma, number
from opskit.sales.cells.regions import is_region
from opskit.sales.cells.scales import said
from opskit.sales.cells.words import excel_error, is_note, is_total, null

__all__ = [
    "Column",
    "Number",
    "Order",
    "column_of",
    "currency_of",
    "day",
    "decimal_comma",
    "excel_error",
    "factor",
    "is_ambiguous",
    "is_note",
    "is_region",
    "is_total",
    "match",
    "null",
    "number",
    "order_of",
    "said",
    "unit_of",
]
