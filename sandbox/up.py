"""`make sandbox`: everything up, rows through all of it, and tables of what now exists."""

import contextlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import dataclass, field
from typing import Final

from pulumi_airbyte.client import Airbyte, ClientSettings
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lotus_infra.lake.diagnostics import pluralize
from sandbox import aws_plugin, lakehouse, s3, ui
from sandbox import twin as twins
from sandbox.engine import Engine, ExportedConnection, Programs, is_engine_there, programs
from sandbox.flow import flow, show
from sandbox.lakehouse import Lakehouse
from sandbox.layout import DAGSTER_URL, Layout, write_whole
from sandbox.phases import Phases
from sandbox.twin import Twin
from sandbox.variables import of_runs
from toolchain import s3_server
from toolchain.engine import LASTS as ENGINE_LASTS

NEXT_STEPS: Final = """Next steps:
  make sandbox           again: Pulumi has nothing to change, and the sources have new rows
  make sandbox-ui        Dagster on {dagster}
  make sandbox-down      stop the servers; .sandbox/ keeps their data
  . .sandbox/env         in a new shell, in which lotus, pulumi, dbt and dagster then use the sandbox:
    lotus status         connections, files and models
    lotus sync faker     one more sync, followed to its end
    lotus graph          a picture of the lake
    pulumi preview       the effect of an edit, such as a field of streams/_discovered in streams/shopify/orders.json
Servers, until they are stopped:
  {twin}/_twin/calls    all calls that the Airbyte stand-in received
  {s3}                S3; both halves of the key are: sandbox"""

_COUNTED: Final = re.compile(r"\d+ (?:changes?|unchanged)")
"""The sums at the end of the engine's output."""


@dataclass(frozen=True)
class Standing:
    """A sandbox that is up.

    Attributes:
        engine: the CLI over the program.
        twin: the stand-in Airbyte.
        server: the S3 server.
        house: the lake's process; None where none was asked for.
        variables: those of Dagster's runs that are known once the stack is up.
    """

    engine: Engine
    twin: Twin
    server: s3.Server
    house: Lakehouse | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def up(layout: Layout, *, verbose: bool = False) -> None:
    """Bring the sandbox up, and rows through it.

    Args:
        layout: the sandbox.
        verbose: whether all output is shown; by default it goes to the sandbox's log.

    Raises:
        LotusError: some step failed.
    """
    console = Console()
    phases = Phases(console, None if verbose else layout.log)
    with ExitStack() as stack:
        standing = stand_up(layout, phases, stack)
        house = standing.house
        assert house is not None
        flowed = flow(layout, house, standing.engine.environment, phases, standing.variables)
    show(flowed, console, rows=verbose)
    if verbose:
        console.print(_connections(standing.engine.connections(), standing.twin))
        console.print(_buckets(standing.server))
    console.print(phases.table())
    steps = NEXT_STEPS.format(twin=standing.twin.url, s3=standing.server.url, dagster=ui.address(layout))
    console.print(steps, highlight=False, markup=False, soft_wrap=True)


def stand_up(layout: Layout, phases: Phases, lake: ExitStack | None = None) -> Standing:
    """Start the servers and have the real engine deploy the program; running it again changes nothing.

    Args:
        layout: the sandbox.
        phases: the command's.
        lake: where the lake's process is entered, to import while the engine works; none is started without it.

    Raises:
        LotusError: some step failed.
    """
    found = _programs(layout, phases)
    with phases.phase("servers") as phase:
        server = _s3(layout, phase.console)
        twin = _twin(layout, phase.console)
        phase.ends(f"Airbyte on {twin.url}, S3 on {server.url}")
        if not aws_plugin.install(layout):
            text = "Buckets are made by a stand-in for the aws plugin: the official one is not installed here."
            phase.console.print(text)
    environment = layout.environment(found.path, twin.public_url, server.url)
    lakehouse.folder(layout).mkdir(exist_ok=True)  # For a `dbt build` before the first run of Dagster.
    in_shells = {**environment, **lakehouse.variables(layout, server), DAGSTER_URL: ui.address(layout)}
    layout.write_environment(in_shells, found.first, found.last)
    house = lake.enter_context(_house(layout, server, phases)) if lake is not None else None
    with phases.phase("pulumi up") as phase:
        engine = Engine(layout, environment, phase.output)
        engine.select_stack()
        # The refresh finds what the twin has lost, for example with a deleted folder.
        engine.show("up", "--yes", "--skip-preview", "--refresh")
        phase.ends(", ".join(_COUNTED.findall(phase.printed())))
    variables = of_runs(engine, twin.public_url)
    write_whole(layout.variables_file, json.dumps(variables))
    if variables:
        layout.write_environment({**in_shells, **variables}, found.first, found.last)
    return Standing(engine, twin, server, house, variables)


def _programs(layout: Layout, phases: Phases) -> Programs:
    """The engine; and what else has to be built or installed, once."""
    with phases.phase("engine", "" if is_engine_there(layout) else f"once: {ENGINE_LASTS}") as phase:
        found = programs(layout, phase.output)
    if not s3_server.is_there():
        lasts = f"once: {s3_server.LASTS} on two cores"
        with phases.phase("S3 server", lasts) as phase, redirect_stderr(phase.output or sys.stderr):
            phase.ends("built with Go" if s3.program() is not None else "no Go to build it: moto, in memory")
    if not twins.are_connectors_there():
        lasts = "once: less than a minute"
        with phases.phase("connectors", lasts) as phase, redirect_stderr(phase.output or sys.stderr):
            phase.ends(", ".join(twins.install_connectors()))
    return found


@contextmanager
def _house(layout: Layout, server: s3.Server, phases: Phases) -> Iterator[Lakehouse]:
    interface = ui.found(layout)
    if interface is not None:
        text = f"Dagster is open on {interface.url}: its daemon reads new files too, and its runs are waited for."
        phases.console.print(text, highlight=False, soft_wrap=True)
    pid = interface.pid if interface is not None else 0
    with phases.background() as output, Lakehouse(layout, server, output, pid) as house:
        yield house


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
