"""Orders that were not carried through: a column of states says so, and no other column of the row does.

Platforms export every order with its state. Whether one that was cancelled, given back or never paid for is a sale is
the reader's to say, and so such rows count, and the reader is told.
"""

import re
from collections.abc import Sequence

from opskit.sales.cells import Column
from opskit.sales.opening.layout import Caution

_STATE = re.compile(r"状态|狀態|\bstatus\b|(?<=[a-z])Status", re.IGNORECASE)
_UNDONE = re.compile(
    r"取消|关闭|關閉|退款|退货|退貨|已退|作废|作廢|无效|無效|[未待]付款|[未待]支付|拒收"
    r"|\b(?:cancell?ed|refunded|partially.refunded|returned|void(?:ed)?|unpaid|failed|chargeback|(?:payment.)?pending)\b",
    re.IGNORECASE,
)
_DONE = re.compile("无退款|未退款|没有退款|无售后|未申请退款|退款(?:失败|关闭|取消)|no refund", re.IGNORECASE)
_SHOWN = 3
_LONGEST = 40


def undone(header: Sequence[str], columns: dict[Column, int], rows: Sequence[Sequence[str]]) -> list[Caution]:
    """The caution ``undone_orders`` (column, states) for each column of states in which the first ``rows`` name one."""
    cautions = []
    for place, name in enumerate(header):
        if place in columns.values() or not _STATE.search(name):
            continue
        texts = (row[place].strip()[:_LONGEST] for row in rows if place < len(row))
        found = list(dict.fromkeys(text for text in texts if _UNDONE.search(text) and not _DONE.search(text)))
        if found:
            cautions.append(Caution("undone_orders", {"column": name, "states": ", ".join(found[:_SHOWN])}))
    return cautions
