from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opskit.redaction import MARK, Blank, blank

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        f"  {TOKEN}\n",
        f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN}&timestamp=1&sign=x",
        f"sales={TOKEN}, ops=app-anotherkey1",
        f"Authorization: Bearer {TOKEN}",
        f'{{"sales": "{TOKEN}"}}',
    ],
)
def test_the_key_inside_a_secret_is_blanked_wherever_it_stands(secret: str) -> None:
    text = f"Max retries exceeded with url: /robot/send?access_token={TOKEN} (oapi.dingtalk.com)"
    assert TOKEN not in blank(text, [secret])
    assert "oapi.dingtalk.com" in blank(text, [secret])


def test_a_percent_encoded_secret_is_blanked() -> None:
    assert "%2B" not in blank("sign=ab%2Bcd%2Fef%3D&x", ["ab+cd/ef="])
    assert "ab+cd" not in blank("ab+cd/ef=", ["ab%2Bcd%2Fef%3D"])


def test_short_words_are_left_alone_unless_they_are_the_whole_secret() -> None:
    assert blank("a cat", ["a, b"]) == "a cat"
    assert blank("pin 1234", ["1234"]) == "pin ***"
    assert blank("nothing", ["", "  "]) == "nothing"


@given(
    st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=40), st.text(), st.text()
)
def test_no_whole_secret_survives(secret: str, before: str, after: str) -> None:
    assert secret not in blank(before + secret + after, [secret]) or secret in "***"


# What a remote server says


def test_a_secret_is_taken_out_of_an_answer_and_its_words_stay() -> None:
    clear = Blank([TOKEN, "fake gate+key", "12345"])
    assert clear.text(f"key {TOKEN}, {TOKEN}") == "key ***, ***"
    assert (
        clear.text("fake gate+key fake%20gate%2Bkey fake+gate%2Bkey fake gate 12345") == "*** *** *** fake gate 12345"
    )
    assert Blank([]).text(TOKEN) == TOKEN
    assert Blank(["short"]).text("short") == "short"


def test_a_secret_inside_another_leaves_nothing_of_the_longer_one() -> None:
    assert Blank(["fake-token", "fake-token-long"]).text("fake-token-long fake-token") == "*** ***"


def test_a_secret_is_taken_out_of_every_text_and_name_of_a_value() -> None:
    value = {TOKEN: [TOKEN, 1, None, {"n": f"a{TOKEN}b", "x": 1.5}], "y": True}
    assert Blank([TOKEN]).value(value) == {MARK: [MARK, 1, None, {"n": "a***b", "x": 1.5}], "y": True}


def test_what_may_be_the_beginning_of_a_secret_is_held() -> None:
    clear = Blank([TOKEN, "fake key!"])
    assert [clear.held(text) for text in ("", "x", "a 0", f"a {TOKEN[:9]}", TOKEN[:-1], "a fake%20k", "9")] == [
        0,
        0,
        1,
        9,
        31,
        8,
        0,
    ]
    assert Blank([]).held("anything") == 0


@given(
    st.lists(st.text("ab%é ", min_size=6, max_size=9), max_size=3),
    st.text("ab%é ", max_size=60),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_a_secret_is_found_wherever_a_stream_is_cut(secrets: list[str], text: str, cuts: list[int]) -> None:
    """As ``app_run.Speech`` does it: what is held waits for what follows."""
    clear = Blank(secrets)
    said, held = "", ""
    for start, end in pairwise([0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]):
        ready = clear.text(held + text[start:end])
        count = len(ready) - clear.held(ready)
        said, held = said + ready[:count], ready[count:]
    for secret in secrets:
        assert secret not in said + held
