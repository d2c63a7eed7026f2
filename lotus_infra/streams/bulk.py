"""Making many objects at once without the garbage collector walking over all of them again and again.

A lake's objects hold no cycles and all stay: the collector finds nothing, and doubles the time of a big load.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cyclic garbage collector, and leave it as it was found: a process that serves for days needs it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
