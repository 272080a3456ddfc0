"""Targets that keep failing are left alone for a while, by this process.

The circuit of a target opens after three failures in a row; for 30 s it is not asked. Then one question is let
through, and its outcome closes the circuit or opens it again, for twice as long, ten minutes at the most.
Source of the pattern: M. Nygard, "Release It!", chapter "Circuit Breaker".
"""

import hashlib
import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_FAILURES = 3
_OPEN_S = 30.0
_LONGEST_S = 600.0
_MOST = 1_000


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    opens_s: float = _OPEN_S
    until: float = 0.0


class Circuits:
    """What this process remembers about targets: a salted hash, a count and a moment each; 1,000 at the most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._salt = secrets.token_bytes(16)
        self._known: OrderedDict[bytes, _Circuit] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, identity: str) -> int:
        """Whole seconds for which the target is left alone; 0 when it may be asked, by one caller at a time."""
        with self._lock:
            circuit = self._known.get(self._name(identity))
            if circuit is None or circuit.failures < _FAILURES:
                return 0
            left_s = circuit.until - self._clock()
            if left_s > 0:
                return math.ceil(left_s)
            circuit.until = self._clock() + circuit.opens_s  # until this one's outcome is known, nobody else
            return 0

    def told(self, identity: str, *, failed: bool) -> None:
        """Remember how a question ended."""
        name = self._name(identity)
        with self._lock:
            if not failed:
                self._known.pop(name, None)
                return
            circuit = self._known.setdefault(name, _Circuit())
            self._known.move_to_end(name)
            circuit.failures += 1
            if circuit.failures > _FAILURES:
                circuit.opens_s = min(circuit.opens_s * 2, _LONGEST_S)
            circuit.until = self._clock() + circuit.opens_s
            if len(self._known) > _MOST:
                self._known.popitem(last=False)

    def _name(self, identity: str) -> bytes:
        return hashlib.sha256(self._salt + identity.encode()).digest()
