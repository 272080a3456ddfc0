"""Versions of workflow apps: kept as snapshots, listed and compared.

living.py     a draft or a published version as it is in Dify now
snapshot.py   what a snapshot takes and gives; take.py takes one of many apps at once; keep.py keeps one;
              taken.py tells them in words
timeline.py   what a history takes and gives; listing.py lists and compares; sides.py what is compared
"""

from opskit.versions.listing import look
from opskit.versions.snapshot import Failure, Order, Snapshot, Snapshots
from opskit.versions.take import take
from opskit.versions.timeline import History, Moment, Query

__all__ = ["Failure", "History", "Moment", "Order", "Query", "Snapshot", "Snapshots", "look", "take"]
