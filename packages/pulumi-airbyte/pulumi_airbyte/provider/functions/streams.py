"""Look-ups of what a source offers, and of what a connection takes of it."""

from collections.abc import Iterable, Sequence
from typing import Final

from airbyte_model.offers import looked_up
from airbyte_model.streams import aligned, key_of

from pulumi_airbyte.client.models import Stream, StreamProperties
from pulumi_airbyte.provider.functions import connections
from pulumi_airbyte.provider.functions.function import Arguments, Directory, Function, answered, token
from pulumi_airbyte.provider.properties import Properties
from pulumi_airbyte.provider.tables import Field, ObjectType

_STREAM: Final = ObjectType(
    "StreamProperties",
    "A stream that a source offers.",
    (
        Field("streamName", "string", "Its name.", required=True),
        Field("namespace", "string", "Its namespace in the source; absent without one."),
        Field("syncModes", "texts", "In the public API's spelling; empty without `destinationId`.", required=True),
        Field("defaultCursorField", "texts", "Path of the field that marks new records; may be empty.", required=True),
        Field("sourceDefinedCursorField", "boolean", "Whether the source allows no other cursor.", required=True),
        Field("sourceDefinedPrimaryKey", "paths", "Paths of the key's parts; may be empty.", required=True),
        Field("propertyFields", "paths", "Paths of all fields.", required=True),
    ),
)
_DIFFERENCE: Final = ObjectType(
    "StreamDifference",
    "A stream of a connection that differs from what its source offers.",
    (
        Field("streamName", "string", "Its name.", required=True),
        Field("namespace", "string", "Its namespace in the source; absent without one."),
        Field("isOffered", "boolean", "Whether the source offers the stream.", required=True),
        Field("unselectedFields", "texts", "Top-level fields that it leaves out.", required=True),
        Field(
            "missingFields",
            "paths",
            "Paths of fields that it selects, or has as cursor or key, and the source does not offer.",
            required=True,
        ),
    ),
)
_IGNORE_CACHE: Final = Field("ignoreCache", "boolean", "Run a new discovery, which can take minutes.")


def _offered(directory: Directory, arguments: Arguments) -> Properties:
    found = _discovered(directory, arguments.text("sourceId"), arguments)
    return {"streams": [_stream(stream) for stream in found]}


def _discovered(directory: Directory, source_id: str, arguments: Arguments) -> list[StreamProperties]:
    ignore_cache = arguments.flag("ignoreCache")
    found = directory.airbyte.streams(source_id, arguments.text("destinationId"), ignore_cache=ignore_cache)
    return sorted(found, key=lambda stream: (stream.stream_name, stream.namespace or ""))


def _stream(stream: StreamProperties) -> Properties:
    return answered(
        {
            "streamName": stream.stream_name,
            "namespace": stream.namespace,
            "syncModes": stream.sync_modes,
            "defaultCursorField": stream.default_cursor_field,
            "sourceDefinedCursorField": stream.source_defined_cursor,
            "sourceDefinedPrimaryKey": stream.source_defined_primary_key,
            "propertyFields": stream.property_fields,
        }
    )


def _compared(directory: Directory, arguments: Arguments) -> Properties:
    connection = connections.found(directory, arguments)
    found = _discovered(directory, connection.source_id, arguments)
    offered = {_key(each.namespace, each.stream_name): each for each in found}
    selected = {_key(each.namespace, each.name): each for each in connection.configurations.streams}
    same = aligned(selected, offered, {})
    by_name = sorted(selected, key=lambda key: (selected[key].name, selected[key].namespace or ""))
    differences = [_difference(selected[key], offered.get(same.get(key, ""))) for key in by_name]
    taken = set(same.values())
    return {
        "sourceId": connection.source_id,
        "unselectedStreams": [_stream(each) for key, each in offered.items() if key not in taken],
        "differences": [each for each in differences if each],
    }


def _key(namespace: str | None, name: str) -> str:
    return key_of((namespace, name))


def _difference(stream: Stream, offer: StreamProperties | None) -> Properties:
    """How a stream differs from what the source offers; empty where it does not."""
    unselected, missing = _fields(stream, offer.property_fields) if offer else ([], [])
    if offer and not unselected and not missing:
        return {}
    return answered(
        {
            "streamName": stream.name,
            "namespace": stream.namespace,
            "isOffered": offer is not None,
            "unselectedFields": unselected,
            "missingFields": missing,
        }
    )


def _fields(stream: Stream, offered: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """The offered fields that a stream leaves out, and those that it uses and are not offered."""
    if not offered:
        # A source without a schema offers any field.
        return [], []
    known, selected = {tuple(path) for path in offered}, connections.selected(stream)
    key = tuple(tuple(path) for path in stream.primary_key)
    used = [(name,) for name in selected] + looked_up(stream.sync_mode or "", tuple(stream.cursor_field), key)
    top = dict.fromkeys(path[0] for path in offered)
    unselected = [name for name in top if selected and name not in selected]
    return sorted(unselected), _lists(dict.fromkeys(path for path in used if path not in known))


def _lists(paths: Iterable[tuple[str, ...]]) -> list[list[str]]:
    return [list(path) for path in paths]


FUNCTIONS: Final = {
    token("getStreams"): Function(
        "The streams that a source offers, by discovery.",
        (
            Field("sourceId", "string", "The source.", required=True),
            Field("destinationId", "string", "Give sync modes for this destination."),
            _IGNORE_CACHE,
        ),
        (Field("streams", "objects", "The streams, by name.", required=True, of=_STREAM),),
        _offered,
    ),
    token("getSelectionDifferences"): Function(
        "The streams and fields that a connection's source offers and the connection does not select, and those that "
        "it uses and the source no longer offers.",
        (Field("connectionId", "string", "The connection.", required=True), _IGNORE_CACHE),
        (
            Field("sourceId", "string", "The connection's source.", required=True),
            Field(
                "unselectedStreams",
                "objects",
                "The streams that the source offers and the connection does not select, by name.",
                required=True,
                of=_STREAM,
            ),
            Field(
                "differences",
                "objects",
                "The selected streams whose fields differ, or that the source does not offer, by name.",
                required=True,
                of=_DIFFERENCE,
            ),
        ),
        _compared,
    ),
}
