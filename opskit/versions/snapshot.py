"""What a snapshot of many apps takes and gives."""

from typing import ClassVar, Literal

from pydantic import Field

from opskit.dify.console import ConsoleAccess
from opskit.history import Redacted
from opskit.history.shelf import MAX_NOTE, MAX_TAG
from opskit.model import Item, Line, Listed, Result

MAX_KEEP = 200
EVERY = "all"


class Order(ConsoleAccess):
    """Of which apps snapshots are taken, and of what in them."""

    app_ids: Listed
    source: Literal["draft", "published"] = "published"
    keep: int = Field(default=50, ge=1, le=MAX_KEEP)
    tag: Line = Field(default="", max_length=MAX_TAG)
    note: Line = Field(default="", max_length=MAX_NOTE)

    @property
    def every(self) -> bool:
        """Whether all apps are meant."""
        return EVERY in (name.lower() for name in self.app_ids)


class Snapshot(Item):
    """A version of an app that is kept."""

    app_id: str = Field(description="Id of the app.")
    name: str = Field(description="Name of the app.")
    snapshot_id: str = Field(description="Id of the snapshot; of the one before where nothing has changed.")
    tag: str = Field(description="The tag that it has; made of the time where none was chosen.")
    sha256: str = Field(
        description="SHA-256 of what the workflow means; where things stand on the canvas is not in it."
    )
    created: str = Field(description="When it was taken, ISO 8601, UTC.")
    unchanged: bool = Field(description="Whether this is the snapshot before, because nothing has changed since.")
    redacted: list[Redacted] = Field(description="Secrets that were written into nodes; a mark stands in their place.")


class Failure(Item):
    """An app of which there is no snapshot."""

    app_id: str = Field(description="Id of the app.")
    error: str = Field(description="Why, and what to do about it.")


class Snapshots(Result):
    """The snapshots of all apps that were asked for."""

    said_in_text: ClassVar[frozenset[str]] = frozenset({"report"})

    snapshots: list[Snapshot] = Field(description="The snapshots, in the order of the apps.")
    failed: list[Failure] = Field(description="The apps of which there is none, and why.")
