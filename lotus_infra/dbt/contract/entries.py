"""What the YAML files declare, against the streams and the models."""

from collections.abc import Iterator
from pathlib import Path

from lotus_infra import naming
from lotus_infra.dbt.columns import ALWAYS_THERE
from lotus_infra.dbt.contract.joined import Joined
from lotus_infra.dbt.parts import Table
from lotus_infra.lake.diagnostics import Diagnostic, suggestion


def entries_have_streams(joined: Joined) -> Iterator[Diagnostic]:
    """Every source and table that is declared beside the core models is one of the lake's."""
    for source in joined.project.sources:
        if not source.file.startswith(naming.dbt_models_folder("")):
            continue
        if source.name not in joined.sources:
            remedy = suggestion(source.name, joined.sources, "delete the entry, or add the source's folder")
            yield Diagnostic(source.file, (source.name,), "is no source of the lake", remedy, source.line)
            continue
        for table in source.tables:
            if not joined.may_exist(table.stream):
                names = [stream.name for stream in joined.sources[source.name].streams]
                what = f'is no stream of the source "{source.name}"'
                remedy = suggestion(table.stream[1], names, "delete the entry, or add the stream's file")
                yield Diagnostic(table.file, (table.stream[1],), what, remedy, table.line)


def columns_are_selected(joined: Joined) -> Iterator[Diagnostic]:
    """Every declared column is a field that the stream selects, in the same letters."""
    for table in joined.tables.values():
        stream = joined.streams.get(table.stream)
        if stream is None:
            continue
        known = (*stream.config.fields, *ALWAYS_THERE)
        for column, line in table.columns.items():
            if column not in known:
                what = f"is not among the fields of {stream.file}"
                remedy = suggestion(column, known, "delete it, or select the field")
                yield Diagnostic(table.file, (*table.stream, column), what, remedy, line)


def prefixes_agree(joined: Joined) -> Iterator[Diagnostic]:
    """The files are where the table says."""
    for table in joined.tables.values():
        expected = joined.prefixes.get(table.stream)
        complaint = _complaint(table, expected) if expected is not None else None
        if complaint is not None:
            yield Diagnostic(table.file, (*table.stream, "meta"), *complaint, table.prefix_line)


def _complaint(table: Table, expected: str) -> tuple[str, str] | None:
    if table.prefix is None:
        return "has no prefix", f"write `prefix: {expected}`"
    if table.prefix != expected:
        return f"has the prefix {table.prefix} where the files are in {expected}", f"write `prefix: {expected}`"
    if table.location is not None and f"/{expected}" not in table.location:
        return f"has an external_location that is not in {expected}", f"let it read …/{expected}*/*/*/*.parquet"
    return None


def descriptions_have_models(joined: Joined) -> Iterator[Diagnostic]:
    """Every model that is described is there."""
    names = {model.name for model in joined.project.models} | {Path(file).stem for file in joined.project.unread}
    for entry in joined.project.entries:
        if entry.name not in names:
            remedy = suggestion(entry.name, names, "delete the entry, or add the model")
            yield Diagnostic(entry.file, (entry.name,), "is no model of the project", remedy, entry.line)
