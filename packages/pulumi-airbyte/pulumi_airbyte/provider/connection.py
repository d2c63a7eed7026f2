"""Connections: a source's streams into a destination.

The server rewrites much of what it is sent (field order, cursors that the mode ignores, cron zones: airbyte-platform,
AirbyteCatalogHelper and ConnectionReadMapper). The canonical form takes those rules in; anything else that it makes
of a write is recorded.
"""

from collections.abc import Iterator
from typing import Final, cast

from pulumi_airbyte.client.errors import NotFound
from pulumi_airbyte.client.models import Connection, Schedule, Stream
from pulumi_airbyte.configurations import (
    ConfigurationError,
    StreamTree,
    canonical_stream,
    keyed,
    parse,
    to_request,
    to_text,
)
from pulumi_airbyte.provider.explain import explain_streams
from pulumi_airbyte.provider.gone import REFRESH_HINT, Listed, changed, exists, remove
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
from pulumi_airbyte.provider.reconcile import merged, rewrites
from pulumi_airbyte.provider.resource import (
    Checked,
    Checking,
    Failure,
    Live,
    Made,
    ResourceType,
    known_rewrites,
    table_failures,
    with_rewrites,
)
from pulumi_airbyte.provider.schedule import canonical_schedule, schedule_failures
from pulumi_airbyte.provider.secrecy import MASK_ADVICE, masks
from pulumi_airbyte.provider.tables import CONNECTION_INPUTS, CONNECTION_OUTPUTS
from pulumi_airbyte.values import JsonObject, JsonValue, Path, leaves, render_path

DEFAULTS: Final[Properties] = {
    "schedule": {"scheduleType": "manual"},
    "namespaceDefinition": "destination",
    "namespaceFormat": "",
    "prefix": "",
    "nonBreakingSchemaUpdatesBehavior": "ignore",
    "status": "active",
    "tags": [],
}
"""What the server fills in for a property that is not sent, and what is sent to un-set it."""


class ConnectionType(ResourceType):
    """`airbyte:index/connection:Connection`."""

    token = "airbyte:index/connection:Connection"
    summary = "Streams of a source that are synced into a destination."
    inputs = CONNECTION_INPUTS
    outputs = CONNECTION_OUTPUTS

    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Refuse what the server would refuse without looking at the source."""
        named: Properties = {
            "name": checking.name,
            **{key: unwrap(value) for key, value in inputs.items() if unwrap(value) is not None},
        }
        failures: list[Failure] = []
        if "configurations" in named:
            named["configurations"], failures = _checked_streams(named["configurations"], checking)
        failures += [
            failure
            for failure in table_failures(self.inputs, named)
            if not (failures and failure.path == "configurations")
        ]
        failures += [] if checking.importing else schedule_failures(named.get("schedule"))
        if failures:
            return Checked(named, failures)
        return Checked(_secrecy_kept(_wire(self.tree(named)), inputs), [])

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without defaults, with the streams as a tree by name."""
        tree: Properties = {}
        for key, value in inputs.items():
            plain = unwrap(value)
            if key == "configurations":
                known = not isinstance(plain, Unknown)
                tree[key] = cast("Property", parse(reveal(plain), stored=True)) if known else plain
            elif key == "schedule" and isinstance(plain, dict):
                tree[key] = canonical_schedule(plain)
            elif key == "tags" and isinstance(plain, list):
                tree[key] = sorted(plain, key=_tag_id)
            elif plain is not None:
                tree[key] = plain
        return {key: value for key, value in tree.items() if key not in DEFAULTS or value != DEFAULTS[key]}

    def create(self, inputs: Properties) -> Made:
        """POST; the server discovers the source first."""
        tree = self.tree(inputs)
        made = self.airbyte.create_connection(self._body(tree, set(tree)))
        return Made(made.connection_id, _outputs(self, made, tree))

    def read(self, object_id: str, inputs: Properties, outputs: Properties) -> Live | None:
        """GET; `deprecated` is what a deleted connection is."""
        found = exists(self.airbyte, lambda: self.airbyte.get_connection(object_id), _listed(object_id))
        if found is None or found.status == "deprecated":
            return None
        sent = self.tree(inputs) if inputs else {}
        live = cast("Properties", merged(self.from_server(found), sent, known_rewrites(outputs)))
        kept = {"serverRewrites": outputs["serverRewrites"]} if "serverRewrites" in outputs else {}
        return Live(_secrecy_kept(_wire(live), inputs), {**_identity(found), **kept})

    def update(self, object_id: str, old: Properties, new: Properties, outputs: Properties) -> Properties:
        """PATCH just what differs: the server leaves a schedule or a catalog alone only when it is absent."""
        after = self.tree(new)
        differing = {str(path[0]) for path, _, _ in self.diff(old, new, outputs)}
        if "status" in differing:
            # A status would bring a deleted connection back half alive (airbyte-platform, ConnectionsHandler).
            _refuse_deleted(changed(lambda: self.airbyte.get_connection(object_id)))
        patched = changed(lambda: self.airbyte.patch_connection(object_id, self._body(after, differing)))
        return _outputs(self, _refuse_deleted(patched), after)

    def delete(self, object_id: str) -> None:
        """DELETE; one that is gone already answers 204 or 404."""
        remove(self.airbyte, lambda: self.airbyte.delete_connection(object_id), _listed(object_id))

    def explain(self, differences: list[tuple[Path, Property, Property]]) -> str:
        """The streams and fields that change, by name."""
        return explain_streams([item for item in differences if item[0][0] == "configurations"])

    def from_server(self, found: Connection) -> Properties:
        """The server's answer as a canonical tree."""
        streams = keyed(canonical_stream(_stream_json(stream)) for stream in found.configurations.streams)
        tree = self.tree(
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
                "tags": [tag.model_dump(by_alias=True) for tag in found.tags],
            }
        )
        return {**tree, "configurations": cast("Property", streams)}

    def _body(self, tree: Properties, keys: set[str]) -> JsonObject:
        """The request: these properties, with the default for each that the tree has un-set."""
        self.airbyte.redactor.learn(_mapper_keys(tree))
        body: dict[str, JsonValue] = {}
        for key in sorted(keys):
            value = tree.get(key, DEFAULTS.get(key))
            body[key] = to_request(_streams(value)) if key == "configurations" else reveal(value)
        return body


def _checked_streams(configurations: Property, checking: Checking) -> tuple[Property, list[Failure]]:
    """The streams as canonical text, or what is wrong with them."""
    if not is_known(configurations):
        return UNKNOWN, []
    try:
        streams = parse(reveal(configurations), stored=checking.importing)
    except ConfigurationError as error:
        return "", [Failure("configurations", str(error))]
    found = [] if checking.importing else masks(cast("Property", streams), ("configurations",))
    return to_text(streams), [Failure(render_path(path), MASK_ADVICE) for path in found]


def _secrecy_kept(checked: Properties, inputs: Properties) -> Properties:
    """What was secret, in part or as a whole, stays so: its canonical form has no places for marks."""
    return {key: secret(value) if has_secret(inputs.get(key)) else value for key, value in checked.items()}


def _mapper_keys(tree: Properties) -> Iterator[str]:
    """Keys of encrypting mappers, the only secrets of a connection."""
    for path, value in leaves(reveal(tree.get("configurations"))):
        if path[-2:] == ("mapperConfiguration", "key") and isinstance(value, str):
            yield value


def _refuse_deleted(found: Connection) -> Connection:
    if found.status == "deprecated":
        raise NotFound(f'The connection "{found.name}" does not exist any more.', REFRESH_HINT)
    return found


def _listed(connection_id: str) -> Listed:
    return "connections", "connectionId", connection_id, ""


def _tag_id(tag: Property) -> str:
    plain = unwrap(tag)
    return str(unwrap(plain.get("tagId"))) if isinstance(plain, dict) else ""


def _outputs(resource: ConnectionType, answer: Connection, sent: Properties) -> Properties:
    return with_rewrites(_identity(answer), rewrites(sent, resource.from_server(answer)), sent)


def _identity(found: Connection) -> Properties:
    return {"connectionId": found.connection_id, "createdAt": found.created_at}


def _wire(tree: Properties) -> Properties:
    """The tree as properties of the state: the streams as one JSON text."""
    streams = tree.get("configurations", {})
    if isinstance(streams, Unknown):
        return {**tree, "configurations": UNKNOWN}
    # The mark of an imported mask goes: the mask is no secret.
    return {**tree, "configurations": to_text(cast("dict[str, StreamTree]", reveal(streams)))}


def _streams(value: Property) -> dict[str, StreamTree]:
    return cast("dict[str, StreamTree]", value)


def _stream_json(stream: Stream) -> JsonObject:
    # The server leaves the mode out when it is a pair that its public API has no word for.
    mode = {"syncMode": stream.sync_mode or "no_public_name"}
    return cast("JsonObject", stream.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True) | mode)


def _schedule_json(schedule: Schedule) -> Property:
    return cast("Property", schedule.model_dump(by_alias=True, exclude_none=True))
