"""`/sources` and `/destinations`: the same handlers under two names."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.actors import create_actor, delete_actor, known_actor, patch_actor, replace_actor
from airbyte_twin.bodies import ActorCreate, ActorPatch, ActorPut
from airbyte_twin.body import read_body
from airbyte_twin.database import page_of_actors
from airbyte_twin.errors import deleted, json_response
from airbyte_twin.public.views import actor_view
from airbyte_twin.queries import envelope, read_filter, read_flag, read_page
from airbyte_twin.records import ActorKind
from airbyte_twin.twin import Twin


class ActorRoutes:
    """Handlers of one kind of actor."""

    def __init__(self, kind: ActorKind) -> None:
        self.kind = kind

    async def index(self, request: Request) -> Response:
        """GET a page of actors; deleted ones only with `includeDeleted`."""
        twin, wanted = Twin.of(request), read_filter(request)
        workspaces = len(wanted.workspace_ids) or sum(not each.deleted for each in twin.store.workspaces)
        page = read_page(request, page_of_actors(workspaces, deleted=wanted.deleted))
        rows = twin.listed(
            actor
            for actor in twin.store.actors_of(self.kind)
            if wanted.admits(actor.workspace_id, deleted=actor.deleted)
        )
        return json_response(envelope(request, page, rows, lambda row: actor_view(twin, row), wanted.query()))

    async def create(self, request: Request) -> Response:
        """POST an actor; answers 200, not 201."""
        twin, body = Twin.of(request), await read_body(request, ActorCreate, self._class("Create"))
        return json_response(actor_view(twin, create_actor(twin, self.kind, body)))

    async def get(self, request: Request) -> Response:
        """GET an actor, with secret coordinates on demand; a deleted one is still found, its configuration null."""
        twin = Twin.of(request)
        actor = known_actor(twin, self.kind, request.path_params["actor_id"])
        coordinates = read_flag(request, "includeSecretCoordinates")
        return json_response(actor_view(twin, actor, with_coordinates=coordinates))

    async def put(self, request: Request) -> Response:
        """PUT replaces name and configuration."""
        twin, body = Twin.of(request), await read_body(request, ActorPut, self._class("Put"))
        actor = known_actor(twin, self.kind, request.path_params["actor_id"])
        return json_response(actor_view(twin, replace_actor(twin, actor, body)))

    async def patch(self, request: Request) -> Response:
        """PATCH merges the configuration."""
        twin, body = Twin.of(request), await read_body(request, ActorPatch, self._class("Patch"))
        actor = known_actor(twin, self.kind, request.path_params["actor_id"])
        return json_response(actor_view(twin, patch_actor(twin, actor, body)))

    async def delete(self, request: Request) -> Response:
        """DELETE answers 204, also for an actor that was deleted before."""
        twin = Twin.of(request)
        delete_actor(twin, known_actor(twin, self.kind, request.path_params["actor_id"]))
        return deleted()

    def _class(self, action: str) -> str:
        return f"{self.kind.capitalize()}{action}Request"

    def routes(self) -> list[Route]:
        """All of them."""
        root = f"/{self.kind}s"
        one = root + "/{actor_id}"
        return [
            Route(root, self.index, methods=["GET"]),
            Route(root, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.put, methods=["PUT"]),
            Route(one, self.patch, methods=["PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]


ROUTES = [
    *ActorRoutes(ActorKind.SOURCE).routes(),
    *ActorRoutes(ActorKind.DESTINATION).routes(),
]
