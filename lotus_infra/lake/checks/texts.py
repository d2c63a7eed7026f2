"""Texts that Airbyte's database refuses: names that are too long, and NUL characters."""

from collections.abc import Iterator

from airbyte_model.texts import HOLDS_NUL, NUL, name_flaw, nul_places

from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, Lake, StreamFile


def labels_are_short(lake: Lake) -> Iterator[Diagnostic]:
    """The label of a source, a destination or a connection, written or derived, fits into the server's database."""
    for source in lake.sources:
        if source.config is None:
            continue
        own = _label_flaw("label", source.label)
        if own:
            yield Diagnostic(source.file, ("name",), own, "give the source a shorter name")
        for connection in source.connections:
            joined = _label_flaw("connection label", lake.connection_label(source, connection))
            if joined and not own:
                remedy = "give the source or its destination a shorter name"
                yield Diagnostic(source.file, connection.path("name"), joined, remedy)
    for name in lake.destinations:
        flaw = _label_flaw("label", lake.destination_label(name))
        if flaw:
            yield Diagnostic(
                f"{DESTINATIONS_FOLDER}/{name}.json", ("name",), flaw, "give the destination a shorter name"
            )


def _label_flaw(kind: str, label: str) -> str:
    """What is wrong with a label, shown by its first 40 characters; empty if nothing is."""
    flaw = name_flaw(label)
    return f'the {kind} "{label[:40]}…" {flaw.what}' if flaw is not None else ""


def texts_are_storable(lake: Lake) -> Iterator[Diagnostic]:
    """No value for the server has a NUL character: its database, PostgreSQL, can't store one."""
    for source in lake.sources:
        if source.config is not None:
            for path in nul_places(source.config.model_dump(exclude_unset=True)):
                yield Diagnostic(source.file, path, *HOLDS_NUL)
        for stream in source.selected_streams:
            for path in _stream_nuls(stream):
                yield Diagnostic(stream.file, path, *HOLDS_NUL)
    for name, destination in lake.destinations.items():
        if destination is not None:
            for path in nul_places(destination.model_dump(exclude_unset=True)):
                yield Diagnostic(f"{DESTINATIONS_FOLDER}/{name}.json", path, *HOLDS_NUL)


def _stream_nuls(stream: StreamFile) -> Iterator[JsonPath]:
    config = stream.config
    for key in ("stream", "namespace", "destination_object_name"):
        if NUL in (getattr(config, key) or ""):
            yield (key,)
    for index, mapper in enumerate(config.mappers):
        yield from nul_places(mapper.configuration, ("mappers", index, "configuration"))
    yield from nul_places(config.cursor_field, ("cursor_field",))
    yield from nul_places(config.primary_key, ("primary_key",))
    if NUL in "".join(stream.fields):
        yield ("fields",)
