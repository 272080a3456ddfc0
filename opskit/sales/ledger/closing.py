"""The last word on the rows that were judged one by one, the sums of all that are accepted, and the account."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from opskit.errors import InvalidInput
from opskit.sales.cells import Column
from opskit.sales.ledger import beside, hazards, judging, questions, sql
from opskit.sales.ledger.asking import Asking
from opskit.sales.ledger.joining import Joined, Joiner
from opskit.sales.ledger.quality import Account, Example
from opskit.sales.ledger.sieve import Sieve
from opskit.sales.opening import Layout
from opskit.sales.opening.text import BREAK

_EXAMPLES = 5  # of each reason
_TEXT_CHARS = 200
_BATCH = 20_000
_NOTHING_READ = {"bad_price", "bad_amount", "field_count", "future_date", "currency_mismatch"}


def closed(ask: Asking, layout: Layout, sieve: Sieve) -> Account:
    """The account of a sifted table, and its sums in ``by_product`` and ``by_region``.

    InvalidInput: ``no_rows``, ``no_valid_dates``.
    """
    account = sieve.account
    if layout.source_delimiter == "," and not sieve.shape.commas:
        _join(ask, layout, sieve)
    _settle_currency(ask, sieve)
    for statement in questions.sums(sieve.shape, judged=sieve.some_odd):
        ask.run(statement)
    _account(ask, layout, sieve)
    if not account.accepted:
        raise _refusal(layout, account)
    for each in (beside, hazards):
        each.tell(ask, layout, sieve.shape, account)
    return account


def _join(ask: Asking, layout: Layout, sieve: Sieve) -> None:
    """Read the rows in which a thousand's comma parted cells; what is only possible is rejected."""
    numbers = {role: sieve.numbers(role) for role in sieve.shape.numbers}
    joiner = Joiner(layout.columns, layout.width, sieve.days, numbers, sieve.strangers.numbered_regions)
    trusted = None
    for rows in _rows(ask, sieve, judging.SURPLUS_LINES):
        found = {line: joiner.readings(row, short=False) for line, row in rows}
        chosen = {line: joined for line in found if (joined := joiner.chosen(found[line]))}
        trusted = _are_thousands(joiner, [row for _, row in rows], len(chosen)) if trusted is None else trusted
        chosen = chosen if trusted else {}
        ask.update(judging.JOINED, ((line, *row) for line, row in chosen.items()))
        doubtful = ((line, _most(several)) for line, several in found.items() if several and line not in chosen)
        ask.update(judging.DOUBTFUL, doubtful)
    if Column.REGION in sieve.shape.strange:
        for rows in _rows(ask, sieve, judging.SHIFTED_LINES):
            found = {line: joiner.readings(row, short=True) for line, row in rows}
            shifted = {line for line, row in rows if found[line] or sieve.strangers.is_shifted(row)}
            ask.update(judging.DOUBTFUL, ((line, _most(found[line])) for line in sorted(shifted)))


def _are_thousands(joiner: Joiner, rows: list[list[str]], chosen: int) -> bool:
    """Whether the surplus commas are those of thousands, as ``chosen`` of the first rows can be read only so.

    Where most cannot, or as well with the comma of a decimal, their commas are others.
    """
    return chosen * 2 >= len(rows) and sum(map(joiner.is_decimal, rows)) * 2 <= chosen


def _rows(ask: Asking, sieve: Sieve, query: str) -> Iterator[list[tuple[int, list[str]]]]:
    """The odd rows that a query gives the lines of, in parts."""
    last = 0
    while lines := [line for (line,) in ask.all(query, [last, _BATCH])]:
        last = lines[-1]
        yield ask.all(judging.cells_of(sieve.shape), [lines])


def _most(found: list[Joined]) -> Decimal | None:
    """What a row may have held at most; None where nothing better is known than what it says."""
    return max((row.sales for row in found), key=abs, default=None)


def _settle_currency(ask: Asking, sieve: Sieve) -> None:
    """Find the currency of most rows, and reject those in another one. Rows without a mark are in that of the table."""
    sieve.account.currency = sieve.told_currency
    if not (sieve.some_odd or sieve.main):
        return
    column = Counter(dict(ask.all(sql.CUBE_CODES)))
    [(plain,)] = ask.all(judging.PLAIN)
    marks = Counter({code: rows - ask.all(judging.MARKED_ODD, [code])[0][0] for code, rows in sieve.marks.items()})
    unmarked = max(plain - column.total() - marks.total(), 0)
    votes = column + marks
    codes = set(votes)
    for low, high, rows in ask.all(judging.CODES):
        votes[low] += rows
        codes |= {low, high}
    unmarked += votes.pop("", 0)
    codes.discard("")
    if not codes:
        return
    home = sieve.home
    if home:
        votes[home] += unmarked
    main = sieve.main or min(votes, key=lambda code: (-votes[code], code))
    sieve.account.currency = main
    if codes != {main}:
        [(count,)] = ask.all(judging.REJECT_CODES, [main])
        held = ", ".join(f"{code} {sales:,.2f}" for code, sales in ask.all(questions.FOREIGN, [main]))
        sieve.account.warn("mixed_currency", used=main, count=count, held=held)
    elif unmarked and home != main:
        sieve.account.warn("mixed_currency", used=main, count=0, held="–")
        sieve.account.warn("unmarked_currency", used=main, count=unmarked)


def _account(ask: Asking, layout: Layout, sieve: Sieve) -> None:
    account = sieve.account
    lines: list[tuple[int, str]] = []
    for reason, rows, first, money in ask.all(questions.REJECTED, [_EXAMPLES]):
        account.rejected[reason] = rows
        account.money += Decimal(money)
        lines += ((line, reason) for line in first)
    texts = dict(ask.all(judging.cells_of(sieve.shape), [[line for line, _ in lines]])) if lines else {}
    if sieve.cut:
        account.rejected["note"] += sieve.cut
        for line, row in ask.all(judging.cut_rows(sieve.shape), [_EXAMPLES]):
            lines.append((line, "note"))
            texts[line] = row
    lines = _first(lines)
    places = _places(ask, layout, sieve, [line for line, _ in lines])
    account.examples = [Example(places[line], reason, _shown(texts[line])) for line, reason in lines]
    [(account.accepted, account.refunds, account.differing, blank_products)] = ask.all(questions.ACCEPTED)
    account.duplicates = _duplicates(ask, sieve)
    [(blank_regions,)] = ask.all(questions.BLANK_REGIONS)
    [(undated,)] = ask.all(judging.UNDATED)
    [(twice,)] = ask.all(questions.TWICE_NEGATIVE) if Column.PRICE in layout.columns else [(0,)]
    counts = {
        "future_dates": account.rejected["future_date"],
        "field_count": account.rejected["field_count"],
        "duplicate_rows": account.duplicates,
        "blank_product": blank_products,
        "blank_region": blank_regions if Column.REGION in layout.columns else 0,
        "total_differs": account.differing,
        "undated_rows": undated,
        "double_minus": twice,
    }
    for code, count in counts.items():
        if count:
            account.warn(code, count=count)
    if sieve.cut:
        first = next(iter(_places(ask, layout, sieve, [sieve.shape.cuts[0][0]]).values()))
        account.warn("appended_table", line=first, count=sieve.cut)


def _first(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The first examples of each reason, in the order of the file."""
    seen: Counter[str] = Counter()
    found = []
    for line, reason in sorted(lines):
        seen[reason] += 1
        if seen[reason] <= _EXAMPLES:
            found.append((line, reason))
    return found


def _shown(row: list[str]) -> str:
    """The cells of a row in one text, without what stands for cells that are not there."""
    while row and not row[-1]:
        row = row[:-1]
    return ", ".join(row).replace(BREAK, "\n")[:_TEXT_CHARS]


def _places(ask: Asking, layout: Layout, sieve: Sieve, lines: list[int]) -> dict[int, int]:
    """The lines in the user's file of records of ours: there blank lines and line breaks within cells count too."""
    above = layout.first_line - 1
    shifted = (
        lines and layout.format == "csv" and (sieve.blank_lines or (layout.complete and ask.all(sql.BREAKS)[0][0]))
    )
    if not shifted:
        return {line: above + line for line in lines}
    return {line: above + place for line, place in ask.all(questions.PLACES, [lines, len(lines)])}


def _duplicates(ask: Asking, sieve: Sieve) -> int:
    """How many accepted rows repeat an earlier one: by a 64-bit hash, of the line or of its cells."""
    repeated = sieve.repeated
    if sieve.shape.cuts or sieve.shape.fill_down:
        [(repeated,)] = ask.all(questions.repeated(sieve.shape))
    [(rejected,)] = ask.all(questions.REJECTED_TWICE)
    return max(int(repeated) - int(rejected), 0)


def _refusal(layout: Layout, account: Account) -> InvalidInput:
    rejected = account.rejected
    count = rejected.total()
    text = account.examples[0].text if account.examples else "-"
    if rejected["bad_date"] and not rejected.keys() & _NOTHING_READ:
        place = layout.columns[Column.DATE]
        column = layout.header[place] if layout.header else place + 1
        return InvalidInput("no_valid_dates", column=column, count=count, text=text)
    reasons = ", ".join(f"{reason} {number}" for reason, number in rejected.most_common())
    error = InvalidInput("no_rows", count=count, reasons=reasons or "-", text=text)
    return error.also("all_in_future") if rejected["future_date"] == count else error
