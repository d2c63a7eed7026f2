"""A connection of the lake: the selected streams of one source into one destination."""

from typing import TYPE_CHECKING, Literal, cast

import pulumi
import pulumi_airbyte as airbyte
from airbyte_model.schedules import interval_of
from pydantic import BaseModel, ConfigDict

from lotus_infra.catalog import ConfiguredStream
from lotus_infra.streams.model import Schedule
from lotus_infra.streams.values import NonBreakingChanges

if TYPE_CHECKING:
    from airbyte_model.modes import SyncMode
    from pulumi_airbyte.arguments import TimeUnit


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
