"""What DingTalk answers, and what that means. HTTP is 200 nearly always: ``errcode`` decides.

Source of the codes: tables of open.dingtalk.com as quoted in public code and issue trackers. An older table
shifts some codes by one, so the message (``errmsg``) is read as well.
"""

import re
from http import HTTPStatus

from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, RateLimited, Refused, Unavailable

_NUMBER = re.compile(r"-?[0-9]{1,9}")
# Since about 2024 errmsg is `description:…;solution:…;link:…`. The advice names other faults than its own.
_ADVICE = re.compile(r"[;；]\s*solution\s*[:：].*", re.IGNORECASE | re.DOTALL)

# What stands in errmsg decides before the code: 310000 is one code for four different faults.
_BY_MESSAGE: tuple[tuple[str, type[OpskitError], str], ...] = (
    (r"keyword|关键词", Refused, "robot_keyword"),
    (r"sign not match|签名不匹配|签名错误|签名校验|invalid sign", InvalidCredentials, "robot_signature"),
    (r"签名过期|时间戳|timestamp|sign.*expire", InvalidCredentials, "robot_clock"),
    (r"not in whitelist|白名单|\bip\b.*(not|不)", InvalidCredentials, "robot_ip"),
    (r"token is not exist|token 不存在|token不存在|invalid token", InvalidCredentials, "robot_token"),
)
_CONTENT, _FIELD, _QUOTA = 4301, 4004, 900  # the hundreds that a code lies in
_READ_THE_MESSAGE = frozenset({310000, 400101, 400102, 400013})
_BY_CODE: dict[int, tuple[type[OpskitError], str]] = {
    -1: (Unavailable, "robot_system_busy"),
    88: (InvalidCredentials, "robot_token"),
    300001: (InvalidCredentials, "robot_token"),
    300005: (InvalidCredentials, "robot_token"),
    400101: (InvalidCredentials, "robot_token"),
    310000: (InvalidCredentials, "robot_security"),
    400013: (Refused, "robot_group_gone"),
    400102: (Refused, "robot_stopped"),
    400106: (Refused, "robot_not_in_group"),
    130101: (RateLimited, "robot_limit"),
    410100: (RateLimited, "robot_limit"),
    40035: (InvalidInput, "robot_parameter"),
    400402: (InvalidInput, "robot_parameter"),
    400105: (InvalidInput, "robot_message_type"),
    460101: (InvalidInput, "robot_too_long"),
}


def failure(status: int, body: object) -> OpskitError | None:
    """The error that an answer stands for, or None when the message was accepted.

    ``body`` is the parsed JSON, or None when it was not JSON. The error's blanks hold ``errcode`` and ``errmsg``.
    """
    errcode = _number(body.get("errcode")) if isinstance(body, dict) else None
    if not isinstance(body, dict) or errcode is None:
        return _without_errcode(status, body)
    if errcode == 0:
        return None
    errmsg = " ".join(str(body.get("errmsg", "")).split())
    if errcode in _READ_THE_MESSAGE:
        fault = _ADVICE.sub("", errmsg)
        for pattern, kind, key in _BY_MESSAGE:
            if re.search(pattern, fault, re.IGNORECASE):
                return kind(key, errcode=errcode, errmsg=errmsg)
    kind, key = _BY_CODE.get(errcode) or _by_range(errcode)
    return kind(key, errcode=errcode, errmsg=errmsg)


def _without_errcode(status: int, body: object) -> OpskitError:
    """No verdict from DingTalk itself: its web firewall, a gateway, or something that is not DingTalk.

    The firewall says ``{"status": 1111, "wait": 5, "source": "x5", "punish": "deny"}``, with any HTTP status.
    """
    if isinstance(body, dict) and (body.get("source") == "x5" or body.get("status") == 1111 or "punish" in body):  # noqa: PLR2004
        return RateLimited("robot_limit", errcode="x5", errmsg=str(body.get("punish", "")))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited("robot_limit", errcode=f"HTTP {status}", errmsg="")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable("robot_no_answer", problem=f"HTTP {status}")
    if status != HTTPStatus.OK:
        return InvalidInput("robot_wrong_address", problem=f"HTTP {status}")
    return Unavailable("robot_odd_answer")


def _by_range(errcode: int) -> tuple[type[OpskitError], str]:
    if errcode // 100 == _CONTENT:
        return Refused, "robot_content"
    if errcode // 100 == _FIELD:
        return InvalidInput, "robot_parameter"
    if errcode // 100 == _QUOTA:
        return Refused, "robot_quota"
    return Refused, "robot_other"


def _number(value: object) -> int | None:
    """``errcode`` as an integer; some gateways send it as text."""
    return int(value) if isinstance(value, (int, str)) and _NUMBER.fullmatch(str(value)) else None
