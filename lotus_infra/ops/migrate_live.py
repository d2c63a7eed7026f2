"""What a live workspace has, as `lotus migrate` knows it: lists of the server, and what sources are found to have."""

from collections.abc import Iterable, Iterator

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.config_connections import ConfigConnection
from pulumi_airbyte.client.models import Actor, Connection, Stream

from lotus_infra.migrate.model import (
    ActorKind,
    Existing,
    Facts,
    FoundActor,
    FoundConnection,
    FoundStream,
    Note,
    selection,
    settings_lost,
)
from lotus_infra.migrate.public import beyond, namespace
from lotus_infra.migrate.schedules import schedule
from lotus_infra.ops.airbyte import told
from lotus_infra.ops.discover import facts_of


def existing(airbyte: Airbyte, workspace_id: str) -> Existing:
    """All sources, destinations and connections of a workspace that are not deleted.

    Raises:
        LotusError: Airbyte can't be asked.
    """
    notes: list[Note] = []
    with told():
        actors = [
            *(_actor("source", each) for each in airbyte.list_actors("source", workspace_id)),
            *(_actor("destination", each) for each in airbyte.list_actors("destination", workspace_id)),
        ]
        connections = airbyte.list_connections(workspace_id)
    settings = _settings(airbyte, workspace_id, notes)
    found = tuple(_connection(each, settings.get(each.connection_id)) for each in connections)
    return Existing(tuple(actors), found, notes=tuple(notes), confirmed=True)


def with_facts(airbyte: Airbyte, found: Existing, sources: Iterable[FoundActor]) -> Existing:
    """The same, with what these sources have; one that can't be discovered is told of."""
    facts: dict[str, Facts] = {}
    notes: list[Note] = []
    for source in sources:
        try:
            offered, left_out = facts_of(airbyte.discover_schema(source.id, disable_cache=False))
        except AirbyteError as error:
            notes.append(Note("told", source.subject, error.message, "its fields have no types until `lotus discover`"))
            continue
        facts[source.id] = offered
        notes += [Note("told", source.subject, f"has {each.stream}, and {each.reason}") for each in left_out]
    return found.with_facts(facts, tuple(notes))


def _settings(airbyte: Airbyte, workspace_id: str, notes: list[Note]) -> dict[str, ConfigConnection]:
    """What only the Config API says of connections, by their ids."""
    try:
        listed = airbyte.list_config_connections(workspace_id)
    except AirbyteError as error:
        what = f"have settings that nobody knows: notices, CPU and memory ({error.message})"
        notes.append(Note("told", "connections", what, "`pulumi preview` shows what becomes of them"))
        return {}
    return {each.connection_id: each for each in listed}


def _actor(kind: ActorKind, actor: Actor) -> FoundActor:
    identity, configuration = actor.actor_id, actor.configuration or {}
    loses = ("its CPU and memory",) if any((actor.resource_allocation or {}).values()) else ()
    return FoundActor(kind, identity, actor.name, actor.definition_id, actor.workspace_id, configuration, loses=loses)


def _connection(connection: Connection, settings: ConfigConnection | None) -> FoundConnection:
    times = connection.schedule
    return FoundConnection(
        id=connection.connection_id,
        label=connection.name,
        source_id=connection.source_id,
        destination_id=connection.destination_id,
        streams=tuple(_streams(connection.configurations.streams)),
        schedule=schedule(times.schedule_type, times.cron_expression, None, times.basic_timing),
        status=connection.status,
        namespace=namespace(connection.namespace_definition, connection.namespace_format),
        prefix=connection.prefix,
        non_breaking_changes=connection.non_breaking_schema_updates_behavior,
        notify_schema_changes=settings.notify_schema_changes if settings is not None else None,
        loses=settings_lost(
            tags=bool(connection.tags),
            mail=settings is not None and bool(settings.notify_schema_changes_by_email),
            resources=settings is not None and any((settings.resource_requirements or {}).values()),
            backfills=settings is not None and settings.backfill_preference == "enabled",
        ),
    )


def _streams(streams: Iterable[Stream]) -> Iterator[FoundStream]:
    for each in streams:
        paths = [path for field in each.selected_fields if isinstance(path := field.get("fieldPath"), list)]
        fields, nested = selection(paths)
        yield FoundStream(
            name=each.name,
            namespace=each.namespace,
            mode=each.sync_mode or "",
            cursor=tuple(each.cursor_field),
            key=tuple(map(tuple, each.primary_key)),
            fields=fields or None,
            beyond=beyond(bool(each.mappers), each.include_files, each.destination_object_name, nested),
        )
