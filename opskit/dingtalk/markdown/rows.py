"""The rows of a Markdown table as GitHub defines it."""

import re

_PIPE = re.compile(r"\\.|\|", re.DOTALL)
_DASHES = re.compile(r":?-++:?")


def cells(row: str) -> list[str]:
    r"""The cells of a row, trimmed and otherwise as they are written; an escaped pipe ``\|`` parts nothing."""
    inner = row.strip().removeprefix("|")
    parts, start = [], 0
    for match in _PIPE.finditer(inner):
        if match[0] == "|":
            parts.append(inner[start : match.start()].strip())
            start = match.end()
    last = inner[start:].strip()
    return [*parts, last] if last or not parts else parts


def literal(cell: str) -> str:
    r"""The cell as it reads outside a table, where a pipe needs no escape: ``a\|b`` is ``a|b``."""
    return _PIPE.sub(lambda match: "|" if match[0] == r"\|" else match[0], cell)


def has_pipe(row: str) -> bool:
    """Whether the line has a pipe that parts cells."""
    return "|" in row and any(match[0] == "|" for match in _PIPE.finditer(row))


def is_delimiter(row: str, header: str) -> bool:
    """Whether ``row`` makes ``header`` the head of a table: dashes below each of its cells, and a pipe in both."""
    if "|" not in row or row.strip("|-: \t\r\n") or not has_pipe(header):
        return False
    dashes = cells(row)
    return all(_DASHES.fullmatch(cell) for cell in dashes) and len(dashes) == len(cells(header))
