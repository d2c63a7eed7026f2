"""Collect the input of a job from the store as it starts, in the twin's thread."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from airbyte_twin.catalogs import by_key
from airbyte_twin.documents import JsonObject
from airbyte_twin.records import (
    Actor,
    ActorKind,
    Connection,
    DiscoveredStream,
    Epoch,
    Generations,
    Job,
    Outside,
    SelectedStream,
    StreamGeneration,
)
from airbyte_twin.states import StreamKey, drop_streams, state_of
from airbyte_twin.store import Store
from airbyte_twin.sync.commands import configured_secrets, real_connector, revealed_configuration
from airbyte_twin.sync.protocol.cancellation import Cancellation
from airbyte_twin.sync.run.destinations import WRITABLE, Namespaces, Target
from airbyte_twin.sync.run.execution import Work, failed
from airbyte_twin.sync.run.sources import ConnectorSource, FailingSource, SchemaSource, Source
from airbyte_twin.sync.streams import SyncStream
from airbyte_twin.sync.synthesize.pseudorandom import seed_of
from airbyte_twin.sync.synthesize.source import SyntheticSource
from airbyte_twin.twin import Twin

REPLACING = frozenset({"overwrite", "overwrite_dedup"})


@dataclass(frozen=True, slots=True)
class Generation:
    """Generations of a stream in one job: the one written, and the oldest one kept (0: all)."""

    current: int
    minimum: int


def begin_generations(store: Store, connection: Connection, job: Job) -> dict[StreamKey, Generation]:
    """Begin a generation of each stream that a job fully reads or clears; return those of all streams."""
    known = store.generations.get(connection.id) or Generations(id=connection.id)
    numbers = {(each.namespace, each.name): each.generation_id for each in known.streams}
    found = {}
    for stream in connection.streams:
        rereads, replacing = _rereads(stream, job), _replacing(stream, job)
        number = numbers.get(stream.key, 0) + rereads
        if rereads:
            numbers[stream.key] = number
        found[stream.key] = Generation(number, number if replacing else 0)
    streams = tuple(
        StreamGeneration(name=name, namespace=space, generation_id=number) for (space, name), number in numbers.items()
    )
    if streams != known.streams:
        store.generations.put(Generations(id=connection.id, streams=streams))
    return found


def is_asked(stream: SelectedStream, job: Job) -> bool:
    """Whether a refresh or clear includes a stream."""
    return job.type != "sync" and (job.streams is None or stream.key in job.streams)


def _rereads(stream: SelectedStream, job: Job) -> bool:
    return is_asked(stream, job) or (job.type != "reset" and stream.sync_mode == "full_refresh")


def _replacing(stream: SelectedStream, job: Job) -> bool:
    if is_asked(stream, job) and (job.type == "reset" or job.refresh_mode == "truncate"):
        return True
    return stream.sync_mode == "full_refresh" and stream.destination_sync_mode in REPLACING


DAY = 86_400_000
HISTORY = 30 * DAY
"""Milliseconds that a synthesized source looks back at its first sync, if its configuration asks for no less."""


def plan_job(twin: Twin, job: Job, cancellation: Cancellation) -> Work:
    """Collect the input of a job, begin generations, and add an epoch to a synthesized source.

    Raises:
        Failed: The connection needs an unsupported feature, or a connector fails on order.
    """
    connection = twin.store.connections.get(job.connection_id)
    source = twin.store.actor(ActorKind.SOURCE, connection.source_id) if connection else None
    destination = twin.store.actor(ActorKind.DESTINATION, connection.destination_id) if connection else None
    if connection is None or source is None or source.deleted or destination is None or destination.deleted:
        raise failed("airbyte_platform", "The connection's source or destination was deleted.")
    for actor in (source, destination):
        failure = twin.temper(actor.id).check_failure
        if failure is not None:
            raise failed(actor.kind.value, failure)
    target = _target(twin, connection, destination)
    streams = tuple(_streams(twin, connection, job))
    if job.type == "reset":
        # A clear that ends half-way must not leave a state whose rows are gone: they would never be read again.
        drop_streams(twin.store, connection.id, job.streams)
    return Work(
        streams=streams,
        source=None if job.type == "reset" else _source(twin, source, cancellation),
        target=target,
        state=state_of(twin.store, connection.id),
        clock=twin.clock,
        checkpoint_records=twin.settings.checkpoint_records,
    )


def _streams(twin: Twin, connection: Connection, job: Job) -> Iterator[SyncStream]:
    known = by_key(twin.catalog(connection.catalog_id))
    generations = begin_generations(twin.store, connection, job)
    for stream in connection.streams:
        if job.type == "reset" and not is_asked(stream, job):
            continue
        if job.type != "reset" and (stream.mappers or stream.include_files):
            what = "mappers" if stream.mappers else "files"
            raise failed("airbyte_platform", f"Stream {stream.name} has {what}, which the twin does not support.")
        bare = DiscoveredStream(name=stream.name, namespace=stream.namespace, json_schema={}, supported_sync_modes=())
        generation = generations[stream.key]
        yield SyncStream(
            known.get(stream.key, bare), stream, generation.current, generation.minimum, sync_id=int(job.id)
        )


def _target(twin: Twin, connection: Connection, destination: Actor) -> Target:
    repository = twin.connector(destination.definition_id).docker_repository
    if repository not in WRITABLE:
        raise failed(
            "destination", f"The twin does not support {repository}; supported: {', '.join(sorted(WRITABLE))}."
        )
    configuration = revealed_configuration(twin, destination)
    return Target(
        repository=repository,
        configuration=configuration,
        secrets=configured_secrets(twin, destination.definition_id, configuration),
        clock=twin.clock,
        namespaces=Namespaces(connection.namespace_definition, connection.namespace_format),
        prefix=connection.prefix,
        streams=tuple(stream.key for stream in connection.streams),
    )


def _source(twin: Twin, source: Actor, cancellation: Cancellation) -> Source:
    configuration = revealed_configuration(twin, source)
    connector = real_connector(twin, source.definition_id, configuration, cancellation)
    found: Source
    if connector is not None:
        found = ConnectorSource(connector, configuration)
    else:
        found = SchemaSource(_synthetic(twin, source, configuration))
    temper = twin.temper(source.id)
    return (
        found if temper.read_failure is None else FailingSource(found, temper.read_failure, temper.read_failure_after)
    )


def _synthetic(twin: Twin, source: Actor, configuration: JsonObject) -> SyntheticSource:
    known = twin.connector(source.definition_id)
    if known.catalog is None:
        message = f"Unknown connector {known.docker_repository}: pass its executable with --connector."
        raise failed("source", message)
    before = twin.store.outsides.get(source.id)
    outside = twin.store.outsides.put(later(twin, before) if before else first(twin, source, configuration))
    # The seed is that of the connector, so that a source that is made again has the rows that it had.
    seed = seed_of(twin.settings.seed, known.docker_repository)
    return SyntheticSource(seed, tuple(stream.name for stream in known.catalog.streams), outside)


def first(twin: Twin, source: Actor, configuration: JsonObject) -> Outside:
    """A synthesized system at its first sync, with rows since the configured start date, but not older than HISTORY."""
    now = twin.clock.milliseconds()
    since = max(now - HISTORY, min(_start_date(configuration), now - DAY))
    epoch = Epoch(ends_at=now, rows=twin.settings.first_records)
    return Outside(id=source.id, since=since, epochs=(epoch,))


def later(twin: Twin, before: Outside) -> Outside:
    """The system one sync later: new rows appear even if the clock stands still, each at its own time."""
    rows = twin.settings.later_records
    ends_at = max(twin.clock.milliseconds(), before.epochs[-1].ends_at + 2 * rows)
    return before.model_copy(update={"epochs": (*before.epochs, Epoch(ends_at=ends_at, rows=rows))})


def _start_date(configuration: JsonObject) -> int:
    """The configured start date in milliseconds since 1970; 0 without one."""
    declared = configuration.get("start_date")
    try:
        day = date.fromisoformat(declared[:10]) if isinstance(declared, str) else None
    except ValueError:
        day = None
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000) if day else 0
