"""Messages to a DingTalk group, through its custom robot: they arrive, or a person learns why not.

Source of the protocol, its limits and its error codes: DingTalk's open platform documentation of the custom
group robot, and what public issue trackers tell of the real server.
"""

from opskit.dingtalk.message import Delivery, Link, Message, Receipt
from opskit.dingtalk.pace import Pace
from opskit.dingtalk.proof import Proof, prove
from opskit.dingtalk.push import push
from opskit.dingtalk.render import bodies

__all__ = ["Delivery", "Link", "Message", "Pace", "Proof", "Receipt", "bodies", "prove", "push"]
