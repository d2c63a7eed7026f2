"""What `lotus scaffold` writes for a stream: a model, a source table, and the model's properties with tests.

`Draft` has the project's files as they would be with more streams; nothing is written here. In a YAML file that exists,
only what the stream lacks is inserted, and every other byte stays, comments and line ends included. The text is parsed
again after each insert and must equal the old document with the item in it: an edit that can't be proved so is refused.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import yaml
from airbyte_model.places import has_dots_alone, key_name

from lotus_infra import naming
from lotus_infra.dbt.project import Project, Source, YamlError, compose, document, line_of, read_properties
from lotus_infra.dbt.sql import (
    EXTRACTED_AT_PATH,
    METADATA,
    METADATA_OF_TABLES,
    RAW_ID_PATH,
    ROUNDING,
    TEXT,
    Identity,
    column_name,
    identity,
    landed_files,
    postgres_type,
    quoted,
    sql_type,
)
from lotus_infra.errors import ProjectError
from lotus_infra.lake.capabilities import READERS
from lotus_infra.lake.json_text import child
from lotus_infra.lake.lake import S3, Lake, SourceFolder, StreamFile
from lotus_infra.lake.landed import IN_FILES, Names, is_known, landed, mapped_fields, names_in
from lotus_infra.lake.models import Field, FieldPath
from lotus_infra.lake.warehouses import Table

YamlPath = tuple[str | int, ...]

_UNUSABLE = frozenset("'\"\\{}")
_JINJA_START = re.compile(r"\{(?=[{%#])")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# YAML counts lines by more line ends than Python does by default; places of nodes are counted so.
_LINE = re.compile(r"[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029]|\Z)")


_DEDUPED: Final = frozenset({"append_dedup", "overwrite_dedup"})
"""The destination modes whose tables have one row a key."""


@dataclass(frozen=True, slots=True)
class InTable:
    """Where a stream is that lands in a warehouse.

    Attributes:
        table: Its table.
        names: Of its columns.
        warehouse: The kind of warehouse, for people.
        is_readable: Whether the lake's models can read it; then its types are those of Postgres.
    """

    table: Table
    names: Names
    warehouse: str
    is_readable: bool


Place = str | InTable
"""The prefix of a stream's files, or its table."""


class Draft:
    """A project's files as they would be with more streams.

    Attributes:
        files: The whole text of each new or changed file, by its name in the project.
        changes: `<file>: <what is new in it>`, in the order of the calls.
    """

    def __init__(self, lake: Lake, project: Project) -> None:
        self.files: dict[str, str] = {}
        self.changes: list[str] = []
        self._lake, self._directory = lake, project.directory
        self._models = {model.name: model.file for model in project.models}
        self._source_files = {source.name: source.file for source in reversed(project.sources)}
        self._described = {model.name for model in project.properties}

    def has_model(self, stream: StreamFile) -> bool:
        """Whether the stream has its own model already."""
        return naming.dbt_model(stream.source, stream.name) in self._models

    def add(self, source: SourceFolder, stream: StreamFile, *, force: bool = False) -> None:
        """Add a stream: its model, its source table, its description and tests; no model where DuckDB can't read it.

        Args:
            source: The stream's source.
            stream: One of its streams.
            force: Replaces an existing model.

        Raises:
            ProjectError: The model exists, the stream can't have one, or a file can't be added to.
        """
        place = self._place_of(source, stream)
        names = place.names if isinstance(place, InTable) else IN_FILES
        refuse_unusable(stream, names)
        if isinstance(place, InTable) and not place.is_readable:
            before = len(self.changes)
            self._add_table(source, stream, place)
            if len(self.changes) == before:
                what = f"the source table of {stream.source}/{stream.name} exists already"
                raise ProjectError(what, f"there is nothing to add: DuckDB can't read {place.warehouse}")
            return
        self._add_model(stream, place, force=force)
        self._add_table(source, stream, place)
        self._add_description(source, stream, names)

    def can_have_model(self, source: SourceFolder, stream: StreamFile) -> bool:
        """Whether the lake's models can read a stream where it lands."""
        return any(find(source, stream) is not None for find in (self._lake.read_of, self._lake.table_read_of))

    def _add_model(self, stream: StreamFile, place: Place, *, force: bool) -> None:
        name, file = naming.dbt_model(stream.source, stream.name), naming.dbt_model_file(stream.source, stream.name)
        existing = self._models.get(name)
        if existing is not None and existing != file:
            raise ProjectError(f"the model {name} is in {existing}", f"move it to {file}")
        if existing is not None and not force:
            hint = "pass --force to replace it; edits by hand are lost"
            raise ProjectError(f"the model {name} already exists in {existing}", hint)
        self._models[name] = file
        text = table_model_sql(stream, place.names) if isinstance(place, InTable) else model_sql(stream)
        self._put(file, text, "the model, replaced" if existing is not None else "the model")

    def _add_table(self, source: SourceFolder, stream: StreamFile, place: Place) -> None:
        folder = naming.dbt_models_folder(source.name)
        file = self._source_files.setdefault(source.name, f"{folder}/{naming.dbt_sources_file(source.name)}")
        text = self._text(file)
        table, what = table_entry(stream, place), f"the table {stream.name}"
        if isinstance(place, InTable) and not place.is_readable:
            what += f", without a model: DuckDB can't read {place.warehouse}"
        item = source_entry(source.name, source.label, table, place, READERS[source.engine].label)
        if text is None:
            self._put(file, new_file("sources", item), what)
            return
        sources = read_properties(file, text).sources
        number = _entry_of(source.name, place, sources)
        self._refuse_elsewhere(stream, number, sources)
        if number is None:
            self._insert(file, ("sources",), item, len(sources), what)
            return
        tables = [declared.stream[1] for declared in sources[number].tables]
        if stream.name not in tables:
            self._insert(file, ("sources", number, "tables"), table, _sorted_index(tables, stream.name), what)
            return
        existing = tables.index(stream.name)
        columns = list(sources[number].tables[existing].columns)
        for column, entry in column_entries(stream, place):
            if column not in columns:
                path = ("sources", number, "tables", existing, "columns")
                is_own = (name.casefold().startswith("_airbyte_") for name in columns)
                before = next((index for index, own in enumerate(is_own) if own), len(columns))
                self._insert(file, path, entry, before, f"the column {column} of {stream.name}")
                columns.insert(before, column)

    @staticmethod
    def _refuse_elsewhere(stream: StreamFile, number: int | None, sources: Sequence[Source]) -> None:
        """Refuse a stream whose table is declared where the stream does not land (any more).

        Raises:
            ProjectError: It is.
        """
        for index, declared in enumerate(sources):
            if index != number and any(table.stream == (stream.source, stream.name) for table in declared.tables):
                where = declared.database or "the landing zone"
                what = f"{declared.file} declares {stream.source}/{stream.name} in {where}, where it does not land"
                raise ProjectError(what, "delete the table there, and run the command again")

    def _place_of(self, source: SourceFolder, stream: StreamFile) -> Place:
        prefix, readable = self._lake.prefix_of(source, stream), self._lake.table_read_of(source, stream)
        connection = readable or self._lake.unread_table_of(source, stream)
        table = self._lake.table_of(connection, stream) if connection is not None else None
        warehouse = self._lake.warehouse_of(connection) if connection is not None else None
        if table is not None and warehouse is not None:
            if not table.schema:
                what = f"the schema of {stream.source}/{stream.name} is in no file: it differs by stack"
                raise ProjectError(what, "give the source a namespace, or write the schema in the destination's file")
            return InTable(table, names_in(warehouse), warehouse.label, readable is not None)
        if prefix is None:
            what = f"{stream.source}/{stream.name} does not land in the lake: no destination of it is {S3}"
            raise ProjectError(what, "read it where its destination writes it; it can't have a model")
        if has_dots_alone(prefix) or not _is_safe(prefix):
            raise ProjectError(f"{stream.file} lands below {json.dumps(prefix)}", "run `lotus check`")
        return prefix

    def _add_description(self, source: SourceFolder, stream: StreamFile, names: Names) -> None:
        name = naming.dbt_model(stream.source, stream.name)
        if name in self._described:
            return
        self._described.add(name)
        file = f"{naming.dbt_models_folder(source.name)}/{naming.dbt_models_file(source.name)}"
        text, item, what = (
            self._text(file),
            model_entry(stream, source.label, names),
            f"description and tests of {name}",
        )
        if text is None:
            self._put(file, new_file("models", item), what)
        else:
            described = [model.name for model in read_properties(file, text).models]
            self._insert(file, ("models",), item, _sorted_index(described, name), what)

    def _insert(self, file: str, path: YamlPath, item: str, index: int, what: str) -> None:
        text = self._text(file)
        if text is None:
            raise ProjectError(f"{file} is gone", "run the command again")
        try:
            self._put(file, insert_item(text, path, item, index), what)
        except ProjectError as error:
            raise ProjectError(f"{file}: {error.message}", error.hint) from None

    def _put(self, file: str, text: str, what: str) -> None:
        self.files[file] = text
        self.changes.append(f"{file}: {what}")

    def _text(self, file: str) -> str | None:
        """A file's text in the draft, or else on disk with its own line ends; None when there is no such file."""
        if file not in self.files and not (self._directory / file).exists():
            return None
        return self.files[file] if file in self.files else (self._directory / file).read_bytes().decode()


def _entry_of(source: str, place: Place, sources: Sequence[Source]) -> int | None:
    """The index of the item that a stream's table belongs to; None if there is none yet."""
    named = [index for index, declared in enumerate(sources) if declared.name == source]
    if isinstance(place, InTable):
        wanted = (place.table.destination, place.table.schema)
        return next((index for index in named if (sources[index].database, sources[index].schema) == wanted), None)
    # An item with a database may have tables of files too: dbt reads these by their `external_location`.
    of_files = [index for index in named if any(table.prefix is not None for table in sources[index].tables)]
    plain = [index for index in named if sources[index].database is None]
    return next(iter((*plain, *of_files)), None)


def _is_safe(prefix: str) -> bool:
    """Whether a prefix has the signs of names in keys and blanks alone, none of which YAML's text and Jinja read."""
    plain = prefix.replace(" ", "_")
    return key_name(plain) == plain


def new_draft(lake: Lake, project: Project) -> Draft:
    """An empty draft.

    Raises:
        ProjectError: One of the project's files can't be read.
    """
    for diagnostic in project.diagnostics:
        if not diagnostic.harmless:
            where = f"{project.directory / diagnostic.file}:{diagnostic.line}"
            raise ProjectError(f"{where} {diagnostic.what}", diagnostic.remedy)
    return Draft(lake, project)


def _sorted_index(names: Sequence[str], name: str) -> int:
    """The index that keeps sorted names sorted; the end of names that aren't sorted."""
    return bisect_left(names, name) if list(names) == sorted(names) else len(names)


def refuse_unusable(stream: StreamFile, names: Names = IN_FILES) -> None:
    """Refuse a stream that can't have a model.

    Args:
        stream: The stream.
        names: Of its columns.

    Raises:
        ProjectError: dbt or DuckDB can't have its names, or it does not select its key or cursor.
    """
    where, arrived = f"{stream.source}/{stream.name}", landed(stream, names)
    if not stream.config.selected:
        raise ProjectError(f"{where} is not selected", f'write "selected": true in {stream.file}')
    if not is_known(stream):
        raise ProjectError(
            f"{where} takes all fields, and they are not known", f"run `lotus discover {stream.source}` first"
        )
    if not arrived.columns:
        raise ProjectError(f"{where} selects no field", f"name at least one in {stream.file}")
    key_and_cursor = identity(stream, names)
    paths = _nested_paths(key_and_cursor)
    odd = sorted(step for step in {step for path in paths for step in path} if not step.strip() or _is_odd(step))
    if odd:
        what = f"{where} has a key or cursor with names that dbt can't read: {', '.join(map(json.dumps, odd))}"
        raise ProjectError(what, "write the model by hand, without them")
    seen: dict[str, str] = {}
    for name in (*_columns_with_repeats(stream, names), *map(column_name, paths), *(name for name, _ in METADATA)):
        if name.casefold() in seen:
            what = f"{where} has two columns that DuckDB takes for one, {seen[name.casefold()]} and {name}"
            if name == seen[name.casefold()]:
                what = f"{where} has two fields that become one column, {name}"
            raise ProjectError(what, "write the model by hand, and give one of them another name")
        seen[name.casefold()] = name
    for path in (*key_and_cursor.key, key_and_cursor.cursor):
        if path[0] not in arrived.columns and path not in (RAW_ID_PATH, EXTRACTED_AT_PATH):
            raise ProjectError(f"{where} does not select {path[0]}, its key or cursor", f"add it in {stream.file}")


def _is_odd(name: str) -> bool:
    return not name.isprintable() or not _UNUSABLE.isdisjoint(name)


def _columns_with_repeats(stream: StreamFile, names: Names) -> list[str]:
    """The columns that the fields become, each as often as a field becomes it."""
    return [names.column(name) for name in mapped_fields(stream)]


def model_sql(stream: StreamFile) -> str:
    """The model's text: every field with its type, and the latest row of each key that was not deleted."""
    key_and_cursor = identity(stream)
    arrived = landed(stream).columns
    columns = [_selected(name, sql_type(field)) for name, field in arrived.items()]
    columns += [_extracted_column(path, _field_at(arrived, path)) for path in _nested_paths(key_and_cursor)]
    columns += [
        name if kind == TEXT else f"{name}::{kind} as {name}"  # Airbyte's own: no value of theirs is rounded
        for name, kind in METADATA
    ]
    key = _arguments(map(quoted, key_and_cursor.key_columns))
    lines = [
        f"{{{{ config(unique_key={key}, tags=['{naming.dbt_tag(stream.source, stream.name)}']) }}}}",
        "",
        "with",
        "",
        "arrived as (",
        "    select",
        ",\n".join(f"        {column}" for column in columns),
        f"    from {{{{ arrivals('{stream.source}', '{stream.name}') }}}}",
        ")",
        "",
        _latest("arrived", key_and_cursor),
    ]
    return "\n".join(lines) + "\n"


def table_model_sql(stream: StreamFile, names: Names) -> str:
    """The text of the model of a table in Postgres: its columns with the types that DuckDB has for them.

    Where the table may have several rows of a key, or rows that report a deletion, these are the latest that remain.
    """
    key_and_cursor = identity(stream, names)
    arrived = landed(stream, names).columns
    columns = list(map(quoted, arrived))
    columns += [_extracted_column(path, _field_at(arrived, path)) for path in _nested_paths(key_and_cursor)]
    columns += [name for name, _ in METADATA]
    has_one_row_a_key = stream.config.destination_sync_mode in _DEDUPED and key_and_cursor.deleted is None
    table = f"from {{{{ source('{stream.source}', '{stream.name}') }}}}"
    lines = [f"{{{{ config(materialized='table', tags=['{naming.dbt_tag(stream.source, stream.name)}']) }}}}", ""]
    if key_and_cursor.is_keyless or has_one_row_a_key:
        lines += ["select", ",\n".join(f"    {column}" for column in columns), table]
    else:
        lines += ["with", "", "landed as (", "    select", ",\n".join(f"        {column}" for column in columns)]
        lines += [f"    {table}", ")", "", _latest("landed", key_and_cursor)]
    return "\n".join(lines) + "\n"


def _latest(rows: str, key_and_cursor: Identity) -> str:
    """The call of `latest` for the rows of a query."""
    key = _arguments(map(quoted, key_and_cursor.key_columns))
    deleted = f", deleted='{quoted(key_and_cursor.deleted)}'" if key_and_cursor.deleted is not None else ""
    return f"{{{{ latest('{rows}', key={key}, cursor='{quoted(key_and_cursor.cursor_column)}'{deleted}) }}}}"


def table_entry(stream: StreamFile, place: Place) -> str:
    """The source table, as YAML."""
    columns = "\n".join(_indented(entry, "  - ") for _, entry in column_entries(stream, place))
    if isinstance(place, InTable):
        return f"name: {scalar(stream.name)}\nidentifier: {scalar(place.table.name)}\ncolumns:\n{columns}\n"
    landing = """{{ env_var('LOTUS_LANDING', '') | replace("'", "''") }}"""
    files = landed_files(landing, place).replace("\n", "\n      ")
    return f"""\
name: {scalar(stream.name)}
config:
  meta:
    prefix: {scalar(place)}
    external_location: >-
      {files}
columns:
{columns}
"""


def column_entries(stream: StreamFile, place: Place) -> list[tuple[str, str]]:
    """Each column of the source table: its name, and its YAML; types of other warehouses than Postgres are left out."""
    if isinstance(place, InTable):
        columns = landed(stream, place.names).columns
        if not place.is_readable:
            own = map(place.names.column, (name for name, _ in METADATA))
            return [(name, f"name: {scalar(name)}") for name in (*columns, *own)]
        in_table = [*((name, postgres_type(field)) for name, field in columns.items()), *METADATA_OF_TABLES]
        return [(name, f"name: {scalar(name)}\ndata_type: {kind}") for name, kind in in_table]
    typed = [(name, sql_type(field)) for name, field in landed(stream).columns.items()]
    return [(name, f"name: {scalar(name)}\ndata_type: {kind}") for name, kind in (*typed, *METADATA)]


def source_entry(source: str, label: str, table: str, place: Place, engine: str = "Airbyte") -> str:
    """A source with its first table, as YAML."""
    tables = f"tables:\n{_indented(table, '  - ')}"
    if isinstance(place, InTable):
        description = described(f"What {engine} writes from {label} into {place.warehouse}, one table a stream.")
        where = f"database: {place.table.destination}\nschema: {scalar(place.table.schema)}"
        return f"name: {source}\ndescription: {description}\n{where}\n{tables}"
    description = described(f"What {engine} lands from {label}, one folder a stream.")
    return f"name: {source}\ndescription: {description}\n{tables}"


def model_entry(stream: StreamFile, label: str, names: Names = IN_FILES) -> str:
    """The model's properties, as YAML: description, tests, columns."""
    key_and_cursor = identity(stream, names)
    key = " and ".join(f"`{column}`" for column in key_and_cursor.key_columns)
    rows = "every row that arrived" if key_and_cursor.is_keyless else f"the latest row of each {key}"
    description = f"{label}'s {stream.name.replace('_', ' ')}, {rows}."
    lines = [f"name: {naming.dbt_model(stream.source, stream.name)}", f"description: {described(description)}"]
    if len(key_and_cursor.key) > 1:
        together = ", ".join(scalar(quoted(column)) for column in key_and_cursor.key_columns)
        lines += ["data_tests:", "  - unique_together:", "      arguments:", f"        columns: [{together}]"]
    lines.append("columns:")
    lines += [_indented("\n".join(entry), "  - ") for entry in _described(stream, key_and_cursor, names)]
    return "\n".join(lines) + "\n"


def new_file(key: str, item: str) -> str:
    """The text of a new YAML file with one item under a key."""
    return f"version: 2\n\n{key}:\n{_indented(item, '  - ')}\n"


def scalar(text: str) -> str:
    """A text as a YAML scalar: plain where YAML reads the same text back, else in quotes."""
    try:
        plain = text.isprintable() and document(f"key: {text}") == {"key": text}
    except YamlError:
        plain = False
    # In a list in brackets, a quoted SQL name may contain what ends a plain scalar.
    return text if plain and '"' not in text else _text(text)


def described(text: str) -> str:
    """A printable text as the YAML of a description: dbt renders it to the same text."""
    return _text(_JINJA_START.sub("{{ '{' }}", text))


def _described(stream: StreamFile, key_and_cursor: Identity, names: Names) -> Iterator[list[str]]:
    """Yield the YAML lines of the key, the cursor, and the columns that the source describes."""
    single = len(key_and_cursor.key) == 1
    done: set[str] = set()
    for column in key_and_cursor.key_columns:
        what = "The key."
        if key_and_cursor.is_keyless:
            what = "The key: the source has none, so every row stands by itself."
        tests = "[unique, not_null]" if single else "[not_null]"
        yield _column(column, scalar(what if single else "A part of the key."), tests)
        done.add(column)
    if not key_and_cursor.is_keyless and key_and_cursor.cursor_column not in done:
        yield _column(key_and_cursor.cursor_column, "The cursor; the latest row has the highest value.", "[not_null]")
        done.add(key_and_cursor.cursor_column)
    for name, field in landed(stream, names).columns.items():
        description = " ".join((field.description or "").split())
        if name not in done and description.isprintable() and description:
            yield _column(name, described(description))


def _column(name: str, description: str, tests: str = "") -> list[str]:
    lines = [f"name: {scalar(name)}", f"description: {description}"]
    if quoted(name) != name:
        lines.append("quote: true")
    return [*lines, f"data_tests: {tests}"] if tests else lines


def _selected(name: str, kind: str) -> str:
    return quoted(name) if kind == TEXT else f"{_cast(quoted(name), kind)} as {quoted(name)}"


def _cast(value: str, kind: str) -> str:
    """A text as another type; where a cast could lose something, by the macro that refuses what it can't keep."""
    if kind == TEXT:
        return value
    if kind not in ROUNDING:
        return f"{value}::{kind}"
    return f"{{{{ exact({_jinja_text(value)}, '{kind}') }}}}"


def _jinja_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _extracted_column(path: FieldPath, field: Field | None) -> str:
    """A column from inside an object, which is JSON text in the files."""
    where = "$" + "".join(f".{step}" if _PLAIN_KEY.fullmatch(step) else f'."{step}"' for step in path[1:])
    if "*" in path:
        # In a path, DuckDB takes "*" for any key, even in quotes; a JSON Pointer has no such sign.
        where = "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in path[1:])
    kind = sql_type(field) if field is not None else TEXT
    value = f"json_extract_string({quoted(path[0])}, '{where}')"
    return f"{_cast(value, kind)} as {quoted(column_name(path))}"


def _nested_paths(key_and_cursor: Identity) -> list[FieldPath]:
    """The nested paths among those of the key and the cursor."""
    return [path for path in dict.fromkeys((*key_and_cursor.key, key_and_cursor.cursor)) if len(path) > 1]


def _field_at(columns: Mapping[str, Field], path: FieldPath) -> Field | None:
    fields: Mapping[str, Field] | None = columns
    field = None
    for step in path:
        field = fields.get(step) if fields else None
        fields = field.properties if field is not None else None
    return field


def _arguments(names: Iterable[str]) -> str:
    """Names as an argument of a macro: one as a string, several as a list."""
    written = [f"'{name}'" for name in names]
    return written[0] if len(written) == 1 else f"[{', '.join(written)}]"


def _indented(text: str, start: str) -> str:
    """Lines with `start` before the first, and as many spaces before the others."""
    first, *rest = text.splitlines()
    return "\n".join([start + first, *(" " * len(start) + line for line in rest)])


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def insert_item(text: str, path: YamlPath, item: str, index: int) -> str:
    """Insert an item into a list of a YAML text.

    Args:
        text: The whole text.
        path: Keys and indexes that lead to the list.
        item: A mapping as YAML, without the dash and not indented.
        index: Of the item in the list; the length of the list for the end.

    Raises:
        ProjectError: There is no list, it has no dash for each item, or the result can't be verified.
    """
    where = _list_at(text, path)
    if where is None or where.flow_style or not where.value:
        raise ProjectError(
            f"there is no list with dashes under {'.'.join(map(str, path))} to add to", "write one there by hand"
        )
    lines = [line for line in _LINE.findall(text) if line]
    column = int(where.start_mark.column)
    at_end = index >= len(where.value)
    item_lines = _item_lines(item, column, "\r\n" if lines[0].endswith("\r\n") else "\n")
    if at_end:
        place = _end_of(lines, _dash(lines, where.value[-1], column), column)
        if not lines[place - 1].endswith(("\n", "\r")):
            lines[place - 1] += item_lines[0][-1]
    else:
        place = _dash(lines, where.value[index], column)
        # Comments that are indented more belong to the item above.
        while place > 0 and lines[place - 1].lstrip().startswith("#") and _indentation(lines[place - 1]) <= column:
            place -= 1
    if len(where.value) > 1 and not lines[_dash(lines, where.value[-1], column) - 1].strip():
        blank = item_lines[-1].removeprefix(item_lines[-1].rstrip("\r\n"))
        item_lines = [blank, *item_lines] if at_end else [*item_lines, blank]
    changed = "".join([*lines[:place], *item_lines, *lines[place:]])
    _verify(text, changed, path, item, index)
    return changed


def _list_at(text: str, path: YamlPath) -> yaml.SequenceNode | None:
    here = compose(text)
    for step in path:
        if isinstance(here, yaml.MappingNode):
            here = next((value for key, value in here.value if key.value == step), None)
        elif isinstance(here, yaml.SequenceNode) and isinstance(step, int) and step < len(here.value):
            here = here.value[step]
        else:
            return None
    return here if isinstance(here, yaml.SequenceNode) else None


def _dash(lines: list[str], item: yaml.Node, column: int) -> int:
    """The index of the line with an item's dash: where the item starts, or above."""
    place = line_of(item) - 1
    while place > 0 and lines[place][column : column + 1] != "-":
        place -= 1
    return place


def _end_of(lines: list[str], start: int, column: int) -> int:
    """The index of the line after an item, which has all lines that are indented more than its dash."""
    end = start + 1
    for place in range(start + 1, len(lines)):
        content = lines[place].strip()
        if content and _indentation(lines[place]) > column:
            end = place + 1
        elif content and not content.startswith("#"):
            break
    return end


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _item_lines(item: str, column: int, newline: str) -> list[str]:
    first, *rest = item.splitlines()
    start, further = f"{' ' * column}- ", " " * (column + 2)
    return [f"{start}{first}{newline}", *(f"{further}{line}".rstrip() + newline for line in rest)]


def _verify(before: str, after: str, path: YamlPath, item: str, index: int) -> None:
    """Refuse a result that is not the old document with the item in it.

    Raises:
        ProjectError: The text has a form that `insert_item` does not handle.
    """
    items = expected = document(before)
    for step in path:
        items = next(iter(child(items, step)), None)
    if isinstance(items, list):
        items.insert(index, document(item))
    try:
        is_expected = document(after) == expected
    except YamlError:
        is_expected = False
    if not is_expected:
        raise ProjectError(f"an item can't be added to {'.'.join(map(str, path))}", "add it by hand:\n" + item)
