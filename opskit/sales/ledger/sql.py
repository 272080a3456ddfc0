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
_SUM = "::DECIMAL(38, 18)"
_CLOCK = r"[ T]+(2[0-3]|[01]?[0-9]):[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,9})?)?( ?[AaPp][Mm])?"
_ZONE = "( ?(Z|[+-][0-9]{2}:?[0-9]{2}))?"
_DAY = "[0-9]{1,4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,4}日?"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a table has, and how its texts are taken.

    ``factors``: by how much the numbers of a column are multiplied. ``commas``: columns where a point is odd, for the
    comma is decimal. ``looked_up``: columns of which every text is read beforehand, as a cast understands few.
    ``cuts``: first and last line of what is no part of the table. ``strange``: columns that have strange names.
    ``range_ends``: the upper ends, included, of all price ranges but the last.
    """

    columns: frozenset[Column]
    names: tuple[str, ...]
    absent: tuple[str, ...]
    factors: Mapping[Column, int] = field(default_factory=dict)
    commas: frozenset[Column] = frozenset()
    looked_up: frozenset[Column] = frozenset()
    underscores: bool = False
    clocks: bool = False
    fill_down: bool = False
    cuts: tuple[tuple[int, int], ...] = ()
    strange: frozenset[Column] = frozenset()
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
        """The names of the columns that hold neither numbers nor what is sold, nor when or where."""
        return [name for name in self.names if name.startswith("other") or name == Column.CURRENCY]

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
    f"CREATE MACRO bare(x) AS replace(trim(x, {_BLANKS}), chr(8232), chr(10))",
    # A time of day would make a text of its own of every second: it goes, where it plainly is one.
    rf"""CREATE MACRO dated(x) AS CASE
        WHEN length(x) < 10 OR length(x) > 40 THEN x
        WHEN regexp_full_match(x, '{_DAY}{_CLOCK}{_ZONE}') THEN regexp_extract(x, '^{_DAY}')
        WHEN regexp_full_match(x, '[0-9]{{8}}(2[0-3]|[01][0-9])[0-5][0-9]([0-5][0-9])?') THEN x[:8]
        WHEN regexp_full_match(x, '[0-9]{{10}}([0-9]{{3}})?') THEN
            ((x[:10]::BIGINT + 28800) // 86400 * 86400 + 14400)::VARCHAR
        WHEN regexp_full_match(x, '[0-9]{{5}}[.][0-9]+') THEN x[:5]
        ELSE x END""",
)
HAS_CLOCKS = "SELECT coalesce(bool_or(dated(x) <> x), false) FROM (SELECT unnest($1::VARCHAR[]) AS x)"
NOT_PLAIN = f"SELECT count(x), count(x) - count({_PLAIN}) FROM (SELECT nullif(unnest($1::VARCHAR[]), '') AS x)"  # noqa: S608
COUNT = "SELECT count(*), count(line), count(DISTINCT hash(line)), bool_or(contains(line, '_')) FROM lines"
BREAKS = "SELECT bool_or(contains(line, chr(8232))) FROM lines"


def views(shape: Shape) -> list[str]:
    """The rows as ``cells``, the rows with their lines as ``numbered``, and how their texts are taken."""
    absent = "".join(f", NULL::VARCHAR AS {name}" for name in shape.absent)
    filled = ""
    if shape.fill_down:
        others = ", ".join(name for name in shape.names if name != Column.DATE)
        filled = f""" REPLACE (CASE WHEN coalesce(bare(date), '') <> '' OR coalesce({others}) IS NULL THEN date
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
    scaled = f"TRY_CAST({_PLAIN}::DECIMAL(28, 9) * {factor:d}::DECIMAL(10, 0) AS DECIMAL(21, 9))::DECIMAL(30, 9)"
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
    unit, quantity, sales = _values(shape, "price_value", "amount_value", "total_value")
    odd = ["sales IS NULL", "quantity IS NULL", f"coalesce({', '.join(shape.surplus)}) IS NOT NULL"]
    odd += ["(total IS NOT NULL AND total_value IS NULL)"] * shape.compared
    kind = f"CASE WHEN {' OR '.join(odd)} THEN 2 WHEN sales < 0 THEN 1 ELSE 0 END::UTINYINT"
    return f"""SELECT *, {kind} AS k FROM (SELECT *, {unit} AS unit, {quantity} AS quantity, {sales} AS sales
        FROM (SELECT {", ".join(carried)}, total, {", ".join(shape.surplus)}, {numbers}
        FROM {source} {joins}))"""  # noqa: S608 - names of ours


def _values(shape: Shape, price: str, amount: str, total: str) -> tuple[str, str, str]:
    """Unit price, quantity and sales of a row, from whatever columns there are."""
    quantity = amount if Column.AMOUNT in shape.columns else "1::DECIMAL(18, 9)"
    if Column.PRICE not in shape.columns:
        return f"TRY_CAST({total} / nullif({quantity}, 0) AS DECIMAL(21, 9))", quantity, f"{total}{_SUM}"
    return price, quantity, f"TRY(({price} * {quantity}){_SUM})" if shape.factors else f"{price} * {quantity}"


def cube(shape: Shape) -> str:
    """The sums of plain rows, and the number of odd ones.

    By date, product and region (``part`` 0), and by date and price range (1).
    """
    more, currency = (", currency", "currency") if Column.CURRENCY in shape.columns else ("", "'' AS currency")
    gap = "sales - total_value" if shape.compared else "0"
    rows = scanned(shape, "cells", ["day_text(date) AS day", "product", "region", "currency"])
    return f"""CREATE OR REPLACE TABLE cube AS SELECT coalesce(day, '') AS text, product, region, {currency},
        k, place, GROUPING(product) AS part, count(*) AS rows, sum(sales){_SUM} AS sales,
        sum(quantity){_SUM} AS quantity, sum(unit){_SUM} AS units, count_if(abs({gap}) >= 0.01) AS differing
        FROM (SELECT *, {place(shape)} AS place FROM ({rows}))
        GROUP BY GROUPING SETS ((day, product, region, k{more}), (day, place, k))"""  # noqa: S608 - names of ours


def place(shape: Shape) -> str:
    """The place of the price range that ``unit`` lies in; NULL below 0."""
    ends = " ".join(f"WHEN unit <= {end:f} THEN {place:d}" for place, end in enumerate(shape.range_ends))
    return f"CASE WHEN unit < 0 OR unit IS NULL THEN NULL {ends} ELSE {len(shape.range_ends):d} END::UTINYINT"


ROWS = "SELECT coalesce(sum(rows), 0)::BIGINT, coalesce(sum(rows) FILTER (k = 2), 0)::BIGINT FROM cube WHERE part = 1"
DAY_TEXTS = "SELECT DISTINCT text FROM cube WHERE part = 1 ORDER BY ALL"
REGIONS = """SELECT name, sum(rows)::BIGINT FROM (SELECT region AS text, sum(rows) AS rows FROM cube
    WHERE part = 0 AND k < 2 GROUP BY ALL) JOIN trimmed USING (text) WHERE name <> '' GROUP BY ALL ORDER BY ALL"""
CURRENCY_TEXTS = "SELECT DISTINCT bare(currency) FROM cube WHERE bare(currency) <> '' ORDER BY ALL"
CUBE_CODES = """SELECT currencies.kind, sum(rows)::BIGINT FROM cube JOIN currencies ON currencies.text = bare(currency)
    WHERE part = 0 AND k < 2 GROUP BY ALL ORDER BY sum(rows) DESC, currencies.kind"""


# To trim a name takes longer than to find it.
NAMES = """CREATE OR REPLACE TABLE trimmed AS SELECT text, bare(text) AS name
    FROM (SELECT DISTINCT unnest([coalesce(product, ''), coalesce(region, '')]) AS text FROM cube)"""


def distinct(role: Column) -> str:
    """The different names in plain rows, trimmed."""
    return f"""SELECT DISTINCT name FROM (SELECT DISTINCT {role} AS text FROM cube WHERE part = 0 AND k < 2)
        JOIN trimmed USING (text) WHERE name <> '' ORDER BY ALL"""  # noqa: S608 - names of ours


NAMED = """SELECT DISTINCT name FROM (SELECT unnest($1::VARCHAR[]) AS name) JOIN
    (SELECT lower(name) AS name FROM trimmed) USING (name)"""
ANCHORS = "SELECT DISTINCT dated(date) FROM written WHERE date IS NOT NULL ORDER BY ALL"


def every(role: Column) -> str:
    """All different texts of a column of numbers, and how many rows that may have a day hold each."""
    return f"""SELECT {role}, count(*) FILTER (regexp_matches(date, '[0-9]')) FROM cells
        WHERE {role} IS NOT NULL GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - a name of ours


def odd(shape: Shape) -> str:
    """The rows that are judged one by one, cells as text, with their lines."""
    carried = ["line", "day_text(coalesce(date, '')) AS day_key", *shape.names, *shape.absent]
    carried = [name for name in carried if name != Column.TOTAL and name not in shape.surplus]
    strange = [
        f"bare(coalesce({role}, '')) IN (SELECT text FROM strange WHERE kind = '{role}')"  # noqa: S608 - names of ours
        for role in sorted(shape.strange)
    ]
    asked = " OR ".join(["k = 2", "kind <> 'day'", *strange])
    cells = ", ".join(f"coalesce({name}, '') AS {name}" for name in [*shape.names, *shape.absent])
    return f"""CREATE OR REPLACE TABLE odd AS SELECT line, k, kind, days.day AS day, {cells}
        FROM ({scanned(shape, "kept", carried)}) JOIN days ON days.text = day_key
        WHERE {asked}"""  # noqa: S608 - names of ours


def texts(role: Column) -> str:
    """The different texts of a column of numbers in odd rows that a cast does not understand."""
    return f"""SELECT DISTINCT {role} FROM odd WHERE plain_{role}({role}) IS NULL
        AND {role} NOT IN (SELECT text FROM {role}_numbers) ORDER BY ALL"""  # noqa: S608 - a name of ours


def evidence(role: Column) -> str:
    """Texts of a column of numbers that a cast does not understand."""
    return f"SELECT text FROM {role}_numbers LIMIT $1"  # noqa: S608 - a name of ours


def odd_rows(shape: Shape) -> str:
    """The odd rows, each with its first cell that is not blank, what stands behind the last column, and a hash."""
    cells = ", ".join(f"nullif(bare({name}), '')" for name in shape.names)
    others = ", ".join(f"bare({name})" for name in shape.others)
    return f"""CREATE OR REPLACE VIEW odd_rows AS SELECT *, coalesce({cells}, '') AS first_cell,
        bare(concat({", ".join(shape.surplus)})) AS surplus, [{others}]::VARCHAR[] AS others,
        hash({", ".join(shape.names)}) AS digest
        FROM odd"""  # noqa: S608 - names of ours


LABEL_TEXTS = """SELECT DISTINCT text FROM (SELECT unnest([bare(product), bare(region), bare(date), first_cell]) AS text
    FROM odd_rows UNION ALL SELECT unnest(others) FROM odd_rows
    WHERE bare(product) = '' OR bare(region) = '' OR kind <> 'day')
    WHERE text <> '' ORDER BY ALL"""
BLANK_NAMES = """SELECT role, sum(rows)::BIGINT FROM (SELECT unnest(['product', 'region']) AS role,
    unnest([coalesce(product, ''), coalesce(region, '')]) AS text, rows FROM cube WHERE part = 0 AND k < 2)
    JOIN trimmed USING (text) WHERE name = '' GROUP BY ALL ORDER BY ALL"""


# The labels of totals, and what is no number in the columns that are none of ours: of a sale these say more.
_TOTALS = "(SELECT coalesce(list(text), []) FROM labels WHERE kind = 'total_row')"
_WORDS = "[x FOR x IN others IF regexp_matches(x, '[^-0-9.,:/ ]')]"


def judged(shape: Shape) -> str:
    """The odd and strange rows with their values and, where they are rejected for what they hold, the reason."""
    value = {role: f"coalesce(plain_{role}(odd.{role})::DECIMAL(30, 9), {role}.value)" for role in NUMBERS}
    fits = {role: f"TRY_CAST({value[role]} AS DECIMAL(21, 9))" for role in NUMBERS}
    unit, quantity, sales = _values(shape, *(fits[role] for role in NUMBERS))
    no_price = fits[Column.PRICE if Column.PRICE in shape.columns else Column.TOTAL]
    joins = " ".join(f"LEFT JOIN {role}_numbers {role} ON {role}.text = odd.{role}" for role in NUMBERS)
    kinds = ", ".join(f"coalesce({label}.kind, '')" for label in ("by_product", "by_region", "by_date", "by_first"))
    no_region = "bare(odd.region) = ''" if Column.REGION in shape.columns else "false"
    codes = ", ".join(f"nullif({name}, '')" for name in ("price.currency", "total.currency", "amount.currency"))
    codes += ", nullif(currencies.kind, '')"
    return f"""INSERT INTO judged SELECT line, k, odd.kind, digest, day, bare(odd.product), bare(odd.region), {unit},
        {quantity}, TRY({sales}) AS sales, {fits[Column.TOTAL]}, NULL, coalesce(least({codes}), ''),
        coalesce(greatest({codes}), ''),
        CASE WHEN first_cell = '' THEN 'blank'
            WHEN 'total_row' IN ({kinds}) OR (list_has_any(others, {_TOTALS}) AND (bare(odd.product) = ''
                OR odd.kind <> 'day' OR ({no_region} AND list_has_all({_TOTALS}, {_WORDS})))) THEN 'total_row'
            WHEN odd.kind = 'repeated_header' THEN 'repeated_header'
            WHEN odd.kind NOT IN ('day', 'future_date')
                AND ('note' IN ({kinds}) OR coalesce({", ".join(value.values())}) IS NULL) THEN 'note'
            WHEN surplus <> '' THEN 'field_count'
            WHEN odd.kind = 'future_date' THEN 'future_date'
            WHEN odd.kind <> 'day' THEN 'bad_date'
            WHEN {no_price} IS NULL THEN 'bad_price'
            WHEN {quantity} IS NULL OR TRY({sales}) IS NULL THEN 'bad_amount'
        END
        FROM odd_rows odd {joins}
        LEFT JOIN currencies ON currencies.text = bare(odd.currency)
        LEFT JOIN labels by_product ON by_product.text = bare(odd.product)
        LEFT JOIN labels by_region ON by_region.text = bare(odd.region)
        LEFT JOIN labels by_date ON by_date.text = bare(odd.date)
        LEFT JOIN labels by_first ON by_first.text = odd.first_cell"""  # noqa: S608 - names of ours


def cells_of(shape: Shape) -> str:
    """The cells of odd rows, in the file's order, of which the lines are asked for."""
    cells = ", ".join(shape.names)
    return f"SELECT line, [{cells}] FROM odd WHERE line IN (SELECT unnest($1::BIGINT[])) ORDER BY line"  # noqa: S608


def headings(shape: Shape) -> str:
    """What may be headings among the odd rows: no day, no figure, and words where numbers should be."""
    cells = ", ".join(shape.names)
    words = " AND ".join(f"bare({role}) <> ''" for role in shape.numbers)
    return f"""SELECT cells, list(line ORDER BY line) FROM (SELECT line, [{cells}] AS cells FROM odd
        WHERE kind NOT IN ('day', 'future_date', 'blank', 'total_row') AND {words}
        AND NOT regexp_matches(concat({cells}), '[0-9０-９]')) GROUP BY ALL ORDER BY min(line)"""  # noqa: S608


def cut_rows(shape: Shape) -> str:
    """The first rows of what is cut, as they stand in the table."""
    cells = ", ".join(f"coalesce({name}, '')" for name in shape.names)
    first, last = shape.cuts[0]
    return f"SELECT line, [{cells}] FROM numbered WHERE line BETWEEN {first:d} AND {last:d} LIMIT $1"  # noqa: S608


# Rows that may lack a cell at their end and have one too many before it.
SHIFTED_LINES = """SELECT line FROM judged WHERE reason IS NULL AND kind = 'day'
    AND region <> '' AND region IN (SELECT text FROM strange WHERE kind = 'region') AND line > $1
    ORDER BY line LIMIT $2"""
SURPLUS_LINES = "SELECT line FROM judged WHERE reason = 'field_count' AND line > $1 ORDER BY line LIMIT $2"
DOUBTFUL = """UPDATE judged SET reason = 'field_count', held = new.held FROM (SELECT unnest($1::BIGINT[]) AS line,
    unnest($2::VARCHAR[])::DECIMAL(38, 18) AS held) new WHERE judged.line = new.line"""
JOINED = """UPDATE judged SET kind = 'day', reason = NULL, day = new.day, product = new.product,
    region = new.region, unit = new.unit, quantity = new.quantity, sales = new.sales, written = new.written,
    low = new.currency, high = new.currency FROM (SELECT unnest($1::BIGINT[]) AS line,
    unnest($2::DATE[]) AS day, unnest($3::VARCHAR[]) AS product, unnest($4::VARCHAR[]) AS region,
    unnest($5::VARCHAR[])::DECIMAL(21, 9) AS unit, unnest($6::VARCHAR[])::DECIMAL(21, 9) AS quantity,
    unnest($7::VARCHAR[])::DECIMAL(38, 18) AS sales, unnest($8::VARCHAR[])::DECIMAL(21, 9) AS written,
    unnest($9::VARCHAR[]) AS currency) new
    WHERE judged.line = new.line"""
CODES = "SELECT low, high, count(*) FROM judged WHERE reason IS NULL AND k = 2 GROUP BY ALL"
PLAIN = """SELECT coalesce(sum(rows), 0)::BIGINT - (SELECT count(*) FROM judged WHERE k < 2 AND kind = 'day'
    AND reason IS NOT NULL) FROM cube JOIN days USING (text) WHERE part = 0 AND k < 2 AND kind = 'day'"""
REJECT_CODES = (
    "UPDATE judged SET reason = 'currency_mismatch' WHERE reason IS NULL AND high <> '' AND (low <> $1 OR high <> $1)"
)
