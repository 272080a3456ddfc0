"""A workflow app put back to what it was: checked, kept, written, read back, published, probed; or back where it was.

order.py    what a rollback takes and gives
aim.py      what the app shall be: a snapshot, a version or a file, made whole for this app as it is now
checks.py   what has to hold before anything is written
steps.py    the steps, in their order, and the way back
told.py     the outcome in words
"""

from opskit.rollback.order import Order, Rollback
from opskit.rollback.steps import roll_back

__all__ = ["Order", "Rollback", "roll_back"]
