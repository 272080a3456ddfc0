"""The reference algorithm and opskit with the same clean file, taking turns."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from pathlib import Path

from devtools.sales_bench import data
from devtools.sales_bench.environments import CACHE, environment
from devtools.sales_bench.processes import Failed, Measured, measured
from devtools.sales_bench.table import Verdict, lines, most, shown

OURS = "opskit"
ROUNDS = 3
SLOW_S = 30
"""What takes longer is measured once."""

_REFERENCE = Path(__file__).with_name("reference.py")
_HOW = {"stringio": "pandas, StringIO", "bytesio": "pandas, BytesIO", "pyarrow": "pandas, pyarrow engine"}
_CENT = Decimal("0.01")
_PROGRAM = "devtools.sales_bench.ours"


@dataclass(frozen=True, slots=True)
class Contest:
    """Rounds of each entrant by name; ``failed`` says why one has none."""

    sample: data.Sample
    rounds: dict[str, list[Measured]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def seconds(self, name: str) -> float:
        """The fastest round: whatever else the machine does can only make it slower."""
        return min(each.seconds for each in self.rounds[name])

    def peak(self, name: str) -> float:
        """The most memory of all rounds, in MB."""
        return max(each.peak_mb for each in self.rounds[name])

    @property
    def fastest(self) -> str:
        """The fastest reference; Failed where none got to the end."""
        references = self.rounds.keys() - {OURS}
        if not references:
            raise Failed(f"no reference got to the end: {self.failed}")
        return min(references, key=self.seconds)

    def text(self) -> str:
        """What everybody needed, for a stranger."""
        versions = self.rounds[self.fastest][0].said
        pyarrow = f", pyarrow {versions['pyarrow']}" if versions["pyarrow"] else ""
        heading = (
            f"{self.sample.rows:,} clean rows ({self.sample.megabytes:.0f} MB), whole processes: "
            f"fastest and largest of their rounds; pandas {versions['pandas']}{pyarrow}"
        )
        rows = [
            (name, f"{self.seconds(name):.2f} s", f"{self.peak(name):.0f} MB", str(len(self.rounds[name])))
            for name in self.rounds
        ]
        return lines(
            heading, ("", "time", "memory", "rounds"), [*rows, *((n, w, "", "") for n, w in self.failed.items())]
        )

    def agreement(self) -> Verdict:
        """Whether opskit's figures are exact, and the references' the same when rounded."""
        account, said = self.sample.account, self.rounds[OURS][0].said
        exact = (Decimal(said["sales"]), said["orders"], Decimal(said["quantity"])) == (
            account.sales,
            account.orders,
            account.quantity,
        )
        near = all(_cents(rounds[0].said["sales"]) == _cents(account.sales) for rounds in self.rounds.values())
        told = f"{shown(said['sales'])}, {said['orders']:,} orders" + ("" if near else "; a reference differs")
        return Verdict(f"{self.sample.rows:,} clean rows: figures", told, "exact", met=exact)


def _cents(value: object) -> Decimal:
    return Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP)


def ours(what: str, path: object = "", times: int = 1) -> Measured:
    """A process of ours; see ``ours.py``."""
    return measured(Path(sys.executable), "-m", _PROGRAM, what, str(path), str(times))


def contest(rows: int, *, offline: bool, tell: Callable[[str], None]) -> Contest:
    """Everybody with a clean file of so many rows. ``offline``: without the environment that pyarrow needs."""
    found = Contest(data.sample(CACHE, rows, messy=False))
    path = found.sample.path
    hows = dict(_HOW)
    python, missing = Path(sys.executable), "no environment is made offline"
    if not offline:
        try:
            python, missing = environment("pandas", "pandas", "pyarrow"), ""
        except Failed as error:
            missing = str(error)
    if missing:
        found.failed[hows.pop("pyarrow")] = f"missing: {missing}"
    entrants = {name: partial(measured, python, str(_REFERENCE), how, str(path)) for how, name in hows.items()}
    entrants[OURS] = partial(ours, "analyze", path)
    for number in range(1, ROUNDS + 1):
        for name, enter in entrants.items():
            if name in found.failed or (number > 1 and found.rounds[name][0].seconds > SLOW_S):
                continue
            tell(f"{rows:,} clean rows, round {number}/{ROUNDS}: {name}")
            try:
                found.rounds.setdefault(name, []).append(enter())
            except Failed as error:
                if name == OURS:
                    raise
                found.rounds.pop(name)
                found.failed[name] = str(error)
    return found


def compared(found: Contest, *, largest_mb: float | None, share: float) -> list[Verdict]:
    """The verdicts; ``share`` is the part of the fastest reference's memory that we may take."""
    name, fastest = f"{found.sample.rows:,} clean rows", found.fastest
    times = found.seconds(OURS) / found.seconds(fastest)
    verdicts = [found.agreement(), most(f"{name}: time", times, 1, "times the fastest reference")]
    if largest_mb is not None:
        verdicts.append(most(f"{name}: memory", found.peak(OURS), largest_mb, "MB"))
    return [*verdicts, most(f"{name}: memory", found.peak(OURS) / found.peak(fastest), share, "times that reference")]
