"""Responses of the Config API.

Source: airbyte-platform ApiConverters, CatalogConverter, JobConverter.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import uuid4

from airbyte_twin.actors import shown_configuration
from airbyte_twin.catalogs import by_key, pruned_schema
from airbyte_twin.documents import JsonArray, JsonObject, as_object, without_nulls
from airbyte_twin.mappers import mapper_view
from airbyte_twin.public.views import tag_view
from airbyte_twin.records import (
    Actor,
    ActorKind,
    Catalog,
    Connection,
    ConnectionState,
    Definition,
    DiscoveredStream,
    Job,
    JobFailure,
    SelectedStream,
    StreamCount,
    StreamState,
)
from airbyte_twin.schedules import config_view
from airbyte_twin.secrets import Vault
from airbyte_twin.states import StreamKey
from airbyte_twin.twin import Twin

NAMESPACES = {"source": "source", "destination": "destination", "custom_format": "customformat"}
PREFERENCES = {"disable_connection": "disable"}
COUNTED_STATUSES = ("running", "incomplete", "pending", "cancelled", "failed", "succeeded")
JOB_TYPES = {"sync": "sync", "reset": "reset_connection", "refresh": "refresh"}


def actor_view(twin: Twin, actor: Actor) -> JsonObject:
    """A SourceRead or DestinationRead; only lists count the jobs of its connections."""
    definition = twin.store.definitions.get(actor.definition_id)
    shown: JsonObject = {
        "isVersionOverrideApplied": False,
        "isEntitled": True,
        "supportState": "supported",
        "connectionJobStatuses": {},
        f"{actor.kind}DefinitionId": actor.definition_id,
        f"{actor.kind}Id": actor.id,
        "workspaceId": actor.workspace_id,
        "connectionConfiguration": shown_configuration(twin, actor),
        "name": actor.name,
        f"{actor.kind}Name": definition.name if definition else "",
        "createdAt": actor.created_at,
    }
    if actor.resource_allocation is not None:
        shown["resourceAllocation"] = actor.resource_allocation
    return shown


def actor_status(twin: Twin, actor: Actor) -> str:
    """`active` if one of the actor's connections is."""
    return "active" if any(each.status == "active" for each in twin.store.connections_of(actor.id)) else "inactive"


def listed_actor_view(twin: Twin, actor: Actor) -> JsonObject:
    """The same with the number of connections and the statuses of their last jobs, which only lists show."""
    connections = [each for each in twin.store.connections_of(actor.id) if each.status != "deprecated"]
    jobs = [twin.store.jobs_of(each.id)[-1:] for each in connections]
    statuses: Counter[str] = Counter(job.status for last in jobs for job in last)
    return {
        **actor_view(twin, actor),
        "status": actor_status(twin, actor),
        "numConnections": len(connections),
        "connectionJobStatuses": {status: statuses[status] for status in COUNTED_STATUSES},
    }


def snippet_view(twin: Twin, actor: Actor) -> JsonObject:
    """A SourceSnippetRead or DestinationSnippetRead."""
    definition = twin.store.definitions.get(actor.definition_id)
    return {
        f"{actor.kind}Id": actor.id,
        "name": actor.name,
        f"{actor.kind}DefinitionId": actor.definition_id,
        f"{actor.kind}Name": definition.name if definition else "",
    }


def connection_view(twin: Twin, connection: Connection) -> JsonObject:
    """A ConnectionRead; its catalog holds the selected streams only."""
    vault = twin.vault(connection.workspace_id)
    known = by_key(twin.catalog(connection.catalog_id))
    entries: JsonArray = [
        {"stream": selected_stream_view(each, known.get(each.key)), "config": stream_config_view(each, vault)}
        for each in connection.streams
    ]
    tags = (twin.store.tags.get(tag_id) for tag_id in connection.tag_ids)
    return without_nulls(
        {
            "connectionId": connection.id,
            "name": connection.name,
            "namespaceDefinition": NAMESPACES[connection.namespace_definition],
            "namespaceFormat": connection.namespace_format,
            "prefix": connection.prefix,
            "sourceId": connection.source_id,
            "destinationId": connection.destination_id,
            "operationIds": list(connection.operation_ids),
            "syncCatalog": {"streams": entries},
            **config_view(connection.schedule),
            "status": connection.status,
            "resourceRequirements": connection.resource_requirements,
            "sourceCatalogId": connection.catalog_id,
            "breakingChange": connection.breaking_change,
            "notifySchemaChanges": connection.notify_schema_changes,
            "notifySchemaChangesByEmail": connection.notify_schema_changes_by_email,
            "nonBreakingChangesPreference": PREFERENCES.get(
                connection.non_breaking_policy, connection.non_breaking_policy
            ),
            "backfillPreference": connection.backfill_preference or "disabled",
            "created_at": connection.created_at,
            "tags": [tag_view(tag) for tag in tags if tag is not None],
            "onDemandEnabled": False,
        }
    )


def selected_stream_view(selected: SelectedStream, known: DiscoveredStream | None) -> JsonObject:
    """An AirbyteStream of a connection: its schema has the selected columns only."""
    stream = known or _bare(selected)
    if selected.selected_fields is None or known is None:
        return stream_view(stream)
    return {**stream_view(stream), "jsonSchema": pruned_schema(stream.json_schema, selected.selected_fields)}


def _bare(stream: SelectedStream) -> DiscoveredStream:
    """A stream that the source no longer has."""
    return DiscoveredStream(
        name=stream.name, namespace=stream.namespace, json_schema={}, supported_sync_modes=(stream.sync_mode,)
    )


def stream_view(stream: DiscoveredStream) -> JsonObject:
    """An AirbyteStream."""
    return without_nulls(
        {
            "name": stream.name,
            "jsonSchema": stream.json_schema,
            "supportedSyncModes": list(stream.supported_sync_modes),
            "sourceDefinedCursor": stream.source_defined_cursor,
            "defaultCursorField": list(stream.default_cursor_field),
            "sourceDefinedPrimaryKey": [list(path) for path in stream.source_defined_primary_key],
            "namespace": stream.namespace,
            "isResumable": stream.is_resumable,
            "isFileBased": stream.is_file_based,
        }
    )


def catalog_view(catalog: Catalog) -> JsonObject:
    """An AirbyteCatalog in the spelling of the Airbyte protocol."""
    streams: JsonArray = [protocol_view(stream) for stream in catalog.streams]
    return {"streams": streams}


def protocol_view(stream: DiscoveredStream) -> JsonObject:
    """An AirbyteStream of the Airbyte protocol."""
    return {as_snake_case(key): value for key, value in stream_view(stream).items()}


def as_snake_case(name: str) -> str:
    """A name in camel case, in snake case."""
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)


def stream_config_view(stream: SelectedStream, vault: Vault) -> JsonObject:
    """An AirbyteStreamConfiguration of a selected stream."""
    mappers: JsonArray = [mapper_view(mapper, vault) for mapper in stream.mappers]
    hashed = [each.configuration.get("targetField") for each in stream.mappers if each.type == "hashing"]
    return without_nulls(
        {
            "syncMode": stream.sync_mode,
            "destinationSyncMode": stream.destination_sync_mode,
            "cursorField": None if stream.cursor_field is None else list(stream.cursor_field),
            "primaryKey": None if stream.primary_key is None else [list(path) for path in stream.primary_key],
            "aliasName": stream.name,
            "selected": True,
            "suggested": False,
            "destinationObjectName": stream.destination_object_name,
            "includeFiles": stream.include_files,
            "fieldSelectionEnabled": stream.selected_fields is not None,
            "selectedFields": [{"fieldPath": [name]} for name in stream.selected_fields or ()],
            "hashedFields": [{"fieldPath": [name]} for name in hashed],
            "mappers": mappers,
        }
    )


def default_config_view(stream: DiscoveredStream, *, selected: bool, suggested: bool) -> JsonObject:
    """An AirbyteStreamConfiguration of an unconfigured stream.

    The default is a full refresh, or incremental with deduplication if the source defines cursor and primary key.
    """
    incremental = "incremental" in stream.supported_sync_modes
    dedup = incremental and stream.source_defined_cursor and bool(stream.source_defined_primary_key)
    return {
        "syncMode": "incremental" if dedup else "full_refresh",
        "destinationSyncMode": "append_dedup" if dedup else "overwrite",
        "cursorField": list(stream.default_cursor_field),
        "primaryKey": [list(path) for path in stream.source_defined_primary_key],
        "aliasName": stream.name,
        "selected": selected,
        "suggested": suggested,
        "includeFiles": False,
        "fieldSelectionEnabled": False,
        "selectedFields": [],
        "hashedFields": [],
        "mappers": [],
    }


def synchronous_job_view(twin: Twin, kind: str, failure: str | None = None) -> JsonObject:
    """A SynchronousJobRead."""
    now = twin.clock.seconds()
    shown: JsonObject = {
        "id": str(uuid4()),
        "configType": kind,
        "createdAt": now,
        "endedAt": now,
        "succeeded": failure is None,
        "connectorConfigurationUpdated": False,
        "logType": "formatted",
        "logs": {"events": [], "logLines": []},
    }
    if kind == "get_spec":
        shown["configId"] = "Optional.empty"  # the server prints its empty Optional
    if failure is not None:
        shown["failureReason"] = {"externalMessage": failure, "timestamp": now}
    return shown


def descriptors(streams: Iterable[StreamKey]) -> JsonArray:
    """StreamDescriptors of streams by namespace and name."""
    return [without_nulls({"name": name, "namespace": namespace}) for namespace, name in streams]


def job_view(job: Job) -> JsonObject:
    """A JobRead."""
    streams = descriptors(job.streams or ())
    return without_nulls(
        {
            "id": int(job.id),
            "configType": JOB_TYPES[job.type],
            "configId": job.connection_id,
            "createdAt": job.created_at,
            "updatedAt": job.updated_at,
            "startedAt": job.started_at,
            "status": job.status,
            "enabledStreams": descriptors(job.enabled_streams or ()),
            "aggregatedStats": None if job.rows_synced is None else {**statistics_view(job), "recordsRejected": 0},
            "resetConfig": {"streamsToReset": streams} if job.type == "reset" else None,
            "refreshConfig": {"streamsToRefresh": streams} if job.type == "refresh" and streams else None,
        }
    )


def status_view(twin: Twin, connection: Connection) -> JsonObject:
    """A ConnectionStatusRead: the running job, and how the last one that was not cancelled ended."""
    jobs = twin.store.jobs_of(connection.id)
    active = jobs[-1] if jobs and not jobs[-1].finished else None
    ended = [job for job in jobs if job.status in {"succeeded", "failed"}]
    succeeded = [job for job in ended if job.status == "succeeded"]
    last = ended[-1] if ended else None
    return without_nulls(
        {
            "connectionId": connection.id,
            "connectionSyncStatus": sync_status(connection, jobs),
            "scheduleData": config_view(connection.schedule).get("scheduleData"),
            "lastSuccessfulSync": succeeded[-1].updated_at if succeeded else None,
            "activeJob": job_view(active) if active else None,
            "lastSyncJobId": int(last.id) if last else None,
            "lastSyncAttemptNumber": 0 if last else None,
        }
    )


def sync_status(connection: Connection, jobs: Sequence[Job]) -> str:
    """A ConnectionSyncStatus."""
    if connection.status != "active":
        return "paused"
    if not jobs:
        return "pending"
    last = jobs[-1]
    if last.type == "reset" and last.finished:
        return "pending"
    if last.finished:
        return {"succeeded": "synced", "failed": "failed"}.get(last.status, "incomplete")
    return "queued" if last.status == "queued" else "running"


def statistics_view(job: Job) -> JsonObject:
    """AttemptStats of a job."""
    return counts_view(job.rows_synced or 0, job.bytes_synced or 0)


def stream_statistics_view(count: StreamCount) -> JsonObject:
    """An AttemptStreamStats."""
    return without_nulls(
        {
            "streamName": count.name,
            "streamNamespace": count.namespace,
            "stats": counts_view(count.rows, count.bytes),
        }
    )


def counts_view(rows: int, size: int) -> JsonObject:
    """AttemptStats; everything emitted counts as committed, nothing as rejected."""
    return {"recordsEmitted": rows, "bytesEmitted": size, "recordsCommitted": rows, "bytesCommitted": size}


def job_info_view(job: Job, log: Sequence[str] = ()) -> JsonObject:
    """A JobInfoRead; a job that started has one attempt."""
    attempts: JsonArray = [] if job.started_at is None else [attempt_view(job, log)]
    return {"job": job_view(job), "attempts": attempts}


def attempt_read_view(job: Job) -> JsonObject:
    """An AttemptRead of a job that started."""
    attempt: JsonObject = {
        "id": 0,
        "status": {"succeeded": "succeeded", "failed": "failed", "cancelled": "failed"}.get(job.status, "running"),
        "createdAt": job.started_at,
        "updatedAt": job.updated_at,
        "endedAt": job.updated_at if job.finished else None,
        "bytesSynced": job.bytes_synced,
        "recordsSynced": job.rows_synced,
        "totalStats": statistics_view(job) if job.rows_synced is not None else None,
        "streamStats": [stream_statistics_view(each) for each in job.stream_counts] or None,
        "failureSummary": failure_summary_view(job, job.failure) if job.failure else None,
    }
    return without_nulls(attempt)


def attempt_view(job: Job, log: Sequence[str]) -> JsonObject:
    """An AttemptInfoRead of a job that started."""
    lines: JsonArray = [*log]
    return {"attempt": attempt_read_view(job), "logType": "formatted", "logs": {"logLines": lines}}


def failure_summary_view(job: Job, failure: JobFailure) -> JsonObject:
    """An AttemptFailureSummary."""
    reason: JsonObject = {
        "failureOrigin": failure.origin,
        "externalMessage": failure.message,
        "internalMessage": failure.internal,
        "timestamp": job.updated_at,
    }
    return {"failures": [without_nulls(reason)], "partialSuccess": bool(job.rows_synced)}


def state_view(state: ConnectionState) -> JsonObject:
    """A ConnectionState."""
    shown: JsonObject = {"connectionId": state.id, "stateType": state.type}
    streams: JsonArray = [stream_state_view(stream) for stream in state.streams]
    if state.type == "stream":
        shown["streamState"] = streams
    elif state.type == "global":
        shown["globalState"] = {"shared_state": as_object(state.shared), "streamStates": streams}
    elif state.type == "legacy":
        shown["state"] = as_object(state.legacy)
    return shown


def stream_state_view(stream: StreamState) -> JsonObject:
    """A StreamState."""
    descriptor = without_nulls({"name": stream.name, "namespace": stream.namespace})
    return {"streamDescriptor": descriptor, "streamState": as_object(stream.blob)}


def definition_version_view(twin: Twin, actor: Actor) -> JsonObject:
    """An ActorDefinitionVersionRead of an actor."""
    definition = twin.store.definitions.get(actor.definition_id)
    return version_view(twin, definition) if definition else {**NO_VERSION}


NO_VERSION: JsonObject = {
    "dockerRepository": "",
    "dockerImageTag": "",
    "supportsRefreshes": False,
    "isVersionOverrideApplied": False,
    "supportState": "supported",
    "supportsFileTransfer": False,
    "supportsDataActivation": False,
}


def version_view(twin: Twin, definition: Definition) -> JsonObject:
    """An ActorDefinitionVersionRead of a definition."""
    connector = twin.connector(definition.id)
    return {
        **NO_VERSION,
        "dockerRepository": definition.docker_repository,
        "dockerImageTag": definition.docker_image_tag,
        "supportsRefreshes": connector.supports_refreshes and definition.kind is ActorKind.DESTINATION,
    }
