"""An event sent to an address, until it arrives or the time is over."""

import math
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from pydantic_core import to_json

from opskit import http
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, Refused, Unavailable
from opskit.http import Reach, Reply
from opskit.model import mended
from opskit.webhook.signatures import check_secret, signed

_ATTEMPT_S = 10.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_ANSWER_BYTES = 4096  # read so that the receiver sees a client that listens; nobody looks at them
_MAX_ID = 128
# Besides these, every answer from 500 on may be another one next time.
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_UNKNOWN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_NOTHING_THERE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of an event: whether it arrived, after how many attempts, and otherwise why not."""

    delivered: bool
    attempts: int
    error: OpskitError | None


def checked_target(url: str, secret: str) -> None:
    """Look at a webhook's settings before a long run begins, without connecting.

    InvalidInput: ``url`` is no http or https address. InvalidCredentials: ``secret`` is empty, or is ``whsec_`` without
    a key in base64 behind it.
    """
    try:
        http.checked_url(url)
    except InvalidInput:
        raise InvalidInput("webhook_url") from None
    check_secret(secret)


def deliver(
    event: Mapping[str, Any],
    *,
    url: str,
    secret: str,
    private: bool,
    ends: float,
    event_id: str | None = None,
    most: float = math.inf,
    pause: Callable[[float], None] = time.sleep,
) -> Delivered:
    """POST ``event`` as JSON, signed both ways, until it is answered with 2xx or ``ends`` (of time.monotonic()) comes.

    Tried again after 1, 2, 4, 8 … seconds, or as long as ``Retry-After`` says, where that may help: no connection, no
    answer within 10 s, 408, 425, 429 and 5xx. The id stays (``event_id``, or a new one), so that the receiver can tell
    a repeat, and its 409 to one means that the event had arrived; timestamp and signature are made anew. Redirects
    are not followed: they would lead a signed event away. ``most`` attempts are made.

    ``private`` is whether an address inside the network may be reached; OPSKIT_DENY_PRIVATE=1 forbids it all the same.
    A failure is returned, never raised. It does not hold the address beyond its host: tokens stand in there.
    """
    try:
        checked_target(url, secret)
        sending = _Sending(
            url, secret, _written(event), _id(event_id), http.reaches(private=private), ends, most, pause
        )
    except OpskitError as error:
        return Delivered(delivered=False, attempts=0, error=error)
    return sending.delivered()


def _written(event: Mapping[str, Any]) -> bytes:
    """The event in the very bytes that are signed and sent. InvalidInput: JSON cannot say it."""
    try:
        return to_json(mended(dict(event)), inf_nan_mode="null", fallback=str)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("webhook_unwritable", problem=type(error).__name__) from None


def _id(given: str | None) -> str:
    """An id that a header can hold, and that the dots between the signed parts cannot be mistaken in."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", given)[:_MAX_ID] if given else f"msg_{uuid.uuid4().hex}"


@dataclass(frozen=True, slots=True)
class _Sending:
    url: str
    secret: str
    body: bytes
    event_id: str
    reaches: tuple[Reach, ...]
    ends: float
    most: float
    pause: Callable[[float], None]

    def delivered(self) -> Delivered:
        """Send until one attempt decides."""
        attempts = 0
        error: OpskitError = Unavailable("webhook_no_time")
        wait = _FIRST_PAUSE_S
        while time.monotonic() < self.ends:
            attempts += 1
            asked = 0.0
            try:
                answer = self._posted()
            except Unavailable as failure:
                error = failure
            except OpskitError as failure:
                return Delivered(delivered=False, attempts=attempts, error=failure)
            else:
                if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES or _is_known(answer.status, attempts):
                    return Delivered(delivered=True, attempts=attempts, error=None)
                error = _refusal(answer.status)
                asked = _asked_wait(answer)
                if not isinstance(error, Unavailable):
                    break
            until_next = max(wait, asked)
            if attempts >= self.most or time.monotonic() + until_next >= self.ends:
                break
            self.pause(until_next)
            wait = min(2 * wait, _LONGEST_PAUSE_S)
        return Delivered(delivered=False, attempts=attempts, error=_counted(error, attempts))

    def _posted(self) -> Reply:
        """One attempt. Refused: the address may not be reached. Unavailable: no usable answer."""
        first, *others = self.reaches
        try:
            return self._exchanged(first)
        except Refused as error:
            if not others:
                raise error.also("private_not_allowed") from None
        return self._exchanged(others[0])

    def _exchanged(self, reach: Reach) -> Reply:
        signature = signed(self.secret, self.body, event_id=self.event_id, timestamp=int(time.time()))
        headers = {"Content-Type": "application/json", "User-Agent": "OpsKit-Webhook"} | signature
        ends = min(self.ends, time.monotonic() + _ATTEMPT_S)
        try:
            with http.session(reach) as client:
                return client.exchange(
                    "POST", self.url, ends=ends, max_bytes=_ANSWER_BYTES, data=self.body, headers=headers
                )
        except Unavailable as error:
            key = "webhook_not_reached" if error.key == "not_reached" else "webhook_no_answer"
            raise Unavailable(key, problem=error.blanks["problem"]) from None


def _is_known(status: int, attempts: int) -> bool:
    """Whether the receiver says that it has this event already, from an attempt whose answer was lost."""
    return status == HTTPStatus.CONFLICT and attempts > 1


def _refusal(status: int) -> OpskitError:
    """What an answer other than 2xx means for whoever set the webhook up."""
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable("webhook_no_answer", problem=f"HTTP {status}")
    if status < HTTPStatus.BAD_REQUEST:
        return InvalidInput("webhook_redirected", status=status)
    if status in _UNKNOWN:
        return InvalidCredentials("webhook_rejected", status=status)
    if status in _NOTHING_THERE:
        return InvalidInput("webhook_gone", status=status)
    return Refused("webhook_declined", status=status)


def _asked_wait(answer: Reply) -> float:
    """How many seconds the receiver asks to wait; 0 where it does not say. RFC 9110, 10.2.3: seconds, or a date."""
    text = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def _counted(error: OpskitError, attempts: int) -> OpskitError:
    return error.also("webhook_attempts", attempts=attempts) if attempts > 1 else error
