"""`/tags`: labels of connections, with the rules of the public API."""

from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.bodies import TagCreate
from airbyte_twin.body import read_body
from airbyte_twin.config.bodies import TagDeleteBody, TagUpdateBody, WorkspaceIdBody
from airbyte_twin.errors import json_response
from airbyte_twin.public.tags import create_tag, delete_tag, save_tag
from airbyte_twin.public.views import tag_view
from airbyte_twin.records import Tag
from airbyte_twin.twin import Twin


class TagCreateBody(TagCreate):
    """A new tag."""

    java = "TagCreateRequestBody"


class TagListBody(WorkspaceIdBody):
    """Names a workspace."""

    java = "TagListRequestBody"


def known_tag(twin: Twin, body: TagDeleteBody | TagUpdateBody) -> Tag:
    """The tag of a workspace.

    Raises:
        ApiError: 404 or 403.
    """
    found = twin.store.tags.get(str(body.tag_id))
    if found is None or found.workspace_id != str(body.workspace_id):
        raise twin.unknown_in_config()
    return found


async def list_tags(request: Request) -> Response:
    """The tags of a workspace, as a list without an envelope."""
    twin, body = Twin.of(request), await read_body(request, TagListBody)
    return json_response([tag_view(each) for each in twin.store.tags if each.workspace_id == str(body.workspace_id)])


async def create(request: Request) -> Response:
    """Create a tag."""
    twin, body = Twin.of(request), await read_body(request, TagCreateBody)
    tag = Tag(id=str(uuid4()), name=body.name, color=body.color, workspace_id=str(body.workspace_id))
    return json_response(tag_view(create_tag(twin, tag)))


async def update(request: Request) -> Response:
    """Change name and color."""
    twin, body = Twin.of(request), await read_body(request, TagUpdateBody)
    tag = known_tag(twin, body).model_copy(update={"name": body.name, "color": body.color})
    return json_response(tag_view(save_tag(twin, tag)))


async def delete(request: Request) -> Response:
    """Delete a tag, and answer with it."""
    twin, body = Twin.of(request), await read_body(request, TagDeleteBody)
    tag = known_tag(twin, body)
    delete_tag(twin, tag)
    return json_response(tag_view(tag))


ROUTES = [
    Route("/tags/list", list_tags, methods=["POST"]),
    Route("/tags/create", create, methods=["POST"]),
    Route("/tags/update", update, methods=["POST"]),
    Route("/tags/delete", delete, methods=["POST"]),
]
