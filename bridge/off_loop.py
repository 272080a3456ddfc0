"""Heavy work beside the event loop."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import gevent
from gevent.hub import Hub
from gevent.threadpool import ThreadPool

# Threads of our own: gevent's ten also read the plugin's input and look names up, and must stay free for that.
_THREADS = 2


def off_loop[**P, T](work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Run ``work`` in a native thread, so that other calls and the heartbeat go on meanwhile.

    The plugin is one event loop (gevent): a second of computing in it is a second of silence for everybody, and
    Dify kills a plugin that is silent for 120 s. No call back into Dify may be made inside ``work``: it would
    find no answer there.
    """
    outcome: T | _Raised = _pool(gevent.get_hub()).apply(_attempt, (work, arguments, options))
    if isinstance(outcome, _Raised):
        raise outcome.error
    return outcome


@cache
def _pool(hub: Hub) -> ThreadPool:
    return ThreadPool(_THREADS, hub=hub)


@dataclass(frozen=True, slots=True)
class _Raised:
    """An error on its way back to the loop: gevent would print one that is raised, with all it says, to stderr."""

    error: Exception


def _attempt[T](work: Callable[..., T], arguments: tuple[object, ...], options: dict[str, object]) -> T | _Raised:
    try:
        return work(*arguments, **options)
    except Exception as error:  # noqa: BLE001 - raised again by off_loop
        return _Raised(error)
