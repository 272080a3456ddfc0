"""The files of a run, as Dify keeps them: uploaded by a user or made by a tool, and fetched by address."""

import mimetypes
import re
import secrets
import threading
import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit

from graphon.file.enums import FileTransferMethod
from graphon.file.file_factory import standardize_file_type
from graphon.file.models import File

from opskit import signing

_PREVIEW = re.compile(r"/files/([0-9a-f-]{36})/file-preview")
_MADE = re.compile(r"/files/tools/([0-9a-f-]{36})\.\w+")
_VALID_S = 300  # FILES_ACCESS_TIMEOUT of Dify


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file's name, MIME type and bytes."""

    filename: str
    mime_type: str
    content: bytes


class Files:
    """The files of one run, each at an address on this machine as Dify's signed ones are. Use it in ``with``.

    It serves graphon as file runtime and as manager of tool files; ``made`` holds what tools made, by reference.
    """

    def __init__(self) -> None:
        self.made: dict[str, StoredFile] = {}
        self._uploaded: dict[str, StoredFile] = {}
        self._key = secrets.token_bytes(32)
        self._server = _FileServer(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def upload(self, path: Path) -> File:
        """A user's file, as it is after the upload to Dify."""
        reference = str(uuid.uuid4())
        mime_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self._uploaded[reference] = StoredFile(path.name, mime_type, path.read_bytes())
        return self.file(reference)

    def file(self, reference: str) -> File:
        """Graphon's object for a file; KeyError when there is none."""
        stored = self.stored(reference)
        extension = Path(stored.filename).suffix.lower()
        return File(
            file_type=standardize_file_type(extension=extension, mime_type=stored.mime_type),
            transfer_method=FileTransferMethod.TOOL_FILE if reference in self.made else FileTransferMethod.LOCAL_FILE,
            reference=reference,
            filename=stored.filename,
            extension=extension,
            mime_type=stored.mime_type,
            size=len(stored.content),
        )

    def stored(self, reference: str) -> StoredFile:
        """A file's content; KeyError when there is none."""
        return (self._uploaded | self.made)[reference]

    def create_file_by_raw(self, *, file_binary: bytes, mimetype: str, filename: str | None = None) -> File:
        """Keep what a tool made; graphon asks for it again by the ``id``."""
        reference = str(uuid.uuid4())
        name = filename or f"{reference}{mimetypes.guess_extension(mimetype) or '.bin'}"
        self.made[reference] = StoredFile(name, mimetype, file_binary)
        return self.file(reference).model_copy(update={"id": reference})

    def get_file_generator_by_tool_file_id(self, tool_file_id: str) -> tuple[None, File | None]:
        """What a tool made, by id; graphon reads no content here."""
        return None, self.file(tool_file_id) if tool_file_id in self.made else None

    def resolve_file_url(self, *, file: File, for_external: bool = True) -> str:  # noqa: ARG002 - graphon's signature
        """Where a file is fetched within five minutes, from the plugin or from anywhere on this machine."""
        reference = file.reference or ""
        path = f"/files/{reference}/file-preview"
        if reference in self.made:
            path = f"/files/tools/{reference}{Path(self.made[reference].filename).suffix or '.bin'}"
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        query = urlencode({"timestamp": timestamp, "nonce": nonce, "sign": self._sign(reference, timestamp, nonce)})
        return f"http://127.0.0.1:{self._server.server_port}{path}?{query}"

    def fetched(self, target: str) -> StoredFile | None:
        """What a signed address gives; None when it is wrong or too old."""
        address = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        match = _PREVIEW.fullmatch(address.path) or _MADE.fullmatch(address.path)
        if not match or query.keys() != {"timestamp", "nonce", "sign"}:
            return None
        expected = self._sign(match[1], query["timestamp"], query["nonce"])
        if not signing.verify(query["sign"], expected) or time.time() - int(query["timestamp"]) > _VALID_S:
            return None
        return self.stored(match[1])

    def _sign(self, reference: str, timestamp: str, nonce: str) -> str:
        return signing.sign_base64(self._key, f"file-preview|{reference}|{timestamp}|{nonce}".encode())

    def load_file_bytes(self, *, file: File) -> bytes:
        """The content of a file."""
        return self.stored(file.reference or "").content


class _FileServer(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, files: Files) -> None:
        super().__init__(("127.0.0.1", 0), _FileHandler)
        self.files = files


class _FileHandler(BaseHTTPRequestHandler):
    server: _FileServer

    def do_GET(self) -> None:
        stored = self.server.files.fetched(self.path)
        if not stored:
            self.send_error(HTTPStatus.NOT_FOUND, "File not found or signature is invalid")
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", stored.mime_type)
        self.send_header("Content-Length", str(len(stored.content)))
        self.end_headers()
        self.wfile.write(stored.content)

    def log_message(self, *arguments: object) -> None:
        """Silence: whoever fetches the file tells what went wrong."""
