"""The text of what dbt needs of a stream: a model, an entry among the sources, and a description with tests.

All of it is made of the stream's file, in the shape of those that people write. Nothing here reads or writes a file.
"""

import json
import re
from collections.abc import Iterable, Iterator

from lotus_infra import naming
from lotus_infra.dbt.columns import (
    EXTRACTED_AT_PATH,
    METADATA,
    RAW_ID_PATH,
    TEXT,
    Identity,
    column_name,
    identity,
    quoted,
    sql_type,
)
from lotus_infra.dbt.entries import EntriesError, document
from lotus_infra.errors import ProjectError
from lotus_infra.lake.lake import StreamFile
from lotus_infra.lake.models import Field, FieldPath

_UNUSABLE = frozenset("'\"\\{}")
_PLAIN_MEMBER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def refuse_unusable(stream: StreamFile) -> None:
    """Make sure that a model can be made of a stream.

    Raises:
        ProjectError: Names that dbt or DuckDB can't have, or a key or a cursor that isn't selected.
    """
    where, fields = f"{stream.source}/{stream.name}", stream.config.fields
    if not stream.config.selected:
        raise ProjectError(f"{where} is not selected", f'write "selected": true in {stream.file}')
    if not fields:
        raise ProjectError(f"{where} selects no field", f"name at least one in {stream.file}")
    paths = _extracted(stream)
    names = {*fields, *(step for path in paths for step in path)}
    odd = sorted(name for name in names if not name.strip() or not name.isprintable() or _UNUSABLE & set(name))
    if odd:
        what = f"{where} has fields whose names dbt can't read: {', '.join(map(json.dumps, odd))}"
        raise ProjectError(what, "write the model by hand, without them")
    seen: dict[str, str] = {}
    for name in (*fields, *map(column_name, paths), *(name for name, _ in METADATA)):
        if name.casefold() in seen:
            what = f"{where} has two columns that DuckDB takes for one, {seen[name.casefold()]} and {name}"
            raise ProjectError(what, "write the model by hand, and give one of them another name")
        seen[name.casefold()] = name
    ours = identity(stream)
    for path in (*ours.key, ours.cursor):
        if path[0] not in fields and path not in (RAW_ID_PATH, EXTRACTED_AT_PATH):
            raise ProjectError(f"{where} does not select {path[0]}, its key or cursor", f"add it in {stream.file}")


def model_sql(stream: StreamFile) -> str:
    """The model: every field with its type, and the latest row of each key."""
    ours = identity(stream)
    columns = [_selected(name, sql_type(field)) for name, field in stream.config.fields.items()]
    columns += [_taken_out(path, _field_at(stream, path)) for path in _extracted(stream)]
    columns += [_selected(name, kind) for name, kind in METADATA]
    key = _arguments(map(quoted, ours.key_columns))
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
        f"{{{{ latest('arrived', key={key}, cursor='{quoted(ours.cursor_column)}') }}}}",
    ]
    return "\n".join(lines) + "\n"


def table_entry(stream: StreamFile, prefix: str) -> str:
    """The stream's entry among the tables of its source."""
    columns = "\n".join(_indented(entry, "  - ") for _, entry in column_entries(stream))
    return f"""\
name: {scalar(stream.name)}
config:
  meta:
    prefix: {scalar(prefix)}
    external_location: >-
      read_parquet('{{{{ env_var('LOTUS_LANDING', '') }}}}/{prefix}*/*/*/*.parquet',
      union_by_name = true, hive_partitioning = false)
columns:
{columns}
"""


def column_entries(stream: StreamFile) -> list[tuple[str, str]]:
    """Each column of the stream's table by its name, with its entry."""
    typed = [(name, sql_type(field)) for name, field in stream.config.fields.items()]
    return [(name, f"name: {scalar(name)}\ndata_type: {kind}") for name, kind in (*typed, *METADATA)]


def source_entry(source: str, label: str, table: str) -> str:
    """A source's entry, with its first table."""
    described = scalar(f"What Airbyte lands from {label}, one folder a stream.")
    return f"name: {source}\ndescription: {described}\ntables:\n{_indented(table, '  - ')}"


def model_entry(stream: StreamFile, label: str) -> str:
    """The model's description and tests."""
    ours = identity(stream)
    key = " and ".join(f"`{column}`" for column in ours.key_columns)
    rows = "every row that arrived" if ours.is_keyless else f"the latest row of each {key}"
    described = f"{label}'s {stream.name.replace('_', ' ')}, {rows}."
    lines = [f"name: {naming.dbt_model(stream.source, stream.name)}", f"description: {_text(described)}"]
    if len(ours.key) > 1:
        together = ", ".join(scalar(quoted(column)) for column in ours.key_columns)
        lines += ["data_tests:", "  - unique_together:", "      arguments:", f"        columns: [{together}]"]
    lines.append("columns:")
    lines += [_indented("\n".join(entry), "  - ") for entry in _described(stream, ours)]
    return "\n".join(lines) + "\n"


def new_file(key: str, item: str) -> str:
    """A YAML file of dbt's with one item under a key."""
    return f"version: 2\n\n{key}:\n{_indented(item, '  - ')}\n"


def scalar(text: str) -> str:
    """A text as YAML has it: plain where YAML reads the same text back, else between quotes."""
    try:
        plain = text.isprintable() and document(f"key: {text}") == {"key": text}
    except EntriesError:
        plain = False
    # A name that SQL wants between quotes can have anything in it that ends a text in a list between brackets.
    return text if plain and '"' not in text else _text(text)


def _described(stream: StreamFile, ours: Identity) -> Iterator[list[str]]:
    """Entries of the columns that there is something to say of: key, cursor, and those that the source describes."""
    single = len(ours.key) == 1
    said: set[str] = set()
    for column in ours.key_columns:
        what = "The key: the source has none, so every row stands by itself." if ours.is_keyless else "The key."
        tests = "[unique, not_null]" if single else "[not_null]"
        yield _column(column, scalar(what if single else "A part of the key."), tests)
        said.add(column)
    if not ours.is_keyless and ours.cursor_column not in said:
        yield _column(ours.cursor_column, "Tells the latest row.", "[not_null]")
        said.add(ours.cursor_column)
    for name, field in stream.config.fields.items():
        description = " ".join((field.description or "").split())
        # dbt would take braces in a description for a template.
        if name not in said and description.isprintable() and description and not set(description) & set("{}"):
            yield _column(name, _text(description))


def _column(name: str, description: str, tests: str = "") -> list[str]:
    lines = [f"name: {scalar(name)}", f"description: {description}"]
    if quoted(name) != name:
        lines.append("quote: true")
    return [*lines, f"data_tests: {tests}"] if tests else lines


def _selected(name: str, kind: str) -> str:
    return quoted(name) if kind == TEXT else f"{quoted(name)}::{kind} as {quoted(name)}"


def _taken_out(path: FieldPath, field: Field | None) -> str:
    """A column that is inside an object, which is JSON here."""
    members = "".join(f".{step}" if _PLAIN_MEMBER.fullmatch(step) else f'."{step}"' for step in path[1:])
    kind = sql_type(field) if field is not None else TEXT
    cast = "" if kind == TEXT else f"::{kind}"
    return f"json_extract_string({quoted(path[0])}, '${members}'){cast} as {quoted(column_name(path))}"


def _extracted(stream: StreamFile) -> list[FieldPath]:
    """The paths of the key and the cursor that lead into objects."""
    ours = identity(stream)
    return [path for path in dict.fromkeys((*ours.key, ours.cursor)) if len(path) > 1]


def _field_at(stream: StreamFile, path: FieldPath) -> Field | None:
    fields: dict[str, Field] | None = stream.config.fields
    field = None
    for step in path:
        field = fields.get(step) if fields else None
        fields = field.properties if field is not None else None
    return field


def _arguments(names: Iterable[str]) -> str:
    """Names as an argument of a macro: one alone, several in a list."""
    written = [f"'{name}'" for name in names]
    return written[0] if len(written) == 1 else f"[{', '.join(written)}]"


def _indented(text: str, start: str) -> str:
    """A block of lines with something before the first and blanks before the others."""
    first, *rest = text.splitlines()
    return "\n".join([start + first, *(" " * len(start) + line for line in rest)])


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
