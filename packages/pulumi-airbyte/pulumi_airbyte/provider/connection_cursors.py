"""Which cursors a connection hands over to the one that replaces it. Pure.

A cursor means something only to the same connector, for the same stream, read by the same field.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import cast

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.cursors import SavedState, StreamName
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.configurations import StreamTree, name_of, parse, shown, to_text
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
from pulumi_airbyte.stream_keys import aligned
from pulumi_airbyte.values import JsonObject, canonical_json

WHOLE = "the source keeps one cursor for all its streams"
UNREADABLE = "it can't be read without the Config API"
ADVICE = "To let them go, set allowCursorLoss on the connection: its next sync reads these streams from the beginning."
UNSEEN = "nobody can say yet of which connector its new source is"


@dataclass(frozen=True)
class Verdict:
    """What becomes of the cursors of a connection's incremental streams, by the stream's key.

    Attributes:
        streams: what the old connection calls each of them.
        lost: why some would be read from the beginning.
        anew: streams that are to be read from the beginning, because the program says so.
        others: what it calls its other streams.
    """

    streams: Mapping[str, StreamName] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    anew: frozenset[str] = frozenset()
    others: frozenset[StreamName] = frozenset()

    @property
    def kept(self) -> list[str]:
        """The streams that go on where they are."""
        return sorted(self.streams.keys() - self.lost.keys() - self.anew)

    def losses(self, state: SavedState) -> dict[str, str]:
        """What is lost of cursors that are really there."""
        if state.kind == "not_set":
            return {}
        if state.kind == "stream":
            there = [row.stream.key for row in state.rows]
            return {key: why for key, why in self.lost.items() if any(self._is_of(key, name) for name in there)}
        broken = {**self.lost, **dict.fromkeys(self.anew, "it asks for a backfill")}
        return {**dict.fromkeys(self.kept, WHOLE), **broken} if broken else {}

    def names(self, state: SavedState) -> tuple[StreamName, ...] | None:
        """The streams of a state to hand over; None for a state that can only be handed over as a whole."""
        if state.kind in {"global", "legacy"}:
            return None if not self.losses(state) else ()
        there = [row.stream.key for row in state.rows]
        return tuple(name for name in there if any(self._is_of(key, name) for key in self.kept))

    def _is_of(self, key: str, name: StreamName) -> bool:
        """Whether a name of the server is that of a stream; one without a namespace may have any that is free."""
        own = self.streams[key]
        taken = name in self.others or name in self.streams.values()
        return own == name or (own == (None, name[1]) and not taken)

    def text(self) -> str:
        """For people: `cursors kept: orders; lost: refunds (its cursor field changes)`."""
        kept, again = (", ".join(map(shown, keys)) for keys in (self.kept, sorted(self.anew)))
        lost = ", ".join(f"{shown(key)} ({why})" for key, why in sorted(self.lost.items()))
        parts = [
            f"cursors kept: {kept}" if kept else "",
            f"{'' if kept else 'cursors '}lost: {lost}" if lost else "",
            f"read from the beginning as asked: {again}" if again else "",
        ]
        return "; ".join(part for part in parts if part)


def judge(
    before: Properties,
    after: Properties,
    defaults: Rewrites,
    anew: Collection[str] = (),
    *,
    same_connector: bool = True,
) -> Verdict:
    """What becomes of each cursor. A stream that is not synced any more has none to lose.

    Args:
        before: the old connection as a canonical tree, in the terms of the new one.
        after: the new one.
        defaults: what the server made of the old one, which names cursors and namespaces that the program left to the
            source.
        anew: streams of the new one that ask for a backfill.
        same_connector: whether both sources are of one connector.
    """
    old, new, filled = streams_of(before), streams_of(after), filled_in(defaults)
    names = {key: (filled.get(key, name_of(key)[0]), name_of(key)[1]) for key in old}
    lost, again, judged = {}, set(), set()
    # The only stream of its name on either side is judged, and found to change its namespace.
    for key, successor in aligned(old, new, {}, answered=True).items():
        if not incremental(old[key]):
            continue
        judged.add(key)
        why = "the source is of another connector"
        if same_connector:
            default = defaults.get(("configurations", key, "cursorField"))
            why = _reason(old[key], new[successor], default, names[key][0])
        if successor in anew:
            again.add(key)
        elif why:
            lost[key] = why
    streams = {key: names[key] for key in old if key in judged}
    return Verdict(streams, lost, frozenset(again), frozenset(names[key] for key in old if key not in judged))


def _reason(old: StreamTree, new: StreamTree, default: Property, namespace: str | None) -> str:
    """Why a stream's cursor means nothing to its successor; `namespace` is the one that the server has it in."""
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
class Plan:
    """What is still to be handed over.

    Attributes:
        old_id: the connection that is replaced.
        streams: whose cursors; None for the whole state.
        alive: whether that connection can run again: a status would bring a deleted one back half alive.
    """

    old_id: str
    streams: tuple[StreamName, ...] | None
    alive: bool = False

    def part(self, state: SavedState) -> SavedState:
        """What to write."""
        return state if self.streams is None else state.only(self.streams)

    def note(self) -> JsonObject:
        """For the state, where a later run finds it."""
        streams = None if self.streams is None else [list(name) for name in self.streams]
        return {"carryFrom": self.old_id, "streams": streams}

    @classmethod
    def parse(cls, text: Property) -> "Plan | None":
        """The plan in a state's text, if there is one."""
        found = json.loads(text) if isinstance(text, str) else {}
        if not isinstance(found, dict) or "carryFrom" not in found:
            return None
        streams: Iterable[StreamName] | None = found.get("streams")
        return cls(found["carryFrom"], None if streams is None else tuple((space, name) for space, name in streams))


def first_post(tree: Properties) -> Properties:
    """What a connection that takes over cursors is first made as: it must not sync before it has them."""
    return {**tree, "status": "inactive"}


def begin(airbyte: Airbyte, old_id: str, verdict: Verdict, target: Target, *, allowed: bool) -> Plan | None:
    """Bring the old connection to rest and say what its successor takes over; None where that is nothing.

    Raises:
        AirbyteError: a cursor would be lost and that is not allowed (then nothing was written), a job of the old
            connection does not end, or a call failed.
    """
    found = connection_there(airbyte, old_id)
    if found is None:
        return None
    state = readable(airbyte, old_id)
    refuse_losses(found, verdict, state, allowed=allowed)
    if state is None or not verdict.kept:
        return None
    if found.status == "active":
        airbyte.patch_connection(old_id, {"status": "inactive"})
    with resumed(airbyte, old_id, when=found.status == "active"):
        until_idle(airbyte, old_id, Deadline.of(target))
        # A sync that just ended may have left more cursors.
        state = airbyte.cursors(old_id)
        refuse_losses(found, verdict, state, allowed=allowed)
        return Plan(old_id, verdict.names(state), alive=found.status != "deprecated")


@contextmanager
def resumed(airbyte: Airbyte, connection_id: str, *, when: bool) -> Iterator[None]:
    """Let a connection run on, as far as that can be had, where it gets no successor after all."""
    try:
        yield
    except AirbyteError:
        if when:
            with suppress(AirbyteError):
                airbyte.patch_connection(connection_id, {"status": "active"})
        raise


def refuse_losses(old: Connection, verdict: Verdict, state: SavedState | None, *, allowed: bool) -> None:
    """Make sure that no cursor is lost that the old connection has.

    Args:
        old: the connection.
        verdict: what becomes of its cursors.
        state: how far it has read; None where that can't be read.
        allowed: whether cursors may be lost.

    Raises:
        AirbyteError: one would be.
    """
    if allowed:
        return
    lost = verdict.losses(state) if state else dict.fromkeys([*verdict.kept, *verdict.lost], UNREADABLE)
    if lost:
        named = ", ".join(f"{shown(key)} ({why})" for key, why in sorted(lost.items()))
        raise AirbyteError(f'A new connection in place of "{old.name}" would lose cursors: {named}.', ADVICE)


def readable(airbyte: Airbyte, connection_id: str) -> SavedState | None:
    """The cursors of a connection that exists, or None where the server has no Config API to read them with."""
    if not airbyte.has_config_api:
        return None
    try:
        return airbyte.cursors(connection_id)
    except AirbyteError as error:
        if error.status == 404:
            return None
        raise


def finish(airbyte: Airbyte, new: Connection, plan: Plan, wanted: str) -> Connection:
    """Give a connection that was made inactive its cursors, and then the status that is wanted. May be repeated.

    One that is active had been finished before: it may have synced since, so that its cursors stay.

    Raises:
        AirbyteError: a call failed, or the server did not keep the cursors.
    """
    if new.status == "active":
        return new
    state = plan.part(airbyte.cursors(plan.old_id))
    if state.rows or state.kind in {"global", "legacy"}:
        airbyte.write_cursors(new.connection_id, state)
        if not state.within(airbyte.cursors(new.connection_id)):
            raise AirbyteError(
                f'Airbyte did not keep the cursors of connection "{new.name}" ({new.connection_id}).',
                "It stays inactive; `pulumi up` tries again.",
            )
    return new if wanted == "inactive" else airbyte.patch_connection(new.connection_id, {"status": wanted})


def same_definition(inventory: Inventory, airbyte: Airbyte, old_source: str, new_source: str) -> bool:
    """Whether two sources are of one connector; one that is gone is of none.

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
    """The same, as far as this run of the engine has shown, without a call; None where it has not."""
    if unwrap(old.get("sourceId")) == unwrap(new.get("sourceId")):
        return True
    known = []
    for inputs in (old, new):
        source_id = unwrap(inputs.get("sourceId"))
        seen = run.inputs_of(source_id) if isinstance(source_id, str) else None
        known.append(unwrap(seen.get("definitionId")) if seen else None)
    return known[0] == known[1] if None not in known else None


def verdict_on(known: Known, new: Properties, *, same_connector: bool) -> Verdict:
    """What becomes of the cursors of a connection that is replaced."""
    after = canonical(new)
    past = past_of(known, after)
    anew = asked(past.tokens, tokens_now(new, after, past), past.results)
    return judge(past.tree, after, past.rewrites, anew, same_connector=same_connector)


def parting(server: Server, known: Known, successor: Properties) -> Verdict:
    """What becomes of the cursors of a connection that goes before its successor comes.

    Raises:
        AirbyteError: a source can't be read.
    """
    sources = [unwrap(inputs.get("sourceId")) for inputs in (known.inputs, successor)]
    if all(isinstance(source, str) for source in sources):
        related = same_definition(server.inventory, server.airbyte, *map(str, sources))
        return verdict_on(known, successor, same_connector=related)
    verdict = verdict_on(known, successor, same_connector=True)
    return replace(verdict, lost=dict.fromkeys(verdict.streams, UNSEEN), anew=frozenset())


def successor_note(inputs: Properties) -> str:
    """What `parting` must know of a successor, as JSON without secrets. What is not known yet is left out."""
    plain = {name: unwrap(inputs.get(name)) for name in ("sourceId", "configurations", "backfills", "allowCursorLoss")}
    note = {name: reveal(value) for name, value in plain.items() if value is not None and is_known(value)}
    streams = note.get("configurations")
    if isinstance(streams, str):
        parsed = parse(streams, stored=True)
        note["configurations"] = to_text({key: {**each, "mappers": []} for key, each in parsed.items()})
    return canonical_json(note)


def takeover(server: Server, old: Known | None, new: Properties, target: Target) -> Plan | None:
    """What a new connection takes over from the one that it replaces, which rests from now on; None for nothing.

    Raises:
        AirbyteError: cursors would be lost and that is not allowed, or a call failed.
    """
    if old is None or not old.inputs or not streams_of(canonical(old.inputs)):
        return None
    if not verdict_on(old, new, same_connector=True).streams:
        return None
    sources = [str(unwrap(inputs.get("sourceId"))) for inputs in (old.inputs, new)]
    related = same_definition(server.inventory, server.airbyte, sources[0], sources[1])
    verdict = verdict_on(old, new, same_connector=related)
    left = Plan.parse(old.outputs.get("unfinished"))
    if left is not None:
        # It never got the cursors of the one that it was to replace: they go by it to the next.
        finish(server.airbyte, server.airbyte.get_connection(old.id), left, "inactive")
    plan = begin(server.airbyte, old.id, verdict, target, allowed=new.get("allowCursorLoss") is True)
    if plan is not None:
        target.say(verdict.text())
    return plan


def explained_takeover(airbyte: Airbyte, run: Run, known: Known, new: Properties) -> str:
    """For people, without a call: what becomes of the cursors."""
    related = seems_same_definition(run, known.inputs, new)
    verdict = verdict_on(known, new, same_connector=related is not False)
    if not airbyte.has_config_api:
        verdict = replace(verdict, lost=dict.fromkeys(verdict.streams, UNREADABLE), anew=frozenset())
    parts = [verdict.text()]
    if verdict.kept and related is None:
        parts.append("if the new source is of the same connector")
    if verdict.lost and new.get("allowCursorLoss") is not True:
        parts.append("an update refuses to lose cursors unless allowCursorLoss is set")
    if verdict.kept and unwrap(known.inputs.get("destinationId")) != unwrap(new.get("destinationId")):
        parts.append("rows that were read before stay in the old destination")
    return "; ".join(part for part in parts if part)
