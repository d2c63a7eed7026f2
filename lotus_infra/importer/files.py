"""The files of an import, as texts: stream files, and the file for `pulumi import`.

Each function makes one file of existing objects, or raises `UnsupportedError` with the reasons. It writes nothing.
`secrets` has replaced the secrets of configurations before. A name that holds a credential is in no file either.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from airbyte_model.modes import KEYLESS_MODES, MODES
from pydantic import JsonValue, TypeAdapter, ValidationError

from lotus_infra.importer.model import ExistingActor, ExistingConnection, ExistingStream, SourceSchema
from lotus_infra.lake.diagnostics import JsonPath, format_path
from lotus_infra.lake.discovered import file_text
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, DISCOVERED_FOLDER, SOURCE_FILE
from lotus_infra.lake.models import DestinationConfig, Field, LakeFile, SourceConfig, StreamConfig
from lotus_infra.lake.reading import explain_validation_error
from lotus_infra.lake.secrecy import holds_credential
from lotus_infra.naming import is_identifier

IMPORT_COMMAND: Final = "pulumi import --file {} --protect=false --generate-code=false"
"""The program exists and decides what is protected, so that the import generates no code and protects nothing."""
_PIPELINE: Final = "lotus:airbyte:Pipeline"
_FIELDS: Final = TypeAdapter(dict[str, Field])
_UNKNOWN: Final = Field("unknown")
File = TypeVar("File", bound=LakeFile)


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file to write: its path in the lake, and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a file can't express something, and what to do."""

    what: str
    remedy: str


class UnsupportedError(Exception):
    """Existing objects that the lake's files can't express.

    Attributes:
        reasons: One or more.
    """

    def __init__(self, *reasons: Reason) -> None:
        super().__init__()
        self.reasons = reasons


# The lake's files


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """The settings of a source's file that are the lake's own: connector, destination's file name, and namespace."""

    connector: str
    destination: str
    namespace: str


def source_file(
    folder: str,
    source: ExistingActor,
    connection: ExistingConnection,
    configuration: Mapping[str, JsonValue],
    settings: SourceSettings,
) -> tuple[SourceConfig, PlannedFile]:
    """The file of a source and its connection.

    Raises:
        UnsupportedError: The file can't express one of their settings.
    """
    if connection.schedule is None:
        raise UnsupportedError(Reason("its schedule is invalid", "set a cron schedule in Airbyte"))
    document: dict[str, JsonValue] = {
        "$schema": "../.schema/source.json",
        "connector": settings.connector,
        "name": source.label,
        "configuration": dict(configuration),
        "destination": settings.destination,
        "namespace": settings.namespace,
        "prefix": connection.prefix,
        "schedule": connection.schedule.model_dump(mode="json", exclude_none=True),
        "non_breaking_changes": connection.non_breaking_changes,
    }
    if connection.notify_schema_changes:
        document["notify_schema_changes"] = True
    return _validate(SourceConfig, f"{folder}/{SOURCE_FILE}", document)


def destination_file(
    name: str, destination: ExistingActor, configuration: Mapping[str, JsonValue], connector: str
) -> tuple[DestinationConfig, PlannedFile]:
    """The file of a destination.

    Raises:
        UnsupportedError: The file can't express one of its settings.
    """
    document: dict[str, JsonValue] = {
        "$schema": "../.schema/destination.json",
        "connector": connector,
        "name": destination.label,
        "configuration": dict(configuration),
    }
    return _validate(DestinationConfig, f"{DESTINATIONS_FOLDER}/{name}.json", document)


def stream_file(folder: str, stream: ExistingStream, schema: SourceSchema | None) -> tuple[StreamConfig, PlannedFile]:
    """The file of a stream.

    Args:
        folder: Its source's folder.
        stream: The stream.
        schema: The source's schema; None if unknown.

    Raises:
        UnsupportedError: The file can't express one of its settings.
    """
    reasons = tuple(_unsupported(stream))
    if reasons:
        raise UnsupportedError(*reasons)
    pair = next(pair for pair, mode in MODES.items() if mode == stream.mode)
    discovered = (schema or {}).get(stream.name)
    known = discovered.fields if discovered is not None else {}
    names = stream.fields if stream.fields is not None else tuple(known)
    if not names:
        what = f"the fields of {stream.name} are not known, and it takes all of them"
        raise UnsupportedError(Reason(what, "run it where Airbyte can be reached"))
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
    return _validate(StreamConfig, f"{folder}/{stream.name}.json", document)


def untyped_fields(stream: StreamConfig) -> list[str]:
    """The fields of a stream file whose type is unknown."""
    return [name for name, field in (stream.fields or {}).items() if field.type == "unknown"]


def discovered_files(folder: str, schema: SourceSchema) -> Iterator[PlannedFile]:
    """The files of a source's discovered schema, as `lotus discover` writes them.

    Raises:
        UnsupportedError: A name in it holds a credential.
    """
    for name, stream in sorted(schema.items()):
        text = file_text(stream)
        _refuse_unwritable(json.loads(text), f"{DISCOVERED_FOLDER}/{name}.json")
        yield PlannedFile(f"{folder}/{DISCOVERED_FOLDER}/{name}.json", text)


def _unsupported(stream: ExistingStream) -> Iterator[Reason]:
    if not is_identifier(stream.name):
        yield Reason(
            f'the stream "{stream.name}" can\'t name a file',
            "leave it to Airbyte: a lake's streams have lower-case letters, digits and underscores",
        )
    if stream.mode not in MODES.values():
        yield Reason(f"{stream.name} has a sync mode that the public API has no word for", "choose another in Airbyte")
    for each in stream.unsupported:
        yield Reason(
            f"{stream.name} has {each}, which stream files don't support",
            "remove it in Airbyte, or leave the source to Airbyte: a `pulumi up` would remove it",
        )


def _validate(model: type[File], path: str, document: dict[str, JsonValue]) -> tuple[File, PlannedFile]:
    # A file that the lake's own loader would refuse must not be written.
    _refuse_unwritable(document, path.rpartition("/")[2])
    try:
        parsed = model.model_validate(document)
    except ValidationError as error:
        found = explain_validation_error(error, model, document, path)
        reasons = (Reason(f"{format_path(each.path)} {each.what}", f"in Airbyte: {each.remedy}") for each in found)
        raise UnsupportedError(*reasons) from None
    return parsed, PlannedFile(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _refuse_unwritable(document: JsonValue, file: str) -> None:
    """Refuse a document with a credential in a name, such as a label, or with a text that is no Unicode.

    The secrets of its configuration are references already.

    Raises:
        UnsupportedError: It has one.
    """
    for path, text in _texts(document, ()):
        flaw = "a credential" if holds_credential(text) else "" if _is_unicode(text) else "a text that is not Unicode"
        if flaw:
            # A key of the path may be the credential itself.
            place = format_path(
                tuple("…" if isinstance(step, str) and holds_credential(step) else step for step in path)
            )
            raise UnsupportedError(Reason(f"{place} of {file} would hold {flaw}", "change it in Airbyte"))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(value: JsonValue, path: JsonPath) -> Iterator[tuple[JsonPath, str]]:
    """Every key and every text of a document, with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key), key
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
    elif isinstance(value, str):
        yield path, value


# The file for `pulumi import`


@dataclass(frozen=True, slots=True)
class ImportedResource:
    """An object that becomes a resource.

    Attributes:
        kind: `source`, `destination` or `connection`.
        name: The resource's name in the program.
        id: The object's id.
        label: Its name in Airbyte.
        address: Its address in the Terraform state; empty if it is not in one.
    """

    kind: str
    name: str
    id: str
    label: str
    address: str = ""

    @property
    def type(self) -> str:
        """Its type in the program."""
        return f"airbyte:index/{self.kind}:{self.kind.title()}"


def import_file(resources: Iterable[ImportedResource]) -> str:
    """The text of the file for `pulumi import --file`.

    Its names are unique in the file. The program's names are `logicalName`s, because a source, its connection and the
    pipeline of both share one. The pipeline's component is declared so that its children get the program's URNs.
    """
    return json.dumps({"resources": list(_import_entries(resources))}, indent=2, ensure_ascii=False) + "\n"


def _import_entries(resources: Iterable[ImportedResource]) -> Iterator[dict[str, JsonValue]]:
    declared: set[str] = set()
    for each in resources:
        entry: dict[str, JsonValue] = {"type": each.type, "name": f"{each.name}-{each.kind}", "id": each.id}
        entry["logicalName"] = each.name
        if each.kind != "destination":
            pipeline = f"{each.name}-pipeline"
            if pipeline not in declared:
                declared.add(pipeline)
                yield {"type": _PIPELINE, "name": pipeline, "logicalName": each.name, "component": True}
            entry["parent"] = pipeline
        yield entry
