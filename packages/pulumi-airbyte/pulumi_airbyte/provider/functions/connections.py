"""Look-ups of connections, with typed streams."""

from typing import Final, cast

from airbyte_model.mapper_types import ENCRYPTION
from airbyte_model.modes import SYNC_MODES

from pulumi_airbyte.client.models import Connection, Schedule, Stream
from pulumi_airbyte.provider.functions.function import (
    WORKSPACE,
    WORKSPACE_FILTER,
    Arguments,
    Directory,
    Function,
    Keys,
    answered,
    shelved,
    token,
)
from pulumi_airbyte.provider.functions.tags import TAG, tag_shown
from pulumi_airbyte.provider.properties import Properties, Property
from pulumi_airbyte.provider.schedule import canonical_schedule
from pulumi_airbyte.provider.tables import Field, ObjectType
from pulumi_airbyte.values import MASK

STATUSES: Final = ("active", "inactive", "locked")
"""The statuses of connections that are not deleted."""
_SCHEDULE: Final = ObjectType(
    "ScheduleProperties",
    "When a connection syncs.",
    (
        Field(
            "scheduleType",
            "string",
            "How it is started.",
            required=True,
            values=("manual", "cron", "basic"),
            enum="ScheduleType",
        ),
        Field("cronExpression", "string", "Quartz cron, seconds first; absent without a cron schedule."),
        Field("cronTimeZone", "string", "The zone of the cron expression; absent for UTC."),
        Field("basicTiming", "string", "The interval, such as `Every 1 HOURS`; absent without a basic schedule."),
    ),
)
_STREAM: Final = ObjectType(
    "ConnectionStreamProperties",
    "A stream that a connection syncs.",
    (
        Field("name", "string", "Its name in the source.", required=True),
        Field("namespace", "string", "Its namespace in the source; absent without one."),
        Field(
            "syncMode",
            "string",
            f"How it is read and written: {', '.join(SYNC_MODES)}; absent where the public API has no name for it.",
        ),
        Field("cursorField", "texts", "Path of the field that marks new records; may be empty.", required=True),
        Field("primaryKey", "paths", "Paths of the key's parts; may be empty.", required=True),
        Field("selectedFields", "texts", "Names of the selected top-level fields; absent where all are."),
        Field("mappers", "objects", f"Its mappers, with keys as `{MASK}`.", required=True),
        Field("includeFiles", "boolean", "Whether the files that records refer to are copied.", required=True),
        Field("destinationObjectName", "string", "The object that it is written into; absent without one."),
    ),
)
_CONNECTION: Final = ObjectType(
    "ConnectionProperties",
    "A connection.",
    (
        Field("connectionId", "string", "Its id.", required=True),
        Field("name", "string", "Its display name.", required=True),
        Field("workspaceId", "string", "The workspace that holds it.", required=True),
        Field("sourceId", "string", "The source that it reads.", required=True),
        Field("destinationId", "string", "The destination that it writes.", required=True),
        Field("status", "string", "Whether it runs.", required=True, values=STATUSES, enum="LiveConnectionStatus"),
        Field("schedule", "object", "When it syncs.", required=True, of=_SCHEDULE),
        Field("streams", "objects", "The streams that it syncs, by name.", required=True, of=_STREAM),
        Field("namespaceDefinition", "string", "Where the namespace of the written data comes from.", required=True),
        Field("namespaceFormat", "string", "The namespace for `custom_format`; absent without one."),
        Field("prefix", "string", "Put before every stream's name in the destination; may be empty.", required=True),
        Field(
            "nonBreakingSchemaUpdatesBehavior",
            "string",
            "What Airbyte does when the source gains or loses fields.",
            required=True,
        ),
        Field("tags", "objects", "Its tags, by name.", required=True, of=TAG),
        Field("createdAt", "integer", "When it was created, in seconds since 1970.", required=True),
    ),
)
_KEYS: Final = Keys[Connection](
    "connection",
    "connectionId",
    lambda found: found.connection_id,
    lambda found: found.name,
    {
        "name": lambda found: found.name,
        "sourceId": lambda found: found.source_id,
        "destinationId": lambda found: found.destination_id,
    },
)


def found(directory: Directory, arguments: Arguments) -> Connection:
    """The connection that the arguments name.

    Raises:
        AirbyteError: there is none, or more than one.
    """
    return shelved(
        directory, directory.inventory.connections, _KEYS, arguments, lambda each: each.status == "deprecated"
    )


def _all(directory: Directory, arguments: Arguments) -> Properties:
    source_id, destination_id, status = (arguments.text(name) for name in ("sourceId", "destinationId", "status"))
    tag_ids = set(arguments.texts("tagIds"))
    kept = [
        each
        for each in directory.inventory.connections.all(arguments.text("workspaceId"))
        if source_id in {"", each.source_id}
        and destination_id in {"", each.destination_id}
        and status in {"", each.status}
        and (not tag_ids or any(tag.tag_id in tag_ids for tag in each.tags))
    ]
    ordered = sorted(kept, key=lambda each: (each.name, each.connection_id))
    return {"connections": [_shown(each) for each in ordered]}


def _shown(connection: Connection) -> Properties:
    """A connection as an answer."""
    streams = sorted(connection.configurations.streams, key=lambda stream: (stream.name, stream.namespace or ""))
    return answered(
        {
            "connectionId": connection.connection_id,
            "name": connection.name,
            "workspaceId": connection.workspace_id,
            "sourceId": connection.source_id,
            "destinationId": connection.destination_id,
            "status": connection.status,
            "schedule": _schedule(connection.schedule),
            "streams": [_stream(stream) for stream in streams],
            "namespaceDefinition": connection.namespace_definition,
            "namespaceFormat": connection.namespace_format,
            "prefix": connection.prefix,
            "nonBreakingSchemaUpdatesBehavior": connection.non_breaking_schema_updates_behavior,
            "tags": [tag_shown(tag) for tag in sorted(connection.tags, key=lambda tag: tag.name)],
            "createdAt": connection.created_at,
        }
    )


def _schedule(schedule: Schedule) -> Properties:
    return canonical_schedule(cast("Properties", schedule.model_dump(by_alias=True, exclude_none=True)))


def selected(stream: Stream) -> list[str]:
    """The names of the fields that a stream selects; empty where it selects all."""
    return [str(field["fieldPath"][0]) for field in stream.selected_fields if field.get("fieldPath")]


def _stream(stream: Stream) -> Properties:
    return answered(
        {
            "name": stream.name,
            "namespace": stream.namespace,
            "syncMode": stream.sync_mode,
            "cursorField": stream.cursor_field,
            "primaryKey": stream.primary_key,
            "selectedFields": selected(stream) or None,
            "mappers": [_mapper(mapper) for mapper in stream.mappers],
            "includeFiles": stream.include_files,
            "destinationObjectName": stream.destination_object_name,
        }
    )


def _mapper(mapper: Properties) -> Property:
    """A mapper whose key is masked, whatever Airbyte shows."""
    settings = mapper.get("mapperConfiguration")
    if mapper.get("type") != ENCRYPTION or not isinstance(settings, dict) or "key" not in settings:
        return mapper
    return {**mapper, "mapperConfiguration": {**settings, "key": MASK}}


FUNCTIONS: Final = {
    token("getConnection"): Function(
        "A connection, by id, or by its name, source and destination, as far as they are given.",
        (
            Field("connectionId", "string", "The connection's id."),
            Field("name", "string", "The connection's display name."),
            Field("sourceId", "string", "The source that it reads."),
            Field("destinationId", "string", "The destination that it writes."),
            WORKSPACE,
        ),
        _CONNECTION.fields,
        lambda directory, arguments: _shown(found(directory, arguments)),
        _KEYS.failures,
    ),
    token("getConnections"): Function(
        "All connections, by name.",
        (
            WORKSPACE_FILTER,
            Field("sourceId", "string", "Only those that read this source."),
            Field("destinationId", "string", "Only those that write this destination."),
            Field("status", "string", "Only those of this status.", values=STATUSES, enum="LiveConnectionStatus"),
            Field("tagIds", "texts", "Only those that have one of these tags."),
        ),
        (Field("connections", "objects", "The connections, by name.", required=True, of=_CONNECTION),),
        _all,
    ),
}
