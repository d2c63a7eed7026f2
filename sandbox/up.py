"""`make sandbox`: everything up, and a table of what now exists. Running it again changes nothing."""

import contextlib

from pulumi_airbyte.client import Airbyte, ClientSettings
from rich.console import Console
from rich.table import Table

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
    twin = twins.found(place)
    if twin is None:
        twin = twins.start(place)
        console.print(f"An Airbyte twin listens on {twin.url}", highlight=False)
    else:
        console.print(f"The Airbyte twin is still there, on {twin.url}", highlight=False)
    environment = place.environment(path, twin.public_url)
    place.write_environment(environment)
    engine = Engine(place, environment)
    engine.select_stack()
    console.rule("pulumi preview")
    # The refresh finds what the twin has lost, for example with a folder that somebody deleted.
    engine.show("preview", "--refresh")
    console.rule("pulumi up")
    engine.show("up", "--yes", "--skip-preview", "--refresh")
    console.rule("The lake")
    console.print(_table(engine, twin))
    console.print(NEXT_STEPS.format(url=twin.url), highlight=False, markup=False, soft_wrap=True)


def _table(engine: Engine, twin: Twin) -> Table:
    table = Table("source", "connection", "streams", "status")
    sources = engine.sources()
    with contextlib.closing(Airbyte(ClientSettings(twin.public_url))) as airbyte:
        for name, source in sorted(sources.items()):
            connection = airbyte.get_connection(source.connection_id)
            table.add_row(name, connection.name, ", ".join(source.streams), connection.status)
    table.caption = f"{len(sources)} connections, {sum(len(source.streams) for source in sources.values())} streams"
    return table
