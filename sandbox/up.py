"""`make sandbox`: everything up, rows through all of it, and tables of what now exists."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pulumi_airbyte.client import Airbyte, ClientSettings
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lotus_infra.lake.diagnostics import pluralize
from sandbox import aws_plugin, lakehouse, s3
from sandbox import twin as twins
from sandbox.engine import Engine, ExportedConnection, engine_path
from sandbox.flow import flow
from sandbox.layout import Layout
from sandbox.phases import Phases
from sandbox.twin import Twin

NEXT_STEPS: Final = """What to try next:
  make sandbox           again: Pulumi has nothing to do, and the sources have new rows
  make sandbox-ui        Dagster's pages on this lake
  make sandbox-down      stop it; .sandbox/ keeps its data for the next time
In a shell that has read `. .sandbox/env`:
  $EDITOR streams/shopify/orders.json
                         add a field of `_discovered`, then `lotus check` and `pulumi preview`
  lotus sync faker       one more sync, followed to its end
  lotus graph            a picture of the lake
The servers, until they are taken down:
  {twin}/_twin/calls    every call that the stand-in Airbyte got
  {s3}                S3, where both halves of the key are: sandbox"""


@dataclass(frozen=True)
class Standing:
    """A sandbox that is up.

    Attributes:
        engine: the CLI over the program.
        twin: the stand-in Airbyte.
        server: the S3 server.
    """

    engine: Engine
    twin: Twin
    server: s3.Server


def up(layout: Layout) -> None:
    """Bring the sandbox up, and rows through it.

    Raises:
        LotusError: some step failed.
    """
    console = Console()
    phases = Phases(console)
    standing = stand_up(layout, phases)
    flow(layout, standing.server, standing.engine.environment, phases)
    phases.begin("The lake")
    console.print(_connections(standing.engine.connections(), standing.twin))
    console.print(_buckets(standing.server))
    console.print(phases.table())
    steps = NEXT_STEPS.format(twin=standing.twin.url, s3=standing.server.url)
    console.print(steps, highlight=False, markup=False, soft_wrap=True)


def stand_up(layout: Layout, phases: Phases) -> Standing:
    """Start the servers and have the real engine deploy the program; running it again changes nothing.

    Raises:
        LotusError: some step failed.
    """
    console = phases.console
    path = engine_path(layout)
    server = _s3(layout, console)
    twin = _twin(layout, console)
    if not aws_plugin.install(layout):
        console.print("Buckets are made by a stand-in for the aws plugin: the official one is not installed here.")
    environment = layout.environment(path, twin.public_url, server.url)
    layout.write_environment(environment)
    engine = Engine(layout, environment)
    engine.select_stack()
    phases.begin("pulumi preview")
    # The refresh finds what the twin has lost, for example with a deleted folder.
    engine.show("preview", "--refresh")
    phases.begin("pulumi up")
    engine.show("up", "--yes", "--skip-preview", "--refresh")
    return Standing(engine, twin, server)


def _twin(layout: Layout, console: Console) -> Twin:
    running = twins.found(layout)
    twin = running or twins.start(layout)
    how = "The Airbyte twin is still there, on" if running else "An Airbyte twin listens on"
    console.print(f"{how} {twin.url}", highlight=False)
    return twin


def _s3(layout: Layout, console: Console) -> s3.Server:
    running = s3.found(layout)
    server = running or s3.start(layout)
    if running is None and not server.keeps:
        console.print("There is neither versitygw nor a Go to build it: the sandbox will last until it is taken down.")
        twins.forget(layout)
        lakehouse.forget(layout)
    how = "The S3 server is still there, on" if running else "An S3 server listens on"
    console.print(f"{how} {server.url}", highlight=False)
    return server


def _connections(exported: Mapping[str, ExportedConnection], twin: Twin) -> Table:
    """The connections that the program exports, as Airbyte has them."""
    table, count = Table("source", "connection", "streams", "status"), 0
    with contextlib.closing(Airbyte(ClientSettings(twin.public_url))) as airbyte:
        for name, one in sorted(exported.items()):
            connection = airbyte.get_connection(one.connection_id)
            # A connection into another destination than S3 exports no prefixes.
            streams = [*one.streams] or sorted(stream.name for stream in connection.configurations.streams)
            table.add_row(escape(name), escape(connection.name), escape(", ".join(streams)), connection.status)
            count += len(streams)
    table.caption = f"{pluralize(len(exported), 'connection')}, {pluralize(count, 'stream')}"
    return table


def _buckets(server: s3.Server) -> Table:
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
