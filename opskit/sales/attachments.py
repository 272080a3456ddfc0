"""The files of an analysis: pictures, then what was asked for to be handed on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from opskit.model import Attachment
from opskit.sales.analysis import Analysis, ProductSales
from opskit.sales.brief import Options
from opskit.sales.charts import Chart, png
from opskit.sales.exports import Cell, Document, Figure, Heading, Kind, Table, book, page
from opskit.sales.figures import told_share
from opskit.sales.insight import Days
from opskit.sales.plain import money, number
from opskit.sales.report import Report
from opskit.wording import say

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Files:
    """What the files are made of. ``products`` are all of the period, ``days`` all of the table."""

    options: Options
    analysis: Analysis
    report: Report
    charts: tuple[Chart, ...]
    products: list[ProductSales]
    days: Days

    def attachments(self) -> Iterator[Attachment]:
        """The pictures trend, products, regions and pareto, then the exports; each is made when it is asked for."""
        if self.options.charts in {"png", "both"}:
            for chart in self.charts:
                yield Attachment(f"{chart.kind}.png", "image/png", partial(png, chart))
        makers: Mapping[str, tuple[str, str, Callable[[], bytes]]] = {
            "markdown": ("report.md", "text/markdown", self._markdown),
            "html": ("report.html", "text/html", self._page),
            "xlsx": ("report.xlsx", _XLSX, self._book),
        }
        for export in self.options.exports:
            yield Attachment(*makers[export])

    def _markdown(self) -> bytes:
        return self.analysis.report.encode()

    def _page(self) -> bytes:
        return page(self._document(self.analysis.top_products, pictures=True))

    def _book(self) -> bytes:
        return book(self._document(self.products, pictures=False))

    def _document(self, products: list[ProductSales], *, pictures: bool) -> Document:
        summary, currency = self.analysis.summary, self.analysis.quality.currency
        return Document(
            locale=self.report.locale,
            title=self.report.title,
            lines=tuple(line.replace("**", "") for line in self.report.digest),
            figures=(
                Figure(self._word("sales"), money(summary.total_sales, currency)),
                Figure(self._word("orders"), f"{summary.total_orders:,}"),
                Figure(self._word("quantity"), number(summary.total_quantity)),
                Figure(self._word("average"), money(summary.average_order_value, currency)),
            ),
            findings=tuple(self.analysis.insights),
            pictures=tuple((chart.title, png(chart)) for chart in self.charts) if pictures else (),
            tables=tuple(table for table in self._tables(products) if table.rows),
            quality=self.report.data(),
        )

    def _tables(self, products: list[ProductSales]) -> Iterator[Table]:
        found = self.analysis
        sums: dict[str, Kind] = {"sales": "money", "quantity": "quantity"}
        yield self._table(
            "products",
            {"product": "text", **sums, "avg_price": "money"},
            [(one.product, one.sales, one.quantity, one.avg_price) for one in products],
        )
        yield self._table(
            "regions",
            {"region": "text", **sums, "share": "percent"},
            [
                (one.region, one.sales, one.quantity, told_share(one, found.summary))
                for one in found.region_analysis
                if found.quality.columns.region
            ],
        )
        yield self._table(
            "ranges",
            {"range": "text", **sums},
            [(one.range, one.sales, one.quantity) for one in found.price_range_analysis],
        )
        yield self._table(
            "comparison",
            {"period": "text", "sales": "money", "change": "money", "change_percent": "percent", "note": "text"},
            [(one.period, one.sales, one.change, one.change_percent, one.note) for one in found.comparison],
        )
        yield self._table(
            "drivers",
            {"of": "text", "name": "text", "change": "money", "price": "money", "volume": "money", "mix": "money"},
            [
                (
                    self._word(one.dimension),
                    one.name,
                    one.contribution,
                    one.price_effect,
                    one.volume_effect,
                    one.mix_effect,
                )
                for one in found.drivers
            ],
        )
        yield self._table(
            "anomalies",
            {"day": "date", "of": "text", "name": "text", "sales": "money", "expected": "money", "reason": "text"},
            [
                (date.fromisoformat(one.when), *self._subject(one.what), one.value, one.expected, one.reason)
                for one in found.anomalies
            ],
        )
        yield self._table(
            "forecast",
            {"day": "date", "sales": "money", "low": "money", "high": "money"},
            [(date.fromisoformat(one.date), one.sales, one.low, one.high) for one in found.forecast],
        )
        yield self._table(
            "days",
            {"day": "date", "orders": "count", **sums},
            [(day, one.rows, one.sales, one.quantity) for day, one in sorted(self.days.items(), reverse=True)],
        )
        yield self._table(
            "rejected",
            {"line": "count", "reason": "text", "cells": "text"},
            [
                (one.line, say(self.report.locale, f"sales.reason_{one.reason}"), one.text)
                for one in found.quality.examples
            ],
        )

    def _subject(self, what: str) -> tuple[str, str]:
        """``product:NAME`` as its kind and its name, ``total`` as all sales."""
        kind, _, name = what.partition(":")
        return self._word("sales" if kind == "total" else kind), name

    def _table(self, name: str, headings: dict[str, Kind], rows: Sequence[tuple[Cell, ...]]) -> Table:
        title = self._word(f"table_{name}")
        return Table(title, title, tuple(Heading(self._word(key), kind) for key, kind in headings.items()), rows)

    def _word(self, key: str) -> str:
        return say(self.report.locale, f"tables.{key}")
