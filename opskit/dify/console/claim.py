"""An app that is being changed: in this process nobody else changes it meanwhile.

A change takes several calls of the console: what is there is read, written, published, and perhaps put back. Two
changes at once would each take the other's half-done work for somebody's, or put back what is no longer there. Dify
guards a draft by a hash that covers neither secrets nor keys, so this is seen to here.

The plugin is one process for all workspaces: what it remembers is a salted hash of host and app, for as long as the
call that changes it runs.
"""

import contextlib
import hashlib
import secrets
import threading
from collections.abc import Iterator

from opskit.errors import Conflict, RateLimited

MOST = 1_000  # apps that are being changed at once

_SALT = secrets.token_bytes(16)
_LOCK = threading.Lock()
_claimed: set[bytes] = set()


@contextlib.contextmanager
def claimed(host: str, *app_ids: str) -> Iterator[None]:
    """Claim all of these apps of the Dify at ``host``, or none; an app that is named twice is one.

    Conflict ``console_claimed``: another call is changing one of them. RateLimited ``console_crowded``: this process
    changes as many as it remembers. Nobody waits. A claim ends with the block, whatever ends that; within it the same
    app cannot be claimed again.
    """
    names = {_name(host, app_id): app_id for app_id in app_ids}
    with _LOCK:
        for name, app_id in names.items():
            if name in _claimed:
                raise Conflict("console_claimed", app=app_id)
        if len(_claimed) + len(names) > MOST:
            raise RateLimited("console_crowded", limit=MOST)
        _claimed.update(names)
    try:
        yield
    finally:
        with _LOCK:
            _claimed.difference_update(names)


def _name(host: str, app_id: str) -> bytes:
    """What an app is remembered by. Dify takes an id in any case."""
    return hashlib.sha256(_SALT + f"{host}\n{app_id.lower()}".encode()).digest()
