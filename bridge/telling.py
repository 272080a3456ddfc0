"""What is being done, told while it is being done."""

from collections import deque
from collections.abc import Callable, Generator

import gevent

from bridge.off_loop import attempt, settled
from bridge.reply import MAX_LINE, Messenger, speaks_to_a_model

_BEAT_S = 0.05
_PIECE = MAX_LINE // 6  # characters; in a line one takes 6 bytes at most


def telling[M, T](
    tool: Messenger[M], untold: deque[str], work: Callable[[], T], *, variable: str = "progress", aloud: bool = False
) -> Generator[M, None, T]:
    """Do ``work`` beside the call and stream the texts that it adds to ``untold`` as a variable, meanwhile.

    ``aloud`` streams them into the node's text as well. An agent gets none of them: they would be noise to its model.
    """
    silent = speaks_to_a_model(tool)
    greenlet = gevent.spawn(attempt, work)
    try:
        while not greenlet.ready():
            greenlet.join(timeout=_BEAT_S)
            while untold:
                text = untold.popleft()
                for start in () if silent else range(0, len(text), _PIECE):
                    piece = text[start : start + _PIECE]
                    if aloud:
                        yield tool.create_text_message(piece)
                    yield tool.create_stream_variable_message(variable, piece)
        return settled(greenlet.get())
    finally:
        greenlet.kill()
