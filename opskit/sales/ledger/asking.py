"""Statements and their results."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

_BATCH = 50_000
# What the tables of texts hold.
DAYS = ("VARCHAR", "DATE", "VARCHAR")
NUMBERS = ("VARCHAR", "DECIMAL(21, 9)", "VARCHAR")
LABELS = ("VARCHAR", "VARCHAR")


class Asking:
    """Runs statements, first with little memory, and where that is not enough with ``most`` bytes."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection", most: int) -> None:
        self._connection, self._more = connection, [most]

    def run(self, query: str, values: Sequence[object] = ()) -> None:
        """Run a statement that gives nothing back."""
        self.all(query, values)

    def all(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """A statement's result, as a whole."""
        import duckdb  # noqa: PLC0415 - loaded on first use, so that the plugin starts fast

        try:
            return self._connection.execute(query, values or None).fetchall()
        except duckdb.OutOfMemoryException:
            if not self._more:
                raise
            self._connection.execute(f"SET memory_limit = '{self._more.pop() // 1000:d}KB'")
            return self.all(query, values)

    def each(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """A statement's result row by row, while others run."""
        with self._connection.cursor() as cursor:
            result = cursor.execute(query, values or None)
            while rows := result.fetchmany(_BATCH):
                yield from rows

    def append(self, table: str, types: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
        """Add rows to a table with columns of these types."""
        values = ", ".join(f"unnest(${place}::VARCHAR[])::{name}" for place, name in enumerate(types, 1))
        self.update(f"INSERT INTO {table} SELECT {values}", rows)

    def update(self, query: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Run a statement that takes a list of texts for each column of the rows."""
        for batch in batched(rows, _BATCH):
            self.run(
                query, [[None if cell is None else str(cell) for cell in part] for part in zip(*batch, strict=True)]
            )
