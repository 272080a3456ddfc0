"""Who is at work on an app, within this process: two at once would take each other's work for somebody else's.

One process serves every workspace, so what is remembered is a salted hash, and no longer than the work takes.
"""

import contextlib
import hashlib
import secrets
import threading
from collections.abc import Iterator

from opskit.errors import Conflict

_SALT = secrets.token_bytes(16)
_LOCK = threading.Lock()
_CLAIMED: set[bytes] = set()


@contextlib.contextmanager
def claimed(server: str, *app_ids: str) -> Iterator[None]:
    """Have these apps of the console at ``server`` to oneself: all of them, or none.

    Conflict ``console_claimed``: another call is at work on one of them.
    """
    wanted = {hashlib.sha256(_SALT + f"{server}\n{one.lower()}".encode()).digest(): one for one in app_ids}
    with _LOCK:
        taken = [one for name, one in wanted.items() if name in _CLAIMED]
        if taken:
            raise Conflict("console_claimed", apps=", ".join(taken))
        _CLAIMED.update(wanted)
    try:
        yield
    finally:
        with _LOCK:
            _CLAIMED.difference_update(wanted)
