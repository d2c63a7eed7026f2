"""Messages of the Airbyte protocol, parsed line by line into frozen objects.

Source: airbyte-protocol, airbyte_protocol.yaml.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from airbyte_twin.documents import JsonObject, as_object, parse_json
from airbyte_twin.records import ConnectionState, DiscoveredStream, StateType, StreamState


class ConnectorError(Exception):
    """A connector failed; the text is for its user, `internal` for its makers."""

    def __init__(self, text: str, internal: str | None = None) -> None:
        super().__init__(text)
        self.internal = internal


class ProtocolError(ConnectorError):
    """A message of a known type that violates the protocol; the text names the type, without its data."""


@dataclass(frozen=True, slots=True)
class RecordMessage:
    """One record of a stream."""

    stream: str
    namespace: str | None
    data: JsonObject


@dataclass(frozen=True, slots=True)
class StateMessage:
    """How far the source has read: of the named streams, of all at once (global), or in the old form (legacy)."""

    type: StateType
    streams: tuple[StreamState, ...] = ()
    shared: JsonObject | None = None
    legacy: JsonObject | None = None

    def of_connection(self, connection_id: str) -> ConnectionState:
        """As it is stored."""
        return ConnectionState(
            id=connection_id, type=self.type, streams=self.streams, shared=self.shared, legacy=self.legacy
        )


@dataclass(frozen=True, slots=True)
class LogMessage:
    """A line of the connector's log."""

    text: str


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """Why the connector fails: for its user, and for its makers."""

    text: str
    internal: str | None = None


@dataclass(frozen=True, slots=True)
class StreamStatusMessage:
    """Where a stream stands."""

    stream: str
    namespace: str | None
    status: Literal["STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"]


@dataclass(frozen=True, slots=True)
class CatalogMessage:
    """The streams that the source offers."""

    streams: tuple[DiscoveredStream, ...]


@dataclass(frozen=True, slots=True)
class ConnectionStatusMessage:
    """Whether the source can be read with a configuration, and if not, why."""

    succeeded: bool
    text: str | None


Message = (
    RecordMessage
    | StateMessage
    | LogMessage
    | ErrorMessage
    | StreamStatusMessage
    | CatalogMessage
    | ConnectionStatusMessage
)


class Wire(BaseModel):
    """Base of parsed messages; unused members are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class WireDescriptor(Wire):
    """Names a stream."""

    name: str
    namespace: str | None = None


class WireStreamState(Wire):
    """The state of one stream."""

    stream_descriptor: WireDescriptor
    stream_state: JsonObject | None = None

    def record(self) -> StreamState:
        """As it is stored."""
        named = self.stream_descriptor
        return StreamState(name=named.name, namespace=named.namespace, blob=self.stream_state)


class WireGlobalState(Wire):
    """The state of all streams."""

    shared_state: JsonObject | None = None
    stream_states: tuple[WireStreamState, ...] = ()


class WireState(Wire):
    """A STATE."""

    type: Literal["STREAM", "GLOBAL", "LEGACY"] = "LEGACY"
    stream: WireStreamState | None = None
    global_: WireGlobalState | None = Field(default=None, alias="global")
    data: JsonObject | None = None


class WireError(Wire):
    """The error of a TRACE."""

    message: str
    internal_message: str | None = None


class WireStreamStatus(Wire):
    """The stream status of a TRACE."""

    stream_descriptor: WireDescriptor
    status: Literal["STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"]


class WireStream(DiscoveredStream):
    """A stream of a CATALOG."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class WireCatalog(Wire):
    """A CATALOG."""

    streams: tuple[JsonObject, ...]


class WireConnectionStatus(Wire):
    """A CONNECTION_STATUS."""

    status: Literal["SUCCEEDED", "FAILED"]
    message: str | None = None


def parse_message(line: bytes) -> Message:
    """Parse one line of a connector's output; other output is a log line, because connectors print too.

    Raises:
        ProtocolError: A message of a known type violates the protocol.
    """
    try:
        document = parse_json(line)
    except ValueError:
        return _log(line.decode(errors="replace"))
    kind = document.get("type") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(kind, str):
        return _log(line.decode(errors="replace"))
    try:
        return _message(kind, document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise ProtocolError(f"the connector sent an invalid {kind}: {where}: {first['msg']}") from error


def _message(kind: str, document: JsonObject) -> Message:
    if kind == "RECORD":
        return _record(as_object(document.get("record")))
    if kind in READERS:
        member, read = READERS[kind]
        return read(document.get(member))
    return _log(kind)


def _record(record: JsonObject) -> RecordMessage:
    # Most lines are records: checking three members is cheaper than validating a model.
    stream, namespace, data = record.get("stream"), record.get("namespace"), record.get("data")
    if not isinstance(stream, str) or not isinstance(namespace, str | None) or not isinstance(data, dict):
        raise ProtocolError("the connector sent a RECORD that is invalid: stream or data is missing")
    return RecordMessage(stream, namespace, data)


def _state(document: JsonValue) -> StateMessage:
    state = WireState.model_validate(document)
    if state.type == "STREAM" and state.stream is not None:
        return StateMessage("stream", (state.stream.record(),))
    if state.type == "GLOBAL" and state.global_ is not None:
        streams = tuple(each.record() for each in state.global_.stream_states)
        return StateMessage("global", streams, shared=state.global_.shared_state)
    if state.type == "LEGACY":
        return StateMessage("legacy", legacy=state.data or {})
    raise ProtocolError(f"the connector sent a STATE that is invalid: it has the type {state.type} without its data")


def _trace(document: JsonValue) -> Message:
    trace = as_object(document)
    kind = trace.get("type")
    if kind == "ERROR":
        error = WireError.model_validate(trace.get("error"))
        return ErrorMessage(error.message, error.internal_message or None)
    if kind == "STREAM_STATUS":
        status = WireStreamStatus.model_validate(trace.get("stream_status"))
        return StreamStatusMessage(status.stream_descriptor.name, status.stream_descriptor.namespace, status.status)
    return _log(f"TRACE {kind}")


def _catalog(document: JsonValue) -> CatalogMessage:
    found = []
    for stream in WireCatalog.model_validate(document).streams:
        # The protocol has null for unset members, and later versions have more members.
        said = WireStream.model_validate({key: value for key, value in stream.items() if value is not None})
        found.append(DiscoveredStream.model_construct(**dict(said)))
    return CatalogMessage(tuple(found))


def _connection_status(document: JsonValue) -> ConnectionStatusMessage:
    status = WireConnectionStatus.model_validate(document)
    return ConnectionStatusMessage(status.status == "SUCCEEDED", status.message)


def _log_line(document: JsonValue) -> LogMessage:
    said = as_object(document)
    return _log(f"{said.get('level', 'INFO')} {said.get('message', '')}")


def _log(text: str) -> LogMessage:
    return LogMessage(text.strip())


READERS: dict[str, tuple[str, Callable[[JsonValue], Message]]] = {
    "STATE": ("state", _state),
    "TRACE": ("trace", _trace),
    "CATALOG": ("catalog", _catalog),
    "CONNECTION_STATUS": ("connectionStatus", _connection_status),
    "LOG": ("log", _log_line),
}
"""Member and parser of each message type."""
