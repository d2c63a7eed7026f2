"""Fields of discovered streams, and finding a stream in a catalog.

Knows catalogs. Must not know connections' rules, which are in `stream_rules`.
Source: airbyte-platform PublicApi AirbyteCatalogHelper.
"""

from collections.abc import Iterator

from pydantic import JsonValue

from airbyte_twin.documents import as_object
from airbyte_twin.errors import bad_request
from airbyte_twin.records import Catalog, DiscoveredStream, FieldPath


def top_level_fields(stream: DiscoveredStream) -> tuple[str, ...]:
    """Names of the stream's columns, in schema order."""
    return tuple(as_object(stream.json_schema.get("properties")))


def field_paths(schema: JsonValue) -> Iterator[FieldPath]:
    """Paths of all fields, each parent before its children; array items are not entered."""
    for name, member in as_object(as_object(schema).get("properties")).items():
        yield (name,)
        yield from ((name, *path) for path in field_paths(member))


def find_stream(catalog: Catalog, name: str, namespace: str | None) -> DiscoveredStream:
    """The stream of that name if there is only one, else the one of name and namespace.

    Raises:
        ProblemError: 400 `bad-request` if there is none, or more than one.
    """
    named = [stream for stream in catalog.streams if stream.name == name]
    if len(named) > 1:
        named = [stream for stream in named if stream.namespace == namespace]
    if not named:
        raise bad_request(f"No streams found with name [{name}] and namespace [{namespace}].")
    if len(named) > 1:
        raise bad_request(f"Multiple streams found with name [{name}] and namespace [{namespace}].")
    return named[0]


def by_key(catalog: Catalog) -> dict[tuple[str | None, str], DiscoveredStream]:
    """The streams by namespace and name."""
    return {(stream.namespace, stream.name): stream for stream in catalog.streams}
