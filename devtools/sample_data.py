"""A month of a shop's sales, made up but plausible: ``python -m devtools.sample_data`` writes the example file.

Electronics and household goods, October 2026, one row for each order. Weekends, the National Day week (1 to 7
October) and one promotion day are stronger. Only ``Random.random`` is used: it alone gives the same numbers for the
same seed in every Python version.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from devtools.catalog import ROOT

PATH = ROOT / "examples" / "data" / "daily_sale_data.csv"
COLUMNS = ("Date", "Product", "Price", "Amount", "Region")
FIRST_DAY, LAST_DAY = date(2026, 10, 1), date(2026, 10, 31)
PROMOTION_DAY = date(2026, 10, 24)
_HOLIDAY_ENDS = date(2026, 10, 7)
_SEED = 2523
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Product:
    """A product: list price in yuan, how often it sells beside the others, and the most that one order holds."""

    name: str
    price: Decimal
    weight: int
    most: int


PRODUCTS = (
    Product("竹纤维毛巾", Decimal("19.90"), 6, 6),
    Product("抽纸 24 包", Decimal("59.90"), 6, 4),
    Product("保温杯 500ml", Decimal("89.00"), 5, 4),
    Product("USB-C 快充头", Decimal("99.00"), 5, 3),
    Product("电热水壶 1.7L", Decimal("129.00"), 5, 2),
    Product("LED 护眼台灯", Decimal("169.00"), 4, 3),
    Product("智能手环", Decimal("269.00"), 4, 2),
    Product("蓝牙音箱", Decimal("299.00"), 4, 2),
    Product("空气炸锅 5L", Decimal("399.00"), 5, 2),
    Product("电饭煲 4L", Decimal("459.00"), 5, 2),
    Product("降噪无线耳机", Decimal("599.00"), 6, 2),
    Product("静音破壁机", Decimal("699.00"), 4, 2),
    Product("人体工学椅", Decimal("899.00"), 5, 4),
    Product("智能门锁", Decimal("1299.00"), 5, 2),
    Product("空气净化器", Decimal("1799.00"), 4, 2),
    Product("扫地机器人", Decimal("2499.00"), 6, 2),
    Product("55 英寸电视", Decimal("2999.00"), 6, 2),
    Product("滚筒洗衣机 10kg", Decimal("3299.00"), 5, 2),
    Product("智能手机 256GB", Decimal("3999.00"), 8, 3),
    Product("对开门冰箱 520L", Decimal("5299.00"), 4, 2),
    Product("轻薄笔记本 14 英寸", Decimal("6499.00"), 5, 2),
)
# Regions, and how often an order comes from each.
REGIONS = (("华东", 28), ("华南", 22), ("华北", 17), ("华中", 12), ("西南", 11), ("东北", 6), ("西北", 4))
# Discounts on the list price, and how often they are given: members and coupons on any day, all on the promotion.
_DISCOUNTS = ((Decimal(1), 7), (Decimal("0.95"), 2), (Decimal("0.90"), 1))
_PROMOTION_DISCOUNTS = ((Decimal("0.85"), 1), (Decimal("0.80"), 1))


def table() -> str:
    """The file's text: UTF-8 without a byte order mark, lines end in LF."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    random = Random(_SEED)  # noqa: S311 - sample data, and the same each time
    for offset in range((LAST_DAY - FIRST_DAY).days + 1):
        writer.writerows(_orders(FIRST_DAY + timedelta(days=offset), random))
    return text.getvalue()


def _orders(day: date, random: Random) -> Iterator[tuple[str, str, Decimal, int, str]]:
    discounts = _PROMOTION_DISCOUNTS if day == PROMOTION_DAY else _DISCOUNTS
    for _ in range(_count(day, random)):
        product = _pick([(product, product.weight) for product in PRODUCTS], random)
        price = (product.price * _pick(discounts, random)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        # most orders are small: the square pulls towards one piece
        amount = 1 + int(random.random() ** 2 * product.most)
        yield day.isoformat(), product.name, price, amount, _pick(REGIONS, random)


def _count(day: date, random: Random) -> int:
    """The number of a day's orders."""
    if day == PROMOTION_DAY:
        least, most = 30, 34
    elif day <= _HOLIDAY_ENDS or day.weekday() >= _SATURDAY:
        least, most = 21, 26
    else:
        least, most = 15, 19
    return least + int(random.random() * (most - least + 1))


def _pick[T](choices: Sequence[tuple[T, int]], random: Random) -> T:
    """One of the choices, each as often as its weight says."""
    point = random.random() * sum(weight for _, weight in choices)
    for choice, weight in choices:
        point -= weight
        if point < 0:
            return choice
    return choices[-1][0]


if __name__ == "__main__":
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(table(), encoding="utf-8", newline="\n")
    print(f"{PATH.relative_to(ROOT)}: {table().count(chr(10)) - 1} orders, {FIRST_DAY} to {LAST_DAY}")
