"""What became of every row of a table."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

# In the order in which a row is asked; the first that holds is the reason.
REASONS = (
    "blank",
    "repeated_header",
    "total_row",
    "note",
    "field_count",
    "bad_date",
    "future_date",
    "bad_price",
    "bad_amount",
    "currency_mismatch",
)


@dataclass(frozen=True, slots=True)
class Example:
    """A row that was rejected: its line (from 1) in the user's file, the reason, and its cells."""

    line: int
    reason: str
    text: str


@dataclass(slots=True)
class Account:
    """Every row, accepted or rejected with one reason; ``money`` is what the rejected ones may have held."""

    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    money: Decimal = Decimal(0)
    duplicates: int = 0
    refunds: int = 0
    differing: int = 0
    currency: str = ""
    cautions: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def warn(self, code: str, **blanks: object) -> None:
        """Say what the reader must know."""
        self.cautions.append((code, blanks))
