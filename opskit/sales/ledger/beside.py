"""What other columns say of sales that were not carried through, given back, or made for less.

Platforms export every order with its state, and discounts and returns in columns of their own. Whether such rows are
sales is the reader's to say: they count, and the reader is told.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from opskit.sales.cells import Column, match
from opskit.sales.ledger.asking import Asking
from opskit.sales.ledger.quality import Account
from opskit.sales.ledger.sql import Shape
from opskit.sales.opening import Layout

_STATE = re.compile(r"状态|狀態|\bstatus\b|(?<=[a-z])Status", re.IGNORECASE)
_TYPE = re.compile(r"类型|類型|\btype\b|(?<=[a-z])Type", re.IGNORECASE)
_UNDONE = re.compile(
    r"取消|关闭|關閉|退款|退货|退貨|已退|作废|作廢|无效|無效|[未待]付款|[未待]支付|拒收"
    r"|\b(?:cancell?ed|refunded|partially.refunded|returned|void(?:ed)?|unpaid|failed|chargeback|(?:payment.)?pending)\b"
    r"|\A(?:sales?\s)?(?:returns?|refunds?|cancell?ations?|reversals?|credit\s(?:note|memo))\Z",
    re.IGNORECASE,
)
_DONE = re.compile("无退款|未退款|没有退款|无售后|未申请退款|退款(?:失败|关闭|取消)|no refund", re.IGNORECASE)
_GIVEN_BACK = re.compile(
    r"取消|退款|退货|退貨|作废|作廢|(?:\b|_|(?<=[a-z]))(?:cancel(?:l?ed)?|refund(?:ed)?|return(?:ed)?|void(?:ed)?)(?:\b|_|(?=[A-Z]))",
    re.IGNORECASE,
)
_WHEN = re.compile(r"时间|時間|日期|(?:\b|_)(?:at|on|date|time)\Z", re.IGNORECASE)
_YES = re.compile("true|yes|y|是|已.{1,3}|√|✓|✔|x", re.IGNORECASE)
_LESS = re.compile(r"折扣|优惠|優惠|立减|满减|\b(?:discounts?|coupon)\b", re.IGNORECASE)
_SOME = re.compile("[1-9１-９]")
_NO_LESS = re.compile(r"1(?:\.0*)?|100(?:\.0*)?\s?%|10折")
_NO_MINUS = "NOT regexp_matches(concat_ws(' ', {}), '[-−－(（]')"
_SHOWN = 3
_LONGEST = 40
_MOST = 10_000  # different texts of a column
_PAID = 100  # the score of a price after discounts


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a heading makes of the column: states or types of orders, what was given back or taken off, and when."""

    state: bool
    type: bool
    back: bool
    less: bool
    when: bool

    def undone(self, texts: Iterable[str]) -> list[str]:
        """The states that undo an order; a "yes" or a day below "Cancelled" does."""
        found = dict.fromkeys(text for text in texts if _UNDONE.search(text) and not _DONE.search(text))
        if found or not self.back:
            return list(found)
        return [text for text in texts if (_SOME.search(text) if self.when else _YES.fullmatch(text))]

    def says(self, texts: Iterable[str]) -> list[str]:
        """The texts that say anything: a state, or a figure that is not 0 and no share of all."""
        texts = list(texts)
        if found := self.undone(texts):
            return found
        if self.when or not (self.back or self.less):
            return []
        return [text for text in texts if _SOME.search(text) and (self.back or not _NO_LESS.fullmatch(text))]


def tell(ask: Asking, layout: Layout, shape: Shape, account: Account) -> None:
    """Warn of states that undo an order (``undone_orders``), and of what was not taken off (``not_taken_off``).

    A row of returns whose figures are below 0 takes itself off; of the state of an order that is not so sure.
    """
    left: list[str] = []
    paid = (Column.PRICE, _PAID) in match(layout.heading(Column.PRICE))
    less = Column.PRICE in shape.columns and Column.TOTAL not in shape.columns and not paid
    for place, name in enumerate(layout.header[: layout.width]):
        if place in layout.columns.values():
            continue
        kind = _Kind(
            state=bool(_STATE.search(name)),
            type=bool(_TYPE.search(name)),
            back=bool(_GIVEN_BACK.search(name)),
            less=less and bool(_LESS.search(name)),
            when=bool(_WHEN.search(name)),
        )
        if not (kind.state or kind.type or kind.back or kind.less):
            continue
        said = kind.says(_texts(ask, place, "true"))
        if said and not kind.state:
            said = kind.says(_texts(ask, place, _NO_MINUS.format(", ".join(shape.numbers))))
        states = kind.undone(said)
        if states:
            account.warn("undone_orders", column=name, states=", ".join(states[:_SHOWN]))
        elif said:
            left.append(name)
    if left:
        account.warn("not_taken_off", columns=", ".join(left))


def _texts(ask: Asking, place: int, condition: str) -> list[str]:
    """The different texts of a column in the rows for which a condition of ours holds."""
    query = f"""SELECT DISTINCT bare(other{place:d}) AS text FROM cells WHERE other{place:d} IS NOT NULL
        AND {condition} ORDER BY text LIMIT $1"""  # noqa: S608 - names of ours
    return [text[:_LONGEST] for (text,) in ask.all(query, [_MOST])]
