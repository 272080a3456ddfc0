from decimal import Decimal

import pytest

from opskit import sales
from opskit.errors import InvalidInput
from opskit.sales import Posted

CSV = "Date,Product,Price,Amount,Region\n2026-03-01,灯,19.99,3,华东\n"


@pytest.mark.parametrize(
    ("text", "file"),
    [(CSV, None), ("", CSV.encode()), ("", CSV.encode("gbk")), ("", CSV.encode("utf-16"))],
)
def test_a_posted_table_is_read_whichever_way_it_comes(text: str, file: bytes | None) -> None:
    analysis = sales.analyze_posted(Posted(csv_text=text, charts="none"), file)
    assert analysis.summary.total_sales == Decimal("59.97")
    assert analysis.chart_blocks == ""


@pytest.mark.parametrize(
    ("text", "file", "key"),
    [("", None, "no_source"), (CSV, b"x", "several_sources"), (CSV, b"", "several_sources"), ("", b"", "empty_file")],
)
def test_exactly_one_table_is_posted(text: str, file: bytes | None, key: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^\[{key}\]"):
        sales.analyze_posted(Posted(csv_text=text), file)
