"""What Dify asks of the inputs and the files of a run.

Sources: Dify 1.13.3, core/app/apps/base_app_generator.py (inputs), factories/file_factory (files), constants (which
extension is a document). Everything here is found when the run is prepared.
"""

import uuid
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from devtools.dify_server.apps import App
from devtools.dify_server.ledger import Upload
from devtools.dify_server.refusals import Early

_KINDS = {
    "image": "jpg jpeg png webp gif svg",
    "document": "txt markdown md mdx pdf html htm xlsx xls docx csv vtt properties",
    "audio": "mp3 m4a wav amr mpga",
    "video": "mp4 mov mpeg webm",
}
_TEXTS = ("text-input", "paragraph", "select")


def fields(app: App) -> Iterator[tuple[str, dict[str, Any]]]:
    """The variables of an app: type and definition."""
    for entry in app.asks:
        yield from entry.items()


def detected(name: str, mime_type: str = "") -> str:
    """The type that Dify sees in a file: by its extension, and text without one is a document."""
    extension = PurePosixPath(name).suffix.lstrip(".").lower()
    if not extension and mime_type.startswith("text/"):
        return "document"
    return next((kind for kind, known in _KINDS.items() if extension in known.split()), "custom")


class Form:
    """Checks what a user sends against what an app takes."""

    def __init__(self, app: App, user: str, uploads: Sequence[Upload]) -> None:
        self._app = app
        self._user = user
        self._uploads = {upload.id: upload for upload in uploads}

    def check(self, inputs: dict[str, Any], files: list[Any]) -> dict[str, Any]:
        """The inputs that the app takes, others left away; Early for the first that does not fit."""
        taken = {
            definition["variable"]: self._value(kind, definition, inputs) for kind, definition in fields(self._app)
        }
        for given in files:
            self._file(given, {})
        return taken

    def _value(self, kind: str, definition: dict[str, Any], inputs: dict[str, Any]) -> Any:
        name = definition["variable"]
        value = inputs.get(name)
        if value is None:
            if definition.get("required"):
                raise Early(f"{name} is required in input form")
            value = definition.get("default")
        if value is None or (kind in {"file", "file-list"} and value == "" and not definition.get("required")):
            return None
        if kind in _TEXTS:
            _check_text(kind, definition, value)
        elif kind == "number":
            return _number(name, value)
        elif kind == "file":
            if not isinstance(value, dict):
                raise Early(f"{name} in input form must be a file")
            self._file(value, definition)
        elif kind == "file-list":
            self._check_files(definition, value)
        if isinstance(value, dict) and kind not in {"file", "json_object"}:
            raise Early(f"Invalid input type for ['{name}']")
        return value

    def _check_files(self, definition: dict[str, Any], value: Any) -> None:
        name, most = definition["variable"], definition.get("max_length")
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Early(f"{name} in input form must be a list of files")
        if most and len(value) > most:
            raise Early(f"{name} in input form must be less than {most} files")
        for item in value:
            self._file(item, definition)

    def _file(self, given: Any, definition: dict[str, Any]) -> None:
        """One file object; who uploaded it, and whether it is what it says it is."""
        if not isinstance(given, dict):
            raise Early("Invalid file")
        match given.get("transfer_method"):
            case "local_file":
                name, mime_type = self._uploaded(given.get("upload_file_id"))
            case "remote_url" if given.get("url"):
                name, mime_type = PurePosixPath(urlsplit(str(given["url"])).path).name, ""
            case "remote_url":
                raise Early("Invalid file url")
            case "tool_file" if given.get("tool_file_id"):
                return  # tool files skip the checks of type and extension
            case _:
                raise Early(f"Invalid file transfer method: {given.get('transfer_method')}")
        kind = detected(name, mime_type)
        if given.get("type") != kind:
            raise Early("Detected file type does not match the specified type. Please verify the file.")
        allowed = definition.get("allowed_file_types")
        if allowed and kind not in allowed:
            raise Early(f"File validation failed for file: {name}")

    def _uploaded(self, identity: Any) -> tuple[str, str]:
        try:
            upload = self._uploads.get(str(uuid.UUID(str(identity))))
        except ValueError:
            raise Early("Invalid upload file id format") from None
        if upload is None or upload.app is not self._app or upload.user != self._user:
            raise Early("Invalid upload file")
        return upload.name, upload.mime_type


def _check_text(kind: str, definition: dict[str, Any], value: Any) -> None:
    name = definition["variable"]
    if not isinstance(value, str):
        raise Early(f"(type '{kind}') {name} in input form must be a string")
    if kind == "select":
        if value not in definition.get("options", []):
            raise Early(f"{name} in input form must be one of the following: {definition.get('options', [])}")
    elif (most := definition.get("max_length")) and len(value) > most:
        raise Early(f"{name} in input form must be less than {most} characters")


def _number(name: str, value: Any) -> Any:
    if isinstance(value, int | float):
        return value
    try:
        text = str(value).strip()
        return (float(text) if "." in text else int(text)) if text else None
    except ValueError:
        raise Early(f"{name} in input form must be a valid number") from None
