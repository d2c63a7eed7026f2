"""One HTTP request, made properly: authenticated, retried where that is safe, its failure told without secrets."""

import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Final, Literal

import httpx
import tenacity

from pulumi_airbyte.client.auth import authenticator
from pulumi_airbyte.client.errors import ROOT_HINT, AirbyteError, Busy, ServerError, Unreachable, error_from
from pulumi_airbyte.client.redactor import Redactor
from pulumi_airbyte.client.settings import ClientSettings
from pulumi_airbyte.values import JsonObject, JsonValue

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query = Sequence[tuple[str, str]]

REPEATABLE_STATUS: Final = frozenset({429, 502, 503, 504})
POST_REPEATABLE_STATUS: Final = frozenset({429})


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, loaded once for all clients: it takes longer than many requests."""
    return httpx.create_ssl_context()


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
        repeatable: bool = False,
    ) -> JsonValue:
        """Send a request until it succeeds or may not be tried again.

        Args:
            method: POST is repeated only after a refused connection or 429, where the server has done nothing.
            url: absolute.
            what: the request in words, for error messages.
            body: sent as JSON.
            query: parameters; a name may come several times.
            repeatable: a POST that only reads (as all reads of the Config API are), repeated like a GET.

        Returns:
            The decoded JSON body; None for an empty one.
        """
        retrying = self.patiently(lambda error: self._may_repeat(error, method, repeatable=repeatable))
        # A write keeps its place while it waits for another try: a server that sheds load then gets fewer of them.
        with nullcontext() if repeatable or method == "GET" else self._writes:
            return retrying(self._send, method, url, what, body, query)

    def patiently(self, may_repeat: Callable[[BaseException], bool]) -> tenacity.Retrying:
        """Calls what it is given again after failures of these kinds, with growing waits, until it has tried enough."""
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(may_repeat),
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(self._settings.retry.attempts),
                tenacity.stop_when_event_set(self._cancelled),
            ),
            wait=tenacity.wait_random_exponential(self._settings.retry.base_seconds, self._settings.retry.max_seconds),
            sleep=tenacity.sleep_using_event(self._cancelled),
            reraise=True,
        )

    @staticmethod
    def _may_repeat(error: BaseException, method: Method, *, repeatable: bool) -> bool:
        safe = repeatable or method != "POST"
        if isinstance(error, Busy):
            return error.status in (REPEATABLE_STATUS if safe else POST_REPEATABLE_STATUS)
        if isinstance(error, Unreachable):
            return safe or isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
        return False

    def _send(self, method: Method, url: str, what: str, body: JsonObject | None, query: Query | None) -> JsonValue:
        if not self._settings.public_url:
            raise AirbyteError(f"Airbyte could not {what}: its address is known only after an update.")
        what = self.redactor.clean(what)
        try:
            response = self._http.request(method, url, json=body, params=httpx.QueryParams(tuple(query or ())))
        except httpx.HTTPError as error:
            reason = self.redactor.clean(str(error)) or type(error).__name__
            hint = f"Check that {self._settings.public_url} is the API's address and that it can be reached from here."
            raise Unreachable(f"Airbyte did not answer when asked to {what}: {reason}", hint) from error
        self.server_time = response.headers.get("date", "")
        if not response.is_success:
            raise error_from(response, what, self.redactor.clean)
        if not response.content:
            return None
        try:
            decoded: JsonValue = response.json()
        except ValueError:
            text = f"Airbyte's answer is not JSON when asked to {what}"
            raise ServerError(text, ROOT_HINT, response.status_code) from None
        return decoded
