"""A connection of the lake: the selected streams of one source into one destination."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import pulumi
import pulumi_airbyte as airbyte
from airbyte_model.schedules import interval_of
from pydantic import BaseModel, ConfigDict

from lotus_infra.lake.catalog import ConfiguredStream
from lotus_infra.lake.models import NonBreakingChanges, Schedule

if TYPE_CHECKING:
    from airbyte_model.modes import SyncMode
    from pulumi_airbyte.arguments import TimeUnit


class ActorSettings(BaseModel):
    """What a source or a destination is made of.

    Attributes:
        name: the display name; changing it is an update.
        definition_id: the connector's definition.
        workspace_id: the workspace that holds it.
        configuration: the connector's configuration, with outputs where the stack holds the value.
        rotating: paths of what Airbyte puts other values in place of, as the engine reads them; each is written once,
            with the object.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    definition_id: str
    workspace_id: str
    configuration: Mapping[str, Any]
    rotating: tuple[str, ...] = ()

    def arguments(self, opts: pulumi.ResourceOptions | None) -> dict[str, Any]:
        """What the resource is declared with.

        Args:
            opts: the engine's options, as its component has them.
        """
        if self.rotating:
            opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=list(self.rotating)))
        return {**{key: value for key, value in self if key != "rotating"}, "opts": opts}


class ConnectionSettings(BaseModel):
    """What a connection is made of.

    Attributes:
        label: the display name; changing it is an update.
        streams: at least one.
        schedule: when it syncs.
        namespace: the folder of the lake that the streams are written under.
        prefix: put before every stream's name.
        non_breaking_changes: what Airbyte does when the source gains or loses fields.
        notify_schema_changes: whether its workspace tells of them; None leaves that to Airbyte.
        allow_cursor_loss: whether another connection may replace it where a cursor can't go over; None for no.
    """

    model_config = ConfigDict(frozen=True)

    label: str
    streams: tuple[ConfiguredStream, ...]
    schedule: Schedule
    namespace: str
    prefix: str
    non_breaking_changes: NonBreakingChanges
    notify_schema_changes: bool | None = None
    allow_cursor_loss: Literal[True] | None = None


class Connection(airbyte.Connection):
    """A connection, named after its source's folder."""

    def __init__(
        self,
        name: str,
        settings: ConnectionSettings,
        source: airbyte.Source,
        destination: airbyte.Destination,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            name,
            name=settings.label,
            source_id=source.source_id,
            destination_id=destination.destination_id,
            configurations=airbyte.ConnectionConfigurationsArgs([_stream(stream) for stream in settings.streams]),
            schedule=_schedule(settings.schedule),
            namespace_definition="custom_format",
            namespace_format=settings.namespace,
            prefix=settings.prefix,
            non_breaking_schema_updates_behavior=settings.non_breaking_changes,
            notify_schema_changes=settings.notify_schema_changes,
            allow_cursor_loss=settings.allow_cursor_loss,
            opts=opts,
        )


def _schedule(schedule: Schedule) -> airbyte.ConnectionScheduleArgs:
    interval = interval_of(schedule.every or "")
    return airbyte.ConnectionScheduleArgs(
        schedule.type,
        schedule.cron,
        schedule.time_zone,
        units=interval[0] if interval else None,
        time_unit=cast("TimeUnit", f"{interval[1]}s") if interval else None,
    )


def _stream(stream: ConfiguredStream) -> airbyte.ConnectionConfigurationsStreamArgs:
    return airbyte.ConnectionConfigurationsStreamArgs(
        name=stream.name,
        namespace=stream.namespace,
        sync_mode=cast("SyncMode", stream.sync_mode),
        cursor_field=stream.cursor_field,
        primary_key=stream.primary_key,
        selected_fields=stream.selected_fields,
        backfill=stream.backfill,
    )


class Destination(airbyte.Destination):
    """A destination, named after its file."""

    def __init__(self, name: str, settings: ActorSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, **settings.arguments(opts))


class Source(airbyte.Source):
    """A source, named after its folder."""

    def __init__(self, name: str, settings: ActorSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, **settings.arguments(opts))


@dataclass(frozen=True)
class PipelineSettings:
    """What a pipeline is made of.

    Attributes:
        source: the source.
        connection: its connection.
        protect: whether deleting the source takes an unprotect first.
    """

    source: ActorSettings
    connection: ConnectionSettings
    protect: bool


class Pipeline(pulumi.ComponentResource):
    """A source and its connection (`lotus:airbyte:Pipeline`), named after the folder.

    Attributes:
        connection_id: the connection's id.
    """

    connection_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: PipelineSettings,
        destination: Destination,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("lotus:airbyte:Pipeline", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        source = Source(name, settings.source, pulumi.ResourceOptions(parent=self, protect=settings.protect))
        connection = Connection(name, settings.connection, source, destination, own)
        self.connection_id = connection.connection_id
        self.register_outputs({"connectionId": self.connection_id})
