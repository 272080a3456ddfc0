"""Broken JSON and what it was to be: each row is one fault, or one habit of a model."""

import json
import random
from typing import Any

import pytest

from devtools.json_bench import faults
from devtools.json_bench.pathological import PATTERNS
from opskit.jsonfix import mend, texts
from opskit.jsonfix.edits import Edit, applied, composed

CASES: dict[str, list[tuple[str, Any]]] = {
    "commas": [
        ('{"a": 1, "b": [1, 2,],}', {"a": 1, "b": [1, 2]}),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ('{"a": "x" "b": "y"}', {"a": "x", "b": "y"}),
        ('{"a": "x""b": "y"}', {"a": "x", "b": "y"}),
        ('{"a": 1\n"b": 2\nc: 3}', {"a": 1, "b": 2, "c": 3}),
        ('{"a": {"x": 1} "b": [1] "c": 2}', {"a": {"x": 1}, "b": [1], "c": 2}),
        ('[{"a": 1} {"b": 2}]', [{"a": 1}, {"b": 2}]),
        ('["a" "b" 3 [4] {"c": 5}]', ["a", "b", 3, [4], {"c": 5}]),
        ('{"a": true  b: 2, "c": "x"  d: {}}', {"a": True, "b": 2, "c": "x", "d": {}}),
        ("[1 2 true null]", [1, 2, True, None]),
        ("[1,,2, , 3]", [1, 2, 3]),
        ('{,"a": 1,, "b": 2}', {"a": 1, "b": 2}),
        ("[, 1, 2]", [1, 2]),
        ('{"a"： 1， "b"： ［1、2］}', {"a": 1, "b": [1, 2]}),
        ('{"a": 1; "b": 2}', {"a": 1, "b": 2}),
        ('["a", } 1]', ["a", 1]),
        ('{"a":true"b":1"c":null}', {"a": True, "b": 1, "c": None}),
        ('{"a": "x"; "b": ["y"; "z"]; "c": "w";}', {"a": "x", "b": ["y", "z"], "c": "w"}),
        ('{"a": 1, /* c */, // d\n "b": 2, /* e */ }', {"a": 1, "b": 2}),
    ],
    "colons": [
        ('{"a":: 1, "b" 2, "c" "d", "e" {"f": 1}, "g" true}', {"a": 1, "b": 2, "c": "d", "e": {"f": 1}, "g": True}),
        ('{"a" => 1, "b" = 2, c= 3}', {"a": 1, "b": 2, "c": 3}),
        ('{: "a": 1}', {"a": 1}),
        ('{"a": : [1]}', {"a": [1]}),
        ('{"a":=1, "b":=SUM}', {"a": 1, "b": "=SUM"}),
        ('["a": 1, "b"]', ["a", 1, "b"]),
        ('{"a": 1, "b": ["x", "y":]}', {"a": 1, "b": ["x", "y"]}),
    ],
    "quotation marks": [
        ("{'a': 'b', 'it''s': 1}", {"a": "b", "it''s": 1}),
        ("{'a': 'don't', 'b': 'rock 'n' roll'}", {"a": "don't", "b": "rock 'n' roll"}),
        ("{'a': 'he said \"no\"'}", {"a": 'he said "no"'}),
        ("{'a': 'it\\'s'}", {"a": "it's"}),
        ("{“a”: “b”, ‘c’: ‘d’, `e`: `f`, 「g」: 『h』, «i»: «j»}", {"a": "b", "c": "d", "e": "f", "g": "h", "i": "j"}),
        ("{＂a＂：＂他说“好”＂}", {"a": "他说“好”"}),
        ('{"a”: "b”, “c": “d"}', {"a": "b", "c": "d"}),
        ('{"a": "say "hi" now", "b": 1}', {"a": 'say "hi" now', "b": 1}),
        ('{"a": "he said "hi", and left", "b": 1}', {"a": 'he said "hi", and left', "b": 1}),
        ('{"a": "if (x) { return "a"; }", "b": [1]}', {"a": 'if (x) { return "a"; }', "b": [1]}),
        ('{"the "big" one": 1}', {'the "big" one': 1}),
        ('["so "much" more", "x"]', ['so "much" more', "x"]),
        ('{"a": "use "}" here", "b": 1}', {"a": 'use "}" here', "b": 1}),
        ('{"a": "he said, note: "hi" to us", "b": 1}', {"a": 'he said, note: "hi" to us', "b": 1}),
        ("{a: 'x' + \"y\", b: 1}", {"a": "xy", "b": 1}),
        ('{"a": "first, b: "second"}', {"a": "first", "b": "second"}),
        ('{"a": "first, "b": "second"}', {"a": "first", "b": "second"}),
        ('{"a": "first\n"b": "second"}', {"a": "first", "b": "second"}),
        ('["one, "two", "three"]', ["one", "two", "three"]),
        ('["one\n"two"]', ["one", "two"]),
        ('["one  , "two"]', ["one", "two"]),
        ('[{"a": "b}, {"a": "c"}]', [{"a": "b"}, {"a": "c"}]),
        ('[["a", "b], ["c", "d"]]', [["a", "b"], ["c", "d"]]),
        ('{"a": {"b": "c}, "d": ["e", "f], "g": 1}', {"a": {"b": "c"}, "d": ["e", "f"], "g": 1}),
        ('{"a": {"b": "{c} }, "d": ["[e]], "f": 1}', {"a": {"b": "{c}"}, "d": ["[e]"], "f": 1}),
        ('{"a": {"b": "c], "d": 1}}', {"a": {"b": "c]", "d": 1}}),
        ('{"a": {"b": "[c], "d": 1}}', {"a": {"b": "[c]", "d": 1}}),
        ('{""a""b"": 1}', {'a""b': 1}),
        ('["see https://x.example/]', ["see https://x.example/"]),
        ('{\n"a": "b\n}', {"a": "b"}),
        ('{"a: 1, "b": {}}', {"a": 1, "b": {}}),
        ('{"a: "x", "b": 1}', {"a": "x", "b": 1}),
        ('{"x": 1, "a: [1], "b": 2}', {"x": 1, "a": [1], "b": 2}),
        ('{"a:  [  "b"], "c": "d"', {"a": ["b"], "c": "d"}),
        ('{"a": 12.5, "b: 3}', {"a": 12.5, "b": 3}),
        ('{"a": b", c": "d"}', {"a": "b", "c": "d"}),
        ('{first name": 1, "b": null"}', {"first name": 1, "b": "null"}),
        ('[one, two", "three"]', ["one, two", "three"]),
        ('["a", b"]', ["a", "b"]),
        ('{""a"": ""b"", ""c"": [""d""]}', {"a": "b", "c": ["d"]}),
        ('{""a"": ""b"", ""c"": ""d""}', {"a": "b", "c": "d"}),
        ('{"a: 1, "b: "c", "d: null, "e: 2.5}', {"a": 1, "b": "c", "d": None, "e": 2.5}),
        ('{"a: "b", "c": 1, "d: true, "e": "f"}', {"a": "b", "c": 1, "d": True, "e": "f"}),
        ('{"a": """say "it"\nnow""", "b": 1}', {"a": 'say "it"\nnow', "b": 1}),
        ('{"a": \'\'\'x\'\'\', "b": """y"}', {"a": "x", "b": 'y"}'}),
        ('{"a": ""x"""", "b": 1}', {"a": 'x""', "b": 1}),
        ('{"a": "x" + "y" + \'z\', "b": 1}', {"a": "xyz", "b": 1}),
        ('{"dir": "C:\\\\x\\", "b": 1}', {"dir": "C:\\x\\", "b": 1}),
    ],
    "words and numbers": [
        (
            "{a: 1, b_c: 'd', $e: 2, 键: 3, 5: 6, first name: 7}",
            {"a": 1, "b_c": "d", "$e": 2, "键": 3, "5": 6, "first name": 7},
        ),
        (
            "{a: hello world!, b: x/y, c: https://x.example/y}",
            {"a": "hello world!", "b": "x/y", "c": "https://x.example/y"},
        ),
        ("{a: one, two, b: 3}", {"a": "one, two", "b": 3}),
        ("{a: one\ntwo\n}", {"a": "one\ntwo"}),
        ("{a: one // c\n, b: two /* d */}", {"a": "one", "b": "two"}),
        ("{a: 1// c\n, b: [true, 2.5// d\n], c: x//y}", {"a": 1, "b": [True, 2.5], "c": "x//y"}),
        ("{a: true…, b: [1, 2...], c: null\n…}", {"a": True, "b": [1, 2], "c": None}),
        ("[a, b c, d\ne]", ["a", "b c", "d", "e"]),
        ("[True, FALSE, None, undefined, NULL, nil]", [True, False, None, None, None, None]),
        ("[NaN, -Infinity, Infinity]", [None, None, None]),
        (
            "[+1, .5, -.5, 5., 1e, 1e+, 1_000, 0xFF, -0x10, 0o17, 0b11, -]",
            [1, 0.5, -0.5, 5.0, 1, 1, 1000, 255, -16, 15, 3, 0],
        ),
        ("[007, 1.2.3, 2026-03-01, 1/3, 12abc, 2e3.4]", ["007", "1.2.3", "2026-03-01", "1/3", "12abc", "2e3.4"]),
        ("{a: 1,234, b: -2,000.50}", {"a": "1,234", "b": "-2,000.50"}),
        ("{a: #fff, b: 1}", {"a": "#fff", "b": 1}),
        ("{a: /x[0-9]+/i, b: 1}", {"a": "/x[0-9]+/i", "b": 1}),
        ("[truee, falsey]", ["truee", "falsey"]),
        ('{a: f"x", b: r\'y\', c: u"z"}', {"a": "x", "b": "y", "c": "z"}),
        (
            '{"id": ObjectId("1"), "n": NumberLong(2), "d": new Date("x"), "t": (1, 2), "u": (3), "v": ()}',
            {"id": "1", "n": 2, "d": "x", "t": [1, 2], "u": 3, "v": []},
        ),
        ("{sig\\u03A3ma: 1}", {"sigΣma": 1}),
        ("{'a', 'b'}", ["a", "b"]),
        ("{1, 2.5, 'a', b, true}", [1, 2.5, "a", "b", True]),
        ("{'a', 'b': 1}", {"a": None, "b": 1}),
        ('{"a":, "b": , "c":}', {"a": None, "b": None, "c": None}),
        ("{a:]", {"a": None}),
        ('{"a": 1, NOTE "b": 2}', {"a": 1, "b": 2}),
        ("{...}", {}),
        ("[1, 2, ..., 9, …]", [1, 2, 9]),
        ('{"a": ["x", "y"...], "b": "z" ... }', {"a": ["x", "y"], "b": "z"}),
        ('[[1] .5, "y" ...]', [[1], 0.5, "y"]),
        ('{"a": 1, ..., "b": 2}', {"a": 1, "b": 2}),
        ('{"a": -, "b": *}', {"a": 0, "b": "*"}),
        ('{"a": ), "b": 1}', {"a": None, "b": 1}),
        ("[/, 1]", ["/", 1]),
        ("{*: 1}", {"*": 1}),
        ('{"a": 1, ( "b": 2}', {"a": 1, "b": 2}),
        ('{"a": 1, = 2}', {"a": 1, "2": None}),
    ],
    "escapes and signs": [
        ('{"a": "line\nbreak\ttab"}', {"a": "line\nbreak\ttab"}),
        ('{"a": "line\r\nbreak"}', {"a": "line\r\nbreak"}),
        (r'{"re": "^\s*\d+\(", "x": "\x41\U0001F600\v\0\'"}', {"re": "^\\s*\\d+\\(", "x": "A😀\x0b\x00'"}),
        (r'{"a": "C:\Users\new\"x\"\\y.txt", "b": 1}', {"a": 'C:\\Users\\new"x"\\y.txt', "b": 1}),
        ("{a: ３０, b: －１．５}", {"a": 30, "b": -1.5}),
        (r'{"a": "\UFFFFFFFF"}', {"a": "\ufffd"}),
        ("{'a': 'one \\\ntwo'}", {"a": "one two"}),
        ('{\\"a\\": \\"b \\\\\\"c\\\\\\" d\\", \\"e\\": [1, true]}', {"a": 'b "c" d', "e": [1, True]}),
        ("[\\n  1,\\n  2\\n]", [1, 2]),
        ('{\\\\\\"a\\\\\\": 1}', {"a": 1}),
        ('{"a": \\"b\\"}', {"a": "b\\"}),
        ('{"a":\u00a0"b",\u3000"c":\u200b1}', {"a": "b", "c": 1}),
        ("\ufeff{a: 1}", {"a": 1}),
        ('{"a": 1} \x00', {"a": 1}),
    ],
    "comments": [
        ('// x {"y": 1}\n{"a": 1} // end', {"a": 1}),
        ('{ # one\n"a": 1, // two ]\n/* three } */ "b": 2 <!-- four --> }', {"a": 1, "b": 2}),
        ('{"a": "// no comment", "b": "/* nor this */"', {"a": "// no comment", "b": "/* nor this */"}),
        ('{"a": 1} /* open', {"a": 1}),
        ("[1, /* open", [1]),
        ('{"a": "x", # one, "two"\n "b": 2, -- three\n"c": 3}', {"a": "x", "b": 2, "c": 3}),
    ],
    "brackets": [
        ('{"a": {"b": 2}', {"a": {"b": 2}}),
        ('[{"a": 1, {"b": 2}]', [{"a": 1}, {"b": 2}]),
        ('[{"a": 1, 5]', [{"a": 1}, 5]),
        ('{"a": [{"b": 1], "c": 2}', {"a": [{"b": 1}], "c": 2}),
        ('{"a": [1, 2, "b": 3}', {"a": [1, 2], "b": 3}),
        ('{"a": [1, 2}', {"a": [1, 2]}),
        ('{"a": 1}}]}', {"a": 1}),
        ('{"a": 1]]}', {"a": 1}),
        ("[1, [}]", [1, []]),
        ('{"a": 1}, "b": 2}', {"a": 1, "b": 2}),
        ('[[1], [2]], "x"]', [[1], [2], "x"]),
        ('{"x": [{"a": 1}}, {"b": 2}]}', {"x": [{"a": 1}, {"b": 2}]}),
        ('{"x": [{"a": 1}}]}', {"x": [{"a": 1}]}),
        ('[{"x": [1]]}, 2]', [{"x": [1]}, 2]),
        ('{"x": [[1]], 2], "y": 3}', {"x": [[1], 2], "y": 3}),
        ('{"x": [1, "a"], [2]], "y": 3}', {"x": [1, "a", [2]], "y": 3}),
        ("[1, 2}, 3]", [1, 2, 3]),
        ('[{"x": [1, 2}, 3, {}]', [{"x": [1, 2]}, 3, {}]),
        ('[null, {"x": 1, "y": [}, [2, "z"]]', [None, {"x": 1, "y": []}, [2, "z"]]),
        ('{"x": [1}, "b", "c"', {"x": [1, "b", "c"]}),
        ('{"b"[1],[11]]', {"b": [1, [11]]}),
        ('[{"x": [1, 2}, 3, {', [{"x": [1, 2, 3, {}]}]),
        ('[{"x": [1, 2}, 3, {"y"', [{"x": [1, 2, 3, {}]}]),
        ("｛“a”：［1，2］｝", {"a": [1, 2]}),
        ("{{'a': 1}}", {"a": 1}),
        ("(1, 'a')", [1, "a"]),
        ("('a')", "a"),
        ("[(1, 2), (3)]", [[1, 2], 3]),
    ],
    "cut off": [
        ('{"a": 1, "b": [1, 2', {"a": 1, "b": [1, 2]}),
        ('{"a": "x, y', {"a": "x, y"}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": 1, "b"', {"a": 1}),
        ('{"a": 1, "b":', {"a": 1}),
        ('{"a": 1, b', {"a": 1}),
        ('[1, "a\\', [1, "a"]),
        ('["a\\u12', ["a"]),
        ('["a\\ud83d', ["a"]),
        ('["a\\ud83d\\', ["a"]),
        ('["a\\ud83d\\ude00', ["a😀"]),
        ("[1, -", [1, 0]),
        ("[1.", [1.0]),
        ("[2e-", [2]),
        ("[true, fal", [True, False]),
        ("[n", [None]),
        ('{"a": tr', {"a": True}),
        ('{"a": {"b": [', {"a": {"b": []}}),
        ("[", []),
        ('{"a": \'x', {"a": "x"}),
        ("[(1, 2", [[1, 2]]),
        ('{]"0:[', {}),
        ('{"a": [null, "““"', {"a": [None, "““"]}),
        ('{"a": 1, "b:)', {"a": 1}),
        ('{"a": 1, "{b”：":', {"a": 1}),
        ('```json\n{"a": [1,\n```\nThat is all.', {"a": [1]}),
        ('```json\n{"a": \n```', {}),
        ('```json\n{"a": -5\n```\nThat is {all}.', {"a": -5}),
        ('```json\n{"a"\n```', {}),
        ('```json\n["x"\n```', ["x"]),
    ],
}


def value_of(text: str) -> Any:
    mended = mend(text)
    assert mended.valid, mended.problems
    assert applied(text, mended.edits) == mended.text
    return json.loads(mended.text)


@pytest.mark.parametrize(("text", "value"), [case for cases in CASES.values() for case in cases])
def test_broken_json_becomes_what_it_was_to_be(text: str, value: Any) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize("text", [text for cases in CASES.values() for text, _ in cases])
def test_a_long_text_ends_where_a_short_one_would(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    short = mend(text)
    monkeypatch.setattr(texts, "_LONG", -1)
    assert mend(text) == short


@pytest.mark.parametrize("inner", ['x "y" ', 'x", y ', 'x “y" ', '\\"z\\", \'y\' "x" '])
def test_many_inner_marks_end_no_text(inner: str) -> None:
    assert value_of('[{"a": "' + inner * 1_000 + '", "b": 1}]') == [{"a": (inner * 1_000).replace("\\", ""), "b": 1}]


@pytest.mark.parametrize("text", ['{"a",', '{"a" ]', '"x": {"a" ]', "{'a', 'b"])
def test_what_can_be_read_in_two_ways_is_refused(text: str) -> None:
    mended = mend(text)
    assert not mended.valid
    assert {problem.code for problem in mended.problems} == {"lone_key"}


def test_made_up_faults_are_mended_or_doubted() -> None:
    """A thousand documents with one fault each, of 27 kinds: an answer that is sure of itself is right."""
    sure = right = 0
    for fault in faults.made_up(1_000, seed=20_261_127):
        mended = mend(fault.text)
        if mended.valid and mended.confidence >= 0.9:
            sure += 1
            right += json.loads(mended.text) == fault.value
    assert sure > 700
    assert right / sure >= 0.99


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_is_too_much(name: str) -> None:
    """Ten thousand characters of it end in JSON or in a reason; how long a million take is for the benchmark."""
    mended = mend(PATTERNS[name](10_000))
    assert mended.problems or mended.valid
    if mended.text:
        json.loads(mended.text)


def test_garbage_never_becomes_invalid_json() -> None:
    chance = random.Random(11)  # noqa: S311 - a seeded mix of signs, no secret
    signs = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        '"',
        "'",
        "\\",
        "a",
        "b c",
        "-2.5",
        "True",
        " ",
        "\n",
        "“",
        "”",
        "，",
        "：",
        "//x\n",
    ]
    signs += [
        "/*",
        "*/",
        "...",
        "```",
        "(",
        ")",
        "+",
        '\\"',
        "\\n",
        '"k":',
        '"v"',
        "<think>",
        "</think>",
        "=",
        "#",
        'f"',
        "\u3000",
        "「",
    ]
    made_up = ("".join(chance.choices(signs, k=chance.randint(1, 14))) for _ in range(3_000))
    for text in ("{<，{(}1", '{"a”: 1, "b" ]', '{""' + 'x""y' * 60 + '"": 1}', *made_up):
        mended = mend(text)
        assert mended.valid == bool(mended.text)
        if mended.valid:
            json.loads(mended.text)


def test_a_long_text_that_was_escaped_is_read_piece_by_piece() -> None:
    rows = [{"n": number, "text": "some words"} for number in range(5_000)]
    text = json.dumps(json.dumps(rows))[1:-1]
    assert value_of(text) == rows
    assert value_of(f"{text} and so on") == rows


def test_after_many_texts_that_are_broken_the_next_are_read_as_well() -> None:
    assert value_of("\n".join("{a: 1}" for _ in range(60))) == [{"a": 1}] * 60


@pytest.mark.parametrize("gap", [" ", ",\n", ""])
def test_very_many_objects_in_a_row_are_one_array(gap: str) -> None:
    rows: list[Any] = [{"n": number, "text": "é"} for number in range(100)]
    rows[50], rows[70] = {"in": [{"n": 1}]}, {}
    assert value_of(gap.join(map(json.dumps, rows))) == rows
    assert value_of("{}" + gap + gap.join(["{}"] * 50 + ['{"n": 1}'])) == [{}] * 51 + [{"n": 1}]


def test_numbers_without_end_and_texts_without_number_are_read() -> None:
    assert value_of('{"a": 0x' + "f" * 3_700 + "}") == {"a": "0x" + "f" * 3_700}
    assert value_of('{"a": ' + '"x" + ' * 20_000 + '"x"}') == {"a": "x" * 20_001}


def test_very_many_faults_in_one_text_are_one_change() -> None:
    text = '{"a": "' + 'so "much"\n' * 600 + '", "b": 1}'
    mended = mend(text)
    assert json.loads(mended.text) == {"a": 'so "much"\n' * 600, "b": 1}
    assert len(mended.edits) == 1


def test_two_lists_of_edits_become_one() -> None:
    chance = random.Random(5)  # noqa: S311 - a seeded mix of edits, no secret

    def some(text: str) -> list[Edit]:
        edits, position = [], 0
        while position <= len(text) and chance.random() < 0.8:
            start = chance.randint(position, min(len(text), position + 3))
            position = chance.randint(start, min(len(text), start + 3))
            edits.append(Edit(start, position, "XYZ"[: chance.randint(0, 3)], "test"))
        return edits

    for _ in range(3_000):
        text = "abcdefghij"[: chance.randint(0, 10)]
        first = some(text)
        between = applied(text, first)
        second = some(between)
        assert applied(text, composed(first, second)) == applied(between, second)
