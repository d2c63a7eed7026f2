"""The field contract: what the lake's streams provide and what the dbt project reads must match.

Each rule is a small pure function from both sides to its diagnostics. A rule reports only what is certain; a model
whose text leaves something open gets a notice where it is read, in `project`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from airbyte_model.places import column_name
from airbyte_model.suggestions import suggestion

from lotus_infra import naming
from lotus_infra.dbt.project import Model, Project, SourceTable, StreamName, StreamRef
from lotus_infra.dbt.sql import ALWAYS_THERE, ColumnRef, Identity, JsonStep, identity, pattern_of, quoted
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import S3, Lake, SourceFolder, StreamFile
from lotus_infra.lake.landed import in_files, is_known, landed, mapped_fields
from lotus_infra.lake.models import Field


@dataclass(frozen=True, slots=True)
class LakeAndProject:
    """Both sides of the contract, indexed by name.

    Attributes:
        project: The dbt project.
        sources: The lake's source folders, by name.
        streams: The lake's streams, selected or not.
        prefixes: The S3 prefix of each stream's files; only for streams of known destinations that land in the lake.
        elsewhere: The streams that do not land in the lake.
        tables: The source table that the project declares for a stream.
        tags: The stream of each dbt tag.
        own_models: The stream of each model that is named after one.
    """

    project: Project
    sources: Mapping[str, SourceFolder]
    streams: Mapping[StreamName, StreamFile]
    prefixes: Mapping[StreamName, str]
    elsewhere: frozenset[StreamName]
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
        return cls(
            project=project,
            sources={source.name: source for source in lake.sources},
            streams=streams,
            prefixes={name: prefix for name, (prefix, known) in places.items() if prefix is not None and known},
            elsewhere=frozenset(name for name, (prefix, _) in places.items() if prefix is None),
            tables={table.stream: table for source in project.sources for table in source.tables},
            tags={naming.dbt_tag(*name): name for name in streams},
            own_models={naming.dbt_model(*name): name for name in streams},
        )

    @property
    def selected(self) -> Iterator[StreamFile]:
        """The selected streams that land in the lake."""
        return (
            stream for name, stream in self.streams.items() if stream.config.selected and name not in self.elsewhere
        )

    def columns(self, stream: StreamFile) -> Mapping[str, Field] | None:
        """The columns of a stream's files without Airbyte's own; None if its fields are not known."""
        if not is_known(stream):
            return None
        name = (stream.source, stream.name)
        if name not in self._columns:
            self._columns[name] = landed(stream).columns
        return self._columns[name]

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


Rule = Callable[[LakeAndProject], Iterable[Diagnostic]]


# Models and the fields that they read.


def fields_are_selected(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A model reads only columns that arrive: of fields that the stream selects, under the names that files have."""
    for model, ref, stream in both.stream_refs:
        columns = both.columns(stream)
        if columns is None:
            continue
        known = _folded((*columns, *ALWAYS_THERE))
        for column in _first_of_each(ref.columns):
            if column.column.casefold() not in known:
                what, remedy = _not_there(column.column, stream, columns)
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
            missing = _missing_property(column, stream, columns)
            if missing is None:
                continue
            path, known = missing
            if (column.column.casefold(), path) not in reported:
                reported.add((column.column.casefold(), path))
                what = f"is not a property that {stream.file} declares"
                remedy = suggestion(str(path[-1]), known, "declare it there, or don't read it")
                yield Diagnostic(model.file, (column.column, *path), what, remedy, column.line)


def columns_are_declared(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A model reads only columns that its sources file declares, since `arrivals` selects no others."""
    for model, ref, stream in both.arrivals:
        table = both.tables.get(ref.stream)
        if table is None:
            if not _may_be_declared(stream.source, both.project):
                what = f"no sources file declares {_shown(ref.stream)}"
                yield Diagnostic(model.file, ("arrivals",), what, "add it to the tables of its source", ref.line)
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


def _not_there(column: str, stream: StreamFile, columns: Mapping[str, Field]) -> tuple[str, str]:
    """Why a stream's files have no such column, and what to do."""
    renamed = _landed_as(column, stream)
    if renamed:
        return f"whose files have it as {renamed}", f"read {renamed}"
    if renamed is not None:
        return "whose mappers remove it", f"don't read it, or change the mappers in {stream.file}"
    what = "which does not select it"
    offered = stream.discovered.fields if stream.discovered is not None else {}
    if column.casefold() in _folded(map(column_name, offered)):
        return what, f"add it to the fields of {stream.file}: the source has it"
    otherwise = f"add it to the fields of {stream.file}, or don't read it"
    return what, suggestion(column, (*columns, *ALWAYS_THERE), otherwise)


def _landed_as(field: str, stream: StreamFile) -> str | None:
    """The column of a field that the stream selects; empty if its mappers remove it, None if it is no such field."""
    wanted = field.casefold()
    for name, mapped in mapped_fields(stream).items():
        if wanted in {mapped.origin.casefold(), name.casefold()}:
            return column_name(name)
    return "" if wanted in _folded(stream.fields) else None


def _missing_property(
    column: ColumnRef, stream: StreamFile, columns: Mapping[str, Field]
) -> tuple[JsonPath, Mapping[str, Field]] | None:
    """The path to the first property that the field lacks, and the properties that are there instead.

    The discovered field may have properties that the stream's file does not repeat: a property is missing only where
    both lack it.
    """
    field = _field(column.column, columns)
    missing = _missing_in(field, column.path) if field is not None else None
    if missing is not None and stream.discovered is not None:
        theirs = {column_name(name): found for name, found in stream.discovered.fields.items()}
        discovered = _field(column.column, theirs)
        if discovered is not None and _missing_in(in_files(discovered), column.path) is None:
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
        known = (*columns, *ALWAYS_THERE)
        for column, line in table.columns.items():
            if column not in known:
                what = f"is not a field of {stream.file}"
                remedy = suggestion(column, known, "delete it, or select the field")
                if column in stream.fields:
                    renamed = _landed_as(column, stream)
                    what = f"is not a column of the files of {_shown(table.stream)}"
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
        for name in mapped_fields(stream):
            column = column_name(name)
            other, first = seen.setdefault(column.casefold(), (column, name))
            if other != column:
                what = f"differs from {first} by case alone, and DuckDB takes both for one column"
                yield Diagnostic(stream.file, ("fields", name), what, "select one of the two")


def models_have_streams(both: LakeAndProject) -> Iterator[Diagnostic]:
    """Every model that reads arrivals, or is named like one that does, has a stream, and a selected one."""
    for model in both.project.models:
        for ref in model.arrivals:
            stream = both.streams.get(ref.stream)
            if stream is not None and not stream.config.selected:
                what = f"reads {_shown(ref.stream)}, which is not selected, so no new rows arrive"
                remedy = f"select it in {stream.file}, or delete the model"
                yield Diagnostic(model.file, ("arrivals",), what, remedy, ref.line, harmless=True)
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


def models_read_one_stream(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A model that is named after a stream reads its arrivals, and no model reads the arrivals of two streams."""
    for model, stream in both.owned:
        name = (stream.source, stream.name)
        if name not in model.streams and not model.has_computed_arrivals:
            what = f"does not read the arrivals of {_shown(name)}"
            yield Diagnostic(model.file, (), what, f"read it from {{{{ arrivals('{name[0]}', '{name[1]}') }}}}")
    for model in both.project.models:
        for ref in model.arrivals[1:]:
            if ref.stream != model.arrivals[0].stream:
                what = f"reads {_shown(ref.stream)} in addition to {_shown(model.arrivals[0].stream)}"
                remedy = "read one stream in a model: the lake records the files that it has read of one stream only"
                yield Diagnostic(model.file, ("arrivals",), what, remedy, ref.line)


def tags_match(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A model has the tag of the stream whose arrivals it reads, and of no other: Dagster selects models by tag."""
    for model in both.project.models:
        read = [name for name in model.streams if name in both.streams]
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
        for source in sorted({name[0] for name in model.streams if name in both.streams}):
            folder, prefix = f"{naming.dbt_models_folder(source)}/", naming.dbt_model(source, "")
            if not model.file.startswith(folder):
                what = f'reads arrivals of "{source}" from outside {folder}'
                yield Diagnostic(model.file, (), what, f"move it to {folder}")
            elif not model.name.startswith(prefix):
                what = f'reads arrivals of "{source}", but is not named after it'
                yield Diagnostic(model.file, (), what, f"name it {prefix}…")


def keys_and_cursors_match(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A stream's own model has the stream's key and cursor; nested ones are not checked, as models may name them."""
    for model, stream in both.owned:
        if (stream.source, stream.name) not in model.streams:
            continue
        expected, config = identity(stream), model.config
        keys = [("unique_key", config.unique_key, config.line)]
        keys += [("key", latest.key, latest.line) for latest in model.latest]
        for name, key, line in keys:
            if all(len(path) == 1 for path in expected.key) and _folded(key) != _folded(expected.key_columns):
                yield Diagnostic(model.file, (name,), *_key_mismatch(name, key, expected, stream.file), line)
        for latest in model.latest:
            if len(expected.cursor) == 1 and latest.cursor.casefold() != expected.cursor_column.casefold():
                what = f"is {latest.cursor}, but the cursor of {stream.file} is {expected.cursor_column}"
                yield Diagnostic(model.file, ("cursor",), what, f"write cursor='{expected.cursor_column}'", latest.line)


def deletions_are_named(both: LakeAndProject) -> Iterator[Diagnostic]:
    """A stream's own model gives `latest` the field by which the source reports deletions; it may name another."""
    for model, stream in both.owned:
        deleted = identity(stream).deleted
        if (stream.source, stream.name) not in model.streams or deleted is None:
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
    properties_have_models,
    models_have_streams,
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
