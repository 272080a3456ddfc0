"""One function from a table to an analysis."""

import tempfile
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from opskit.errors import InvalidInput
from opskit.progress import Progress
from opskit.sales import figures, insight
from opskit.sales.analysis import Analysis, DataInfo
from opskit.sales.attachments import Files
from opskit.sales.brief import Options, Thresholds
from opskit.sales.cells import Column, Order
from opskit.sales.charts import echarts
from opskit.sales.insight import Calendar, Period
from opskit.sales.insight.sums import NOTHING, total
from opskit.sales.ledger import Ledger, NotClean, Reading, ledger
from opskit.sales.opening import Caution, Layout, opened
from opskit.sales.pictures import pictures
from opskit.sales.quality import quality
from opskit.sales.report import Report
from opskit.wording import Locale, resolve, say

if TYPE_CHECKING:
    import pandas as pd

_CHINA = timezone(timedelta(hours=8))
_WATCHED = 100  # products and regions that are watched for unusual sales, by their sales in the period


def analyze(
    table: "Path | str | pd.DataFrame",
    options: Options | None = None,
    *,
    today: date | None = None,
    progress: Progress | None = None,
) -> Analysis:
    """The sales of a table: any file that people call one (see ``opening``), or a DataFrame.

    ``today`` is the day on which it is read (default: now in China): a day after tomorrow is a typo, and today's sales
    are not complete. ``progress`` is told what is being done.
    InvalidInput: the file cannot be read, holds no sales, or not those asked for; nothing is ever guessed in silence.
    """
    return examine(table, options, today=today, progress=progress).analysis


def examine(
    table: "Path | str | pd.DataFrame",
    options: Options | None = None,
    *,
    today: date | None = None,
    progress: Progress | None = None,
) -> Files:
    """The same with its charts and files."""
    options, progress = options or Options(), progress or Progress()
    today = today or datetime.now(_CHINA).date()
    with tempfile.TemporaryDirectory(prefix="opskit-") as name:
        folder = Path(name)
        path = Path(table) if isinstance(table, (str, Path)) else _written(table, folder)
        order = None if options.date_order == "auto" else Order(options.date_order)
        periods = partial(_periods, options, today)
        reading = Reading(today, order, options.fill_down, options.range_ends, periods, progress.tell)

        def examined(*, thorough: bool) -> Files:
            layout = opened(path, folder, sheet=options.sheet, mapping=options.column_mapping, thorough=thorough)
            progress.locale = _locale(options, layout)
            progress.tell("opened", format=layout.format, columns=layout.width)
            with ledger(layout, folder, reading) as book:
                return _Examination(layout, book, options, today, progress).files()

        try:
            return examined(thorough=False)
        except NotClean:  # only its head had been looked at
            progress.tell("mending")
            return examined(thorough=True)


def _written(frame: "pd.DataFrame", folder: Path) -> Path:
    """A frame as a file."""
    path = folder / "frame.csv"
    frame.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
    return path


def _focus(options: Options, calendar: Calendar) -> insight.Focus:
    """The days that are asked about."""
    first, last = options.range
    return insight.focus(options.period, calendar, day=options.day, start=first, end=last)


def _periods(options: Options, today: date, days: Iterable[date]) -> list[Period]:
    """These days and those they are compared with, in a file of which only some days are known."""
    known = dict.fromkeys(days, NOTHING)
    if not known:
        return []
    calendar = Calendar(known, today=today)
    try:
        focus = _focus(options, calendar)
    except InvalidInput:  # a day that lies further inside
        return []
    return [focus.period, *(base.period for base in insight.bases(focus, options.compare_with, calendar))]


def _locale(options: Options, layout: Layout) -> Locale:
    """The language asked for, or that of the headings, products and regions."""
    named = [layout.columns.get(Column.PRODUCT), layout.columns.get(Column.REGION)]
    places = [place for place in named if place is not None]
    names = [row[place] for row in layout.sample for place in places if place < len(row)]
    return resolve(options.language, *layout.header, *names)


class _Examination:
    """From the ledger to the files; the order is that of ``insight``."""

    def __init__(self, layout: Layout, book: Ledger, options: Options, today: date, progress: Progress) -> None:
        self._layout, self._book, self._options, self._progress = layout, book, options, progress
        self._locale = progress.locale
        account = book.account
        progress.tell("read", accepted=f"{account.accepted:,}", rejected=f"{account.rejected.total():,}")
        self._calendar = Calendar(book.days(), today=today, feasts=self._locale == "zh_Hans")
        self._focus = _focus(options, self._calendar)
        self._priced = book.products(self._focus.period)
        self._products = {name: sums for name, (sums, _) in self._priced.items()}
        self._regions = book.regions(self._focus.period)
        self._whole = total(self._calendar.days[day] for day in self._calendar.within(self._focus.period))

    def files(self) -> Files:
        """All of it."""
        options, locale, period = self._options, self._locale, self._focus.period
        study = self._study()
        products = figures.by_product(self._priced)
        known = quality(self._book.account, self._layout, self._cautions(), locale)
        ranges = self._book.price_ranges(period)
        report = Report(
            locale=locale,
            kind=self._focus.kind,
            period=period,
            study=study,
            summary=figures.summary(self._whole),
            products=products[: options.top_n],
            regions=figures.by_region(self._regions, self._whole.sales),
            ranges=figures.price_ranges(ranges, options.range_ends),
            forecast=study.forecast.days,
            quality=known,
            own_thresholds=options.thresholds is not None,
            asked_to_compare=options.compare_with != "none",
        )
        span, account = self._calendar.span, self._book.account
        dates = say(locale, "sales.date_range", first=span.first, last=span.last) if span.length > 1 else str(span)
        unique_products, unique_regions = self._book.uniques()
        self._progress.tell("studied", period=period)
        analysis = Analysis(
            summary=report.summary,
            comparison=[one.item(locale) for one in study.compared],
            drivers=[item for drivers in study.drivers for item in drivers.items(locale)],
            drivers_period=str(study.explained.base.period) if study.explained else "",
            top_products=report.products,
            region_analysis=report.regions,
            price_range_analysis=report.ranges,
            insights=report.insights,
            trend=study.trend,
            anomalies=[odd.item(locale) for odd in study.odd],
            pareto=study.pareto,
            refunds=study.refunds,
            new_and_lost=study.movers,
            forecast=list(report.forecast),
            quality=known,
            data_info=DataInfo(
                date_range=dates,
                total_records=account.accepted,
                unique_products=unique_products,
                unique_regions=unique_regions,
            ),
            analysis_date=period.last.isoformat(),
            analysis_period=str(period),
            digest="\n\n".join(report.digest),
            chart_blocks="",
            progress=self._progress.text,
            report=report.markdown(),
        )
        drawn = pictures(analysis, self._calendar, period, products, locale)
        if options.charts in {"echarts", "both"}:
            analysis = analysis.model_copy(update={"chart_blocks": "\n\n".join(map(echarts, drawn))})
        return Files(options, analysis, report, drawn, products, self._calendar.days)

    def _study(self) -> insight.Study:
        options, calendar, focus = self._options, self._calendar, self._focus
        compared = insight.compare(focus, insight.bases(focus, options.compare_with, calendar), calendar)
        explained = insight.fairest(compared)
        measure = (options.thresholds or Thresholds()).settled
        return insight.Study(
            level=insight.Level(
                whole=self._whole,
                days=len(calendar.within(focus.period)),
                products={name: sums.sales for name, sums in self._products.items()},
                regions={name: sums.sales for name, sums in self._regions.items()},
                measure=insight.Measure(measure.excellent, measure.good, measure.high_order),
            ),
            flaws=insight.flaws(focus, calendar),
            compared=compared,
            explained=explained,
            drivers=self._drivers(explained.base.period) if explained else [],
            odd=self._odd(),
            refunds=self._refunds(),
            trend=insight.trend(calendar, focus.period.last),
            movers=insight.new_and_lost(self._book.lives(focus.period.last), focus, calendar, top=options.top_n),
            pareto=insight.pareto(sums.sales for sums in self._products.values()),
            forecast=insight.forecast(calendar, focus.period.last),
        )

    def _drivers(self, before: Period) -> list[insight.Drivers]:
        top = self._options.top_n
        earlier = {name: sums for name, (sums, _) in self._book.products(before).items()}
        found = [insight.product_drivers(earlier, self._products, top=top)]
        if Column.REGION in self._layout.columns:
            found.append(insight.region_drivers(*self._book.regions_and_products(before, self._focus.period), top=top))
        return found

    def _odd(self) -> list[insight.Odd]:
        focus, calendar, top = self._focus, self._calendar, self._options.top_n
        last = focus.period.last
        history = insight.history(last, calendar)
        found = insight.odd_days(focus, calendar, self._book.refunds_by_day(), top=top)
        for label in ("product", "region"):
            sold = self._book.daily(label, history, most=_WATCHED)
            found += insight.odd_names(label, sold, focus, calendar, top=top)
        return found

    def _refunds(self) -> insight.Refunds:
        period, span = self._focus.period, self._calendar.span
        earlier = None
        if span.first < period.first:
            before = Period(span.first, period.first - timedelta(1))
            net = total(self._calendar.days[day] for day in self._calendar.within(before)).sales
            earlier = total(self._book.refunds(before).values()).sales, net
        return insight.refunds(self._book.refunds(period), self._whole.sales, earlier=earlier, top=self._options.top_n)

    def _cautions(self) -> list[Caution]:
        """What the figures themselves tell."""
        sums = [self._whole, *self._products.values()]
        found = [Caution("zero_total")] if not self._whole.sales else []
        if figures.too_long(value for one in sums for value in (one.sales, one.quantity)):
            found.append(Caution("sums_rounded"))
        return found
