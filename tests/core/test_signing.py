import base64
import hmac

import pytest

from opskit import signing

# RFC 4231, test case 2.
KEY, MESSAGE = b"Jefe", b"what do ya want for nothing?"
HEX = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_the_signature_is_that_of_the_rfc() -> None:
    assert signing.sign_hex(KEY, MESSAGE) == HEX
    assert base64.b64decode(signing.sign_base64(KEY, MESSAGE)).hex() == HEX


def test_a_signature_is_accepted_only_when_equal() -> None:
    assert signing.verify(HEX, HEX.encode())
    assert not signing.verify(HEX[:-1] + "4", HEX)
    assert not signing.verify("", HEX)


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[object, ...]] = []

    def compare_digest(*pair: object) -> bool:
        compared.append(pair)
        return True

    monkeypatch.setattr(hmac, "compare_digest", compare_digest)
    assert signing.verify("a", b"a")
    assert compared == [(b"a", b"a")]
