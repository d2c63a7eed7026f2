"""How fresh streams are: what has landed of each in its bucket, and when Dagster made of it what is made of it.

What can't be asked is told as that, with the reason, and never as a value.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from lotus_infra import naming
from lotus_infra.errors import LotusError
from lotus_infra.ops.dagster import Asset, Key, assets, downstream
from lotus_infra.ops.landing import Landed, bucket_of, newest
from lotus_infra.ops.objects import Objects
from lotus_infra.streams.lake import Lake, SourceFolder

LISTINGS_AT_ONCE = 16


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


Place = tuple[str, str]
"""The source and the name of a stream."""


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
