"""Rules for what people read: words in four languages, README, privacy policy."""

import re
from collections.abc import Iterator

from devtools.rules.plugin import Plugin
from devtools.rules.rulebook import Finding, rule

_LANGUAGES = {"en_US", "zh_Hans", "ja_JP", "pt_BR"}
_LONGEST_WORDS = 1023
_MOST_README_WORDS = 500
_README = "README.md"
_CHINESE_README = "readme/README_zh_Hans.md"
_PRIVACY = "PRIVACY.md"
# CJK punctuation, kana, ideographs and their compatibility forms, Hangul, full-width forms.
_CJK = re.compile("[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_README_TOPICS = {
    "setup": ("setup", "set up", "install", "configur", "getting started"),
    "usage": ("usage", "use", "example", "workflow"),
    "credentials": ("credential", "api key", "token", "secret", "authentication"),
    "connection": ("connection", "connect", "endpoint", "base url", "host", "network"),
}
_PRIVACY_TEMPLATE = (
    "please fill in the privacy policy",
    "replace this template",
    "describe what data your plugin collects",
)


@rule
def four_languages(plugin: Plugin) -> Iterator[Finding]:
    """Every text in four languages; Dify drops any other one."""
    for path, place, words in plugin.words():
        written = {language for language, text in words.root.items() if text.strip()}
        for language in sorted(_LANGUAGES - written):
            yield path, f"{place}: {language} is missing"
        for language in sorted(words.root.keys() - _LANGUAGES):
            yield path, f"{place}: {language} is dropped by Dify"


@rule
def words_length(plugin: Plugin) -> Iterator[Finding]:
    """The daemon's limit for a text in any language."""
    for path, place, words in plugin.words():
        for language, text in words.root.items():
            if len(text) > _LONGEST_WORDS:
                yield path, f"{place}: {language} has {len(text)} characters, more than {_LONGEST_WORDS}"


@rule
def english_words(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace wants an English interface: no CJK characters in en_US."""
    for path, place, words in plugin.words():
        if _CJK.search(words.english):
            yield path, f"{place}: en_US contains CJK characters"


@rule
def readme_exists(plugin: Plugin) -> Iterator[Finding]:
    """The daemon calls a package without README.md no valid plugin."""
    if not plugin.text(_README).strip():
        yield _README, "is missing or empty"


@rule
def readme_english(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace's check counts CJK characters, and allows none."""
    found = _CJK.findall(plugin.text(_README))
    if found:
        yield _README, f"contains {len(found)} CJK characters, the first is {found[0]!r}"


@rule
def readme_length(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace asks for about 500 words; code blocks are not counted."""
    prose = _CODE.sub("", plugin.text(_README))
    count = sum(any(letter.isalnum() for letter in word) for word in prose.split())
    if count > _MOST_README_WORDS:
        yield _README, f"has {count} words, more than {_MOST_README_WORDS}"


@rule
def readme_topics(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace looks for words about four topics."""
    text = plugin.text(_README).lower()
    for topic, words in _README_TOPICS.items():
        if text and not any(re.search(rf"\b{word}", text) for word in words):
            yield _README, f"says nothing about {topic}"


@rule
def readme_chinese(plugin: Plugin) -> Iterator[Finding]:
    """The folder and the form of the name are where the daemon looks for translations."""
    if not plugin.text(_CHINESE_README).strip():
        yield _CHINESE_README, "is missing or empty"


@rule
def privacy_policy(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace wants PRIVACY.md itself, not only a URL, and something in it."""
    if not plugin.text(_PRIVACY).strip():
        yield _PRIVACY, "is missing or empty"


@rule
def privacy_template(plugin: Plugin) -> Iterator[Finding]:
    """The template's words look like an answer and are none."""
    text = plugin.text(_PRIVACY).lower()
    for phrase in _PRIVACY_TEMPLATE:
        if phrase in text:
            yield _PRIVACY, f"still says {phrase!r}"
