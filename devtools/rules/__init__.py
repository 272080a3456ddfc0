"""Everything that Dify, its SDK and its marketplace ask of a plugin package, as checks that can fail.

Dify's own packager looks at almost none of it: most mistakes in YAML surface when the plugin starts, when
somebody opens the editor, or in a marketplace review. `broken_rules` finds them before the package is built.
"""

from pathlib import Path

from devtools.rules import (
    contents,
    endpoint,
    icon,
    manifest,
    parameter,
    permission,
    prose,
    provider,
    reading,
    source,
    tool,
)
from devtools.rules.plugin import read_plugin
from devtools.rules.rulebook import RULES, Problem

__all__ = ["RULES", "Problem", "broken_rules"]

# Importing a module of rules is what enters them into the book.
RULE_MODULES = (
    reading,
    manifest,
    icon,
    permission,
    provider,
    tool,
    parameter,
    endpoint,
    source,
    prose,
    contents,
)


def broken_rules(root: Path, *, marketplace: bool = False) -> list[Problem]:
    """Every rule that the package unpacked in `root` breaks, by file.

    With `marketplace` also what only a submission needs (a repository, a contact).
    """
    plugin = read_plugin(root)
    return sorted(
        Problem(path, name, message)
        for name, rule in RULES.items()
        if marketplace or not rule.marketplace
        for path, message in rule.check(plugin)
    )
