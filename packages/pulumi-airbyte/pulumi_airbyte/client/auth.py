"""Authenticate requests: basic, bearer, or client credentials with early refresh."""

import base64
import binascii
import json
import threading
import time
from collections.abc import Callable, Generator
from typing import Final

import httpx

from pulumi_airbyte.client.deadline import patience
from pulumi_airbyte.client.errors import ROOT_HINT, ServerError, Unauthenticated, Unreachable, error_from
from pulumi_airbyte.client.redactor import Redactor
from pulumi_airbyte.client.settings import Auth

FALLBACK_SECONDS: Final = 60.0
REFRESH_AT: Final = 0.8


class ClientCredentials(httpx.Auth):
    """Fetches a token, renews it before it expires, and once more if the server answers 401.

    The server sets a token's lifetime (15 minutes by default, AB_AIRBYTE_AUTH_TOKEN_EXPIRATION_APPLICATION). It is
    taken from `expires_in`, else from the token's `exp`, else assumed to be one minute.
    """

    requires_response_body = True

    def __init__(self, auth: Auth, token_url: str, redactor: Redactor, now: Callable[[], float] = time.time) -> None:
        self._auth = auth
        self._token_url = token_url
        self._redactor = redactor
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Attach a token. On 401, get a new one and repeat the request once."""
        token = yield from self._current("")
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            response.read()
            token = yield from self._current(token)
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    def _current(self, refused: str) -> Generator[httpx.Request, httpx.Response, str]:
        if not self._lock.acquire(timeout=patience()):
            raise Unreachable("Airbyte did not answer in time when another call requested the shared token.")
        try:
            if not self._token or self._token == refused or self._now() >= self._renew_at:
                response = yield self._token_request()
                response.read()
                self._keep(response)
            return self._token
        finally:
            self._lock.release()

    def _token_request(self) -> httpx.Request:
        body = {
            "client_id": self._auth.client_id,
            "client_secret": self._auth.client_secret,
            "grant_type": "client_credentials",
        }
        return httpx.Request("POST", self._token_url, json=body)

    def _keep(self, response: httpx.Response) -> None:
        if response.status_code in {400, 401, 403}:
            failure = error_from(response, "issue a token", self._redactor.clean_answer)
            raise Unauthenticated(failure.message, "Check clientId and clientSecret.", response.status_code)
        if response.status_code == 404:
            hint = "This server has no token endpoint: leave clientId out if its authentication is switched off."
            raise Unauthenticated(f"Airbyte has no token endpoint at {self._token_url}", hint, 404)
        if not response.is_success:
            raise error_from(response, "issue a token", self._redactor.clean_answer)
        token, expires_in = _token_of(response)
        # A server or a proxy may repeat the request's headers in its errors.
        self._redactor.learn([token])
        now = self._now()
        self._token = token
        self._renew_at = now + REFRESH_AT * _lifetime(token, expires_in, now)


def _token_of(response: httpx.Response) -> tuple[str, object]:
    try:
        body = response.json()
        return str(body["access_token"]), body.get("expires_in")
    except (ValueError, KeyError, TypeError):
        text = "Airbyte's answer has no token when asked to issue a token"
        raise ServerError(text, ROOT_HINT, response.status_code) from None


def _lifetime(token: str, expires_in: object, now: float) -> float:
    """The token's lifetime in seconds."""
    if isinstance(expires_in, int | float):
        return float(expires_in)
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"]) - now
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return FALLBACK_SECONDS


class Bearer(httpx.Auth):
    """Sends a given token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Attach the token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def authenticator(auth: Auth, public_url: str, redactor: Redactor) -> httpx.Auth | None:
    """The httpx authenticator for these credentials; None without credentials."""
    match auth.mode:
        case "client_credentials":
            return ClientCredentials(auth, auth.token_url or f"{public_url}/applications/token", redactor)
        case "basic":
            return httpx.BasicAuth(auth.username, auth.password)
        case "bearer":
            return Bearer(auth.bearer)
        case "none":
            return None
