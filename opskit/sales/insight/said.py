"""Sentences as a key and its blanks: what is said is decided here, the words stand in ``locales/`` under [insight]."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from opskit.sales.insight.sums import about, percent_text, rounded
from opskit.wording import Locale, say

type Named = Callable[[str], str]


class Signed(NamedTuple):
    """Money that is more or less than something: shown with its sign."""

    money: Decimal


class About(NamedTuple):
    """Money that is estimated: shown whole, where it is not small."""

    money: Decimal


class Percent(NamedTuple):
    """A share or a change in percent: shown with one place, two where it is tiny."""

    value: Decimal


class Sentences(NamedTuple):
    """Whole sentences, one after the other."""

    sentences: tuple["Said", ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence to be worded.

    A blank is money (Decimal), Signed, About, Percent, a count (int), a date, a name from the file (str), a further
    Said, Sentences, or a tuple of Saids, dates or names to be listed.
    """

    key: str
    blanks: Mapping[str, object]

    def text(self, locale: Locale, named: Named) -> str:
        """The sentence in words. ``named`` makes text from a cell harmless where the sentence will be shown."""
        filled = {name: _shown(blank, locale, named) for name, blank in self.blanks.items()}
        return say(locale, f"insight.{self.key}", **filled)


def said(key: str, /, **blanks: object) -> Said:
    """The sentence ``key`` with its blanks."""
    return Said(key, blanks)


def worded(sentences: Iterable[Said], locale: Locale, named: Named) -> str:
    """Several sentences in one line."""
    return say(locale, "insight.space").join(sentence.text(locale, named) for sentence in sentences)


def _shown(blank: object, locale: Locale, named: Named) -> str:
    match blank:
        case Said():
            text = blank.text(locale, named)
        case Signed(money):
            text = f"{rounded(money):+,}" if rounded(money) else f"{rounded(money)}"
        case About(money):
            text = about(money)
        case Percent(value):
            text = percent_text(value)
        case Decimal():
            text = f"{rounded(blank):,}"
        case int():
            text = f"{blank:,}"
        case Sentences(sentences):
            text = worded(sentences, locale, named)
        case tuple():
            text = say(locale, "insight.comma").join(_shown(entry, locale, named) for entry in blank)
        case _:
            text = blank.isoformat() if isinstance(blank, date) else named(str(blank))
    return text
