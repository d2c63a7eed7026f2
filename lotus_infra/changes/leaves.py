"""What a resource's inputs say, place by place, so that three versions of them can be held against each other. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, cast

from airbyte_model.streams import Stream
from pydantic import JsonValue

from lotus_infra.changes.digest import HIDDEN
from lotus_infra.changes.streams import streams, tokens

Place = tuple[str, ...]
Places = dict[Place, JsonValue]
Inputs = Mapping[str, JsonValue]

STREAMS: Final = "streams"
"""The first step of a place in a stream; the second is the stream's key."""
SECRET_STREAMS: Final[Place] = ("configurations",)
"""The place of all streams of a connection, where they are secret."""
ALL_FIELDS: Final = "every field"
OBJECT: Final[Place] = ()
"""The place of the object as a whole."""
DEFAULTS: Final[Inputs] = {
    "namespaceDefinition": "destination",
    "namespaceFormat": "",
    "prefix": "",
    "nonBreakingSchemaUpdatesBehavior": "ignore",
    "status": "active",
}
"""What a connection has that does not say so (pulumi_airbyte, provider/connection_tree.py)."""
_APART: Final = frozenset({"configurations", "schedule", "backfills"})


def places(inputs: Inputs) -> Places:
    """The places of any resource: each leaf of its inputs; a list is one leaf."""
    return {place: value for place, value in _leaves(inputs, ()) if value is not None}


def connection_places(inputs: Inputs, *, hidden: bool = False) -> Places:
    """The places of a connection, defaults included, and those of its streams.

    Args:
        inputs: of the connection.
        hidden: its streams are secret in one of the versions that are compared, and so are one place.
    """
    plain = {key: value for key, value in {**DEFAULTS, **inputs}.items() if key not in _APART}
    found = places(plain) | {("schedule",): schedule_text(inputs.get("schedule"))}
    known = None if hidden else streams(inputs)
    if known is None:
        return found | {SECRET_STREAMS: HIDDEN}
    for key, stream in known.items():
        found |= {(STREAMS, key, *inner): value for inner, value in _stream(stream) if value is not None}
    for key, token in tokens(inputs, known).items():
        if token and (STREAMS, key) in found:
            found[STREAMS, key, "backfill"] = token
    return found


def schedule_text(schedule: JsonValue) -> str:
    """A schedule in canonical form as people write it: `cron 0 0 * * * ?`, `every 1 hours`, `manual`."""
    if not isinstance(schedule, dict):
        return "manual"
    kind = schedule.get("scheduleType")
    if kind == "basic":
        return str(schedule.get("basicTiming")).lower()
    parts = [kind, schedule.get("cronExpression"), schedule.get("cronTimeZone")]
    return " ".join(str(part) for part in parts if part)


def _stream(stream: Stream) -> Iterator[tuple[Place, JsonValue]]:
    yield (), True
    yield ("sync_mode",), stream.sync_mode
    yield ("cursor_field",), ".".join(stream.cursor_field) or None
    yield ("primary_key",), ", ".join(".".join(path) for path in stream.primary_key) or None
    yield ("namespace",), stream.namespace or None
    if stream.selected_fields is None:
        yield ("fields",), ALL_FIELDS
    for field in stream.selected_fields or ():
        yield ("fields", field), True
    yield from (((key,), cast("JsonValue", value)) for key, value in stream.others.items())


def _leaves(value: JsonValue | Inputs, place: Place) -> Iterator[tuple[Place, JsonValue]]:
    if isinstance(value, Mapping) and (value or not place):
        for key, inner in value.items():
            # The engine's own notes on what a bridged provider filled in.
            if not key.startswith("__"):
                yield from _leaves(inner, (*place, key))
    else:
        yield place, value  # type: ignore[misc]
