"""Who is asked what: names and ids to targets, each with its own inputs, the same one only once."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from opskit.broadcast.inquiry import Inquiry
from opskit.dify import INVOKED_S, Finder, LocalFile, Question, Target
from opskit.errors import InvalidInput
from opskit.ports import Workspace


@dataclass(frozen=True, slots=True)
class Plan:
    """``targets`` are asked; ``rows`` are the names in the order of the answers, each with the number of its target."""

    targets: Sequence[Target]
    inputs: Sequence[Mapping[str, Any]]
    rows: Sequence[tuple[str, int]]
    judge: Target | None
    secrets: Sequence[str] = field(repr=False)

    def question(self, number: int, inquiry: Inquiry, files: Sequence[LocalFile]) -> Question:
        """What the target with this number is asked."""
        return Question(inquiry.query, self.inputs[number], files, inquiry.file_input, user=inquiry.user)

    def slots(self, most: int) -> Mapping[str, AbstractContextManager[object]]:
        """For each host what lets ``most`` through at a time: a default Dify answers ten, and the rest would wait."""
        return {group: threading.BoundedSemaphore(most) for group in {target.group for target in self.targets}}


def planned(inquiry: Inquiry, workspace: Workspace) -> Plan:
    """Everything that can be known before anybody is asked.

    InvalidInput, InvalidCredentials: targets, choice, keys, headers, address, quorum, judge or deadline cannot be used.
    """
    find = Finder(inquiry, workspace)
    names = _chosen(inquiry, inquiry.targets or tuple(find.keys))
    shared = {name: value for name, value in inquiry.inputs.items() if name != "per_target"}
    own = _own_inputs(inquiry, [*inquiry.targets, *find.keys])
    asked: dict[tuple[str, str], int] = {}
    targets: list[Target] = []
    inputs: list[Mapping[str, Any]] = []
    rows: list[tuple[str, int]] = []
    for name in names:
        target = find(name, "targets")
        given = shared | own.get(name, {})
        number = asked.setdefault((target.identity, repr(sorted(given.items()))), len(targets))
        if number == len(targets):
            targets.append(target)
            inputs.append(given)
        rows.append((name, number))
    judge = _judge(inquiry, find)
    if inquiry.quorum and inquiry.mode == "quorum" and inquiry.quorum > len(targets):
        raise InvalidInput("quorum_too_high", quorum=inquiry.quorum, count=len(targets))
    invoked = any(not target.stoppable for target in [*targets, *([judge] if judge else [])])
    if invoked and inquiry.deadline_s > INVOKED_S:
        raise InvalidInput("deadline_too_long", name="deadline_s", limit=f"{INVOKED_S:.0f}")
    return Plan(targets, inputs, rows, judge, find.secrets)


def _chosen(inquiry: Inquiry, names: Sequence[str]) -> list[str]:
    """The targets that are asked: ``choose`` narrows them, and can name no other."""
    if not names:
        raise InvalidInput("no_targets")
    unknown = [name for name in inquiry.choose if name not in names]
    if unknown:
        raise InvalidInput("unknown_choice", name=unknown[0], found=", ".join(names))
    return list(dict.fromkeys(name for name in names if not inquiry.choose or name in inquiry.choose))


def _own_inputs(inquiry: Inquiry, known: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What stands under ``per_target``: inputs by target, also for those that ``choose`` leaves out."""
    given = inquiry.inputs.get("per_target", {})
    if not isinstance(given, dict) or not all(isinstance(inputs, dict) for inputs in given.values()):
        raise InvalidInput("bad_per_target")
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InvalidInput("unknown_per_target", name=unknown[0], found=", ".join(known))
    return given


def _judge(inquiry: Inquiry, find: Finder) -> Target | None:
    if inquiry.mode != "best_of":
        return None
    if not inquiry.judge:
        raise InvalidInput("judge_needed")
    return find(inquiry.judge, "judge")
