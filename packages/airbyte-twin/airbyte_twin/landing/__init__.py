"""A destination-s3 that writes Parquet: what the twin's syncs land with.

Knows destination-s3 from version 1.5 on. Must not know connections, jobs or sources.
Importing it loads pyarrow and boto3, so only what writes may import it.
"""

from airbyte_twin.landing.errors import LandingError
from airbyte_twin.landing.stream import LandingStream
from airbyte_twin.landing.writer import Landing, StreamWriter

__all__ = ["Landing", "LandingError", "LandingStream", "StreamWriter"]
