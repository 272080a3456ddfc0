"""POST /v1/files/upload: a file for the runs of one app and one user.

Sources: Dify 1.13.3, controllers/service_api/app/file.py, factories/file_factory.
"""

import time
import uuid
from email.message import Message
from email.parser import HeaderParser
from pathlib import PurePosixPath
from typing import Any

from devtools.dify_server.apps import App
from devtools.dify_server.forms import detected
from devtools.dify_server.ledger import Ledger, Request, Upload
from devtools.dify_server.refusals import Refusal, invalid
from devtools.dify_server.routes import LIMITS_MB, user_of

ANYBODY = "DEFAULT-USER"

type Part = tuple[Message, bytes]


def take(request: Request, app: App, ledger: Ledger) -> dict[str, Any]:
    """Keep the file and describe it; Refusal when it is none that Dify takes."""
    parts = _parts(request)
    users = [content.decode() for head, content in parts if _parameter(head, "name") == "user"]
    user = user_of({"user": users[0] if users and users[0] else ANYBODY})
    upload = _keep(parts, app, user, ledger)
    return _described(upload) | {
        "extension": PurePosixPath(upload.name).suffix.lstrip("."),
        "preview_url": None,
        "source_url": f"/files/{upload.id}/file-preview?timestamp=1&nonce=fake&sign=fake",
        "original_url": None,
        "user_id": None,
        "tenant_id": str(uuid.uuid4()),
        "conversation_id": None,
        "file_key": None,
    }


def take_tool_file(request: Request, ledger: Ledger) -> dict[str, Any]:
    """Keep a file of a plugin; its extension comes with its dot."""
    upload = _keep(_parts(request), None, "", ledger)
    extension = PurePosixPath(upload.name).suffix
    preview = f"/files/tools/{upload.id}{extension}?timestamp=1&nonce=fake&sign=fake"
    return _described(upload) | {"extension": extension, "preview_url": preview}


def _keep(parts: list[Part], app: App | None, user: str, ledger: Ledger) -> Upload:
    files = [part for part in parts if _parameter(part[0], "name") == "file"]
    if not files:
        raise Refusal(400, "no_file_uploaded", "Please upload your file.")
    if len(files) > 1 or sum(bool(head.get_filename()) for head, _ in parts) > 1:
        raise Refusal(400, "too_many_files", "Only one file is allowed.")
    head, content = files[0]
    name = head.get_filename()
    if not name:
        raise Refusal(400, "filename_not_exists_error", "The specified filename does not exist.")
    if "content-type" not in head:
        raise Refusal(415, "unsupported_file_type", "File type not allowed.")
    if "/" in name or "\\" in name:
        raise invalid("Filename contains invalid characters")
    kind = detected(name, head.get_content_type())
    if len(content) > LIMITS_MB[kind] * 1024 * 1024:
        raise Refusal(413, "file_too_large", "File size exceeded. {message}")
    upload = Upload(str(uuid.uuid4()), app, user, name, head.get_content_type(), content, kind)
    ledger.note(upload)
    return upload


def _described(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "name": upload.name,
        "size": len(upload.content),
        "mime_type": upload.mime_type,
        "created_by": str(uuid.uuid4()),
        "created_at": int(time.time()),
    }


def _parts(request: Request) -> list[Part]:
    """The parts of a multipart body; none if it is no such body."""
    whole = Message()
    whole["Content-Type"] = request.headers.get("content-type", "")
    boundary = whole.get_boundary()
    if whole.get_content_type() != "multipart/form-data" or not boundary:
        return []
    found: list[Part] = []
    for piece in (b"\r\n" + request.raw).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        found.append((HeaderParser().parsestr(head.decode("utf-8", "replace") + "\r\n\r\n"), content))
    return found


def _parameter(head: Message, name: str) -> str | None:
    found = head.get_param(name, header="content-disposition")
    return str(found) if found is not None else None
