"""A destination of one configuration.

Knows what can be asked of it. Must not know how records become objects.
"""

from airbyte_twin.clock import Clock
from airbyte_twin.documents import JsonObject
from airbyte_twin.landing.configuration import parse_configuration
from airbyte_twin.landing.layout import layout_of
from airbyte_twin.landing.storage import Bucket
from airbyte_twin.landing.stream import LandingStream
from airbyte_twin.landing.writer import StreamWriter


class Landing:
    """One destination-s3; no connection is opened before it is used."""

    def __init__(self, configuration: JsonObject, clock: Clock) -> None:
        """Take a configuration.

        Args:
            configuration: as the destination's spec has it, secrets in plain text.
            clock: dates paths and files.

        Raises:
            LandingError: it asks for what the twin can't write.
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
