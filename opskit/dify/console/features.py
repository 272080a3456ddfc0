"""The features of a workflow as Dify keeps them: what is missing gets its default.

Source: Dify 1.13.3, tried on a running server: a draft that is written comes back with these parts, and with nothing
else that was not sent. What other releases add is not known, so what comes back has to hold what was sent, and may
hold more.
"""

import copy
from collections.abc import Mapping
from typing import Any

_OFF: Mapping[str, Any] = {"enabled": False}
_DEFAULTS: Mapping[str, Any] = {
    "file_upload": {},
    "text_to_speech": {"enabled": False, "voice": "", "language": ""},
    "sensitive_word_avoidance": _OFF,
}
_OF_A_CHATFLOW: Mapping[str, Any] = {
    "opening_statement": "",
    "suggested_questions": [],
    "suggested_questions_after_answer": _OFF,
    "speech_to_text": _OFF,
    "retriever_resource": _OFF,
}


def completed(features: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """The features with the defaults of what is missing or null."""
    defaults = {**_DEFAULTS, **(_OF_A_CHATFLOW if mode == "advanced-chat" else {})}
    given = {name: part for name, part in features.items() if part is not None}
    return copy.deepcopy({**defaults, **given})


def contained(sent: Mapping[str, Any], read: Mapping[str, Any]) -> bool:
    """Whether features that came back hold all that was sent.

    Dify puts its default in the place of a part that is empty, and empties what is set of one that is off: the voice
    of speech. The settings of images that DSLs of 2024 have (``file_upload.image``) come back in another form: they
    are not looked at.
    """
    return all(_is_kept(read.get(name), part) for name, part in sent.items() if not _is_old(name, part))


def _is_old(name: str, part: Any) -> bool:
    return name == "file_upload" and isinstance(part, dict) and "image" in part


def _is_kept(read: Any, sent: Any) -> bool:
    if not sent:
        return not read or (isinstance(read, dict) and not any(read.values()))
    if isinstance(sent, dict) and not sent.get("enabled") and isinstance(read, dict):
        return not read.get("enabled") and all(_holds(read.get(name) or part, part) for name, part in sent.items())
    return _holds(read, sent)


def _holds(read: Any, sent: Any) -> bool:
    if isinstance(sent, dict) and isinstance(read, dict):
        return all(_holds(read.get(name), part) for name, part in sent.items())
    return bool(read == sent)
