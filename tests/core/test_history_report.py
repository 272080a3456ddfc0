"""A comparison in words: one line, and Markdown that its values cannot break."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devtools.sample_workflow import edge, node, text, variable
from opskit import history, wording
from opskit.history import changes, prose

PROMPT = "你是分析师。只写两句话。\n不要编造数字。\n\n最后给出建议。\n"


def canonical(
    nodes: list[dict[str, Any]], edges: list[dict[str, Any]] | None = None, **parts: Any
) -> history.Canonical:
    return history.canonical(history.read(text(nodes, edges or [], **parts)))


def llm(prompt: str, name: str = "m-1") -> dict[str, Any]:
    messages = [{"id": "p1", "role": "system", "text": prompt}]
    return node("llm", "llm", title="点评", prompt_template=messages, model={"name": name, "completion_params": {}})


def code(lines: str) -> dict[str, Any]:
    return node("code", "code", title="Cut `x`", code=lines)


def some() -> history.Comparison:
    left = canonical(
        [llm(PROMPT), code("def main():\n    a = 1\n    return a\n"), node("old", "end")],
        [edge("llm", "code")],
        environment_variables=[variable("HOST", "a"), variable("KEY", kind="secret")],
    )
    right = canonical(
        [
            llm(PROMPT.replace("两句话", "三句话"), "m-2"),
            code("def main():\n    a = 2\n    return a\n"),
            node("n", "answer"),
        ],
        [],
        environment_variables=[variable("HOST", "b"), variable("NEW", "1")],
        features={"opening_statement": "Hi", "file_upload": {"enabled": False}, "extra": {"a": 1}},
    )
    return history.compare(left, right)


def test_the_summary_counts_things_and_names_risks() -> None:
    assert history.summary(some(), "en_US") == (
        "2 nodes changed, 1 added, 1 removed, 1 edge removed, 1 variable changed, 1 added, 1 secret removed, "
        "1 setting changed, 1 added; risk: secret missing, output removed, model swapped"
    )
    assert history.summary(some(), "zh_Hans").startswith("节点修改 2 个、新增 1 个、删除 1 个、连线删除 1 条")
    same = history.compare(canonical([]), canonical([]))
    assert (history.summary(same, "en_US"), history.report(same, "zh_Hans")) == ("No changes.", "**没有变化。**")


def test_the_report_shows_words_of_prompts_and_lines_of_code() -> None:
    told = history.report(some(), "en_US")
    assert "> 你是分析师。  \n> 只写 ~~两~~ **三** 句话。  \n> 不要编造数字。  \n> …" in told
    assert "```diff\n@@ -1,3 +1,3 @@\n def main():\n-    a = 1\n+    a = 2\n     return a\n```" in told
    for line in (
        "### Risks",
        "- ⚠️ 点评 uses another model: m\\-1 → m\\-2. Answers and cost may differ.",
        "### 点评 (llm, `llm`)",
        "- `/data/model/name`: `m-1` → `m-2`",
        "### Cut \\`x\\` (code, `code`)",
        "### Edges",
        "- 点评 → Cut \\`x\\` removed",
        "- HOST `/environment_variables/HOST/value`: `a` → `b`",
        "- KEY `/environment_variables/KEY` removed: ",
        '- `/features/extra` added: `{"a": 1}`',
        "- `/features/opening_statement`: ` ` → `Hi`",
    ):
        assert line in told, line
    assert "### 连线" in history.report(some(), "zh_Hans")


@pytest.mark.parametrize("locale", wording.LOCALES)
@pytest.mark.parametrize("risk", changes.RISKS)
def test_every_risk_has_its_words(risk: str, locale: wording.Locale) -> None:
    for name in (f"risk_{risk}", f"brief_{risk}"):
        assert wording.sentences(locale)["history"][name]


def test_long_values_that_are_no_text_are_shown_in_one_line() -> None:
    left, right = (canonical([node("n", "tool", selector=["x" * 150, side])]) for side in "ab")
    assert '- `/data/selector`: `["xxx' in history.report(history.compare(left, right), "en_US")


def test_only_the_first_changes_are_shown_and_the_rest_is_counted() -> None:
    left, right = ([node(f"n{number}", "llm", note=side) for number in range(305)] for side in "ab")
    told = history.report(history.compare(canonical(left), canonical(right)), "en_US")
    assert told.count("### ") == 300
    assert told.endswith("And 5 more changes.")


def test_a_low_risk_looks_like_one() -> None:
    left, right = (canonical([node("n", "llm", model={"completion_params": {"top_p": it}})]) for it in (1, 0.5))
    comparison = history.compare(left, right)
    assert "- ℹ️ The model of n has other parameters: 1 → 0.5." in history.report(comparison, "en_US").replace("\\", "")
    assert [it.level for it in comparison.risks("en_US")] == ["low"]


# Texts


def test_a_sentence_before_and_after_is_shown() -> None:
    old = "One. Two. Three. Four. Five."
    assert prose.word_diff(old, old.replace("Three", "Thirty")) == ["…", "Two.", "~~Three~~ **Thirty** .", "Four.", "…"]
    assert prose.word_diff("One.\n", "One.\nTwo.") == ["One.", "**Two.**"]
    assert prose.word_diff("a b c", "a b") == ["a b ~~c~~"]
    assert prose.word_diff("", "new") == ["**new**"]


def test_short_equal_stretches_between_changes_are_no_confetti() -> None:
    assert prose.word_diff("ab cd ef", "xb yd zf") == ["~~ab cd ef~~ **xb yd zf**"]


def test_space_that_changed_is_made_visible() -> None:
    assert prose.word_diff("alpha beta", "alpha  beta") == ["alpha ~~·~~ **··** beta"]
    assert prose.word_diff("alphabet,beta", "alphabet,\tbeta") == ["alphabet, **⇥** beta"]


def test_lines_stay_lines() -> None:
    assert prose.word_diff("one\ntwo three", "one\ntwo\nthree") == ["one", "two ~~·~~ **⏎** three"]
    assert prose.word_diff("one\ntwo\n", "one\n") == ["one", "~~two~~"]


def test_huge_passages_are_shown_as_a_whole() -> None:
    (line, new) = prose.word_diff("a " * 2000, "b " * 2000)[0].split(" **")
    assert line.startswith("~~a a")
    assert line.endswith("…~~")
    assert new.startswith("b b")


def test_a_fence_is_longer_than_what_is_in_it() -> None:
    told = prose.line_diff("a\n```\n", "b\n````\n")
    assert told.startswith("`````diff\n")
    assert told.endswith("\n`````")
    assert prose.code("a `b` ``c``") == "``` a `b` ``c`` ```"
    assert prose.code("") == "` `"


@settings(deadline=None)  # other processes share the machine
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_value_breaks_out_of_the_report(left: str, right: str) -> None:
    sides = [canonical([node("n", "llm", title="t", prompt="x" * 130 + it, code=f"\n{it}")]) for it in (left, right)]
    told = history.report(history.compare(*sides), "en_US")
    outside = re.sub(r"(?ms)^(`{3,})diff$.*?^\1$", "", told)
    for line in outside.split("\n"):
        if line.startswith("> "):
            bare = re.sub(r"\\.", "", line[2:])
            assert not re.search(r"[`<\[\]|#]", bare)
        else:
            assert not line or line.startswith(("**", "### ", "- ")), line


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_word_differences_are_one_line_each(left: str, right: str) -> None:
    for line in prose.word_diff(left, right):
        assert "\n" not in line
    assert history.summary(history.compare(canonical([llm(left)]), canonical([llm(right)])), "zh_Hans")
