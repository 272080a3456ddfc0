"""Where the sales come from: a file that Dify holds, or text in a parameter."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opskit import http
from opskit.sales.brief import Brief

MAX_BYTES = 20_000_000
_DOWNLOAD_S = 240.0


@contextmanager
def source(brief: Brief) -> Iterator[Path]:
    """The table as a file in a folder of its own, which is gone afterwards, whatever happens.

    InvalidInput: the file is too large, or its address cannot be used. Refused: the address may not be reached.
    Unavailable: it cannot be fetched.
    """
    with tempfile.TemporaryDirectory(prefix="opskit-") as folder:
        path = Path(folder) / "table"
        if brief.file:
            http.download(brief.file.url, path, private=True, max_bytes=MAX_BYTES, deadline_s=_DOWNLOAD_S)
        else:
            path.write_text(brief.csv_text, encoding="utf-8", errors="replace", newline="")
        yield path
