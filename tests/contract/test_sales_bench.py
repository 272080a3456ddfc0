"""The benchmark of the sales analysis says what is so: its files, its truth, its table and its exit code."""

import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from devtools.sales_bench import __main__ as sales_bench
from devtools.sales_bench import contest, data, parts, processes, reference, table, truth
from devtools.sales_bench.contest import OURS, Contest
from devtools.sales_bench.processes import Failed, Measured
from devtools.sales_bench.table import Verdict
from opskit.sales import analyze

ROWS = 20_000


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder: Path = tmp_path_factory.getbasetemp() / "sales-bench"
    monkeypatch.setattr(contest, "CACHE", folder)
    monkeypatch.setattr(parts, "CACHE", folder)
    return folder


def silent(_: str) -> None:
    """Tell nobody."""


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    one = data.sample(tmp_path / "one", ROWS, messy=True)
    other = data.sample(tmp_path / "other", ROWS, messy=True)
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.account == other.account == data.sample(tmp_path / "one", ROWS, messy=True).account
    assert one.path.read_bytes().count(b"\n") == ROWS + 1


def test_four_percent_of_a_messy_file_is_odd_in_every_way(tmp_path: Path) -> None:
    clean, messy = (data.sample(tmp_path, ROWS, messy=odd).path.read_text().splitlines() for odd in (False, True))
    odd = sum(one != other for one, other in zip(clean, messy, strict=True))
    assert 0.035 < odd / ROWS < 0.045
    assert len(data.ODDITIES) >= 8
    assert {oddity.reason for oddity in data.ODDITIES} == {
        "",
        *data.sample(tmp_path, ROWS, messy=True).account.rejected,
    }


@pytest.mark.parametrize("messy", [False, True])
def test_the_slow_pass_finds_what_was_written(tmp_path: Path, messy: bool) -> None:  # noqa: FBT001
    sample = data.sample(tmp_path, ROWS, messy=messy)
    assert truth.truth(sample.path) == sample.account
    assert sample.account.accepted + sample.account.rejected.total() == ROWS


def test_the_slow_pass_guesses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(f"{data.HEADER}\n2024-12-30,Towel,about 5,1,East\n")
    with pytest.raises(ValueError, match="about 5"):
        truth.truth(path)
    path.write_text("Day,Product\n")
    with pytest.raises(ValueError, match="header"):
        truth.truth(path)


@pytest.mark.parametrize("how", ["stringio", "bytesio"])
def test_the_reference_finds_the_same_in_a_clean_file(tmp_path: Path, how: str) -> None:
    sample = data.sample(tmp_path, ROWS, messy=False)
    figures = reference.analyze(reference.read(how, sample.path))
    ours = analyze(sample.path)
    assert round(Decimal(figures["sales"]), 2) == sample.account.sales == ours.summary.total_sales
    assert figures["orders"] == sample.account.orders == ours.summary.total_orders
    assert figures["quantity"] == sample.account.quantity == ours.summary.total_quantity
    assert [one["Product"] for one in figures["products"]] == [one.product for one in ours.top_products]
    assert list(figures["regions"].values()) == [float(one.percentage or 0) for one in ours.region_analysis]


def test_a_small_run_prints_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contest, "ROUNDS", 1)
    monkeypatch.setattr(parts, "_ROUNDS", 1)
    monkeypatch.setattr(parts, "CALLS", 3)
    assert sales_bench.main(["--rows", str(ROWS), "--offline"]) in {0, 1}
    printed = capsys.readouterr().out
    for words in (
        "pandas, StringIO",
        "pandas, BytesIO",
        "missing: no environment is made offline",
        "rejected: future_date",
        "four PNG charts",
        "3 calls: growth",
        "longest of these",
    ):
        assert words in printed
    verdicts = [line.split() for line in printed.partition("sales analysis: targets")[2].splitlines() if line]
    ends = {" ".join(words[:-1]): words[-1] for words in verdicts}
    assert [end for words, end in ends.items() if "figures" in words] == ["met", "met"]
    assert [end for words, end in ends.items() if "accounted" in words] == ["met"]
    assert verdicts[-1][-2:] == ["not", "measured"]


def test_a_part_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SystemExit):
        sales_bench.main(["--only", "nonsense"])


def test_a_missed_target_fails_the_benchmark(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def part(_: object) -> list[Verdict]:
        return [table.most("pictures", 0.7, 0.5, "s")]

    monkeypatch.setattr(parts, "charts", part)
    assert sales_bench.main(["--only", "charts"]) == 1
    assert "MISSED" in capsys.readouterr().out


def test_a_process_that_fails_is_a_missed_target(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def part(_: object) -> list[Verdict]:
        raise Failed("no memory left")

    monkeypatch.setattr(parts, "charts", part)
    assert sales_bench.main(["--only", "charts"]) == 1
    assert "no memory left" in capsys.readouterr().out


def test_a_contest_is_judged_by_the_fastest_reference() -> None:
    account = data.Account(Decimal("10.50"), 1, Decimal(1), 1)
    said = {"sales": "10.5", "orders": 1, "quantity": "1"}
    rounds = {
        "slow": [Measured(9, 900, said), Measured(8, 100, said)],
        "fast": [Measured(2, 400, said), Measured(3, 300, said)],
        OURS: [Measured(2, 100, said), Measured(1, 150, said)],
    }
    found = Contest(data.Sample(Path("x.csv"), 10, account), rounds)
    assert found.fastest == "fast"
    verdicts = contest.compared(found, largest_mb=120, share=0.5)
    assert [(one.measured, one.met) for one in verdicts] == [
        ("10.5, 1 orders", True),
        ("0.5 times the fastest reference", True),
        ("150 MB", False),
        ("0.375 times that reference", True),
    ]
    account.orders = 2
    assert found.agreement().met is False
    with pytest.raises(Failed):
        _ = Contest(found.sample, {OURS: rounds[OURS]}, {"slow": "killed"}).fastest


def test_a_wrong_or_lost_row_is_a_missed_target(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    right = data.sample(cache, ROWS, messy=True).account
    said = {
        "sales": str(right.sales),
        "orders": right.orders,
        "quantity": str(right.quantity),
        "accepted": right.accepted - 1,
        "rejected": dict(right.rejected + Counter(blank=1)),
    }
    monkeypatch.setattr(parts, "ours", lambda *_: Measured(1, 100, said))
    verdicts = {one.what.partition(": ")[2]: one.met for one in parts.messy(ROWS, silent)}
    assert verdicts == {"figures": True, "rows accounted for": False, "memory": True, "time": True}


def test_what_a_failing_process_says_is_told() -> None:
    with pytest.raises(Failed, match="ValueError: broken"):
        processes.measured(Path(sys.executable), "-c", "raise ValueError('broken')")
    with pytest.raises(Failed, match="ended with 3"):
        processes.measured(Path(sys.executable), "-c", "import sys; sys.exit(3)")
