"""What a history of an app takes and gives."""

from typing import ClassVar, Literal

from pydantic import Field

from opskit.dify.console import ConsoleAccess
from opskit.history import Change, Risk
from opskit.model import FileParameter, Item, Line, Result


class Query(ConsoleAccess):
    """Of which app the versions are listed, and which two of them are compared."""

    app_id: Line = Field(min_length=1)
    left: Line = ""
    right: Line = ""
    file: FileParameter | None = None


class Moment(Item):
    """A snapshot, or a version that was published in Dify."""

    kind: Literal["snapshot", "version"] = Field(
        description="Where it is kept: as a snapshot, or as a version in Dify."
    )
    id: str = Field(description="Its id, for left and right: snapshot:id or version:id.")
    tag: str = Field(description="Its tag; of a version the name that it was marked with.")
    created: str = Field(description="When it was taken or published, ISO 8601, UTC.")
    by: str = Field(description="Who made the version, as Dify tells.")
    note: str = Field(description="What was noted.")
    sha256: str = Field(description="Equal for two that mean the same; empty where a version cannot be read.")
    current: bool = Field(description="Whether it is what the app serves now, or means the same.")


class History(Result):
    """The versions of an app, and what changed between two of them."""

    said_in_text: ClassVar[frozenset[str]] = frozenset({"report", "summary"})

    summary: str = Field(description="The changes in one line; of a mere list how many versions there are.")
    changes: list[Change] = Field(description="The changes from left to right; empty where nothing is compared.")
    risks: list[Risk] = Field(description="What may break, the worst first.")
    timeline: list[Moment] = Field(description="Snapshots and published versions, newest first.")
