"""How fresh streams are: what has landed of each in its bucket, and when Dagster made of it what is made of it.

What can't be asked is told as that, with the reason, and never as a value.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.clients.dagster import Asset, Key, assets, downstream
from lotus_infra.clients.storage import Bucket, Object, Objects
from lotus_infra.config import production
from lotus_infra.config.production import ENDPOINT_VARIABLE
from lotus_infra.errors import LotusError
from lotus_infra.lake.lake import Lake, SourceFolder
from lotus_infra.lake.models import DestinationConfig
from lotus_infra.lake.references import Reference, is_reference, parse

_PART = re.compile(r"year=(\d{4})/month=(\d{2})/day=(\d{2})/[^/]+")
LISTINGS_AT_ONCE = 16
Place = tuple[str, str]
"""The source and the name of a stream."""


@dataclass(frozen=True, slots=True)
class Landed:
    """A stream's newest partition.

    Attributes:
        partition: Its day, `2026-01-05`.
        files: How many files it has.
        bytes: How large they are.
        newest: When the last of them was written.
    """

    partition: str
    files: int
    bytes: int
    newest: datetime


def bucket_of(
    destination: DestinationConfig | None, values: Mapping[str, object], environment: Mapping[str, str]
) -> Bucket:
    """The bucket that a destination writes to.

    Args:
        destination: What its file says.
        values: The stack's plain values by the whole key.
        environment: The environment's variables.

    Raises:
        LotusError: Neither file says so, or it is not on S3.
    """
    configuration = destination.configuration if destination is not None else {}
    if "s3_bucket_name" not in configuration:
        raise LotusError("its destination writes to no S3 bucket")
    name = _value(configuration["s3_bucket_name"], values)
    if not name:
        raise LotusError("the stack's file does not say which bucket its destination writes to")
    region, endpoint = (_value(configuration.get(key), values) for key in ("s3_bucket_region", "s3_endpoint"))
    return Bucket(name, region, endpoint or environment.get(ENDPOINT_VARIABLE, ""))


def _value(given: JsonValue, values: Mapping[str, object]) -> str:
    """A text of a destination's file, or what the stack says where it is a reference; empty where that says nothing."""
    found: object = given
    if is_reference(given):
        reference = parse(given)
        if not isinstance(reference, Reference) or reference.secret:
            return ""
        found = values.get(f"lotus:{reference.name}")
        if reference.part is not None:
            found = _of_zone(reference.part, production.Values.of(values).zone or production.Zone(""))
    return found if isinstance(found, str) else ""


def _of_zone(part: str, zone: production.Zone) -> str:
    """What a destination's file asks for by `$landing`; empty for what the stack's file does not say."""
    return {"bucket": zone.landing, "region": zone.region, "endpoint": zone.endpoint}.get(part, "")


def newest(objects: Objects, prefix: str, today: date) -> Landed | None:
    """The newest partition of a stream; None where nothing has landed.

    Args:
        objects: The bucket.
        prefix: Where the stream's files are: `raw/shopify/orders/`.
        today: The day.

    Raises:
        LotusError: The bucket can't be listed.
    """
    yesterday = f"{today - timedelta(days=1):year=%Y/month=%m/day=%d/}"
    recent = _newest_of(prefix, objects.listed(prefix, after=prefix + yesterday))
    return recent or _newest_of(prefix, objects.listed(_last_partition(objects, prefix)))


def _newest_of(prefix: str, found: Iterable[Object]) -> Landed | None:
    files = [(f"{day[1]}-{day[2]}-{day[3]}", one) for one in found if (day := _PART.fullmatch(one.key, len(prefix)))]
    if not files:
        return None
    partition = max(day for day, _ in files)
    inside = [one for day, one in files if day == partition]
    return Landed(partition, len(inside), sum(one.size for one in inside), max(one.modified for one in inside))


def _last_partition(objects: Objects, prefix: str) -> str:
    """The prefix of the newest day, as far down as there are partitions."""
    for part in ("year=", "month=", "day="):
        prefix += max((one for one in objects.folders(prefix) if one.startswith(part)), default="")
    return prefix


@dataclass(frozen=True, slots=True)
class Unknown:
    """What is not known.

    Attributes:
        why: Why.
        asked: Whether somebody was asked and did not say, rather than that there is nobody to ask.
    """

    why: str
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Made:
    """A model or a mart, and when it was made last; None where it never was."""

    name: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A selected stream.

    Attributes:
        source: Its source's folder.
        stream: Its name.
        landed: Its newest files; None where it has none.
        model: Its model.
        marts: What is made of the model, by name; none where that is not known.
    """

    source: str
    stream: str
    landed: Landed | Unknown | None
    model: Made | Unknown
    marts: tuple[Made, ...] = ()


def landed_of(
    lake: Lake,
    folders: Sequence[SourceFolder],
    values: Mapping[str, object],
    now: datetime,
    environment: Mapping[str, str],
) -> dict[Place, Landed | Unknown | None]:
    """What has landed of each selected stream.

    Args:
        lake: The lake.
        folders: The sources that are meant.
        values: The stack's plain values by the whole key.
        now: The time, with a zone.
        environment: The environment's variables.
    """
    found: dict[Place, Landed | Unknown | None] = {}
    wanted: dict[str, list[tuple[Place, str]]] = {}
    for folder in folders:
        prefixes = [((folder.name, each.name), lake.prefix_of(folder, each.name)) for each in folder.selected_streams]
        found.update((place, None) for place, _ in prefixes)
        if folder.config is not None:
            wanted.setdefault(folder.config.destination, []).extend(prefixes)
    for destination, prefixes in wanted.items():
        try:
            bucket = bucket_of(lake.destinations.get(destination), values, environment)
        except LotusError as error:
            found.update((place, Unknown(str(error), asked=False)) for place, _ in prefixes)
        else:
            found.update(_listed(bucket, prefixes, now))
    return found


def _listed(
    objects: Objects, prefixes: Sequence[tuple[Place, str]], now: datetime
) -> dict[Place, Landed | Unknown | None]:
    """The newest partition below each prefix; where the first can't be had, nobody waits for the others."""

    def look(prefix: str) -> Landed | Unknown | None:
        try:
            return newest(objects, prefix, now.date())
        except LotusError as error:
            return Unknown(str(error))

    places, below = [place for place, _ in prefixes], [prefix for _, prefix in prefixes]
    first = [look(prefix) for prefix in below[:1]]
    if any(isinstance(each, Unknown) for each in first):
        return dict.fromkeys(places, first[0])
    with ThreadPoolExecutor(LISTINGS_AT_ONCE) as pool:
        return dict(zip(places, [*first, *pool.map(look, below[1:])], strict=True))


def assets_of(url: str) -> dict[Key, Asset] | Unknown:
    """All that Dagster knows; or why that can't be had.

    Args:
        url: The address of its pages; empty where nobody names it.
    """
    if not url:
        return Unknown("the stack's file names no ingress of Dagster: give its address by --dagster-url", asked=False)
    try:
        return assets(url)
    except LotusError as error:
        return Unknown(str(error))


def stream_status(
    source: str, name: str, landed: Landed | Unknown | None, found: dict[Key, Asset] | Unknown
) -> StreamStatus:
    """How fresh a stream is: what has landed of it, and what Dagster made of that."""
    if isinstance(found, Unknown):
        return StreamStatus(source, name, landed, found)
    key = naming.asset_key(source, name)
    if key not in found:
        missing = Unknown(f"Dagster has no {'/'.join(key)}: `lotus scaffold {source} {name}` writes the model")
        return StreamStatus(source, name, landed, missing)
    marts = sorted(downstream(found, key), key=lambda each: each.key)
    made = tuple(Made(each.key[-1], each.made) for each in marts)
    return StreamStatus(source, name, landed, Made(key[-1], found[key].made), made)


def too_old(stream: StreamStatus, limit: timedelta, now: datetime) -> Iterator[str]:
    """What of a stream is older than it may be, or can't be shown not to be."""
    who = f"{stream.source}/{stream.stream}"
    match stream.landed:
        case None:
            yield f"{who}: no file has landed"
        case Unknown(why):
            yield f"{who}: the age of its files is not known: {why}"
        case Landed(newest=at) if now - at > limit:
            yield f"{who}: its newest file is older than {_hours(limit)}"
    if isinstance(stream.model, Unknown):
        if stream.model.asked:
            yield f"{who}: the age of its model is not known: {stream.model.why}"
        return
    for made in (stream.model, *stream.marts):
        if made.at is None:
            yield f"{who}: {made.name} has never been made"
        elif now - made.at > limit:
            yield f"{who}: {made.name} is older than {_hours(limit)}"


def _hours(limit: timedelta) -> str:
    return f"{limit.total_seconds() / 3600:g} h"
