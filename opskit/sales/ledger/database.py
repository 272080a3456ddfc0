"""A DuckDB for one call: small, locked, and with one file that it may read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from opskit.errors import InvalidInput
from opskit.sales.cells import Column
from opskit.sales.opening import Layout

if TYPE_CHECKING:
    import duckdb

SURPLUS = 8  # columns behind the table's own in which more cells than it has are noticed
_MEMORY = "160MB"  # measured: ten million rows with 225,000 sums, below 320 MB for the whole process
_THREADS = 2
_BUFFER = 4_000_000  # bytes of a file that a thread holds; the default of 32 MB makes the limit above fail now and then
_LONGEST_LINE = 1_000_000  # bytes


@contextmanager
def database(layout: Layout, folder: Path, *, careful: bool) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A database with the view ``cells``: every cell of the table as text, "" where it is blank, by role.

    Its columns are those of ``Column`` and the others of ``columns``, which may be NULL. It spills into ``folder``,
    loads no extension, reads nothing but the table, and its settings are locked: nothing that a cell holds becomes SQL.

    ``careful``: take lines as they come, one after the other, for a table whose quotes hold line breaks.
    """
    import duckdb  # noqa: PLC0415 - loaded on first use, so that the plugin starts fast

    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        "threads": _THREADS,
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": True,
    }
    with duckdb.connect(str(folder / "ledger.duckdb"), config=settings) as connection:
        path = str(layout.path).replace("'", "''")
        connection.execute(f"SET allowed_paths = ['{path}']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        try:
            _view(connection, layout, careful=careful)
            yield connection
        except duckdb.OutOfMemoryException:
            raise InvalidInput("too_many_groups", limit=_MEMORY) from None


def _view(connection: "duckdb.DuckDBPyConnection", layout: Layout, *, careful: bool) -> None:
    names = columns(layout)
    connection.read_csv(
        str(layout.path),
        header=False,
        skiprows=layout.skip,
        sep=layout.delimiter,
        quotechar=layout.quote,
        escapechar=layout.quote,
        auto_detect=False,
        columns=dict.fromkeys(names, "VARCHAR"),
        null_padding=True,
        strict_mode=not careful,
        parallel=not careful,
        buffer_size=_BUFFER,
        max_line_size=_LONGEST_LINE,
    ).create_view("written")
    # Names of ours and places of columns: nothing here comes from the table.
    known = [f"coalesce({role}, '') AS {role}" if role in names else f"'' AS {role}" for role in Column]
    others = [name for name in names if name not in set(Column)]
    connection.execute(f"CREATE VIEW cells AS SELECT {', '.join([*known, *others])} FROM written")  # noqa: S608


def columns(layout: Layout) -> list[str]:
    """The names of a table's columns, in their order, and of those behind the last one."""
    roles = {place: column.value for column, place in layout.columns.items()}
    own = [roles.get(place, f"other{place}") for place in range(layout.width)]
    return [*own, *(f"surplus{number}" for number in range(SURPLUS))]
