"""Where the sales come from: a file that Dify holds, text in a parameter, or a link."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opskit.errors import Refused, Unavailable
from opskit.progress import Progress
from opskit.sales.brief import Brief

_MEGABYTE = 1_000_000
_DOWNLOAD_S = 300.0
_TOLD_BYTES = 25 * _MEGABYTE


@contextmanager
def source(brief: Brief, progress: Progress) -> Iterator[Callable[[], Path]]:
    """What fetches the table into a folder of its own, which is gone afterwards, whatever happens.

    InvalidInput: the file is too large, or its address cannot be used. Refused: the address may not be reached.
    Unavailable: it cannot be fetched.
    """
    with tempfile.TemporaryDirectory(prefix="opskit-") as folder:
        yield _Source(brief, Path(folder) / "table", progress).fetch


@dataclass(slots=True)
class _Source:
    brief: Brief
    path: Path
    progress: Progress
    told: int = 0

    def fetch(self) -> Path:
        """The table as a file."""
        if self.brief.csv_text:
            self.path.write_text(self.brief.csv_text, encoding="utf-8", errors="replace", newline="")
        elif self.brief.file:
            self._download(self.brief.file.url, private=True)
        else:
            self._follow(self.brief.file_url)
        return self.path

    def _follow(self, url: str) -> None:
        """Fetch what lies at a link. No secret is sent there, and a model may have chosen it."""
        from opskit import http  # noqa: PLC0415 - a notebook that analyses a file needs none of it

        http.checked_url(url)
        try:
            self._download(url, private=self.brief.allow_private)
        except Unavailable as error:
            raise Unavailable("link_unavailable", problem=error.blanks["problem"]) from None
        except Refused as error:
            raise error if self.brief.allow_private else error.also("private_not_allowed") from None

    def _download(self, url: str, *, private: bool) -> None:
        from opskit import http  # noqa: PLC0415 - likewise

        limit = self.brief.max_mb * _MEGABYTE
        http.download(url, self.path, private=private, max_bytes=limit, deadline_s=_DOWNLOAD_S, told=self._tell)

    def _tell(self, count: int) -> None:
        """Tell every 25 MB how far the download is."""
        if count - self.told >= _TOLD_BYTES:
            self.told = count - count % _TOLD_BYTES
            self.progress.tell("fetched", megabytes=self.told // _MEGABYTE)
