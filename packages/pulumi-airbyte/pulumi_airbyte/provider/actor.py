"""Sources and destinations: the same resource twice.

Written by full PUT, never by PATCH, which would store a mask as the secret (airbyte-platform, ConfigurationUpdate). A
deleted one is answered with a null configuration.
"""

from typing import ClassVar, Final, cast

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.models import Actor, ActorKind
from pulumi_airbyte.provider.actor_identity import IDENTITY, sought
from pulumi_airbyte.provider.adoption import Adoption, Found
from pulumi_airbyte.provider.foreign import refuse_foreign
from pulumi_airbyte.provider.gone import actor_listed, changed, exists, remove
from pulumi_airbyte.provider.inventory import UNTOLD, Shelf
from pulumi_airbyte.provider.properties import Properties, Property, has_secret, reveal, secret_texts, unwrap
from pulumi_airbyte.provider.reconcile import merged, rewrites, same
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
from pulumi_airbyte.provider.secrecy import (
    MASK_ADVICE,
    Specifications,
    masks,
    without_nulls,
)
from pulumi_airbyte.provider.specified import Specified, as_object
from pulumi_airbyte.provider.tables import actor_inputs, actor_outputs
from pulumi_airbyte.provider.target import Known, Target
from pulumi_airbyte.provider.trial import require_checkable, tried, unfinished_kept
from pulumi_airbyte.provider.versions import (
    CHANGED,
    Coordinates,
    as_output,
    changed_outside,
    from_outputs,
    has_masks,
    masked,
    stored_kept,
    versions,
    with_changes,
)
from pulumi_airbyte.values import JsonObject, Path, render_path

COPY_ADVICE: Final = "Nobody can read it there: give its value in the program, without ignoreChanges."
UNSEEN_ADVICE: Final = (
    "The next `pulumi up` records it. If it was changed in code since the import, change something else as well "
    "(checkConnection, say): an update writes every secret."
)


class ActorType(ResourceType):
    """A source or a destination."""

    kind: ClassVar[ActorKind]
    identity = IDENTITY

    def __init__(self, server: Server, specifications: Specifications) -> None:
        super().__init__(server)
        self._specified = Specified(self.kind, specifications)
        self._coordinates = Coordinates(server.airbyte)

    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Mark what the specification calls secret; refuse masks."""
        named: Properties = {"name": checking.name, **without_nulls(inputs)}
        try:
            named["configuration"] = as_object(named.get("configuration"))
        except ValueError as error:
            return Checked(named, [Failure("configuration", str(error))])
        failures = table_failures(self.inputs, named)
        if not checking.importing:
            paths = map(render_path, masks(named.get("configuration"), ("configuration",)))
            failures += [Failure(path, MASK_ADVICE) for path in sorted(paths)]
        if "definitionId" not in named and not self._names_type(named.get("configuration")):
            failures.append(Failure("definitionId", f"is required where the configuration has no {self.kind}Type"))
        if failures:
            return Checked(named, failures)
        return self._specified.check(named, checking, self.tree)

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without nulls and what is not asked for, and with one name of the connector: its definition wins."""
        local = self.local(inputs)
        cleaned = {key: value for key, value in without_nulls(inputs).items() if key not in local or unwrap(value)}
        configuration = unwrap(cleaned.get("configuration"))
        if isinstance(configuration, dict) and "definitionId" in cleaned:
            cleaned["configuration"] = {key: item for key, item in configuration.items() if key != f"{self.kind}Type"}
        return cleaned

    def diff(self, known: Known, new: Properties) -> Differences:
        """Every place where the inputs differ; naming the same connector in the other way is no difference."""
        found = super().diff(known, new)
        if self._same_connector(new, known.outputs):
            found = [item for item in found if item[0] not in self._names]
        if "unfinished" in known.outputs and not any(path == ("checkConnection",) for path, _, _ in found):
            # The engine knows of a failed check, but forgets it with a refresh.
            found.append((("checkConnection",), True, True))
        return found

    def replaces(self, path: Path) -> bool:
        """A change of the connector needs a new object, by whichever name."""
        return path in self._names or super().replaces(path)

    @property
    def _names(self) -> tuple[Path, Path]:
        return ("definitionId",), ("configuration", f"{self.kind}Type")

    def _same_connector(self, new: Properties, outputs: Properties) -> bool:
        """Whether new inputs name the connector that the object has, by what the server said of it."""
        configuration = unwrap(new.get("configuration"))
        if "definitionId" in new:
            return same(new["definitionId"], known_rewrites(outputs).get(("definitionId",)))
        named = configuration.get(f"{self.kind}Type") if isinstance(configuration, dict) else None
        return named is not None and same(named, outputs.get(f"{self.kind}Type"))

    def explain(self, known: Known, new: Properties, found: Differences) -> str:
        """What an import could not tell, and keys that were meant otherwise."""
        changed_at = [path for path, _, _ in found]
        lines = (
            self._specified.misspelt(self.tree(new)) if any(path[0] == "configuration" for path in changed_at) else []
        )
        imported = [
            path for path in masks(known.inputs.get("configuration"), ("configuration",)) if path not in changed_at
        ]
        if imported:
            paths = ", ".join(map(render_path, imported))
            lines.append(f"{paths}: imported unseen, and so taken to be what the program says. {UNSEEN_ADVICE}")
        return "\n".join(lines)

    def foresee(self, inputs: Properties, target: Target) -> Properties:
        """Say which keys were meant otherwise, and whether it is there already; refuse a check that can't be made."""
        self._prepare(inputs, target)
        if not all(isinstance(unwrap(inputs.get(key)), str) for key in IDENTITY):
            return {}
        found = self._adoption(inputs, target).foresee()
        return self._identity(found.record) if found is not None else {}

    def create(self, inputs: Properties, target: Target) -> Made:
        """POST, unless it is there already; then the check that is asked for."""
        self._prepare(inputs, target)
        if CHANGED in secret_texts(inputs):
            raise AirbyteError(
                f"A new {self.kind} can't take over a secret that was changed on the server.", COPY_ADVICE
            )
        made = self._adoption(inputs, target).make(lambda: self._post(inputs), lambda found: self._taken(found, inputs))
        return Made(made.actor_id, tried(self.airbyte, self.kind, made.actor_id, inputs, self._outputs(made, inputs)))

    def read(self, known: Known, target: Target) -> Live | None:
        """GET, with what the server masks or rewrites taken from the state."""
        given = unwrap(known.inputs.get("workspaceId"))
        workspace_id = given if isinstance(given, str) else ""
        recorded = from_outputs(known.outputs)
        listed = actor_listed(self.kind, known.id, workspace_id)
        found = exists(self.airbyte, lambda: self._get(known, workspace_id or UNTOLD), listed)
        if found is None or found.configuration is None:
            return None
        sent = self.remote(self.tree(known.inputs))
        live = cast("Properties", merged(self._from_server(masked(found)), sent, known_rewrites(known.outputs)))
        live |= self._type_of(known.inputs, live)
        if rotated := changed_outside(found, recorded):
            live["configuration"] = with_changes(live.get("configuration"), rotated)
            paths = ", ".join(render_path(("configuration", *path)) for path in rotated)
            target.say(f"{paths}: changed outside the program, which writes its own value with the next update")
        record = as_output(recorded or versions(found))
        outputs = {**self._identity(found), **kept_rewrites(known.outputs), **record, **unfinished_kept(known.outputs)}
        return Live({**live, **self.local(known.inputs)}, outputs)

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """PUT the whole configuration in plain text, where there is anything to tell the server; then the check."""
        require_checkable(self.airbyte, new)
        outputs = {key: value for key, value in known.outputs.items() if key not in unfinished_kept(known.outputs)}
        # An imported secret is not known to be the program's, so that it is written with whatever is changed.
        if self._tells(known, new) or next(masks(known.inputs.get("configuration")), None) is not None:
            outputs = self._outputs(self._put(known.id, new), new)
        return tried(self.airbyte, self.kind, known.id, new, outputs)

    def delete(self, known: Known, target: Target) -> None:
        """DELETE, unless connections would go with it; one that is gone already answers 204 or 404."""
        if unwrap(known.inputs.get("forceDestroy")) is not True:
            workspace_id = unwrap(known.inputs.get("workspaceId"))
            within = workspace_id if isinstance(workspace_id, str) else ""
            refuse_foreign(self.airbyte, self.server.inventory.connections, self.kind, known.id, within)
        remove(self.airbyte, lambda: self.airbyte.delete_actor(self.kind, known.id), actor_listed(self.kind, known.id))
        self._shelf.drop(known.id)

    def _prepare(self, inputs: Properties, target: Target) -> None:
        require_checkable(self.airbyte, inputs)
        for line in self._specified.misspelt(self.tree(inputs)):
            target.say(line)

    def _adoption(self, inputs: Properties, target: Target) -> Adoption[Actor]:
        wanted = self.remote(self.tree(inputs))
        return Adoption(self.server, sought(self.kind, wanted, self._shelf, self._from_server), target)

    def _post(self, inputs: Properties) -> Actor:
        names = tuple(entry.name for entry in self.inputs if not entry.local)
        made = self.airbyte.create_actor(self.kind, self._body(inputs, names))
        self._shelf.put(made)
        return made

    def _put(self, actor_id: str, inputs: Properties) -> Actor:
        body = self._body(inputs, ("name", "configuration", "resourceAllocation"))
        put = changed(lambda: self.airbyte.put_actor(self.kind, actor_id, body))
        self._shelf.put(put)
        return put

    def _taken(self, found: Found[Actor], inputs: Properties) -> Actor:
        """An adopted actor; its secrets, which nobody can compare, are written."""
        hidden = has_secret(inputs["configuration"]) or any(masks(found.record.configuration))
        return self._put(found.id, inputs) if hidden else found.record

    @property
    def _shelf(self) -> Shelf[Actor]:
        return self.server.inventory.actors(self.kind)

    def _names_type(self, configuration: Property) -> bool:
        inner = unwrap(configuration)
        return not isinstance(inner, dict) or f"{self.kind}Type" in inner

    def _get(self, known: Known, workspace_id: str) -> Actor:
        """The actor, with coordinates where it has secrets and the server gives any: lists show only masks."""
        if self._coordinates.given and (not known.inputs or "secretVersions" in known.outputs):
            return self._coordinates.get(self.kind, known.id)
        found = self._shelf.get(known.id, workspace_id)
        return self._coordinates.get(self.kind, known.id) if self._coordinates.given and has_masks(found) else found

    def _tells(self, known: Known, new: Properties) -> bool:
        """Whether a change is one of those that the server is told."""
        return bool(self.remote({str(path[0]): None for path, _, _ in self.diff(known, new)}))

    def _body(self, inputs: Properties, keys: tuple[str, ...]) -> JsonObject:
        self.airbyte.redactor.learn(text for text in secret_texts(inputs) if text != CHANGED)
        return {key: stored_kept(reveal(inputs[key])) for key in keys if key in inputs}

    def _outputs(self, actor: Actor, sent: Properties) -> Properties:
        tree = self.remote(self.tree(sent))
        outputs = {**self._identity(actor), **self._coordinates.recorded(self.kind, actor)}
        return with_rewrites(outputs, rewrites(tree, self._from_server(actor)), tree)

    def _identity(self, actor: Actor) -> Properties:
        kind = self.kind
        return {f"{kind}Id": actor.actor_id, f"{kind}Type": actor.connector_type, "createdAt": actor.created_at}

    def _from_server(self, actor: Actor) -> Properties:
        found: Properties = {
            "name": actor.name,
            "workspaceId": actor.workspace_id,
            "definitionId": actor.definition_id,
            "configuration": actor.configuration,
            "resourceAllocation": actor.resource_allocation,
        }
        return self.tree(found)

    def _type_of(self, inputs: Properties, live: Properties) -> Properties:
        """The configuration with the connector's type put back where code names it there."""
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
