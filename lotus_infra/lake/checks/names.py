"""Names that must be unique: labels and streams in Airbyte, names in dbt and Dagster."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from airbyte_model.streams import key_of, shown

from lotus_infra import naming
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, Lake

Claim = tuple[str, str, JsonPath]
"""A name, and the file and path that give it."""


def labels_are_unique(lake: Lake) -> Iterator[Diagnostic]:
    """No two sources, destinations or connections share a label.

    Airbyte allows it, but neither people nor an import could distinguish such objects.
    """
    sources: list[Claim] = [(source.label, source.file, ("name",)) for source in lake.sources if source.config]
    yield from repeated(sources, "the source label", "give one of the two another name")
    destinations: list[Claim] = [
        (lake.destination_label(name), f"{DESTINATIONS_FOLDER}/{name}.json", ("name",)) for name in lake.destinations
    ]
    yield from repeated(destinations, "the destination label", "give one of the two another name")
    # A connection's label contains its source's: two equal source labels are reported above, and not twice.
    labels = Counter(claim[0].casefold() for claim in sources)
    connections: list[Claim] = [
        (lake.connection_label(source, connection), source.file, connection.path("name"))
        for source in lake.sources
        if labels[source.label.casefold()] == 1
        for connection in source.connections
    ]
    yield from repeated(connections, "the connection label", "give one of the two another name")


def streams_are_unique(lake: Lake) -> Iterator[Diagnostic]:
    """No connection takes a stream twice: Airbyte refuses it."""
    for source in lake.sources:
        found: dict[Diagnostic, None] = {}
        for connection in source.connections:
            claims: list[Claim] = [
                (shown(key_of(stream.identity)), stream.file, ("stream",))
                for stream in source.streams
                if connection.takes(stream)
            ]
            found |= dict.fromkeys(repeated(claims, "the stream", "delete one of the two files", key=str))
        yield from found


def models_are_unique(lake: Lake) -> Iterator[Diagnostic]:
    """No two streams share a dbt tag or a Dagster name, as `a_b` + `c` and `a` + `b_c` would."""
    streams = list(lake.streams)
    sensors = ((naming.sensor(s.source, s.name), s.file, ()) for s in streams)
    yield from repeated(sensors, "the sensor", "rename one of the two source folders")
    tags = ((naming.dbt_tag(s.source, s.name), s.file, ()) for s in streams)
    yield from repeated(tags, "the dbt tag", "rename one of the two source folders")


def job_sensors_are_unique(lake: Lake) -> Iterator[Diagnostic]:
    """No connection's sensor of jobs has the name of a stream's sensor, as that of `crm` and of its stream `jobs`."""
    jobs: list[Claim] = [
        (naming.jobs_sensor(each.resource), each.file, each.path())
        for each in lake.connections
        if (found := lake.capabilities(each)) is not None and found.arrival == "job"
    ]
    if jobs:
        sensors = ((naming.sensor(s.source, s.name), s.file, ()) for s in lake.streams)
        yield from repeated(
            [*jobs, *sensors], "the sensor", "rename the stream's file, or one of the two source folders"
        )


def repeated(
    claims: Iterable[Claim], kind: str, remedy: str, *, key: Callable[[str], str] = str.casefold
) -> Iterator[Diagnostic]:
    """Report each name that an earlier claim has, in upper or lower case unless the key says otherwise."""
    owners: dict[str, Claim] = {}
    for claim in claims:
        name, file, path = claim
        owner = owners.setdefault(key(name), claim)
        if owner is not claim:
            other = owner[1] if owner[1] != file else "another connection that takes it"
            yield Diagnostic(file, path, f'{kind} "{name}" is already that of {other}', remedy)
