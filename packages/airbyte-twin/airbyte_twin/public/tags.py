"""`/tags`: labels of connections, listed without pages."""

import re
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.bodies import TagCreate, TagPatch
from airbyte_twin.body import read_body
from airbyte_twin.database import missing_workspace
from airbyte_twin.errors import ProblemError, forbidden, json_response
from airbyte_twin.public.views import tag_view
from airbyte_twin.queries import converted_id, read_ids
from airbyte_twin.records import Tag
from airbyte_twin.twin import Twin

LONGEST_NAME = 30
"""UTF-16 code units, as Java counts."""
MOST_TAGS = 100
COLOR = re.compile(r"[0-9A-Fa-f]{6}")


def known_tag(twin: Twin, request: Request) -> Tag:
    """The tag that a path names.

    Raises:
        ApiError: 404 or 403; 400, the path names none.
    """
    key = converted_id(request, "tagId", request.path_params["tag_id"])
    found = twin.store.tags.get(key)
    if found is None:
        raise twin.unknown("TAG", key)
    return found


def check_tag(twin: Twin, tag: Tag) -> None:
    """Refuse a tag that the workspace cannot take.

    Raises:
        ProblemError: 400 for a color or a name that is too long, 409 for a name that another tag has.
    """
    if not COLOR.fullmatch(tag.color):
        raise ProblemError(400, "error:tag-invalid-hex-color")
    if len(tag.name.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_NAME:
        raise ProblemError(400, "error:tag-name-too-long")
    others = (each for each in twin.store.tags if each.workspace_id == tag.workspace_id and each.id != tag.id)
    if any(other.name == tag.name for other in others):
        raise ProblemError(409, "error:tag-already-exists")


def create_tag(twin: Twin, tag: Tag) -> Tag:
    """Store a new tag; a workspace takes a hundred.

    Raises:
        ApiError: See `check_tag`; 500 or 403 for an unknown workspace, 400 for a full one.
    """
    check_tag(twin, tag)
    workspace = twin.store.workspaces.get(tag.workspace_id)
    if workspace is None or workspace.deleted:
        raise forbidden() if twin.settings.unknown_id_status == 403 else missing_workspace("tag", tag.workspace_id)
    if sum(each.workspace_id == tag.workspace_id for each in twin.store.tags) >= MOST_TAGS:
        raise ProblemError(400, "error:tag-limit-for-workspace-reached")
    return twin.store.tags.put(tag)


def save_tag(twin: Twin, tag: Tag) -> Tag:
    """Store a changed tag.

    Raises:
        ProblemError: See `check_tag`.
    """
    check_tag(twin, tag)
    return twin.store.tags.put(tag)


def delete_tag(twin: Twin, tag: Tag) -> None:
    """Forget a tag; connections lose it."""
    twin.store.tags.drop(tag.id)
    for connection in [each for each in twin.store.connections if tag.id in each.tag_ids]:
        left = tuple(tag_id for tag_id in connection.tag_ids if tag_id != tag.id)
        twin.store.connections.put(connection.model_copy(update={"tag_ids": left}))


async def list_tags(request: Request) -> Response:
    """GET all tags of some or all workspaces."""
    twin, wanted = Twin.of(request), set(read_ids(request, "workspaceIds"))
    rows = [tag for tag in twin.store.tags if not wanted or tag.workspace_id in wanted]
    return json_response({"data": [tag_view(tag) for tag in rows]})


async def create(request: Request) -> Response:
    """POST a tag; a workspace takes a hundred."""
    twin, body = Twin.of(request), await read_body(request, TagCreate)
    tag = Tag(id=str(uuid4()), name=body.name, color=body.color, workspace_id=str(body.workspace_id))
    return json_response(tag_view(create_tag(twin, tag)))


async def get(request: Request) -> Response:
    """GET a tag."""
    return json_response(tag_view(known_tag(Twin.of(request), request)))


async def patch(request: Request) -> Response:
    """PATCH name and color, both required."""
    twin, body = Twin.of(request), await read_body(request, TagPatch)
    before = known_tag(twin, request)
    tag = before.model_copy(update={"name": body.name, "color": body.color})
    return json_response(tag_view(save_tag(twin, tag)))


async def delete(request: Request) -> Response:
    """DELETE a tag; connections lose it."""
    twin = Twin.of(request)
    delete_tag(twin, known_tag(twin, request))
    return Response(status_code=204)


ROUTES = [
    Route("/tags", list_tags, methods=["GET"]),
    Route("/tags", create, methods=["POST"]),
    Route("/tags/{tag_id}", get, methods=["GET"]),
    Route("/tags/{tag_id}", patch, methods=["PATCH"]),
    Route("/tags/{tag_id}", delete, methods=["DELETE"]),
]
