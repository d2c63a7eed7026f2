"""Saved states (cursors), refreshes and clears of connections, all from the Config API."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pulumi_airbyte.client.calls import Calls
from pulumi_airbyte.client.models import Wire, parse

if TYPE_CHECKING:
    from pulumi_airbyte.client.transport import Effect
    from pulumi_airbyte.values import JsonObject

RefreshMode = Literal["merge", "truncate"]
StreamName = tuple[str | None, str]
"""Namespace and name."""


class StreamDescriptor(Wire):
    """Identity of a stream (StreamDescriptor)."""

    name: str
    namespace: str | None = None

    @property
    def key(self) -> StreamName:
        """Namespace and name."""
        return (self.namespace or None, self.name)


class StreamCursor(Wire):
    """The cursor of one stream (StreamState), in its connector's own format."""

    stream: StreamDescriptor = Field(alias="streamDescriptor")
    cursor: dict[str, Any] | None = Field(default=None, alias="streamState")

    def to_wire(self) -> "JsonObject":
        """The request form. The cursor is sent verbatim, with its nulls."""
        return {"streamDescriptor": self.stream.model_dump(exclude_none=True), "streamState": self.cursor}


class GlobalCursors(Wire):
    """One cursor for all streams, with a part per stream (GlobalState)."""

    shared: dict[str, Any] | None = Field(default=None, alias="shared_state")
    streams: list[StreamCursor] = Field(default_factory=list, alias="streamStates")


class SavedState(Wire):
    """The saved state of a connection (ConnectionState)."""

    kind: Literal["not_set", "stream", "global", "legacy"] = Field(alias="stateType")
    streams: list[StreamCursor] | None = Field(default=None, alias="streamState")
    everything: GlobalCursors | None = Field(default=None, alias="globalState")
    legacy: dict[str, Any] | None = Field(default=None, alias="state")

    @property
    def rows(self) -> list[StreamCursor]:
        """The cursors of single streams."""
        return self.everything.streams if self.everything else self.streams or []

    def only(self, kept: Iterable[StreamName]) -> "SavedState":
        """The state with the cursors of these streams only."""
        names = set(kept)
        return self.model_copy(update={"streams": [row for row in self.streams or [] if row.stream.key in names]})

    def within(self, other: "SavedState") -> bool:
        """Whether another state contains everything of this one."""
        theirs = {row.stream.key: row.cursor for row in other.rows}
        shared = [state.everything.shared or {} if state.everything else None for state in (self, other)]
        return (
            self.kind == other.kind
            and self.legacy == other.legacy
            and shared[0] == shared[1]
            and all(theirs.get(row.stream.key) == row.cursor for row in self.rows)
        )

    def to_wire(self, connection_id: str) -> "JsonObject":
        """The request form for a connection."""
        sent: dict[str, Any] = {"connectionId": connection_id, "stateType": self.kind}
        rows = [row.to_wire() for row in self.rows]
        if self.everything is not None:
            sent["globalState"] = {"shared_state": self.everything.shared, "streamStates": rows}
        elif self.kind == "stream":
            sent["streamState"] = rows
        elif self.kind == "legacy":
            sent["state"] = self.legacy
        return sent


class RefreshStreams(Wire):
    """The streams of a refresh (JobRefreshConfig)."""

    streams: list[StreamDescriptor] = Field(default_factory=list, alias="streamsToRefresh")


class StartedJob(Wire):
    """A job in the Config API (JobRead)."""

    job_id: int = Field(alias="id")
    refresh: RefreshStreams | None = Field(default=None, alias="refreshConfig")

    @property
    def refreshed(self) -> frozenset[StreamName]:
        """The streams that it re-reads; empty if it is no refresh."""
        return frozenset(stream.key for stream in self.refresh.streams) if self.refresh else frozenset()


class JobAnswer(Wire):
    """A job, or none (JobReadResponse)."""

    job: StartedJob | None = None


class JobInfo(Wire):
    """A job (JobInfoRead)."""

    job: StartedJob


class Cursors(Calls):
    """Saved states, refreshes and clears. Every method raises AirbyteError, also if there is no Config API."""

    def cursors(self, connection_id: str) -> SavedState:
        """The saved state of a connection, also of a deleted one."""
        what = f"read the cursors of connection {connection_id}"
        return parse(SavedState, self._cursor_call("/state/get", what, {"connectionId": connection_id}), what)

    def write_cursors(self, connection_id: str, state: SavedState) -> SavedState:
        """Overwrite the cursors of these streams. Refused (423) while a job runs."""
        what = f"write the cursors of connection {connection_id}"
        body: JsonObject = {"connectionId": connection_id, "connectionState": state.to_wire(connection_id)}
        return parse(SavedState, self._cursor_call("/state/create_or_update_safe", what, body, effect="sets"), what)

    def refresh(self, connection_id: str, streams: Sequence[StreamName], mode: RefreshMode) -> int | None:
        """Start a re-read of streams. Cancels a running job; is not retried.

        Returns:
            The job's id; None if the destination does not support refreshes.
        """
        what = f"refresh {_listed(streams)} of connection {connection_id}"
        body: JsonObject = {
            "connectionId": connection_id,
            "refreshMode": mode.capitalize(),
            "streams": _stream_names(streams),
        }
        answer = self._config("/connections/refresh", what, body, needed_by="Refreshes need", effect="acts")
        job = parse(JobAnswer, answer, what).job
        return job.job_id if job else None

    def clear(self, connection_id: str, streams: Sequence[StreamName]) -> int:
        """Delete the streams' rows in the destination, and their cursors. Cancels a running job; is not retried.

        Returns:
            The job's id.
        """
        what = f"clear {_listed(streams)} of connection {connection_id}"
        body: JsonObject = {"connectionId": connection_id, "streams": _stream_names(streams)}
        answer = self._config("/connections/clear/stream", what, body, needed_by="Clears need", effect="acts")
        return parse(JobInfo, answer, what).job.job_id

    def refreshed_streams(self, job_id: int) -> frozenset[StreamName]:
        """The streams that a job re-reads; empty if it is no refresh."""
        what = f"read job {job_id}"
        return parse(JobInfo, self._cursor_call("/jobs/get", what, {"id": job_id}), what).job.refreshed

    def _cursor_call(self, path: str, what: str, body: "JsonObject", *, effect: "Effect" = "reads") -> Any:
        return self._config(path, what, body, needed_by="Cursors need", effect=effect)


def _stream_names(streams: Sequence[StreamName]) -> "list[JsonObject]":
    return [
        {"streamName": name, **({"streamNamespace": namespace} if namespace else {})} for namespace, name in streams
    ]


def _listed(streams: Sequence[StreamName]) -> str:
    return ", ".join(name for _, name in streams)
