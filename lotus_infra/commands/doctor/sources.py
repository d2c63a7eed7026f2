"""Checks of what sources that dlt reads, and warehouses that Dagster reads, need beside Airbyte."""

from collections.abc import Iterator

from lotus_infra import naming
from lotus_infra.clients.warehouse import NotCheckedError, server_version
from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.errors import LotusError
from lotus_infra.lake.checks import values_are_set
from lotus_infra.lake.diagnostics import format_path, pluralize
from lotus_infra.lake.lake import STACKS_FOLDER, Lake


def sources(case: StackContext) -> Iterator[CheckResult]:
    """Whether dlt's sources have their modules, their values and a Dagster; and whether the warehouses answer."""
    yield from _modules(case)
    yield from _dagster(case)
    yield from _values(case)
    yield from _warehouses(case)


def _modules(case: StackContext) -> Iterator[CheckResult]:
    lake = case.lake.dlt
    modules = lake.modules if lake.modules is not None else {}
    for source in lake.sources:
        if source.module not in modules:
            what = f"dlt reads {source.name}, and {naming.source_module_file(source.module)} is missing"
            yield broken("sources", what, f"write it, with a source of dlt named {source.module}")
    found = [source for source in lake.sources if source.module in modules]
    if found:
        yield ok("sources", f"{pluralize(len(found), 'source')} that dlt reads: each has its module")


def _dagster(case: StackContext) -> Iterator[CheckResult]:
    names = ", ".join(source.name for source in case.lake.dlt.sources)
    settings = case.project.settings(case.stack).lotus
    if names and not settings.dagster_elsewhere and (settings.dagster is None or settings.landing_zone is None):
        remedy = (
            "set deploy: true in lotus:dagster, or lotus:dagsterElsewhere if Dagster runs outside of the stack, or"
            f' leave them out of this stack: "deployed": false in {STACKS_FOLDER}/{case.stack}.json'
        )
        yield broken("sources", f"dlt reads {names} in runs of Dagster, and the stack deploys no Dagster", remedy)


def _values(case: StackContext) -> Iterator[CheckResult]:
    lake = case.lake.dlt
    if not lake.sources:
        return
    names = case.project.read(case.stack).names
    own = {source.file for source in lake.sources}
    missing = [each for each in values_are_set([names])(lake) if each.file in own] if names is not None else []
    for each in missing:
        yield broken("sources", f"{each.file}: {format_path(each.path)}: {each.what}", each.remedy)
    if not missing:
        yield ok("sources", "the stack has every value that they refer to")


def _warehouses(case: StackContext) -> Iterator[CheckResult]:
    """Whether each database that models read answers to this machine; only Dagster needs to reach it."""
    for name in _databases(case.lake):
        variable = naming.warehouse_variable(name)
        address = case.environment.get(variable)
        if not address:
            yield warning("sources", f"the database of {name} is not checked: {variable} is not set", _set(variable))
            continue
        try:
            version = server_version(address)
        except NotCheckedError as error:
            yield warning("sources", f"the database of {name} is not checked: {error.message}", error.hint)
        except LotusError as error:
            yield broken("sources", f"the database of {name}: {error.message}", error.hint)
        else:
            yield ok("sources", f"the database of {name} answers: Postgres {version}")


def _databases(lake: Lake) -> list[str]:
    """The destinations whose tables the lake's models read."""
    read = (lake.table_read_of(source, stream) for source in lake.sources for stream in source.selected_streams)
    return sorted({each.config.destination for each in read if each is not None})


def _set(variable: str) -> str:
    return f"export {variable} with a connection string of libpq to check it from here"
