"""When a call must have ended: one moment for all its tries, the token that it needs and the body of its answer.

The deadline belongs to the thread that makes the call. It is kept in a context variable, because the code between a
call and its sockets (httpx, the authenticator) has no place for it among its arguments.
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
    """Give all calls inside this many seconds together. A deadline around this one that ends sooner stays in force."""
    token = _ENDS_AT.set(min(_ENDS_AT.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ENDS_AT.reset(token)


def left() -> float:
    """Seconds until the deadline; infinite where there is none, negative after it."""
    return _ENDS_AT.get() - time.monotonic()


def patience() -> float:
    """How long a lock may be waited for until the deadline, as locks take it."""
    return min(max(left(), 0), threading.TIMEOUT_MAX)


def cap(request: httpx.Request) -> None:
    """Cap a request's timeouts with what is left; an httpx hook.

    Raises:
        httpx.ConnectTimeout: nothing is left, so that the request is not sent.
    """
    rest = left()
    if rest <= 0:
        raise httpx.ConnectTimeout("no time is left", request=request)
    timeouts = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        phase: _shorter(timeouts.get(phase), rest) for phase in ("connect", "read", "write", "pool")
    }


def watch(response: httpx.Response) -> None:
    """End the reading of a body at the deadline; an httpx hook. A read timeout restarts at each chunk of a body."""
    if isinstance(response.stream, httpx.SyncByteStream):
        response.stream = _Watched(response.stream, response.request)


def _shorter(seconds: float | None, rest: float) -> float | None:
    shorter = rest if seconds is None else min(seconds, rest)
    return None if math.isinf(shorter) else shorter


class _Watched(httpx.SyncByteStream):
    """A body that ends with an error where it has not ended at the deadline."""

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
