"""Charts of sales: one description, drawn by Dify's chat (``echarts``) and as a picture (``svg``, ``png``).

``trend``, ``products``, ``regions`` and ``pareto`` describe them from plain lists.
"""

from opskit.sales.charts.chart import Band, Chart, Series
from opskit.sales.charts.echarts import echarts
from opskit.sales.charts.kinds import pareto, products, regions, trend
from opskit.sales.charts.png import png
from opskit.sales.charts.svg import svg

__all__ = ["Band", "Chart", "Series", "echarts", "pareto", "png", "products", "regions", "svg", "trend"]
