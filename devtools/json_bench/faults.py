"""Documents with one made-up fault each, and the value that was meant: a test that no peer's suite has leaned on."""

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_WORDS = [
    "hello",
    "the price is 12.50",
    "He said it's fine",
    "销售额增长",
    "今日订单：12单",
    "https://example.com/a?b=1",
    "a, b and c",
    "note: urgent",
    "C:/tmp/x",
    "北京，上海",
    "50% off",
    "[draft]",
    "{name}",
    "x (y)",
    "2026-03-01",
    "yes",
    "true story",
    "don't",
    "",
    "line one. line two.",
    "a/b",
    "#1 product",
    "// not a comment",
    "key: value",
    "email@example.com",
    "emoji 😀",
    "3",
    "null",
    "完成。",
    "rock 'n' roll",
    "tag1,tag2",
]
_KEYS = ("name", "total", "items", "地区", "price_usd", "first name", "id", "text", "备注", "ok", "a-b", "$ref", "x1")
_NUMBERS = (0, 1, -5, 12.5, 1e10, True, False, None, 123456789012345678901)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+|\s+')
_DEPTH = 3
_OBJECTS, _NESTED_OBJECTS, _NESTED, _TEXTS, _HALF = 0.7, 0.18, 0.34, 0.7, 0.5  # shares

type Tokens = list[str]
# Spoils the tokens; False where there is no place for it. Where it changed what a text means: its place and its JSON.
type Maker = Callable[[Tokens, random.Random], bool | tuple[int, str]]


class Fault(NamedTuple):
    """A broken text, the value that was meant, and the name of the fault."""

    text: str
    value: Any
    kind: str


def made_up(count: int, *, seed: int) -> Iterator[Fault]:
    """So many faults, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - a seeded mix of faults, no secret
    made = 0
    while made < count:
        kind = chance.choice(list(_MAKERS))
        text = json.dumps(_document(chance), ensure_ascii=False, indent=chance.choice([None, None, 2]))
        tokens = _TOKEN.findall(text)
        meant = list(tokens)
        spoiled = _MAKERS[kind](tokens, chance)
        if not spoiled:
            continue
        if isinstance(spoiled, tuple):
            meant[spoiled[0]] = spoiled[1]
        made += 1
        yield Fault("".join(tokens), json.loads("".join(meant)), kind)


def _document(chance: random.Random) -> Any:
    size = chance.randint(1, 5)
    if chance.random() < _OBJECTS:
        return {chance.choice(_KEYS): _value(chance, 1) for _ in range(size)}
    return [_value(chance, 1) for _ in range(size)]


def _value(chance: random.Random, depth: int) -> Any:
    dice = chance.random()
    if depth < _DEPTH and dice < _NESTED_OBJECTS:
        return {chance.choice(_KEYS): _value(chance, depth + 1) for _ in range(chance.randint(0, 4))}
    if depth < _DEPTH and dice < _NESTED:
        return [_value(chance, depth + 1) for _ in range(chance.randint(0, 4))]
    return chance.choice(_WORDS) if dice < _TEXTS else chance.choice(_NUMBERS)


def _is_text(word: str) -> bool:
    return word.startswith('"')


def _next(tokens: Tokens, place: int) -> str:
    return next((word for word in tokens[place + 1 :] if not word.isspace()), "")


def _pick(tokens: Tokens, chance: random.Random, fits: Callable[[str, int], object]) -> int | None:
    places = [place for place, word in enumerate(tokens) if fits(word, place)]
    return chance.choice(places) if places else None


def _replaced(mark: str, to: str) -> Maker:
    """One of the marks is written in another way."""

    def spoil(tokens: Tokens, chance: random.Random) -> bool:
        place = _pick(tokens, chance, lambda word, _: word == mark)
        if place is not None:
            tokens[place] = to
        return place is not None

    return spoil


def _texts(
    write: Callable[[str], str], *, one: bool = False, fits: Callable[[str, bool], object] = lambda _, __: True
) -> Maker:
    """Texts are written in another way: all that fit, or one. ``fits`` is told the word, and whether it is a key."""

    def spoil(tokens: Tokens, chance: random.Random) -> bool:
        places = [
            place for place, word in enumerate(tokens) if _is_text(word) and fits(word, _next(tokens, place) == ":")
        ]
        for place in chance.sample(places, 1) if one and places else places:
            tokens[place] = write(tokens[place])
        return bool(places)

    return spoil


def _bracket(write: Callable[[str], str]) -> Maker:
    """One closing bracket is written in another way."""

    def spoil(tokens: Tokens, chance: random.Random) -> bool:
        place = _pick(tokens, chance, lambda word, _: word in "}]")
        if place is not None:
            tokens[place] = write(tokens[place])
        return place is not None

    return spoil


def _around(before: tuple[str, ...], after: tuple[str, ...]) -> Maker:
    """Something stands before and behind."""

    def spoil(tokens: Tokens, chance: random.Random) -> bool:
        tokens.insert(0, chance.choice(before))
        tokens.append(chance.choice(after))
        return True

    return spoil


def _comment(tokens: Tokens, chance: random.Random) -> bool:
    place = _pick(tokens, chance, lambda word, _: word in ",{[")
    if place is not None:
        tokens[place] += chance.choice([' // note, "quoted": {x}\n', ' /* a, "b": 1 */ '])
    return place is not None


def _cut(tokens: Tokens, chance: random.Random) -> bool:
    while tokens and (tokens[-1].isspace() or tokens[-1] in "}]"):
        tokens.pop()
        if chance.random() < _HALF:
            break
    return True


def _trailing(tokens: Tokens, chance: random.Random) -> bool:
    def ends_members(word: str, place: int) -> bool:
        return word in "}]" and next(one for one in reversed(tokens[:place]) if not one.isspace()) not in "{["

    place = _pick(tokens, chance, ends_members)
    if place is not None:
        tokens.insert(place, ",")
    return place is not None


def _inner_quotes(tokens: Tokens, chance: random.Random) -> bool | tuple[int, str]:
    place = _pick(tokens, chance, lambda word, _: _is_text(word) and re.search(r" [a-z]+[ \",]", word))
    if place is None:
        return False
    word = chance.choice(list(re.finditer(r'(?<= )[a-z]+(?=[ ",])', tokens[place])))
    before, after = tokens[place][: word.start()], tokens[place][word.end() :]
    tokens[place] = f'{before}"{word[0]}"{after}'
    return place, f'{before}\\"{word[0]}\\"{after}'


def _raw_line_break(tokens: Tokens, chance: random.Random) -> bool | tuple[int, str]:
    place = _pick(tokens, chance, lambda word, _: _is_text(word) and " " in word)
    if place is None:
        return False
    before, _, after = tokens[place].partition(" ")
    tokens[place] = f"{before}\n{after}"
    return place, f"{before}\\n{after}"


def _escaped(tokens: Tokens, _: random.Random) -> bool:
    tokens[:] = [json.dumps("".join(tokens), ensure_ascii=False)[1:-1]]
    return True


def _python_words(tokens: Tokens, _: random.Random) -> bool:
    words = {"true": "True", "false": "False", "null": "None"}
    found = [place for place, word in enumerate(tokens) if word in words]
    for place in found:
        tokens[place] = words[tokens[place]]
    return bool(found)


def _wide(tokens: Tokens, _: random.Random) -> bool:
    for place, word in enumerate(tokens):
        tokens[place] = {",": "，", ":": "："}.get(word) or (f"“{word[1:-1]}”" if _is_text(word) else word)
    return True


_MAKERS: dict[str, Maker] = {
    "trailing comma": _trailing,
    "missing comma": _replaced(",", " "),
    "doubled comma": _replaced(",", ",,"),
    "full-width comma": _replaced(",", "，"),
    "full-width colon": _replaced(":", "："),
    "missing colon": _replaced(":", " "),
    "single quotes": _texts(lambda word: repr(json.loads(word))),
    "single quotes, unescaped": _texts(lambda word: f"'{word[1:-1]}'"),
    "typographic quotes": _texts(lambda word: f"“{word[1:-1]}”"),
    "typographic quotes, one": _texts(lambda word: f"“{word[1:-1]}”", one=True),
    "typographic end": _texts(lambda word: f'"{word[1:-1]}”', one=True),
    "full-width everything": _wide,
    "bare keys": _texts(lambda word: word[1:-1], fits=lambda word, key: key and re.fullmatch(r'"[\w$-]+"', word)),
    "bare value": _texts(
        lambda word: word[1:-1],
        one=True,
        fits=lambda word, key: not key and re.fullmatch(r'"[A-Za-z][\w \']*"', word) and word != '"null"',
    ),
    "words of Python": _python_words,
    "comment": _comment,
    "inner quotes": _inner_quotes,
    "raw line break": _raw_line_break,
    "cut off at its end": _cut,
    "missing end quote": _texts(lambda word: word[:-1], one=True, fits=lambda word, _: len(word) > _DEPTH),
    "missing start quote": _texts(lambda word: word[1:], one=True, fits=lambda word, _: len(word) > _DEPTH),
    "missing bracket": _bracket(lambda _: ""),
    "doubled bracket": _bracket(lambda word: word * 2),
    "escaped as a whole": _escaped,
    "fence": _around(("Sure!\n```json\n", "```\n", "好的，结果如下：\n```json\n"), ("\n```\nIs it ok {really} [1].",)),
    "prose": _around(
        ("Here is it's JSON: ", "结果：", "Note [1]: the {name} is set.\n", '<think>{"a":1}? no</think>\n'),
        ("\nHope this helps!", " is the output.", "\n完毕。"),
    ),
    "concatenation": _texts(
        lambda word: f'{word[:3]}" + "{word[3:]}',
        one=True,
        fits=lambda word, key: not key and len(word) > _DEPTH + 2 and "\\" not in word,
    ),
}
