"""A table that comes with the request itself."""

import tempfile
from pathlib import Path

from opskit.errors import InvalidInput
from opskit.sales.analysis import Analysis
from opskit.sales.analyze import analyze
from opskit.sales.brief import Options


class Posted(Options):
    """What is asked about a posted table: the parameters of the tool, without those that fetch something."""

    csv_text: str = ""


def analyze_posted(posted: Posted, file: bytes | None) -> Analysis:
    """The sales of a table given as ``file`` or as ``csv_text``; what kind of file it is, its content tells.

    InvalidInput: neither or both are given, or the table cannot be analysed (see ``analyze``).
    """
    if file is not None and posted.csv_text:
        raise InvalidInput("several_sources", names="file, csv_text")
    if file is None and not posted.csv_text:
        raise InvalidInput("no_source", names="file, csv_text")
    content = posted.csv_text.encode("utf-8", "replace") if file is None else file
    with tempfile.TemporaryDirectory(prefix="opskit-") as folder:
        table = Path(folder) / "table"
        table.write_bytes(content)
        return analyze(table, posted)
