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
    outcome: T | Raised = _pool(gevent.get_hub()).apply(attempt, (work, *arguments), options)
    return settled(outcome)


@cache
def _pool(hub: Hub) -> ThreadPool:
    return ThreadPool(_THREADS, hub=hub)


@dataclass(frozen=True, slots=True)
class Raised:
    """An error on its way back: gevent would print one that is raised, with all it says, to stderr."""

    error: Exception


def attempt[**P, T](work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T | Raised:
    """What ``work`` gives, or raises."""
    try:
        return work(*arguments, **options)
    except Exception as error:  # noqa: BLE001 - raised again by settled
        return Raised(error)


def settled[T](outcome: T | Raised) -> T:
    """The outcome of an attempt, its error raised."""
    if isinstance(outcome, Raised):
        raise outcome.error
    return outcome
