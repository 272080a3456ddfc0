"""One function from a table to an analysis."""

from decimal import MAX_EMAX, MIN_EMIN, Context, localcontext
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from opskit.sales.brief import Analysis, DataInfo
from opskit.sales.figures import Day
from opskit.sales.reading import Reading
from opskit.sales.report import Report
from opskit.wording import Language, resolve

if TYPE_CHECKING:
    import pandas as pd

# Room for the exact product of two 60-digit cells and a billion of them added up.
_EXACT = Context(prec=150, Emax=MAX_EMAX, Emin=MIN_EMIN)
_SAMPLES = 50


def analyze(table: "Path | pd.DataFrame", *, language: Language = "auto") -> Analysis:
    """The latest day of ``table``: a clean UTF-8 CSV with Date, Product, Price, Amount and Region, or such a frame.

    InvalidInput: ``empty_file``, ``not_utf8``, ``not_a_table``, ``missing_columns``, ``no_rows``,
    ``no_valid_dates``, or a sum with more than 15 significant digits.
    """
    with localcontext(_EXACT):
        return _analysis(Reading(table), language)


def _analysis(reading: Reading, language: Language) -> Analysis:
    rows = iter(reading)
    head = next(rows)  # a reading without rows is refused
    first, last, records = head.day, Day(head.day), 0
    products: set[str] = set()
    regions: set[str] = set()
    for row in chain([head], rows):
        if row.day > last.date:
            last = Day(row.day)
        if row.day == last.date:
            last.add(row)
        first = min(first, row.day)
        records += 1
        products.add(row.product)
        regions.add(row.region)
    report = Report(
        locale=resolve(language, *list(last.by_product)[:_SAMPLES], *list(last.by_region)[:_SAMPLES]),
        day=last.date,
        first_day=first,
        summary=last.summary(),
        products=last.top_products(),
        regions=last.regions(),
        reading=reading,
    )
    return Analysis(
        summary=report.summary,
        top_products=report.products,
        region_analysis=report.regions,
        price_range_analysis=last.price_ranges(),
        insights=report.insights(),
        data_info=DataInfo(
            date_range=report.date_range(),
            total_records=records,
            unique_products=len(products),
            unique_regions=len(regions),
        ),
        analysis_date=last.date.isoformat(),
        report=report.markdown(),
    )
