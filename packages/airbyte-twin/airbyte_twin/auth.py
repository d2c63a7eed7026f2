"""Authentication: the token endpoints, and the check of every other request."""

import base64
import hmac

from pydantic import ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from airbyte_twin.body import Body, read_body
from airbyte_twin.calls import CONTROL
from airbyte_twin.errors import SECURED, ApiError, HttpError, OpaqueError, json_response
from airbyte_twin.settings import AuthMode, Edition
from airbyte_twin.twin import Twin

PUBLIC_TOKEN_PATH = "/api/public/v1/applications/token"
CONFIG_TOKEN_PATH = "/api/v1/applications/token"
APIS = "/api/"
ANONYMOUS_PATHS = frozenset({
    PUBLIC_TOKEN_PATH, CONFIG_TOKEN_PATH, "/api/public", "/api/public/v1/health", "/api/v1/health",
    "/api/public/v1/oauth/callback", "/api/v1/instance_configuration",
})  # fmt: skip
"""Source: the controllers of airbyte-server that are secured with IS_ANONYMOUS."""


class TokenRequest(Body):
    """Client credentials, in the spelling of OAuth."""

    java = "ApplicationTokenRequestWithGrant"

    model_config = ConfigDict(alias_generator=None)

    client_id: str
    client_secret: str


async def read_token_request(request: Request) -> TokenRequest:
    """Client credentials from a JSON or form body.

    Raises:
        BareError: 415, the body is neither.
        ApiError: 400 or 500, it lacks one of them.
    """
    if not is_form(request):
        return await read_body(request, TokenRequest)
    async with request.form() as form:
        try:
            return TokenRequest.model_validate(dict(form))
        except ValidationError as error:
            raise OpaqueError(500) from error


def is_form(request: Request) -> bool:
    """Whether the content type is a form."""
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def checked_client(twin: Twin, asked: TokenRequest, path: str) -> str:
    """The client id, if the secret is right.

    Raises:
        ApiError: 400 on a community server, 401 on others.
    """
    for known in twin.store.applications:
        if _same(known.client_id, asked.client_id) and _same(known.client_secret, asked.client_secret):
            return known.client_id
    if twin.settings.edition is Edition.CLOUD:
        raise OpaqueError(401)
    raise HttpError(400, "Bad Request", path, "Invalid client id or token")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


async def issue_public_token(request: Request) -> Response:
    """POST `/applications/token` of the public API, JSON or form."""
    twin = Twin.of(request)
    token = twin.tokens.issue(checked_client(twin, await read_token_request(request), request.url.path))
    return json_response({"access_token": token, "token_type": "Bearer", "expires_in": twin.tokens.lifetime})


async def issue_config_token(request: Request) -> Response:
    """POST `/applications/token` of the Config API: JSON only, without the lifetime in the answer."""
    twin = Twin.of(request)
    if is_form(request):
        raise HttpError(401, "Unauthorized", request.url.path)
    asked = await read_body(request, TokenRequest, "ApplicationTokenRequest")
    return json_response({"access_token": twin.tokens.issue(checked_client(twin, asked, request.url.path))})


def token_routes(mode: AuthMode) -> list[Route]:
    """The token paths; unknown routes without `client_credentials`."""
    issued = mode is AuthMode.CLIENT_CREDENTIALS
    return [
        Route(PUBLIC_TOKEN_PATH, issue_public_token if issued else no_tokens, methods=["POST"]),
        Route(CONFIG_TOKEN_PATH, issue_config_token if issued else no_tokens, methods=["POST"]),
    ]


async def no_tokens(_request: Request) -> Response:
    """The server's controller does not exist without its own authentication."""
    raise HTTPException(404)


class Authenticate:
    """ASGI middleware that answers 401 to callers without valid credentials."""

    def __init__(self, app: ASGIApp, twin: Twin) -> None:
        self._app = app
        self._twin = twin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on an authenticated request."""
        if scope["type"] == "http" and not self._may_pass(HTTPConnection(scope)):
            await self._refusal(scope["path"])(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may_pass(self, connection: HTTPConnection) -> bool:
        settings, path = self._twin.settings, connection.scope["path"]
        if settings.auth is AuthMode.NONE or path.startswith(CONTROL):
            return True
        scheme, _, value = connection.headers.get("authorization", "").partition(" ")
        if settings.auth is AuthMode.BASIC:
            expected = f"{settings.username}:{settings.password}".encode()
            return scheme.lower() == "basic" and hmac.compare_digest(_basic(value), expected)
        if path.removesuffix("/") in ANONYMOUS_PATHS or not path.startswith(APIS):
            return True
        connection.scope[SECURED] = True
        return scheme.lower() == "bearer" and self._twin.tokens.valid(value.strip())

    def _refusal(self, path: str) -> Response:
        if self._twin.settings.auth is AuthMode.BASIC:
            headers = {"WWW-Authenticate": 'Basic realm="Airbyte"'}
            text = "<html><body><h1>401 Authorization Required</h1></body></html>"
            return Response(text, 401, headers, media_type="text/html")
        error: ApiError = HttpError(401, "Unauthorized", path)
        return json_response(error.body, error.status)


def _basic(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return b""
