"""`make sandbox`: everything up, rows through all of it, and tables of what now exists."""

from dataclasses import dataclass
from typing import Final

from rich.console import Console

from sandbox import aws_plugin, lakehouse, s3, show
from sandbox import twin as twins
from sandbox.engine import Engine, engine_path
from sandbox.flow import flow
from sandbox.place import Place
from sandbox.twin import Twin

NEXT_STEPS: Final = """What to try next:
  make sandbox           again: Pulumi has nothing to do, and the sources have new rows
  make sandbox-ui        Dagster's pages on this lake
  make sandbox-down      stop it; .sandbox/ keeps what it knows for the next time
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


def up(place: Place) -> None:
    """Bring the sandbox up, and rows through it.

    Raises:
        LotusError: some step failed.
    """
    console = Console()
    standing = stand_up(place, console)
    flow(place, standing.server, standing.engine.environment, console)
    console.rule("The lake")
    console.print(show.connections(standing.engine.sources(), standing.twin))
    console.print(show.buckets(standing.server))
    steps = NEXT_STEPS.format(twin=standing.twin.url, s3=standing.server.url)
    console.print(steps, highlight=False, markup=False, soft_wrap=True)


def stand_up(place: Place, console: Console) -> Standing:
    """Start the servers and have the real engine deploy the program; running it again changes nothing.

    Raises:
        LotusError: some step failed.
    """
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
    return Standing(engine, twin, server)


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
        lakehouse.forget(place)
    how = "The S3 server is still there, on" if running else "An S3 server listens on"
    console.print(f"{how} {server.url}", highlight=False)
    return server
