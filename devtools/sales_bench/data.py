"""Sales files made of a seed: the same rows each time, and what they add up to.

Only ``Random.getrandbits`` is used, which gives the same numbers for the same seed in every Python version. The days
lie in the past, so that no clock makes them future ones.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from random import Random

SEED = 2523
HEADER = "Date,Product,Price,Amount,Region"
LAST_DAY = date(2024, 12, 30)
DAYS = 90
ODD = 25  # one row in so many is odd in a messy file: 4 %
_VERSION = 1  # of what is written; a file of another one is made anew
_BATCH = 50_000
_REGIONS = ("华东", "华南", "华北", "华中", "西南", "东北", "西北", "港澳台")
_THINGS = ("毛巾", "抽纸", "保温杯", "快充头", "电热水壶", "台灯", "手环", "音箱", "空气炸锅", "电饭煲")
_MAKERS = ("竹语", "清风", "Aurora", "Nordlicht", "长河", "Kestrel", "山居", "Pico")
_SIZES = ("小号", "标准", "大号", "家庭装", "礼盒")
_DISCOUNTS = (100, 95, 90, 80)  # percent of the list price
_MOST = 5  # pieces in an order


@dataclass(slots=True)
class Account:
    """What is in a file: the last day's sales, orders and quantity, and every row accepted or rejected."""

    sales: Decimal = Decimal(0)
    orders: int = 0
    quantity: Decimal = Decimal(0)
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Order:
    """A row before it is written: ``price`` as in "1299.00"."""

    day: date
    product: str
    price: str
    amount: int
    region: str

    def line(self, **changed: str) -> str:
        """The row as a line; ``changed`` are texts that stand there instead."""
        cells = {"day": f"{self.day}", "product": self.product, "price": self.price, "amount": f"{self.amount}"}
        return ",".join((cells | {"region": self.region} | changed).values())


@dataclass(frozen=True, slots=True)
class Oddity:
    """A way for a row to be odd: how it is written, and the ``reason`` to reject it, or the signs of what it adds."""

    name: str
    write: Callable[[Order], str]
    reason: str = ""
    sales: int = 1
    pieces: int = 1


def _thousands(order: Order) -> str:
    return f'"¥{Decimal(order.price):,}"'


def _wide(text: str) -> str:
    """In full-width digits."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


ODDITIES = (
    Oddity("a currency sign and thousands separators", lambda order: order.line(price=_thousands(order))),
    Oddity("元 behind the price", lambda order: order.line(price=f"{order.price}元")),
    Oddity("full-width digits", lambda order: order.line(price=_wide(order.price))),
    Oddity("a price as a formula", lambda order: order.line(price=f'"=""{order.price}"""')),
    Oddity("an apostrophe before the price", lambda order: order.line(price=f"'{order.price}")),
    Oddity("件 behind the quantity", lambda order: order.line(amount=f"{order.amount}件")),
    Oddity("a quantity with a decimal point", lambda order: order.line(amount=f"{order.amount}.0")),
    Oddity("a refund with a Unicode minus", lambda order: order.line(amount=f"−{order.amount}"), sales=-1, pieces=-1),
    Oddity("a refund in brackets", lambda order: order.line(price=f"({order.price})"), sales=-1),
    Oddity("a date with a time", lambda order: order.line(day=f"{order.day} 14:05:09")),
    Oddity("a Chinese date", lambda order: order.line(day=f"{order.day:%Y年%m月%d日}")),
    Oddity("a date with slashes", lambda order: order.line(day=f"{order.day:%Y/%m/%d}")),
    Oddity("no region", lambda order: order.line().rpartition(",")[0]),
    Oddity("a comma and quotes in the name", lambda order: order.line(product=f'"{order.product}, 12"" | new"')),
    Oddity("no price", lambda order: order.line(price="N/A"), "bad_price"),
    Oddity("an Excel error", lambda order: order.line(price="#REF!"), "bad_price"),
    Oddity("words for a quantity", lambda order: order.line(amount="缺货"), "bad_amount"),
    Oddity("a day that is none", lambda order: order.line(day="2024-02-31"), "bad_date"),
    Oddity("a day to come", lambda order: order.line(day=f"2097{order.day:-%m-%d}"), "future_date"),
    Oddity("an empty row", lambda _: ",,,,", "blank"),
    Oddity("a total", lambda order: f"合计,,{order.price},{order.amount},", "total_row"),
    Oddity("the header again", lambda _: HEADER, "repeated_header"),
    Oddity("a cell too many", lambda order: f"{order.line()},x", "field_count"),
    Oddity("another currency", lambda order: order.line(price=f"${order.price}"), "currency_mismatch"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, how many rows it has, and what is in it."""

    path: Path
    rows: int
    account: Account

    @property
    def megabytes(self) -> float:
        """Its size."""
        return self.path.stat().st_size / 1e6


def sample(folder: Path, rows: int, *, messy: bool) -> Sample:
    """The file of so many rows below the header, made in ``folder`` unless it is there."""
    path = folder / f"{'messy' if messy else 'clean'}-{rows}-{SEED}-v{_VERSION}.csv"
    account = Account()
    lines = _lines(rows, account, messy=messy)
    if path.exists():
        for _ in lines:  # what is in it is known only by making it
            pass
        return Sample(path, rows, account)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{HEADER}\n")
        file.writelines(lines)
    unfinished.replace(path)
    return Sample(path, rows, account)


def _lines(rows: int, account: Account, *, messy: bool) -> Iterator[str]:
    """Many lines at a time, in the order of days; the account is complete after the last."""
    draw = Random(SEED).getrandbits  # noqa: S311 - sample data, and the same each time
    orders = list(_orders())
    tails = [f",{order.line().partition(',')[2]}\n" for order in orders]
    kinds = len(orders)
    for number in range(DAYS):
        day = LAST_DAY - timedelta(days=DAYS - 1 - number)
        count = rows * (number + 1) // DAYS - rows * number // DAYS
        for start in range(0, count, _BATCH):
            drawn = [draw(48) for _ in range(min(_BATCH, count - start))]
            lines = [f"{day}{tails[bits % kinds]}" for bits in drawn]
            odd = {place: bits for place, bits in enumerate(drawn) if messy and bits // kinds % ODD == 0}
            for place, bits in odd.items():
                oddity = ODDITIES[bits // kinds // ODD % len(ODDITIES)]
                order = orders[bits % kinds]
                lines[place] = f"{oddity.write(_on(order, day))}\n"
                _count(account, order, day, oddity)
            account.accepted += len(drawn) - len(odd)
            if day == LAST_DAY:
                for place, bits in enumerate(drawn):
                    if place not in odd:
                        _add(account, orders[bits % kinds])
            yield "".join(lines)


def _orders() -> Iterator[Order]:
    """Every order there can be, on no day yet."""
    names = [f"{maker}{thing} {size}" for maker, thing, size in product(_MAKERS, _THINGS, _SIZES)]
    for place, name in enumerate(names):
        listed = 990 + place * place % 7919 * 83  # cents: from 9.90 to some 6,500
        for percent, amount, region in product(_DISCOUNTS, range(1, _MOST + 1), _REGIONS):
            yield Order(date.min, name, f"{Decimal(listed * percent // 100).scaleb(-2)}", amount, region)


def _on(order: Order, day: date) -> Order:
    return Order(day, order.product, order.price, order.amount, order.region)


def _count(account: Account, order: Order, day: date, oddity: Oddity) -> None:
    if oddity.reason:
        account.rejected[oddity.reason] += 1
        return
    account.accepted += 1
    if day == LAST_DAY:
        _add(account, order, sales=oddity.sales, pieces=oddity.pieces)


def _add(account: Account, order: Order, *, sales: int = 1, pieces: int = 1) -> None:
    account.sales += sales * Decimal(order.price) * order.amount
    account.orders += 1
    account.quantity += pieces * order.amount
