"""Write streams as numbered Parquet objects: coerce, buffer, upload, then delete old generations.

Source: airbytehq/airbyte, bulk CDK: ObjectStorageDestinationState; docs/integrations/destinations/s3.md.
"""

from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

from airbyte_twin.clock import Clock
from airbyte_twin.documents import JsonObject
from airbyte_twin.landing.airbyte_types import record_type
from airbyte_twin.landing.coercion import fit_record
from airbyte_twin.landing.configuration import Configuration, parse_configuration
from airbyte_twin.landing.layout import layout_of
from airbyte_twin.landing.parquet import EXTRACTED_AT, GENERATION_ID, META, RAW_ID, Part, table_schema
from airbyte_twin.landing.storage import Bucket
from airbyte_twin.landing.stream import LandingStream, record_size

LARGEST_PART = 200 << 20


class StreamWriter:
    """Writes one stream.

    Attributes:
        rows: records of this writer.
        bytes: of these records' JSON.
    """

    def __init__(self, configuration: Configuration, bucket: Bucket, stream: LandingStream, clock: Clock) -> None:
        self.rows = 0
        self.bytes = 0
        self._stream = stream
        self._clock = clock
        self._bucket = bucket
        self._options = configuration.format
        self._airbyte_type = record_type(stream.json_schema, stream.selected_fields)
        self._schema = table_schema(self._airbyte_type)
        self._layout = layout_of(configuration, stream)
        self._began = self._now()
        self._next_part: dict[str, int] = {}
        self._part: Part | None = None

    def write(self, record: JsonObject, extracted_at: int) -> None:
        """Take a record; it is not durable before the next checkpoint.

        Args:
            record: the record's data.
            extracted_at: milliseconds since 1970.

        Raises:
            LandingError: it is no JSON, or the disk or S3 fails.
        """
        size = record_size(record)
        values, changes = fit_record(record, self._airbyte_type)
        metadata = {
            RAW_ID: str(uuid4()),
            EXTRACTED_AT: extracted_at,
            META: {"sync_id": self._stream.sync_id, "changes": changes},
            GENERATION_ID: self._stream.generation_id,
        }
        if self._part is None:
            self._part = Part(self._schema, self._options)
        self._part.add(metadata | values, size)
        self.rows += 1
        self.bytes += size
        if self._part.size >= LARGEST_PART:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Upload the records written so far as one object.

        Raises:
            LandingError: the disk or S3 fails; another checkpoint may follow, but no write.
        """
        if self._part is not None:
            self._bucket.put(self._new_key(), self._part.finish(), self._stream.generation_id)
            self.abort()

    def close(self) -> None:
        """Make all durable, then delete the stream's objects of generations below the minimum.

        Raises:
            LandingError: the disk or S3 fails.
        """
        self.checkpoint()
        minimum = self._stream.minimum_generation_id
        if minimum > 0:
            own = [key for key in self._bucket.keys(self._layout.prefix) if self._layout.owns(key)]
            self._bucket.delete([key for key in own if self._bucket.generation(key) < minimum])

    def fail(self) -> None:
        """Leave the objects that are there, of whatever generation."""

    def abort(self) -> None:
        """Discard records since the last checkpoint, and delete nothing."""
        if self._part is not None:
            self._part.close()
            self._part = None

    def _new_key(self) -> str:
        """A key that no object has: part numbers continue after those in the folder, a taken name gets a number."""
        folder = self._layout.folder(self._began)
        if folder not in self._next_part:
            last = max((self._layout.part_number(key) for key in self._bucket.keys(folder)), default=-1)
            self._next_part[folder] = last + 1
        number = self._next_part[folder]
        self._next_part[folder] += 1
        key = folder + self._layout.name(self._began, self._now(), number, self._stream.sync_id)
        taken = set(self._bucket.keys(key))
        return key if key not in taken else next(name for n in count(1) if (name := f"{key}-{n}") not in taken)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


class Landing:
    """One destination-s3; no connection is opened before it is used."""

    def __init__(self, configuration: JsonObject, clock: Clock) -> None:
        """Take a configuration.

        Args:
            configuration: as the destination's spec has it, secrets in plain text.
            clock: dates paths and files.

        Raises:
            LandingError: an unsupported option.
        """
        self._configuration = parse_configuration(configuration)
        self._clock = clock
        self._bucket = Bucket(self._configuration)

    def check(self) -> None:
        """See whether the bucket can be written, by an object that is written and deleted.

        Raises:
            LandingError: it can't.
        """
        path = self._configuration.s3_bucket_path.strip("/")
        self._bucket.probe(f"{path}/" if path else "")

    def open(self, stream: LandingStream) -> StreamWriter:
        """Begin to write a stream; the time of its path is now.

        Raises:
            LandingError: destination-s3 fails on the stream's schema.
        """
        return StreamWriter(self._configuration, self._bucket, stream, self._clock)

    def clear(self, stream: LandingStream) -> None:
        """Delete all objects of a stream, of every generation.

        Raises:
            LandingError: S3 fails.
        """
        layout = layout_of(self._configuration, stream)
        self._bucket.delete([key for key in self._bucket.keys(layout.prefix) if layout.owns(key)])
