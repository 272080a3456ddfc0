"""How days and numbers are written into cells."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from random import Random

type DayForm = Callable[[date, Random], str]
type NumberForm = Callable[[Decimal], str]

_WEEKDAYS = "一二三四五六日"
_WIDE = str.maketrans("0123456789.,-/:", "０１２３４５６７８９．，－／：")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_ENGLISH_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CENT = Decimal("0.01")
_CHINA = timezone(timedelta(hours=8))


def _clock(dice: Random, form: str = "%H:%M:%S") -> str:
    return time(dice.randrange(24), dice.randrange(60), dice.randrange(60)).strftime(form)


def _half(dice: Random) -> str:
    hour = dice.randrange(24)
    return f"{'上午' if hour < 12 else '下午'}{hour if hour <= 12 else hour - 12}:{dice.randrange(60):02}"


def _numerals(day: date) -> str:
    digits = "〇一二三四五六七八九"

    def small(number: int) -> str:
        tens, ones = divmod(number, 10)
        return ("" if tens < 2 else digits[tens]) + ("十" if tens else "") + (digits[ones] if ones else "")

    return f"{''.join(digits[int(d)] for d in str(day.year))}年{small(day.month)}月{small(day.day)}日"


def _unix(day: date, dice: Random) -> int:
    moment = datetime(day.year, day.month, day.day, dice.randrange(24), dice.randrange(60), tzinfo=_CHINA)
    return int(moment.astimezone(UTC).timestamp())


def serial(day: date) -> int:
    """Excel's number of a day."""
    return (day - date(1899, 12, 30)).days


# Each says the day by itself, whatever the others in its column say.
DAYS: dict[str, DayForm] = {
    "iso": lambda day, _: f"{day}",
    "slash": lambda day, _: f"{day:%Y/%m/%d}",
    "short_slash": lambda day, _: f"{day.year}/{day.month}/{day.day}",
    "short_dash": lambda day, _: f"{day.year}-{day.month}-{day.day}",
    "dotted": lambda day, _: f"{day:%Y.%m.%d}",
    "compact": lambda day, _: f"{day:%Y%m%d}",
    "iso_time": lambda day, dice: f"{day} {_clock(dice)}",
    "iso_minutes": lambda day, dice: f"{day} {_clock(dice, '%H:%M')}",
    "slash_time": lambda day, dice: f"{day.year}/{day.month}/{day.day} {dice.randrange(24)}:{dice.randrange(60):02}",
    "iso_t": lambda day, dice: f"{day}T{_clock(dice)}",
    "iso_micro": lambda day, dice: f"{day} {_clock(dice)}.{dice.randrange(10**6):06}",
    "offset": lambda day, dice: f"{day}T{_clock(dice)}{dice.choice(['+08:00', 'Z', '-05:00', '+0530', '.000Z'])}",
    "compact_time": lambda day, dice: f"{day:%Y%m%d}{_clock(dice, '%H%M%S')}",
    "chinese": lambda day, _: f"{day.year}年{day.month}月{day.day}日",
    "chinese_padded": lambda day, _: f"{day.year}年{day.month:02}月{day.day:02}日",
    "chinese_weekday": lambda day, _: f"{day.year}年{day.month}月{day.day}日 星期{_WEEKDAYS[day.weekday()]}",
    "chinese_half": lambda day, dice: f"{day.year}年{day.month}月{day.day}日 {_half(dice)}",
    "chinese_short": lambda day, _: f"{day:%y}年{day.month}月{day.day}日",
    "chinese_spaced": lambda day, _: f"{day.year} 年 {day.month} 月 {day.day} 日",
    "weekday": lambda day, _: f"{day.year}-{day.month}-{day.day} 星期{_WEEKDAYS[day.weekday()]}",
    "weekday_brackets": lambda day, _: f"{day}（周{_WEEKDAYS[day.weekday()]}）",
    "half": lambda day, dice: f"{day} {_half(dice)}",
    "numerals": lambda day, _: _numerals(day),
    "wide": lambda day, _: f"{day}".translate(_WIDE),
    "month_short": lambda day, _: f"{day.day} {_MONTHS[day.month - 1][:3]} {day.year}",
    "month_dashes": lambda day, _: f"{day.day:02}-{_MONTHS[day.month - 1][:3]}-{day.year}",
    "month_short_year": lambda day, _: f"{day.day:02}-{_MONTHS[day.month - 1][:3]}-{day:%y}",
    "month_first": lambda day, _: f"{_MONTHS[day.month - 1]} {day.day}, {day.year}",
    "month_first_short": lambda day, _: f"{_MONTHS[day.month - 1][:3]} {day.day}, {day.year}",
    "month_upper": lambda day, _: f"{day.day:02}-{_MONTHS[day.month - 1][:3].upper()}-{day.year}",
    "english_long": lambda day, _: f"{_ENGLISH_DAYS[day.weekday()]}, {_MONTHS[day.month - 1]} {day.day}, {day.year}",
    "serial": lambda day, _: f"{serial(day)}",
    "serial_fraction": lambda day, dice: f"{serial(day)}.{dice.randrange(1, 999999):06}",
    "unix": lambda day, dice: f"{_unix(day, dice)}",
    "unix_ms": lambda day, dice: f"{_unix(day, dice)}{dice.randrange(1000):03}",
    "midnight": lambda day, _: f"{day} 00:00:00",
    "serial_zero": lambda day, _: f"{serial(day)}.0",
    "compact_zero": lambda day, _: f"{day:%Y%m%d}.0",
    "unix_zero": lambda day, dice: f"{_unix(day, dice)}.0",
    "pm": lambda day, dice: f"{day} {_clock(dice, '%I:%M %p')}",
    "quoted": lambda day, _: f'="{day}"',
    "apostrophe": lambda day, _: f"'{day}",
    "spaces": lambda day, dice: dice.choice([f" {day} ", f"\u3000{day}", f"{day}\u00a0", f"{day}\t"]),
}
# The day needs the column: separator, and whether the year has two digits.
ORDERED: dict[str, str] = {
    "dmy": "%d/%m/%Y", "dmy_dash": "%d-%m-%Y", "dmy_dot": "%d.%m.%Y", "dmy_short": "%d/%m/%y",
    "dmy_time": "%d/%m/%Y %H:%M",
    "mdy_pm": "%m/%d/%Y %H:%M PM", "mdy": "%m/%d/%Y", "mdy_dash": "%m-%d-%Y", "mdy_short": "%m/%d/%y",
    "mdy_time": "%m/%d/%Y %H:%M",
    "ymd_short": "%y/%m/%d", "ymd_short_dash": "%y-%m-%d",
}  # fmt: skip


def plain(value: Decimal) -> str:
    """Digits and a point."""
    return f"{value:f}"


def comma(value: Decimal) -> str:
    """Points between thousands and a comma before decimals."""
    return f"{value:,f}".translate(str.maketrans(",.", ".,"))


def _scientific(value: Decimal) -> str:
    return f"{value:.12E}".replace("E+", "E+0") if value else "0E+00"


def _wan(value: Decimal) -> str:
    return f"{(value / 10000).normalize():f}万"


# Price and quantity alike; a negative value is written with a minus in front of all.
NUMBERS: dict[str, NumberForm] = {
    "thousands": lambda value: f"{value:,f}",
    "thousands_wide": lambda value: f"{value:,f}".replace(",", "，"),
    "thousands_space": lambda value: f"{value:,f}".replace(",", " "),
    "thousands_nbsp": lambda value: f"{value:,f}".replace(",", "\u00a0"),
    "thousands_narrow": lambda value: f"{value:,f}".replace(",", "\u202f"),
    "thousands_apostrophe": lambda value: f"{value:,f}".replace(",", "'"),
    "wide": lambda value: plain(value).translate(_WIDE),
    "quoted": lambda value: f'="{value:f}"',
    "apostrophe": lambda value: f"'{value:f}",
    "padded": lambda value: f"  {value:f} ",
    "nbsp": lambda value: f"\u00a0{value:f}\u3000",
    "zero_width": lambda value: f"\u200b{value:f}",
    "scientific": _scientific,
    "zeros": lambda value: f"{value:.4f}",
    "plus": lambda value: f"+{value:f}" if value > 0 else plain(value),
    "no_zero": lambda value: plain(value).replace("0.", ".", 1) if abs(value) < 1 and value % 1 else plain(value),
}
# Of prices only. The second is the currency they name.
MONEY: dict[str, tuple[NumberForm, str]] = {
    "yen_sign": (lambda value: f"¥{value:,f}", "CNY"),
    "wide_yen": (lambda value: f"￥{value:f}", "CNY"),
    "yen_space": (lambda value: f"¥ {value:,f}", "CNY"),
    "yuan": (lambda value: f"{value:f}元", "CNY"),
    "yuan_thousands": (lambda value: f"{value:,f} 元", "CNY"),
    "rmb": (lambda value: f"RMB {value:,f}", "CNY"),
    "rmb_behind": (lambda value: f"{value:f}RMB", "CNY"),
    "cny": (lambda value: f"CNY{value:f}", "CNY"),
    "cny_behind": (lambda value: f"{value:,f} CNY", "CNY"),
    "renminbi": (lambda value: f"人民币{value:f}", "CNY"),
    "dollar": (lambda value: f"${value:,f}", "USD"),
    "us_dollar": (lambda value: f"US${value:,f}", "USD"),
    "usd": (lambda value: f"{value:f} USD", "USD"),
    "euro": (lambda value: f"€{value:,f}", "EUR"),
    "pound": (lambda value: f"£{value:,f}", "GBP"),
    "per_piece": (lambda value: f"¥{value:f}/件", "CNY"),
    "yuan_each": (lambda value: f"{value:f}元/台", "CNY"),
    "wan": (_wan, ""),
    "wan_yuan": (lambda value: f"{_wan(value)}元", "CNY"),
    "yen_wan": (lambda value: f"¥{_wan(value)}", "CNY"),
}
# A refund's number, of its absolute value.
MINUS: dict[str, NumberForm] = {
    "minus": lambda value: f"-{value:f}",
    "unicode": lambda value: f"−{value:f}",
    "brackets": lambda value: f"({value:,f})",
    "wide_brackets": lambda value: f"（{value:f}）",
    "trailing": lambda value: f"{value:f}-",
    "wide": lambda value: f"－{value:f}",
    "spaced": lambda value: f"- {value:f}",
    "en_dash": lambda value: f"–{value:f}",
}
MONEY_MINUS: dict[str, tuple[NumberForm, str]] = {
    "before_sign": (lambda value: f"-¥{value:,f}", "CNY"),
    "behind_sign": (lambda value: f"¥-{value:,f}", "CNY"),
    "brackets": (lambda value: f"(¥{value:,f})", "CNY"),
    "yuan": (lambda value: f"-{value:f}元", "CNY"),
}
NO_NUMBERS = (
    "N/A", "-", "--", "NULL", "无", "", "#REF!", "#N/A", "#DIV/0!", "#VALUE!", "12%", "12.5％", "赠品", "面议",
    "待定", "abc",
    "1,23,4.5", "12.5.6", "12..5", "1.2,3.4", "NaN", "inf", "12:30", "1/2", "12O.5", "l2.50", "0x1F", "10-20",
    "约100",
    "100以上", "12.5 or 13", "(12.5", "12.5)", "--12", "1 2 3", "$", "元", "?", "12;5", "1e", "12 34", "3-5",
    "１２％", "nan",
    "99元起", "¥99 (原价 ¥129)", "3*12.5", "12.5×2", "=12.5*2", "1.5e", "3箱(24瓶)", "1,234,56", "1.234.567,8.9",
    "2026/3/1", "1_000",
    "12,50,00", "1.2e", "³", "Ⅳ", "十二", "¥", "true", "1,2,3", "0b11", "12..", "¥12 $3", "12%元", "一百", "½",
)  # fmt: skip
NO_DAYS = (
    "", "N/A", "待定", "昨天", "2026-02-30", "2026-13-01", "31/02/2026", "00/00/0000", "0000-00-00", "2026-03",
    "2026年",
    "#VALUE!", "abc", "1", "12.5", "999999", "20261345", "-", "本月", "2026-00-10", "####", "3月", "Q1 2026",
    "1899-12-31",
    "2026-03-01至2026-03-05", "99999999",
    "3月1日", "03-01", "2026-03-01~2026-03-05", "周一", "2026-3", "20260", "2026/03/", "12:30", "3/1",
    "2026-06-31", "29/02/2026",
)  # fmt: skip
