r"""Names of sheets as Excel lets them be.

At most 31 UTF-16 units, none of ``[ ] : * ? / \``, no apostrophe at either end, not empty, not "History", and no two
alike in whatever case (Microsoft, "Rename a worksheet").
"""

import re
from collections.abc import Iterable

from opskit.sales.exports.showing import clean

_MOST = 31
_SHUT_OUT = re.compile(r"[\[\]:*?/\\\s]+")


def sheet_names(wanted: Iterable[str]) -> list[str]:
    """A valid name for each that is wanted, as near to it as can be; numbered where two would be alike."""
    taken = {"history"}  # Excel's own
    names = []
    for place, text in enumerate(wanted, 1):
        plain = _SHUT_OUT.sub(" ", clean(text)).strip(" '") or str(place)
        name, number = _cut(plain, _MOST), 1
        while _folded(name) in taken:
            number += 1
            ending = f" {number}"
            name = _cut(plain, _MOST - len(ending)) + ending
        taken.add(_folded(name))
        names.append(name)
    return names


def _cut(name: str, most: int) -> str:
    """At most so many UTF-16 units; a pair stays whole."""
    return name.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore").rstrip(" '")


def _folded(name: str) -> str:
    return name.lower().casefold()
