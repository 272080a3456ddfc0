import hmac
import math

import pytest

from opskit import webhook
from opskit.errors import InvalidCredentials
from opskit.webhook.signatures import check_secret

# Made with openssl, not with this code:
#   printf '%s' "$BODY" | openssl dgst -sha256 -hmac "$SECRET"
#   printf '%s' "$ID.$TIME.$BODY" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$KEY -binary | base64
BODY = '{"status":"completed","answer":"好"}'.encode()
EVENT, TIME = "msg_fake0123456789", 1_700_000_000
PLAIN, CODED = "fake-secret-0123456789abcdef", "whsec_ZmFrZS1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg=="
DIFY = {
    PLAIN: "sha256=0ad75148ce4e33cc210e2a03dbd778cbc62edaa936d56abece43311a61efe8b8",
    CODED: "sha256=3adcf7d9cdc0e8d98e6453d6003d7db1989493f35d684dfb1a6aa1a6ef45a16f",
}
STANDARD = "v1,mxBHM1AbYCSg3rG9PxDt2hS4U5wwjK6xIjFecup9w1s="  # of both: CODED is PLAIN in base64
# The example of the Standard Webhooks specification's own libraries.
SPEC_SECRET, SPEC_BODY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
SPEC_EVENT, SPEC_TIME = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330
SPEC_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers(secret: str = PLAIN) -> dict[str, str]:
    return lowered(webhook.signed(secret, BODY, event_id=EVENT, timestamp=TIME))


def lowered(given: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in given.items()}


def prove(given: dict[str, str], *secrets: str, body: bytes = BODY, now: float = TIME) -> webhook.Proof:
    return webhook.verified(given, body, secrets=secrets or (PLAIN,), now=now)


@pytest.mark.parametrize("secret", [PLAIN, CODED])
def test_both_signatures_are_those_that_openssl_makes(secret: str) -> None:
    assert webhook.signed(secret, BODY, event_id=EVENT, timestamp=TIME) == {
        "Dify-Signature": DIFY[secret],
        "webhook-id": EVENT,
        "webhook-timestamp": str(TIME),
        "webhook-signature": STANDARD,
    }


def test_the_example_of_standard_webhooks_holds() -> None:
    given = webhook.signed(SPEC_SECRET, SPEC_BODY, event_id=SPEC_EVENT, timestamp=SPEC_TIME)
    assert given["webhook-signature"] == SPEC_SIGNATURE
    assert prove(lowered(given), SPEC_SECRET, body=SPEC_BODY, now=SPEC_TIME) == webhook.Proof(SPEC_EVENT)


@pytest.mark.parametrize(
    "secret", [PLAIN, CODED, CODED.rstrip("="), f" {PLAIN}\n", "密钥", "whsec_" + "密钥".encode().hex()[:8]]
)
def test_what_is_signed_is_verified(secret: str) -> None:
    given = headers(secret)
    assert prove(given, secret) == webhook.Proof(EVENT)
    assert prove({"dify-signature": given["dify-signature"].upper().replace("SHA", "sha")}, secret) == webhook.Proof(
        None
    )
    del given["dify-signature"]
    assert prove(given, secret) == webhook.Proof(EVENT)


def test_an_old_secret_counts_as_long_as_it_is_listed() -> None:
    assert prove(headers(PLAIN), "new-fake-secret", PLAIN).id == EVENT
    assert prove({"dify-signature": DIFY[PLAIN]}, "new-fake-secret", PLAIN).id is None
    with pytest.raises(InvalidCredentials, match="webhook_signature"):
        prove(headers(PLAIN), "new-fake-secret")


def test_one_of_several_signatures_is_enough_and_only_v1_counts() -> None:
    right = headers()["webhook-signature"]
    alone = headers() | {"dify-signature": ""}
    assert prove(alone | {"webhook-signature": f"v1,AAAA v1a,xx {right}"}).id == EVENT
    for wrong in ("v2" + right[2:], right[3:], right + "A", "v1,", "sha256=" + right[3:]):
        with pytest.raises(InvalidCredentials, match="webhook_signature"):
            prove(alone | {"webhook-signature": wrong})


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_an_id_and_a_time_are_part_of_the_standard_signature(name: str) -> None:
    alone = headers() | {"dify-signature": ""}
    for value in ("", {"webhook-id": "msg_other", "webhook-timestamp": str(TIME + 1)}[name]):
        with pytest.raises(InvalidCredentials, match="webhook_signature"):
            prove(alone | {name: value})
    # The other signature does not cover the id: it is not believed.
    assert prove(headers() | {name: ""}) == webhook.Proof(None)


@pytest.mark.parametrize(("now", "is_near"), [(TIME + 300, True), (TIME - 300, True), (TIME + 301, False), (0, False)])
def test_five_minutes_are_allowed(now: float, is_near: bool) -> None:  # noqa: FBT001
    if is_near:
        assert prove(headers(), now=now).id == EVENT
        return
    with pytest.raises(InvalidCredentials, match=r"\[webhook_time\].* 5 minutes"):
        prove(headers(), now=now)


@pytest.mark.parametrize("time", ["soon", "nan", "inf", "1e400", "-1"])
def test_a_time_that_is_none_is_refused_even_beside_a_right_signature(time: str) -> None:
    with pytest.raises(InvalidCredentials, match="webhook_time"):
        prove(headers() | {"webhook-timestamp": time}, now=math.inf if time == "inf" else TIME)


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY[:-1]])
def test_another_body_is_not_proven(body: bytes) -> None:
    with pytest.raises(InvalidCredentials, match="webhook_signature"):
        prove(headers(), body=body)


@pytest.mark.parametrize("given", [{}, {"dify-signature": " ", "webhook-signature": ""}, {"webhook-id": EVENT}])
def test_no_signature_is_told_from_a_wrong_one(given: dict[str, str]) -> None:
    with pytest.raises(InvalidCredentials, match="webhook_unsigned"):
        prove(given)


@pytest.mark.parametrize("wrong", ["sha256=", "sha256=00", "md5=" + "0" * 64, "sha256=密", DIFY[PLAIN][7:]])
def test_a_dify_signature_has_one_form(wrong: str) -> None:
    with pytest.raises(InvalidCredentials, match="webhook_signature"):
        prove({"dify-signature": wrong})


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("", "missing_secret"),
        (" \n", "missing_secret"),
        ("whsec_", "webhook_secret"),
        ("whsec_é", "webhook_secret"),
        ("whsec_A", "webhook_secret"),
        ("whsec_not base64!", "webhook_secret"),
    ],
)
def test_a_secret_without_a_key_is_refused_without_being_shown(secret: str, key: str) -> None:
    with pytest.raises(InvalidCredentials, match=rf"^\[{key}\]") as told:
        check_secret(secret)
    assert not secret.strip() or secret == "whsec_" or secret not in str(told.value)


def test_every_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def compare_digest(*pair: bytes) -> bool:
        compared.append(len(pair))
        return pair[0] == pair[1]

    monkeypatch.setattr(hmac, "compare_digest", compare_digest)
    prove(headers(), PLAIN, "second-fake-secret", "third-fake-secret")
    assert compared == [2, 2, 2]


def test_many_signatures_cost_no_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    many = headers() | {"dify-signature": "", "webhook-signature": "v1,AAAA " * 1000}
    made: list[bytes] = []

    def sign_base64(_: bytes, message: bytes) -> str:
        made.append(message)
        return "x"

    monkeypatch.setattr("opskit.webhook.signatures.sign_base64", sign_base64)
    with pytest.raises(InvalidCredentials, match="webhook_signature"):
        prove(many, PLAIN, "second-fake-secret")
    assert len(made) == 2
