"""Typed arguments of resources. Knows the canonical form of streams; not the engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pulumi_airbyte.configurations import StreamTree, SyncMode, canonical_stream, keyed, to_text
from pulumi_airbyte.values import JsonObject

TimeUnit = Literal["minutes", "hours", "days", "weeks", "months"]


@dataclass(frozen=True)
class ConnectionConfigurationsStreamArgs:
    """One stream to sync (StreamConfiguration of the public API).

    Attributes:
        name: as the source calls it.
        sync_mode: how it is read and written; the source and the destination must both support it.
        cursor_field: path of the field by which new records are found; honoured in incremental modes.
        primary_key: one path for each part of the key.
        selected_fields: names of top-level fields; None selects all of them.
        namespace: only where the source has two streams of this name.
        mappers: transformations, as the public API takes them.
        include_files: also copy the files that records refer to.
        destination_object_name: for destinations that write into objects of their own (1.8 and later).
        backfill: a token; a new text reads the stream from the beginning, once, and so does `True` where it was
            `False`.
    """

    name: str
    sync_mode: SyncMode = "full_refresh_overwrite"
    cursor_field: Sequence[str] | None = None
    primary_key: Sequence[Sequence[str]] | None = None
    selected_fields: Sequence[str] | None = None
    namespace: str | None = None
    mappers: Sequence[JsonObject] | None = None
    include_files: bool | None = None
    destination_object_name: str | None = None
    backfill: str | bool | None = None

    def to_wire(self) -> JsonObject:
        """The stream in the API's spelling."""
        return {
            "name": self.name,
            "syncMode": self.sync_mode,
            "cursorField": self.cursor_field,
            "primaryKey": self.primary_key,
            "selectedFields": self.selected_fields,
            "namespace": self.namespace,
            "mappers": self.mappers,
            "includeFiles": self.include_files,
            "destinationObjectName": self.destination_object_name,
        }


@dataclass(frozen=True)
class ConnectionConfigurationsArgs:
    """The streams of a connection, at least one: without a list the server would select streams by itself."""

    streams: Sequence[ConnectionConfigurationsStreamArgs]

    def to_wire(self) -> str:
        """The canonical JSON text in which they travel.

        Raises:
            ConfigurationError: a stream is listed twice, or selects a field twice or a nested one.
        """
        return to_text(self._keyed())

    def backfills(self) -> dict[str, str | bool] | None:
        """The streams' tokens, by the names that streams have in the text; None where there is none.

        Raises:
            ConfigurationError: as of `to_wire`.
        """
        tokens = {(stream.namespace or None, stream.name): stream.backfill for stream in self.streams}
        found = {key: tokens[one.get("namespace"), one["name"]] for key, one in self._keyed().items()}  # type: ignore[index]
        return {key: token for key, token in found.items() if token is not None} or None

    def _keyed(self) -> dict[str, StreamTree]:
        return keyed(canonical_stream(stream.to_wire()) for stream in self.streams)


@dataclass(frozen=True)
class ConnectionScheduleArgs:
    """When a connection syncs. Basic schedules and zones are written by the server's Config API.

    Attributes:
        schedule_type: `manual` (only on request), `cron`, or `basic` (every so many units).
        cron_expression: Quartz cron with seconds first, e.g. `0 0 * * * ?` for every hour.
        cron_time_zone: the expression's zone, such as `Europe/Berlin`; default UTC.
        units: how many of `time_unit` lie between two syncs of a basic schedule.
        time_unit: of a basic schedule.
    """

    schedule_type: Literal["manual", "cron", "basic"]
    cron_expression: str | None = None
    cron_time_zone: str | None = None
    units: int | None = None
    time_unit: TimeUnit | None = None

    def to_wire(self) -> JsonObject:
        """The schedule in the API's spelling.

        Raises:
            ValueError: one of units and time_unit is missing.
        """
        if (self.units is None) != (self.time_unit is None):
            raise ValueError("units and time_unit of a schedule go together, such as units=1, time_unit='hours'")
        timing = None if self.time_unit is None else f"Every {self.units} {self.time_unit.upper()}"
        parts = {
            "cronExpression": self.cron_expression,
            "cronTimeZone": self.cron_time_zone,
            "basicTiming": timing,
        }
        return {"scheduleType": self.schedule_type, **{key: part for key, part in parts.items() if part}}


@dataclass(frozen=True)
class TagArgs:
    """A tag of the workspace, whole: the API takes no shorter form.

    Attributes:
        tag_id: its id.
        name: at most 30 characters.
        color: six hexadecimal digits, without `#`.
        workspace_id: the workspace that holds it.
    """

    tag_id: str
    name: str
    color: str
    workspace_id: str

    def to_wire(self) -> JsonObject:
        """The tag in the API's spelling."""
        return {"tagId": self.tag_id, "name": self.name, "color": self.color, "workspaceId": self.workspace_id}
