"""The queries. Nothing but constants and the names of our own columns stands in them: what a cell holds is data.

A row is *odd* if a cast does not understand its numbers, its date is no day, it names a currency, or cells stand
behind the last column. Odd rows are set apart and read text by text; all others are summed as they are scanned.
"""

from collections.abc import Collection

from opskit.sales.cells import Column

NUMBERS = (Column.PRICE, Column.AMOUNT, Column.TOTAL)
# White space of all scripts, and characters of no width, around a name.
_BLANKS = " || ".join(f"chr({code})" for code in (9, 10, 13, 32, 160, 8203, 8205, 8239, 12288, 65279))

SETUP = (
    f"CREATE MACRO bare(x) AS trim(x, {_BLANKS})",
    # Eleven characters hold at most nine decimal places: the cast rounds nothing.
    "CREATE MACRO plain(x) AS coalesce(length(x) <= 11 AND TRY_CAST(x AS DECIMAL(18, 9)) IS NOT NULL, false)",
    # A time of day would make a text of its own of every second: it goes, where it plainly is one.
    r"""CREATE MACRO day_text(x) AS CASE WHEN length(x) BETWEEN 14 AND 32 AND regexp_full_match(x,
        '\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[ T]\d{1,2}:\d\d(:\d\d([.]\d+)?)?(Z|[+-]\d\d:?\d\d)?')
        THEN regexp_extract(x, '^[0-9/.-]+') ELSE x END""",
    "CREATE TABLE days (text VARCHAR, day DATE, kind VARCHAR)",
    "CREATE TABLE labels (text VARCHAR, kind VARCHAR)",
    "CREATE TABLE currencies (text VARCHAR, code VARCHAR)",
    *(f"CREATE TABLE {role}_numbers (text VARCHAR, value DECIMAL(21, 9), currency VARCHAR)" for role in NUMBERS),
)
FILL_DOWN = (
    "ALTER VIEW cells RENAME TO unfilled",
    """CREATE TABLE cells AS SELECT * EXCLUDE (line) REPLACE (coalesce(last_value(nullif(bare(date), '') IGNORE NULLS)
        OVER (ORDER BY line ROWS UNBOUNDED PRECEDING), '') AS date)
        FROM (SELECT row_number() OVER () AS line, * FROM unfilled) ORDER BY line""",
)
DAY_TEXTS = "SELECT day_text(date) AS text FROM cells GROUP BY ALL ORDER BY ALL"
ODD = """CREATE OR REPLACE TABLE odd AS SELECT cells.*, day, kind
    FROM (SELECT row_number() OVER () AS line, * FROM cells) cells
    JOIN days ON text = day_text(date) WHERE is_odd(kind, price, amount, total, currency, surplus0, surplus1)"""
_IS_PLAIN = "NOT is_odd(kind, price, amount, total, currency, surplus0, surplus1)"
LABELS = """SELECT DISTINCT text FROM (SELECT unnest([bare(product), bare(region), bare(date), first_cell]) AS text
    FROM odd_rows) WHERE text <> '' ORDER BY ALL"""


def odd_rows(names: Collection[str]) -> str:
    """The odd rows, each with its first cell that is not blank, all its cells in one text, and a hash of them."""
    cells = ", ".join(f"nullif(bare({name}), '')" for name in names)
    surplus = ", ".join(name for name in names if name.startswith("surplus"))
    return f"""CREATE VIEW odd_rows AS SELECT *, coalesce({cells}, '') AS first_cell,
        bare(concat({surplus})) AS surplus, {_whole(names)} FROM odd"""  # noqa: S608 - names of ours


CURRENCIES = "SELECT DISTINCT currency FROM odd ORDER BY ALL"


def _whole(names: Collection[str]) -> str:
    """All cells of a row in one text, and a hash of them."""
    cells = ", ".join(names)
    return f"concat_ws(', ', {cells}) AS row, hash({cells}) AS digest"


def texts(role: Column) -> str:
    """The distinct texts of a number column in odd rows."""
    return f"SELECT DISTINCT {role} FROM odd ORDER BY ALL"  # noqa: S608 - a name of ours


def is_odd(known: Collection[Column], commas: Collection[Column]) -> str:
    """The macro that says which rows are odd; in the columns ``commas`` a point is odd, for the comma is decimal."""
    tests = [f"NOT plain({role})" for role in NUMBERS if role in known]
    tests += [f"contains({role}, '.')" for role in commas]
    tests = ["kind <> 'day'", "currency <> ''", "surplus0 IS NOT NULL", "surplus1 IS NOT NULL", *tests]
    asked = "kind, price, amount, total, currency, surplus0, surplus1"
    return f"CREATE OR REPLACE MACRO is_odd({asked}) AS {' OR '.join(tests)}"


def judged(known: Collection[Column]) -> str:
    """The odd rows with their values and, where they are rejected for what they hold, the reason."""
    unit, quantity, sales = _values(known, "price.value", "amount.value", "total.value")
    sales = f"TRY({sales})"
    no_price = "price.value" if Column.PRICE in known else "total.value"
    joins = " ".join(f"LEFT JOIN {role}_numbers {role} ON {role}.text = odd.{role}" for role in NUMBERS)
    kinds = ", ".join(f"coalesce({label}.kind, '')" for label in ("by_product", "by_region", "by_date", "by_first"))
    return f"""CREATE TABLE judged AS SELECT line, row, digest, day,
        bare(odd.product) AS product, bare(odd.region) AS region,
        {unit} AS unit, {quantity} AS quantity, {sales} AS sales, total.value AS written,
        coalesce(nullif(price.currency, ''), nullif(total.currency, ''), nullif(amount.currency, ''), code, '') AS code,
        CASE WHEN first_cell = '' THEN 'blank'
            WHEN 'total_row' IN ({kinds}) THEN 'total_row'
            WHEN odd.kind = 'repeated_header' THEN 'repeated_header'
            WHEN 'note' IN ({kinds}) OR (odd.kind NOT IN ('day', 'future_date')
                AND coalesce(price.value, amount.value, total.value) IS NULL) THEN 'note'
            WHEN surplus <> '' THEN 'field_count'
            WHEN odd.kind = 'future_date' THEN 'future_date'
            WHEN odd.kind <> 'day' THEN 'bad_date'
            WHEN {no_price} IS NULL THEN 'bad_price'
            WHEN {quantity} IS NULL OR {sales} IS NULL THEN 'bad_amount'
        END AS reason
        FROM odd_rows odd {joins}
        LEFT JOIN currencies ON currencies.text = odd.currency
        LEFT JOIN labels by_product ON by_product.text = bare(odd.product)
        LEFT JOIN labels by_region ON by_region.text = bare(odd.region)
        LEFT JOIN labels by_date ON by_date.text = bare(odd.date)
        LEFT JOIN labels by_first ON by_first.text = odd.first_cell"""  # noqa: S608 - names of ours


def plain_rows(known: Collection[Column], names: Collection[str]) -> tuple[str, str]:
    """All other rows with the same values, and their sums; names are trimmed after most rows have become one."""
    cast = {role: f"TRY_CAST({role} AS DECIMAL(18, 9))" for role in NUMBERS}
    unit, quantity, sales = _values(known, *(cast[role] for role in NUMBERS))  # nine digits each: nothing overflows
    differing = f"abs({sales} - {cast[Column.TOTAL]}) >= 0.01" if Column.TOTAL in known else "false"
    return (
        f"""CREATE VIEW plain_rows AS SELECT day, product, region, {unit} AS unit, {quantity} AS quantity,
        {sales} AS sales, {differing} AS differs, {_whole(names)}
        FROM cells JOIN days ON text = day_text(date) WHERE {_IS_PLAIN}""",  # noqa: S608 - names of ours
        f"""CREATE TABLE sums AS SELECT day, bare(product) AS product, bare(region) AS region, {_SUMMED} FROM
        (SELECT day, product, region, {_SUMS} FROM plain_rows GROUP BY ALL) GROUP BY ALL""",  # noqa: S608 - constants
    )


_SUMS = """count(*) AS rows, sum(sales)::DECIMAL(38, 18) AS sales, sum(quantity)::DECIMAL(38, 18) AS quantity,
    sum(unit)::DECIMAL(38, 18) AS units, count_if(sales < 0) AS refund_rows,
    sum(CASE WHEN sales < 0 THEN sales ELSE 0 END)::DECIMAL(38, 18) AS refund_sales,
    sum(CASE WHEN sales < 0 THEN quantity ELSE 0 END)::DECIMAL(38, 18) AS refund_quantity,
    count_if(differs) AS differing"""
_SUMMED = ", ".join(
    f"sum({name})::DECIMAL(38, 18) AS {name}"
    if name in {"sales", "quantity", "units", "refund_sales", "refund_quantity"}
    else f"sum({name})::BIGINT AS {name}"
    for name in ("rows", "sales", "quantity", "units", "refund_rows", "refund_sales", "refund_quantity", "differing")
)
ADD_JUDGED = f"""INSERT INTO sums SELECT day, product, region, {_SUMS} FROM
    (SELECT *, abs(sales - written) >= 0.01 AS differs FROM judged WHERE reason IS NULL) GROUP BY ALL"""  # noqa: S608 - constants
# Rows whose numbers are plain, but whose label says that they are totals.
SET_APART = (
    """INSERT INTO judged
        SELECT 0, row, digest, day, product, region, unit, quantity, sales, NULL, '', 'total_row' FROM plain_rows
        WHERE bare(product) IN (SELECT text FROM labels) OR bare(region) IN (SELECT text FROM labels)""",
    "DELETE FROM sums WHERE product IN (SELECT text FROM labels) OR region IN (SELECT text FROM labels)",
)
NAMES = "SELECT product FROM sums UNION SELECT region FROM sums ORDER BY ALL"
CODES = "SELECT code, count(*) FROM judged WHERE reason IS NULL AND code <> '' GROUP BY ALL"
REJECT_CODES = "UPDATE judged SET reason = 'currency_mismatch' WHERE reason IS NULL AND code NOT IN ('', ?)"
ACCEPTED = "SELECT coalesce(sum(rows), 0), coalesce(sum(refund_rows), 0), coalesce(sum(differing), 0) FROM sums"
REJECTED = """SELECT reason, count(*), coalesce(sum(coalesce(sales, written)), 0) FROM judged
    WHERE reason IS NOT NULL GROUP BY ALL ORDER BY count(*) DESC, reason"""
EXAMPLES = """SELECT reason, line, row FROM judged WHERE reason IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY reason ORDER BY line) <= ? ORDER BY line"""
HASHES = "SELECT digest FROM plain_rows UNION ALL SELECT digest FROM judged WHERE reason IS NULL"

_TOTALS = "sum(rows), sum(sales), sum(quantity)"
_WITHIN = "FROM sums WHERE day BETWEEN ? AND ?"
BY_DAY = f"SELECT day, {_TOTALS} FROM sums GROUP BY ALL ORDER BY day"  # noqa: S608 - constants
BY_PRODUCT = f"SELECT product, {_TOTALS}, sum(units) {_WITHIN} GROUP BY ALL ORDER BY ALL"
BY_REGION = f"SELECT region, {_TOTALS} {_WITHIN} GROUP BY ALL ORDER BY ALL"
BY_BOTH = f"SELECT region, product, {_TOTALS} {_WITHIN} GROUP BY ALL ORDER BY ALL"
BY_DAY_AND = {
    name: f"""SELECT {name}, day, sum(sales) {_WITHIN} AND {name} IN
        (SELECT {name} {_WITHIN} GROUP BY ALL ORDER BY sum(sales) DESC, {name} LIMIT ?) GROUP BY ALL ORDER BY ALL"""
    for name in ("product", "region")
}
LIVES = """SELECT product, min(day), max(day), count(DISTINCT day), sum(sales) FROM sums
    WHERE day <= ? AND rows > refund_rows GROUP BY ALL ORDER BY ALL"""
REFUNDS = f"""SELECT product, sum(refund_rows), sum(refund_sales), sum(refund_quantity) {_WITHIN}
    GROUP BY ALL HAVING sum(refund_rows) > 0 ORDER BY ALL"""
UNIQUES = "SELECT count(DISTINCT product), count(DISTINCT region) FROM sums"
PRICE_RANGES = """SELECT len(list_filter(?::DECIMAL(21, 9)[], lambda high: high < unit)) AS place,
    sum(sales), sum(quantity)
    FROM (SELECT unit, sales, quantity FROM plain_rows WHERE day BETWEEN ? AND ? UNION ALL
        SELECT unit, sales, quantity FROM judged WHERE reason IS NULL AND day BETWEEN ? AND ?)
    WHERE unit >= 0 GROUP BY ALL ORDER BY ALL"""


def _values(known: Collection[Column], price: str, amount: str, total: str) -> tuple[str, str, str]:
    """Unit price, quantity and sales of a row, from whatever columns there are."""
    quantity = amount if Column.AMOUNT in known else "1::DECIMAL(21, 9)"
    if Column.PRICE in known:
        return price, quantity, f"{price} * {quantity}"
    return f"TRY_CAST({total} / nullif({quantity}, 0) AS DECIMAL(21, 9))", quantity, f"{total}::DECIMAL(38, 18)"
