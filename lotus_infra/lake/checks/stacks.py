"""What differs by stack: that each overlay means something, and what the rules say of the lake of each stack."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from airbyte_model.suggestions import suggestion

from lotus_infra.lake.checks.configuration import configurations_fit, references_are_well_formed, values_are_set
from lotus_infra.lake.checks.discovered import deletions_are_selected, fields_are_offered, streams_are_offered
from lotus_infra.lake.checks.modes import cursors_work, keys_are_used, keys_work, modes_exist
from lotus_infra.lake.checks.names import models_are_unique, streams_are_unique
from lotus_infra.lake.checks.plain import paths_are_plain
from lotus_infra.lake.checks.rule import Rule, capped
from lotus_infra.lake.checks.sources import connections_are_written_once, connectors_are_known
from lotus_infra.lake.checks.texts import texts_are_storable
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import BUCKET_PATH, Lake, SourceFolder
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
    """A stream has one prefix in every stack: its models name it, and are the same in all stacks.

    Args:
        lake: The lake as its files have it.
        own: The lake of a stack.
    """
    before = {source.name: source for source in lake.sources}
    for source in own.sources:
        if _landing(own, source) == _landing(lake, before[source.name]):
            continue
        for stream in source.selected_streams:
            here, there = own.prefix_of(source, stream), lake.prefix_of(before[source.name], stream)
            if here is None or there is None or here == there:
                continue
            [connection] = [each for each in source.connections if each.takes(stream) and own.lands(each)][:1]
            what = f"writes {stream.source}/{stream.name} below {here}, and its models read it below {there}"
            path = connection.path("destination")
            yield Diagnostic(source.file, path, what, f"give the destination the same {BUCKET_PATH}")
            break


def _landing(lake: Lake, source: SourceFolder) -> list[object]:
    """The connections of a source that land, each with the path in its bucket: on these its prefixes depend."""
    found = ((each.name, lake.lands(each), lake.destination_of(each)) for each in source.connections)
    return [(name, to.configuration.get(BUCKET_PATH) if to else None) for name, lands, to in found if lands]


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
        overlays_apply,
    }
)
"""The rules that see nothing of what an overlay can change. Every other rule is applied to the lake of each stack."""
