"""Fault injection: error statuses, lost requests, lost or withheld responses, delays."""

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airbyte_twin.calls import CONTROL, FAULT
from airbyte_twin.errors import ProblemError, json_response

TRANSPORT = "airbyte_twin.transport"
Moment = Literal["before", "after"]


class Fault(BaseModel):
    """One failure on order.

    Attributes:
        method: Of the requests that it waits for; `*` for any.
        path: Regular expression that is searched in the path and query.
        nth: Fire first at this matching request, counted from 1.
        times: How many matching requests in a row to fail; None for all from then on.
        status: Answer with this instead of passing the request on.
        drop: Cut the connection `before` the request is worked on, or `after` it was, its answer lost.
        hold: Never answer, `before` the request is worked on or `after` it was, until the caller leaves.
        commit: With `status`, work on the request first and answer with the failure all the same.
        end_tokens: End every bearer token first.
        delay: Seconds to wait before anything else.
        retry_after: Value of a `Retry-After` header, which Airbyte itself never sends.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str = "*"
    path: str = "."
    nth: int = Field(default=1, ge=1)
    times: int | None = Field(default=1, ge=1)
    status: int | None = Field(default=None, ge=400, le=599)
    drop: Moment | None = None
    hold: Moment | None = None
    commit: bool = False
    end_tokens: bool = False
    delay: float = Field(default=0, ge=0, le=600)
    retry_after: str | None = None

    @field_validator("path")
    @classmethod
    def _is_a_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        if [self.status, self.drop, self.hold].count(None) < 2:
            raise ValueError("give one of status, drop and hold")
        return self

    @property
    def works_first(self) -> bool:
        """Whether the request is worked on before it fails."""
        return self.commit or "after" in {self.drop, self.hold}

    @property
    def title(self) -> str:
        """The fault in words, for the log of calls."""
        if self.status:
            return f"{self.status} {'after' if self.commit else 'before'}"
        for end, moment in (("drop", self.drop), ("hold", self.hold)):
            if moment:
                return f"{end} {moment}"
        return "end tokens" if self.end_tokens else "delay"

    def matches(self, method: str, target: str) -> bool:
        """Whether it waits for such a request."""
        return self.method.upper() in {"*", method} and re.search(self.path, target) is not None

    def fires_at(self, count: int) -> bool:
        """Whether the matching request of that number fails."""
        return count >= self.nth and (self.times is None or count < self.nth + self.times)


@dataclass(frozen=True)
class Held:
    """A request that gets no answer.

    Attributes:
        left: Is set once its caller has left.
    """

    method: str
    path: str
    left: threading.Event = field(default_factory=threading.Event)


class Faults:
    """The failures on order and how many requests each has seen.

    Attributes:
        held: Each request that is held, from the moment from which nothing happens to it any more; for a thread that
            waits for it.
    """

    def __init__(self) -> None:
        self.held: SimpleQueue[Held] = SimpleQueue()
        self._holding: set[asyncio.Transport] = set()
        self._faults: list[Fault] = []
        self._seen: list[int] = []

    def add(self, fault: Fault) -> None:
        """Order one."""
        self._faults.append(fault)
        self._seen.append(0)

    def clear(self) -> None:
        """Remove all."""
        self._faults.clear()
        self._seen.clear()

    async def hold(self, scope: Scope, receive: Receive) -> None:
        """Keep a request without an answer until its caller leaves or the twin ends."""
        transport, held = scope["extensions"][TRANSPORT], Held(scope["method"], scope["path"])
        self._holding.add(transport)
        self.held.put(held)
        await _left(receive)
        self._holding.discard(transport)
        held.left.set()

    def let_go(self) -> None:
        """Cut the connections of all requests that are held."""
        for transport in self._holding:
            transport.abort()

    def orders(self) -> list[tuple[Fault, int]]:
        """Each with the number of matching requests until now."""
        return list(zip(self._faults, self._seen, strict=True))

    def due(self, method: str, target: str) -> Fault | None:
        """Count a request and return its fault, if any; older faults first."""
        hit: Fault | None = None
        for index, fault in enumerate(self._faults):
            if fault.matches(method, target):
                self._seen[index] += 1
                if hit is None and fault.fires_at(self._seen[index]):
                    hit = fault
        return hit


class InjectFaults:
    """ASGI middleware that makes ordered failures happen; the twin's own control is spared."""

    def __init__(self, app: ASGIApp, faults: Faults, end_tokens: Callable[[], None]) -> None:
        self._app = app
        self._faults = faults
        self._end_tokens = end_tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless a failure is due for it."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode("ascii", "replace")
        target = f"{scope['path']}?{query}" if query else scope["path"]
        fault = self._faults.due(scope["method"], target)
        if fault is None:
            await self._app(scope, receive, send)
            return
        scope[FAULT] = fault.title
        await asyncio.sleep(fault.delay)
        if fault.end_tokens:
            self._end_tokens()
        if fault.works_first:
            await self._app(scope, receive, _nowhere)
        if fault.hold:
            await self._faults.hold(scope, receive)
        elif fault.drop:
            await _cut(scope, receive)
        elif fault.status:
            await _failure(fault.status, fault.retry_after)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _nowhere(_message: Message) -> None:
    """Discard an answer."""


async def _cut(scope: Scope, receive: Receive) -> None:
    """Close the connection without a byte of answer."""
    transport = scope["extensions"][TRANSPORT]
    transport.abort()
    await _left(receive)


async def _left(receive: Receive) -> None:
    """Wait until the caller has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _failure(status: int, retry_after: str | None) -> Response:
    """The body that Airbyte (429), its proxy (502, 504) or its problem handler would send."""
    headers = {"Retry-After": retry_after} if retry_after else None
    if status == 429:
        response = json_response({"message": "You are being rate limited."}, 429)
    elif status in {502, 504}:
        text = f"<html><body><h1>{status}</h1></body></html>"
        response = Response(text, status, media_type="text/html")
    elif status == 503:
        response = json_response(ProblemError(503, "service-unavailable").body, 503)
    else:
        response = json_response(ProblemError(status, "unexpected-problem").body, status)
    response.headers.update(headers or {})
    return response
