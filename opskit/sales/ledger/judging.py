"""The statements that judge odd and strange rows one by one. As in ``sql``, only names of ours stand in them."""

from opskit.sales.cells import Column
from opskit.sales.ledger.sql import NUMBERS, Shape, scanned, values

_ELSEWHERE = "(SELECT coalesce(list(text), []) FROM strange WHERE kind = 'other')"
# The labels of totals, and what is no number in the columns that are none of ours: of a sale these say more.
_TOTALS = """(SELECT coalesce(list(text), []) FROM (SELECT text FROM labels WHERE kind = 'total_row'
    UNION ALL SELECT text FROM strange WHERE kind = 'other'))"""
_WORDS = "[x FOR x IN others IF regexp_matches(x, '[^-0-9.,:/ ]')]"


def odd(shape: Shape) -> str:
    """The rows that are judged one by one, cells as text, with their lines."""
    carried = ["line", "day_text(coalesce(date, '')) AS day_key", *shape.names, *shape.absent]
    carried = [name for name in carried if name != Column.TOTAL and name not in shape.surplus]
    strange = [
        f"bare(coalesce({role}, '')) IN (SELECT text FROM strange WHERE kind = '{role}')"  # noqa: S608 - names of ours
        for role in sorted(shape.strange - {"other"})
    ]
    if "other" in shape.strange:
        texts = ", ".join(f"bare(coalesce({name}, ''))" for name in shape.others)
        strange.append(f"list_has_any([{texts}], {_ELSEWHERE})")
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
    FROM odd_rows UNION ALL SELECT unnest(others) FROM odd_rows WHERE bare(product) = '' OR bare(region) = ''
    OR kind <> 'day')
    WHERE text <> '' ORDER BY ALL"""


def judged(shape: Shape) -> str:
    """The odd and strange rows with their values and, where they are rejected for what they hold, the reason."""
    value = {role: f"coalesce(plain_{role}(odd.{role})::DECIMAL(30, 9), {role}.value)" for role in NUMBERS}
    fits = {role: f"TRY_CAST({value[role]} AS DECIMAL(21, 9))" for role in NUMBERS}
    unit, quantity, sales = values(shape, *(fits[role] for role in NUMBERS))
    no_price = fits[Column.PRICE if Column.PRICE in shape.columns else Column.TOTAL]
    joins = " ".join(f"LEFT JOIN {role}_numbers {role} ON {role}.text = odd.{role}" for role in NUMBERS)
    kinds, notes = (
        ", ".join(f"coalesce({label}.kind, '')" for label in labels)
        for labels in (("by_product", "by_region", "by_date", "by_first"), ("by_date", "by_first"))
    )
    codes = ", ".join(f"nullif({name}, '')" for name in ("price.currency", "total.currency", "amount.currency"))
    codes += ", nullif(currencies.kind, '')"
    no_sale = f"(bare(odd.product) = '' OR list_has_all({_TOTALS}, {_WORDS}))"
    # The product holds the price, and what follows it stands one cell too far left.
    shifted = f"TRY_CAST(bare(odd.product) AS DECIMAL(18, 9)) * {unit} - {quantity}"
    no_product = f"{shape.compared} AND odd.total = '' AND abs(TRY({shifted})) < 0.01"
    return f"""INSERT INTO judged SELECT line, k, odd.kind, digest, day, bare(odd.product), bare(odd.region), {unit},
        {quantity}, TRY({sales}) AS sales, {fits[Column.TOTAL]}, CASE WHEN {no_product} THEN {quantity} END,
        coalesce(least({codes}), ''), coalesce(greatest({codes}), ''),
        CASE WHEN first_cell = '' THEN 'blank'
            WHEN odd.kind = 'repeated_header' THEN 'repeated_header'
            WHEN 'total_row' IN ({kinds}) OR (list_has_any(others, {_TOTALS}) AND {no_sale}) THEN 'total_row'
            WHEN odd.kind NOT IN ('day', 'future_date')
                AND ('note' IN ({notes}) OR coalesce({", ".join(value.values())}) IS NULL) THEN 'note'
            WHEN surplus <> '' OR ({no_product}) THEN 'field_count'
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
SHIFTED_LINES = """SELECT line FROM judged WHERE reason IS NULL AND kind = 'day' AND region <> ''
    AND region IN (SELECT text FROM strange WHERE kind = 'region') AND line > $1 ORDER BY line LIMIT $2"""
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
UNDATED = "SELECT count(*) FROM judged WHERE reason = 'bad_date' AND kind = 'blank'"
MARKED_ODD = "SELECT count(*) FROM judged WHERE $1 IN (low, high) AND (k = 2 OR reason IS NOT NULL)"
CODES = "SELECT low, high, count(*) FROM judged WHERE reason IS NULL AND k = 2 GROUP BY ALL"
PLAIN = """SELECT coalesce(sum(rows), 0)::BIGINT - (SELECT count(*) FROM judged WHERE k < 2 AND kind = 'day'
    AND reason IS NOT NULL) FROM cube JOIN days USING (text) WHERE part = 0 AND k < 2 AND kind = 'day'"""
REJECT_CODES = (
    "UPDATE judged SET reason = 'currency_mismatch' WHERE reason IS NULL AND high <> '' AND (low <> $1 OR high <> $1)"
)
