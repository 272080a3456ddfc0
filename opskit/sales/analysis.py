"""What an analysis gives."""

from typing import ClassVar

from pydantic import Field

from opskit.model import Exact, Item, Result, Rounded
from opskit.sales.insight import Anomaly, Comparison, Driver, ForecastDay, NewAndLost, Pareto, Refunds, Trend
from opskit.sales.quality import Quality


class Summary(Item):
    """The period in four figures."""

    total_sales: Exact = Field(description="Sum of price × quantity, exact.")
    total_orders: int = Field(description="Number of rows, one order each.")
    total_quantity: Exact = Field(description="Sum of the quantities, exact.")
    average_order_value: Rounded = Field(description="total_sales ÷ total_orders, 2 places.")


class ProductSales(Item):
    """One product in the period."""

    product: str = Field(description="Name as written in the file.")
    sales: Exact = Field(description="Sum of price × quantity, exact.")
    quantity: Exact = Field(description="Sum of the quantities, exact.")
    avg_price: Rounded = Field(description="Mean of the rows' unit prices, 2 places.")


class RegionSales(Item):
    """One region in the period."""

    region: str = Field(description="Name as written in the file.")
    sales: Exact = Field(description="Sum of price × quantity, exact.")
    quantity: Exact = Field(description="Sum of the quantities, exact.")
    percentage: Rounded | None = Field(description="Share of the sales in percent, 2 places; null if these are 0.")


class PriceRangeSales(Item):
    """The rows of the period whose unit price lies in one range, its upper end included."""

    range: str = Field(description="Such as 0-100 or, for the last one, 5000+.")
    sales: Exact = Field(description="Sum of price × quantity, exact.")
    quantity: Exact = Field(description="Sum of the quantities, exact.")


class DataInfo(Item):
    """What the file holds."""

    date_range: str = Field(description="First and last day, or the one day.")
    total_records: int = Field(description="Rows that were counted.")
    unique_products: int = Field(description="Number of different products.")
    unique_regions: int = Field(description="Number of different regions.")


class Analysis(Result):
    """The sales of a period, and what is behind them."""

    said_in_text: ClassVar[frozenset[str]] = frozenset({"report", "digest", "chart_blocks", "progress"})
    streamed: ClassVar[frozenset[str]] = frozenset({"progress"})

    summary: Summary = Field(description="The period in four figures.")
    comparison: list[Comparison] = Field(description="The period against others, the most obvious first.")
    drivers: list[Driver] = Field(
        description="What made the change against drivers_period; those of one dimension add up to it exactly."
    )
    drivers_period: str = Field(
        description="The period of the comparison that drivers explain, the fairest one; empty if there is none."
    )
    top_products: list[ProductSales] = Field(description="The products with the highest sales, at most top_n.")
    region_analysis: list[RegionSales] = Field(description="Every region, highest sales first.")
    price_range_analysis: list[PriceRangeSales] = Field(description="Sales by unit price; ranges without are left out.")
    insights: list[str] = Field(description="Findings in short sentences, most important first.")
    trend: Trend = Field(description="The direction of the last weeks.")
    anomalies: list[Anomaly] = Field(description="Days, products and regions that sold unlike themselves.")
    pareto: Pareto = Field(description="How sales are spread over the products.")
    refunds: Refunds = Field(description="The rows whose sales are below 0.")
    new_and_lost: NewAndLost = Field(description="Products sold for the first time, and products sold no more.")
    forecast: list[ForecastDay] = Field(description="The next seven days; empty if there is too little data.")
    quality: Quality = Field(description="What became of every row of the file.")
    data_info: DataInfo = Field(description="What the file holds.")
    analysis_date: str = Field(description="The last day analysed, YYYY-MM-DD.")
    analysis_period: str = Field(description="The days analysed: YYYY-MM-DD, or the first and last, with / in between.")
    digest: str = Field(description="The report's three lines for the boss, Markdown.")
    chart_blocks: str = Field(description="The charts as blocks for an Answer node; empty if charts is none or png.")
    progress: str = Field(description="What was done, a line each; streamed while it is being done.")
    report: str = Field(description="Markdown made for a phone in a DingTalk group; never a chart.")
