import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from opskit.errors import InvalidInput
from opskit.sales.cells import Order
from opskit.sales.insight import Life, Period, Sums
from opskit.sales.ledger import Account, Ledger, NotClean, Reading, ledger, sql
from opskit.sales.ledger.asking import Asking
from opskit.sales.ledger.database import database
from opskit.sales.opening import Limits, opened

TODAY = date(2026, 3, 10)
HEADER = "Date,Product,Price,Amount,Region"
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
ALL = Period(FIRST, SECOND)
LITTLE = Limits(checked_bytes=100, head_bytes=1000)  # of a file that is judged by its head


@contextmanager
def read(text: str, tmp_path: Path, **options: Any) -> Iterator[Ledger]:
    path = tmp_path / "sales.csv"
    path.write_text(text, encoding="utf-8")
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    layout = opened(path, folder)
    with ledger(layout, folder, Reading(TODAY, **options)) as found:
        yield found


def account(rows: str, tmp_path: Path, header: str = HEADER, **options: Any) -> Account:
    with read(f"{header}\n{rows}", tmp_path, **options) as found:
        return found.account


def total(rows: str, tmp_path: Path, header: str = HEADER, **options: Any) -> Decimal:
    with read(f"{header}\n{rows}", tmp_path, **options) as found:
        return sum((sums.sales for sums in found.days().values()), Decimal(0))


def test_plain_rows_are_summed_by_day_product_and_region(tmp_path: Path) -> None:
    rows = "2026-03-01,灯,10.00,1,华东\n2026-03-02,灯,19.99,3,华东\n"
    rows += "2026-03-02, 灯　,20.01,1,华南\n2026-03-02,书,100,2.5,\n"
    for ends in ((Decimal(20), Decimal(100)), ()):
        with read(f"{HEADER}\n{rows}", tmp_path, range_ends=ends) as found:
            assert found.days() == {
                FIRST: Sums(1, Decimal(10), Decimal(1)),
                SECOND: Sums(3, Decimal("329.98"), Decimal("6.5")),
            }
            assert found.products(Period(SECOND, SECOND)) == {
                "灯": (Sums(2, Decimal("79.98"), Decimal(4)), Decimal(40)),
                "书": (Sums(1, Decimal(250), Decimal("2.5")), Decimal(100)),
            }
            assert found.regions(ALL)[""] == Sums(1, Decimal(250), Decimal("2.5"))
            assert found.regions_and_products(ALL)[0]["华东", "灯"] == Sums(2, Decimal("69.97"), Decimal(4))
            assert found.daily("region", ALL, most=5)["华东"] == {FIRST: 10, SECOND: Decimal("59.97")}
            assert found.daily("product", Period(SECOND, SECOND), most=2) == {
                "灯": {SECOND: Decimal("79.98")},
                "书": {SECOND: 250},
            }
            assert found.daily("product", Period(SECOND, SECOND), most=1).keys() == {"书"}
            ranges = {0: (Decimal("59.97"), 3), 1: (Decimal("270.01"), Decimal("3.5"))}
            whole = {0: (Decimal("329.98"), Decimal("6.5"))}
            assert found.price_ranges(Period(SECOND, SECOND)) == (ranges if ends else whole)
            assert found.lives(SECOND)["灯"] == Life(FIRST, SECOND, 2, Decimal("89.98"))
            assert found.lives(FIRST).keys() == {"灯"}
            assert found.uniques() == (2, 3)
            assert found.account == Account(accepted=4, cautions=[("blank_region", {"count": 1})])


def test_odd_cells_are_read_text_by_text(tmp_path: Path) -> None:
    rows = '2026/3/1,a,"¥1,234.50",2件,x\n2026年3月2日,a,(10),1,x\n20260302,a,1e1,-2,x\n2026-03-02 18:30:00,a,0.5,1,x\n'
    with read(f"{HEADER}\n{rows}", tmp_path) as found:
        assert found.days() == {
            FIRST: Sums(1, Decimal(2469), Decimal(2)),
            SECOND: Sums(3, Decimal("-29.5"), Decimal(0)),
        }
        assert found.account.refunds == 2
        assert found.account.currency == "CNY"
        assert found.refunds(ALL) == {"a": Sums(2, Decimal(-30), Decimal(-1))}


def test_every_rejected_row_has_one_reason_a_line_and_its_text(tmp_path: Path) -> None:
    rows = (
        "2026-03-01,a,1,1,x\n,,,,\n合计,,,7,\nDate,Product,Price,Amount,Region\n制表人：张三,,,,\n"
        "2026-03-01,a,1,1,x,extra\nsome day,a,2,3,x\n2062-03-01,a,5,1,x\n2026-03-01,a,N/A,1,x\n2026-03-01,a,1,,x\n"
        "2026-03-01,a,999999999999,999999999999,x\n,a,,4,\n"
    )
    found = account(rows, tmp_path)
    assert found.accepted == 1
    assert [(one.line, one.reason) for one in found.examples] == [
        (3, "blank"), (4, "total_row"), (5, "repeated_header"), (6, "note"), (7, "field_count"), (8, "bad_date"),
        (9, "future_date"), (10, "bad_price"), (11, "bad_amount"), (12, "bad_amount"), (13, "bad_date"),
    ]  # fmt: skip
    assert found.rejected == {
        one.reason: sum(other.reason == one.reason for other in found.examples) for one in found.examples
    }
    assert found.examples[4].text == "2026-03-01, a, 1, 1, x, extra"
    assert found.money == 12  # 1 of the surplus cell, 6 of the bad date, 5 of the future date


def test_five_examples_of_a_reason_are_enough(tmp_path: Path) -> None:
    found = account("2026-03-01,a,1,1,x\n" + "2026-03-01,a,?,1,x\n" * 9, tmp_path)
    assert (found.rejected, len(found.examples)) == ({"bad_price": 9}, 5)


def test_a_total_with_plain_numbers_is_no_sale(tmp_path: Path) -> None:
    found = account("2026-03-01,a,1,1,x\n2026-03-01,合计,1,1,\n2026-03-01,b,5,1,小计\n", tmp_path)
    assert (found.accepted, found.rejected) == (1, {"total_row": 2})


def test_currencies_are_never_mixed(tmp_path: Path) -> None:
    found = account("2026-03-01,a,¥1,1,x\n2026-03-01,a,¥2,1,x\n2026-03-01,a,$9,2,x\n2026-03-01,a,3,1,x\n", tmp_path)
    assert (found.accepted, found.rejected, found.currency) == (3, {"currency_mismatch": 1}, "CNY")
    assert found.money == 0  # no dollars among yuan
    assert found.cautions == [("mixed_currency", {"used": "CNY", "count": 1, "held": "USD 18.00"})]


def test_one_row_with_a_mark_beside_one_without_is_a_mixture(tmp_path: Path) -> None:
    header = "日期,商品,单价,数量,地区"
    found = account("2026-03-01,灯,$9,1,x\n2026-03-01,灯,3,1,x\n", tmp_path, header)
    assert (found.rejected, found.currency) == ({"currency_mismatch": 1}, "CNY")
    rows = "2026-03-01,灯,$9,1,x\n2026-03-01,灯,$9,?,x\n2026-03-01,灯,$9,1,x\n小计,,$9,1,\n2026-03-01,灯,3,1,x\n"
    unmarked = account(rows, tmp_path, header)
    assert (unmarked.accepted, unmarked.currency) == (3, "USD")
    assert ("unmarked_currency", {"used": "USD", "count": 1}) in unmarked.cautions


def test_a_column_may_tell_the_currency(tmp_path: Path) -> None:
    found = account(
        "2026-03-01,a,1,1,x,USD\n2026-03-01,a,2,1,x,USD\n2026-03-01,a,4,1,x,EUR\n", tmp_path, f"{HEADER},Currency"
    )
    assert (found.accepted, found.currency, found.rejected) == (2, "USD", {"currency_mismatch": 1})


def test_in_a_column_of_decimal_commas_a_point_parts_thousands(tmp_path: Path) -> None:
    rows = "".join(f"2026-03-01;a;{price};1;x\n" for price in ("12,50", "1.234,00", "7,25", "1.500", "3"))
    assert total(rows, tmp_path, HEADER.replace(",", ";")) == Decimal("2756.75")


def test_the_order_of_day_and_month_is_told_or_found_or_warned_of(tmp_path: Path) -> None:
    open_, shown = "03/04/2025,a,1,1,x\n", "03/04/2025,a,1,1,x\n25/04/2025,a,1,1,x\n"
    for rows, order, days, cautions in (
        (open_, None, {date(2025, 4, 3)}, [("ambiguous_dates", {})]),
        (open_, Order.MDY, {date(2025, 3, 4)}, []),
        (shown, None, {date(2025, 4, 3), date(2025, 4, 25)}, []),
    ):
        with read(f"{HEADER}\n{rows}", tmp_path, order=order) as found:
            assert found.days().keys() == days
            assert found.account.cautions == cautions


def test_merged_dates_are_filled_down_when_asked(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1,1,x\n,a,2,1,x\n2026-03-02,a,4,1,x\n,a,8,1,x\n"
    with read(f"{HEADER}\n{rows}", tmp_path, fill_down=True) as found:
        assert {day: sums.sales for day, sums in found.days().items()} == {FIRST: 3, SECOND: 12}
        assert found.account.accepted == 4
    assert account(rows, tmp_path).rejected == {"bad_date": 2}
    assert account(f"{rows} , , , , \n", tmp_path, fill_down=True).rejected == {"blank": 1}


def test_a_total_stands_in_for_a_missing_price(tmp_path: Path) -> None:
    with read(
        "日期,商品,数量,销售额,地区\n2026-03-01,a,4,10.00,x\n2026-03-01,a,2,¥5,x\n2026-03-01,a,1,?,x\n", tmp_path
    ) as found:
        assert found.products(ALL) == {"a": (Sums(2, Decimal(15), Decimal(6)), Decimal(5))}
        assert found.account.rejected == {"bad_price": 1}


def test_a_total_that_disagrees_with_price_and_quantity_is_counted(tmp_path: Path) -> None:
    found = account("2026-03-01,a,2,3,x,6\n2026-03-01,a,2,3,x,7\n2026/3/1,a,2,3,x,8\n", tmp_path, f"{HEADER},Total")
    assert (found.accepted, found.differing) == (3, 2)


def test_repeated_rows_are_counted_and_kept(tmp_path: Path) -> None:
    found = account("2026-03-01,a,1,1,x\n" * 3 + "2026-03-01,a,1.0,1,x\n" + "2026/3/1,a,1,1,x\n" * 2, tmp_path)
    assert (found.accepted, found.duplicates) == (6, 3)


def test_a_line_break_in_a_name_is_read_with_care(tmp_path: Path) -> None:
    with read(f'{HEADER}\n2026-03-01,"a\nb",1,1,x\n', tmp_path) as found:
        assert list(found.products(ALL)) == ["a\nb"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("昨天,a,1,1,x\n前天,a,1,1,x\n", r"\[no_valid_dates\].*Date \(rows looked at: 2\).*昨天, a, 1, 1, x"),
        ("2026-03-01,a,?,1,x\n合计,,,1,\n", r"\[no_rows\].*2 \(bad_price 1, total_row 1\).*2026-03-01, a, \?, 1, x"),
    ],
)
def test_a_table_without_one_row_that_counts_is_refused(rows: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=told):
        account(rows, tmp_path)


def test_without_a_header_the_date_column_is_named_by_its_number(tmp_path: Path) -> None:
    rows = "".join(f"2062-03-0{day},灯{day},19.9{day},{day},华东\n" for day in range(1, 8))
    with pytest.raises(InvalidInput, match=r"no_rows.*future_date 7"):
        account(rows.split("\n", 1)[1], tmp_path, rows.split("\n", 1)[0])


def test_a_table_too_large_to_sum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(f"{HEADER}\n2026-03-01,a,1,1,x\n")
    for error, told in (
        (duckdb.OutOfMemoryException("of memory"), "too_many_groups"),
        (duckdb.OutOfRangeException("overflow"), "too_many_digits"),
    ):
        with pytest.raises(InvalidInput, match=told), database(opened(path, tmp_path), tmp_path, surplus=1):
            raise error
    with pytest.raises(duckdb.BinderException), database(opened(path, tmp_path), tmp_path, surplus=1):
        raise duckdb.BinderException("a fault of ours")


def test_the_database_reads_the_table_and_nothing_else(tmp_path: Path) -> None:
    path, other = tmp_path / "it's sales.csv", tmp_path / "secret.csv"
    path.write_text(f"{HEADER}\n2026-03-01,a,1,1,x\n")
    other.write_text("secret\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    with database(opened(path, folder), folder, surplus=1) as connection:
        for query in (
            f"FROM read_csv('{other}')",
            f"COPY written TO '{tmp_path}/out.csv'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(query)
        assert connection.execute("SELECT product FROM written").fetchall() == [("a",)]


def test_sums_are_those_of_decimal_arithmetic(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - a seeded mix of prices, no secret
    rows, expected = [], Decimal(0)
    for _ in range(2000):
        price, amount = Decimal(chance.randrange(10**7)) / 100, Decimal(chance.randrange(-50, 10**4)) / 10
        expected += price * amount
        shown = chance.choice([f"{price}", f'"¥{price:,}"', f"{price}元"])
        rows.append(f"2026-03-01,p{chance.randrange(9)},{shown},{amount},x\n")
    assert total("".join(rows), tmp_path) == expected


# Cells that a comma parted


@pytest.mark.parametrize(
    ("row", "accepted", "sales", "held"),
    [
        ("2026-03-01,a,1,299.00,2,x", 1, 2598, 0),
        ("2026-03-01,a,1,234,567.50,2,x", 1, 2469135, 0),
        ("2026-03-01,a,1,299,2,x", 1, 2598, 0),
        ("2026-03-01,a,1,200,300,x", 0, 0, 360_000),  # 1 × 200,300 or 1,200 × 300: nobody knows
        ("2062-03-01,a,1,299.00,2,x", 0, 0, 2598),
        ("2026-03-01,a,1,299.00,two,x", 0, 0, 299),
        ("2026-03-01,a,1,2,3,4,5,6,7,8,9", 0, 0, 2),
    ],
)
def test_a_comma_of_a_thousand_parts_no_cells(row: str, accepted: int, sales: int, held: int, tmp_path: Path) -> None:
    with read(f"{HEADER}\n2026-03-01,a,1,1,x\n{row}\n", tmp_path) as found:
        assert found.account.accepted == 1 + accepted
        assert found.days()[FIRST].sales == 1 + sales
        assert found.account.money == held
        assert found.account.rejected == ({} if accepted else {"field_count": 1})


def test_the_rows_own_total_decides_between_two_readings(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1,1,x,1\n2026-03-01,a,1,200,300,x,360000\n2026-03-01,a,1,200,300,x,7\n"
    found = account(rows, tmp_path, f"{HEADER},Total")
    assert (found.accepted, found.rejected) == (2, {"field_count": 1})


def test_where_most_rows_cannot_be_joined_none_is(tmp_path: Path) -> None:
    """Here the commas are decimal, and 4,544,56 is no 4,544 pieces at 56."""
    rows = "2026-03-01,a,1,1,x\n2026-03-01,a,23,5,1,x\n2026-03-01,a,71,05,8,x\n2026-03-01,a,4,544,56,x\n"
    found = account(rows, tmp_path)
    assert (found.accepted, found.rejected) == (1, {"field_count": 3})


def test_a_row_that_lacks_its_last_cell_may_have_a_comma_too_many(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1,1,north\n" * 9 + "2026-03-01,a,1,299.00,2\n"
    found = account(rows, tmp_path)
    assert (found.accepted, found.rejected, found.money) == (9, {"field_count": 1}, Decimal(2598))


def test_blank_cells_at_the_end_do_not_hide_a_comma_too_many(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1,1,north,,\n" * 9 + "2026-03-01,a,1,299.00,2,north,\n"
    found = account(rows, tmp_path, f"{HEADER},Note,Remark")
    assert (found.accepted, found.rejected, found.money) == (9, {"field_count": 1}, Decimal(2598))


def test_a_figure_for_a_region_shows_that_another_comma_should_have_been_joined(tmp_path: Path) -> None:
    header = f"{HEADER},Sent to,List price"
    found = account("2026-03-01,a,5,1,x,y,7\n2026-03-01,a,489,91,2,x,1,661.60\n", tmp_path, header)
    assert (found.accepted, found.rejected) == (1, {"field_count": 1})
    shops = "".join(f"2026-03-01,a,5,1,{shop},y,7\n" for shop in range(4))
    found = account(f"{shops}2026-03-01,a,1,661.60,91,2,x,7\n", tmp_path, header)
    assert (found.accepted, found.rejected) == (5, {})


def test_a_region_behind_a_number_for_one_shows_that_a_row_is_shifted(tmp_path: Path) -> None:
    rows = "2026-03-01,a,69,36,5,华东,\n2026-03-01,a,2,994.73,7件,臺北市,\n2026-03-01,a,1,1,华南,,\n"
    found = account(rows, tmp_path, f"{HEADER},备注,备注")
    assert (found.accepted, found.rejected, found.money) == (
        1,
        {"field_count": 2},
        Decimal(69 * 36) + Decimal("20963.11"),
    )
    assert account(rows, tmp_path, "Date,Product,Price,Amount,区域编号,区域名称,备注").accepted == 3
    assert account("2026-03-01,a,69,36,5,Lee\n2026-03-01,a,69,36,6,Wu\n", tmp_path, f"{HEADER},Seller").accepted == 2


def test_a_row_without_its_product_is_not_sold_at_its_quantity(tmp_path: Path) -> None:
    sold = "".join(f"2026-03-01,{name},2,4,8\n" for name in "abcdefghij")
    rows = f"{sold}2026-03-01,1563.93,4,6255.72\n2026-03-01,1984,2,5,10\n2026-03-01,1984,2,5\n"
    found = account(rows, tmp_path, "Date,Product,Price,Amount,Total")
    assert (found.accepted, found.rejected, found.money) == (12, {"field_count": 1}, Decimal("6255.72"))
    numbered = account("2026-03-01,1563.93,4,6255.72\n" * 2, tmp_path, "Date,Product,Price,Amount,Total")
    assert numbered.accepted == 2  # products are numbers here
    plain = account("2026-03-01,2,3,6\n2026-03-01,2,¥3,6\n", tmp_path, "Date,Product,Price,Amount")
    assert (plain.accepted, plain.rejected) == (2, {})


def test_a_blank_region_is_no_sign_of_a_comma_too_many(tmp_path: Path) -> None:
    rows = "2026-03-01,x,a,12,5,-\n" * 3 + "2026-03-01,,a,12,120,7\n"
    found = account(rows, tmp_path, "Date,Region,Product,Price,Amount,Note")
    assert (found.accepted, found.rejected) == (4, {})


def test_a_comma_that_may_as_well_be_a_decimal_one_is_no_thousands(tmp_path: Path) -> None:
    header = "Date,Product,Price,Amount,Returned,Region,Target,Cost"
    for row, accepted in {"a,1,489,9,4,x,4,61.6": 2, "a,489,91,9,4,x,4,661.6": 0}.items():
        found = account("2026-03-01,a,1,1,0,x,1,1\n" + f"2026-03-01,{row}\n" * 2, tmp_path, header)
        assert (found.accepted, found.rejected["field_count"]) == (1 + accepted, 2 - accepted)
    cells = "2026-03-01,a,12,50,4,661,7\n" * 2  # 12 × 50 and 4,661, or 12.50 × 4 and 661
    found = account(f"2026-03-01,a,1,1,1,1\n{cells}", tmp_path, "Date,Product,Price,Amount,Target,Cost")
    assert (found.accepted, found.rejected) == (1, {"field_count": 2})


def test_what_stands_in_the_column_before_is_no_region(tmp_path: Path) -> None:
    """Price and quantity were 2,477.97 and 3; the row lacks its last cell, and the state stands below Region."""
    rows = "2026-03-01,a,1,1,sent,north\n" * 9 + "2026-03-01,a,2,477.97,3,sent\n"
    found = account(rows, tmp_path, "Date,Product,Price,Amount,State,Region")
    assert (found.accepted, found.rejected) == (9, {"field_count": 1})


# Other tables, units, totals


def test_another_table_below_is_not_counted(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1,1,x\n,,,,\nDate,Customer,Phone,Amount,Region\n2026-03-01,Li,138,9,x\n2026-03-01,Wu,139,8,y\n"
    found = account(rows, tmp_path)
    assert found.accepted == 1
    assert found.rejected == {"blank": 1, "note": 3}
    assert ("appended_table", {"line": 4, "count": 3}) in found.cautions
    again = account(f"{rows}{HEADER}\n2026-03-02,b,5,1,x\n", tmp_path)
    assert (again.accepted, again.rejected) == (2, {"blank": 1, "note": 3, "repeated_header": 1})


def test_an_export_joined_to_another_counts(tmp_path: Path) -> None:
    found = account(f"2026-03-01,a,1,1,x\n{HEADER}\n2026-03-02,b,5,1,x\n", tmp_path)
    assert (found.accepted, found.rejected) == (2, {"repeated_header": 1})


def test_a_name_may_be_wrapped_to_keep_its_zeros(tmp_path: Path) -> None:
    table = '日期,商品,单价,数量\n="2026-03-01",="007",="1.5",="2"\n2026-03-01,007,1,1\n2026-03-01,"=""8""&A1",1,1\n'
    with read(table, tmp_path) as found:
        assert found.products(Period(FIRST, FIRST)).keys() == {"007", '="8"&A1'}


def _told(header: str, cell: str, tmp_path: Path, figures: str = "2.5,2") -> dict[str, object]:
    """What is told of a table with one more column, in which one row late in the file says ``cell``."""
    rows = "2026-03-01,TV,2.5,2,\n" * 400 + f"2026-03-01,TV,{figures},{cell}\n"
    with read(f"Date,Product,Price,Amount,{header}\n{rows}", tmp_path) as found:
        told = {code: blanks for code, blanks in found.account.cautions if code in {"undone_orders", "not_taken_off"}}
    return {code: blanks.get("states", blanks.get("columns")) for code, blanks in told.items()}


@pytest.mark.parametrize(
    ("header", "rows", "currency", "rejected"),
    [
        ("Price,Currency", "$2,AUD\n$3,AUD\n", "AUD", 0),
        ("Price,Currency", "$2,AUD\nUS$3,AUD\n", "AUD", 1),
        ("Price,Currency", "$2,x\n3,\n", "USD", 0),
        ("Price (AUD),x", "$2,\n$3,\n", "AUD", 0),
        ("単価(円),x", "¥2,\n¥3,\n", "JPY", 0),
    ],
)
def test_a_sign_is_that_of_the_table(tmp_path: Path, header: str, rows: str, currency: str, rejected: int) -> None:
    table = "".join(f"2026-03-01,TV,1,{row}\n" for row in rows.splitlines())
    with read(f"Date,Product,Quantity,{header}\n{table}", tmp_path) as found:
        assert (found.account.currency, found.account.rejected.total()) == (currency, rejected)


def test_rows_without_a_date_and_minus_times_minus_are_told(tmp_path: Path) -> None:
    rows = "2026-03-01,a,2,1,x\n,b,3,1,x\n2026-03-01,c,-2,-1,x\n2026-03-01,c,(2.00),-1,x\n2026-03-01,c,-2,1,x\n"
    with read(f"Date,Product,Price,Amount,Region\n{rows}", tmp_path) as found:
        assert found.account.cautions == [("undated_rows", {"count": 1}), ("double_minus", {"count": 2})]
    with read("Date,Product,Total\n2026-03-01,a,2\n", tmp_path) as found:
        assert found.account.cautions == []


@pytest.mark.parametrize(
    ("prices", "delimiter", "told"),
    [
        ("1.299 899", ";", "1.299"),
        ("1.299 2.499", ",", "1.299"),
        ("1,499 2,499", ";", "1,499"),
        ("1,499 2.499", ";", ""),
        ("1.299 0.500", ";", ""),
        ("1.299 12.50", ";", ""),
        ("1.299 12,50", ";", ""),
        ("12 13", ";", ""),
    ],
)
def test_marks_that_nothing_tells_the_meaning_of_are_told(
    tmp_path: Path, prices: str, delimiter: str, told: str
) -> None:
    lines = ["Date|Product|Quantity|Price", *(f"2026-03-01|TV|1|{price}" for price in prices.split())]
    with read("\n".join(lines).replace("|", delimiter), tmp_path) as found:
        assert dict(found.account.cautions).get("ambiguous_marks", {}).get("text", "") == told


def test_units_of_one_measure_are_told_where_they_are_mixed(tmp_path: Path) -> None:
    for units, told in [("g kg", "g, kg"), ("台 箱", ""), ("升 毫升", "升, 毫升")]:
        rows = "".join(f"2026-03-01,灯,1,2{unit}\n" for unit in units.split())
        with read(f"日期,产品,单价,数量\n{rows}", tmp_path) as found:
            assert dict(found.account.cautions).get("mixed_units", {}).get("units", "") == told


def test_days_that_a_spreadsheet_seems_to_have_swapped_are_told(tmp_path: Path) -> None:
    swapped = ["2025-03-04", "2025-05-04", "2025-06-12", "25/04/2025", "26/04/2025", "27/04/2025"]
    for days, told in [(swapped, True), ([*swapped, "2025-03-13"], False), ([*swapped, "11/04/2025"], False)]:
        rows = "".join(f"{day},a,1,2\n" for day in days)
        with read(f"Date,Product,Price,Amount\n{rows}", tmp_path) as found:
            assert ("swapped_days" in dict(found.account.cautions)) == told
    with read("Date,Product,Price,Amount\n25/04/2025,a,1,2\n", tmp_path) as found:
        assert found.account.cautions == []


def test_a_region_that_is_a_number_where_no_other_is_shows_a_comma_too_many(tmp_path: Path) -> None:
    rows = "2026-03-01,TV,5.00,2,North\n" * 9
    with read(f"Date,Product,Price,Amount,Region\n{rows}2026-03-01,TV, 12,5.00,2\n", tmp_path) as found:
        assert found.account.rejected == {"field_count": 1}


def test_orders_that_were_not_carried_through_are_told(tmp_path: Path) -> None:
    undone = [
        ("订单状态", "已退款"), ("Financial Status", "voided"), ("业务类型", "退货"), ("TransactionType", "Return"),
        ("Cancelled", "TRUE"), ("是否退款", "是"), ("Cancelled at", "2026-03-02"), ("is_refund", "Y"),
    ]  # fmt: skip
    for header, cell in undone:
        assert _told(header, cell, tmp_path) == {"undone_orders": cell}, header
    assert _told("业务类型", "退货", tmp_path, figures="2.5,-2") == {}  # it takes itself off
    for header, cell in [
        ("订单状态", "未申请退款"),
        ("Status", "paid"),
        ("State", "Cancelled"),
        ("Cancelled", "FALSE"),
    ]:
        assert _told(header, cell, tmp_path) == {}, header


def test_what_was_not_taken_off_is_told(tmp_path: Path) -> None:
    for header, cell in [("Discount", "10%"), ("退货数量", "1"), ("优惠金额", "0.5"), ("Refunded Amount", "5")]:
        assert _told(header, cell, tmp_path) == {"not_taken_off": header}
    for header, cell in [("Discount", "0.00"), ("折扣", "100%"), ("Refund Date", "")]:
        assert _told(header, cell, tmp_path) == {}
    assert _told("Total,Discount", "5,1", tmp_path) == {}
    with read("Date,Product,折后价,Amount,折扣\n2026-03-01,TV,2,2,0.5\n", tmp_path) as found:
        assert found.account.cautions == []


def test_a_heading_may_name_what_one_stands_for(tmp_path: Path) -> None:
    with read("日期,商品,单价（万元）,数量,地区\n2026-03-01,a,1.5,2,x\n2026-03-01,a,3万,1,x\n", tmp_path) as found:
        assert found.days()[FIRST].sales == 60_000


def test_a_total_of_a_product_that_the_table_knows_is_no_sale(tmp_path: Path) -> None:
    rows = "2026-03-01,North,1,1,x\n2026-03-01,North Total,1,1,x\n2026-03-01,Colgate Total,1,1,x\n"
    rows += "2026-03-01,Grand Total,?,1,x\nNorth total,,9,,\n2026-03-01,总计算器,1,1,x\n"
    found = account(rows, tmp_path)
    assert (found.accepted, found.rejected) == (3, {"total_row": 3})


# Files that are not what their heads look like


@pytest.mark.parametrize(
    "row",
    ['2026-03-02,"a,9,1,x', '2026-03-02,"a\nb",9,1,x', '2026-03-02,a "b" c,9,1,x,"', '2026-03-02,"a"b,9,1,x'],
)
def test_a_stray_quotation_mark_further_down_is_noticed_and_read_with_care(row: str, tmp_path: Path) -> None:
    rows = "2026-03-01,a,1,1,x\n" * 60_000
    path = tmp_path / "sales.csv"
    path.write_text(f"{HEADER}\n{rows}{row}\n{rows}", encoding="utf-8")
    layout = opened(path, tmp_path, limits=LITTLE)
    assert not layout.complete
    with pytest.raises(NotClean), ledger(layout, tmp_path, Reading(TODAY)):
        pass
    mended = opened(path, tmp_path, limits=LITTLE, thorough=True)
    with ledger(mended, tmp_path, Reading(TODAY)) as found:
        assert found.account.accepted + found.account.rejected.total() >= 60_000


def test_surplus_cells_are_found_wherever_they_stand(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1,1,x\n" * 300 + "2026-03-01,a,1,1,x,,,,,,,far\n2026-03-01,a,1,1,x,,,,\n"
    found = account(rows, tmp_path)
    assert (found.accepted, found.rejected) == (301, {"field_count": 1})


def test_lines_of_examples_count_blank_lines_and_breaks_within_cells(tmp_path: Path) -> None:
    rows = '2026-03-01,a,1,1,x\n\n\n2026-03-01,a,?,1,x\n2026-03-01,"a\nb",1,1,x\n2026-03-01,c,?,1,x\n'
    found = account(rows, tmp_path)
    assert [(one.line, one.reason) for one in found.examples] == [
        (3, "blank"), (4, "blank"), (5, "bad_price"), (8, "bad_price"),
    ]  # fmt: skip
    [noted] = account('2026-03-01,a,1,1,x\n2026-03-01,"a\nb",?,1,x\n', tmp_path).examples
    assert noted.text == "2026-03-01, a\nb, ?, 1, x"


def test_more_memory_is_taken_before_a_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(f"{HEADER}\n2026-03-01,a,1,1,x\n")
    with database(opened(path, tmp_path), tmp_path, surplus=1) as connection:
        connection.execute("SET memory_limit = '1MB'")
        ask = Asking(connection, 160_000_000)
        many = "SELECT count(*) FROM (SELECT range AS a FROM range(200000) GROUP BY ALL)"
        assert ask.all(many) == [(200_000,)]
        connection.execute("SET memory_limit = '1MB'")
        with pytest.raises(duckdb.OutOfMemoryException):
            Asking(connection, 1_000_000).all("SELECT list(range) FROM range(20000000)")


def test_a_currency_that_most_rows_do_not_name_is_told(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1,1,x\n" * 5 + "2026-03-01,a,$1,1,x\n"
    found = account(rows, tmp_path)
    assert (found.accepted, found.currency) == (6, "USD")
    assert ("unmarked_currency", {"used": "USD", "count": 5}) in found.cautions


def test_a_record_of_two_lines_is_noticed_where_none_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(f"{HEADER}\n2026-03-01,a,1,1,x\n", encoding="utf-8")
    layout = opened(path, tmp_path)
    path.write_text(f'{HEADER}\n2026-03-01,"a\nb",1,1,x\n', encoding="utf-8")
    with pytest.raises(NotClean), ledger(layout, tmp_path, Reading(TODAY)):
        pass


def test_a_reading_that_does_not_come_to_as_many_rows_as_lines_is_no_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is known that the database reads like that; one that it did would be counted wrong in silence."""
    monkeypatch.setattr(sql, "count", lambda _: "SELECT 9, 9, 9, false, false")
    with pytest.raises(NotClean), read(f"{HEADER}\n2026-03-01,a,1,1,x\n", tmp_path):
        pass


def test_more_surplus_cells_than_are_looked_at_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    rows = "2026-03-01,a,1,1,x,,,\n" + "2026-03-01,a,1,1,x\n" * 60_000
    path.write_text(f"{HEADER}\n{rows}2026-03-01,a,1,1,x{',' * 60}y\n", encoding="utf-8")
    with pytest.raises(NotClean), ledger(opened(path, tmp_path, limits=LITTLE), tmp_path, Reading(TODAY)):
        pass
    thorough = opened(path, tmp_path, limits=LITTLE, thorough=True)
    with ledger(thorough, tmp_path, Reading(TODAY)) as found:
        assert (found.account.accepted, found.account.rejected) == (60_001, {"field_count": 1})


def test_notes_and_other_tables_share_the_examples_of_a_reason(tmp_path: Path) -> None:
    rows = (
        "2026-03-01,a,1,1,x\n" + "说明：如下,,,,\n" * 4 + "Date,Customer,Phone,Amount,Region\n2026-03-01,Li,1,9,x\n" * 2
    )
    found = account(rows, tmp_path)
    assert found.rejected == {"note": 8}
    assert [one.line for one in found.examples] == [3, 4, 5, 6, 7]


def test_a_label_of_a_total_may_stand_in_a_column_of_no_name_of_ours(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1,1,x,-\n" * 9 + "2026-03-01,,9,1,,小计\n2026-03-01,,5,1,x,-\n2026-03-01,a,9,1,,Sum\n"
    found = account(rows, tmp_path, f"{HEADER},备注")
    assert (found.accepted, found.rejected) == (10, {"total_row": 2})
    found = account("2026-03-01,a,1,1,x,CNY\n2026-03-01,,1,1,,Total\n", tmp_path, f"{HEADER},Currency")
    assert (found.accepted, found.rejected) == (1, {"total_row": 1})


def test_a_label_in_another_column_makes_a_total_of_a_whole_row_unless_most_rows_have_it(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1,1,x,-\n" * 3 + "2026-03-01,a,9,1,x,小计\n2026-03-01,a,5,1,x,Summary\n"
    found = account(rows, tmp_path, f"{HEADER},备注")
    assert (found.accepted, found.rejected) == (4, {"total_row": 1})
    found = account("2026-03-01,a,1,1,x,Total\n2026-03-01,b,9,1,y,Total\n", tmp_path, f"{HEADER},Measure")
    assert (found.accepted, found.rejected) == (2, {})


def test_a_subtotal_of_a_product_has_no_other_words(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1,1,x,S1,ok\n2026-03-01,a,9,1,,Sum,3\n2026-03-01,a,5,1,,S1,合计\n2026-03-01,a,5,1,x,,合计\n"
    found = account(rows, tmp_path, f"{HEADER},Counter,备注")
    assert (found.accepted, found.rejected) == (2, {"total_row": 2})


def test_more_than_can_be_money_is_taken_out_as_it_was_put_in(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1.5,2,x\n2026-03-01,合计,453128100,26,x\n2026-03-01,b,453128100,1,x\n"
    with read(f"日期,商品,单价（万元）,数量,地区\n{rows}", tmp_path) as found:
        assert found.account.rejected == {"total_row": 1, "bad_price": 1}
        assert found.products(ALL).keys() == {"a"}


def test_a_word_in_the_remark_of_a_future_order_makes_no_total_of_it(tmp_path: Path) -> None:
    rows = '2026-03-01,a,1,1,x,-,ok\n2062-03-01,a,1,1,x,"thanks, 合计",ok\n,a,5,1,x,小计,\n'
    told = account(rows, tmp_path, f"{HEADER},备注,State")
    assert (told.accepted, told.rejected) == (1, {"future_date": 1, "total_row": 1})


def test_a_product_that_reads_like_a_note_does_not_make_one_of_its_row(tmp_path: Path) -> None:
    found = account("2026-03-01,# 1,1,1,x\n2026-3,# 1,5,1,x\n,# 1,,,\n# 1,a,1,1,x\n", tmp_path)
    assert (found.accepted, found.rejected) == (1, {"bad_date": 1, "note": 2})
    assert found.money == 5


def test_a_header_may_itself_be_the_word_for_a_sum(tmp_path: Path) -> None:
    found = account("5,x,a,2026-03-01\nSubtotal,Region,Product,Date\n", tmp_path, "Subtotal,Region,Product,Date")
    assert (found.accepted, found.rejected) == (1, {"repeated_header": 1})
    odd = account("\ufeff2026-03-01,a,1,1,x\n\ufeffDate,Product,Price,Amount,Region\n", tmp_path)
    assert (odd.accepted, odd.rejected) == (1, {"repeated_header": 1})


def test_a_number_too_large_for_money_is_none_and_a_comma_may_be_a_slip(tmp_path: Path) -> None:
    rows = "2026-03-01,a,1.5,1,x\n2026-03-01,a,2.5,1,x\n2026-03-01,a,1e13,1,x\n" + '2026-03-01,a,"12,50",1,x\n'
    found = account(rows, tmp_path)
    assert (found.accepted, found.rejected) == (2, {"bad_price": 2})


def test_words_in_a_row_of_notes_make_no_heading(tmp_path: Path) -> None:
    found = account("2026-03-01,a,1,1,x\nplease,call,me,later,today\n", tmp_path)
    assert (found.accepted, found.rejected) == (1, {"note": 1})


def test_a_reader_that_fails_by_itself_is_asked_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB 2.0 ends with an internal error now and then, and reads the same file right the next time."""
    failures = [duckdb.InternalException("of its own")]
    first = Asking.all

    def sometimes(ask: Asking, query: str, values: Any = ()) -> Any:
        if failures and "count(DISTINCT hash(line))" in query:
            raise failures.pop()
        return first(ask, query, values)

    monkeypatch.setattr(Asking, "all", sometimes)
    with read(f"{HEADER}\n2026-03-01,a,1,1,x\n", tmp_path) as found:
        assert found.account.accepted == 1
    failures += [duckdb.InternalException("of its own")] * 2
    with pytest.raises(NotClean), read(f"{HEADER}\n2026-03-01,a,1,1,x\n", tmp_path):
        pass


def test_a_few_decimal_commas_among_points_are_slips(tmp_path: Path) -> None:
    rows = '2026-03-01,a,7.585,1,x\n2026-03-01,a,4.275,1,x\n2026-03-01,a,2.021,1,x\n2026-03-01,a,"7,65",1,x\n'
    found = account(rows, tmp_path)
    assert (found.accepted, found.rejected) == (3, {"bad_price": 1})


def test_what_is_no_number_is_no_witness_against_decimal_commas(tmp_path: Path) -> None:
    assert total('2026-03-01,a,"12,50 €",1,x\n2026-03-01,a,3*12.5,1,x\n', tmp_path) == Decimal("12.5")


def test_one_decimal_comma_among_thousands_is_a_slip(tmp_path: Path) -> None:
    rows = '2026-03-01,a,"1,894",1,x\n2026-03-01,a,"1,997",1,x\n2026-03-01,a,"2493,00",1,x\n2026-03-01,a,192,1,x\n'
    with read(f"{HEADER}\n{rows}", tmp_path) as found:
        assert found.days()[FIRST].sales == 4083
        assert found.account.rejected == {"bad_price": 1}


def test_dates_that_all_lie_in_the_future_are_told_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no_rows.*All dates lie after tomorrow"):
        account("2062-03-01,a,1,1,x\n", tmp_path)


def test_a_mark_that_few_rows_bear_is_not_the_currency_of_all(tmp_path: Path) -> None:
    rows = '2026-03-01,灯,"1,000",1,华东\n' * 3 + "2026-03-01,灯,$5,1,华东\n"
    found = account(rows, tmp_path)
    assert (found.accepted, found.rejected, found.currency) == (3, {"currency_mismatch": 1}, "CNY")


def test_a_column_of_currencies_may_name_none(tmp_path: Path) -> None:
    found = account("2026-03-01,a,1,1,x,shop\n2026-03-01,a,2,1,x,shop\n", tmp_path, f"{HEADER},Currency")
    assert (found.accepted, found.currency) == (2, "")
