"""Streams and fields, compared with those that were discovered."""

import json
from collections.abc import Collection, Iterator, Mapping

from airbyte_model.suggestions import suggestion

from lotus_infra.lake.catalog import deletion_of
from lotus_infra.lake.checks.rule import StreamFlaw, each_selected_stream
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import DISCOVERED_FOLDER, Lake, StreamFile
from lotus_infra.lake.models import Field


def streams_are_offered(lake: Lake) -> Iterator[Diagnostic]:
    """A stream is one that the source has."""
    for source in lake.sources:
        if not source.reader.discovers:
            continue
        if source.offered is None:
            what = f"has no {DISCOVERED_FOLDER} folder, so its streams are not compared with those of the source"
            yield Diagnostic(source.file, (), what, f"run `lotus discover {source.name}`", harmless=True)
            continue
        for stream in source.streams:
            if stream.alike is not None:
                yield Diagnostic(stream.file, *_not_offered(stream, stream.alike, source.offered))


def _not_offered(stream: StreamFile, alike: tuple[str | None, ...], offered: Collection[str]) -> StreamFlaw:
    """A stream file whose stream the source does not have, or has in several namespaces."""
    name, namespace, source = stream.config.stream, stream.config.namespace, stream.source
    if alike:
        several = [json.dumps(each, ensure_ascii=False) for each in alike if each is not None]
        what = f'"{name}" is in several namespaces of the source "{source}": {", ".join(several)}'
        return ("stream",), what, f'add "namespace": {several[0]}, or that of another one'
    otherwise = f"delete the file, or run `lotus discover {source}` if the source has it"
    if namespace is not None:
        return ("namespace",), f'"{name}" is no stream of "{namespace}" in the source "{source}"', otherwise
    others = [each for each in offered if each != name]
    return ("stream",), f'"{name}" is no stream of the source "{source}"', suggestion(name, others, otherwise)


@each_selected_stream
def fields_are_offered(stream: StreamFile) -> Iterator[StreamFlaw]:
    """A field is one that the stream has, with the type that it has there."""
    if stream.config.fields is not None and not stream.config.fields:
        yield ("fields",), "selects no field", "name at least one field, or delete the file"
    if stream.discovered is not None and stream.config.fields is not None:
        yield from _compare(("fields",), stream.config.fields, stream.discovered.fields)


def _compare(path: JsonPath, ours: Mapping[str, Field], theirs: Mapping[str, Field]) -> Iterator[StreamFlaw]:
    for name, field in ours.items():
        found = theirs.get(name)
        if found is None:
            remedy = suggestion(name, theirs, "delete it, or run `lotus discover` if the source has it")
            yield (*path, name), "is not a field that the source has", remedy
        elif field != found:
            yield from _compare_types((*path, name), field, found)


def _compare_types(path: JsonPath, ours: Field, theirs: Field) -> Iterator[StreamFlaw]:
    if ours.types and theirs.types and ours.types != theirs.types:
        written, found = sorted(ours.types), sorted(theirs.types)
        what = f"is {', '.join(written)} where the source has {', '.join(found)}"
        yield (*path, "type"), what, f'write "type": {json.dumps(found if len(found) > 1 else found[0])}'
        return
    if ours.format is not None and theirs.format is not None and ours.format != theirs.format:
        yield (*path, "format"), f"is {ours.format} where the source has {theirs.format}", f'write "{theirs.format}"'
    if ours.properties and theirs.properties:
        yield from _compare((*path, "properties"), ours.properties, theirs.properties)
    if ours.items is not None and theirs.items is not None and ours.items != theirs.items:
        yield from _compare_types((*path, "items"), ours.items, theirs.items)


def deletions_are_selected(lake: Lake) -> Iterator[Diagnostic]:
    """A stream that is read by its changes selects the field by which its source reports deletions."""
    for stream in lake.streams:
        config = stream.config
        name = deletion_of(config, stream.discovered)
        if config.selected and config.sync_mode == "incremental" and name is not None and name not in stream.fields:
            what = f"lacks {name}, by which the source reports deletions: deleted rows stay in the model"
            remedy = f"add it here, and deleted='{name}' to `latest` in the model"
            yield Diagnostic(stream.file, ("fields",), what, remedy, harmless=True)
