"""Create, adopt and change connections, in several calls, any of which may be the last one that succeeds.

The public API creates a connection, the Config API writes the properties that the public one lacks, and a replacement
gets the old connection's cursors before it is activated. Steps that a failure leaves open are recorded in the state, or
found by the next create.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Final, get_args

from pulumi_airbyte.client.errors import AirbyteError, Forbidden, NotFound, Rejected
from pulumi_airbyte.client.models import Actor, ActorKind, Connection
from pulumi_airbyte.provider.adoption import Adoption, Found, Seen, Sought, live_ids, several
from pulumi_airbyte.provider.backfill import until_idle
from pulumi_airbyte.provider.connection_cursors import (
    CursorTransfer,
    as_inactive,
    cursors_if_readable,
    finish_transfer,
    prepare_transfer,
    resume_on_error,
)
from pulumi_airbyte.provider.connection_inputs import (
    canonical,
    from_server,
    leaves_out,
    mapper_keys,
    named,
    request,
    tag_shown,
    wire,
)
from pulumi_airbyte.provider.connection_settings import as_first_posted, config_keys, note, settings_of, settled
from pulumi_airbyte.provider.gone import (
    actor_listed,
    actor_there,
    changed,
    connection_lives,
    connection_there,
    exists,
    no_more,
)
from pulumi_airbyte.provider.inventory import Shared, Shelf
from pulumi_airbyte.provider.losses import losses, refuse_lost
from pulumi_airbyte.provider.offered import Offers
from pulumi_airbyte.provider.properties import Properties, Property, reveal, unwrap
from pulumi_airbyte.provider.reconcile import Rewrites, rewrites
from pulumi_airbyte.provider.resource import Server, with_rewrites
from pulumi_airbyte.provider.target import Deadline, Known, Target
from pulumi_airbyte.provider.unfinished import UnfinishedError
from pulumi_airbyte.values import Path, canonical_json

IDENTITY: Final = ("name", "sourceId", "destinationId")
ENDS_HINT: Final = (
    "Nothing was written. If the program declares it, run `pulumi refresh`, then `pulumi up` creates it again. "
    "Otherwise set the id of an existing one."
)
TAGS_HINT: Final = "Nothing was written. Remove it from the program, or create it in Airbyte and set the new id."


class ConnectionWrites:
    """Writes of connections. Trees are canonical, without the provider's own properties."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._airbyte = server.airbyte
        self.offers = Offers(server.airbyte)
        self.prerequisites = Prerequisites(server)

    def adoption(
        self, tree: Properties, target: Target, transfer: CursorTransfer | None = None
    ) -> Adoption[Connection]:
        """The create of this tree, which first looks for an existing connection."""
        shelves = self._server.inventory
        wanted = sought(tree, _first(tree, transfer), shelves.actors("source"), shelves.connections)
        return Adoption(self._server, wanted, target)

    def found(self, replaced: Known | None) -> Known | None:
        """The connection that a create replaces, with its id and inputs; None if the server does not have it.

        The engine does not always pass what it replaces. Then it is the only live connection with the identity of the
        state's inputs, or one that another process of this run has deleted.

        Raises:
            RefusedError: several connections have that identity.
            AirbyteError: a call failed.
        """
        if replaced is None or (replaced.id and replaced.inputs):
            return replaced
        if not replaced.id:
            shelves = self._server.inventory
            before = canonical(replaced.inputs)
            wanted = sought(before, before, shelves.actors("source"), shelves.connections)
            ids = live_ids(wanted)
            if len(ids) > 1:
                raise several(wanted.label, ids)
            return replace(replaced, id=ids[0]) if ids else None
        live_one = connection_there(self._airbyte, replaced.id)
        return replace(replaced, inputs=wire(from_server(live_one, {}))) if live_one else None

    def catch_up(self, known: Known, new: Properties, target: Target) -> None:
        """Hand over the cursors of a connection before its delete, if its replacement did not get them.

        The engine does not announce `--replace` and taints to a provider. With another source, the new connection was
        then created without knowing the old one. A new connection with cursors of its own needs none.

        Raises:
            AirbyteError: cursors would be lost and that is not allowed, or a call failed.
        """
        heir_id = self._server.run.record.another(target.urn, known.id)
        heir = connection_there(self._airbyte, heir_id) if heir_id else None
        if heir is None or heir.status == "deprecated":
            return
        left = cursors_if_readable(self._airbyte, known.id)
        # If they can't be read, prepare_transfer below refuses the loss.
        if left and (left.kind == "not_set" or self._airbyte.cursors(heir.connection_id).kind != "not_set"):
            return
        transfer = prepare_transfer(self._server, known, new or wire(from_server(heir, {})), target)
        if transfer is not None:
            resting = self._airbyte.patch_connection(heir.connection_id, {"status": "inactive"})
            with resume_on_error(self._airbyte, heir.connection_id, when=heir.status == "active"):
                until_idle(self._airbyte, heir.connection_id, Deadline.of(target))
                finish_transfer(self._airbyte, resting, transfer, heir.status)

    def make(self, tree: Properties, target: Target, transfer: CursorTransfer | None, *, resumes: bool) -> Connection:
        """Create the connection by its first call, or adopt what an earlier run left.

        Args:
            tree: the connection as it should be after all calls.
            target: the resource.
            transfer: the cursors to take over from the connection that it replaces.
            resumes: whether to reactivate the old connection if this fails.

        Raises:
            AirbyteError: a different connection has this identity, or the server refuses.
        """
        with nullcontext() if transfer is None else resume_on_error(self._airbyte, transfer.old_id, when=resumes):
            return self.adoption(tree, target, transfer).make(
                lambda: self._post(_first(tree, transfer)), lambda found: self._taken(found, tree, transfer)
            )

    def complete(self, made: Connection, tree: Properties, transfer: CursorTransfer | None) -> Properties:
        """Write cursors and the Config API's properties, and return the outputs.

        Raises:
            UnfinishedError: a step failed, or the server left a value out; the next update repeats it.
        """
        try:
            if transfer is not None:
                made, transfer = self.transfer_cursors(made, transfer, tree), None
            done = settled(self._server, made, tree, set(tree))
            return _kept_whole(done, outputs_of(done, rewrites_of(done, tree), tree), tree, set(tree))
        except AirbyteError as error:
            unwritten = config_keys(tree, tree.keys() | settings_of(tree))
            left = {**(note(unwritten) if unwritten else {}), **(transfer.note() if transfer else {})}
            open_keys = unwritten | ({"status"} if transfer else set())
            recorded = {path: there for path, there in rewrites_of(made, tree).items() if path[0] not in open_keys}
            outputs = {**outputs_of(made, recorded, tree), "unfinished": canonical_json(left)}
            raise UnfinishedError(made.connection_id, outputs, str(error)) from error

    def change(self, known: Known, tree: Properties, keys: set[str], earlier: Rewrites) -> Properties:
        """Write these properties, and return the outputs.

        Rewrites of other properties stay as recorded. A difference there may be an edit, which the next refresh shows.

        Args:
            known: the connection of the state.
            tree: the new canonical tree.
            keys: the properties to write.
            earlier: the recorded rewrites.

        Raises:
            NotFound: the connection does not exist, or has the status `deprecated`.
            UnfinishedError: the server left a value out.
            AirbyteError: one of the APIs refuses.
        """
        public = keys - config_keys(tree, keys)
        if "status" in public or not public:
            # Patching the status of a deleted connection would half restore it (airbyte-platform, ConnectionsHandler).
            found = self.there(known.id)
        if public:
            found = self._patch(known.id, tree, public)
        done = self._changed(known.id, tree, partial(settled, self._server, found, tree, keys))
        kept = {path: there for path, there in earlier.items() if path[0] not in keys}
        written = {path: there for path, there in rewrites_of(done, tree).items() if path[0] in keys}
        return _kept_whole(done, outputs_of(done, kept | written, tree), tree, keys)

    def transfer_cursors(self, made: Connection, transfer: CursorTransfer, tree: Properties) -> Connection:
        """Transfer the cursors, then set the connection's declared status."""
        done = finish_transfer(self._airbyte, made, transfer, str(tree.get("status", "active")))
        self._server.inventory.connections.put(done)
        return done

    def there(self, connection_id: str) -> Connection:
        """Read a connection; raises NotFound if it was deleted."""
        found = connection_there(self._airbyte, connection_id)
        if found is None:
            raise no_more(f"The connection {connection_id}")
        return _refuse_deleted(found)

    def _post(self, tree: Properties) -> Connection:
        self.prerequisites.require_tags(tree)
        self.prerequisites.require_ends(tree)
        self._airbyte.redactor.learn(mapper_keys(tree))
        made = self.offers.created(tree, lambda: self._airbyte.create_connection(request(tree, set(tree))))
        self._server.inventory.connections.put(made)
        return made

    def _taken(self, found: Found[Connection], tree: Properties, transfer: CursorTransfer | None) -> Connection:
        """An adopted connection, after writing the properties that an interrupted create left open."""
        later = config_keys(tree, found.behind | settings_of(tree)) | ({"status"} if transfer else set())
        # The server masks mappers' keys, so they can't be compared.
        behind = (set(found.behind) | ({"configurations"} if any(mapper_keys(tree)) else set())) - later
        return self._patch(found.id, tree, behind) if behind else found.record

    def _changed(self, connection_id: str, tree: Properties, change: Callable[[], Connection]) -> Connection:
        label = f'The connection "{reveal(tree.get("name"))}" ({connection_id})'
        return changed(change, label, lambda: connection_lives(self._airbyte, connection_id))

    def _patch(self, connection_id: str, tree: Properties, keys: set[str]) -> Connection:
        if "tags" in keys:
            self.prerequisites.require_tags(tree)
        self._airbyte.redactor.learn(mapper_keys(tree))
        body = request(tree, keys)
        patched = _refuse_deleted(
            self._changed(connection_id, tree, lambda: self._airbyte.patch_connection(connection_id, body))
        )
        self._server.inventory.connections.put(patched)
        return patched


def _first(tree: Properties, transfer: CursorTransfer | None) -> Properties:
    """The tree that the first call creates."""
    posted = as_first_posted(tree)
    return posted if transfer is None else as_inactive(posted)


def rewrites_of(answer: Connection, sent: Properties) -> Rewrites:
    """The server's rewrites of what was sent."""
    return rewrites(sent, from_server(answer, sent, answered=True))


def _kept_whole(answer: Connection, outputs: Properties, sent: Properties, keys: set[str]) -> Properties:
    """Return the outputs of a write of these properties if the server kept every value.

    Raises:
        UnfinishedError: the server left a value out.
    """
    answered = from_server(answer, sent, answered=True)
    lost = (path for path in losses(sent, answered, leaves_out) if path[0] in keys)
    label = f'The connection "{answer.name}"'
    return refuse_lost(label, answer.connection_id, outputs, (named(sent, path) for path in lost))


def outputs_of(answer: Connection, recorded: Rewrites, sent: Properties) -> Properties:
    """The outputs of a write, with the server's rewrites."""
    return with_rewrites(identity_of(answer), recorded, sent)


def identity_of(found: Connection) -> Properties:
    """The outputs that never change."""
    return {"connectionId": found.connection_id, "createdAt": found.created_at}


def _refuse_deleted(found: Connection) -> Connection:
    if found.status == "deprecated":
        raise no_more(f'The connection "{found.name}" ({found.connection_id})')
    return found


def sought(
    tree: Properties, first: Properties, sources: Shelf[Actor], connections: Shelf[Connection]
) -> Sought[Connection]:
    """The existing connection that a create looks for, in its source's workspace.

    Args:
        tree: the connection's canonical tree.
        first: the tree that the first call of the create makes.
        sources: the live sources.
        connections: the live connections.

    Raises:
        AirbyteError: the source can't be read.
    """

    def look(found: Connection) -> Seen:
        identity = (found.name, found.source_id, found.destination_id)
        return Seen(found.connection_id, identity, lambda: from_server(found, tree))

    identity = tuple(str(unwrap(tree[key])) for key in IDENTITY)
    return Sought(
        "connection",
        _home(sources, identity[1]),
        identity,
        {key: tree[key] for key in IDENTITY},
        tree,
        connections,
        look,
        as_posted=first,
        is_open=_is_open,
        adopting=lambda found: ", and ".join(_adopting(found, tree)),
    )


def _adopting(found: Found[Connection], tree: Properties) -> Iterator[str]:
    if found.behind:
        yield f"what an interrupted run did not write ({', '.join(sorted(found.behind))}) will be written"
    if any(mapper_keys(tree)):
        yield "its streams will be written, since the keys of their mappers can't be compared"


def _home(sources: Shelf[Actor], source_id: str) -> str | None:
    """The workspace of a source; None if it does not exist, in which case the POST reports it."""
    try:
        return sources.home(source_id)
    except (NotFound, Forbidden):
        return None


def _is_open(path: Path, wanted: Property) -> bool:
    """Whether the server fills in this path: a stream's namespace, or a cursor or key that is left to the source."""
    if len(path) < 3 or path[0] != "configurations":
        return False
    return path[2] == "namespace" or (wanted is None and path[2] in {"cursorField", "primaryKey"})


class Prerequisites:
    """Checks right before a write that a connection's source, destination and tags exist. Thread-safe.

    The server creates a connection on a deleted source or destination, and drops unknown tags, both without an error.
    Answers are never older than the question; concurrent writes share them.
    """

    def __init__(self, server: Server) -> None:
        self._airbyte = server.airbyte
        self._inventory = server.inventory
        self._ends: dict[ActorKind, Shared[Actor | None]] = {
            kind: Shared(partial(actor_there, server.airbyte, kind)) for kind in get_args(ActorKind)
        }
        self._tags: Shared[frozenset[str]] = Shared(self._tags_of)

    def foresee_ends(self, tree: Properties) -> None:
        """Refuse the same in a preview, where lists are recent enough; ends whose ids are unknown pass.

        Raises:
            NotFound: one of them does not exist.
            AirbyteError: one of them can't be read.
        """
        for kind in self._ends:
            end_id, shelf = unwrap(tree.get(f"{kind}Id")), self._inventory.actors(kind)
            if isinstance(end_id, str):
                listed = actor_listed(kind, end_id)
                found = exists(self._airbyte, partial(shelf.look, end_id), listed)
                _require_end(tree, kind, end_id, found, "can't be made")

    def require_ends(self, tree: Properties) -> None:
        """Refuse to create a connection whose source or destination does not exist.

        Raises:
            NotFound: one of them does not exist.
            AirbyteError: one of them can't be read.
        """
        for kind, look in self._ends.items():
            end_id = str(reveal(tree.get(f"{kind}Id")))
            _require_end(tree, kind, end_id, look(end_id), "was not made")

    def require_tags(self, tree: Properties) -> None:
        """Refuse to write tags that the workspace does not have.

        Raises:
            Rejected: a tag does not exist.
            AirbyteError: the tags can't be listed.
        """
        missing = [tag for tag in _tags(tree) if _text(tag, "tagId") not in self._tags(_text(tag, "workspaceId"))]
        if missing:
            shown = ", ".join(map(tag_shown, missing))
            raise Rejected(
                f'The connection "{reveal(tree.get("name"))}" was not written: its workspace has no {shown}.', TAGS_HINT
            )

    def _tags_of(self, workspace_id: str) -> frozenset[str]:
        return frozenset(tag.tag_id for tag in self._airbyte.tags(workspace_id))


def _require_end(tree: Properties, kind: ActorKind, end_id: str, found: Actor | None, outcome: str) -> None:
    if found is None or found.configuration is None:
        label = f'{kind} "{found.name}" ({end_id})' if found else f"{kind} {end_id}"
        raise NotFound(
            f'The connection "{reveal(tree.get("name"))}" {outcome}: its {label} does not exist'
            f"{' any more' if found else ''}.",
            ENDS_HINT,
        )


def _tags(tree: Properties) -> Iterable[Property]:
    found = unwrap(tree.get("tags"))
    return found if isinstance(found, list) else ()


def _text(tag: Property, key: str) -> str:
    plain = reveal(tag)
    return str(plain.get(key)) if isinstance(plain, dict) else ""
