"""What holds for a stream by the engine that reads its source and by the destination that it lands in.

One table for all readers: checks, scaffold, lineage, status, comments, Dagster and the documentation ask it, and none
of them names an engine or a connector itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from lotus_infra.lake.models import Engine

Place = Literal["landing", "bucket", "postgres", "warehouse", "other"]
"""Where a connection writes: the landing bucket, another bucket, a Postgres database, another warehouse, or an unknown
destination."""
Arrival = Literal["files", "job"]
"""What shows that rows have arrived: new files in the landing bucket, or a job of Airbyte that has succeeded."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """A row of the table.

    Attributes:
        arrival: What shows that rows have arrived.
        writes: Whether a stream becomes files below a prefix, or a table of a database.
        has_models: Whether the lake's models can read it.
        cursor: Who keeps the cursor.
        backfill: How a new backfill token is carried out.
        schema_change: What happens when the source gains a field.
    """

    arrival: Arrival
    writes: Literal["files", "table"]
    has_models: bool
    cursor: str
    backfill: str
    schema_change: str


_AIRBYTES_CURSOR: Final = "Airbyte, with the connection"
_REFRESH: Final = "a refresh of the stream in Airbyte"
_PROPAGATES: Final = "as `non_breaking_changes` of the connection says"

TABLE: Final[Mapping[tuple[Engine, Place], Capabilities]] = {
    ("airbyte", "landing"): Capabilities("files", "files", True, _AIRBYTES_CURSOR, _REFRESH, _PROPAGATES),
    ("airbyte", "bucket"): Capabilities("job", "files", False, _AIRBYTES_CURSOR, _REFRESH, _PROPAGATES),
    ("airbyte", "postgres"): Capabilities("job", "table", True, _AIRBYTES_CURSOR, _REFRESH, _PROPAGATES),
    ("airbyte", "warehouse"): Capabilities("job", "table", False, _AIRBYTES_CURSOR, _REFRESH, _PROPAGATES),
    ("airbyte", "other"): Capabilities("job", "table", False, _AIRBYTES_CURSOR, _REFRESH, _PROPAGATES),
    ("dlt", "landing"): Capabilities(
        arrival="files",
        writes="files",
        has_models=True,
        cursor="dlt, in the landing bucket",
        backfill="the next run reads the stream from its start, as a new generation",
        schema_change='lands with "fields": "all"; else only fields of the file land',
    ),
}
"""By engine and place; what is not in it can't be."""
