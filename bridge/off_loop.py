"""Heavy work beside the event loop."""

from collections.abc import Callable

import gevent


def off_loop[**P, T](work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Run ``work`` in a native thread, so that other calls and the heartbeat go on meanwhile.

    The plugin is one event loop (gevent): a second of computing in it is a second of silence for everybody, and
    Dify kills a plugin that is silent for 120 s. No call back into Dify may be made inside ``work``: it would
    find no answer there.
    """
    return gevent.get_hub().threadpool.apply(work, arguments, options)
