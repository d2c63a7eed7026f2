"""The page of engines and destinations, docs/engines-and-destinations.md, made of `lotus_infra.lake.capabilities`.

The texts are the table's; this module only lays them out. `make bless` writes the page.
"""

from collections.abc import Callable, Iterator
from typing import Final

from lotus_infra.lake.capabilities import READERS, TABLE, Capabilities, Place, Reader, Unused
from lotus_infra.lake.warehouses import WAREHOUSES

INTRODUCTION: Final = """\
# Engines and destinations

A stream's file says the same whichever engine reads its source and wherever it lands. What differs by engine and
destination is in one table, `lotus_infra/lake/capabilities.py`, which checks, scaffold, lineage, status, comments and
Dagster read. This page is generated from it. A test fails when it is stale; `make bless` updates the page.

`"engine"` in a `_source.json` names the engine: `"airbyte"`, the default, or `"dlt"`
([add a source that dlt reads](how-to/add-a-dlt-source.md)). The place follows from the destination's file
([add a destination](how-to/add-a-destination.md)).

## What holds by engine and place

A pair that is not in the table can't be: `lotus check` refuses it.
"""
PLACES: Final[dict[Place, str]] = {
    "landing": "the landing bucket",
    "bucket": "another bucket",
    "postgres": "Postgres",
    "warehouse": " and ".join(sorted(each.label for each in WAREHOUSES.values() if each.label != "Postgres")),
    "other": "any other destination",
}
_ARRIVALS: Final = {
    "files": "a sensor sees new files in the bucket",
    "job": "a sensor follows the jobs of Airbyte",
}
_WRITES: Final = {"files": "Parquet files below the stream's prefix", "table": "a table"}
_SCHEDULERS: Final = {"airbyte": "Airbyte", "dagster": "Dagster"}
_ROWS: Final[dict[str, Callable[[Reader], str]]] = {
    "reads a source with": lambda reader: reader.source,
    "starts syncs": lambda reader: _SCHEDULERS[reader.scheduler],
    "lists streams and fields (`lotus discover`)": lambda reader: "yes" if reader.discovers else "no",
    'writes rotated secrets back (`"rotates": true`)': lambda reader: "yes" if reader.rotates else "no",
    "`destination_sync_mode`": lambda reader: (
        ", ".join(f"`{mode}`" for mode in reader.modes) or "those of the destination"
    ),
}
_ENGINES: Final = """
## What holds by engine
"""
_LACKS: Final = """
## Settings that an engine does not have

`lotus check` refuses them, with what to do instead.
"""


def page() -> str:
    """The page, as Markdown."""
    return "\n".join([INTRODUCTION, *_places(), _ENGINES, *_engines(), _LACKS, *_lacks()]) + "\n"


def _places() -> Iterator[str]:
    yield _row(
        "engine", "place", "a stream becomes", "new rows show by", "core model", "cursor", "backfill", "new fields"
    )
    yield _line(8)
    for (_, place), each in TABLE.items():
        yield _row(each.reader.label, PLACES[place], *_facts(each))


def _facts(of: Capabilities) -> Iterator[str]:
    yield _WRITES[of.writes] if of.writes != "files" or of.has_models else "files"
    yield _ARRIVALS[of.arrival]
    yield "yes" if of.has_models else "no"
    yield from (of.cursor, of.backfill, of.schema_change)


def _engines() -> Iterator[str]:
    readers = list(READERS.values())
    yield _row("", *(each.label for each in readers))
    yield _line(len(readers) + 1)
    for title, shown in _ROWS.items():
        yield _row(title, *(shown(each) for each in readers))


def _lacks() -> Iterator[str]:
    yield _row("engine", "file", "setting", "instead")
    yield _line(4)
    for reader in READERS.values():
        yield from _lacks_of(reader, "`_source.json`", reader.source_lacks)
        yield from _lacks_of(reader, "a stream's", reader.stream_lacks)


def _lacks_of(reader: Reader, file: str, lacks: tuple[Unused, ...]) -> Iterator[str]:
    for each in lacks:
        but = f", except `{each.harmless}`" if each.harmless else ""
        yield _row(reader.label, file, f"`{'.'.join(each.path)}`{but}", each.remedy)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _line(columns: int) -> str:
    return f"|{'---|' * columns}"
