"""Which cursors a connection hands over to the one that replaces it. Pure.

A cursor means something only to the same connector, for the same stream, read by the same field.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from airbyte_model.streams import StreamTree, aligned, name_of, shown

from pulumi_airbyte.client.cursors import SavedState, StreamName
from pulumi_airbyte.provider.connection_tree import filled_in, streams_of
from pulumi_airbyte.provider.properties import Properties, Property
from pulumi_airbyte.provider.reconcile import Rewrites, same
from pulumi_airbyte.values import JsonObject

WHOLE = "the source keeps one cursor for all its streams"


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


def incremental(stream: StreamTree) -> bool:
    """Whether a stream has a cursor."""
    return str(stream["syncMode"]).startswith("incremental")


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
