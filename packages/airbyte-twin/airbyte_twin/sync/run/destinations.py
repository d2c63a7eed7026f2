"""Destinations of syncs.

The packages that write load heavy libraries and are imported only when a sync needs them.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from airbyte_twin.clock import Clock
from airbyte_twin.documents import JsonObject, dump_json
from airbyte_twin.states import StreamKey
from airbyte_twin.sync.streams import SyncStream

if TYPE_CHECKING:
    from airbyte_twin.landing import LandingStream

S3 = "airbyte/destination-s3"
POSTGRES = "airbyte/destination-postgres"
NOWHERE = "airbyte/destination-dev-null"
WRITABLE = frozenset({S3, POSTGRES, NOWHERE})
DEDUPLICATING = frozenset({"append_dedup", "overwrite_dedup"})


class DestinationError(Exception):
    """A destination configuration that the twin does not support; the text has the reason."""


class Writer(Protocol):
    """Writes one stream."""

    rows: int
    bytes: int

    def write(self, record: JsonObject, extracted_at: int) -> None:
        """Take a record; `extracted_at` is milliseconds since 1970."""

    def checkpoint(self) -> None:
        """Make the records durable."""

    def close(self) -> None:
        """Make it durable and delete rows of generations below the minimum."""

    def fail(self) -> None:
        """Keep what is durable of a stream that its source could not read to the end."""

    def abort(self) -> None:
        """Discard records since the last checkpoint."""


class Destination(Protocol):
    """Writes streams; `errors` are the exceptions of its methods and writers."""

    errors: tuple[type[Exception], ...]

    def check(self) -> None:
        """See whether it can be written."""

    def open(self, stream: SyncStream) -> Writer:
        """Begin to write a stream."""

    def clear(self, stream: SyncStream) -> None:
        """Delete all rows of a stream."""

    def close(self) -> None:
        """Let go of its connections."""


@dataclass(frozen=True)
class Target:
    """A destination's connector and configuration.

    Attributes:
        repository: Docker repository of its connector, one of `WRITABLE`.
        configuration: With secrets in plain text.
        secrets: Values to redact in messages.
        clock: Dates the objects.
        namespaces: Where streams go, by their namespace in the source.
        prefix: Before the names of streams.
        streams: All streams of the connection, in its order.
    """

    repository: str
    configuration: JsonObject = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    clock: Clock
    namespaces: "Namespaces"
    prefix: str
    streams: tuple[StreamKey, ...] = ()

    def destination(self) -> Destination:
        """The destination.

        Raises:
            DestinationError: An unsupported configuration.
        """
        if self.repository == NOWHERE:
            return Nowhere()
        return Database(self) if self.repository == POSTGRES else Bucket(self)

    @property
    def written_prefix(self) -> str:
        """The prefix of names at the destination: one of blanks is none."""
        return self.prefix if self.prefix.strip() else ""

    def landed(self, stream: SyncStream) -> "LandingStream":
        """A stream as the destination receives it."""
        from airbyte_twin.landing import LandingStream  # noqa: PLC0415 - only syncs need its heavy libraries

        return LandingStream(
            name=stream.selected.name,
            namespace=self.namespaces.of(stream.selected.namespace),
            prefix=self.written_prefix,
            json_schema=stream.discovered.json_schema,
            selected_fields=stream.selected.selected_fields,
            generation_id=stream.generation_id,
            minimum_generation_id=stream.minimum_generation_id,
            sync_id=stream.sync_id,
            deduplicated=stream.selected.destination_sync_mode in DEDUPLICATING,
            primary_key=stream.primary_key,
            cursor=stream.cursor,
        )


@dataclass(frozen=True, slots=True)
class Namespaces:
    """A connection's namespace definition.

    Source: airbyte-platform NamespacingMapper.
    """

    definition: str
    format: str | None

    def of(self, source: str | None) -> str | None:
        """The namespace that a stream is written to; None where the destination has its own default."""
        if self.definition == "source":
            return source
        if self.definition == "destination" or not self.format:
            return None
        own = source if source and source.strip() else ""
        written = self.format.replace("${SOURCE_NAMESPACE}", own)
        return written if written.strip() else None


class Bucket:
    """A destination-s3."""

    def __init__(self, target: Target) -> None:
        from airbyte_twin.landing import Landing, LandingError  # noqa: PLC0415 - only syncs need its heavy libraries

        self._target = target
        try:
            self._landing = Landing(target.configuration, target.clock)
        except LandingError as error:
            raise DestinationError(str(error)) from error
        self.errors: tuple[type[Exception], ...] = (LandingError,)

    def check(self) -> None:
        """See whether the bucket can be written."""
        self._landing.check()

    def open(self, stream: SyncStream) -> Writer:
        """Begin to write a stream."""
        return self._landing.open(self._target.landed(stream))

    def clear(self, stream: SyncStream) -> None:
        """Delete all objects of a stream."""
        self._landing.clear(self._target.landed(stream))

    def close(self) -> None:
        """It has no connection that stays open."""


class Database:
    """A destination-postgres."""

    def __init__(self, target: Target) -> None:
        from airbyte_twin.landing import LandingError  # noqa: PLC0415 - only syncs need its heavy libraries
        from airbyte_twin.tables import Tables  # noqa: PLC0415 - as above

        self._target = target
        streams = [
            (target.namespaces.of(namespace), target.written_prefix + name) for namespace, name in target.streams
        ]
        try:
            self._tables = Tables(target.configuration, streams)
        except LandingError as error:
            raise DestinationError(str(error)) from error
        self.errors: tuple[type[Exception], ...] = (LandingError,)

    def check(self) -> None:
        """See whether the default schema can be written."""
        self._tables.check()

    def open(self, stream: SyncStream) -> Writer:
        """Begin to write a stream."""
        return self._tables.open(self._target.landed(stream))

    def clear(self, stream: SyncStream) -> None:
        """Empty the table of a stream."""
        self._tables.clear(self._target.landed(stream))

    def close(self) -> None:
        """Let go of the connection."""
        self._tables.close()


class Nowhere:
    """A destination-dev-null: it counts."""

    errors: tuple[type[Exception], ...] = ()

    def check(self) -> None:
        """It can always be written."""

    def open(self, stream: SyncStream) -> Writer:
        """Begin to count a stream."""
        return Counter()

    def clear(self, stream: SyncStream) -> None:
        """There is nothing to delete."""

    def close(self) -> None:
        """It has no connection."""


class Counter:
    """Counts rows and bytes of JSON."""

    def __init__(self) -> None:
        self.rows = 0
        self.bytes = 0

    def write(self, record: JsonObject, extracted_at: int) -> None:
        """Count a record."""
        self.rows += 1
        self.bytes += len(dump_json(record))

    def checkpoint(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is kept."""

    def fail(self) -> None:
        """Nothing is kept."""

    def abort(self) -> None:
        """Nothing is kept."""
