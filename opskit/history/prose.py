"""Differences of texts, as Markdown: words of prose, lines of code. What is shown cannot break out of it."""

import difflib
import re
from collections.abc import Iterator, Sequence

# A word, a run of spaces, or one sign; Chinese and Japanese have no spaces, so each character is one.
_WORDS = re.compile(r"[^\W\u3040-\u30ff\u3400-\u9fff]+|[ \t]+|\n|.", re.DOTALL)
# A sentence ends after its sign, and at the end of a line.
_SENTENCES = re.compile(r"[^\n.!?。！？；]*(?:[.!?]+(?=\s|$)|[.!?]+|[。！？；]+)?[ \t]*\n?")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$-])")
_MAX_WORDS = 800  # of a passage on each side; longer ones are shown as a whole, for the comparison is quadratic
_MAX_LINES = 4_000
_CONTEXT_LINES = 2
_SHORT_CHARS = 3  # a shorter stretch between two changes is shown as changed, too: easier to read than confetti
_PASSAGE_CHARS = 2_000

type Passage = tuple[bool, str, str]


def escaped(text: str) -> str:
    """The text in one line, with every sign that Markdown knows as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """The text as inline code, whatever backticks are in it."""
    line = " ".join(text.split())
    if not line:
        return "` `"
    fence = "`" * (_longest_run(line) + 1)
    space = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{space}{line}{space}{fence}"


def line_diff(left: str, right: str) -> str:
    """A fenced unified diff of two texts with lines."""
    old, new = (text.splitlines()[:_MAX_LINES] for text in (left, right))
    diff = list(difflib.unified_diff(old, new, lineterm="", n=_CONTEXT_LINES))[2:]
    fence = "`" * max(3, *(_longest_run(line) + 1 for line in [*diff, ""]))
    return "\n".join([f"{fence}diff", *diff, fence])


def word_diff(left: str, right: str) -> list[str]:
    """The sentences that changed, one a line: ~~old~~ **new**, with a sentence before and after; … stands for more."""
    shown: list[str] = []
    passages = list(_passages(_split(_SENTENCES, left), _split(_SENTENCES, right)))
    for place, (same, old, new) in enumerate(passages):
        if not same:
            shown.append(_marked(old, new))
            continue
        sentences = [sentence for sentence in _split(_SENTENCES, new) if sentence.strip()]
        first = sentences[:1] if place > 0 else []
        last = sentences[-1:] if place < len(passages) - 1 and len(sentences) > len(first) else []
        cut = len(sentences) > len(first) + len(last)
        shown += [*map(escaped, first), *(["…"] if cut else []), *map(escaped, last)]
    return [line.strip() for text in shown for line in text.split("\n") if line.strip()]


def _split(pattern: re.Pattern[str], text: str) -> list[str]:
    return [piece for piece in pattern.findall(text) if piece]


def _passages(left: Sequence[str], right: Sequence[str]) -> Iterator[Passage]:
    """Stretches that are the same, and that are not, in turn: ``(same, old, new)``."""
    long = max(len(left), len(right)) > _MAX_WORDS  # then what comes often, such as an empty line, joins nothing
    for op, l0, l1, r0, r1 in difflib.SequenceMatcher(a=left, b=right, autojunk=long).get_opcodes():
        yield op == "equal", "".join(left[l0:l1]), "".join(right[r0:r1])


def _marked(old: str, new: str) -> str:
    """A changed passage, word by word."""
    left, right = _split(_WORDS, old), _split(_WORDS, new)
    if max(len(left), len(right)) > _MAX_WORDS:
        passages: list[Passage] = [(False, old, new)]
    else:
        passages = _joined(list(_passages(left, right)))
    parts: list[str] = []
    for same, before, after in passages:
        if same:
            parts.append(_lines(after))
        else:
            parts += [_wrapped(_cut(before), "~~"), _wrapped(_cut(after), "**")]
    return _spaced(parts)


def _joined(passages: list[Passage]) -> list[Passage]:
    """Short equal stretches between two changes become part of them."""
    joined: list[Passage] = []
    for place, (same, old, new) in enumerate(passages):
        short = same and len(new) <= _SHORT_CHARS and 0 < place < len(passages) - 1 and "\n" not in new
        if joined and not joined[-1][0] and (not same or short):
            joined[-1] = (False, joined[-1][1] + old, joined[-1][2] + new)
        else:
            joined.append((same and not short, old, new))
    return joined


def _cut(text: str) -> str:
    return text if len(text) <= _PASSAGE_CHARS else f"{text[:_PASSAGE_CHARS]}…"


def _lines(text: str) -> str:
    """The text with its line breaks and the spaces at both ends, all signs as they are."""
    return "\n".join(
        f"{' ' if line[:1].isspace() else ''}{escaped(line)}{' ' if line[-1:].isspace() and line.strip() else ''}"
        for line in text.split("\n")
    )


def _wrapped(text: str, sign: str) -> str:
    """The text between two signs, line by line. Outside of them stands a space, or some readers take them for text.

    Where nothing but space changed, it is made visible.
    """
    if not text.strip():
        text = text.replace(" ", "·").replace("\t", "⇥").replace("\n", "⏎")
    lines = [line if not line.strip() else f" {sign}{escaped(line)}{sign} " for line in text.split("\n")]
    return "\n".join(lines)


def _spaced(parts: Sequence[str]) -> str:
    return re.sub(r" {2,}", " ", "".join(parts)).strip(" ")


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
