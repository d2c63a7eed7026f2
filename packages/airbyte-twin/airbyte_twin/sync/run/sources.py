"""Sources of syncs: a real connector, a synthesized one, or one that fails on order.

A sync reads either a real connector's messages or a synthesized connector's, for the selected streams.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, without_nulls
from airbyte_twin.records import ConnectionState, StreamState
from airbyte_twin.sync.protocol.connector import RealConnector
from airbyte_twin.sync.protocol.messages import ConnectorError, Message, RecordMessage
from airbyte_twin.sync.streams import SyncStream, catalog_document
from airbyte_twin.sync.synthesize.source import SyntheticSource


class Source(Protocol):
    """A source of a sync."""

    def read(self, streams: Sequence[SyncStream], state: ConnectionState) -> Generator[Message, None, None]:
        """Records and states of streams; raises ConnectorError when it fails, Cancelled when it is cancelled."""


@dataclass(frozen=True)
class ConnectorSource:
    """A source with a real connector and a plain configuration."""

    connector: RealConnector
    configuration: JsonObject = field(repr=False)

    def read(self, streams: Sequence[SyncStream], state: ConnectionState) -> Generator[Message, None, None]:
        """The connector's messages."""
        return self.connector.read(self.configuration, catalog_document(streams), state_document(streams, state))


@dataclass(frozen=True)
class SchemaSource:
    """A synthesized source."""

    synthetic: SyntheticSource

    def read(self, streams: Sequence[SyncStream], state: ConnectionState) -> Generator[Message, None, None]:
        """The synthesized messages."""
        return self.synthetic.read(streams, {(each.namespace, each.name): each.blob or {} for each in state.streams})


@dataclass(frozen=True)
class FailingSource:
    """A source that fails on order after some records, or at its end if it has fewer."""

    source: Source
    failure: str
    after: int

    def read(self, streams: Sequence[SyncStream], state: ConnectionState) -> Generator[Message, None, None]:
        """The source's messages up to the failure."""
        sent = 0
        for message in self.source.read(streams, state):
            if isinstance(message, RecordMessage):
                if sent >= self.after:
                    break
                sent += 1
            yield message
        raise ConnectorError(self.failure)


def state_document(streams: Iterable[SyncStream], state: ConnectionState) -> JsonValue:
    """The state messages for a connector; None without a state."""
    if state.type == "legacy":
        return state.legacy
    wanted = {stream.key for stream in streams if stream.incremental}
    states = [_stream_state(each) for each in state.streams if (each.namespace, each.name) in wanted]
    if state.type == "global":
        shared: JsonObject = {"shared_state": state.shared, "stream_states": [*states]}
        return [{"type": "GLOBAL", "global": shared}]
    return [{"type": "STREAM", "stream": each} for each in states] or None


def _stream_state(state: StreamState) -> JsonObject:
    descriptor = without_nulls({"name": state.name, "namespace": state.namespace})
    return {"stream_descriptor": descriptor, "stream_state": state.blob}
