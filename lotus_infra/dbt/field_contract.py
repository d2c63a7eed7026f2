"""The field contract: what the lake's streams provide and what the dbt project reads must match.

Each rule is a small pure function from both sides to its diagnostics. A rule reports only what is certain; a model
whose text leaves something open gets a notice where it is read, in `project`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from airbyte_model.suggestions import suggestion

from lotus_infra import naming
from lotus_infra.dbt.project import Model, Project, SourceTable, StreamName, StreamRef
from lotus_infra.dbt.sql import ALWAYS_THERE, ColumnRef, Identity, JsonStep, identity, pattern_of, quoted
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import S3, Lake, SourceFolder, StreamFile
from lotus_infra.lake.landed import IN_FILES, Names, in_files, is_known, landed, mapped_fields, names_in
from lotus_infra.lake.models import Field
from lotus_infra.lake.warehouses import Table


@dataclass(frozen=True, slots=True)
class LakeAndProject:
    """Both sides of the contract, indexed by name.

    Attributes:
        project: The dbt project.
        sources: The lake's source folders, by name.
        streams: The lake's streams, selected or not.
        prefixes: The S3 prefix of each stream's files; only for streams of known destinations that land in the lake.
        read_tables: The table in Postgres that models read a stream from, as no connection lands files of it.
        unread_tables: The table of a stream in a warehouse that no model of the lake can read.
        elsewhere: The streams that no model of the lake can read.
        names: How the columns of a stream are named where models read it, or else in that warehouse.
        tables: The source table that the project declares for a stream.
        tags: The stream of each dbt tag.
        own_models: The stream of each model that is named after one.
    """

    project: Project
    sources: Mapping[str, SourceFolder]
    streams: Mapping[StreamName, StreamFile]
    prefixes: Mapping[StreamName, str]
    read_tables: Mapping[StreamName, Table]
    unread_tables: Mapping[StreamName, Table]
    elsewhere: frozenset[StreamName]
    names: Mapping[StreamName, Names]
    tables: Mapping[StreamName, SourceTable]
    tags: Mapping[str, StreamName]
    own_models: Mapping[str, StreamName]
    _columns: dict[StreamName, Mapping[str, Field]] = field(default_factory=dict)

    @classmethod
    def of(cls, lake: Lake, project: Project) -> "LakeAndProject":
        """Build the indexes."""
        streams = {(stream.source, stream.name): stream for stream in lake.streams}
        places = {
            (source.name, stream.name): (lake.prefix_of(source, stream), _is_certain(lake, source, stream))
            for source in lake.sources
            if source.config is not None
            for stream in source.streams
        }
        read, unread, names = _tables(lake)
        return cls(
            project=project,
            sources={source.name: source for source in lake.sources},
            streams=streams,
            prefixes={name: prefix for name, (prefix, known) in places.items() if prefix is not None and known},
            read_tables=read,
            unread_tables=unread,
            elsewhere=frozenset(name for name, (prefix, _) in places.items() if prefix is None and name not in read),
            names=names,
            tables={table.stream: table for source in project.sources for table in source.tables},
            tags={naming.dbt_tag(*name): name for name in streams},
            own_models={naming.dbt_model(*name): name for name in streams},
        )

    @property
    def selected(self) -> Iterator[StreamFile]:
        """The selected streams that models of the lake read."""
        return (
            stream for name, stream in self.streams.items() if stream.config.selected and name not in self.elsewhere
        )

    def columns(self, stream: StreamFile) -> Mapping[str, Field] | None:
        """The columns of a stream's files or table without Airbyte's own; None if its fields are not known."""
        if not is_known(stream):
            return None
        name = (stream.source, stream.name)
        if name not in self._columns:
            self._columns[name] = landed(stream, self.names_of(stream)).columns
        return self._columns[name]

    def names_of(self, stream: StreamFile) -> Names:
        """How the columns of a stream are named."""
        return self.names.get((stream.source, stream.name), IN_FILES)

    def always_there(self, stream: StreamFile) -> tuple[str, ...]:
        """The columns that Airbyte adds, by their names where the stream is."""
        return tuple(map(self.names_of(stream).column, ALWAYS_THERE))

    def reads_of(self, model: Model) -> tuple[StreamRef, ...]:
        """The calls by which a model reads what arrives: all of `arrivals`, and of `source` those of Postgres."""
        return (*model.arrivals, *(ref for ref in model.sources if ref.stream in self.read_tables))

    def streams_of(self, model: Model) -> tuple[StreamName, ...]:
        """The streams of these calls, each once."""
        return tuple(dict.fromkeys(ref.stream for ref in self.reads_of(model)))

    def call_of(self, stream: StreamName) -> str:
        """The call by which a model reads what arrives of a stream."""
        macro = "source" if stream in self.read_tables else "arrivals"
        return f"{{{{ {macro}('{stream[0]}', '{stream[1]}') }}}}"

    @property
    def arrivals(self) -> Iterator[tuple[Model, StreamRef, StreamFile]]:
        """Each call of `arrivals` in a model, if the lake has its stream."""
        for model in self.project.models:
            yield from self._known(model, model.arrivals)

    @property
    def stream_refs(self) -> Iterator[tuple[Model, StreamRef, StreamFile]]:
        """Each call of `arrivals` or `source` in a model, if the lake has its stream."""
        for model in self.project.models:
            yield from self._known(model, (*model.arrivals, *model.sources))

    def _known(self, model: Model, refs: Iterable[StreamRef]) -> Iterator[tuple[Model, StreamRef, StreamFile]]:
        for ref in refs:
            stream = self.streams.get(ref.stream)
            if stream is not None:
                yield model, ref, stream

    def owner(self, model: Model) -> StreamFile | None:
        """The stream that a model is named after; a stream may have more models, with other names."""
        name = self.own_models.get(model.name)
        return self.streams[name] if name is not None else None

    @property
    def owned(self) -> Iterator[tuple[Model, StreamFile]]:
        """Each model that is named after a stream, with the stream."""
        for model in self.project.models:
            stream = self.owner(model)
            if stream is not None:
                yield model, stream

    def may_exist(self, stream: StreamName) -> bool:
        """Whether the lake has a stream, or has a source with an unreadable file that may be it."""
        source = self.sources.get(stream[0])
        return stream in self.streams or (source is not None and not source.complete)

    def may_be_tag(self, tag: str) -> bool:
        """Whether a tag is that of a stream, or may be that of a stream whose file could not be read."""
        incomplete = (source.name for source in self.sources.values() if not source.complete)
        return tag in self.tags or any(tag.startswith(naming.dbt_tag(source, "")) for source in incomplete)


def _is_certain(lake: Lake, source: SourceFolder, stream: StreamFile) -> bool:
    """Whether the destination that decides where a stream lands could be read."""
    connection = lake.read_of(source, stream)
    return connection is not None and lake.destination_of(connection) is not None


def _tables(
    lake: Lake,
) -> tuple[dict[StreamName, Table], dict[StreamName, Table], dict[StreamName, Names]]:
    """The tables that models read, those of warehouses that they can't, and the names of columns in both."""
    read: dict[StreamName, Table] = {}
    unread: dict[StreamName, Table] = {}
    names: dict[StreamName, Names] = {}
    for source in lake.sources:
        for stream in source.streams:
            readable = lake.table_read_of(source, stream)
            connection = readable or lake.unread_table_of(source, stream)
            table = lake.table_of(connection, stream) if connection is not None else None
            warehouse = lake.warehouse_of(connection) if connection is not None else None
            if table is not None and warehouse is not None:
                (unread if readable is None else read)[source.name, stream.name] = table
                names[source.name, stream.name] = names_in(warehouse)
    return read, unread, names


Rule = Callable[[LakeAndProject], Iterable[Diagnostic]]


# Models and the fields that they read.


def fields_are_selected(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A model reads only columns that arrive: of selected fields, under the names that they land with."""
    for model, ref, stream in both.stream_refs:
        columns = both.columns(stream)
        if columns is None:
            continue
        there = both.always_there(stream)
        known = _folded((*columns, *there))
        for column in _first_of_each(ref.columns):
            if column.column.casefold() not in known:
                what, remedy = _not_there(column.column, stream, columns, both.names_of(stream))
                yield Diagnostic(
                    model.file,
                    (column.column,),
                    f"the model reads it from {_shown(ref.stream)}, {what}",
                    remedy,
                    column.line,
                )


def properties_are_declared(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A JSON path names properties that the field's object has."""
    for model, ref, stream in both.stream_refs:
        columns = both.columns(stream)
        if columns is None:
            continue
        reported: set[tuple[str, JsonPath]] = set()
        for column in ref.columns:
            missing = _missing_property(column, stream, columns, both.names_of(stream))
            if missing is None:
                continue
            path, known = missing
            if (column.column.casefold(), path) not in reported:
                reported.add((column.column.casefold(), path))
                what = f"is not a property that {stream.file} declares"
                remedy = suggestion(str(path[-1]), known, "declare it there, or don't read it")
                yield Diagnostic(model.file, (column.column, *path), what, remedy, column.line)


def columns_are_declared(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A model reads only columns that its sources file declares: `arrivals` selects no others."""
    for model in both.project.models:
        for ref in both.reads_of(model):
            is_undeclared = ref.stream in both.streams and ref.stream not in both.tables
            if is_undeclared and not _may_be_declared(ref.stream[0], both.project):
                what = f"no sources file declares {_shown(ref.stream)}"
                call = "arrivals" if ref in model.arrivals else "source"
                yield Diagnostic(model.file, (call,), what, "add it to the tables of its source", ref.line)
    for model, ref, stream in both.arrivals:
        table = both.tables.get(ref.stream)
        if table is None:
            continue
        selected, declared = _folded((*(both.columns(stream) or ()), *ALWAYS_THERE)), _folded(table.columns)
        for column in _first_of_each(ref.columns):
            if column.column.casefold() in selected and column.column.casefold() not in declared:
                what = f"the model reads it from {_shown(ref.stream)}, but {table.file} does not declare it"
                yield Diagnostic(model.file, (column.column,), what, "add it to the columns there", column.line)


def listings_are_possible(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A model reads all files of a stream only if DuckDB can list them: on S3 a "?" ends the path of an address."""
    for model in both.project.models:
        for ref in model.sources:
            if "?" in both.prefixes.get(ref.stream, ""):
                what = f"DuckDB can't list {both.prefixes[ref.stream]} on S3 for its question mark"
                remedy = f"read it from {{{{ arrivals('{ref.stream[0]}', '{ref.stream[1]}') }}}}"
                yield Diagnostic(model.file, ("source",), what, remedy, ref.line)


def scopes_have_columns(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A column that a model reads from one of its own CTEs or subqueries is there."""
    for model in both.project.models:
        for missing in model.missing_columns:
            what = f'the model reads it from "{missing.scope}", which has no such column'
            yield Diagnostic(model.file, (missing.column,), what, "add it there, or don't read it", missing.line)


def _may_be_declared(source: str, project: Project) -> bool:
    """Whether a file that could not be read may have a source's tables."""
    folder = f"{naming.dbt_models_folder(source)}/"
    return any(file.startswith(folder) and not file.endswith(".sql") for file in project.unread)


def _first_of_each(columns: tuple[ColumnRef, ...]) -> Iterator[ColumnRef]:
    """Yield the first reference to each column."""
    seen: set[str] = set()
    for column in columns:
        if column.column.casefold() not in seen:
            seen.add(column.column.casefold())
            yield column


def _not_there(column: str, stream: StreamFile, columns: Mapping[str, Field], names: Names) -> tuple[str, str]:
    """Why a stream has no such column where it lands, and what to do."""
    renamed = _landed_as(column, stream, names)
    if renamed:
        return f"{_whose(names)} it as {renamed}", f"read {renamed}"
    if renamed is not None:
        return "whose mappers remove it", f"don't read it, or change the mappers in {stream.file}"
    what = "which does not select it"
    offered = stream.discovered.fields if stream.discovered is not None else {}
    if column.casefold() in _folded(map(names.column, offered)):
        return what, f"add it to the fields of {stream.file}: the source has it"
    otherwise = f"add it to the fields of {stream.file}, or don't read it"
    return what, suggestion(column, (*columns, *map(names.column, ALWAYS_THERE)), otherwise)


def _whose(names: Names) -> str:
    return "whose files have" if names is IN_FILES else "whose table has"


def _landed_as(field: str, stream: StreamFile, names: Names) -> str | None:
    """The column of a field that the stream selects; empty if its mappers remove it, None if it is no such field."""
    wanted = field.casefold()
    for name, mapped in mapped_fields(stream).items():
        if wanted in {mapped.origin.casefold(), name.casefold()}:
            return names.column(name)
    return "" if wanted in _folded(stream.fields) else None


def _missing_property(
    column: ColumnRef, stream: StreamFile, columns: Mapping[str, Field], names: Names
) -> tuple[JsonPath, Mapping[str, Field]] | None:
    """The path to the first property that the field lacks, and the properties that are there instead.

    The discovered field may have properties that the stream's file does not repeat: a property is missing only where
    both lack it.
    """
    field = _field(column.column, columns)
    missing = _missing_in(field, column.path) if field is not None else None
    if missing is not None and stream.discovered is not None:
        theirs = {names.column(name): found for name, found in stream.discovered.fields.items()}
        discovered = _field(column.column, theirs)
        if discovered is not None and names.has_types_inside:
            discovered = in_files(discovered)
        if discovered is not None and _missing_in(discovered, column.path) is None:
            return None
    return missing


def _missing_in(field: Field, path: tuple[JsonStep, ...]) -> tuple[JsonPath, Mapping[str, Field]] | None:
    walked: list[str | int] = []
    for step in path:
        walked.append(0 if step is None else step)
        if step is None and field.types == {"array"} and field.items is not None:
            field = field.items
        elif step is not None and field.types == {"object"} and field.properties:
            if step not in field.properties:
                return tuple(walked), field.properties
            field = field.properties[step]
        else:
            return None
    return None


def _field(column: str, fields: Mapping[str, Field]) -> Field | None:
    """A field by its name in a query."""
    return next((field for name, field in fields.items() if name.casefold() == column.casefold()), None)


# YAML files.


def sources_have_streams(both: LakeAndProject) -> Iterator[Diagnostic]:
    """Every source and table that is declared among the core models is in the lake."""
    for source in both.project.sources:
        if not source.file.startswith(naming.dbt_models_folder("")):
            continue
        if source.name not in both.sources:
            remedy = suggestion(source.name, both.sources, "delete the entry, or add the source's folder")
            yield Diagnostic(source.file, (source.name,), "is not a source of the lake", remedy, source.line)
            continue
        for table in source.tables:
            if not both.may_exist(table.stream):
                names = [stream.name for stream in both.sources[source.name].streams]
                what = f'is not a stream of the source "{source.name}"'
                remedy = suggestion(table.stream[1], names, "delete the entry, or add the stream's file")
                yield Diagnostic(table.file, (table.stream[1],), what, remedy, table.line)


def declared_columns_are_selected(both: LakeAndProject) -> Iterator[Diagnostic]:
    """Every declared column is a field that the stream selects, in the same case."""
    for table in both.tables.values():
        stream = both.streams.get(table.stream)
        columns = both.columns(stream) if stream is not None else None
        if stream is None or columns is None:
            continue
        known = (*columns, *both.always_there(stream))
        names = both.names_of(stream)
        for column, line in table.columns.items():
            if column not in known:
                what = f"is not a field of {stream.file}"
                remedy = suggestion(column, known, "delete it, or select the field")
                if column in stream.fields:
                    renamed = _landed_as(column, stream, names)
                    place = "files" if names is IN_FILES else "table"
                    what = f"is not a column of the {place} of {_shown(table.stream)}"
                    remedy = f"write {renamed}" if renamed else "delete it: its mappers remove the field"
                yield Diagnostic(table.file, (*table.stream, column), what, remedy, line)


def prefixes_match(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A source table has the prefix of the stream's files."""
    for table in both.tables.values():
        expected = both.prefixes.get(table.stream)
        mismatch = _prefix_mismatch(table, expected) if expected is not None else None
        if mismatch is not None:
            yield Diagnostic(table.file, (*table.stream, "meta"), *mismatch, table.prefix_line)


def _prefix_mismatch(table: SourceTable, expected: str) -> tuple[str, str] | None:
    if table.prefix is None:
        return "has no prefix", f"write `prefix: {expected}`"
    if table.prefix != expected:
        return f"has the prefix {table.prefix}, but the files are in {expected}", f"write `prefix: {expected}`"
    if table.location is not None and f"/{pattern_of(expected)}" not in table.location:
        return (
            f"has an external_location that is not in {expected}",
            f"make it read …/{pattern_of(expected)}*/*/*/*.parquet",
        )
    return None


def tables_match(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A source table is the one that Airbyte writes the stream into, with its destination's file as the database."""
    reported: set[tuple[str, int, str]] = set()
    for declared in both.tables.values():
        table = both.read_tables.get(declared.stream) or both.unread_tables.get(declared.stream)
        if table is None:
            continue
        for key, line, what, remedy in _table_mismatches(declared, table):
            # The database and the schema are those of all tables of the source's item.
            if (declared.file, line, key) not in reported:
                reported.add((declared.file, line, key))
                of = declared.stream[:1] if key in {"database", "schema"} else declared.stream
                yield Diagnostic(declared.file, (*of, key), what, remedy, line)


def _table_mismatches(declared: SourceTable, table: Table) -> Iterator[tuple[str, int, str, str]]:
    """The key, its line, what is wrong and what to do."""
    where = f"Airbyte writes {_shown(declared.stream)} into the table {table} of {table.destination}"
    if declared.prefix is not None or declared.location is not None:
        yield "meta", declared.prefix_line, f"has the place of files, but {where}", "delete `meta`"
    if declared.database != table.destination and not _is_template(declared.database):
        given = "has no database" if declared.database is None else f"has the database {declared.database}"
        remedy = (
            f"write `database: {table.destination}` in the source's entry; tables elsewhere need an entry of their own"
        )
        yield "database", declared.source_line, f"{given}, but {where}", remedy
    if table.schema and declared.schema != table.schema and not _is_template(declared.schema):
        remedy = f"write `schema: {table.schema}` in the source's entry"
        yield "schema", declared.source_line, f"has the schema {declared.schema}, but {where}", remedy
    if declared.identifier != table.name and not _is_template(declared.identifier):
        what = f"has the identifier {declared.identifier}, but {where}"
        yield "identifier", declared.line, what, f"write `identifier: {table.name}`"


def _is_template(text: str | None) -> bool:
    return text is not None and "{{" in text


def properties_have_models(both: LakeAndProject) -> Iterator[Diagnostic]:
    """Every model with properties in a YAML file exists."""
    names = {model.name for model in both.project.models} | {Path(file).stem for file in both.project.unread}
    for model in both.project.properties:
        if model.name not in names:
            remedy = suggestion(model.name, names, "delete the entry, or add the model")
            yield Diagnostic(model.file, (model.name,), "is not a model of the project", remedy, model.line)


# Models and the streams that they belong to.


def streams_have_models(both: LakeAndProject) -> Iterator[Diagnostic]:
    """Every selected stream has its own model."""
    names = {model.name for model in both.project.models}
    for stream in both.selected:
        model = naming.dbt_model(stream.source, stream.name)
        if model not in names and naming.dbt_model_file(stream.source, stream.name) not in both.project.unread:
            what = f"has no model {model} in the dbt project"
            yield Diagnostic(stream.file, (), what, f"run `lotus scaffold {stream.source} {stream.name}`")


def fields_are_columns(both: LakeAndProject) -> Iterator[Diagnostic]:
    """No two fields of a stream differ by case alone: to DuckDB they are one column, and one of them stays empty."""
    for stream in both.selected:
        seen = {name.casefold(): (name, name) for name in ALWAYS_THERE}
        names = both.names_of(stream)
        for name in mapped_fields(stream):
            column = names.column(name)
            other, first = seen.setdefault(column.casefold(), (column, name))
            if other == column and first != name and names is not IN_FILES:
                what = f"becomes the column {column}, as {first} does, and the destination renames one of them"
                yield Diagnostic(stream.file, ("fields", name), what, "select one of the two")
            if other != column:
                what = f"differs from {first} by case alone, and DuckDB takes both for one column"
                yield Diagnostic(stream.file, ("fields", name), what, "select one of the two")


def models_have_streams(both: LakeAndProject) -> Iterator[Diagnostic]:
    """Every model that reads arrivals, or is named like one that does, has a stream, and a selected one."""
    for model in both.project.models:
        for ref in both.reads_of(model):
            stream = both.streams.get(ref.stream)
            call = "arrivals" if ref in model.arrivals else "source"
            if stream is not None and not stream.config.selected:
                what = f"reads {_shown(ref.stream)}, which is not selected, so no new rows arrive"
                remedy = f"select it in {stream.file}, or delete the model"
                yield Diagnostic(model.file, (call,), what, remedy, ref.line, harmless=True)
            elif stream is not None and ref.stream in both.elsewhere:
                what = f"reads {_shown(ref.stream)}, which no connection writes to a {S3}, so no new rows arrive"
                yield Diagnostic(model.file, ("arrivals",), what, "delete the model", ref.line, harmless=True)
            elif not both.may_exist(ref.stream):
                remedy = suggestion(_shown(ref.stream), map(_shown, both.streams), "add the stream, or delete this")
                what = f"{_shown(ref.stream)} is not a stream of the lake"
                yield Diagnostic(model.file, ("arrivals",), what, remedy, ref.line)
        reads_something = model.arrivals or model.sources or model.refs or model.has_computed_arrivals
        tag = model.name.removeprefix(naming.MODEL_PREFIX)
        if _looks_like_tag(tag) and tag != model.name and not reads_something and not both.may_be_tag(tag):
            remedy = suggestion(model.name, both.own_models, "add the stream, or delete the model")
            yield Diagnostic(model.file, (), "is named after a stream that the lake does not have", remedy)


def models_read_where_streams_land(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A model reads a stream's table by `source`, since no files of it arrive, and no table that DuckDB can't read."""
    for model in both.project.models:
        for ref in model.arrivals:
            if ref.stream in both.read_tables:
                table = both.read_tables[ref.stream]
                what = f"reads files of {_shown(ref.stream)}, which Airbyte writes into the table {table} of "
                remedy = f"read it from {both.call_of(ref.stream)}"
                yield Diagnostic(model.file, ("arrivals",), what + table.destination, remedy, ref.line)
        for ref in model.sources:
            if ref.stream in both.unread_tables:
                table = both.unread_tables[ref.stream]
                what = f"reads the table {table} of {table.destination}, which DuckDB can't read"
                remedy = "delete the model, or let a connection write the stream into S3 or Postgres too"
                yield Diagnostic(model.file, ("source",), what, remedy, ref.line)


def models_are_kept_as_their_streams_arrive(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A model of a table is made again from all of its rows; one of files keeps the rows of files that it has read."""
    for model in both.project.models:
        given = model.config.materialized
        tables = [ref.stream for ref in both.reads_of(model) if ref.stream in both.read_tables]
        if tables and given != "table":
            what = f"is {given or 'missing'}, but {_shown(tables[0])} is a table, whose rows change and go"
            yield Diagnostic(model.file, ("materialized",), what, "write materialized='table'", model.config.line)
        elif given == "table" and any(ref.stream in both.prefixes for ref in model.arrivals):
            what = "is table, so each run would replace all rows by those that have arrived since the last"
            yield Diagnostic(model.file, ("materialized",), what, "delete it", model.config.line)


def models_read_one_stream(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A model that is named after a stream reads its arrivals, and no model reads the arrivals of two streams."""
    for model, stream in both.owned:
        name = (stream.source, stream.name)
        if name not in both.streams_of(model) and not model.has_computed_arrivals and name not in both.unread_tables:
            what = f"does not read the {'table' if name in both.read_tables else 'arrivals'} of {_shown(name)}"
            yield Diagnostic(model.file, (), what, f"read it from {both.call_of(name)}")
    for model in both.project.models:
        first, *others = both.reads_of(model) or (None,)
        for ref in others:
            if first is not None and ref is not None and ref.stream != first.stream:
                what = f"reads {_shown(ref.stream)} in addition to {_shown(first.stream)}"
                remedy = "read one stream in a model: the lake records the files that it has read of one stream only"
                if ref not in model.arrivals:
                    remedy = "read one stream in a model, since Dagster runs it as that stream's; join models in a mart"
                call = "arrivals" if ref in model.arrivals else "source"
                yield Diagnostic(model.file, (call,), what, remedy, ref.line)


def tags_match(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A model has the tag of the stream whose arrivals it reads, and of no other: Dagster selects models by tag."""
    for model in both.project.models:
        read = [name for name in both.streams_of(model) if name in both.streams]
        owner = both.owner(model)
        wanted = {naming.dbt_tag(*name): name for name in [*read, *([(owner.source, owner.name)] if owner else [])]}
        config = model.config
        missing = [tag for tag in wanted if tag not in config.tags]
        if missing:
            what = f"lack {missing[0]}, by which Dagster selects the models of {_shown(wanted[missing[0]])}"
            yield Diagnostic(model.file, ("tags",), what, f"write tags=['{missing[0]}']", config.line)
            continue
        for tag in config.tags:
            if _looks_like_tag(tag) and not both.may_be_tag(tag):
                remedy = suggestion(tag, both.tags, "delete it, or add the stream")
                yield Diagnostic(model.file, ("tags",), f"{tag} is not the tag of any stream", remedy, config.line)
            elif read and tag in both.tags and tag not in wanted:
                what = f"{tag} is the tag of {_shown(both.tags[tag])}, which the model does not read"
                yield Diagnostic(model.file, ("tags",), what, "delete it", config.line)


def models_are_in_place(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A stream's own model has the file that its name implies; others that read arrivals are in the source's folder."""
    for model in both.project.models:
        owner = both.owner(model)
        if owner is not None:
            file = naming.dbt_model_file(owner.source, owner.name)
            if model.file != file:
                what = f"is in the wrong folder for the model of {owner.source}/{owner.name}"
                yield Diagnostic(model.file, (), what, f"move it to {file}")
            continue
        for source in sorted({name[0] for name in both.streams_of(model) if name in both.streams}):
            folder, prefix = f"{naming.dbt_models_folder(source)}/", naming.dbt_model(source, "")
            reads = f'reads {"arrivals" if model.arrivals else "a table"} of "{source}"'
            if not model.file.startswith(folder):
                what = f"{reads} from outside {folder}"
                yield Diagnostic(model.file, (), what, f"move it to {folder}")
            elif not model.name.startswith(prefix):
                what = f"{reads}, but is not named after it"
                yield Diagnostic(model.file, (), what, f"name it {prefix}…")


def keys_and_cursors_match(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A stream's own model has the stream's key and cursor; nested ones are not checked, as models may name them."""
    for model, stream in both.owned:
        name = (stream.source, stream.name)
        if name not in both.streams_of(model):
            continue
        expected, config = identity(stream, both.names_of(stream)), model.config
        # Of a table, all rows are read each time: dbt needs no key to find those of before.
        is_demanded = name not in both.read_tables or config.unique_key
        keys = [("unique_key", config.unique_key, config.line)] if is_demanded else []
        keys += [("key", latest.key, latest.line) for latest in model.latest]
        for argument, key, line in keys:
            if all(len(path) == 1 for path in expected.key) and _folded(key) != _folded(expected.key_columns):
                yield Diagnostic(model.file, (argument,), *_key_mismatch(argument, key, expected, stream.file), line)
        for latest in model.latest:
            if len(expected.cursor) == 1 and latest.cursor.casefold() != expected.cursor_column.casefold():
                what = f"is {latest.cursor}, but the cursor of {stream.file} is {expected.cursor_column}"
                yield Diagnostic(model.file, ("cursor",), what, f"write cursor='{expected.cursor_column}'", latest.line)


def deletions_are_named(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A stream's own model gives `latest` the field by which the source reports deletions; it may name another."""
    for model, stream in both.owned:
        deleted = identity(stream, both.names_of(stream)).deleted
        if (stream.source, stream.name) not in both.streams_of(model) or deleted is None:
            continue
        for latest in model.latest:
            if not latest.deleted:
                what = f"is missing, but the source of {stream.file} reports deletions in {deleted}: deleted rows stay"
                remedy = f"write deleted='{quoted(deleted)}' in `latest`"
                yield Diagnostic(model.file, ("deleted",), what, remedy, latest.line)


def _key_mismatch(name: str, key: tuple[str, ...], expected: Identity, file: str) -> tuple[str, str]:
    columns = ", ".join(f"'{column}'" for column in expected.key_columns)
    argument = columns if len(expected.key_columns) == 1 else f"[{columns}]"
    wanted = "has no primary_key" if expected.is_keyless else f"has the primary_key {', '.join(expected.key_columns)}"
    given = f"is {', '.join(key)}" if key else "is missing"
    return f"{given}, but {file} {wanted}", f"write {name}={argument}"


def _looks_like_tag(text: str) -> bool:
    """Whether a text has the form `<source>__<stream>`."""
    source, separator, stream = text.partition("__")
    return bool(separator) and naming.is_identifier(source) and naming.is_identifier(stream)


def _shown(stream: StreamName) -> str:
    """`shopify/orders`."""
    return "/".join(stream)


def _folded(names: Iterable[str]) -> set[str]:
    """Names as DuckDB compares them, without case."""
    return {name.casefold() for name in names}


LAKE_RULES: tuple[Rule, ...] = (streams_have_models, fields_are_columns)
"""Rules whose diagnostics are in the lake's files."""

PROJECT_RULES: tuple[Rule, ...] = (
    fields_are_selected,
    properties_are_declared,
    columns_are_declared,
    listings_are_possible,
    scopes_have_columns,
    sources_have_streams,
    declared_columns_are_selected,
    prefixes_match,
    tables_match,
    properties_have_models,
    models_have_streams,
    models_read_where_streams_land,
    models_are_kept_as_their_streams_arrive,
    models_read_one_stream,
    tags_match,
    models_are_in_place,
    keys_and_cursors_match,
    deletions_are_named,
)
"""Rules whose diagnostics are in the dbt project's files."""


def lake_diagnostics(both: LakeAndProject) -> Iterator[Diagnostic]:
    """Yield the errors and notices in the lake's files."""
    for rule in LAKE_RULES:
        yield from rule(both)


def project_diagnostics(both: LakeAndProject) -> Iterator[Diagnostic]:
    """Yield the errors and notices in the dbt project's files."""
    yield from both.project.diagnostics
    for rule in PROJECT_RULES:
        yield from rule(both)
