"""The statements that sift a table. Constants and names of our own columns stand in them: what a cell holds is data.

A row is *plain* if a cast understands its numbers and nothing stands behind its last column. Plain rows are summed as
they are scanned, whatever day or product they name; those whose day or name turns out to be none are *strange*. The
odd rows, which are neither, and the strange ones are set apart with their lines, and judged one by one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from opskit.sales.cells import Column

NUMBERS = (Column.PRICE, Column.AMOUNT, Column.TOTAL)
LABELS = (Column.PRODUCT, Column.REGION, Column.CURRENCY)
# White space of all scripts, characters of no width, and the mark of an old end of file, around a name.
_BLANKS = " || ".join(f"chr({code})" for code in (9, 10, 11, 13, 26, 32, 160, 8203, 8205, 8232, 8239, 12288, 65279))
_LABEL = "(?i)total|sum|gesamt|σ|[计計总總汇匯]|합계|총계|소계|누계"  # no label of a total is without
_SUM = "::DECIMAL(38, 18)"
_CLOCK = r"[ T]+(2[0-3]|[01]?[0-9]):[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,9})?)?( ?[AaPp][Mm])?"
_ZONE = "( ?(Z|[+-][0-9]{2}:?[0-9]{2}))?"
_BARE_DAY = " OR ".join(  # most are, and this costs a tenth of what a pattern does
    f"x LIKE '{form}'" for form in ("____-__-__", "____/__/__", "____.__.__", "__/__/____", "__.__.____", "__-__-____")
)
_DAY = "[0-9]{1,4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,4}日?"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a table has, and how its texts are taken.

    ``factors``: by how much the numbers of a column are multiplied. ``commas``: columns where a point is odd, for the
    comma is decimal. ``looked_up``: columns of which every text is read beforehand, as a cast understands few.
    ``cuts``: first and last line of what is no part of the table. ``strange``: columns that have strange names, "other"
    for those that are none of ours.
    ``range_ends``: the upper ends, included, of all price ranges but the last.
    """

    columns: frozenset[Column]
    names: tuple[str, ...]
    absent: tuple[str, ...]
    factors: Mapping[Column, Decimal] = field(default_factory=dict)
    commas: frozenset[Column] = frozenset()
    looked_up: frozenset[Column] = frozenset()
    underscores: bool = False
    clocks: bool = False
    fill_down: bool = False
    cuts: tuple[tuple[int, int], ...] = ()
    strange: frozenset[str] = frozenset()
    range_ends: tuple[Decimal, ...] = ()

    @property
    def numbers(self) -> list[Column]:
        """The columns of numbers that there are."""
        return [role for role in NUMBERS if role in self.columns]

    @property
    def surplus(self) -> list[str]:
        """The names of the columns behind the last one."""
        return [name for name in self.names if name.startswith("surplus")]

    @property
    def others(self) -> list[str]:
        """The names of the columns in which no more than a total's label is looked for, that of currencies too."""
        return [name for name in self.names if _is_other(name)]

    @property
    def compared(self) -> bool:
        """Whether the table has line totals beside prices."""
        return {Column.PRICE, Column.TOTAL} <= self.columns


# Eighteen digits, nine of them decimal places: the product of two fits, and what a cast rounds is no money.
_PLAIN = "TRY_CAST(x AS DECIMAL(18, 9))"
TABLES = (
    "CREATE OR REPLACE TABLE days (text VARCHAR, day DATE, kind VARCHAR)",
    "CREATE OR REPLACE TABLE labels (text VARCHAR, kind VARCHAR)",
    "CREATE OR REPLACE TABLE strange (text VARCHAR, kind VARCHAR)",
    "CREATE OR REPLACE TABLE currencies (text VARCHAR, kind VARCHAR)",
    *(
        f"CREATE OR REPLACE TABLE {role}_numbers (text VARCHAR, value DECIMAL(21, 9), currency VARCHAR)"
        for role in NUMBERS
    ),
    """CREATE OR REPLACE TABLE judged (line BIGINT, k UTINYINT, kind VARCHAR, digest UBIGINT, day DATE, product VARCHAR,
        region VARCHAR, unit DECIMAL(21, 9), quantity DECIMAL(21, 9), sales DECIMAL(38, 18), written DECIMAL(21, 9),
        held DECIMAL(38, 18), low VARCHAR, high VARCHAR, reason VARCHAR)""",
)
MACROS = (
    f"CREATE MACRO trimmed_text(x) AS replace(trim(x, {_BLANKS}), chr(8232), chr(10))",
    # What programs write so that a spreadsheet keeps a text as it is, with its zeros: ="00123".
    """CREATE MACRO bare(x) AS CASE WHEN starts_with(x, '="') AND regexp_full_match(x, '="[^"]*"')
        THEN trimmed_text(x[3:-2]) ELSE trimmed_text(x) END""",
    # A time of day would make a text of its own of every second: it goes, where it plainly is one.
    rf"""CREATE MACRO dated(x) AS CASE
        WHEN length(x) < 10 OR length(x) > 40 OR {_BARE_DAY} THEN x
        WHEN regexp_full_match(x, '{_DAY}{_CLOCK}{_ZONE}') THEN regexp_extract(x, '^{_DAY}')
        WHEN regexp_full_match(x, '[0-9]{{8}}(2[0-3]|[01][0-9])[0-5][0-9]([0-5][0-9])?') THEN x[:8]
        WHEN regexp_full_match(x, '[0-9]{{10}}([0-9]{{3}})?') THEN
            ((x[:10]::BIGINT + 28800) // 86400 * 86400 + 14400)::VARCHAR
        WHEN regexp_full_match(x, '[0-9]{{5}}[.][0-9]+') THEN x[:5]
        ELSE x END""",
)
HAS_CLOCKS = "SELECT coalesce(bool_or(dated(x) <> x), false) FROM (SELECT unnest($1::VARCHAR[]) AS x)"
NOT_PLAIN = f"SELECT count(x), count(x) - count({_PLAIN}) FROM (SELECT nullif(unnest($1::VARCHAR[]), '') AS x)"  # noqa: S608
BREAKS = "SELECT bool_or(contains(line, chr(8232))) FROM lines"


def count(columns: Collection[str]) -> str:
    """How many lines there are, blank ones too; different ones; whether one has an underscore, and a total's label.

    No line is searched for labels where the only other columns are ours.
    """
    label = f"bool_or(regexp_matches(line, '{_LABEL}'))" if any(map(_is_other, columns)) else "false"
    return f"""SELECT count(*), count(line), count(DISTINCT hash(line)), bool_or(contains(line, '_')), {label}
        FROM lines"""  # noqa: S608 - constants


def _is_other(name: str) -> bool:
    """Whether a column is none of ours, or that of currencies."""
    return name.startswith("other") or name == Column.CURRENCY


def views(shape: Shape) -> list[str]:
    """The rows as ``cells``, the rows with their lines as ``numbered``, and how their texts are taken."""
    absent = "".join(f", NULL::VARCHAR AS {name}" for name in shape.absent)
    filled = ""
    if shape.fill_down:
        others = ", ".join(name for name in shape.names if name != Column.DATE)
        filled = f""" REPLACE (CASE WHEN coalesce(bare(date), '') <> '' OR bare(concat({others})) = '' THEN date
            ELSE last_value(CASE WHEN dated(date) IN (SELECT text FROM anchors) THEN date END IGNORE NULLS)
            OVER (ROWS UNBOUNDED PRECEDING) END AS date)"""  # noqa: S608 - names of ours
    cut = " AND ".join(["true", *(f"line NOT BETWEEN {first:d} AND {last:d}" for first, last in shape.cuts)])
    numbered = f"SELECT *{filled}{absent} FROM (SELECT row_number() OVER () AS line, * FROM written)"  # noqa: S608
    plain = f"SELECT *{absent} FROM written"  # noqa: S608 - names of ours
    return [
        f"CREATE OR REPLACE VIEW numbered AS {numbered}",
        f"CREATE OR REPLACE VIEW kept AS SELECT * FROM numbered WHERE {cut}",  # noqa: S608 - numbers of ours
        f"CREATE OR REPLACE VIEW cells AS {'FROM kept' if shape.cuts or shape.fill_down else plain}",
        f"CREATE OR REPLACE MACRO day_text(x) AS {'dated(x)' if shape.clocks else 'x'}",
        *(f"CREATE OR REPLACE MACRO plain_{role}(x) AS {_plain(shape, role)}" for role in NUMBERS),
    ]


def _plain(shape: Shape, role: Column) -> str:
    """The number that a cast understands, multiplied; NULL where it is not to be trusted."""
    factor = shape.factors.get(role, 1)
    scaled = f"TRY_CAST({_PLAIN}::DECIMAL(26, 9) * {factor:f}::DECIMAL(12, 2) AS DECIMAL(21, 9))::DECIMAL(30, 9)"
    value = scaled if factor != 1 else _PLAIN
    marks = ["_"] * shape.underscores + ["."] * (role in shape.commas)
    odd = " OR ".join(f"contains(x, '{mark}')" for mark in marks)
    return f"CASE WHEN {odd} THEN NULL ELSE {value} END" if odd else value


def known(role: Column) -> str:
    """The texts of a column that are numbers, and in our currency."""
    return f"""CREATE OR REPLACE TABLE {role}_known AS SELECT text, value FROM {role}_numbers
        WHERE abs(value) < 1e9 AND currency IN ('', ?)"""  # noqa: S608 - a name of ours


def scanned(shape: Shape, source: str, carried: Collection[str]) -> str:
    """The rows of a view with their values, and ``k``: 0 for a plain sale, 1 for a plain refund, 2 for an odd row."""
    cast = {
        role: f"{role}_known.value::DECIMAL(18, 9)" if role in shape.looked_up else f"plain_{role}({role})"
        for role in NUMBERS
    }
    joins = " ".join(f"LEFT JOIN {role}_known ON {role}_known.text = {role}" for role in sorted(shape.looked_up))
    numbers = ", ".join(
        f"{cast[role]} AS {role}_value" if role in shape.columns else f"NULL::DECIMAL(18, 9) AS {role}_value"
        for role in NUMBERS
    )
    unit, quantity, sales = values(shape, "price_value", "amount_value", "total_value")
    odd = ["sales IS NULL", "quantity IS NULL", f"coalesce({', '.join(shape.surplus)}) IS NOT NULL"]
    odd += ["(total IS NOT NULL AND total_value IS NULL)"] * shape.compared
    kind = f"CASE WHEN {' OR '.join(odd)} THEN 2 WHEN sales < 0 THEN 1 ELSE 0 END::UTINYINT"
    return f"""SELECT *, {kind} AS k FROM (SELECT *, {unit} AS unit, {quantity} AS quantity, {sales} AS sales
        FROM (SELECT {", ".join(carried)}, total, {", ".join(shape.surplus)}, {numbers}
        FROM {source} {joins}))"""  # noqa: S608 - names of ours


def values(shape: Shape, price: str, amount: str, total: str) -> tuple[str, str, str]:
    """Unit price, quantity and sales of a row, from whatever columns there are."""
    quantity = amount if Column.AMOUNT in shape.columns else "1::DECIMAL(18, 9)"
    if Column.PRICE not in shape.columns:
        return f"TRY_CAST({total} / nullif({quantity}, 0) AS DECIMAL(21, 9))", quantity, f"{total}{_SUM}"
    return price, quantity, f"TRY(({price} * {quantity}){_SUM})" if shape.factors else f"{price} * {quantity}"


def cube(shape: Shape) -> str:
    """The sums of plain rows, and the number of odd ones; its parameter is a list of dates.

    By date, product and price range (``part`` 0), with the region on all dates but those; by date and region (1). All
    four at once would make a group of nearly every row.
    """
    keys, currency, region = "day, product, seen_region, k, place", "''", "seen_region"
    if Column.CURRENCY in shape.columns:
        keys, currency = f"{keys}, currency", "currency"
    groups = keys
    if Column.REGION in shape.columns:
        groups, region = f"GROUPING SETS (({keys}), (day, region, k))", "coalesce(seen_region, region)"
    differing = "count_if(abs(sales - total_value) >= 0.01)" if shape.compared else "0::BIGINT"
    rows = scanned(shape, "cells", ["day_text(date) AS day", "product", "region", "currency"])
    return f"""CREATE OR REPLACE TABLE cube AS SELECT coalesce(day, '') AS text, product,
        {region} AS region, {currency} AS currency, k, place, GROUPING(product) AS part,
        count(*) AS rows, sum(sales){_SUM} AS sales, sum(quantity){_SUM} AS quantity, sum(unit){_SUM} AS units,
        {differing} AS differing
        FROM (SELECT *, {place(shape)} AS place,
        CASE WHEN day IN (SELECT unnest($1::VARCHAR[])) THEN NULL ELSE region END AS seen_region FROM ({rows}))
        GROUP BY {groups}"""  # noqa: S608 - names of ours


def place(shape: Shape) -> str:
    """The place of the price range that ``unit`` lies in; NULL below 0."""
    ends = " ".join(f"WHEN unit <= {end:f} THEN {place:d}" for place, end in enumerate(shape.range_ends))
    return f"CASE WHEN unit < 0 OR unit IS NULL THEN NULL {ends} ELSE {len(shape.range_ends):d} END::UTINYINT"


ROWS = "SELECT coalesce(sum(rows), 0)::BIGINT, coalesce(sum(rows) FILTER (k = 2), 0)::BIGINT FROM cube WHERE part = 0"
DAY_TEXTS = "SELECT DISTINCT text FROM cube WHERE part = 0 ORDER BY ALL"
REGIONS = """SELECT name, sum(rows)::BIGINT FROM (SELECT region AS text, sum(rows) AS rows FROM cube
    WHERE part = 1 AND k < 2 GROUP BY ALL) JOIN trimmed USING (text) WHERE name <> '' GROUP BY ALL ORDER BY ALL"""
CURRENCY_TEXTS = "SELECT DISTINCT bare(currency) FROM cube WHERE bare(currency) <> '' ORDER BY ALL"
CUBE_CODES = """SELECT currencies.kind, sum(rows)::BIGINT FROM cube JOIN currencies ON currencies.text = bare(currency)
    WHERE part = 0 AND k < 2 GROUP BY ALL ORDER BY sum(rows) DESC, currencies.kind"""


# To trim a name takes longer than to find it.
NAMES = """CREATE OR REPLACE TABLE trimmed AS SELECT text, bare(text) AS name
    FROM (SELECT DISTINCT unnest([coalesce(product, ''), coalesce(region, '')]) AS text FROM cube)"""


def distinct(role: Column) -> str:
    """The different names in plain rows, trimmed."""
    return f"""SELECT DISTINCT name FROM (SELECT DISTINCT {role} AS text FROM cube WHERE part = {_part(role)} AND k < 2)
        JOIN trimmed USING (text) WHERE name <> '' ORDER BY ALL"""  # noqa: S608 - names of ours


# Periods, as lists of their first and of their last days; the dates as written that lie in them.
SPANS = """(SELECT generate_subscripts($1::DATE[], 1) - 1 AS span, unnest($1::DATE[]) AS first,
    unnest($2::DATE[]) AS last)"""
ASKED = f"SELECT span, text FROM days JOIN {SPANS} ON day BETWEEN first AND last WHERE kind = 'day'"  # noqa: S608
SUMMED = f"SELECT count(*) = 0 FROM ({ASKED}) WHERE list_contains($3::VARCHAR[], text)"  # noqa: S608 - constants


def blank(role: Column) -> str:
    """How many plain rows have no name in a column."""
    return f"""SELECT coalesce(sum(rows), 0)::BIGINT FROM (SELECT coalesce({role}, '') AS text, rows FROM cube
        WHERE part = {_part(role)} AND k < 2) JOIN trimmed USING (text) WHERE name = ''"""  # noqa: S608 - names of ours


def _part(role: Column) -> int:
    """The part of the cube that holds every name of a column."""
    return 1 if role is Column.REGION else 0


NAMED = """SELECT DISTINCT name FROM (SELECT unnest($1::VARCHAR[]) AS name) JOIN
    (SELECT lower(name) AS name FROM trimmed) USING (name)"""
ANCHORS = "SELECT DISTINCT dated(date) FROM written WHERE date IS NOT NULL ORDER BY ALL"


def dates(shape: Shape) -> str:
    """The different dates among texts, as they are grouped by."""
    day = "dated(x)" if shape.clocks else "x"
    return f"SELECT DISTINCT {day} FROM (SELECT unnest($1::VARCHAR[]) AS x) ORDER BY ALL"  # noqa: S608 - ours


def every(role: Column) -> str:
    """All different texts of a column of numbers, how many rows hold each, and how many that may have a day."""
    return f"""SELECT {role}, count(*), count(*) FILTER (regexp_matches(date, '[0-9]')) FROM cells
        WHERE {role} IS NOT NULL GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - a name of ours


def elsewhere(shape: Shape) -> str:
    """The texts in other columns that may be labels of totals, and how many cells hold each."""
    return f"""SELECT bare(text), count(*) FROM (SELECT unnest([{", ".join(shape.others)}]) AS text FROM cells)
        WHERE regexp_matches(text, '{_LABEL}') GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - names of ours
