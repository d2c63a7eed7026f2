"""Typed arguments of resources. Knows the canonical form of streams; of the engine, only that values may come later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Literal

import pulumi
from airbyte_model.modes import SyncMode
from airbyte_model.streams import (
    ConfigurationError,
    key_of,
    keyed,
    shown,
    to_text,
    wanted_stream,
)

from pulumi_airbyte.values import JsonObject

TimeUnit = Literal["minutes", "hours", "days", "weeks", "months"]
MapperType = Literal["hashing", "field-renaming", "field-filtering", "row-filtering", "encryption"]


@dataclass(frozen=True)
class ConnectionConfigurationsStreamMapperArgs:
    """A transformation of a stream's records (ConfiguredStreamMapper of the public API).

    Attributes:
        type: what it does.
        mapper_configuration: how, as the public API takes it. A value may be an output, such as the key of an
            `encryption` from `config.require_secret`.
    """

    type: MapperType
    mapper_configuration: Mapping[str, pulumi.Input[Any]]

    def to_wire(self) -> dict[str, Any]:
        """The mapper in the API's spelling."""
        return {"type": self.type, "mapperConfiguration": dict(self.mapper_configuration)}


Mapper = ConnectionConfigurationsStreamMapperArgs | Mapping[str, Any]
"""A mapper, typed or as the public API takes it."""


@dataclass(frozen=True)
class ConnectionConfigurationsStreamArgs:
    """One stream to sync (StreamConfiguration of the public API).

    Attributes:
        name: as the source calls it.
        sync_mode: how it is read and written; the source and the destination must both support it.
        cursor_field: path of the field by which new records are found; honoured in incremental modes.
        primary_key: one path for each part of the key.
        selected_fields: names of top-level fields; None selects all of them.
        namespace: the source's own, which makes it another stream; needed where the source has two of this name.
        mappers: transformations. While one of their values is an output, the streams as a whole are one, and secret
            where it is.
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
    mappers: pulumi.Input[Sequence[pulumi.Input[Mapper]]] | None = None
    include_files: bool | None = None
    destination_object_name: str | None = None
    backfill: str | bool | None = None

    @property
    def key(self) -> str:
        """The key of the stream, by which `backfills` and `backfill_results` have it."""
        return key_of((self.namespace, self.name))

    def to_wire(self) -> dict[str, Any]:
        """The stream in the API's spelling."""
        return {
            "name": self.name,
            "syncMode": self.sync_mode,
            "cursorField": self.cursor_field,
            "primaryKey": self.primary_key,
            "selectedFields": self.selected_fields,
            "namespace": self.namespace,
            "mappers": _mappers(self.mappers),
            "includeFiles": self.include_files,
            "destinationObjectName": self.destination_object_name,
        }


@dataclass(frozen=True)
class ConnectionConfigurationsArgs:
    """The streams of a connection, at least one: without a list the server would select streams by itself."""

    streams: Sequence[ConnectionConfigurationsStreamArgs]

    def to_wire(self) -> str | pulumi.Output[str]:
        """The canonical JSON text in which they travel, once all values of mappers are known.

        Raises:
            ConfigurationError: a stream is listed twice, or selects a field twice or a nested one.
        """
        told = [stream.to_wire() for stream in self.streams]
        if not _comes_later(told):
            return _text(told)
        # What can be refused now is; the text of outputs is an output, unknown or secret where one of them is.
        _text([{**stream, "mappers": None} for stream in told])
        return pulumi.Output.from_input(told).apply(_text)

    def backfills(self) -> dict[str, str | bool] | None:
        """The streams' tokens, by the streams' keys; None where there is none.

        Raises:
            ConfigurationError: a stream is listed twice.
        """
        self._require_single()
        return {stream.key: stream.backfill for stream in self.streams if stream.backfill is not None} or None

    def _require_single(self) -> None:
        seen: set[str] = set()
        for key in (stream.key for stream in self.streams):
            if key in seen:
                raise ConfigurationError(f"names stream {shown(key)!r} twice: keep one")
            seen.add(key)


def _text(streams: Sequence[Mapping[str, Any]]) -> str:
    return to_text(keyed(map(wanted_stream, streams)))


def _mappers(value: Any) -> Any:
    """Mappers in the API's spelling, as far as they are known."""
    if isinstance(value, pulumi.Output):
        return value.apply(_mappers)
    if isinstance(value, ConnectionConfigurationsStreamMapperArgs):
        return value.to_wire()
    return [_mappers(item) for item in value] if isinstance(value, list | tuple) else value


def _comes_later(value: object) -> bool:
    """Whether a value, or one in it, is known only later."""
    if isinstance(value, Mapping):
        return any(_comes_later(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_comes_later(item) for item in value)
    return isinstance(value, pulumi.Output) or isawaitable(value)


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
