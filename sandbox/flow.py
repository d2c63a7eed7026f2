"""From sources to marts: syncs, Dagster's runs, and tables that compare their row counts."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from typing import Final

from pulumi_airbyte.client import Airbyte
from rich.console import Console
from rich.table import Column, Table

from lotus_infra import naming
from lotus_infra.clients.airbyte import ConnectedLake, airbyte_workspace
from lotus_infra.clients.freshness import destination_bucket
from lotus_infra.commands.sync import Polling, ProgressObserver, Run, render, sync_sources
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.loader import load_stack_lake
from sandbox import lakehouse
from sandbox.dagster_report import Report
from sandbox.lakehouse import Contents, Stream
from sandbox.layout import STACK, Layout
from sandbox.phases import Phases
from sandbox.s3 import Server

POLL_SECONDS: Final = 0.5


def flow(layout: Layout, server: Server, environment: Mapping[str, str], phases: Phases) -> None:
    """Sync every source, materialize what has landed, and show what the lake has then.

    Raises:
        LotusError: a sync or a run failed, or Parquet has other rows than the syncs brought.
    """
    console = phases.console
    phases.begin("Syncs")
    before = lakehouse.contents(layout, server)
    lake = load_stack_lake(layout.project / "streams", STACK)
    runs = _sync(layout, lake, environment, console)
    phases.begin("Dagster")
    report = lakehouse.materialize(layout, server)
    phases.split(report.seconds)
    phases.begin("Streams")
    after = lakehouse.contents(layout, server)
    console.print(_streams(after, report))
    for mart in after.marts:
        console.rule(mart.name)
        console.print(_mart(mart))
    if report.failures:
        log = f"{layout.folder.name}/dagster/runs.log"
        raise LotusError("; ".join(report.failures), f"{log} has the output of Dagster and dbt")
    counted = _counted(layout, lake)
    console.print(confirmed(before, after, runs, counted), highlight=False, markup=False, soft_wrap=True)


def _sync(layout: Layout, lake: Lake, environment: Mapping[str, str], console: Console) -> list[Run]:
    to = airbyte_workspace(lake.directory, STACK, environment)
    with closing(Airbyte(to.settings)) as airbyte, ProgressObserver(console) as watched:
        names = [source.name for source in lake.sources]
        live = ConnectedLake(airbyte, to.workspace_id, lake)
        runs = sync_sources(live, names, watched, patience=Polling(POLL_SECONDS))
    console.print(render(runs), markup=False, highlight=False)
    if not all(run.ok for run in runs):
        raise LotusError(
            "a sync failed for the reason above", f"{layout.folder.name}/{layout.twin_log.name} may have more details"
        )
    return runs


def _counted(layout: Layout, lake: Lake) -> frozenset[str]:
    """The connections all of whose files are read from the landing zone, by their names in Pulumi."""
    settings = Project.needed(layout.project).settings(STACK)
    zone = settings.lotus.landing_zone
    read: dict[tuple[str, str], str] = {}
    for source in lake.sources:
        for stream in source.selected_streams:
            connection = lake.read_of(source, stream)
            if connection is None or zone is None:
                continue
            try:
                bucket = destination_bucket(lake.destination_of(connection), settings, {})
            except LotusError:
                continue
            if bucket.name == zone.landing:
                read[source.name, stream.name] = connection.resource
    return frozenset(
        each.resource
        for each in lake.connections
        if all(read.get((stream.source, stream.name)) == each.resource for stream in each.streams)
    )


def confirmed(before: Contents, after: Contents, runs: Sequence[Run], read: Collection[str]) -> str:
    """Compare the rows that the jobs reported with those counted in the Parquet files.

    Args:
        before: the lake before the syncs.
        after: the lake after them.
        runs: the syncs.
        read: the connections all of whose files are counted.

    Raises:
        LotusError: they differ.
    """
    counted = [run for run in runs if run.connection in read]
    for run in counted:
        # A sync deletes the earlier files of a stream that it overwrites.
        kept = sum(each.landed for each in _streams_of(before, run.connection) if not each.overwritten)
        landed = sum(each.landed for each in _streams_of(after, run.connection)) - kept
        if landed != run.rows:
            raise LotusError(f"{run.connection}: its job reports {run.rows} rows, and its Parquet files have {landed}")
    total = sum(run.rows or 0 for run in counted)
    text = f"The syncs brought {total:,} rows, and a count of the Parquet files finds just as many."
    others = [f"{run.connection} ({run.rows:,} rows)" for run in runs if run not in counted and run.rows is not None]
    return text if not others else f"{text} No files to count: {', '.join(others)}."


def _streams_of(contents: Contents, connection: str) -> list[Stream]:
    return [stream for stream in contents.streams if stream.connection == connection]


def _streams(contents: Contents, report: Report) -> Table:
    """Each stream's way through the lake, counted at each station."""
    made = Table(Column("model", no_wrap=True))
    for heading in ("files", "rows landed", "rows kept", "runs"):
        made.add_column(heading, justify="right")
    for stream in contents.streams:
        asset = "/".join(naming.asset_key(stream.source, stream.name))
        latest = "" if stream.latest is None else f"{stream.latest:,}"
        made.add_row(
            naming.dbt_model(stream.source, stream.name),
            f"{stream.files:,}",
            f"{stream.landed:,}",
            latest,
            str(report.materialized[asset]),
        )
    made.caption = f"{report.materialized.total()} materializations, marts included"
    return made


def _mart(mart: lakehouse.Table) -> Table:
    """The first rows of a mart side by side, since it has more columns than a terminal."""
    columns = (Column(no_wrap=True), *(Column(overflow="fold") for _ in mart.first))
    made = Table(*columns, show_header=False, caption=f"the first {len(mart.first)} of {mart.rows:,} rows")
    for values in zip(mart.columns, *mart.first, strict=True):
        made.add_row(*("" if value is None else value for value in values))
    return made
