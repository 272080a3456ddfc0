"""A report as files to hand on: a page for any browser (``page``) and a workbook (``book``), from one ``Document``.

Both are made of plain things, hold no code, ask nothing of any other machine, and are the same bytes each time.
"""

from opskit.sales.exports.book import book
from opskit.sales.exports.document import Cell, Document, Figure, Heading, Kind, Table
from opskit.sales.exports.page import page

__all__ = ["Cell", "Document", "Figure", "Heading", "Kind", "Table", "book", "page"]
