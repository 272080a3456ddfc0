"""The statements that add up what a sifted table holds, and ask it. Constants and names of our own stand in them."""

from opskit.sales.cells import Column
from opskit.sales.ledger.sql import ASKED, SPANS, Shape, place, scanned

_SUM = "::DECIMAL(38, 18)"
# What never held money, or held another one: two currencies are never added up.
_JUNK = "'blank', 'total_row', 'repeated_header', 'note', 'currency_mismatch'"
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


def sums(shape: Shape, *, judged: bool) -> tuple[str, ...]:
    """The tables of sums: of a day and product, a day and region, sales and refunds apart, and a day and price range.

    They are ``by_product``, ``by_region`` and ``by_place``.
    """
    differing = "sign * coalesce(abs(sales - written) >= 0.01, false)::INTEGER"
    tables = []
    for part, name in enumerate(("product", "region") if Column.REGION in shape.columns else ("product",)):
        others = f"""UNION ALL SELECT day, {name}, sales < 0, sign, sign * sales, sign * quantity, sign * unit,
            {differing} FROM {_SIGNED}"""  # noqa: S608 - names of ours
        tables.append(f"""CREATE TABLE by_{name} AS SELECT day, {name}, refund, {_ADDED} FROM (
            SELECT day, trimmed.name AS {name}, k = 1 AS refund, rows, sales, quantity, units, differing
            FROM cube JOIN days USING (text) JOIN trimmed ON trimmed.text = coalesce({name}, '')
            WHERE part = {part:d} AND k < 2 AND days.kind = 'day' {others if judged else ""}
            ) GROUP BY ALL HAVING sum(rows) <> 0""")  # noqa: S608 - names of ours
    if Column.REGION not in shape.columns:
        columns = f"day, '' AS region, refund, {_ADDED}"
        tables.append(f"CREATE TABLE by_region AS SELECT {columns} FROM by_product GROUP BY ALL")  # noqa: S608
    more = f"""UNION ALL SELECT day, {place(shape)}, sign * sales, sign * quantity
        FROM {_SIGNED}"""  # noqa: S608 - names of ours
    tables.append(f"""CREATE TABLE by_place AS SELECT day, place, sum(sales){_SUM} AS sales,
        sum(quantity){_SUM} AS quantity FROM (SELECT day, place, sales, quantity FROM cube JOIN days USING (text)
        WHERE part = 0 AND k < 2 AND days.kind = 'day' {more if judged else ""})
        WHERE place IS NOT NULL GROUP BY ALL""")  # noqa: S608 - names of ours
    return tuple(tables)


ACCEPTED = """SELECT coalesce(sum(rows), 0)::BIGINT, coalesce(sum(rows) FILTER (refund), 0)::BIGINT,
    coalesce(sum(differing), 0)::BIGINT, coalesce(sum(rows) FILTER (product = ''), 0)::BIGINT FROM by_product"""
# A plain sale with a price below 0, that is without a place among the ranges, has a quantity below 0 too.
TWICE_NEGATIVE = """SELECT (SELECT coalesce(sum(rows), 0)::BIGINT FROM cube JOIN days USING (text) WHERE part = 0
    AND k = 0 AND place IS NULL AND sales > 0 AND days.kind = 'day')
    + (SELECT count(*) FROM judged WHERE k = 2 AND reason IS NULL AND unit < 0 AND quantity < 0)"""
BLANK_REGIONS = "SELECT coalesce(sum(rows), 0)::BIGINT FROM by_region WHERE region = ''"
REJECTED = f"""SELECT reason, count(*), min(line, $1),
    coalesce(sum(coalesce(held, sales, written)) FILTER (reason NOT IN ({_JUNK})), 0)
    FROM judged WHERE reason IS NOT NULL GROUP BY ALL ORDER BY count(*) DESC, reason"""  # noqa: S608 - constants
FOREIGN = """SELECT CASE WHEN high = $1 THEN low ELSE high END AS code, sum(sales) FROM judged
    WHERE reason = 'currency_mismatch' GROUP BY ALL ORDER BY ALL"""
REJECTED_TWICE = "SELECT count(*) - count(DISTINCT digest) FROM judged WHERE reason IS NOT NULL"
PLACES = """SELECT r, p + b - own FROM (SELECT row_number() OVER () AS p, line IS NULL AS blank,
    count(line) OVER (ROWS UNBOUNDED PRECEDING) AS r, length(line) - length(replace(line, chr(8232), '')) AS own,
    sum(coalesce(length(line) - length(replace(line, chr(8232), '')), 0)) OVER (ROWS UNBOUNDED PRECEDING)::BIGINT AS b
    FROM lines) WHERE NOT blank AND r IN (SELECT unnest($1::BIGINT[])) LIMIT $2"""


def repeated(shape: Shape) -> str:
    """How many rows repeat an earlier one, cell for cell."""
    cells = ", ".join(shape.names)
    return f"SELECT count(*) - count(DISTINCT hash({cells})) FROM cells"  # noqa: S608 - names of ours


_TOTALS = f"sum(rows)::BIGINT, sum(sales){_SUM}, sum(quantity){_SUM}"
_WITHIN = "WHERE day BETWEEN $1 AND $2"
BY_DAY = f"SELECT day, {_TOTALS} FROM by_product GROUP BY ALL ORDER BY day"  # noqa: S608 - constants
BY_PRODUCT = (
    f"SELECT product, {_TOTALS}, coalesce(sum(units), 0){_SUM} FROM by_product {_WITHIN} GROUP BY ALL ORDER BY ALL"  # noqa: S608
)
BY_REGION = f"SELECT region, {_TOTALS} FROM by_region {_WITHIN} GROUP BY ALL ORDER BY ALL"  # noqa: S608 - constants
BY_DAY_AND = {
    name: f"""SELECT {name}, day, sum(sales){_SUM} FROM by_{name} {_WITHIN} AND {name} IN (SELECT {name} FROM by_{name}
        {_WITHIN} GROUP BY ALL ORDER BY sum(sales) DESC, {name} LIMIT $3) GROUP BY ALL ORDER BY ALL"""  # noqa: S608
    for name in ("product", "region")
}
LIVES = f"""SELECT product, min(day), max(day), count(*), sum(sales){_SUM} FROM (
    SELECT product, day, sum(sales) AS sales FROM by_product WHERE day <= $1 GROUP BY ALL HAVING bool_or(NOT refund)
    ) GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - constants
REFUNDS = f"SELECT product, {_TOTALS} FROM by_product {_WITHIN} AND refund GROUP BY ALL ORDER BY ALL"  # noqa: S608
REFUNDS_BY_DAY = f"SELECT day, sum(sales){_SUM} FROM by_product WHERE refund GROUP BY ALL ORDER BY ALL"  # noqa: S608
UNIQUES = "SELECT (SELECT count(DISTINCT product) FROM by_product), (SELECT count(DISTINCT region) FROM by_region)"
BY_PLACE = f"""SELECT place, sum(sales){_SUM}, sum(quantity){_SUM} FROM by_place {_WITHIN}
    GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - constants


def by_both(shape: Shape, *, summed: bool, judged: bool) -> str:
    """The sums of each region and product in some periods; where these are not ``summed``, the table is scanned."""
    plain = "SELECT text, product, region, rows, sales, quantity FROM cube WHERE part = 0 AND k < 2"
    if not summed:
        rows = scanned(shape, "cells", ["day_text(date) AS day", "product", "region"])
        plain = f"""SELECT coalesce(day, '') AS text, product, region, count(*) AS rows, sum(sales) AS sales,
            sum(quantity) AS quantity FROM ({rows}) WHERE k < 2 AND coalesce(day, '') IN
            (SELECT text FROM asked) GROUP BY ALL"""  # noqa: S608 - names of ours
    others = f"""UNION ALL SELECT span, region, product, sign, sign * sales, sign * quantity FROM {_SIGNED}
        JOIN {SPANS} ON day BETWEEN first AND last"""  # noqa: S608 - names of ours
    return f"""WITH asked AS ({ASKED}) SELECT span, region, product, {_TOTALS} FROM (
        SELECT span, sold_in.name AS region, sold.name AS product, rows, sales, quantity FROM ({plain})
        JOIN asked USING (text) JOIN trimmed sold ON sold.text = coalesce(product, '')
        JOIN trimmed sold_in ON sold_in.text = coalesce(region, '')
        {others if judged else ""}) GROUP BY ALL HAVING sum(rows) <> 0 ORDER BY ALL"""  # noqa: S608 - names of ours
