import ast
import re
import string
from pathlib import Path

import pytest

from opskit import errors, wording
from opskit.errors import InvalidInput, OpskitError, RateLimited, Refused, Unavailable

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "opskit").rglob("*.py"), *(ROOT / "bridge").rglob("*.py")])
CLASSES = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}


def raised_keys() -> dict[str, Path]:
    """Every key that an error class or `also` is called with, literally."""
    found: dict[object, Path] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant | ast.IfExp):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in CLASSES | {"also"}:
                    found |= {part.value: path for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)}
    return {key: path for key, path in found.items() if isinstance(key, str)}


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    drawn = re.findall(r"(?m)^    (?:[│ ]*[├└]─ )?([A-Z]\w+)", errors.__doc__ or "")
    assert set(drawn) == CLASSES
    assert issubclass(RateLimited, Refused)


def test_an_error_begins_with_its_key_and_speaks_the_locale() -> None:
    error = InvalidInput("no_source", names="file, csv_text")
    assert str(error) == "[no_source] There is nothing to analyse. Fill in one of: file, csv_text."
    error.locale = "zh_Hans"
    assert str(error).startswith("[no_source] 没有可分析的数据")


def test_an_error_is_told_in_another_language_and_stays_as_it_is() -> None:
    error = InvalidInput("no_source", names="file").also("parts_arrived", arrived="1", total=5)
    error.secrets = ["file"]
    assert error.told("zh_Hans").startswith("[no_source] 没有可分析的数据")
    assert "file" not in error.told("zh_Hans")
    assert str(error).startswith("[no_source] There is nothing")


def test_an_error_can_say_what_was_done_before() -> None:
    error = Unavailable("robot_odd_answer").also("parts_arrived", arrived="1, 2", total=5)
    assert str(error).endswith("Parts that had arrived before: 1, 2 of 5.")


def test_an_error_never_shows_a_secret() -> None:
    error = Refused("robot_other", errcode=1, errmsg="token abcdef123456 is bad")
    error.secrets = ["abcdef123456"]
    assert "abcdef123456" not in str(error)
    assert "***" in str(error)


def test_seconds_to_wait_are_known_or_none() -> None:
    assert RateLimited("robot_busy", seconds=7, count=1).seconds == 7
    assert RateLimited("robot_limit").seconds is None


@pytest.mark.parametrize(("key", "path"), sorted(raised_keys().items()))
def test_every_key_that_is_raised_has_a_sentence(key: str, path: Path) -> None:
    assert key in wording.sentences("en_US")["error"], path


def test_every_sentence_is_used() -> None:
    code = "\n".join(path.read_text() for path in SOURCES)
    for section, sentences in wording.sentences("en_US").items():
        for name in sentences:
            literal = re.search(rf"""["']({section}\.)?{name}["']""", code)
            composed = re.search(rf"""f["']{name.partition("_")[0]}_\{{""", code)
            assert literal or composed, f"{section}.{name}"


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_the_locales_have_the_same_keys_and_blanks() -> None:
    english, chinese = wording.sentences("en_US"), wording.sentences("zh_Hans")
    assert english.keys() == chinese.keys()
    for section, sentences in english.items():
        assert sentences.keys() == chinese[section].keys()
        for name, sentence in sentences.items():
            assert blanks(sentence) == blanks(chinese[section][name]), f"{section}.{name}"


def test_there_is_a_file_for_each_locale_and_no_other() -> None:
    assert {path.stem for path in (ROOT / "opskit" / "locales").iterdir()} == set(wording.LOCALES)


@pytest.mark.parametrize(
    ("language", "samples", "locale"),
    [
        ("zh_Hans", ["hello"], "zh_Hans"),
        ("en_US", ["你好"], "en_US"),
        ("auto", ["hello", "销售"], "zh_Hans"),
        ("auto", ["hello"], "en_US"),
        ("auto", ["売上の報告です"], "en_US"),
        ("auto", [None, 3], "en_US"),
        (None, [], "en_US"),
    ],
)
def test_auto_answers_in_the_language_of_the_text(language: object, samples: list[object], locale: str) -> None:
    assert wording.resolve(language, *samples) == locale


def test_every_error_class_is_an_opskit_error() -> None:
    assert all(issubclass(getattr(errors, name), OpskitError) for name in CLASSES)


def test_what_is_quoted_is_shortened_after_its_secrets_are_gone() -> None:
    error = errors.InvalidInput("not_usable", name="n", value="v" * 290 + "fake-token-0123456789", problem="p" * 1000)
    error.secrets = ["fake-token-0123456789"]
    assert "fake" not in str(error)
    assert "v" * 290 + "***" in str(error)
    assert "p" * 300 + "…" in str(error)


def test_half_a_surrogate_pair_reaches_no_message() -> None:
    assert str(errors.InvalidInput("not_usable", name="n", value="\ud83d", problem="p")).encode()


def test_what_is_quoted_turns_nothing_and_hides_no_secret() -> None:
    value = "fake-\u202etoken-0123456789"
    error = errors.InvalidInput("not_usable", name="a\u202eb\x07\u2066", value=value, problem="x\ny")
    error.secrets = ["fake-token-0123456789"]
    assert str(error) == '[not_usable] ab cannot be "***": x\ny.'
