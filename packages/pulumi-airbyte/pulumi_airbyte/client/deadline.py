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

import httpx

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


def cap(request: httpx.Request) -> None:
    """Limit a request's timeouts to the remaining time; an httpx hook.

    Raises:
        httpx.ConnectTimeout: no time is left; the request is not sent.
    """
    rest = left()
    if rest <= 0:
        raise httpx.ConnectTimeout("no time is left", request=request)
    timeouts = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        phase: _shorter(timeouts.get(phase), rest) for phase in ("connect", "read", "write", "pool")
    }


def watch(response: httpx.Response) -> None:
    """Stop reading a body at the deadline; an httpx hook. httpx's own read timeout restarts at each chunk."""
    if isinstance(response.stream, httpx.SyncByteStream):
        response.stream = _Watched(response.stream, response.request)


def _shorter(seconds: float | None, rest: float) -> float | None:
    shorter = rest if seconds is None else min(seconds, rest)
    return None if math.isinf(shorter) else shorter


class _Watched(httpx.SyncByteStream):
    """A body that raises at the deadline."""

    def __init__(self, stream: httpx.SyncByteStream, request: httpx.Request) -> None:
        self._stream = stream
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            yield chunk
            if left() <= 0:
                raise httpx.ReadTimeout("the answer did not end in time", request=self._request)

    def close(self) -> None:
        """Give the connection back."""
        self._stream.close()
