"""Typed arguments of resources. Streams are brought into their canonical text here, also if they contain outputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Literal

import pulumi
from airbyte_model.mapper_types import MapperType
from airbyte_model.modes import SyncMode
from airbyte_model.streams import (
    ConfigurationError,
    key_of,
    keyed,
    shown,
    to_text,
    wanted_stream,
)

from pulumi_airbyte import enums
from pulumi_airbyte.values import JsonObject

TimeUnit = Literal["minutes", "hours", "days", "weeks", "months"]


@dataclass(frozen=True)
class ConnectionConfigurationsStreamMapperConfigurationArgs:
    """A mapper's settings: each type of mapper takes some of them.

    Attributes:
        target_field: the field that `hashing`, `encryption` or `field-filtering` changes.
        field_name_suffix: what `hashing` and `encryption` append to the field's name.
        method: how `hashing` hashes.
        algorithm: how `encryption` encrypts.
        key: the key of AES, in hexadecimal digits.
        mode: the mode of AES, such as `CBC`.
        padding: the padding of AES.
        public_key: the public key of RSA, in hexadecimal digits.
        original_field_name: the field that `field-renaming` renames.
        new_field_name: its new name.
        conditions: the rows that `row-filtering` keeps, in the public API's form.
    """

    target_field: pulumi.Input[str] | None = None
    field_name_suffix: pulumi.Input[str] | None = None
    method: pulumi.Input[str] | None = None
    algorithm: pulumi.Input[str] | None = None
    key: pulumi.Input[str] | None = None
    mode: pulumi.Input[str] | None = None
    padding: pulumi.Input[str] | None = None
    public_key: pulumi.Input[str] | None = None
    original_field_name: pulumi.Input[str] | None = None
    new_field_name: pulumi.Input[str] | None = None
    conditions: pulumi.Input[Mapping[str, Any]] | None = None

    def to_wire(self) -> dict[str, Any]:
        """The settings in the API's spelling."""
        found = {
            "targetField": self.target_field,
            "fieldNameSuffix": self.field_name_suffix,
            "method": self.method,
            "algorithm": self.algorithm,
            "key": self.key,
            "mode": self.mode,
            "padding": self.padding,
            "publicKey": self.public_key,
            "originalFieldName": self.original_field_name,
            "newFieldName": self.new_field_name,
            "conditions": self.conditions,
        }
        return {key: value for key, value in found.items() if value is not None}


@dataclass(frozen=True)
class ConnectionConfigurationsStreamMapperArgs:
    """A transformation of a stream's records (ConfiguredStreamMapper of the public API).

    Attributes:
        type: the kind of transformation.
        mapper_configuration: its settings, typed or in the public API's form. A value may be an output, such as the
            key of an `encryption` from `config.require_secret`.
    """

    type: MapperType | enums.MapperType
    mapper_configuration: Mapping[str, pulumi.Input[Any]] | ConnectionConfigurationsStreamMapperConfigurationArgs

    def to_wire(self) -> dict[str, Any]:
        """The mapper in the API's spelling."""
        settings = self.mapper_configuration
        return {
            "type": self.type,
            "mapperConfiguration": settings.to_wire()
            if isinstance(settings, ConnectionConfigurationsStreamMapperConfigurationArgs)
            else dict(settings),
        }


Mapper = ConnectionConfigurationsStreamMapperArgs | Mapping[str, Any]
"""A mapper, typed or in the public API's form."""


@dataclass(frozen=True)
class ConnectionConfigurationsStreamArgs:
    """One stream to sync (StreamConfiguration of the public API).

    Attributes:
        name: the stream's name in the source.
        sync_mode: how it is read and written; source and destination must support it.
        cursor_field: path of the field that marks new records; used in incremental modes.
        primary_key: one path per part of the key.
        selected_fields: names of top-level fields; None selects all of them.
        namespace: the source's namespace, part of the stream's identity; needed if two streams share the name.
        mappers: transformations. If one of their values is an output, all streams together are one output, secret if
            that value is.
        include_files: also copy the files that records refer to.
        destination_object_name: for destinations that write into named objects (1.8 and later).
        backfill: a token; a new text re-reads the stream once, and so does `True` after `False`.
    """

    name: str
    sync_mode: SyncMode | enums.SyncMode = "full_refresh_overwrite"
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
        """The stream's key in `backfills` and `backfill_results`."""
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
        """The canonical JSON text; an output if a mapper's value is one.

        Raises:
            ConfigurationError: a stream is listed twice, or selects a field twice or a nested one.
        """
        streams = [stream.to_wire() for stream in self.streams]
        if not _has_output(streams):
            return _text(streams)
        # Report errors in everything but the mappers now, not when the outputs are known.
        _text([{**stream, "mappers": None} for stream in streams])
        return pulumi.Output.from_input(streams).apply(_text)

    def backfills(self) -> dict[str, str | bool] | None:
        """The backfill tokens by stream key; None without any.

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
    """Mappers in the API's spelling; outputs stay outputs."""
    if isinstance(value, pulumi.Output):
        return value.apply(_mappers)
    if isinstance(value, ConnectionConfigurationsStreamMapperArgs):
        return value.to_wire()
    return [_mappers(item) for item in value] if isinstance(value, list | tuple) else value


def _has_output(value: object) -> bool:
    """Whether a value is, or contains, an output or an awaitable."""
    if isinstance(value, Mapping):
        return any(_has_output(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_has_output(item) for item in value)
    return isinstance(value, pulumi.Output) or isawaitable(value)


@dataclass(frozen=True)
class ConnectionScheduleArgs:
    """When a connection syncs. Basic schedules and time zones need the Config API.

    The interval of a basic schedule is given by `units` and `time_unit`, or as Airbyte writes it, by `basic_timing`.

    Attributes:
        schedule_type: `manual` (only on request), `cron`, or `basic` (at an interval).
        cron_expression: Quartz cron with seconds first, e.g. `0 0 * * * ?` for every hour.
        cron_time_zone: the expression's time zone, such as `Europe/Berlin`; default UTC.
        units: length of a basic schedule's interval, in `time_unit`.
        time_unit: unit of a basic schedule's interval.
        basic_timing: the interval as text, such as `Every 1 HOURS`.
    """

    schedule_type: Literal["manual", "cron", "basic"] | enums.ScheduleType
    cron_expression: str | None = None
    cron_time_zone: str | None = None
    units: int | None = None
    time_unit: TimeUnit | None = None
    basic_timing: str | None = None

    def to_wire(self) -> JsonObject:
        """The schedule in the API's spelling.

        Raises:
            ValueError: only one of units and time_unit is given, or basic_timing with them.
        """
        if (self.units is None) != (self.time_unit is None):
            raise ValueError("units and time_unit of a schedule go together, such as units=1, time_unit='hours'")
        if self.time_unit is not None and self.basic_timing is not None:
            raise ValueError("a schedule takes basic_timing, or units and time_unit, and not both")
        timing = self.basic_timing if self.time_unit is None else f"Every {self.units} {self.time_unit.upper()}"
        parts = {
            "cronExpression": self.cron_expression,
            "cronTimeZone": self.cron_time_zone,
            "basicTiming": timing,
        }
        return {"scheduleType": self.schedule_type, **{key: part for key, part in parts.items() if part}}


@dataclass(frozen=True)
class TagArgs:
    """A tag of the workspace, by its id. The API requires the other properties too, but does not compare them.

    Attributes:
        tag_id: its id.
        name: at most 30 characters.
        color: six hexadecimal digits, without `#`.
        workspace_id: the workspace that holds it.
    """

    tag_id: pulumi.Input[str]
    name: pulumi.Input[str]
    color: pulumi.Input[str]
    workspace_id: pulumi.Input[str]

    def to_wire(self) -> dict[str, pulumi.Input[str]]:
        """The tag in the API's spelling."""
        return {"tagId": self.tag_id, "name": self.name, "color": self.color, "workspaceId": self.workspace_id}


ConnectionTagArgs = TagArgs
"""The name that the schema gives the type, and imported code uses."""
