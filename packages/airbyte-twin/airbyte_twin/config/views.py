"""Responses of the Config API.

Source: airbyte-platform ApiConverters, CatalogConverter, JobConverter.
"""

from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

from airbyte_twin.actors import shown_configuration
from airbyte_twin.catalogs import by_key, pruned_schema
from airbyte_twin.documents import JsonArray, JsonObject, as_object, without_nulls
from airbyte_twin.mappers import mapper_view
from airbyte_twin.public.views import tag_view
from airbyte_twin.records import (
    Actor,
    ActorKind,
    Connection,
    ConnectionState,
    DiscoveredStream,
    Job,
    JobFailure,
    SelectedStream,
    StreamState,
)
from airbyte_twin.schedules import config_view
from airbyte_twin.secrets import Vault
from airbyte_twin.twin import Twin

NAMESPACES = {"source": "source", "destination": "destination", "custom_format": "customformat"}
PREFERENCES = {"disable_connection": "disable"}
COUNTED_STATUSES = ("running", "incomplete", "pending", "cancelled", "failed", "succeeded")
JOB_TYPES = {"sync": "sync", "reset": "reset_connection", "refresh": "refresh"}


def actor_view(twin: Twin, actor: Actor) -> JsonObject:
    """A SourceRead or DestinationRead; only lists count the jobs of its connections."""
    definition = twin.store.definitions.get(actor.definition_id)
    return {
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


def listed_actor_view(twin: Twin, actor: Actor) -> JsonObject:
    """The same with the number of connections and the statuses of their last jobs, which only lists show."""
    connections = [each for each in twin.store.connections_of(actor.id) if each.status != "deprecated"]
    jobs = [twin.store.jobs_of(each.id)[-1:] for each in connections]
    statuses: Counter[str] = Counter(job.status for last in jobs for job in last)
    return {
        **actor_view(twin, actor),
        "status": "active" if any(each.status == "active" for each in connections) else "inactive",
        "numConnections": len(connections),
        "connectionJobStatuses": {status: statuses[status] for status in COUNTED_STATUSES},
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


def stream_config_view(stream: SelectedStream, vault: Vault) -> JsonObject:
    """An AirbyteStreamConfiguration of a selected stream."""
    mappers: JsonArray = [mapper_view(mapper, vault) for mapper in stream.mappers]
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
            "hashedFields": [],
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


def job_view(job: Job) -> JsonObject:
    """A JobRead."""
    streams: JsonArray = [without_nulls({"name": name, "namespace": space}) for space, name in job.streams or ()]
    return without_nulls(
        {
            "id": int(job.id),
            "configType": JOB_TYPES[job.type],
            "configId": job.connection_id,
            "createdAt": job.created_at,
            "updatedAt": job.updated_at,
            "startedAt": job.started_at,
            "status": job.status,
            "aggregatedStats": None if job.rows_synced is None else {**statistics_view(job), "recordsRejected": 0},
            "resetConfig": {"streamsToReset": streams} if job.type == "reset" else None,
            "refreshConfig": {"streamsToRefresh": streams} if job.type == "refresh" else None,
        }
    )


def statistics_view(job: Job) -> JsonObject:
    """Statistics of a job; everything emitted counts as committed, nothing as rejected."""
    rows, size = job.rows_synced or 0, job.bytes_synced or 0
    return {"recordsEmitted": rows, "bytesEmitted": size, "recordsCommitted": rows, "bytesCommitted": size}


def job_info_view(job: Job, log: Sequence[str] = ()) -> JsonObject:
    """A JobInfoRead; a job that started has one attempt."""
    attempts: JsonArray = [] if job.started_at is None else [attempt_view(job, log)]
    return {"job": job_view(job), "attempts": attempts}


def attempt_view(job: Job, log: Sequence[str]) -> JsonObject:
    """An AttemptInfoRead of a job that started."""
    attempt: JsonObject = {
        "id": 0,
        "status": {"succeeded": "succeeded", "failed": "failed", "cancelled": "failed"}.get(job.status, "running"),
        "createdAt": job.started_at,
        "updatedAt": job.updated_at,
        "endedAt": job.updated_at if job.finished else None,
        "bytesSynced": job.bytes_synced,
        "recordsSynced": job.rows_synced,
        "totalStats": statistics_view(job) if job.rows_synced is not None else None,
        "failureSummary": failure_summary_view(job, job.failure) if job.failure else None,
    }
    lines: JsonArray = [*log]
    return {"attempt": without_nulls(attempt), "logType": "formatted", "logs": {"logLines": lines}}


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
    """An ActorDefinitionVersionRead."""
    definition = twin.store.definitions.get(actor.definition_id)
    connector = twin.connector(actor.definition_id)
    return {
        "dockerRepository": definition.docker_repository if definition else "",
        "dockerImageTag": definition.docker_image_tag if definition else "",
        "supportsRefreshes": connector.supports_refreshes and actor.kind is ActorKind.DESTINATION,
        "isVersionOverrideApplied": False,
        "supportState": "supported",
        "supportsFileTransfer": False,
        "supportsDataActivation": False,
    }
