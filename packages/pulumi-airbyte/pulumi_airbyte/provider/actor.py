"""Sources and destinations: the same resource twice.

Written by full PUT, never by PATCH, which would store a mask as the secret (airbyte-platform, ConfigurationUpdate). A
deleted one is answered with a null configuration.
"""

import json
from typing import ClassVar, cast

from pulumi_airbyte.client.models import Actor, ActorKind
from pulumi_airbyte.provider.adoption import Adoption, Found, Seen, Sought
from pulumi_airbyte.provider.gone import Listed, changed, exists, remove
from pulumi_airbyte.provider.inventory import UNTOLD, Shelf
from pulumi_airbyte.provider.properties import (
    Properties,
    Property,
    Secret,
    has_secret,
    is_known,
    reveal,
    secret_texts,
    unwrap,
)
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
    all_secret,
    masks,
    secrets_at_leaves,
    with_secrets_marked,
    without_nulls,
)
from pulumi_airbyte.provider.tables import actor_inputs, actor_outputs
from pulumi_airbyte.provider.target import Known, Target
from pulumi_airbyte.values import JsonObject, Path, render_path


class ActorType(ResourceType):
    """A source or a destination."""

    kind: ClassVar[ActorKind]

    def __init__(self, server: Server, specifications: Specifications) -> None:
        super().__init__(server)
        self._specifications = specifications

    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Mark what the specification calls secret; refuse masks."""
        named: Properties = {"name": checking.name, **without_nulls(inputs)}
        try:
            named["configuration"] = _as_object(named.get("configuration"))
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
        return Checked({**named, "configuration": self._marked(named, checking.old)}, [])

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without nulls, and without the connector's type where its definition is given, which then wins."""
        cleaned = without_nulls(inputs)
        configuration = unwrap(cleaned.get("configuration"))
        if isinstance(configuration, dict) and "definitionId" in cleaned:
            cleaned["configuration"] = {key: item for key, item in configuration.items() if key != f"{self.kind}Type"}
        return cleaned

    def diff(self, known: Known, new: Properties) -> Differences:
        """Every place where the inputs differ; naming the same connector in the other way is no difference."""
        found = super().diff(known, new)
        same_connector = self._same_connector(new, known.outputs)
        return [item for item in found if item[0] not in self._names] if same_connector else found

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

    def create(self, inputs: Properties, target: Target) -> Made:
        """POST, unless it is there already."""
        made = self._adoption(inputs, target).make(lambda: self._post(inputs), lambda found: self._taken(found, inputs))
        return Made(made.actor_id, self._outputs(made, inputs))

    def foresee(self, inputs: Properties, target: Target) -> Properties:
        """Say whether it is there already."""
        if not all(isinstance(unwrap(inputs.get(key)), str) for key in ("workspaceId", "name")):
            return {}
        found = self._adoption(inputs, target).foresee()
        return self._identity(found.record) if found is not None else {}

    def read(self, known: Known, target: Target) -> Live | None:
        """GET, with what the server masks or rewrites taken from the state."""
        given = unwrap(known.inputs.get("workspaceId"))
        workspace_id = given if isinstance(given, str) else ""
        listed = self._listed(known.id, workspace_id)
        found = exists(self.airbyte, lambda: self._shelf.get(known.id, workspace_id or UNTOLD), listed)
        if found is None or found.configuration is None:
            return None
        sent = self.remote(self.tree(known.inputs))
        live = cast("Properties", merged(self._from_server(found), sent, known_rewrites(known.outputs)))
        outputs = {**self._identity(found), **kept_rewrites(known.outputs)}
        return Live({**live, **self._type_of(known.inputs, live), **self.local(known.inputs)}, outputs)

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """PUT the whole configuration in plain text."""
        return self._outputs(self._put(known.id, new), new)

    def delete(self, known: Known, target: Target) -> None:
        """DELETE; one that is gone already answers 204 or 404."""
        remove(self.airbyte, lambda: self.airbyte.delete_actor(self.kind, known.id), self._listed(known.id, ""))
        self._shelf.drop(known.id)

    def _adoption(self, inputs: Properties, target: Target) -> Adoption[Actor]:
        wanted = self.remote(self.tree(inputs))

        def look(actor: Actor) -> Seen:
            return Seen(actor.actor_id, (actor.name,), self._named_as(wanted, actor))

        identity = (str(unwrap(inputs["name"])),)
        workspace_id = str(unwrap(inputs["workspaceId"]))
        return Adoption(self.server.run, Sought(self.kind, workspace_id, identity, wanted, self._shelf, look), target)

    def _named_as(self, wanted: Properties, actor: Actor) -> Properties:
        """A live actor's tree, its connector named in the way in which the wanted one names its own."""
        live = self._from_server(actor)
        if "definitionId" in wanted:
            return live
        named = {**cast("Properties", live["configuration"]), f"{self.kind}Type": actor.connector_type}
        return {key: item for key, item in live.items() if key != "definitionId"} | {"configuration": named}

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

    def _listed(self, object_id: str, workspace_id: str) -> Listed:
        return f"{self.kind}s", f"{self.kind}Id", object_id, workspace_id

    def _names_type(self, configuration: Property) -> bool:
        inner = unwrap(configuration)
        return not isinstance(inner, dict) or f"{self.kind}Type" in inner

    def _marked(self, inputs: Properties, old: Properties) -> Property:
        """The configuration with its secrets marked; an unchanged one as the state has it, without a call."""
        configuration = secrets_at_leaves(inputs.get("configuration"))
        before = old.get("configuration")
        if (
            is_known(configuration)
            and same(configuration, before)
            and same(inputs.get("definitionId"), old.get("definitionId"))
        ):
            return _most_secret(configuration, before)
        definition_id, workspace_id = unwrap(inputs.get("definitionId")), unwrap(inputs.get("workspaceId"))
        if not isinstance(definition_id, str) or not isinstance(workspace_id, str):
            return configuration
        schema = self._specifications.get(self.kind, definition_id, workspace_id)
        return configuration if schema is None else secrets_at_leaves(with_secrets_marked(configuration, schema))

    def _body(self, inputs: Properties, keys: tuple[str, ...]) -> JsonObject:
        self.airbyte.redactor.learn(secret_texts(inputs))
        return {key: reveal(inputs[key]) for key in keys if key in inputs}

    def _outputs(self, actor: Actor, sent: Properties) -> Properties:
        tree = self.remote(self.tree(sent))
        return with_rewrites(self._identity(actor), rewrites(tree, self._from_server(actor)), tree)

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


def _as_object(configuration: Property) -> Property:
    """The configuration as an object; it may come as JSON text, as the bridged provider has it."""
    inner = unwrap(configuration)
    if not isinstance(inner, str):
        return configuration
    try:
        parsed = json.loads(inner)
    except json.JSONDecodeError as error:
        raise ValueError(f"is text that is not valid JSON (line {error.lineno}, column {error.colno})") from None
    if not isinstance(parsed, dict):
        raise ValueError("must be an object")  # noqa: TRY004, it is the user's text that is wrong
    return all_secret(parsed) if isinstance(configuration, Secret) else parsed


def _most_secret(new: Property, old: Property) -> Property:
    """Equal trees as one, in which a leaf is secret that either of them has as a secret."""
    was, now = unwrap(old), unwrap(new)
    if isinstance(now, dict) and isinstance(was, dict):
        return {key: _most_secret(item, was.get(key)) for key, item in now.items()}
    if isinstance(now, list) and isinstance(was, list):
        return [_most_secret(item, before) for item, before in zip(now, was, strict=True)]
    return Secret(now) if isinstance(old, Secret) or isinstance(new, Secret) else now
