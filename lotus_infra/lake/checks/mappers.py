"""Mappers: the fields that they change, and what is left of a stream's key and cursor."""

from collections.abc import Iterator

from airbyte_model.mappers import mapper_flaws

from lotus_infra.lake.checks.rule import StreamFlaw, each_selected_stream
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.lake import Lake, StreamFile
from lotus_infra.lake.landed import is_known, landed, mappers_of

_LOST = {
    "primary_key": (
        "no longer tells rows apart after the mappers: the model keeps every row that arrives",
        "hash the key instead, or leave it out of the mappers",
    ),
    "cursor_field": (
        "no longer orders rows after the mappers: the model keeps the row that was extracted last",
        "leave the cursor out of the mappers",
    ),
    "deleted": (
        "take away the field by which the source reports deletions: deleted rows stay in the model",
        "leave it out of the mappers",
    ),
}


@each_selected_stream
def mappers_work(stream: StreamFile) -> Iterator[StreamFlaw]:
    """A mapper changes a field that it receives, and makes none that is there already."""
    if stream.config.mappers and is_known(stream):
        for (index, *path), flaw in mapper_flaws(mappers_of(stream), stream.fields):
            yield ("mappers", index, "configuration", *path), *flaw


def mappers_keep_keys(lake: Lake) -> Iterator[Diagnostic]:
    """A key, a cursor or a deletion that mappers take away is a notice: downstream models then do without it."""
    for source in lake.sources:
        for stream in source.selected_streams:
            if not stream.config.mappers or lake.prefix_of(source, stream) is None:
                continue
            for lost in sorted(landed(stream).lost):
                path = (lost,) if lost in stream.config.model_fields_set else ("mappers",)
                yield Diagnostic(stream.file, path, *_LOST[lost], harmless=True)
