"""How a connection comes to be as it is wanted: in several calls, any of which may be the last that comes through.

The public API makes it, the Config API writes what that one can't, and one that replaces another gets its cursors
before it may run. What breaks off in between is noted in the state, or found by the next create.
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
from pulumi_airbyte.provider.gone import actor_there, changed, connection_lives, connection_there, no_more
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
    "Nothing was written. Run `pulumi refresh` where the program declares it: `pulumi up` then makes it again. Else "
    "give the id of one that exists."
)
TAGS_HINT: Final = "Nothing was written. Take it out of the program, or make it in Airbyte and give the new id."


class ConnectionWrites:
    """Writes of connections. Trees are canonical, and have nothing that the server knows nothing of."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._airbyte = server.airbyte
        self.offers = Offers(server.airbyte)
        self._groundwork = Groundwork(server)

    def adoption(self, tree: Properties, target: Target, transfer: CursorTransfer | None = None) -> Adoption[Connection]:
        """A create of this tree, which looks first whether the connection is there."""
        shelves = self._server.inventory
        wanted = sought(tree, _first(tree, transfer), shelves.actors("source"), shelves.connections)
        return Adoption(self._server, wanted, target)

    def found(self, replaced: Known | None) -> Known | None:
        """The connection that a create is to take the place of, with its id and inputs, as far as the server has it.

        The engine does not always show what it replaces: then it is the one live connection of the inputs that the
        state has, or one that another process of this run has deleted.

        Raises:
            RefusedError: several connections have that identity.
            AirbyteError: it can't be read.
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
        """Give the cursors of a connection that is to be deleted to the one that its resource has instead.

        `--replace` and a taint are not announced: where they come with another source, the new connection was made
        without knowing of the old one. One that has cursors of its own needs none.

        Raises:
            AirbyteError: cursors would be lost and that is not allowed, or a call failed.
        """
        heir_id = self._server.run.record.another(target.urn, known.id)
        heir = connection_there(self._airbyte, heir_id) if heir_id else None
        if heir is None or heir.status == "deprecated":
            return
        left = cursors_if_readable(self._airbyte, known.id)
        # Cursors that can't be read are refused as a loss below.
        if left and (left.kind == "not_set" or self._airbyte.cursors(heir.connection_id).kind != "not_set"):
            return
        transfer = prepare_transfer(self._server, known, new or wire(from_server(heir, {})), target)
        if transfer is not None:
            resting = self._airbyte.patch_connection(heir.connection_id, {"status": "inactive"})
            with resume_on_error(self._airbyte, heir.connection_id, when=heir.status == "active"):
                until_idle(self._airbyte, heir.connection_id, Deadline.of(target))
                finish_transfer(self._airbyte, resting, transfer, heir.status)

    def make(self, tree: Properties, target: Target, transfer: CursorTransfer | None, *, resumes: bool) -> Connection:
        """The connection as its first call makes it, or as an earlier run has left it.

        Args:
            tree: what is wanted in the end.
            target: the resource.
            transfer: what it takes over from the connection that it replaces.
            resumes: whether that one is to run again where this fails.

        Raises:
            AirbyteError: there is another one in its place, or the server refuses.
        """
        with nullcontext() if transfer is None else resume_on_error(self._airbyte, transfer.old_id, when=resumes):
            return self.adoption(tree, target, transfer).make(
                lambda: self._post(_first(tree, transfer)), lambda found: self._taken(found, tree, transfer)
            )

    def complete(self, made: Connection, tree: Properties, transfer: CursorTransfer | None) -> Properties:
        """The outputs, once the connection has its cursors and what only the Config API writes.

        Raises:
            UnfinishedError: something of that could not be done, or the server left something out; the next update
                does it.
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
            told = {path: there for path, there in rewrites_of(made, tree).items() if path[0] not in open_keys}
            outputs = {**outputs_of(made, told, tree), "unfinished": canonical_json(left)}
            raise UnfinishedError(made.connection_id, outputs, str(error)) from error

    def change(self, known: Known, tree: Properties, keys: set[str], earlier: Rewrites) -> Properties:
        """The outputs, once these properties are as in the tree.

        What the server has made of others is not this update's: it may be somebody's edit, which a refresh is to show.

        Args:
            known: the connection of the state.
            tree: what is wanted.
            keys: the properties.
            earlier: what the server has made of the state's.

        Raises:
            NotFound: the connection is gone, if only by its status.
            UnfinishedError: the server left something out.
            AirbyteError: one of the APIs refuses.
        """
        public = keys - config_keys(tree, keys)
        if "status" in public or not public:
            # A status would bring a deleted connection back half alive (airbyte-platform, ConnectionsHandler).
            found = self.there(known.id)
        if public:
            found = self._patch(known.id, tree, public)
        done = self._changed(known.id, tree, partial(settled, self._server, found, tree, keys))
        kept = {path: there for path, there in earlier.items() if path[0] not in keys}
        told = {path: there for path, there in rewrites_of(done, tree).items() if path[0] in keys}
        return _kept_whole(done, outputs_of(done, kept | told, tree), tree, keys)

    def transfer_cursors(self, made: Connection, transfer: CursorTransfer, tree: Properties) -> Connection:
        """Hand cursors over, and let the connection run if it is to."""
        done = finish_transfer(self._airbyte, made, transfer, str(tree.get("status", "active")))
        self._server.inventory.connections.put(done)
        return done

    def there(self, connection_id: str) -> Connection:
        """A connection that must exist."""
        found = connection_there(self._airbyte, connection_id)
        if found is None:
            raise no_more(f"The connection {connection_id}")
        return _refuse_deleted(found)

    def _post(self, tree: Properties) -> Connection:
        self._groundwork.require_tags(tree)
        self._groundwork.require_ends(tree)
        self._airbyte.redactor.learn(mapper_keys(tree))
        made = self.offers.created(tree, lambda: self._airbyte.create_connection(request(tree, set(tree))))
        self._server.inventory.connections.put(made)
        return made

    def _taken(self, found: Found[Connection], tree: Properties, transfer: CursorTransfer | None) -> Connection:
        """An adopted connection, with what a broken-off create, or the server, may have left otherwise."""
        later = config_keys(tree, found.behind | settings_of(tree)) | ({"status"} if transfer else set())
        # A key of a mapper is masked on the server: what is there can't be compared.
        behind = (set(found.behind) | ({"configurations"} if any(mapper_keys(tree)) else set())) - later
        return self._patch(found.id, tree, behind) if behind else found.record

    def _changed(self, connection_id: str, tree: Properties, change: Callable[[], Connection]) -> Connection:
        label = f'The connection "{reveal(tree.get("name"))}" ({connection_id})'
        return changed(change, label, lambda: connection_lives(self._airbyte, connection_id))

    def _patch(self, connection_id: str, tree: Properties, keys: set[str]) -> Connection:
        if "tags" in keys:
            self._groundwork.require_tags(tree)
        self._airbyte.redactor.learn(mapper_keys(tree))
        body = request(tree, keys)
        patched = _refuse_deleted(
            self._changed(connection_id, tree, lambda: self._airbyte.patch_connection(connection_id, body))
        )
        self._server.inventory.connections.put(patched)
        return patched


def _first(tree: Properties, transfer: CursorTransfer | None) -> Properties:
    """What the first call makes."""
    posted = as_first_posted(tree)
    return posted if transfer is None else as_inactive(posted)


def rewrites_of(answer: Connection, sent: Properties) -> Rewrites:
    """What the server has made of what was sent."""
    return rewrites(sent, from_server(answer, sent, answered=True))


def _kept_whole(answer: Connection, outputs: Properties, sent: Properties, keys: set[str]) -> Properties:
    """The outputs of a write of these properties, which must have lost nothing.

    Raises:
        UnfinishedError: it has.
    """
    answered = from_server(answer, sent, answered=True)
    lost = (path for path in losses(sent, answered, leaves_out) if path[0] in keys)
    label = f'The connection "{answer.name}"'
    return refuse_lost(label, answer.connection_id, outputs, (named(sent, path) for path in lost))


def outputs_of(answer: Connection, told: Rewrites, sent: Properties) -> Properties:
    """What the state keeps of a write, with what is to be known of the server's rewrites."""
    return with_rewrites(identity_of(answer), told, sent)


def identity_of(found: Connection) -> Properties:
    """The outputs that a connection never changes."""
    return {"connectionId": found.connection_id, "createdAt": found.created_at}


def _refuse_deleted(found: Connection) -> Connection:
    if found.status == "deprecated":
        raise no_more(f'The connection "{found.name}" ({found.connection_id})')
    return found


def sought(
    tree: Properties, first: Properties, sources: Shelf[Actor], connections: Shelf[Connection]
) -> Sought[Connection]:
    """What a create of this canonical tree, whose first call makes another one, looks for in its source's workspace.

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
        yield f"what a run that broke off has left ({', '.join(sorted(found.behind))}) will be written"
    if any(mapper_keys(tree)):
        yield "its streams will be written, since the keys of their mappers can't be compared"


def _home(sources: Shelf[Actor], source_id: str) -> str | None:
    """The workspace of a source; None for one that does not exist, about which the server has its own words."""
    try:
        return sources.home(source_id)
    except (NotFound, Forbidden):
        return None


def _is_open(path: Path, wanted: Property) -> bool:
    """What the server fills in: a stream's namespace, and a cursor or a key that is left to the source."""
    if len(path) < 3 or path[0] != "configurations":
        return False
    return path[2] == "namespace" or (wanted is None and path[2] in {"cursorField", "primaryKey"})


class Groundwork:
    """Looks for the ends and the tags of connections. Thread-safe."""

    def __init__(self, server: Server) -> None:
        self._airbyte = server.airbyte
        self._ends: dict[ActorKind, Shared[Actor | None]] = {
            kind: Shared(partial(actor_there, server.airbyte, kind)) for kind in get_args(ActorKind)
        }
        self._tags: Shared[frozenset[str]] = Shared(self._tags_of)

    def require_ends(self, tree: Properties) -> None:
        """Refuse to make a connection whose source or destination is not there.

        Raises:
            NotFound: it is not.
            AirbyteError: that can't be read.
        """
        for kind, look in self._ends.items():
            end_id = str(reveal(tree.get(f"{kind}Id")))
            found = look(end_id)
            if found is None or found.configuration is None:
                label = f'{kind} "{found.name}" ({end_id})' if found else f"{kind} {end_id}"
                raise NotFound(
                    f'The connection "{reveal(tree.get("name"))}" was not made: its {label} does not exist'
                    f"{' any more' if found else ''}.",
                    ENDS_HINT,
                )

    def require_tags(self, tree: Properties) -> None:
        """Refuse to write a connection with tags that its workspace does not have.

        Raises:
            Rejected: it has tags that are not there.
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


def _tags(tree: Properties) -> Iterable[Property]:
    found = unwrap(tree.get("tags"))
    return found if isinstance(found, list) else ()


def _text(tag: Property, key: str) -> str:
    plain = reveal(tag)
    return str(plain.get(key)) if isinstance(plain, dict) else ""
