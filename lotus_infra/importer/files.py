"""The lake's files that say what exists, and the reasons where they can't."""

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
from lotus_infra.importer.model import Facts, FoundActor, FoundConnection, FoundStream
from lotus_infra.lake.diagnostics import JsonPath, field_name
from lotus_infra.lake.discovered import text_of
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, DISCOVERED_FOLDER, SOURCE_FILE
from lotus_infra.lake.models import DestinationConfig, Field, LakeFile, SourceConfig, StreamConfig
from lotus_infra.lake.reading import explain
from lotus_infra.lake.references import SECRET, walk
from lotus_infra.naming import is_identifier

_FIELDS: Final = TypeAdapter(dict[str, Field])
_UNKNOWN: Final = Field("unknown")
File = TypeVar("File", bound=LakeFile)
PIPELINE: Final = "lotus:airbyte:Pipeline"
COMMAND: Final = "pulumi import --file {} --protect=false --generate-code=false"
"""The program says what is protected, and is there already: no code is wanted."""
_NAMED: Final = re.compile(
    r"pass(word|wd|phrase|code)?($|_)|secret|token|key($|_|s$)|credential|private|bearer|cookie|signature"
    r"|connection_string|dsn|pem$|cert|auth(orization)?$|webhook|jwt|service_account",
    re.IGNORECASE,
)
_PUBLIC: Final = re.compile(
    r"(_type|_method|_mode|_path|_url|_header|_name|_field|_fields)$|^primary_key|^public", re.IGNORECASE
)
_LOOKS: Final = re.compile(
    r"-----BEGIN|://[^/\s:@]+:[^/\s@]+@|\bprivate_key\b|^eyJ[A-Za-z0-9_-]{8}|^(AKIA|ghp_|shpat_|xox|sk_|pk_)"
)


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


@dataclass(frozen=True, slots=True)
class Imported:
    """An object that becomes a resource.

    Attributes:
        kind: `source`, `destination` or `connection`.
        name: The resource's name in the program.
        id: The object's id.
        label: What people see.
        address: Where Terraform has it; empty where it does not.
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


def text(objects: Iterable[Imported]) -> str:
    """The text of the file."""
    return json.dumps({"resources": list(_resources(objects))}, indent=2, ensure_ascii=False) + "\n"


def _resources(objects: Iterable[Imported]) -> Iterator[dict[str, JsonValue]]:
    declared: set[str] = set()
    for each in objects:
        resource: dict[str, JsonValue] = {"type": each.type, "name": f"{each.name}-{each.kind}", "id": each.id}
        resource["logicalName"] = each.name
        if each.kind != "destination":
            pipeline = f"{each.name}-pipeline"
            if pipeline not in declared:
                declared.add(pipeline)
                yield {"type": PIPELINE, "name": pipeline, "logicalName": each.name, "component": True}
            resource["parent"] = pipeline
        yield resource


@dataclass(frozen=True, slots=True)
class SecretUse:
    """A secret that a stack must have a value for.

    Attributes:
        name: The stack's name of it.
        file: The file that refers to it, in the lake.
        place: Where in the file.
    """

    name: str
    file: str
    place: str


@dataclass
class SecretNames:
    """Gives each secret of a lake a name of its own."""

    taken: set[str] = field(default_factory=set)

    def name(self, owner: str, path: JsonPath) -> str:
        """The shortest name that is free, made of the end of the path, or else numbered."""
        ends = [naming.secret(owner, path[-length:]) for length in range(1, len(path) + 1)]
        numbered = (f"{ends[-1]}_{number}" for number in range(2, len(self.taken) + 3))
        chosen = next(name for name in (*ends, *numbered) if name not in self.taken)
        self.taken.add(chosen)
        return chosen


@dataclass(frozen=True, slots=True)
class Holder:
    """What has a configuration: its name, which names of its secrets start with, and its file."""

    name: str
    file: str


@dataclass(frozen=True, slots=True)
class Referenced:
    """A configuration without secrets, and those that it refers to."""

    configuration: dict[str, JsonValue]
    secrets: tuple[SecretUse, ...]


def referenced(
    configuration: Mapping[str, JsonValue],
    holder: Holder,
    names: SecretNames,
    spec: Specification | None,
    *,
    masked: bool,
) -> Referenced:
    """Put references in the places of secrets.

    Args:
        configuration: As it is.
        holder: What it is the configuration of.
        names: Names that are taken.
        spec: The connector's specification, where it is pinned.
        masked: Whether the server has put masks in the places of all that it knows to be secret.
    """
    uses: dict[JsonPath, SecretUse] = {}
    unknown = {path for path, _ in spec.unknown_keys(dict(configuration))} if spec is not None else {()}
    for path, leaf in walk(dict(configuration)):
        untold = any(path[:length] in unknown for length in range(len(path) + 1))
        if _is_secret(path, leaf, spec, guessed=untold and not masked):
            place = field_name(("configuration", *path))
            uses[path] = SecretUse(names.name(holder.name, path), holder.file, place)
    made = _replaced(dict(configuration), uses, ())
    return Referenced(made if isinstance(made, dict) else {}, tuple(uses.values()))


def _is_secret(path: JsonPath, leaf: JsonValue, spec: Specification | None, *, guessed: bool) -> bool:
    if leaf is None or isinstance(leaf, bool) or leaf in ({}, []):
        return False
    if leaf == MASK:
        return True
    if is_stored(leaf):
        return False
    if spec is not None and spec.is_secret(path):
        return True
    return guessed and isinstance(leaf, str) and bool(leaf) and _seems_secret(path, leaf)


def _seems_secret(path: JsonPath, leaf: str) -> bool:
    name = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    named = _NAMED.search(name) is not None and _PUBLIC.search(name) is None
    return named or _LOOKS.search(leaf) is not None


def _replaced(value: JsonValue, uses: Mapping[JsonPath, SecretUse], path: JsonPath) -> JsonValue:
    if path in uses:
        return {SECRET: uses[path].name}
    if isinstance(value, dict):
        return {key: _replaced(inner, uses, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, uses, (*path, index)) for index, inner in enumerate(value)]
    return value
