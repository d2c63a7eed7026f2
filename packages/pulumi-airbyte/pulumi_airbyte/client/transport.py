"""One HTTP request, made properly: authenticated, retried where that is safe, its failure told without secrets."""

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
"""What a request does: nothing; what is the same when it is done twice; or something more each time that it is done."""

EFFECTS: Final[Mapping[Method, Effect]] = {
    "GET": "reads",
    "POST": "acts",
    "PUT": "sets",
    "PATCH": "sets",
    "DELETE": "sets",
}
NOT_TAKEN: Final = frozenset({429})
"""Statuses of a request that the server has not begun."""
REFUSED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Failures before a request was sent, which may pass."""
UNSENT: Final = (*REFUSED, httpx.LocalProtocolError, httpx.UnsupportedProtocol)
"""Failures before a request was sent."""


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, loaded once for all clients: it takes longer than many requests."""
    return httpx.create_ssl_context()


class _FailedTry(Exception):  # noqa: N818, it is no error until it was the last
    """One try of a call.

    Args:
        error: what the call fails with if this was the last try.
        again: whether another try is safe and may help.
    """

    def __init__(self, error: AirbyteError, *, again: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again


class Transport:
    """A connection pool to one Airbyte. Thread-safe.

    Raises from every call: AirbyteError, in the kinds that `client/errors.py` draws.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self.redactor = Redactor()
        self.redactor.learn([settings.auth.client_secret, settings.auth.password, settings.auth.bearer])
        self.server_time = ""
        """The `Date` of the last answer; empty before one came."""
        self._cancelled = threading.Event()
        self._writes = threading.BoundedSemaphore(settings.parallel_writes)
        self._http = httpx.Client(
            auth=authenticator(settings.auth, settings.public_url, self.redactor.clean),
            # The engine asks for more at once than the pool holds, and a discovery holds its place for minutes.
            timeout=httpx.Timeout(10.0, read=settings.read_seconds, pool=None),
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=32),
            headers={"Accept": "application/json"},
            event_hooks={"request": [deadline.cap], "response": [deadline.watch]},
            verify=_trusted(),
        )

    def cancel(self) -> None:
        """Let running requests end, but wait for no further try."""
        self._cancelled.set()

    def wait(self, seconds: float) -> bool:
        """Wait; whether that was cancelled."""
        return self._cancelled.wait(seconds)

    def close(self) -> None:
        """Give the connections back."""
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
        """Send a request until it succeeds, may not be tried again, or the call's time is over.

        Args:
            method: says what the request does, where `effect` does not.
            url: absolute.
            what: the request in words, for error messages.
            body: sent as JSON.
            query: parameters; a name may come several times.
            effect: of a POST that only reads, or that only sets. One that acts is sent again only where the server
                can't have received it: nothing there tells a second try from a second request.

        Returns:
            The decoded JSON body; None for an empty one.
        """
        done = effect or EFFECTS[method]
        if not self._settings.public_url:
            raise AirbyteError(
                f"Airbyte could not {self.redactor.clean(what)}: its address is known only after an update."
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
        """A place among the writes that are under way at once.

        A write keeps it while it waits for another try: a server that sheds load then gets fewer of them.
        """
        if not self._writes.acquire(timeout=deadline.patience()):
            text = f"Airbyte was not asked to {self.redactor.clean(what)}: other writes took all of its time."
            raise Unreachable(text, "Run the command again, or allow more time with the resource's customTimeouts.")
        try:
            yield
        finally:
            self._writes.release()

    def patiently(self, may_repeat: Callable[[BaseException], bool]) -> tenacity.Retrying:
        """Calls what it is given again after failures of these kinds, with growing waits.

        It has tried enough after `RetryPolicy.attempts` tries, or where the next one would begin after the deadline.
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
            # Nothing but the authenticator raises these: the request itself was never sent, or was answered 401.
            raise self._without_token(what, error) from error
        except httpx.HTTPError as error:
            if error.request is not request:
                raise self._without_token(what, self._unreachable("issue a token", error)) from error
            unknown = writes and not isinstance(error, UNSENT)
            again = effect != "acts" or isinstance(error, REFUSED)
            raise _FailedTry(self._unreachable(what, error, unknown=unknown), again=again) from error
        self.server_time = response.headers.get("date", "")
        if not response.is_success:
            failure = error_from(response, self.redactor.clean(what), self.redactor.clean, writes=writes)
            again = isinstance(failure, Busy) and (effect != "acts" or failure.status in NOT_TAKEN)
            raise _FailedTry(failure, again=again)
        return self._decoded(response, what)

    def _unreachable(self, what: str, error: httpx.HTTPError, *, unknown: bool = False) -> Unreachable:
        reason = self.redactor.clean(str(error)) or type(error).__name__
        hint = f"Check that {self._settings.public_url} is the API's address and that it can be reached from here."
        text = f"Airbyte did not answer when asked to {self.redactor.clean(what)}: {reason}"
        return Unreachable(text, hint, outcome_unknown=unknown)

    def _without_token(self, what: str, error: AirbyteError) -> _FailedTry:
        """The failure of a call that could not begin; whatever the call is, it may be tried again."""
        text = f"Airbyte was not asked to {self.redactor.clean(what)}, because no token could be had. {error.message}"
        return _FailedTry(type(error)(text, error.hint, error.status), again=isinstance(error, Busy | Unreachable))

    def _decoded(self, response: httpx.Response, what: str) -> JsonValue:
        if not response.content:
            return None
        try:
            decoded: JsonValue = response.json()
        except ValueError:
            text = f"Airbyte's answer is not JSON when asked to {self.redactor.clean(what)}"
            raise ServerError(text, ROOT_HINT, response.status_code) from None
        return decoded


def _may_help(error: BaseException) -> bool:
    """Whether another try is safe and may help."""
    return isinstance(error, _FailedTry) and error.again
