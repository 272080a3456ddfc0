"""The type that Dify gives to a file, by its ending, else its media type: a run is refused when it is called another.

Source: Dify 1.13.3, ``constants/__init__.py`` and ``factories/file_factory``, tried on a running server. Endings that
only one of the two text extractors knows are left to what the calling Dify says.
"""

import mimetypes
from pathlib import PurePosixPath

_KINDS = {
    "image": "jpg jpeg png webp gif svg",
    "video": "mp4 mov mpeg webm",
    "audio": "mp3 m4a wav amr mpga",
    "document": "txt markdown md mdx pdf html htm xlsx xls docx csv vtt properties",
}
_BY_ENDING = {ending: kind for kind, endings in _KINDS.items() for ending in endings.split()}
_EITHER = frozenset({"doc", "eml", "msg", "ppt", "pptx", "xml", "epub"})
_BY_MIME_TYPE = {"image": "image", "video": "video", "audio": "audio", "text": "document", "pdf": "document"}


def kind_of(filename: str, mime_type: str, said: str = "") -> str:
    """image, video, audio, document or custom; ``said`` is what Dify called it when it handed the file over."""
    ending = ending_of(filename).lstrip(".")
    if ending in _EITHER and said:
        return said
    by_mime_type = (kind for part, kind in _BY_MIME_TYPE.items() if part in mime_type)
    return _BY_ENDING.get(ending) or next(by_mime_type, "custom")


def ending_of(filename: str) -> str:
    """The ending with its dot, in lower case, as Dify keeps it."""
    return PurePosixPath(filename).suffix.lower()


def mime_type_of(filename: str, said: str = "") -> str:
    """The media type for an upload, never empty: Dify refuses a file without one."""
    return said or mimetypes.guess_type(filename)[0] or "application/octet-stream"
