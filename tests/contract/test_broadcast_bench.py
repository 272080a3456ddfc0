"""The benchmark of broadcasts says what is so, and its targets can be missed."""

import pytest

from devtools import broadcast_bench


def test_it_measures_and_says_what_is_met(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast_bench, "SIZES", (2,))
    monkeypatch.setattr(broadcast_bench, "LIMITS", {2: 0.5})  # none can be faster than its slowest
    monkeypatch.setattr(broadcast_bench, "_EXTRA_MB", 1000.0)
    monkeypatch.setattr(broadcast_bench, "_AT_ONCE", 2)
    monkeypatch.setattr(broadcast_bench, "_AT_ONCE_LIMIT", 1000.0)
    monkeypatch.setattr(broadcast_bench, "_SLACK_S", 100.0)
    monkeypatch.setattr(broadcast_bench, "_ROUNDS", 1)
    assert broadcast_bench.main(["--seconds", "0.2"]) == 1
    said = capsys.readouterr().out
    assert said.count("MISSED") == 1
    for line in (
        "2, one after the other",
        "2 apps: total ÷ slowest single",
        "2 broadcasts of 2 at once",
        "4 answers after",
    ):
        assert line in said
