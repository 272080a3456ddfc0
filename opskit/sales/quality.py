"""What became of every row, and what the reader must know about the file."""

from pydantic import Field

from opskit.model import Exact, Item
from opskit.sales.cells import Column
from opskit.sales.ledger import REASONS, Account
from opskit.sales.opening import Caution, Layout
from opskit.sales.plain import plain
from opskit.wording import Locale, say


class Example(Item):
    """A row that was not counted."""

    line: int = Field(description="Line or spreadsheet row in the file, from 1.")
    reason: str = Field(description="Why it was not counted.")
    text: str = Field(description="Its cells, shortened to 200 characters.")


class Columns(Item):
    """Which heading was read as what; a column's number where the file has no headings, empty where there is none."""

    date: str = Field(description="The day of the sale.")
    product: str = Field(description="The product.")
    price: str = Field(description="The unit price.")
    amount: str = Field(description="The quantity.")
    region: str = Field(description="The region.")
    total: str = Field(description="The line total.")


class Warned(Item):
    """Something that the reader of the figures must know."""

    code: str = Field(description="Such as ambiguous_dates, mixed_currency or encoding_errors.")
    message: str = Field(description="The same in words.")


class Quality(Item):
    """Every row of the file is accepted, or rejected with one reason."""

    accepted_rows: int = Field(description="Rows that were counted.")
    rejected_rows: int = Field(description="Rows that were not counted.")
    rejected_by_reason: dict[str, int] = Field(
        description="Their number by reason: blank, total_row, repeated_header, note, bad_date, future_date, "
        "bad_price, bad_amount, field_count or currency_mismatch."
    )
    examples: list[Example] = Field(description="The first of them, at most 5 of each reason.")
    rejected_money: Exact = Field(
        description="How much money the rejected rows may have held, where it can be read; totals and notes aside."
    )
    duplicate_rows: int = Field(description="Rows that repeat an earlier one cell for cell; they are counted.")
    refund_rows: int = Field(description="Counted rows whose sales are below 0.")
    encoding: str = Field(description="Such as utf-8 or gb18030; empty for spreadsheets.")
    delimiter: str = Field(description="The character between two cells; empty for spreadsheets.")
    header_row: int = Field(description="Line of the headings, from 0; -1 where there are none.")
    columns: Columns = Field(description="Which heading was read as what.")
    currency: str = Field(description="ISO 4217 code of the sums; empty where the file names none.")
    warnings: list[Warned] = Field(description="What the reader of the figures must know.")


def quality(account: Account, layout: Layout, cautions: list[Caution], locale: Locale) -> Quality:
    """The account of a table, with all that is to be known about it; ``cautions`` are those of the figures."""
    by_count = {reason: (-account.rejected[reason], place) for place, reason in enumerate(REASONS)}.__getitem__
    told = [*layout.warnings, *(Caution(code, blanks) for code, blanks in account.cautions), *cautions]
    return Quality(
        accepted_rows=account.accepted,
        rejected_rows=account.rejected.total(),
        rejected_by_reason={reason: account.rejected[reason] for reason in sorted(account.rejected, key=by_count)},
        examples=[Example(line=one.line, reason=one.reason, text=one.text) for one in account.examples],
        rejected_money=account.money,
        duplicate_rows=account.duplicates,
        refund_rows=account.refunds,
        encoding=layout.encoding,
        delimiter=layout.source_delimiter,
        header_row=layout.header_row,
        columns=Columns(**{name: _heading(layout, Column(name)) for name in Columns.model_fields}),
        currency=account.currency,
        warnings=[Warned(code=one.code, message=_worded(one, locale)) for one in told],
    )


def _worded(caution: Caution, locale: Locale) -> str:
    """The sentence, with what the file says in it as harmless text."""
    blanks = {name: plain(blank) if isinstance(blank, str) else blank for name, blank in caution.blanks.items()}
    count = caution.blanks.get("count")
    if caution.code == "mixed_currency" and not count:  # nobody knows what the rows without a mark are in
        return say(locale, "quality.mixed_currency_perhaps", **blanks)
    if isinstance(count, int):
        blanks["count"] = f"{count:,}"
    return say(locale, f"quality.{caution.code}", **blanks)


def _heading(layout: Layout, column: Column) -> str:
    place = layout.columns.get(column)
    if place is None:
        return ""
    return layout.header[place] if layout.header else str(place + 1)
