"""Connections: a source's streams into a destination.

The server rewrites much of what it is sent (field order, cursors that the mode ignores, cron zones: airbyte-platform,
AirbyteCatalogHelper and ConnectionReadMapper). The canonical form takes those rules in; anything else that it makes
of a write is recorded.
"""

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
from pulumi_airbyte.provider.gone import exists
from pulumi_airbyte.provider.properties import UNKNOWN, Properties, Property, Unknown, reveal, unwrap
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
from pulumi_airbyte.provider.schedule import canonical_cron, cron_problem
from pulumi_airbyte.provider.tables import CONNECTION_INPUTS, CONNECTION_OUTPUTS
from pulumi_airbyte.values import JsonObject, JsonValue, Path

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
        configurations = named.get("configurations")
        failures: list[Failure] = []
        if not isinstance(configurations, Unknown) and configurations is not None:
            try:
                named["configurations"] = to_text(parse(reveal(configurations)))
            except (ConfigurationError, ValueError) as error:
                named["configurations"] = ""
                failures.append(Failure("configurations", str(error)))
        failures += [
            failure
            for failure in table_failures(self.inputs, named)
            if not (failures and failure.path == "configurations")
        ]
        failures += _schedule_failures(named.get("schedule"))
        if failures:
            return Checked(named, failures)
        return Checked(_wire(self.tree(named)), [])

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without defaults, with the streams as a tree by name."""
        tree: Properties = {}
        for key, value in inputs.items():
            plain = unwrap(value)
            if key == "configurations":
                tree[key] = plain if isinstance(plain, Unknown) else cast("Property", parse(reveal(plain)))
            elif key == "schedule" and isinstance(plain, dict):
                tree[key] = _canonical_schedule(plain)
            elif key == "tags" and isinstance(plain, list):
                tree[key] = sorted(plain, key=str)
            elif plain is not None:
                tree[key] = plain
        return {key: value for key, value in tree.items() if key not in DEFAULTS or value != DEFAULTS[key]}

    def create(self, inputs: Properties) -> Made:
        """POST; the server discovers the source first."""
        tree = self.tree(inputs)
        made = self.airbyte.create_connection(_body(tree, set(tree)))
        return Made(made.connection_id, _outputs(self, made, tree))

    def read(self, object_id: str, inputs: Properties, outputs: Properties) -> Live | None:
        """GET; `deprecated` is what a deleted connection is."""
        found = exists(
            self.airbyte,
            lambda: self.airbyte.get_connection(object_id),
            ("connections", "connectionId", object_id, ""),
        )
        if found is None or found.status == "deprecated":
            return None
        sent = self.tree(inputs) if inputs else {}
        live = cast("Properties", merged(self.from_server(found), sent, known_rewrites(outputs)))
        kept = {"serverRewrites": outputs["serverRewrites"]} if "serverRewrites" in outputs else {}
        return Live(_wire(live), {**_identity(found), **kept})

    def update(self, object_id: str, old: Properties, new: Properties, outputs: Properties) -> Properties:
        """PATCH just what differs: the server leaves a schedule or a catalog alone only when it is absent."""
        before, after = self.tree(old), self.tree(new)
        changed = {str(path[0]) for path, _, _ in self.diff(old, new)}
        patched = self.airbyte.patch_connection(object_id, _body(after, changed & (set(before) | set(after))))
        return _outputs(self, patched, after)

    def delete(self, object_id: str) -> None:
        """DELETE; one that is gone already answers 204 or 404."""
        try:
            self.airbyte.delete_connection(object_id)
        except NotFound:
            return

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


def _body(tree: Properties, keys: set[str]) -> JsonObject:
    """The request: these properties, with the default for each that the tree has un-set."""
    body: dict[str, JsonValue] = {}
    for key in sorted(keys):
        value = tree.get(key, DEFAULTS.get(key))
        body[key] = to_request(_streams(value)) if key == "configurations" else reveal(value)
    return body


def _outputs(resource: ConnectionType, answer: Connection, sent: Properties) -> Properties:
    return with_rewrites(_identity(answer), rewrites(sent, resource.from_server(answer)), sent)


def _identity(found: Connection) -> Properties:
    return {"connectionId": found.connection_id, "createdAt": found.created_at}


def _wire(tree: Properties) -> Properties:
    """The tree as properties of the state: the streams as one JSON text."""
    streams = tree.get("configurations", {})
    text: Property = UNKNOWN if isinstance(streams, Unknown) else to_text(_streams(streams))
    return {**tree, "configurations": text}


def _streams(value: Property) -> dict[str, StreamTree]:
    return cast("dict[str, StreamTree]", value)


def _stream_json(stream: Stream) -> JsonObject:
    # The server leaves the mode out when it is a pair that its public API has no word for.
    mode = {"syncMode": stream.sync_mode or "no_public_name"}
    return cast("JsonObject", stream.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True) | mode)


def _schedule_json(schedule: Schedule) -> Property:
    return cast("Property", schedule.model_dump(by_alias=True, exclude_none=True))


def _canonical_schedule(schedule: Properties) -> Properties:
    cron = unwrap(schedule.get("cronExpression"))
    cleaned = {key: unwrap(value) for key, value in schedule.items() if unwrap(value) is not None}
    return {**cleaned, "cronExpression": canonical_cron(cron)} if isinstance(cron, str) else cleaned


def _schedule_failures(schedule: Property) -> list[Failure]:
    if not isinstance(schedule, dict):
        return []
    kind, cron = unwrap(schedule.get("scheduleType")), unwrap(schedule.get("cronExpression"))
    if isinstance(kind, Unknown) or isinstance(cron, Unknown):
        return []
    if kind not in {"manual", "cron"}:
        return [Failure("schedule.scheduleType", f"{kind!r} can't be written: give manual or cron")]
    if kind == "manual":
        return (
            [Failure("schedule.cronExpression", "has no meaning for a manual schedule: leave it out")] if cron else []
        )
    problem = cron_problem(cron) if isinstance(cron, str) else "is required for a cron schedule"
    return [Failure("schedule.cronExpression", problem)] if problem else []
