"""The log of calls, so that tests can count them."""

from collections import Counter, deque
from contextlib import suppress
from dataclasses import asdict, dataclass

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airbyte_twin.documents import JsonObject

CONTROL = "/_twin"
FAULT = "airbyte_twin.fault"
"""Key in a request's scope: the fault that hit it."""
KEPT_CALLS = 100_000


@dataclass(frozen=True)
class Call:
    """One call; `status` is None if the caller got no answer, `fault` is the injected fault in words."""

    method: str
    path: str
    query: str
    status: int | None
    fault: str | None = None

    def document(self) -> JsonObject:
        """As the control endpoint shows it."""
        return asdict(self)


class CallLog:
    """Calls in the order in which they ended; all are counted, the latest are kept."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._counts: Counter[str] = Counter()

    def add(self, call: Call) -> None:
        """Log one call."""
        self._calls.append(call)
        self._counts[call.method] += 1

    def calls(self) -> list[Call]:
        """The latest calls, oldest first."""
        return list(self._calls)

    def counts(self) -> dict[str, int]:
        """Number of calls by method."""
        return dict(self._counts)

    def clear(self) -> None:
        """Remove all."""
        self._calls.clear()
        self._counts.clear()


class LogCalls:
    """ASGI middleware that logs all calls except control calls."""

    def __init__(self, app: ASGIApp, log: CallLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and log its end; a caller who disconnects within the body gets no answer."""
        with suppress(ClientDisconnect):
            await self._noted(scope, receive, send)

    async def _noted(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def watching(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._note(scope, status)
            await send(message)

        try:
            await self._app(scope, receive, watching)
        finally:
            if status is None:
                self._note(scope, None)

    def _note(self, scope: Scope, status: int | None) -> None:
        query = scope["query_string"].decode("ascii", "replace")
        self._log.add(Call(scope["method"], scope["path"], query, status, scope.get(FAULT)))
