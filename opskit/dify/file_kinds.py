"""The type that Dify gives to a file, by the ending of its name: a run is refused when it is called another one.

Source: Dify 1.13.3, ``constants/__init__.py`` and ``factories/file_factory``, tried on a running server. Endings that
only one of the two text extractors knows are left to what the calling Dify says.
"""

import mimetypes

_KINDS = {
    "image": "jpg jpeg png webp gif svg",
    "video": "mp4 mov mpeg webm",
    "audio": "mp3 m4a wav amr mpga",
    "document": "txt markdown md mdx pdf html htm xlsx xls docx csv vtt properties",
}
_BY_ENDING = {ending: kind for kind, endings in _KINDS.items() for ending in endings.split()}
_EITHER = frozenset({"doc", "eml", "msg", "ppt", "pptx", "xml", "epub"})


def kind_of(filename: str, said: str = "") -> str:
    """image, video, audio, document or custom; ``said`` is what Dify called it when it handed the file over."""
    ending = filename.rpartition(".")[2].lower()
    if ending in _EITHER and said:
        return said
    return _BY_ENDING.get(ending, "custom")


def mime_type_of(filename: str, said: str = "") -> str:
    """The media type for an upload, never empty: Dify refuses a file without one."""
    return said or mimetypes.guess_type(filename)[0] or "application/octet-stream"
