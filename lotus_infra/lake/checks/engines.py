"""What a source can't have or do by its engine, as the table of capabilities has it."""

from collections.abc import Iterable, Iterator

from airbyte_model.suggestions import suggestion
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.lake.capabilities import Reader, Unused
from lotus_infra.lake.checks.names import Claim, repeated
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import Connection, Lake, SourceFolder
from lotus_infra.lake.models import LakeModel
from lotus_infra.lake.references import ROTATES, references

_CONFIGURATION: JsonPath = ("configuration",)


def settings_have_effect(lake: Lake) -> Iterator[Diagnostic]:
    """A source and its streams have no setting that the source's engine does not have."""
    for source in lake.sources:
        reader = source.reader
        if source.config is not None:
            yield from _unused(source.file, source.config, reader, reader.source_lacks)
        for stream in source.streams if reader.stream_lacks else ():
            yield from _unused(stream.file, stream.config, reader, reader.stream_lacks)


def _unused(file: str, config: LakeModel, reader: Reader, lacks: Iterable[Unused]) -> Iterator[Diagnostic]:
    for each in lacks:
        value = _given(config, each.path)
        if value is not None and value != each.harmless:
            yield Diagnostic(file, each.path, f"is not a setting of {reader.label}", each.remedy)


def _given(config: LakeModel, path: tuple[str, ...]) -> object:
    """The value that a file gives a setting; None if it gives none."""
    value: object = config
    for key in path:
        if not isinstance(value, LakeModel) or key not in value.model_fields_set:
            return None
        value = getattr(value, key)
    return value


def secrets_are_kept(lake: Lake) -> Iterator[Diagnostic]:
    """No secret rotates whose engine does not write it back."""
    for source in lake.sources:
        if source.config is None or source.reader.rotates:
            continue
        for path, reference in references(source.config.configuration):
            if reference.rotates:
                what = f'is marked "{ROTATES}", and {source.reader.label} does not write a secret back'
                yield Diagnostic(source.file, (*_CONFIGURATION, *path), what, f'leave "{ROTATES}" out')


def destinations_are_reached(lake: Lake) -> Iterator[Diagnostic]:
    """The engine of a source writes to its destination."""
    for source in lake.sources:
        for connection in source.connections:
            if lake.capabilities(connection) is None:
                yield _unreached(lake, source, connection)


def _unreached(lake: Lake, source: SourceFolder, connection: Connection) -> Diagnostic:
    landing = [name for name, each in lake.destinations.items() if each is not None and lake.is_landing(each)]
    what = f'"{connection.config.destination}" is not the landing bucket, and {source.reader.label} writes there alone'
    remedy = f"write {' or '.join(landing)}" if landing else "add a destination-s3 that writes into the landing bucket"
    return Diagnostic(connection.file, connection.path("destination"), what, remedy)


def modules_are_sources(lake: Lake) -> Iterator[Diagnostic]:
    """The module of a source exists, and has a source of its name that takes the configuration."""
    for source in lake.sources:
        if source.config is not None and source.reader.has_module and lake.modules is not None:
            yield from _module_flaws(lake, source)


def _module_flaws(lake: Lake, source: SourceFolder) -> Iterator[Diagnostic]:
    file, name = naming.source_module_file(source.module), source.module
    path: JsonPath = ("module",) if source.config is not None and source.config.module is not None else ("engine",)
    module = (lake.modules or {}).get(name)
    example = f"`@dlt.source` above `def {name}(…):`"
    if module is None:
        remedy = f'write it with {example}, or name another file in "module"'
        yield Diagnostic(source.file, path, f"there is no {file}", remedy)
    elif module.mistake:
        yield Diagnostic(source.file, path, f"{file}: {module.mistake}", "correct the file")
    elif module.kind == "coroutine":
        yield Diagnostic(source.file, path, f'"{name}" in {file} is async, and is called as it is', "write def")
    elif module.kind == "other":
        yield Diagnostic(
            source.file, path, f'"{name}" in {file} is not a function with @dlt.source', f"write {example}"
        )
    elif module.kind == "missing":
        remedy = suggestion(name, module.sources, f"write {example}")
        yield Diagnostic(source.file, path, f'{file} has no function "{name}"', remedy)
    else:
        yield from _configuration_flaws(source, file, lake)


def _configuration_flaws(source: SourceFolder, file: str, lake: Lake) -> Iterator[Diagnostic]:
    """The configuration's keys are the parameters of the source's function."""
    module = (lake.modules or {})[source.module]
    given = source.config.configuration if source.config is not None else {}
    known = {each.name: each for each in module.parameters}
    for key in given:
        if key not in known and not module.takes_all:
            takes = f"it takes {', '.join(known)}" if known else "delete it: it takes nothing"
            what = f'is not a parameter of "{source.module}" in {file}'
            left = known.keys() - given.keys()
            yield Diagnostic(source.file, (*_CONFIGURATION, key), what, suggestion(key, left, takes))
    for each in module.parameters:
        if each.required and each.name not in given:
            value = f'{{"$secret": "{naming.secret(source.name, [each.name])}"}}' if each.secret else "…"
            what = f'lacks "{each.name}", which "{source.module}" in {file} requires'
            yield Diagnostic(source.file, _CONFIGURATION, what, f'add "{each.name}": {value}')
        elif each.secret and each.name in given and not _is_secret(given[each.name]):
            remedy = f'keep the value in the stack: {{"$secret": "{naming.secret(source.name, [each.name])}"}}'
            yield Diagnostic(source.file, (*_CONFIGURATION, each.name), "is a secret in plain text", remedy)


def _is_secret(value: JsonValue) -> bool:
    """Whether a value refers to a secret, or is none."""
    if value is None:
        return True
    return any(reference.secret for _, reference in references(value))


def resources_are_offered(lake: Lake) -> Iterator[Diagnostic]:
    """A stream that is none of its module's resources is a notice, where the module's text has all of them."""
    for source in lake.sources:
        module = (lake.modules or {}).get(source.module) if source.reader.has_module else None
        if module is None or module.has_others:
            continue
        for stream in source.streams:
            if stream.config.selected and stream.config.stream not in module.resources:
                what = f'"{stream.config.stream}" is no resource of {naming.source_module_file(source.module)}'
                has = f"it has {', '.join(sorted(module.resources))}"
                remedy = suggestion(stream.config.stream, module.resources, has)
                yield Diagnostic(stream.file, ("stream",), what, remedy, harmless=True)


def runs_are_unique(lake: Lake) -> Iterator[Diagnostic]:
    """No two jobs or operations of Dagster share a name, as `a_b` and the stream `b` of `a` would."""
    claims: list[Claim] = []
    for source in lake.sources:
        if source.reader.scheduler == "dagster":
            claims.append((naming.dlt_job(source.name), source.file, ()))
            claims += ((naming.dlt_asset(source.name, each.name), each.file, ()) for each in source.streams)
    yield from repeated(claims, "the job", "rename one of the two source folders")
