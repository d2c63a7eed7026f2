"""What differs by stack: that each overlay means something, and what the rules say of the lake of each stack."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from airbyte_model.suggestions import suggestion

from lotus_infra.lake.checks.configuration import configurations_fit, references_are_well_formed, values_are_set
from lotus_infra.lake.checks.discovered import deletions_are_selected, fields_are_offered, streams_are_offered
from lotus_infra.lake.checks.engines import (
    modules_are_sources,
    resources_are_offered,
    runs_are_unique,
    secrets_are_kept,
    settings_have_effect,
)
from lotus_infra.lake.checks.modes import cursors_work, keys_are_used, keys_work, modes_exist
from lotus_infra.lake.checks.names import models_are_unique, streams_are_unique
from lotus_infra.lake.checks.plain import paths_are_plain
from lotus_infra.lake.checks.rule import Rule, capped
from lotus_infra.lake.checks.sources import connections_are_written_once, connectors_are_known
from lotus_infra.lake.checks.texts import texts_are_storable
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import BUCKET_PATH, Connection, Lake, SourceFolder, StreamFile
from lotus_infra.lake.overlays import (
    SourceOverlay,
    StackOverlay,
    connection_settings,
    for_stack,
    overlaid_path,
    overlay_file,
)
from lotus_infra.lake.references import StackValues

_Flaw = tuple[JsonPath, str, str]


def overlays_apply(lake: Lake) -> Iterator[Diagnostic]:
    """An overlay names sources and connections that exist, and changes something of each."""
    sources = {source.name: source for source in lake.sources}
    # A stack's lake lacks the sources that its overlay leaves out, and has the settings that it changes.
    for stack, overlay in lake.overlays.items() if not lake.stack else ():
        if overlay is None:
            continue
        file = overlay_file(stack)
        if not overlay.sources:
            yield Diagnostic(file, (), "changes nothing", "delete it, or name a source that differs in this stack")
        for name, given in overlay.sources.items():
            if name not in sources:
                remedy = suggestion(name, sources, "delete it, or add the source's folder")
                yield Diagnostic(file, ("sources", name), f'there is no source "{name}"', remedy)
                continue
            for path, what, remedy in _flaws(sources[name], given):
                yield Diagnostic(file, ("sources", name, *path), what, remedy)


def _flaws(source: SourceFolder, given: SourceOverlay) -> Iterator[_Flaw]:
    known = connection_settings(source)
    if not given.deployed:
        for key in (*given.given, *(["connections"] if given.connections else [])):
            yield (key,), "has no effect, because the source is not deployed", 'delete it, or "deployed": false'
    elif not given.given and not given.connections:
        yield (), "changes nothing", 'delete it, or write what differs, such as "deployed": false'
    elif known:
        yield from _without_effect(source, given, known)


def _without_effect(
    source: SourceFolder, given: SourceOverlay, known: Mapping[str, Mapping[str, object]]
) -> Iterator[_Flaw]:
    """Yield each setting that is as in the source's file, and each connection that the source lacks."""
    for setting, value in given.given.items():
        if all(own[setting] == value for own in known.values()):
            yield (setting,), f"is as in {source.file}, and changes nothing", "delete it"
        elif all(setting in given.connections[key].given for key in known if key in given.connections) and (
            given.connections.keys() >= known.keys()
        ):
            yield (setting,), "has no effect, because each connection has one of its own", "delete it"
    for key, inner in given.connections.items():
        path: JsonPath = ("connections", key)
        if key not in known:
            remedy = suggestion(key, known, f"name one of {', '.join(known)}")
            yield path, f'the source "{source.name}" has no connection "{key}"', remedy
        elif not inner.given:
            yield path, "changes nothing", "delete it, or write what differs"
        else:
            for setting, value in inner.given.items():
                if given.given.get(setting, known[key][setting]) == value:
                    yield (*path, setting), "is what the connection has without it, and changes nothing", "delete it"


def overlays_have_stacks(stacks: Collection[str]) -> Rule:
    """Make the rule that the project has the stack of each overlay.

    Args:
        stacks: The names of the project's stacks.
    """

    def overlays_have_these_stacks(lake: Lake) -> Iterator[Diagnostic]:
        for stack in lake.overlays:
            if stack not in stacks:
                what = f"is for the stack {stack}, and the project has no Pulumi.{stack}.yaml"
                otherwise = f"delete it, or create the stack: `pulumi stack init {stack}`"
                yield Diagnostic(overlay_file(stack), (), what, suggestion(stack, stacks, otherwise))

    return overlays_have_these_stacks


def stack_diagnostics(
    lake: Lake, stack: str, known: Mapping[Rule, Collection[Diagnostic]], values: StackValues | None
) -> Iterator[Diagnostic]:
    """What is wrong in one stack only, at the overlay where that sets the value; each names the stack.

    Args:
        lake: The lake as its files have it.
        stack: A stack.
        known: The rules, with what each reports of the lake itself.
        values: The names of the stack's values; None if they are unknown.
    """
    overlay = lake.overlays.get(stack)
    own = for_stack(lake, stack) if overlay is not None else lake
    if values is not None:
        yield from capped(values_are_set([values])(own))
    if overlay is None:
        return
    for rule, reported in known.items():
        if rule not in SAME_IN_EVERY_STACK:
            there = frozenset(reported)
            yield from capped(_in_stack(overlay, own, each) for each in rule(own) if each not in there)
    yield from capped(_in_stack(overlay, own, each) for each in prefixes_stay(lake, own))


def prefixes_stay(lake: Lake, own: Lake) -> Iterator[Diagnostic]:
    """A stream has one prefix, or one table, in every stack: its models name it, and are the same in all stacks.

    Args:
        lake: The lake as its files have it.
        own: The lake of a stack.
    """
    before = {source.name: source for source in lake.sources}
    for source in own.sources:
        if _landing(own, source) == _landing(lake, before[source.name]):
            continue
        for stream in source.selected_streams:
            here, there = _place_read(own, source, stream), _place_read(lake, before[source.name], stream)
            if here is None or there is None or here.place == there.place:
                continue
            what = f"writes {stream.source}/{stream.name} {here.place}, and its models read it {there.place}"
            remedy = f"give the destination the same {BUCKET_PATH}"
            if here.is_table or there.is_table:
                remedy = "write to the same destination, with values that differ by stack in its file"
            yield Diagnostic(source.file, here.connection.path("destination"), what, remedy)
            break


class _PlaceRead(NamedTuple):
    """Where the lake's models read a stream, for people, and the connection that writes it there."""

    place: str
    connection: Connection
    is_table: bool


def _place_read(lake: Lake, source: SourceFolder, stream: StreamFile) -> _PlaceRead | None:
    """The prefix or the table that the lake's models read a stream from; None if they read neither."""
    files, tables = lake.read_of(source, stream), lake.table_read_of(source, stream)
    if files is not None:
        return _PlaceRead(f"below {lake.place_of(files, stream)}", files, is_table=False)
    table = lake.table_of(tables, stream) if tables is not None else None
    if tables is None or table is None:
        return None
    return _PlaceRead(f"in the table {table.destination}.{table}", tables, is_table=True)


def _landing(lake: Lake, source: SourceFolder) -> list[object]:
    """The connections of a source whose files or tables models read, with what their prefixes and tables depend on."""
    found = (
        (each.name, lake.place(each), each.config.destination, lake.destination_of(each)) for each in source.connections
    )
    read = [each for each in found if each[1] in {"landing", "postgres"}]
    return [
        (name, to.configuration.get(BUCKET_PATH) if to else None) if place == "landing" else (name, destination)
        for name, place, destination, to in read
    ]


def _in_stack(overlay: StackOverlay, own: Lake, found: Diagnostic) -> Diagnostic:
    """A diagnostic of a stack's lake, at its place in the overlay if that sets the value."""
    place = overlaid_path(overlay, found.file, found.path)
    file, path = (found.file, found.path) if place is None else (overlay_file(own.stack), place)
    return replace(found, file=file, path=path, what=f"{found.what} (in the stack {own.stack})")


SAME_IN_EVERY_STACK: frozenset[Rule] = frozenset(
    {
        connections_are_written_once,
        connectors_are_known,
        texts_are_storable,
        streams_are_unique,
        models_are_unique,
        paths_are_plain,
        streams_are_offered,
        fields_are_offered,
        deletions_are_selected,
        modes_exist,
        cursors_work,
        keys_work,
        keys_are_used,
        references_are_well_formed,
        configurations_fit,
        settings_have_effect,
        secrets_are_kept,
        modules_are_sources,
        resources_are_offered,
        runs_are_unique,
        overlays_apply,
    }
)
"""The rules that see nothing of what an overlay can change. Every other rule is applied to the lake of each stack."""
