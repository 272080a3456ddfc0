"""A look at what lies at an address: a webhook's receiver, or anything that answers GET."""

import time
from http import HTTPStatus

from opskit import http, webhook
from opskit.errors import OpskitError, Refused, Unavailable
from opskit.health.finding import Finding, judged

_DAY_S = 86_400.0
_RENEWED_DAYS = 14  # before its end a certificate should have been renewed
_EVENT_TYPE = "credential_check"


def receiver(url: str, ends: float, *, secret: str, private: bool) -> Finding:
    """Whether a signed test event is answered with 2xx. It is sent once."""
    event = {"type": _EVENT_TYPE, "timestamp": int(time.time()), "data": {}}
    told = webhook.deliver(event, url=url, secret=secret, private=private, ends=ends, most=1)
    if told.error is None:
        return Finding("healthy", "webhook_taken", {"host": http.checked_url(url).host})
    return _refused(told.error, private=private) or judged(told.error, "webhook")


def address(url: str, ends: float, *, private: bool) -> Finding:
    """Whether GET is answered below 400 after redirects, over TLS with a certificate that is right."""
    asked = http.checked_url(url)
    first, *others = http.reaches(private=private)
    try:
        return _asked(asked, first, ends)
    except Refused as error:
        if not others:
            return _refused(error, private=private) or judged(error, "url")
    return _asked(asked, others[0], ends)


def _asked(url: http.Url, reach: http.Reach, ends: float) -> Finding:
    with http.session(reach) as client, http.Deadline(ends) as deadline:
        try:
            headers = {"User-Agent": "OpsKit-Check"}
            reply = client.exchange("GET", url.text, ends=deadline, max_bytes=1, allow_redirects=True, headers=headers)
        except Unavailable:
            certificate = deadline.certificate
            if certificate and certificate.fault:
                return Finding("failed", f"url_{certificate.fault}", {"host": certificate.host})
            raise
        certificate = deadline.certificate
    blanks: dict[str, object] = {"host": url.host, "status": reply.status}
    if reply.status >= HTTPStatus.BAD_REQUEST:
        return Finding("failed", "url_status", blanks)
    if certificate is None or certificate.ends is None:
        return Finding("healthy", "url_up", blanks)
    days = int((certificate.ends - time.time()) // _DAY_S)
    return Finding("healthy", "url_up_renew" if days < _RENEWED_DAYS else "url_up_tls", blanks | {"days": days})


def _refused(error: OpskitError, *, private: bool) -> Finding | None:
    """What it means when an address is forbidden that the builder could allow."""
    if error.key != "address_refused" or private:
        return None
    return Finding("failed", "private_not_allowed", error.blanks)
