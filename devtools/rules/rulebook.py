"""What a rule is, and the book they are all written in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from devtools.rules.plugin import Plugin

type Finding = tuple[str, str]
"""The file a rule is broken in, and what is wrong there."""

type Check = Callable[[Plugin], Iterator[Finding]]


@dataclass(frozen=True, order=True)
class Problem:
    """One rule broken in one file (`path` is relative to the package's root)."""

    path: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.rule}: {self.message}"


@dataclass(frozen=True)
class Rule:
    """A check under its function's name; its docstring says who insists on it."""

    check: Check
    marketplace: bool
    """Asked only of a package that is about to be submitted to the marketplace."""


RULES: dict[str, Rule] = {}


def _enter(check: Check, *, marketplace: bool) -> None:
    name = check.__name__
    if name in RULES:
        message = f"two rules are called {name}"
        raise ValueError(message)
    RULES[name] = Rule(check, marketplace)


def rule(check: Check) -> Check:
    """Enter a check that every package must pass."""
    _enter(check, marketplace=False)
    return check


def marketplace_rule(check: Check) -> Check:
    """Enter a check that only a submission to the marketplace must pass."""
    _enter(check, marketplace=True)
    return check
