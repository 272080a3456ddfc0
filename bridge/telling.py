"""What is being done, told while it is being done."""

from collections import deque
from collections.abc import Callable, Generator

import gevent

from bridge.off_loop import attempt, settled
from bridge.reply import Messenger, speaks_to_a_model

_BEAT_S = 0.25


def telling[M, T](tool: Messenger[M], untold: deque[str], work: Callable[[], T]) -> Generator[M, None, T]:
    """Do ``work`` beside the call and stream the lines that it adds to ``untold`` as the variable ``progress``.

    An agent gets none of them: they would be noise to its model.
    """
    silent = speaks_to_a_model(tool)
    greenlet = gevent.spawn(attempt, work)
    try:
        while not greenlet.ready():
            greenlet.join(timeout=_BEAT_S)
            while untold:
                line = untold.popleft()
                if not silent:
                    yield tool.create_stream_variable_message("progress", line)
        return settled(greenlet.get())
    finally:
        greenlet.kill()
