"""What a rollback takes and gives."""

from typing import Annotated, Any, Literal

from pydantic import Field

from opskit.dify.access import is_uuid, plain
from opskit.dify.console import ConsoleAccess
from opskit.errors import InvalidCredentials, InvalidInput
from opskit.history import Change
from opskit.model import AS_TEXT, STRUCTURED, FileParameter, Key, Line, Result
from opskit.versions.sides import Side, side

type Status = Literal["restored", "unchanged", "reverted", "planned"]


class Order(ConsoleAccess):
    """Which app goes back to what, and how one knows that it works then."""

    app_id: Line = Field(min_length=1)
    to: Line = ""
    file: FileParameter | None = None
    publish: bool = True
    dry_run: bool = False
    probe_inputs: Annotated[dict[str, Any], STRUCTURED, AS_TEXT] = Field(default_factory=dict)
    probe_key: Key | None = None

    def aim(self) -> Side:
        """What is gone back to. InvalidInput: nothing, two things, or none that can be understood."""
        if not self.to and not self.file:
            raise InvalidInput("missing_parameter", name="to")
        aim = side(self.to or "file", "to")
        if self.file and aim.kind != "file":
            raise InvalidInput("rollback_two_aims", to=self.to)
        if aim.kind == "file" and not self.file:
            raise InvalidInput("missing_parameter", name="file")
        return aim

    def look_at(self) -> None:
        """Look at everything before anything is asked. InvalidInput, InvalidCredentials: it cannot be used."""
        if not is_uuid(self.app_id):
            raise InvalidInput("rollback_app_id", value=self.app_id)
        key = plain(self.probe_key)
        if "{{#" in key:
            raise InvalidCredentials("unfilled_secret", name="probe_key")
        if self.probe_inputs and not key:
            raise InvalidCredentials("missing_secret", name="probe_key")
        if key and not self.publish:
            raise InvalidInput("rollback_probe_draft")
        self.aim()


class Rollback(Result):
    """What became of a rollback."""

    status: Status = Field(
        description=(
            "restored; unchanged (it was that already); reverted (a step failed, and all is as it was: see error); "
            "planned (a dry run: nothing was written)."
        )
    )
    before_snapshot_id: str = Field(
        description="Snapshot of what was there before: the way back, as snapshot:id. Empty where nothing was written."
    )
    published_version_id: str = Field(
        description="Version that the app serves now; empty where nothing is published, or where that is not known."
    )
    error: str = Field(description="Which step failed, and why; empty where none did.")
    changes: list[Change] = Field(description="What changes from what the app is to what it shall be.")
