"""The apps of the workspace that a tool is called from, as the core asks for them."""

from collections.abc import Iterator, Mapping
from typing import Any

from opskit.dify import invocation_failed
from opskit.errors import Unavailable


class Workspace:
    """Calls back into Dify. From threads as well, but never inside ``off_loop``: no answer would arrive there."""

    def __init__(self, tool: Any) -> None:
        self._tool = tool

    @property
    def app_id(self) -> str:
        """The calling app; empty for the strategy of an Agent node."""
        return self._tool.session.app_id or ""

    @property
    def by_model(self) -> bool:
        """Whether the strategy of an Agent node asks: its model may overwrite what the builder has set."""
        return self._tool.session.app_id is None

    def events(
        self, app_id: str, *, inputs: Mapping[str, Any], query: str, conversation_id: str
    ) -> Iterator[Mapping[str, Any]]:
        """Start a run and give its events; what ``invocation_failed`` makes of a refusal.

        One call serves every kind of app: a workflow takes no notice of the query.
        """
        try:
            yield from self._tool.session.app.chat.invoke(
                app_id=app_id,
                query=query,
                inputs=dict(inputs),
                response_mode="streaming",
                conversation_id=conversation_id or None,
            )
        except Exception as error:  # noqa: BLE001 - the SDK raises bare Exceptions, whatever has happened
            raise invocation_failed(str(error)) from None

    def parameters(self, app_id: str) -> Mapping[str, Any]:
        """What an app asks for. What ``invocation_failed`` makes of a refusal."""
        try:
            found = self._tool.session.app.fetch_app(app_id)
        except Exception as error:  # noqa: BLE001 - likewise
            raise invocation_failed(str(error)) from None
        inner = found.get("data")
        return inner if isinstance(inner, dict) else found

    def upload(self, filename: str, content: bytes, mime_type: str) -> Mapping[str, Any]:
        """Give a file to the workspace. Unavailable: it is not taken."""
        try:
            uploaded = self._tool.session.file.upload(filename, content, mime_type)
        except Exception as error:  # noqa: BLE001 - likewise
            raise Unavailable("file_not_taken", name=filename, problem=type(error).__name__) from None
        parameter: dict[str, Any] = uploaded.to_app_parameter()
        return parameter
