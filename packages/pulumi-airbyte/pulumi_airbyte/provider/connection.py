"""Connections: a source's streams into a destination."""

from typing import cast

from pulumi_airbyte.client.errors import NotFound
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.configurations import ConfigurationError, parse, to_text
from pulumi_airbyte.provider.adoption import Adoption, Found
from pulumi_airbyte.provider.connection_identity import IDENTITY, sought
from pulumi_airbyte.provider.connection_tree import canonical, from_server, mapper_keys, request, secrecy_kept, wire
from pulumi_airbyte.provider.explain import explain_streams
from pulumi_airbyte.provider.gone import REFRESH_HINT, Listed, changed, exists, remove
from pulumi_airbyte.provider.properties import UNKNOWN, Properties, Property, is_known, reveal, unwrap
from pulumi_airbyte.provider.reconcile import merged, rewrites
from pulumi_airbyte.provider.resource import (
    Checked,
    Checking,
    Differences,
    Failure,
    Live,
    Made,
    ResourceType,
    kept_rewrites,
    known_rewrites,
    table_failures,
    with_rewrites,
)
from pulumi_airbyte.provider.schedule import schedule_failures
from pulumi_airbyte.provider.secrecy import MASK_ADVICE, masks
from pulumi_airbyte.provider.tables import CONNECTION_INPUTS, CONNECTION_OUTPUTS
from pulumi_airbyte.provider.target import Known, Target
from pulumi_airbyte.values import render_path


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
        return Checked(secrecy_kept(wire(self.tree(named)), inputs), [])

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without defaults, with the streams as a tree by name."""
        return canonical(inputs)

    def create(self, inputs: Properties, target: Target) -> Made:
        """POST, unless it is there already; the server discovers the source first."""
        tree = self.remote(self.tree(inputs))
        made = self._adoption(tree, target).make(lambda: self._post(tree), lambda found: self._taken(found, tree))
        return Made(made.connection_id, _outputs(made, tree))

    def foresee(self, inputs: Properties, target: Target) -> Properties:
        """Say whether it is there already: its source and its destination are, where their ids are known."""
        if not all(isinstance(unwrap(inputs.get(key)), str) for key in IDENTITY):
            return {}
        found = self._adoption(self.remote(self.tree(inputs)), target).foresee()
        return _identity(found.record) if found is not None else {}

    def read(self, known: Known, target: Target) -> Live | None:
        """GET; `deprecated` is what a deleted connection is."""
        connections = self.server.inventory.connections
        found = exists(self.airbyte, lambda: connections.get(known.id), _listed(known.id))
        if found is None or found.status == "deprecated":
            return None
        sent = self.remote(self.tree(known.inputs)) if known.inputs else {}
        live = cast("Properties", merged(from_server(found), sent, known_rewrites(known.outputs)))
        outputs = {**_identity(found), **kept_rewrites(known.outputs)}
        return Live({**secrecy_kept(wire(live), known.inputs), **self.local(known.inputs)}, outputs)

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """PATCH just what differs: the server leaves a schedule or a catalog alone only when it is absent."""
        after = self.remote(self.tree(new))
        differing = set(self.remote({str(path[0]): None for path, _, _ in self.diff(known, new)}))
        if not differing:
            return known.outputs
        if "status" in differing:
            # A status would bring a deleted connection back half alive (airbyte-platform, ConnectionsHandler).
            _refuse_deleted(changed(lambda: self.airbyte.get_connection(known.id)))
        return _outputs(self._patch(known.id, after, differing), after)

    def delete(self, known: Known, target: Target) -> None:
        """DELETE; one that is gone already answers 204 or 404."""
        remove(self.airbyte, lambda: self.airbyte.delete_connection(known.id), _listed(known.id))
        self.server.inventory.connections.drop(known.id)

    def explain(self, known: Known, new: Properties, found: Differences) -> str:
        """The streams and fields that change, by name."""
        return explain_streams([item for item in found if item[0][0] == "configurations"])

    def _adoption(self, tree: Properties, target: Target) -> Adoption[Connection]:
        sources = self.server.inventory.actors("source")
        return Adoption(self.server.run, sought(tree, sources, self.server.inventory.connections), target)

    def _taken(self, found: Found[Connection], tree: Properties) -> Connection:
        """An adopted connection, with what a broken-off create, or the server, may have left otherwise."""
        return self._patch(found.id, tree, set(found.behind)) if found.behind else found.record

    def _post(self, tree: Properties) -> Connection:
        self.airbyte.redactor.learn(mapper_keys(tree))
        made = self.airbyte.create_connection(request(tree, set(tree)))
        self.server.inventory.connections.put(made)
        return made

    def _patch(self, connection_id: str, tree: Properties, keys: set[str]) -> Connection:
        """Send these properties.

        Raises:
            NotFound: the connection is gone, if only by its status.
            AirbyteError: the server refuses.
        """
        self.airbyte.redactor.learn(mapper_keys(tree))
        body = request(tree, keys)
        patched = _refuse_deleted(changed(lambda: self.airbyte.patch_connection(connection_id, body)))
        self.server.inventory.connections.put(patched)
        return patched


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


def _refuse_deleted(found: Connection) -> Connection:
    if found.status == "deprecated":
        raise NotFound(f'The connection "{found.name}" does not exist any more.', REFRESH_HINT)
    return found


def _listed(connection_id: str) -> Listed:
    return "connections", "connectionId", connection_id, ""


def _outputs(answer: Connection, sent: Properties) -> Properties:
    return with_rewrites(_identity(answer), rewrites(sent, from_server(answer)), sent)


def _identity(found: Connection) -> Properties:
    return {"connectionId": found.connection_id, "createdAt": found.created_at}
