"""The Parquet writer of destination-s3 (1.5 and later).

Importing it loads pyarrow and boto3: import it only where something is written.
"""

from airbyte_twin.landing.errors import LandingError
from airbyte_twin.landing.stream import LandingStream
from airbyte_twin.landing.writer import Landing, StreamWriter

__all__ = ["Landing", "LandingError", "LandingStream", "StreamWriter"]
