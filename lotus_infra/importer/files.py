"""The files of an import, as texts: stream files, the file for `pulumi import`, and references in place of secrets.

Each function makes one file of existing objects, or raises `UnsupportedError` with the reasons. It writes nothing.

No value of a secret gets into a file. The connector's specification names the secrets if it is pinned, else the
server's masks do. If neither is available, a value whose key or text looks like a secret counts as one: an unneeded
secret in the stack does no harm, a secret in a file does.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from airbyte_model.modes import KEYLESS_MODES, MODES
from airbyte_model.secrets import MASK, is_stored
from airbyte_model.specifications import Specification
from pydantic import JsonValue, TypeAdapter, ValidationError

from lotus_infra import naming
from lotus_infra.importer.model import ExistingActor, ExistingConnection, ExistingStream, SourceSchema
from lotus_infra.lake.diagnostics import JsonPath, format_path
from lotus_infra.lake.discovered import file_text
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, DISCOVERED_FOLDER, SOURCE_FILE
from lotus_infra.lake.models import DestinationConfig, Field, LakeFile, SourceConfig, StreamConfig
from lotus_infra.lake.reading import explain_validation_error
from lotus_infra.lake.references import SECRET, walk_leaves
from lotus_infra.naming import is_identifier

IMPORT_COMMAND: Final = "pulumi import --file {} --protect=false --generate-code=false"
"""The program exists and decides what is protected, so that the import generates no code and protects nothing."""
_PIPELINE: Final = "lotus:airbyte:Pipeline"
_FIELDS: Final = TypeAdapter(dict[str, Field])
_UNKNOWN: Final = Field("unknown")
_SECRET_KEY: Final = re.compile(
    r"pass(word|wd|phrase|code)?($|_)|secret|token|key($|_|s$)|credential|private|bearer|cookie|signature"
    r"|connection_string|dsn|pem$|cert|auth(orization)?$|webhook|jwt|service_account",
    re.IGNORECASE,
)
_PUBLIC_KEY: Final = re.compile(
    r"(_type|_method|_mode|_path|_url|_header|_name|_field|_fields)$|^primary_key|^public", re.IGNORECASE
)
_SECRET_TEXT: Final = re.compile(
    r"-----BEGIN|://[^/\s:@]+:[^/\s@]+@|\bprivate_key\b|^eyJ[A-Za-z0-9_-]{8}|^(AKIA|ghp_|shpat_|xox|sk_|pk_)"
)
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
    return [name for name, field in stream.fields.items() if field.type == "unknown"]


def discovered_files(folder: str, schema: SourceSchema) -> Iterator[PlannedFile]:
    """The files of a source's discovered schema, as `lotus discover` writes them."""
    for name, stream in sorted(schema.items()):
        yield PlannedFile(f"{folder}/{DISCOVERED_FOLDER}/{name}.json", file_text(stream))


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
    try:
        parsed = model.model_validate(document)
    except ValidationError as error:
        found = explain_validation_error(error, model, document, path)
        reasons = (Reason(f"{format_path(each.path)} {each.what}", f"in Airbyte: {each.remedy}") for each in found)
        raise UnsupportedError(*reasons) from None
    return parsed, PlannedFile(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


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


# Secrets


@dataclass(frozen=True, slots=True)
class SecretUse:
    """A reference to a secret in a new file, for which the stack needs a value.

    Attributes:
        name: The secret's name in the stack.
        file: The file with the reference, in the lake.
        place: The reference's field in the file.
    """

    name: str
    file: str
    place: str


@dataclass
class SecretNames:
    """The names of a lake's secrets; each new secret gets a free one."""

    taken: set[str] = field(default_factory=set)

    def name(self, owner: str, path: JsonPath) -> str:
        """The shortest free name that the end of a field's path makes, or else a numbered one."""
        ends = [naming.secret(owner, path[-length:]) for length in range(1, len(path) + 1)]
        numbered = (f"{ends[-1]}_{number}" for number in range(2, len(self.taken) + 3))
        chosen = next(name for name in (*ends, *numbered) if name not in self.taken)
        self.taken.add(chosen)
        return chosen


@dataclass(frozen=True, slots=True)
class ConfigurationOwner:
    """The source or destination of a configuration: its name, the prefix of its secrets' names, and its file."""

    name: str
    file: str


@dataclass(frozen=True, slots=True)
class ReferencedConfiguration:
    """A configuration with references in place of secrets, and these references."""

    configuration: dict[str, JsonValue]
    secrets: tuple[SecretUse, ...]


def replace_secrets(
    configuration: Mapping[str, JsonValue],
    owner: ConfigurationOwner,
    names: SecretNames,
    spec: Specification | None,
    *,
    masked: bool,
) -> ReferencedConfiguration:
    """Replace the secrets of a configuration by references.

    Args:
        configuration: The existing configuration.
        owner: Its source or destination.
        names: The taken names.
        spec: The connector's specification, if it is pinned.
        masked: Whether the server has masked every value that its specification marks as secret.
    """
    uses: dict[JsonPath, SecretUse] = {}
    unspecified = {path for path, _ in spec.unknown_keys(dict(configuration))} if spec is not None else {()}
    for path, leaf in walk_leaves(dict(configuration)):
        is_unspecified = any(path[:length] in unspecified for length in range(len(path) + 1))
        if _is_secret(path, leaf, spec, guess=is_unspecified and not masked):
            place = format_path(("configuration", *path))
            uses[path] = SecretUse(names.name(owner.name, path), owner.file, place)
    replaced = _with_references(dict(configuration), uses, ())
    return ReferencedConfiguration(replaced if isinstance(replaced, dict) else {}, tuple(uses.values()))


def _is_secret(path: JsonPath, leaf: JsonValue, spec: Specification | None, *, guess: bool) -> bool:
    if leaf is None or isinstance(leaf, bool) or leaf in ({}, []):
        return False
    if leaf == MASK:
        return True
    # The coordinate of a stored secret is no secret itself.
    if is_stored(leaf):
        return False
    if spec is not None and spec.is_secret(path):
        return True
    return guess and isinstance(leaf, str) and bool(leaf) and _looks_secret(path, leaf)


def _looks_secret(path: JsonPath, leaf: str) -> bool:
    key = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    by_key = _SECRET_KEY.search(key) is not None and _PUBLIC_KEY.search(key) is None
    return by_key or _SECRET_TEXT.search(leaf) is not None


def _with_references(value: JsonValue, uses: Mapping[JsonPath, SecretUse], path: JsonPath) -> JsonValue:
    if path in uses:
        return {SECRET: uses[path].name}
    if isinstance(value, dict):
        return {key: _with_references(inner, uses, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_references(inner, uses, (*path, index)) for index, inner in enumerate(value)]
    return value
