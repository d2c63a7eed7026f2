"""`/sources` and `/destinations`, the same handlers under two names: lists, discovery, connection checks and specs."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.actors import (
    create_actor,
    delete_actor,
    known_actor,
    patch_actor,
    replace_actor,
    without_type,
)
from airbyte_twin.bodies import ActorCreate, ActorPatch, ActorPut
from airbyte_twin.body import Body, read_body
from airbyte_twin.config.bodies import (
    ActorCoreBody,
    ActorCreateBody,
    ActorFiltersBody,
    ActorIdBody,
    ActorListBody,
    ActorPatchBody,
    ActorSearchBody,
    ActorUpdateBody,
    DiscoverBody,
    PageBody,
    WorkspacesPageBody,
    of_kind,
)
from airbyte_twin.config.definitions import known_definition
from airbyte_twin.config.views import (
    actor_status,
    actor_view,
    catalog_view,
    default_config_view,
    listed_actor_view,
    stream_view,
    synchronous_job_view,
)
from airbyte_twin.discovery import DiscoveryError, discover
from airbyte_twin.documents import JsonArray, JsonObject, as_object
from airbyte_twin.errors import BadObjectError, json_response
from airbyte_twin.records import Actor, ActorKind, Catalog
from airbyte_twin.store import Identified
from airbyte_twin.sync.commands import revealed_configuration
from airbyte_twin.sync.synchronous import check_failure
from airbyte_twin.twin import Twin

DEFAULT_PAGE_SIZE = 20
T = TypeVar("T")
R = TypeVar("R", bound=Identified)


def page_after(rows: list[R], cursor: object, size: int) -> list[R]:
    """At most a page of the rows after the one that a cursor names."""
    if cursor is not None:
        position = next((index for index, row in enumerate(rows) if row.id == str(cursor)), -1)
        rows = rows[position + 1 :]
    return rows[:size]


def page_size(body: ActorListBody) -> int:
    """The maximum number of rows of a page."""
    return DEFAULT_PAGE_SIZE if body.page_size is None else max(body.page_size, 0)


def page_at(rows: list[T], page: PageBody | None) -> list[T]:
    """The rows of a page by its first row; 20 if its size is not said, all without a page."""
    if page is None:
        return rows
    start = max(page.row_offset or 0, 0)
    return rows[start : start + (DEFAULT_PAGE_SIZE if page.page_size is None else max(page.page_size, 0))]


def matches(wanted: JsonValue, found: JsonValue) -> bool:
    """Whether a document has all members that a search names, with their values (MatchSearchHandler)."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(matches(value, found.get(key)) for key, value in wanted.items())
    return wanted == found


def searched(body: Body) -> JsonObject:
    """The members that a search names."""
    return as_object(body.model_dump(mode="json", by_alias=True, exclude_none=True))


def config_actor(twin: Twin, kind: ActorKind, actor_id: object) -> Actor:
    """A source or destination that was not deleted.

    Raises:
        ApiError: 404 or 403.
    """
    found = twin.store.actor(kind, str(actor_id))
    if found is None or found.deleted:
        raise twin.unknown_in_config()
    return found


async def discover_schema(request: Request) -> Response:
    """The streams of a source with their JSON schemas; a failed discovery is a 200 whose job failed."""
    twin, body = Twin.of(request), await read_body(request, DiscoverBody)
    source = config_actor(twin, ActorKind.SOURCE, body.sourceId)
    try:
        catalog = await discover(twin, source, fresh=bool(body.disable_cache))
    except DiscoveryError as error:
        return json_response({"jobInfo": synchronous_job_view(twin, "discover_schema", str(error))})
    suggested = twin.connector(source.definition_id).suggested_streams
    return json_response(
        {
            "catalog": {"streams": discovered_entries(catalog, suggested)},
            "jobInfo": synchronous_job_view(twin, "discover_schema"),
            "catalogId": catalog.id,
        }
    )


def discovered_entries(catalog: Catalog, suggested: tuple[str, ...]) -> JsonArray:
    """Streams with the default configuration of a new connection."""
    alone = len(catalog.streams) == 1
    return [
        {
            "stream": stream_view(stream),
            "config": default_config_view(
                stream, selected=alone or stream.name in suggested, suggested=stream.name in suggested
            ),
        }
        for stream in catalog.streams
    ]


def check_view(twin: Twin, kind: ActorKind, failure: str | None) -> JsonObject:
    """A CheckConnectionRead; HTTP 200 whether the check succeeded or not."""
    job = synchronous_job_view(twin, f"check_connection_{kind}")
    if failure is None:
        return {"status": "succeeded", "jobInfo": job}
    return {"status": "failed", "message": failure, "jobInfo": job}


async def check_with(twin: Twin, actor: Actor, configuration: JsonObject) -> Response:
    """Check an actor with a plain configuration."""
    failure = twin.temper(actor.id).check_failure
    if failure is None:
        failure = await check_failure(twin, actor.kind, actor.definition_id, configuration)
    return json_response(check_view(twin, actor.kind, failure))


async def check_changed(twin: Twin, actor: Actor, configuration: JsonObject) -> Response:
    """Check an actor with another configuration, in which masks stand for the stored secrets.

    Raises:
        BadObjectError: 422 for a configuration that violates the spec.
    """
    vault, tree = twin.vault(actor.workspace_id), twin.secret_tree(actor.definition_id)
    kept = vault.kept(without_type(configuration, actor.kind), tree, actor.configuration)
    revealed = vault.revealed(kept, tree, actor.configuration)
    broken = twin.connector(actor.definition_id).validator.violation(revealed)
    if broken:
        raise BadObjectError(broken)
    return await check_with(twin, actor, as_object(revealed))


async def check_new(twin: Twin, kind: ActorKind, definition_id: object, configuration: JsonObject) -> Response:
    """Check the configuration of an actor that does not exist yet; a violation of the spec is a failed check.

    Source: airbyte-platform SchedulerHandler.checkSourceConnectionFromSourceCreate.

    Raises:
        ApiError: 404 or 403 for an unknown definition.
    """
    definition = known_definition(twin, kind, str(definition_id))
    plain = as_object(without_type(configuration, kind))
    failure = twin.connector(definition.id).validator.violation(plain)
    if failure is None:
        failure = await check_failure(twin, kind, definition.id, plain)
    return json_response(check_view(twin, kind, failure))


def sort_key(twin: Twin, key: str | None) -> Callable[[Actor], tuple[str, str]]:
    """What `<field>_<direction>` sorts by; the last sync is left to the order of the rows."""
    field = (key or "").partition("_")[0]

    def value(actor: Actor) -> tuple[str, str]:
        if field == "actorDefinitionName":
            definition = twin.store.definitions.get(actor.definition_id)
            return ((definition.name if definition else "").lower(), actor.name.lower())
        return (actor.name.lower() if field == "actorName" else "", "")

    return value


def is_shown(twin: Twin, actor: Actor, filters: ActorFiltersBody | None) -> bool:
    """Whether a list with filters shows an actor."""
    if filters is None:
        return True
    definition = twin.store.definitions.get(actor.definition_id)
    names = f"{actor.name}\n{definition.name if definition else ''}".lower()
    return (filters.search_term or "").lower() in names and (
        not filters.states or actor_status(twin, actor) in filters.states
    )


class ActorRoutes:
    """Handlers of one kind of actor."""

    def __init__(self, kind: ActorKind) -> None:
        self.kind = kind
        self._id_body = of_kind(ActorIdBody, kind)
        self._create_body = of_kind(ActorCreateBody, kind)
        self._update_body = of_kind(ActorUpdateBody, kind)
        self._patch_body = of_kind(ActorPatchBody, kind)
        self._search_body = of_kind(ActorSearchBody, kind)
        self._core_body = of_kind(ActorCoreBody, kind)

    async def index(self, request: Request) -> Response:
        """Actors of a workspace without the deleted ones."""
        twin, body = Twin.of(request), await read_body(request, ActorListBody)
        rows = [
            actor
            for actor in twin.store.actors_of(self.kind)
            if actor.workspace_id == str(body.workspace_id)
            and not actor.deleted
            and is_shown(twin, actor, body.filters)
        ]
        rows.sort(key=sort_key(twin, body.sort_key), reverse=(body.sort_key or "").endswith("_desc"))
        size = page_size(body)
        shown: JsonArray = [listed_actor_view(twin, row) for row in page_after(rows, body.cursor, size)]
        return json_response({f"{self.kind}s": shown, "page_size": size, "num_connections": len(rows)})

    async def index_by_offset(self, request: Request) -> Response:
        """Actors of workspaces; deleted ones only where they are asked for."""
        twin, body = Twin.of(request), await read_body(request, WorkspacesPageBody)
        workspaces = {str(each) for each in body.workspace_ids}
        rows = twin.listed(
            actor
            for actor in twin.store.actors_of(self.kind)
            if actor.workspace_id in workspaces and (body.include_deleted or not actor.deleted)
        )
        shown: JsonArray = [
            {**actor_view(twin, row), "status": actor_status(twin, row)} for row in page_at(rows, body.pagination)
        ]
        return json_response({f"{self.kind}s": shown})

    async def search(self, request: Request) -> Response:
        """Actors of all workspaces that have the values of the body."""
        twin, body = Twin.of(request), await read_body(request, self._search_body)
        views: JsonArray = [actor_view(twin, each) for each in twin.store.actors_of(self.kind) if not each.deleted]
        found: JsonArray = [view for view in views if matches(searched(body), view)]
        return json_response({f"{self.kind}s": found})

    async def create(self, request: Request) -> Response:
        """Create an actor."""
        twin, body = Twin.of(request), await read_body(request, self._create_body)
        asked = ActorCreate(
            name=body.name,
            workspaceId=body.workspace_id,
            definitionId=body.actor_definition_id,
            configuration=body.connection_configuration,
            secretId=body.secret_id,
            resourceAllocation=body.resource_allocation,
        )
        return json_response(actor_view(twin, create_actor(twin, self.kind, asked)))

    async def get(self, request: Request) -> Response:
        """An actor; a deleted one is still found, its configuration null."""
        twin, body = Twin.of(request), await read_body(request, self._id_body)
        return json_response(actor_view(twin, known_actor(twin, self.kind, str(body.actor_id))))

    async def update(self, request: Request) -> Response:
        """Replace name and configuration; masked secrets keep their stored value."""
        twin, body = Twin.of(request), await read_body(request, self._update_body)
        asked = ActorPut(
            name=body.name, configuration=body.connection_configuration, resourceAllocation=body.resource_allocation
        )
        actor = known_actor(twin, self.kind, str(body.actor_id))
        return json_response(actor_view(twin, replace_actor(twin, actor, asked)))

    async def partial_update(self, request: Request) -> Response:
        """Merge the configuration."""
        twin, body = Twin.of(request), await read_body(request, self._patch_body)
        asked = ActorPatch(
            name=body.name,
            configuration=body.connection_configuration,
            secretId=body.secret_id,
            resourceAllocation=body.resource_allocation,
        )
        actor = known_actor(twin, self.kind, str(body.actor_id))
        return json_response(actor_view(twin, patch_actor(twin, actor, asked)))

    async def delete(self, request: Request) -> Response:
        """Tombstone an actor; answers 204, also for one that was deleted before."""
        twin, body = Twin.of(request), await read_body(request, self._id_body)
        delete_actor(twin, known_actor(twin, self.kind, str(body.actor_id)))
        return Response(status_code=204)

    async def upgrade(self, request: Request) -> Response:
        """Move an actor to its definition's version, which the twin's actors always have."""
        twin, body = Twin.of(request), await read_body(request, self._id_body)
        known_actor(twin, self.kind, str(body.actor_id))
        return Response(status_code=204)

    async def check(self, request: Request) -> Response:
        """Check an actor as it is stored."""
        twin, body = Twin.of(request), await read_body(request, self._id_body)
        actor = config_actor(twin, self.kind, body.actor_id)
        return await check_with(twin, actor, revealed_configuration(twin, actor))

    async def check_update(self, request: Request) -> Response:
        """Check an actor with another configuration."""
        twin, body = Twin.of(request), await read_body(request, self._update_body)
        return await check_changed(twin, config_actor(twin, self.kind, body.actor_id), body.connection_configuration)

    async def check_core(self, request: Request) -> Response:
        """Check the configuration of an actor that does not exist yet."""
        twin, body = Twin.of(request), await read_body(request, self._core_body)
        return await check_new(twin, self.kind, body.actor_definition_id, body.connection_configuration)

    def routes(self) -> list[Route]:
        """All routes of the kind."""
        root = f"/{self.kind}s"
        calls = {
            f"{root}/list": self.index,
            f"{root}/list_paginated": self.index_by_offset,
            f"{root}/search": self.search,
            f"{root}/create": self.create,
            f"{root}/get": self.get,
            f"{root}/update": self.update,
            f"{root}/partial_update": self.partial_update,
            f"{root}/delete": self.delete,
            f"{root}/upgrade_version": self.upgrade,
            f"{root}/check_connection": self.check,
            f"{root}/check_connection_for_update": self.check_update,
            f"/scheduler{root}/check_connection": self.check_core,
        }
        return [Route(path, call, methods=["POST"]) for path, call in calls.items()]


async def latest_catalog(request: Request) -> Response:
    """The catalog of a source's last discovery; empty without any."""
    twin, body = Twin.of(request), await read_body(request, of_kind(ActorIdBody, ActorKind.SOURCE))
    source = known_actor(twin, ActorKind.SOURCE, str(body.actor_id))
    last = twin.store.discoveries.get(source.id)
    if last is None:
        return json_response({})
    return json_response({"updatedAt": source.created_at, "catalog": catalog_view(twin.catalog(last.catalog_id))})


ROUTES = [
    Route("/sources/discover_schema", discover_schema, methods=["POST"]),
    Route("/sources/most_recent_source_actor_catalog", latest_catalog, methods=["POST"]),
    *ActorRoutes(ActorKind.SOURCE).routes(),
    *ActorRoutes(ActorKind.DESTINATION).routes(),
]
