"""Sources and destinations: two resource types with the same verbs.

Airbyte shows secrets as masks, and answers a deleted object with a null configuration. Writes are in actor_writes.py.
"""

from dataclasses import replace
from typing import ClassVar, Final, cast

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.errors import Forbidden, NotFound
from pulumi_airbyte.client.models import Actor, ActorKind
from pulumi_airbyte.provider.actor_inputs import (
    canonical,
    from_server,
    identity_of,
    leaves_out,
    names_of_connector,
    workspace_of,
)
from pulumi_airbyte.provider.actor_writes import COPY_ADVICE, IDENTITY, ActorWrites, sought
from pulumi_airbyte.provider.adoption import Adoption
from pulumi_airbyte.provider.available import Available
from pulumi_airbyte.provider.cascades import refuse_connected
from pulumi_airbyte.provider.gone import actor_listed, exists, remove
from pulumi_airbyte.provider.granted import CONSENT, as_consented, consents, granted, without_granted
from pulumi_airbyte.provider.inventory import UNKNOWN_WORKSPACE, Shelf
from pulumi_airbyte.provider.properties import Properties, Property, secret, secret_texts, unwrap
from pulumi_airbyte.provider.reconcile import merged, same
from pulumi_airbyte.provider.refusals import refused_texts
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
)
from pulumi_airbyte.provider.secrecy import MASK_ADVICE, Specifications, masks, without_nulls
from pulumi_airbyte.provider.specified import Specified, as_object
from pulumi_airbyte.provider.tables import actor_inputs, actor_outputs
from pulumi_airbyte.provider.target import Known, Target
from pulumi_airbyte.provider.unfinished import UnfinishedError
from pulumi_airbyte.provider.versions import (
    Coordinates,
    as_output,
    changed_outside,
    from_outputs,
    has_masks,
    masked,
    unreadable,
    versions,
    with_changes,
)
from pulumi_airbyte.values import Path, render_path

UNSEEN_ADVICE: Final = (
    "The next `pulumi up` records it. If it was changed in code since the import, change another value too "
    "(checkConnection, for example): an update writes every secret that was imported as a mask."
)
LEFT: Final = '{"check":true}'
UNSENT: Final = '{"grant":true}'
ADVICE: Final = (
    "Correct the configuration or the outside system, and run `pulumi up`: it repairs this object and creates no other."
)


class ActorType(ResourceType):
    """A source or a destination."""

    kind: ClassVar[ActorKind]
    identity = IDENTITY

    def __init__(self, server: Server, specifications: Specifications, available: Available) -> None:
        super().__init__(server)
        self._available = available
        self._specified = Specified(self.kind, specifications)
        self._coordinates = Coordinates(server.airbyte)
        self._writes = ActorWrites(self.kind, server, self._specified, self._coordinates)

    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Mark what the specification calls secret; refuse masks."""
        named: Properties = {"name": checking.name, **without_nulls(inputs)}
        if consents(named):
            named[CONSENT] = secret(named[CONSENT])
        try:
            named["configuration"] = as_object(named.get("configuration"))
        except ValueError as error:
            return Checked(named, [Failure("configuration", str(error))])
        failures = table_failures(self.inputs, named)
        if not checking.importing:
            failures += refused_texts(named)
            paths = map(render_path, masks(named.get("configuration"), ("configuration",)))
            failures += [Failure(path, MASK_ADVICE) for path in sorted(paths)]
        if "definitionId" not in named and not self._names_type(named.get("configuration")):
            failures.append(Failure("definitionId", f"is required where the configuration has no {self.kind}Type"))
        if failures:
            return Checked(named, failures)
        checked = self._specified.check(named, checking, self.tree)
        # Connectors repeat their configuration in messages, also in those of a discovery for a connection.
        self._writes.learn(checking.old, checked.inputs)
        return checked

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without nulls and disabled options. If `definitionId` is given, the connector's type is left out."""
        return canonical(self.kind, inputs)

    def diff(self, known: Known, new: Properties) -> Differences:
        """Every difference. It is none to name the same connector by type instead of definition, or the reverse."""
        # `check` has learned the secrets of the same object, whose id it does not get.
        self.airbyte.redactor.cover(known.id)
        found = super().diff(replace(known, inputs=as_consented(known.inputs, new)), new)
        if self._same_connector(new, known.outputs):
            found = [item for item in found if item[0] not in self._names]
        if "unfinished" in known.outputs and not any(path == ("checkConnection",) for path, _, _ in found):
            # The engine repeats an update after a failed check, but a refresh makes it forget the failure.
            found.append((("checkConnection",), True, True))
        return found

    def leaves_out(self, tree: Properties, path: Path) -> bool:
        """Whether the path is the connector's type."""
        return leaves_out(self.kind, path)

    def replaces(self, path: Path) -> bool:
        """Whether the change needs a new object; a change of the connector does, by either name."""
        return path in self._names or super().replaces(path)

    @property
    def _names(self) -> tuple[Path, Path]:
        return names_of_connector(self.kind)

    def _same_connector(self, new: Properties, outputs: Properties) -> bool:
        """Whether new inputs name the object's connector, according to the server's record of it."""
        configuration = unwrap(new.get("configuration"))
        if "definitionId" in new:
            return same(new["definitionId"], known_rewrites(outputs).get(("definitionId",)))
        named = configuration.get(f"{self.kind}Type") if isinstance(configuration, dict) else None
        return named is not None and same(named, outputs.get(f"{self.kind}Type"))

    def explain(self, known: Known, new: Properties, found: Differences) -> str:
        """Name misspelt keys, and secrets that an import could not compare."""
        changed_at = [path for path, _, _ in found]
        lines = (
            self._specified.misspelt(self.tree(new)) if any(path[0] == "configuration" for path in changed_at) else []
        )
        before = as_consented(known.inputs, new).get("configuration")
        imported = [path for path in masks(before, ("configuration",)) if path not in changed_at]
        if imported:
            paths = ", ".join(map(render_path, imported))
            lines.append(f"{paths}: imported as masks, and assumed to equal the program's values. {UNSEEN_ADVICE}")
        return "\n".join(lines)

    def foresee(self, inputs: Properties, target: Target) -> Properties:
        """Report misspelt keys, and whether the object will be adopted.

        Refuse a check that can't run, and a workspace or connector that Airbyte does not have.
        """
        self._prepare(inputs, target)
        if not all(isinstance(unwrap(inputs.get(key)), str) for key in IDENTITY):
            return {}
        workspace_id = workspace_of(inputs) or ""
        try:
            found = self._adoption(inputs, target).foresee()
        except (NotFound, Forbidden):
            self._available.require_workspace(workspace_id)
            raise
        if found is not None:
            return identity_of(self.kind, found.record)
        if not self._shelf.all(workspace_id):
            # A server lists an unknown workspace as an empty one.
            self._available.require_workspace(workspace_id)
        definition_id = unwrap(inputs.get("definitionId"))
        if isinstance(definition_id, str):
            self._available.require_connector(self.kind, definition_id, workspace_id)
        return {}

    def create(self, inputs: Properties, target: Target) -> Made:
        """POST, or adopt an existing object; then run its check if the program asks for it."""
        self._prepare(inputs, target)
        if next(unreadable(inputs["configuration"]), None) is not None:
            raise AirbyteError(
                f"A new {self.kind} can't take over a secret that was changed on the server.", COPY_ADVICE
            )
        sent, writes = self.remote(inputs), self._writes
        made = self._adoption(inputs, target).make(
            lambda: writes.post(sent, inputs), lambda found: writes.taken(found, inputs)
        )
        outputs = writes.written(made, sent)
        self.airbyte.redactor.cover(made.actor_id)
        return Made(made.actor_id, tried(self.airbyte, self.kind, made.actor_id, inputs, outputs))

    def read(self, known: Known, target: Target) -> Live | None:
        """GET. Masked and rewritten values are taken from the state."""
        workspace_id = workspace_of(known.inputs)
        recorded = from_outputs(known.outputs)
        listed = actor_listed(self.kind, known.id, workspace_id)
        found = exists(self.airbyte, lambda: self._get(known, workspace_id or UNKNOWN_WORKSPACE), listed)
        if found is None or found.configuration is None:
            return None
        sent, made = self.remote(self.tree(known.inputs)), self.taken(known)
        shown = without_granted(from_server(self.kind, masked(found)), known.inputs)
        live = cast("Properties", merged(shown, sent, made.rewrites))
        live |= self._type_of(known.inputs, live)
        tokens = list(granted(masked(found).configuration, known.inputs.get("configuration")))
        if rotated := [path for path in changed_outside(found, recorded) if path not in tokens]:
            live["configuration"] = with_changes(live.get("configuration"), rotated)
            paths = ", ".join(render_path(("configuration", *path)) for path in rotated)
            target.say(f"{paths}: changed outside the program, and overwritten by the next update")
        record = as_output(versions(found) | recorded)
        outputs = {
            **identity_of(self.kind, found),
            **kept_rewrites(known.outputs, sent, made),
            **record,
            **unfinished_kept(known.outputs),
        }
        return Live({**live, **self.local(known.inputs)}, outputs)

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """PUT the live object with the program's changes, if there are any; then run its check."""
        require_checkable(self.airbyte, new)
        left = unfinished_kept(known.outputs)
        before = replace(known, inputs=as_consented(known.inputs, new))
        outputs = {key: value for key, value in known.outputs.items() if key not in left}
        differs = self._writes.differ(before, new)
        if differs:
            outputs = self._writes.change(before, new)
        unsent = consents(new) and (
            left.get("unfinished") == UNSENT or not same(before.inputs.get(CONSENT), new[CONSENT])
        )
        if unsent:
            outputs = self._granted(replace(before, outputs=outputs), new, written=differs)
        return tried(self.airbyte, self.kind, known.id, new, outputs)

    def _granted(self, known: Known, new: Properties, *, written: bool) -> Properties:
        """Give a source its tokens; if a write came before, a failure is an unfinished update."""
        try:
            return self._writes.grant(known, new)
        except AirbyteError as error:
            if not written:
                raise
            outputs: Properties = {**known.outputs, "unfinished": UNSENT}
            raise UnfinishedError(known.id, outputs, f"{error}\n  The rest of the update was written.") from error

    def delete(self, known: Known, target: Target) -> None:
        """DELETE, unless Airbyte would delete connections too. A deleted object is answered with 204 or 404."""
        if unwrap(known.inputs.get("forceDestroy")) is not True:
            within = workspace_of(known.inputs)
            refuse_connected(self.airbyte, self.server.inventory.ends, self.kind, known.id, within)
        remove(self.airbyte, lambda: self.airbyte.delete_actor(self.kind, known.id), actor_listed(self.kind, known.id))
        self._shelf.drop(known.id)

    def _prepare(self, inputs: Properties, target: Target) -> None:
        require_checkable(self.airbyte, inputs)
        for line in self._specified.misspelt(self.tree(inputs)):
            target.say(line)

    def _adoption(self, inputs: Properties, target: Target) -> Adoption[Actor]:
        wanted = self.remote(self.tree(inputs))

        def shown(actor: Actor) -> Properties:
            return without_granted(from_server(self.kind, actor), inputs)

        return Adoption(self.server, sought(self.kind, wanted, self._shelf, shown), target)

    @property
    def _shelf(self) -> Shelf[Actor]:
        return self.server.inventory.actors(self.kind)

    def _names_type(self, configuration: Property) -> bool:
        inner = unwrap(configuration)
        return not isinstance(inner, dict) or f"{self.kind}Type" in inner

    def _get(self, known: Known, workspace_id: str) -> Actor:
        """Read the actor. One with secrets is read on its own, with coordinates: lists show only masks."""
        if self._coordinates.given and (not known.inputs or "secretVersions" in known.outputs):
            return self._coordinates.get(self.kind, known.id)
        found = self._shelf.get(known.id, workspace_id)
        return self._coordinates.get(self.kind, known.id) if self._coordinates.given and has_masks(found) else found

    def _type_of(self, inputs: Properties, live: Properties) -> Properties:
        """The configuration with the connector's type restored, if the program names it there."""
        before, now = unwrap(inputs.get("configuration")), live.get("configuration")
        key = f"{self.kind}Type"
        if isinstance(before, dict) and key in before and isinstance(now, dict):
            return {"configuration": {**now, key: before[key]}}
        return {}


class SourceType(ActorType):
    """`airbyte:index/source:Source`."""

    token = "airbyte:index/source:Source"
    kind = "source"
    summary = "A place that data comes from: a connector with its configuration."
    inputs = actor_inputs("source")
    outputs = actor_outputs("source")


class DestinationType(ActorType):
    """`airbyte:index/destination:Destination`."""

    token = "airbyte:index/destination:Destination"
    kind = "destination"
    summary = "A place that data goes to: a connector with its configuration."
    inputs = actor_inputs("destination")
    outputs = actor_outputs("destination")


def unfinished_kept(outputs: Properties) -> Properties:
    """The output `unfinished`, which a read keeps."""
    return {"unfinished": outputs["unfinished"]} if "unfinished" in outputs else {}


def require_checkable(airbyte: Airbyte, inputs: Properties) -> None:
    """Refuse a connection check that can't run, before anything is written.

    Raises:
        AirbyteError: the program asks for a check, and the server has no Config API.
    """
    if _wanted(inputs):
        airbyte.require_checks()


def tried(airbyte: Airbyte, kind: ActorKind, actor_id: str, inputs: Properties, outputs: Properties) -> Properties:
    """Run the connection check if the program asks for it, and return the outputs of the write.

    Raises:
        UnfinishedError: the check failed. The write stays, and the next update checks again.
    """
    if not _wanted(inputs):
        return outputs
    # A connector may repeat its configuration in its message, even if this run wrote nothing.
    airbyte.redactor.learn(secret_texts(inputs))
    try:
        failure = airbyte.check_actor(kind, actor_id)
    except AirbyteError as error:
        failure = str(error)
    if not failure:
        return outputs
    reason = f"The {kind} {actor_id} was written, but its check failed: {failure}\n  {ADVICE}"
    raise UnfinishedError(actor_id, {**outputs, "unfinished": LEFT}, reason)


def _wanted(inputs: Properties) -> bool:
    return unwrap(inputs.get("checkConnection")) is True
