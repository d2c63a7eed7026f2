"""The lake's files as typed, frozen objects: a stream, a source, a destination, and the values in them.

The text under each field is its reference: `json_schema` passes it on to editors and to the README of the lake's
folder. A value is checked where it is read: a validator raises a `_refusal`, with what to write instead, and `reading`
turns it into a diagnostic. The models refuse what is wrong by itself; what is wrong only next to other
files is left to the rules in `checks`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from airbyte_model.choices import ConnectionStatus, NamespaceDefinition, NonBreakingChanges
from airbyte_model.mapper_types import MapperType
from airbyte_model.modes import DestinationMode, SourceMode
from airbyte_model.places import SOURCE_NAMESPACE
from airbyte_model.texts import tag_flaw
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    JsonValue,
    StrictBool,
    ValidationInfo,
    field_validator,
)
from pydantic import Field as PydanticField
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from lotus_infra.naming import is_identifier

REFUSED = "lotus_refused"
"""The type of every error of these validators; its context has `what` and `remedy`."""

TypeName = Literal["string", "integer", "number", "boolean", "object", "array", "null", "unknown"]
ScheduleType = Literal["cron", "basic", "manual"]
Engine = Literal["airbyte", "dlt"]
JobType = Literal[
    "get_spec", "check_connection", "discover_schema", "sync", "reset_connection", "connection_updater", "replicate"
]
FieldPath = tuple[str, ...]
ALL_FIELDS = "all"
Configuration = dict[str, JsonValue]

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_CONNECTOR = re.compile(r"(source|destination)-[a-z0-9]+(-[a-z0-9]+)*")


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


def _check_name(value: str) -> str:
    if not value:
        raise _refusal("is empty", "write the name that the source has")
    return value


def _check_namespace(value: str) -> str:
    for found in _VARIABLE.findall(value):
        if found != SOURCE_NAMESPACE:
            raise _refusal(f"has {found}, which Airbyte does not fill in", f"the only variable is {SOURCE_NAMESPACE}")
    return value


def _check_key(value: str) -> str:
    if not is_identifier(value):
        raise _refusal("can't name a connection", "use lower-case letters, digits and underscores, a letter first")
    return value


def _check_module(value: str) -> str:
    if not is_identifier(value):
        raise _refusal("can't name a module", "use lower-case letters, digits and underscores, a letter first")
    return value


def _check_tag(value: str) -> str:
    flaw = tag_flaw(_check_label(value))
    if flaw is not None:
        raise _refusal(flaw.what, flaw.remedy)
    return value


def _check_tags(value: tuple[str, ...]) -> tuple[str, ...]:
    for tag in value:
        if value.count(tag) > 1:
            raise _refusal(f'names the tag "{tag}" twice', "a connection has a tag once: delete one of the two")
    return value


def _check_fields(value: object) -> object:
    if value == ALL_FIELDS:
        return None
    if not isinstance(value, dict):
        raise _refusal('must be an object or "all"', 'write the fields, each with its type, or "all"')
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
SourceName = Annotated[str, AfterValidator(_check_name)]
NamespaceFormat = Annotated[str, AfterValidator(_check_namespace)]
ConnectionKey = Annotated[str, AfterValidator(_check_key)]
ModuleName = Annotated[str, AfterValidator(_check_module)]
Tag = Annotated[str, AfterValidator(_check_tag)]
Tags = Annotated[tuple[Tag, ...], AfterValidator(_check_tags)]
ConnectorName = Annotated[str, AfterValidator(_check_connector)]
DefinitionId = Annotated[str, AfterValidator(_check_definition_id)]


def _as_field(value: object) -> object:
    """Read a bare map of fields as an object with these fields: lake files write array items in either way."""
    if isinstance(value, dict) and not isinstance(value.get("type"), str | list):
        return {"type": "object", "properties": value} if value else {"type": "unknown"}
    return value


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
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


Fields = Annotated[
    dict[str, Field] | None,
    BeforeValidator(_check_fields, json_schema_input_type=Literal["all"] | dict[str, Field]),
]


class LakeModel(BaseModel):
    """Base of all models: refuses unknown keys, and is frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LakeFile(LakeModel):
    """Base of all models of a whole file."""

    schema_uri: str | None = PydanticField(default=None, alias="$schema")
    """The address of this format's JSON Schema for editors; Lotus ignores it."""


class Mapper(LakeModel):
    """A transformation of a stream's records before they are written."""

    type: MapperType
    """The kind of transformation."""

    configuration: Configuration
    """Its settings in the words of Airbyte's public API, such as {"targetField": "email", "method": "SHA-256"}."""


class StreamConfig(LakeFile):
    """One stream of the lake, `<source>/<file>.json`."""

    stream: SourceName
    """The stream's name in the source; the file's name follows from it where it can."""

    namespace: SourceName | None = None
    """The stream's namespace in the source, such as a database's schema; by default the one that was discovered."""

    sync_mode: SourceMode
    """How the source is read: all rows each time, or the rows that are new since the cursor."""

    destination_sync_mode: DestinationMode
    """How the destination writes: what happens to existing rows."""

    backfill: Backfill = False
    """Requests a full re-read, once: by a new token, or by true after false."""

    primary_key: KeyPaths = ()
    """The paths of the fields that make a row unique, such as [["id"]]."""

    cursor_field: FieldPath = ()
    """The path of the field by which new rows are recognized; incremental streams only."""

    selected: bool = PydanticField(default=True, strict=True)
    """False keeps the file and leaves the stream out of the connection; Airbyte keeps its cursor."""

    fields: Fields = None
    """The top-level fields to sync, each with its type; "all", the default, syncs every field that the source has."""

    mappers: tuple[Mapper, ...] = ()
    """Transformations of the records, in this order."""

    include_files: bool | None = PydanticField(default=None, strict=True)
    """Whether to copy the files that records refer to; by default Airbyte's own default."""

    destination_object_name: str | None = None
    """The object to write into, for destinations that write into named objects."""

    @property
    def takes_all(self) -> bool:
        """Whether it syncs every field that the source has."""
        return self.fields is None


class Schedule(LakeModel):
    """When a connection syncs."""

    type: ScheduleType
    """By a cron expression, at an interval, or only on request."""

    cron: str | None = None
    """Quartz expression, seconds first, such as "0 0 * * * ?" for every hour; for type "cron" only."""

    time_zone: str | None = None
    """The zone of the expression, such as "Europe/Berlin"; by default UTC; for type "cron" only."""

    every: str | None = None
    """The interval, such as "1 hours": minutes, hours, days, weeks or months; for type "basic" only."""


MANUAL = Schedule(type="manual")


class Resources(LakeModel):
    """What Kubernetes gives a pod, in its own units."""

    cpu_request: str | None = None
    """Requested CPU, such as "500m"."""

    cpu_limit: str | None = None
    """Most CPU."""

    memory_request: str | None = None
    """Requested memory, such as "1Gi"."""

    memory_limit: str | None = None
    """Most memory."""

    ephemeral_storage_request: str | None = None
    """Requested space on the node's disk."""

    ephemeral_storage_limit: str | None = None
    """Most space on the node's disk."""


class Allocation(LakeModel):
    """What the pods of a connector get."""

    default: Resources | None = None
    """For every kind of job."""

    jobs: dict[JobType, Resources] = {}
    """For some kinds of jobs, instead of the default."""


class ConnectionConfig(LakeModel):
    """A connection: which streams of its source are written where, and when."""

    destination: str = "s3"
    """The name of the destination's file in _destinations/."""

    namespace_definition: NamespaceDefinition = "custom_format"
    """Where the namespace at the destination comes from: `namespace`, the source, or the destination's own default."""

    namespace: NamespaceFormat | None = None
    """The folder of the bucket that the streams are written under; by default the name of the source's folder. It may
    contain ${SOURCE_NAMESPACE}."""

    prefix: str = ""
    """Put before the name of each stream at the destination."""

    schedule: Schedule = MANUAL
    """When the streams are synced; by default only on request."""

    status: ConnectionStatus = "active"
    """An inactive connection stays as it is and is not synced."""

    tags: Tags = ()
    """Tags of the connection in Airbyte, by name."""

    non_breaking_changes: NonBreakingChanges = "propagate_columns"
    """How Airbyte handles new columns and streams of the source."""

    notify_schema_changes: bool | None = PydanticField(default=None, strict=True)
    """Whether Airbyte's workspace notifies of changes of the source's schema; by default Airbyte's own default."""


class NamedConnectionConfig(ConnectionConfig):
    """One of the `connections` of a source."""

    name: Label | None = None
    """The connection's name in Airbyte; by default the names of the source and of the destination."""

    streams: tuple[str, ...] | None = None
    """The names of the streams' files that the connection takes; by default all of the source."""

    resource_requirements: Resources | None = None
    """What the pods of a sync get; by default Airbyte's own default."""


class ActorConfig(LakeFile):
    """A source or a destination."""

    name: Label | None = None
    """The name in Airbyte; by default the name of the folder or of the file in title case."""

    configuration: Configuration
    """The connector's configuration, with references such as {"$secret": name} for values that differ by stack."""

    resource_allocation: Allocation | None = None
    """What the pods of the connector get; by default Airbyte's own default."""


class SourceConfig(ConnectionConfig, ActorConfig):
    """One source, `<source>/_source.json`, with its connection or its `connections`."""

    engine: Engine = "airbyte"
    """What reads the source: a connector of Airbyte, or a module of the lake with dlt."""

    connector: ConnectorName | None = PydanticField(default=None, validate_default=True)
    """The connector's name, pinned in _connectors/, or the id of its definition; for engine "airbyte" only."""

    module: ModuleName | None = None
    """The file in dagster/sources/ without its suffix; by default the name of the folder; for engine "dlt" only."""

    connections: dict[ConnectionKey, NamedConnectionConfig] | None = PydanticField(default=None, min_length=1)
    """The source's connections by name, where it has several or one that is not named after it. Their settings are
    then written here, and not beside the connector."""

    @field_validator("connector")
    @classmethod
    def _check_engine(cls, connector: str | None, info: ValidationInfo) -> str | None:
        engine = info.data.get("engine")
        if engine == "airbyte" and connector is None:
            raise PydanticCustomError("missing", "Field required")
        if engine == "dlt" and connector is not None:
            raise _refusal('is Airbyte\'s, and the engine is "dlt"', "delete it: the source is a module")
        return connector

    def named_connections(self, source: str) -> dict[str, NamedConnectionConfig]:
        """The connections by name; the one of the short form is named after the source.

        Args:
            source: The name of the source's folder.
        """
        if self.connections is not None:
            return self.connections
        settings = {name: getattr(self, name) for name in ConnectionConfig.model_fields}
        return {source: NamedConnectionConfig.model_construct(self.model_fields_set, **settings)}


class DestinationConfig(ActorConfig):
    """One destination, `_destinations/<name>.json`."""

    connector: ConnectorName
    """The connector's name, pinned in _connectors/, or the id of its definition."""


_OF_THE_SOURCE: Final = "write it in the source's _source.json: it holds for all of the source's streams"
MISPLACED: Final[Mapping[type[BaseModel], Mapping[str, str]]] = {
    StreamConfig: {
        **dict.fromkeys(SourceConfig.model_fields.keys() - {*StreamConfig.model_fields, "name"}, _OF_THE_SOURCE),
        "initial_value": "delete it: the source's module says where the first run begins",
    }
}
"""Keys that a file may not have although other files or tools do, and what to do about each."""
