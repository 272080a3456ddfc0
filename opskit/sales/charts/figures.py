"""Numbers on a chart: short texts and round steps. Called under ``chart.CALM``."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from opskit.wording import Locale

_DIGITS = 4
_TINY, _HUGE = Decimal("1e-6"), Decimal("1e16")
_UNITS: dict[Locale, tuple[tuple[Decimal, str], ...]] = {
    "zh_Hans": ((Decimal("1e12"), "万亿"), (Decimal("1e8"), "亿"), (Decimal("1e4"), "万")),
    "en_US": ((Decimal("1e12"), "T"), (Decimal("1e9"), "B"), (Decimal("1e6"), "M"), (Decimal("1e3"), "K")),
}
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_TENTH = Decimal("0.1")


def short(value: Decimal, locale: Locale) -> str:
    """An amount in at most four digits, half up: 9,877, 12.35万 or 12.35K, 1.23亿; 1.235E-9 where that is shorter."""
    if not value:
        return "0"
    rounded = _rounded(value, value.adjusted() - _DIGITS + 1)
    if not _TINY <= abs(rounded) < _HUGE:
        return f"{rounded:E}"
    for least, name in _UNITS[locale]:
        if abs(rounded) >= least:
            parts = value / least
            return f"{_rounded(parts, max(parts.adjusted() - _DIGITS + 1, -2)):,f}{name}"
    return f"{rounded:,f}"


def _rounded(value: Decimal, places: int) -> Decimal:
    """Half up to 10 to the power of ``places``, without needless zeros."""
    return value.quantize(Decimal(1).scaleb(places), ROUND_HALF_UP).normalize()


def percent(part: Decimal, whole: Decimal) -> str:
    """The share of ``part`` with one place, half up; "" where a share of ``whole`` says nothing."""
    if whole <= 0:
        return ""
    share = (part * 100 / whole).quantize(_TENTH, ROUND_HALF_UP)
    return f"{share or abs(share)}%"  # there is a -0.0


def ticks(low: Decimal, high: Decimal, gaps: int) -> list[Decimal]:
    """Round numbers from at most ``low`` to at least ``high``, 0 among them, in about ``gaps`` equal steps."""
    low, high = min(low, Decimal(0)), max(high, Decimal(0))
    step = _step((high - low) / gaps) if high > low else Decimal(1)
    first = int((low / step).to_integral_value(ROUND_FLOOR))
    last = int((high / step).to_integral_value(ROUND_CEILING))
    return [step * place for place in range(first, max(last, first + 1) + 1)]


def _step(least: Decimal) -> Decimal:
    """The smallest round number that is not below ``least``."""
    power = Decimal(1).scaleb(least.adjusted())
    return next(step * power for step in _STEPS if step * power >= least)
