"""Connections: a source's streams into a destination."""

from functools import partial
from typing import cast

from pulumi_airbyte.client.errors import AirbyteError, NotFound
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.configurations import ConfigurationError, parse, to_text
from pulumi_airbyte.provider.config_fields import (
    as_first_posted,
    config_keys,
    note,
    noted,
    resource_failures,
    settings_of,
)
from pulumi_airbyte.provider.config_writes import (
    config_failures,
    require_config_api,
    server_says,
    settled,
    with_settings,
)
from pulumi_airbyte.provider.connection_tree import canonical, from_server, mapper_keys, request, secrecy_kept, wire
from pulumi_airbyte.provider.explain import explain_streams
from pulumi_airbyte.provider.gone import REFRESH_HINT, Listed, changed, exists, remove
from pulumi_airbyte.provider.properties import UNKNOWN, Properties, Property, is_known, reveal, unwrap
from pulumi_airbyte.provider.reconcile import merged, rewrites, same
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
from pulumi_airbyte.provider.server_made import told
from pulumi_airbyte.provider.tables import CONNECTION_INPUTS, CONNECTION_OUTPUTS
from pulumi_airbyte.provider.target import Known, Target
from pulumi_airbyte.provider.unfinished import UnfinishedError
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
        failures += [] if checking.importing else schedule_failures(named.get("schedule")) + resource_failures(named)
        # What the engine puts in for ignoreChanges is what the server has, which code could not have said.
        kept = {key for key in ("schedule", "status") if same(named.get(key), checking.old.get(key))}
        failures += [] if failures or checking.importing else config_failures(self.server, self.tree(named))
        failures = [failure for failure in failures if failure.path.partition(".")[0] not in kept]
        if failures:
            return Checked(named, failures)
        return Checked(secrecy_kept(wire(self.tree(named)), inputs), [])

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without defaults, with the streams as a tree by name."""
        return canonical(inputs)

    def create(self, inputs: Properties, target: Target) -> Made:
        """POST; the server discovers the source first."""
        tree = self.remote(self.tree(inputs))
        require_config_api(self.server, tree, set(tree))
        made = self._post(as_first_posted(tree))
        return Made(made.connection_id, self._settled(made, tree, set(tree)))

    def read(self, known: Known, target: Target) -> Live | None:
        """GET; `deprecated` is what a deleted connection is."""
        connections = self.server.inventory.connections
        found = exists(self.airbyte, lambda: connections.get(known.id), _listed(known.id))
        if found is None or found.status == "deprecated":
            return None
        sent = self.remote(self.tree(known.inputs)) if known.inputs else {}
        found = with_settings(self.server, found, known)
        live = cast("Properties", merged(from_server(found, sent), sent, known_rewrites(known.outputs)))
        news = told(live, sent, found, partial(server_says, self.server, found))
        if news:
            target.say(news)
        outputs = {**_identity(found), **kept_rewrites(known.outputs)}
        return Live({**secrecy_kept(wire(live), known.inputs), **self.local(known.inputs)}, outputs)

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """PATCH just what differs: the server leaves a schedule or a catalog alone only when it is absent."""
        after = self.remote(self.tree(new))
        differing = set(self.remote({str(path[0]): None for path, _, _ in self.diff(known, new)}))
        differing |= noted(known.outputs)
        if not differing:
            return known.outputs
        require_config_api(self.server, after, differing | settings_of(after))
        public = differing - config_keys(after, differing)
        if "status" in public or not public:
            # A status would bring a deleted connection back half alive (airbyte-platform, ConnectionsHandler).
            found = _refuse_deleted(changed(lambda: self.airbyte.get_connection(known.id)))
        if public:
            found = self._patch(known.id, after, public)
        return self._settled(found, after, differing)

    def delete(self, known: Known, target: Target) -> None:
        """DELETE; one that is gone already answers 204 or 404."""
        remove(self.airbyte, lambda: self.airbyte.delete_connection(known.id), _listed(known.id))
        self.server.inventory.connections.drop(known.id)

    def explain(self, known: Known, new: Properties, found: Differences) -> str:
        """The streams and fields that change, by name."""
        return explain_streams([item for item in found if item[0][0] == "configurations"])

    def _settled(self, found: Connection, tree: Properties, keys: set[str]) -> Properties:
        """The outputs, once what the public API can't write is written as well.

        Raises:
            UnfinishedError: it could not be; the next update does it.
        """
        try:
            return _outputs(settled(self.server, found, tree, keys), tree)
        except AirbyteError as error:
            unwritten = config_keys(tree, keys | settings_of(tree))
            left = {**_outputs(found, tree, unwritten), "unfinished": note(unwritten)}
            raise UnfinishedError(found.connection_id, left, str(error)) from error

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


def _outputs(answer: Connection, sent: Properties, unwritten: frozenset[str] = frozenset()) -> Properties:
    found = rewrites(sent, from_server(answer, sent))
    return with_rewrites(
        _identity(answer), {path: there for path, there in found.items() if path[0] not in unwritten}, sent
    )


def _identity(found: Connection) -> Properties:
    return {"connectionId": found.connection_id, "createdAt": found.created_at}
