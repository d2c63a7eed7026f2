"""A stream as a destination receives it, in the terms of a configured catalog."""

from dataclasses import dataclass

from airbyte_twin.documents import JsonObject


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
        minimum_generation_id: objects of older generations go when the sync has succeeded; 0 keeps all.
        sync_id: the job's id.
    """

    name: str
    namespace: str | None
    prefix: str
    json_schema: JsonObject
    selected_fields: tuple[str, ...] | None
    generation_id: int
    minimum_generation_id: int
    sync_id: int
