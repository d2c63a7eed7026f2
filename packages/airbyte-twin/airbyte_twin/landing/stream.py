"""A stream as a destination receives it, in the terms of a configured catalog."""

from dataclasses import dataclass

from airbyte_twin.documents import JsonObject, dump_json
from airbyte_twin.landing.errors import LandingError
from airbyte_twin.records import FieldPath, PrimaryKey


@dataclass(frozen=True, slots=True)
class LandingStream:
    """One stream of one sync.

    Attributes:
        name: the stream's name in the source.
        namespace: after the connection's namespace definition was applied.
        prefix: the connection's prefix of stream names.
        json_schema: the stream's JSON Schema, all fields.
        selected_fields: top-level fields to write; None for all.
        generation_id: of the records of this sync; a refresh or a clear makes a new one.
        minimum_generation_id: rows of older generations go when the sync has succeeded; 0 keeps all.
        sync_id: the job's id.
        deduplicated: whether the destination keeps one row of each primary key; destination-s3 never does.
        primary_key: paths of the fields that identify a row.
        cursor: path of the field by which the latest row is known; empty if there is none.
    """

    name: str
    namespace: str | None
    prefix: str
    json_schema: JsonObject
    selected_fields: tuple[str, ...] | None
    generation_id: int
    minimum_generation_id: int
    sync_id: int
    deduplicated: bool = False
    primary_key: PrimaryKey = ()
    cursor: FieldPath = ()


def record_size(record: JsonObject) -> int:
    """The bytes of a record's JSON, which Airbyte counts.

    Raises:
        LandingError: it is no JSON.
    """
    try:
        return len(dump_json(record))
    except ValueError as error:
        raise LandingError("A record can't be written as JSON: correct the source.") from error
