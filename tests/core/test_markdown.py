import json
import math
import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opskit.dingtalk.markdown import (
    Piece,
    looks_like_markdown,
    plain_title,
    size,
    split,
    tables_to_code,
    tables_to_lists,
)
from opskit.dingtalk.markdown.spans import is_whole
from opskit.errors import InvalidInput

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
LINK = "[报告](https://example.com/a_(b)?q=1)"
TABLE = "| 商品 | 件数 |\n|:--|--:|\n" + "".join(f"| 灯{row} | {row} |\n" for row in range(9))
SENTENCE = "今天的销售额比昨天高。"


def bodies(text: str, limit: int) -> list[str]:
    return [piece.body for piece in split(text, limit)]


# Sizes


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_the_size_is_that_inside_compact_json(text: str) -> None:
    assert size(text) == len(json.dumps({"a": text}, ensure_ascii=False, separators=(",", ":")).encode()) - len(
        '{"a":""}'
    )


def test_sizes_of_what_json_escapes() -> None:
    assert [size(text) for text in ("a", "长", "\n", '"', "\\", "\x01", FAMILY)] == [1, 3, 2, 2, 2, 6, 18]


# Where it is cut


def test_what_fits_stays_one_piece() -> None:
    assert split("# A\n\ntext\n", 100) == [Piece("", "# A\n\ntext\n", "")]
    assert split("", 100) == [Piece("", "", "")]


def test_before_headings_first() -> None:
    text = "# A\n\n" + "a b. " * 12 + "\n\n## B\n\n" + "c d. " * 12 + "\n\nmore\n"
    assert bodies(text, 100) == [text[: text.index("## B")], text[text.index("## B") :]]


def test_then_between_paragraphs_then_top_items_then_nested_ones() -> None:
    assert bodies("one\ntwo\n\nthree\nfour\n", 17) == ["one\ntwo\n\n", "three\nfour\n"]
    assert bodies("- one\n  - a\n- two\n  - b\n", 24) == ["- one\n  - a\n", "- two\n  - b\n"]
    assert bodies("- one\n  - aaaa\n  - bbbb\n  - cccc\n", 32) == ["- one\n  - aaaa\n  - bbbb\n", "  - cccc\n"]


def test_then_behind_a_sentence_then_a_word_then_a_character() -> None:
    assert bodies(SENTENCE * 4, 70) == [SENTENCE * 2, SENTENCE * 2]
    assert bodies("One two. Three four. Five six. Seven", 24) == ["One two. Three four.", " Five six. Seven"]
    assert bodies("alpha beta gamma delta", 12) == ["alpha beta ", "gamma delta"]
    assert bodies("长" * 10, 12) == ["长长长长", "长长长长", "长长"]


def test_a_heading_goes_with_what_follows_it() -> None:
    text = "word. " * 8 + "\n\n## Next\n\n" + "more. " * 9
    assert not any(body.strip().endswith("Next") for body in bodies(text, 62))
    assert any(body.startswith("## Next") for body in bodies(text, 62))


def test_a_heading_underlined_goes_with_what_follows_too() -> None:
    for body in bodies("words of a line\n\nTitle\n=====\n\nmore words\nand more\n", 32):
        assert not body.rstrip().endswith("=")


def test_a_fence_that_must_be_cut_is_closed_and_opened_again() -> None:
    text = "```python\n" + "print(1)\n" * 6 + "```\nend\n"
    pieces = split(text, 50)
    assert [piece.text for piece in pieces[:2]] == [
        "```python\nprint(1)\nprint(1)\nprint(1)\n```",
        "```python\nprint(1)\nprint(1)\nprint(1)\n```\n",
    ]
    assert "".join(piece.body for piece in pieces) == text


def test_a_fence_inside_a_list_keeps_its_indentation() -> None:
    text = "- ```sh\n" + "  echo 1234567\n" * 6 + "  ```\n- next\n"
    first, second, *_ = split(text, 70)
    assert first.closing == "  ```"
    assert second.opening == "  ```sh\n"


def test_a_long_line_of_a_fence_is_cut_between_characters() -> None:
    pieces = split("```\n" + "长" * 30 + "\n```\n", 60)
    assert all(piece.text.count("```") == 2 for piece in pieces)
    assert pieces[0].closing == "\n```"


def test_an_unclosed_fence_is_closed_in_every_piece() -> None:
    for text in ("~~~\n" + "line\n" * 20, "~~~\n" + "line\n" * 20 + "last"):
        assert all(piece.text.count("~~~") == 2 for piece in split(text, 40))


def test_a_table_that_must_be_cut_gets_its_head_again() -> None:
    first, *others = split(TABLE, 110)
    assert others
    assert all(piece.opening == "| 商品 | 件数 |\n|:--|--:|\n" for piece in others)
    assert "".join(piece.body for piece in (first, *others)) == TABLE


def test_a_table_whose_head_is_too_long_to_repeat_is_cut_without() -> None:
    text = f"| {'长' * 20} | b |\n|---|---|\n" + "| 1 | 2 |\n" * 9
    assert all(piece.opening == "" for piece in split(text, 110))


def test_a_row_longer_than_a_piece_is_cut_as_text() -> None:
    text = f"| a | b |\n|---|---|\n| {'长' * 60} | 2 |\n| 3 | 4 |\n"
    pieces = split(text, 100)
    assert "".join(piece.body for piece in pieces) == text
    assert len(pieces) <= 4


def test_a_row_that_fits_the_next_piece_goes_there_whole() -> None:
    table = f"| a | b |\n|---|---|\n| {'y' * 60} | 2 |\n"
    assert bodies("x" * 30 + "\n\n" + table, 110) == ["x" * 30 + "\n\n", table]


def test_a_fences_last_line_is_not_cut() -> None:
    text = "```\n" + "x" * 40 + "\n" + "`" * 60 + "\n"
    assert bodies(text, 80) == ["```\n" + "x" * 40 + "\n", "`" * 60 + "\n"]


def test_a_quote_that_is_cut_inside_stays_a_quote() -> None:
    first, second, *_ = split("> " + SENTENCE * 4, 80)
    assert (first.opening, second.opening) == ("", "> ")


@pytest.mark.parametrize(
    "link",
    [LINK, '![图](https://example.com/a.png "t t")', "<https://example.com/aaaa>", "https://example.com/a?b=c&d=e",
     "[![x](https://a.b/c.png)](https://example.com/d)", "`code with spaces in it`", "``a ` b c d e f g``"],
)  # fmt: skip
def test_nothing_is_cut_inside_a_link_or_code(link: str) -> None:
    for before in range(1, 60):
        assert any(link in body for body in bodies("x " * before + link + " y" * 20, 80)), before


def test_a_link_longer_than_a_piece_is_refused_by_its_size() -> None:
    with pytest.raises(InvalidInput, match=r"\[unbreakable_link\] One link is 212 bytes long; a message holds 100\."):
        split(f"text [a](https://x.y/{'z' * 195}) text", 100)


def test_code_longer_than_a_piece_is_cut_between_characters() -> None:
    text = f"`{'长' * 80}`"
    assert "".join(bodies(text, 60)) == text
    assert all(size(body) <= 60 for body in bodies(text, 60))


@pytest.mark.parametrize(
    "character",
    [
        FAMILY,
        "e\u0301",
        "\U0001f44d\U0001f3fd",
        "\U0001f1e8\U0001f1f3",
        "\r\n",
        "\u1112\u1161\u11ab",
        "❤\ufe0f",
        "ｶ\uff9e",
    ],
)
def test_no_character_is_cut(character: str) -> None:
    for before in range(20):
        for body in bodies("x" * before + character * 12, 40):
            rest = body.lstrip("x")
            assert rest == character * (len(rest) // len(character)), before


def test_the_end_of_a_text_is_between_characters() -> None:
    assert is_whole("e\u0301", 2)
    assert not is_whole("e\u0301", 1)


@pytest.mark.parametrize("mark", ["```", "~~~", "# ", "- ", "> ", "1. ", "| x |"])
def test_what_is_text_within_a_line_does_not_become_a_block_by_a_cut(mark: str) -> None:
    for before in range(20):
        for body in bodies("长" * before + f"{mark}句。" * 12, 60)[1:]:
            assert not body.startswith(mark), before


def test_a_character_larger_than_a_piece_is_cut_after_all() -> None:
    text = "a" + "\u0301" * 100
    assert "".join(bodies(text, 40)) == text


def test_a_backtick_without_its_partner_protects_nothing() -> None:
    assert bodies("`` lonely ` `a b` " + "word " * 4, 24) == ["`` lonely ` `a b` word ", "word word word "]


def test_plain_text_knows_no_markdown() -> None:
    text = "```\nline one\n```\nline two\nline three\n"
    assert all(not piece.opening and not piece.closing for piece in split(text, 20, markdown=False))


# Whatever is written

PROSE = [
    SENTENCE,
    "A sentence in English. ",
    "word",
    " ",
    "\n",
    "\n\n",
    "\r\n",
    "**bold** ",
    "1234567890",
    "\t",
    "\x01",
    '"',
    "\\",
]
BLOCKS = ["# Heading\n", "## 标题\n\n", "- item\n", "  - nested\n", "1. one\n", "> quote ", "---\n"]
FENCES = ["```\n", "````py\n", "~~~\n", "  ```\n", "`code`", "`", "``"]
LINKS = [LINK, "![图](https://a.b/c.png)", "https://x.y/z ", "[", "](", ")"]
TABLES = ["| a | b |\n|---|---|\n", "| 1 | 2 |\n", "|", r"\|"]
CHARACTERS = [FAMILY, "\U0001f1e8\U0001f1f3", "e\u0301"]
TOKENS = st.sampled_from([*PROSE, *BLOCKS, *FENCES, *LINKS, *TABLES, *CHARACTERS])
TEXTS = st.tuples(st.lists(TOKENS, min_size=1, max_size=60), st.integers(1, 12)).map(
    lambda made: "".join(made[0]) * made[1]
)
LIMITS = st.sampled_from([120, 200, 333, 1000, 5000])


def fences_open(text: str) -> bool:
    """Whether a fence is left open at the end, found by a scanner of its own."""
    marker = ""
    for line in re.split(r"\n", text):
        found = re.match(r"\s*(?:(?:[-*+]|\d+[.)])\s+)?(`{3,}|~{3,})(.*)", line)
        if marker:
            if set(line.strip()) == {marker[0]} and len(line.strip()) >= len(marker):
                marker = ""
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            marker = found[1]
    return bool(marker)


@settings(deadline=None, max_examples=200)
@given(TEXTS, LIMITS)
@example("# h\n" * 50, 120)
@example("```\n" * 50, 120)
@example("\n" * 300, 120)
def test_the_parts_joined_are_the_whole_and_each_fits(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert "".join(piece.body for piece in pieces) == text
    assert all(size(piece.text) <= limit for piece in pieces)
    assert all(piece.body for piece in pieces)


@settings(deadline=None, max_examples=150)
@given(TEXTS, LIMITS)
def test_no_piece_leaves_a_fence_open(text: str, limit: int) -> None:
    for piece in split(text, limit)[:-1]:
        assert not fences_open(piece.text)


@settings(deadline=None, max_examples=150)
@given(TEXTS, LIMITS)
def test_every_link_arrives_whole(text: str, limit: int) -> None:
    outside = re.sub(r"[^\n]*[`~]{3}[\s\S]*", "", text)  # what a fence holds is no link
    wanted = outside.count(LINK)
    assert sum(body.count(LINK) for body in bodies(outside, limit)) == wanted


@settings(deadline=None, max_examples=150)
@given(TEXTS, LIMITS)
def test_every_character_arrives_whole(text: str, limit: int) -> None:
    for body in bodies(text, limit)[1:]:
        assert not unicodedata.combining(body[0])
        assert body[0] != "\u200d"
    for body in bodies(text, limit)[:-1]:
        assert body[-1] != "\u200d"


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(1, 6), min_size=5, max_size=80), st.sampled_from([200, 400, 1000]))
def test_prose_fills_its_pieces(paragraphs: list[int], limit: int) -> None:
    text = "\n\n".join(SENTENCE * count for count in paragraphs)
    pieces = split(text, limit)
    assert all(size(piece.text) >= limit // 2 for piece in pieces[:-1])
    assert len(pieces) <= 2 * math.ceil(size(text) / limit)


# Tables


def test_a_table_becomes_a_list() -> None:
    table = (
        "| Product | Pieces | Share |\n|---|---|---|\n| Lamp | 3 | 5% |\n| Book |  | 1% |\n| | 2 | |\n| Chair | | |\n"
    )
    assert (
        tables_to_lists(table) == "- **Lamp** Pieces: 3 · Share: 5%\n- **Book** Share: 1%\n- Pieces: 2\n- **Chair**\n"
    )


def test_a_chinese_table_gets_chinese_colons() -> None:
    assert tables_to_lists("|商品|件数|\n|---|---|\n|灯|3|") == "- **灯** 件数：3"


@pytest.mark.parametrize(
    ("table", "result"),
    [
        ("| a |\n|---|\n| 1 |\n", "- 1\n"),
        ("| | |\n|---|---|\n| 1 | 2 |\n", "- 1 · 2\n"),
        ("| a | b |\n|---|---|\n| **1** | 2 |\n", "- **1** b: 2\n"),
        ("| a | b |\n|---|---|\n| [x](https://y.z) | `2` |\n", "- [x](https://y.z) b: `2`\n"),
        ("| a | b |\n|---|---|\n| 1 \\| 2 | 3 | 4 |\n", "- **1 | 2** b: 3 · 4\n"),
        ("| a | b |\n|---|---|\n", "- a · b\n"),
        ("a | b\n--- | ---\n1 | 2\n", "- **1** b: 2\n"),
        ("text\n| a | b |\n|---|---|\n| 1 | 2 |\nmore | x\n", "text\n\n- **1** b: 2\n- **more** b: x\n"),
        ("text\n| a | b |\n|---|---|\n| 1 | 2 |\nmore\n", "text\n\n- **1** b: 2\n\nmore\n"),
        ("> | a | b |\n> |---|---|\n> | 1 | 2 |\n", "> - **1** b: 2\n"),
        ("  | a | b |\n  |---|---|\n  | 1 | 2 |\n", "  - **1** b: 2\n"),
        ("```\n| a | b |\n|---|---|\n| 1 | 2 |\n```\n", "```\n| a | b |\n|---|---|\n| 1 | 2 |\n```\n"),
        ("a | b\nc | d\n", "a | b\nc | d\n"),
        ("| a | b |\n|---|\n", "| a | b |\n|---|\n"),
    ],
)
def test_tables_of_every_shape(table: str, result: str) -> None:
    assert tables_to_lists(table) == result


def test_a_table_as_code_lines_up_in_a_font_of_even_width() -> None:
    table = "| 商品 | n |\n|---|---|\n| 灯 | 3 |\n| Lamp | 12 | x |\n"
    assert tables_to_code(table) == "```\n商品  n\n灯    3\nLamp  12  x\n```\n"


def test_a_cell_with_a_fence_gets_a_longer_one() -> None:
    assert tables_to_code("| ``` | b |\n|---|---|\n| e\u0301 | 2 |\n").startswith("````\n```  b\ne\u0301    2\n")


@settings(deadline=None)
@given(TEXTS)
def test_outside_tables_nothing_changes(text: str) -> None:
    without = text.replace("|", "")
    assert tables_to_lists(without) == tables_to_code(without) == without


# Words


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Day 1 #\n\ntext", "Day 1"),
        ("intro\n\n## **销售** `日报`\n", "销售 日报"),
        ("\n\n- **bold** item\nmore", "bold item"),
        ("> quoted _words_\n", "quoted words"),
        ("[text](https://a.b) ![alt](https://c.d)", "text alt"),
        ("1. first\n", "first"),
        ("#\n\nwords", "words"),
        ("| a | b |\n|---|---|\n", "a | b"),
        ("snake_case_name stays", "snake_case_name stays"),
        ("```\ncode\n```", "code"),
        ("", ""),
        ("\n \n", ""),
    ],
)
def test_the_title_is_the_first_heading_or_line_without_marks(text: str, title: str) -> None:
    assert plain_title(text) == title


def test_a_long_title_ends_on_a_whole_character() -> None:
    assert plain_title("长" * 100) == "长" * 63 + "…"
    assert plain_title("x" * 6 + FAMILY, 10) == "xxxxxx…"


@pytest.mark.parametrize(
    "text",
    [
        "# h",
        "a\n- b",
        "1. a",
        "> q",
        "**b**",
        "[a](https://b.c)",
        "![](https://b.c/d.png)",
        "`x`",
        "```\nx\n```",
        "|a|b|\n|-|-|",
        "~~~\nx",
    ],
)
def test_markdown_is_recognised(text: str) -> None:
    assert looks_like_markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "All OK",
        "-5",
        "3 * 4 * 5",
        "#1 order",
        "snake_case_name",
        "a | b",
        "10 > 9",
        "** x **",
        "2026. 10",
        "https://x.y",
        "",
    ],
)
def test_prose_and_numbers_are_not(text: str) -> None:
    assert not looks_like_markdown(text)
