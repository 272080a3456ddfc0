"""Where a robot is called, and how its calls are signed."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from opskit import http, signing
from opskit.dingtalk.message import DEFAULT_BASE_URL, Message
from opskit.errors import InvalidCredentials, InvalidInput

# A variable that does not exist: Dify leaves its template as it is, or just its name where text stands around it.
_UNFILLED = re.compile(r"\{\{#|^(?:env|conversation)\.\w+$")
_DOMAINS = ("dingtalk.com", "dingtalk.io")
_SENDS = "/robot/send"


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot's address and its keys. Two webhooks of one robot give equal addresses, however they are written."""

    url: str
    host: str
    token: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def of(cls, message: Message) -> "Robot":
        """The robot of a message. A whole webhook URL gives its token and host; its old signature is dropped.

        InvalidCredentials: the token or secret cannot be one. InvalidInput: ``base_url`` is not an address.
        """
        given = message.access_token.get_secret_value()
        secret = message.sign_secret.get_secret_value() if message.sign_secret else ""
        for name, key in (("access_token", given), ("sign_secret", secret)):
            if _UNFILLED.search(key):
                raise InvalidCredentials("unfilled_secret", name=name)
        name, base, token = "base_url", message.base_url, given
        if re.search(r"://|access_token=", given):
            address, _, query = given.partition("?")
            token = parse_qs(query or given).get("access_token", [""])[0].strip()
            if message.base_url == DEFAULT_BASE_URL and query:
                name, base = "access_token", address if "://" in address else f"https://{address}"
        for key_name, key in (("access_token", token or " "), ("sign_secret", secret)):
            if not re.fullmatch(r"[!-~]*", key):
                raise InvalidCredentials("malformed_secret", name=key_name)
        try:
            url = http.checked_url(base)
        except InvalidInput:
            raise InvalidInput("bad_base_url", name=name) from None
        path = url.path.rstrip("/").removesuffix(_SENDS)
        return cls(f"{url.origin}{path}{_SENDS}", url.host, token, secret)

    @property
    def name(self) -> str:
        """What tells robots apart."""
        return f"{self.url}\n{self.token}"

    @property
    def reach(self) -> http.Reach:
        """DingTalk may be reached wherever it is, any other host only inside the network: it is given the token."""
        return http.secret_reach(self.host, *_DOMAINS)

    def query(self, epoch_s: float) -> dict[str, str]:
        """The query of one call, signed at ``epoch_s``.

        The signature is raw base64: the HTTP client encodes it, once. Encoded twice it is what the real server
        answers with "sign not match".
        """
        if not self.secret:
            return {"access_token": self.token}
        timestamp = str(int(epoch_s * 1000))
        sign = signing.sign_base64(self.secret.encode(), f"{timestamp}\n{self.secret}".encode())
        return {"access_token": self.token, "timestamp": timestamp, "sign": sign}
