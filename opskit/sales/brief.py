"""What an analysis is asked for."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from opskit.errors import InvalidInput
from opskit.model import AS_TEXT, STRUCTURED, FileParameter, Line, Listed, Params
from opskit.sales import cells

MAX_CSV_TEXT = 1_000_000  # bytes; beyond it a file is the way, and an agent's model would be paying for each of them
LATEST = "latest"

type Export = Literal["markdown", "html", "xlsx"]
EXPORTS: tuple[Export, ...] = ("markdown", "html", "xlsx")
_ENDLESS = Decimal(10**12)  # beyond any price
_LATEST_NAMES = {"", LATEST, "最新", "最近"}
_RANGE_ENDS = tuple(Decimal(end) for end in (100, 500, 1000, 5000))  # the reference service's price ranges


class Thresholds(BaseModel):
    """Above what a day is good or excellent, and an average order high, in the file's currency."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    excellent: Decimal = Decimal(100_000)
    good: Decimal = Decimal(50_000)
    high_order: Decimal = Decimal(1_000)

    @model_validator(mode="after")
    def _excellent_is_good(self) -> Self:
        if {"excellent", "good"} <= self.model_fields_set and self.excellent < self.good:
            raise InvalidInput("not_thresholds", excellent=f"{self.excellent:f}", good=f"{self.good:f}")
        return self

    @property
    def settled(self) -> Self:
        """The same, where one that was not given yields to the one that was: no day is excellent and not good."""
        ours = {"excellent": max(self.excellent, self.good), "good": min(self.excellent, self.good)}
        return self.model_copy(update={name: ours[name] for name in ours.keys() - self.model_fields_set})


def _day(text: str) -> str:
    """A day as people write it, year first, in ISO 8601; "latest" stays."""
    if text.strip().casefold() in _LATEST_NAMES:
        return LATEST
    if day := cells.day(text, order=cells.Order.YMD):
        return day.isoformat()
    raise InvalidInput("not_a_day", value=text)


def _range_ends(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Numbers above 0, each larger than the one before; a first 0 is understood."""
    numbers = [cells.number(text) for text in texts]
    ends = [number.value for number in numbers if number]
    if ends[:1] == [0]:
        del ends[0]
    if None in numbers or not all(one < other for one, other in pairwise([Decimal(0), *ends, _ENDLESS])):
        raise InvalidInput("not_price_bins", value=", ".join(texts))
    return tuple(f"{end.normalize():f}" for end in ends)


def _known_exports(names: tuple[str, ...]) -> tuple[str, ...]:
    """The files that are wanted, in the order in which they are given."""
    wanted = {name.casefold() for name in names} - {"none"}
    if unknown := sorted(wanted.difference(EXPORTS)):
        raise InvalidInput("not_an_option", name="exports", value=", ".join(unknown), options=", ".join(EXPORTS))
    return tuple(name for name in EXPORTS if name in wanted)


def _as_texts(value: object) -> object:
    """A column may be given by its number; null is none."""
    return {key: str(name) for key, name in value.items() if name is not None} if isinstance(value, Mapping) else value


class Options(Params):
    """How a table of sales is read, and what is to be said about it."""

    date: Annotated[str, AfterValidator(_day)] = LATEST
    period: Literal["day", "week", "month", "range"] = "day"
    start: Annotated[Line, AfterValidator(_day)] = ""
    end: Annotated[Line, AfterValidator(_day)] = ""
    compare_with: Literal["none", "auto", "previous", "last_week", "last_month", "last_year"] = "auto"
    top_n: int = Field(default=5, ge=1, le=50)
    price_bins: Annotated[Listed, AfterValidator(_range_ends)] = ()
    thresholds: Annotated[Thresholds | None, STRUCTURED, AS_TEXT] = None
    column_mapping: Annotated[dict[str, str] | None, BeforeValidator(_as_texts), STRUCTURED, AS_TEXT] = None
    date_order: Literal["auto", "dmy", "mdy", "ymd"] = "auto"
    fill_down: bool = False
    sheet: Line = ""
    charts: Literal["none", "echarts", "png", "both"] = "echarts"
    exports: Annotated[Listed, AfterValidator(_known_exports)] = ()

    @model_validator(mode="after")
    def _ends_of_a_range(self) -> Self:
        if self.period != "range" and (self.start or self.end):
            raise InvalidInput("range_only", period=self.period)
        return self

    @property
    def day(self) -> dt.date | None:
        """The day asked for; None is the file's last."""
        return _chosen(self.date)

    @property
    def range(self) -> tuple[dt.date | None, dt.date | None]:
        """The first and the last day of a range; None is the file's. Without an end, ``date`` is the last day."""
        return _chosen(self.start), _chosen(self.end) or self.day

    @property
    def range_ends(self) -> tuple[Decimal, ...]:
        """The upper ends of the price ranges, included; the range after the last one has none."""
        return tuple(map(Decimal, self.price_bins)) or _RANGE_ENDS


def _chosen(text: str) -> dt.date | None:
    return None if text in _LATEST_NAMES else dt.date.fromisoformat(text)


class Brief(Options):
    """Which sales to analyse: exactly one of ``file``, ``csv_text`` and ``file_url``."""

    file: FileParameter | None = None
    csv_text: str = ""
    file_url: Line = ""
    max_mb: int = Field(default=200, ge=1, le=2000)
    allow_private: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("file", "csv_text", "file_url") if getattr(self, name)]
        if len(given) > 1:
            raise InvalidInput("several_sources", names=", ".join(given))
        if not given:
            raise InvalidInput("no_source", names="file, csv_text, file_url")
        if len(self.csv_text.encode("utf-8", "replace")) > MAX_CSV_TEXT:
            raise InvalidInput("csv_text_too_large", limit_mb=MAX_CSV_TEXT // 1_000_000)
        return self
