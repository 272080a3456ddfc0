"""Server-sent events as Dify writes them, read from bytes."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import from_json

from opskit.dify.failure import read
from opskit.errors import Unavailable

MAX_EVENT = 32 * 1024 * 1024  # bytes; it holds a node's outputs, and a body without an end must not fill memory


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""The lines of a body, without their ends, as soon as each is complete. The last one without an end is dropped.

    Only ``\n`` ends a line: Dify writes U+2028 and U+0085 raw inside its JSON, where text readers would split.
    Unavailable ``dify_endless``: a line is longer than 32 MiB.
    """
    rest: list[bytes] = []
    held = 0
    for chunk in chunks:
        *complete, last = chunk.split(b"\n")
        if complete:
            complete[0] = b"".join([*rest, complete[0]])
            rest, held = [], 0
            yield from complete
        rest.append(last)
        held += len(last)
        if held > MAX_EVENT:
            raise endless()


def events(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The events of a stream, each as soon as its data is complete. Pings, comments and what is no JSON are left out.

    Data that goes over several lines is joined (WHATWG HTML, section 9.2.6), although Dify never writes it so.
    Unavailable ``dify_endless``: an event is longer than 32 MiB.
    """
    held: list[bytes] = []
    size = 0
    for line in lines(chunks):
        if line.startswith(b"data:"):
            event = None if held else _parsed(line[5:])
            if event is None:
                size = size + len(line) if held else len(line)
                held.append(line[5:])
                if size > MAX_EVENT:
                    raise endless()
        elif not held or line.rstrip(b"\r"):
            continue
        else:
            event, held = _parsed(b"\n".join(held)), []
        if event is not None:
            yield event


def endless() -> Unavailable:
    """What is the matter with an answer that does not end."""
    return Unavailable("dify_endless", limit_mb=MAX_EVENT // 1024 // 1024)


def _parsed(data: bytes) -> dict[str, Any] | None:
    try:
        event = from_json(data, allow_inf_nan=False)
    except ValueError:
        event = read(data)  # half of a surrogate pair is a fault to the fast reader only, and NaN is null
    return event if isinstance(event, dict) else None
