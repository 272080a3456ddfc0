"""JSON that does not conform becomes JSON that does, by the least change, or it is said why not."""

import json
from typing import Any

import pytest

from opskit.errors import InvalidInput
from opskit.jsonfix import Schema, mend, readings
from opskit.jsonfix.edits import applied
from opskit.jsonfix.schema import parsed

Coerced = tuple[dict[str, Any], str, Any]


def of(**properties: Any) -> dict[str, Any]:
    """An object whose properties are all required."""
    return {"type": "object", "properties": properties, "required": list(properties)}


NUMBER, WHOLE, TEXT, TRUTH = ({"type": kind} for kind in ("number", "integer", "string", "boolean"))
NAME = of(name=TEXT)

SAFE: list[Coerced] = [
    (of(a=NUMBER), '{"a": "1.50"}', {"a": 1.5}),
    (of(a=WHOLE), '{"a": "36"}', {"a": 36}),
    (of(a=WHOLE), '{"a": "36.0"}', {"a": 36.0}),
    (of(a=WHOLE), '{"a": "1e2"}', {"a": 100.0}),
    (of(a=TRUTH), '{"a": "True"}', {"a": True}),
    (of(a=TEXT), '{"a": 12345678901234567890.10}', {"a": "12345678901234567890.10"}),
    (of(a={"type": ["integer", "null"]}), '{"a": ""}', {"a": None}),
    (of(a={"enum": ["High", "Low"]}), '{"a": " high "}', {"a": "High"}),
    (of(a={"enum": [1, 2]}), '{"a": "2"}', {"a": 2}),
    (of(a={"const": "TWO"}), '{"a": "two"}', {"a": "TWO"}),
    (of(firstName=TEXT), '{"FirstName": "x"}', {"firstName": "x"}),
    (of(a={"type": "array", "items": TEXT}), '{"a": "x"}', {"a": ["x"]}),
    (of(a={"type": "array"}), '{"a": {"b": 1}}', {"a": [{"b": 1}]}),
    (of(a=TEXT), '{"a": ["x"]}', {"a": "x"}),
    (of(a=NAME), '{"a": "{\\"name\\": \\"x\\"}"}', {"a": {"name": "x"}}),
    (of(a={"type": "array"}), '{"a": "[1, 2]"}', {"a": [1, 2]}),
    (of(a=TEXT, b={"type": "integer", "default": 3}), '{"a": "x"}', {"a": "x", "b": 3}),
    (of(b={"$ref": "#/$defs/b"}) | {"$defs": {"b": {"default": []}}}, "{}", {"b": []}),
    ({"type": "object", "properties": {"a": TEXT, "b": NUMBER}}, '{"a": null, "b": 1}', {"b": 1}),
    ({"type": "object", "properties": {"a": TEXT}}, '{"a": null}', {}),
    ({"type": "array", "items": of(a=NUMBER)}, '[{"a": "1"}, {"a": 2}, {"a": "3"}]', [{"a": 1}, {"a": 2}, {"a": 3}]),
    (of(a=TEXT, bC=TEXT), '{"a": "x", "BC": "y"}', {"a": "x", "bC": "y"}),
    (of(a={"anyOf": [{"type": "array"}, NUMBER, TRUTH]}), '{"a": "5"}', {"a": 5}),
    (of(a={"anyOf": [NUMBER, {"type": "array"}]}), '{"a": "5"}', {"a": 5}),
    (of(a={"anyOf": [NUMBER, NAME]}), '{"a": {"Name": "x"}}', {"a": {"name": "x"}}),
    (of(a={"oneOf": [NAME, of(size=NUMBER)]}), '{"a": {"size": "3"}}', {"a": {"size": 3}}),
    (NAME, "[{\"name\": 'x'}]", {"name": "x"}),
    ({"type": "string"}, "just words", "just words"),
    ({"enum": ["ONE", "TWO"]}, "two", "TWO"),
    ({"type": "array", "items": NAME}, '{"name": "x"}\n{"name": "y"}', [{"name": "x"}, {"name": "y"}]),
    ({"type": "array", "items": WHOLE}, "[[1, 2]]", [1, 2]),
    ({"type": "array", "items": {"enum": ["ONE", "TWO"]}}, "ONE", ["ONE"]),
    ({"type": "array", "items": NAME}, '1. {"name": "x"}\n2. {"name": "y"}', [{"name": "x"}, {"name": "y"}]),
    (
        {"type": "array", "items": NAME},
        'Such as {"name": "x"}:\n```\n{"name": "y"}\n```\n```\n{"name": "z"}\n```',
        [{"name": "y"}, {"name": "z"}],
    ),
    ({"type": "array", "items": NAME}, '[] and {"name": "x"}', []),
    (NAME, 'Such as {"size": 1}, so: {"name": "x"}', {"name": "x"}),
]
FULL: list[Coerced] = [
    (of(a=WHOLE), '{"a": "12,000"}', {"a": 12000}),
    (of(a=NUMBER), '{"a": "$1,234.50"}', {"a": 1234.5}),
    (of(a=NUMBER), '{"a": "１２元"}', {"a": 12}),
    (of(a=NUMBER), '{"a": "-3"}', {"a": -3}),
    (of(a=NUMBER), '{"a": "\u22123.5"}', {"a": -3.5}),
    (of(a=NUMBER), '{"a": "1/4"}', {"a": 0.25}),
    (of(a=WHOLE), '{"a": "6/3"}', {"a": 2}),
    (of(a=WHOLE), '{"a": "three"}', {"a": 3}),
    (of(a=WHOLE), '{"a": "两"}', {"a": 2}),
    (of(a=NUMBER), '{"a": -2,000.00, "b": 1}', {"a": -2000.0, "b": 1}),
    (of(a=TRUTH), '{"a": "Yes."}', {"a": True}),
    (of(a=TRUTH), '{"a": "否"}', {"a": False}),
    (of(a=TRUTH), '{"a": 1}', {"a": True}),
    (of(a=TRUTH), '{"a": 0}', {"a": False}),
    (of(a=TEXT), '{"a": true}', {"a": "true"}),
    (of(a={"enum": ["in_progress", "done"]}), '{"a": "In Progress"}', {"a": "in_progress"}),
    (of(a={"enum": ["malicious", "benign"]}), '{"a": "malicous"}', {"a": "malicious"}),
    (of(a={"enum": ["yes", "no"]}), '{"a": "it is yes!"}', {"a": "yes"}),
    (of(first_name=TEXT, last_name=TEXT), '{"firstName": "x", "lastnam": "y"}', {"first_name": "x", "last_name": "y"}),
    (
        {**of(quantity=NUMBER), "properties": {"quantity": NUMBER, "in_stock": TRUTH}},
        '{"quantty": 1, "in_stck": true}',
        {"quantity": 1, "in_stock": True},
    ),
    (of(name=TEXT) | {"additionalProperties": False}, '{"name": "x", "y": 1, "z": [2]}', {"name": "x"}),
    (of(name=TEXT) | {"additionalProperties": False}, '{"y": 1, "name": "x"}', {"name": "x"}),
    ({"properties": {"name": TEXT}, "additionalProperties": False}, '{"y": 1}', {}),
    ({"properties": {"name": TEXT}, "additionalProperties": False}, '{"nam": "x"}', {"name": "x"}),
    ({"properties": {"name": TEXT}, "unevaluatedProperties": False}, '{"y": 1, "z": 2, "name": "x"}', {"name": "x"}),
    (of(a={"type": "string", "format": "date"}), '{"a": "2026年3月1日"}', {"a": "2026-03-01"}),
    (of(a={"type": "string", "format": "date"}), '{"a": "March 1st, 2026"}', {"a": "2026-03-01"}),
    (of(a={"type": "string", "format": "date"}), '{"a": "Sun, 1 Mar 2026 10:00"}', {"a": "2026-03-01"}),
    (
        of(a={"type": "string", "format": "date-time"}),
        '{"a": "2026/3/1 1:05 pm +08:00"}',
        {"a": "2026-03-01T13:05:00+08:00"},
    ),
    (
        of(a={"type": "string", "format": "date-time"}),
        '{"a": "2026-3-1 00:05:09.5 UTC"}',
        {"a": "2026-03-01T00:05:09.5Z"},
    ),
    (of(foo=NUMBER), "1214.123", {"foo": 1214.123}),
    (of(item=NAME), '{"name": "x"}', {"item": {"name": "x"}}),
    (of(a=NAME), '{"a": "{name: x}"}', {"a": {"name": "x"}}),
    ({"type": "object", "properties": {"a": NUMBER}}, '{"a": "n/a"}', {}),
    (
        {"type": "object", "properties": {"a": {"anyOf": [NAME, {"type": "null"}], "default": None}}},
        '{"a": {"x": 1}}',
        {"a": None},
    ),
    ({"type": "boolean"}, "True", True),
    ({"type": "number"}, "about 5? 1/5", None),
    ({"type": "number"}, "1/5", 0.2),
    ({"enum": ["ONE", "TWO"]}, "The answer is **two**.", "TWO"),
    ({"anyOf": [{"const": 2}, {"const": 3}]}, "2 or 3", None),
    ({"anyOf": [{"const": 2}, {"const": 3}]}, "The answer is 3.", 3),
    ({"const": False}, "The answer is False.", False),
    (TRUTH, "**True**, because 1 < 2.", True),
    (TRUTH, "true or false", None),
    (TRUTH, "not true", None),
    (of(a=TRUTH), '{"a": "true: it is so"}', {"a": True}),
    (NUMBER, "The price is **$1,250.50**.", 1250.5),
    (WHOLE, "答案是42。", 42),
    (WHOLE, "8 of 10", None),
    (WHOLE, "12 kg", None),
    (WHOLE, "about -$5", None),
    (WHOLE, "It is not 5", None),
    ({"enum": ["男", "女"]}, "答案是女。", "女"),
    ({"enum": ["男", "女"]}, "不是女", None),
    ({"type": "array", "items": TRUTH}, "The answer is true", [True]),
    ({"type": "array", "items": {"const": "X"}}, "It is x.", ["X"]),
    ({"type": "array", "items": TEXT}, "Sorry, I cannot.", None),
    (of(items={"type": "array", "items": NAME}), '[{"name": "x"}]', {"items": [{"name": "x"}]}),
    (of(a=NUMBER), '{"a": ".5"}', {"a": 0.5}),
    (of(a=NUMBER), '{"a": "5."}', {"a": 5}),
    (of(name=TEXT, age=WHOLE), '{"nmae": "x", "aeg": 1}', None),
    (of(name=TEXT, age=WHOLE), '{"nmae": "x", "age": 1}', {"name": "x", "age": 1}),
]
UNFIT: list[tuple[dict[str, Any], str, str]] = [
    (of(a=NUMBER), '{"a": "many"}', "type"),
    (of(a=NUMBER), '{"a": null}', "type"),
    (of(a=NUMBER), '{"b": 1}', "required"),
    (of(a={"enum": ["urgent", "normal"]}), '{"a": "Not urgent"}', "enum"),
    (of(a={"enum": ["urgent", "low"]}), '{"a": "non-urgent"}', "enum"),
    (of(a={"enum": ["active", "pending"]}), '{"a": "inactive"}', "enum"),
    (of(a={"enum": ["2024-Q1", "2024-Q3"]}), '{"a": "2025-Q1"}', "enum"),
    (of(is_valid=TRUTH), '{"is_invalid": true}', "required"),
    (of(altitude=NUMBER), '{"latitude": 5}', "required"),
    (of(a=NUMBER), '{"a": "10²"}', "type"),
    (of(a=NUMBER), '{"a": "24/7"}', "type"),
    (of(a={"type": "array"}), '{"a": ""}', "type"),
    (of(a={"type": "object"}), '{"a": "[' + "9" * 5000 + '"}', "type"),
    (of(name=TEXT) | {"additionalProperties": False}, '{"user": {"name": "A"}}', "additionalProperties"),
    (of(a=True), "{}", "required"),
    (of(a=WHOLE), '{"a": 5.7}', "type"),
    (of(a=WHOLE), '{"a": "5.7"}', "type"),
    (of(a={"enum": ["ab", "ac"]}), '{"a": "ad"}', "enum"),
    (of(a={"enum": ["yes", "no"]}), '{"a": "yes or no"}', "enum"),
    (of(a={"enum": ["AB", "aB"]}), '{"a": "ab"}', "enum"),
    (of(a={"enum": ["x"]}), '{"a": null}', "enum"),
    (of(a={"enum": ["x"]}), '{"a": [1]}', "enum"),
    (of(a=NAME), '{"a": "[1, 2]"}', "type"),
    (of(a=NAME), '{"a": "{1"}', "type"),
    (of(a=NAME), '{"a": [1, 2]}', "type"),
    (of(a={"anyOf": [NUMBER, TRUTH]}), '{"a": "many"}', "anyOf"),
    (of(a={"type": "string", "minLength": 3}), '{"a": "x"}', "minLength"),
    (of(a=TEXT), '{"a": {"b": 1}}', "type"),
    (of(a=TRUTH), '{"a": 2}', "type"),
    (of(a=NUMBER, b=NUMBER), "7", "type"),
    ({"type": "array", "items": NUMBER}, '["x"]', "type"),
    ({"type": "array", "prefixItems": [NUMBER]}, "[null]", "type"),
    ({"type": "array", "items": NUMBER}, "[[1, 2], [3, 4]]", "type"),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, '{"a": 1, "b": 2}', "oneOf"),
    ({"enum": ["ONE", "TWO"]}, "neither", "enum"),
    (NAME, "just words", "no_json"),
    ({"patternProperties": {"^x": NUMBER}}, '{"x1": null}', "type"),
    ({"properties": {"a": {"default": "x", "type": "number"}}}, '{"a": "x"}', "type"),
]


@pytest.mark.parametrize(("schema", "text", "value"), SAFE)
def test_what_is_safe_is_done_unasked(schema: dict[str, Any], text: str, value: Any) -> None:
    check(schema, text, value, "safe")


@pytest.mark.parametrize(("schema", "text", "value"), FULL)
def test_more_is_done_when_asked_for(schema: dict[str, Any], text: str, value: Any) -> None:
    check(schema, text, value, "full")


def check(schema: dict[str, Any], text: str, value: Any, coerce: Any) -> None:
    mended = mend(text, schema=Schema(schema), coerce=coerce)
    assert mended.valid == (value is not None), mended.problems
    if mended.valid:
        assert json.loads(mended.text) == value
        assert applied(text, mended.edits) == mended.text
        assert Schema(schema).fits(json.loads(mended.text))


@pytest.mark.parametrize(("schema", "text", "code"), UNFIT)
def test_what_does_not_fit_is_named(schema: dict[str, Any], text: str, code: str) -> None:
    mended = mend(text, schema=Schema(schema), coerce="full")
    assert not mended.valid
    first = mended.problems[0]
    assert (first.finding.kind.name if first.finding else first.code) == code


def test_nothing_is_coerced_when_that_is_off() -> None:
    mended = mend('{"a": "1"}', schema=Schema(of(a=NUMBER)), coerce="off")
    assert (mended.valid, mended.text) == (False, '{"a": "1"}')
    assert not mend("words", schema=Schema({"type": "string"}), coerce="off").valid


def test_what_conforms_is_never_changed() -> None:
    schema = Schema({"properties": {"a": {"type": ["string", "number"]}, "d": {"format": "date"}}})
    text = ' {"a": "12,000", "d": "1.3.2026"}\n'
    assert mend(text, schema=schema, coerce="full").text == text


def test_a_format_that_cannot_be_read_is_named_and_stays_valid() -> None:
    schema = Schema(of(d={"type": "string", "format": "date"}))
    for text in ("soon", "2026-02-30", "1/2/2026", "2026年3月1日左右", "1 Foo 2026"):
        mended = mend(json.dumps({"d": text}), schema=schema, coerce="full")
        assert (mended.valid, [problem.code for problem in mended.problems]) == (True, ["odd_format"])
    clock = Schema(of(d={"type": "string", "format": "date-time"}))
    assert not mend('{"d": "2026-03-01 25:00Z"}', schema=clock, coerce="full").edits
    assert [problem.code for problem in mend('{"d": "2026-03-01 10:00"}', schema=clock, coerce="full").problems] == [
        "odd_format"
    ]
    other = Schema(of(d={"type": "string", "format": "ipv4"}))
    assert [problem.code for problem in mend('{"d": "x"}', schema=other, coerce="full").problems] == ["odd_format"]


def test_the_same_key_twice_is_fixed_where_it_counts() -> None:
    mended = mend('{"a": "1", "a": "2"}', schema=Schema(of(a=NUMBER)))
    assert mended.text == '{"a": "1", "a": 2}'
    assert {problem.code for problem in mended.problems} == {"duplicate_key"}


def test_a_text_too_large_is_only_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """And by its first problem: a list of a million would take more than a gigabyte."""
    both = Schema(of(a=NUMBER, b=NUMBER))
    assert len(mend('{"a": "x", "b": "y"}', schema=both).problems) == 2
    monkeypatch.setattr("opskit.jsonfix.coercion.MAX_TEXT", 5)
    assert len(mend('{"a": "1", "b": "2"}', schema=both).problems) == 1
    assert mend('{"a": 1, "b": 2}', schema=both).valid


def test_a_table_of_numbers_that_are_written_as_text_is_coerced_to_its_end() -> None:
    count = 30_000
    found = mend(json.dumps(["1"] * count), schema=Schema({"type": "array", "items": NUMBER}))
    assert (found.valid, json.loads(found.text)) == (True, [1] * count)


def test_no_more_rounds_than_needed_and_no_more_than_some() -> None:
    deep: dict[str, Any] = {"type": "array", "items": TEXT}
    for _ in range(20):
        deep = {"type": "array", "items": deep}
    assert not mend('"x"', schema=Schema(deep)).valid


@pytest.mark.parametrize(
    ("schema", "key"),
    [
        ("5", "bad_schema"),
        ('{"type": "strin"}', "bad_schema"),
        ('{"properties": {"a": {"type": 5}}}', "bad_schema"),
        ('{"$ref": "http://127.0.0.1:9/x"}', "bad_schema"),
        ('{"$ref": "file:///etc/hostname"}', "bad_schema"),
        ('{"$ref": "#/nowhere"}', "bad_schema"),
        ('{"pattern": "("}', "bad_schema"),
        ('{"$schema": "http://x.example/unknown"}', "bad_schema"),
        ('{"items": ' * 200 + "{}" + "}" * 200, "schema_too_deep"),
        ('{"items": ' * 60_000 + "{}" + "}" * 60_000, "schema_too_deep"),
        ("{", "schema_not_json"),
        (" " * 1_000_001, "schema_too_large"),
    ],
)
def test_a_schema_that_is_none_is_the_callers_error(schema: str, key: str) -> None:
    with pytest.raises(InvalidInput, match=key):
        Schema(parsed(schema))


def test_the_error_names_the_place_in_the_schema() -> None:
    with pytest.raises(InvalidInput) as raised:
        Schema({"properties": {"a": {"type": 5}}})
    assert raised.value.blanks["place"] == "#/properties/a/type"


@pytest.mark.parametrize(
    "draft", ["http://json-schema.org/draft-04/schema#", "https://json-schema.org/draft/2020-12/schema"]
)
def test_old_and_new_drafts_are_known(draft: str) -> None:
    schema = Schema({"$schema": draft, "type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]})
    assert (schema.fits({"a": 1}), schema.fits({})) == (True, False)


def test_parts_of_a_schema_are_found_or_empty() -> None:
    schema = Schema({"$defs": {"a~b": {"title": "x"}, "loop": {"$ref": "#/$defs/loop"}}, "properties": {"p": True}})
    assert schema.resolved({"$ref": "#/$defs/a~0b", "default": 1}) == {"title": "x", "default": 1}
    assert schema.resolved({"$ref": "#/$defs/loop"}) == {"$ref": "#/$defs/loop"}
    assert schema.resolved({"$ref": "other"}) == {"$ref": "other"}
    assert schema.part(["properties", "q", 3]) == schema.part(["properties", "p"]) == {}


def test_names_are_near_only_where_it_is_clear() -> None:
    assert readings.nearest("quantty", ["quantity", "quality"]) == "quantity"
    assert readings.nearest("colour", ["color1", "color2"]) is None
    assert readings.nearest("ab", ["abc"]) is None
    assert readings.nearest("x" * 101, ["x" * 100]) is None
    assert readings.nearest("name", []) is None
    assert readings.nearest("nmae", ["name", "names"]) == "name"
    assert readings.nearest("abcd", ["abdc", "acbd"]) is None
    assert readings.nearest("enam", ["mane"]) is None
    assert readings.key("ID", ["id", "Id"], full=True) is None
    assert readings.key("__", ["--"], full=True) is None
