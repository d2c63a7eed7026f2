"""The lake's files that say what exists, and the reasons where they can't."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from airbyte_model.modes import KEYLESS_MODES, MODES
from pydantic import JsonValue, TypeAdapter, ValidationError

from lotus_infra.migrate.model import Facts, FoundActor, FoundConnection, FoundStream
from lotus_infra.naming import is_identifier
from lotus_infra.streams.discovery import text_of
from lotus_infra.streams.explain import explain
from lotus_infra.streams.fields import Field
from lotus_infra.streams.lake import DESTINATIONS_FOLDER, DISCOVERED_FOLDER, SOURCE_FILE
from lotus_infra.streams.model import DestinationConfig, LakeFile, SourceConfig, StreamConfig
from lotus_infra.streams.problems import field_name

_FIELDS: Final = TypeAdapter(dict[str, Field])
_UNKNOWN: Final = Field("unknown")
File = TypeVar("File", bound=LakeFile)


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file to be written: its path in the lake, and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something can't be said in a file, and what to do."""

    what: str
    remedy: str


class UnsayableError(Exception):
    """Something that the lake's files can't say.

    Attributes:
        reasons: Why, one or more.
    """

    def __init__(self, *reasons: Reason) -> None:
        super().__init__()
        self.reasons = reasons


def stream_file(folder: str, stream: FoundStream, facts: Facts | None) -> tuple[StreamConfig, PlannedFile]:
    """The file of a stream.

    Args:
        folder: Its source's.
        stream: The stream.
        facts: What the source has; None where that is not known.

    Raises:
        UnsayableError: It has something that no file can say.
    """
    reasons = tuple(_unsayable(stream))
    if reasons:
        raise UnsayableError(*reasons)
    pair = next(pair for pair, mode in MODES.items() if mode == stream.mode)
    found = (facts or {}).get(stream.name)
    known = found.fields if found is not None else {}
    names = stream.fields if stream.fields is not None else tuple(known)
    if not names:
        what = f"the fields of {stream.name} are not known, and it takes all of them"
        raise UnsayableError(Reason(what, "run it where Airbyte can be asked"))
    fields = {name: known.get(name, _UNKNOWN) for name in names}
    document: dict[str, JsonValue] = {
        "$schema": "../.schema/stream.json",
        "stream": stream.name,
        "sync_mode": pair[0],
        "destination_sync_mode": pair[1],
        "primary_key": [] if stream.mode in KEYLESS_MODES else [list(path) for path in stream.key],
        "cursor_field": list(stream.cursor) if pair[0] == "incremental" else [],
        "selected": True,
        "fields": _FIELDS.dump_python(fields, mode="json", exclude_none=True),
    }
    return _parsed(StreamConfig, f"{folder}/{stream.name}.json", document)


def untyped(stream: StreamConfig) -> list[str]:
    """The fields of a stream whose type nobody knew."""
    return [name for name, field in stream.fields.items() if field.type == "unknown"]


def _unsayable(stream: FoundStream) -> Iterator[Reason]:
    if not is_identifier(stream.name):
        yield Reason(
            f'the stream "{stream.name}" can\'t name a file',
            "leave it to Airbyte: a lake's streams have lower-case letters, digits and underscores",
        )
    if stream.mode not in MODES.values():
        yield Reason(f"{stream.name} has a sync mode that the public API has no word for", "choose another in Airbyte")
    for each in stream.beyond:
        yield Reason(
            f"{stream.name} has {each}, which stream files can't say",
            "take it off in Airbyte, or leave the source to Airbyte: a `pulumi up` would take it off",
        )


def source_file(
    folder: str, source: FoundActor, connection: FoundConnection, configuration: Mapping[str, JsonValue], names: "Names"
) -> tuple[SourceConfig, PlannedFile]:
    """The file of a source and its connection.

    Raises:
        UnsayableError: It has something that the file can't say.
    """
    if connection.schedule is None:
        raise UnsayableError(Reason("its schedule is not understood", "set a cron schedule in Airbyte"))
    document: dict[str, JsonValue] = {
        "$schema": "../.schema/source.json",
        "connector": names.connector,
        "name": source.label,
        "configuration": dict(configuration),
        "destination": names.destination,
        "namespace": names.namespace,
        "prefix": connection.prefix,
        "schedule": connection.schedule.model_dump(mode="json", exclude_none=True),
        "non_breaking_changes": connection.non_breaking_changes,
    }
    if connection.notify_schema_changes:
        document["notify_schema_changes"] = True
    return _parsed(SourceConfig, f"{folder}/{SOURCE_FILE}", document)


@dataclass(frozen=True, slots=True)
class Names:
    """What a source's file names: its connector, its destination's file, and its namespace."""

    connector: str
    destination: str
    namespace: str


def destination_file(
    name: str, destination: FoundActor, configuration: Mapping[str, JsonValue], connector: str
) -> tuple[DestinationConfig, PlannedFile]:
    """The file of a destination.

    Raises:
        UnsayableError: It has something that the file can't say.
    """
    document: dict[str, JsonValue] = {
        "$schema": "../.schema/destination.json",
        "connector": connector,
        "name": destination.label,
        "configuration": dict(configuration),
    }
    return _parsed(DestinationConfig, f"{DESTINATIONS_FOLDER}/{name}.json", document)


def discovered_files(folder: str, facts: Facts) -> Iterator[PlannedFile]:
    """The files of what a source has, as `lotus discover` writes them."""
    for name, found in sorted(facts.items()):
        yield PlannedFile(f"{folder}/{DISCOVERED_FOLDER}/{name}.json", text_of(found))


def _parsed(model: type[File], path: str, document: dict[str, JsonValue]) -> tuple[File, PlannedFile]:
    try:
        parsed = model.model_validate(document)
    except ValidationError as error:
        found = explain(error, model, document, path)
        reasons = (Reason(f"{field_name(each.path)} {each.what}", f"in Airbyte: {each.remedy}") for each in found)
        raise UnsayableError(*reasons) from None
    return parsed, PlannedFile(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
