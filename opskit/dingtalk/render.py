"""From a ``Message`` to the JSON bodies that DingTalk takes."""

import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Literal

from opskit.dingtalk import markdown
from opskit.dingtalk.message import Link, Message
from opskit.errors import InvalidInput

MAX_BODY = 19_999  # bytes of request body; DingTalk refuses more than 20,000 with 460101
UUID_CHARS = 32
TITLE_CHARS = 64
_MIN_ROOM = 500
_MANY = 9999  # parts; a message that may have a million characters has fewer
_MORE_OF_A_NAME = re.compile(r"[\w-]")
_TABLES: dict[str, Callable[[str], str]] = {
    "list": markdown.tables_to_lists,
    "code": markdown.tables_to_code,
    "keep": lambda text: text,
}

type Body = dict[str, Any]
type Kind = Literal["markdown", "text", "link", "action_card", "feed_card"]


def bodies(message: Message) -> list[Body]:
    """The request bodies that ``message`` becomes, in order, each under 20,000 bytes with its msgUuid.

    InvalidInput: the links or mentions do not go with the type, or something around the text leaves it no room.
    """
    kind = _kind(message)
    _check(message, kind)
    sheet = _Sheet(message, kind)
    match kind:
        case "feed_card":  # has no room for text: the content goes ahead of it
            return [*sheet.parts(), _feed_card(message)]
        case "link":
            card = _link_card(message, sheet.title, sheet.content)
            if weight(card) <= MAX_BODY:
                return [card]
            return [*sheet.parts(), _link_card(message, sheet.title, sheet.title)]
        case _:
            return sheet.parts()


def encoded(body: Body, uuid: str) -> bytes:
    """The bytes to send: compact UTF-8 without ASCII escapes, so that twice as much Chinese fits."""
    return json.dumps(body | {"msgUuid": uuid}, ensure_ascii=False, separators=(",", ":")).encode()


def weight(body: Body) -> int:
    """The bytes that ``body`` takes when it is sent."""
    return len(encoded(body, "0" * UUID_CHARS))


def _kind(message: Message) -> Kind:
    """The chosen type; for ``auto`` the one that shows everything that the message holds."""
    if message.message_type != "auto":
        return message.message_type
    if message.links:
        return "feed_card" if all(link.picture_url for link in message.links) else "action_card"
    return "markdown" if markdown.looks_like_markdown(message.content) else "text"


def _check(message: Message, kind: Kind) -> None:
    if kind in {"action_card", "feed_card", "link"} and not message.links:
        raise InvalidInput("links_needed", type=kind)
    if kind == "feed_card" and not all(link.picture_url for link in message.links):
        raise InvalidInput("pictures_needed")
    if kind == "link" and len(message.links) > 1:
        raise InvalidInput("one_link_only", count=len(message.links))
    if kind == "link" and (message.at_mobiles or message.at_user_ids or message.at_all):
        raise InvalidInput("link_cannot_mention")


class _Sheet:
    """The content of a message laid out in parts."""

    def __init__(self, message: Message, kind: Kind) -> None:
        self._message = message
        self._kind = kind
        self._markdown = kind != "text"
        named = message.title or (message.links[0].title if kind == "link" else message.content)
        self.title = markdown.plain_title(named, TITLE_CHARS) or message.keyword or "OpsKit"
        self._names = [*message.at_mobiles, *message.at_user_ids]
        self.content = self._laid_out()

    def parts(self) -> list[Body]:
        """One body for each part. Every part names its number, the title and the keyword, if it needs to."""
        if weight(whole := self._body(self.content, 1, 1)) <= MAX_BODY:
            return [whole]
        room = MAX_BODY - max(weight(self._body("", number, _MANY)) for number in (_MANY - 1, _MANY))
        if room < _MIN_ROOM:
            raise InvalidInput("no_room_for_text", room=max(room, 0))
        mentions = _mentions(self.content, self._names)
        pieces = markdown.split(self.content, room, markdown=self._markdown, kept=mentions)
        return [self._body(piece.text, number, len(pieces)) for number, piece in enumerate(pieces, 1)]

    def _laid_out(self) -> str:
        """The content with its tables in the chosen form, its links where no card shows them, and its mentions."""
        message = self._message
        content = _TABLES[message.table_mode](message.content) if self._markdown else message.content
        blocks = [content.strip("\r\n")]
        if self._kind == "markdown":
            blocks += ["\n".join(f"- [{_label(link.title)}]({_target(link.url)})" for link in message.links)]
        if self._kind == "text":
            blocks += ["\n".join(f"{link.title}: {link.url}" for link in message.links)]
        called = _called(content, self._names)
        blocks += [" ".join(f"@{name}" for name in self._names if name not in called)]
        return "\n\n".join(block for block in blocks if block)

    def _body(self, text: str, number: int, total: int) -> Body:
        """Part ``number`` of ``total``: the last one of an action card carries the buttons."""
        at = self._at(text, last=number == total)
        title = self.title if total == 1 else f"{self.title} ({number}/{total})"
        if total > 1:
            line = _with_keyword(title, self._message.keyword, text, by=" · ")
            text = f"{'#### ' if self._markdown else ''}{line}\n\n{text.strip('\r\n')}"
        else:
            if not self._markdown and not text.startswith(self._message.title):
                text = f"{self._message.title}\n\n{text}"  # a text message has no other place for it
            text = _with_keyword(text, self._message.keyword, title if self._markdown else "", by="\n\n")
        if not self._markdown:
            return {"msgtype": "text", "text": {"content": text}} | at
        if number == total and self._kind == "action_card":
            return _action_card(self._message.links, title, text) | at
        return {"msgtype": "markdown", "markdown": {"title": title, "text": text}} | at

    def _at(self, text: str, *, last: bool) -> Body:
        """Who is called by this part: those whose mention stands in its text, for DingTalk calls nobody else."""
        message = self._message
        called = _called(text, self._names) if text else self._names
        at = {
            "atMobiles": [mobile for mobile in message.at_mobiles if mobile in called],
            "atUserIds": [user for user in message.at_user_ids if user in called],
            "isAtAll": message.at_all and last,
        }
        return {"at": at} if any(at.values()) else {}


def _mentions(text: str, names: Collection[str]) -> Iterator[tuple[int, int]]:
    """Where ``text`` calls one of ``names``: from the @ to the end of the name."""
    known = frozenset(names)
    lengths = sorted(set(map(len, known)))
    for at in re.finditer("@", text):
        for length in lengths:
            end = at.end() + length
            name = text[at.end() : end]
            if len(name) == length and name in known and not _MORE_OF_A_NAME.match(text, end):
                yield at.start(), end


def _called(text: str, names: Collection[str]) -> frozenset[str]:
    """Those of ``names`` that ``text`` calls."""
    return frozenset(text[start + 1 : end] for start, end in _mentions(text, names))


def _with_keyword(text: str, keyword: str, beside: str, *, by: str) -> str:
    """``text`` with the keyword behind it, if neither it nor what is sent ``beside`` it has it."""
    return text if keyword in text or keyword in beside else f"{text}{by}{keyword}"


def _label(text: str) -> str:
    """A link's text in one line, which must not close the link."""
    return re.sub(r"([\[\]\\])", r"\\\1", " ".join(text.split()))


def _target(url: str) -> str:
    """A link's address, which must not close the link either."""
    return re.sub(r"[()<>\\]", lambda match: f"%{ord(match[0]):02X}", url)


def _action_card(links: tuple[Link, ...], title: str, text: str) -> Body:
    card: Body = {"title": title, "text": text, "btnOrientation": "0"}
    if len(links) == 1:
        card |= {"singleTitle": links[0].title, "singleURL": links[0].url}
    else:
        card["btns"] = [{"title": link.title, "actionURL": link.url} for link in links]
    return {"msgtype": "actionCard", "actionCard": card}


def _feed_card(message: Message) -> Body:
    titles = [link.title for link in message.links]
    titles[0] = _with_keyword(titles[0], message.keyword, "\n".join(titles[1:]), by=" · ")
    entries = [
        {"title": title, "messageURL": link.url, "picURL": link.picture_url}
        for title, link in zip(titles, message.links, strict=True)
    ]
    body: Body = {"msgtype": "feedCard", "feedCard": {"links": entries}}
    if weight(body) > MAX_BODY:
        raise InvalidInput("no_room_for_text", room=0)
    return body


def _link_card(message: Message, title: str, text: str) -> Body:
    link = message.links[0]
    text = _with_keyword(text, message.keyword, title, by="\n\n")
    card = {"title": title, "text": text, "picUrl": link.picture_url, "messageUrl": link.url}
    return {"msgtype": "link", "link": card}
