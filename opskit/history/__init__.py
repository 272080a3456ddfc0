"""The DSL of a workflow: its canonical form, its secrets, and what changed between two versions.

shelf.py        snapshots in Dify's storage
dsl.py          a DSL in memory, read from YAML (reading.py) or assembled from what the console tells
layout.py       what stands where on the canvas, told apart from what is meant
canonical.py    hash and text (writing.py); places.py how a place in it is named
secrets.py      marks in place of secrets, and back; looks.py what a secret looks like, texts.py where one may stand
belongings.py   what an export leaves out because it belongs to the workspace, and back
compare.py      changes (differences.py, changes.py) and risks (risks.py, references.py, plugins.py)
report.py       a comparison in words; prose.py differences of texts
"""

from opskit.history.canonical import Canonical, canonical, write
from opskit.history.changes import Change, Comparison, Risk
from opskit.history.compare import compare
from opskit.history.dsl import Dsl, assemble, read
from opskit.history.report import report, summary
from opskit.history.secrets import HIDDEN, Filled, Redacted, constants, fill, keep_secrets, marks

__all__ = [
    "HIDDEN",
    "Canonical",
    "Change",
    "Comparison",
    "Dsl",
    "Filled",
    "Redacted",
    "Risk",
    "assemble",
    "canonical",
    "compare",
    "constants",
    "fill",
    "keep_secrets",
    "marks",
    "read",
    "report",
    "summary",
    "write",
]
