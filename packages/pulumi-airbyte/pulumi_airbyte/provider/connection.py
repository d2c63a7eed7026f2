"""Connections: a source's streams into a destination."""

from typing import cast

from pulumi_airbyte.client.errors import AirbyteError, NotFound
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.configurations import ConfigurationError, parse, to_text
from pulumi_airbyte.provider import backfill
from pulumi_airbyte.provider.carry import Plan, first_post
from pulumi_airbyte.provider.connection_steps import (
    changed_places,
    differences,
    due,
    explained_takeover,
    read_anew,
    takeover,
    verdict_on,
)
from pulumi_airbyte.provider.connection_tree import canonical, from_server, mapper_keys, request, secrecy_kept, wire
from pulumi_airbyte.provider.explain import explain_streams
from pulumi_airbyte.provider.gone import REFRESH_HINT, Listed, changed, exists, remove
from pulumi_airbyte.provider.handover import finish, readable, refuse_losses, resumed, seems_same_definition
from pulumi_airbyte.provider.properties import UNKNOWN, Properties, Property, is_known, reveal, unwrap
from pulumi_airbyte.provider.reconcile import merged, rewrites
from pulumi_airbyte.provider.refreshes import looked_up
from pulumi_airbyte.provider.resource import (
    Checked,
    Checking,
    Differences,
    Failure,
    Live,
    Made,
    ResourceType,
    Server,
    kept_rewrites,
    known_rewrites,
    table_failures,
    with_rewrites,
)
from pulumi_airbyte.provider.schedule import schedule_failures
from pulumi_airbyte.provider.secrecy import MASK_ADVICE, masks
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

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        # What takes the place of connections that are to be replaced, by their id, until it is there.
        self._successors: dict[str, Properties] = {}

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
        failures += [] if failures else backfill.failures(self.tree(named))
        if failures:
            return Checked(named, failures)
        return Checked(secrecy_kept(wire(self.tree(named)), inputs), [])

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without defaults, with the streams as a tree by name."""
        return canonical(inputs)

    def create(self, inputs: Properties, target: Target) -> Made:
        """POST; the server discovers the source first. One that replaces another goes on where that one was."""
        tree, old = self.remote(self.tree(inputs)), target.replaced
        plan = takeover(self.server, old, inputs, target)
        if old is None or plan is None:
            made = self._post(tree)
        else:
            with resumed(self.airbyte, old.id, when=plan.alive and "status" not in self.tree(old.inputs)):
                made = self._post(first_post(tree))
        self._successors.pop(old.id if old else "", None)
        if plan is None:
            return Made(made.connection_id, _outputs(made, tree))
        try:
            return Made(made.connection_id, _outputs(self._finish(made, plan, tree), tree))
        except AirbyteError as error:
            left = {**_outputs(made, first_post(tree)), "unfinished": plan.to_text()}
            raise UnfinishedError(made.connection_id, left, str(error)) from error

    def read(self, known: Known, target: Target) -> Live | None:
        """GET; `deprecated` is what a deleted connection is."""
        connections = self.server.inventory.connections
        found = exists(self.airbyte, lambda: connections.get(known.id), _listed(known.id))
        if found is None or found.status == "deprecated":
            return None
        sent = self.remote(self.tree(known.inputs)) if known.inputs else {}
        live = cast("Properties", merged(from_server(found), sent, known_rewrites(known.outputs)))
        outputs = {**_identity(found), **kept_rewrites(known.outputs), **self._kept(known)}
        return Live({**secrecy_kept(wire(live), known.inputs), **self.local(known.inputs)}, outputs)

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """PATCH just what differs: the server leaves a schedule or a catalog alone only when it is absent."""
        after, again = self.remote(self.tree(new)), due(self.airbyte, known, new)
        plan = Plan.parse(known.outputs.get("unfinished"))
        if plan is not None:
            self._finish(self._there(known.id), plan, after)
        outputs = {key: value for key, value in known.outputs.items() if key not in {"unfinished", backfill.RESULTS}}
        differing = set(self.remote({str(path[0]): None for path, _, _ in changed_places(known.inputs, new)}))
        if "status" in differing:
            # A status would bring a deleted connection back half alive (airbyte-platform, ConnectionsHandler).
            self._there(known.id)
        if differing:
            outputs = _outputs(self._patch(known.id, after, differing), after)
        if not again.streams:
            return {**outputs, **backfill.told(again.results)}
        return {**outputs, **read_anew(self.airbyte, self._there(known.id), again, new, target)}

    def delete(self, known: Known, target: Target) -> None:
        """DELETE; one that is gone already answers 204 or 404."""
        successor = self._successors.pop(known.id, None)
        if successor is not None:
            # It goes before its successor comes: what could not be handed over then must not be lost now.
            live = exists(self.airbyte, lambda: self.airbyte.get_connection(known.id), _listed(known.id))
            related = seems_same_definition(self.server.run, known.inputs, successor)
            verdict = verdict_on(known, successor, same_connector=related is not False)
            if live is not None:
                state = readable(self.airbyte, known.id)
                refuse_losses(live, verdict, state, allowed=successor.get("allowCursorLoss") is True)
        remove(self.airbyte, lambda: self.airbyte.delete_connection(known.id), _listed(known.id))
        self.server.inventory.connections.drop(known.id)

    def explain(self, known: Known, new: Properties, found: Differences) -> str:
        """The streams and fields that change, by name; and what becomes of cursors and of rows that were read."""
        if not found:
            return ""
        parts = [explain_streams([item for item in found if item[0][0] == "configurations"])]
        if any(self.replaces(path) for path, _, _ in found):
            parts.append(explained_takeover(self.airbyte, self.server.run, known, new))
        else:
            plan = Plan.parse(known.outputs.get("unfinished"))
            parts += [f"will take over the cursors of connection {plan.old_id}"] if plan else []
            parts.append(backfill.explained(known.inputs, new, self.tree(known.inputs), self.tree(new), found))
        return "; ".join(part for part in parts if part)

    def diff(self, known: Known, new: Properties) -> Differences:
        """What is to change, and what is to be read anew."""
        found = changed_places(known.inputs, new)
        if any(self.replaces(path) for path, _, _ in found):
            self._successors[known.id] = new
            return found
        return differences(self.airbyte, known, new)

    def _there(self, connection_id: str) -> Connection:
        """A connection that must exist."""
        return _refuse_deleted(changed(lambda: self.airbyte.get_connection(connection_id)))

    def _kept(self, known: Known) -> Properties:
        """Outputs of which the server knows nothing."""
        results = backfill.told(looked_up(self.airbyte, backfill.results_of(known.outputs)))
        return results | {key: value for key, value in known.outputs.items() if key == "unfinished"}

    def _finish(self, made: Connection, plan: Plan, tree: Properties) -> Connection:
        """Hand cursors over, and let the connection run if it is to."""
        done = finish(self.airbyte, made, plan, str(tree.get("status", "active")))
        self.server.inventory.connections.put(done)
        return done

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
