"""What holds for every text: found by looking for texts where it does not."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opskit.jsonfix import Schema, Text, mend, repair
from opskit.jsonfix.confidence import SURE
from opskit.jsonfix.edits import applied

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
ROOTS = st.lists(VALUES, max_size=4) | st.dictionaries(st.text(max_size=6), VALUES, max_size=4)
SIGNS = st.sampled_from(
    [
        *"{}[]:,\"'\\/*# \n`“”，：（）<>+-._=0a|",
        "true",
        "```",
        "//",
        "null",
        '"k":',
        "1e",
        "\\u12",
        "<think>",
        "</think>",
    ]
)
GARBAGE = st.lists(SIGNS, max_size=24).map("".join)
TEXTS = (
    st.text(max_size=30)
    | GARBAGE
    | st.builds(lambda before, value, after: f"{before}{json.dumps(value)}{after}", GARBAGE, VALUES, GARBAGE)
)
SCHEMAS = st.sampled_from(
    [
        {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        {"type": "array", "items": {"type": ["number", "string"]}},
        {"anyOf": [{"type": "object", "additionalProperties": False}, {"enum": ["x", 1, None]}]},
        {"type": "object", "properties": {"": {"type": "boolean", "default": True}}, "required": [""]},
        {"type": "string"},
    ]
)
EXAMPLES = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@EXAMPLES
@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_valid_json_comes_back_unchanged(value: Any, indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    mended = mend(text)
    assert (mended.text, list(mended.edits), mended.confidence) == (text, [], 1)


@EXAMPLES
@given(TEXTS)
def test_what_comes_out_is_json_and_replaying_the_changes_gives_it(text: str) -> None:
    mended = mend(text)
    assert mended.valid == bool(mended.text)
    if mended.valid:
        json.loads(mended.text, parse_constant=lambda _: 1 / 0)
        assert applied(text, mended.edits) == mended.text
        assert all(one.end <= other.start for one, other in zip(mended.edits, mended.edits[1:], strict=False))
        answer = repair(Text(text=text)).repaired if text.strip() else None
        for change in answer.changes if answer else []:
            assert text[change.offset : change.offset + change.length][:300] == change.old[:300]


@EXAMPLES
@given(TEXTS)
def test_repairing_twice_changes_nothing(text: str) -> None:
    once = mend(text)
    if once.valid:
        assert mend(once.text).text == once.text


@EXAMPLES
@given(TEXTS, SCHEMAS, st.sampled_from(["off", "safe", "full"]))
def test_what_is_called_valid_conforms(text: str, schema: dict[str, Any], coerce: Any) -> None:
    mended = mend(text, schema=Schema(schema), coerce=coerce)
    if mended.valid:
        assert Schema(schema).fits(json.loads(mended.text))
        assert applied(text, mended.edits) == mended.text
        again = mend(mended.text, schema=Schema(schema), coerce=coerce)
        assert again.text == mended.text


@EXAMPLES
@given(ROOTS, st.data())
def test_a_text_cut_anywhere_gives_a_value_true_to_what_is_left(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans()), indent=data.draw(st.sampled_from([None, 1])))
    cut = text[: data.draw(st.integers(1, len(text)))]
    mended = mend(cut)
    assert mended.valid
    found = json.loads(mended.text)
    exact = is_prefix(found, value, last=True)
    assert exact is not None, (cut, mended.text)
    assert exact or mended.confidence < SURE


def is_prefix(found: Any, whole: Any, *, last: bool) -> bool | None:
    """Whether ``found`` is what a cut left of ``whole``: False with its last scalar changed, None where it is not."""
    if isinstance(found, dict) and isinstance(whole, dict):
        names = list(whole)[: len(found)]
        if list(found) != names:
            return None
        pairs = [(found[name], whole[name]) for name in names]
    elif isinstance(found, list) and isinstance(whole, list):
        if len(found) > len(whole):
            return None
        pairs = list(zip(found, whole, strict=False))
    elif isinstance(found, (dict, list)) or isinstance(whole, (dict, list)):
        return None
    else:
        return (found == whole and type(found) is type(whole)) or (False if last else None)
    verdicts = [
        is_prefix(one, other, last=last and place == len(pairs) - 1) for place, (one, other) in enumerate(pairs)
    ]
    return None if None in verdicts else all(verdicts)
