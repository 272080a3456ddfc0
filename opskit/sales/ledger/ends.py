"""The end of a table, read without what is before it."""

import csv
import os

from opskit.sales.cells import Column
from opskit.sales.opening import Layout

_BYTES = 1 << 16


def last_texts(layout: Layout, column: Column) -> list[str]:
    """What a column holds in the last rows, as many as 64 KB hold; a row that a quotation mark breaks may be amiss."""
    with layout.path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _BYTES, 0))
        lines = file.read().decode("utf-8", "replace").replace("\r", "").split("\n")
    rows = csv.reader(lines[1:], delimiter=layout.delimiter, quotechar=layout.quote)
    place = layout.columns[column]
    return [row[place].strip() for row in rows if place < len(row) and row[place].strip()]
