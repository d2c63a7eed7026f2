"""Airbyte's part of the lake: destinations, and a pipeline for each source folder.

A pipeline is the folder's source and its connection. Resource names come from folder and file names, so a changed label
is an update and never a replacement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import pulumi
import pulumi_airbyte as airbyte
from airbyte_model.schedules import interval_of
from pulumi_airbyte.resources import Actor

from lotus_infra.lake.catalog import ConfiguredStream
from lotus_infra.lake.models import NonBreakingChanges, Schedule

if TYPE_CHECKING:
    from airbyte_model.modes import SyncMode
    from pulumi_airbyte.arguments import TimeUnit


@dataclass(frozen=True)
class ActorArgs:
    """The arguments of a source or of a destination.

    Attributes:
        name: the display name.
        definition_id: the connector's definition.
        workspace_id: the workspace of the actor.
        configuration: the connector's configuration; values of the stack are outputs.
        rotating: property paths of secrets that Airbyte itself replaces; they are written only when the actor is
            created.
    """

    name: str
    definition_id: str
    workspace_id: str
    configuration: Mapping[str, Any]
    rotating: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConnectionArgs:
    """The arguments of a connection.

    Attributes:
        label: the display name.
        streams: the selected streams, at least one.
        schedule: of its syncs.
        namespace: the folder that the streams are written to, below the destination's path.
        prefix: put before every stream's name.
        non_breaking_changes: Airbyte's reaction to added or removed fields of the source.
        notify_schema_changes: whether Airbyte notifies the workspace of schema changes; None for Airbyte's default.
        allow_cursor_loss: whether a replacement may lose cursors that can't be transferred; None for no.
    """

    label: str
    streams: tuple[ConfiguredStream, ...]
    schedule: Schedule
    namespace: str
    prefix: str
    non_breaking_changes: NonBreakingChanges
    notify_schema_changes: bool | None = None
    allow_cursor_loss: Literal[True] | None = None


@dataclass(frozen=True)
class PipelineArgs:
    """The arguments of a pipeline.

    Attributes:
        source: its source.
        connection: its connection.
        protect: whether the source must be unprotected before it can be deleted.
        protect_connection: whether the connection must be unprotected before it can be deleted or replaced. Its
            deletion loses the cursors, and a `destroy` deletes connections before it stops at a protected source.
    """

    source: ActorArgs
    connection: ConnectionArgs
    protect: bool
    protect_connection: bool


class _ByArgs(Actor):
    """The constructor of sources and destinations alike."""

    def __init__(self, name: str, args: ActorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            name,
            name=args.name,
            definition_id=args.definition_id,
            workspace_id=args.workspace_id,
            configuration=args.configuration,
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


class Connection(airbyte.Connection):
    """The connection of a source folder, named after it: its selected streams, into one destination."""

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
            configurations=airbyte.ConnectionConfigurationsArgs([_stream_args(stream) for stream in args.streams]),
            schedule=_schedule_args(args.schedule),
            namespace_definition="custom_format",
            namespace_format=args.namespace,
            prefix=args.prefix,
            non_breaking_schema_updates_behavior=args.non_breaking_changes,
            notify_schema_changes=args.notify_schema_changes,
            allow_cursor_loss=args.allow_cursor_loss,
            opts=opts,
        )


def _stream_args(stream: ConfiguredStream) -> airbyte.ConnectionConfigurationsStreamArgs:
    return airbyte.ConnectionConfigurationsStreamArgs(
        name=stream.name,
        namespace=stream.namespace,
        sync_mode=cast("SyncMode", stream.sync_mode),
        cursor_field=stream.cursor_field,
        primary_key=stream.primary_key,
        selected_fields=stream.selected_fields,
        backfill=stream.backfill,
    )


def _schedule_args(schedule: Schedule) -> airbyte.ConnectionScheduleArgs:
    interval = interval_of(schedule.every or "")
    return airbyte.ConnectionScheduleArgs(
        schedule.type,
        schedule.cron,
        schedule.time_zone,
        units=interval[0] if interval else None,
        time_unit=cast("TimeUnit", f"{interval[1]}s") if interval else None,
    )


class Pipeline(pulumi.ComponentResource):
    """A source and its connection (`lotus:airbyte:Pipeline`), named after the folder.

    Attributes:
        connection_id: the connection's id.
    """

    connection_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: PipelineArgs,
        destination: Destination,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("lotus:airbyte:Pipeline", name, None, opts)
        source = Source(name, args.source, pulumi.ResourceOptions(parent=self, protect=args.protect))
        opts = pulumi.ResourceOptions(parent=self, protect=args.protect_connection)
        connection = Connection(name, args.connection, source, destination, opts)
        self.connection_id = connection.connection_id
        self.register_outputs({"connectionId": self.connection_id})
