"""Markdown for DingTalk: what is cut stays readable, fits, and loses nothing."""

import json
import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
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
from opskit.dingtalk.markdown.graphemes import is_boundary
from opskit.errors import InvalidInput

often = settings(deadline=None, max_examples=150, derandomize=True)

FAMILY = "👨‍👩‍👧‍👦"
CHINESE = "今天华东区销售额同比增长百分之十二，其中线上渠道贡献最大。"
ENGLISH = "Sales rose in the east, mostly online. Returns fell; nobody knows why! "


def bodies(pieces: list[Piece]) -> list[str]:
    return [piece.body for piece in pieces]


def texts(pieces: list[Piece]) -> list[str]:
    return [piece.text for piece in pieces]


# The scanners below share nothing with the code under test.


def has_open_fence(text: str) -> bool:
    """Whether a fence is open where the text ends."""
    marker, quotes = "", 0
    for line in re.split(r"\r\n|\r|\n", text):
        rest = line
        for _ in range(quotes):
            quoted = re.match(r"\s*> ?", rest)
            if not quoted:
                marker, quotes = "", 0
                break
            rest = rest[quoted.end() :]
        if marker:
            closes = rest.strip()
            if closes.startswith(marker) and not closes.strip(marker[0]):
                marker, quotes = "", 0
            continue
        lead = re.match(r"(?:\s*(?:>|[-*+](?= )|[0-9]+[.)](?= )))*\s*", line)
        rest = line[lead.end() :] if lead else line
        opened = re.match(r"(`{3,})[^`]*$|(~{3,})", rest)
        if opened and lead:
            marker, quotes = opened[1] or opened[2], lead[0].count(">")
    return bool(marker)


def links(text: str) -> set[str]:
    found = r'!?\[[^\[\]\n]*\]\([^()\s]*(?: "[^"\n]*")?\)|<https://[^<>\s]*>|https://[a-z0-9./?=&-]+'
    return set(re.findall(found, text))


def cuts_a_character(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    if before + after == "\r\n" or before == "\u200d" or after == "\u200d":
        return True
    if unicodedata.combining(after) or "\ufe00" <= after <= "\ufe0f" or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    flags = re.search("[\U0001f1e6-\U0001f1ff]*$", text[:place])
    return "\U0001f1e6" <= after <= "\U0001f1ff" and flags is not None and len(flags[0]) % 2 == 1


def places(pieces: list[Piece]) -> list[int]:
    """Where the text was cut."""
    ends, place = [], 0
    for piece in pieces[:-1]:
        place += len(piece.body)
        ends.append(place)
    return ends


WORDS = st.sampled_from(
    [
        "销售额",
        "同比增长，",
        "完成了。",
        "east",
        "of the plan.",
        "a",
        "supercalifragilistic" * 4,
        "3 * 4",
        "snake_case",
        FAMILY,
        "👍🏽",
        "🇨🇳🇯🇵🇧🇷",
        "❤️",
        "e\u0301",
        "각",
        "**重点**",
        "`code`",
        "``a`b``",
        "``` ",
        "~~~",
        "\\[",
        "[",
        "](",
        "!",
        "|",
        '"',
        "<font color=red>",
    ]
)
LINKS = st.sampled_from(
    [
        "[报表](https://example.com/a/b?c=1)",
        "![图](https://example.com/x.png)",
        '[title](https://example.com/t "标题 a b")',
        "<https://example.com/angle>",
        "https://example.com/bare/path?q=1",
    ]
)
SENTENCES = st.lists(st.one_of(WORDS, WORDS, LINKS), max_size=20).map(lambda words: " ".join(["The", *words]))
NEWLINES = st.sampled_from(["\n", "\n", "\n", "\r\n"])
CODE = st.lists(
    st.sampled_from(["x = 1", "", "    return `y`", "``", "~~", "# no heading", "| no | table |", "长行" * 30]),
    max_size=12,
)


@st.composite
def fences(draw: st.DrawFn) -> list[str]:
    marker = draw(st.sampled_from(["```", "~~~", "````"]))
    lead = draw(st.sampled_from(["", "", "> ", "  ", "- "]))
    inner = lead.replace("-", " ")
    first = lead + marker + draw(st.sampled_from(["", "python", " sql"]))
    return [first, *(inner + line for line in draw(CODE)), inner + marker]


@st.composite
def tables(draw: st.DrawFn) -> list[str]:
    columns = draw(st.integers(1, 4))
    cell = st.sampled_from(["1", "华东", "", "a\\|b", "**x**", "`c`", "[l](https://e.com/1)", FAMILY])
    row = st.lists(cell, min_size=columns, max_size=columns).map(lambda cells: f"| {' | '.join(cells)} |")
    lead = draw(st.sampled_from(["", "", "> "]))
    dashes = f"|{'---|' * columns}"
    return [lead + line for line in [draw(row), dashes, *draw(st.lists(row, max_size=12))]]


@st.composite
def lists(draw: st.DrawFn) -> list[str]:
    marks = ["- ", "- ", "  - ", "    - ", "1. ", "   "]
    return [draw(st.sampled_from(marks)) + draw(SENTENCES) for _ in range(draw(st.integers(1, 8)))]


HEADINGS = st.sampled_from(["# 日报", "## East", "### 3 *"]).map(lambda heading: [heading])
QUOTES = st.lists(SENTENCES, min_size=1, max_size=4).map(lambda lines: [f"> {line}" for line in lines])
PARAGRAPHS = st.lists(SENTENCES, min_size=1, max_size=3)
BLOCKS = st.one_of(HEADINGS, PARAGRAPHS, PARAGRAPHS, lists(), QUOTES, fences(), tables())


@st.composite
def documents(draw: st.DrawFn) -> str:
    lines: list[str] = []
    for block in draw(st.lists(BLOCKS, min_size=1, max_size=12)):
        lines += [*block, *[""] * draw(st.sampled_from([0, 1, 1, 1, 2]))]
    lines += draw(st.sampled_from([[], [], [], ["```py", "unclosed = 1", "still"]]))
    return draw(NEWLINES).join(lines)


@often
@given(text=documents(), limit=st.sampled_from([150, 200, 300, 1000, 5000]))
def test_whatever_is_written_fits_and_nothing_is_lost_or_broken(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert "".join(bodies(pieces)) == text
    assert all(size(whole) <= limit for whole in texts(pieces))
    assert len(pieces) <= 2 * -(-size(text) // limit) + 2
    assert len(pieces) == 1 or not any(has_open_fence(whole) for whole in texts(pieces))
    for link in links(text):
        assert sum(body.count(link) for body in bodies(pieces)) == text.count(link)
    assert not any(cuts_a_character(text, place) for place in places(pieces))


@often
@given(text=documents(), limit=st.sampled_from([300, 1000]))
def test_a_heading_stays_with_what_follows_it(text: str, limit: int) -> None:
    for piece in split(text, limit)[:-1]:
        lines = [line for line in re.split(r"[\r\n]+", piece.body) if line.strip()]
        in_code = has_open_fence(piece.opening + piece.body)
        assert in_code or all(line.startswith("#") for line in lines) or not re.match(r"#{1,6} ", lines[-1])


@often
@given(
    text=st.text(st.sampled_from('ab1 \t\n\r`~#>-*_|[]()<!\\".:中。，\u0301\u200d\ufe0f🇨👍🏽')),
    limit=st.integers(16, 60),
    markdown=st.booleans(),
)
def test_nonsense_fits_and_is_not_lost(text: str, limit: int, markdown: bool) -> None:  # noqa: FBT001
    for whole in (text, text * 7):
        pieces = split(whole, limit, markdown=markdown)
        assert "".join(bodies(pieces)) == whole
        assert all(size(piece.text) <= limit for piece in pieces)
        assert all(piece.body for piece in pieces) or not whole


@often
@given(paragraphs=st.lists(SENTENCES, min_size=20, max_size=60), limit=st.sampled_from([1000, 3000]))
def test_pieces_of_prose_are_at_least_half_full(paragraphs: list[str], limit: int) -> None:
    pieces = split("\n\n".join(paragraphs), limit)
    assert all(size(piece.text) >= limit // 2 - len("\n\n") * 2 for piece in pieces[:-1])


@often
@given(text=documents())
def test_plain_text_has_no_openings_or_closings(text: str) -> None:
    pieces = split(text, 150, markdown=False)
    assert "".join(bodies(pieces)) == text
    assert all(size(piece.text) <= 150 and not piece.opening + piece.closing for piece in pieces)
    assert not any(cuts_a_character(text, place) for place in places(pieces))


@given(text=st.text(), more=st.text())
@often
def test_size_is_what_json_takes_and_adds_up(text: str, more: str) -> None:
    assert size(text) == len(json.dumps({"": text}, ensure_ascii=False, separators=(",", ":")).encode()) - 7
    assert size(text + more) == size(text) + size(more)


def test_a_newline_or_a_quote_takes_two_bytes_and_a_control_character_six() -> None:
    assert [size(character) for character in ("a", "\n", '"', "\x01", "中", "👍")] == [1, 2, 2, 6, 3, 4]


def test_what_fits_is_one_piece_as_it_is() -> None:
    assert split("", 100) == [Piece("", "", "")]
    assert split("```\nunclosed", 100) == [Piece("", "```\nunclosed", "")]


def test_a_limit_that_holds_no_character_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="below 16"):
        split("text", 15)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "some words\n\nmore words\n## B\n\nmuch to say\n\nto say\n",
            "## B",
            id="before a heading, not the last paragraph",
        ),
        pytest.param("# A\n\n" + "word " * 5 + "\n\n" + "next " * 5, "next", id="between paragraphs"),
        pytest.param("- one two three four\n- five six\n  - seven eight\n", "- five six", id="between outer items"),
        pytest.param(
            "- one\n  - two and more\n  - three four\n  - five six\n", "  - three four", id="between inner items"
        ),
        pytest.param("one two three\nfour five six\nseven eight nine\n", "seven", id="between lines"),
        pytest.param("One two three. Four five six seven. Eight nine ten", "Eight", id="behind a sentence"),
        pytest.param("一二三四五六。七八九十，甲乙丙丁", "七", id="behind a Chinese sentence"),
        pytest.param("一二三四五六，七八九十甲乙丙丁", "七", id="behind a Chinese comma"),
        pytest.param("one two three four five six seven eight nine", "nine", id="behind a word"),
        pytest.param("x" * 60, "x" * 20, id="between characters"),
        pytest.param("一二三四五六七八 - 九十一二三四", "- 九"[2:], id="not where a word would become a list item"),
        pytest.param(
            "> one two three four\n> five six seven eight nine\n", "> five", id="between the lines of a quote"
        ),
        pytest.param(
            "Title here for all\n===\n\nwords\n\nNext one\n---\nmore", "Next one", id="above an underlined heading"
        ),
        pytest.param("one two three four\n\n***\nfive six seven eight nine ten", "five", id="behind a rule"),
    ],
)
def test_a_text_is_cut(text: str, expected: str) -> None:
    assert split(text, 40)[1].body.startswith(expected)


def test_list_items_come_before_their_text() -> None:
    text = "- alpha beta gamma\n\n  more of alpha\n- delta\n  epsilon zeta\n"
    assert bodies(split(text, 60)) == ["- alpha beta gamma\n\n  more of alpha\n", "- delta\n  epsilon zeta\n"]


def test_headings_in_a_row_stay_together() -> None:
    text = f"{CHINESE}\n\n# A\n\n## B\n\n{CHINESE}\n\n{CHINESE}"
    assert split(text, 130)[1].body.startswith("# A\n\n## B\n\n今天")


def test_a_heading_before_what_needs_a_whole_piece_stands_alone() -> None:
    link = f"https://example.com/{'x' * 70}"
    assert bodies(split(f"# A\n{link}\n", 94)) == ["# A\n", f"{link}\n"]


def test_a_heading_longer_than_a_piece_is_cut() -> None:
    assert bodies(split("# one two three four five\n", 20)) == ["# one two three ", "four five\n"]


def test_a_fence_is_closed_and_opened_again() -> None:
    text = "Look:\n\n```py title\n" + "x = 1\n" * 12 + "```\nend\n"
    first, *_, last = split(text, 60)
    assert first.text.endswith("x = 1\n```")
    assert last.opening == "```py title\n"
    assert last.body.endswith("```\nend\n")


def test_a_fence_that_fits_into_a_piece_is_moved_there_with_its_heading() -> None:
    fence = "# Code\n\n```\n" + "x = 1\n" * 8 + "```\n"
    pieces = split(f"{'word ' * 8}\n\n{fence}\nend {'word ' * 8}", 100)
    assert pieces[1].body.startswith(fence)
    assert not pieces[1].opening


def test_a_fence_that_is_too_long_anyway_begins_where_there_is_room() -> None:
    text = "word\n\n```\n" + "x = 1\n" * 30 + "```\n"
    assert split(text, 100)[0].body.startswith("word\n\n```\nx = 1\n")


def test_a_blank_line_is_the_better_place_in_code() -> None:
    text = "```\n" + "x = 1\n" * 4 + "\n" + "y = 2\n" * 6 + "```\n"
    assert split(text, 60)[1].body.startswith("y = 2\n")


def test_a_fence_in_a_list_or_quote_keeps_its_place() -> None:
    listed = split("- ```py\n" + "  x = 1\n" * 12 + "  ```\n- b\n", 80)
    assert (listed[0].closing, listed[1].opening) == ("  ```", "  ```py\n")
    quoted = split("> ~~~\n" + "> x = 1\n" * 12 + "> ~~~\n", 80)
    assert (quoted[0].closing, quoted[1].opening) == ("> ~~~", "> ~~~\n")
    deep = split("1. a\n\n    ```py\n" + "    x = 1\n" * 12 + "    ```\n", 100)
    assert deep[1].opening == "    ```py\n"
    assert deep[-1].body.endswith("    ```\n")


def test_a_fence_ends_with_the_quote_that_holds_it() -> None:
    text = "> ```\n" + "> x = 1\n" * 3 + "words that follow the quote, and some more of them\n"
    pieces = split(text, 60)
    assert pieces[0].closing == "> ```"
    assert pieces[1] == Piece("", "words that follow the quote, and some more of them\n", "")


def test_an_unclosed_fence_is_closed_once_it_is_cut() -> None:
    pieces = split("```\n" + "x = 1\n" * 12 + "last", 60)
    assert pieces[-1].text.endswith("last\n```")


def test_a_long_line_of_code_is_cut_between_characters() -> None:
    first, second, *_ = split("```\n" + "一 二." * 30 + "\n```\n", 57)
    assert first.text == "```\n" + "一 二." * 5 + "一 二\n```"
    assert second.opening == "```\n"


def test_code_that_looks_like_a_marker_once_it_is_cut_closes_nothing() -> None:
    text = "~~~\n" + "x" * 32 + " ~~~ y" + "z" * 40 + "\n" + "~~~ " * 20 + "\n~~~\n"
    assert not any(has_open_fence(whole) for whole in texts(split(text, 50)))


def test_text_that_looks_like_a_marker_once_it_is_cut_opens_no_fence() -> None:
    for text in ("words and words and words ~~~ " * 4, "```js `x` " + "word " * 20, "```js word " * 20 + "`"):
        assert not any(has_open_fence(whole) for whole in texts(split(text, 40)))


def test_rather_than_open_a_fence_a_run_of_backticks_is_parted() -> None:
    assert bodies(split("```select " + "word " * 10 + "`", 40))[:2] == ["``", "`select word word word word word word "]


def test_a_fence_of_absurd_marks_still_fits() -> None:
    for text in ("`" * 500, "```" + "i" * 60 + "\n" + "x = 1\n" * 30, "x " + "~" * 500, "~~~\n" + "~" * 200 + "\n~~~"):
        pieces = split(text, 80)
        assert "".join(bodies(pieces)) == text
        assert all(size(whole) <= 80 for whole in texts(pieces))
    assert split("```" + "i" * 60 + "\n" + "x = 1\n" * 30, 80)[1].opening == "```\n"


TABLE = "| 区域 | 额 |\n|---|---|\n"


def test_a_table_that_is_cut_gets_its_header_again() -> None:
    pieces = split(TABLE + "| 华东 | 1 |\n" * 12, 100)
    assert {piece.opening for piece in pieces[1:]} == {TABLE}
    assert all(piece.body.endswith("|\n") for piece in pieces)


def test_a_table_in_a_list_gets_its_header_again_without_the_list_mark() -> None:
    pieces = split("- | a | b |\n  |---|---|\n" + "  | 1 | 2 |\n" * 12, 100)
    assert pieces[1].opening == "  | a | b |\n  |---|---|\n"


def test_a_table_without_room_for_its_header_is_cut_like_text() -> None:
    long_header = f"| {'h' * 60} |\n|---|\n" + "| 1 |\n" * 30
    assert {piece.opening for piece in split(long_header, 80)} == {""}
    long_row = TABLE + f"| {'word ' * 30} | 2 |\n| 3 | 4 |\n"
    pieces = split(long_row, 80)
    assert "".join(bodies(pieces)) == long_row
    assert pieces[2].opening == ""


def test_a_table_that_fits_into_a_piece_is_moved_there() -> None:
    table = TABLE + "| 华东 | 1 |\n" * 4
    assert split(f"{'word ' * 8}\n\n{table}\n{'word ' * 10}", 130)[1].body.startswith(table)


def test_a_line_without_a_pipe_ends_a_table() -> None:
    pieces = split(TABLE + "| 华东 | 1 |\n" * 3 + "说明：" * 12, 100)
    assert pieces[-1].opening == ""


def test_a_line_of_a_quote_that_is_cut_is_quoted_again() -> None:
    pieces = split("> " + "word " * 20 + "\nlazy line\n", 40)
    assert [piece.opening for piece in pieces] == ["", *["> "] * (len(pieces) - 1)]
    assert split(f"> {'word ' * 6}\nlazy line of the same quote", 40)[1].opening == "> "


def test_a_quote_mark_gives_way_to_a_link_that_needs_the_room() -> None:
    link = f"https://example.com/{'x' * 60}"
    assert split(f"> words before {link} and after", len(link))[1] == Piece("", link, "")


@pytest.mark.parametrize(
    "link",
    [
        "[the report](https://example.com/report)",
        '[a b](https://example.com/(c)/(d(e)) "a (title)")',
        "[![alt text](https://example.com/p.png)](https://example.com/page)",
        "[two\nlines of text](https://example.com/q)",
        "[a `]` b](<https://example.com/r s>)",
        "<https://example.com/angle/brackets>",
        "https://example.com/bare?and=long#fragment",
        "https://例子.中国/路径/很长/的/地址",
        "`inline code in one`",
        "**bold words here**",
        '<font color="#ff0000">',
        "\\[",
        FAMILY,
    ],
)
@pytest.mark.parametrize("shift", range(40, 64, 3))
def test_what_belongs_together_is_not_cut(link: str, shift: int) -> None:
    text = "x" * shift + " " + link + " " + "y" * 200
    assert sum(link in body for body in bodies(split(text, 100))) == 1


def test_there_is_no_link_in_a_link_and_none_without_an_address() -> None:
    text = f"[outer [a](https://example.com/1) {'word ' * 20}](https://example.com/2) [no] ] (link) <{'word ' * 9}"
    assert len(split(text, 80)) > 1


def test_a_link_longer_than_a_piece_cannot_be_sent() -> None:
    link = f"[text](https://example.com/{'x' * 100})"
    with pytest.raises(InvalidInput) as caught:
        split(f"before {link} after", 100)
    assert (caught.value.key, caught.value.blanks) == ("unbreakable_link", {"bytes": size(link), "limit": 100})
    with pytest.raises(InvalidInput):
        split(f"before https://example.com/{'x' * 100}", 100, markdown=False)


def test_in_code_a_long_address_is_only_code() -> None:
    assert len(split("```\n" + "https://example.com/" * 20 + "\n```", 100)) > 1
    first = split("```\n" + "x" * 60 + " https://example.com/a/short/one " + "y" * 60 + "\n```", 100)[0]
    assert "https" not in first.body


def test_chinese_words_behind_an_address_do_not_make_it_too_long() -> None:
    pieces = split("见https://example.com/a后面还有很多没有空格也没有标点的中文" * 3, 60)
    assert all("https" not in body or "https://example.com/a" in body for body in bodies(pieces))


@pytest.mark.parametrize(
    "whole",
    [FAMILY, "👍🏽", "🇨🇳", "❤️", "1️⃣", "e\u0301\u0323", "\u1112\u1161\u11ab", "각\u11a8", "क्ष", "กำ", "\r\n", "\u1100각"],
)
def test_a_character_is_what_a_reader_sees(whole: str) -> None:
    text = whole * 3
    inner = [place for place in range(1, len(text)) if is_boundary(text, place)]
    assert inner == [len(whole), 2 * len(whole)]
    assert is_boundary(text, 0)
    assert is_boundary(text, len(text))


def test_separate_characters_are_separate() -> None:
    for text in ("ab", "中文", "각a", "\n\u0301", "\u1100a", "\u200d a"[:2] + "\n"):
        assert is_boundary(text, len(text) - 1)


def test_a_character_larger_than_a_piece_is_cut_after_all() -> None:
    text = "a" + "\u0301" * 100
    assert all(size(body) <= 50 for body in bodies(split(text, 50)))
    assert "".join(bodies(split(f"```\n{text}\n```", 50))) == f"```\n{text}\n```"


def test_nothing_but_blank_lines_or_spaces_is_cut_too() -> None:
    for text in ("\n" * 100, " " * 100, "\r" * 100, "> " * 100, "- " * 100):
        assert "".join(bodies(split(text, 50))) == text


def test_plain_text_knows_paragraphs_and_lines_only() -> None:
    text = "one two three\nfour\n\n# five six seven\n```\neight nine ten"
    assert bodies(split(text, 40, markdown=False)) == [
        "one two three\nfour\n\n",
        "# five six seven\n```\neight nine ten",
    ]


# Tables as lists


def test_a_table_becomes_a_list() -> None:
    table = "| Region | Sales | Units |\n|---|--:|:-:|\n| East | 100 | 5 |\n| West | | 7 |\n"
    assert tables_to_lists(table) == "- **East** Sales: 100 · Units: 5\n- **West** Units: 7\n"


def test_chinese_tables_get_chinese_colons() -> None:
    assert tables_to_lists("| 区域 | 销售额 |\n|---|---|\n| 华东 | 100 |") == "- **华东** 销售额：100"


@pytest.mark.parametrize(
    ("row", "item"),
    [
        ("| x | | |", "- **x**"),
        ("| | 1 | 2 |", "- B: 1 · C: 2"),
        ("| **x** | 1 |", "- **x** B: 1"),
        ("| *x* | 1 |", "- *x* B: 1"),
        ("| `x` | 1 |", "- **`x`** B: 1"),
        ("| [x](https://e.com) | 1 |", "- **[x](https://e.com)** B: 1"),
        ("| x | 1 | 2 | 3 | |", "- **x** B: 1 · C: 2 · 3"),
        (r"| a\|b | `c\|d` |", "- **a|b** B: `c|d`"),
        (r"| a\\| 1 |", "- a\\\\ B: 1"),
        ("x | 1", "- **x** B: 1"),
        ("||||", ""),
    ],
)
def test_a_row_becomes_an_item(row: str, item: str) -> None:
    assert tables_to_lists(f"| A | B | C |\n|---|---|---|\n{row}\n") == f"{item}\n" * bool(item)


@pytest.mark.parametrize(
    ("table", "items"),
    [
        pytest.param("| A |\n|---|\n| x |\n| y | z |\n", "- x\n- y · z\n", id="one column"),
        pytest.param("| | |\n|-|-|\n| x | y |\n", "- x · y\n", id="no headers"),
        pytest.param("| A | |\n|-|-|\n| x | y |\n", "- **x** y\n", id="a column without a header"),
        pytest.param("| A | B |\n|-|-|\n", "- A · B\n", id="no rows"),
        pytest.param("| A |\n|-|\n| ``` |\n", "- \\```\n", id="a cell that would open a fence"),
        pytest.param("a | b\n-|-\nx | y\n", "- **x** b: y\n", id="without outer pipes"),
    ],
)
def test_odd_tables_become_lists(table: str, items: str) -> None:
    assert tables_to_lists(table) == items


def test_a_list_gets_blank_lines_around_it_where_words_touch_the_table() -> None:
    table = "| A | B |\n|---|---|\n| x | y |\n"
    assert tables_to_lists(f"before\n{table}after\n") == "before\n\n- **x** B: y\n\nafter\n"
    assert tables_to_lists(f"# before\n{table}\nafter\n") == "# before\n- **x** B: y\n\nafter\n"
    assert tables_to_lists(f"{table}\n{table}") == "- **x** B: y\n\n- **x** B: y\n"


def test_a_table_keeps_its_quote_its_indentation_and_its_line_breaks() -> None:
    quoted = "> before\n> | A | B |\n> |---|---|\n> | x | y |\n> after\n"
    assert tables_to_lists(quoted) == "> before\n>\n> - **x** B: y\n>\n> after\n"
    listed = "- | A | B |\n  |---|---|\n  | x | y |\n  | z | |\n- next"
    assert tables_to_lists(listed) == "- - **x** B: y\n  - **z**\n\n- next"
    assert tables_to_lists("a\r\n| A | B |\r\n|-|-|\r\n| x | y |\r\nb") == "a\r\n\r\n- **x** B: y\r\n\r\nb"


@pytest.mark.parametrize(
    "text",
    [
        "```\n| A | B |\n|---|---|\n| x | y |\n```\n",
        "    | A | B |\n    |---|---|\n",
        "| A | B |\n|---|\n| x | y |\n",
        "A \\| B\n---|---\n",
        "no | table\n",
        "Title\n---\n",
        "a || b\n\n|---|\n",
        "> a | b\n|---|---|\n",
        "> q\nlazy | a\n> |---|---|\n",
        "- a | b\n|---|---|\n",
        "|---|\n",
    ],
)
def test_what_is_no_table_stays_as_it_is(text: str) -> None:
    assert tables_to_lists(text) == tables_to_code(text) == text


def test_a_long_header_is_named_in_full_once() -> None:
    label = "h" * 50
    items = tables_to_lists(f"| A | {label} |\n|-|-|\n| x | 1 |\n| y | 2 |\n")
    assert items == f"- **x** {label}: 1\n- **y** {'h' * 39}…: 2\n"


@often
@given(lines=tables())
def test_no_cell_of_a_row_is_lost(lines: list[str]) -> None:
    for turned in (tables_to_lists("\n".join(lines)), tables_to_code("\n".join(lines))):
        for cell in ("华东", "a|b", "**x**", "`c`", "https://e.com/1", FAMILY):
            rows = "\n".join(lines[2:]).replace("\\|", "|")
            assert turned.count(cell) >= rows.count(cell)


@often
@given(text=documents())
def test_nothing_outside_tables_changes(text: str) -> None:
    prose = re.sub(r"^.*\|.*$", "", text, flags=re.MULTILINE)
    assert tables_to_lists(prose) == tables_to_code(prose) == prose


# Tables as code


def test_a_table_becomes_code_whose_columns_line_up() -> None:
    table = "| 区域 | Sales | n |\n|:---|---:|:-:|\n| 华东区 | 100 | a\\|b |\n| x | 5 | |\n| y |\n"
    assert tables_to_code(table) == (
        "```\n"
        "| 区域   | Sales |  n  |\n"
        "| ------ | ----- | --- |\n"
        "| 华东区 |   100 | a|b |\n"
        "| x      |     5 |     |\n"
        "| y      |\n"
        "```\n"
    )


def test_the_fence_is_longer_than_any_marker_in_it() -> None:
    assert tables_to_code("| A |\n|-|\n| ```` |\n").startswith("`````\n")


def test_an_emoji_of_many_parts_is_two_columns_wide() -> None:
    assert f"| {FAMILY} |\n| -- |" in tables_to_code(f"| {FAMILY} |\n|-|\n")


def test_one_very_wide_cell_does_not_blow_up_the_others() -> None:
    code = tables_to_code(f"| A | B |\n|-|-|\n| {'w' * 500} | x | extra |\n| y | z |\n")
    assert f"| y{' ' * 59} | z |" in code


# Titles and marks


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("intro\n\n## **日报** [链接](https://e.com) `code` ##\n", "日报 链接 code"),
        ("\n\n> - [ ] *first* line_of_all\nsecond", "first line_of_all"),
        ("![图 一](https://e.com/a.png) 说明", "图 一 说明"),
        ("[![p](https://e.com/q)](https://e.com/r)", "p"),
        ("1. **销售** 3 * 4 * 5", "销售 3 * 4 * 5"),
        ("<font color=red>红</font> \\# <https://e.com> ~~no~~ _yes_", "红 # https://e.com no yes"),
        ("---\n\n![](https://e.com/a.png)\n#\n| A | B |\n|-|-|\n", "A B"),
        ("```py\n\nimport x\n```", "import x"),
        ("Title\n=====\n\n# Other", "Title"),
        ("`` a`b ``", "a`b"),
        ("", ""),
        (" \n---\n\n", ""),
    ],
)
def test_a_title_is_the_first_heading_or_line_without_marks(text: str, title: str) -> None:
    assert plain_title(text) == title


def test_a_long_title_is_cut_between_characters() -> None:
    assert plain_title("x" * 64) == "x" * 64
    assert plain_title("x" * 65) == "x" * 63 + "…"
    assert plain_title(f"# ab{FAMILY}c", max_chars=8) == "ab…"
    assert plain_title(f"# {FAMILY}c", max_chars=3) == "…"


@often
@given(text=documents(), max_chars=st.integers(1, 70))
def test_a_title_is_one_line_that_fits(text: str, max_chars: int) -> None:
    title = plain_title(text, max_chars)
    assert len(title) <= max_chars
    assert title == " ".join(title.split())


@pytest.mark.parametrize(
    "text",
    [
        "# a",
        "- a",
        "1. a",
        "> a",
        "这是**重点**内容",
        "see [a](https://e.com)",
        "![a](https://e.com)",
        "```\nx",
        "run `x` now",
        "| A | B |\n|-|-|",
        "words\n\n  - item",
    ],
)
def test_marks_that_would_be_rendered_make_markdown(text: str) -> None:
    assert looks_like_markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain words, 中文。",
        "-5",
        "3 * 4 * 5",
        "#1 order",
        "#",
        "a snake_case_name and __init__",
        "2**3**4",
        "2 ** 3 ** 4",
        ">5",
        ">= 3",
        "a > b",
        "- ",
        ">",
        "text\n-----\n",
        "a | b",
        "https://e.com/a_b",
        "it`s",
        "f(x)[0]",
        "2026. 10",
    ],
)
def test_words_numbers_and_names_are_no_markdown(text: str) -> None:
    assert not looks_like_markdown(text)


def test_a_full_body_of_a_report_is_cut_into_few_pieces() -> None:
    section = f"## 华东\n\n{CHINESE}{CHINESE}\n\n- {ENGLISH}\n- {CHINESE}\n\n{TABLE}{'| 华东 | 1 |\n' * 5}\n"
    text = section * 100
    pieces = split(text, 19_000)
    assert len(pieces) == -(-size(text) // 19_000)
    assert all(after.body.startswith("## 华东") for _, after in pairwise(pieces))
