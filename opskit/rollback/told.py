"""The outcome of a rollback in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from opskit import history
from opskit.errors import OpskitError
from opskit.history import Comparison
from opskit.history.prose import code, escaped
from opskit.rollback.aim import Aim
from opskit.rollback.order import Order, Status
from opskit.wording import Locale, say

_OF_THE_DRAFT = {"restored": "restored_draft", "planned": "planned_draft"}


@dataclass(slots=True)
class Standing:
    """How far a rollback has come. ``snapshots`` are the ids of what was kept, the one of what served first."""

    status: Status = "planned"
    snapshots: list[str] = field(default_factory=list)
    version_id: str = ""
    error: OpskitError | None = None


def report(
    order: Order,
    standing: Standing,
    aim: Aim,
    comparison: Comparison,
    locale: Locale,
    *,
    error: str,
    remarks: Sequence[str],
) -> str:
    """Markdown: what became of it, why, what to look at, the way back, and the changes."""
    status = standing.status
    name = status if order.publish else _OF_THE_DRAFT.get(status, status)
    parts = [f"## {escaped(aim.dsl.name)}", f"**{say(locale, f'rollback.{name}', to=code(str(order.aim())))}**"]
    parts += [escaped(error)] if error else []
    parts += [say(locale, "rollback.emptied", names=escaped(", ".join(aim.emptied)))] if aim.emptied else []
    parts += [say(locale, "rollback.unset", names=escaped(", ".join(aim.unset)))] if aim.unset else []
    lost = escaped(", ".join(aim.lost)) if status in _OF_THE_DRAFT else ""
    parts += [say(locale, "rollback.lost", places=lost)] if lost else []
    kept = ", ".join(f"`snapshot:{one}`" for one in standing.snapshots)
    parts += [say(locale, "rollback.kept", snapshots=kept)] if kept else []
    parts += [history.report(comparison, locale)] if status != "unchanged" else []
    return "\n\n".join([*parts, *remarks])
