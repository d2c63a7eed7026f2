"""A connection's inputs as a canonical tree, and their forms for the server and the state. Pure.

The server rewrites many values (field order, cursors that a mode ignores, cron zones: airbyte-platform,
AirbyteCatalogHelper and ConnectionReadMapper). The canonical form applies the rules that are known; other rewrites are
recorded with the write. A stream whose namespace the server fills in stays the stream that was sent.
"""

from collections.abc import Iterator, Mapping
from typing import Final, cast

from airbyte_model.modes import KEYED_MODES
from airbyte_model.streams import (
    StreamTree,
    aligned,
    canonical_stream,
    keyed,
    parse,
    renamed,
    shown,
    to_request,
    to_text,
)

from pulumi_airbyte.client.config_connections import SettledConnection
from pulumi_airbyte.client.models import Connection, Schedule, Stream, Tag
from pulumi_airbyte.provider.connection_settings import canonical_settings
from pulumi_airbyte.provider.properties import (
    UNKNOWN,
    Properties,
    Property,
    Unknown,
    has_secret,
    is_known,
    reveal,
    secret,
    unwrap,
)
from pulumi_airbyte.provider.reconcile import Rewrites
from pulumi_airbyte.provider.schedule import canonical_schedule
from pulumi_airbyte.values import MASK, JsonObject, JsonValue, Path, leaves, render_path

DEFAULTS: Final[Properties] = {
    "schedule": {"scheduleType": "manual"},
    "namespaceDefinition": "destination",
    "namespaceFormat": "",
    "prefix": "",
    "nonBreakingSchemaUpdatesBehavior": "ignore",
    "status": "active",
    "tags": [],
}
"""The server's value for a property that is not sent. Sending it un-sets the property."""


def canonical(inputs: Properties) -> Properties:
    """Inputs without defaults, with streams as a mapping by key."""
    tree: Properties = {}
    for key, value in inputs.items():
        plain = unwrap(value)
        if key == "configurations":
            known = not isinstance(plain, Unknown)
            tree[key] = cast("Property", parse(reveal(plain), stored=True)) if known else plain
        elif key == "schedule" and isinstance(plain, dict):
            tree[key] = canonical_schedule(plain)
        elif key == "tags" and isinstance(plain, list):
            tree[key] = sorted(plain, key=tag_id)
        elif plain is not None:
            tree[key] = plain
    kept = {key: value for key, value in tree.items() if key not in DEFAULTS or value != DEFAULTS[key]}
    return canonical_settings(kept)


def from_server(
    found: Connection, sent: Properties, known: Rewrites | None = None, *, answered: bool = False
) -> Properties:
    """The server's answer as a canonical tree, under the keys of what was sent.

    Tags are matched by id and keep the form in which they were sent.

    Args:
        found: the connection.
        sent: the canonical tree that was sent; empty for an import.
        known: the recorded rewrites of `sent`.
        answered: whether `found` is the answer to the write of `sent`.
    """
    live = keyed(canonical_stream(_stream_json(stream)) for stream in found.configurations.streams)
    same = aligned(streams_of(sent), live, filled_in(known or {}), answered=answered)
    streams = renamed(live, {there: key for key, there in same.items()})
    tree = canonical(
        {
            "name": found.name,
            "sourceId": found.source_id,
            "destinationId": found.destination_id,
            "schedule": _schedule_json(found.schedule),
            "namespaceDefinition": found.namespace_definition,
            "namespaceFormat": found.namespace_format,
            "prefix": found.prefix,
            "nonBreakingSchemaUpdatesBehavior": found.non_breaking_schema_updates_behavior,
            "status": found.status,
            "tags": [_tag(tag, sent) for tag in found.tags],
            **(found.settings if isinstance(found, SettledConnection) else {}),
        }
    )
    return {**tree, "configurations": cast("Property", streams)}


def request(tree: Properties, keys: set[str]) -> JsonObject:
    """The request body with these properties. A property that the tree lacks is un-set by sending its default."""
    body: dict[str, JsonValue] = {}
    for key in sorted(keys):
        value = tree.get(key, DEFAULTS.get(key))
        body[key] = to_request(_streams(value)) if key == "configurations" else reveal(value)
    return body


def streams_of(tree: Properties) -> Mapping[str, StreamTree]:
    """The streams of a canonical tree by key; empty while they are unknown."""
    found = tree.get("configurations")
    return cast("Mapping[str, StreamTree]", found) if isinstance(found, dict) else {}


def leaves_out(tree: Properties, path: Path) -> bool:
    """Whether the server is known to drop or replace the value of a canonical tree at a path.

    A stream whose name is unique in the source gets the source's namespace. In modes that ignore the primary key, a
    key that the source defines replaces the program's.
    """
    if len(path) < 3 or path[0] != "configurations":
        return False
    replaced = path[2] == "primaryKey" and len(path) > 3
    return path[2] == "namespace" or (replaced and _mode(tree, str(path[1])) not in KEYED_MODES)


def named(tree: Properties, path: Path) -> str:
    """A path of a canonical tree in words."""
    if path[0] == "tags":
        return ", ".join(tag_shown(tag) for tag in _items(tree, path))
    if path[0] != "configurations" or len(path) < 2:
        return render_path(path)
    stream = f"stream {shown(str(path[1]))}"
    if len(path) == 2:
        return stream
    if path[2] == "selectedFields":
        names = ", ".join(map(str, _items(tree, path))) if len(path) > 3 else ""
        return f"field {names} of {stream}" if names else f"the selected fields of {stream}"
    if path[2] == "mappers" and len(path) > 3:
        return f"mapper {int(path[3]) + 1} of {stream}"
    return f"{path[2]} of {stream}"


def tag_id(tag: Property) -> str:
    """The id of a tag; empty if it has none."""
    plain = unwrap(tag)
    return str(unwrap(plain.get("tagId"))) if isinstance(plain, dict) else ""


def tags_by_id(tree: Properties) -> Properties:
    """The tree with each tag as its id: a connection has no name and color of its own for a tag."""
    found = unwrap(tree.get("tags"))
    if not isinstance(found, list):
        return tree
    return {**tree, "tags": [plain.get("tagId") if isinstance(plain := unwrap(tag), dict) else tag for tag in found]}


def tag_shown(tag: Property) -> str:
    """A tag in words."""
    plain = reveal(unwrap(tag))
    return f'tag "{plain.get("name")}" ({plain.get("tagId")})' if isinstance(plain, dict) else "a tag"


def filled_in(known: Rewrites) -> dict[str, str | None]:
    """The namespaces that the server filled in or replaced, by stream key."""
    return {
        str(path[1]): str(there) if there else None
        for path, there in known.items()
        if len(path) == 3 and path[0] == "configurations" and path[2] == "namespace"
    }


def secrecy_kept(checked: Properties, inputs: Properties) -> Properties:
    """Mark a property as secret if its input was, wholly or in part: the canonical text has no partial marks."""
    return {key: secret(value) if has_secret(inputs.get(key)) else value for key, value in checked.items()}


def known_streams(configurations: Property) -> Property:
    """The streams without the properties that are unknown, such as mappers with a key that another resource makes.

    None while a whole stream, or every name, is unknown.
    """
    plain = unwrap(configurations)
    listed = unwrap(plain.get("streams")) if isinstance(plain, dict) else plain
    found = [unwrap(stream) for stream in listed] if isinstance(listed, list) else []
    kept: list[Property] = [
        {key: value for key, value in stream.items() if is_known(value)} if isinstance(stream, dict) else stream
        for stream in found
        if is_known([stream.get("name"), stream.get("namespace")] if isinstance(stream, dict) else stream)
    ]
    if not kept:
        return None
    others = {key: value for key, value in plain.items() if is_known(value)} if isinstance(plain, dict) else {}
    return {**others, "streams": kept}


def mapper_keys(tree: Properties) -> Iterator[str]:
    """Keys of encryption mappers, the only secrets of a connection; nothing while its streams are unknown."""
    streams = tree.get("configurations")
    for path, value in leaves(reveal(streams)) if is_known(streams) else ():
        if path[-2:] == ("mapperConfiguration", "key") and isinstance(value, str) and value != MASK:
            yield value


def mapper_keys_hidden(checked: Properties, tree: Properties) -> Properties:
    """Properties for the state. The streams are secret as a whole if one of their mappers holds a key."""
    if not any(mapper_keys(tree)):
        return checked
    return {**checked, "configurations": secret(checked["configurations"])}


def wire(tree: Properties) -> Properties:
    """The tree as properties of the state, with the streams as one JSON text."""
    streams = tree.get("configurations", {})
    if isinstance(streams, Unknown):
        return {**tree, "configurations": UNKNOWN}
    # reveal() also removes the secret mark of an imported mask, which is no secret.
    return {**tree, "configurations": to_text(cast("dict[str, StreamTree]", reveal(streams)))}


def _mode(tree: Properties, key: str) -> JsonValue:
    return streams_of(tree).get(key, {}).get("syncMode")


def _items(tree: Properties, path: Path) -> list[Property]:
    """The list item at a path, or all items if the path is the list's own."""
    found: Property = tree
    for step in path:
        inner = unwrap(found)
        if isinstance(inner, dict):
            found = inner.get(str(step))
        elif isinstance(inner, list) and isinstance(step, int):
            found = inner[step]
    items = unwrap(found)
    return items if isinstance(items, list) else [items]


def _tag(found: Tag, sent: Properties) -> Property:
    given = unwrap(sent.get("tags"))
    known = {tag_id(tag): tag for tag in given} if isinstance(given, list) else {}
    return known.get(found.tag_id) or found.model_dump(by_alias=True)


def _streams(value: Property) -> dict[str, StreamTree]:
    return cast("dict[str, StreamTree]", value)


def _stream_json(stream: Stream) -> JsonObject:
    # The server leaves out a pair of modes that its public API has no name for.
    mode = {"syncMode": stream.sync_mode or "no_public_name"}
    return cast("JsonObject", stream.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True) | mode)


def _schedule_json(schedule: Schedule) -> Property:
    return cast("Property", schedule.model_dump(by_alias=True, exclude_none=True))


def incremental(stream: StreamTree) -> bool:
    """Whether a stream has a cursor: it is read incrementally."""
    return str(stream["syncMode"]).startswith("incremental")
