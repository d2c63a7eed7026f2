"""Tables of what the sandbox has: connections and buckets, as their servers tell it."""

import contextlib
from collections.abc import Mapping

from pulumi_airbyte.client import Airbyte, ClientSettings
from rich.table import Table

from sandbox.engine import ExportedSource
from sandbox.s3 import Server
from sandbox.twin import Twin


def connections(sources: Mapping[str, ExportedSource], twin: Twin) -> Table:
    """The connections that the program exports, as Airbyte has them."""
    table = Table("source", "connection", "streams", "status")
    with contextlib.closing(Airbyte(ClientSettings(twin.public_url))) as airbyte:
        for name, source in sorted(sources.items()):
            connection = airbyte.get_connection(source.connection_id)
            table.add_row(name, connection.name, ", ".join(source.streams), connection.status)
    table.caption = f"{len(sources)} connections, {sum(len(source.streams) for source in sources.values())} streams"
    return table


def buckets(server: Server) -> Table:
    """What is in S3."""
    table = Table("bucket", "objects", "bytes", "versions")
    client = server.client()
    names = sorted(str(bucket.get("Name")) for bucket in client.list_buckets()["Buckets"])
    for name in names:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=name)
        sizes = [found.get("Size", 0) for page in pages for found in page.get("Contents", ())]
        kept = client.get_bucket_versioning(Bucket=name).get("Status") == "Enabled"
        table.add_row(name, str(len(sizes)), f"{sum(sizes):,}", "kept" if kept else "")
    table.caption = f"{len(names)} buckets on {server.url}"
    return table
