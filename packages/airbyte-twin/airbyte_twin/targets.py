"""How the server reads the target of a request, before any route is looked for.

Knows paths and queries as text. Must not know routes.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from airbyte_twin.errors import HttpError, json_response


class ReadTarget:
    """ASGI middleware: one slash at the end of a path counts as none, and a bare pipe in a query is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with the path that routes are looked for by."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if b"|" in scope["query_string"]:
                refusal = HttpError(400, "Bad Request", path)
                await json_response(refusal.body, refusal.status)(scope, receive, send)
                return
            if path.endswith("/") and path != "/":
                scope["path"] = path[:-1]
        await self._app(scope, receive, send)
