"""What an analysis takes and gives."""

from typing import Self

from pydantic import Field, model_validator

from opskit.errors import InvalidInput
from opskit.model import Exact, FileParameter, Item, Params, Result, Rounded

MAX_CSV_TEXT = 1_000_000  # bytes; beyond it a file is the way, and an agent's model would be paying for each of them


class Brief(Params):
    """Which sales to analyse: exactly one of ``file`` and ``csv_text``."""

    file: FileParameter | None = None
    csv_text: str = ""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.file and self.csv_text:
            raise InvalidInput("several_sources", names="file, csv_text")
        if not self.file and not self.csv_text:
            raise InvalidInput("no_source", names="file, csv_text")
        if len(self.csv_text.encode("utf-8", "replace")) > MAX_CSV_TEXT:
            raise InvalidInput("csv_text_too_large", limit_mb=MAX_CSV_TEXT // 1_000_000)
        return self


class Summary(Item):
    """The latest day in four figures."""

    total_sales: Exact = Field(description="Sum of price × quantity, exact.")
    total_orders: int = Field(description="Number of rows, one order each.")
    total_quantity: Exact = Field(description="Sum of the quantities, exact.")
    average_order_value: Rounded = Field(description="total_sales ÷ total_orders, 2 places.")


class ProductSales(Item):
    """One product on the latest day."""

    product: str = Field(description="Name as written in the file.")
    sales: Exact = Field(description="Sum of price × quantity, exact.")
    quantity: Exact = Field(description="Sum of the quantities, exact.")
    avg_price: Rounded = Field(description="Mean of the rows' unit prices, 2 places.")


class RegionSales(Item):
    """One region on the latest day."""

    region: str = Field(description="Name as written in the file.")
    sales: Exact = Field(description="Sum of price × quantity, exact.")
    quantity: Exact = Field(description="Sum of the quantities, exact.")
    percentage: Rounded | None = Field(description="Share of the day's sales in percent, 2 places; null if they are 0.")


class PriceRangeSales(Item):
    """The rows of the latest day whose unit price lies in one range, its upper end included."""

    range: str = Field(description="0-100, 100-500, 500-1000, 1000-5000 or 5000+.")
    sales: Exact = Field(description="Sum of price × quantity, exact.")
    quantity: Exact = Field(description="Sum of the quantities, exact.")


class DataInfo(Item):
    """What the file holds, all days together."""

    date_range: str = Field(description="First and last day, or the one day.")
    total_records: int = Field(description="Rows that were counted.")
    unique_products: int = Field(description="Number of different products.")
    unique_regions: int = Field(description="Number of different regions.")


class Analysis(Result):
    """The latest day's sales."""

    summary: Summary = Field(description="The latest day in four figures.")
    top_products: list[ProductSales] = Field(description="The five products with the highest sales.")
    region_analysis: list[RegionSales] = Field(description="Every region, highest sales first.")
    price_range_analysis: list[PriceRangeSales] = Field(description="Sales by unit price; ranges without are left out.")
    insights: list[str] = Field(description="Findings, most important first.")
    data_info: DataInfo = Field(description="What the file holds.")
    analysis_date: str = Field(description="The day analysed, YYYY-MM-DD.")
    report: str = Field(description="Markdown made for a DingTalk group.")
