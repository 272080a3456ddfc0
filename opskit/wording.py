"""Every sentence that a user reads, by key, in their language.

The sentences live in ``locales/<locale>.toml``; a test holds the locales to the same keys and blanks.
"""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal, get_args

type Locale = Literal["zh_Hans", "en_US"]
type Language = Literal["auto", "zh_Hans", "en_US"]

LOCALES: tuple[Locale, ...] = get_args(Locale.__value__)
_LOCALES = Path(__file__).with_name("locales")
_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")


def resolve(language: object, *samples: object) -> Locale:
    """The locale to speak: the chosen one, or for ``auto`` the one that the samples are written in.

    Text with Chinese characters (and no Japanese or Korean letters) is answered in Chinese, all else in English.
    """
    if language in LOCALES:
        return language
    text = "\n".join(sample for sample in samples if isinstance(sample, str))
    return "zh_Hans" if _HAN.search(text) and not _KANA_OR_HANGUL.search(text) else "en_US"


def well_formed(text: str) -> str:
    """``text`` with each half of a surrogate pair, which has no UTF-8 form, as U+FFFD: a cut emoji leaves one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def say(locale: Locale, key: str, /, **blanks: object) -> str:
    """The sentence ``section.name`` with its ``{blanks}`` filled in; an unknown key is a bug and raises KeyError."""
    section, _, name = key.partition(".")
    return sentences(locale)[section][name].format_map(blanks)


@cache
def sentences(locale: Locale) -> dict[str, dict[str, str]]:
    """All sentences of one locale: ``{section: {name: sentence}}``."""
    return tomllib.loads((_LOCALES / f"{locale}.toml").read_text(encoding="utf-8"))
