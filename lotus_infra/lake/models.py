"""The lake's files as typed, frozen objects: a stream, a source, a destination, and the values in them.

The text under each field is its reference: `json_schema` passes it on to editors and to the README of the lake's
folder. A value is checked where it is read: a validator raises a `_refusal`, with what to write instead, and `reading`
turns it into a diagnostic. The models refuse what is wrong by itself; what is wrong only next to other
files is left to the rules in `checks`.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, JsonValue, StrictBool
from pydantic import Field as PydanticField
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from lotus_infra.naming import is_identifier

REFUSED = "lotus_refused"
"""The type of every error of these validators; its context has `what` and `remedy`."""

SyncMode = Literal["full_refresh", "incremental"]
DestinationSyncMode = Literal["overwrite", "append", "append_dedup", "overwrite_dedup", "update", "soft_delete"]
TypeName = Literal["string", "integer", "number", "boolean", "object", "array", "null", "unknown"]
NonBreakingChanges = Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"]
ScheduleType = Literal["cron", "basic", "manual"]
FieldPath = tuple[str, ...]
Configuration = dict[str, JsonValue]

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CONNECTOR = re.compile(r"(source|destination)-[a-z0-9]+(-[a-z0-9]+)*")
_PREFIX = re.compile(r"[a-z0-9_]*")


def _refusal(what: str, remedy: str) -> PydanticCustomError:
    """The error that a validator raises: what is wrong, and what to do about it."""
    return PydanticCustomError(REFUSED, "{what}: {remedy}", {"what": what, "remedy": remedy})


def is_definition_id(connector: str) -> bool:
    """Whether a connector is given by the id of its definition rather than by its name."""
    return _UUID.fullmatch(connector) is not None


def _check_backfill(value: object) -> object:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise _refusal("must be true, false or a token", 'write a token such as "2026-02-01-reprice"')
    if value.casefold() in {"true", "false"}:
        raise _refusal("is a token that looks like a boolean", f"write {value.casefold()} without quotes")
    if _TOKEN.fullmatch(value) is None:
        raise _refusal("can't be a token", "use 1 to 100 letters, digits, dots, colons, dashes and underscores")
    return value


def _check_key_paths(value: object) -> object:
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        paths = ", ".join(f'["{name}"]' for name in value)
        raise _refusal("must be a list of paths, not of names", f"write [{paths}]")
    return value


def _check_label(value: str) -> str:
    if not value.strip() or value != value.strip() or not value.isprintable():
        raise _refusal("can't be a label", "use printable text that neither starts nor ends with a blank")
    return value


def _check_namespace(value: str) -> str:
    if not is_identifier(value):
        raise _refusal("can't be a namespace", "use lower-case letters, digits and underscores, a letter first")
    return value


def _check_prefix(value: str) -> str:
    if _PREFIX.fullmatch(value) is None:
        raise _refusal("can't be a prefix", "use lower-case letters, digits and underscores")
    return value


def _check_connector(value: str) -> str:
    if _CONNECTOR.fullmatch(value) is None and not is_definition_id(value):
        raise _refusal(
            "is neither a connector's name nor a definition id",
            'write a name such as "source-shopify" or the UUID of a definition',
        )
    return value


def _check_definition_id(value: str) -> str:
    if not is_definition_id(value):
        raise _refusal("is not a definition id", "write the UUID of the connector's definition in Airbyte")
    # The server's ids are lower-case, and ids are compared as texts.
    return value.lower()


Backfill = Annotated[StrictBool | str, BeforeValidator(_check_backfill)]
KeyPaths = Annotated[tuple[FieldPath, ...], BeforeValidator(_check_key_paths)]
Label = Annotated[str, AfterValidator(_check_label)]
Namespace = Annotated[str, AfterValidator(_check_namespace)]
Prefix = Annotated[str, AfterValidator(_check_prefix)]
ConnectorName = Annotated[str, AfterValidator(_check_connector)]
DefinitionId = Annotated[str, AfterValidator(_check_definition_id)]


def _as_field(value: object) -> object:
    """Read a bare map of fields as an object with these fields: lake files write array items in either way."""
    if isinstance(value, dict) and not isinstance(value.get("type"), str | list):
        return {"type": "object", "properties": value} if value else {"type": "unknown"}
    return value


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid", use_attribute_docstrings=True))
class Field:
    """One field, a small part of JSON Schema: its type and, for objects and arrays, the fields inside."""

    type: TypeName | tuple[TypeName, ...]
    """JSON type, or a list of types; "null" makes no difference and "unknown" agrees with every type."""

    format: str | None = None
    """JSON Schema format of a string, such as "date-time"."""

    airbyte_type: str | None = None
    """Airbyte's closer type of a string, such as "timestamp_with_timezone"."""

    description: str | None = None
    """A description of the field, for people."""

    properties: "dict[str, Field] | None" = None
    """The fields of an object."""

    items: "Annotated[Field | None, BeforeValidator(_as_field, json_schema_input_type=Field | dict[str, Field])]" = None
    """The items of an array: a field, or a bare map of fields for an array of objects."""

    @property
    def types(self) -> frozenset[str]:
        """The field's types without "null"; empty if they are unknown."""
        names = frozenset({self.type} if isinstance(self.type, str) else self.type) - {"null"}
        return frozenset() if "unknown" in names else names


class LakeModel(BaseModel):
    """Base of all models: refuses unknown keys, and is frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class LakeFile(LakeModel):
    """Base of all models of a whole file."""

    schema_uri: str | None = PydanticField(default=None, alias="$schema")
    """The address of this format's JSON Schema for editors; Lotus ignores it."""


class StreamConfig(LakeFile):
    """One stream of the lake, `<source>/<stream>.json`."""

    stream: str
    """The stream's name in the source; the file has the same name."""

    sync_mode: SyncMode
    """How the source is read: all rows each time, or the rows that are new since the cursor."""

    destination_sync_mode: DestinationSyncMode
    """How the destination writes: what happens to existing rows."""

    backfill: Backfill = False
    """Requests a full re-read, once: by a new token, or by true after false."""

    primary_key: KeyPaths = ()
    """The paths of the fields that make a row unique, such as [["id"]]."""

    cursor_field: FieldPath = ()
    """The path of the field by which new rows are recognized; incremental streams only."""

    selected: bool = PydanticField(default=True, strict=True)
    """False keeps the file and leaves the stream out of the connection."""

    fields: dict[str, Field]
    """The top-level fields to sync, each with its type; other fields of the source are not synced."""


class Schedule(LakeModel):
    """When a source syncs."""

    type: ScheduleType
    """By a cron expression, at an interval, or only on request."""

    cron: str | None = None
    """Quartz expression, seconds first, such as "0 0 * * * ?" for every hour; for type "cron" only."""

    time_zone: str | None = None
    """The zone of the expression, such as "Europe/Berlin"; by default UTC; for type "cron" only."""

    every: str | None = None
    """The interval, such as "1 hours": minutes, hours, days, weeks or months; for type "basic" only."""


MANUAL = Schedule(type="manual")


class SourceConfig(LakeFile):
    """One source and its connection, `<source>/_source.json`."""

    connector: ConnectorName
    """The connector's name, pinned in _connectors/, or the id of its definition."""

    name: Label | None = None
    """The source's name in Airbyte; by default the folder's name in title case."""

    configuration: Configuration
    """The connector's configuration, with {"$secret": name} and {"$config": name} for values that differ by stack."""

    destination: str = "s3"
    """The name of the destination's file in _destinations/."""

    namespace: Namespace | None = None
    """The folder of the bucket that the streams are written under; by default the name of the source's folder."""

    prefix: Prefix = ""
    """Put before the name of each stream at the destination."""

    schedule: Schedule = MANUAL
    """When the source syncs; by default only on request."""

    non_breaking_changes: NonBreakingChanges = "propagate_columns"
    """How Airbyte handles new columns and streams of the source."""

    notify_schema_changes: bool | None = PydanticField(default=None, strict=True)
    """Whether Airbyte's workspace notifies of changes of the source's schema; by default Airbyte's own default."""


class DestinationConfig(LakeFile):
    """One destination, `_destinations/<name>.json`."""

    connector: ConnectorName
    """The connector's name, pinned in _connectors/, or the id of its definition."""

    name: Label | None = None
    """The destination's name in Airbyte; by default the file's name in title case."""

    configuration: Configuration
    """The connector's configuration, with references such as {"$landing": "bucket"} for values that differ by stack."""
