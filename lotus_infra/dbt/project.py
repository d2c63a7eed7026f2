"""A dbt project as frozen objects: models from `.sql` files, sources and model properties from YAML files.

Files are relative to the project's folder, with forward slashes; lines are 1-based. Each file is read on its own, so
one that can't be read hides nothing in the others. Keys of a YAML file that have no use here are ignored: dbt validates
them.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import yaml
from pydantic import JsonValue

from lotus_infra.dbt import PROJECT_FILE
from lotus_infra.dbt.sql import ColumnRef, MissingColumn, QueryColumns, QueryError, columns_read
from lotus_infra.dbt.template import MacroCall, Template, TemplateError, read_template
from lotus_infra.errors import ProjectError
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.disk import UnreadableError, read_file
from lotus_infra.lake.loader import collector_paused

_MODELS_FOLDER = "models"

# The parser in C reads the files of a thousand streams in a second; some installations of PyYAML lack it.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

StreamName = tuple[str, str]
"""Source and stream."""


@dataclass(frozen=True, slots=True)
class StreamRef:
    """A call of `arrivals('<source>', '<stream>')` or `source('<source>', '<stream>')`.

    Attributes:
        stream: The arguments.
        line: Of the call.
        columns: What the model reads from it, as far as that can be proved.
    """

    stream: StreamName
    line: int
    columns: tuple[ColumnRef, ...] = ()


@dataclass(frozen=True, slots=True)
class LatestCall:
    """A call of `latest(rows, key, cursor, deleted)`; a composite key has several columns; `deleted` may be empty."""

    key: tuple[str, ...]
    cursor: str
    line: int
    deleted: str = ""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The configurations of a model that the contract needs.

    Attributes:
        tags: In the order of the file.
        unique_key: Columns; empty without one.
        line: Of `config`.
        materialized: dbt's word for how it is kept; empty if neither the model nor its properties say.
    """

    tags: tuple[str, ...] = ()
    unique_key: tuple[str, ...] = ()
    line: int = 1
    materialized: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A model.

    Attributes:
        name: The file's name without its ending.
        file: `models/core/shopify/int_shopify__orders.sql`.
        config: From the model's file and from its properties in a YAML file.
        arrivals: Calls of `arrivals`, which reads the files that have arrived since the last run.
        sources: Calls of `source`, which reads all files of a stream, its table in Postgres, or a table that is not in
            the lake.
        latest: Calls of `latest`.
        refs: The models that it reads by `ref`.
        missing_columns: References to columns that its own CTEs and subqueries lack.
        has_computed_arrivals: Whether it may call `arrivals` with arguments that the text does not give.
    """

    name: str
    file: str
    config: ModelConfig
    arrivals: tuple[StreamRef, ...] = ()
    sources: tuple[StreamRef, ...] = ()
    latest: tuple[LatestCall, ...] = ()
    refs: tuple[str, ...] = ()
    missing_columns: tuple[MissingColumn, ...] = ()
    has_computed_arrivals: bool = False

    @property
    def streams(self) -> tuple[StreamName, ...]:
        """The streams that it reads by `arrivals`, each once."""
        return tuple(dict.fromkeys(arrivals.stream for arrivals in self.arrivals))


@dataclass(frozen=True, slots=True)
class SourceTable:
    """An item of a source's `tables`: one stream.

    Attributes:
        stream: The source and the table.
        file: The YAML file.
        line: Of the item.
        columns: The line of each declared column, by name.
        prefix: `meta.prefix`; None without one.
        prefix_line: Of the prefix, or of the item without one.
        location: `meta.external_location`; None without one.
        identifier: The name of the table in its database; the item's own name by default.
        database: Of the source; None without one.
        schema: Of the source; its name by default.
        source_line: Of the source's item.
    """

    stream: StreamName
    file: str
    line: int
    columns: Mapping[str, int]
    prefix: str | None
    prefix_line: int
    location: str | None = None
    identifier: str = ""
    database: str | None = None
    schema: str = ""
    source_line: int = 1


@dataclass(frozen=True, slots=True)
class Source:
    """An item of a YAML file's `sources`; several may have one name, each with other tables.

    Attributes:
        name: The source.
        file: The YAML file.
        line: Of the item.
        tables: In the order of the file.
        database: DuckDB's name of the database; None without one.
        schema: Its name by default.
    """

    name: str
    file: str
    line: int
    tables: tuple[SourceTable, ...]
    database: str | None = None
    schema: str = ""


@dataclass(frozen=True, slots=True)
class ModelProperties:
    """An item of a YAML file's `models`: a model's description, tests and configurations."""

    name: str
    file: str
    line: int
    config: ModelConfig


@dataclass(frozen=True, slots=True)
class Properties:
    """What one YAML file declares."""

    sources: tuple[Source, ...]
    models: tuple[ModelProperties, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """A dbt project.

    Attributes:
        directory: The folder with `dbt_project.yml`.
        models: By file.
        sources: By file, in the order of each.
        properties: Likewise, of models.
        diagnostics: Files that can't be read, and notices of models whose columns can't all be proved.
    """

    directory: Path
    models: tuple[Model, ...]
    sources: tuple[Source, ...]
    properties: tuple[ModelProperties, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def unread(self) -> frozenset[str]:
        """The files that can't be read; rules report nothing that one of these may contain."""
        return frozenset(diagnostic.file for diagnostic in self.diagnostics if not diagnostic.harmless)


class YamlError(Exception):
    """The text is not YAML.

    Attributes:
        line: 1-based.
    """

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


@collector_paused()
def load_project(directory: Path) -> Project:
    """Load a dbt project.

    Raises:
        ProjectError: The folder is not a dbt project.
    """
    if not (directory / PROJECT_FILE).is_file():
        raise ProjectError(f"{directory} has no {PROJECT_FILE}", "name the dbt project's folder with --dbt")
    diagnostics: list[Diagnostic] = []
    models: list[Model] = []
    properties: list[Properties] = []
    for path in sorted((directory / _MODELS_FOLDER).rglob("*")):
        if path.suffix not in {".sql", ".yml", ".yaml"} or path.is_dir():
            continue
        file = path.relative_to(directory).as_posix()
        try:
            # `\r\n` and `\r` as line ends, as in a file that is opened as text.
            text = io.TextIOWrapper(io.BytesIO(read_file(str(path))), encoding="utf-8").read()
            if path.suffix == ".sql":
                models.append(_read_model(file, text, diagnostics))
            else:
                properties.append(read_properties(file, text))
        except (UnreadableError, UnicodeDecodeError, TemplateError, YamlError) as error:
            diagnostics.append(_unreadable(file, error))
    return _project(directory, models, properties, diagnostics)


def _unreadable(file: str, error: Exception) -> Diagnostic:
    match error:
        case TemplateError():
            return Diagnostic(file, (), f"is not a Jinja template ({error})", "correct its syntax", error.line)
        case YamlError():
            return Diagnostic(file, (), "is not YAML", "correct its syntax", error.line)
        case UnreadableError():
            return Diagnostic(file, (), error.what, error.remedy, 1)
        case _:
            return Diagnostic(file, (), "can't be read (not UTF-8)", "make it a readable text file", 1)


def _project(
    directory: Path, models: Iterable[Model], files: Iterable[Properties], diagnostics: Iterable[Diagnostic]
) -> Project:
    """Give each model the configurations that a YAML file has for it."""
    properties = tuple(model for file in files for model in file.models)
    configs = {model.name: model.config for model in properties}
    return Project(
        directory,
        tuple(replace(model, config=_merged(model.config, configs.get(model.name))) for model in models),
        tuple(source for file in files for source in file.sources),
        properties,
        tuple(diagnostics),
    )


def _read_model(file: str, text: str, diagnostics: list[Diagnostic]) -> Model:
    """Read a model's text.

    Args:
        file: The model's file.
        text: The text.
        diagnostics: Gains a notice when the columns that the model reads can't all be proved.

    Raises:
        TemplateError: It is not a Jinja template.
    """
    template = read_template(text)
    calls = template.calls
    columns, notice = _columns(file, template)
    if notice is not None:
        diagnostics.append(notice)
    return Model(
        name=PurePosixPath(file).stem,
        file=file,
        config=_config(call for call in calls if call.name == "config"),
        arrivals=_stream_refs("arrivals", calls, columns),
        sources=_stream_refs("source", calls, columns),
        latest=tuple(
            LatestCall(
                _unquoted(call.texts("key")), _unquoted([call.text("cursor")])[0], call.line, call.text("deleted")
            )
            for call in calls
            if call.name == "latest"
        ),
        refs=tuple(dict.fromkeys(call.text("model") for call in calls if call.name == "ref")),
        missing_columns=columns.missing,
        has_computed_arrivals=template.may_call("arrivals"),
    )


def _stream_refs(macro: str, calls: Iterable[MacroCall], columns: QueryColumns) -> tuple[StreamRef, ...]:
    """The calls of `arrivals` or `source`, with the columns that are read from each."""
    return tuple(
        StreamRef(
            (call.text("source_name"), call.text("stream")),
            call.line,
            tuple(column for table, column in columns.read if table == call.placeholder),
        )
        for call in calls
        if call.name == macro
    )


def _columns(file: str, template: Template) -> tuple[QueryColumns, Diagnostic | None]:
    """The columns that a model reads, and a notice when it reads arrivals and these may not be all columns."""
    what, line, columns = "", 0, QueryColumns((), ())
    if template.unknown:
        line, tag = template.unknown[0]
        what = f"has {' '.join(tag.split())} in it, so the fields that it reads are not all checked"
    if not template.has_statements:
        try:
            columns = columns_read(template.sql, {call.placeholder for call in template.calls})
        except QueryError as error:
            what, line = f"can't be read as SQL ({error}), so the fields that it reads are not checked", error.line or 1
    has_arrivals = template.may_call("arrivals") or any(call.name == "arrivals" for call in template.calls)
    remedy = "check them by hand, or write the model without it"
    return columns, Diagnostic(file, (), what, remedy, line, harmless=True) if what and has_arrivals else None


def _config(calls: Iterable[MacroCall]) -> ModelConfig:
    config: ModelConfig | None = None
    for call in calls:
        own = ModelConfig(call.texts("tags"), _unquoted(call.texts("unique_key")), call.line, call.text("materialized"))
        config = _merged(own, config)
    return config or ModelConfig()


def _merged(config: ModelConfig, inherited: ModelConfig | None) -> ModelConfig:
    """As dbt merges configurations: tags add up, and of all others the more specific wins."""
    if inherited is None:
        return config
    tags = dict.fromkeys((*config.tags, *inherited.tags))
    unique_key, materialized = config.unique_key or inherited.unique_key, config.materialized or inherited.materialized
    return ModelConfig(tuple(tags), unique_key, config.line, materialized)


def _unquoted(names: Iterable[str]) -> tuple[str, ...]:
    """Names without SQL's double quotes."""
    return tuple(
        name[1:-1].replace('""', '"') if len(name) > 1 and name[0] == name[-1] == '"' else name for name in names
    )


def read_properties(file: str, text: str) -> Properties:
    """Read a YAML file's text.

    Raises:
        YamlError: It is not YAML.
    """
    root = compose(text)
    return Properties(tuple(_sources(file, root)), tuple(_model_properties(file, root)))


def compose(text: str) -> yaml.Node | None:
    """Parse YAML into nodes, which have lines; None when the text is empty.

    Raises:
        YamlError: It is not YAML.
    """
    with _yaml_errors():
        node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    return node


def document(text: str) -> JsonValue:
    """Parse YAML into plain values.

    Raises:
        YamlError: It is not YAML.
    """
    with _yaml_errors():
        value: JsonValue = yaml.load(text, Loader=_LOADER)  # noqa: S506, the loader is a safe one
    return value


def line_of(node: yaml.Node) -> int:
    """The line where a node starts, 1-based."""
    return int(node.start_mark.line) + 1


@contextmanager
def _yaml_errors() -> Iterator[None]:
    try:
        yield
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise YamlError(mark.line + 1 if mark is not None else 1) from error


def _at(node: yaml.Node | None, *keys: str) -> yaml.Node | None:
    """The value at nested keys of a mapping; None when it has none."""
    here = node
    for key in keys:
        if not isinstance(here, yaml.MappingNode):
            return None
        here = next((value for name, value in here.value if _text(name) == key), None)
    return here


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    """The items of a list; none for any other node."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _text(node: yaml.Node | None) -> str | None:
    """A scalar as it is written; None for any other node."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def _texts(node: yaml.Node | None) -> tuple[str, ...]:
    """A scalar or a list of scalars."""
    texts = map(_text, _items(node)) if isinstance(node, yaml.SequenceNode) else (_text(node),)
    return tuple(text for text in texts if text is not None)


def _named(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    """Yield the items of a list that have a `name`, with it."""
    for item in _items(node):
        name = _text(_at(item, "name"))
        if name is not None:
            yield name, item


def _sources(file: str, root: yaml.Node | None) -> Iterator[Source]:
    for name, item in _named(_at(root, "sources")):
        found = Source(name, file, line_of(item), (), _text(_at(item, "database")), _text(_at(item, "schema")) or name)
        yield replace(found, tables=tuple(_table(found, table, node) for table, node in _named(_at(item, "tables"))))


def _table(source: Source, name: str, item: yaml.Node) -> SourceTable:
    # dbt takes `meta` in both places; the one inside `config` is the newer.
    meta = _at(item, "config", "meta") or _at(item, "meta")
    prefix = _at(meta, "prefix")
    return SourceTable(
        stream=(source.name, name),
        file=source.file,
        line=line_of(item),
        columns={column: line_of(node) for column, node in _named(_at(item, "columns"))},
        prefix=_text(prefix),
        prefix_line=line_of(prefix or item),
        location=_text(_at(meta, "external_location")),
        identifier=_text(_at(item, "identifier")) or name,
        database=source.database,
        schema=source.schema,
        source_line=source.line,
    )


def _model_properties(file: str, root: yaml.Node | None) -> Iterator[ModelProperties]:
    for name, item in _named(_at(root, "models")):
        node = _at(item, "config")
        config = ModelConfig(
            _texts(_at(node, "tags")),
            _texts(_at(node, "unique_key")),
            line_of(node or item),
            _text(_at(node, "materialized")) or "",
        )
        yield ModelProperties(name, file, line_of(item), config)
