"""The benchmark of the workflow history says what is so, and its targets can be missed."""

import pytest

from devtools import history_bench


def test_it_measures_and_says_what_is_met(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_bench, "_LIMIT", 100.0)
    monkeypatch.setattr(history_bench, "_CANONICAL_LIMIT_S", 100.0)
    monkeypatch.setattr(history_bench, "_SNAPSHOT_LIMIT", 100.0)
    monkeypatch.setattr(history_bench, "_ROUNDS", 1)
    assert history_bench.main(["--nodes", "20", "--apps", "4"]) == 0
    said = capsys.readouterr().out
    assert "MISSED" not in said
    for line in ("yaml.safe_load of both", "read, compared and told", "20 nodes: comparison ÷ yaml.safe_load of both"):
        assert line in said
    monkeypatch.setattr(history_bench, "_LIMIT", 0.0001)
    assert history_bench.main(["--nodes", "20", "--apps", "4"]) == 1
    assert "MISSED" in capsys.readouterr().out


def test_what_it_compares_has_changed_in_every_tenth_node() -> None:
    comparison = history_bench.compared(history_bench.workflow(40), history_bench.workflow(40, changed=True))
    assert {entry.id for entry in comparison.entries} == {"n0", "n10", "n20", "n30"}
