"""The defects by name, in the order in which they are applied."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from devtools.mixer.table import Table

type Change = Callable[[Table, Random], bool]


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect: at most one of a ``group`` is in a file. ``change`` says whether it could be applied."""

    name: str
    change: Change
    group: str = ""
    weight: float = 1


DEFECTS: dict[str, Defect] = {}


def defect(group: str = "", weight: float = 1) -> Callable[[Change], Change]:
    """Register a function as the defect of its name."""

    def register(change: Change) -> Change:
        name = getattr(change, "__name__", "")
        DEFECTS[name] = Defect(name, change, group, weight)
        return change

    return register


def named(name: str, change: Change, group: str, weight: float = 1) -> None:
    """Register one of many defects that differ by a word."""
    DEFECTS[name] = Defect(name, change, group, weight)


def dice_of(seed: int, name: str) -> Random:
    """The dice of one defect: the others may go without changing its throws."""
    return Random(f"{seed}:{name}")  # noqa: S311 - no secret
