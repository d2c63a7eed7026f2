"""What models read, against what the streams select and the sources files declare."""

from collections.abc import Iterator, Mapping

from lotus_infra import naming
from lotus_infra.dbt.columns import ALWAYS_THERE
from lotus_infra.dbt.contract.joined import Joined, folded, shown
from lotus_infra.dbt.parts import Member, Project, Read
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath, suggestion
from lotus_infra.lake.lake import StreamFile
from lotus_infra.lake.models import Field


def fields_are_selected(joined: Joined) -> Iterator[Diagnostic]:
    """A model reads only what its stream selects."""
    for model, arrivals, stream in joined.reads:
        known = folded((*stream.config.fields, *ALWAYS_THERE))
        for read in _first_of_each(arrivals.reads):
            if read.column.casefold() not in known:
                what = f"is read of {shown(arrivals.stream)}, which does not select it"
                yield Diagnostic(model.file, (read.column,), what, _how_to_select(read.column, stream), read.line)


def members_are_declared(joined: Joined) -> Iterator[Diagnostic]:
    """What a JSON path takes out of an object is a member that the object has."""
    for model, arrivals, stream in joined.reads:
        told: set[tuple[str, JsonPath]] = set()
        for read in arrivals.reads:
            missing = _missing_member(read, stream)
            if missing is None:
                continue
            path, known = missing
            if (read.column.casefold(), path) not in told:
                told.add((read.column.casefold(), path))
                what = f"is not among the properties that {stream.file} declares"
                remedy = suggestion(str(path[-1]), known, "declare it there, or don't read it")
                yield Diagnostic(model.file, (read.column, *path), what, remedy, read.line)


def columns_are_declared(joined: Joined) -> Iterator[Diagnostic]:
    """What a model reads is declared in its sources file: `arrivals` has no other columns."""
    for model, arrivals, stream in joined.arrivals:
        table = joined.tables.get(arrivals.stream)
        if table is None:
            if not _may_be_declared(stream.source, joined.project):
                what = f"{shown(arrivals.stream)} is declared in no sources file"
                yield Diagnostic(model.file, ("arrivals",), what, "add it to the tables of its source", arrivals.line)
            continue
        selected, declared = folded((*stream.config.fields, *ALWAYS_THERE)), folded(table.columns)
        for read in _first_of_each(arrivals.reads):
            if read.column.casefold() in selected and read.column.casefold() not in declared:
                what = f"is read of {shown(arrivals.stream)}, and not declared in {table.file}"
                yield Diagnostic(model.file, (read.column,), what, "add it to the columns there", read.line)


def _may_be_declared(source: str, project: Project) -> bool:
    """Whether a file that could not be read is where a source's tables are."""
    folder = f"{naming.dbt_models_folder(source)}/"
    return any(file.startswith(folder) and not file.endswith(".sql") for file in project.unread)


def parts_have_columns(joined: Joined) -> Iterator[Diagnostic]:
    """What a model reads of a part of itself is among the columns that the part lists."""
    for model in joined.project.models:
        for absent in model.absent:
            what = f'is read of "{absent.part}", which has no such column'
            yield Diagnostic(model.file, (absent.column,), what, "add it there, or don't read it", absent.line)


def _first_of_each(reads: tuple[Read, ...]) -> Iterator[Read]:
    """The first read of each column."""
    seen: set[str] = set()
    for read in reads:
        if read.column.casefold() not in seen:
            seen.add(read.column.casefold())
            yield read


def _how_to_select(column: str, stream: StreamFile) -> str:
    if stream.discovered is not None and column in stream.discovered.fields:
        return f"add it to the fields of {stream.file}: the source has it"
    otherwise = f"add it to the fields of {stream.file}, or don't read it"
    return suggestion(column, (*stream.config.fields, *ALWAYS_THERE), otherwise)


def _missing_member(read: Read, stream: StreamFile) -> tuple[JsonPath, Mapping[str, Field]] | None:
    """The path to the first member that the field's object doesn't have, and those that it has.

    A source may know of more members than the stream's file repeats: a member is missing only where both lack it.
    """
    field = _named(read.column, stream.config.fields)
    missing = _walk(field, read.path) if field is not None else None
    if missing is not None and stream.discovered is not None:
        found = _named(read.column, stream.discovered.fields)
        if found is not None and _walk(found, read.path) is None:
            return None
    return missing


def _walk(field: Field, path: tuple[Member, ...]) -> tuple[JsonPath, Mapping[str, Field]] | None:
    walked: list[str | int] = []
    for member in path:
        walked.append(0 if member is None else member)
        if member is None and field.types == {"array"} and field.items is not None:
            field = field.items
        elif member is not None and field.types == {"object"} and field.properties:
            if member not in field.properties:
                return tuple(walked), field.properties
            field = field.properties[member]
        else:
            return None
    return None


def _named(column: str, fields: Mapping[str, Field]) -> Field | None:
    """A field by its name in a query, where upper and lower case make no difference."""
    return next((field for name, field in fields.items() if name.casefold() == column.casefold()), None)
