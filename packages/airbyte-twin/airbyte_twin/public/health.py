"""`/health` and `/`."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route


async def health(_request: Request) -> Response:
    """GET, anonymous: a line of text."""
    return Response("Successful operation", media_type="text/plain")


async def documentation(_request: Request) -> Response:
    """GET leads to the reference."""
    return RedirectResponse("https://reference.airbyte.com/", status_code=302)


ROUTES = [Route("/health", health, methods=["GET"]), Route("/", documentation, methods=["GET"])]
