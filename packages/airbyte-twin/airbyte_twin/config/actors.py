"""`/sources` and `/destinations`, the same handlers under two names: lists, discovery, connection checks and specs."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.actors import without_type
from airbyte_twin.body import read_body
from airbyte_twin.config.bodies import (
    ActorCoreBody,
    ActorDefinitionBody,
    ActorIdBody,
    ActorListBody,
    ActorUpdateBody,
    DiscoverBody,
    WorkspaceIdBody,
    of_kind,
)
from airbyte_twin.config.views import (
    actor_view,
    default_config_view,
    listed_actor_view,
    stream_view,
    synchronous_job_view,
)
from airbyte_twin.discovery import DiscoveryError, discover
from airbyte_twin.documents import JsonArray, JsonObject, as_object
from airbyte_twin.errors import BadObjectError, json_response
from airbyte_twin.records import Actor, ActorKind, Catalog, Definition
from airbyte_twin.sync.commands import revealed_configuration
from airbyte_twin.sync.synchronous import check_failure
from airbyte_twin.twin import Twin

DEFAULT_PAGE_SIZE = 20


def page_of(rows: list[Actor], body: ActorListBody) -> list[Actor]:
    """The rows after the cursor, at most a page."""
    if body.cursor is not None:
        position = next((index for index, row in enumerate(rows) if row.id == str(body.cursor)), -1)
        rows = rows[position + 1 :]
    return rows[: page_size(body)]


def page_size(body: ActorListBody) -> int:
    """The maximum number of rows of a page."""
    return DEFAULT_PAGE_SIZE if body.page_size is None else max(body.page_size, 0)


def config_actor(twin: Twin, kind: ActorKind, actor_id: object) -> Actor:
    """A source or destination that was not deleted.

    Raises:
        ApiError: 404 or 403.
    """
    found = twin.store.actor(kind, str(actor_id))
    if found is None or found.deleted:
        raise twin.unknown_in_config()
    return found


def config_definition(twin: Twin, kind: ActorKind, definition_id: object) -> Definition:
    """A definition that was not deleted.

    Raises:
        ApiError: 404 or 403.
    """
    found = twin.definition(str(definition_id))
    if found is None or found.kind is not kind:
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
    definition = config_definition(twin, kind, definition_id)
    plain = as_object(without_type(configuration, kind))
    failure = twin.connector(definition.id).validator.violation(plain)
    if failure is None:
        failure = await check_failure(twin, kind, definition.id, plain)
    return json_response(check_view(twin, kind, failure))


class ActorRoutes:
    """Handlers of one kind of actor."""

    def __init__(self, kind: ActorKind) -> None:
        self.kind = kind
        self._id_body = of_kind(ActorIdBody, kind)
        self._update_body = of_kind(ActorUpdateBody, kind)
        self._core_body = of_kind(ActorCoreBody, kind)
        self._definition_body = of_kind(ActorDefinitionBody, kind)

    async def index(self, request: Request) -> Response:
        """Actors of a workspace without the deleted ones."""
        twin, body = Twin.of(request), await read_body(request, ActorListBody)
        rows = [
            actor
            for actor in twin.store.actors_of(self.kind)
            if actor.workspace_id == str(body.workspace_id) and not actor.deleted
        ]
        shown: JsonArray = [listed_actor_view(twin, row) for row in page_of(rows, body)]
        return json_response({f"{self.kind}s": shown, "page_size": page_size(body), "num_connections": len(rows)})

    async def get(self, request: Request) -> Response:
        """An actor."""
        twin, body = Twin.of(request), await read_body(request, self._id_body)
        return json_response(actor_view(twin, config_actor(twin, self.kind, body.actor_id)))

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

    async def specification(self, request: Request) -> Response:
        """The spec of a connector; a destination's names the sync modes that it supports."""
        twin, body = Twin.of(request), await read_body(request, self._definition_body)
        definition = config_definition(twin, self.kind, body.actor_definition_id)
        connector = twin.connector(definition.id)
        shown: JsonObject = {
            f"{self.kind}DefinitionId": definition.id,
            "connectionSpecification": connector.spec,
            "jobInfo": synchronous_job_view(twin, "get_spec"),
        }
        if definition.documentation_url is not None:
            shown["documentationUrl"] = definition.documentation_url
        if self.kind is ActorKind.DESTINATION:
            shown["supportedDestinationSyncModes"] = list(connector.destination_modes)
        return json_response(shown)

    async def definitions(self, request: Request) -> Response:
        """The connectors that a workspace may use, its own ones included."""
        twin, body = Twin.of(request), await read_body(request, WorkspaceIdBody)
        theirs = {None, str(body.workspace_id)}
        visible: JsonArray = [
            self._definition(each)
            for each in twin.store.definitions
            if each.kind is self.kind and not each.deleted and each.workspace_id in theirs
        ]
        return json_response({f"{self.kind}Definitions": visible})

    def _definition(self, definition: Definition) -> JsonObject:
        return {
            f"{self.kind}DefinitionId": definition.id,
            "name": definition.name,
            "dockerRepository": definition.docker_repository,
            "dockerImageTag": definition.docker_image_tag,
            "custom": definition.workspace_id is not None,
        }

    def routes(self) -> list[Route]:
        """All routes of the kind."""
        root = f"/{self.kind}s"
        return [
            Route(f"{root}/list", self.index, methods=["POST"]),
            Route(f"{root}/get", self.get, methods=["POST"]),
            Route(f"{root}/check_connection", self.check, methods=["POST"]),
            Route(f"{root}/check_connection_for_update", self.check_update, methods=["POST"]),
            Route(f"/scheduler{root}/check_connection", self.check_core, methods=["POST"]),
            Route(f"/{self.kind}_definition_specifications/get", self.specification, methods=["POST"]),
            Route(f"/{self.kind}_definitions/list_for_workspace", self.definitions, methods=["POST"]),
        ]


ROUTES = [
    Route("/sources/discover_schema", discover_schema, methods=["POST"]),
    *ActorRoutes(ActorKind.SOURCE).routes(),
    *ActorRoutes(ActorKind.DESTINATION).routes(),
]
