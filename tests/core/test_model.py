import json
from decimal import Decimal
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from opskit.errors import InvalidInput
from opskit.model import AS_TEXT, STRUCTURED, Exact, Key, Listed, Params, Result


class Sample(Params):
    names: Listed = ()
    pairs: Annotated[tuple[dict[str, int], ...], STRUCTURED, AS_TEXT] = ()
    key: Key | None = None


class Sums(Result):
    total: Exact


@pytest.mark.parametrize(
    "given_",
    ["a, b", "a，b", "a;b", "a\nb\n", '["a", "b"]', "['a', 'b']", ["a", "b"], " a ,, b ,", "a、b"],
)
def test_a_list_is_read_however_it_is_written(given_: object) -> None:
    assert Sample.model_validate({"names": given_}).names == ("a", "b")


@pytest.mark.parametrize("given_", ["[" * 60_000, "[" * 5000 + "]" * 5000, "(1, " * 30_000, f"[{'1,' * 60_000}'x']"])
def test_what_is_nested_too_deeply_or_is_too_long_for_python_is_no_json(given_: str) -> None:
    with pytest.raises(InvalidInput, match="not_json"):
        Sample.model_validate({"pairs": given_})


def test_half_a_surrogate_pair_is_replaced_wherever_it_stands() -> None:
    sample = Sample.model_validate({"names": '["\\ud83d"]', "pairs": '[{"\\udc00": 1}]'})
    assert (sample.names, sample.pairs) == (("\ufffd",), ({"\ufffd": 1},))


def test_a_single_number_is_a_list_of_one() -> None:
    assert Sample.model_validate({"names": 13800000000}).names == ("13800000000",)


@pytest.mark.parametrize("given_", ['[{"a": 1}]', "[{'a': 1}]", [{"a": 1}]])
def test_a_structured_parameter_is_read_as_json_as_python_and_as_it_is(given_: object) -> None:
    assert Sample.model_validate({"pairs": given_}).pairs == ({"a": 1},)


@pytest.mark.parametrize("given_", ["[{", "hello", "[" * 100_000])
def test_broken_json_names_the_parameter(given_: str) -> None:
    with pytest.raises(InvalidInput, match=r"\[not_json\] pairs"):
        Sample.model_validate({"pairs": given_})


def test_a_key_loses_the_spaces_of_copying() -> None:
    key = Sample.model_validate({"key": " abc\n"}).key
    assert key is not None
    assert key.get_secret_value() == "abc"
    assert Sample.model_validate({"key": SecretStr("x")}).key == SecretStr("x")
    assert Sample.secret_names() == {"key"}
    assert Sample.secrets_of("key", "abc") == ["abc"]


def test_parameters_are_frozen_and_unknown_ones_ignored() -> None:
    sample = Sample.model_validate({"gone_since_1_0": 1})
    with pytest.raises(ValidationError):
        Sample.model_validate("not a set of parameters")
    with pytest.raises(ValidationError):
        sample.names = ()  # type: ignore[misc]


def test_the_language_is_chosen_or_that_of_the_text() -> None:
    assert Sample().locale("销售") == "zh_Hans"
    assert Sample(language="en_US").locale("销售") == "en_US"


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**10), max_value=10**10),
)
def test_an_exact_sum_reads_back_as_itself(value: Decimal) -> None:
    text = json.dumps(Sums(report="", total=value).variables()["total"])
    assert Decimal(text) == value


def test_whole_sums_are_whole_numbers() -> None:
    assert isinstance(Sums(report="", total=Decimal("26.00")).variables()["total"], int)


def test_a_sum_that_is_too_long_loses_what_is_less_than_a_cent() -> None:
    for text, kept in {"1.000000000000005": "1.00000000000001", "-123456789012.34567": "-123456789012.346"}.items():
        assert Sums(report="", total=Decimal(text)).total == Decimal(kept)


@pytest.mark.parametrize("text", ["1234567890123456", "12345678901234.56", "1E+400", "1E-400"])
def test_a_sum_that_no_json_number_holds_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="too_many_digits"):
        Sums(report="", total=Decimal(text))
