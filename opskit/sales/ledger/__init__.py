"""Every row of a table accepted, or rejected with a reason, and summed: exact, in bounded memory, on disk.

DuckDB reads every cell as text. What a plain cast understands is summed as it is scanned; the distinct texts that it
refuses go through the parsers of ``cells`` and are joined back, so that a column of ten million odd prices costs as
many parses as it has different ones.
"""

from opskit.sales.ledger.book import Ledger, ledger
from opskit.sales.ledger.database import NotClean
from opskit.sales.ledger.quality import REASONS, Account, Example
from opskit.sales.ledger.sieve import Reading

__all__ = ["REASONS", "Account", "Example", "Ledger", "NotClean", "Reading", "ledger"]
