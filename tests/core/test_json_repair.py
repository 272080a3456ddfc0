"""Which JSON is meant, what is said about it, and what the tools answer."""

import json
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from opskit import jsonfix, wording
from opskit.errors import InvalidInput, Unavailable
from opskit.jsonfix import Regenerated, Repaired, Request, Schema, Text, gate, mend, regenerate, repair
from opskit.jsonfix.confidence import DOUBTS, SURE
from opskit.jsonfix.fixes import COSTS
from opskit.jsonfix.ground import Found
from opskit.jsonfix.nodes import tree
from opskit.jsonfix.strict import TooDeep, load
from opskit.jsonfix.text import Change
from opskit.ports import Reply

NAME = '{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}'


def told(text: str, **given: Any) -> Repaired:
    return repair(Text(text=text, **given)).repaired


def codes(repaired: Repaired) -> list[str]:
    return [problem.code for problem in repaired.problems]


# Which JSON is meant


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('Here: {"a": 1} is it.', {"a": 1}),
        ('{"a": 1} Here is why.', {"a": 1}),
        ('call({"a": 1});', {"a": 1}),
        ('See [1] and {name}.\n{"a": 1}', {"a": 1}),
        ('E.g. {"a": 1}.\n```json\n{"b": 2}\n```', {"b": 2}),
        ("```json\n'x'\n```", "x"),
        ("```\n42\n```", 42),
        ('<think>{"a": 1}</think>{"b": 2}', {"b": 2}),
        ('<think>{"a": 1}</think>', {"a": 1}),
        ('<thinking>perhaps {"a": 1}', {"a": 1}),
        ('perhaps {"a": 1}\n</think>\n{"b": 2}', {"b": 2}),
        ('◁think▷{"a": 1}◁/think▷{"b": 2}', {"b": 2}),
        ('[THINK]{"a": 1}[/THINK]{"b": 2}', {"b": 2}),
        ('<analysis>{"a": 1}</analysis>\n{"b": 2}', {"b": 2}),
        ('[]{"a": 1}', {"a": 1}),
        ('{"a": 1}\n{"b": 2}\n', [{"a": 1}, {"b": 2}]),
        ('{"a": 1}, {"b": 2},', [{"a": 1}, {"b": 2}]),
        ("/* 1 */\n{},\n/* 2 */\n{}\n", [{}, {}]),
        ('{"a": 1}, {}', {"a": 1}),
        ('{"a": 1}\n{}\n{"b": 2}', [{"a": 1}, {}, {"b": 2}]),
        ('{"a": 1}\n["b"]', {"a": 1}),
        ('{"a": 1}\n{"b": 2}\nand more', {"a": 1}),
        ('{"a": 1} or {"b": 2}', {"a": 1}),
        ("{'a': 1}{'b': 2}", [{"a": 1}, {"b": 2}]),
        ("(1, 2)", [1, 2]),
        ('{"a": 1}\n```\nNote: ["x"] was left out.', {"a": 1}),
        ('{"a": 1,}\n```\n\nThe keys: {"b": 2}', {"a": 1}),
        ('Example:\n```python\nx = ["q", "r"]\n```\nAnswer: {"a": 1}', ["q", "r"]),
        ('[TOOL_CALLS] [{"name": "f"}]', [{"name": "f"}]),
        ('[INFO] [main] {"a": 1}', {"a": 1}),
        ('【结果】{"x": 1}', {"x": 1}),
        ('(Note: JSON follows)\n{"x": 1,}', {"x": 1}),
        ("see {x} there", {"x": None}),
        ('[INFO] started {"a": 1}', {"a": 1}),
        ('{{name}} {"a": 1}', {"a": 1}),
        ('{% if x %} {"a": 1}', {"a": 1}),
        ('"a": 1, "b": [2]', {"a": 1, "b": [2]}),
        ('"a": {"b": 1}}', {"a": {"b": 1}}),
        ('"a": {"b": 1}', {"b": 1}),
        ('```json\n"a": {"b": true},\n"c": 2,\n```', {"a": {"b": True}, "c": 2}),
        ('"a": 1 is {"b": 2}', {"b": 2}),
        ("True", True),
        ("NaN", None),
        ("+1", 1),
        ("1 // one", 1),
        ("'it''s'", "it''s"),
        ("/[a-z]+/i", "/[a-z]+/i"),
    ],
)  # fmt: skip
def test_the_json_that_is_meant_is_found(text: str, value: Any) -> None:
    mended = mend(text)
    assert mended.valid, mended.problems
    assert json.loads(mended.text) == value


@pytest.mark.parametrize("text", ["no JSON here.", " ", "// nothing", "```\n```", "foo [", "words, more words", "]"])
def test_prose_is_no_json(text: str) -> None:
    mended = mend(text)
    assert (mended.valid, mended.text, [problem.code for problem in mended.problems]) == (False, "", ["no_json"])


def test_the_author_says_which_of_several_is_meant() -> None:
    text = 'First {"a": 1}, then {"a": 2}, last {"a": 3}.'
    assert [told(text, prefer=prefer).result["a"] for prefer in ("best", "first", "last")] == [1, 1, 3]
    several = told(text)
    assert codes(several) == ["several_texts"]
    assert several.confidence < SURE
    assert several.dropped_text == 'First\n, then {"a": 2}, last {"a": 3}.'


@pytest.mark.parametrize(
    ("prefer", "value", "english", "chinese"),
    [
        ("best", 2, "3 pieces of JSON that may be meant; number 2, in line 3, was chosen.", "已选第 2 段（第 3 行）"),
        ("first", 1, "3 pieces of JSON that may be meant; number 1, in line 1, was chosen.", "已选第 1 段（第 1 行）"),
        ("last", 3, "3 pieces of JSON that may be meant; number 3, in line 4, was chosen.", "已选第 3 段（第 4 行）"),
    ],
)
def test_which_of_several_was_chosen_is_said(prefer: Any, value: int, english: str, chinese: str) -> None:
    text = 'First {"a": "1"},\nthen\n{"a": 2},\nlast {"a": "3"}.'
    asked = {"prefer": prefer, "schema": '{"properties": {"a": {"type": "integer"}}}'}
    found = told(text, **asked)
    assert (found.result, codes(found)) == ({"a": value}, ["several_texts"])
    assert english in found.problems[0].message
    assert chinese in told(text, language="zh_Hans", **asked).problems[0].message


def test_a_part_of_what_could_not_be_read_is_no_sure_answer() -> None:
    repaired = told('{"a": {"c": [{3, 4]}, "h": [1, 2]}')
    assert codes(repaired)[-1] == "fragment"
    assert repaired.confidence < SURE


def test_which_bracket_is_one_too_many_and_whether_a_key_belongs_to_it_may_be_unclear() -> None:
    assert mend('{"a": {"x": {}}, "b": 1}}').confidence < 0.9
    assert mend('{"a": {"x": 1}, "b": 1}}').confidence >= 0.9
    assert mend('{"a": 1}]').confidence < 0.9
    assert mend('{"a": 1}， 2]').confidence < 0.9
    keyed = mend('"a": {"b": 1}')
    assert ([problem.code for problem in keyed.problems], keyed.confidence < 0.9) == (["keyed"], True)
    assert mend("{a: Mary, first name: Jo}").confidence < 0.9


def test_an_example_that_fits_better_is_a_rival_all_the_same() -> None:
    schema = {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a", "b"]}
    repaired = told('Example: {"a": 5, "b": "x"}\nAnswer: {"a": "1", "b": "y"}', schema=json.dumps(schema))
    assert codes(repaired) == ["several_texts"]
    assert repaired.confidence < SURE


def test_of_very_many_the_first_and_the_last_are_looked_at() -> None:
    text = "; ".join(f'x {{"n": {number}}}' for number in range(60))
    schema = {"properties": {"n": {"const": 59}}}
    assert told(text, schema=json.dumps(schema)).result == {"n": 59}


def test_a_fence_weighs_more_than_a_place_and_fit_more_than_both() -> None:
    text = '{"name": "x"} or\n```json\n{"size": 1}\n```'
    assert told(text).result == {"size": 1}
    assert told(text, schema=NAME).result == {"name": "x"}


def test_a_reading_that_were_no_json_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but JSON goes out, whatever the scanner thinks."""
    monkeypatch.setattr(
        "opskit.jsonfix.documents.Scanner.found", lambda self: Found(self.start, self.size, [], complete=True)
    )
    assert not mend("{a: 1}").valid


# What is valid


@pytest.mark.parametrize("text", [' {"a" : 1.10, "b":1E400}\n', '"\\ud83d\\ude00"', "-0", "[1,\t2]", '{"a":"\\u00e9"}'])
def test_valid_json_comes_back_to_the_byte(text: str) -> None:
    repaired = told(text)
    assert (repaired.valid, repaired.status, repaired.json_text, repaired.changes) == (True, "unchanged", text, [])


def test_what_is_odd_about_valid_json_is_named() -> None:
    text = '{"a": 1, "a": 2, "b": "\\ud800", "c": 1e400, "d": -1e999, "e": ' + "1" * 5000 + "}"
    repaired = told(text)
    assert (repaired.valid, repaired.json_text) == (True, text)
    assert repaired.result == {"a": 2, "b": "\ufffd", "c": "1e400", "d": "-1e999", "e": "1" * 5000}
    assert codes(repaired) == ["duplicate_key", "number_beyond", "lone_surrogate"]
    assert told('["\\ud800"]', schema='{"items": {"type": "string"}}').valid


def test_other_roots_than_objects_are_put_under_a_key() -> None:
    assert told("[1]").result == {"value": [1]}
    assert told("null").result == {"value": None}


def test_nan_is_repaired_only_when_repair_is_on() -> None:
    assert told('{"a": NaN}').result == {"a": None}
    off = told('{"a": NaN}', repair=False, on_invalid="report")
    assert (off.valid, codes(off)) == (False, ["not_strict"])
    assert told('```json\n{"a": 1}\n```', repair=False).result == {"a": 1}


def test_levels_are_counted() -> None:
    assert told("[[1]]", max_depth=2).valid
    for text in ("[[[1]]]", "[[[1]]", "[" * 1_000 + "]" * 1_000, "so: [[[1]]] it is", "[" * 100_000, "{'a':" * 100_000):
        deep = told(text, max_depth=2, on_invalid="report")
        assert (deep.valid, codes(deep)) == (False, ["too_deep"])
    assert told("[1]", max_depth=1).valid
    with pytest.raises(TooDeep):
        load('{"a": {"a": 2, "a": [1]}}', max_depth=2)
    with pytest.raises(TooDeep):
        load("[" + "1" * 5000 + ',"' + "[" * 9 + '",' + "[" * 100_000 + "]" * 100_000 + "]", max_depth=2)
    with pytest.raises(TooDeep):
        load("[[[" + "1" * 5000 + "]]]", max_depth=2)
    with pytest.raises(ValueError, match="NaN"):
        load("[NaN]", max_depth=2)


# The account


def test_changes_have_their_places() -> None:
    text = 'So:\n{"rows": [{a: "1",},\n {"a~/b": tRUE}]} 完'
    schema = {"properties": {"rows": {"items": {"properties": {"a": {"type": "integer"}}}}}}
    repaired = told(text, schema=json.dumps(schema), language="en_US")
    found = [(one.kind, one.path, one.line, one.column, one.old, one.to) for one in repaired.changes]
    assert found == [
        ("syntax", "", 1, 1, "So:\n", ""),
        ("syntax", "/rows/0/a", 2, 12, "a", '"a"'),
        ("coercion", "/rows/0/a", 2, 15, '"1"', "1"),
        ("syntax", "/rows/0/a", 2, 18, ",", ""),
        ("syntax", "/rows/1/a~1~0b".replace("~1~0", "~0~1"), 3, 11, "tRUE", "true"),
        ("syntax", "", 3, 18, " 完", ""),
    ]
    assert replayed(text, repaired.changes) == repaired.json_text == '{"rows": [{"a": 1},\n {"a~/b": true}]}'
    assert (repaired.status, repaired.dropped_text) == ("coerced", "So:\n完".replace("\n", "\n"))
    assert repaired.changes[1].why == "A key was not quoted."


def replayed(text: str, changes: list[Change]) -> str:
    parts, position = [], 0
    for change in changes:
        parts += [text[position : change.offset], change.to]
        position = change.offset + change.length
    return "".join([*parts, text[position:]])


def test_long_texts_are_shortened_in_the_account_and_kept_in_the_json() -> None:
    repaired = told("x" * 1000 + ' {"a": 1}')
    assert len(repaired.changes[0].old) == 301
    assert repaired.changes[0].length == 1001


def test_a_cut_answer_is_said_to_be_cut() -> None:
    repaired = told('{"a": 1, "b": "x')
    assert codes(repaired) == ["cut_off"]
    assert repaired.confidence < SURE


def test_the_report_counts_what_it_does_not_list() -> None:
    report = told("[" + "True, " * 14 + "]", language="en_US").report
    assert report.startswith("The JSON was repaired: 15 changes")
    assert report.endswith("- … and 5 more.")
    assert told("{'键': 1}").report.startswith("JSON 已修复")


def test_every_reason_has_a_sentence_and_every_doubt_is_known() -> None:
    for locale in wording.LOCALES:
        sentences = wording.sentences(locale)["json_change"]
        assert set(COSTS) <= set(sentences)
        unspoken = {"cut_off", "draft", "unlikely", "rivals", "glued", "word_alone", "leftover", "blank", "fragment"}
        assert set(DOUBTS) - set(sentences) == {*unspoken, "keyed"}


def test_a_tree_knows_the_places_as_far_as_they_are_asked_for() -> None:
    text = '{"a": [1, {"b": 2}], "a": 3}'
    assert tree(text).at(["a"]).start == text.index("3")
    part = tree(text, until=12)
    assert (part.names, part.end, part.items[0].end) == (["a"], len(text), len(text))
    assert tree("5").items == []


# What the tool answers


def test_a_text_that_fits_nothing_fails_with_three_problems() -> None:
    schema = '{"required": ["a", "b", "c", "d"]}'
    with pytest.raises(InvalidInput) as raised:
        told("{}", schema=schema)
    assert "The result lacks the key a. The result lacks the key b. The result lacks the key c. (+1)" in str(
        raised.value
    )
    with pytest.raises(InvalidInput, match="There is no JSON"):
        told("words")


@pytest.mark.parametrize(
    ("schema", "text", "message"),
    [
        ({"type": "array"}, "{}", "The result should be of type array, and is {}."),
        ({"properties": {"a": {"enum": [1, 2]}}}, '{"a": 3}', "/a should be one of 1, 2, and is 3."),
        ({"properties": {"a": {"const": 1}}}, '{"a": 3}', "/a should be 1, and is 3."),
        (
            {"properties": {"b": {}}, "additionalProperties": False},
            '{"a": 3}',
            "The result has keys that the schema does not know: a.",
        ),
        ({"properties": {"a": {"minimum": 5}}}, '{"a": 3}', "/a: 3 is less than the minimum of 5."),
    ],
)
def test_problems_are_said_in_the_words_of_an_author(schema: object, text: str, message: str) -> None:
    repaired = told(text, schema=json.dumps(schema), coerce="off", on_invalid="report", language="en_US")
    assert (repaired.valid, repaired.status, repaired.confidence) == (False, "invalid", 0)
    assert repaired.problems[0].message == message
    assert message in repaired.report


def test_the_fallback_stands_in_and_is_held_to_the_schema_first() -> None:
    repaired = told("words", schema=NAME, on_invalid="fallback", fallback=' {"name": "nobody"}')
    assert (repaired.valid, repaired.status, repaired.fallback_used) == (True, "fallback", True)
    assert (repaired.result, repaired.json_text) == ({"name": "nobody"}, ' {"name": "nobody"}')
    assert replayed("words", repaired.changes) == repaired.json_text
    assert codes(repaired) == ["no_json"]
    assert not told('{"name": "x"}', schema=NAME, on_invalid="fallback", fallback='{"name": ""}').fallback_used


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"on_invalid": "fallback"}, "no_fallback"),
        ({"fallback": "{"}, "fallback_not_json"),
        ({"fallback": "[" * 501 + "]" * 501}, "fallback_too_deep"),
        ({"fallback": "{}", "schema": NAME}, "fallback_unfit"),
        ({"schema": "{"}, "schema_not_json"),
    ],
)
def test_what_cannot_work_is_said_at_once(given: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidInput, match=key):
        told('{"name": "x"}', **given)


def test_a_text_of_more_than_20_mb_is_refused() -> None:
    with pytest.raises(InvalidInput, match="json_too_large"):
        told(" " * (20 * 1024 * 1024 + 1))


def test_a_result_of_more_than_4_mib_goes_into_a_file() -> None:
    text = '["' + "é" * (3 * 1024 * 1024) + "'x'" * 3 + '",]'
    answer = repair(Text(text=text))
    found = answer.repaired
    assert (found.oversize, found.json_text, found.result, found.valid) == (True, "", {}, True)
    assert [(one.filename, one.mime_type) for one in answer.attachments] == [("result.json", "application/json")]
    assert json.loads(answer.attachments[0].content()) == json.loads(text.replace(",]", "]"))


def test_more_than_a_thousand_changes_are_all_in_a_file() -> None:
    text = "[" + "{a: 1}," * 1200 + "]"
    answer = repair(Text(text=text))
    assert len(answer.repaired.changes) == 1000
    assert [one.filename for one in answer.attachments] == ["changes.json"]
    every = json.loads(answer.attachments[0].content())
    assert len(every) == 1201
    assert [one["from"] for one in every[:1]] == ["a"]
    assert every[1199]["path"] == "/1199/a"


def test_the_variables_are_named_as_declared() -> None:
    variables = told("[1,]").variables()
    assert variables["changes"][0]["from"] == ","
    assert list(variables)[:2] == ["report", "valid"]


# Asking a model again


class Model:
    """Answers with what it is given, in turn; keeps what it was asked."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []

    def ask(self, choice: Mapping[str, Any], system: str, user: str) -> Reply:
        assert choice["model"] == "m"
        self.asked.append((system, user))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Reply(answer, 10, 5, Decimal("0.001"), "USD")


def again(model: Model, text: str = "Ada is 36", **given: Any) -> Regenerated:
    request = Request(text=text, model={"provider": "p", "model": "m"}, **({"schema": NAME} | given))
    answer = regenerate(request, model, heavy=lambda work, *arguments: work(*arguments)).repaired
    assert isinstance(answer, Regenerated)
    return answer


def test_a_model_is_asked_only_for_what_cannot_be_repaired() -> None:
    model = Model()
    repaired = again(model, "{name: 'Ada'}")
    assert (repaired.result, repaired.attempts, repaired.usage.total_tokens) == ({"name": "Ada"}, 0, 0)
    assert (repaired.usage.total_price, repaired.usage.currency) == ("0", "")


def test_its_answer_passes_the_same_gate() -> None:
    model = Model("Sorry!", "```json\n{'name': 'Ada'}\n```")
    repaired = again(model, instruction="Names only.")
    assert (repaired.result, repaired.attempts, repaired.status) == ({"name": "Ada"}, 2, "repaired")
    assert repaired.usage.model_dump() == {
        "prompt_tokens": 20,
        "completion_tokens": 10,
        "total_tokens": 30,
        "total_price": "0.002",
        "currency": "USD",
    }
    assert repaired.confidence < SURE
    assert replayed("Ada is 36", repaired.changes) == repaired.json_text
    system, first = model.asked[0]
    assert "data" in system
    for part in (NAME, "There is no JSON in the text.", "Ada is 36", "Names only."):
        assert part in first
    assert "Sorry!" in model.asked[1][1]


def test_after_the_last_attempt_the_author_decides() -> None:
    with pytest.raises(InvalidInput, match="invalid_json"):
        again(Model("no", ""))
    assert again(Model("no"), attempts=1, on_invalid="fallback", fallback='{"name": "x"}').result == {"name": "x"}
    left = again(Model('{"size": 1}', '{"size": 2}'), on_invalid="report")
    assert (left.valid, left.json_text, codes(left), left.attempts) == (False, '{"size": 2}', ["required"], 2)


def test_a_model_that_does_not_answer_fails_or_falls_back() -> None:
    with pytest.raises(Unavailable, match="model_unavailable"):
        again(Model(Unavailable("model_unavailable", model="m", problem="x")))
    instead = again(Model(Unavailable("x")), on_invalid="fallback", fallback='{"name": "x"}', schema="")
    assert (instead.status, codes(instead)) == ("fallback", ["model_failed", "no_json"])


def test_no_model_is_asked_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opskit.jsonfix.asking._DEADLINE_S", 0)
    assert again(Model(), on_invalid="report").attempts == 0


def test_rules_without_a_schema_accept_any_json() -> None:
    assert gate.Rules.of(Text(text="x")).schema is None
    assert Schema(True).fits({"any": 1})
    assert Schema(True).part(["x"]) == {}


@pytest.mark.parametrize("gap", [" ", "\t", "\n", "\r", "  "])
def test_a_key_that_occurs_twice_is_found_behind_spaces_before_colons(gap: str) -> None:
    text = f'{{"a"{gap}: 1, "b"{gap}: {{"x": 1, "x": 2}}}}'
    mended = mend(text)
    assert mended.text == text
    assert "duplicate_key" in {problem.code for problem in mended.problems}


def test_what_works_is_loaded_when_it_is_asked_for() -> None:
    code = "import opskit.jsonfix as j, sys; a = 'opskit.jsonfix.marks' in sys.modules; j.repair; print(a)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
    assert not hasattr(jsonfix, "nothing")
