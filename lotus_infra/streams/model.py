"""The lake's files as typed, frozen objects: a stream, a source, a destination.

The text under each field is its reference: `schema` and `handbook` hand it on to editors and to the lake's README. The
models refuse what is wrong by itself; what is wrong only next to other files is for the rules in `checks`.
"""

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic import Field as Setting

from lotus_infra.streams.fields import Field
from lotus_infra.streams.values import (
    Backfill,
    ConnectorName,
    DestinationSyncMode,
    FieldPath,
    KeyPaths,
    Label,
    Namespace,
    NonBreakingChanges,
    Prefix,
    ScheduleType,
    SyncMode,
)

Configuration = dict[str, JsonValue]


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
