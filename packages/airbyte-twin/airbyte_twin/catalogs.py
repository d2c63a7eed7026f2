"""Fields of discovered streams, and finding a stream in a catalog.

Source: airbyte-platform PublicApi AirbyteCatalogHelper.
"""

from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.errors import bad_request
from airbyte_twin.java_order import hash_map_order
from airbyte_twin.records import Catalog, DiscoveredStream, FieldPath


def top_level_fields(stream: DiscoveredStream) -> tuple[str, ...]:
    """Names of the stream's columns, in the server's order."""
    return tuple(hash_map_order(as_object(stream.json_schema.get("properties"))))


def field_paths(schema: JsonValue) -> Iterator[FieldPath]:
    """Paths of all fields in the server's order, each parent before its children; without fields of array items."""
    members = as_object(as_object(schema).get("properties"))
    for name in hash_map_order(members):
        yield (name,)
        yield from ((name, *path) for path in field_paths(members[name]))


def pruned_schema(schema: JsonObject, names: Iterable[str]) -> JsonObject:
    """The schema with only some of its columns."""
    kept = {*names}
    members = as_object(schema.get("properties"))
    return {**schema, "properties": {name: member for name, member in members.items() if name in kept}}


def find_stream(catalog: Catalog, name: str, namespace: str | None) -> DiscoveredStream:
    """The stream of that name if there is only one, else the one of name and namespace.

    Raises:
        ProblemError: 400 `bad-request` if there is none, or more than one.
    """
    named = [stream for stream in catalog.streams if stream.name == name]
    if len(named) > 1:
        named = [stream for stream in named if stream.namespace == namespace]
    if not named:
        raise bad_request(_unfound("No", name, namespace))
    if len(named) > 1:
        raise bad_request(_unfound("Multiple", name, namespace))
    return named[0]


def _unfound(number: str, name: str, namespace: str | None) -> str:
    return (
        f"{number} streams found with name [{name}] and namespace [{namespace or 'null'}]. Please call the "
        "https://reference.airbyte.com/reference/getstreamproperties endpoint to see the valid stream name and "
        "namespace combinations."
    )


def by_key(catalog: Catalog) -> dict[tuple[str | None, str], DiscoveredStream]:
    """The streams by namespace and name."""
    return {(stream.namespace, stream.name): stream for stream in catalog.streams}
