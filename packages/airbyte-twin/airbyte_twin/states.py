"""Saved states of connections: read, write, drop.

Source: airbyte-platform StateHandler, StatePersistence.
"""

from collections.abc import Iterable

from airbyte_twin.errors import OpaqueError
from airbyte_twin.records import ConnectionState, StreamState
from airbyte_twin.store import Store

StreamKey = tuple[str | None, str]


def state_of(store: Store, connection_id: str) -> ConnectionState:
    """The saved state of a connection, deprecated ones included; `not_set` if there is none."""
    return store.states.get(connection_id) or ConnectionState(id=connection_id)


def write_state(store: Store, sent: ConnectionState) -> ConnectionState:
    """Store a state: sent streams replace those before them, a null state deletes one, streams not sent stay.

    Raises:
        OpaqueError: 500, the type differs from the stored one and that is not `legacy`.
    """
    before = state_of(store, sent.id)
    if before.type not in {"not_set", "legacy", sent.type}:
        raise OpaqueError(500)
    kept = {_key(each): each for each in before.streams} if before.type == sent.type else {}
    for stream in sent.streams:
        if stream.blob is None:
            kept.pop(_key(stream), None)
        else:
            kept[_key(stream)] = stream
    after = sent.model_copy(update={"streams": tuple(kept.values())})
    if after.type == "not_set" or (after.type == "stream" and not kept):
        store.states.drop(sent.id)
        return ConnectionState(id=sent.id)
    return store.states.put(after)


def keep_state(store: Store, sent: ConnectionState) -> None:
    """Store the state of a sync's source; a state of another type replaces the whole state."""
    before = state_of(store, sent.id)
    if before.type not in {"not_set", sent.type}:
        store.states.drop(sent.id)
    write_state(store, sent)


def drop_streams(store: Store, connection_id: str, streams: Iterable[StreamKey] | None) -> None:
    """Forget the cursors of some streams, or of all with None."""
    before = store.states.get(connection_id)
    if before is None:
        return
    gone = None if streams is None else set(streams)
    left = tuple(each for each in before.streams if gone is not None and _key(each) not in gone)
    if left:
        store.states.put(before.model_copy(update={"streams": left}))
    else:
        store.states.drop(connection_id)


def _key(stream: StreamState) -> StreamKey:
    return (stream.namespace, stream.name)
