"""Transfer cursors from a connection to the one that replaces it (airbyte-platform, StateHandler).

A cursor is valid only for the same connector, the same stream and the same cursor field. The outcome of a replacement
is computed without a call; the transfer itself reads and writes saved states by the Config API.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import cast

from airbyte_model.streams import StreamTree, aligned, name_of, parse, shown, to_text

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.cursors import SavedState, StreamName
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.provider.backfill import (
    asked,
    tokens_now,
    until_idle,
)
from pulumi_airbyte.provider.connection_inputs import canonical, filled_in, incremental, streams_of
from pulumi_airbyte.provider.connection_state import past_of
from pulumi_airbyte.provider.gone import actor_listed, connection_there, exists
from pulumi_airbyte.provider.inventory import Inventory
from pulumi_airbyte.provider.properties import Properties, Property, is_known, reveal, unwrap
from pulumi_airbyte.provider.reconcile import Rewrites, same
from pulumi_airbyte.provider.resource import Server
from pulumi_airbyte.provider.target import Deadline, Known, Run, Target
from pulumi_airbyte.values import JsonObject, canonical_json

WHOLE = "the source keeps one cursor for all its streams"
UNREADABLE = "it can't be read without the Config API"
ADVICE = "To accept that, set allowCursorLoss on the connection: its next sync reads these streams from the beginning."
UNSEEN = "the connector of its new source is not known yet"


@dataclass(frozen=True)
class CursorOutcome:
    """The cursors that a replacement keeps, loses or resets, by stream key.

    Attributes:
        streams: namespace and name of each incremental stream in the old connection.
        lost: the streams whose cursor is lost, with the reason.
        reread: streams that the program asks to read from the beginning.
        others: namespaces and names of the old connection's other streams.
    """

    streams: Mapping[str, StreamName] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    reread: frozenset[str] = frozenset()
    others: frozenset[StreamName] = frozenset()

    @property
    def kept(self) -> list[str]:
        """The streams whose cursor is handed over."""
        return sorted(self.streams.keys() - self.lost.keys() - self.reread)

    def losses(self, state: SavedState) -> dict[str, str]:
        """The streams that lose a cursor which the saved state has, with the reason."""
        if state.kind == "not_set":
            return {}
        if state.kind == "stream":
            there = [row.stream.key for row in state.rows]
            return {key: why for key, why in self.lost.items() if any(self._is_of(key, name) for name in there)}
        broken = {**self.lost, **dict.fromkeys(self.reread, "it asks for a backfill")}
        return {**dict.fromkeys(self.kept, WHOLE), **broken} if broken else {}

    def names(self, state: SavedState) -> tuple[StreamName, ...] | None:
        """The streams of a saved state to hand over; None to hand over the whole state."""
        if state.kind in {"global", "legacy"}:
            return None if not self.losses(state) else ()
        there = [row.stream.key for row in state.rows]
        return tuple(name for name in there if any(self._is_of(key, name) for key in self.kept))

    def _is_of(self, key: str, name: StreamName) -> bool:
        """Whether a saved stream is this one. A stream without a namespace matches any namespace that is not taken."""
        own = self.streams[key]
        taken = name in self.others or name in self.streams.values()
        return own == name or (own == (None, name[1]) and not taken)

    def text(self) -> str:
        """A line such as `cursors kept: orders; lost: refunds (its cursor field changes)`."""
        kept, again = (", ".join(map(shown, keys)) for keys in (self.kept, sorted(self.reread)))
        lost = ", ".join(f"{shown(key)} ({why})" for key, why in sorted(self.lost.items()))
        parts = [
            f"cursors kept: {kept}" if kept else "",
            f"{'' if kept else 'cursors '}lost: {lost}" if lost else "",
            f"read from the beginning as asked: {again}" if again else "",
        ]
        return "; ".join(part for part in parts if part)


def outcome_of(
    before: Properties,
    after: Properties,
    defaults: Rewrites,
    reread: Collection[str] = (),
    *,
    same_connector: bool = True,
) -> CursorOutcome:
    """Decide for each incremental stream whether its cursor is kept. Removed streams lose nothing.

    Args:
        before: canonical tree of the old connection, under the new one's stream keys.
        after: canonical tree of the new connection.
        defaults: the server's rewrites of the old connection. They hold the cursors and namespaces that the program
            left to the source.
        reread: streams of the new connection that request a backfill.
        same_connector: whether both sources use the same connector.
    """
    old, new, filled = streams_of(before), streams_of(after), filled_in(defaults)
    names = {key: (filled.get(key, name_of(key)[0]), name_of(key)[1]) for key in old}
    lost, again, judged = {}, set(), set()
    # With answered=True, the only stream of a name on both sides is matched across namespaces, so that the reason
    # below names the change of namespace.
    for key, successor in aligned(old, new, {}, answered=True).items():
        if not incremental(old[key]):
            continue
        judged.add(key)
        why = "the source is of another connector"
        if same_connector:
            default = defaults.get(("configurations", key, "cursorField"))
            why = _reason(old[key], new[successor], default, names[key][0])
        if successor in reread:
            again.add(key)
        elif why:
            lost[key] = why
    streams = {key: names[key] for key in old if key in judged}
    return CursorOutcome(streams, lost, frozenset(again), frozenset(names[key] for key in old if key not in judged))


def _reason(old: StreamTree, new: StreamTree, default: Property, namespace: str | None) -> str:
    """Why a stream's cursor is invalid for its successor; `namespace` is the one on the server."""
    spaces = {namespace, new.get("namespace")}
    if len(spaces) > 1 and None not in spaces:
        return "its namespace changes"
    if not incremental(new):
        return "its sync mode changes"
    chosen, wanted = old.get("cursorField"), new.get("cursorField")
    was = cast("Property", chosen) or default
    left_alone = wanted is None and chosen is None
    return "" if left_alone or same(was, cast("Property", wanted)) else "its cursor field changes"


@dataclass(frozen=True)
class CursorTransfer:
    """Cursors that still have to be handed over.

    Attributes:
        old_id: the connection that is replaced.
        streams: the streams whose cursors go over; None for the whole state.
        alive: whether the old connection exists. A deleted one must not be patched: a status would half restore it.
    """

    old_id: str
    streams: tuple[StreamName, ...] | None
    alive: bool = False

    def part(self, state: SavedState) -> SavedState:
        """The part of a saved state to write."""
        return state if self.streams is None else state.only(self.streams)

    def note(self) -> JsonObject:
        """The transfer as it is recorded in the state, for a later run."""
        streams = None if self.streams is None else [list(name) for name in self.streams]
        return {"carryFrom": self.old_id, "streams": streams}

    @classmethod
    def parse(cls, text: Property) -> "CursorTransfer | None":
        """The transfer that the output `unfinished` records, if any."""
        found = json.loads(text) if isinstance(text, str) else {}
        if not isinstance(found, dict) or "carryFrom" not in found:
            return None
        streams: Iterable[StreamName] | None = found.get("streams")
        return cls(found["carryFrom"], None if streams is None else tuple((space, name) for space, name in streams))


def as_inactive(tree: Properties) -> Properties:
    """The tree with the status inactive: a new connection must not sync before it has its cursors."""
    return {**tree, "status": "inactive"}


def begin_transfer(
    airbyte: Airbyte, old_id: str, outcome: CursorOutcome, target: Target, *, allowed: bool
) -> CursorTransfer | None:
    """Pause the old connection, wait for its job, and plan the transfer; None if there is nothing to hand over.

    Raises:
        AirbyteError: a cursor would be lost and that is not allowed (nothing was written), a job of the old connection
            does not end, or a call failed.
    """
    found = connection_there(airbyte, old_id)
    if found is None:
        return None
    state = cursors_if_readable(airbyte, old_id)
    refuse_losses(found, outcome, state, allowed=allowed)
    if state is None or not outcome.kept:
        return None
    if found.status == "active":
        airbyte.patch_connection(old_id, {"status": "inactive"})
    with resume_on_error(airbyte, old_id, when=found.status == "active"):
        until_idle(airbyte, old_id, Deadline.of(target))
        # The sync that just ended may have saved more cursors.
        state = airbyte.cursors(old_id)
        refuse_losses(found, outcome, state, allowed=allowed)
        return CursorTransfer(old_id, outcome.names(state), alive=found.status != "deprecated")


@contextmanager
def resume_on_error(airbyte: Airbyte, connection_id: str, *, when: bool) -> Iterator[None]:
    """Reactivate a connection if the block fails, so that a failed replacement does not stop its syncs."""
    try:
        yield
    except AirbyteError:
        if when:
            with suppress(AirbyteError):
                airbyte.patch_connection(connection_id, {"status": "active"})
        raise


def refuse_losses(old: Connection, outcome: CursorOutcome, state: SavedState | None, *, allowed: bool) -> None:
    """Refuse a replacement that loses a cursor.

    Args:
        old: the connection that is replaced.
        outcome: the outcome for its cursors.
        state: its saved state; None if it can't be read.
        allowed: whether cursors may be lost.

    Raises:
        AirbyteError: a cursor would be lost.
    """
    if allowed:
        return
    lost = outcome.losses(state) if state else dict.fromkeys([*outcome.kept, *outcome.lost], UNREADABLE)
    if lost:
        named = ", ".join(f"{shown(key)} ({why})" for key, why in sorted(lost.items()))
        raise AirbyteError(f'Replacing connection "{old.name}" would lose cursors: {named}.', ADVICE)


def cursors_if_readable(airbyte: Airbyte, connection_id: str) -> SavedState | None:
    """The saved state of a connection, or None if the server has no Config API."""
    if not airbyte.has_config_api:
        return None
    try:
        return airbyte.cursors(connection_id)
    except AirbyteError as error:
        if error.status == 404:
            return None
        raise


def finish_transfer(airbyte: Airbyte, new: Connection, transfer: CursorTransfer, wanted: str) -> Connection:
    """Write the cursors of an inactive connection, then set its status. Safe to repeat.

    An active connection was finished by an earlier run. It may have synced since, so its cursors are left alone.

    Raises:
        AirbyteError: a call failed, or the server did not keep the cursors.
    """
    if new.status == "active":
        return new
    state = transfer.part(airbyte.cursors(transfer.old_id))
    if state.rows or state.kind in {"global", "legacy"}:
        airbyte.write_cursors(new.connection_id, state)
        if not state.within(airbyte.cursors(new.connection_id)):
            raise AirbyteError(
                f'Airbyte did not keep the cursors of connection "{new.name}" ({new.connection_id}).',
                "It stays inactive; `pulumi up` tries again.",
            )
    return new if wanted == "inactive" else airbyte.patch_connection(new.connection_id, {"status": wanted})


def same_definition(inventory: Inventory, airbyte: Airbyte, old_source: str, new_source: str) -> bool:
    """Whether two sources use the same connector; false if one of them does not exist.

    Raises:
        AirbyteError: a call failed.
    """
    if old_source == new_source:
        return True

    def definition(source_id: str) -> str | None:
        found = exists(airbyte, lambda: inventory.actors("source").get(source_id), actor_listed("source", source_id))
        return found.definition_id if found else None

    definitions = (definition(old_source), definition(new_source))
    return definitions[0] is not None and definitions[0] == definitions[1]


def seems_same_definition(run: Run, old: Properties, new: Properties) -> bool | None:
    """`same_definition` from what this run has seen, without a call; None if that is not enough."""
    if unwrap(old.get("sourceId")) == unwrap(new.get("sourceId")):
        return True
    known = []
    for inputs in (old, new):
        source_id = unwrap(inputs.get("sourceId"))
        seen = run.inputs_of(source_id) if isinstance(source_id, str) else None
        known.append(unwrap(seen.get("definitionId")) if seen else None)
    return known[0] == known[1] if None not in known else None


def cursor_outcome(known: Known, new: Properties, *, same_connector: bool) -> CursorOutcome:
    """The outcome of replacing the connection in the state by one with new inputs."""
    after = canonical(new)
    past = past_of(known, after)
    reread = asked(past.tokens, tokens_now(new, after, past), past.results)
    return outcome_of(past.tree, after, past.rewrites, reread, same_connector=same_connector)


def outcome_of_deletion(server: Server, known: Known, successor: Properties) -> CursorOutcome:
    """The outcome if the connection is deleted before its successor is created.

    Raises:
        AirbyteError: a source can't be read.
    """
    sources = [unwrap(inputs.get("sourceId")) for inputs in (known.inputs, successor)]
    if all(isinstance(source, str) for source in sources):
        related = same_definition(server.inventory, server.airbyte, *map(str, sources))
        return cursor_outcome(known, successor, same_connector=related)
    outcome = cursor_outcome(known, successor, same_connector=True)
    return replace(outcome, lost=dict.fromkeys(outcome.streams, UNSEEN), reread=frozenset())


def successor_note(inputs: Properties) -> str:
    """The successor's inputs that `outcome_of_deletion` needs, as JSON without secrets and unknown values."""
    plain = {name: unwrap(inputs.get(name)) for name in ("sourceId", "configurations", "backfills", "allowCursorLoss")}
    note = {name: reveal(value) for name, value in plain.items() if value is not None and is_known(value)}
    streams = note.get("configurations")
    if isinstance(streams, str):
        parsed = parse(streams, stored=True)
        note["configurations"] = to_text({key: {**each, "mappers": []} for key, each in parsed.items()})
    return canonical_json(note)


def prepare_transfer(server: Server, old: Known | None, new: Properties, target: Target) -> CursorTransfer | None:
    """Pause the connection that is replaced and plan the transfer of its cursors; None if there is nothing to do.

    Raises:
        AirbyteError: cursors would be lost and that is not allowed, or a call failed.
    """
    if old is None or not old.inputs or not streams_of(canonical(old.inputs)):
        return None
    if not cursor_outcome(old, new, same_connector=True).streams:
        return None
    sources = [str(unwrap(inputs.get("sourceId"))) for inputs in (old.inputs, new)]
    related = same_definition(server.inventory, server.airbyte, sources[0], sources[1])
    outcome = cursor_outcome(old, new, same_connector=related)
    left = CursorTransfer.parse(old.outputs.get("unfinished"))
    if left is not None:
        # An earlier replacement did not hand over its cursors to this connection. Do it now, so that they reach the
        # next one.
        finish_transfer(server.airbyte, server.airbyte.get_connection(old.id), left, "inactive")
    transfer = begin_transfer(server.airbyte, old.id, outcome, target, allowed=new.get("allowCursorLoss") is True)
    if transfer is not None:
        target.say(outcome.text())
    return transfer


def explain_transfer(airbyte: Airbyte, run: Run, known: Known, new: Properties) -> str:
    """Describe the cursors that a replacement keeps and loses, without a call."""
    related = seems_same_definition(run, known.inputs, new)
    outcome = cursor_outcome(known, new, same_connector=related is not False)
    if not airbyte.has_config_api:
        outcome = replace(outcome, lost=dict.fromkeys(outcome.streams, UNREADABLE), reread=frozenset())
    parts = [outcome.text()]
    if outcome.kept and related is None:
        parts.append("if the new source is of the same connector")
    if outcome.lost and new.get("allowCursorLoss") is not True:
        parts.append("an update refuses to lose cursors unless allowCursorLoss is set")
    if outcome.kept and unwrap(known.inputs.get("destinationId")) != unwrap(new.get("destinationId")):
        parts.append("existing rows stay in the old destination")
    return "; ".join(part for part in parts if part)
