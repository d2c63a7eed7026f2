"""Create, adopt and change sources and destinations.

No partial write of the server is safe: a PATCH stores a mask as the secret (airbyte-platform, ConfigurationUpdate). So
a change is a PUT of the live object with the program's changes in it. A mask in a PUT keeps the secret and its version.
"""

from collections.abc import Callable, Iterable
from typing import Final, cast

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.models import Actor, ActorKind
from pulumi_airbyte.provider.actor_inputs import (
    WRITTEN,
    canonical,
    from_server,
    identity_of,
    leaves_out,
    names_of_connector,
    workspace_of,
    writable,
)
from pulumi_airbyte.provider.adoption import Found, Seen, Sought
from pulumi_airbyte.provider.gone import actor_listed, actor_lives, changed, exists, no_more
from pulumi_airbyte.provider.granted import CONSENT, consents, granted, with_granted
from pulumi_airbyte.provider.inventory import Shelf
from pulumi_airbyte.provider.losses import losses, refuse_lost, taken
from pulumi_airbyte.provider.properties import Properties, Property, has_secret, reveal, secret_texts, unwrap
from pulumi_airbyte.provider.reconcile import Rewrites, changes, rewrites, same
from pulumi_airbyte.provider.resource import Server, known_rewrites, with_rewrites
from pulumi_airbyte.provider.secrecy import masks
from pulumi_airbyte.provider.specified import Specified
from pulumi_airbyte.provider.target import Known
from pulumi_airbyte.provider.three_way import three_way, touches
from pulumi_airbyte.provider.versions import (
    CHANGED,
    Coordinates,
    Versions,
    changed_outside,
    from_outputs,
    masked,
    unreadable,
    with_values,
)
from pulumi_airbyte.values import MASK, JsonObject, Path, leaves, render_path

COPY_ADVICE: Final = "The server does not show its value: give it in the program, without ignoreChanges."
LEAVE_ADVICE: Final = f"{COPY_ADVICE} Or make the change in Airbyte, and run `pulumi refresh`."
IDENTITY: Final = ("workspaceId", "name")


class ActorWrites:
    """Writes of one kind of actor. Methods raise AirbyteError if the server refuses."""

    def __init__(self, kind: ActorKind, server: Server, specified: Specified, coordinates: Coordinates) -> None:
        self._kind = kind
        self._airbyte = server.airbyte
        self._shelf = server.inventory.actors(kind)
        self._specified = specified
        self._coordinates = coordinates

    def learn(self, *trees: Properties) -> None:
        """Remove the secrets of these inputs from all messages."""
        texts = (text for tree in trees for text in secret_texts(tree))
        self._airbyte.redactor.learn(text for text in texts if text not in (MASK, CHANGED))

    def post(self, sent: Properties, inputs: Properties) -> Actor:
        """Create an actor."""
        consent: Properties = {CONSENT: inputs[CONSENT]} if consents(inputs) else {}
        made = self._airbyte.create_actor(self._kind, self._body(sent | consent, inputs))
        self._shelf.put(made)
        return made

    def taken(self, found: Found[Actor], inputs: Properties) -> Actor:
        """Adopt an actor. Secrets can't be compared, so they are written. Tokens of a consent stay."""
        given, live = inputs["configuration"], found.record.configuration
        sent = {key: inputs[key] for key in WRITTEN if key in inputs}
        if not consents(inputs):
            hidden = has_secret(given) or any(masks(live))
            return self._put(found.id, sent, inputs) if hidden else found.record
        kept: Properties = {"configuration": with_granted(given, live)}
        record = self._put(found.id, sent | kept, inputs) if has_secret(given) else found.record
        return record if any(granted(live, given)) else self._granted(record, inputs)

    def written(self, made: Actor, inputs: Properties) -> Properties:
        """The outputs after a create or an adoption.

        Raises:
            UnfinishedError: the server left a value out.
        """
        tree, answered = canonical(self._kind, inputs), from_server(self._kind, made)
        outputs = {**identity_of(self._kind, made), **self._coordinates.recorded(self._kind, made)}
        outputs = with_rewrites(outputs, rewrites(tree, answered), tree)
        return self._refuse_lost(made, outputs, losses(tree, answered, self._leaves_out))

    def differ(self, known: Known, new: Properties) -> bool:
        """Whether an update has anything to write. An imported mask counts: the program's value was never written."""
        return not same(self._base(known), writable(self._kind, new))

    def _base(self, known: Known) -> Properties:
        """The tree that was sent last, without the values that the server dropped."""
        tree = canonical(self._kind, known.inputs)
        return writable(self._kind, taken(tree, known_rewrites(known.outputs), self._leaves_out).tree)

    def _leaves_out(self, _tree: Properties, path: Path) -> bool:
        return leaves_out(self._kind, path)

    def _refuse_lost(self, answer: Actor, outputs: Properties, lost: Iterable[Path]) -> Properties:
        return refuse_lost(f'The {self._kind} "{answer.name}"', answer.actor_id, outputs, map(render_path, lost))

    def change(self, known: Known, new: Properties) -> Properties:
        """Write the program's changes, and return the outputs.

        Rewrites at other paths stay as recorded. A difference there may be an edit, which the next refresh shows.

        Raises:
            NotFound: the object was deleted.
            UnfinishedError: the server left a value out.
            AirbyteError: also if the write needs a secret that only the server knows.
        """
        found = self._there(known, new)
        base, wanted = self._base(known), writable(self._kind, new)
        live = writable(self._kind, from_server(self._kind, masked(found)))
        merges = {key: three_way(base.get(key), wanted.get(key), live.get(key), (key,)) for key in WRITTEN}
        written = [path for merge in merges.values() for path in merge.written]
        _refuse_unreadable(wanted, written)
        earlier = from_outputs(known.outputs)
        merged: Properties = {key: merge.value for key, merge in merges.items() if merge.value is not None}
        if consents(new):
            merged["configuration"] = with_granted(merged.get("configuration"), live.get("configuration"))
        sent = {**merged, "configuration": self._takeable(merged, wanted, found, earlier)}
        put = self._put(known.id, sent, new)
        record = self._coordinates.recorded(self._kind, put, earlier, masks(sent["configuration"]))
        return self._changed_outputs(known, new, put, written, record)

    def _changed_outputs(
        self, known: Known, new: Properties, put: Actor, written: Iterable[Path], record: Properties
    ) -> Properties:
        # The program may name the connector in the other way now, which is no write.
        places = [*written, *names_of_connector(self._kind)]
        tree, answered = canonical(self._kind, new), from_server(self._kind, put)
        remade = self._remade(known, tree, put, places)
        outputs = with_rewrites({**identity_of(self._kind, put), **record}, remade, tree)
        lost = (path for path in losses(tree, answered, self._leaves_out) if touches(path, places))
        return self._refuse_lost(put, outputs, lost)

    def _remade(self, known: Known, tree: Properties, answer: Actor, places: Iterable[Path]) -> Rewrites:
        """The recorded rewrites, with those of the answer at the written places."""
        written = list(places)
        found = rewrites(tree, from_server(self._kind, answer))
        earlier = {path: there for path, there in known_rewrites(known.outputs).items() if not touches(path, written)}
        return earlier | {path: there for path, there in found.items() if touches(path, written)}

    def grant(self, known: Known, new: Properties) -> Properties:
        """Give a source the tokens of the program's consent, and return the outputs.

        Raises:
            NotFound: the source was deleted.
        """
        found = self._there(known, new)
        made = self._granted(found, new)
        tree, given = canonical(self._kind, new), unwrap(new.get("configuration"))
        before, answered = from_server(self._kind, masked(found)), from_server(self._kind, made)
        tokens = list(granted(made.configuration, given))
        places = [("configuration", *path) for path in tokens]
        places += [path for path, _, _ in changes(before, answered)]
        left = (path for path in masks(made.configuration) if path not in tokens)
        record = self._coordinates.recorded(self._kind, made, from_outputs(known.outputs), left)
        return with_rewrites({**identity_of(self._kind, made), **record}, self._remade(known, tree, made, places), tree)

    def _granted(self, found: Actor, inputs: Properties) -> Actor:
        allocation = {} if found.resource_allocation is None else {"resourceAllocation": found.resource_allocation}
        body: JsonObject = {CONSENT: reveal(inputs[CONSENT]), **allocation}
        self.learn(inputs)
        made = changed(
            lambda: self._airbyte.grant_source(found.actor_id, body),
            self._label(found.actor_id, inputs),
            lambda: actor_lives(self._airbyte, self._kind, found.actor_id),
        )
        self._shelf.put(made)
        return made

    def _there(self, known: Known, new: Properties) -> Actor:
        """Read the object right before a write, with secret coordinates if the server has them."""
        listed = actor_listed(self._kind, known.id, workspace_of(known.inputs))
        found = exists(self._airbyte, lambda: self._coordinates.read(self._kind, known.id), listed)
        if found is None or found.configuration is None:
            raise no_more(self._label(known.id, new))
        return found

    def _label(self, actor_id: str, inputs: Properties) -> str:
        return f'The {self._kind} "{unwrap(inputs.get("name"))}" ({actor_id})'

    def _takeable(self, merged: Properties, wanted: Properties, found: Actor, earlier: Versions) -> Property:
        """The configuration to send. The program's value replaces each mask that the specification refuses."""
        configuration = merged.get("configuration")
        if not isinstance(configuration, dict):
            return configuration
        program = dict(leaves(reveal(wanted.get("configuration"))))
        rotated = changed_outside(found, earlier)
        plain: dict[Path, Property] = {}
        for path in self._specified.refused_masks(found, configuration):
            value = program.get(path)
            if path in rotated or not isinstance(value, str | int | float) or value in (MASK, CHANGED):
                raise AirbyteError(
                    f"{render_path(('configuration', *path))} has a value that only Airbyte knows. The connector's "
                    f"specification refuses the mask that would keep it, so that nothing else can be changed either.",
                    LEAVE_ADVICE,
                )
            plain[path] = value
        return with_values(configuration, plain)

    def _put(self, actor_id: str, sent: Properties, inputs: Properties) -> Actor:
        put = changed(
            lambda: self._airbyte.put_actor(self._kind, actor_id, self._body(sent, inputs)),
            self._label(actor_id, inputs),
            lambda: actor_lives(self._airbyte, self._kind, actor_id),
        )
        self._shelf.put(put)
        return put

    def _body(self, sent: Properties, inputs: Properties) -> JsonObject:
        self.learn(inputs)
        return {key: reveal(value) for key, value in sent.items()}


def _refuse_unreadable(wanted: Properties, written: Iterable[Path]) -> None:
    """Refuse to write a placeholder where the server would not restore the secret behind it.

    Raises:
        AirbyteError: a written path holds a placeholder, for example in a list whose length changes.
    """
    places = list(written)
    for path in unreadable(wanted):
        if touches(path, places):
            raise AirbyteError(
                f"{render_path(path)} has a value that only Airbyte knows, and the change would move it.", COPY_ADVICE
            )


def sought(
    kind: ActorKind, wanted: Properties, shelf: Shelf[Actor], from_server: Callable[[Actor], Properties]
) -> Sought[Actor]:
    """The existing object that a create looks for.

    Args:
        kind: source or destination.
        wanted: the canonical tree; its workspace and name are known.
        shelf: the live objects of this kind.
        from_server: makes a live object's canonical tree.
    """
    named_by = {key: wanted[key] for key in IDENTITY}
    workspace_id, name = (str(unwrap(value)) for value in named_by.values())

    def look(actor: Actor) -> Seen:
        return Seen(actor.actor_id, (actor.name,), lambda: _named_as(wanted, kind, actor, from_server(actor)))

    def adopting(found: Found[Actor]) -> str:
        hidden = has_secret(wanted.get("configuration")) or any(masks(found.record.configuration))
        return "its secrets, which can't be compared, will be written" if hidden else ""

    return Sought(kind, workspace_id, (name,), named_by, wanted, shelf, look, adopting=adopting)


def _named_as(wanted: Properties, kind: ActorKind, actor: Actor, live: Properties) -> Properties:
    """A live actor's tree, naming the connector as the wanted tree does: by definition or by type."""
    if "definitionId" in wanted:
        return live
    named = {**cast("Properties", live["configuration"]), f"{kind}Type": actor.connector_type}
    return {key: item for key, item in live.items() if key != "definitionId"} | {"configuration": named}
