"""One HTTP request, made properly: authenticated, retried where that is safe, its failure told without secrets."""

import json
import threading
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import httpx
import tenacity

from pulumi_airbyte.client.auth import authenticator
from pulumi_airbyte.client.errors import AirbyteError, Busy, ServerError, Unreachable, error_from
from pulumi_airbyte.client.settings import ClientSettings
from pulumi_airbyte.values import JsonObject, JsonValue

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query = Sequence[tuple[str, str]]

REPEATABLE_STATUS: Final = frozenset({429, 502, 503, 504})
POST_REPEATABLE_STATUS: Final = frozenset({429, 503})
SHORTEST_SECRET: Final = 4


class Redactor:
    """Removes known secret values from text that people will see."""

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def learn(self, secrets: Iterable[str]) -> None:
        """Remember values to remove; shorter ones than four characters would blank out ordinary words."""
        long_enough = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        with self._lock:
            self._secrets |= long_enough | {json.dumps(secret)[1:-1] for secret in long_enough}

    def clean(self, text: str) -> str:
        """The text without any remembered value."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "[secret]")
        return text


class Transport:
    """A connection pool to one Airbyte. Thread-safe.

    Raises from every call: AirbyteError, in the kinds that `client/errors.py` draws.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self.redactor = Redactor()
        self.redactor.learn([settings.auth.client_secret, settings.auth.password, settings.auth.bearer])
        self._cancelled = threading.Event()
        self._http = httpx.Client(
            auth=authenticator(settings.auth, settings.public_url),
            timeout=httpx.Timeout(10.0, read=settings.read_seconds),
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=32),
            headers={"Accept": "application/json"},
        )

    def cancel(self) -> None:
        """Let running requests end, but wait for no further try."""
        self._cancelled.set()

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
            method: POST is repeated only after a refused connection, 429 or 503, where the server has done nothing.
            url: absolute.
            what: the request in words, for error messages.
            body: sent as JSON.
            query: parameters; a name may come several times.
            repeatable: a POST that only reads (as all reads of the Config API are), repeated like a GET.

        Returns:
            The decoded JSON body; None for an empty one.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: self._may_repeat(error, method, repeatable=repeatable)),
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(self._settings.retry.attempts),
                tenacity.stop_when_event_set(self._cancelled),
            ),
            wait=tenacity.wait_random_exponential(self._settings.retry.base_seconds, self._settings.retry.max_seconds),
            sleep=tenacity.sleep_using_event(self._cancelled),
            reraise=True,
        )
        return retrying(self._send, method, url, what, body, query)

    @staticmethod
    def _may_repeat(error: BaseException, method: Method, *, repeatable: bool) -> bool:
        safe = repeatable or method != "POST"
        if isinstance(error, Busy):
            return error.status in (REPEATABLE_STATUS if safe else POST_REPEATABLE_STATUS)
        if isinstance(error, Unreachable):
            return safe or isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
        return False

    def _send(self, method: Method, url: str, what: str, body: JsonObject | None, query: Query | None) -> JsonValue:
        try:
            response = self._http.request(method, url, json=body, params=httpx.QueryParams(tuple(query or ())))
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            hint = f"Check that {self._settings.public_url} is the API's address and that it can be reached from here."
            raise Unreachable(f"Airbyte did not answer when asked to {what}: {reason}", hint) from error
        except AirbyteError as error:
            raise self._clean(error) from None
        if response.is_error or response.is_redirect:
            raise self._clean(error_from(response, what))
        if not response.content:
            return None
        try:
            decoded: JsonValue = response.json()
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            hint = (
                "Check that serverUrl is the API's root (self-managed: https://<host>/api/public/v1), not its web page."
            )
            raise ServerError(
                f"Airbyte's answer is not JSON when asked to {what}", hint, response.status_code
            ) from error
        return decoded

    def _clean(self, error: AirbyteError) -> AirbyteError:
        return type(error)(self.redactor.clean(error.message), self.redactor.clean(error.hint), error.status)
