"""HMAC-SHA256 signatures, made and checked in constant time."""

import base64
import hashlib
import hmac


def sign(key: bytes, message: bytes) -> bytes:
    """The 32 raw bytes of HMAC-SHA256 (RFC 2104) over ``message``."""
    return hmac.new(key, message, hashlib.sha256).digest()


def sign_base64(key: bytes, message: bytes) -> str:
    """The signature in standard base64 with padding, 44 characters."""
    return base64.b64encode(sign(key, message)).decode("ascii")


def sign_hex(key: bytes, message: bytes) -> str:
    """The signature as 64 lower-case hex digits."""
    return sign(key, message).hex()


def verify(given: str | bytes, expected: str | bytes) -> bool:
    """Whether two signatures are equal, in time that does not depend on where they differ."""
    left, right = (value.encode() if isinstance(value, str) else value for value in (given, expected))
    return hmac.compare_digest(left, right)
