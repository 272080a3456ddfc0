"""From any file that people call a table to a UTF-8 CSV on disk and the meaning of its columns.

``opened`` sniffs what the file is, in which encoding and dialect, and where its header stands. A clean UTF-8 CSV stays
where it is; everything else becomes one clean copy. What cannot be told is refused, or told as a warning.
"""

from opskit.sales.opening.layout import Caution, Layout, Limits
from opskit.sales.opening.opened import opened

__all__ = ["Caution", "Layout", "Limits", "opened"]
