"""`make sandbox`: everything up, and tables of what now exists. Running it again changes nothing."""

import contextlib

from pulumi_airbyte.client import Airbyte, ClientSettings
from rich.console import Console
from rich.table import Table

from sandbox import aws_plugin, s3
from sandbox import twin as twins
from sandbox.engine import Engine, engine_path
from sandbox.place import Place
from sandbox.twin import Twin

NEXT_STEPS = """What to try next, in a shell that has read `. .sandbox/env`:
  pulumi preview         nothing has changed, and it says so
  $EDITOR streams/shopify/orders.json
                         remove a field, then `pulumi preview` and `pulumi up`
  lotus check            hold the stream files against every rule, without any server
  curl {url}/_twin/calls
                         every call that the engine made
  make sandbox-down      stop it; .sandbox/ keeps the state for the next time"""


def up(place: Place) -> None:
    """Bring the sandbox up.

    Raises:
        LotusError: some step failed.
    """
    console = Console()
    path = engine_path(place)
    server = _s3(place, console)
    twin = _twin(place, console)
    if not aws_plugin.install(place):
        console.print("Buckets are made by a stand-in for the aws plugin: the official one is not installed here.")
    environment = place.environment(path, twin.public_url, server.url)
    place.write_environment(environment)
    engine = Engine(place, environment)
    engine.select_stack()
    console.rule("pulumi preview")
    # The refresh finds what the twin has lost, for example with a folder that somebody deleted.
    engine.show("preview", "--refresh")
    console.rule("pulumi up")
    engine.show("up", "--yes", "--skip-preview", "--refresh")
    console.rule("The lake")
    console.print(_connections(engine, twin))
    console.print(_buckets(server))
    console.print(NEXT_STEPS.format(url=twin.url), highlight=False, markup=False, soft_wrap=True)


def _twin(place: Place, console: Console) -> Twin:
    running = twins.found(place)
    twin = running or twins.start(place)
    how = "The Airbyte twin is still there, on" if running else "An Airbyte twin listens on"
    console.print(f"{how} {twin.url}", highlight=False)
    return twin


def _s3(place: Place, console: Console) -> s3.Server:
    running = s3.found(place)
    server = running or s3.start(place)
    if running is None and not server.keeps:
        console.print("There is neither versitygw nor a Go to build it: the sandbox will last until it is taken down.")
        twins.forget(place)
    how = "The S3 server is still there, on" if running else "An S3 server listens on"
    console.print(f"{how} {server.url}", highlight=False)
    return server


def _connections(engine: Engine, twin: Twin) -> Table:
    table = Table("source", "connection", "streams", "status")
    sources = engine.sources()
    with contextlib.closing(Airbyte(ClientSettings(twin.public_url))) as airbyte:
        for name, source in sorted(sources.items()):
            connection = airbyte.get_connection(source.connection_id)
            table.add_row(name, connection.name, ", ".join(source.streams), connection.status)
    table.caption = f"{len(sources)} connections, {sum(len(source.streams) for source in sources.values())} streams"
    return table


def _buckets(server: s3.Server) -> Table:
    """What is in S3, as the server tells it."""
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
