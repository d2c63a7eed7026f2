"""Discovery of a source's streams, with the server's cache. A test can make it slow or let it fail.

Source: airbyte-platform SourceHandler.discoverSchemaForSourceFromSourceId; the cache key is source, connector version
and a hash of the configuration.
"""

import asyncio
import hashlib
from uuid import NAMESPACE_URL, uuid5

from airbyte_twin.documents import dump_json
from airbyte_twin.records import Actor, Catalog, DiscoveredStream, Discovery
from airbyte_twin.sync.commands import command_of
from airbyte_twin.sync.protocol.cancellation import Cancelled
from airbyte_twin.sync.protocol.messages import ConnectorError
from airbyte_twin.sync.synchronous import discovered_streams
from airbyte_twin.twin import Twin


class DiscoveryError(Exception):
    """The connector failed; the message is its own."""


def cache_key(twin: Twin, source: Actor) -> str:
    """The inputs of a discovery, as the key of its cache."""
    definition = twin.store.definitions.get(source.definition_id)
    version = definition.docker_image_tag if definition else ""
    digest = hashlib.md5(dump_json(source.configuration), usedforsecurity=False).hexdigest()
    return f"{source.id}:{version}:{digest}"


def outside_catalog(twin: Twin, source: Actor) -> Catalog | None:
    """The streams that the outside system has now."""
    if source.catalog_id is not None:
        return twin.catalog(source.catalog_id)
    connector = twin.connector(source.definition_id)
    known = connector.catalog
    if known is None or twin.registry.catalog(known.id) == known:
        return known
    return stored_catalog(twin, known.streams)


def stored_catalog(twin: Twin, streams: tuple[DiscoveredStream, ...]) -> Catalog:
    """The catalog of these streams, under an id that depends on them alone."""
    digest = hashlib.sha256(dump_json([stream.model_dump() for stream in streams])).hexdigest()
    return twin.store.catalogs.put(Catalog(id=str(uuid5(NAMESPACE_URL, f"airbyte-twin:{digest}")), streams=streams))


def cached_catalog(twin: Twin, source: Actor) -> Catalog | None:
    """The catalog of the last discovery, unless the source's version or configuration changed."""
    last = twin.store.discoveries.get(source.id)
    return twin.catalog(last.catalog_id) if last and last.cache_key == cache_key(twin, source) else None


async def present_catalog(twin: Twin, source: Actor) -> Catalog | None:
    """The current streams of the outside system; a real connector discovers them if there is one.

    Raises:
        DiscoveryError: The real connector failed.
    """
    if source.catalog_id is not None or command_of(twin, source.definition_id) is None:
        return outside_catalog(twin, source)
    try:
        streams = await discovered_streams(twin, source)
    except (ConnectorError, Cancelled) as error:
        raise DiscoveryError(str(error)) from error
    return stored_catalog(twin, streams)


async def discover(twin: Twin, source: Actor, *, fresh: bool = False) -> Catalog:
    """The streams of a source.

    Args:
        twin: Where the source is.
        source: Not deleted.
        fresh: Whether to pass over the cache.

    Raises:
        DiscoveryError: The connector fails, or nothing is known of it.
    """
    cached = None if fresh else cached_catalog(twin, source)
    if cached is not None:
        return cached
    temper = twin.temper(source.id)
    await asyncio.sleep(temper.discover_seconds)
    found = None if temper.discover_failure else await present_catalog(twin, source)
    if found is None:
        raise DiscoveryError(temper.discover_failure or "the connector's image cannot be run")
    twin.store.discoveries.put(Discovery(id=source.id, cache_key=cache_key(twin, source), catalog_id=found.id))
    return found
