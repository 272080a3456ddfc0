"""What is compared: a snapshot, a version, the draft, what is published, or a file."""

from collections.abc import Sequence
from dataclasses import dataclass

from opskit import history
from opskit.dify import fetched
from opskit.dify.console import Console, Workflow
from opskit.errors import InvalidInput
from opskit.history import Canonical
from opskit.history.shelf import Shelf
from opskit.model import FileReference
from opskit.versions.living import Apart, living

_WITH_NAME = ("snapshot", "version")
_ALONE = ("draft", "published", "file")


@dataclass(frozen=True, slots=True)
class Side:
    """What is meant: ``kind``, and the id or tag of a snapshot or version."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


def side(text: str, parameter: str) -> Side:
    """What a text means, in whatever case a model writes it. InvalidInput ``no_such_side``."""
    kind, _, name = (part.strip() for part in text.partition(":"))
    kind = kind.lower()
    name = name.lower() if kind == "version" else name
    if (kind in _WITH_NAME) == bool(name) and kind in (*_WITH_NAME, *_ALONE):
        return Side(kind, name)
    raise InvalidInput("no_such_side", name=parameter, value=text)


def pair(left: str, right: str, file: FileReference | None) -> tuple[Side, Side] | None:
    """The two that are compared; None for none. One that is not named is what is published.

    A file that is named by neither is the right one, where there is room. InvalidInput ``no_side_file``: a file is
    named, and there is none.
    """
    if file and not right and left != "file":
        right = "file"
    if not left and not right:
        return None
    both = side(left or "published", "left"), side(right or "published", "right")
    if file is None and any(one.kind == "file" for one in both):
        raise InvalidInput("no_side_file")
    return both


@dataclass(frozen=True, slots=True)
class Sides:
    """Where the two of an app are found. ``serving`` is the published version and what it holds."""

    console: Console
    app_id: str
    shelf: Shelf
    known: Sequence[Workflow]
    serving: tuple[Workflow, Canonical] | None
    file: FileReference | None
    ends: float
    apart: Apart

    def found(self, side: Side) -> Canonical:
        """What a side holds. InvalidInput: ``not_published``, ``no_snapshot``, ``console_no_version``, ``dsl_…``."""
        match side.kind:
            case "snapshot":
                return self._read(self.shelf.text(self.shelf.find(side.name)))
            case "file":
                with fetched([self.file] if self.file else [], self.ends) as files:
                    return self._read(files[0].path.read_bytes())
            case "draft":
                return self._living(self.console.draft(self.app_id, self.ends))
            case "published":
                if self.serving is None:
                    raise InvalidInput("not_published")
                return self.serving[1]
        if self.serving and self.serving[0].id == side.name:
            return self.serving[1]
        flow = next((one for one in self.known if one.id == side.name), None)
        return self._living(flow or self.console.version(self.app_id, side.name, self.ends))

    def _living(self, flow: Workflow) -> Canonical:
        return living(self.console, self.app_id, flow, self.ends, self.apart)

    def _read(self, text: str | bytes) -> Canonical:
        made: Canonical = self.apart(lambda: history.canonical(history.read(text)))
        return made
