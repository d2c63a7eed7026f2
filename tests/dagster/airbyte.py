"""What Airbyte lands of a lake's streams: the twin's writer, told only what a connection tells a destination.

The twin has rules of its own for namespaces, keys and columns: where a test reads rows, the lake's rules agree with it.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from airbyte_twin.clock import Clock
from airbyte_twin.landing import Landing, LandingStream
from airbyte_twin.sync.run.destinations import Namespaces
from moto.server import ThreadedMotoServer

from lotus_infra.lake.lake import Connection, StreamFile
from lotus_infra.lake.loader import load_lake
from tests.dagster.lake import Lake
from tests.soak.servers import BUCKET, KEY, REGION, S3

DAY = 1767571200
"""2026-01-05, in seconds since 1970."""
VARIABLES = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
}


@contextmanager
def s3_in_process() -> Iterator[str]:
    """The URL of moto's S3 server with an empty bucket, which the environment's AWS variables point to."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    with _environment(url):
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield url
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for one in page.get("Contents", []):  # moto's buckets outlive its servers
                client.delete_object(Bucket=BUCKET, Key=one["Key"])
    server.stop()


@contextmanager
def s3_on_disk(folder: Path) -> Iterator[str]:
    """The same of versitygw, which keeps objects as files."""
    server = S3(folder)
    server.start()
    try:
        with _environment(server.url, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=KEY, AWS_REGION=REGION):
            yield server.url
    finally:
        server.stop()


@contextmanager
def _environment(url: str, **variables: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(VARIABLES | {"AWS_ENDPOINT_URL": url, "AWS_ENDPOINT_URL_S3": url} | variables)
    os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]
    boto3.DEFAULT_SESSION = None  # it keeps the keys of the server before
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass(frozen=True)
class Airbyte:
    """Syncs the streams of a lake's folder into a bucket.

    Attributes:
        streams: the lake's folder.
        url: of the S3 server.
    """

    streams: Path
    url: str

    def sync(self, source: str, rows: Mapping[str, list[dict[str, Any]]], *, day: int = 0, schema: Any = None) -> None:
        """One sync of each connection of a source.

        Args:
            source: its folder.
            rows: the records of each stream, by the stream's file, as the destination receives them.
            day: of the sync, counted from the first.
            schema: JSON Schemas that differ from the stream's own, by file: what mappers leave.
        """
        folder = next(folder for folder in load_lake(self.streams).lake.sources if folder.name == source)
        for connection in folder.connections:
            for file in connection.streams:
                if file.name in rows:
                    self._write(connection, file, rows[file.name], day, (schema or {}).get(file.name))

    def _write(self, connection: Connection, file: StreamFile, rows: Any, day: int, schema: Any) -> None:
        clock = Clock()
        clock.freeze(DAY + day * 86400)
        fields = file.config.fields if file.config.fields is not None else {}
        written = {name: _schema(field) for name, field in fields.items()} if schema is None else schema
        config = connection.config
        stream = LandingStream(
            name=file.config.stream,
            namespace=Namespaces(config.namespace_definition, config.namespace or connection.source).of(file.namespace),
            prefix=config.prefix,
            json_schema={"type": "object", "properties": written},
            selected_fields=None,
            generation_id=0,
            minimum_generation_id=0,
            sync_id=day + 1,
        )
        writer = Landing(self._destination(), clock).open(stream)
        for row in rows:
            writer.write(row, (DAY + day * 86400) * 1000)
        writer.close()

    def _destination(self) -> Any:
        return {
            "s3_bucket_name": BUCKET,
            "s3_bucket_path": "raw",
            "s3_bucket_region": os.environ["AWS_REGION"],
            "s3_endpoint": self.url,
            "s3_path_format": "${NAMESPACE}/${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}/",
            "file_name_pattern": "part_{part_number}.parquet",
            "access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
            "secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
            "format": {"format_type": "Parquet"},
        }


def _schema(field: Any) -> Any:
    """A field of a stream's file as JSON Schema."""
    found: dict[str, Any] = {"type": field.type if isinstance(field.type, str) else list(field.type)}
    found |= {name: getattr(field, name) for name in ("format", "airbyte_type") if getattr(field, name)}
    if field.properties:
        found["properties"] = {name: _schema(inside) for name, inside in field.properties.items()}
    return found | ({"items": _schema(field.items)} if field.items is not None else {})


def copy_to_folder(lake: Lake) -> None:
    """Copy the bucket into the lake's landing folder."""
    client = boto3.client("s3")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for one in page.get("Contents", []):
            file = lake.landing / one["Key"]
            file.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(BUCKET, one["Key"], str(file))


def reading_s3(lake: Lake) -> Lake:
    """The lake, its landing zone the bucket itself."""
    lake.warehouse = replace(lake.warehouse, landing=f"s3://{BUCKET}")
    return lake
