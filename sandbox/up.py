"""`make sandbox`: everything up, and a table of what now exists. Running it again changes nothing."""

from pulumi_airbyte.client import Airbyte, ClientSettings
from rich.console import Console
from rich.table import Table

from sandbox import twin as twins
from sandbox.engine import Engine, engine_path
from sandbox.place import Place
from sandbox.twin import Twin

NEXT_STEPS = """What to try next, after `. .sandbox/env`:
  pulumi preview                       nothing has changed, and says so
  edit streams/shopify/orders.json     remove a field, then `pulumi preview` and `pulumi up`
  curl {url}/_twin/calls               every call that the engine made
  uv run lotus check                   hold the stream files against every rule
  make sandbox-down                    stop; .sandbox/ keeps the state for the next time"""


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
    engine.show("preview")
    console.rule("pulumi up")
    engine.show("up", "--yes", "--skip-preview")
    console.rule("The lake")
    console.print(_table(engine, twin))
    console.print(NEXT_STEPS.format(url=twin.url), highlight=False, markup=False)


def _table(engine: Engine, twin: Twin) -> Table:
    airbyte = Airbyte(ClientSettings(twin.public_url))
    table = Table("source", "connection", "streams", "status", "connection id")
    sources = engine.sources()
    for name, source in sorted(sources.items()):
        connection = airbyte.get_connection(source.connection_id)
        table.add_row(name, connection.name, ", ".join(source.streams), connection.status, source.connection_id)
    table.caption = f"{len(sources)} connections, {sum(len(source.streams) for source in sources.values())} streams"
    return table
