"""The streams of a connection: their canonical form, the one JSON text that is sent, and stream keys.

The text is `{"streams":[{"name":…,"syncMode":…,…},…]}` with streams sorted by name and namespace, selected fields as
a sorted list of names, and everything left out that the server would fill in or drop anyway (airbyte-platform,
AirbyteCatalogHelper).

A stream is the pair of its namespace and its name; its key is a text that depends on that pair alone. Two lists name
the same stream by the same pair. A program may leave the namespace to the source, and the server fills it in: such a
stream is found by the namespace that the server gave it, or by being the only one left of its name.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from airbyte_model.json_values import JsonObject, JsonValue, canonical_json, is_list
from airbyte_model.modes import DEFAULT_MODE, KEYLESS_MODES, SYNC_MODES, is_incremental

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
FieldPath: TypeAlias = tuple[str, ...]
Filled = Mapping[str, str | None]
"""Namespaces that the server gives streams in place of what was sent, by the stream's key."""
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream in canonical form, typed.

    Attributes:
        key: the text that stands for its namespace and name.
        name: as the source calls it.
        namespace: the source's namespace; empty for none.
        sync_mode: the public API's name for both modes, such as `incremental_append`.
        cursor_field: path of the cursor; empty where there is none.
        primary_key: paths of the key's fields.
        selected_fields: names, sorted; None for all that the source has.
        others: the remaining properties, such as `mappers`, each as JSON.
    """

    key: str
    name: str
    namespace: str
    sync_mode: str
    cursor_field: FieldPath
    primary_key: tuple[FieldPath, ...]
    selected_fields: tuple[str, ...] | None
    others: JsonObject


_TYPED: Final = frozenset({"name", "namespace", "syncMode", "cursorField", "primaryKey", "selectedFields"})


class ConfigurationError(ValueError):
    """A stream list that the server would refuse, or would read as something else; the message has the remedy."""


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
        stored: the value is the server's, not the program's: an empty list and unknown modes are accepted.

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
    _require_kinds(given, label)
    selected = given.get("selectedFields")
    if selected is not None and not selected:
        raise ConfigurationError(
            f"stream {label!r} selects no field: name at least one, or leave selectedFields out to select all of them"
        )
    return stream


def _require_kinds(given: Mapping[str, JsonValue], label: str) -> None:
    """Refuse a value of the wrong kind: left out of the canonical form, it would select all fields, or map none."""
    for key, fits, wanted in _KINDS:
        value = given.get(key)
        if value is not None and not fits(value):
            raise ConfigurationError(f"stream {label!r} has {key} of the wrong type: write {wanted}")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_path(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, Sequence) and all(isinstance(step, str) for step in value))


def _are_paths(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(map(_is_path, value))


_KINDS: Final[tuple[tuple[str, Callable[[object], bool], str], ...]] = (
    ("namespace", _is_text, "a text"),
    ("cursorField", _is_path, "a list of names"),
    ("primaryKey", _are_paths, "a list of paths"),
    ("selectedFields", is_list, "a list of names"),
    ("mappers", is_list, "a list of mappers"),
    ("includeFiles", lambda value: isinstance(value, bool), "true or false"),
    ("destinationObjectName", _is_text, "a text"),
)


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
        "cursorField": _field_path(value.get("cursorField")) if is_incremental(str(mode)) else None,
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


def typed(tree: StreamTree) -> Stream:
    """A stream in canonical form as an object."""
    selected = tree.get("selectedFields")
    return Stream(
        key=key_of(stream_name(tree)),
        name=str(tree["name"]),
        namespace=str(tree.get("namespace") or ""),
        sync_mode=str(tree["syncMode"]),
        cursor_field=_path(tree.get("cursorField")),
        primary_key=tuple(_path(each) for each in _items(tree.get("primaryKey"))),
        selected_fields=None if selected is None else _path(selected),
        others={name: value for name, value in tree.items() if name not in _TYPED},
    )


def _items(value: JsonValue) -> list[JsonValue]:
    return list(value) if isinstance(value, list | tuple) else []


def _path(value: JsonValue) -> FieldPath:
    return tuple(str(each) for each in _items(value))


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


def key_in(key: str, streams: Collection[str]) -> str:
    """The key that a key of a state has today.

    Earlier states have a stream under its name, or under `namespace.name` where the name came twice.

    Args:
        key: as the state has it.
        streams: the keys of the same state's streams.
    """
    if key in streams:
        return key
    found = [own for own, before in _keys_before(streams) if before == key] or keys_meant(key, streams)
    return found[0] if len(found) == 1 else key


def keys_meant(key: str, streams: Collection[str]) -> list[str]:
    """The streams that a person may mean by a key: by their own, by `namespace.name`, or by the name alone."""
    if key in streams:
        return [key]
    names = ((own, *name_of(own)) for own in streams)
    return [own for own, namespace, name in names if key in {name, f"{namespace or ''}.{name}"}]


def _keys_before(streams: Collection[str]) -> list[tuple[str, str]]:
    """Each key with the one that earlier versions gave the stream among these."""
    count = Counter(name_of(own)[1] for own in streams)
    names = ((own, *name_of(own)) for own in streams)
    return [(own, name if count[name] == 1 else f"{namespace or ''}.{name}") for own, namespace, name in names]


def aligned(left: Iterable[str], right: Iterable[str], filled: Filled, *, answered: bool = False) -> dict[str, str]:
    """The streams of one list that another one has too.

    Args:
        left: keys of the one, such as what was sent.
        right: keys of the other, such as what is live.
        filled: the namespaces that the server is known to have given the streams on the left.
        answered: the right is the answer to the left: where one stream of a name is left on both sides, the server
            has corrected its namespace.

    Returns:
        Keys of the right by those of the left.
    """
    there, sent = dict.fromkeys(right), dict.fromkeys(left)
    found = {key: key for key in sent if key in there}
    taken = set(found)
    for key in (key for key in sent if key in filled and key not in found):
        made = key_of((filled[key], name_of(key)[1]))
        if made in there and made not in taken:
            found[key] = made
            taken.add(made)
    rights = _by_name(key for key in there if key not in taken)
    for name, keys in _by_name(key for key in sent if key not in found).items():
        others = rights.get(name, [])
        if len(others) == 1:
            found |= dict.fromkeys(_fitting(keys, others[0], answered=answered), others[0])
    return found


def _fitting(keys: list[str], other: str, *, answered: bool) -> list[str]:
    """Of streams of one name, the one that is the only stream left of that name on the other side."""
    bare = [key for key in keys if name_of(key)[0] is None]
    if bare or len(keys) > 1:
        return bare
    return keys if answered or name_of(other)[0] is None else []


def _by_name(keys: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(name_of(key)[1], []).append(key)
    return found


def renamed(values: Mapping[str, Value], keys: Mapping[str, str]) -> dict[str, Value]:
    """The values under other keys; one whose key stays unnamed keeps it."""
    return {keys.get(key, key): value for key, value in values.items()}
