"""From a ``Result`` to Dify's messages."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from bridge.off_loop import off_loop
from opskit import wording
from opskit.model import Attachment, Result

# Dify's plugin daemon kills the plugin at a line of 5 MiB (PLUGIN_STDIO_MAX_BUFFER_SIZE), envelope included.
MAX_LINE = 4 * 1024 * 1024
# All of a tool's JSON goes to the agent's model: more than this costs money and hides what matters.
MAX_AGENT_JSON = 8 * 1024
_LONGEST = (100_000, 10_000, 4_000, 2_000, 1_000, 500, 250, 120)  # characters of a text in a list that is too heavy


class Messenger[M](Protocol):
    """The part of the SDK's Tool that makes messages, and the session that tells who is asking."""

    session: Any

    def create_text_message(self, text: str) -> M:
        """Words for the node's ``text``."""
        ...

    def create_json_message(self, json: dict[str, Any]) -> M:
        """An entry of the node's ``json``."""
        ...

    def create_variable_message(self, variable_name: str, variable_value: object) -> M:
        """A variable of the node."""
        ...

    def create_stream_variable_message(self, variable_name: str, variable_value: str) -> M:
        """A piece of a text variable of the node."""
        ...

    def create_blob_message(self, blob: bytes, meta: dict[str, Any] | None = None) -> M:
        """A file of the node."""
        ...


def speaks_to_a_model(tool: Any) -> bool:
    """Whether an agent is asking, whose model reads every message.

    An agent of a chat comes with a message of a conversation, the strategy of an Agent node without any app.
    """
    session = tool.session
    return bool(session.conversation_id and session.message_id) or session.app_id is None


def reply[M](
    tool: Messenger[M], result: Result, attachments: Iterable[Attachment] = (), *, told: str = ""
) -> Iterator[M]:
    """The files, the report as text, the whole result as one JSON message, and each field as a variable of its name.

    Files come first: one that cannot be made fails the call before a word has been shown. A text goes out twice, as
    a stream and as a value: Dify ends the stream of every variable, and an Answer node that waits for one would
    show nothing else (graphon, ``tool_node.py``: "Final chunks for any streamed variables").
    ``told`` names a variable that was streamed aloud already, so that the text is there.
    What is too large for a message goes out as a file, and the text says so. An agent gets the text and the
    figures that matter (at most 8 KiB of JSON): Dify would print variables and files as noise before its model.
    """
    values = result.variables()
    if speaks_to_a_model(tool):
        yield tool.create_text_message(_within(result.report, MAX_LINE))
        yield tool.create_json_message(_figures(values, result.said_in_text))
        return
    files: dict[str, Any] = {}
    for name, value in values.items():
        if _weight(value) > MAX_LINE:
            files |= {f"{name}.md" if isinstance(value, str) else f"{name}.json": value}
            values[name] = type(value)() if isinstance(value, str) else _lighter(value, MAX_LINE // 2)
    if _weight(values) > MAX_LINE:
        files["result.json"] = values
    for attachment in attachments:
        content = off_loop(attachment.content)
        yield tool.create_blob_message(content, {"mime_type": attachment.mime_type, "filename": attachment.filename})
    if text := _text("" if told else values["report"], list(files), result.report):
        yield tool.create_text_message(text)
    yield tool.create_json_message({"files": list(files)} if "result.json" in files else values)
    for name, value in values.items():
        if isinstance(value, str) and value and name not in {told, *result.streamed}:
            yield tool.create_stream_variable_message(name, value)
        yield tool.create_variable_message(name, value)
    for filename, value in files.items():
        is_text = isinstance(value, str)
        yield tool.create_blob_message(
            value.encode() if is_text else _json(value).encode(),
            {"mime_type": "text/markdown" if is_text else "application/json", "filename": filename},
        )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _weight(value: object) -> int:
    """The bytes that a value takes in a line."""
    return len(_json(value).encode())


def _within(text: str, limit: int) -> str:
    """The beginning of ``text`` that takes at most ``limit`` bytes in a line (a JSON character takes 6 at most)."""
    return text if _weight(text) <= limit else text[: limit // 6] + "…"


def _text(report: str, filenames: list[str], sample: str) -> str:
    """The node's text, with a sentence about what went out as a file."""
    if not filenames:
        return report
    note = wording.say(wording.resolve("auto", sample[:10_000]), "bridge.too_large", names=", ".join(filenames))
    return f"{report}\n\n{note}".strip()


def _lighter(value: Any, limit: int) -> Any:
    """A list or object whose long texts are cut evenly, so that no entry is lost; empty where that is not enough."""
    for longest in _LONGEST:
        cut = _cut(value, longest)
        if _weight(cut) <= limit:
            return cut
    return type(value)()


def _cut(value: Any, longest: int) -> Any:
    match value:
        case str():
            return value if len(value) <= longest else f"{value[:longest]}…"
        case dict():
            return {name: _cut(entry, longest) for name, entry in value.items()}
        case list():
            return [_cut(entry, longest) for entry in value]
    return value


def _figures(values: dict[str, Any], said: frozenset[str]) -> dict[str, Any]:
    """The result without what the text says already, its heaviest lists and texts shortened until it is small."""
    figures = {name: value for name, value in values.items() if name not in said}
    shortened: dict[str, str] = {}
    if _weight(figures) > MAX_AGENT_JSON and (lighter := _lighter(figures, MAX_AGENT_JSON - 100)):
        return {**lighter, "shortened": {"texts": "…"}}
    while _weight(figures | {"shortened": shortened}) > MAX_AGENT_JSON:
        name = max(figures, key=lambda field: _weight(figures[field]))
        value = figures[name]
        if isinstance(value, (list, str)) and len(value) > 1:
            figures[name] = value[: len(value) // 2]
            shortened[name] = f"{len(value) // 2} / {len(values[name])}"
        else:
            del figures[name]
            shortened[name] = "0"
    return figures | ({"shortened": shortened} if shortened else {})
