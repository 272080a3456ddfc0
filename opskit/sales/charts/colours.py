"""Colours that stay apart for the colour-blind, after Okabe and Ito (Color Universal Design, 2008).

Blue for what was, orange for what is expected, vermilion and a shape of its own for what is odd; the classes of
products go from dark to light, so that grey shows them too.
"""

from opskit.sales.charts.chart import Shade

PAPER = "#FFFFFF"
INK = "#1F2A37"
FAINT_INK = "#5B6673"
GRID = "#E3E8EE"
AXIS = "#9AA5B1"
TRACK = "#F1F4F8"
SALES = "#2B6CB0"
EXPECTED = "#D9822B"
BAND = "#FBE9D2"
ODD = "#C4471B"
BARS: dict[Shade, str] = {
    "plain": SALES,
    "below": ODD,
    "rest": "#A9B4C0",
    "a": "#1D4E89",
    "b": "#6FA8DC",
    "c": "#C6D3E1",
}
