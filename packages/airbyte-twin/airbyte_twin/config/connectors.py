"""Running connectors while the caller waits: discovery, connection checks and specs."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.actors import without_type
from airbyte_twin.body import read_body
from airbyte_twin.config.actor_bodies import (
    DestinationCoreBody,
    DestinationDefinitionBody,
    DestinationIdBody,
    DestinationUpdateBody,
    DiscoverBody,
    SourceCoreBody,
    SourceDefinitionBody,
    SourceIdBody,
    SourceUpdateBody,
)
from airbyte_twin.config.views import default_config_view, stream_view, synchronous_job_view
from airbyte_twin.discovery import DiscoveryError, discover
from airbyte_twin.documents import JsonArray, JsonObject, as_object
from airbyte_twin.errors import BadObjectError, json_response
from airbyte_twin.records import Actor, ActorKind, Catalog, Definition
from airbyte_twin.sync.asked import check_failure
from airbyte_twin.sync.commands import revealed_configuration
from airbyte_twin.twin import Twin


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
    """The streams of a source with their JSON schemas; a failure is a 200 whose job failed."""
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
    """Streams with the configuration that a new connection would start from."""
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


async def check_saved(twin: Twin, actor: Actor) -> Response:
    """The check of an actor as it is."""
    return await check_with(twin, actor, revealed_configuration(twin, actor))


async def check_with(twin: Twin, actor: Actor, configuration: JsonObject) -> Response:
    """The check of an actor with a plain configuration."""
    failure = twin.temper(actor.id).check_failure
    if failure is None:
        failure = await check_failure(twin, actor.kind, actor.definition_id, configuration)
    return json_response(check_view(twin, actor.kind, failure))


async def check_changed(twin: Twin, actor: Actor, configuration: JsonObject) -> Response:
    """The check of an actor with another configuration, in which masks stand for its secrets.

    Raises:
        BadObjectError: 422 for a configuration against the spec.
    """
    vault, tree = twin.vault(actor.workspace_id), twin.secret_tree(actor.definition_id)
    kept = vault.kept(without_type(configuration, actor.kind), tree, actor.configuration)
    revealed = vault.revealed(kept, tree, actor.configuration)
    broken = twin.connector(actor.definition_id).validator.violation(revealed)
    if broken:
        raise BadObjectError(broken)
    return await check_with(twin, actor, as_object(revealed))


async def check_new(twin: Twin, kind: ActorKind, definition_id: object, configuration: JsonObject) -> Response:
    """The check of an actor that does not exist: only the connector looks at its configuration.

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


def config_definition(twin: Twin, kind: ActorKind, definition_id: object) -> Definition:
    """A definition that was not deleted.

    Raises:
        ApiError: 404 or 403.
    """
    found = twin.definition(str(definition_id))
    if found is None or found.kind is not kind:
        raise twin.unknown_in_config()
    return found


async def check_source(request: Request) -> Response:
    """Check a source."""
    twin, body = Twin.of(request), await read_body(request, SourceIdBody)
    return await check_saved(twin, config_actor(twin, ActorKind.SOURCE, body.source_id))


async def check_destination(request: Request) -> Response:
    """Check a destination."""
    twin, body = Twin.of(request), await read_body(request, DestinationIdBody)
    return await check_saved(twin, config_actor(twin, ActorKind.DESTINATION, body.destination_id))


async def check_source_update(request: Request) -> Response:
    """Check a source with another configuration."""
    twin, body = Twin.of(request), await read_body(request, SourceUpdateBody)
    actor = config_actor(twin, ActorKind.SOURCE, body.source_id)
    return await check_changed(twin, actor, body.connection_configuration)


async def check_destination_update(request: Request) -> Response:
    """Check a destination with another configuration."""
    twin, body = Twin.of(request), await read_body(request, DestinationUpdateBody)
    actor = config_actor(twin, ActorKind.DESTINATION, body.destination_id)
    return await check_changed(twin, actor, body.connection_configuration)


async def check_new_source(request: Request) -> Response:
    """Check the configuration of a source that does not exist."""
    twin, body = Twin.of(request), await read_body(request, SourceCoreBody)
    return await check_new(twin, ActorKind.SOURCE, body.source_definition_id, body.connection_configuration)


async def check_new_destination(request: Request) -> Response:
    """Check the configuration of a destination that does not exist."""
    twin, body = Twin.of(request), await read_body(request, DestinationCoreBody)
    return await check_new(twin, ActorKind.DESTINATION, body.destination_definition_id, body.connection_configuration)


def specification(twin: Twin, kind: ActorKind, definition_id: object) -> JsonObject:
    """The members that both kinds of specification have.

    Raises:
        ApiError: 404 or 403 for an unknown definition.
    """
    definition = config_definition(twin, kind, definition_id)
    shown: JsonObject = {
        f"{kind}DefinitionId": definition.id,
        "connectionSpecification": twin.connector(definition.id).spec,
        "jobInfo": synchronous_job_view(twin, "get_spec"),
    }
    if definition.documentation_url is not None:
        shown["documentationUrl"] = definition.documentation_url
    return shown


async def source_specification(request: Request) -> Response:
    """The spec of a source's connector."""
    twin, body = Twin.of(request), await read_body(request, SourceDefinitionBody)
    return json_response(specification(twin, ActorKind.SOURCE, body.source_definition_id))


async def destination_specification(request: Request) -> Response:
    """The spec of a destination's connector, with the sync modes that it supports."""
    twin, body = Twin.of(request), await read_body(request, DestinationDefinitionBody)
    shown = specification(twin, ActorKind.DESTINATION, body.destination_definition_id)
    modes = twin.connector(str(body.destination_definition_id)).destination_modes
    return json_response({**shown, "supportedDestinationSyncModes": list(modes)})


ROUTES = [
    Route("/sources/discover_schema", discover_schema, methods=["POST"]),
    Route("/sources/check_connection", check_source, methods=["POST"]),
    Route("/sources/check_connection_for_update", check_source_update, methods=["POST"]),
    Route("/scheduler/sources/check_connection", check_new_source, methods=["POST"]),
    Route("/destinations/check_connection", check_destination, methods=["POST"]),
    Route("/destinations/check_connection_for_update", check_destination_update, methods=["POST"]),
    Route("/scheduler/destinations/check_connection", check_new_destination, methods=["POST"]),
    Route("/source_definition_specifications/get", source_specification, methods=["POST"]),
    Route("/destination_definition_specifications/get", destination_specification, methods=["POST"]),
]
