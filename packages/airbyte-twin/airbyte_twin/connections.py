"""Operations on connections, for both APIs: create, patch, change, and the checks before.

Source: airbyte-platform PublicApi ConnectionsController, ConnectionsHandler.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

from airbyte_twin.actors import known_actor
from airbyte_twin.bodies import ConnectionCreate, ConnectionPatch, MapperBody, StreamBody, TagBody
from airbyte_twin.catalogs import top_level_fields
from airbyte_twin.database import check_connection
from airbyte_twin.discovery import DiscoveryError, discover
from airbyte_twin.errors import OpaqueError, ProblemError, bad_request, unexpected
from airbyte_twin.mappers import stored_mappers
from airbyte_twin.records import (
    Actor,
    ActorKind,
    Catalog,
    Connection,
    DiscoveredStream,
    Mapper,
    Schedule,
    SelectedStream,
)
from airbyte_twin.schedules import public_schedule
from airbyte_twin.states import drop_streams
from airbyte_twin.stream_rules import StreamRules, default_streams
from airbyte_twin.twin import Twin, canonical_id


def known_connection(twin: Twin, connection_id: str) -> Connection:
    """A connection, deprecated ones included.

    Raises:
        ApiError: 404 or 403, there never was one.
    """
    key = canonical_id(connection_id)
    found = twin.store.connections.get(key)
    if found is None:
        raise twin.unknown("STANDARD_SYNC", key)
    return found


async def create_connection(twin: Twin, body: ConnectionCreate) -> Connection:
    """Create a connection as the public API does: cron, destination, discovery, streams, in this order.

    Raises:
        ApiError: 400 for a schedule or stream, 404 or 403 for an unknown actor, 500 for a failed discovery and for what
            the database does not take.
    """
    schedule = requested_schedule(twin, body) or Schedule()
    source, destination = ends(twin, body.source_id, body.destination_id)
    catalog = await discovered(twin, source)
    asked = body.configurations.streams if body.configurations else None
    if asked:
        streams = rules(twin, catalog, (source, destination), ()).configured(asked)
    else:
        streams = default_streams(catalog, twin.connector(source.definition_id).suggested_streams)
    name = body.name if body.name is not None else f"{source.name} <> {destination.name}"
    check_connection(name, body.namespace_format, body.prefix)
    return twin.store.connections.put(
        Connection(
            id=str(uuid4()),
            name=name,
            source_id=source.id,
            destination_id=destination.id,
            workspace_id=destination.workspace_id,
            status=body.status or "active",
            schedule=schedule,
            streams=streams,
            catalog_id=catalog.id,
            namespace_definition=body.namespace_definition or "destination",
            namespace_format=body.namespace_format,
            prefix=body.prefix or "",
            non_breaking_policy=body.non_breaking_schema_updates_behavior or "ignore",
            tag_ids=known_tags(twin, body.tags or ()),
            created_at=twin.clock.seconds(),
        )
    )


def ends(twin: Twin, source_id: UUID, destination_id: UUID) -> tuple[Actor, Actor]:
    """The source and destination of a new connection, deleted or not, as the server takes them.

    Raises:
        ApiError: 404 or 403 for an unknown one; 400, or 500 in the Config API, for actors of different workspaces.
    """
    destination = known_actor(twin, ActorKind.DESTINATION, str(destination_id))
    source = known_actor(twin, ActorKind.SOURCE, str(source_id))
    if source.workspace_id != destination.workspace_id:
        message = "Source and destination do not belong to the same workspace."
        raise bad_request(message, OpaqueError(500))
    return source, destination


def check_not_locked(connection: Connection) -> None:
    """Refuse to change a locked connection, in both APIs alike.

    Raises:
        ProblemError: 409.
    """
    if connection.status == "locked":
        data = {"connectionId": connection.id, "statusReason": None}
        raise ProblemError(409, "error:connection/locked", {**data})


async def patch_connection(twin: Twin, connection: Connection, body: ConnectionPatch) -> Connection:
    """Change members that are not null; streams are replaced as a whole, an empty list is ignored.

    Raises:
        ApiError: 400 for a schedule or stream, 409 for a locked connection, 500 for a failed discovery and for what the
            database does not take.
    """
    schedule = requested_schedule(twin, body)
    check_not_locked(connection)
    check_connection(body.name, body.namespace_format, body.prefix)
    changes: dict[str, object] = {
        "name": body.name,
        "schedule": schedule,
        "namespace_definition": body.namespace_definition,
        "namespace_format": body.namespace_format,
        "prefix": body.prefix,
        "non_breaking_policy": body.non_breaking_schema_updates_behavior,
        "status": body.status,
        "tag_ids": None if body.tags is None else known_tags(twin, body.tags),
    }
    asked = body.configurations.streams if body.configurations else None
    if asked:
        source = known_actor(twin, ActorKind.SOURCE, connection.source_id)
        destination = known_actor(twin, ActorKind.DESTINATION, connection.destination_id)
        catalog = await discovered(twin, source)
        changes["streams"] = rules(twin, catalog, (source, destination), connection.streams).configured(asked)
        changes["catalog_id"] = catalog.id
    return change_connection(twin, connection.id, {key: value for key, value in changes.items() if value is not None})


def change_connection(twin: Twin, connection_id: str, changes: dict[str, object]) -> Connection:
    """Store changed members; a stream whose source mode flips loses its state, a removed one keeps it.

    Source: airbyte-platform ConnectionsHandler.deleteStateForStreamsWithSyncModeChanged.
    """
    before = known_connection(twin, connection_id)
    after = twin.store.connections.put(before.model_copy(update=changes))
    old_modes = {stream.key: stream.sync_mode for stream in before.streams}
    flipped = [each.key for each in after.streams if old_modes.get(each.key, each.sync_mode) != each.sync_mode]
    if flipped:
        drop_streams(twin.store, connection_id, flipped)
    return after


def requested_schedule(twin: Twin, body: ConnectionPatch) -> Schedule | None:
    """The schedule that a public request asks for."""
    if body.schedule is None:
        return None
    return public_schedule(body.schedule.schedule_type, body.schedule.cron_expression, twin.settings.edition)


async def discovered(twin: Twin, source: Actor) -> Catalog:
    """The streams of a source, from the cache if possible.

    Raises:
        ProblemError: 500, as the public API answers when discovery fails inside a request.
    """
    try:
        return await discover(twin, source)
    except DiscoveryError as error:
        raise unexpected(f"Something went wrong in the connector. logs:{error}") from error


def rules(twin: Twin, catalog: Catalog, ends: tuple[Actor, Actor], before: Iterable[SelectedStream]) -> StreamRules:
    """The rules for the streams of a connection from a source to a destination."""
    source, destination = (twin.connector(end.definition_id) for end in ends)
    vault = twin.vault(ends[1].workspace_id)
    old = {stream.key: stream.mappers for stream in before}

    def store(body: StreamBody, stream: DiscoveredStream, asked: Sequence[MapperBody]) -> tuple[Mapper, ...]:
        known = old.get((stream.namespace, stream.name), ())
        return stored_mappers(asked, body.name, top_level_fields(stream), known, vault)

    files = source.supports_files and destination.supports_files
    return StreamRules(catalog, destination.destination_modes, files, store)


def known_tags(twin: Twin, tags: Iterable[TagBody]) -> tuple[str, ...]:
    """Ids of the tags that exist, each once; the server silently drops the others."""
    ids = dict.fromkeys(str(tag.tag_id) for tag in tags)
    return tuple(tag_id for tag_id in ids if twin.store.tags.get(tag_id) is not None)
