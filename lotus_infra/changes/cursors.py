"""What becomes of the cursors of a connection, and which of its streams are read anew: by the provider's own rules.

Of an update they are Airbyte's (airbyte-platform, deleteStateForStreamsWithSyncModeChanged): it drops the cursor of a
stream that is no longer read incrementally, and keeps it where the cursor's field changes or the stream goes.
"""

from collections.abc import Mapping
from typing import Final, cast

from pulumi_airbyte.provider.backfill import reshaped, tokens_now
from pulumi_airbyte.provider.connection_cursors import UNSEEN, cursor_outcome
from pulumi_airbyte.provider.connection_inputs import canonical
from pulumi_airbyte.provider.connection_state import past_of
from pulumi_airbyte.provider.properties import UNKNOWN, Properties, Property
from pulumi_airbyte.provider.target import Known
from pydantic import JsonValue

from lotus_infra.changes.digest import ResourceState, Step, is_hidden
from lotus_infra.changes.impact import Cursors
from lotus_infra.changes.places import places
from lotus_infra.changes.streams import Stream

MODE_CHANGES: Final = "its sync mode changes"
DELETED: Final = "its connection is deleted"


def incremental(stream: Stream) -> bool:
    """Whether a stream has a cursor."""
    return stream.sync_mode.startswith("incremental")


def of_replacement(old: ResourceState, new: ResourceState, *, same_connector: bool | None) -> Cursors:
    """What goes over to the connection that replaces another.

    Args:
        old: the one that goes.
        new: the one that comes.
        same_connector: whether both sources are of one connector; None where nothing tells.
    """
    verdict = cursor_outcome(_known(old), _properties(new.inputs), same_connector=same_connector is not False)
    lost = (
        dict(verdict.lost) if same_connector is not None else dict.fromkeys(verdict.kept, UNSEEN) | dict(verdict.lost)
    )
    kept = tuple(key for key in verdict.kept if key not in lost)
    return Cursors(kept, dict(sorted(lost.items())), tuple(sorted(verdict.reread)))


def of_update(old: Mapping[str, Stream], new: Mapping[str, Stream], anew: Mapping[str, str]) -> Cursors:
    """What an update leaves of the cursors of streams that stay."""
    staying = [key for key, stream in sorted(old.items()) if incremental(stream) and key in new]
    lost = {key: MODE_CHANGES for key in staying if not incremental(new[key])}
    kept = tuple(key for key in staying if key not in lost and key not in anew)
    return Cursors(kept, lost, tuple(key for key in staying if key in anew and key not in lost))


def of_deletion(old: Mapping[str, Stream]) -> Cursors:
    """What goes with a connection."""
    return Cursors(lost={key: DELETED for key, stream in sorted(old.items()) if incremental(stream)})


def read_anew(step: Step) -> dict[str, str]:
    """The streams that an update reads from the beginning, each with what asks for it, in words."""
    if step.old is None or step.new is None:
        return {}
    new = _properties(step.new.inputs)
    after = canonical(new)
    past = past_of(_known(step.old), after)
    was, now = past.tokens, tokens_now(new, after, past)
    found: dict[str, str] = {}
    if new.get("refreshOnSchemaChange") is True:
        found |= dict.fromkeys(reshaped(past.tree, after), "it changes")
    due = [place[1] for place in places(step) if place[0] == "backfills" and len(place) > 1]
    for key in due:
        token = now.get(key)
        again = ", whose last refresh failed" if token == was.get(key) else ""
        said = "true" if token is True else str(token)
        found[key] = "its last refresh failed" if token is None else f"token {said}{again}"
    return dict(sorted(found.items()))


def keys_now(old: ResourceState, new: ResourceState) -> Mapping[str, str]:
    """The keys that the streams of a connection have in what it becomes, by those that they have in what it is."""
    return past_of(_known(old), canonical(_properties(new.inputs))).keys


def _known(state: ResourceState) -> Known:
    return Known(state.id, _properties(state.inputs), _properties(state.outputs))


def _properties(values: Mapping[str, JsonValue]) -> Properties:
    """JSON values are properties of the provider that hold no secret; what is hidden is not known."""
    return {key: UNKNOWN if is_hidden(value) else cast("Property", value) for key, value in values.items()}
