"""Names that must be unique: labels in Airbyte, names in dbt and Dagster, and prefixes in the bucket."""

from collections import Counter
from collections.abc import Iterable, Iterator

from lotus_infra import naming
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, Lake

_Claim = tuple[str, str, JsonPath]
"""A name, the file that uses it, and the path in that file."""


def labels_are_unique(lake: Lake) -> Iterator[Diagnostic]:
    """No two sources, destinations or connections share a label.

    Airbyte allows it, but neither people nor an import could distinguish such objects.
    """
    sources: list[_Claim] = [(source.label, source.file, ("name",)) for source in lake.sources if source.config]
    yield from _repeated(sources, "the source label", "give one of the two another name")
    destinations: list[_Claim] = [
        (lake.destination_label(name), f"{DESTINATIONS_FOLDER}/{name}.json", ("name",)) for name in lake.destinations
    ]
    yield from _repeated(destinations, "the destination label", "give one of the two another name")
    # A connection's label contains its source's: two equal source labels are reported above, and not twice.
    labels = Counter(claim[0].casefold() for claim in sources)
    connections: list[_Claim] = [
        (
            naming.connection_label(source.label, lake.destination_label(source.config.destination)),
            source.file,
            ("name",),
        )
        for source in lake.sources
        if source.config and labels[source.label.casefold()] == 1
    ]
    yield from _repeated(connections, "the connection label", "give one of the two sources another name")


def streams_are_unique(lake: Lake) -> Iterator[Diagnostic]:
    """No source has a stream twice, not even in another case."""
    for source in lake.sources:
        claims: list[_Claim] = [(stream.config.stream, stream.file, ("stream",)) for stream in source.streams]
        yield from _repeated(claims, "the stream", "delete one of the two files")


def models_are_unique(lake: Lake) -> Iterator[Diagnostic]:
    """No two streams share a dbt tag or a Dagster name, as `a_b` + `c` and `a` + `b_c` would."""
    streams = list(lake.streams)
    sensors = ((naming.sensor(s.source, s.name), s.file, ()) for s in streams)
    yield from _repeated(sensors, "the sensor", "rename one of the two source folders")
    tags = ((naming.dbt_tag(s.source, s.name), s.file, ()) for s in streams)
    yield from _repeated(tags, "the dbt tag", "rename one of the two source folders")


def prefixes_are_unique(lake: Lake) -> Iterator[Diagnostic]:
    """No two streams are written under one prefix of a bucket."""
    claims: list[_Claim] = []
    for source in lake.sources:
        if source.config is not None:
            destination, prefix = source.config.destination, source.config.prefix
            for stream in source.selected_streams:
                written = naming.s3_prefix(source.namespace, stream.name, prefix=prefix)
                claims.append((f"{destination}:{written}", stream.file, ()))
    yield from _repeated(claims, "the prefix", "give one of the two sources another namespace or prefix")


def _repeated(claims: Iterable[_Claim], kind: str, remedy: str) -> Iterator[Diagnostic]:
    """Report each name that an earlier file uses."""
    owners: dict[str, str] = {}
    for name, file, path in claims:
        owner = owners.setdefault(name.casefold(), file)
        if owner != file:
            yield Diagnostic(file, path, f'{kind} "{name}" is already that of {owner}', remedy)
