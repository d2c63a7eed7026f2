"""The deadline of a call: one point in time for its retries, its token and the body of its answer.

The deadline belongs to the calling thread. It is kept in a context variable, because httpx and its authenticators
don't pass such an argument through.
"""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_ENDS_AT: Final[ContextVar[float]] = ContextVar("ends_at", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Limit all calls inside the block to this many seconds together. An earlier outer deadline stays in force."""
    token = _ENDS_AT.set(min(_ENDS_AT.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ENDS_AT.reset(token)


def left() -> float:
    """Seconds until the deadline; infinite without one, negative after it."""
    return _ENDS_AT.get() - time.monotonic()


def patience() -> float:
    """Seconds until the deadline, as a lock's time-out."""
    return min(max(left(), 0), threading.TIMEOUT_MAX)
