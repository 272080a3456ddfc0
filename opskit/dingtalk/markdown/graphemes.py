"""Where one character ends as a reader sees it, and the next begins.

Follows the rules for extended grapheme clusters (Unicode Standard Annex 29) as far as the standard library knows
the properties they are made of: line ends, combining marks, variation selectors, joiners, skin tones, flags,
Hangul letters, and the conjuncts of Indic scripts.
"""

import unicodedata

_JOINER = "\u200d"
_MARKS = frozenset({"Mn", "Mc", "Me"})
_VIRAMA = 9  # the combining class of the sign that ties two Indic consonants together
# They extend a character without being marks: non-joiner, Thai and Lao AM, half-width voicing marks.
_EXTENDING = frozenset("\u200c\u0e33\u0eb3\uff9e\uff9f")
_FIRST_EXTENDING = "\u0300"


def is_boundary(text: str, place: int, floor: int = 0) -> bool:
    """Whether ``place`` stands between two characters; ``floor`` is a place at or before it that does.

    Both ends of ``text`` are boundaries.
    """
    if place <= floor or place >= len(text):
        return True
    before, after = text[place - 1], text[place]
    if before == "\r":
        return after != "\n"
    if before == "\n" or (after < _FIRST_EXTENDING and before != _JOINER):
        return True
    if _extends(after) or (before == _JOINER and not after.isspace()):
        return False
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _flag_letters_before(text, place, floor) % 2 == 0
    return not (_is_hangul_pair(before, after) or _is_conjunct(before, after))


def boundary_before(text: str, place: int, floor: int = 0) -> int:
    """The last boundary at or before ``place``; ``floor`` if there is none behind it."""
    while not is_boundary(text, place, floor):
        place -= 1
    return place


def _extends(character: str) -> bool:
    return (
        character == _JOINER
        or character in _EXTENDING
        or unicodedata.category(character) in _MARKS
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # the tags that spell a region's flag
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_before(text: str, place: int, floor: int) -> int:
    """Flags are pairs of letters, so it takes a count from the first to tell where a pair ends."""
    first = place
    while first > floor and _is_flag_letter(text[first - 1]):
        first -= 1
    return place - first


def _is_hangul_pair(before: str, after: str) -> bool:
    leading = "\u1100" <= before <= "\u115f" or "\ua960" <= before <= "\ua97c"
    syllable = "\uac00" <= before <= "\ud7a3"
    inner = "\u1160" <= before <= "\u11ff" or "\ud7b0" <= before <= "\ud7fb"
    if "\u1160" <= after <= "\u11ff" or "\ud7b0" <= after <= "\ud7fb":
        return leading or syllable or inner
    return leading and ("\u1100" <= after <= "\u115f" or "\ua960" <= after <= "\ua97c" or "\uac00" <= after <= "\ud7a3")


def _is_conjunct(before: str, after: str) -> bool:
    return unicodedata.combining(before) == _VIRAMA and unicodedata.category(after) == "Lo"
