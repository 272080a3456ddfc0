"""The statements that add up what a sifted table holds, and ask it. Constants and names of our own stand in them."""

from opskit.sales.ledger.sql import Shape, scanned

_SUM = "::DECIMAL(38, 18)"
_JUNK = "'blank', 'total_row', 'repeated_header', 'note'"  # what never held money
# A strange row has been summed with the plain ones: it goes, and comes back where it is accepted.
_SIGNED = """(SELECT *, -1 AS sign FROM judged WHERE k < 2 AND kind = 'day'
    UNION ALL SELECT *, 1 AS sign FROM judged WHERE reason IS NULL)"""
_ADDED = ", ".join(
    [
        "sum(rows)::BIGINT AS rows",
        *(f"coalesce(sum({name}), 0){_SUM} AS {name}" for name in ("sales", "quantity", "units")),
        "sum(differing)::BIGINT AS differing",
    ]
)


def sums(name: str, *, judged: bool) -> str:
    """``by_product`` or ``by_region``: the sums of days, sales and refunds apart, in a table where rows were judged."""
    part = int(name == "region")
    plain = f"""SELECT day, name AS {name}, k = 1 AS refund, rows, sales, quantity, units, differing
        FROM cube JOIN days USING (text) JOIN trimmed ON trimmed.text = coalesce({name}, '')
        WHERE part = {part:d} AND k < 2 AND days.kind = 'day'"""  # noqa: S608 - names of ours
    if not judged:
        return f"CREATE VIEW by_{name} AS {plain}"
    return f"""CREATE TABLE by_{name} AS SELECT day, {name}, refund, {_ADDED} FROM ({plain}
        UNION ALL SELECT day, {name}, sales < 0, sign, sign * sales, sign * quantity, sign * unit,
        sign * coalesce(abs(sales - written) >= 0.01, false)::INTEGER FROM {_SIGNED}
        ) GROUP BY ALL HAVING sum(rows) <> 0"""  # noqa: S608 - names of ours


ACCEPTED = """SELECT coalesce(sum(rows), 0)::BIGINT, coalesce(sum(rows) FILTER (refund), 0)::BIGINT,
    coalesce(sum(differing), 0)::BIGINT, coalesce(sum(rows) FILTER (product = ''), 0)::BIGINT FROM by_product"""
BLANK_REGIONS = "SELECT coalesce(sum(rows), 0)::BIGINT FROM by_region WHERE region = ''"
REJECTED = f"""SELECT reason, count(*), min(line, $1),
    coalesce(sum(coalesce(held, sales, written)) FILTER (reason NOT IN ({_JUNK})), 0)
    FROM judged WHERE reason IS NOT NULL GROUP BY ALL ORDER BY count(*) DESC, reason"""  # noqa: S608 - constants
REJECTED_TWICE = "SELECT count(*) - count(DISTINCT digest) FROM judged WHERE reason IS NOT NULL"
PLACES = """SELECT r, p + b - own FROM (SELECT row_number() OVER () AS p, line IS NULL AS blank,
    count(line) OVER (ROWS UNBOUNDED PRECEDING) AS r, length(line) - length(replace(line, chr(8232), '')) AS own,
    sum(coalesce(length(line) - length(replace(line, chr(8232), '')), 0)) OVER (ROWS UNBOUNDED PRECEDING)::BIGINT AS b
    FROM lines) WHERE NOT blank AND r IN (SELECT unnest($1::BIGINT[])) LIMIT $2"""


def repeated(shape: Shape) -> str:
    """How many rows repeat an earlier one, cell for cell."""
    cells = ", ".join(shape.names)
    return f"SELECT count(*) - count(DISTINCT hash({cells})) FROM cells"  # noqa: S608 - names of ours


def sold(shape: Shape) -> str:
    """The view ``sold``: every accepted row."""
    strange = [
        f"coalesce(bare({role}), '') NOT IN (SELECT text FROM strange WHERE kind = '{role}')"  # noqa: S608
        for role in sorted(shape.strange)
    ]
    plain = " AND ".join(["k < 2", "kind = 'day'", *strange])
    rows = scanned(shape, "cells", ["day_text(coalesce(date, '')) AS day_key", "product", "region", "currency"])
    return f"""CREATE OR REPLACE VIEW sold AS SELECT days.day AS day, bare(coalesce(product, '')) AS product,
        bare(coalesce(region, '')) AS region, unit, quantity, sales
        FROM ({rows}) JOIN days ON days.text = day_key WHERE {plain}
        UNION ALL SELECT day, product, region, unit, quantity, sales FROM judged WHERE reason IS NULL"""  # noqa: S608


GATHER = "CREATE OR REPLACE TABLE gathered AS FROM sold WHERE list_contains($1::DATE[], day)"
_TOTALS = f"sum(rows)::BIGINT, sum(sales){_SUM}, sum(quantity){_SUM}"
_WITHIN = "WHERE day BETWEEN $1 AND $2"
BY_DAY = f"SELECT day, {_TOTALS} FROM by_product GROUP BY ALL ORDER BY day"  # noqa: S608 - constants
BY_PRODUCT = (
    f"SELECT product, {_TOTALS}, coalesce(sum(units), 0){_SUM} FROM by_product {_WITHIN} GROUP BY ALL ORDER BY ALL"  # noqa: S608
)
BY_REGION = f"SELECT region, {_TOTALS} FROM by_region {_WITHIN} GROUP BY ALL ORDER BY ALL"  # noqa: S608 - constants
BY_DAY_AND = {
    name: f"SELECT {name}, day, sum(sales){_SUM} FROM by_{name} {_WITHIN} GROUP BY ALL ORDER BY ALL"  # noqa: S608
    for name in ("product", "region")
}
LIVES = f"""SELECT product, min(day), max(day), count(*), sum(sales){_SUM} FROM (
    SELECT product, day, sum(sales) AS sales FROM by_product WHERE day <= $1 GROUP BY ALL HAVING bool_or(NOT refund)
    ) GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - constants
REFUNDS = f"SELECT product, {_TOTALS} FROM by_product {_WITHIN} AND refund GROUP BY ALL ORDER BY ALL"  # noqa: S608
UNIQUES = "SELECT (SELECT count(DISTINCT product) FROM by_product), (SELECT count(DISTINCT region) FROM by_region)"
# Of the rows themselves: gathered before, or looked for in the file once more.
BY_BOTH = {
    source: f"""SELECT region, product, count(*), sum(sales){_SUM}, sum(quantity){_SUM} FROM {source} {_WITHIN}
        GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - constants
    for source in ("gathered", "sold")
}
PRICES = {
    source: f"""SELECT unit, sum(sales){_SUM}, sum(quantity){_SUM} FROM {source} {_WITHIN} AND unit IS NOT NULL
        GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - constants
    for source in ("gathered", "sold")
}
