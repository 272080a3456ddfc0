import pytest
from hypothesis import given
from hypothesis import strategies as st

from opskit.redaction import blank

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
