"""The streams of a connection: their canonical form and the one JSON text in which they travel.

Shared by the SDK, which writes the text, and the plugin, which reads it. Pure.

The text is `{"streams":[{"name":…,"syncMode":…,…},…]}` with streams sorted by name and namespace, selected fields as
a sorted list of names, and everything left out that the server would fill in or drop anyway (airbyte-platform,
AirbyteCatalogHelper).

A stream is the pair of its namespace and its name. Its key is a text that depends on that pair alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from airbyte_model.modes import DEFAULT_MODE, KEYLESS_MODES, SYNC_MODES

from pulumi_airbyte.values import JsonObject, JsonValue, canonical_json, is_list

STREAM_KEYS: Final = (
    "name",
    "namespace",
    "syncMode",
    "cursorField",
    "primaryKey",
    "selectedFields",
    "mappers",
    "includeFiles",
    "destinationObjectName",
)

StreamTree = dict[str, JsonValue]
"""One stream in canonical form; its keys are among STREAM_KEYS."""
StreamName: TypeAlias = tuple[str | None, str]
"""Namespace and name of a stream; an empty namespace is none."""


class ConfigurationError(ValueError):
    """A stream list that the server would refuse, or would read as something else; the message says what to do."""


def key_of(stream: StreamName) -> str:
    """The key of a stream: its name, or the JSON array `["namespace","name"]` where it has a namespace."""
    namespace, name = stream
    # A plain name that reads as such an array is written as one: else two streams could have one key.
    return canonical_json([namespace or "", name]) if namespace or _pair(name) else name


def name_of(key: str) -> StreamName:
    """The stream that has a key."""
    return _pair(key) or (None, key)


def shown(key: str) -> str:
    """A stream as people read it: `orders`, or `orders (namespace sales)`."""
    namespace, name = name_of(key)
    return f"{name} (namespace {namespace})" if namespace else name


def stream_name(stream: StreamTree) -> StreamName:
    """Namespace and name of a stream in canonical form."""
    namespace = stream.get("namespace")
    return (str(namespace) if namespace else None, str(stream["name"]))


def _pair(key: str) -> StreamName | None:
    """The stream that a JSON array names; None for any other text."""
    if not key.startswith('["'):
        return None
    try:
        found = json.loads(key)
    except ValueError:
        return None
    if len(found) != 2 or not all(isinstance(part, str) for part in found) or canonical_json(found) != key:
        return None
    return (found[0] or None, found[1])


def parse(value: JsonValue, *, stored: bool = False) -> dict[str, StreamTree]:
    """Streams in canonical form by key.

    Args:
        value: the JSON text, `{"streams": […]}`, or the list alone; selected fields as names or as `{"fieldPath":
            [name]}`.
        stored: the value tells what is, not what code wants: no stream at all and unknown modes are facts then.

    Raises:
        ConfigurationError: on anything that is no stream list.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise ConfigurationError(f"is not valid JSON: {error}") from None
    if isinstance(value, Mapping):
        unknown = sorted(set(value) - {"streams"})
        if unknown:
            raise ConfigurationError(f"has the unknown key {unknown[0]!r}: the only key is 'streams'")
        value = value.get("streams")
    if not isinstance(value, Sequence) or isinstance(value, str) or not (value or stored):
        reason = "without a list the server selects streams by itself"
        raise ConfigurationError(f"names no stream: list at least one ({reason})")
    return keyed(map(canonical_stream if stored else wanted_stream, value))


def wanted_stream(value: JsonValue) -> StreamTree:
    """One stream that code wants, in canonical form.

    Raises:
        ConfigurationError: the value is no stream, or one that the server refuses in any source.
    """
    stream = canonical_stream(value)
    given, label = value if isinstance(value, Mapping) else {}, shown(key_of(stream_name(stream)))
    if given.get("syncMode") == "" or stream["syncMode"] not in SYNC_MODES:
        mode = given.get("syncMode")
        raise ConfigurationError(
            f"stream {label!r} has the unknown syncMode {mode!r}: known are {', '.join(SYNC_MODES)}"
        )
    selected = given.get("selectedFields")
    if selected is not None and is_list(selected) and not selected:
        raise ConfigurationError(
            f"stream {label!r} selects no field: name at least one, or leave selectedFields out to select all of them"
        )
    return stream


def keyed(streams: Iterable[StreamTree]) -> dict[str, StreamTree]:
    """Streams by key, in order of name and namespace.

    Raises:
        ConfigurationError: two streams have the same name and namespace.
    """
    result: dict[str, StreamTree] = {}
    for stream in streams:
        key = key_of(stream_name(stream))
        if key in result:
            raise ConfigurationError(f"names stream {shown(key)!r} twice: keep one")
        result[key] = stream
    return dict(sorted(result.items(), key=lambda item: _order(item[1])))


def _order(stream: StreamTree) -> tuple[str, str]:
    namespace, name = stream_name(stream)
    return (name, namespace or "")


def canonical_stream(value: JsonValue) -> StreamTree:
    """One stream without what the server fills in, drops or reorders.

    Raises:
        ConfigurationError: the value is no stream.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str) or not value["name"]:
        raise ConfigurationError("has a stream without a name")
    name, namespace = str(value["name"]), value.get("namespace")
    label = shown(key_of((namespace if isinstance(namespace, str) else None, name)))
    unknown = sorted(set(value) - set(STREAM_KEYS))
    if unknown:
        raise ConfigurationError(
            f"stream {label!r} has the unknown key {unknown[0]!r}: known are {', '.join(STREAM_KEYS)}"
        )
    mode = value.get("syncMode") or DEFAULT_MODE
    stream: StreamTree = {"name": name, "syncMode": mode}
    honoured = {
        "namespace": namespace,
        "cursorField": _field_path(value.get("cursorField")) if str(mode).startswith("incremental") else None,
        "primaryKey": None if mode in KEYLESS_MODES else _key_paths(value.get("primaryKey")),
        "selectedFields": _selected(label, value.get("selectedFields")),
        "mappers": _mappers(value.get("mappers")),
        "includeFiles": value.get("includeFiles"),
        "destinationObjectName": value.get("destinationObjectName"),
    }
    stream.update({key: item for key, item in honoured.items() if item})
    return stream


def _field_path(path: JsonValue) -> JsonValue:
    """The path of a field; the server takes a name alone for the path of a top-level one."""
    return [path] if isinstance(path, str) and path else path


def _key_paths(paths: JsonValue) -> JsonValue:
    return [_field_path(path) for path in paths] if isinstance(paths, Sequence) and is_list(paths) else paths


def _selected(stream: str, fields: JsonValue) -> list[str] | None:
    if fields is None:
        return None
    names = [_field_name(stream, field) for field in fields] if isinstance(fields, Sequence) and is_list(fields) else []
    if len(set(names)) != len(names):
        repeated = min(name for name in names if names.count(name) > 1)
        raise ConfigurationError(f"stream {stream!r} selects field {repeated!r} twice: keep one")
    return sorted(names)


def _field_name(stream: str, field: JsonValue) -> str:
    if isinstance(field, str) and field:
        return field
    path = field.get("fieldPath") if isinstance(field, Mapping) else field
    if isinstance(path, Sequence) and is_list(path):
        if len(path) > 1:
            nested = ".".join(str(part) for part in path)
            raise ConfigurationError(f"stream {stream!r} selects {nested!r}: only top-level fields can be selected")
        path = path[0] if path else None
    if not isinstance(path, str) or not path:
        raise ConfigurationError(f"stream {stream!r} selects {field!r}: give the name of a top-level field")
    return path


def _mappers(mappers: JsonValue) -> list[JsonValue]:
    """Mappers without ids: the server makes new ones at every write."""
    listed = mappers if isinstance(mappers, Sequence) and is_list(mappers) else []
    return [
        {key: item for key, item in mapper.items() if key != "id"} if isinstance(mapper, Mapping) else mapper
        for mapper in listed
    ]


def to_text(streams: Mapping[str, StreamTree]) -> str:
    """The one JSON text of these streams."""
    ordered: list[StreamTree] = sorted(streams.values(), key=_order)
    return canonical_json({"streams": ordered})


def to_request(streams: Mapping[str, StreamTree]) -> JsonObject:
    """The streams as the public API takes them (StreamConfigurations)."""
    return {"streams": [_request_stream(stream) for stream in streams.values()]}


def _request_stream(stream: StreamTree) -> JsonObject:
    selected = stream.get("selectedFields")
    if not isinstance(selected, Sequence):
        return stream
    return {**stream, "selectedFields": [{"fieldPath": [name]} for name in selected]}
