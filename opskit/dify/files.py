"""The files that go along with a question, fetched from the Dify that handed them over."""

import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from opskit import http
from opskit.dify.targets import LocalFile
from opskit.errors import InvalidInput
from opskit.model import FileReference

_MAX_BYTES = 100_000_000  # Dify's largest limit, that of videos (UPLOAD_VIDEO_FILE_SIZE_LIMIT)
_MAX_FILES = 10  # WORKFLOW_FILE_UPLOAD_LIMIT


@contextlib.contextmanager
def fetched(files: Sequence[FileReference], ends: float) -> Iterator[list[LocalFile]]:
    """The files on disk, gone afterwards. InvalidInput: too many or too large; Unavailable: one cannot be fetched."""
    if len(files) > _MAX_FILES:
        raise InvalidInput("too_many_files", count=len(files), limit=_MAX_FILES)
    with tempfile.TemporaryDirectory(prefix="opskit-") as folder:
        yield [_fetched(file, Path(folder) / str(index), ends) for index, file in enumerate(files)]


def _fetched(file: FileReference, path: Path, ends: float) -> LocalFile:
    left_s = ends - time.monotonic()
    http.download(file.url, path, private=True, max_bytes=_MAX_BYTES, deadline_s=left_s)
    name = file.filename.replace("/", "_").replace("\\", "_") or f"file{file.extension}"
    return LocalFile(path, name, file.mime_type, file.type)
