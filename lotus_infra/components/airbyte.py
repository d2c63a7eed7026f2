"""Airbyte's part of the lake: destinations, and a pipeline for each source folder.

A pipeline is the folder's source and its connections. Resource names come from the names of folders, files and
connections, so a changed label is an update and never a replacement.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import pulumi
import pulumi_airbyte as airbyte
from airbyte_model.choices import ConnectionStatus, NamespaceDefinition, NonBreakingChanges
from airbyte_model.schedules import interval_of
from pulumi_airbyte.resources import Actor

from lotus_infra.lake.catalog import ConfiguredStream
from lotus_infra.lake.discovered import Connector
from lotus_infra.lake.models import (
    Allocation,
    Resources,
    Schedule,
)
from lotus_infra.lake.references import Reference, substitute

if TYPE_CHECKING:
    from airbyte_model.modes import SyncMode
    from pulumi_airbyte.arguments import TimeUnit


@dataclass(frozen=True)
class ActorArgs:
    """The arguments of a source or of a destination.

    Attributes:
        name: the display name.
        definition_id: the connector's definition; an output for a connector of one's own.
        workspace_id: the workspace of the actor.
        configuration: the connector's configuration; values of the stack are outputs.
        rotating: property paths of secrets that Airbyte itself replaces; they are written only when the actor is
            created.
        allocation: what the connector's pods get; None for Airbyte's default.
    """

    name: str
    definition_id: pulumi.Input[str]
    workspace_id: str
    configuration: Mapping[str, Any]
    rotating: tuple[str, ...] = ()
    allocation: Allocation | None = None


@dataclass(frozen=True)
class ConnectionArgs:
    """The arguments of a connection.

    Attributes:
        label: the display name.
        destination: the name of its destination.
        streams: the selected streams, at least one.
        schedule: of its syncs.
        namespace_definition: where the namespace at the destination comes from.
        namespace: the namespace of a custom one; None for the other definitions.
        prefix: put before every stream's name.
        non_breaking_changes: Airbyte's reaction to added or removed fields of the source.
        notify_schema_changes: whether Airbyte notifies the workspace of schema changes; None for Airbyte's default.
        tags: of the connection, in any order.
        status: inactive for a connection that is not synced.
        resource_requirements: what the pods of its syncs get; None for Airbyte's default.
        allow_cursor_loss: whether a replacement may lose cursors that can't be transferred; None for no.
        protect: whether it must be unprotected before it can be deleted or replaced. Its deletion loses the cursors,
            and a `destroy` deletes connections before it stops at a protected source.
    """

    label: str
    destination: str
    streams: tuple[airbyte.ConnectionConfigurationsStreamArgs, ...]
    schedule: Schedule
    namespace_definition: NamespaceDefinition
    namespace: str | None
    prefix: str
    non_breaking_changes: NonBreakingChanges
    notify_schema_changes: bool | None
    tags: tuple[airbyte.Tag, ...]
    status: ConnectionStatus
    resource_requirements: Resources | None
    allow_cursor_loss: Literal[True] | None
    protect: bool


@dataclass(frozen=True)
class PipelineArgs:
    """The arguments of a pipeline.

    Attributes:
        source: its source.
        connections: its connections, by Pulumi name.
        protect: whether the source must be unprotected before it can be deleted.
    """

    source: ActorArgs
    connections: Mapping[str, ConnectionArgs]
    protect: bool


Definition = airbyte.SourceDefinition | airbyte.DestinationDefinition | airbyte.DeclarativeSourceDefinition


def define(name: str, connector: Connector, manifest: str, workspace_id: str) -> Definition:
    """Declare the definition of a connector of one's own.

    Args:
        name: the resource's.
        connector: the connector's file, with an image or a manifest.
        manifest: the text of the manifest; empty for an image.
        workspace_id: the workspace that may use it.
    """
    label = connector.label
    if connector.image is None:
        return airbyte.DeclarativeSourceDefinition(name, name=label, workspace_id=workspace_id, manifest=manifest)
    kind = airbyte.SourceDefinition if connector.connector.startswith("source-") else airbyte.DestinationDefinition
    image, tag = connector.image.repository, connector.image.tag
    return kind(name, name=label, workspace_id=workspace_id, docker_repository=image, docker_image_tag=tag)


class _ByArgs(Actor):
    """The constructor of sources and destinations alike."""

    def __init__(self, name: str, args: ActorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            name,
            name=args.name,
            definition_id=args.definition_id,
            workspace_id=args.workspace_id,
            configuration=args.configuration,
            resource_allocation=_allocation(args.allocation),
            opts=_ignore_rotating(args, opts),
        )


class Destination(_ByArgs, airbyte.Destination):
    """A destination, named after its file."""


class Source(_ByArgs, airbyte.Source):
    """A source, named after its folder."""


def _ignore_rotating(args: ActorArgs, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions | None:
    """Without this, every `up` would overwrite the rotated token with the one of the stack, which no longer works."""
    if not args.rotating:
        return opts
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=list(args.rotating)))


def _allocation(allocation: Allocation | None) -> Mapping[str, Any] | None:
    """An allocation as the public API takes it (ScopedResourceRequirements)."""
    if allocation is None:
        return None
    jobs = [{"jobType": job, "resourceRequirements": _resources(each)} for job, each in allocation.jobs.items()]
    default = {"default": _resources(allocation.default)} if allocation.default is not None else {}
    return {**default, **({"jobSpecific": jobs} if jobs else {})}


def _resources(resources: Resources | None) -> dict[str, str]:
    return resources.model_dump(exclude_none=True) if resources is not None else {}


class Connection(airbyte.Connection):
    """A connection of a source folder: selected streams of the source, into one destination."""

    def __init__(
        self,
        name: str,
        args: ConnectionArgs,
        source: airbyte.Source,
        destination: airbyte.Destination,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            name,
            name=args.label,
            source_id=source.source_id,
            destination_id=destination.destination_id,
            configurations=airbyte.ConnectionConfigurationsArgs(args.streams),
            schedule=schedule_args(args.schedule),
            namespace_definition=args.namespace_definition,
            namespace_format=args.namespace,
            prefix=args.prefix,
            # Airbyte's default is left out, as it is in states of before a file could have a status.
            status=None if args.status == "active" else args.status,
            tags=args.tags or None,
            resource_requirements=_resources(args.resource_requirements) or None,
            non_breaking_schema_updates_behavior=args.non_breaking_changes,
            notify_schema_changes=args.notify_schema_changes,
            allow_cursor_loss=args.allow_cursor_loss,
            opts=opts,
        )


def stream_args(
    stream: ConfiguredStream, resolve: Callable[[Reference], pulumi.Input[Any]]
) -> airbyte.ConnectionConfigurationsStreamArgs:
    """The arguments of a stream.

    Args:
        stream: the stream.
        resolve: returns the value of a reference in a mapper.
    """
    mappers = [
        airbyte.ConnectionConfigurationsStreamMapperArgs(
            each.type, cast("Mapping[str, Any]", substitute(each.configuration, resolve))
        )
        for each in stream.mappers
    ]
    return airbyte.ConnectionConfigurationsStreamArgs(
        name=stream.name,
        namespace=stream.namespace,
        sync_mode=cast("SyncMode", stream.sync_mode),
        cursor_field=stream.cursor_field,
        primary_key=stream.primary_key,
        selected_fields=stream.selected_fields,
        mappers=mappers or None,
        include_files=stream.include_files,
        destination_object_name=stream.destination_object_name,
        backfill=stream.backfill,
    )


def schedule_args(schedule: Schedule) -> airbyte.ConnectionScheduleArgs:
    """The arguments of a schedule."""
    interval = interval_of(schedule.every or "")
    return airbyte.ConnectionScheduleArgs(
        schedule.type,
        schedule.cron,
        schedule.time_zone,
        units=interval[0] if interval else None,
        time_unit=cast("TimeUnit", f"{interval[1]}s") if interval else None,
    )


class Pipeline(pulumi.ComponentResource):
    """A source and its connections (`lotus:airbyte:Pipeline`), named after the folder.

    Attributes:
        connection_ids: the connections' ids, by Pulumi name.
    """

    connection_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        args: PipelineArgs,
        destinations: Mapping[str, Destination],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("lotus:airbyte:Pipeline", name, None, opts)
        source = Source(name, args.source, pulumi.ResourceOptions(parent=self, protect=args.protect))
        ids: dict[str, pulumi.Output[str]] = {}
        for resource, each in args.connections.items():
            opts = pulumi.ResourceOptions(parent=self, protect=each.protect)
            ids[resource] = Connection(resource, each, source, destinations[each.destination], opts).connection_id
        self.connection_ids = ids
        self.register_outputs({"connectionId": ids[name]} if [*ids] == [name] else {"connectionIds": ids})
