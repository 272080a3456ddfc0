"""One function from a table to an analysis."""

from decimal import MAX_EMAX, MIN_EMIN, Context, localcontext
from pathlib import Path
from typing import TYPE_CHECKING

from opskit.sales import figures
from opskit.sales.brief import Analysis, DataInfo
from opskit.sales.reading import Rows, read
from opskit.sales.report import Report
from opskit.wording import Language, resolve

if TYPE_CHECKING:
    import pandas as pd

# Room for the exact product of two 60-digit cells and a billion of them added up.
_EXACT = Context(prec=150, Emax=MAX_EMAX, Emin=MIN_EMIN)
_SAMPLE_ROWS = 50


def analyze(table: "Path | pd.DataFrame", *, language: Language = "auto") -> Analysis:
    """The latest day of ``table``: a clean UTF-8 CSV with Date, Product, Price, Amount and Region, or such a frame.

    InvalidInput: ``empty_file``, ``not_utf8``, ``not_a_table``, ``missing_columns``, ``no_rows``,
    ``no_valid_dates``, or a sum with more than 15 significant digits.
    """
    with localcontext(_EXACT):
        rows = read(table)
        return _analysis(rows, language)


def _analysis(rows: Rows, language: Language) -> Analysis:
    frame = rows.frame
    first, last = min(frame["date"]), max(frame["date"])
    day = frame[frame["date"] == last]
    report = Report(
        locale=resolve(language, *frame["product"].head(_SAMPLE_ROWS), *frame["region"].head(_SAMPLE_ROWS)),
        day=last,
        first_day=first,
        summary=figures.summary(day),
        products=figures.top_products(day),
        regions=figures.regions(day),
        rejected=rows,
    )
    return Analysis(
        summary=report.summary,
        top_products=report.products,
        region_analysis=report.regions,
        price_range_analysis=figures.price_ranges(day),
        insights=report.insights(),
        data_info=DataInfo(
            date_range=report.date_range(),
            total_records=len(frame),
            unique_products=frame["product"].nunique(),
            unique_regions=frame["region"].nunique(),
        ),
        analysis_date=last.isoformat(),
        report=report.markdown(),
    )
