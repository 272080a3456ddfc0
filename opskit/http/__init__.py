"""HTTP with its seat belts on: an address guard that cannot be fooled by DNS, one deadline, and no silent retries.

An address is judged where it counts, on the very IP address that is then connected to, for every request and
every redirect. Metadata and link-local addresses are never reached; private ones only where the builder of the
workflow chose the address (``Reach.INTERNAL``), not where a model or a file could have (``Reach.PUBLIC``).

A host that secrets are sent to and that is not known is only reached inside the network (``Reach.PRIVATE``): the
agent strategies of Dify's Agent node let the model overwrite what the builder has set, the host too.

    url.py         checked_url: the parts of an address, as the client sees them
    reach.py       which IP addresses may be connected to, and for whom
    deadline.py    a moment at which whatever a request waits for ends, and what TLS found on the way
    connection.py  connections under both
    client.py      the session: one exchange and its answer
    files.py       a file streamed to disk
"""

from opskit.http.client import Answer, Reply, Session, session
from opskit.http.deadline import Certificate, Deadline
from opskit.http.files import download, file_reaches
from opskit.http.reach import Reach, allowed, reaches, secret_reach
from opskit.http.url import Url, checked_url

__all__ = [
    "Answer",
    "Certificate",
    "Deadline",
    "Reach",
    "Reply",
    "Session",
    "Url",
    "allowed",
    "checked_url",
    "download",
    "file_reaches",
    "reaches",
    "secret_reach",
    "session",
]
