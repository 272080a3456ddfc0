"""What a push takes and gives."""

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from opskit.errors import InvalidInput
from opskit.model import AS_TEXT, STRUCTURED, Item, Key, Line, Listed, Params, Result

DEFAULT_BASE_URL = "https://oapi.dingtalk.com"
_PUBLIC_URL = re.compile(r"(https?|dingtalk)://\S+")
_MOBILE = re.compile(r"\d{5,15}|\+\d{1,4}-\d{4,15}")
_MAX_CONTENT = 1_000_000  # characters; the limit of 20 messages a minute lets no more through within a deadline
_MAX_USER_ID = 64


class Link(Item):
    """A button of a card, or an entry of a feed card when it has a picture."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    url: Line
    picture_url: Line = ""

    @field_validator("url", "picture_url")
    @classmethod
    def _opens_on_a_phone(cls, url: str) -> str:
        if url and not _PUBLIC_URL.fullmatch(url):
            raise InvalidInput("bad_link", url=url)
        return url


class Message(Params):
    """A message and the robot that posts it."""

    content: str
    title: Line = ""
    links: Annotated[tuple[Link, ...], STRUCTURED, AS_TEXT] = ()
    at_mobiles: Listed = ()
    at_user_ids: Listed = ()
    message_type: Literal["auto", "markdown", "text", "link", "action_card", "feed_card"] = "auto"
    access_token: Key
    sign_secret: Key | None = None
    keyword: Line = ""
    at_all: bool = False
    table_mode: Literal["list", "keep", "code"] = "list"
    dedupe_key: Line = ""
    deadline_s: float = Field(default=60, ge=1, le=550)
    base_url: Line = DEFAULT_BASE_URL
    dry_run: bool = False

    @field_validator("content")
    @classmethod
    def _can_be_sent(cls, content: str) -> str:
        if len(content) > _MAX_CONTENT:
            raise InvalidInput("content_too_long", count=len(content), limit=_MAX_CONTENT)
        return content

    @field_validator("at_user_ids")
    @classmethod
    def _could_be_ids(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        for user_id in ids:
            if len(user_id) > _MAX_USER_ID:
                raise InvalidInput("bad_user_id", user_id=user_id, limit=_MAX_USER_ID)
        return ids

    @field_validator("at_mobiles")
    @classmethod
    def _as_dingtalk_writes_them(cls, mobiles: tuple[str, ...]) -> tuple[str, ...]:
        """Mainland numbers bare, all others as ``+1-5550100``: DingTalk finds nobody otherwise."""
        written = tuple(_written(mobile) for mobile in mobiles)
        for mobile in written:
            if not _MOBILE.fullmatch(mobile):
                raise InvalidInput("bad_mobile", mobile=mobile)
        return written


def _written(mobile: str) -> str:
    """A mobile number without what people put between its digits, save the dash after a country code."""
    number = re.sub(r"[\s().@]", "", mobile)
    number = re.sub(r"^(\+|00)86-?(?=1)", "", number)
    code, dash, rest = number.partition("-") if number.startswith("+") else ("", "", number)
    return code + dash + rest.replace("-", "")


class Delivery(Item):
    """One part of a message as it went out."""

    index: int = Field(description="Number of the part, from 1.")
    bytes: int = Field(description="Size of the request body in bytes; DingTalk's limit is 20000.")
    msg_uuid: str = Field(description="Idempotency key that the part was sent with.")
    attempts: int = Field(description="Requests made for this part; 0 in a dry run.")


class Receipt(Result):
    """What became of a message."""

    delivered: bool = Field(description="True when DingTalk accepted every part; false only in a dry run.")
    parts: list[Delivery] = Field(description="The messages that the content was sent as, in order.")
    attempts: int = Field(description="Requests made in all.")
    message_ids: list[str] = Field(description="The msg_uuid of every part.")
    elapsed_ms: int = Field(description="Time taken in milliseconds, waiting included.")
    report: str = Field(description="What happened, in one sentence.")
