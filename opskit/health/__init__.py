"""Many keys and addresses looked at at once: which work, which do not, and what to do about these.

Nothing is posted to a group, and no model runs unless a deep check is asked for.

checkup.py    what a check takes and gives
entries.py    ``name=value`` lists: robots, webhooks, addresses
plan.py       what is looked at, known before anything is sent
apps.py       an app's key, or a whole run of the app; the console
robots.py     a DingTalk robot
addresses.py  a webhook; an address and its certificate
finding.py    what a look has shown, and its words
look.py       all looks at once, ended in time
report.py     the findings for a group
"""

from opskit.health.check import check
from opskit.health.checkup import Check, Checks, Checkup

__all__ = ["Check", "Checks", "Checkup", "check"]
