"""A DuckDB for one call: small, locked, and with one file that it may read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from opskit.errors import InvalidInput
from opskit.sales.cells import Column
from opskit.sales.opening import Layout
from opskit.sales.opening.text import SURPLUS

if TYPE_CHECKING:
    import duckdb

_MEGABYTE = 1_000_000
# Measured: ten million rows of 510 MB need 100 MB to be as fast as with any more, a million of 51 MB need 80.
_LEAST, _USUAL = 80 * _MEGABYTE, 100 * _MEGABYTE
_SHARE = 4  # of the file, in between
MOST = 160 * _MEGABYTE  # for what turns out to need more
_THREADS = 2
_BUFFER = 2 * _MEGABYTE  # of a file that a thread holds; the default of 32 MB makes the limits above fail now and then
_LONGEST_LINE = _MEGABYTE
_NEEDLESS = (
    *("join_order", "build_side_probe_side"),  # they take a CSV file for 42 rows
    *("compressed_materialization", "join_filter_pushdown"),  # they cost small tables 10 ms a statement
)
_NO_DELIMITER = "\x02\x1e\x02\x1e"  # four bytes that no line holds
_TOO_WIDE = "Expected Number of Columns"
_DIGITS = 15


class NotClean(Exception):
    """The file is not what its head looked like: a quotation mark, line break or byte further down is astray.

    Nothing of it was counted. Open it again with ``thorough`` and read that layout.
    """


class TooWide(NotClean):
    """There are rows with more surplus cells than are looked at."""


class Stumbled(NotClean):
    """The reader failed by itself: now and then it does, once in hundreds of times."""


def widths(layout: Layout) -> tuple[int, ...]:
    """Behind how many cells of a row to look for surplus ones: at first, and when these were too few."""
    widest = max((len(cells) for cells in layout.sample), default=0)
    return (1, SURPLUS) if widest <= layout.width + 1 else (SURPLUS,)


@contextmanager
def database(layout: Layout, folder: Path, *, surplus: int) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A database with the views ``lines`` (the one column ``line``, NULL where it is blank) and ``written``.

    ``written`` has the columns of ``names``, each cell as text, NULL where it is blank; blank lines are no rows of it.
    The database spills into ``folder``, loads no extension, reads nothing but the table, and its settings are locked
    but for ``memory_limit``, which may be raised to ``MOST``: nothing that a cell holds becomes SQL.
    InvalidInput: ``too_many_groups``, ``too_many_digits``. NotClean, TooWide, Stumbled.
    """
    import duckdb  # noqa: PLC0415 - loaded on first use, so that the plugin starts fast

    memory = min(max(layout.path.stat().st_size // _SHARE, _LEAST), _USUAL)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory // 1000}KB",
        "threads": _THREADS,
        "async_threads": 0,  # eight of them would wait for files that come over a network
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": True,
        "disabled_optimizers": ",".join(_NEEDLESS),
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        path = str(layout.path).replace("'", "''")
        connection.execute(f"SET allowed_paths = ['{path}']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET allowed_configs = ['memory_limit']")
        connection.execute("SET lock_configuration = true")
        try:
            _view(connection, layout, "lines", ["line"], delimiter=_NO_DELIMITER, quote="")
            _view(connection, layout, "written", names(layout, surplus), delimiter=layout.delimiter, quote=layout.quote)
            yield connection
        except duckdb.OutOfMemoryException:
            raise InvalidInput("too_many_groups", limit=f"{MOST // _MEGABYTE} MB") from None
        except duckdb.OutOfRangeException:
            raise InvalidInput("too_many_digits", value="> 1e20", limit=_DIGITS) from None
        except duckdb.Error as error:
            if isinstance(error, duckdb.InternalException):
                raise Stumbled(str(error)) from None
            if "CSV" not in str(error):
                raise
            raise (TooWide if _TOO_WIDE in str(error) else NotClean)(type(error).__name__) from None


def _view(
    connection: "duckdb.DuckDBPyConnection",
    layout: Layout,
    name: str,
    columns: list[str],
    *,
    delimiter: str,
    quote: str,
) -> None:
    connection.read_csv(
        str(layout.path),
        header=False,
        skiprows=layout.skip,
        sep=delimiter,
        quotechar=quote,
        escapechar=quote,
        auto_detect=False,
        columns=dict.fromkeys(columns, "VARCHAR"),
        null_padding=True,
        strict_mode=True,  # else surplus cells and stray quotation marks go without a word
        buffer_size=_BUFFER,
        max_line_size=_LONGEST_LINE,
    ).create_view(name)


def names(layout: Layout, surplus: int) -> list[str]:
    """The names of a table's columns, in their order, and of those behind the last one."""
    roles = {place: column.value for column, place in layout.columns.items()}
    own = [roles.get(place, f"other{place}") for place in range(layout.width)]
    return [*own, *(f"surplus{number}" for number in range(surplus))]


def missing(layout: Layout) -> list[str]:
    """The names of the columns that a table might have and does not."""
    return [column.value for column in Column if column not in layout.columns]
