"""`/health`."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def health(_request: Request) -> Response:
    """GET, anonymous: a line of text."""
    return Response("Successful operation", headers={"content-type": "*/*"})


ROUTES = [Route("/health", health, methods=["GET"])]
