"""A stream of one sync: discovered schema, the connection's selection, and generation."""

from collections.abc import Iterable
from dataclasses import dataclass

from airbyte_twin.documents import JsonObject, without_nulls
from airbyte_twin.records import DiscoveredStream, FieldPath, PrimaryKey, SelectedStream
from airbyte_twin.states import StreamKey


@dataclass(frozen=True, slots=True)
class SyncStream:
    """A stream of one sync.

    Attributes:
        discovered: As the source offers it.
        selected: As the connection wants it.
        generation_id: Of the rows that this sync writes.
        minimum_generation_id: Rows of generations before it go once the stream is complete; 0 keeps all.
        sync_id: The number of the job.
    """

    discovered: DiscoveredStream
    selected: SelectedStream
    generation_id: int = 0
    minimum_generation_id: int = 0
    sync_id: int = 0

    @property
    def key(self) -> StreamKey:
        """The identity within the source: namespace and name."""
        return self.selected.key

    @property
    def incremental(self) -> bool:
        """Whether a sync resumes from the cursor."""
        return self.selected.sync_mode == "incremental"

    @property
    def cursor(self) -> FieldPath:
        """Path of the cursor field; empty if there is none."""
        return self.selected.cursor_field or self.discovered.default_cursor_field

    @property
    def primary_key(self) -> PrimaryKey:
        """Paths of the fields that identify a row; empty if there are none."""
        return self.selected.primary_key or self.discovered.source_defined_primary_key

    def document(self) -> JsonObject:
        """A ConfiguredAirbyteStream."""
        found = self.discovered
        return {
            "stream": without_nulls(
                {
                    "name": found.name,
                    "namespace": found.namespace,
                    "json_schema": found.json_schema,
                    "supported_sync_modes": list(found.supported_sync_modes),
                    "source_defined_cursor": found.source_defined_cursor,
                    "default_cursor_field": list(found.default_cursor_field),
                    "source_defined_primary_key": [list(path) for path in found.source_defined_primary_key],
                    "is_resumable": found.is_resumable,
                }
            ),
            "sync_mode": self.selected.sync_mode,
            "destination_sync_mode": self.selected.destination_sync_mode,
            "cursor_field": list(self.cursor),
            "primary_key": [list(path) for path in self.primary_key],
            "generation_id": self.generation_id,
            "minimum_generation_id": self.minimum_generation_id,
            "sync_id": self.sync_id,
        }


def catalog_document(streams: Iterable[SyncStream]) -> JsonObject:
    """A ConfiguredAirbyteCatalog."""
    return {"streams": [stream.document() for stream in streams]}
