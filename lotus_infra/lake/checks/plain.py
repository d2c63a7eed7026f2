"""Texts that become parts of other languages, where only plain ones have no meaning of their own."""

from collections.abc import Iterator

from lotus_infra import naming
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.lake import BUCKET_PATH, DESTINATIONS_FOLDER, Lake


def paths_are_plain(lake: Lake) -> Iterator[Diagnostic]:
    """The path in a bucket is plain: it is written into dbt's files, where DuckDB reads it as a pattern."""
    for name, destination in lake.destinations.items():
        path = destination.configuration.get(BUCKET_PATH) if destination is not None else None
        if isinstance(path, str) and not naming.is_plain_path(path):
            what = "has characters that dbt, DuckDB or YAML read as their own"
            remedy = "use letters without accents, digits, blanks and / _ - . = + @"
            yield Diagnostic(f"{DESTINATIONS_FOLDER}/{name}.json", ("configuration", BUCKET_PATH), what, remedy)
