"""`/permissions`, of which clients read the list of a user: the public API has none of another user's workspaces."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import Body, Id, read_body
from airbyte_twin.errors import json_response
from airbyte_twin.permissions import permissions_of
from airbyte_twin.public.views import permission_view
from airbyte_twin.twin import Twin


class UserIdBody(Body):
    """The request of a list."""

    java = "UserIdRequestBody"

    user_id: Id


async def list_by_user(request: Request) -> Response:
    """The permissions of a user; none for an unknown one."""
    twin, body = Twin.of(request), await read_body(request, UserIdBody)
    rows = permissions_of(twin, str(body.user_id))
    return json_response({"permissions": [permission_view(each) for each in rows]})


ROUTES = [Route("/permissions/list_by_user", list_by_user, methods=["POST"])]
