"""Send one HTTP request: authenticated, retried if that is safe, with errors that hold no secrets."""

import math
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from typing import Final, Literal

import httpx
import tenacity

from pulumi_airbyte.client import deadline
from pulumi_airbyte.client.auth import authenticator
from pulumi_airbyte.client.errors import ROOT_HINT, AirbyteError, Busy, ServerError, Unreachable, error_from
from pulumi_airbyte.client.redactor import Redactor
from pulumi_airbyte.client.settings import ClientSettings
from pulumi_airbyte.values import JsonObject, JsonValue

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query = Sequence[tuple[str, str]]

Effect = Literal["reads", "sets", "acts"]
"""The effect of a request: it reads, sets (a repeat changes nothing more), or acts (each repeat acts again)."""

EFFECTS: Final[Mapping[Method, Effect]] = {
    "GET": "reads",
    "POST": "acts",
    "PUT": "sets",
    "PATCH": "sets",
    "DELETE": "sets",
}
NOT_TAKEN: Final = frozenset({429})
"""Statuses of requests that the server has not started."""
REFUSED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Temporary failures before a request was sent."""
UNSENT: Final = (*REFUSED, httpx.LocalProtocolError, httpx.UnsupportedProtocol)
"""All failures before a request was sent."""


@cache
def _trusted() -> ssl.SSLContext:
    """The trusted certificates. Loading them takes longer than many requests, so all clients share them."""
    return httpx.create_ssl_context()


class _FailedTry(Exception):  # noqa: N818, an error only if it was the last try
    """A failed try of a call.

    Args:
        error: the call's error if this was the last try.
        again: whether another try is safe and may succeed.
    """

    def __init__(self, error: AirbyteError, *, again: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again


class Transport:
    """A connection pool to one Airbyte. Thread-safe.

    Every call raises AirbyteError, in the kinds that `client/errors.py` lists.

    Args:
        settings: how to reach it.
        redactor: removes secrets from messages, and learns the tokens.
        cancelled: once set, running requests finish without further tries, and no wait lasts.
    """

    def __init__(self, settings: ClientSettings, redactor: Redactor, cancelled: threading.Event) -> None:
        self._settings = settings
        self._redactor = redactor
        self._cancelled = cancelled
        self.server_time = ""
        """The `Date` header of the last answer; empty before the first."""
        self._writes = threading.BoundedSemaphore(settings.parallel_writes)
        self._http = httpx.Client(
            auth=authenticator(settings.auth, settings.public_url, self._redactor),
            # pool=None: the engine makes more concurrent calls than the pool has connections, and a discovery occupies
            # one for minutes.
            timeout=httpx.Timeout(10.0, read=settings.read_seconds, pool=None),
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=32),
            headers={"Accept": "application/json"},
            event_hooks={"request": [_cap], "response": [_watch]},
            verify=_trusted(),
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(
        self,
        method: Method,
        url: str,
        what: str,
        *,
        body: JsonObject | None = None,
        query: Query | None = None,
        effect: Effect | None = None,
    ) -> JsonValue:
        """Send a request until it succeeds, must not be repeated, or runs out of time.

        Args:
            method: the HTTP method, which implies an effect.
            url: absolute URL.
            what: the request in words, for error messages.
            body: sent as JSON.
            query: parameters; names may repeat.
            effect: overrides the method's effect, for a POST that only reads or sets. A request that acts is repeated
                only if the server can't have received it: it can't distinguish a second try from a second request.

        Returns:
            The decoded JSON body; None for an empty one.
        """
        done = effect or EFFECTS[method]
        if not self._settings.public_url:
            raise AirbyteError(
                f"Airbyte could not {self._redactor.clean(what)}: its address is known only after an update."
            )
        parameters = httpx.QueryParams(tuple(query or ()))
        build = partial(self._http.build_request, method, url, json=body, params=parameters)
        with nullcontext() if done == "reads" else self._place(what), deadline.within(self._settings.read_seconds):
            try:
                return self.patiently(_may_help)(self._try, build, what, done)
            except _FailedTry as failed:
                raise failed.error from failed.__cause__

    @contextmanager
    def _place(self, what: str) -> Iterator[None]:
        """Limit the number of concurrent writes.

        A write keeps its place while it waits to retry, so that an overloaded server gets fewer writes.
        """
        if not self._writes.acquire(timeout=deadline.patience()):
            text = f"Airbyte was not asked to {self._redactor.clean(what)}: other writes used up its time."
            raise Unreachable(text, "Run the command again, or allow more time with the resource's customTimeouts.")
        try:
            yield
        finally:
            self._writes.release()

    def patiently(self, may_repeat: Callable[[BaseException], bool]) -> tenacity.Retrying:
        """A retrying caller for failures of these kinds, with growing waits.

        It stops after `RetryPolicy.attempts` tries, or if the next one would start after the deadline.
        """
        enough = tenacity.stop_any(
            tenacity.stop_after_attempt(self._settings.retry.attempts), tenacity.stop_when_event_set(self._cancelled)
        )
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(may_repeat),
            stop=lambda state: enough(state) or state.upcoming_sleep >= deadline.left(),
            wait=tenacity.wait_random_exponential(self._settings.retry.base_seconds, self._settings.retry.max_seconds),
            sleep=tenacity.sleep_using_event(self._cancelled),
            reraise=True,
        )

    def _try(self, build: Callable[[], httpx.Request], what: str, effect: Effect) -> JsonValue:
        writes, request = effect != "reads", build()
        try:
            response = self._http.send(request)
        except AirbyteError as error:
            # Only the authenticator raises AirbyteError here: the request was not sent, or was answered with 401.
            raise self._without_token(what, error) from error
        except httpx.HTTPError as error:
            if error.request is not request:
                raise self._without_token(what, self._unreachable("issue a token", error)) from error
            unknown = writes and not isinstance(error, UNSENT)
            again = effect != "acts" or isinstance(error, REFUSED)
            raise _FailedTry(self._unreachable(what, error, unknown=unknown), again=again) from error
        self.server_time = response.headers.get("date", "")
        if not response.is_success:
            failure = error_from(response, self._redactor.clean(what), self._redactor.clean_answer, writes=writes)
            again = isinstance(failure, Busy) and (effect != "acts" or failure.status in NOT_TAKEN)
            raise _FailedTry(failure, again=again)
        return self._decoded(response, what)

    def _unreachable(self, what: str, error: httpx.HTTPError, *, unknown: bool = False) -> Unreachable:
        reason = self._redactor.clean(str(error)) or type(error).__name__
        hint = f"Check that {self._settings.public_url} is the API's address and that it can be reached from here."
        text = f"Airbyte did not answer when asked to {self._redactor.clean(what)}: {reason}"
        return Unreachable(text, hint, outcome_unknown=unknown)

    def _without_token(self, what: str, error: AirbyteError) -> _FailedTry:
        """The failure of a call for which there was no token. The call was not sent, so it is safe to repeat."""
        text = f"Airbyte was not asked to {self._redactor.clean(what)}, because there was no token. {error.message}"
        return _FailedTry(type(error)(text, error.hint, error.status), again=isinstance(error, Busy | Unreachable))

    def _decoded(self, response: httpx.Response, what: str) -> JsonValue:
        if not response.content:
            return None
        try:
            decoded: JsonValue = response.json()
        except ValueError:
            text = f"Airbyte's answer is not JSON when asked to {self._redactor.clean(what)}"
            raise ServerError(text, ROOT_HINT, response.status_code) from None
        return decoded


def _may_help(error: BaseException) -> bool:
    """Whether another try is safe and may succeed."""
    return isinstance(error, _FailedTry) and error.again


def _cap(request: httpx.Request) -> None:
    """Limit a request's timeouts to the remaining time; an httpx hook.

    Raises:
        httpx.ConnectTimeout: no time is left; the request is not sent.
    """
    rest = deadline.left()
    if rest <= 0:
        raise httpx.ConnectTimeout("no time is left", request=request)
    timeouts = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        phase: _shorter(timeouts.get(phase), rest) for phase in ("connect", "read", "write", "pool")
    }


def _watch(response: httpx.Response) -> None:
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
            if deadline.left() <= 0:
                raise httpx.ReadTimeout("the answer did not end in time", request=self._request)

    def close(self) -> None:
        """Give the connection back."""
        self._stream.close()
