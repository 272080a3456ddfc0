"""Events that travel between services, signed: sent when a run is done, and received from others.

Every event is signed twice, because receivers know one or the other: ``Dify-Signature`` over the body, and the
Standard Webhooks headers (standardwebhooks.com), which also hold an id and a time.

    signatures.py  both signatures, made and checked
    delivery.py    an event sent to an address, until it arrives or the time is over
    receiver.py    an event from outside: verified, remembered, and handed to an app
    journal.py     what an endpoint has received, in Dify's storage
"""

from opskit.webhook.delivery import Delivered, checked_target, deliver
from opskit.webhook.receiver import receive, status
from opskit.webhook.signatures import Proof, signed, verified

__all__ = ["Delivered", "Proof", "checked_target", "deliver", "receive", "signed", "status", "verified"]
