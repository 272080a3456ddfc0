"""Values as YAML that Dify and PyYAML read back as they were, always the same bytes for the same value.

PyYAML's own writer escapes emoji (libyaml does not count them as printable) and gives up block style for a space at
the end of a line; both would make a prompt unreadable, and a change of one line a change of all.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from opskit.history.reading import kind_of

_FLOW_CHARS = 100
# Needs no quotes: begins with a letter, and holds nothing that YAML reads as a sign.
_PLAIN = re.compile(r"[A-Za-z\u3400-\u9fff][\w./@+\-\u3001-\u303f\uff01-\uff5e]*(?: [\w./@+\-]+)*")
# What only double quotes can hold: control characters, other line breaks, a byte order mark.
_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def written(value: Any) -> str:
    """The value as a YAML document in block style; texts of several lines stand as they are."""
    return "".join(f"{line}\n" for line in _block(value, ""))


def _block(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _entry(f"{indent}{_scalar(key)}:", entry, indent)
    else:
        for entry in value:
            lines = _entry(f"{indent}-", entry, f"{indent}  ")
            if isinstance(entry, dict) and _flow(entry) is None:
                next(lines)  # the dash stands in front of the first key
                first = next(lines)
                yield f"{indent}- {first.lstrip(' ')}"
            yield from lines


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    """``head``, which ends in ``:`` or ``-``, and what it introduces; a list stands below its key, not indented."""
    deeper = f"{indent}  " if head.endswith(":") else indent
    if isinstance(value, (dict, list)):
        flow = _flow(value)
        if flow is not None:
            yield f"{head} {flow}"
            return
        yield head
        yield from _block(value, deeper if isinstance(value, dict) else indent)
    elif isinstance(value, str) and "\n" in value and value.strip() and not _ESCAPED.search(value):
        yield from _literal(head, value, deeper)
    else:
        yield f"{head} {_scalar(value)}"


def _flow(value: Any) -> str | None:
    """Positions and selectors stand in one line: ``{x: 80, y: 282}``, ``[start, message]``."""
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, dict):
        if not all(isinstance(entry, (int, float)) and not isinstance(entry, bool) for entry in value.values()):
            return None
        return f"{{{', '.join(f'{_scalar(key)}: {_scalar(entry)}' for key, entry in value.items())}}}"
    if any(isinstance(entry, (dict, list)) for entry in value):
        return None
    text = f"[{', '.join(map(_scalar, value))}]"
    return text if len(text) <= _FLOW_CHARS else None


def _literal(head: str, text: str, indent: str) -> Iterator[str]:
    """A text as it stands, below ``|``; the indentation is told where the text begins with a space."""
    ending = len(text) - len(text.rstrip("\n"))
    chomping = "" if ending == 1 else "+" if ending else "-"
    lines = (text[:-1] if ending else text).split("\n")
    told = "2" if text[0] in " \n\t" else ""
    yield f"{head} |{told}{chomping}"
    yield from (f"{indent}{line}" if line else "" for line in lines)


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return _number(value)
    if _PLAIN.fullmatch(value) and kind_of(value) == "str":
        return value
    if "\n" in value or "\t" in value or _ESCAPED.search(value):
        return _ESCAPED.sub(_escape, json.dumps(value, ensure_ascii=False))
    return f"'{value.replace("'", "''")}'"


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _number(value: float | None) -> str:
    text = json.dumps(value)
    return re.sub(r"^(-?\d+)e", r"\1.0e", text)  # YAML 1.1 reads no 1e20, but 1.0e+20
