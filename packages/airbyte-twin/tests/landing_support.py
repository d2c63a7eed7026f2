"""What the landing's tests share: an S3 server in this process, a bucket each, streams and what was written of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pyarrow.parquet as pq
from airbyte_twin.clock import Clock
from airbyte_twin.documents import JsonObject
from airbyte_twin.landing import Landing, LandingStream
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NEW_YEAR = 1767225600  # 2026-01-01T00:00:00Z
FOLDER = "raw/shopify/orders/year=2026/month=01/day=01/"
SCHEMA: JsonObject = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": ["null", "string"]}}}


@contextmanager
def s3_server() -> Iterator[str]:
    """The URL of an S3 server without authentication."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    finally:
        server.stop()


def configuration(url: str, bucket: str, **overrides: Any) -> JsonObject:
    """A destination as the lake has it."""
    return {
        "s3_bucket_name": bucket,
        "s3_bucket_path": "raw",
        "s3_bucket_region": "us-east-1",
        "s3_endpoint": url,
        "s3_path_format": "${NAMESPACE}/${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}/",
        "file_name_pattern": "part_{part_number}.parquet",
        "access_key_id": "some-key-id",
        "secret_access_key": "some-secret",
        "format": {"format_type": "Parquet"},
    } | overrides


def stream(**overrides: Any) -> LandingStream:
    """Orders of a shop, in their first sync."""
    return LandingStream(
        **{
            "name": "orders",
            "namespace": "shopify",
            "prefix": "",
            "json_schema": SCHEMA,
            "selected_fields": None,
            "generation_id": 1,
            "minimum_generation_id": 0,
            "sync_id": 7,
        }
        | overrides
    )


@dataclass(frozen=True)
class Lake:
    """An empty bucket, and the clock of who writes to it."""

    url: str
    bucket: str
    client: "S3Client"
    clock: Clock

    def landing(self, **overrides: Any) -> Landing:
        return Landing(configuration(self.url, self.bucket, **overrides), self.clock)

    def sync(self, records: list[JsonObject], landing: Landing | None = None, **overrides: Any) -> None:
        """One sync that succeeds."""
        writer = (landing or self.landing()).open(stream(**overrides))
        for record in records:
            writer.write(record, NEW_YEAR * 1000)
        writer.close()

    def written(self) -> list[str]:
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def body(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def parquet(self, key: str) -> Any:
        """The open Parquet file of an object."""
        return pq.ParquetFile(BytesIO(self.body(key)))

    def rows(self, key: str) -> list[JsonObject]:
        """The fields of an object's rows, without Airbyte's own."""
        rows = self.parquet(key).read().to_pylist()
        return [{name: value for name, value in row.items() if not name.startswith("_airbyte")} for row in rows]


def new_lake(url: str) -> Lake:
    """A new bucket on a server, at the beginning of 2026."""
    clock, bucket = Clock(), f"landing-{uuid4()}"
    clock.freeze(NEW_YEAR)
    client = boto3.session.Session("key", "secret", region_name="us-east-1").client("s3", endpoint_url=url)
    client.create_bucket(Bucket=bucket)
    return Lake(url, bucket, client, clock)
