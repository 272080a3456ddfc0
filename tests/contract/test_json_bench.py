"""The benchmark of JSON repair says what is so: its faults, its verdicts, its exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from devtools.json_bench import __main__ as json_bench
from devtools.json_bench import collection, faults, texts
from devtools.json_bench.pathological import PATTERNS
from devtools.json_bench.peers import Peer
from opskit.jsonfix import mend

INTEGER = {"type": "integer"}
EXACT = {"lossless": True, "expected_is_raw": True}
CASES: list[dict[str, Any]] = [
    {"tier": "core", "category": "comma", "raw": "[1,]", "expected": [1]},
    {"tier": "hard", "category": "fullwidth_or_smart_quotes", "raw": "{“a”：1}", "expected": {"a": 1}},
    {"tier": "core", "category": "valid_unchanged", "raw": "[1.10]", "expected": [1.1], **EXACT},
    {
        "tier": "schema_core",
        "category": "schema",
        "raw": "{a:'1'}",
        "schema": {"properties": {"a": INTEGER}},
        "expected": {"a": 1},
    },
    {"tier": "schema_suite", "category": "type", "raw": "1", "schema": INTEGER, "expected": 1},
    {"tier": "schema_suite", "category": "type", "raw": "1.5", "schema": INTEGER, "expect": "conform_or_fail"},
    {"tier": "robustness", "category": "n", "raw": "[", "expect": "no_crash"},
]


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(json.dumps(case) for case in CASES), encoding="utf-8")
    return path


def run(*arguments: str) -> int:
    return json_bench.main(["--offline", "--largest", "1000", *arguments])


def test_it_measures_and_says_what_is_met(
    cases: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_bench, "_MANY", 200)
    monkeypatch.setattr(json_bench, "PATTERNS", {"commas": PATTERNS["commas"]})
    assert run("--collection", str(cases)) == 0
    said = capsys.readouterr().out
    assert "MISSED" not in said
    for line in (
        "core and hard repair  ",
        "schema suite, invalid",
        "patterns that end",
        "answers given with 0.9 or more",
    ):
        assert line in said


def test_a_repairer_that_is_wrong_misses_the_target(
    cases: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_bench, "_MANY", 1)
    monkeypatch.setattr(json_bench, "PATTERNS", {"commas": PATTERNS["commas"]})
    wrong = Peer("opskit, full", lambda _, __: "[2]")
    monkeypatch.setattr(json_bench, "ours", lambda coerce: wrong if coerce == "full" else Peer(coerce, wrong.repair))
    assert run("--collection", str(cases)) == 1
    assert "MISSED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("case", "answer", "verdict"),
    [
        ({"expected": [1]}, "[1]", "right"),
        ({"expected": [1]}, "[1.0]", "right"),
        ({"expected": [1]}, "[true]", "wrong"),
        ({"expected": ["1"]}, "[1]", "wrong"),
        ({"expected": [1]}, "[1,]", "invalid"),
        ({"expected": [1]}, "[NaN]", "invalid"),
        ({"expected": [1]}, None, "nothing"),
        ({"expect_fail": True}, None, "right"),
        ({"expect_fail": True}, "[1]", "wrong"),
        ({"expected": 1, "alternatives": [2]}, "2", "right"),
        ({"expected": {"a": None}, "ignore_null_keys": True}, "{}", "right"),
        ({"expected": {"a": None}}, "{}", "wrong"),
        ({"expected": [0.1], "lossless": True, "raw": "[0.10]", "expected_is_raw": True}, "[0.1]", "right"),
        (
            {"expected": [1], "lossless": True, "raw": "[1.0000000000000000001]", "expected_is_raw": True},
            "[1.0]",
            "wrong",
        ),
        ({"expect": "conform_or_fail", "schema": {"type": "array"}}, "{}", "nonconforming"),
        ({"expect": "conform_or_fail", "schema": {"type": "array"}}, "[]", "right"),
        ({"expect": "no_crash"}, "[]", "right"),
    ],
)
def test_an_answer_is_judged_as_a_reader_would(case: dict[str, Any], answer: str | None, verdict: str) -> None:
    assert collection.verdict(case, answer) == verdict


def test_the_same_seed_gives_the_same_faults() -> None:
    one, other = list(faults.made_up(300, seed=1)), list(faults.made_up(300, seed=1))
    assert one == other != list(faults.made_up(300, seed=2))
    assert len({fault.kind for fault in one}) == 27
    assert sum(fault.text == json.dumps(fault.value, ensure_ascii=False) for fault in one) == 0


def test_there_are_32_patterns_and_texts_of_the_size_that_was_asked_for() -> None:
    assert len(PATTERNS) == 32
    assert all(900 <= len(pattern(1_000)) <= 1_100 for pattern in PATTERNS.values())
    assert len(texts.broken(5_000)) == 5_000
    assert json.loads(texts.valid(5_000))
    assert mend(texts.broken(5_000)).valid
