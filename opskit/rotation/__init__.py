"""New keys and new secrets without an outage: the old one goes only when the new one is in use.

order.py    what a rotation takes and gives
desk.py     what all steps share: the console, the Service API, the time, and what must not be shown
keys.py     an app's key: made, proved, handed over, and the old one deleted
values.py   a secret environment variable of a workflow app: put, proved, and put back where that fails
place.py    such a variable, and the way back to what the app served and what its draft was
rotate.py   the apps, one after the other
"""

from opskit.rotation.order import Order, Rotated, Rotations
from opskit.rotation.rotate import rotate

__all__ = ["Order", "Rotated", "Rotations", "rotate"]
