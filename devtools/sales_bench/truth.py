"""What is in a file, by nothing but csv and Decimal: slow, plain, and written apart from what it judges.

It knows the oddities of ``data`` and no others; whatever it cannot read stops it.
"""

import csv
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path

from devtools.sales_bench.data import HEADER, LAST_DAY, Account

_HEADER = HEADER.split(",")
_COLUMNS = len(_HEADER)


def truth(path: Path) -> Account:
    """The account of a file; ValueError for a row that is none of those known."""
    by_day: defaultdict[date, Account] = defaultdict(Account)
    whole = Account()
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        if next(rows) != _HEADER:
            raise ValueError("another header")
        for cells in rows:
            if reason := _reason(cells):
                whole.rejected[reason] += 1
                continue
            whole.accepted += 1
            account = by_day[_day(cells[0])]
            amount = _number(cells[3])
            account.sales += _number(cells[2]) * amount
            account.quantity += amount
            account.orders += 1
    last = by_day[max(by_day)]
    whole.sales, whole.orders, whole.quantity = last.sales, last.orders, last.quantity
    return whole


def _reason(cells: Sequence[str]) -> str:
    """Why a row is rejected; "" where it is not."""
    if not any(cells):
        return "blank"
    if cells[0] == "合计":
        return "total_row"
    if cells == _HEADER:
        return "repeated_header"
    if len(cells) > _COLUMNS:
        return "field_count"
    return _day_reason(cells[0]) or _price_reason(cells[2]) or ("bad_amount" if cells[3] == "缺货" else "")


@lru_cache(maxsize=1 << 16)
def _day_reason(text: str) -> str:
    if text == "2024-02-31":
        return "bad_date"
    return "future_date" if _day(text) > LAST_DAY else ""


@lru_cache(maxsize=1 << 16)
def _price_reason(text: str) -> str:
    if text in {"N/A", "#REF!"}:
        return "bad_price"
    return "currency_mismatch" if text.startswith("$") else ""


@lru_cache(maxsize=1 << 16)
def _day(text: str) -> date:
    """The day as written, without the time behind it."""
    plain = text.translate({ord("年"): "-", ord("月"): "-", ord("日"): None, ord("/"): "-"})
    return date.fromisoformat(plain.partition(" ")[0])


@lru_cache(maxsize=1 << 16)
def _number(text: str) -> Decimal:
    plain = unicodedata.normalize("NFKC", text).replace("−", "-").replace(",", "").strip("='\"¥元件")
    sign = -1 if plain.startswith("(") else 1
    try:
        return sign * Decimal(plain.strip("()"))
    except InvalidOperation:
        raise ValueError(f"not a number that this pass knows: {text!r}") from None
