"""A chart as a block that Dify's chat draws.

Dify reads the block with JSON.parse, so there are no functions in it, gives it 350 px of height, and counts the braces
of the whole text before it draws: one in a name would keep the reader waiting for ever. Source:
``echarts-code-block.tsx`` in langgenius/dify; names of options: ECharts 5.
"""

import json
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from opskit.sales.charts import colours, figures, glyphs
from opskit.sales.charts.chart import CALM, Chart, Series, Shade
from opskit.wording import Locale, say

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_ACTIVE = re.compile(r"\\\\|\\\"|[{}\[\]()<>&`$*_~|#!@=\u2028\u2029]")
_CENT = Decimal("0.01")
_NAME_SIZE, _NAME_PIXELS = 12, 130
_WHOLE_DIGITS = 15  # a double holds no cents beyond

type Option = dict[str, Any]


def echarts(chart: Chart) -> str:
    """The block, in three lines. Text from cells is text in it: nothing that Markdown, HTML or Dify acts on."""
    with localcontext(CALM):
        text = json.dumps(_option(chart), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"```echarts\n{_STRING.sub(_tame, text)}\n```"


def _tame(string: re.Match[str]) -> str:
    r"""A JSON string with its active characters as ``\u007b``."""
    return f'"{_ACTIVE.sub(lambda found: f"\\u{ord(found[0][-1]):04x}", string[0][1:-1])}"'


def _option(chart: Chart) -> Option:
    option: Option = {
        "animation": False,
        "title": {
            "text": chart.title,
            "subtext": chart.note,
            "left": "center",
            "textStyle": {"fontSize": 15},
            "subtextStyle": {"width": 300, "overflow": "truncate"},
        },
    }
    if chart.empty:
        return option
    match chart.kind:
        case "trend":
            return option | _trend(chart)
        case "pareto":
            return option | _pareto(chart)
        case _:
            return option | _bars(chart)


def _trend(chart: Chart) -> Option:
    sales, *ahead = chart.series
    series = [_line(sales, colours.SALES) | {"areaStyle": {"opacity": 0.08}, "z": 4}]
    named: list[Option] = [{"name": sales.name}]
    if chart.band:
        low, high = chart.band.low, chart.band.high
        height = Series(chart.band.name, tuple(map(_difference, high.values, low.values)))
        unseen = {"lineStyle": {"opacity": 0}, "symbol": "none"}
        stacked = {"stack": "band", "stackStrategy": "all"}
        series += [
            *(_line(expected, colours.EXPECTED) | {"lineStyle": {"type": "dashed"}, "z": 3} for expected in ahead),
            _line(low, colours.EXPECTED) | unseen | stacked,
            _line(height, colours.EXPECTED)
            | unseen
            | stacked
            | {"areaStyle": {"opacity": 0.18}, "tooltip": {"show": False}},
            _line(high, colours.EXPECTED) | unseen,
        ]
        box = {"icon": "roundRect", "itemStyle": {"color": colours.BAND}}
        named += [*({"name": expected.name} for expected in ahead), {"name": chart.band.name} | box]
    if chart.marks:
        odd = say(chart.locale, "charts.unusual")
        points = [[chart.labels[place], _number(sales.values[place])] for place in chart.marks]
        ring = {"color": "transparent", "borderColor": colours.ODD, "borderWidth": 2}
        series.append(
            {"type": "scatter", "name": odd, "data": points, "symbolSize": 13, "itemStyle": ring, "z": 5}
            | {"tooltip": {"show": False}}
        )
        named.append({"name": odd})
    return {
        "tooltip": {"trigger": "axis", "confine": True},
        "legend": {"bottom": 0, "data": named, "selectedMode": False},
        "grid": {"left": 12, "right": 24, "top": 64, "bottom": 36, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": list(chart.labels),
            "axisTick": {"show": False},
            "axisLabel": {"hideOverlap": True},
        },
        "yAxis": {"type": "value", "splitNumber": 4},
        "series": series,
    }


def _line(series: Series, colour: str) -> Option:
    return {
        "type": "line",
        "name": series.name,
        "data": list(map(_number, series.values)),
        "itemStyle": {"color": colour},
        "showSymbol": sum(value is not None for value in series.values) == 1,
        "connectNulls": True,
    }


def _bars(chart: Chart) -> Option:
    (sales,) = chart.series
    bars = [
        _bar(value, shade, share, chart.locale) | {"name": name}
        for name, value, shade, share in zip(
            chart.labels, sales.known.values(), chart.shades, chart.shares, strict=True
        )
    ]
    shown = {"show": True, "position": "right"}
    return {
        "tooltip": {"trigger": "item", "confine": True},
        "grid": {"left": 12, "right": 110, "top": 56, "bottom": 12, "containLabel": True},
        "xAxis": {"type": "value", "axisLabel": {"show": False}, "splitLine": {"show": False}},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": _cut(chart.labels),
            "axisTick": {"show": False},
            "axisLabel": {"interval": 0, "fontSize": _NAME_SIZE, "width": _NAME_PIXELS + 6, "overflow": "truncate"},
        },
        "series": [{"type": "bar", "name": sales.name, "data": bars, "label": shown, "barMaxWidth": 22}],
    }


def _cut(names: Sequence[str]) -> list[str]:
    """Names, too long ones with both their ends; the browser has more scripts than our font, and cuts those."""
    ours = [name for name in names if glyphs.shown(name) == name]
    cut = dict(zip(ours, glyphs.fitted_apart(ours, _NAME_SIZE, _NAME_PIXELS), strict=True))
    return [cut.get(name, name) for name in names]


def _bar(value: Decimal, shade: Shade, share: str, locale: Locale) -> Option:
    """One bar with its label; the rest is only told, for a bar of it would dwarf the others."""
    told = {"formatter": "  ".join(filter(None, (figures.short(value, locale), share)))}
    if shade == "rest":
        return {"value": 0, "label": told, "tooltip": {"show": False}}
    return {"value": _number(value), "itemStyle": {"color": colours.BARS[shade]}, "label": told}


def _pareto(chart: Chart) -> Option:
    """Bars in a series for each class, so that the legend tells the classes."""
    sales, shares = chart.series
    names = dict(chart.key) if chart.key else {}
    stacks = [
        {
            "type": "bar",
            "stack": "classes",
            "name": names.get(shade, sales.name),
            "data": [
                _number(value) if own == shade else None for value, own in zip(sales.values, chart.shades, strict=True)
            ],
            "itemStyle": {"color": colours.BARS[shade]},
            "barMaxWidth": 60,
        }
        for shade in dict.fromkeys([*names, *chart.shades])
    ]
    percent = {"type": "value", "min": 0, "max": 100, "splitLine": {"show": False}}
    labels = {"show": chart.size > 1, "hideOverlap": True}
    return {
        "tooltip": {"trigger": "item", "confine": True},
        "legend": {"bottom": 0, "selectedMode": False, "itemWidth": 14, "itemGap": 8, "textStyle": {"fontSize": 11}},
        "grid": {"left": 12, "right": 12, "top": 64, "bottom": 68, "containLabel": True},
        "xAxis": {"type": "category", "data": list(chart.labels), "axisTick": {"show": False}, "axisLabel": labels},
        "yAxis": [{"type": "value", "splitNumber": 4}, percent],
        "series": [*stacks, _line(shares, colours.EXPECTED) | {"yAxisIndex": 1, "showSymbol": True}],
    }


def _difference(high: Decimal | None, low: Decimal | None) -> Decimal | None:
    return None if high is None or low is None else high - low


def _number(value: Decimal | None) -> float | None:
    """A number as JSON has it: cents where there are, four digits of less than one."""
    if value is None:
        return None
    places = _CENT if abs(value) >= 1 else Decimal(1).scaleb(value.adjusted() - 3)
    rounded = float(value.quantize(places, ROUND_HALF_UP) if value.adjusted() < _WHOLE_DIGITS else value)
    return int(rounded) if rounded.is_integer() and value.adjusted() < _WHOLE_DIGITS else rounded
