"""The files of an import, as texts: stream files, and the file for `pulumi import`.

Each function makes one file of existing objects, or raises `UnsupportedError` with the reasons. It writes nothing.
`secrets` has replaced the secrets of configurations before. A name that holds a credential is in no file either.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import yaml
from airbyte_model.modes import KEYLESS_MODES, MODES
from pydantic import JsonValue, TypeAdapter, ValidationError

from lotus_infra.importer.model import (
    ExistingActor,
    ExistingConnection,
    ExistingDefinition,
    ExistingStream,
    SourceSchema,
    described,
)
from lotus_infra.lake.connectors import facts_of
from lotus_infra.lake.diagnostics import JsonPath, format_path
from lotus_infra.lake.discovered import Connector, file_text
from lotus_infra.lake.lake import CONNECTORS_FOLDER, DESTINATIONS_FOLDER, DISCOVERED_FOLDER, SOURCE_FILE
from lotus_infra.lake.models import DestinationConfig, Field, LakeFile, SourceConfig, StreamConfig
from lotus_infra.lake.reading import explain_validation_error
from lotus_infra.lake.secrecy import holds_credential

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
class PlannedConnection:
    """A connection as a source's file has it.

    Attributes:
        name: Its name among the source's connections; that of the folder for the one of the short form.
        label: Its name in Airbyte if the file must have it; empty for the default one.
        destination: The destination's file name.
        streams: The names of the stream files that it takes; None for all of the source.
        existing: The connection in Airbyte.
    """

    name: str
    label: str
    destination: str
    streams: tuple[str, ...] | None
    existing: ExistingConnection


def source_file(
    folder: str,
    source: ExistingActor,
    connector: str,
    configuration: Mapping[str, JsonValue],
    connections: Sequence[PlannedConnection],
) -> tuple[SourceConfig, PlannedFile]:
    """The file of a source and its connections: in the short form if that can express them.

    Raises:
        UnsupportedError: The file can't express one of their settings.
    """
    document: dict[str, JsonValue] = {
        "$schema": "../.schema/source.json",
        "connector": connector,
        "name": source.label,
        "configuration": dict(configuration),
        **_allocation(source),
    }
    [first, *others] = connections
    if others or _needs_long_form(folder, first):
        document["connections"] = {each.name: _long_form(each) for each in connections}
    else:
        document |= _settings(first)
    return _validate(SourceConfig, f"{folder}/{SOURCE_FILE}", document)


def _needs_long_form(folder: str, connection: PlannedConnection) -> bool:
    """Whether the one connection of a source has a setting that the short form lacks."""
    named = connection.name != folder or connection.label != ""
    return named or connection.streams is not None or bool(connection.existing.resources)


def _long_form(connection: PlannedConnection) -> dict[str, JsonValue]:
    found = connection.existing
    return {
        **({"name": connection.label} if connection.label else {}),
        **_settings(connection),
        **({"streams": list(connection.streams)} if connection.streams is not None else {}),
        **({"resource_requirements": dict(found.resources)} if found.resources else {}),
    }


def _settings(connection: PlannedConnection) -> dict[str, JsonValue]:
    """The settings of a connection that both forms have; those of Airbyte's defaults are left out."""
    found = connection.existing
    if found.schedule is None:
        raise UnsupportedError(Reason("its schedule is invalid", "set a cron schedule in Airbyte"))
    definition, written = namespace_of(found)
    namespace: dict[str, JsonValue] = (
        {"namespace": written} if definition == "custom_format" else {"namespace_definition": definition}
    )
    settings: dict[str, JsonValue] = {
        "destination": connection.destination,
        **namespace,
        "prefix": found.prefix,
        "schedule": found.schedule.model_dump(mode="json", exclude_none=True),
    }
    if found.status != "active":
        settings["status"] = found.status
    if found.tags:
        settings["tags"] = list(found.tags)
    settings["non_breaking_changes"] = found.non_breaking_changes
    if found.notify_schema_changes:
        settings["notify_schema_changes"] = True
    return settings


def namespace_of(connection: ExistingConnection) -> tuple[str, str]:
    """Where a connection writes: the public API's word and the format; a custom namespace without one is the default.

    Airbyte treats it as `destination` (airbyte-platform, NamespaceDefinitionType).
    """
    if connection.namespace_definition != "custom_format":
        return connection.namespace_definition, ""
    return ("custom_format", connection.namespace_format) if connection.namespace_format else ("destination", "")


def _allocation(actor: ExistingActor) -> dict[str, JsonValue]:
    """The CPU and memory of a source or destination as an entry of its file; empty for Airbyte's own default."""
    given = actor.allocation
    default: dict[str, JsonValue] = {"default": dict(given.default)} if given.default else {}
    jobs: dict[str, JsonValue] = {kind: dict(resources) for kind, resources in given.jobs.items()}
    return {"resource_allocation": {**default, **({"jobs": jobs} if jobs else {})}} if given else {}


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
        **_allocation(destination),
    }
    return _validate(DestinationConfig, f"{DESTINATIONS_FOLDER}/{name}.json", document)


def connector_files(
    name: str, definition: ExistingDefinition, spec: Mapping[str, JsonValue]
) -> tuple[Connector, tuple[PlannedFile, ...]]:
    """The files of a connector of the workspace's own: its specification, and its manifest if it has one.

    Args:
        name: The connector's name.
        definition: The definition in Airbyte.
        spec: The JSON Schema of its configuration.

    Raises:
        UnsupportedError: The files can't express it.
    """
    document: dict[str, JsonValue] = {
        "$schema": "../.schema/connector.json",
        "connector": name,
        **({"name": definition.label} if definition.label != name else {}),
    }
    files: tuple[PlannedFile, ...] = ()
    if definition.manifest is None:
        document["image"] = {"repository": definition.repository, "tag": definition.version}
    else:
        document["manifest"] = f"{name}.yaml"
        _refuse_unwritable(dict(definition.manifest), f"{name}.yaml")
        text = yaml.safe_dump(dict(definition.manifest), sort_keys=False, allow_unicode=True)
        files = (PlannedFile(f"{CONNECTORS_FOLDER}/{name}.yaml", text),)
    if definition.modes:
        document["destination_sync_modes"] = list(definition.modes)
    document["spec"] = facts_of(dict(spec))
    parsed, file = _validate(Connector, f"{CONNECTORS_FOLDER}/{name}.json", document)
    return parsed, (file, *files)


def stream_file(
    path: str,
    stream: ExistingStream,
    mappers: Sequence[Mapping[str, JsonValue]],
    schema: SourceSchema,
    *,
    own_namespace: bool,
) -> tuple[StreamConfig, PlannedFile]:
    """The file of a stream.

    Args:
        path: The file's path in the lake.
        stream: The stream.
        mappers: Its mappers as the file has them, with references in place of secrets.
        schema: The source's schema, as much as is known.
        own_namespace: Whether the file must have the stream's namespace, because no discovered file has it.

    Raises:
        UnsupportedError: The file can't express one of its settings.
    """
    reasons = tuple(_unsupported(stream))
    if reasons:
        raise UnsupportedError(*reasons)
    pair = next(pair for pair, mode in MODES.items() if mode == stream.mode)
    document: dict[str, JsonValue] = {
        "$schema": "../.schema/stream.json",
        "stream": stream.name,
        **({"namespace": stream.namespace} if stream.namespace is not None and own_namespace else {}),
        "sync_mode": pair[0],
        "destination_sync_mode": pair[1],
        "primary_key": [] if stream.mode in KEYLESS_MODES else [list(path) for path in stream.key],
        "cursor_field": list(stream.cursor) if pair[0] == "incremental" else [],
        "selected": True,
    }
    if stream.fields is not None:
        discovered = described(schema, stream.identity)
        known = discovered.fields if discovered is not None else {}
        fields = {name: known.get(name, _UNKNOWN) for name in stream.fields}
        document["fields"] = _FIELDS.dump_python(fields, mode="json", exclude_none=True)
    if mappers:
        document["mappers"] = [dict(each) for each in mappers]
    if stream.include_files:
        document["include_files"] = True
    if stream.object_name is not None:
        document["destination_object_name"] = stream.object_name
    return _validate(StreamConfig, path, document)


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
    if stream.mode not in MODES.values():
        yield Reason(f"{stream.name} has a sync mode that the public API has no word for", "choose another in Airbyte")
    for each in stream.unsupported:
        yield Reason(
            f"{stream.name} has {each}, which stream files don't support",
            "remove it in Airbyte, or leave the connection to Airbyte: a `pulumi up` would remove it",
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
        kind: `source`, `destination`, `connection`, `tag`, or a kind of definition.
        name: The resource's name in the program.
        id: The object's id.
        label: Its name in Airbyte.
        address: Its address in the Terraform state; empty if it is not in one.
        pipeline: The pipeline that is its parent; empty for none.
        parent: The pipeline's URN if the stack's state has it already.
    """

    kind: str
    name: str
    id: str
    label: str
    address: str = ""
    pipeline: str = ""
    parent: str = ""

    @property
    def type(self) -> str:
        """Its type in the program."""
        return f"airbyte:index/{self.kind}:{self.kind[0].upper()}{self.kind[1:]}"


def import_file(resources: Iterable[ImportedResource]) -> str:
    """The text of the file for `pulumi import --file`.

    Its names are unique in the file. The program's names are `logicalName`s, because a source, its connection and the
    pipeline of both share one. The pipeline's component is declared so that its children get the program's URNs; one
    that the state has already is named by its URN.
    """
    listed = tuple(resources)
    known: dict[str, JsonValue] = {f"{each.pipeline}-pipeline": each.parent for each in listed if each.parent}
    document: dict[str, JsonValue] = {"nameTable": known} if known else {}
    document["resources"] = list(_import_entries(listed))
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _import_entries(resources: Iterable[ImportedResource]) -> Iterator[dict[str, JsonValue]]:
    declared: set[str] = set()
    for each in resources:
        entry: dict[str, JsonValue] = {"type": each.type, "name": f"{each.name}-{each.kind}", "id": each.id}
        entry["logicalName"] = each.name
        if each.pipeline:
            pipeline = f"{each.pipeline}-pipeline"
            if pipeline not in declared and not each.parent:
                declared.add(pipeline)
                yield {"type": _PIPELINE, "name": pipeline, "logicalName": each.pipeline, "component": True}
            entry["parent"] = pipeline
        yield entry
