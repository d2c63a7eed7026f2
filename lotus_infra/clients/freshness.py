"""How fresh streams are: by the newest partition of each or the last job that wrote it, and by Dagster's models.

A value that can't be read is `Unavailable` with the reason, and never a default: no reader may take it for fresh.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from pulumi_airbyte.client.models import Job
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.clients.dagster import Asset, AssetKey, FailedCheck, QuarantinedFile, downstream, fetch_assets
from lotus_infra.clients.storage import Bucket, Object, ObjectStore
from lotus_infra.config.production import ENDPOINT_VARIABLE
from lotus_infra.config.settings import StackSettings
from lotus_infra.errors import LotusError
from lotus_infra.lake.lake import Connection, Lake
from lotus_infra.lake.models import DestinationConfig
from lotus_infra.lake.references import Reference, is_reference, parse_reference

_PARALLEL_LISTINGS: Final = 16
_MOST_DAYS_LISTED: Final = 100
_LEVELS: Final = (("year=", "year=9999/"), ("month=", "month=12/"), ("day=", "day=31/"))
"""The beginning of each level's folders, and the last one of the calendar."""
StreamKey = tuple[str, str]
"""The folder of a stream's source, and the name of the stream's file."""


@dataclass(frozen=True, slots=True)
class NewestPartition:
    """A stream's newest partition.

    Attributes:
        partition: Its day, `2026-01-05`.
        files: The number of its files.
        bytes: Their total size.
        newest: When the last of them was written.
    """

    partition: str
    files: int
    bytes: int
    newest: datetime


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A value that can't be read.

    Attributes:
        reason: Why.
        requested: Whether a server was asked and failed; False if no server is configured.
    """

    reason: str
    requested: bool = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """The last succeeded job of the connection that writes a stream to where no file shows new rows.

    Attributes:
        connection: The connection's Pulumi name.
        destination: The label of its destination.
        has_models: Whether models of the lake read the stream there.
        at: When the job ended; None if none has succeeded.
        job_id: The job; None if none has succeeded.
        rows: The rows of all streams of the connection that it has read; None if Airbyte does not report them.
    """

    connection: str
    destination: str
    has_models: bool
    at: datetime | None = None
    job_id: int | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A stream whose files no sensor and no model of the lake reads.

    Attributes:
        destinations: The labels of the destinations that it is written to.
    """

    destinations: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The text for people."""
        return f"no files are read from {' and '.join(self.destinations)}"


@dataclass(frozen=True, slots=True)
class Materialization:
    """A model or a mart, and the time of its last materialization; None if there was none."""

    name: str
    at: datetime | None


Landed = NewestPartition | Arrival | Unavailable | Unread | None
"""A stream's newest partition, or its last job; None if no file has landed."""


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """How fresh a selected stream is.

    Attributes:
        source: The folder of its source.
        stream: The name of its file.
        landed: Its newest partition, or the last job that has written it.
        model: Its model.
        marts: The marts downstream of the model, by name; empty if the model is unavailable.
        quarantined: The files that runs of the model skip.
        failed_checks: Of the model and of its marts.
        paused: Whether the connection that writes it is paused by its file.
    """

    source: str
    stream: str
    landed: Landed
    model: Materialization | Unavailable | Unread
    marts: tuple[Materialization, ...] = ()
    quarantined: tuple[QuarantinedFile, ...] = ()
    failed_checks: tuple[FailedCheck, ...] = ()
    paused: bool = False


def newest_partitions(
    lake: Lake,
    connections: Sequence[Connection],
    values: StackSettings | None,
    now: datetime,
    environment: Mapping[str, str],
) -> dict[StreamKey, Landed]:
    """The newest partition of each stream of some connections, where the lake's sensors and models read it.

    Streams whose new rows show by jobs are left out.

    Args:
        lake: The lake.
        connections: The connections.
        values: The stack's configuration; None if no stack is selected.
        now: The time, with a zone.
        environment: The environment's variables.
    """
    landed: dict[StreamKey, Landed] = {}
    by_destination: dict[str, list[tuple[StreamKey, str]]] = {}
    sources = {source.name: source for source in lake.sources}
    for stream in (each for connection in connections for each in connection.streams):
        key = (stream.source, stream.name)
        if key in landed:
            continue
        source = sources[stream.source]
        read = lake.arrival_of(source, stream)
        if read is not None and not lake.lands(read):
            continue
        if read is None:
            used = (each.config.destination for each in source.connections if each.takes(stream))
            landed[key] = Unread(tuple(dict.fromkeys(map(lake.destination_label, used))))
            continue
        landed[key] = None
        by_destination.setdefault(read.config.destination, []).append((key, lake.place_of(read, stream)))
    for destination, prefixes in by_destination.items():
        try:
            bucket = destination_bucket(lake.destinations.get(destination), values, environment)
        except LotusError as error:
            landed.update((stream, Unavailable(str(error), requested=False)) for stream, _ in prefixes)
        else:
            landed.update(_list_prefixes(bucket, prefixes, now))
    return landed


def job_streams(lake: Lake, connections: Iterable[Connection]) -> dict[StreamKey, Connection]:
    """The streams that some connections take whose new rows show by jobs, each with the connection of these jobs."""
    sources = {source.name: source for source in lake.sources}
    streams = (each for connection in connections for each in connection.streams)
    found = {(each.source, each.name): lake.arrival_of(sources[each.source], each) for each in streams}
    return {key: each for key, each in found.items() if each is not None and not lake.lands(each)}


def last_arrivals(
    lake: Lake, streams: Mapping[StreamKey, Connection], jobs: Mapping[str, Job | None]
) -> dict[StreamKey, Landed]:
    """The last succeeded job of each stream.

    Args:
        lake: The lake.
        streams: Streams, each with the connection of its jobs.
        jobs: The last succeeded job of each connection, by its Pulumi name; of one that is missing, it is unknown.
    """
    return {key: _arrival(lake, connection, jobs) for key, connection in streams.items()}


def _arrival(lake: Lake, connection: Connection, jobs: Mapping[str, Job | None]) -> Arrival | Unavailable:
    if connection.resource not in jobs:
        return Unavailable(f"Airbyte does not have the connection {connection.resource}")
    known, job = lake.capabilities(connection), jobs[connection.resource]
    arrival = Arrival(
        connection.resource,
        lake.destination_label(connection.config.destination),
        has_models=known is not None and known.has_models,
    )
    return arrival if job is None else replace(arrival, at=job.ended, job_id=job.job_id, rows=job.rows_synced)


def destination_bucket(
    destination: DestinationConfig | None, values: StackSettings | None, environment: Mapping[str, str]
) -> Bucket:
    """The bucket that a destination writes to.

    Args:
        destination: Its file.
        values: The stack's configuration; None if no stack is selected.
        environment: The environment's variables.

    Raises:
        LotusError: The destination is not on S3, or the stack's file does not name its bucket.
    """
    configuration = destination.configuration if destination is not None else {}
    if "s3_bucket_name" not in configuration:
        raise LotusError("its destination writes to no S3 bucket")
    name = _resolve(configuration["s3_bucket_name"], values)
    if not name:
        raise LotusError("the stack's file does not name the bucket of its destination")
    region, endpoint = (_resolve(configuration.get(key), values) for key in ("s3_bucket_region", "s3_endpoint"))
    return Bucket(name, region, endpoint or environment.get(ENDPOINT_VARIABLE, ""))


def newest_partition(store: ObjectStore, prefix: str, today: date) -> NewestPartition | None:
    """The newest partition of a stream; None if no file has landed.

    The listing starts at yesterday's partition: one request for a fresh stream. An older stream takes four more, down
    its newest year, month and day, however many files it has. Partitions that are no day, or dated far from now, count
    as none: their dates are wrong. A day whose files are all outside the layout is passed over.

    Args:
        store: The bucket.
        prefix: The prefix of the stream's files: `raw/shopify/orders/`.
        today: The current day.

    Raises:
        LotusError: The bucket can't be listed.
    """
    yesterday, far = (
        f"{prefix}{today + timedelta(days=days):year=%Y/month=%m/day=%d/}" for days in (-1, naming.MOST_DAYS_AHEAD + 1)
    )
    after = takewhile(lambda one: one.key < far, store.list_objects(prefix, after=yesterday))
    recent = _newest_of(prefix, after)
    if recent is not None:
        return recent
    found = (
        _newest_of(prefix, store.list_objects(day)) for day in islice(_days(store, prefix, far), _MOST_DAYS_LISTED)
    )
    return next((one for one in found if one is not None), None)


def load_assets(url: str) -> dict[AssetKey, Asset] | Unavailable:
    """All assets of Dagster, or why they can't be read.

    Args:
        url: The address of its web pages; empty if none is configured.
    """
    if not url:
        return Unavailable(
            "the stack's file names no ingress of Dagster: give its address by --dagster-url or $LOTUS_DAGSTER_URL",
            requested=False,
        )
    try:
        return fetch_assets(url)
    except LotusError as error:
        return Unavailable(str(error))


def stream_status(
    source: str, name: str, landed: Landed, assets: dict[AssetKey, Asset] | Unavailable, *, paused: bool = False
) -> StreamStatus:
    """How fresh a stream is, by its newest partition or its last job, and by Dagster's assets.

    Args:
        source: The folder of its source.
        name: The name of its file.
        landed: Its newest partition, or the last job that has written it.
        assets: Dagster's assets.
        paused: Whether the connection that writes it is paused by its file.
    """
    if isinstance(landed, Arrival) and not landed.has_models:
        return StreamStatus(source, name, landed, Unread((landed.destination,)), paused=paused)
    if isinstance(landed, Unread):
        return StreamStatus(source, name, landed, landed, paused=paused)
    if isinstance(assets, Unavailable):
        return StreamStatus(source, name, landed, assets, paused=paused)
    key = naming.asset_key(source, name)
    if key not in assets:
        missing = Unavailable(f"Dagster has no {'/'.join(key)}: `lotus scaffold {source} {name}` writes the model")
        return StreamStatus(source, name, landed, missing, paused=paused)
    marts = sorted(downstream(assets, key), key=lambda each: each.key)
    return StreamStatus(
        source,
        name,
        landed,
        Materialization(key[-1], assets[key].materialized),
        tuple(Materialization(each.key[-1], each.materialized) for each in marts),
        assets[key].quarantined,
        tuple(check for each in (assets[key], *marts) for check in each.failed_checks),
        paused,
    )


def check_problems(streams: Iterable[StreamStatus]) -> Iterator[str]:
    """A line for each file in quarantine, and for each failed check of severity error, of several streams each once."""
    found: dict[str, None] = {}
    for stream in streams:
        for one in stream.quarantined:
            since = f" since {one.since:%Y-%m-%d %H:%M}" if one.since is not None else ""
            reason = _in_one_line(one.reason)
            found[f"{stream.source}/{stream.stream}: {one.file} is in quarantine{since}: {reason}"] = None
        for check in stream.failed_checks:
            if check.is_error:
                found[describe_check(check)] = None
    yield from found


def describe_check(check: FailedCheck) -> str:
    """A failed check in one line."""
    why = _in_one_line(check.description)
    return f"{check.asset[-1]}: the check {check.name} fails{f': {why}' if why else ''}"


def _in_one_line(reason: str) -> str:
    """The line of an error that says why: of dbt's, the one after `Runtime Error in model int_shop__users (…)`."""
    lines = [line.strip() for line in reason.strip().splitlines()] or [""]
    is_dbts = len(lines) > 1 and " Error in model " in lines[0]
    return lines[1] if is_dbts else lines[0]


def freshness_problems(stream: StreamStatus, limit: timedelta, now: datetime) -> Iterator[str]:
    """A line for each value of a stream that is older than a limit, or whose age is unknown.

    A stream without new rows on purpose, because its connection is paused or nothing is known to write it, has none.
    """
    if stream.paused or isinstance(stream.landed, Unread):
        return
    yield from _landing_problems(stream, limit, now)
    yield from _model_problems(stream, limit, now)


def _landing_problems(stream: StreamStatus, limit: timedelta, now: datetime) -> Iterator[str]:
    who = f"{stream.source}/{stream.stream}"
    match stream.landed:
        case None:
            yield f"{who}: no file has landed"
        case Unavailable(reason):
            yield f"{who}: the age of its files is not known: {reason}"
        case NewestPartition(newest=at) if now - at > limit:
            yield f"{who}: its newest file is older than {_hours(limit)}"
        case Arrival(at=None, connection=connection):
            yield f"{who}: no job of the connection {connection} has succeeded"
        case Arrival(at=datetime() as at, connection=connection) if now - at > limit:
            yield f"{who}: the last succeeded job of the connection {connection} is older than {_hours(limit)}"


def _model_problems(stream: StreamStatus, limit: timedelta, now: datetime) -> Iterator[str]:
    who = f"{stream.source}/{stream.stream}"
    if isinstance(stream.model, Unread):
        return
    if isinstance(stream.model, Unavailable):
        # A lake without a configured Dagster is checked by its files only.
        if stream.model.requested:
            yield f"{who}: the age of its model is not known: {stream.model.reason}"
        return
    for each in (stream.model, *stream.marts):
        if each.at is None:
            yield f"{who}: {each.name} was never materialized"
        elif now - each.at > limit:
            yield f"{who}: {each.name} is older than {_hours(limit)}"


def _resolve(given: JsonValue, values: StackSettings | None) -> str:
    """A text in a destination's file, or the stack's value for a reference; empty if the stack has no plain one."""
    if not is_reference(given):
        return given if isinstance(given, str) else ""
    reference = parse_reference(given)
    if values is None or not isinstance(reference, Reference) or reference.secret:
        return ""
    if reference.part is None:
        return values.values.get(reference.name, "")
    zone = values.lotus.landing_zone
    parts = {"bucket": zone.landing, "region": zone.region, "endpoint": zone.endpoint} if zone is not None else {}
    return parts.get(reference.part, "")


def _list_prefixes(
    store: ObjectStore, prefixes: Sequence[tuple[StreamKey, str]], now: datetime
) -> dict[StreamKey, Landed]:
    """The newest partition below each prefix."""

    def read(prefix: str) -> Landed:
        try:
            return newest_partition(store, prefix, now.date())
        except LotusError as error:
            return Unavailable(str(error))

    streams, below = [stream for stream, _ in prefixes], [prefix for _, prefix in prefixes]
    # The first listing runs alone: if the bucket can't be reached, the others would only wait for the same timeout.
    first = [read(prefix) for prefix in below[:1]]
    if any(isinstance(each, Unavailable) for each in first):
        return dict.fromkeys(streams, first[0])
    with ThreadPoolExecutor(_PARALLEL_LISTINGS) as pool:
        return dict(zip(streams, [*first, *pool.map(read, below[1:])], strict=True))


def _newest_of(prefix: str, objects: Iterable[Object]) -> NewestPartition | None:
    files = [
        (f"{day[1]}-{day[2]}-{day[3]}", one)
        for one in objects
        if (day := naming.LANDED_FILE.fullmatch(one.key, len(prefix)))
    ]
    if not files:
        return None
    partition = max(day for day, _ in files)
    inside = [one for day, one in files if day == partition]
    return NewestPartition(partition, len(inside), sum(one.size for one in inside), max(one.modified for one in inside))


def _days(store: ObjectStore, prefix: str, far: str, levels: Sequence[tuple[str, str]] = _LEVELS) -> Iterator[str]:
    """The prefixes of the days before a prefix that is far from now, the newest first."""
    if not levels:
        yield prefix
        return
    (part, last), *below = levels
    found = (one for one in store.folders(prefix) if part < one <= last and prefix + one < far)
    for one in sorted(found, reverse=True):
        yield from _days(store, prefix + one, far, below)


def _hours(limit: timedelta) -> str:
    return f"{limit.total_seconds() / 3600:g} h"
