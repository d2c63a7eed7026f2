"""The layout of the files that a destination writes.

Sensors, models and `lotus status` read one layout: Parquet files, one folder for each day, below the stream's prefix.
They ignore every other key, so a destination with another layout would look like one to which nothing was written.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from airbyte_model.places import column_name, folder_of, has_dots_alone

from lotus_infra import naming
from lotus_infra.lake.capabilities import TABLE, Place
from lotus_infra.lake.checks.rule import MOST_OF_A_FILE
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import BUCKET_PATH, DESTINATIONS_FOLDER, S3, Connection, Lake, StreamFile
from lotus_infra.lake.landed import mapped_fields
from lotus_infra.lake.models import Configuration, Field, is_definition_id
from lotus_infra.lake.references import Reference, is_reference, parse_reference

_PATH_FORMAT: Final = "s3_path_format"
_FILE_NAME: Final = "file_name_pattern"
_WRITE_PATH: Final = f'write "{_PATH_FORMAT}": "{naming.PATH_FORMAT}"'
_WRITE_NAME: Final = f'write "{_FILE_NAME}": "part_{{part_number}}.parquet"'
# The variables of a file's name with a value of each (airbytehq/airbyte, bulk CDK: ObjectStoragePathFactory).
_VARIABLES: Final = {
    "date": "2026_01_05",
    "date:yyyy_MM": "2026_01",
    "timestamp": "1",
    "timestamp:millis": "1",
    "timestamp:micros": "1",
    "part_number": "0",
    "sync_id": "1",
    "format_extension": ".parquet",
}
_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.=@ -]+")
CODECS: Final = ("UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD")
"""The codecs that DuckDB reads; the LZ4 of Airbyte's writer is Hadoop's, not Parquet's LZ4_RAW."""
_LONGEST_PLACE: Final = 900
"""Characters of a stream's prefix; S3's keys have at most 1,024 bytes, and the day and the file's name follow."""
_OWN_COLUMNS: Final = ("_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta", "_airbyte_generation_id")
_Flaw = tuple[JsonPath, str, str]


def files_are_readable(lake: Lake) -> Iterator[Diagnostic]:
    """The readers of the landing zone find the files of each destination that a source writes to."""
    used = {connection.config.destination: lake.place(connection) for connection in lake.connections}
    for name, config in lake.destinations.items():
        if name not in used or config is None:
            continue
        file = f"{DESTINATIONS_FOLDER}/{name}.json"
        if lake.is_landing(config):
            for path, what, remedy in _flaws(config.configuration):
                yield Diagnostic(file, ("configuration", *path), what, remedy)
        elif (config.connector in lake.connectors or is_definition_id(config.connector)) and not _has_models(
            used[name]
        ):
            other = "writes into another bucket than the landing zone's" if lake.is_s3(config) else f"is not {S3}"
            what, remedy = f"{other}: the lake's models read nothing that it writes", "read its data where it writes it"
            if used[name] == "warehouse":
                what = "writes into a warehouse: the lake has assets, checks and freshness of its tables, and no models"
                remedy = "`lotus scaffold` describes the tables to dbt; write models where the warehouse is"
            yield Diagnostic(file, ("connector",), what, remedy, harmless=True)


def _has_models(place: Place) -> bool:
    """Whether the lake's models read what any engine writes to a place."""
    return any(each.has_models for (_, where), each in TABLE.items() if where == place)


def places_are_readable(lake: Lake) -> Iterator[Diagnostic]:
    """The prefix of a stream's files is a key that S3 has, and that servers and disks read in one way."""
    for connection in lake.connections:
        if not lake.lands(connection):
            continue
        for stream in connection.streams:
            place = lake.place_of(connection, stream)
            remedy = f"write another namespace or prefix in {connection.file}"
            if has_dots_alone(place) and has_dots_alone(_below_path(connection, stream)):
                what = f"lands below {json.dumps(place)}, and a part of dots alone means another folder to most readers"
                yield Diagnostic(stream.file, ("stream",), what, remedy)
            elif len(place) > _LONGEST_PLACE:
                what = f"lands below a prefix of {len(place)} characters, and S3 has no keys of more than 1,024"
                yield Diagnostic(stream.file, ("stream",), what, remedy)


def _below_path(connection: Connection, stream: StreamFile) -> str:
    """The place of a stream below the destination's path, which `files_are_readable` checks."""
    return folder_of("", connection.namespace_of(stream), connection.name_of(stream))


def columns_are_distinct(lake: Lake) -> Iterator[Diagnostic]:
    """No two fields of a stream become one column: destination-s3 refuses such a stream in each sync."""
    writers = filter(lake.writes_files, lake.connections)
    for stream in {stream.file: stream for connection in writers for stream in connection.streams}.values():
        yield from islice(_repeated_columns(stream), MOST_OF_A_FILE)


def _is_plain(fields: Mapping[str, Field]) -> bool:
    """Whether all fields keep their names in files, as nearly all of nearly every lake do: then no two become one."""
    for name, field in fields.items():
        if column_name(name) != name:
            return False
        if field.properties is not None and not _is_plain(field.properties):
            return False
        if field.items is not None and not _is_plain({name: field.items}):
            return False
    return True


def _repeated_columns(stream: StreamFile) -> Iterator[Diagnostic]:
    if not stream.config.mappers and stream.fields.keys().isdisjoint(_OWN_COLUMNS) and _is_plain(stream.fields):
        return
    mapped = mapped_fields(stream)
    seen = dict.fromkeys(_OWN_COLUMNS, "a column of Airbyte's own")
    for name in mapped:
        column = column_name(name)
        other = seen.setdefault(column, json.dumps(name, ensure_ascii=False))
        if other != json.dumps(name, ensure_ascii=False):
            what = f"becomes the column {column}, as {other} does, and {S3} refuses that"
            yield Diagnostic(stream.file, ("fields", mapped[name].origin), what, "select one of the two")
    for field in mapped.values():
        if field.change == "kept":
            yield from _repeated_members(stream, ("fields", field.origin), stream.fields[field.origin])


def _repeated_members(stream: StreamFile, path: JsonPath, field: Field) -> Iterator[Diagnostic]:
    """The members of an object whose names in files are one."""
    seen: dict[str, str] = {}
    for name, inside in (field.properties or {}).items():
        other = seen.setdefault(column_name(name), name)
        if other != name:
            both = f"as {json.dumps(other, ensure_ascii=False)} does"
            what = f"becomes the member {column_name(name)}, {both}, and {S3} refuses that"
            yield Diagnostic(stream.file, (*path, "properties", name), what, f"do not select {path[1]}")
        yield from _repeated_members(stream, (*path, "properties", name), inside)
    if field.items is not None:
        yield from _repeated_members(stream, (*path, "items"), field.items)


def _flaws(configuration: Configuration) -> Iterator[_Flaw]:
    """Yield each setting that puts files where readers don't look, or makes files that they can't read."""
    yield from _flaws_of_path(configuration)
    yield from _flaws_of_path_format(configuration)
    yield from _flaws_of_file_name(configuration)
    yield from _flaws_of_format(configuration)


def _flaws_of_path(configuration: Configuration) -> Iterator[_Flaw]:
    given = configuration.get(BUCKET_PATH)
    if is_reference(given):
        reference = parse_reference(given)
        if isinstance(reference, Reference) and reference.part != "prefix":
            remedy = 'write the path, or {"$landing": "prefix"}'
            yield (BUCKET_PATH,), "depends on the stack, but the models name one path for all stacks", remedy
    elif isinstance(given, str):
        parts = given.strip("/").split("/")
        if given.strip("/") and any(part.strip() in {"", ".", ".."} for part in parts):
            remedy = f"write {json.dumps('/'.join(part for part in parts if part.strip(' .')) or naming.LANDING_PATH)}"
            yield (BUCKET_PATH,), "has an empty part, or one of dots, which Airbyte and S3 read differently", remedy


def _flaws_of_path_format(configuration: Configuration) -> Iterator[_Flaw]:
    given = configuration.get(_PATH_FORMAT)
    if is_reference(given):
        yield (_PATH_FORMAT,), "depends on the stack, but the lake's readers know one layout", _WRITE_PATH
    elif given in (None, ""):
        yield (_PATH_FORMAT,), "is missing, and the lake's readers don't know Airbyte's default", _WRITE_PATH
    elif isinstance(given, str) and re.sub("/+", "/", given).removeprefix("/") != naming.PATH_FORMAT:
        yield (_PATH_FORMAT,), "is not the layout that the lake's readers know", _WRITE_PATH


def _flaws_of_file_name(configuration: Configuration) -> Iterator[_Flaw]:
    given = configuration.get(_FILE_NAME)
    if is_reference(given):
        yield (_FILE_NAME,), "depends on the stack, but the lake's readers know one layout", _WRITE_NAME
    elif isinstance(given, str) and given:
        what = _flaw_of_file_name(given)
        if what is not None:
            yield (_FILE_NAME,), what, _WRITE_NAME


def _flaw_of_file_name(pattern: str) -> str | None:
    unknown = [found for found in _VARIABLE.findall(pattern) if found not in _VARIABLES]
    if unknown:
        return f"has {{{unknown[0]}}}, which is no variable of Airbyte's"
    name = _VARIABLE.sub(lambda found: _VARIABLES[found[1]], pattern)
    if _PLAIN_NAME.fullmatch(name) is None:
        return "has characters that the lake's readers don't expect in a file's name"
    if naming.LANDED_FILE.fullmatch(f"year=2026/month=01/day=05/{name}") is None:
        return "makes names that don't end in .parquet"
    # Airbyte puts a number behind the ending of a name that is taken, and readers would not find such a file.
    return None if "{part_number}" in pattern else "has no {part_number}, so two files can have one name"


def _flaws_of_format(configuration: Configuration) -> Iterator[_Flaw]:
    given = configuration.get("format")
    if is_reference(given):
        remedy = 'write {"format_type": "Parquet"}'
        yield ("format",), "depends on the stack, but the lake reads Parquet only", remedy
    elif isinstance(given, dict):
        kind, codec = given.get("format_type"), given.get("compression_codec", CODECS[0])
        if isinstance(kind, str) and kind.casefold() != "parquet":
            yield ("format", "format_type"), f"is {kind}, but the lake reads Parquet only", 'write "Parquet"'
        elif isinstance(codec, str) and codec not in CODECS:
            remedy = f"write {', '.join(CODECS[:-1])} or {CODECS[-1]}"
            yield ("format", "compression_codec"), f"is {codec}, which DuckDB can't read", remedy
