"""States of connections, their jobs by hand, and the steps that the engine takes with them."""

from typing import Any

from airbyte_twin.jobs import drive
from airbyte_twin.records import JobStatus
from pulumi.runtime.proto import provider_pb2
from pulumi_airbyte.provider.properties import decode, encode

from tests.provider.kept import kept
from tests.provider.lake import Lake
from tests.provider.plugin import Difference, Object, Plugin, Values, urn

CURSOR = {"updated_at": "2026-01-01T00:00:00Z", "nothing": None}


def drive_job(lake: Lake, job_id: int, status: JobStatus) -> None:
    """Move a job by hand."""
    job = lake.twin.store.jobs.get(str(job_id))
    assert job is not None
    drive(lake.twin.twin, job, status)


def write_state(lake: Lake, connection_id: str, *streams: str | tuple[str | None, str], **changes: Any) -> None:
    """Say how far a connection has read its streams, each by name or by namespace and name."""
    named = [(None, each) if isinstance(each, str) else each for each in streams]
    rows = [
        {"streamDescriptor": {"name": name} | ({"namespace": space} if space else {}), "streamState": CURSOR}
        for space, name in named
    ]
    state = {"connectionId": connection_id, "stateType": "stream", "streamState": rows} | changes
    lake.config_api("/state/create_or_update", {"connectionId": connection_id, "connectionState": state})


def state(lake: Lake, connection_id: str) -> dict[str, Any]:
    """How far a connection has read its streams, by name; or its whole state, if it is of another kind."""
    found = lake.config_api("/state/get", {"connectionId": connection_id})
    if found["stateType"] in {"global", "legacy"}:
        return {key: value for key, value in found.items() if key != "connectionId"}
    return {row["streamDescriptor"]["name"]: row["streamState"] for row in found.get("streamState", [])}


def compared(plugin: Plugin, known: Object, new: Values) -> Difference:
    """What differs between a connection of the state and new inputs, in a run that has just begun."""
    plugin.next_run()
    return plugin.diff("connection", known.inputs, new, known.outputs, object_id=known.id)


def replaced(plugin: Plugin, known: Object, new: Values, *, seconds: float = 0) -> Object:
    """A new connection in place of one of the state, as the engine makes it."""
    assert compared(plugin, known, new).replaces
    answer = plugin.stub.Create(
        provider_pb2.CreateRequest(urn=urn("connection"), properties=encode(new), timeout=seconds)
    )
    return Object(answer.id, new, decode(answer.properties))


def updated(plugin: Plugin, known: Object, new: Values, *, seconds: float = 0) -> Object:
    """A connection after an update that may take so long."""
    answer = plugin.stub.Update(
        provider_pb2.UpdateRequest(
            id=known.id,
            urn=urn("connection"),
            old_inputs=encode(known.inputs),
            news=encode(new),
            olds=encode(known.outputs),
            timeout=seconds,
        )
    )
    return Object(known.id, new, decode(answer.properties))


def unfinished(call: Any) -> Object:
    """The object that a call made, but not to its end, as the engine stores it."""
    return kept(call)[0]
