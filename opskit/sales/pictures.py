"""The four charts of an analysis."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from opskit.sales import charts
from opskit.sales.analysis import Analysis, ProductSales
from opskit.sales.charts import Chart
from opskit.sales.insight import Calendar, Period
from opskit.wording import Locale


def pictures(
    analysis: Analysis, calendar: Calendar, period: Period, products: Sequence[ProductSales], locale: Locale
) -> tuple[Chart, ...]:
    """Trend, products, regions and Pareto, in the order in which their files are given.

    The trend shows the file up to the end of the period; ``products`` are all that sold in the period.
    """
    total, note = analysis.summary.total_sales, str(period)
    classes = [(one.name, one.products, one.sales_percent) for one in analysis.pareto.classes]
    named = bool(analysis.quality.columns.region)  # without such a column all sales are in a region without a name
    regions = [(one.region, one.sales) for one in analysis.region_analysis if named]
    return (
        charts.trend(
            [(day, sums.sales) for day, sums in calendar.days.items() if day <= period.last],
            locale=locale,
            forecast=[
                (date.fromisoformat(day.date), day.sales, day.low, day.high)
                for day in analysis.forecast
                if day.low or day.high  # as before, the line goes past a day on which the shop is closed
            ],
            unusual={date.fromisoformat(one.when) for one in analysis.anomalies if one.what == "total"},
        ),
        charts.products(_named(analysis.top_products), locale=locale, total=total, note=note),
        charts.regions(regions, locale=locale, note=note),
        charts.pareto(_named(products), locale=locale, classes=classes, note=note),
    )


def _named(products: Sequence[ProductSales]) -> list[tuple[str, Decimal]]:
    return [(one.product, one.sales) for one in products]
