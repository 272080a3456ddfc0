"""Secrets stay out of what is kept: a mark stands in their place, and is filled in again from the app itself.

Secret environment variables are kept without their values; ``dsl`` sees to that. Here it is about secrets that were
written into a node, a string variable or a prompt. A mark names its place and its kind, and nothing of the secret.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from pydantic import Field

from opskit.history import looks
from opskit.history.dsl import Dsl, is_secret, paired, variable_id
from opskit.history.places import pointer
from opskit.history.texts import Text, changed, texts
from opskit.model import Item

HIDDEN = "[__HIDDEN__]"  # what Dify takes for "keep the value that you have" (api/constants/__init__.py, HIDDEN_VALUE)
MARK = re.compile(r"\[__OPSKIT_REDACTED:(?P<kind>\w+):(?P<node>[^\s:\]]*):(?P<path>[^\s:\]]*):(?P<number>\d+)__\]")
_STEM = "[__OPSKIT_REDACTED"
_BEGINS = f"{_STEM}:"
_CONTEXT_CHARS = 60


class Redacted(Item):
    """A secret that was taken out of a DSL."""

    node: str = Field(description="Id of the node; empty for a variable or a feature of the app.")
    path: str = Field(description="Where in it, as a JSON Pointer whose list items are named by id or name.")
    kind: str = Field(description="What it looked like: app_key, api_key, jwt, bearer, password, url_token and so on.")


@dataclass(frozen=True, slots=True)
class Clean:
    """A DSL without secrets, and what was taken out."""

    dsl: Dsl
    redacted: tuple[Redacted, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """A DSL with its secrets back, and the places where none could be found. Never keep it, and never show it."""

    dsl: Dsl
    missing: tuple[Redacted, ...]


def redact(dsl: Dsl) -> Clean:
    """The DSL with a mark in place of every secret. Marks that are in it already stay, and are named as well."""
    found: list[Redacted] = []

    def change(text: Text) -> str:
        marked, taken = _marked(text)
        if taken or _BEGINS in marked:
            found.extend(_named(marked))
        return marked

    clean = changed(dsl, change)
    return Clean(clean, tuple(found))


def marks(dsl: Dsl) -> tuple[Redacted, ...]:
    """The marks that are left in a DSL. One with any must never be written to Dify.

    Among them are those that somebody has cut into, and those that stand where no secret is looked for.
    """
    found = [mark for text in texts(dsl) if _BEGINS in text.text for mark in _named(text.text)]
    broken = [text for text in texts(dsl) if _STEM in MARK.sub("", text.text)]
    found += [Redacted(node=text.node, path=pointer(text.path), kind="mark") for text in broken]
    if not found and _STEM in json.dumps(dsl.workflow):
        found.append(Redacted(node="", path="/graph", kind="mark"))
    return tuple(found)


def constants(dsl: Dsl) -> list[tuple[str, str]]:
    """The secrets that stand in its texts in clear, each with its place. Never keep them, and never show them."""
    return [(f"{it.node} {pointer(it.path)}".strip(), taken) for it in texts(dsl) for taken in _marked(it)[1]]


def fill(dsl: Dsl, *sources: Dsl) -> Filled:
    """The DSL with each mark replaced by what stands at the same node and path of the first source that has it.

    Where the text around it is another, a mark is filled if it is the only one in both texts, or if one of the
    same kind follows the same words. What a source has redacted itself, or leaves to a template, fills nothing.
    """
    wanted = {(text.node, pointer(text.path)) for text in texts(dsl) if _BEGINS in text.text}
    held = [
        {place: text for text in texts(source) if (place := (text.node, pointer(text.path))) in wanted}
        for source in sources
    ]

    def change(text: Text) -> str:
        if _BEGINS not in text.text:
            return text.text
        place, filled = (text.node, pointer(text.path)), text.text
        for known in held:
            filled = _refilled(filled, known[place]) if place in known else filled
        return filled

    filled = changed(dsl, change)
    return Filled(filled, marks(filled))


def keep_secrets(dsl: Dsl, current: Dsl) -> Filled:
    """The DSL with the secret environment variables of the app's draft: by id, then by name, told to Dify as hidden.

    Such a variable takes the draft's id, for that is what Dify knows the value by, and no other keeps it. All else but
    its name stays as in the draft, for Dify changes nothing else of it. ``missing`` lists those that have no value
    there and stay empty, as ``/environment_variables/NAME/value``.
    """
    held, wanted = (list(filter(is_secret, it.variables("environment_variables"))) for it in (current, dsl))
    matches = {wanted[place]["name"]: match for place, match in paired(held, wanted).items()}
    known = {name: match for name, match in matches.items() if current.secrets[variable_id(match)] is not False}
    taken = set(map(variable_id, known.values()))
    variables, missing, secrets = [], [], dict(dsl.secrets)
    for variable in dsl.variables("environment_variables"):
        match = known.get(variable["name"])
        if match:
            secrets[variable_id(match)] = True
            variables.append(match | {"name": variable["name"], "id": variable_id(match), "value": HIDDEN})
            continue
        variables.append(variable | {"id": ""} if variable_id(variable) in taken else variable)
        if is_secret(variable):
            path = pointer(("environment_variables", str(variable["name"]), "value"))
            missing.append(Redacted(node="", path=path, kind="secret_variable"))
    workflow = {**dsl.workflow, "environment_variables": variables}
    return Filled(replace(dsl, workflow=workflow, secrets=secrets), tuple(missing))


def _marked(text: Text) -> tuple[str, list[str]]:
    """The text with marks, and what they stand for."""
    spans = looks.found(text.text, name=text.name, lines=text.lines)
    if not spans:
        return text.text, []
    parts, at = [], 0
    place = f"{quote(text.node, safe='')}:{quote(pointer(text.path), safe='/~')}"
    for number, span in enumerate(spans):
        parts += [text.text[at : span.start], f"{_BEGINS}{span.kind}:{place}:{number}__]"]
        at = span.end
    return "".join([*parts, text.text[at:]]), [text.text[span.start : span.end] for span in spans]


def _named(marked: str) -> Iterator[Redacted]:
    for mark in MARK.finditer(marked):
        yield Redacted(node=unquote(mark["node"]), path=unquote(mark["path"]), kind=mark["kind"])


def _refilled(text: str, held: Text) -> str:
    """The text with those of its marks filled that ``held`` has a secret for."""
    marked, taken = _marked(held)
    if marked == text:
        return held.text
    ours, theirs = list(MARK.finditer(text)), [mark for mark in MARK.finditer(marked) if mark[0] not in held.text]
    secrets = dict(zip((_context(mark) for mark in theirs), taken, strict=True))
    if len(ours) == len(taken) == 1:
        secrets = {_context(ours[0]): taken[0]}
    elif len(secrets) < len(theirs) or len({_context(mark) for mark in ours}) < len(ours):
        return text  # two follow the same words: which is which?
    return MARK.sub(lambda mark: secrets.get(_context(mark), mark[0]), text)


def _context(mark: re.Match[str]) -> tuple[str, str]:
    """The kind of a mark, and the words before it in its line."""
    line = mark.string[: mark.start()].rpartition("\n")[2]
    return mark["kind"], MARK.sub("", line)[-_CONTEXT_CHARS:]
