"""Tables that the lake's models read, or that its dbt sources describe, in the databases of warehouses."""

from collections.abc import Iterator

from lotus_infra import naming
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, Connection, Lake, SourceFolder, StreamFile
from lotus_infra.lake.warehouses import RESERVED_NAMES, Table

_RAW_TABLES = "disable_type_dedupe"


def warehouses_have_names(lake: Lake) -> Iterator[Diagnostic]:
    """The file of a Postgres database that models read can name it in DuckDB, in dbt and in a variable."""
    read = {connection.config.destination for connection in lake.connections if lake.place(connection) == "postgres"}
    for name in sorted(read):
        file, rename = f"{DESTINATIONS_FOLDER}/{name}.json", 'rename the file, and "destination" of its sources'
        if name in RESERVED_NAMES:
            what = f'"{name}" can\'t name a database in DuckDB: it is {RESERVED_NAMES[name]}'
            yield Diagnostic(file, (), what, rename)
        elif not naming.is_identifier(name):
            remedy = f"{rename}: use lower-case letters, digits and underscores, a letter first"
            yield Diagnostic(file, (), f'"{name}" can\'t name a database in DuckDB', remedy)


def tables_have_columns(lake: Lake) -> Iterator[Diagnostic]:
    """A warehouse's tables have a column for each field: raw tables have one of JSON, and other names."""
    for name in sorted({each.config.destination for each in lake.connections if lake.warehouse_of(each) is not None}):
        config = lake.destinations.get(name)
        if config is not None and config.configuration.get(_RAW_TABLES) is True:
            what = "writes raw tables, which have one column for all fields: no model or source of dbt reads them"
            yield Diagnostic(f"{DESTINATIONS_FOLDER}/{name}.json", ("configuration", _RAW_TABLES), what, "delete it")


def tables_have_one_schema(lake: Lake) -> Iterator[Diagnostic]:
    """The tables of a source are in one schema of one database: a source of dbt has one."""
    for source in lake.sources:
        first: tuple[StreamFile, Table] | None = None
        for stream in source.selected_streams:
            connection = _writer_of(lake, source, stream)
            table = lake.table_of(connection, stream) if connection is not None else None
            if connection is None or table is None:
                continue
            if first is None:
                first = stream, table
            elif (table.destination, table.schema) != (first[1].destination, first[1].schema):
                what = (
                    f"is written to {table.destination}.{table}, and {first[0].file} to "
                    f"{first[1].destination}.{first[1]}: a source of dbt has one schema"
                )
                remedy = f"give the connections in {source.file} one destination and one namespace, or move the stream"
                yield Diagnostic(stream.file, (), what, f"{remedy} to a source folder of its own")
                break


def _writer_of(lake: Lake, source: SourceFolder, stream: StreamFile) -> Connection | None:
    """The connection whose table of a stream dbt's source describes; None if the lake reads files of it."""
    if lake.read_of(source, stream) is not None:
        return None
    takers = [each for each in source.connections if each.takes(stream)]
    return lake.table_read_of(source, stream) or next(
        (each for each in takers if lake.place(each) == "warehouse"), None
    )
