"""The lake's files as typed, frozen objects: a stream, a source, a destination.

The text under each field is its reference: `schema` and `handbook` hand it on to editors and to the lake's README. The
models refuse what is wrong by itself; what is wrong only next to other files is for the rules in `checks`.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, JsonValue, StrictBool
from pydantic import Field as Setting
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from lotus_infra.naming import is_identifier

REFUSED = "lotus_refused"
SyncMode = Literal["full_refresh", "incremental"]
DestinationSyncMode = Literal["overwrite", "append", "append_dedup", "overwrite_dedup", "update", "soft_delete"]
TypeName = Literal["string", "integer", "number", "boolean", "object", "array", "null", "unknown"]
NonBreakingChanges = Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"]
ScheduleType = Literal["cron", "basic", "manual"]
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CONNECTOR = re.compile(r"(source|destination)-[a-z0-9]+(-[a-z0-9]+)*")
_PREFIX = re.compile(r"[a-z0-9_]*")
FieldPath = tuple[str, ...]
Configuration = dict[str, JsonValue]


def refused(what: str, remedy: str) -> PydanticCustomError:
    """The error that a validator raises: what is wrong, and what to do about it."""
    return PydanticCustomError(REFUSED, "{what}: {remedy}", {"what": what, "remedy": remedy})


def is_definition_id(connector: str) -> bool:
    """Whether a connector is given by the id of its definition rather than by its name."""
    return _UUID.fullmatch(connector) is not None


def _backfill(value: object) -> object:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise refused("must be true, false or a token", 'write a token such as "2026-02-01-reprice"')
    if value.casefold() in {"true", "false"}:
        raise refused("is a token that looks like a boolean", f"write {value.casefold()} without quotes")
    if _TOKEN.fullmatch(value) is None:
        raise refused("can't be a token", "use 1 to 100 letters, digits, dots, colons, dashes and underscores")
    return value


def _key_paths(value: object) -> object:
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        written = ", ".join(f'["{part}"]' for part in value)
        raise refused("is a list of names where a list of paths belongs", f"write [{written}]")
    return value


def _label(value: str) -> str:
    if not value.strip() or value != value.strip() or not value.isprintable():
        raise refused("can't be a label", "use printable text that neither starts nor ends with a blank")
    return value


def _namespace(value: str) -> str:
    if not is_identifier(value):
        raise refused("can't be a namespace", "use lower-case letters, digits and underscores, a letter first")
    return value


def _prefix(value: str) -> str:
    if _PREFIX.fullmatch(value) is None:
        raise refused("can't be a prefix", "use lower-case letters, digits and underscores")
    return value


def _connector(value: str) -> str:
    if _CONNECTOR.fullmatch(value) is None and not is_definition_id(value):
        raise refused(
            "is neither a connector's name nor a definition id",
            'write a name such as "source-shopify" or the UUID of a definition',
        )
    return value


def _definition_id(value: str) -> str:
    if not is_definition_id(value):
        raise refused("is not a definition id", "write the UUID that Airbyte knows it by")
    return value.lower()


Backfill = Annotated[StrictBool | str, BeforeValidator(_backfill)]


KeyPaths = Annotated[tuple[FieldPath, ...], BeforeValidator(_key_paths)]


Label = Annotated[str, AfterValidator(_label)]


Namespace = Annotated[str, AfterValidator(_namespace)]


Prefix = Annotated[str, AfterValidator(_prefix)]


ConnectorName = Annotated[str, AfterValidator(_connector)]


DefinitionId = Annotated[str, AfterValidator(_definition_id)]


def _as_field(value: object) -> object:
    """Read a bare map of fields as the object that it describes: lake files write array items in either way."""
    if isinstance(value, dict) and not isinstance(value.get("type"), str | list):
        return {"type": "object", "properties": value} if value else {"type": "unknown"}
    return value


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid", use_attribute_docstrings=True))
class Field:
    """One field: its JSON type and, for objects and arrays, what is inside."""

    type: TypeName | tuple[TypeName, ...]
    """JSON type, or a list of types; "null" makes no difference and "unknown" agrees with every type."""

    format: str | None = None
    """JSON Schema format of a string, such as "date-time"."""

    airbyte_type: str | None = None
    """Airbyte's closer type of a string, such as "timestamp_with_timezone"."""

    description: str | None = None
    """What the field means, for people."""

    properties: "dict[str, Field] | None" = None
    """The fields of an object."""

    items: "Annotated[Field | None, BeforeValidator(_as_field, json_schema_input_type=Field | dict[str, Field])]" = None
    """What an array holds: a field, or a bare map of fields for an array of objects."""

    @property
    def types(self) -> frozenset[str]:
        """The field's types without "null"; empty when it says nothing about them."""
        names = frozenset({self.type} if isinstance(self.type, str) else self.type) - {"null"}
        return frozenset() if "unknown" in names else names


class LakeModel(BaseModel):
    """What all the lake's models share: unknown keys are refused and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class LakeFile(LakeModel):
    """What all the files that people write share."""

    schema_uri: str | None = Setting(default=None, alias="$schema")
    """Where an editor finds this format's JSON Schema; Lotus does not read it."""


class StreamConfig(LakeFile):
    """One stream that the lake wants, `<source>/<stream>.json`."""

    stream: str
    """The stream as the source calls it; the file has the same name."""

    sync_mode: SyncMode
    """How the source is read: everything each time, or what is new since the cursor."""

    destination_sync_mode: DestinationSyncMode
    """What happens to the rows that the destination already has."""

    backfill: Backfill = False
    """Asks for one more read from the beginning: by a new token, or by true where it was false."""

    primary_key: KeyPaths = ()
    """The paths of the fields that make a row unique, such as [["id"]]."""

    cursor_field: FieldPath = ()
    """The path of the field that tells new rows from old ones; incremental streams only."""

    selected: bool = Setting(default=True, strict=True)
    """False keeps the file and leaves the stream out of the connection."""

    fields: dict[str, Field]
    """The top-level fields to bring in, each with its type; what the source has beyond them stays behind."""


class Schedule(LakeModel):
    """When a source syncs."""

    type: ScheduleType
    """By a cron expression, every so often, or only when someone asks."""

    cron: str | None = None
    """Quartz expression, seconds first, such as "0 0 * * * ?" for every hour; for type "cron" only."""

    time_zone: str | None = None
    """The zone of the expression, such as "Europe/Berlin"; by default UTC; for type "cron" only."""

    every: str | None = None
    """How often, such as "1 hours": minutes, hours, days, weeks or months; for type "basic" only."""


MANUAL = Schedule(type="manual")


class SourceConfig(LakeFile):
    """One source and its connection, `<source>/_source.json`."""

    connector: ConnectorName
    """The connector's name, pinned in _connectors/, or the id of its definition."""

    name: Label | None = None
    """The label that people see in Airbyte; by default the folder's name in title case."""

    configuration: Configuration
    """What the connector asks for, with {"$secret": name} and {"$config": name} for what differs by stack."""

    destination: str = "s3"
    """The file in _destinations/ that says where the data goes."""

    namespace: Namespace | None = None
    """The folder of the lake that the streams are written under; by default the source's folder."""

    prefix: Prefix = ""
    """What is put before the name of each stream at the destination."""

    schedule: Schedule = MANUAL
    """When the source syncs; by default only when someone asks."""

    non_breaking_changes: NonBreakingChanges = "propagate_columns"
    """What Airbyte does when the source gains columns or streams."""

    notify_schema_changes: bool | None = Setting(default=None, strict=True)
    """Whether Airbyte's workspace tells of changes of the source's schema; by default as Airbyte has it."""


class DestinationConfig(LakeFile):
    """One destination, `_destinations/<name>.json`."""

    connector: ConnectorName
    """The connector's name, pinned in _connectors/, or the id of its definition."""

    name: Label | None = None
    """The label that people see in Airbyte; by default the file's name in title case."""

    configuration: Configuration
    """What the connector asks for, by reference (such as {"$landing": "bucket"}) for what differs by stack."""
