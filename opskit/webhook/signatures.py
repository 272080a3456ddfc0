"""Both signatures of a webhook, made and checked.

``Dify-Signature: sha256=<hex HMAC-SHA256 over the raw body>``, keyed with the secret as UTF-8.

Standard Webhooks 1.0: ``webhook-id``, ``webhook-timestamp`` (whole seconds since 1970) and ``webhook-signature``, one
or several ``v1,<base64 HMAC-SHA256 over id.timestamp.body>`` with spaces in between. The key is the base64 after
``whsec_``, or else the secret as UTF-8.
"""

import base64
import binascii
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from opskit.errors import InvalidCredentials
from opskit.signing import sign_base64, sign_hex, verify

TOLERANCE_S = 300.0
_PREFIX = "whsec_"
_DIFY = "sha256="
_VERSION = "v1,"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a right signature vouches for: the body, and with it the event's ``id`` where one was signed too."""

    id: str | None


def signed(secret: str, body: bytes, *, event_id: str, timestamp: int) -> dict[str, str]:
    """The headers that prove ``body``; ``timestamp`` in whole seconds since 1970.

    InvalidCredentials: the secret cannot be used.
    """
    signature = sign_base64(_standard_key(secret), _content(event_id, str(timestamp), body))
    return {
        "Dify-Signature": f"{_DIFY}{sign_hex(_dify_key(secret), body)}",
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"{_VERSION}{signature}",
    }


def check_secret(secret: str) -> None:
    """InvalidCredentials: the secret is empty, or ``whsec_`` without a key in base64 behind it."""
    _standard_key(secret)


def verified(headers: Mapping[str, str], body: bytes, *, secrets: Collection[str], now: float) -> Proof:
    """What the signature in ``headers`` (names in lower case) proves, whichever of ``secrets`` it was made with.

    ``now`` is in seconds since 1970; a time that is given must be within five minutes of it. An id counts only where
    the signature covers it.

    InvalidCredentials: there is no signature, none is right, the time is off, or one of ``secrets`` cannot be used.
    """
    dify, standard = headers.get("dify-signature", ""), headers.get("webhook-signature", "")
    event_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not dify.strip() and not standard.strip():
        raise InvalidCredentials("webhook_unsigned")
    if timestamp and not _is_near(timestamp, now):
        raise InvalidCredentials("webhook_time", minutes=int(TOLERANCE_S // 60))
    content = _content(event_id, timestamp, body)
    given = [one.removeprefix(_VERSION) for one in standard.split() if one.startswith(_VERSION)]
    # Signed once for each secret: whoever sends many signatures with a large body shall not make the plugin busy. All
    # are compared, so that the time taken does not tell which of the secrets it was.
    expected = [sign_base64(_standard_key(secret), content) for secret in secrets]
    right = [verify(one, other) for one in given for other in expected]
    if event_id and timestamp and any(right):
        return Proof(event_id)
    right = [verify(dify.strip().lower(), f"{_DIFY}{sign_hex(_dify_key(secret), body)}") for secret in secrets]
    if any(right):
        return Proof(None)
    raise InvalidCredentials("webhook_signature")


def _content(event_id: str, timestamp: str, body: bytes) -> bytes:
    return b".".join((event_id.encode(), timestamp.encode(), body))


def _dify_key(secret: str) -> bytes:
    return secret.strip().encode()


def _standard_key(secret: str) -> bytes:
    """The key that Standard Webhooks means. InvalidCredentials: there is none."""
    bare = secret.strip()
    if not bare:
        raise InvalidCredentials("missing_secret", name="webhook_secret")
    if not bare.startswith(_PREFIX):
        return bare.encode()
    try:
        key = base64.b64decode(_padded(bare.removeprefix(_PREFIX)), validate=True)
    except (binascii.Error, ValueError):  # ValueError for letters outside ASCII
        key = b""
    if not key:
        raise InvalidCredentials("webhook_secret")
    return key


def _padded(text: str) -> str:
    """Some tools leave the padding of base64 out."""
    return text + "=" * (-len(text) % 4)


def _is_near(timestamp: str, now: float) -> bool:
    try:
        distance = abs(float(timestamp) - now)
    except ValueError:
        return False
    return math.isfinite(distance) and distance <= TOLERANCE_S
